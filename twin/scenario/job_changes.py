"""Changes of the workload: demands, and placement, parallelism, batch split, synchronisation and recovery of a job."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..errors import ChangeError, did_you_mean
from ..model.document import TopologyDocument
from ..model.globs import Globs, names_matching
from ..model.job_rules import LOCAL_SGD_DEFAULTS
from ..model.jobs import Parallelism, Placement, Precision, Recompute, TrainingJob, Width, with_placement
from .change import Context, Fields, WorkloadChange

MAX_FACTOR_RATIO = 1e6
"""Greatest factor of demands."""


class ScaleDemands(WorkloadChange):
    """Multiply the demands of the document by a factor."""

    kind: Literal["scale_demands"] = "scale_demands"
    example: ClassVar[Fields] = {"factor_ratio": 1.3, "ids": ["d1", "d2"]}
    example_network: ClassVar[str] = "leaf-spine-demo"
    factor_ratio: Annotated[float, Field(ge=0, le=MAX_FACTOR_RATIO)]
    """New over old demand: 2 doubles it."""
    ids: Globs | None = None
    """Demands to scale: an id or a glob, or a list of these; None = all."""

    def edit_workload(
        self, document: TopologyDocument, job: TrainingJob | None, context: Context
    ) -> tuple[TopologyDocument, TrainingJob | None]:
        """Return the document with scaled demands."""
        if not document.demands:
            raise ChangeError("the document has no demands to scale", where=context.where)
        known = [demand.id for demand in document.demands]
        scaled = set(known if self.ids is None else names_matching(known, self.ids, context.where, "demand"))
        demands = tuple(
            replace(d, offered_gbps=d.offered_gbps * self.factor_ratio) if d.id in scaled else d
            for d in document.demands
        )
        return document.model_copy(update={"demands": demands}), job


class JobChange(WorkloadChange):
    """A change of the job alone."""

    @abstractmethod
    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """Return the job with this change."""

    def edit_workload(
        self, document: TopologyDocument, job: TrainingJob | None, context: Context
    ) -> tuple[TopologyDocument, TrainingJob | None]:
        """Return the same document, and the job with this change."""
        if job is None:
            raise ChangeError("there is no job to change", where=context.where, hint="add one under jobs")
        return document, self.edit_job(job, context)


class PlaceJob(JobChange):
    """Run the job on other placements; they replace the old ones.

    If each states its micro batches, the split is `stated`. Otherwise a split stated before becomes `balanced`.
    """

    kind: Literal["place_job"] = "place_job"
    example: ClassVar[Fields] = {
        "placement": [{"site": "c2", "n_accelerators": 2048}, {"site": "c3", "n_accelerators": 1024}]
    }
    placement: Annotated[tuple[Placement, ...], Field(min_length=1, max_length=1000)]
    """New placements, site by site."""

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """Return the job on the new placements."""
        known = [site.id for site in context.document.sites]
        for item in self.placement:
            if item.site not in known:
                raise ChangeError(f"no site {item.site!r}", where=context.where, hint=did_you_mean(item.site, known))
        if all(item.n_micro_batches is not None for item in self.placement):
            return replace(with_placement(replace(job, split="uniform"), self.placement), split="stated")
        return with_placement(job, self.placement)


class LeaveSites(JobChange):
    """Run the job without some of its sites; the placements at the other sites stay."""

    kind: Literal["leave_sites"] = "leave_sites"
    example: ClassVar[Fields] = {"sites": ["c1"]}
    sites: Globs
    """Sites of the job: an id or a glob, or a list of these."""

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """Return the job on the remaining sites."""
        job_sites = [placement.site for placement in job.placement]
        left_sites = names_matching(job_sites, self.sites, context.where, "site of the job")
        remaining = tuple(placement for placement in job.placement if placement.site not in left_sites)
        if not remaining:
            raise ChangeError("no site is left for the job", where=context.where)
        return with_placement(job, remaining)


class UseAccelerator(JobChange):
    """Run the job's accelerators at one site on another kind of accelerator.

    Their number and the pattern of allowed racks stay. A stated pace or measured time belongs to the old kind.
    """

    kind: Literal["use_accelerator"] = "use_accelerator"
    example: ClassVar[Fields] = {"site": "c1", "accelerator": "H100"}
    site: str
    """Site of the job."""
    accelerator: str | None = None
    """Catalogue id of the accelerator; None = any kind at the site."""

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """Return the job with another kind at the site."""
        job_sites = {placement.site for placement in job.placement}
        if self.site not in job_sites:
            raise ChangeError(
                f"the job is not at {self.site!r}", where=context.where, hint=did_you_mean(self.site, job_sites)
            )
        if self.accelerator is not None:
            context.reader.catalogue.get(self.accelerator, "accelerator")
        site_placements = [placement for placement in job.placement if placement.site == self.site]
        counts = [placement.n_accelerators for placement in site_placements]
        total = None if None in counts else sum(n for n in counts if n is not None)
        other_placements = tuple(placement for placement in job.placement if placement.site != self.site)
        merged = single_placement(site_placements, self.accelerator, total, (self.accelerator,), context.where)
        return with_placement(job, (*other_placements, merged))


class SplitWork(JobChange):
    """Set how the batch is divided among replicas.

    uniform: the same number of micro batches for each. balanced: whole micro batches that finish together.
    stated: a number for each site.
    """

    kind: Literal["split_work"] = "split_work"
    example: ClassVar[Fields] = {"split": "balanced"}
    split: Literal["uniform", "balanced", "stated"]
    """The new split."""
    n_micro_batches: dict[str, Annotated[int, Field(ge=0, le=100_000_000)]] | None = None
    """Micro batches of each replica in a step, by site; only for `stated`."""

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """Return the job with this split."""
        stated = self.n_micro_batches or {}
        sites = {place.site for place in job.placement}
        for site in stated:
            if site not in sites:
                raise ChangeError(f"the job is not at {site!r}", where=context.where, hint=did_you_mean(site, sites))
        if (self.split == "stated") != bool(stated):
            raise ChangeError("n_micro_batches by site go with split: stated", where=context.where)
        placement = tuple(replace(place, n_micro_batches=stated.get(place.site)) for place in job.placement)
        return replace(job, split=self.split, placement=placement)


class Synchronise(JobChange):
    """Synchronise sites at every step, or every H steps (local SGD, which has a penalty on the training loss)."""

    kind: Literal["synchronise"] = "synchronise"
    example: ClassVar[Fields] = {"sync": "local_sgd", "n_local_steps": 100}
    sync: Literal["every_step", "local_sgd"]
    """every_step, or local_sgd."""
    n_local_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Optimizer steps between two exchanges (H); 2 or more for local_sgd."""
    n_fragment_layers: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Local SGD: layers in one fragment; fragments are exchanged in turn (streaming). None = all layers at once."""
    n_overlap_steps: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Local SGD: whole steps that an exchange may overlap before training waits for it."""
    exchange_bits_per_parameter: Annotated[float, Field(gt=0, le=128)] | None = None
    """Local SGD: bits sent per parameter; None = the width of gradients and parameters."""

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """Return the job with this synchronisation."""
        fields = {name: getattr(self, name) for name in LOCAL_SGD_DEFAULTS}
        if self.sync == "every_step" and fields != LOCAL_SGD_DEFAULTS:
            misplaced = next(name for name, default in LOCAL_SGD_DEFAULTS.items() if fields[name] != default)
            raise ChangeError(f"{misplaced} belongs to sync: local_sgd", where=context.where)
        return replace(job, sync=self.sync, **fields)


