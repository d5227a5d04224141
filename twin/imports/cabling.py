"""Physical cabling as a source file states it: devices, ports, cables, patch panels, circuits, demands.

Readers of formats fill one `Cabling`; `build.py` makes a document of it. Keys are those of the source; names are kept
as they are written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from ..model.records import NodeKind

DeviceKind = NodeKind | Literal["panel", "circuit", "ignore"]
DEVICE_KINDS: tuple[str, ...] = (*get_args(NodeKind), "panel", "circuit", "ignore")
"""Kinds of nodes; a panel and a circuit pass signals through, and what is ignored is left out with its cables."""
PARALLEL = "\0parallel"
"""Bundle of ports whose cables to one other device are one link, where the source has no names of groups."""
PASSIVE = frozenset({"panel", "circuit"})


Origin = dict[str, str]
"""File, position and id of a record in its source, as the `source` of a document's record holds them."""


class End(NamedTuple):
    """One end of a cable: a port of a device."""

    device: str
    """Key of the device."""
    port: str = ""
    """Name of the port; empty = the source names no port."""


@dataclass(slots=True)
class Place:
    """A location of devices."""

    key: str
    name: str
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    source: Origin | None = None


@dataclass(slots=True)
class Device:
    """A device with ports; a panel or a circuit passes signals through."""

    key: str
    name: str
    kind: DeviceKind | None = None
    """None = the source states no role that is known."""
    role: str = ""
    """Role or type as the source writes it."""
    place: str | None = None
    """Key of a place; None = the source states none."""
    up: bool = True
    tags: tuple[str, ...] = ()
    source: Origin | None = None
    display_name: str = ""
    """Name for people, where `name` is to be the id."""
    forwards: bool | None = None
    n_cards: int | None = None
    """Network cards of a host; None = not stated."""
    rail: int | None = None
    """Number of the rail of a switch; None = none."""
    models: tuple[str, ...] = ()
    """Names of its model, such as slug and part number; a part of the user or the catalogue with one of them as id or
    alias is its part."""
    cards: tuple[tuple[str, ...], ...] = ()
    """Names of the model of each network or line card."""
    length_km: float | None = None
    """Length of a circuit."""
    capacity_gbps: float | None = None
    """Rate of a circuit."""


@dataclass(slots=True)
class Interface:
    """Port of a device that is no panel, as the source states it."""

    capacity_gbps: float | None = None
    bundle: str = ""
    """Name of the link aggregation group; empty = none."""
    up: bool = True
    optic: tuple[str, ...] = ()
    """Names of the model of its transceiver; empty = not stated."""
    cages: tuple[str, ...] = ()
    """Form factors that the port takes; empty = not stated."""
    is_management: bool = False
    """True for a port that the source flags as one for management."""


@dataclass(slots=True)
class Cable:
    """A cable between two ports, or an edge between two devices."""

    key: str
    ends: tuple[End, End]
    length_km: float | None = None
    capacity_gbps: float | tuple[float, float] | None = None
    """Rate per member that the source states for the cable itself; two values: a to b, and b to a."""
    n_parallel: int = 1
    n_failed: int = 0
    weight: float | tuple[float, float] | None = None
    """Weight for shortest paths; None = not stated, which counts as 1."""
    latency_us: float | tuple[float, float] | None = None
    loss_ratio: float | None = None
    """Measured or stated ratio of lost frames."""
    medium: str = "fibre"
    """fibre, multimode or copper."""
    fibre: str = ""
    """Catalogue id of its fibre or cable; empty = not stated."""
    name: str = ""
    display_name: str = ""
    """Name for people, where `name` is to be the id."""
    up: bool = True
    srlgs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    source: Origin | None = None
    spans: tuple[dict[str, Any], ...] = ()
    """Fibre spans as plain records of a document, where the source states more than a length."""
    n_branches: int = 1
    """Cables into which the first end is broken out; 1 = no breakout."""
    is_line: bool = False
    """True for an optical line whose spans have fibre and amplifiers from the first end to the second: its ends keep
    their order."""
    optics: dict[str, Any] = field(default_factory=dict)
    """Optical fields of the link as plain data: transceiver, launch_dbm, booster."""


@dataclass(slots=True)
class StatedDemand:
    """Traffic between two devices."""

    key: str
    source_device: str
    target_device: str
    offered_gbps: float
    source: Origin | None = None
    display_name: str = ""
    tags: tuple[str, ...] = ()
    is_named: bool = True
    """False for a key that is made of the ends."""


class Rear(NamedTuple):
    """Position of a rear port behind a front port of a panel."""

    end: End
    position: int = 1


@dataclass(slots=True)
class Cabling:
    """All that the files of one import state."""

    places: dict[str, Place] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    interfaces: dict[End, Interface] = field(default_factory=dict)
    cables: list[Cable] = field(default_factory=list)
    rear_of: dict[End, Rear] = field(default_factory=dict)
    """Front port of a panel -> rear port and position. A circuit has the front port A and the rear port Z."""
    demands: list[StatedDemand] = field(default_factory=list)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Own parts by id, as plain data of a document."""
    required_margin_db: float | None = None
    """Margin that all links must have; None = the source states none."""
    one_place: str = ""
    """Site of all devices if the source states a place of none: it describes one lab or fabric; empty = it does not."""
    name: str = ""
