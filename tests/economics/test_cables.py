"""Fibre that several links share: it costs once, is cut once, and all its channels count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.training.cases import reader, state_of
from twin.economics.cost import bill_of_materials, purchased_items
from twin.loading import from_document
from twin.reliability.shared_risks import shared_cuts

SPAN = {"length_km": 80.0, "amplifier": "EDFA", "leased": True, "installed": "2020-01-01"}
OPTICS = {"transceiver": "OpenZR+-400G", "mux": "mux-64"}


def lightpaths(n: int, **span: Any) -> dict[str, Any]:
    nodes = [{"id": name, "kind": "switch"} for name in "ab"]
    links = [{"id": f"l{i}", "ends": ["a", "b"], "spans": [{**SPAN, **span}] * 3, **OPTICS} for i in range(n)]
    demands = [{"id": "d", "source": "a", "target": "b", "offered_gbps": 100}]
    return {"as_of": "2026-01-01", "nodes": nodes, "links": links, "demands": demands}


def bundle(n: int) -> dict[str, Any]:
    data = lightpaths(1)
    data["links"][0]["n_parallel"] = n
    return data


def test_lightpaths_on_one_cable_cost_the_fibre_and_amplifiers_of_one() -> None:
    one, shared, apart = (
        bill_of_materials(*state_of(data), reader()) for data in (bundle(8), lightpaths(8, cable="c"), lightpaths(8))
    )
    assert shared.leased_pair_miles == pytest.approx(one.leased_pair_miles)
    assert shared.n_parts["EDFA"] == one.n_parts["EDFA"] == 6
    assert apart.leased_pair_miles == pytest.approx(8 * one.leased_pair_miles)
    own = bill_of_materials(*state_of(lightpaths(8, cable="c", leased=False)), reader())
    assert own.own_fibre_km == pytest.approx(240.0)


def test_all_channels_of_a_cable_count_for_each_of_them() -> None:
    """Eight links of one channel have the margin of one link of eight channels."""
    as_one, shared, alone = (
        from_document(data).evaluate().health.margin_db for data in (bundle(8), lightpaths(8, cable="c"), lightpaths(1))
    )
    assert shared == pytest.approx(np.full(8, as_one[0]), abs=1e-12)
    assert shared[0] < alone[0]


def test_a_cable_is_cut_once() -> None:
    state, _ = state_of(lightpaths(3, cable="c"))
    (cut,) = shared_cuts(state, np.arange(3))
    assert (state.srlgs[cut.risk], cut.length_km, cut.links.tolist()) == ("c", 240.0, [0, 1, 2])
    after = from_document(lightpaths(3, cable="c")).what_if({"kind": "fail_srlg", "srlg": "c"}, main_assumptions=False)
    assert after.after["unrouted_gbps"] == 100


def test_another_lightpath_on_a_cable_buys_no_fibre() -> None:
    before, after = (state_of(lightpaths(n, cable="c", leased=False))[0] for n in (2, 3))
    pieces, new_km = purchased_items(before, after, reader())
    assert new_km == 0.0
    assert {part: n for part, n in pieces.items() if n} == {"OpenZR+-400G": 2, "mux-64": 2}
