"""What is answered, as types: OpenAPI shows them, and tests hold them against the bytes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from twin.answers.diff import Cause
from twin.catalogue import Kind
from twin.catalogue.figure_reader import UsedFigure
from twin.catalogue.records import Figure, Mode, Part
from twin.economics.lease import Lease
from twin.model.document import TopologyDocument
from twin.model.unused_fields import UnusedField
from twin.units import unit_of


class Answer(BaseModel):
    """Base of all answers: nothing beside what is declared."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class MetricValue(Answer):
    """A metric; null with a `why` where it does not apply."""

    value: float | None
    unit: str
    better: Literal["lower", "higher"]
    why: str | None = None


class MetricChange(Answer):
    """A metric before and after; `change` is after minus before."""

    before: float | None
    after: float | None
    change: float | None
    unit: str
    better: Literal["lower", "higher"]
    why: dict[Literal["before", "after"], str] = {}


class ScoreAnswer(Answer):
    """Every metric of a network as it stands, what binds, and the estimates it leans on."""

    network: str
    as_of: str | None
    job: str | None
    metrics: dict[str, MetricValue]
    utilisation_window: str
    utilisation_tier: str
    bottlenecks: list[str]
    lease: Lease | None
    assumptions: list[UsedFigure]
    n_figures: int
    unused: list[UnusedField] = []
    """What the document states and no answer depends on yet; left out where there is nothing of the kind."""


class BindsBeforeAfter(Answer):
    """What binds, before and after."""

    before: list[str]
    after: list[str]


class LeaseBeforeAfter(Answer):
    """The lease question, before and after."""

    before: Lease | None
    after: Lease | None


class Purchase(Answer):
    """A row of the shopping list."""

    item: str
    amount: float
    usd: float


class DiffAnswer(Answer):
    """Every metric before and after, the causes, and the shopping list."""

    network: str
    as_of: str | None
    job: str | None
    plan: str | None
    metrics: dict[str, MetricChange]
    utilisation_window: str
    utilisation_tier: str
    bottlenecks: BindsBeforeAfter
    causes: list[Cause]
    purchases: list[Purchase]
    lease: LeaseBeforeAfter
    assumptions: list[UsedFigure]


class NamedNote(Answer):
    """A job or a plan by id, with its note."""

    id: str
    note: str


class TopologySummary(Answer):
    """A network of the catalogue and what it is."""

    name: str
    sentence: str


class TopologyList(Answer):
    """The networks that ship."""

    topologies: list[TopologySummary]


class TopologyAnswer(Answer):
    """A network of the catalogue: its compact document, which can be posted back, and what can be asked of it."""

    name: str
    sentence: str
    default_job: str | None
    jobs: list[NamedNote]
    plans: list[NamedNote]
    document: TopologyDocument


class FigureAnswer(Figure):
    """A figure with its unit."""

    unit: str


class PartAnswer(Answer):
    """A part of the catalogue: every figure with range, source and status."""

    id: str
    kind: Kind
    name: str
    year: int | None
    figures: dict[str, FigureAnswer]
    modes: list[Mode]
    form_factor: str
    lane_gbps: int | None
    optics: str | None
    fec: str | None
    cages: list[str]
    port_rates_gbps: list[float]
    store_and_forward: bool
    note: str


class PartList(Answer):
    """Parts by kind and id."""

    parts: list[PartAnswer]


class Health(Answer):
    """That the server answers."""

    status: Literal["ok"]
    version: str


class ProblemIssue(Answer):
    """One fault: where, what, and how to mend it."""

    where: str
    problem: str
    hint: str


class Problem(Answer):
    """An error (RFC 9457) with every fault that was found."""

    type: str
    title: str
    status: int
    detail: str
    issues: list[ProblemIssue]


def topology_answer(name: str, sentence: str, document: TopologyDocument) -> dict[str, Any]:
    """A network of the catalogue as data."""
    return {
        "name": name,
        "sentence": sentence,
        "default_job": document.default_job,
        "jobs": [{"id": job.id, "note": job.note} for job in document.jobs],
        "plans": [{"id": plan.id, "note": plan.note} for plan in document.plans],
        "document": document.to_dict(),
    }


def part_answer(part: Part) -> dict[str, Any]:
    """A part as data, each figure with its unit."""
    data = part.model_dump(mode="json")
    for name, figure in data["figures"].items():
        figure["unit"] = unit_of(name)
    return data
