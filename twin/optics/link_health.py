"""Link health: the capacity of each link, what limits it, and its latency."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arrays import TIERS, Bools, Floats, Ints, State
from ..arrays.node_ports import card_gbps
from ..arrays.sums import sums_by
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..errors.wording import counted
from ..model.document import TopologyDocument
from ..units import SPEED_OF_LIGHT_KM_PER_S
from .link_budget import (
    BUFFER,
    CARDS,
    CONGESTION_CONTROL,
    DOWN,
    LINE_RATE,
    LOSS,
    PAUSES,
    RATE_UNKNOWN,
    REACH,
    LinkBudgets,
    compute_link_budgets,
)
from .optical_paths import OpticalPaths, codes_in, link_optics, optical_paths_of
from .pfc_headroom import PfcHeadroom, compute_pfc_headroom
from .transport_goodput import TransportGoodput, compute_transport_goodput

ASSUMED_FIBRE = "G.652.D"
"""Fibre of links between sites that state no spans."""
ROADM_TEXT = "not modelled: ROADM pass-through"
MAX_NAMED = 4
"""Links of unknown rate that a message names."""
LEAST_SHOWN_RATIO = 0.999
"""Shares above this are not reported as a limit of a link."""


@dataclass(frozen=True, eq=False)
class Latency:
    """Unloaded one-way latency by its causes, by link (L) or arc (2L)."""

    propagation_us: Floats
    """Fibre and amplifiers of the working path; without spans, the assumed route between two sites."""
    fec_us: Floats
    regeneration_us: Floats
    macsec_us: Floats
    arc_switch_us: Floats
    """Forwarding latency of the switch at the head of the arc."""
    arc_store_us: Floats
    """Reception of a whole frame where that switch stores and forwards."""
    arc_stated_us: Floats
    """Latency that the document states in place of all of the above; NaN where it states none."""
    length_unknown: Bools
    """Links between two sites with no stated length, latency or positions, bool[L]; their fibre counts as 0 km."""

    @cached_property
    def arc_us(self) -> Floats:
        """Total latency by arc, float64[2L], read-only."""
        on_link = self.propagation_us + self.fec_us + self.regeneration_us + self.macsec_us
        at_head = (self.arc_switch_us + self.arc_store_us).reshape(-1, 2)
        modelled_us = (on_link[:, None] + at_head).ravel()
        out = np.where(np.isnan(self.arc_stated_us), modelled_us, self.arc_stated_us)
        out.flags.writeable = False
        return out


@dataclass(frozen=True, eq=False)
class CapacityLimits:
    """Arcs that may carry less than their line rate, by row of `arcs`, ascending."""

    arcs: Ints
    member_gbps: Floats
    """Rate of one member after losses, pauses and buffers."""
    sending_gbps: Floats
    """Rate at which senders may fill one member: the same without what loss recovery resends."""
    reason: Ints
    """Index into LIMITS of the cause that takes most of the rate."""


@dataclass(frozen=True, eq=False)
class LinkHealth:
    """Columns by link (L), or by arc (2L: link 2l forward, 2l + 1 back). NaN where a figure does not apply.

    A lit link that states neither a rate nor a transceiver has an unknown rate: its `*_gbps` are NaN.
    `arc_capacity_gbps` is of all members together. `member_gbps` is the line rate of one member, `arc_member_gbps` that
    of one direction. Capacities count losses and buffers, but no windows of single senders.
    """

    lit: Bools
    kind_optics: Ints
    """Index into OPTICS of each kind of link, see `LinkBudgets.paths`."""
    budgets: LinkBudgets
    margin_db: Floats
    required_margin_db: Floats
    member_gbps: Floats
    arc_member_gbps: Floats
    loss_ratio: Floats
    transport: TransportGoodput
    headroom: PfcHeadroom
    capacity_limits: CapacityLimits
    card_ratio: Floats
    """Share of a link's line rate that the network cards at its ends can fill."""
    arc_capacity_gbps: Floats
    arc_sending_gbps: Floats
    """Capacity before loss recovery: what the flows of a job may fill together."""
    latency: Latency
    arc_latency_us: Floats

    @property
    def optics(self) -> Ints:
        """Index into OPTICS of each link."""
        return self.kind_optics[self.budgets.paths.kind_of_link]

    @cached_property
    def arc_limit(self) -> Ints:
        """Index into LIMITS of what keeps each arc below its nominal capacity."""
        of_link = self.budgets.by_link(self.budgets.limit)
        of_link = np.where((self.member_gbps <= 0) & (of_link != REACH), DOWN, of_link)
        of_link = np.where((self.card_ratio < 1.0) & (of_link == LINE_RATE), CARDS, of_link)
        limit = np.repeat(of_link, 2)
        limits = self.capacity_limits
        of_budget = limit[limits.arcs]
        overridden = (limits.reason != LINE_RATE) & (of_budget != DOWN) & (of_budget != REACH)
        limit[limits.arcs] = np.where(overridden, limits.reason, of_budget)
        limit[np.repeat(self.rate_unknown, 2)] = RATE_UNKNOWN
        return limit

    @cached_property
    def rate_unknown(self) -> Bools:
        """Links that carry at a rate that nobody states; bool[n_links]."""
        out = np.asarray(self.lit & np.isnan(self.member_gbps))
        out.flags.writeable = False  # outcomes are shared
        return out

    @property
    def goodput_ratio(self) -> Floats:
        """Share of a member's rate that queue pairs turn into goodput, after losses and windows, by link."""
        return self.transport.goodput_ratio

    @property
    def loss_db(self) -> Floats:
        """Loss between transmitter and receiver of the worst path, by link."""
        return self.budgets.by_link(self.budgets.loss_db)

    @property
    def receiver_headroom_db(self) -> Floats:
        """Power below the receiver's maximum, by link; NaN where the part states none."""
        return self.budgets.by_link(self.budgets.receiver_headroom_db)

    @property
    def worse_margin_db(self) -> Floats:
        """Lesser of the margin and the receiver's headroom, by link; NaN without a margin."""
        return np.where(np.isnan(self.margin_db), np.nan, np.fmin(self.margin_db, self.receiver_headroom_db))

    @property
    def received_dbm(self) -> Floats:
        """Power per channel at the receiver, by link."""
        return self.budgets.by_link(self.budgets.received_dbm)

    @property
    def line_gsnr_db(self) -> Floats:
        """GSNR of the worst channel of an amplified path, noise in 0.1 nm, by link."""
        return self.budgets.by_link(self.budgets.line_gsnr_db)


