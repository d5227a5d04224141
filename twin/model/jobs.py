"""Records of training jobs: model, parallelism, placement, synchronisation and recovery."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, WithJsonSchema

from .identity import Name, Note, Provenance, Tags
from .known_models import MODELS, expand_preset
from .records import STRICT, Id
from .shape import ModelShape

Recompute = Literal["none", "selective", "full"]
Precision = Literal["bf16", "fp8"]
Width = Annotated[int, Field(ge=1, le=100_000)]


@dataclass(frozen=True, slots=True)
class Parallelism:
    """Parallelism of a job: tensor, context, expert, pipeline (with virtual stages) and data."""

    __pydantic_config__ = STRICT

    tp: Width = 1
    """Tensor ranks: accelerators that share each layer. They stay within an NVLink domain."""
    pp: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Pipeline stages."""
    cp: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Context ranks: accelerators that share a sequence."""
    n_virtual_stages: Annotated[int, Field(ge=1, le=1000)] = 1
    """Pieces of the model on each pipeline stage; more than 1 interleaves the pipeline."""
    n_micro_batch: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Sequences in a micro batch."""
    ep: Width = 1
    """Ranks of a stage over which the experts of a layer are spread; 1 = experts are sharded like other matrices."""
    dp: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Replicas; None = as many as fit on the placement. A stated number must fit exactly."""
    fully_sharded: bool = False
    """True: weights, gradients and optimizer state are sharded over the replicas of a site, gathered layer by layer."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Accelerators that a job uses at one site; racks are taken in the order of their ids."""

    __pydantic_config__ = STRICT

    site: Id
    """Id of the site."""
    n_accelerators: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """None = as many as whole replicas use."""
    accelerator: Id | None = None
    """Only racks of this kind; None = any."""
    racks: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Only racks whose id matches this pattern (`*`, `?`, `[..]`); None = any."""
    n_micro_batches: Annotated[int, Field(ge=0, le=100_000_000)] | None = None
    """Micro batches of each replica at this placement in a step, for `split: stated`."""
    pace_ratio: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Speed of the accelerators over the catalogue's speed; below 1 if heat or a power cap slows them."""
    micro_batch_s: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Measured time of one micro batch on one stage, forward and backward, with the replica's communication at its
    site. It replaces the model of the accelerator; all stages are assumed equal."""


def _expand_model(data: Any) -> Any:
    return expand_preset(data)


def _preset_schema() -> dict[str, Any]:
    """Return the JSON Schema of a known model with changed fields; only `preset` is required."""
    fields: dict[str, Any] = TypeAdapter(ModelShape).json_schema()["properties"]
    properties = {name: {k: v for k, v in spec.items() if k != "default"} for name, spec in fields.items()}
    properties["preset"] = {"type": "string", "enum": list(MODELS), "title": "Preset"}
    return {"type": "object", "properties": properties, "required": ["preset"], "additionalProperties": False}


_Preset = Annotated[str, WithJsonSchema({"type": "string", "enum": list(MODELS)})]
_ChangedPreset = Annotated[dict[str, Any], WithJsonSchema(_preset_schema())]


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """Training of one model on one or several sites."""

    __pydantic_config__ = STRICT

    id: Id
    model: Annotated[
        ModelShape, BeforeValidator(_expand_model, json_schema_input_type=ModelShape | _ChangedPreset | _Preset)
    ]
    """Name of a known model, a known model with changed fields, or a whole shape."""
    parallelism: Parallelism
    """How the model is divided among accelerators."""
    n_global_batch: Annotated[int, Field(ge=1, le=100_000_000)]
    """Sequences in an optimizer step."""
    placement: tuple[Placement, ...]
    """Accelerators of the job, site by site."""
    precision: Precision = "bf16"
    """Number format of the matrix products."""
    recompute: Recompute = "none"
    """Part of the forward pass that the backward pass repeats to save memory: none, attention (selective), or full."""
    split: Literal["uniform", "balanced", "stated"] = "uniform"
    """uniform: the same number of micro batches for each replica. balanced: whole micro batches by accelerator group
    that finish together, or the uniform split if that is faster. stated: `n_micro_batches` of each placement."""
    across_sites: Literal["data", "pipeline"] = "data"
    """data: whole replicas at each site, gradients between sites. pipeline: each replica has stages at all sites, and
    activations between sites."""
    sync: Literal["every_step", "local_sgd"] = "every_step"
    """every_step: sites exchange gradients at every step. local_sgd: every `n_local_steps`."""
    n_local_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Local SGD only: optimizer steps between two exchanges between sites (H)."""
    n_fragment_layers: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Local SGD only: layers in one fragment; fragments are exchanged in turn (streaming). None = all at once."""
    n_overlap_steps: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Local SGD only: whole steps that an exchange may overlap before training waits for it (tau)."""
    exchange_bits_per_parameter: Annotated[float, Field(gt=0, le=128)] | None = None
    """Local SGD only: bits sent per parameter and direction between sites; None = width of gradients and parameters."""
    gradient_bytes_per_parameter: Annotated[float, Field(gt=0, le=16)] = 4.0
    """Bytes per parameter in the reduce-scatter; fp32 is common."""
    parameter_bytes_per_parameter: Annotated[float, Field(gt=0, le=16)] = 2.0
    """Bytes per parameter in the all-gather; the default is bf16."""
    jitter_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Standard deviation over mean of a replica's time for a micro batch. A step waits for the slowest replica."""
    recovery: Literal["restart", "elastic"] = "restart"
    """After an interruption. restart: from the last checkpoint. elastic: continue from the memory of other replicas."""
    on_site_loss: Literal["stop", "go_on"] = "stop"
    """While a site is isolated. stop: wait for its repair. go_on: train without it."""
    on_card_loss: Literal["stop", "drop_replicas", "pxn"] = "stop"
    """While a network card has no path to its rail: a leaf, card or cable is dead. stop: wait for its repair.
    drop_replicas: go on without the replicas on its accelerators. pxn: go on over the cards that are left in the NVLink
    domain."""
    pxn_spread: Literal["all", "one"] = "all"
    """For `on_card_loss: pxn`. all: the cards that are left in the NVLink domain share the traffic of a lost card.
    one: the next card that is left carries it."""
    pxn: bool | None = None
    """True: exchange between accelerators of different rails goes over NVLink to the card of the other rail. False: it
    needs a path between the rails. None = as the document says."""
    n_training_tokens: Annotated[float, Field(ge=1, le=1e18)] | None = None
    """Tokens of the whole training run; for the time to train."""
    note: Note = ""
    """Text for readers."""
    name: Name = ""
    """Display name; not a key."""
    tags: Tags = ()
    """Free labels; not used in answers."""
    source: Provenance | None = None
    """Origin of the record: a text, or file, position and id in it."""

    @property
    def is_local_sgd(self) -> bool:
        """Whether sites synchronise less often than every step; False with one local step."""
        return self.sync == "local_sgd" and self.n_local_steps > 1


def changed(job: TrainingJob, **changes: Any) -> TrainingJob:
    """Return a copy of a job with some fields replaced; a copy of a restricted view has the same restriction."""
    replace_view = getattr(type(job), "__replace__", None)
    result: TrainingJob = replace(job, **changes) if replace_view is None else replace_view(job, **changes)
    return result


def with_placement(job: TrainingJob, placement: tuple[Placement, ...]) -> TrainingJob:
    """Return the job on another placement, with as many replicas as fit.

    A stated split belongs to the old placement, so it becomes balanced.
    """
    if job.split == "stated":
        placement = tuple(replace(item, n_micro_batches=None) for item in placement)
        job = replace(job, split="balanced")
    return replace(job, placement=placement, parallelism=replace(job.parallelism, dp=None))
