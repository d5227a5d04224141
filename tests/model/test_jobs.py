"""Jobs in documents: well-known models by name, bounds of fields, and every rule that a job keeps by itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.cli.test_cli import ended
from tests.model.samples import campus_data, job_data, model_data, network
from twin.cli.main import BAD_INPUT
from twin.errors import CatalogueError, DocumentError
from twin.formats import parse_document
from twin.model.document import TopologyDocument
from twin.model.job_rules import job_shape_issues
from twin.model.jobs import TrainingJob
from twin.model.known_models import MODELS, known_model, known_shape

BASE = campus_data()
EXPERTS = model_data(n_experts=8, n_experts_active=2)


def document(**job: Any) -> dict[str, Any]:
    return BASE | {"jobs": [job_data(**job)], "default_job": None, "plans": []}


def read(**job: Any) -> TrainingJob:
    return parse_document({k: v for k, v in document(**job).items() if v is not None}).jobs[0]


def faults(**job: Any) -> dict[str, str]:
    """Place -> problem and hint of every bad field."""
    with pytest.raises(DocumentError) as caught:
        read(**job)
    return {issue.where: f"{issue.problem} {issue.hint}" for issue in caught.value.issues}


# --- well-known models ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_by_name_is_its_published_shape(name: str) -> None:
    found = read(model=name, parallelism={}).model
    assert found == replace(known_model(name).shape, preset=name) == known_shape(name)
    assert found.n_parameters() == pytest.approx(MODELS[name].n_parameters, rel=0.04)
    assert read(model={"preset": name}).model == found


def test_fields_beside_a_preset_take_its_place() -> None:
    found = read(model={"preset": "llama-3.1-405b", "n_sequence": 16384, "n_kv_heads": None}).model
    assert found == known_shape("llama-3.1-405b", n_sequence=16384, n_kv_heads=None)
    assert found.preset == "llama-3.1-405b"


@pytest.mark.parametrize("model", ["mixtral-8x7b", {"preset": "llama-3.1-8b", "n_layers": 16}, EXPERTS])
def test_a_job_survives_the_round_trip(model: Any) -> None:
    places = [{"site": "a", "racks": "a-rack-*", "micro_batch_s": 0.5}, {"site": "b", "pace_ratio": 0.8}]
    data = {k: v for k, v in document(model=model, placement=places, jitter_ratio=0.1).items() if v is not None}
    first = parse_document(data)
    again = parse_document(json.loads(json.dumps(network(first).to_document().to_dict(), allow_nan=False)))
    assert again.jobs == first.jobs
    assert again.to_json() == first.canonical().to_json()


@pytest.mark.parametrize(
    ("model", "where", "words"),
    [
        ("foo", "jobs[job].model", "unknown model 'foo'; `twin models` lists what there is "),
        ("llama-3.1-405", "jobs[job].model", "unknown model 'llama-3.1-405'; did you mean 'llama-3.1-405b'"),
        ({"preset": "mixtral-8x7"}, "jobs[job].model", "did you mean 'mixtral-8x7b'"),
        ({"preset": "llama-3.1-8b", "n_sequnce": 4096}, "jobs[job].model.n_sequnce", "did you mean 'n_sequence'"),
        ({"preset": "llama-3.1-8b", "n_layers": 0}, "jobs[job].model.n_layers", "must be at least 1"),
        ({"presett": "llama-3.1-8b"}, "jobs[job].model.presett", "did you mean 'preset'"),
        (3, "jobs[job].model", "found 3"),
    ],
)
def test_a_misspelled_model_is_told_with_near_names(model: Any, where: str, words: str) -> None:
    found = faults(model=model)
    assert words in found[where]
    assert not any("Value error" in problem for problem in found.values())


@pytest.mark.parametrize(
    ("job", "where", "words"),
    [
        ({"parallelism": {"tpp": 2}}, "jobs[job].parallelism.tpp", "'tp'"),
        ({"placement": [{"site": "a", "pace": 1.0}]}, "jobs[job].placement[0].pace", "'pace_ratio'"),
        ({"recompute": "ful"}, "jobs[job].recompute", "'full'"),
        ({"precision": "fp16"}, "jobs[job].precision", "'bf16'"),
        ({"across_sites": "pipelines"}, "jobs[job].across_sites", "'pipeline'"),
        ({"split": "balance"}, "jobs[job].split", "'balanced'"),
    ],
)
def test_a_misspelled_field_is_told_with_near_names(job: dict[str, Any], where: str, words: str) -> None:
    found = faults(**job)
    assert list(found) == [where]
    assert words in found[where]


def test_the_command_tells_of_a_misspelled_model(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "n.json"
    path.write_text(json.dumps({k: v for k, v in document(model="llama-3.1-405").items() if v is not None}))
    code, said = ended(monkeypatch, capsys, "score", str(path))
    assert code == BAD_INPUT
    assert "jobs[job].model: unknown model 'llama-3.1-405'; did you mean 'llama-3.1-405b'" in said


def test_an_unknown_model_is_an_error_of_the_catalogue() -> None:
    with pytest.raises(CatalogueError, match=r"gpt-3.*did you mean 'gpt-3-175b'"):
        known_model("gpt-3")


def test_the_schema_says_all_three_forms() -> None:
    """A whole shape, a name, or a name with some fields changed; and no other."""
    schema = TopologyDocument.model_json_schema()
    forms = schema["$defs"]["TrainingJob"]["properties"]["model"]["anyOf"]
    assert forms[0] == {"$ref": "#/$defs/ModelShape"}
    changed, name = forms[1:]
    assert name == {"type": "string", "enum": list(MODELS)}
    assert changed["required"] == ["preset"]
    assert changed["additionalProperties"] is False
    assert changed["properties"]["preset"]["enum"] == list(MODELS)
    assert set(changed["properties"]) == set(schema["$defs"]["ModelShape"]["properties"])
    assert not any("default" in spec for spec in changed["properties"].values())


# --- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "where"),
    [
        ({"parallelism": {"tp": 0}}, "jobs[job].parallelism.tp"),
        ({"parallelism": {"pp": 10_001}}, "jobs[job].parallelism.pp"),
        ({"parallelism": {"ep": 0}}, "jobs[job].parallelism.ep"),
        ({"parallelism": {"dp": 0}}, "jobs[job].parallelism.dp"),
        ({"parallelism": {"fully_sharded": 1}}, "jobs[job].parallelism.fully_sharded"),
        ({"parallelism": {"n_micro_batch": 1.5}}, "jobs[job].parallelism.n_micro_batch"),
        ({"jitter_ratio": -0.1}, "jobs[job].jitter_ratio"),
        ({"jitter_ratio": 1.1}, "jobs[job].jitter_ratio"),
        ({"exchange_bits_per_parameter": 0}, "jobs[job].exchange_bits_per_parameter"),
        ({"gradient_bytes_per_parameter": 17}, "jobs[job].gradient_bytes_per_parameter"),
        ({"n_global_batch": 0}, "jobs[job].n_global_batch"),
        ({"n_local_steps": 0}, "jobs[job].n_local_steps"),
        ({"n_overlap_steps": -1}, "jobs[job].n_overlap_steps"),
        ({"n_training_tokens": 0.5}, "jobs[job].n_training_tokens"),
        ({"placement": [{"site": "a", "pace_ratio": 0}]}, "jobs[job].placement[0].pace_ratio"),
        ({"placement": [{"site": "a", "micro_batch_s": 0}]}, "jobs[job].placement[0].micro_batch_s"),
        ({"placement": [{"site": "a", "n_micro_batches": -1}]}, "jobs[job].placement[0].n_micro_batches"),
        ({"placement": [{"site": "a", "n_accelerators": 0}]}, "jobs[job].placement[0].n_accelerators"),
        ({"placement": [{"site": "a", "racks": ""}]}, "jobs[job].placement[0].racks"),
        ({"model": model_data(n_experts=0)}, "jobs[job].model.n_experts"),
        ({"model": model_data(n_kv_heads=0)}, "jobs[job].model.n_kv_heads"),
        ({"model": model_data(n_shared_experts=-1)}, "jobs[job].model.n_shared_experts"),
    ],
)
def test_a_figure_out_of_bounds_is_told(job: dict[str, Any], where: str) -> None:
    assert list(faults(**job)) == [where]


# --- rules ------------------------------------------------------------------------------------------------------------

LOCAL = {"sync": "local_sgd", "n_local_steps": 8}


@pytest.mark.parametrize(
    ("job", "where", "problem", "hint"),
    [
        ({"placement": []}, "placement", "no place to run", "name at least one site"),
        ({"placement": [{"site": "a"}] * 2}, "placement", "site 'a' (any kind) stands 2 times", ""),
        (
            {"placement": [{"site": "a", "accelerator": "H100", "racks": "x*"}] * 2},
            "placement",
            "site 'a' (H100, racks x*) stands 2 times",
            "",
        ),
        ({"split": "stated"}, "placement[0].n_micro_batches", "missing", "everywhere"),
        ({"placement": [{"site": "a", "n_micro_batches": 4}]}, "placement[0].n_micro_batches", "another split", ""),
        (
            {"placement": [{"site": "a", "micro_batch_s": 1.0, "pace_ratio": 0.9}]},
            "placement[0].pace_ratio",
            "measured",
            "leave one",
        ),
        (
            {
                "split": "stated",
                "across_sites": "pipeline",
                "placement": [{"site": "a", "n_micro_batches": 4}],
            },
            "split",
            "one number of micro batches",
            "split: uniform",
        ),
        ({"model": model_data(n_experts=4, n_experts_active=5)}, "model", "5 active experts of 4", ""),
        ({"model": model_data(n_kv_heads=3)}, "model", "16 heads do not divide by 3 key-value heads", ""),
        ({"model": EXPERTS | {"n_dense_layers": 9, "n_dense_ffn_hidden": 8}}, "model", "9 dense layers of 8", ""),
        ({"model": EXPERTS | {"n_dense_layers": 1}}, "model", "go together", ""),
        ({"model": model_data(n_dense_layers=1, n_dense_ffn_hidden=8)}, "model", "in a model with experts", ""),
        ({"model": model_data(n_shared_experts=1)}, "model", "shared experts in a model without", ""),
        ({"model": model_data(n_hidden=4100)}, "model", "4100 does not divide by 16", "n_head_width"),
        ({"parallelism": {"n_virtual_stages": 2}}, "parallelism", "need pp > 1", "set n_virtual_stages to 1"),
        (
            {"model": model_data(n_attention_parameters=4096**2)},
            "model.n_attention_parameters",
            "as few as its output has alone",
            "more than 16777216",
        ),
        ({"parallelism": {"pp": 9}}, "parallelism", "9 exceeds the 8 layers", "pp up to 8"),
        ({"parallelism": {"pp": 4, "n_virtual_stages": 3}}, "parallelism", "12 exceeds the 8", "up to 2"),
        ({"parallelism": {"tp": 3}}, "parallelism.tp", "does not divide the 16 heads", "one of 1, 2, 4, 8, 16"),
        ({"parallelism": {"cp": 3}}, "parallelism.cp", "2048 tokens does not divide by cp 3", "divisor of 2048"),
        ({"model": EXPERTS, "parallelism": {"ep": 3}}, "parallelism.ep", "8 experts do not divide", "1, 2, 4, 8"),
        (
            {"model": EXPERTS | {"n_experts": 12}, "parallelism": {"tp": 4, "ep": 6}},
            "parallelism.ep",
            "ep 6 neither divides tp x cp = 4",
            "multiple or divisor",
        ),
        ({"parallelism": {"n_micro_batch": 3}}, "n_global_batch", "no whole micro batches of 3", "a multiple of 3"),
        ({"n_local_steps": 2}, "n_local_steps", "local steps belong to sync: local_sgd", ""),
        ({"n_fragment_layers": 2}, "n_fragment_layers", "n_fragment_layers belongs to", ""),
        ({"n_overlap_steps": 2}, "n_overlap_steps", "n_overlap_steps belongs to", ""),
        ({"exchange_bits_per_parameter": 4}, "exchange_bits_per_parameter", "belongs to sync: local_sgd", ""),
        ({"sync": "local_sgd"}, "n_local_steps", "at every step is none", "2 or more"),
        (
            {"sync": "local_sgd", "n_local_steps": 1, "exchange_bits_per_parameter": 4},
            "n_local_steps",
            "at every step is none",
            "or sync: every_step",
        ),
        (LOCAL | {"n_fragment_layers": 9}, "n_fragment_layers", "fragments of 9 of 8 layers", "up to 8"),
        (LOCAL | {"across_sites": "pipeline"}, "sync", "whole replicas at each site", "across_sites: data"),
        (LOCAL | {"n_fragment_layers": 1, "n_overlap_steps": 1}, "n_local_steps", "8 fragments in 8 steps", "larger"),
    ],
)
def test_a_broken_rule_is_named_with_place_and_what_would_do(
    job: dict[str, Any], where: str, problem: str, hint: str
) -> None:
    (issue,) = job_shape_issues(read(**job))
    assert issue.where == f"jobs[job].{where}"
    assert problem in issue.problem
    assert hint in (issue.hint or "")


@pytest.mark.parametrize(
    "job",
    [
        {"model": EXPERTS, "parallelism": {"tp": 2, "cp": 2, "ep": 8}},
        {"model": EXPERTS, "parallelism": {"tp": 8, "ep": 2}},
        {"model": EXPERTS | {"n_dense_layers": 8, "n_dense_ffn_hidden": 8}},
        {"model": model_data(n_hidden=4100, n_head_width=64)},
        {"model": model_data(n_attention_parameters=4096**2 + 1)},
        LOCAL | {"n_fragment_layers": 8},
        {"placement": [{"site": "a", "racks": "x*"}, {"site": "a", "racks": "y*"}, {"site": "a"}]},
        {"split": "stated", "placement": [{"site": "a", "n_micro_batches": 0}]},
        LOCAL | {"n_fragment_layers": 2, "n_overlap_steps": 1, "exchange_bits_per_parameter": 4.0},
        {"across_sites": "pipeline", "parallelism": {"pp": 8}},
    ],
)
def test_a_job_within_the_rules_passes(job: dict[str, Any]) -> None:
    assert not list(job_shape_issues(read(**job)))


@pytest.mark.parametrize(
    ("model", "says"),
    [(405, "should be the name of a model"), ({"n_sequence": 4096}, "names no preset"), ({}, "names no")],
)
def test_what_is_no_model_at_all_is_told_what_one_is(model: Any, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        parse_document(campus_data() | {"jobs": [job_data(model=model)], "default_job": "job"})