def compute_link_health(
    state: State,
    document: TopologyDocument,
    reader: FigureReader,
    ageing: AgeingCase = "value",
    budgets: LinkBudgets | None = None,
    latency: Latency | None = None,
) -> LinkHealth:
    """Compute the health of every link of a state.

    Loss: fibre attenuation that grows linearly with age, splices (those of repaired cuts included), connectors, lumped
    losses, and multiplexers at both ends. A measured loss replaces the model and grows from its day on. Margins: direct
    detection by loss budget; coherent by received power, transmitter OSNR and, on amplified paths, the GSNR of the
    worst channel, all in 0.1 nm.

    Args:
        state: columns of the network.
        document: its `lossless` settings and `required_margin_db`.
        reader: source of figures.
        ageing: low, central or high case of the ageing figures; not read where `budgets` are given.
        budgets: link budgets of this state, for callers that have them.
        latency: latency of its links, for callers that have it.

    Returns:
        Health by link and arc.
    """
    budgets = budgets or compute_link_budgets(state, reader, optical_paths_of(state, reader), ageing)
    member_gbps = budgets.member_gbps
    lit = state.in_service & ~(member_gbps <= 0)  # a link of unknown rate, NaN, carries too
    latency = latency or compute_latency(state, reader, budgets.paths, member_gbps)
    arc_latency_us = latency.arc_us
    measured_ratio = state["link_loss_ratio"]
    arc_member_gbps = np.fmin(np.repeat(member_gbps, 2), state["arc_capacity_gbps"])
    loss_ratio = np.where(np.isnan(measured_ratio), budgets.by_link(budgets.loss_ratio), measured_ratio)
    round_trip_us = arc_latency_us[0::2] + arc_latency_us[1::2]
    transport = compute_transport_goodput(reader, document.lossless, loss_ratio, round_trip_us, member_gbps)
    headroom = compute_pfc_headroom(state, document.lossless, reader, lit, member_gbps, round_trip_us)
    n_up = state.n_members_up
    card_ratio = _card_ratio(state, reader, lit, member_gbps, n_up)
    limits = _capacity_limits(state, document, transport, headroom, arc_member_gbps)
    members = np.where(lit, n_up * card_ratio, 0.0)
    line_gbps, links = np.where(np.repeat(lit, 2), arc_member_gbps, 0.0) * np.repeat(members, 2), limits.arcs // 2
    capacity_gbps, sending_gbps = line_gbps.copy(), line_gbps
    capacity_gbps[limits.arcs] = np.where(lit[links], limits.member_gbps, 0.0) * members[links]
    sending_gbps[limits.arcs] = np.where(lit[links], limits.sending_gbps, 0.0) * members[links]
    required_db = state["link_required_margin_db"]
    return LinkHealth(
        lit=lit,
        kind_optics=link_optics(state, reader, budgets.paths.link_of_kind),
        budgets=budgets,
        margin_db=budgets.by_link(budgets.margin_db),
        required_margin_db=np.where(np.isnan(required_db), document.required_margin_db, required_db),
        member_gbps=member_gbps,
        arc_member_gbps=arc_member_gbps,
        loss_ratio=loss_ratio,
        transport=transport,
        headroom=headroom,
        capacity_limits=limits,
        card_ratio=card_ratio,
        arc_capacity_gbps=capacity_gbps,
        arc_sending_gbps=sending_gbps,
        latency=latency,
        arc_latency_us=arc_latency_us,
    )


