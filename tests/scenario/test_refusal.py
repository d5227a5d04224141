"""Changes to networks that have faults: what lessens a fault is accepted, what makes or worsens one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from twin.errors import ChangeError
from twin.loading import from_document
from twin.network import Network

BAD, GOOD = "800G-DR8", "400G-DR4"
"""A transceiver that does not fit ports of `leaf-25.6T`, and one that does."""


def leaves(*parts: str, **more: Any) -> Network:
    """Two leaves with one link for each transceiver."""
    nodes = [{"id": name, "kind": "leaf", "part": "leaf-25.6T"} for name in "ab"]
    links = [{"id": f"l{i}", "ends": ["a", "b"], "transceiver": part, **more} for i, part in enumerate(parts)]
    return from_document({"nodes": nodes, "links": links})


def line(n_parallel: int, mux: str, length_km: float = 80.0, **more: Any) -> Network:
    nodes = [{"id": name, "kind": "border"} for name in "ab"]
    spans = [{"length_km": length_km, "amplifier": "EDFA"}, {"length_km": 10.0}]
    link = {"id": "l", "ends": ["a", "b"], "transceiver": "OpenZR+-400G", "spans": spans, "n_parallel": n_parallel}
    return from_document({"nodes": nodes, "links": [link | {"mux": mux} | more]})


def set_part(link: str, part: str) -> dict[str, Any]:
    return {"kind": "set_transceivers", "links": link, "part": part}


def set_channels(link: str, n_parallel: int, **more: Any) -> dict[str, Any]:
    return {"kind": "set_channels", "links": link, "n_parallel": n_parallel, **more}


@pytest.mark.parametrize("bad", ["l0", "l1"])
@pytest.mark.parametrize(
    "spread",
    [
        lambda bad: [set_part(bad, GOOD), set_part("l2", BAD)],
        lambda bad: [
            {"kind": "remove_links", "links": bad},
            {"kind": "add_link", "link": {"id": "l9", "ends": ["a", "b"], "transceiver": BAD}},
        ],
        lambda bad: [set_channels(bad, 3)],
        lambda bad: [set_part(bad, "800ZR")],
    ],
    ids=["to a link that was good", "to a new link", "to more members", "to another such part"],
)
def test_a_misfit_does_not_spread_whichever_link_has_it(spread: Any, bad: str) -> None:
    with pytest.raises(ChangeError, match=r"wrong lane|too fast|wrong cage"):
        leaves(BAD, BAD, GOOD, n_parallel=2).preview(spread(bad))


@pytest.mark.parametrize("link", ["l0", "l1"])
@pytest.mark.parametrize(
    "change",
    [
        lambda link: set_part(link, GOOD),
        lambda link: set_channels(link, 1),
        lambda link: {"kind": "remove_links", "links": link},
        lambda _: set_channels("l2", 3),
    ],
    ids=["another part", "fewer members", "removed", "beside it"],
)
def test_fewer_misfits_are_accepted_whichever_link_has_them(change: Any, link: str) -> None:
    leaves(BAD, BAD, GOOD, n_parallel=2).preview(change(link))


def test_a_warning_of_misfits_says_of_how_many_links() -> None:
    found = [row for row in leaves(GOOD, BAD, BAD, BAD).warnings if row.rule == "lane_gbps"]
    assert [(row.where, row.n_records) for row in found] == [("links[l1]", 3)]
    assert str(found[0]).startswith("links[l1] and 2 more: wrong lane rate")


def test_warnings_hold_plain_numbers() -> None:
    for network in (leaves(BAD, n_parallel=70), line(70, "mux-8", 150.0, launch_dbm=9.0)):
        rows = [row for row in network.warnings if row.n_links == 0]
        assert rows
        assert {type(value) for row in rows for value in (row.value, row.limit)} <= {float, str}


@pytest.mark.parametrize(
    ("network", "change"),
    [
        (line(70, "mux-8"), set_channels("l", 40)),
        (line(70, "mux-8"), set_channels("l", 70, mux="mux-64")),
        (line(70, "mux-8"), set_channels("l", 70, n_fibre_pairs=2)),
        (line(60, "mux-64", launch_dbm=9.0), set_channels("l", 59)),
        (line(8, "mux-64", 150.0), set_channels("l", 7)),
        (line(8, "mux-64", 150.0), {"kind": "set_fibre", "links": "l", "fibre": "G.654.E"}),
    ],
    ids=["fewer channels", "more ports", "more pairs", "less power", "fewer on a long span", "less loss"],
)
def test_a_change_that_lessens_a_fault_is_accepted(network: Network, change: dict[str, Any]) -> None:
    assert any(row.n_links == 0 for row in network.warnings)
    network.preview(change)


@pytest.mark.parametrize(
    ("network", "change", "hint"),
    [
        (line(70, "mux-8"), set_channels("l", 71), "more pairs"),
        (line(60, "mux-64", launch_dbm=9.0), set_channels("l", 61), "less power in each"),
        (line(8, "mux-64", 150.0), set_channels("l", 9), "shorter spans, less loss in them, or an amplifier"),
    ],
    ids=["band", "power", "gain"],
)
def test_a_change_that_worsens_a_fault_is_refused_with_a_hint(
    network: Network, change: dict[str, Any], hint: str
) -> None:
    with pytest.raises(ChangeError) as refused:
        network.preview(change)
    assert hint in str(refused.value)


def test_the_power_of_all_channels_has_a_limit_in_numbers() -> None:
    (row,) = (row for row in line(60, "mux-64", launch_dbm=9.0).warnings if row.rule == "total_power_dbm")
    assert (row.value, row.limit) == (pytest.approx(26.78, abs=0.01), 25.0)


def test_a_copper_assembly_on_multimode_fibre_is_a_wrong_medium() -> None:
    network = leaves("DAC-400G", spans=[{"length_km": 0.002, "fibre": "copper-cable"}])
    with pytest.raises(ChangeError, match="wrong medium: DAC-400G does not run over OM4"):
        network.preview({"kind": "set_fibre", "links": "l0", "fibre": "OM4"})
    unstated = leaves("DAC-400G", spans=[{"length_km": 0.005}])
    (row,) = unstated.warnings[:1]
    assert (row.rule, row.problem) == ("reach_m", "too long: 5 m, and DAC-400G reaches 3 m")
