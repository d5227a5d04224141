"""Every mode of load balancing: a sentence, a fixture, a page, and a sound distribution."""

from __future__ import annotations

import json
import re
from typing import get_args

import numpy as np
import pytest

from tests.contracts.product import ROOT
from tests.traffic.fabrics import leaf_spine, permutation, routes_of, shift, three_tiers
from twin.model.records import BalancingName
from twin.traffic.balancing_modes import MODES, Flows
from twin.traffic.hash_groups import HashedRoutes

FABRICS = {
    "two tiers": (leaf_spine(3, 4, 4), "permutation"),
    "three tiers": (three_tiers(2, 2, 3, 2, 2), "permutation"),
    "uneven": (leaf_spine(3, 4, 4, drop=2), "permutation"),
    "within leaves": (leaf_spine(2, 4, 2), "inside"),
}


def routes(name: str) -> HashedRoutes:
    fabric, pattern = FABRICS[name]
    return routes_of(fabric, permutation(fabric, 4) if pattern == "permutation" else [(0, 1), (4, 5)])


def test_the_table_has_every_name() -> None:
    assert set(MODES) == set(get_args(BalancingName))


@pytest.mark.parametrize("mode", MODES)
def test_its_row_says_what_it_is(mode: BalancingName) -> None:
    assert MODES[mode].sentence.endswith(".")
    assert MODES[mode].times.__doc__


@pytest.mark.parametrize("mode", MODES)
def test_a_fixture_has_cases_of_it(mode: BalancingName) -> None:
    found = [
        case
        for name in ("hash_collisions.json", "hash_collisions_loose.json")
        for case in json.loads((ROOT / "fixtures" / name).read_text(encoding="utf-8"))["cases"]
        if case["given"]["mode"] == mode
    ]
    assert found


@pytest.mark.parametrize("mode", MODES)
def test_the_page_of_the_model_names_it(mode: BalancingName) -> None:
    page = (ROOT / "docs" / "explanation" / "load-balancing.md").read_text(encoding="utf-8")
    assert re.search(rf"`{mode}`", page)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fabric", FABRICS)
@pytest.mark.parametrize("flows", [Flows(1), Flows(8, 4), Flows(1_000_000, 3)])
def test_its_times_are_a_distribution(mode: BalancingName, fabric: str, flows: Flows) -> None:
    times = MODES[mode].times(routes(fabric), flows)
    assert times.even_s > 0
    assert (times.time_s >= times.even_s * (1.0 - 1e-9)).all()
    assert (np.diff(times.time_s) > 0).all()
    assert (np.diff(times.ended_ratio) >= 0).all()
    assert times.ended_ratio[-1] == 1.0
    assert 0.0 < times.efficiency_ratio(0.1) <= times.efficiency_ratio(0.9) <= 1.0 + 1e-9


@pytest.mark.parametrize("mode", MODES)
def test_the_number_of_flows_matters_only_if_the_row_says_so(mode: BalancingName) -> None:
    fabric = leaf_spine(3, 4, 3)
    found = {MODES[mode].times(routes_of(fabric, shift(fabric, 4)), Flows(n)).mean_efficiency_ratio for n in (1, 7, 64)}
    assert (len(found) > 1) == MODES[mode].is_hashed
