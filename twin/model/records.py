"""Frozen records of what exists in a network; files, graph and arrays use the same field names.

Records of training jobs are in `jobs.py`.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from .directions import BothWays, PerDirection
from .identity import STRICT as STRICT
from .identity import Id as Id
from .identity import Name, Note, Provenance, Tags

Count = Annotated[int, Field(ge=0, le=10_000_000)]
AgeYears = Annotated[float, Field(ge=0, le=10_000)] | None
NodeKind = Literal["rack", "host", "storage", "leaf", "spine", "core", "border", "switch", "roadm"]
BalancingName = Literal["ecmp", "polarised", "dlb", "flowlet", "pinned", "spray"]
BalancingTier = Literal["fabric", "border", "wide_area"]
FORWARDING_KINDS: frozenset[NodeKind] = frozenset({"leaf", "spine", "core", "border", "switch", "roadm"})
"""Kinds that carry traffic of other nodes unless a node states otherwise."""


Megawatts = Annotated[float, Field(ge=0, le=100_000)]


@dataclass(frozen=True, slots=True)
class SiteBudget:
    """Budget of a site from a day on. A budget that is not stated stays as it was."""

    __pydantic_config__ = STRICT

    start: date
    """First day."""
    power_megawatts: Megawatts | None = None
    """Power at the meter."""
    liquid_cooling_megawatts: Megawatts | None = None
    """Heat that liquid takes away."""
    air_cooling_megawatts: Megawatts | None = None
    """Heat that air takes away."""
    n_rack_places: Count | None = None
    """Racks."""
    n_network_accelerators: Count | None = None
    """Accelerators that the network of the site reaches."""


@dataclass(frozen=True, slots=True)
class Site:
    """A location with power and places for racks."""

    __pydantic_config__ = STRICT

    id: Id
    """Id of the site; unique among sites."""
    latitude_deg: Annotated[float, Field(ge=-90, le=90)] | None = None
    """With the longitude, the latency of links between sites that state no spans follows from it."""
    longitude_deg: Annotated[float, Field(ge=-180, le=180)] | None = None
    """See `latitude_deg`."""
    power_megawatts: Annotated[float, Field(gt=0, le=100_000)] | None = None
    """Limit of the power at the meter; None = no limit."""
    pue_ratio: Annotated[float, Field(ge=1, le=5)] | None = None
    """Power at the meter over power of the racks; None = the catalogue's value."""
    n_rack_places: Count | None = None
    """Limit of the racks at the site; None = no limit."""
    lease_usd_per_month: Annotated[float, Field(ge=0, le=1e12)] | None = None
    """Rent that a tenant pays for the whole site."""
    budgets: Annotated[tuple[SiteBudget, ...], Field(max_length=1000)] = ()
    """Power, cooling, rack places and network of later days. A kind of budget of which only later days are stated is 0
    before."""
    note: Note = ""
    """Text for readers."""
    name: Name = ""
    """Display name; not a key."""
    tags: Tags = ()
    """Free labels; not used in answers."""
    source: Provenance | None = None
    """Origin of the record: a text, or file, position and id in it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A rack of accelerators, a host or a switch; never a single accelerator."""

    __pydantic_config__ = STRICT

    id: Id
    """Id of the node; unique among nodes."""
    kind: NodeKind
    """rack, host and storage are end points; rack and host may hold accelerators. A roadm is an optical node, through
    which margin and rate of a path are not modelled. All other kinds are switches."""
    site: Id | None = None
    """Id of the site; None = no site."""
    part: Id | None = None
    """Catalogue id of a switch or router; of a rack, host or storage node that of its servers or network cards."""
    accelerator: Id | None = None
    """Catalogue id of the accelerators of a rack."""
    n_accelerators: Count = 0
    """Accelerators in the rack or host."""
    n_cards: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Network cards of the accelerators; None = one for each accelerator, as far as the ports go. With more ports than
    cards, a card has several ports."""
    n_servers: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Servers of the part in the rack or host; None = the hosts of its accelerators, else one."""
    pod: Name | None = None
    """Name of the pod; a label."""
    rail: Count | None = None
    """Number of the rail of a switch in a rail-optimised fabric; the cards of that rail are attached to it."""
    installed: date | None = None
    """Date of installation; `installed_before` of selectors reads it."""
    age_years: AgeYears = None
    """Age at `as_of`, in place of `installed`; changes write it where no date gives exactly that age."""
    up: bool = True
    """False for a node that is down; its links are down too."""
    forwards: bool | None = None
    """True if the node carries traffic of other nodes; None = all kinds but rack, host and storage do."""
    name: Name = ""
    """Display name; not a key."""
    tags: Tags = ()
    """Free labels; not used in answers."""
    source: Provenance | None = None
    """Origin of the record: a text, or file, position and id in it."""


