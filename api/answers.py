"""Answers of HTTP alone: lists of the catalogue, health and problems. Other answers are dataclasses of `twin`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from twin.catalogue.records import Figure, Part
from twin.model.document import TopologyDocument
from twin.units import unit_of


class Answer(BaseModel):
    """Base of these answers: no field that is not declared."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class NamedNote(Answer):
    """A job or a plan by id, with its note."""

    id: str
    note: str


class TopologySummary(Answer):
    """A shipped network, in one sentence."""

    name: str
    sentence: str


class TopologyList(Answer):
    """The shipped networks."""

    topologies: list[TopologySummary]


class TopologyAnswer(Answer):
    """A shipped network: its jobs, its plans, and its compact document, which can be posted back."""

    name: str
    sentence: str
    default_job: str | None
    jobs: list[NamedNote]
    plans: list[NamedNote]
    document: TopologyDocument


class FigureAnswer(Figure):
    """A figure with its unit."""

    unit: str


class PartAnswer(Part):
    """A part of the catalogue: every figure with range, source and status."""

    figures: dict[str, FigureAnswer]  # type: ignore[assignment]  # a narrower figure; parts are frozen


class PartList(Answer):
    """Parts by kind and id."""

    parts: list[PartAnswer]


def _answer_of(name: str) -> Any:
    """Return the type of a field that holds an answer of `twin`, whose schema stands beside."""
    return WithJsonSchema({"allOf": [{"$ref": f"#/components/schemas/{name}"}]})


class ImportAnswer(Answer):
    """A network of files of another tool."""

    network: Annotated[dict[str, Any], _answer_of("StoredNetwork")] | None
    """Revision that was stored; null if none was."""
    report: Annotated[dict[str, Any], _answer_of("ImportReport")]
    document: TopologyDocument


class MeasurementsAnswer(Answer):
    """A stored network with more measurements."""

    network: Annotated[dict[str, Any], _answer_of("StoredNetwork")]
    n_added: int
    report: Annotated[dict[str, Any], _answer_of("MeasurementReport")] | None
    """Report of the files; null for records."""


class Health(Answer):
    """The server is up."""

    status: Literal["ok"]
    version: str


class ProblemIssue(Answer):
    """One error: where, what, and how to fix it."""

    where: str
    problem: str
    hint: str


class Problem(Answer):
    """An error (RFC 9457) with every issue found."""

    type: str
    title: str
    status: int
    detail: str
    issues: list[ProblemIssue]
    expected: str
    """Values that would have been valid; empty where the issues say all."""


def topology_answer(name: str, sentence: str, document: TopologyDocument) -> dict[str, Any]:
    """Return a shipped network as data."""
    return {
        "name": name,
        "sentence": sentence,
        "default_job": document.default_job,
        "jobs": [{"id": job.id, "note": job.note} for job in document.jobs],
        "plans": [{"id": plan.id, "note": plan.note} for plan in document.plans],
        "document": document.to_dict(),
    }


def part_answer(part: Part) -> dict[str, Any]:
    """Return a part as data, each figure with its unit."""
    data = part.model_dump(mode="json")
    for name, figure in data["figures"].items():
        figure["unit"] = unit_of(name)
    return data
