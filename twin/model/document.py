"""The network document of files and HTTP bodies: validated records, and their canonical order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, JsonValue

from ..catalogue import Part
from ..printable import SHOWN
from .identity import Name, Note, Provenance, Tags
from .jobs import TrainingJob
from .leases import SiteLease, lease_key
from .measurements import Measurement, measurement_key
from .records import (
    STRICT,
    BalancingName,
    Demand,
    Id,
    Link,
    LoadBalancing,
    Lossless,
    Node,
    Site,
    TrafficClass,
    WcmpGroup,
    asdict_compact,
)
from .uncertain import Uncertain, uncertain_key

SCHEMA_VERSION = 1
JobSet = Annotated[tuple[Id, ...], Field(min_length=1, max_length=1000)]
MAX_SITES = 100_000
RECORD_LISTS = ("sites", "fabrics", "nodes", "links", "demands", "traffic", "traffic_classes", "jobs", "plans", "parts")
"""Lists whose records are sorted by id."""
NOT_IN_COLUMNS = (
    "plans",
    "jobs",
    "jobs_together",
    "default_job",
    "note",
    "name",
    "assumptions",
    "price_book",
    "demands",
    "load_balancing",
    "traffic",
    "pxn",
    "wcmp_groups",
    "traffic_classes",
    "leases",
    "uncertain",
)
"""Fields that do not affect nodes, links and their columns. `parts` are in the digest of the catalogue."""

LABELS = ("name", "tags", "source")
"""Fields of a record that only describe it to people."""


def _balancing_records(value: Any) -> Any:
    """Return a list of records for a mode alone, or for one record."""
    if isinstance(value, str):
        return ({"mode": value},)
    if isinstance(value, Mapping | LoadBalancing):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


BalancingRecords = Annotated[tuple[LoadBalancing, ...], Field(max_length=1000)]


class Fabric(BaseModel):
    """A compact block that a generator expands into nodes and links."""

    model_config = STRICT | {"frozen": True}

    id: Id
    generator: Id
    """Name of the generator."""
    params: dict[str, JsonValue] = {}
    """Parameters of the generator."""
    without: Annotated[tuple[Id, ...], Field(max_length=2_000_000)] = ()
    """Ids of nodes and links that the generator makes and that the network does not have. Records under `nodes` and
    `links` may take their ids: so a changed record replaces that of the block."""


class TrafficBlock(BaseModel):
    """A compact block that a generator expands into demands."""

    model_config = STRICT | {"frozen": True}

    id: Id
    generator: Id
    """Name of the generator."""
    params: dict[str, JsonValue] = {}
    """Parameters of the generator."""
    traffic_class: Id | None = None
    """Class of the demands that it makes, whose growth `traffic_classes` states."""


class Plan(BaseModel):
    """A named list of changes; `twin schema` shows the fields of each kind."""

    model_config = STRICT | {"frozen": True}

    id: Id
    note: Note = ""
    """Text for readers."""
    name: Name = ""
    """Display name; not a key."""
    tags: Tags = ()
    """Free labels; not used in answers."""
    source: Provenance | None = None
    """Origin of the record: a text, or file, position and id in it."""
    changes: Annotated[tuple[dict[str, JsonValue], ...], Field(max_length=1000)]
    """Changes, each with a `kind`."""


class TopologyDocument(BaseModel):
    """A network: sites, nodes, links, demands, jobs, plans, measurements, parts and prices.

    The smallest document has nodes `{id, kind}` and links `{id, ends: [a, b]}`.
    """

    model_config = STRICT | {"frozen": True, "title": "TopologyDocument"}

    schema_version: Literal[1] = 1
    """Version of the document format."""
    as_of: date | None = None
    """Date of the described state; required if any record has a date."""
    fibre_installed: date | None = None
    """Date when fibre was laid whose spans state none; None = that fibre is new at `as_of`, and answers warn."""
    name: Name = ""
    """Name of the network in answers."""
    note: Annotated[str, Field(max_length=20_000), SHOWN] = ""
    """Text for readers."""
    assumptions: Annotated[tuple[Annotated[str, SHOWN], ...], Field(max_length=1000)] = ()
    """Assumptions, in sentences; shown with answers on request."""
    required_margin_db: Annotated[float, Field(ge=-20, le=30)] = 0.0
    """Margin that links must have, unless they state their own."""
    routing: Literal["ecmp", "wcmp"] = "ecmp"
    """ecmp: equal split over the members of equal-cost links. wcmp: in proportion to their effective capacity."""
    pxn: bool = False
    """Whether jobs send exchange between different rails over NVLink, unless a job says otherwise."""
    lossless: Lossless = Lossless()
    """How frames are kept on wide-area links."""
    load_balancing: Annotated[
        tuple[LoadBalancing, ...],
        Field(max_length=1000),
        BeforeValidator(_balancing_records, json_schema_input_type=BalancingRecords | LoadBalancing | BalancingName),
    ] = ()
    """How switches spread the flows of a job: a mode for the whole network, or records for the network, tiers and
    fabrics."""
    sites: Annotated[tuple[Site, ...], Field(max_length=MAX_SITES)] = ()
    """Locations with power and places for racks."""
    fabrics: Annotated[tuple[Fabric, ...], Field(max_length=10_000)] = ()
    """Compact blocks that generators expand into nodes and links."""
    nodes: Annotated[tuple[Node, ...], Field(max_length=2_000_000)] = ()
    """Racks, hosts and switches, beside those of fabrics."""
    links: Annotated[tuple[Link, ...], Field(max_length=2_000_000)] = ()
    """Cables and optical lines, beside those of fabrics."""
    demands: Annotated[tuple[Demand, ...], Field(max_length=2_000_000)] = ()
    """Traffic between nodes."""
    wcmp_groups: Annotated[tuple[WcmpGroup, ...], Field(max_length=2_000_000)] = ()
    """Next hops of nodes towards single destinations, in place of shortest paths; `twin optimum` makes them."""
    traffic_classes: Annotated[tuple[TrafficClass, ...], Field(max_length=1000)] = ()
    """Classes of traffic with their growth."""
    traffic: Annotated[tuple[TrafficBlock, ...], Field(max_length=1000)] = ()
    """Compact blocks that generators expand into demands, beside those of `demands`."""
    jobs: Annotated[tuple[TrainingJob, ...], Field(max_length=1000)] = ()
    """Training jobs; a question is about one of them."""
    default_job: Id | None = None
    """Job to use if a request names none; None = the first by id."""
    jobs_together: Annotated[tuple[JobSet, ...], Field(max_length=1000)] = ()
    """Sets of job ids that run at the same time; `jobs` themselves are alternatives."""
    leases: Annotated[tuple[SiteLease, ...], Field(max_length=10_000)] = ()
    """Leases of sites, or of parts of them, to tenants."""
    plans: Annotated[tuple[Plan, ...], Field(max_length=10_000)] = ()
    """Named lists of changes."""
    uncertain: Annotated[tuple[Uncertain, ...], Field(max_length=1000)] = ()
    """Inputs with a range, beside the figures of the catalogue; `twin sample` draws from all of them."""
    measurements: Annotated[tuple[Measurement, ...], Field(max_length=2_000_000)] = ()
    """Measured values of links and spans. The loss of a span and the received power of a link replace the model; all
    stand beside the model as residuals."""
    parts: Annotated[tuple[Part, ...], Field(max_length=10_000)] = ()
    """Own parts beside those of the catalogue. Each figure has value, low, high, source, as_of and status (`own`).
    Records refer to them by id, as to any other part."""
    price_book: dict[str, JsonValue] = {}
    """Entries that replace those of the shipped price book, whose prices are placeholders."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data in canonical order (lists of records by id), without defaults.

        The data loads back to an equal document.
        """
        data: dict[str, Any] = {"schema_version": self.schema_version}
        ordered = self.canonical()
        for name, spec in type(self).model_fields.items():
            value = getattr(ordered, name)
            if name == "schema_version" or value == spec.default:
                continue
            data[name] = [_to_plain(item) for item in value] if isinstance(value, tuple) else _to_plain(value)
        return data

    def to_json(self, indent: int | None = 1) -> str:
        """Return `to_dict` as JSON text; equal documents give equal bytes."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"

    def canonical(self) -> TopologyDocument:
        """Return the same document with its lists sorted by id."""
        changed: dict[str, Any] = {}
        for name in RECORD_LISTS:
            records = getattr(self, name)
            if len(records) > 1:
                changed[name] = tuple(sorted(records, key=_record_id))
        if len(self.leases) > 1:
            changed["leases"] = tuple(sorted(self.leases, key=lease_key))
        if len(self.uncertain) > 1:
            changed["uncertain"] = tuple(sorted(self.uncertain, key=uncertain_key))
        if len(self.measurements) > 1:
            changed["measurements"] = tuple(sorted(self.measurements, key=measurement_key))
        if len(self.wcmp_groups) > 1:
            changed["wcmp_groups"] = tuple(sorted(self.wcmp_groups, key=lambda group: (group.target, group.node)))
        if self.jobs_together:
            changed["jobs_together"] = tuple(sorted(tuple(sorted(jobs)) for jobs in self.jobs_together))
        return self.model_copy(update=changed) if changed else self

    def digest(self) -> str:
        """Return the SHA-256 of the fields that affect nodes, links and their columns.

        Plans, jobs, notes, names and prices are left out.
        """
        data = self.to_dict()
        for name in (*NOT_IN_COLUMNS, "parts"):
            data.pop(name, None)
        for name in ("sites", "nodes", "links", "measurements"):
            for record in data.get(name, ()):
                _drop_labels(record)
                for span in record.get("spans", ()):
                    _drop_labels(span)
        text = json.dumps(data, sort_keys=True, ensure_ascii=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _record_id(record: Any) -> str:
    return str(record.id)


def _drop_labels(record: dict[str, Any]) -> None:
    for name in LABELS:
        record.pop(name, None)


def _to_plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    if hasattr(type(value), "__dataclass_fields__"):
        return asdict_compact(value)
    return value
