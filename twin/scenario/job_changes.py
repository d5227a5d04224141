"""Changes of what is asked: the demands, and the job: where it runs, how it is cut, split, synchronised, recovered."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from ..errors import ChangeError, did_you_mean
from ..model.document import TopologyDocument
from ..model.job_rules import OF_LOCAL_SGD
from ..model.jobs import Parallelism, Placement, Precision, Recompute, TrainingJob, Width, on_places
from .change import Context, WorkloadChange


class ScaleDemands(WorkloadChange):
    """Multiply the demands of the document."""

    kind: Literal["scale_demands"] = "scale_demands"
    factor_ratio: Annotated[float, Field(ge=0, le=1e6)]
    ids: tuple[str, ...] | None = None
    """Only these; None = all."""

    def edit_workload(
        self, document: TopologyDocument, job: TrainingJob | None, context: Context
    ) -> tuple[TopologyDocument, TrainingJob | None]:
        """Document with scaled demands."""
        known = {demand.id for demand in document.demands}
        if not known:
            raise ChangeError("the document has no demands to scale", where=context.where)
        for name in self.ids or ():
            if name not in known:
                raise ChangeError(f"no demand {name!r}", where=context.where, hint=did_you_mean(name, known))
        demands = tuple(
            replace(d, offered_gbps=d.offered_gbps * self.factor_ratio) if self.ids is None or d.id in self.ids else d
            for d in document.demands
        )
        return document.model_copy(update={"demands": demands}), job


class JobChange(WorkloadChange):
    """Changes the job alone."""

    @abstractmethod
    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """The job with this change."""

    def edit_workload(
        self, document: TopologyDocument, job: TrainingJob | None, context: Context
    ) -> tuple[TopologyDocument, TrainingJob | None]:
        """The same document, and the job with this change."""
        if job is None:
            raise ChangeError("there is no job to change", where=context.where, hint="add one under jobs")
        return document, self.edit_job(job, context)


class PlaceJob(JobChange):
    """Run the job elsewhere: these placements replace its own. A split goes with them where each states its micro
    batches; one that was stated for the job's own becomes balanced."""

    kind: Literal["place_job"] = "place_job"
    placement: Annotated[tuple[Placement, ...], Field(min_length=1, max_length=1000)]

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """The job at its new places."""
        known = [site.id for site in context.document.sites]
        for place in self.placement:
            if place.site not in known:
                raise ChangeError(f"no site {place.site!r}", where=context.where, hint=did_you_mean(place.site, known))
        if all(place.n_micro_batches is not None for place in self.placement):
            return replace(on_places(replace(job, split="uniform"), self.placement), split="stated")
        return on_places(job, self.placement)


class LeaveSites(JobChange):
    """Run the job without some of its sites, as it is on the others."""

    kind: Literal["leave_sites"] = "leave_sites"
    sites: Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)]

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """The job on the sites that are left."""
        used = {place.site for place in job.placement}
        for site in self.sites:
            if site not in used:
                raise ChangeError(f"the job is not at {site!r}", where=context.where, hint=did_you_mean(site, used))
        left = tuple(place for place in job.placement if place.site not in self.sites)
        if not left:
            raise ChangeError("no site is left for the job", where=context.where)
        return on_places(job, left)


class UseAccelerator(JobChange):
    """Run the job's part at a site on racks of another kind; how many stays, and which racks are allowed. A pace or
    measured time stays with the kind it was stated for."""

    kind: Literal["use_accelerator"] = "use_accelerator"
    site: str
    accelerator: str | None = None
    """None = any kind there."""

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """The job with another kind at the site."""
        used = {place.site for place in job.placement}
        if self.site not in used:
            raise ChangeError(
                f"the job is not at {self.site!r}", where=context.where, hint=did_you_mean(self.site, used)
            )
        if self.accelerator is not None:
            context.reader.catalogue.get(self.accelerator, "accelerator")
        here = [place for place in job.placement if place.site == self.site]
        counts = [place.n_accelerators for place in here]
        total = None if None in counts else sum(n for n in counts if n is not None)
        others = tuple(place for place in job.placement if place.site != self.site)
        return on_places(job, (*others, of_kind(here, self.accelerator, total, (self.accelerator,), context.where)))