@dataclass(frozen=True, slots=True)
class Span:
    """A fibre span: a stretch of fibre between two points of an optical line."""

    __pydantic_config__ = STRICT

    length_km: Annotated[float, Field(ge=1e-6, le=20_000)]
    """Length of the fibre, not of the straight line."""
    fibre: Id = "G.652.D"
    """Catalogue id of the fibre."""
    installed: date | None = None
    """Date when the fibre was laid; None = the document's `fibre_installed`, else new at `as_of`."""
    age_years: AgeYears = None
    """Age of the fibre at `as_of`, in place of `installed`."""
    n_splices: Count = 0
    """Splices beside those that the attenuation of the fibre includes."""
    n_connectors: Count = 0
    """Connectors in the span."""
    lumped_loss_db: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Loss of taps, patch panels and multiplexers in the span."""
    srlgs: tuple[Id, ...] = ()
    """Shared-risk groups (ducts, bridges) of this span."""
    cable: Id | None = None
    """Fibre that several links share, by an id of your own: it costs, ages and is cut once, with its amplifiers. The
    links share its fibre pairs, as many as the link with most uses, and state the same length, fibre, date, lease and
    splices. It is a shared-risk group too."""
    amplifier: Id | None = None
    """Catalogue id of the amplifier at the far end, one for each direction. Without a stated gain or output it restores
    all loss since the previous amplifier, up to its greatest gain. Its greatest output power limits it."""
    amplifier_gain_db: Annotated[float, Field(ge=0, le=60)] | None = None
    """Stated or measured gain of the amplifier, without its VOA; believed even beyond the part's greatest gain."""
    amplifier_output_dbm: Annotated[float, Field(ge=-40, le=30)] | None = None
    """Stated or measured power per channel at the output of the amplifier, before its VOA."""
    amplifier_voa_db: Annotated[float, Field(ge=0, le=40)] = 0.0
    """Loss of the variable attenuator behind the amplifier."""
    amplifier_noise_figure_db: Annotated[float, Field(ge=-100, le=60)] | None = None
    """Stated noise figure of the amplifier; None = that of the part at its gain."""
    amplifier_installed: date | None = None
    """Date when the amplifier was installed; None = with the fibre."""
    amplifier_age_years: AgeYears = None
    """Age of the amplifier at `as_of`, in place of `amplifier_installed`."""
    leased: bool = False
    """True for leased dark fibre, paid per mile, pair and month."""
    measured_loss_db: Annotated[float, Field(gt=0, le=200)] | None = None
    """Loss of the whole span by OTDR or power meter. It replaces the model, which adds ageing after that date.
    The newer form is a `span_loss` under `measurements`."""
    measured: date | None = None
    """Date of that measurement; None = `as_of`."""
    measured_years: AgeYears = None
    """Years since that measurement at `as_of`, in place of `measured`."""
    regenerated: bool = False
    """True if transponders at the far end regenerate the signal: one optical path ends and another starts."""
    standby: bool = False
    """True for a span of the standby path of a protected link; spans of the working path come first."""
    name: Name = ""
    """Display name; not a key."""
    tags: Tags = ()
    """Free labels; not used in answers."""
    source: Provenance | None = None
    """Origin of the record: a text, or file, position and id in it."""


