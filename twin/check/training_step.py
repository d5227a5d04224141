"""Kind `training_step`: one optimizer step on the catalogue's reference node of an accelerator, no network given."""

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
"""Per parameter in the exchange of the published runs: gradients are reduced in bf16."""
Many = Annotated[int, Field(ge=1, le=100_000_000)]
Few = Annotated[int, Field(ge=1, le=100_000)]
MaybeNone = Annotated[int, Field(ge=0, le=100_000_000)]


class StepModel(BaseModel):
    """The transformer; `ffn_hidden` is the width of one expert where there are any."""

    model_config = STRICT | {"frozen": True}

    n_layers: Few
    hidden: Many
    n_heads: Few
    n_kv_heads: Few | None = None
    ffn_hidden: Many
    gated_ffn: bool = False
    vocab: Many
    sequence: Many
    head_width: Few | None = None
    n_experts: Few = 1
    n_experts_active: Few = 1
    n_shared_experts: MaybeNone = 0
    n_dense_layers: MaybeNone = 0
    dense_ffn_hidden: MaybeNone = 0
    attention_parameters: Annotated[int, Field(ge=1, le=10**12)] | None = None
    n_predict_layers: MaybeNone = 0

    def shape(self) -> ModelShape:
        """As the workload knows it."""
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
    """How the job is cut; `micro_batch` counts sequences."""

    model_config = STRICT | {"frozen": True}

    tp: Few = 1
    pp: Few = 1
    dp: Few = 1
    cp: Few = 1
    ep: Few = 1
    virtual_stages: Few = 1
    micro_batch: Many = 1
    fully_sharded: bool = False
    expert_overlap: bool = False


class TrainingStepGiven(BaseModel):
    """A job on accelerators of one kind; `global_batch` counts sequences."""

    model_config = STRICT | {"frozen": True}

    accelerator: Annotated[str, Field(min_length=1, max_length=200)]
    precision: Literal["bf16", "fp8"] = "bf16"
    n_accelerators: Many
    model: StepModel
    parallel: StepParallel
    global_batch: Many
    recompute: Literal["none", "selective", "full"] = "none"
    launch: Literal["graph", "eager"] = "graph"

    def layout(self) -> Layout:
        """As the workload knows it."""
        cut = self.parallel
        return Layout(
            tp=cut.tp,
            pp=cut.pp,
            dp=cut.dp,
            cp=cut.cp,
            ep=cut.ep,
            n_virtual_stages=cut.virtual_stages,
            n_micro_batch=cut.micro_batch,
            fully_sharded=cut.fully_sharded,
            recompute=self.recompute,
            eager=self.launch == "eager",
            expert_overlap=cut.expert_overlap,
        )


def data_exchange(accelerator: str) -> DataExchange:
    """That of the published runs on this accelerator, as the catalogue has it."""
    general = catalogue().general_figure
    hidden = catalogue().get(accelerator, "accelerator").value_or("overlap_ratio", general("overlap_ratio").value)
    return DataExchange(GRADIENT_BYTES, PARAMETER_BYTES, hidden, general("n_gradient_buckets").value)


def run_training_step(given: TrainingStepGiven, _wanted: frozenset[str]) -> Figures:
    """The step and its parts; memory that would not fit is no error here: `memory_use_ratio` is then above 1.

    Raises DocumentError for a layout that does not hold together, CatalogueError for an accelerator or precision that
    the catalogue does not know.
    """
    shape, layout, n_batch = given.model.shape(), given.layout(), given.global_batch
    layout.check(shape, n_batch, given.n_accelerators)
    part = catalogue().get(given.accelerator, "accelerator")
    profile = AcceleratorProfile.of(part.value, given.precision)
    step = reference_step(shape, layout, profile, data_exchange(given.accelerator), n_batch)
    held = memory_use(shape, layout, profile, layout.n_micro_batches(n_batch), GRADIENT_BYTES)
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
        "memory_bytes": value_of(held.total_bytes),
        "memory_use_ratio": value_of(held.total_bytes / profile.memory_bytes),
    }