def unknown_rates(state: State, links: Bools) -> str:
    """Why a figure over these links is null: `rate of 3 links unknown: a, b, c`."""
    text = _unknown("rate", state, links)
    return f"{ROADM_TEXT}; {text}" if state["link_at_roadm"][links].any() else text


def unknown_lengths(state: State, links: Bools) -> str:
    """Why a latency over these links is null: `length of 3 links unknown: a, b, c`."""
    return _unknown("length", state, links)


def _unknown(what: str, state: State, links: Bools) -> str:
    rows = np.flatnonzero(links)
    names = ", ".join(state.link_ids[row] for row in rows[:MAX_NAMED]) + ", ..." * (len(rows) > MAX_NAMED)
    return f"{what} of {counted(len(rows), 'link')} unknown: {names}"


def _capacity_limits(
    state: State,
    document: TopologyDocument,
    transport: TransportGoodput,
    headroom: PfcHeadroom,
    arc_member_gbps: Floats,
) -> CapacityLimits:
    """Rates of a member after losses, pauses and buffers, for arcs that these may limit."""
    wide_area = state.link_tier == TIERS.index("wide_area")
    links = np.flatnonzero((transport.recovery_ratio < 1.0) | wide_area)
    arcs = (2 * links[:, None] + np.array([0, 1])).ravel()
    retained_ratio, lossless_gbps = np.ones(len(arcs)), np.full(len(arcs), np.inf)
    rows = np.searchsorted(arcs, headroom.arcs)
    retained_ratio[rows], lossless_gbps[rows] = headroom.retained_ratio, headroom.rate_gbps
    ratios = np.stack(
        (
            np.full(len(arcs), LEAST_SHOWN_RATIO),
            np.repeat(transport.recovery_ratio[links], 2),
            retained_ratio,
            np.where(np.repeat(wide_area[links], 2), document.lossless.congestion_control_ratio, 1.0),
        )
    )
    line_gbps = arc_member_gbps[arcs]
    rate_gbps = line_gbps * ratios[1:].prod(axis=0)
    # each TCP connection of a job meets the pauses at its own rate
    kept_ratio = 1.0 if document.lossless.recovery == "tcp" else ratios[2]
    sending_gbps = np.minimum(line_gbps * (kept_ratio * ratios[3]), lossless_gbps)
    reason = np.array((LINE_RATE, LOSS, PAUSES, CONGESTION_CONTROL))[ratios.argmin(axis=0)]
    reason = np.where(lossless_gbps < rate_gbps, BUFFER, reason)
    return CapacityLimits(arcs, np.minimum(rate_gbps, lossless_gbps), sending_gbps, reason)


