"""Parameters of demand generators: bounds, and which amounts may be stated together."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from twin.traffic.traffic_params import AMOUNTS, AllToAll, Gravity, Hose, Incast, Matrix, Permutation, TrafficParams

CSV = "source,target,gbps\na,b,1\n"
BOUNDS: dict[str, tuple[type[TrafficParams], str, list[Any], list[Any]]] = {
    "total": (AllToAll, "total_gbps", [0.0, 0.5, 1e9], [-0.1, 1.1e9, float("inf")]),
    "per node": (AllToAll, "gbps_per_node", [0.0, 1e9], [-0.1, 1.1e9]),
    "peak": (AllToAll, "peak_utilisation_ratio", [0.001, 1000.0], [0.0, -1.0, 1000.5]),
}


def accepts(kind: type[TrafficParams], **fields: Any) -> bool:
    try:
        kind(**fields)
    except ValidationError:
        return False
    return True


def needed(kind: type[TrafficParams]) -> dict[str, Any]:
    """Fields that a kind needs beside the amount."""
    return {"target": "a"} if kind is Incast else {}


@pytest.mark.parametrize("name", BOUNDS)
def test_amounts_have_bounds(name: str) -> None:
    kind, field, good, bad = BOUNDS[name]
    assert [accepts(kind, **{field: value}) for value in good] == [True] * len(good)
    assert [accepts(kind, **{field: value}) for value in bad] == [False] * len(bad)


@pytest.mark.parametrize("kind", [Permutation, Hose, Incast])
def test_a_seed_is_one_of_32_bits_and_0_unless_stated(kind: type[TrafficParams]) -> None:
    found = [accepts(kind, total_gbps=1.0, seed=seed, **needed(kind)) for seed in (-1, 0, 2**32 - 1, 2**32)]
    assert found == [False, True, True, False]
    assert kind(total_gbps=1.0, **needed(kind)).seed == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("first", AMOUNTS)
@pytest.mark.parametrize("second", AMOUNTS)
def test_one_amount_and_no_second(first: str, second: str) -> None:
    assert accepts(AllToAll, **dict.fromkeys((first, second), 1.0)) == (first == second)


@pytest.mark.parametrize("kind", [AllToAll, Permutation, Gravity, Hose, Incast])
def test_an_amount_is_needed(kind: type[TrafficParams]) -> None:
    assert not accepts(kind, **needed(kind))
    assert accepts(kind, total_gbps=0.0, **needed(kind)), "0 is stated"


def test_what_has_amounts_of_its_own_needs_none_and_may_be_scaled() -> None:
    totals = {"a": 1.0, "b": 2.0}
    for amount in ({}, {"total_gbps": 5.0}):
        assert accepts(Gravity, totals_gbps=totals, **amount)
        assert accepts(Matrix, csv=CSV, **amount)
    assert not accepts(Gravity, totals_gbps=totals, nodes="*")
    assert accepts(Gravity, nodes="*", total_gbps=5.0)


def test_counts_have_bounds() -> None:
    assert [accepts(Incast, target="a", total_gbps=1.0, n_sources=n) for n in (0, 1, 1_000_000, 1_000_001)] == [
        False,
        True,
        True,
        False,
    ]
    totals = {f"n{i}": 1.0 for i in range(10_001)}
    assert not accepts(Gravity, totals_gbps=totals)
    assert accepts(Gravity, totals_gbps=dict(list(totals.items())[:10_000]))
    assert not accepts(Gravity, totals_gbps={"n0": 1.0})
    assert accepts(Gravity, totals_gbps={"n0": 1.0, "n1": 1.0})
    assert not accepts(Matrix, csv="")
    assert Matrix.model_json_schema()["properties"]["csv"]["maxLength"] == 64_000_000


def test_limits_of_a_hose_are_equal_unless_stated() -> None:
    assert not Hose(total_gbps=1.0).by_ports


def test_parameters_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        AllToAll(total_gbps=1.0).total_gbps = 2.0
