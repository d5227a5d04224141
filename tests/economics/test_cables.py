"""Fibre that several links share: it costs once, is cut once, and all its channels count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.training.cases import reader, state_of
from twin.economics.cost import bill_of_materials, purchased_items
from twin.errors import ChangeError, TopologyError
from twin.loading import from_document
from twin.reliability.shared_risks import shared_cuts
from twin.scenario.apply import apply_changes, baseline, parse_changes

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


CHANGES = [
    ({"kind": "set_fibre", "fibre": "G.654.E", "n_splices": 3}, ("span_fibre", "span_age_years", "span_n_splices")),
    ({"kind": "cut_fibre", "n_cuts": 5}, ("span_n_splices",)),
    ({"kind": "age", "years": 3}, ("span_age_years", "span_amplifier_age_years")),
]


def state_after(network: Any, *changes: dict[str, Any]) -> Any:
    origin = baseline(network, None)
    return apply_changes(origin, parse_changes(changes), reader()).case.state


def two_kinds(turned: bool) -> dict[str, Any]:
    """Two lightpaths on a cable of two stretches, and a third link elsewhere; the second may read it from its end."""
    data = lightpaths(3, cable="c")
    stretches = [{**SPAN, "cable": "c"}, {**SPAN, "cable": "c", "length_km": 60.0}]
    data["links"][0]["spans"] = stretches
    data["links"][1]["spans"] = stretches[::-1] if turned else stretches
    data["links"][2]["spans"] = [SPAN]
    return data


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("change", "columns"), CHANGES, ids=[row[0]["kind"] for row in CHANGES])
def test_a_change_of_a_cable_is_the_same_by_each_of_its_links(
    change: dict[str, Any], columns: tuple[str, ...], turned: bool
) -> None:
    network = from_document(two_kinds(turned))
    before = state_after(network)
    changed = [state_after(network, {**change, "links": links}) for links in ("l0", "l1", ["l0", "l1"])]
    for column in columns:
        first = changed[0][column]
        assert (first[:4] != before[column][:4]).any()
        np.testing.assert_array_equal(first[:2], first[2:4][::-1] if turned else first[2:4])
        np.testing.assert_array_equal(first[4:], before[column][4:])
        for state in changed[1:]:
            np.testing.assert_array_equal(first, state[column])


def test_the_preview_shows_all_links_whose_fibre_changes() -> None:
    shown = from_document(two_kinds(False)).preview({"kind": "cut_fibre", "links": "l1"}).changes
    assert [(row.record, row.n, row.examples) for row in shown] == [("span", 2, ("l0 span 0", "l1 span 0"))]


def test_a_received_power_of_another_link_falls_with_a_cut_of_its_cable() -> None:
    data = lightpaths(2, cable="c")
    for link in data["links"]:
        link |= {"spans": [{"length_km": 40.0, "cable": "c"}], "measured_received_dbm": -9.0, "measured": "2025-12-01"}
    network = from_document(data)
    cut = state_after(network, {"kind": "cut_fibre", "links": "l0", "n_cuts": 2})["link_measured_received_dbm"]
    assert cut[0] == cut[1] < -9.0
    older = state_after(network, {"kind": "age", "links": "l0", "years": 2})["link_measured_years"]
    assert older[0] == older[1] > 2.0


def test_a_length_that_is_varied_is_that_of_the_cable() -> None:
    network = from_document(two_kinds(False))
    one, other = (network.sweep(f"links.{link}.length_km=140,280", metric="worst_rtt_us") for link in ("l0", "l1"))
    assert one.values == other.values
    data = two_kinds(False)
    data["links"][1]["spans"] = [*data["links"][1]["spans"], SPAN]
    with pytest.raises(ChangeError, match="need different lengths of cable 'c'"):
        from_document(data).sweep("links.*.length_km=300", metric="worst_rtt_us")


@pytest.mark.parametrize("ids", [("x", "y"), ("y", "x")])
def test_no_cost_depends_on_the_ids_of_links_on_a_cable(ids: tuple[str, str]) -> None:
    data = lightpaths(2, cable="c", leased=False)
    data["links"][1]["spans"][2] = {**data["links"][1]["spans"][2], "amplifier": "EDFA-variable-35"}
    for link, name in zip(data["links"], ids, strict=True):
        link["id"] = name
    bill = bill_of_materials(*state_of(data), reader())
    assert {part: n for part, n in bill.n_parts.items() if part.startswith("EDFA")} == {"EDFA": 6}


def test_a_link_that_replaces_another_on_its_cable_buys_no_fibre() -> None:
    data = lightpaths(1, cable="c", leased=False)
    link = {**data["links"][0], "id": "new"}
    changes = [{"kind": "remove_links", "links": "l0"}, {"kind": "add_link", "link": link}]
    before, after = state_after(from_document(data)), state_after(from_document(data), *changes)
    pieces, new_km = purchased_items(before, after, reader())
    assert (pieces.get("EDFA", 0), new_km) == (0, 0.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("length_km", 81.0),
        ("fibre", "G.654.E"),
        ("leased", False),
        ("installed", "2021-01-01"),
        ("installed", None),
        ("n_splices", 2),
    ],
)
def test_links_that_contradict_each_other_about_a_cable_are_refused(field: str, value: Any) -> None:
    data = lightpaths(2, cable="c")
    data["links"][1]["spans"] = [*[{**SPAN, "cable": "c"}] * 2, {**SPAN, "cable": "c", field: value}]
    with pytest.raises(TopologyError, match=rf"links\[l1\]\.spans\[[02]\]\.{field}: is .*'l0' on cable 'c'"):
        from_document(data).score()
    link = data["links"].pop()
    with pytest.raises(ChangeError, match="on cable 'c'"):
        from_document(data).what_if({"kind": "add_link", "link": link})


def test_links_run_over_a_whole_cable() -> None:
    data = lightpaths(2, cable="c")
    data["links"][1]["spans"] = data["links"][1]["spans"][:2]
    with pytest.raises(TopologyError, match=r"links\[l1\]\.spans: 2 spans of cable 'c', but 3 in link 'l0'"):
        from_document(data).score()


def with_channels(*n_parallel: int, **more: Any) -> dict[str, Any]:
    data = lightpaths(len(n_parallel), cable="c")
    for link, n in zip(data["links"], n_parallel, strict=True):
        link |= {"n_parallel": n, **more}
    return data


def test_links_on_a_cable_share_the_band_of_its_pairs() -> None:
    def band(data: dict[str, Any]) -> list[tuple[str, float, float]]:
        return [(row.rule, row.value, row.limit) for row in from_document(data).warnings if row.n_links == 0]

    assert band(with_channels(50, 14)) == []
    assert band(with_channels(50, 15)) == [("c_band_thz", 65.0, 64.0)]
    assert band(with_channels(50, 78, n_fibre_pairs=2)) == []
    grey = {"transceiver": "400G-LR4", "mux": None}
    alone = [("n_fibre_pairs", 2.0, 1.0)]
    assert [row for row in band(with_channels(1, 1, **grey)) if row[0] == "n_fibre_pairs"] == alone


@pytest.mark.parametrize("link", ["l0", "l1"])
def test_a_band_of_a_cable_is_refused_by_each_link_alike(link: str) -> None:
    network = from_document(with_channels(40, 40))

    def channels(n: int) -> dict[str, Any]:
        return {"kind": "set_channels", "links": link, "n_parallel": n}

    with pytest.raises(ChangeError, match="81 channels of 75 GHz; room for 64 on 1 fibre pair of cable 'c'"):
        network.preview(channels(41))
    network.preview(channels(39))
    network.preview({"kind": "set_transceivers", "links": link, "part": "OpenZR+-400G"})


def test_channels_of_a_cable_are_spread_over_its_pairs() -> None:
    assert state_of(with_channels(*[1] * 8, n_fibre_pairs=2))[0]["link_n_channels"].tolist() == [4] * 8
    assert state_of(with_channels(3, 5))[0]["link_n_channels"].tolist() == [8, 8]
