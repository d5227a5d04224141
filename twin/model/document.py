"""The document: a network as files and HTTP carry it, validated record by record, in canonical order."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, JsonValue

from .jobs import TrainingJob
from .records import STRICT, Demand, Id, Link, Lossless, Node, Site, asdict_compact

SCHEMA_VERSION = 1


class Fabric(BaseModel):
    """A compact block that a generator of `topologies/` expands into nodes and links."""

    model_config = STRICT | {"frozen": True}

    id: Id
    generator: Id
    params: dict[str, JsonValue] = {}


class Plan(BaseModel):
    """A named list of changes; what each may say is the `Change` union (`twin schema`)."""

    model_config = STRICT | {"frozen": True}

    id: Id
    note: Annotated[str, Field(max_length=4000)] = ""
    changes: Annotated[tuple[dict[str, JsonValue], ...], Field(max_length=1000)]


class TopologyDocument(BaseModel):
    """Everything the twin knows about a network; the smallest has nodes `{id, kind}` and links `{id, ends: [a, b]}`."""

    model_config = STRICT | {"frozen": True, "title": "TopologyDocument"}

    schema_version: Literal[1] = 1
    as_of: date | None = None
    """The day the document speaks of; required as soon as anything in it has a date."""
    name: Annotated[str, Field(max_length=200)] = ""
    note: Annotated[str, Field(max_length=20_000)] = ""
    assumptions: Annotated[tuple[str, ...], Field(max_length=1000)] = ()
    """What had to be assumed, in sentences; shown with every answer on request."""
    required_margin_db: Annotated[float, Field(ge=-20, le=30)] = 0.0
    routing: Literal["ecmp", "wcmp"] = "ecmp"
    """ecmp: equal split over members of equal-cost links; wcmp: in proportion to their effective capacity."""
    lossless: Lossless = Lossless()
    sites: Annotated[tuple[Site, ...], Field(max_length=100_000)] = ()
    fabrics: Annotated[tuple[Fabric, ...], Field(max_length=10_000)] = ()
    nodes: Annotated[tuple[Node, ...], Field(max_length=2_000_000)] = ()
    links: Annotated[tuple[Link, ...], Field(max_length=2_000_000)] = ()
    demands: Annotated[tuple[Demand, ...], Field(max_length=2_000_000)] = ()
    jobs: Annotated[tuple[TrainingJob, ...], Field(max_length=1000)] = ()
    default_job: Id | None = None
    """Job used when none is named; None = the first by id, where there is one."""
    plans: Annotated[tuple[Plan, ...], Field(max_length=10_000)] = ()
    price_book: dict[str, JsonValue] = {}
    """Entries that replace those of the shipped, placeholder price book."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data in canonical order (lists of records by id), without defaults; loads back to an equal document."""
        data: dict[str, Any] = {"schema_version": self.schema_version}
        for name, spec in type(self).model_fields.items():
            value = getattr(self, name)
            if name == "schema_version" or value == spec.default:
                continue
            if isinstance(value, tuple):
                value = sorted(value, key=_record_key) if name != "assumptions" else value
                data[name] = [_plain(item) for item in value]
            else:
                data[name] = _plain(value)
        return data

    def to_json(self, indent: int | None = 1) -> str:
        """`to_dict` as JSON text; equal documents give equal bytes."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"

    def canonical(self) -> TopologyDocument:
        """The same document with its lists sorted by id, whatever order they came in."""
        changed: dict[str, Any] = {}
        for name in ("sites", "fabrics", "nodes", "links", "demands", "jobs", "plans"):
            records = getattr(self, name)
            if len(records) > 1:
                changed[name] = tuple(sorted(records, key=_record_key))
        return self.model_copy(update=changed) if changed else self

    def digest(self) -> str:
        """SHA-256 of what decides nodes, links and their columns; plans, jobs, notes and prices stay out."""
        data = self.to_dict()
        for name in ("plans", "jobs", "default_job", "note", "name", "assumptions", "price_book", "demands"):
            data.pop(name, None)
        text = json.dumps(data, sort_keys=True, ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _record_key(record: Any) -> str:
    return str(record.id)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(type(value), "__dataclass_fields__"):
        return asdict_compact(value)
    return value
