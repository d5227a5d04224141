"""Importing again after the source changed: differences by source id, and changes that give the new answers."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from twin.cli.main import app
from twin.errors import ChangeError
from twin.imports import difference as difference_file
from twin.imports import read
from twin.imports.difference import ImportDifference, difference
from twin.loading import from_document
from twin.model.document import TopologyDocument

METRICS = ("n_partitions", "demand_satisfied_ratio", "max_link_utilisation_ratio", "worst_rtt_us", "unrouted_gbps")
SOURCE: dict[str, Any] = {
    "nodes": [
        {"id": "1", "name": "leaf 1", "role": "leaf", "site": "A", "lat": 50.0, "lon": 8.0},
        {"id": "2", "name": "leaf 2", "role": "leaf", "site": "A", "lat": 50.0, "lon": 8.0},
        {"id": "3", "name": "core 1", "role": "core", "site": "B", "lat": 51.0, "lon": 9.0},
        {"id": "4", "name": "core 2", "role": "core", "site": "B", "lat": 51.0, "lon": 9.0},
    ],
    "edges": [
        {"source": "1", "target": "3", "id": "a", "capacity_gbps": 100, "length_km": 3},
        {"source": "2", "target": "3", "id": "b", "capacity_gbps": 100, "length_km": 3},
        {"source": "2", "target": "4", "id": "c", "capacity_gbps": 100, "latency_us": 9},
        {"source": "1", "target": "2", "id": "d", "capacity_gbps": 40},
    ],
    "graph": {"demands": [{"id": "x", "source": "1", "target": "2", "offered_gbps": 20},
                          {"id": "y", "source": "2", "target": "3", "offered_gbps": 90}]},
}  # fmt: skip


def document(source: dict[str, Any], folder: Path) -> TopologyDocument:
    path = folder / "net.json"
    path.write_text(json.dumps(source), encoding="utf-8")
    return read(path, format="node-link").document


def edited(**lists: Any) -> dict[str, Any]:
    """The source after functions have edited its lists."""
    source = copy.deepcopy(SOURCE)
    for name, edit in lists.items():
        edit(source["graph"]["demands"] if name == "demands" else source[name])
    return source


def compared(source: dict[str, Any], folder: Path, **own: Any) -> tuple[TopologyDocument, ImportDifference]:
    old = document(SOURCE, folder)
    old = TopologyDocument.model_validate_json(json.dumps({**old.to_dict(), **own}))
    return old, planned(old, document(source, folder))


def planned(old: TopologyDocument, new: TopologyDocument) -> ImportDifference:
    """The difference; whatever plan it makes is one that the old network accepts."""
    network = from_document(old)
    found = difference(old, new, "old.yaml", lambda changes: network.what_if(changes, main_assumptions=False))
    network.what_if(list(found.changes), main_assumptions=False)
    return found


def answers(document: TopologyDocument, changes: Any = ()) -> dict[str, Any]:
    network = from_document(document)
    score = network.what_if(list(changes)).after if changes else network.score(main_assumptions=False)
    return {name: score.metrics[name].value for name in METRICS if name in score.metrics}


def told(found: ImportDifference) -> dict[tuple[str, str], tuple[str, bool]]:
    return {(record.kind, record.id): (record.what, not record.why_not) for record in found.records}


def test_the_same_source_differs_in_nothing(tmp_path: Path) -> None:
    _, found = compared(SOURCE, tmp_path)
    assert (found.records, found.changes) == ((), ())
    assert found.summary == ("Nothing differs from old.yaml.",)


def test_added_removed_and_changed_records_become_changes(tmp_path: Path) -> None:
    def edges(listed: list[Any]) -> None:
        listed[0]["capacity_gbps"] = 400
        del listed[1]
        listed.append({"source": "5", "target": "3", "id": "e", "capacity_gbps": 100})
        listed.append({"source": "6", "target": "5", "id": "f", "capacity_gbps": 100})

    def nodes(listed: list[Any]) -> None:
        listed.append({"id": "5", "name": "core 3", "role": "core", "site": "C", "lat": 52.0, "lon": 9.0})
        listed.append({"id": "6", "name": "core 4", "role": "core", "site": "C", "lat": 52.0, "lon": 9.0})

    new = edited(edges=edges, nodes=nodes, demands=lambda listed: listed[1].update(offered_gbps=45))
    old, found = compared(new, tmp_path)
    assert told(found) == {
        ("site", "C"): ("added", True),
        ("node", "core 3"): ("added", True),
        ("node", "core 4"): ("added", True),
        ("link", "a"): ("changed", True),
        ("link", "e"): ("added", True),
        ("link", "f"): ("added", True),
        ("link", "b"): ("removed", True),
        ("demand", "y"): ("changed", True),
    }
    assert next(r.fields for r in found.records if r.id == "a") == ("capacity_gbps: 100 → 400",)
    assert answers(old, found.changes) == pytest.approx(answers(document(new, tmp_path)))


def test_a_renamed_record_keeps_its_id(tmp_path: Path) -> None:
    new = edited(nodes=lambda listed: listed[0].update(name="leaf one"))
    _, found = compared(new, tmp_path)
    assert [(r.what, r.id, r.fields) for r in found.records] == [("renamed", "leaf 1", ("id: leaf 1 → leaf one",))]
    assert found.changes == ()


def test_what_was_added_by_hand_stays(tmp_path: Path) -> None:
    old = document(SOURCE, tmp_path).to_dict()
    old["links"][0] |= {"transceiver": "400ZR"}
    old["links"][0]["spans"][0] |= {"lumped_loss_db": 1.5}
    old["nodes"].append({"id": "mine", "kind": "host"})
    old["links"].append({"id": "my cable", "ends": ["mine", "core 2"], "capacity_gbps": 10})
    new = edited(edges=lambda listed: listed[0].update(length_km=5), nodes=lambda listed: listed[3].update(up=False))
    _, found = compared(new, tmp_path, links=old["links"], nodes=old["nodes"])
    assert told(found) == {("link", "a"): ("changed", True), ("node", "core 2"): ("changed", True)}
    link = next(change["link"] for change in found.changes if change["kind"] == "add_link")
    assert link["transceiver"] == "400ZR"
    assert (link["spans"][0]["length_km"], link["spans"][0]["lumped_loss_db"]) == (5, 1.5)
    assert {change["kind"] for change in found.changes} == {"remove_links", "add_link", "fail_nodes"}


def test_a_node_that_changes_takes_its_links_along(tmp_path: Path) -> None:
    new = edited(nodes=lambda listed: listed[3].update(role="storage"))
    old, found = compared(new, tmp_path)
    assert [change["kind"] for change in found.changes] == ["remove_nodes", "add_node", "add_link"]
    assert answers(old, found.changes) == pytest.approx(answers(document(new, tmp_path)))


def test_what_has_no_change_is_named(tmp_path: Path) -> None:
    new = edited(
        nodes=lambda listed: [listed[0].update(role="core"), [node.update(lat=51.5) for node in listed[2:]]],
        demands=lambda listed: listed.append({"id": "z", "source": "1", "target": "3", "offered_gbps": 1}),
    )
    _, found = compared(new, tmp_path)
    assert told(found) == {
        ("site", "B"): ("changed", False),
        ("node", "leaf 1"): ("changed", False),
        ("demand", "z"): ("added", False),
    }
    assert all(record.why_not for record in found.records)
    assert "3 differences not or not fully in it" in found.summary[1]


def test_more_changes_than_a_plan_takes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(difference_file, "MAX_CHANGES", 1)
    with pytest.raises(ChangeError, match="at most 1"):
        compared(edited(edges=lambda listed: listed[0].update(capacity_gbps=1)), tmp_path)


NODES = st.lists(st.sampled_from("12345678"), min_size=2, max_size=6, unique=True)


@st.composite
def sources(draw: st.DrawFn) -> dict[str, Any]:
    ids = draw(NODES)
    nodes = [{"id": key, "name": f"n{key}", "role": "core", "up": draw(st.booleans())} for key in ids]
    edges = [
        {"source": a, "target": b, "id": f"e{i}", "capacity_gbps": draw(st.sampled_from([10, 100])),
         "weight": draw(st.sampled_from([1, 2])), "latency_us": draw(st.integers(1, 3)), "up": draw(st.booleans())}
        for i in draw(st.lists(st.integers(0, 9), max_size=8, unique=True))
        for a, b in [draw(st.lists(st.sampled_from(ids), min_size=2, max_size=2, unique=True))]
    ]  # fmt: skip
    return {"nodes": nodes, "edges": edges}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=sources(), after=sources())
def test_the_changes_make_the_old_network_the_new_one(
    before: dict[str, Any], after: dict[str, Any], tmp_path: Path
) -> None:
    """Any source becomes any other; up and down, ends, rates, weights and latencies are those of the new import."""
    old, new = document(before, tmp_path), document(after, tmp_path)
    found = planned(old, new)
    assert not any(record.why_not for record in found.records)
    expected = {link["id"]: link for link in _exported(from_document(new))}
    assert {link["id"]: link for link in _exported(from_document(old), list(found.changes))} == expected


@st.composite
def pairs_of_sources(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Two states of one source with names, sites, states and demands, and what a user added to the first."""
    ids = draw(NODES)
    sources = []
    for _ in range(2):
        chosen = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=6, unique=True))
        names = draw(st.lists(st.sampled_from("abcdefgh"), min_size=len(chosen), max_size=len(chosen)))
        ends = st.tuples(st.sampled_from(chosen), st.sampled_from(chosen)).filter(lambda pair: pair[0] != pair[1])
        some = st.lists(st.integers(0, 9), max_size=6, unique=True)
        sources.append(
            {
                "nodes": [
                    {"id": key, "name": name, "role": draw(st.sampled_from(["core", "leaf"])),
                     "up": draw(st.booleans()), "site": draw(st.sampled_from("AB"))}
                    for key, name in zip(chosen, names, strict=True)
                ],
                "edges": [
                    {"source": a, "target": b, "id": f"e{i}", "capacity_gbps": draw(st.sampled_from([10, 100])),
                     "latency_us": 1, "up": draw(st.booleans()), "source_port": draw(st.sampled_from(["p1", "p2"])),
                     "target_port": "q"}
                    for i in (draw(some) if len(chosen) > 1 else ())
                    for a, b in [draw(ends)]
                ],
                "graph": {
                    "demands": [
                        {"id": f"d{i}", "source": a, "target": b,
                         "offered_gbps": draw(st.sampled_from([0, 1, 20, 5e8]))}
                        for i in (draw(some) if len(chosen) > 1 else ())
                        for a, b in [draw(ends)]
                    ]
                },
            }
        )  # fmt: skip
    own = {"demands": draw(st.booleans()), "links": draw(st.booleans())}
    return sources[0], sources[1], own


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pair=pairs_of_sources())
def test_any_plan_applies_and_gives_the_new_answers_or_says_why_not(
    pair: tuple[dict[str, Any], dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    before, after, own = pair
    old, new = document(before, tmp_path).to_dict(), document(after, tmp_path)
    names = [node["id"] for node in old["nodes"]]
    if own["demands"] and len(names) > 1:
        own_demand = {"id": "mine", "source": names[0], "target": names[-1], "offered_gbps": 1}
        old["demands"] = [*old.get("demands", []), own_demand]
    if own["links"]:
        old["nodes"] = [*old["nodes"], {"id": "a#3", "kind": "host"}]
        old["links"] = [*old.get("links", []), {"id": "e1", "ends": [names[0], "a#3"], "capacity_gbps": 5}]
        if len({link["id"] for link in old["links"]}) < len(old["links"]):
            old["links"].pop()
    old_document = TopologyDocument.model_validate_json(json.dumps(old))
    found = planned(old_document, new)
    is_whole = all(record.what == "renamed" or not record.why_not for record in found.records)
    assert ("nothing is left out" in found.summary[-1]) == (bool(found.records) and not any(
        record.why_not for record in found.records))  # fmt: skip
    if is_whole and not any(own.values()):
        assert answers(old_document, found.changes) == pytest.approx(answers(new))


def _exported(network: Any, changes: Any = None) -> list[dict[str, Any]]:
    data = json.loads(network.export("node-link", changes=changes or None).files[""])
    states = {node["id"]: node.get("up", True) for node in data["nodes"]}
    return [{**edge, "ends up": [states[edge["source"]], states[edge["target"]]]} for edge in data["edges"]]


def test_the_command_writes_a_plan(tmp_path: Path) -> None:
    source, old, plan = tmp_path / "net.json", tmp_path / "old.yaml", tmp_path / "plan.yaml"
    source.write_text(json.dumps(SOURCE))
    assert CliRunner().invoke(app, ["import", str(source), "-o", str(old)]).exit_code == 0
    source.write_text(json.dumps(edited(edges=lambda listed: listed[0].update(capacity_gbps=400))))
    result = CliRunner().invoke(app, ["import", str(source), "--diff", str(old), "-o", str(plan)])
    assert result.exit_code == 0
    assert result.stdout.startswith("Against")
    assert "capacity_gbps: 100 → 400" in " ".join(result.stdout.split())
    result = CliRunner().invoke(app, ["whatif", str(old), "--change", f"@{plan}", "--no-assumptions", "--json"])
    after = json.loads(result.stdout)["metrics"]["max_link_utilisation_ratio"]["after"]
    assert after == pytest.approx(answers(read(source).document)["max_link_utilisation_ratio"])
    result = CliRunner().invoke(app, ["import", str(source), "--diff", str(old), "--json"])
    assert [row["id"] for row in json.loads(result.stdout)["records"]] == ["a"]


def test_a_node_that_demands_name_fails_where_it_is_gone(tmp_path: Path) -> None:
    """Its imported demands end; a demand of the user's own stays and is named."""
    without = edited(
        nodes=lambda listed: listed.pop(0),
        edges=lambda listed: [listed.remove(edge) for edge in list(listed) if edge["source"] == "1"],
        demands=lambda listed: listed.pop(0),
    )
    old, found = compared(without, tmp_path)
    assert [change["kind"] for change in found.changes] == ["remove_links", "scale_demands", "fail_nodes"]
    assert told(found)["node", "leaf 1"] == ("removed", True)
    assert "nothing is left out" in found.summary[1]
    assert answers(old, found.changes) == pytest.approx(answers(document(without, tmp_path)))
    demands = [*document(SOURCE, tmp_path).to_dict()["demands"],
               {"id": "mine", "source": "leaf 1", "target": "core 1", "offered_gbps": 5}]  # fmt: skip
    _, found = compared(without, tmp_path, demands=demands)
    (record,) = (record for record in found.records if record.id == "leaf 1")
    assert record.why_not == "it stays and fails: demands of your own name it: mine"


def test_a_port_that_was_patched_again_is_reported(tmp_path: Path) -> None:
    def with_ports(*ports: str) -> dict[str, Any]:
        source = copy.deepcopy(SOURCE)
        for edge, port in zip(source["edges"], ports, strict=False):
            edge.update(source_port=port, target_port="e9")
        return source

    old, new = document(with_ports("e1", "e2"), tmp_path), document(with_ports("e3", "e2"), tmp_path)
    (record,) = planned(old, new).records
    assert (record.kind, record.id, record.what) == ("link", "a", "changed")
    assert record.fields == ("ports: e1 ~ e9 → e3 ~ e9",)
    assert record.why_not
    source = with_ports("e3", "e2")
    source["edges"][0]["capacity_gbps"] = 40
    found = planned(old, document(source, tmp_path))
    (added,) = (change["link"] for change in found.changes if change["kind"] == "add_link")
    assert added["tags"] == ["leaf 1:e3 ~ core 1:e9"]


def test_what_the_old_network_refuses_is_left_out_with_its_reason(tmp_path: Path) -> None:
    """An over-used switch stands in an import, but no change makes it; the rest of the plan stays."""
    source: dict[str, Any] = {
        "nodes": [{"id": key, "role": "core", "site": key} for key in "12"],
        "edges": [{"source": "1", "target": "2", "id": "x", "capacity_gbps": 400, "length_km": 1}],
    }
    old = document(source, tmp_path).to_dict()
    old["nodes"][0] |= {"part": "border-12.8T"}
    source["edges"][0]["length_km"] = 2
    source["edges"] += [{"source": "1", "target": "2", "id": f"y{n}", "capacity_gbps": 400, "n_parallel": n}
                        for n in (2, 99, 3)]  # fmt: skip
    found = planned(TopologyDocument.model_validate_json(json.dumps(old)), document(source, tmp_path))
    assert [(r.id, r.why_not[:33]) for r in found.records] == [
        ("x", ""),
        ("y2", ""),
        ("y99", "refused: cannot be built: nodes[1"),
        ("y3", ""),
    ]
    assert found.records[0].fields == ("spans[0].length_km: 1 → 2",)
    assert "1 difference not or not fully in it" in found.summary[1]
    assert [change["link"]["id"] for change in found.changes if change["kind"] == "add_link"] == ["x", "y2", "y3"]


def test_measurements_that_a_changed_link_loses_are_named(tmp_path: Path) -> None:
    of = {"link": "a", "span": 0}
    measurement = {"of": of, "quantity": "span_loss", "value_db": 1.0, "at": "2026-01-01"}
    new = edited(edges=lambda listed: listed[0].update(capacity_gbps=400))
    _, found = compared(new, tmp_path, as_of="2026-02-01", measurements=[measurement])
    (record,) = found.records
    assert record.why_not.startswith("1 measurement of it left out")
    assert "nothing is left out" not in found.summary[1]


def test_an_added_record_gets_an_id_beside_the_old_ones(tmp_path: Path) -> None:
    """A device is renamed, and a new device takes its name; the old record keeps its id."""

    def nodes(listed: list[Any]) -> None:
        listed[0].update(name="leaf one")
        listed.append({"id": "5", "name": "leaf 1", "role": "leaf", "site": "A"})

    def edges(listed: list[Any]) -> None:
        listed.append({"source": "5", "target": "3", "id": "e", "capacity_gbps": 100})

    _, found = compared(edited(nodes=nodes, edges=edges), tmp_path)
    assert [(r.what, r.id, r.fields) for r in found.records if r.kind == "node"] == [
        ("renamed", "leaf 1", ("id: leaf 1 → leaf one",)),
        ("added", "leaf 1#2", ("id: leaf 1 → leaf 1#2",)),
    ]
    (added,) = (change["link"] for change in found.changes if change["kind"] == "add_link")
    assert set(added["ends"]) == {"leaf 1#2", "core 1"}
