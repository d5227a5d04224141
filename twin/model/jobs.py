"""Records of training jobs: what is trained, how it is cut, where it runs, and what happens when something breaks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, WithJsonSchema

from .identity import Name, Provenance, Tags
from .known_models import MODELS, expand_preset
from .records import STRICT, Id
from .shape import ModelShape

Recompute = Literal["none", "selective", "full"]
Precision = Literal["bf16", "fp8"]
Width = Annotated[int, Field(ge=1, le=100_000)]


@dataclass(frozen=True, slots=True)
class Parallelism:
    """How the job is cut over accelerators: tensor, context, expert, pipeline (with virtual stages), data."""

    __pydantic_config__ = STRICT

    tp: Width = 1
    pp: Annotated[int, Field(ge=1, le=10_000)] = 1
    cp: Annotated[int, Field(ge=1, le=10_000)] = 1
    n_virtual_stages: Annotated[int, Field(ge=1, le=1000)] = 1
    n_micro_batch: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Sequences in a micro batch."""
    ep: Width = 1
    """Ranks of a stage that the experts of a layer are spread over; 1 = each is cut as all other matrices are."""
    dp: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Replicas; None = as many as the placement holds. Where stated, the placement must hold just as many."""
    fully_sharded: bool = False
    """Weights, gradients and optimizer state are spread over the replicas of a site and gathered layer by layer."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Accelerators that a job takes at one site; racks in the order of their ids."""

    __pydantic_config__ = STRICT

    site: Id
    n_accelerators: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """None = as many as whole replicas fit on."""
    accelerator: Id | None = None
    """Only racks of this kind; None = any."""
    racks: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Only racks whose id is like this pattern (`*`, `?`, `[..]`); None = any."""
    n_micro_batches: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    """Micro batches that each replica here takes in a step, for `split: stated`."""
    pace_ratio: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Pace of the accelerators here over the catalogue's: below 1 where heat or a power cap slows them."""
    micro_batch_s: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Measured: one micro batch on one stage, forward and backward, with all exchange of its replica at the site. It
    overrides the model of the accelerator; the other stages are taken to be alike."""


def _whole_model(data: Any) -> Any:
    return expand_preset(data)


def _changed_preset() -> dict[str, Any]:
    """JSON Schema of a well-known model with some fields changed: any field of a shape, none but the name needed."""
    fields: dict[str, Any] = TypeAdapter(ModelShape).json_schema()["properties"]
    kept = {name: {k: v for k, v in spec.items() if k != "default"} for name, spec in fields.items()}
    kept["preset"] = {"type": "string", "enum": list(MODELS), "title": "Preset"}
    return {"type": "object", "properties": kept, "required": ["preset"], "additionalProperties": False}


_Preset = Annotated[str, WithJsonSchema({"type": "string", "enum": list(MODELS)})]
_ChangedPreset = Annotated[dict[str, Any], WithJsonSchema(_changed_preset())]


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One model in training over one or several sites."""

    __pydantic_config__ = STRICT

    id: Id
    model: Annotated[
        ModelShape, BeforeValidator(_whole_model, json_schema_input_type=ModelShape | _ChangedPreset | _Preset)
    ]
    parallelism: Parallelism
    n_global_batch: Annotated[int, Field(ge=1, le=100_000_000)]
    """Sequences in an optimizer step."""
    placement: tuple[Placement, ...]
    precision: Precision = "bf16"
    recompute: Recompute = "none"
    """What of the forward pass is done again in the backward pass to save memory: nothing, attention, or all."""
    split: Literal["uniform", "balanced", "stated"] = "uniform"
    """Uniform: every replica the same number of micro batches. Balanced: whole micro batches by group that end
    together, or the uniform split where that is shorter. Stated: `n_micro_batches` of each placement."""
    across_sites: Literal["data", "pipeline"] = "data"
    """data: whole replicas at each site, gradients between them. pipeline: every replica has stages at each site, and
    activations go between them."""
    sync: Literal["every_step", "local_sgd"] = "every_step"
    n_local_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Local SGD only: optimizer steps between two exchanges of the sites (H)."""
    n_fragment_layers: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Local SGD only: layers exchanged together, the fragments taking turns (streaming); None = all at once."""
    n_overlap_steps: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Local SGD only: whole steps that an exchange may take before anybody waits for it (tau)."""
    exchange_bits_per_parameter: Annotated[float, Field(gt=0, le=128)] | None = None
    """Local SGD only: what the sites send of each parameter, each way; None = as gradients and parameters are sent."""
    gradient_bytes_per_parameter: Annotated[float, Field(gt=0, le=16)] = 4.0
    """Per parameter in the reduce-scatter; fp32 is common."""
    parameter_bytes_per_parameter: Annotated[float, Field(gt=0, le=16)] = 2.0
    """Per parameter in the all-gather; bf16."""
    jitter_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Standard deviation of a replica's time for a micro batch over its mean; a step waits for the slowest replica."""
    recovery: Literal["restart", "elastic"] = "restart"
    """After an interruption: start again from the last checkpoint, or go on from the memory of the others."""
    on_site_loss: Literal["stop", "go_on"] = "stop"
    """While a site is cut off: wait for its repair, or train on without it."""
    n_training_tokens: Annotated[float, Field(ge=1, le=1e18)] | None = None
    """Tokens of the whole training, for the time to train."""
    note: Annotated[str, Field(max_length=4000)] = ""
    name: Name = ""
    """What people call it; no key, and free to change."""
    tags: Tags = ()
    """Free words, kept as they are."""
    source: Provenance | None = None
    """Where the record comes from: a text, or file, position and id there."""

    @property
    def is_local_sgd(self) -> bool:
        """Whether sites exchange more rarely than every step; with one local step they do not."""
        return self.sync == "local_sgd" and self.n_local_steps > 1


def changed(job: TrainingJob, **changes: Any) -> TrainingJob:
    """A copy of a job with some fields replaced; of a narrowed view of a job, one as narrow."""
    own = getattr(type(job), "__replace__", None)
    found: TrainingJob = replace(job, **changes) if own is None else own(job, **changes)
    return found


def on_places(job: TrainingJob, placement: tuple[Placement, ...]) -> TrainingJob:
    """The job at other places: as many replicas as fit there; a split stated for those it had becomes balanced."""
    if job.split == "stated":
        placement = tuple(replace(place, n_micro_batches=None) for place in placement)
        job = replace(job, split="balanced")
    return replace(job, placement=placement, parallelism=replace(job.parallelism, dp=None))
