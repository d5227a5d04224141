"""Failures between sites: cut off or around, ridden through, stalled or aborted; against networkx."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.samples import shipped, shuffled
from tests.training.cases import general, reader, state_of
from twin.arrays import Ints, State
from twin.catalogue import Catalogue, catalogue, load_price_book
from twin.catalogue.figure_reader import FigureReader
from twin.reliability.link_failures import link_failures
from twin.reliability.outages import (
    JobSite,
    Outage,
    Outages,
    build_site_graph,
    failing_nodes,
    links_between,
    no_outages,
    site_outages,
)
from twin.reliability.site_cuts import SiteGraph, site_graph

CUT_H = 9 * math.exp(0.765**2 / 2)


def site(name: str, n_borders: int = 2) -> tuple[list[Any], list[Any]]:
    """Two racks on a leaf, and border routers on it that are not joined but over the leaf."""
    nodes = [{"id": f"{name}-rack{i}", "kind": "rack", "site": name, "accelerator": "H100", "n_accelerators": 8}
             for i in (1, 2)]  # fmt: skip
    nodes += [{"id": f"{name}-leaf", "kind": "leaf", "site": name}]
    links = [{"id": f"{name}-cable{i}", "ends": [f"{name}-rack{i}", f"{name}-leaf"], "n_parallel": 8} for i in (1, 2)]
    for i in range(1, n_borders + 1):
        nodes.append({"id": f"{name}{i}", "kind": "border", "site": name})
        links.append({"id": f"{name}{i}-up", "ends": [f"{name}-leaf", f"{name}{i}"], "n_parallel": 4})
    return nodes, links


def wan(name: str, ends: tuple[str, str], *spans: Any, **more: Any) -> dict[str, Any]:
    listed = [{"length_km": span[0], "srlgs": list(span[1:])} for span in spans]
    return {"id": name, "ends": list(ends), "transceiver": "400ZR", "n_parallel": 8, "spans": listed, **more}


def network(*links: dict[str, Any], sites: str = "abc", **more: Any) -> dict[str, Any]:
    nodes, inside = [], []
    for name in sites:
        found = site(name)
        nodes += found[0]
        inside += found[1]
    nodes += more.pop("nodes", [])
    return {
        "as_of": "2026-01-01",
        "sites": [{"id": name} for name in "abct"],
        "nodes": nodes,
        "links": [*inside, *links, *more.pop("links", [])],
    }


EQUAL = (1 / 3, 1 / 3, 1 / 3)


def sites_of(state: State) -> list[JobSite]:
    arrays = state.arrays
    held = state["node_n_accelerators"] > 0
    return [
        JobSite(name, np.flatnonzero(held & (arrays.node_site == code)))
        for code, name in enumerate(arrays.sites)
        if (held & (arrays.node_site == code)).any()
    ]


def used_links(state: State, sites: list[JobSite]) -> Ints:
    """As if a job's exchange used every arc."""
    return links_between(state, [s.id for s in sites], np.arange(2 * state.arrays.n_links))


def outages(data: dict[str, Any], shares: dict[str, float] | None = None, asked: FigureReader | None = None) -> Outages:
    state = state_of(data)[0]
    sites = sites_of(state)
    links = used_links(state, sites)
    graph = build_site_graph(state, state.in_service, sites, links)
    share_ratio = [(shares or {}).get(site.id, 1 / 3) for site in sites]
    return site_outages(state, asked or reader(), graph, share_ratio, links)


def named(found: Outages) -> dict[tuple[str, str], Outage]:
    """Rows by element and name; of several of one name the one that costs most."""
    return {(row.element, name): row for row in reversed(found.rows()) for name in row.names}


TRIANGLE = (
    wan("ab", ("a1", "b1"), (18, "duct"), (5,)),
    wan("ac", ("a2", "c1"), (18, "duct"), (7,)),
    wan("bc", ("b2", "c2"), (1, "own")),
)


# --- by hand -------------------------------------------------------------------------------------------------------


def test_two_links_in_one_duct_fail_together_and_cut_their_site_off() -> None:
    """0.003 x 18 = 0.054 cuts a year take both of a's links for 12.06 h; the 5 and 7 km of its own leave the other."""
    found = named(outages(network(*TRIANGLE)))
    duct = found["risk", "duct"]
    assert (duct.outage_class, duct.lost_sites) == ("abort", ("a",))
    assert duct.n_per_year == pytest.approx(0.054)
    assert duct.repair_h * 3600 == duct.pause_s == pytest.approx(CUT_H * 3600)
    for name, km in (("ab", 5), ("ac", 7)):
        own = found["link", name]
        assert own.n_per_year == pytest.approx(0.003 * km)
        assert (own.outage_class, own.lost_sites, own.pause_s) == ("stall", (), general("convergence_s"))
    assert found["risk", "own"].lost_sites == (), "b and c still meet over a"


