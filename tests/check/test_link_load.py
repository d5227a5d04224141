"""Fixtures of kind `link_load`: values by direction, whatever the order of the ends."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from twin.check.link_load import LinkLoadGiven, run_link_load


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def figures(*links: dict[str, Any], routing: str = "ecmp") -> Any:
    demands = [{"from": "a", "to": "b", "gbps": 40.0}, {"from": "b", "to": "a", "gbps": 30.0}]
    given = {"nodes": ["a", "b", "c"], "links": list(links), "demands": demands, "routing": routing}
    return run_link_load(LinkLoadGiven.model_validate(given), frozenset())


@pytest.mark.parametrize(
    "link", [{"ends": ["a", "b"], "capacity_gbps": [50.0, 100.0]}, {"ends": ["b", "a"], "capacity_gbps": [100.0, 50.0]}]
)
def test_capacity_by_direction(link: dict[str, Any]) -> None:
    """40 of 50 from a to b, 30 of 100 back."""
    found = figures({"id": "x", **link})
    assert found["max_utilisation_ratio"] == pytest.approx(0.8)
    a_to_b = "x>" if link["ends"][0] == "a" else "x<"
    assert found["load_gbps"][a_to_b] == 40.0


def test_weight_by_direction() -> None:
    """From a the way over c weighs 2 against 3; back the direct link weighs 1."""
    direct = {"id": "ab", "ends": ["b", "a"], "capacity_gbps": 100.0, "weight": [1.0, 3.0]}
    others = [{"id": name, "ends": list(name), "capacity_gbps": 100.0} for name in ("ac", "cb")]
    load = figures(direct, *others)["load_gbps"]
    assert (load["ab>"], load["ab<"]) == (30.0, 0.0)
    assert (load["ac>"], load["cb>"]) == (40.0, 40.0)


@pytest.mark.parametrize("capacity", [[1.0], [1.0, 2.0, 3.0], [1.0, 0.0], 0.0])
def test_a_bad_pair_of_values_is_refused(capacity: Any) -> None:
    with pytest.raises(ValidationError):
        figures({"id": "x", "ends": ["a", "b"], "capacity_gbps": capacity})
