"""Frozen records: what exists in a network. One vocabulary for files, the graph and the arrays.

Jobs, which are asked of a network, have their records in `jobs.py`.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from .directions import BothWays, PerDirection
from .identity import STRICT as STRICT
from .identity import Id as Id
from .identity import Name, Provenance, Tags

Count = Annotated[int, Field(ge=0, le=10_000_000)]
NodeKind = Literal["rack", "host", "leaf", "spine", "core", "border", "switch"]


@dataclass(frozen=True, slots=True)
class Site:
    """A place with power and room for racks."""

    __pydantic_config__ = STRICT

    id: Id
    latitude_deg: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude_deg: Annotated[float, Field(ge=-180, le=180)] | None = None
    power_megawatts: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Power at the meter that the site may draw; None = not limited."""
    pue_ratio: Annotated[float, Field(ge=1, le=5)] | None = None
    """Power at the meter over power of the racks; None = the catalogue's figure."""
    n_rack_places: Count | None = None
    lease_usd_per_month: Annotated[float, Field(ge=0, le=1e12)] | None = None
    """What a tenant pays for the whole site, where it is or could be leased out."""
    note: Annotated[str, Field(max_length=4000)] = ""
    name: Name = ""
    """What people call it; no key, and free to change."""
    tags: Tags = ()
    """Free words, kept as they are."""
    source: Provenance | None = None
    """Where the record comes from: a text, or file, position and id there."""


@dataclass(frozen=True, slots=True)
class Node:
    """A rack of accelerators or a switch; never a single accelerator."""

    __pydantic_config__ = STRICT

    id: Id
    kind: NodeKind
    site: Id | None = None
    part: Id | None = None
    """Model of a switch or router, from the catalogue."""
    accelerator: Id | None = None
    """Accelerator of a rack, from the catalogue."""
    n_accelerators: Count = 0
    pod: Annotated[str, Field(max_length=200)] | None = None
    rail: Count | None = None
    installed: date | None = None
    up: bool = True
    name: Name = ""
    """What people call it; no key, and free to change."""
    tags: Tags = ()
    """Free words, kept as they are."""
    source: Provenance | None = None
    """Where the record comes from: a text, or file, position and id there."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of fibre between two points of a line, with what ages in it."""

    __pydantic_config__ = STRICT

    length_km: Annotated[float, Field(ge=1e-6, le=20_000)]
    fibre: Id = "G.652.D"
    installed: date | None = None
    """When the glass was laid; None = not ageing."""
    n_splices: Count = 0
    n_connectors: Count = 0
    lumped_loss_db: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Taps, patch panels, multiplexers that sit in the span."""
    srlgs: tuple[Id, ...] = ()
    """Shared risks (ducts, bridges) that this span lies in."""
    amplifier: Id | None = None
    """Amplifier at the far end; it restores all loss since the one before, for each channel of the line."""
    amplifier_installed: date | None = None
    """When that amplifier went in; None = with the glass."""
    leased: bool = False
    """True for dark fibre paid by the mile, pair and month."""
    measured_loss_db: Annotated[float, Field(gt=0, le=200)] | None = None
    """Loss of the whole span by OTDR or power meter: it overrides the model, which adds what ages after that day.
    The same as a `span_loss` under `measurements`, which is the newer form."""
    measured: date | None = None
    """Day of that measurement."""
    regenerated: bool = False
    """True where transponders at the far end end this line of light and start another."""
    standby: bool = False
    """True for a span of the other path of a protected link; those of the working path come first."""
    name: Name = ""
    """What people call it; no key, and free to change."""
    tags: Tags = ()
    """Free words, kept as they are."""
    source: Provenance | None = None
    """Where the record comes from: a text, or file, position and id there."""


@dataclass(frozen=True, slots=True)
class Link:
    """A cable, or a bundle of equal parallel ones, between two nodes; both directions."""

    __pydantic_config__ = STRICT

    id: Id
    ends: tuple[Id, Id]
    capacity_gbps: Annotated[BothWays, PerDirection(gt=0, le=1e7)] | None = None
    """Per direction and member; None = the transceiver's rate, unknown without one. One value, or one for each
    direction: `[a_to_b, b_to_a]` from ends[0] to ends[1] and back. Of two, the lower one counts both ways for now."""
    n_parallel: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Members of the bundle: ports at each end, channels on a wavelength-multiplexed line."""
    weight: Annotated[BothWays, PerDirection(gt=0, le=1e9)] = 1.0
    """Routing metric; one value, or one for each direction: `[a_to_b, b_to_a]`. Of two, the lower one counts both ways
    for now."""
    transceiver: Id | None = None
    spans: tuple[Span, ...] = ()
    """The fibre of a long link; links without spans are indoor patch cables."""
    n_fibre_pairs: Annotated[int, Field(ge=1, le=10_000)] = 1
    launch_dbm: Annotated[float, Field(ge=-30, le=10)] | None = None
    """Power per channel into the first span, where a booster or the transceiver's setting states it; None = the
    transceiver's less the multiplexer."""
    mux: Id | None = None
    """Multiplexer at each end, from the catalogue; its loss counts twice."""
    installed: date | None = None
    """When the transceivers went in; None = not ageing."""
    required_margin_db: Annotated[float, Field(ge=-20, le=30)] | None = None
    """Margin the operator wants kept; None = the document's `required_margin_db`."""
    loss_ratio: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Measured share of frames lost; overrides what the optics model says."""
    measured_received_dbm: Annotated[float, Field(ge=-60, le=30)] | None = None
    """Power per channel at the receiver, the lower of both ends: the model is shifted to it and ages on from there.
    The same as a `received_power` under `measurements`, which is the newer form."""
    measured: date | None = None
    """Day of that measurement."""
    protection: Id | None = None
    """Line protection switch at both ends, from the catalogue: spans that are `standby` make the other path."""
    macsec: bool = False
    """True where frames are encrypted at one end and decrypted at the other."""
    srlgs: tuple[Id, ...] = ()
    n_failed: Count = 0
    """Members of the bundle that are down."""
    up: bool = True
    latency_us: Annotated[BothWays, PerDirection(ge=0, le=1e9)] | None = None
    """Stated time from end to end; one value, or one for each direction: `[a_to_b, b_to_a]`. Not used in
    answers yet."""
    name: Name = ""
    """What people call it; no key, and free to change."""
    tags: Tags = ()
    """Free words, kept as they are."""
    source: Provenance | None = None
    """Where the record comes from: a text, or file, position and id there."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Traffic asked for between two nodes, all the time."""

    __pydantic_config__ = STRICT

    id: Id
    source: Id
    target: Id
    offered_gbps: Annotated[float, Field(ge=0, le=1e9)]
    name: Name = ""
    """What people call it; no key, and free to change."""
    tags: Tags = ()
    """Free words, kept as they are."""
    origin: Provenance | None = None
    """Where the record comes from, as `source` of other records: here `source` is the node that sends."""