def test_a_second_diverse_route_turns_a_cut_off_into_a_reroute() -> None:
    diverse = wan("ab-diverse", ("a2", "b2"), (34, "west"))
    found = named(outages(network(*TRIANGLE, diverse)))
    assert found["risk", "duct"].lost_sites == found["risk", "west"].lost_sites == ()
    assert {row.outage_class for row in found.values()} == {"stall"}
    same_duct = named(outages(network(*TRIANGLE, wan("ab-again", ("a2", "b2"), (34, "duct")))))
    assert same_duct["risk", "duct"].lost_sites == ("a",), "another route in the same duct is none"


def test_members_one_by_one_leave_the_others_and_the_only_one_is_the_link() -> None:
    """Eight members of two transceivers: 8 x 2 x 2236e-9 x 8766 = 0.3136 a year, four hours each."""
    links = [TRIANGLE[0], wan("ac", ("a2", "c1"), (25, "duct"), n_parallel=1), TRIANGLE[2]]
    found = named(outages(network(*links)))
    assert found["members", "ab"].n_per_year == pytest.approx(8 * 2 * 2236e-9 * 8766)
    assert (found["members", "ab"].repair_h, found["members", "ab"].outage_class) == (4.0, "stall")
    assert ("members", "ac") not in found
    assert found["link", "ac"].n_per_year == pytest.approx(2 * 2236e-9 * 8766)
    alone = named(
        outages(network(wan("ab", ("a1", "b1"), (23, "duct"), n_parallel=1), sites="ab"), {"a": 0.4, "b": 0.6})
    )
    assert alone["link", "ab"].lost_sites == ("a",)
    assert (alone["link", "ab"].repair_h, alone["link", "ab"].pause_s) == (4.0, 4 * 3600.0)


def test_members_that_failed_already_are_no_spare() -> None:
    data = network(wan("ab", ("a1", "b1"), (23, "duct"), n_failed=7), sites="ab")
    assert named(outages(data, {"a": 0.4, "b": 0.6}))["link", "ab"].lost_sites == ("a",)


def test_a_router_takes_its_links_with_it() -> None:
    """0.00051 a month is 0.00612 a year. All of a's links on one router, and that is a's end; on two it is not."""
    both = [wan("ab", ("a1", "b1"), (23,)), wan("ac", ("a1", "c1"), (25,)), TRIANGLE[2]]
    found = named(outages(network(*both)))
    assert found["node", "a1"].lost_sites == ("a",)
    assert found["node", "a1"].n_per_year == pytest.approx(0.00612)
    assert found["node", "a1"].repair_h == general("switch_repair_h")
    assert found["node", "b1"].lost_sites == ()
    assert all(row.lost_sites == () for key, row in named(outages(network(*TRIANGLE))).items() if key[0] == "node")


def test_borders_that_are_not_joined_inside_are_no_way_through() -> None:
    """b's routers hang on two leaves of their own; without a way between them b is no detour from a to c."""
    data = network(*TRIANGLE)
    split = [link for link in data["links"] if link["id"] not in ("b1-up", "b2-up")]
    nodes = [*data["nodes"], {"id": "b-leaf2", "kind": "leaf", "site": "b"}]
    rack = [{"id": "b-cable3", "ends": ["b-rack1", "b-leaf2"]}, {"id": "b-cable4", "ends": ["b-rack2", "b-leaf2"]}]
    ups = [{"id": "b1-up", "ends": ["b-leaf", "b1"]}, {"id": "b2-up", "ends": ["b-leaf2", "b2"]}]
    dual_homed = data | {"nodes": nodes, "links": [*split, *rack, *ups]}
    assert named(outages(dual_homed))["link", "ac"].lost_sites == ("c",), "racks on both leaves forward nothing"
    assert named(outages(dual_homed))["link", "ab"].lost_sites == (), "a reaches b over c, whose routers are joined"
    forwarding = [node | ({"forwards": True} if node["kind"] == "rack" else {}) for node in nodes]
    assert named(outages(dual_homed | {"nodes": forwarding}))["link", "ac"].lost_sites == ()
    apart = [rack[0], *ups]
    links = [link for link in split if link["id"] != "b-cable1"] + apart
    found = named(outages(data | {"nodes": nodes, "links": links}))
    assert found["link", "ac"].lost_sites == ("b", "c"), "half of b is with a, half with c"


