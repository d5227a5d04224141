"""Kind `training_step`: published steps within their tolerance, and what a case may say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from twin.check import KINDS, check_file
from twin.errors import CatalogueError, DocumentError
from twin.model.validation import validate_as

FIXTURES = Path(__file__).parents[2] / "fixtures"
FIXTURE, EXPERTS = FIXTURES / "training_steps_published.json", FIXTURES / "training_steps_experts.json"
GIVEN: dict[str, Any] = {
    "accelerator": "H100",
    "precision": "bf16",
    "n_accelerators": 64,
    "model": {
        "n_layers": 80,
        "hidden": 8192,
        "n_heads": 64,
        "n_kv_heads": 8,
        "ffn_hidden": 28672,
        "gated_ffn": True,
        "vocab": 128256,
        "sequence": 8192,
    },
    "parallel": {"tp": 4, "pp": 4, "dp": 4},
    "global_batch": 64,
}


def run(**changed: Any) -> Any:
    given = {**GIVEN, **changed}
    kind = KINDS["training_step"]
    return kind.run(validate_as(kind.given, given, "given"), frozenset())


def test_published_steps_are_within_12_percent_in_the_mean() -> None:
    result = check_file(FIXTURE)
    assert result.within
    assert result.figures[0].mean_ratio == pytest.approx(0.06, abs=0.02)
    assert result.n_cases == 53


@pytest.mark.parametrize("accelerator", ["A100-80GB", "H100", "GB200", "GB300"])
def test_every_published_generation_is_within_12_percent(accelerator: str) -> None:
    given = {case["id"]: case["given"] for case in json.loads(FIXTURE.read_text(encoding="utf-8"))["cases"]}
    ratios = [row.off_by_ratio for row in check_file(FIXTURE).rows if given[row.case]["accelerator"] == accelerator]
    assert len(ratios) > 5
    assert sum(ratio for ratio in ratios if ratio is not None) / len(ratios) < 0.12


def test_published_steps_with_experts_are_within_15_percent_in_the_mean() -> None:
    result = check_file(EXPERTS)
    assert result.within
    assert result.figures[0].mean_ratio == pytest.approx(0.127, abs=0.01)
    assert result.n_cases == 43


@pytest.mark.parametrize(
    ("model", "most"),
    [("DeepSeek-V3", 0.1), ("Kimi-K2", 0.1), ("Qwen3-235B", 0.1), ("Qwen3-30B", 0.1), ("GPT-OSS", 0.35)],
)
def test_every_model_with_experts_is_as_far_off_as_the_page_says(model: str, most: float) -> None:
    ratios = [row.off_by_ratio for row in check_file(EXPERTS).rows if model in row.case]
    assert sum(ratio for ratio in ratios if ratio is not None) / len(ratios) < most


@pytest.mark.parametrize("accelerator", ["A100-80GB", "H100", "H200", "B200", "B300", "GB200", "GB300"])
def test_every_accelerator_of_the_catalogue_answers(accelerator: str) -> None:
    found = run(accelerator=accelerator)
    parts = ("compute", "bubble", "point_to_point", "exposed_data", "optimizer")
    assert sum(found[f"{part}_time_s"] for part in parts) == pytest.approx(found["step_time_s"])
    assert 0.1 < found["mfu_ratio"] < 0.7
    assert found["tokens_per_s"] == pytest.approx(64 * 8192 / found["step_time_s"])


def test_newer_accelerators_are_faster() -> None:
    times = [run(accelerator=name)["step_time_s"] for name in ("A100-80GB", "H100", "B200", "GB200")]
    assert times == sorted(times, reverse=True)
    assert run(precision="fp8")["step_time_s"] < run()["step_time_s"]


def test_what_is_absent_has_its_default() -> None:
    parallel = {**GIVEN["parallel"], "cp": 1, "ep": 1, "virtual_stages": 1, "micro_batch": 1, "fully_sharded": False}
    assert run(parallel=parallel, recompute="none") == run()
    heads = {name: value for name, value in GIVEN["model"].items() if name != "n_kv_heads"}
    assert run(model=heads) == run(model={**heads, "n_kv_heads": 64})


def test_experts_may_be_given() -> None:
    model = {**GIVEN["model"], "n_experts": 8, "n_experts_active": 2, "ffn_hidden": 14336}
    found = run(model=model, parallel={"tp": 1, "pp": 8, "dp": 8, "ep": 8})
    assert found["step_time_s"] > 0


def test_experts_may_be_hidden_or_launched_one_kernel_after_another() -> None:
    model = {**GIVEN["model"], "n_experts": 8, "n_experts_active": 2, "ffn_hidden": 1024}
    parallel = {"tp": 1, "pp": 8, "dp": 8, "ep": 8}
    shown = run(model=model, parallel=parallel)["step_time_s"]
    assert run(model=model, parallel={**parallel, "expert_overlap": True})["step_time_s"] < shown
    short = {**model, "sequence": 1024}
    captured = run(model=short, parallel=parallel)["step_time_s"]
    assert run(model=short, parallel=parallel, launch="eager")["step_time_s"] > 2 * captured
    assert run(launch="eager") == run()


def test_compressed_attention_and_layers_that_predict_further_may_be_given() -> None:
    few = {**GIVEN["model"], "attention_parameters": 100_000_000}
    assert run(model=few)["step_time_s"] < run()["step_time_s"]
    assert run(model={**GIVEN["model"], "n_predict_layers": 1})["step_time_s"] > run()["step_time_s"]


def test_layers_need_not_divide_and_memory_need_not_fit() -> None:
    assert run(parallel={"tp": 4, "pp": 16, "dp": 1, "virtual_stages": 3})["step_time_s"] > 0
    found = run(parallel={"tp": 1, "pp": 1, "dp": 64})
    assert found["memory_use_ratio"] > 5
    assert found["memory_bytes"] == pytest.approx(found["memory_use_ratio"] * 80e9)


@pytest.mark.parametrize(
    ("changed", "error", "told"),
    [
        ({"n_accelerators": 63}, DocumentError, "is not the 63 accelerators"),
        ({"global_batch": 65}, DocumentError, "expected a multiple of 4"),
        ({"accelerator": "H10"}, CatalogueError, "did you mean 'H100'"),
        ({"accelerator": "400ZR"}, CatalogueError, "of kind transceiver"),
        ({"accelerator": "A100-80GB", "precision": "fp8"}, CatalogueError, "no figure 'fp8_tflops'"),
        ({"precision": "fp16"}, DocumentError, "'bf16' or 'fp8'"),
        ({"recompute": "some"}, DocumentError, "'selective'"),
        ({"launch": "lazy"}, DocumentError, "'graph' or 'eager'"),
        ({"parallel": {"tp": 0}}, DocumentError, "must be at least 1"),
        ({"parallel": {"tpp": 1}}, DocumentError, "did you mean 'tp'"),
    ],
)
def test_what_does_not_hold_is_refused(changed: dict[str, Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        run(**changed)
