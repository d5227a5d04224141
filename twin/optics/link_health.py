"""What each link can carry today: its light, what buffers, losses and network cards leave of it, and its latency."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arrays import TIERS, Bools, Floats, Ints, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..model.document import TopologyDocument
from ..units import SPEED_OF_LIGHT_KM_PER_S
from .link_budget import (
    BUFFER,
    CARDS,
    CONGESTION_CONTROL,
    DARK,
    LINE_RATE,
    LOSS,
    PAUSES,
    REACH,
    LinkBudgets,
    compute_link_budgets,
)
from .optical_paths import OpticalPaths, codes_in, link_optics, optical_paths_of
from .pfc_headroom import PfcHeadroom, compute_pfc_headroom
from .transport_goodput import TransportGoodput, compute_transport_goodput

MAX_NAMED = 4
"""Links of unknown rate that a message names."""
LEAST_SHOWN_RATIO = 0.999
"""Shares nearer to one than this are not named as what holds a link back."""


@dataclass(frozen=True, eq=False)
class Latency:
    """Unloaded one-way latency by what makes it, by link (L) or arc (2L)."""

    propagation_us: Floats
    """Glass of the working path and the amplifiers on it."""
    fec_us: Floats
    regeneration_us: Floats
    macsec_us: Floats
    arc_switch_us: Floats
    """Passage of the switch that an arc leads to."""
    arc_store_us: Floats
    """Of a frame that this switch takes in whole before it sends it on."""

    @property
    def arc_us(self) -> Floats:
        """All of it, by arc."""
        way = self.propagation_us + self.fec_us + self.regeneration_us + self.macsec_us
        at_head = (self.arc_switch_us + self.arc_store_us).reshape(-1, 2)
        return np.asarray((way[:, None] + at_head).ravel())


@dataclass(frozen=True, eq=False)
class CapacityLimits:
    """Arcs that may carry less than their light, by row of `arcs`, ascending."""

    arcs: Ints
    member_gbps: Floats
    """Of one member, behind losses, pauses and buffers."""
    reason: Ints
    """Index into LIMITS of what takes most of it."""


@dataclass(frozen=True, eq=False)
class LinkHealth:
    """Columns by link (L), or by arc (2L: link 2l forward, 2l + 1 back). NaN where a notion does not apply.

    A lit link that states neither a rate nor a transceiver has an unknown rate: its `*_gbps` are NaN.
    `arc_*_gbps` are of all members together; `member_gbps` is one member's light. What a link carries counts losses and
    buffers, not the windows of single senders: see `job_capacity_gbps`.
    """

    lit: Bools
    kind_optics: Ints
    """Index into OPTICS of each kind of link, see `LinkBudgets.lines`."""
    light: LinkBudgets
    margin_db: Floats
    required_margin_db: Floats
    member_gbps: Floats
    loss_ratio: Floats
    transport: TransportGoodput
    headroom: PfcHeadroom
    held: CapacityLimits
    card_ratio: Floats
    """Share of a link's light that the network cards behind it fill."""
    arc_capacity_gbps: Floats
    latency: Latency
    arc_latency_us: Floats

    @property
    def optics(self) -> Ints:
        """Index into OPTICS of each link."""
        return self.kind_optics[self.light.lines.kind_of_link]

    @cached_property
    def arc_limit(self) -> Ints:
        """Index into LIMITS of what holds each arc below its nominal capacity."""
        of_light = self.light.by_link(self.light.limit)
        of_light = np.where((self.member_gbps <= 0) & (of_light != REACH), DARK, of_light)
        of_light = np.where((self.card_ratio < 1.0) & (of_light == LINE_RATE), CARDS, of_light)
        limit = np.repeat(of_light, 2)
        here = limit[self.held.arcs]
        named = (self.held.reason != LINE_RATE) & (here != DARK) & (here != REACH)
        limit[self.held.arcs] = np.where(named, self.held.reason, here)
        return limit

    @property
    def rate_unknown(self) -> Bools:
        """Links that carry at a rate that nobody states; bool[n_links]."""
        return np.asarray(self.lit & np.isnan(self.member_gbps))

    @cached_property
    def job_capacity_gbps(self) -> Floats:
        """What a job's queue pairs, which keep no more in flight than they may, get out of each arc."""
        if (self.transport.window_ratio == 1.0).all():
            return self.arc_capacity_gbps
        sent = self.transport
        held = np.divide(sent.goodput_ratio, sent.recovery_ratio, out=np.ones(len(self.lit)), where=self.lit)
        return np.asarray(self.arc_capacity_gbps * np.repeat(held, 2))

    @property
    def goodput_ratio(self) -> Floats:
        """Share of a member's rate that a sender's queue pairs turn into work, losses and windows counted, by link."""
        return self.transport.goodput_ratio

    @property
    def loss_db(self) -> Floats:
        """Between transmitter and receiver, of the line that decides, by link."""
        return self.light.by_link(self.light.loss_db)

    @property
    def received_dbm(self) -> Floats:
        """Power per channel at the receiver, by link."""
        return self.light.by_link(self.light.received_dbm)

    @property
    def line_gsnr_db(self) -> Floats:
        """Of the worst channel of an amplified line, in 0.1 nm, by link."""
        return self.light.by_link(self.light.line_gsnr_db)