class CutJob(JobChange):
    """Change the parallelism of the job; fields without a value stay.

    The number of replicas is computed again.
    """

    kind: Literal["cut_job"] = "cut_job"
    example: ClassVar[Fields] = {"tp": 8, "pp": 16, "recompute": "full"}
    tp: Width | None = None
    """Tensor ranks. None = as it is."""
    pp: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Pipeline stages. None = as it is."""
    cp: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Context ranks. None = as it is."""
    ep: Width | None = None
    """Expert ranks. None = as it is."""
    n_virtual_stages: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Pieces of the model on each stage. None = as it is."""
    n_micro_batch: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Sequences in a micro batch. None = as it is."""
    fully_sharded: bool | None = None
    """Whether weights are sharded over replicas. None = as it is."""
    recompute: Recompute | None = None
    """What the backward pass computes again. None = as it is."""
    precision: Precision | None = None
    """Number format of the matrix products. None = as it is."""
    n_global_batch: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    """Sequences in an optimizer step. None = as it is."""
    across_sites: Literal["data", "pipeline"] | None = None
    """Data or pipeline parallel between sites. None = as it is."""

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """Return the job with this parallelism, and as many replicas as fit."""
        stated = {name: value for name, value in self if name != "kind" and value is not None}
        if not stated:
            raise ChangeError("nothing is stated", where=context.where, hint="tp, pp, cp, recompute, ...")
        parallelism_fields = {name: value for name, value in stated.items() if name in Parallelism.__dataclass_fields__}
        job_fields = {name: value for name, value in stated.items() if name not in parallelism_fields}
        return replace(job, parallelism=replace(job.parallelism, dp=None, **parallelism_fields), **job_fields)


