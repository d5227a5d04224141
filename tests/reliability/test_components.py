"""Independent components of a network: modes by hand, names, and what each mode leaves of links."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.training.cases import reader, state_of
from twin.errors import CatalogueError
from twin.reliability.components import Components, DownComponent, components_of
from twin.reliability.rates import HOURS_PER_YEAR

CUT_REPAIR_H = 9 * math.exp(0.765**2 / 2)
INDOOR = 0.00057 / 730 * 4 / (1 + 0.00057 / 730 * 4)
SWITCH = 0.00051 * 12 / HOURS_PER_YEAR * 6 / (1 + 0.00051 * 12 / HOURS_PER_YEAR * 6)


def network() -> dict[str, Any]:
    """A host on two links of a leaf, a spine, a bundle of three, and two links in one duct of 20 and 30 km."""
    return {
        "as_of": "2026-01-01",
        "nodes": [{"id": "h", "kind": "host"}, *({"id": name, "kind": "leaf"} for name in ("l", "s", "t"))],
        "links": [
            {"id": "bundle", "ends": ["l", "s"], "n_parallel": 3, "capacity_gbps": 100},
            {"id": "duct-a", "ends": ["s", "t"], "transceiver": "400ZR", "spans": [{"length_km": 20, "srlgs": ["d"]}]},
            {"id": "duct-b", "ends": ["s", "t"], "transceiver": "400ZR", "spans": [{"length_km": 30, "srlgs": ["d"]}]},
            {"id": "up", "ends": ["h", "l"], "capacity_gbps": 100},
        ],
    }


@pytest.fixture(scope="module")
def found() -> Components:
    state = state_of(network())[0]
    return components_of(state, reader(), np.arange(4))


def test_modes_of_each_component(found: Components) -> None:
    """Links bundle, duct-a, duct-b, up; the duct; the switches l, s, t. The bundle has three modes."""
    assert found.n == 8
    assert np.diff(found.mode_first).tolist() == [3, 1, 1, 1, 1, 1, 1, 1]
    u = INDOOR
    expected = [3 * u * (1 - u) ** 2, 3 * u**2 * (1 - u), u**3]
    assert found.probability_ratio[:3] == pytest.approx(expected, rel=1e-12)
    assert found.kept_ratio[:3] == pytest.approx([2 / 3, 1 / 3, 0.0])
    assert found.n_repairs_per_h[:3] == pytest.approx([1 / 4, 2 / 4, 3 / 4])
    transceivers = 2 * 2236e-9
    own_b = transceivers + 0.003 * 10 / HOURS_PER_YEAR
    load_b = transceivers * 4 + 0.003 * 10 / HOURS_PER_YEAR * CUT_REPAIR_H
    line_b = 0.003 * 10 / HOURS_PER_YEAR * CUT_REPAIR_H
    down_b = 1 - 1 / (1 + line_b) / (1 + transceivers * 4)
    assert found.probability_ratio[4] == pytest.approx(down_b, rel=1e-12)
    assert found.n_repairs_per_h[4] == pytest.approx(own_b / load_b, rel=1e-3)
    cut = 0.003 * 20 / HOURS_PER_YEAR * CUT_REPAIR_H
    assert found.probability_ratio[6] == pytest.approx(cut / (1 + cut))
    assert found.probability_ratio[7:] == pytest.approx([SWITCH] * 3)
    assert found.gone_ratio[0] == found.probability_ratio[2]
    assert found.down_ratio[0] == pytest.approx(1 - (1 - u) ** 3, rel=1e-9)
    assert found.always_up == {"no figure states how long a host is down": 1}


def test_names_of_modes(found: Components) -> None:
    names = [found.name(mode) for mode in range(len(found.probability_ratio))]
    assert names[:3] == [("bundle", "members", 1), ("bundle", "members", 2), ("bundle", "link", None)]
    assert names[6:8] == [DownComponent("d", "srlg", None), DownComponent("l", "node", None)]


def test_what_is_left_of_links(found: Components) -> None:
    assert found.kept_of_links(np.array([0])).tolist() == pytest.approx([2 / 3, 1, 1, 1])
    assert found.kept_of_links(np.array([1, 6])).tolist() == pytest.approx([1 / 3, 0, 0, 1])
    assert found.kept_of_links(np.array([1, 7])).tolist() == [0, 1, 1, 0]
    assert found.kept_of_links(np.zeros(0, np.int64)).tolist() == [1, 1, 1, 1]


def test_components_that_links_depend_on(found: Components) -> None:
    """duct-a: itself, the duct, the switches s and t; up: itself and l, since the host never fails here."""
    assert found.used_by(np.array([False, True, False, False])).tolist() == [1, 4, 6, 7]
    assert found.used_by(np.array([False, False, False, True])).tolist() == [3, 5]


def test_negative_figures_are_refused() -> None:
    state = state_of(network())[0]
    figures = reader()
    figures.general("n_link_failures_per_month")
    used = figures.used["general", "n_link_failures_per_month"]
    with pytest.raises(CatalogueError, match="n_link_failures_per_month is -1"):
        components_of(state, figures.with_figures({(used.where, used.name): used.at(-1.0)}), np.arange(4))
