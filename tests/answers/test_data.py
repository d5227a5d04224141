"""Answers as data: fields are keys in order, and metadata says where the data differs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pytest

from twin.answers.data import Answer, to_data


class TableLess(Answer):
    """An answer of which only the data is read."""

    def _table(self) -> Any:
        return ""


@dataclass(frozen=True)
class Inner:
    when: date | None
    size_km: float = field(default=1.0, metadata={"optional": True, "decimals": 2})
    reasons: dict[str, str] = field(default_factory=dict, metadata={"optional": True})


@dataclass(frozen=True)
class Outer(TableLess):
    zeta: int
    alpha: tuple[Inner, ...] = field(metadata={"alias": "0.7"})
    notes: tuple[str, ...] = field(metadata={"hidden": True})
    by_name: dict[str, Inner | None]


@dataclass(frozen=True)
class Typo:
    x: int = field(metadata={"hiden": True})


@dataclass(frozen=True, eq=False)
class Row(Mapping[str, Any]):
    b: int
    a: int

    def __getitem__(self, key: str) -> Any:
        raise AssertionError("a dataclass is read by its fields")

    def __iter__(self) -> Iterator[str]:
        return iter("ab")

    def __len__(self) -> int:
        return 2


DAY = Inner(date(2026, 1, 2), 0.12345, {"before": "no job"})
ANSWER = Outer(1, (Inner(None), DAY), ("seen by people only",), {"b": None, "a": Inner(None, 2.0)})


def test_fields_are_keys_in_their_order_and_metadata_is_obeyed() -> None:
    plain = {"when": None}
    shown = {"when": "2026-01-02", "size_km": 0.12, "reasons": {"before": "no job"}}
    want = {"zeta": 1, "0.7": [plain, shown], "by_name": {"b": None, "a": {"when": None, "size_km": 2.0}}}
    assert json.dumps(ANSWER.to_dict()) == json.dumps(want)


def test_json_text_is_the_data_with_a_newline_and_no_nan() -> None:
    assert ANSWER.to_json() == json.dumps(ANSWER.to_dict(), indent=1) + "\n"
    assert "\n" not in ANSWER.to_json(None)[:-1]
    with pytest.raises(ValueError, match="JSON compliant"):
        Outer(1, (Inner(None, float("nan")),), (), {}).to_json()


@pytest.mark.parametrize("indent", [None, 0, 1, 3])
def test_json_text_is_that_of_json_dumps(indent: int | None) -> None:
    inner = Inner(date(2026, 1, 2), np.float64(1 / 3), {'\n\u2028é\x1f"\\': "ü\t"})
    odd = Outer(True, (), ("hidden",), {"": None, "x": inner, "y": inner, "z": Inner(None, -0.0)})
    numbers: Any = {"n": [10**20, -1, 1e16, 1e-7, True, None, np.float64(0.1)], "rows": (), "map": {}, "row": Row(1, 2)}
    for answer in (ANSWER, odd, Outer(1, (inner, inner), (), numbers)):
        expected = json.dumps(answer.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)
        assert answer.to_json(indent) == expected + "\n"
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="not JSON compliant"):
            Outer(1, (Inner(None, bad),), (), {}).to_json(indent)


def test_a_dataclass_that_is_also_a_mapping_is_read_by_its_fields() -> None:
    assert list(to_data(Row(b=1, a=2)).items()) == [("b", 1), ("a", 2)]


def test_metadata_that_means_nothing_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"Typo\.x"):
        to_data(Typo(1))