class RecoverJob(JobChange):
    """Change how the job recovers from failures, and how it goes on without network cards."""

    kind: Literal["recover_job"] = "recover_job"
    example: ClassVar[Fields] = {"recovery": "elastic", "on_site_loss": "go_on"}
    recovery: Literal["restart", "elastic"] | None = None
    """restart: from the last checkpoint. elastic: continue from the memory of the other replicas."""
    on_site_loss: Literal["stop", "go_on"] | None = None
    """While a site is isolated. stop: wait for its repair. go_on: train without it."""
    on_card_loss: Literal["stop", "drop_replicas", "pxn"] | None = None
    """While a network card is lost. stop: wait for its repair. drop_replicas: go on without the replicas on its
    accelerators. pxn: go on over the cards that are left in the NVLink domain."""
    pxn_spread: Literal["all", "one"] | None = None
    """For pxn: all cards that are left share the traffic of a lost card, or the next one carries it."""
    pxn: bool | None = None
    """True: exchange between accelerators of different rails goes over NVLink to the card of the other rail."""

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """Return the job with this recovery."""
        names = ("recovery", "on_site_loss", "on_card_loss", "pxn_spread", "pxn")
        stated = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if not stated:
            raise ChangeError("nothing is stated", where=context.where, hint=f"{', '.join(names[:-1])} or {names[-1]}")
        return replace(job, **stated)


def single_placement(
    site_placements: Sequence[Placement],
    kind: str | None,
    n_accelerators: int | None,
    same_kinds: Sequence[str | None],
    where: str,
) -> Placement:
    """Merge a job's placements at one site into one placement of one kind.

    Args:
        site_placements: placements of the job at the site, at least one.
        kind: accelerator of the new placement; None = any.
        n_accelerators: number of the new placement; None = as many as whole replicas fit on.
        same_kinds: accelerators in `site_placements` that count as this kind; their other fields stay.
        where: placement of the change, for messages.

    Returns:
        The placement. For a new kind only `racks` stays: pace and measured time belonged to the old kind.

    Raises:
        ChangeError: placements differ in fields that would stay.
    """
    candidates = [
        replace(placement, n_accelerators=n_accelerators, accelerator=kind, n_micro_batches=None)
        for placement in site_placements
        if placement.accelerator in same_kinds
    ]
    if not candidates:
        candidates = [Placement(placement.site, n_accelerators, kind, placement.racks) for placement in site_placements]
    if any(placement != candidates[0] for placement in candidates):
        site = site_placements[0].site
        raise ChangeError(
            f"placements at {site!r} differ in racks, pace or time, {kind or 'any kind'} can have but one",
            where=where,
            hint="place_job states each",
        )
    return candidates[0]