class SplitWork(JobChange):
    """Give every replica the same work, whole micro batches that finish together, or what is stated by site."""

    kind: Literal["split_work"] = "split_work"
    split: Literal["uniform", "balanced", "stated"]
    n_micro_batches: dict[str, Annotated[int, Field(ge=0, le=100_000_000)]] | None = None
    """Of each replica in a step, by site; for `stated`."""

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """The job with this split."""
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
    """Exchange between sites at every step, or only every H steps (local SGD; a loss penalty goes with it)."""

    kind: Literal["synchronise"] = "synchronise"
    sync: Literal["every_step", "local_sgd"]
    n_local_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    n_fragment_layers: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Layers exchanged together, the fragments taking turns (streaming); None = all at once."""
    n_overlap_steps: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Whole steps that an exchange may take before anybody waits for it."""
    exchange_bits_per_parameter: Annotated[float, Field(gt=0, le=128)] | None = None
    """None = as gradients and parameters are sent."""

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """The job with this exchange."""
        fields = {name: getattr(self, name) for name in OF_LOCAL_SGD}
        if self.sync == "every_step" and fields != OF_LOCAL_SGD:
            wrong = next(name for name, default in OF_LOCAL_SGD.items() if fields[name] != default)
            raise ChangeError(f"{wrong} belongs to sync: local_sgd", where=context.where)
        return replace(job, sync=self.sync, **fields)


class CutJob(JobChange):
    """Cut the job over its accelerators another way; what is not stated stays."""

    kind: Literal["cut_job"] = "cut_job"
    tp: Width | None = None
    pp: Annotated[int, Field(ge=1, le=10_000)] | None = None
    cp: Annotated[int, Field(ge=1, le=10_000)] | None = None
    ep: Width | None = None
    n_virtual_stages: Annotated[int, Field(ge=1, le=1000)] | None = None
    n_micro_batch: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    fully_sharded: bool | None = None
    recompute: Recompute | None = None
    precision: Precision | None = None
    n_global_batch: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    across_sites: Literal["data", "pipeline"] | None = None

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """The job with this cut; as many replicas as fit."""
        stated = {name: value for name, value in self if name != "kind" and value is not None}
        if not stated:
            raise ChangeError("nothing is stated", where=context.where, hint="tp, pp, cp, recompute, ...")
        of_cut = {name: value for name, value in stated.items() if name in Parallelism.__dataclass_fields__}
        of_job = {name: value for name, value in stated.items() if name not in of_cut}
        return replace(job, parallelism=replace(job.parallelism, dp=None, **of_cut), **of_job)


class RecoverJob(JobChange):
    """Handle failures another way."""

    kind: Literal["recover_job"] = "recover_job"
    recovery: Literal["restart", "elastic"] | None = None
    """Start again from the last checkpoint, or go on from the memory of the others."""
    on_site_loss: Literal["stop", "go_on"] | None = None
    """Wait for the repair of a site that is cut off, or train on without it."""

    def edit_job(self, job: TrainingJob, context: Context) -> TrainingJob:
        """The job with this way to recover."""
        if self.recovery is None and self.on_site_loss is None:
            raise ChangeError("nothing is stated", where=context.where, hint="recovery or on_site_loss")
        return replace(job, recovery=self.recovery or job.recovery, on_site_loss=self.on_site_loss or job.on_site_loss)


def of_kind(
    here: Sequence[Placement], kind: str | None, n_accelerators: int | None, same: Sequence[str | None], where: str
) -> Placement:
    """One placement of a kind for a job's placements at a site; `same`: what a placement of that kind may be stated as.

    What such a placement states stays. For a new kind only `racks` does: pace and measured time were the old one's.
    Raises ChangeError where placements differ in what would stay.
    """
    kept = [
        replace(place, n_accelerators=n_accelerators, accelerator=kind, n_micro_batches=None)
        for place in here
        if place.accelerator in same
    ]
    if not kept:
        kept = [Placement(place.site, n_accelerators, kind, place.racks) for place in here]
    if any(place != kept[0] for place in kept):
        raise ChangeError(
            f"placements at {here[0].site!r} differ in racks, pace or time, {kind or 'any kind'} can have but one",
            where=where,
            hint="place_job states each",
        )
    return kept[0]