def test_protection_turns_cuts_into_what_is_ridden_through() -> None:
    """The other path takes over in 50 ms: no stall. What both paths share still cuts off."""
    both = [{"length_km": 18, "srlgs": ["duct"]}, {"length_km": 5, "srlgs": ["east"]}]
    other = [{"length_km": 34, "srlgs": ["west"], "standby": True}]
    bare = wan("ab", ("a1", "b1")) | {"spans": both}
    safe = bare | {"spans": [*both, *other], "protection": "optical-protection"}
    before, after = (named(outages(network(link, sites="ab"))) for link in (bare, safe))
    assert before["risk", "duct"].outage_class == before["risk", "east"].outage_class == "abort"
    assert not [key for key in after if key[0] == "risk"]
    switch = after["protection", "ab"]
    assert (switch.outage_class, switch.lost_sites, switch.pause_s) == ("ride_through", (), 0.05)
    assert switch.n_per_year == pytest.approx(0.003 * 23)
    at_once = after["link", "ab"]
    assert at_once.n_per_year == pytest.approx(0.069 * 0.102 * 2 * CUT_H / 8766, rel=1e-3)
    assert (at_once.outage_class, len(at_once.lost_sites)) == ("abort", 1)
    shared = safe | {"spans": [*both, {"length_km": 34, "srlgs": ["duct"], "standby": True}]}
    found = named(outages(network(shared, sites="ab")))
    assert found["risk", "duct"].n_per_year == pytest.approx(0.054)
    assert found["protection", "ab"].n_per_year == pytest.approx(0.015)


def test_the_larger_part_of_the_work_goes_on() -> None:
    for share_of_a, lost in ((0.2, ("a",)), (0.6, ("b", "c"))):
        shares = {"a": share_of_a, "b": (1 - share_of_a) / 2, "c": (1 - share_of_a) / 2}
        assert named(outages(network(*TRIANGLE), shares))["risk", "duct"].lost_sites == lost


def test_a_link_that_is_not_used_fails_for_nobody_but_may_be_the_way_around() -> None:
    state = state_of(network(*TRIANGLE))[0]
    sites = sites_of(state)
    bc = state.arrays.link_index["bc"]
    links = np.array([row for row in used_links(state, sites) if row != bc])
    graph = build_site_graph(state, state.in_service, sites, links)
    found = named(site_outages(state, reader(), graph, EQUAL, links))
    assert not [key for key in found if key[1] in ("bc", "own")]
    assert found["link", "ab"].lost_sites == ()
    dark = state.in_service & (np.arange(state.arrays.n_links) != bc)
    found = named(site_outages(state, reader(), build_site_graph(state, dark, sites, links), EQUAL, links))
    assert found["link", "ab"].lost_sites == ("b",), "without bc the way around is gone"


def test_a_transit_router_outside_the_sites_counts() -> None:
    transit = {"nodes": [{"id": "t", "kind": "switch"}]}
    links = [wan("at", ("a1", "t"), (10,)), wan("tb", ("t", "b1"), (10,))]
    found = named(outages(network(*links, sites="ab", **transit)))
    assert len(found["node", "t"].lost_sites) == 1
    state = state_of(network(*links, sites="ab", **transit))[0]
    assert [state.arrays.link_ids[row] for row in used_links(state, sites_of(state))] == [
        "a1-up", "a2-up", "at", "b1-up", "b2-up", "tb",
    ]  # fmt: skip
    nodes = failing_nodes(state, ["a", "b"], used_links(state, sites_of(state)))
    assert [state.arrays.node_ids[row] for row in nodes] == ["a1", "a2", "b1", "b2", "t"]


def test_the_story_s_first_campus_hangs_on_one_duct() -> None:
    """Both routes from campus 1 lie 18 km in `duct-shared`; the planned diverse route lies elsewhere."""
    data = shipped("memphis-small")
    as_is = outages(data)
    assert {(row.element, row.names): row.lost_sites for row in as_is.rows() if row.lost_sites} == {
        ("risk", ("duct-shared",)): ("c1",)
    }
    (change,) = next(plan for plan in data["plans"] if plan["id"] == "new-diverse-route")["changes"]
    assert not [row for row in outages(data | {"links": [change["link"]]}).rows() if row.lost_sites]


# --- classes -------------------------------------------------------------------------------------------------------


