"""Kind `training_step`: one optimizer step on the reference node of an accelerator, without a network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ..catalogue import catalogue
from ..model.records import STRICT
from ..model.shape import ModelShape
from ..workload.compute import AcceleratorProfile
from ..workload.layout import Layout
from ..workload.memory import memory_use
from ..workload.reference_node import DataExchange, reference_step
from .figures import Figures, value_of

GRADIENT_BYTES, PARAMETER_BYTES = 2.0, 2.0
"""Bytes per parameter in the published runs, which reduce gradients in bf16."""
LargeCount = Annotated[int, Field(ge=1, le=100_000_000)]
SmallCount = Annotated[int, Field(ge=1, le=100_000)]
CountOrZero = Annotated[int, Field(ge=0, le=100_000_000)]


class StepModel(BaseModel):
    """A transformer; with experts, `ffn_hidden` is the width of one expert."""

    model_config = STRICT | {"frozen": True}

    n_layers: SmallCount
    hidden: LargeCount
    n_heads: SmallCount
    n_kv_heads: SmallCount | None = None
    ffn_hidden: LargeCount
    gated_ffn: bool = False
    vocab: LargeCount
    sequence: LargeCount
    head_width: SmallCount | None = None
    n_experts: SmallCount = 1
    n_experts_active: SmallCount = 1
    n_shared_experts: CountOrZero = 0
    n_dense_layers: CountOrZero = 0
    dense_ffn_hidden: CountOrZero = 0
    attention_parameters: Annotated[int, Field(ge=1, le=10**12)] | None = None
    n_predict_layers: CountOrZero = 0

    def shape(self) -> ModelShape:
        """Return the record that the workload package uses."""
        return ModelShape(
            n_layers=self.n_layers,
            n_hidden=self.hidden,
            n_heads=self.n_heads,
            n_ffn_hidden=self.ffn_hidden,
            n_vocab=self.vocab,
            n_sequence=self.sequence,
            n_kv_heads=self.n_kv_heads,
            gated_ffn=self.gated_ffn,
            n_experts=self.n_experts,
            n_experts_active=self.n_experts_active,
            n_shared_experts=self.n_shared_experts,
            n_dense_layers=self.n_dense_layers,
            n_dense_ffn_hidden=self.dense_ffn_hidden,
            n_head_width=self.head_width,
            n_attention_parameters=self.attention_parameters,
            n_predict_layers=self.n_predict_layers,
        )


class StepParallel(BaseModel):
    """Parallelism of the job; `micro_batch` counts sequences."""

    model_config = STRICT | {"frozen": True}

    tp: SmallCount = 1
    pp: SmallCount = 1
    dp: SmallCount = 1
    cp: SmallCount = 1
    ep: SmallCount = 1
    virtual_stages: SmallCount = 1
    micro_batch: LargeCount = 1
    fully_sharded: bool = False
    expert_overlap: bool = False


class TrainingStepGiven(BaseModel):
    """A job on accelerators of one kind; `global_batch` counts sequences."""

    model_config = STRICT | {"frozen": True}

    accelerator: Annotated[str, Field(min_length=1, max_length=200)]
    precision: Literal["bf16", "fp8"] = "bf16"
    n_accelerators: LargeCount
    model: StepModel
    parallel: StepParallel
    global_batch: LargeCount
    recompute: Literal["none", "selective", "full"] = "none"
    launch: Literal["graph", "eager"] = "graph"

    def layout(self) -> Layout:
        """Return the record that the workload package uses."""
        parallel = self.parallel
        return Layout(
            tp=parallel.tp,
            pp=parallel.pp,
            dp=parallel.dp,
            cp=parallel.cp,
            ep=parallel.ep,
            n_virtual_stages=parallel.virtual_stages,
            n_micro_batch=parallel.micro_batch,
            fully_sharded=parallel.fully_sharded,
            recompute=self.recompute,
            eager=self.launch == "eager",
            expert_overlap=parallel.expert_overlap,
        )


def data_exchange(accelerator: str) -> DataExchange:
    """Return the data exchange of the published runs on this accelerator, from the catalogue."""
    general = catalogue().general_figure
    overlap_ratio = (
        catalogue().get(accelerator, "accelerator").value_or("overlap_ratio", general("overlap_ratio").value)
    )
    return DataExchange(GRADIENT_BYTES, PARAMETER_BYTES, overlap_ratio, general("n_gradient_buckets").value)


def run_training_step(given: TrainingStepGiven, _expected: frozenset[str]) -> Figures:
    """Compute the step time, its parts, and the memory use; `memory_use_ratio` above 1 does not fit.

    Raises DocumentError for an inconsistent layout, CatalogueError for an unknown accelerator or precision.
    """
    shape, layout, n_batch = given.model.shape(), given.layout(), given.global_batch
    layout.check(shape, n_batch, given.n_accelerators)
    part = catalogue().get(given.accelerator, "accelerator")
    profile = AcceleratorProfile.of(part.value, given.precision)
    step = reference_step(shape, layout, profile, data_exchange(given.accelerator), n_batch)
    memory = memory_use(shape, layout, profile, layout.n_micro_batches(n_batch), GRADIENT_BYTES)
    model_flops = shape.flops_per_token() * n_batch * shape.n_sequence
    peak_flops = part.value(f"{given.precision}_tflops") * 1e12 * given.n_accelerators
    return {
        "step_time_s": value_of(step.step_time_s),
        "compute_time_s": value_of(step.compute_s),
        "bubble_time_s": value_of(step.bubble_s),
        "point_to_point_time_s": value_of(step.point_to_point_s),
        "exposed_data_time_s": value_of(step.exposed_data_s),
        "optimizer_time_s": value_of(step.optimizer_s),
        "tokens_per_s": value_of(n_batch * shape.n_sequence / step.step_time_s),
        "mfu_ratio": value_of(model_flops / (step.step_time_s * peak_flops)),
        "memory_bytes": value_of(memory.total_bytes),
        "memory_use_ratio": value_of(memory.total_bytes / profile.memory_bytes),
    }
