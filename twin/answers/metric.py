"""The row of the table of metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from ..stages.evaluation import Evaluation

Better = Literal["lower", "higher"]
"""Which way a metric is better."""


class NotApplicableError(Exception):
    """Raised by a metric that does not apply to a case; its text is the `why` beside the null."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: function, better direction, name for readers, and meaning."""

    compute: Callable[[Evaluation], float]
    better: Better
    label: str
    sentence: str
    without_traffic_only: bool = False
    """True if a score computes it only for a network without job and demands; a sweep computes it for any."""

    def __post_init__(self) -> None:
        assert self.better in get_args(Better)