def with_figures(**values: float) -> FigureReader:
    general_figures = dict(catalogue().general)
    for name, value in values.items():
        changed = {"value": value, "low": value, "high": value}
        general_figures[name] = general_figures[name].model_copy(update=changed)
    return FigureReader(Catalogue(catalogue().parts(), general_figures), load_price_book())


@pytest.mark.parametrize(
    ("convergence_s", "outage"), [(0.05, "ride_through"), (0.06, "stall"), (30, "stall"), (31, "abort")]
)
def test_the_time_without_traffic_decides_the_class(convergence_s: float, outage: str) -> None:
    found = named(outages(network(*TRIANGLE), asked=with_figures(convergence_s=convergence_s)))
    assert found["members", "ab"].outage_class == found["link", "ab"].outage_class == outage
    assert found["members", "ab"].pause_s == convergence_s
    assert found["risk", "duct"].outage_class == "abort"


def test_a_cut_off_that_is_mended_at_once_is_a_stall() -> None:
    found = named(outages(network(*TRIANGLE), asked=with_figures(cut_repair_h=5 / 3600)))
    assert (found["risk", "duct"].outage_class, found["risk", "duct"].lost_sites) == ("stall", ("a",))


# --- shares of time, leans, nothing ----------------------------------------------------------------------------------


def test_time_with_something_down() -> None:
    """One bundle of eight: 1 - (1 - u)^8 with u = 4 x 2 x 2236e-9 of each member."""
    data = network(
        wan("ab", ("a1", "b1"), (23, "duct")), wan("ab2", ("a2", "b2"), (34, "west"), n_parallel=1), sites="ab"
    )
    found = outages(data)
    inside = 1 - 4 * 0.00057 / 730
    assert found.member_down_ratio == pytest.approx(1 - (1 - 8 * 2236e-9) ** 8 * inside**16, rel=1e-3)


def test_a_job_at_one_site_has_no_failures_between() -> None:
    state = state_of(network(sites="a"))[0]
    sites = sites_of(state)
    links = np.zeros(0, np.int64)
    found = site_outages(state, reader(), build_site_graph(state, state.in_service, sites, links), EQUAL, links)
    assert found.rows() == no_outages().rows() == ()
    assert found.member_down_ratio == 0.0


def test_the_reader_names_the_figures_that_were_used() -> None:
    figures = reader()
    outages(network(*TRIANGLE), asked=figures)
    names = {each.name for each in figures.used_figures()}
    assert {"n_cuts_per_km_year", "convergence_s", "stall_limit_s", "n_switch_failures_per_month"} <= names


def test_rates_of_a_line_are_those_of_its_failures() -> None:
    """What takes a link down, cause by cause, adds up to what `link_failures` says of its line."""
    protected = wan("p", ("a2", "b2")) | {
        "protection": "optical-protection",
        "spans": [
            {"length_km": 20, "srlgs": ["duct"], "amplifier": "EDFA"},
            {"length_km": 20},
            {"length_km": 15, "srlgs": ["duct"], "standby": True},
            {"length_km": 900, "standby": True},
        ],
    }
    data = network(*TRIANGLE, protected)
    state = state_of(data)[0]
    found = outages(data)
    rows = np.array([state.arrays.link_index[name] for name in ("ab", "ac", "bc", "p")])
    told = link_failures(state, reader(), rows).n_failures_per_year
    of_duct = [row.n_per_year for row in found.rows() if row.names == ("duct",)]
    assert sorted(of_duct) == pytest.approx([0.003 * 3, 0.003 * 15])
    alone = {name: named(found)["link", name].n_per_year for name in ("ab", "ac", "p")}
    assert alone["ab"] + 0.054 == pytest.approx(told[0])
    assert alone["ac"] + 0.054 == pytest.approx(told[1])
    assert alone["p"] + 0.003 * 15 == pytest.approx(told[3])


# --- against networkx ------------------------------------------------------------------------------------------------