@dataclass(frozen=True, slots=True)
class Lossless:
    """How frames are kept on links: pause over a distance, and what a sender does about those that are lost."""

    __pydantic_config__ = STRICT

    policy: Literal["shaped", "drop_on_pause", "lossy"] = "lossy"
    """On wide-area links. shaped: each port is slowed to what the far buffer can absorb; drop_on_pause: ports run at
    full rate and each pause loses what the buffer cannot hold; lossy: pause is not used there."""
    n_pauses_per_s: Annotated[float, Field(ge=0, le=1e6)] | None = None
    """Pauses of a wide-area port, for drop_on_pause; None = the catalogue's figure."""
    recovery: Literal["go_back_n", "selective_repeat", "tcp"] = "go_back_n"
    """What the sender repeats after a loss: all since, only what was lost, or as TCP slows down."""
    queue_pair_gbps: Annotated[float, Field(gt=0, le=1e5)] = 50.0
    """Rate of one RDMA queue pair or TCP connection; a 400 Gb/s flow over eight is 50 each."""
    in_flight_bytes: Annotated[float, Field(ge=1500, le=1e12)] | None = None
    """What a queue pair may have sent and not yet acknowledged; None = the catalogue's figure."""
    n_flows_per_accelerator: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Flows that an accelerator of a job keeps to another site, each hashed onto one member of a bundle; None = the
    catalogue's figure."""
    congestion_control_ratio: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of a wide-area link that congestion control keeps filled over its round trip."""


def asdict_compact(record: object) -> dict[str, object]:
    """A record as plain data without the fields that have their default, in field order."""
    data: dict[str, object] = {}
    for spec in fields(record):  # type: ignore[arg-type]
        value = getattr(record, spec.name)
        if spec.default is not MISSING and value == spec.default:
            continue
        if isinstance(value, tuple):
            value = [asdict_compact(item) if is_dataclass(item) else item for item in value]
        elif is_dataclass(value):
            value = asdict_compact(value)
        elif isinstance(value, date):
            value = value.isoformat()
        data[spec.name] = value
    return data