@dataclass(frozen=True, slots=True)
class Link:
    """A cable, or a bundle of equal parallel cables, between two nodes; both directions."""

    __pydantic_config__ = STRICT

    id: Id
    """Id of the link; unique among links."""
    ends: tuple[Id, Id]
    """Ids of the two nodes. Direction a_to_b is from the first to the second."""
    capacity_gbps: Annotated[BothWays, PerDirection(gt=0, le=1e7)] | None = None
    """Capacity per member and direction; None = the transceiver's rate, or unknown without a transceiver. One value,
    or one for each direction: `[a_to_b, b_to_a]`, a = ends[0]."""
    n_parallel: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """Members of the bundle: ports at each end, or channels of a wavelength-multiplexed line."""
    weight: Annotated[BothWays, PerDirection(gt=0, le=1e9)] = 1.0
    """Routing metric; one value, or one for each direction: `[a_to_b, b_to_a]`."""
    transceiver: Id | None = None
    """Catalogue id of the transceivers at both ends; it sets rate, reach and power."""
    spans: tuple[Span, ...] = ()
    """Fibre spans of a long link; a link without spans is an indoor patch cable."""
    n_fibre_pairs: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Fibre pairs of the spans that the members use."""
    launch_dbm: Annotated[float, Field(ge=-30, le=10)] | None = None
    """Power per channel into the first span, set by a booster or the transceiver; None = the power of the transceiver
    minus the loss of the multiplexer. A power that the transceiver cannot reach assumes a booster."""
    booster: Id | None = None
    """Catalogue id of the amplifier between multiplexer and first span at each end. Without a stated gain or launch
    power it restores the loss of the multiplexer."""
    booster_gain_db: Annotated[float, Field(ge=0, le=60)] | None = None
    """Stated or measured gain of the booster, without its VOA. With `launch_dbm`, its input power follows."""
    booster_voa_db: Annotated[float, Field(ge=0, le=40)] = 0.0
    """Loss of the variable attenuator behind the booster."""
    booster_noise_figure_db: Annotated[float, Field(ge=-100, le=60)] | None = None
    """Stated noise figure of the booster; None = that of the part at its gain."""
    n_design_channels: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Channels per fibre pair that an amplified line is designed for: signal quality counts all of them, lit or not.
    None = the channels that are lit."""
    mux: Id | None = None
    """Catalogue id of the multiplexer at each end; its loss counts twice."""
    installed: date | None = None
    """Date when the transceivers were installed; None = they do not age."""
    age_years: AgeYears = None
    """Age of the transceivers at `as_of`, in place of `installed`."""
    required_margin_db: Annotated[float, Field(ge=-20, le=30)] | None = None
    """Margin that the operator requires; None = the document's `required_margin_db`."""
    loss_ratio: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Measured ratio of lost frames; it replaces the optics model."""
    measured_received_dbm: Annotated[float, Field(ge=-60, le=30)] | None = None
    """Measured power per channel at the receiver, the lower of both ends. The model is shifted to it and ages from
    that date. The newer form is a `received_power` under `measurements`."""
    measured: date | None = None
    """Date of that measurement."""
    measured_years: AgeYears = None
    """Years since that measurement at `as_of`, in place of `measured`."""
    protection: Id | None = None
    """Catalogue id of the line protection switch at both ends; `standby` spans form the other path."""
    macsec: bool = False
    """True if frames are encrypted between the ends."""
    srlgs: tuple[Id, ...] = ()
    """Shared-risk groups of the whole link; spans have their own."""
    n_failed: Count = 0
    """Number of members that are down."""
    up: bool = True
    """False for a link that is down."""
    latency_us: Annotated[BothWays, PerDirection(ge=0, le=1e9)] | None = None
    """Stated latency from end to end; one value, or one for each direction: `[a_to_b, b_to_a]`. It replaces the
    latency that follows from spans and parts. None = modelled."""
    name: Name = ""
    """Display name; not a key."""
    tags: Tags = ()
    """Free labels; not used in answers."""
    source: Provenance | None = None
    """Origin of the record: a text, or file, position and id in it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Constant traffic from one node to another."""

    __pydantic_config__ = STRICT

    id: Id
    source: Id
    """Node that sends."""
    target: Id
    """Node that receives."""
    offered_gbps: Annotated[float, Field(ge=0, le=1e9)]
    """Offered traffic, all the time."""
    traffic_class: Id | None = None
    """Class of the traffic, whose growth `traffic_classes` states."""
    name: Name = ""
    """Display name; not a key."""
    tags: Tags = ()
    """Free labels; not used in answers."""
    origin: Provenance | None = None
    """Origin of the record, the `source` of other records; the `source` of a demand is the sending node."""


@dataclass(frozen=True, slots=True)
class TrafficClass:
    """A class of traffic and its growth."""

    __pydantic_config__ = STRICT

    id: Id
    growth_ratio_per_year: Annotated[float, Field(gt=-1, le=10)] = 0.0
    """Growth of all demands of the class: 0.3 is 30 % a year, compound."""
    name: Name = ""
    """Display name; not a key."""


@dataclass(frozen=True, slots=True)
class Lossless:
    """Loss handling on wide-area links: PFC pause, and the recovery of lost frames by the sender."""

    __pydantic_config__ = STRICT

    policy: Literal["shaped", "drop_on_pause", "lossy"] = "lossy"
    """Policy on wide-area links. shaped: each port is slowed to the rate that the far buffer can absorb.
    drop_on_pause: ports run at full rate, and each pause loses what exceeds the buffer. lossy: no pause frames."""
    n_pauses_per_s: Annotated[float, Field(ge=0, le=1e6)] | None = None
    """Pauses of a wide-area port, for drop_on_pause; None = the catalogue's value."""
    recovery: Literal["go_back_n", "selective_repeat", "tcp"] = "go_back_n"
    """Recovery after a loss: resend everything since, resend only the lost frames, or TCP congestion control."""
    queue_pair_gbps: Annotated[float, Field(gt=0, le=1e5)] | None = None
    """Most that one RDMA queue pair or TCP connection sends; None = no limit of its own. A link without a job then
    carries many flows that are slow."""
    in_flight_bytes: Annotated[float, Field(ge=1500, le=1e12)] | None = None
    """Sent and not yet acknowledged bytes of a queue pair; None = the catalogue's value."""
    n_flows_per_accelerator: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Flows (queue pairs) from an accelerator of a job to each accelerator that it exchanges with in a phase. Windows,
    loss recovery and hashing count them on each arc. None = the catalogue's value."""
    congestion_control_ratio: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of a wide-area link that congestion control can fill over its round trip."""


@dataclass(frozen=True, slots=True)
class LoadBalancing:
    """How switches spread the flows of a job over equal-cost links.

    A record with `tier` or `fabric` goes before one without them. Links without a record split evenly, except between
    sites: flows hash onto the members of wide-area links (`ecmp`) unless a record says otherwise.
    """

    __pydantic_config__ = STRICT

    mode: BalancingName
    """ecmp: hash each flow at each switch. polarised: with the same hash in all tiers. dlb: onto the emptiest own link.
    flowlet: hash again between segments. pinned: placed by a controller. spray: packets over all links."""
    n_flows_per_pair: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Flows (queue pairs) from one network card to another, equal parts each; None = the catalogue's value."""
    n_rehashes: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Segments that a flow sends one after the other, for flowlet."""
    efficiency_ratio: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of the rate of even splitting that spray reaches; None = the catalogue's value."""
    tier: BalancingTier | None = None
    """Tier of the links: between switches, at a border router, or between sites; None = all."""
    fabric: Id | None = None
    """Id of a fabric or campus. Switches whose id starts with it and a slash choose so; None = all switches."""


@dataclass(frozen=True, slots=True)
class WcmpGroup:
    """Next hops of one node towards one destination, with integer weights (a WCMP group).

    The node sends demands to that destination over these links alone, in proportion to the weights. Each next hop is
    the destination or has a group for it. Nodes without a group use shortest paths. Links that are down take no part.
    A node whose next hops are all down has no group, and groups no longer use it. Traffic of jobs keeps shortest paths.
    """

    __pydantic_config__ = STRICT

    node: Id
    """Node that forwards or sends."""
    target: Id
    """Destination of the demands."""
    next_hops: Annotated[dict[Id, Annotated[int, Field(ge=1, le=65_535)]], Field(min_length=1, max_length=4096)]
    """Weight of each link that leaves the node, by the id of the link; members of a link share it equally."""


def asdict_compact(record: object) -> dict[str, object]:
    """Return a record as plain data in field order, without fields that have their default value."""
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
