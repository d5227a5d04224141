"""Two documents or plans side by side: records by source and id, equal changes once, then metrics."""

from __future__ import annotations

from typing import Any

import pytest

import twin
from tests.answers.test_effects import FEWER, line
from tests.contracts.test_changes import metrics
from tests.model.samples import campus_data
from twin.answers.document_records import DifferingRecords
from twin.answers.network_diff import NetworkDiff
from twin.errors import CatalogueError
from twin.loading import from_document


def with_source(data: dict[str, Any], **ids: str) -> dict[str, Any]:
    """The document with nodes renamed, their old id as the id of their source."""
    new = {old: name for name, old in ids.items()}
    nodes = [
        node | {"id": new.get(node["id"], node["id"]), "source": {"file": "f", "id": node["id"]}}
        for node in data["nodes"]
    ]
    links = [link | {"ends": [new.get(end, end) for end in link["ends"]]} for link in data["links"]]
    return data | {"nodes": nodes, "links": links}


def rows(answer: NetworkDiff, what: str) -> list[DifferingRecords]:
    return [row for row in answer.records if row.what == what]


def test_nothing_differs_from_itself_whatever_the_order() -> None:
    data = line()
    turned = {name: value[::-1] if isinstance(value, list) else value for name, value in data.items()}
    answer = twin.diff(data, turned)
    assert answer.records == ()
    assert answer.summary == ("No record differs.", "No metric differs.")
    assert all(row.change in (0.0, None) for row in answer.metrics.values())
    assert answer.effects.links == ()


def test_added_removed_changed_and_equal_changes_once() -> None:
    data = line()
    links = [link | {"n_parallel": 7} if link["id"] in ("a~c", "c~b") else link for link in data["links"]]
    links = [link for link in links if link["id"] != "a~b"]
    links.append({"id": "new", "ends": ["a", "b"], "capacity_gbps": 100.0})
    answer = twin.diff(data, data | {"links": links, "required_margin_db": 1.5})
    (changed,) = rows(answer, "changed")
    assert (changed.kind, changed.n, changed.examples) == ("link", 2, ("a~c", "c~b"))
    assert changed.fields == ("n_parallel: 3 → 7",)
    assert [row.id for row in rows(answer, "added")] == ["new", "required_margin_db"]
    assert [row.id for row in rows(answer, "removed")] == ["a~b"]
    assert answer.summary[0].startswith("Records: ")


def test_renamed_nodes_are_found_by_their_source_and_their_links_do_not_differ() -> None:
    old, new = with_source(line()), with_source(line(), core="c")
    answer = twin.diff(old, new)
    assert [(row.kind, row.what, row.fields) for row in answer.records] == [("node", "renamed", ("id: c → core",))]


def test_spans_are_compared_one_by_one() -> None:
    data = line(as_of="2026-01-01")
    span = {"length_km": 20.0}
    data["links"].append({"id": "far", "ends": ["a", "b"], "transceiver": "400ZR", "spans": [span, span]})
    links = [*data["links"][:-1], data["links"][-1] | {"spans": [span, span | {"length_km": 21.0}]}]
    (row,) = twin.diff(data, data | {"links": links}).records
    assert row.fields == ("spans[1].length_km: 20 → 21",)


def test_two_plans_are_their_what_ifs() -> None:
    network = twin.load("memphis-small")
    answer = network.compare(changes="second-pair", other_changes="balance-load", top=3)
    for i, plan in enumerate(("second-pair", "balance-load")):
        want = network.what_if(plan, main_assumptions=False, causes=False).after
        assert {name: answer[name][i] for name in want} == {name: want[name] for name in want}
    assert answer.networks.before == "memphis-small after second-pair"
    assert {row.kind for row in answer.records} == {"link", "jobs"}


def test_a_document_and_the_network_after_a_change() -> None:
    network = from_document(line())
    after = network.apply([FEWER])
    answer = twin.diff(network, after)
    assert [(row.id, row.fields) for row in answer.records] == [("a~b", ("n_parallel: 8 → 2",))]
    assert metrics(after.score(main_assumptions=False)) == {
        name: (row.after, row.why.get("after", "")) for name, row in answer.metrics.items() if name != "capex_usd"
    }
    assert [row.id for row in answer.effects.links if row.figure == "capacity_gbps"] == ["a~b"]
    assert "8 → 2 members up" in answer.effects.links[0].cause


def test_plans_side_by_side_are_what_the_command_prints() -> None:
    network = twin.load("memphis-small")
    answer = network.compare_plans(["fibre-upgrade", "second-pair"])
    assert list(answer.to_dict()) == ["summary", "plans"]
    assert answer.summary[0].startswith("Best goodput: fibre-upgrade")
    with pytest.raises(CatalogueError, match="no plan"):
        network.compare_plans(["fibre"])


def test_a_field_that_one_side_leaves_out_shows_its_default() -> None:
    data = campus_data()
    links = [dict(link) for link in data["links"]]
    wan = next(link for link in links if link["id"] == "wan")
    wan["spans"] = [{k: v for k, v in span.items() if k != "fibre"} for span in wan["spans"]]
    jobs = [data["jobs"][0] | {"split": "balanced"}, *data["jobs"][1:]]
    fields = {row.kind: row.fields for row in twin.diff(data, data | {"links": links, "jobs": jobs}).records}
    assert fields["jobs"] == ("split: 'uniform' (default) → 'balanced'",)
    assert fields["link"][0] == "spans[0-1].fibre: 'G.652.D-2006' → 'G.652.D' (default)"


def test_jobs_that_only_one_side_has_are_not_better() -> None:
    data = twin.load("two-campus").document.to_dict()
    other = {**data, "jobs": [{**data["jobs"][0], "id": "another"}], "default_job": "another", "plans": []}
    found = twin.load("two-campus").compare(twin.from_document(other))
    assert f"The jobs differ: {data['jobs'][0]['id']} before, another after." in found.summary
    assert found.effects.jobs == ()


def test_ages_are_compared_as_ages_and_equal_changes_of_spans_are_named_once() -> None:
    """A plan that ages states ages, where the document states days."""
    network = twin.load("two-campus")
    older = network.apply([{"kind": "age", "years": 5}])
    fields = [text for row in twin.diff(network, older).records for text in row.fields]
    assert any("age_years: " in text for text in fields)
    for text in fields:
        name, values = text.split(": ", 1)
        if name.endswith("age_years"):
            before, after = map(float, values.split(" → "))
            assert after - before == pytest.approx(5.0, abs=0.02)