def naive_lost(
    state: State, sites: list[JobSite], shares: tuple[float, ...], nodes: set[int], links: set[int]
) -> tuple[str, ...]:
    """Take them out of the whole network, look which sites are whole in which component."""
    share_of = {site.id: share for site, share in zip(sites, shares, strict=False)}

    def left_out(graph: nx.MultiGraph) -> set[str]:
        kept: list[JobSite] = []
        order = [
            found.union(*(graph[node] for node in found))
            for found in nx.connected_components(graph.subgraph(np.flatnonzero(state["node_forwards"]).tolist()))
        ]
        order += [{a, b} for a, b in graph.edges() if not state["node_forwards"][[a, b]].any()]
        order += [{node} for node in graph]
        order.sort(key=lambda found: [rack not in found for s in sites for rack in s.racks])
        for found in order:
            inside = [s for s in sites if set(s.racks.tolist()) <= found]
            if sum(share_of[s.id] for s in inside) > sum(share_of[s.id] for s in kept):
                kept = inside
        return {s.id for s in sites} - {s.id for s in kept}

    whole = nx.MultiGraph()
    whole.add_nodes_from(range(state.arrays.n_nodes))
    lit = state.in_service
    whole.add_edges_from((*ends, row) for row, ends in enumerate(state.arrays.link_ends.tolist()) if lit[row])
    left = whole.copy()
    left.remove_edges_from([(*state.arrays.link_ends[row].tolist(), row) for row in links if lit[row]])
    left.remove_nodes_from(nodes)
    return tuple(sorted(left_out(left) - left_out(whole)))


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    """Up to three sites whose insides are anything, a transit switch, long links anywhere, some of it down."""
    nodes: list[dict[str, Any]] = [{"id": "t", "kind": "switch", "up": draw(st.booleans())}]
    names = ["t"]
    for name in "abc"[: draw(st.integers(2, 3))]:
        for i in range(draw(st.integers(1, 2))):
            rack = {"kind": "rack", "accelerator": "H100", "n_accelerators": 8}
            forwards = {"forwards": True} if draw(st.integers(0, 3)) == 0 else {}
            nodes.append({"id": f"{name}-rack{i}", "site": name, **rack, **forwards})
        for kind in ("leaf", "leaf", "border", "border"):
            nodes.append({"id": f"{name}-{kind}{len(nodes)}", "kind": kind, "site": name})
        inside = [node["id"] for node in nodes if node.get("site") == name]
        names += inside
    links = []
    for name in "abc":
        inside = [node["id"] for node in nodes if node.get("site") == name]
        for pair in combinations(inside, 2):
            if draw(st.integers(0, 2)):
                links.append({"id": f"in{len(links)}", "ends": list(pair), "up": draw(st.integers(0, 9)) > 0})
    for _ in range(draw(st.integers(1, 7))):
        ends = draw(st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda p: p[0] != p[1]))
        links.append(wan(f"wan{len(links)}", ends, (draw(st.integers(1, 30)), draw(st.sampled_from("xyz")))))
    sites = [{"id": name} for name in "abc"]
    return {"as_of": "2026-01-01", "sites": sites, "nodes": nodes, "links": links}


def merged(data: dict[str, Any]) -> tuple[State, list[JobSite], SiteGraph, Ints, Ints]:
    state = state_of(data)[0]
    sites = sites_of(state)
    links = used_links(state, sites)
    nodes = failing_nodes(state, [s.id for s in sites], links)
    return state, sites, site_graph(state, state.in_service, sites, nodes, links), nodes, links


@settings(max_examples=60)
@given(networks(), st.permutations((0.2, 0.3, 0.5)), st.data())
def test_what_is_cut_off_is_what_networkx_cuts_off(data: Any, shares: Any, more: st.DataObject) -> None:
    state, sites, graph, nodes, links = merged(data)
    for row in nodes.tolist():
        assert graph.sites_isolated_by((row,), (), shares) == naive_lost(state, sites, shares, {row}, set())
    for row in links.tolist():
        assert graph.sites_isolated_by((), (row,), shares) == naive_lost(state, sites, shares, set(), {row})
    some_nodes = more.draw(st.sets(st.sampled_from(nodes.tolist()), max_size=3)) if len(nodes) else set()
    some_links = more.draw(st.sets(st.sampled_from(links.tolist()), max_size=4)) if len(links) else set()
    expected = naive_lost(state, sites, shares, some_nodes, some_links)
    assert graph.sites_isolated_by(some_nodes, some_links, shares) == expected


@settings(max_examples=25)
@given(shuffled(network(*TRIANGLE)))
def test_the_order_of_a_document_changes_nothing(data: dict[str, Any]) -> None:
    assert outages(data).rows() == outages(network(*TRIANGLE)).rows()


@settings(max_examples=25)
@given(st.floats(1, 200), st.floats(0.1, 200), st.integers(1, 64), st.integers(1, 64))
def test_more_parts_never_fail_less_often(km: float, more_km: float, n: int, more: int) -> None:
    def of(length_km: float, n_members: int) -> float:
        return float(
            outages(network(wan("ab", ("a1", "b1"), (length_km,), n_parallel=n_members), sites="ab")).n_per_year.sum()
        )

    assert of(km + more_km, n) > of(km, n)
    assert of(km, n + more) > of(km, n)