def compute_latency(state: State, reader: FigureReader, paths: OpticalPaths, member_gbps: Floats) -> Latency:
    """Compute the unloaded latency of every link.

    Args:
        state: columns of the network.
        reader: source of figures.
        paths: optical paths of the links.
        member_gbps: line rate of a member of each link, NaN where unknown; float64[n_links].
    """
    n_links = state.n_links
    codes = state["link_transceiver"]
    fec_us = np.zeros(len(state.parts) + 1)
    for code in codes_in(codes, len(state.parts)):
        fec = reader.catalogue.get(state.parts[code]).fec
        if fec is not None:
            fec_us[code] = reader.part(fec, "latency_us")
    regenerators = state.link_n_regenerators
    regeneration_us = np.zeros(n_links)
    if regenerators.any():
        on_working = state["span_regenerated"] & ~state["span_standby"]
        n_regenerators = np.bincount(state["span_link"][on_working], minlength=n_links)
        regeneration_us = np.asarray(n_regenerators * reader.general("otn_regeneration_us"), dtype=np.float64)
    encrypted = state["link_macsec"]
    macsec_us = np.zeros(n_links)
    if encrypted.any():
        macsec_us[encrypted] = reader.general("macsec_us")
    head = state["arc_head"]
    switch_us = reader.by_code(state.parts, state["node_part"], "latency_us", "switch", 0.0)
    return Latency(
        propagation_us=_propagation_us(state, reader, paths)[paths.kind_of_link] + _assumed_route_us(state, reader),
        fec_us=fec_us[codes],
        regeneration_us=regeneration_us,
        macsec_us=macsec_us,
        arc_switch_us=switch_us[head],
        arc_store_us=_store_us(state, reader, member_gbps),
        arc_stated_us=state["arc_stated_latency_us"],
        length_unknown=np.isnan(state["link_straight_km"]) & np.isnan(state["arc_stated_latency_us"][0::2]),
    )


def _propagation_us(state: State, reader: FigureReader, paths: OpticalPaths) -> Floats:
    """Fibre and amplifiers of the working path, by kind of link."""
    if not len(state["span_length_km"]):
        return np.zeros(paths.n_kinds)
    index = reader.by_code(state.parts, state["span_fibre"], "group_index_ratio", "fibre")
    span_us = state["span_length_km"] * index / SPEED_OF_LIGHT_KM_PER_S * 1e6
    amplified = state["span_amplifier"] >= 0
    if amplified.any():
        span_us = span_us + amplified * reader.general("amplifier_site_us")
    working_us = np.where(state["span_standby"], 0.0, span_us)
    by_path = paths.sum_over_spans(working_us)
    return sums_by(paths.kind_of_path, by_path, paths.n_kinds)


def _assumed_route_us(state: State, reader: FigureReader) -> Floats:
    """Fibre of links between sites without spans, along the great circle times `route_over_straight_ratio`, by link."""
    straight_km = np.where(np.isnan(state["arc_stated_latency_us"][0::2]), state["link_straight_km"], 0.0)
    straight_km = np.nan_to_num(straight_km)
    if not straight_km.any():
        return np.zeros(len(straight_km))
    ratio = reader.general("route_over_straight_ratio") * reader.part(ASSUMED_FIBRE, "group_index_ratio")
    return np.asarray(straight_km * (ratio / SPEED_OF_LIGHT_KM_PER_S * 1e6))


def _store_us(state: State, reader: FigureReader, member_gbps: Floats) -> Floats:
    """8 L / R by arc where the switch at its head stores whole frames; 0 elsewhere."""
    stores = np.zeros(len(state.parts) + 1)
    for code in codes_in(state["node_part"], len(state.parts)):
        stores[code] = reader.catalogue.get(state.parts[code]).store_and_forward
    if not stores.any():
        return np.zeros(2 * len(member_gbps))
    frame_us = reader.general("packet_bytes") * 8.0 / 1e3
    by_link = np.divide(frame_us, member_gbps, out=np.zeros(len(member_gbps)), where=member_gbps > 0)
    return np.asarray(np.repeat(by_link, 2) * stores[state["node_part"]][state["arc_head"]])


def _card_ratio(state: State, reader: FigureReader, lit: Bools, member_gbps: Floats, n_members_up: Ints) -> Floats:
    """Share of each link's line rate that the network cards of a rack at its end can fill; 1 elsewhere.

    Only links with a transceiver are compared with the cards; a stated `capacity_gbps` alone is used unchanged.
    """
    cards_gbps = card_gbps(state, reader) * state["n_cards_in_use"]
    link_gbps = np.where(lit & (state["link_transceiver"] >= 0), member_gbps * n_members_up, 0.0)
    ends = state["link_ends"]
    ports_gbps = sum(sums_by(ends[:, side], link_gbps, len(cards_gbps)) for side in (0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        filled = np.where(np.isnan(cards_gbps) | (cards_gbps <= 0), 1.0, np.fmin(cards_gbps / ports_gbps, 1.0))
    if (filled == 1.0).all():
        return np.ones(len(link_gbps))
    return np.where(link_gbps > 0, np.minimum(filled[ends[:, 0]], filled[ends[:, 1]]), 1.0)
