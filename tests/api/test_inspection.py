"""Paths, demands and sorted links: figures by hand, faults with hints, the same data in Python, command and HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import twin
from tests.model.samples import campus_data, changed
from twin.answers.link_table import LOWEST_FIRST, SORTABLE, LinkTable
from twin.answers.path_report import PathReport
from twin.cli.main import app
from twin.errors import ChangeError, TwinError
from twin.loading import from_document
from twin.render.plain_text import plain_text


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def square(routing: str = "ecmp", **wide: Any) -> dict[str, Any]:
    """Hosts a and b on leaves l and m, joined by spines s (100 Gb/s a member) and t (300)."""
    kinds = {"a": "host", "b": "host", "l": "leaf", "m": "leaf", "s": "spine", "t": "spine"}
    links = [
        {"id": "al", "ends": ["a", "l"], "capacity_gbps": 400},
        {"id": "bm", "ends": ["b", "m"], "capacity_gbps": 400},
        {"id": "ls", "ends": ["l", "s"], "capacity_gbps": 100, "latency_us": 2.0},
        {"id": "ms", "ends": ["m", "s"], "capacity_gbps": 100, "latency_us": [3.0, 5.0]},
        {"id": "lt", "ends": ["l", "t"], "capacity_gbps": 300} | wide,
        {"id": "mt", "ends": ["m", "t"], "capacity_gbps": 300},
    ]
    return {
        "name": "square",
        "routing": routing,
        "nodes": [{"id": name, "kind": kind} for name, kind in kinds.items()],
        "links": links,
        "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 120}],
    }


def path(data: dict[str, Any], source: str = "a", target: str = "b", **options: Any) -> PathReport:
    return from_document(data).path(source, target, **options)


def test_equal_split_by_hand() -> None:
    """60 of 120 on each side: 60 of 100 over s, 60 of 300 over t. 40 are free over s, so 80 for the pair."""
    report = path(square())
    assert (report.reachable, report.n_paths) == (True, 2)
    assert [(p.nodes, p.share_ratio) for p in report.paths] == [
        (("a", "l", "s", "m", "b"), 0.5),
        (("a", "l", "t", "m", "b"), 0.5),
    ]
    hops = {hop.link: hop for hop in report.hops}
    assert [hop.position for hop in report.hops] == [1, 2, 2, 3, 3, 4]
    assert (hops["ls"].utilisation_ratio, hops["lt"].utilisation_ratio) == (0.6, 0.2)
    assert (hops["ls"].pair_gbps, hops["ls"].free_pair_gbps) == (200, 80)
    assert report.bottleneck == hops["ls"]
    # the other direction of ms, from s to m, takes 5 us and back 3 us
    assert (report.paths[0].latency_us, report.paths[0].rtt_us) == (7, 12)
    assert report.summary[0] == "2 shortest paths of 4 hops, round trip 0 µs to 12 µs."
    assert report.summary[1].startswith("Bottleneck: ls (l → s), 60 % used")


def test_split_by_capacity_by_hand() -> None:
    """A quarter over s: 30 of 100; three quarters over t: 90 of 300. Both sides fill together, at 400."""
    report = path(square("wcmp"))
    assert {hop.link: hop.share_ratio for hop in report.hops if hop.position == 2} == {"lt": 0.75, "ls": 0.25}
    assert report.paths[0].nodes == ("a", "l", "t", "m", "b")
    assert [hop.pair_gbps for hop in report.hops] == [400] * 6


def test_changes_and_plans_apply_first() -> None:
    report = path(square(), changes={"kind": "fail_links", "links": "lt"})
    assert (report.n_paths, report.plan) == (1, "changes")
    planned = square() | {"plans": [{"id": "cut", "changes": [{"kind": "fail_links", "links": "lt"}]}]}
    by_plan = path(planned, changes="cut").to_dict()
    assert by_plan == report.to_dict() | {"plan": "cut"}


def test_links_between_the_same_nodes_are_separate_paths_and_the_number_listed_is_bounded() -> None:
    data = square()
    data["links"] += [{"id": f"more-{i}", "ends": ["l", "s"], "capacity_gbps": 100} for i in range(3)]
    report = path(data, max_paths=2)
    assert (report.n_paths, len(report.paths)) == (5, 2)
    assert any("2 paths of 5 are listed" in line for line in report.summary)
    for bad in (0, 1001, True):
        with pytest.raises(ChangeError, match="expected 1 to 1000 paths"):
            path(data, max_paths=bad)


def test_an_unknown_length_has_no_latency_and_an_unknown_rate_no_bottleneck() -> None:
    data = square() | {"sites": [{"id": "x"}, {"id": "y"}]}
    data = changed(changed(data, "nodes", "t", site="x"), "nodes", "m", site="y")
    report = path(data)
    assert [p.rtt_us is None for p in report.paths] == [False, True]
    assert "round trip unknown" in report.summary[0]
    unknown = path(changed(square(), "links", "lt", capacity_gbps=None))
    assert unknown.bottleneck is None
    assert "The bottleneck is unknown: the rate or load of lt is unknown." in unknown.summary


@pytest.mark.parametrize(
    ("changes", "kinds", "why"),
    [
        ([{"kind": "fail_nodes", "nodes": ["s", "t"]}], [("node", "s"), ("node", "t")], "the node is down"),
        ([{"kind": "fail_links", "links": ["ls", "lt"]}], [("link", "ls"), ("link", "lt")], "the link is down"),
        ([{"kind": "fail_nodes", "nodes": "b"}], [("node", "b")], "the node is down"),
        ([{"kind": "remove_links", "links": ["ls", "lt"]}], [], ""),
    ],
)
def test_what_separates_two_nodes_is_named(changes: Any, kinds: list[tuple[str, str]], why: str) -> None:
    report = path(square(), changes=changes)
    assert (report.reachable, report.paths, report.hops, report.n_paths) == (False, (), (), 0)
    assert [(s.kind, s.id) for s in report.separated_by] == kinds
    assert {s.why for s in report.separated_by} <= {why}
    assert report.summary[0] == "No path from a to b."
    assert len(report.summary) == 2


def test_a_host_on_the_way_is_named() -> None:
    data = {
        "nodes": [{"id": "x", "kind": "leaf"}, {"id": "h", "kind": "host"}, {"id": "y", "kind": "leaf"}],
        "links": [{"id": "xh", "ends": ["x", "h"]}, {"id": "hy", "ends": ["h", "y"]}],
    }
    report = path(data, "x", "y")
    (separator,) = report.separated_by
    assert separator.id == "h"
    hint = "h (does not forward traffic of others; set `forwards: true` if it does)"
    assert report.summary[1] == f"Separated by 1 node: {hint}."


@pytest.mark.parametrize("n_hosts", [2, 3])
def test_hosts_between_rails_get_no_hint_to_forward(n_hosts: int) -> None:
    hosts = [f"h{i}" for i in range(n_hosts)]
    data = {
        "nodes": [{"id": x, "kind": "leaf"} for x in "xy"] + [{"id": h, "kind": "host"} for h in hosts],
        "links": [{"id": f"{x}{h}", "ends": [x, h]} for x in "xy" for h in hosts],
    }
    report = path(data, "x", "y")
    is_hinted = "set `forwards: true`" in " ".join((*report.summary, *(s.why for s in report.separated_by)))
    assert is_hinted == (n_hosts == 2)
    if n_hosts == 3:
        assert report.summary[1] == "3 nodes link both sides and do not forward: h0, h1, h2."


def test_hops_are_those_of_the_listed_paths() -> None:
    """Two ways from a to b, over s and over t."""
    report = path(square(), max_paths=1)
    assert (report.n_paths, len(report.paths)) == (2, 1)
    assert [hop.link for hop in report.hops] == list(report.paths[0].links)
    assert len(path(square()).hops) == 6


def test_a_network_without_links_has_an_empty_table_of_links() -> None:
    network = from_document({"nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}]})
    table = network.link_table()
    assert (table.rows, table.summary) == ((), ("The network has no links.",))
    assert "The network has no links." in str(table)
    with pytest.raises(ChangeError, match="no link matches 'x'"):
        network.link_table("x")


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        (("host-1-3", "host-2-1"), "source: no node 'host-1-3' .did you mean 'host-1-2'"),
        (("host-1-1", "leaf_4"), "target: no node 'leaf_4' .did you mean 'leaf-4'"),
        (("leaf-1", "leaf-1"), "both ends are 'leaf-1' .name two different nodes"),
    ],
)
def test_bad_nodes_are_refused_with_a_hint(ends: tuple[str, str], text: str, client: Any) -> None:
    with pytest.raises(ChangeError, match=text):
        twin.load("leaf-spine-demo").path(*ends)
    answer = client.post("/v1/path", json={"network": "leaf-spine-demo", "source": ends[0], "target": ends[1]})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


# --- demands ---------------------------------------------------------------------------------------------------------


def test_demands_by_hand() -> None:
    """d and e share the pair a to b: 300 offered, 150 of 100 over s, so the pair has 200 of 300. c has no path."""
    data = square()
    data["nodes"] += [{"id": "lone", "kind": "host"}]
    data["demands"] = [
        {"id": "e", "source": "a", "target": "b", "offered_gbps": 150},
        {"id": "d", "source": "a", "target": "b", "offered_gbps": 150},
        {"id": "c", "source": "a", "target": "lone", "offered_gbps": 10},
        {"id": "self", "source": "a", "target": "a", "offered_gbps": 5},
        {"id": "zero", "source": "b", "target": "a", "offered_gbps": 0},
    ]
    table = from_document(data).demand_table()
    rows = {row.id: row for row in table.demands}
    assert list(rows) == ["c", "d", "e", "self", "zero"]
    assert (rows["d"].carried_gbps, rows["d"].lost_gbps) == (pytest.approx(100), pytest.approx(50))
    assert (rows["e"].limit, rows["e"].limited_by, rows["e"].direction) == ("capacity", "ls", "l → s")
    assert (rows["c"].limit, rows["c"].carried_gbps, rows["c"].latency_us) == ("no path", 0, None)
    assert (rows["self"].limit, rows["self"].carried_gbps) == ("not limited", 5)
    assert (rows["zero"].carried_ratio, rows["zero"].limit) == (None, "not limited")
    assert (table.offered_gbps, table.carried_gbps) == (315, pytest.approx(205))
    assert table.summary[0] == "5 demands, 315 Gb/s offered, 205 Gb/s carried (65.1 %)."
    assert table.summary[1] == "1 demand without a path."


def test_the_total_is_that_of_the_score() -> None:
    network = twin.load("leaf-spine-demo")
    for factor in (1, 3, 10):
        changes = [{"kind": "scale_demands", "factor_ratio": factor}]
        table, score = network.demand_table(changes=changes), network.what_if(changes).after
        assert table.carried_gbps is not None
        assert table.carried_gbps / table.offered_gbps == pytest.approx(score["demand_satisfied_ratio"])


def test_a_rate_that_nobody_states_leaves_the_demand_unknown() -> None:
    table = from_document(changed(square(), "links", "lt", capacity_gbps=None)).demand_table()
    (row,) = table.demands
    assert (row.limit, row.carried_gbps, row.lost_gbps, table.carried_gbps) == ("unknown rate", None, None, None)
    assert "unknown for 1 demand" in table.summary[0]


def test_demands_are_sorted_and_cut() -> None:
    network = twin.load("leaf-spine-demo")
    assert [row.id for row in network.demand_table(sort="offered", top=2).demands] == ["d4", "d1"]
    table = network.demand_table(top=2)
    assert (len(table.demands), table.n_demands) == (2, 5)
    assert "3 more demands" in plain_text(table._table())
    with pytest.raises(ChangeError, match="no column 'ofered' to sort by; expected one of offered_gbps"):
        network.demand_table(sort="ofered")
    with pytest.raises(ChangeError, match="top 0; expected a whole number"):
        network.demand_table(top=0)
    with pytest.raises(ChangeError, match="the document has no demands"):
        from_document({"nodes": [{"id": "a", "kind": "leaf"}]}).demand_table()


# --- links -----------------------------------------------------------------------------------------------------------


def values(table: LinkTable, column: str) -> list[float | None]:
    """The worse value of both directions of each link, in the order of the table."""
    pick = min if column in LOWEST_FIRST else max
    pairs = zip(table.rows[::2], table.rows[1::2], strict=True)
    known = [[side[column] for side in pair if side[column] is not None] for pair in pairs]
    return [pick(pair) if pair else None for pair in known]


@pytest.mark.parametrize("column", SORTABLE)
def test_links_are_sorted_by_any_figure_the_worst_first(column: str) -> None:
    table = twin.load("memphis-small").link_table("c1/*border*", sort=column)
    found = values(table, column)
    known = [value for value in found if value is not None]
    assert found == known + [None] * (len(found) - len(known))
    assert known == sorted(known, reverse=column not in LOWEST_FIRST)
    assert table.sorted_by == column
    assert "n_links" not in table.to_dict()


def test_the_first_links_are_listed_and_the_verdict_counts_all() -> None:
    network = twin.load("leaf-spine-demo")
    table = network.link_table(sort="utilization", top=3)
    assert (len(table.rows), table.n_links, table.sorted_by) == (6, 16, "utilisation_ratio")
    assert table.summary[0] == "16 links, all up."
    assert {row.id for row in table.rows[:4]} == {"host-3-2~leaf-3", "host-4-2~leaf-4"}
    text = plain_text(table._table())
    assert "13 more links" in text
    assert text.index("host-3-2~leaf-3 ") < text.index("host-1-1~leaf-1 ")
    after = network.link_table("leaf-1~*", changes={"kind": "fail_nodes", "nodes": "spine-1"})
    assert after.summary[0] == "2 of 16 links, 1 down: leaf-1~spine-1."
    assert network.link_table().n_links is None


# --- the same in all interfaces --------------------------------------------------------------------------------------

ALIKE: list[tuple[str, dict[str, Any], list[str]]] = [
    ("path", {"source": "a-rack-1", "target": "b-rack-1"}, ["a-rack-1", "b-rack-1"]),
    (
        "path",
        {"source": "a-rack-1", "target": "b-rack-1", "plan": "wait", "max_paths": 3, "ageing": "high"},
        ["a-rack-1", "b-rack-1", "--plan", "wait", "--paths", "3", "--ageing", "high"],
    ),
    ("demands", {}, []),
    (
        "demands",
        {"changes": [{"kind": "fail_links", "links": "wan"}], "sort": "lost", "top": 1},
        ["--change", '{"kind": "fail_links", "links": "wan"}', "--sort", "lost", "--top", "1"],
    ),
    ("links", {"links": "*", "sort": "margin", "top": 2, "job": "alone"}, ["--sort", "margin", "--top", "2"]),
    ("links", {"links": "w*", "plan": "wait"}, ["w*", "--plan", "wait"]),
]


@pytest.mark.parametrize(("name", "body", "words"), ALIKE)
def test_the_command_prints_what_http_returns(
    client: Any, name: str, body: dict[str, Any], words: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "net.json"
    file.write_text(json.dumps(campus_data()), encoding="utf-8")
    job = ["--job", body["job"]] if "job" in body else []
    printed = CliRunner().invoke(app, [name, str(file), *words, *job, "--json"])
    assert printed.exit_code == 0, printed.output
    answer = client.post(f"/v1/{name}", json={"network": campus_data(), **body})
    assert answer.status_code == 200, answer.text
    assert answer.content == printed.stdout_bytes


def test_rows_become_data_frames() -> None:
    network = twin.load("leaf-spine-demo")
    hops = network.path("host-1-1", "host-2-1").to_pandas()
    assert hops.groupby("position")["share_ratio"].sum().tolist() == [1, 1, 1, 1]
    assert network.demand_table().to_pandas()["offered_gbps"].sum() == 800


def test_what_is_not_understood_is_refused(client: Any) -> None:
    for name, body in (
        ("path", {"source": "a"}),
        ("path", {"source": "host-1-1", "target": "host-2-1", "max_paths": 5000}),
        ("demands", {"sort": "foo"}),
        ("demands", {"top": 10**9}),
        ("links", {"links": "nothing"}),
    ):
        answer = client.post(f"/v1/{name}", json={"network": "leaf-spine-demo", **body})
        assert answer.status_code == 422, (name, body)
        assert answer.json()["issues"]
    with pytest.raises(TwinError, match="no plan 'wat'"):
        twin.load("leaf-spine-demo").demand_table(changes="wat")
