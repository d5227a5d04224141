"""Compile records to columns; only here names become integer codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np

from ..model.directions import BothWays, higher_of
from ..model.document import TopologyDocument
from ..model.measurements import MeasuredValues
from ..model.records import FORWARDING_KINDS, Link, Node, Span
from ..units import DAYS_PER_YEAR
from .columns import NO_CODE, NODE_KINDS, Floats, Ints, NetworkArrays, freeze

EARTH_RADIUS_KM = 6371.0088
"""Mean radius (IUGG)."""


class _Codes:
    """Maps names to consecutive integers, sorted by name; None to NO_CODE."""

    def __init__(self, names: Iterable[str | None]) -> None:
        self.names = tuple(sorted({name for name in names if name is not None}))
        self._code_of: dict[str | None, int] = {name: i for i, name in enumerate(self.names)}
        self._code_of[None] = NO_CODE

    def __call__(self, names: Iterable[str | None]) -> Ints:
        return np.fromiter((self._code_of[name] for name in names), dtype=np.int64)


def compile_network(document: TopologyDocument, nodes: Sequence[Node], links: Sequence[Link]) -> NetworkArrays:
    """Compile records to columns; the order of records in the document does not matter.

    Args:
        document: document of the network.
        nodes: all nodes, sorted by id.
        links: all links, sorted by id.
    """
    parts = _Codes(
        name
        for group in (
            (n.part for n in nodes),
            (n.accelerator for n in nodes),
            (link.transceiver for link in links),
            (link.mux for link in links),
            (link.protection for link in links),
            (link.booster for link in links),
            (span.fibre for link in links for span in link.spans),
            (span.amplifier for link in links for span in link.spans),
        )
        for name in group
    )
    sites = _Codes(site.id for site in document.sites)
    memberships = sorted({(i, s) for i, link in enumerate(links) for s in _srlgs(link)})
    spans = [span for link in links for span in link.spans]
    span_memberships = sorted({(i, s) for i, span in enumerate(spans) for s in _span_srlgs(span)})
    srlgs = _Codes(name for _, name in (*memberships, *span_memberships))
    node_codes = {node.id: i for i, node in enumerate(nodes)}
    # arc 2l leaves the end with the smaller id, so answers do not depend on the order of the ends
    ends = np.array([sorted((node_codes[a], node_codes[b])) for a, b in (link.ends for link in links)], dtype=np.int64)
    ends = ends.reshape(-1, 2)
    node_site = sites(n.site for n in nodes)
    received, losses = _measured_values(document, links)
    n_spans = np.array([len(link.spans) for link in links], dtype=np.int64)
    first, arcs, head = _outgoing_arcs(len(nodes), ends)
    ages = _Ages(document.as_of)
    return freeze(
        NetworkArrays(
            node_ids=tuple(n.id for n in nodes),
            link_ids=tuple(link.id for link in links),
            parts=parts.names,
            sites=sites.names,
            srlgs=srlgs.names,
            node_kind=np.array([NODE_KINDS.index(n.kind) for n in nodes], dtype=np.int64),
            node_site=node_site,
            node_part=parts(n.part for n in nodes),
            node_accelerator=parts(n.accelerator for n in nodes),
            node_n_accelerators=np.array([n.n_accelerators for n in nodes], dtype=np.int64),
            node_n_cards=_with_no_code(n.n_cards for n in nodes),
            node_n_servers=_with_no_code(n.n_servers for n in nodes),
            node_rail=_with_no_code(n.rail for n in nodes),
            node_age_years=_ages_of(ages, nodes, "installed", "age_years"),
            node_up=np.array([n.up for n in nodes], dtype=np.bool_),
            node_forwards=np.array([_forwards(n) for n in nodes], dtype=np.bool_),
            link_ends=ends,
            link_capacity_gbps=_with_nan(
                None if link.capacity_gbps is None else higher_of(link.capacity_gbps) for link in links
            ),
            link_n_parallel=np.array([link.n_parallel for link in links], dtype=np.int64),
            link_straight_km=_straight_km(document, sites.names, node_site[ends], n_spans),
            arc_weight=_by_arc(links, [link.weight for link in links]),
            arc_capacity_gbps=_by_arc(
                links, [c if isinstance(c := link.capacity_gbps, tuple) and c[0] != c[1] else None for link in links]
            ),
            arc_stated_latency_us=_by_arc(links, [link.latency_us for link in links]),
            link_transceiver=parts(link.transceiver for link in links),
            link_mux=parts(link.mux for link in links),
            link_launch_dbm=_with_nan(link.launch_dbm for link in links),
            link_booster=parts(link.booster for link in links),
            link_booster_gain_db=_with_nan(link.booster_gain_db for link in links),
            link_booster_voa_db=np.array([link.booster_voa_db for link in links], dtype=np.float64),
            link_booster_noise_figure_db=_with_nan(link.booster_noise_figure_db for link in links),
            link_n_design_channels=_with_no_code(link.n_design_channels for link in links),
            link_n_fibre_pairs=np.array([link.n_fibre_pairs for link in links], dtype=np.int64),
            link_age_years=_ages_of(ages, links, "installed", "age_years"),
            link_required_margin_db=_with_nan(link.required_margin_db for link in links),
            link_loss_ratio=_with_nan(link.loss_ratio for link in links),
            link_measured_received_dbm=_with_nan(value for value, _ in received),
            link_measured_years=_years_since(ages, received),
            link_protection=parts(link.protection for link in links),
            link_macsec=np.array([link.macsec for link in links], dtype=np.bool_),
            link_n_failed=np.array([link.n_failed for link in links], dtype=np.int64),
            link_up=np.array([link.up for link in links], dtype=np.bool_),
            span_first=np.concatenate((np.zeros(1, np.int64), np.cumsum(n_spans))),
            span_link=np.repeat(np.arange(len(links), dtype=np.int64), n_spans),
            span_length_km=np.array([s.length_km for s in spans], dtype=np.float64),
            span_fibre=parts(s.fibre for s in spans),
            span_age_years=np.nan_to_num(_ages_of(ages, spans, "installed", "age_years", document.fibre_installed)),
            span_undated=np.array(
                [s.age_years is None and (s.installed or document.fibre_installed) is None for s in spans],
                dtype=np.bool_,
            ),
            span_cable=srlgs(s.cable for s in spans),
            span_n_splices=np.array([s.n_splices for s in spans], dtype=np.int64),
            span_n_connectors=np.array([s.n_connectors for s in spans], dtype=np.int64),
            span_lumped_loss_db=np.array([s.lumped_loss_db for s in spans], dtype=np.float64),
            span_amplifier=parts(s.amplifier for s in spans),
            span_amplifier_gain_db=_with_nan(s.amplifier_gain_db for s in spans),
            span_amplifier_output_dbm=_with_nan(s.amplifier_output_dbm for s in spans),
            span_amplifier_voa_db=np.array([s.amplifier_voa_db for s in spans], dtype=np.float64),
            span_amplifier_noise_figure_db=_with_nan(s.amplifier_noise_figure_db for s in spans),
            span_amplifier_age_years=_amplifier_ages(ages, spans, document.fibre_installed),
            span_leased=np.array([s.leased for s in spans], dtype=np.bool_),
            span_measured_loss_db=_with_nan(value for value, _ in losses),
            span_measured_years=_years_since_measured(losses, ages),
            span_regenerated=np.array([s.regenerated for s in spans], dtype=np.bool_),
            span_standby=np.array([s.standby for s in spans], dtype=np.bool_),
            srlg_link=np.array([i for i, _ in memberships], dtype=np.int64),
            srlg_code=srlgs(name for _, name in memberships),
            span_srlg_span=np.array([i for i, _ in span_memberships], dtype=np.int64),
            span_srlg_code=srlgs(name for _, name in span_memberships),
            arc_first=first,
            arc_sorted=arcs,
            arc_head=head,
        )
    )


def _forwards(node: Node) -> bool:
    """Return whether a node carries traffic of other nodes."""
    return node.kind in FORWARDING_KINDS if node.forwards is None else node.forwards


def _srlgs(link: Link) -> Iterable[str]:
    """Return the shared risks that take a link down; for a protected link those of both paths."""
    if not link.spans:
        return link.srlgs
    paths = [{name for s in link.spans if s.standby == standby for name in _span_srlgs(s)} for standby in (False, True)]
    return {*link.srlgs, *(paths[0] & paths[1] if link.protection else paths[0] | paths[1])}


def _span_srlgs(span: Span) -> Iterable[str]:
    """Return the shared risks of a span; the cable is one of them."""
    return span.srlgs if span.cable is None else (*span.srlgs, span.cable)


Reading = tuple[float | None, date | float | None]
"""A measured value, and its date or the years since; None without a measurement."""


def _measured_values(document: TopologyDocument, links: Sequence[Link]) -> tuple[list[Reading], list[Reading]]:
    """Return (received power by link, loss by span), from measurements, else from fields of the records."""
    values = MeasuredValues(document.measurements)
    received: list[Reading] = []
    losses: list[Reading] = []
    for link in links:
        received.append(values.received_power(link.id) or (link.measured_received_dbm, _day_or_years(link)))
        for i, span in enumerate(link.spans):
            losses.append(values.span_loss(link.id, i) or (span.measured_loss_db, _day_or_years(span)))
    return received, losses


def _day_or_years(record: Link | Span) -> date | float | None:
    return record.measured if record.measured_years is None else record.measured_years


def _with_no_code(values: Iterable[int | None]) -> Ints:
    return np.fromiter((NO_CODE if value is None else value for value in values), dtype=np.int64)


def _with_nan(values: Iterable[float | None]) -> Floats:
    return np.fromiter((np.nan if value is None else value for value in values), dtype=np.float64)


def _ages_of(
    ages: _Ages, records: Sequence[Node | Link | Span], day: str, years: str, default: date | None = None
) -> Floats:
    """Return the age of each record: as stated in years, else by its day; NaN without either."""
    stated = [getattr(record, years) for record in records]
    by_day = ages(getattr(record, day) or default for record in records)
    return np.where([value is None for value in stated], by_day, _with_nan(stated)) if records else by_day


def _amplifier_ages(ages: _Ages, spans: Sequence[Span], fibre_installed: date | None) -> Floats:
    """Return the age of the amplifier of each span: its own, else that of the fibre."""
    own = _ages_of(ages, spans, "amplifier_installed", "amplifier_age_years")
    of_fibre = _ages_of(ages, spans, "installed", "age_years", fibre_installed)
    return np.nan_to_num(np.where(np.isnan(own), of_fibre, own))


def _years_since(ages: _Ages, readings: Sequence[Reading]) -> Floats:
    """Return the years since each measurement; NaN without one."""
    stated = [None if isinstance(day, date) else day for _, day in readings]
    by_day = ages(day if isinstance(day, date) else None for _, day in readings)
    return np.where([value is None for value in stated], by_day, _with_nan(stated)) if readings else by_day


def _years_since_measured(losses: Sequence[Reading], ages: _Ages) -> Floats:
    """Return the years since each measurement; a loss without a day was measured on `as_of`."""
    years = _years_since(ages, losses)
    undated = [value is not None and day is None for value, day in losses]
    return np.where(np.array(undated, dtype=np.bool_), 0.0, years)


class _Ages:
    """Converts dates to years before `as_of`; None to NaN."""

    def __init__(self, as_of: date | None) -> None:
        self._as_of = as_of
        self._known: dict[date | None, float] = {None: float("nan")}

    def __call__(self, days: Iterable[date | None]) -> Floats:
        return np.fromiter((self._age_years(day) for day in days), dtype=np.float64)

    def _age_years(self, day: date | None) -> float:
        if day not in self._known and day is not None and self._as_of is not None:
            self._known[day] = (self._as_of - day).days / DAYS_PER_YEAR
        return self._known[day]


def _straight_km(document: TopologyDocument, sites: Sequence[str], site: Ints, n_spans: Ints) -> Floats:
    """Return the great circle between the sites of each link without spans; NaN where a position is not stated.

    site: int64[n_links, 2], codes of the sites of both ends.
    """
    by_id = {site.id: site for site in document.sites}
    # the last row is for nodes without a site, whose code is -1
    latitude = np.radians([*_with_nan(by_id[name].latitude_deg for name in sites), np.nan])[site]
    longitude = np.radians([*_with_nan(by_id[name].longitude_deg for name in sites), np.nan])[site]
    half_angles = np.diff(latitude)[:, 0] / 2.0, np.diff(longitude)[:, 0] / 2.0
    haversine = np.sin(half_angles[0]) ** 2 + np.cos(latitude).prod(axis=1) * np.sin(half_angles[1]) ** 2
    straight_km = 2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(haversine, 1.0)))
    between_sites = (site != NO_CODE).all(axis=1) & (site[:, 0] != site[:, 1])
    return np.where((n_spans == 0) & between_sites, straight_km, 0.0)


def _by_arc(links: Sequence[Link], values: Sequence[BothWays | None]) -> Floats:
    """Return the value of each arc; NaN where none is stated. Arc 2l leaves the end with the smaller id."""
    out = np.full((len(links), 2), np.nan)
    for row, (link, value) in enumerate(zip(links, values, strict=True)):
        if value is not None:
            both = value if isinstance(value, tuple) else (value, value)
            out[row] = both if link.ends[0] < link.ends[1] else both[::-1]
    return out.ravel()


def _outgoing_arcs(n_nodes: int, ends: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the outgoing arcs of each node in CSR form, ordered by (head, link), and the head of each arc.

    ends: int64[n_links, 2]. Returns first[n_nodes + 1], arcs[2 * n_links], head[2 * n_links].
    """
    n_links = len(ends)
    tail = ends.reshape(-1)
    head = ends[:, ::-1].reshape(-1) if n_links else np.zeros(0, np.int64)
    arcs = np.arange(2 * n_links, dtype=np.int64)
    order = np.lexsort((arcs, head, tail))
    first = np.zeros(n_nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(tail, minlength=n_nodes), out=first[1:])
    return first, arcs[order], np.ascontiguousarray(head)
