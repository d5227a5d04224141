"""Items to buy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Purchase:
    """One item to buy. It unpacks as item, amount, USD."""

    item: str
    amount: float
    usd: float | None
    """Null where the price is unknown."""

    def __iter__(self) -> Iterator[Any]:
        return iter((self.item, self.amount, self.usd))