def compute_link_health(
    state: State,
    document: TopologyDocument,
    reader: FigureReader,
    ageing: AgeingCase = "value",
    budgets: LinkBudgets | None = None,
) -> LinkHealth:
    """Compute what every link of a state can carry.

    Args:
        state: columns of the network.
        document: its `lossless` settings and `required_margin_db`.
        reader: source of figures.
        ageing: low, central or high case of the ageing figures; not read where `budgets` are given.
        budgets: link budgets of this state, for callers that have them.

    Loss: span attenuation grown linearly with age, splices (those of repaired cuts among them), connectors, lumped
    losses, multiplexers at both ends; or as it was measured, and grown since. Margins: direct detection by loss budget;
    coherent by received power, transmitter OSNR and, over amplifiers, the GSNR of the worst channel, all in 0.1 nm.
    """
    light = budgets or compute_link_budgets(state, reader, optical_paths_of(state, reader), ageing)
    member = light.by_link(light.gbps)
    lit = state.in_service & ~(member <= 0)  # a link of unknown rate, NaN, carries too
    latency = _latency(state, reader, light, member)
    arc_latency_us = latency.arc_us
    measured = state["link_loss_ratio"]
    loss_ratio = np.where(np.isnan(measured), light.by_link(light.loss_ratio), measured)
    round_trip_us = arc_latency_us[0::2] + arc_latency_us[1::2]
    sent = compute_transport_goodput(reader, document.lossless, loss_ratio, round_trip_us, member)
    room = compute_pfc_headroom(state, document.lossless, reader, lit, member, round_trip_us)
    n_up = state.n_members_up
    cards = _card_share(state, reader, lit, member, n_up)
    held = _held(state, document, sent, room, member)
    members = np.where(lit, n_up * cards, 0.0)
    capacity = np.repeat(np.where(lit, member, 0.0) * members, 2)
    capacity[held.arcs] = np.where(lit[held.arcs // 2], held.member_gbps, 0.0) * members[held.arcs // 2]
    required = state["link_required_margin_db"]
    return LinkHealth(
        lit=lit,
        kind_optics=link_optics(state, reader, light.lines.link),
        light=light,
        margin_db=light.by_link(light.margin_db),
        required_margin_db=np.where(np.isnan(required), document.required_margin_db, required),
        member_gbps=member,
        loss_ratio=loss_ratio,
        transport=sent,
        headroom=room,
        held=held,
        card_ratio=cards,
        arc_capacity_gbps=capacity,
        latency=latency,
        arc_latency_us=arc_latency_us,
    )


def unknown_rates(state: State, links: Bools) -> str:
    """Why a figure over these links is null: `rate of 3 links unknown: a, b, c`."""
    rows = np.flatnonzero(links)
    names = ", ".join(state.link_ids[row] for row in rows[:MAX_NAMED]) + ", ..." * (len(rows) > MAX_NAMED)
    return f"rate of {len(rows)} link{'s' * (len(rows) != 1)} unknown: {names}"


def _held(
    state: State, document: TopologyDocument, sent: TransportGoodput, room: PfcHeadroom, member_gbps: Floats
) -> CapacityLimits:
    """What losses, pauses and buffers leave of a member, where they may leave less than all."""
    wide = state.link_tier == TIERS.index("wide_area")
    links = np.flatnonzero((sent.recovery_ratio < 1.0) | wide)
    arcs = (2 * links[:, None] + np.array([0, 1])).ravel()
    kept, absorbed = np.ones(len(arcs)), np.full(len(arcs), np.inf)
    rows = np.searchsorted(arcs, room.arcs)
    kept[rows], absorbed[rows] = room.kept_ratio, room.rate_gbps
    shares = np.stack(
        (
            np.full(len(arcs), LEAST_SHOWN_RATIO),
            np.repeat(sent.recovery_ratio[links], 2),
            kept,
            np.where(np.repeat(wide[links], 2), document.lossless.congestion_control_ratio, 1.0),
        )
    )
    left = np.repeat(member_gbps[links], 2) * shares[1:].prod(axis=0)
    reason = np.array((LINE_RATE, LOSS, PAUSES, CONGESTION_CONTROL))[shares.argmin(axis=0)]
    return CapacityLimits(arcs, np.minimum(left, absorbed), np.where(absorbed < left, BUFFER, reason))


def _latency(state: State, reader: FigureReader, light: LinkBudgets, member_gbps: Floats) -> Latency:
    lines, n_links = light.lines, state.n_links
    codes = state["link_transceiver"]
    fec_us = np.zeros(len(state.parts) + 1)
    for code in codes_in(codes, len(state.parts)):
        fec = reader.catalogue.get(state.parts[code]).fec
        if fec is not None:
            fec_us[code] = reader.part(fec, "latency_us")
    regenerators = state.link_n_regenerators
    regeneration_us = np.zeros(n_links)
    if regenerators.any():
        on_the_way = state["span_regenerated"] & ~state["span_standby"]
        n = np.bincount(state["span_link"][on_the_way], minlength=n_links)
        regeneration_us = np.asarray(n * reader.general("otn_regeneration_us"), dtype=np.float64)
    encrypted = state["link_macsec"]
    macsec_us = np.zeros(n_links)
    if encrypted.any():
        macsec_us[encrypted] = reader.general("macsec_us")
    head = state["arc_head"]
    switch_us = reader.by_code(state.parts, state["node_part"], "latency_us", "switch", 0.0)
    return Latency(
        propagation_us=_propagation_us(state, reader, lines)[lines.kind_of_link],
        fec_us=fec_us[codes],
        regeneration_us=regeneration_us,
        macsec_us=macsec_us,
        arc_switch_us=switch_us[head],
        arc_store_us=_store_us(state, reader, member_gbps),
    )


def _propagation_us(state: State, reader: FigureReader, lines: OpticalPaths) -> Floats:
    """By kind of link: glass and amplifiers of the working path."""
    if not len(state["span_length_km"]):
        return np.zeros(lines.n_kinds)
    index = reader.by_code(state.parts, state["span_fibre"], "group_index_ratio", "fibre")
    span_us = state["span_length_km"] * index / SPEED_OF_LIGHT_KM_PER_S * 1e6
    passed = state["span_amplifier"] >= 0
    if passed.any():
        span_us = span_us + passed * reader.general("amplifier_site_us")
    working = np.where(state["span_standby"], 0.0, span_us)
    return np.bincount(lines.kind, weights=lines.sum_of_spans(working), minlength=lines.n_kinds).astype(np.float64)


def _store_us(state: State, reader: FigureReader, member_gbps: Floats) -> Floats:
    """By arc: 8 L / R where the switch it leads to stores whole frames."""
    whole = np.zeros(len(state.parts) + 1)
    for code in codes_in(state["node_part"], len(state.parts)):
        whole[code] = reader.catalogue.get(state.parts[code]).store_and_forward
    if not whole.any():
        return np.zeros(2 * len(member_gbps))
    frame_us = reader.general("packet_bytes") * 8.0 / 1e3
    per_link = np.divide(frame_us, member_gbps, out=np.zeros(len(member_gbps)), where=member_gbps > 0)
    return np.asarray(np.repeat(per_link, 2) * whole[state["node_part"]][state["arc_head"]])


def _card_share(state: State, reader: FigureReader, lit: Bools, member_gbps: Floats, n_members_up: Ints) -> Floats:
    """By link: the share of its light that the network cards of a rack at its end can fill; 1 elsewhere.

    Only links with a transceiver are held against the cards; a bare `capacity_gbps` is taken as it is said.
    """
    cards = reader.by_code(state.parts, state["node_accelerator"], "nic_gbps", "accelerator")
    cards = cards * state["node_n_accelerators"]
    light = np.where(lit & (state["link_transceiver"] >= 0), member_gbps * n_members_up, 0.0)
    ends = state["link_ends"]
    ports = sum(np.bincount(ends[:, side], weights=light, minlength=len(cards)) for side in (0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        filled = np.where(np.isnan(cards) | (cards <= 0), 1.0, np.fmin(cards / ports, 1.0))
    if (filled == 1.0).all():
        return np.ones(len(light))
    return np.where(light > 0, filled[ends].min(axis=1), 1.0)
