"""Hints: the words of other tools, other spellings, and fields at the wrong place lead to the right name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from twin.answers.metrics import METRICS
from twin.check import check_file
from twin.check.fixture import read_fixture
from twin.errors import CatalogueError, ChangeError, DocumentError, TwinError, did_you_mean
from twin.errors.synonyms import FORMS, SYNONYMS, british
from twin.formats import parse_document
from twin.loading import document_schema, from_document
from twin.model.records import NodeKind
from twin.scenario.changes import Change

LINK = {"id": "l", "ends": ["a", "b"]}
NETWORK = {"nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}], "links": [LINK | {"capacity_gbps": 1}]}


def hint_of(data: dict[str, Any], where: str) -> str:
    with pytest.raises(DocumentError) as error:
        parse_document(data)
    return next(issue.hint for issue in error.value.issues if issue.where == where)


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("length_km", "'length_km' is a field of spans: spans: [{length_km: 40}]"),
        ("length", "'length_km' is a field of spans: spans: [{length_km: 40}]"),
        ("distance_m", "'length_km' is a field of spans: spans: [{length_km: 40}]"),
        ("fiber", "'fibre' is a field of spans: spans: [{fibre: …}]"),
        ("loss_db", "'measured_loss_db' is a field of spans: spans: [{measured_loss_db: …}]"),
        ("bandwidth", "did you mean 'capacity_gbps'?"),
        ("speed_gbps", "did you mean 'capacity_gbps'?"),
        ("latency_ms", "did you mean 'latency_us'?"),
        ("capacity_gpbs", "did you mean 'capacity_gbps'?"),
    ],
)
def test_a_field_of_a_link_by_another_name(field: str, hint: str) -> None:
    assert hint_of({"links": [LINK | {field: 1}]}, f"links[l].{field}") == hint


@pytest.mark.parametrize(
    ("kind", "hint"), [("tor", "leaf"), ("ToR", "leaf"), ("server", "host"), ("aggregation", "spine"), ("laef", "leaf")]
)
def test_a_kind_of_node_by_another_name(kind: str, hint: str) -> None:
    assert hint_of({"nodes": [{"id": "a", "kind": kind}]}, "nodes[a].kind") == f"did you mean {hint!r}?"


def test_fields_of_inner_records_are_named_with_their_place() -> None:
    job = {"id": "j", "tp": 8, "n_layers": 8, "global_batch": 4}
    assert hint_of({"jobs": [job]}, "jobs[j].tp") == "'tp' is a field of parallelism: parallelism: {tp: 8}"
    assert hint_of({"jobs": [job]}, "jobs[j].n_layers") == "'n_layers' is a field of model: model: {n_layers: …}"
    assert hint_of({"jobs": [job]}, "jobs[j].global_batch") == "did you mean 'n_global_batch'?"


def test_a_far_word_gets_the_list_of_fields_and_no_odd_name() -> None:
    assert hint_of({"links": [LINK | {"gpus": 4}]}, "links[l].gpus").startswith("known: age_years, booster, ")


METRIC_TYPOS = ["max_link_utilization_ratio", "max_link_utilisation", "mlu", "max_link_utilisaton_ratio"]


@pytest.mark.parametrize("metric", METRIC_TYPOS)
def test_a_metric_by_another_name_everywhere(metric: str, tmp_path: Path) -> None:
    network = from_document(NETWORK)
    hint = "did you mean 'max_link_utilisation_ratio'"
    asked: list[Any] = [lambda: network.score()[metric], lambda: network.what_if([]).change(metric)]
    for ask in asked:
        with pytest.raises(CatalogueError) as error:
            ask()
        assert hint in str(error.value)
        assert "lease_break_even" not in str(error.value), "a list of all metrics hides the hint"
    with pytest.raises(ChangeError) as sweep_error:
        network.sweep("links.l.total_gbps=1,2", metric=metric)
    assert hint in str(sweep_error.value)
    case = {"id": "c", "given": {"network": NETWORK}, "expect": {metric: 1}}
    fixture = tmp_path / "case.json"
    fixture.write_text(json.dumps({"kind": "whatif", "source": "hand", "cases": [case]}))
    (row,) = check_file(fixture).rows
    assert hint in row.why


def test_a_tolerance_of_a_misspelled_figure_is_refused(tmp_path: Path) -> None:
    case = {"id": "c", "given": {"network": NETWORK}, "expect": {"max_link_utilisation_ratio": None}}
    fixture = tmp_path / "case.json"
    data = {"kind": "whatif", "source": "hand", "cases": [case]}
    fixture.write_text(json.dumps(data | {"tolerance": {"max_link_utilization_ratio": {"rel": 0.1}}}))
    with pytest.raises(DocumentError, match=r"tolerance\.max_link_utilization_ratio: no case has this figure"):
        read_fixture(fixture)
    fixture.write_text(json.dumps(data | {"tolerance": {"step_time_s": {"rel": 0.1}}}))
    assert read_fixture(fixture).tolerance.keys() == {"step_time_s"}


def test_an_unknown_metric_without_a_similar_one_lists_them() -> None:
    with pytest.raises(TwinError, match="lease_break_even"):
        _ = from_document(NETWORK).score()["zzz"]


def test_a_synonym_counts_only_where_its_name_is_possible() -> None:
    assert did_you_mean("tor", ["spine", "rack", "torus"]) == "did you mean 'torus'?"
    assert did_you_mean("tor", ["a", "b"]) == ""
    assert british("max_utilization_of_fiber") == "max_utilisation_of_fibre"


def test_every_synonym_leads_to_a_name_of_the_product() -> None:
    names = {*METRICS, *get_args(NodeKind), "total_gbps", "rate_gbps", "n_members"}
    names |= {kind.model_fields["kind"].default for kind in get_args(get_args(Change)[0])}
    schema = document_schema()
    for each in (schema, *schema["$defs"].values()):
        names |= set(each.get("properties", {}))
    assert {target for targets in SYNONYMS.values() for target in targets} <= names
    assert set(FORMS) <= names
    assert not [word for word, targets in SYNONYMS.items() if word in targets]
