"""Link failures: rates and repair times of cuts, amplifiers, transceivers and protection switching.

The model is the steady state of units that fail at a constant rate and are repaired one by one. "Line" means all fibre
pairs of a link together; "member" means one of its parallel channels. Assumptions beyond the catalogue:

* A cut takes down all fibres of a line. Each amplifier site has one amplifier for each direction of each fibre pair. An
  amplifier of a single pair takes down the whole line; one of several pairs only takes down the members on its pair,
  and then counts for the member.
* A link between sites without spans has fibre along the great circle times `route_over_straight_ratio`, without
  amplifiers. Without positions of the sites its length is unknown and it has no cuts.
* A member has a transceiver at each end, and two more at each regenerator of its working path. A link without fibre
  fails as one large operator's indoor links do, fibre and ends together.
* A network card that a node names fails by its own figure, takes its members down, and is replaced like a transceiver.
* A protected line is down while both of its paths are down, or when a stretch that both share is cut. In each shared
  risk that stretch is the shorter of their two lengths. A risk named on the link covers both paths from end to end.
  Paths never share amplifiers, and protection switches do not fail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..arrays.boosters import booster_codes
from ..arrays.node_ports import CARD_KINDS, is_of_kinds, part_of_ports
from ..arrays.sums import sums_by
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..errors import TwinError
from ..units import HOURS_PER_MONTH
from .rates import HOURS_PER_YEAR, Rate, any_of, both_down, no_failures, rate_with_repair, select

FAILURES_PER_HOUR_OF_FIT = 1e-9
N_TRANSCEIVERS = 2
"""Transceivers of a member; each regenerator adds as many."""
N_DIRECTIONS = 2
MEZA_MTBF = (336.51, 3.4371)
MEZA_MTTR = (1.1345, 4.7709)
"""Hours at percentile 0, and growth; links of Facebook's fibre vendors (Meza et al., IMC 2018, quoted second-hand)."""


@dataclass(frozen=True, eq=False)
class LinkFailures:
    """Failures by requested link.

    MTBF is from a repair to the next failure: infinite, with an MTTR of 0, where nothing fails. A failure of the line
    takes down all members at once; failures of a member come on top. Counts are per year in service.
    """

    line_mtbf_h: Floats
    line_mttr_h: Floats
    line_unavailability_ratio: Floats
    member_mtbf_h: Floats
    member_mttr_h: Floats
    member_unavailability_ratio: Floats
    n_failures_per_year: Floats
    """Failures of the line, after protection."""
    n_cuts_per_year: Floats
    """Failures of a member by cuts of its working path."""
    n_amplifier_failures_per_year: Floats
    """Failures of a member by amplifiers of its fibre pair along the working path."""
    n_transceiver_failures_per_year: Floats
    """Failures of a member's transceivers; for a link without fibre, all its failures."""
    n_switches_per_year: Floats
    """Switch-overs to the standby path."""

    @property
    def line(self) -> Rate:
        """Failures of all members at once, for a reason that they share."""
        return Rate(self.n_failures_per_year / HOURS_PER_YEAR, self.line_mttr_h)

    @property
    def member(self) -> Rate:
        """Failures of one member by itself."""
        return Rate(1.0 / self.member_mtbf_h, self.member_mttr_h)


class PublishedLink(NamedTuple):
    """MTBF and MTTR of a wide-area link in published statistics."""

    mtbf_h: float
    mttr_h: float

    @property
    def unavailability_ratio(self) -> float:
        """Share of time in which the link is down."""
        return self.mttr_h / (self.mtbf_h + self.mttr_h)


class _Path(NamedTuple):
    """One path of each line: its fibre length, and the amplifiers that take down the whole path."""

    length_km: Floats
    line_amplifiers: Rate


def published_wan_link(percentile: float) -> PublishedLink:
    """Look up the MTBF and MTTR of a published wide-area link.

    MTBF = 336.51 e^(3.4371 p) h and MTTR = 1.1345 e^(4.7709 p) h, each at percentile p of its own distribution.

    Args:
        percentile: p in 0..1.

    Returns:
        The link at that percentile.

    Raises:
        TwinError: the percentile is outside 0..1.

    Source: Meza et al., IMC 2018, quoted second-hand.
    """
    if not 0.0 <= percentile <= 1.0:
        raise TwinError(f"percentile {percentile}", where="published_wan_link", expected="a number from 0 to 1")
    mtbf_h, mttr_h = (base * math.exp(growth * percentile) for base, growth in (MEZA_MTBF, MEZA_MTTR))
    return PublishedLink(mtbf_h, mttr_h)


def cut_repair_h(reader: FigureReader, case: AgeingCase = "value") -> float:
    """Compute the mean repair time of a cut, the mean of a lognormal: median e^(sigma^2 / 2)."""
    sigma = reader.general("cut_repair_log_sigma_ratio", case)
    return reader.general("cut_repair_h", case) * math.exp(sigma**2 / 2.0)


def link_failures(state: State, reader: FigureReader, links: Ints, case: AgeingCase = "value") -> LinkFailures:
    """Compute the failures of lines and members.

    Args:
        state: columns of the network.
        reader: source of figures.
        links: rows of `link_*`.
        case: low, central or high case of the failure figures.

    Returns:
        Failures by row of `links`.
    """
    links = np.asarray(links, dtype=np.int64)
    protected = state["link_protection"][links] >= 0
    one_pair = state["link_n_fibre_pairs"][links] == 1
    pair_amplifiers = _amplifiers(state, reader, links, case, standby=False)
    assumed_km = _assumed_km(state, reader)[links]
    working = _path(state, links, pair_amplifiers, one_pair, standby=False)
    working = working._replace(length_km=working.length_km + assumed_km)
    cuts = _cuts(reader, working.length_km, case)
    line, switches = any_of(cuts, working.line_amplifiers), no_failures(len(links))
    if protected.any():
        both_down, working_down = _protected(state, reader, links, case, working)
        line, switches = select(protected, both_down, line), select(protected, working_down, switches)
    # protection bridges an amplifier of one pair; without it the pair's members are down
    pair_only = select(one_pair | protected, no_failures(len(links)), pair_amplifiers)
    transceivers = _transceivers(state, reader, links, case, assumed_km > 0)
    member = any_of(any_of(transceivers, _cards(state, reader, links)), pair_only)
    return LinkFailures(
        line_mtbf_h=line.mtbf_h,
        line_mttr_h=line.repair_h,
        line_unavailability_ratio=line.unavailability_ratio,
        member_mtbf_h=member.mtbf_h,
        member_mttr_h=member.repair_h,
        member_unavailability_ratio=member.unavailability_ratio,
        n_failures_per_year=line.n_per_h * HOURS_PER_YEAR,
        n_cuts_per_year=cuts.n_per_h * HOURS_PER_YEAR,
        n_amplifier_failures_per_year=pair_amplifiers.n_per_h * HOURS_PER_YEAR,
        n_transceiver_failures_per_year=transceivers.n_per_h * HOURS_PER_YEAR,
        n_switches_per_year=switches.n_per_h * HOURS_PER_YEAR,
    )


def _protected(state: State, reader: FigureReader, links: Ints, case: AgeingCase, working: _Path) -> tuple[Rate, Rate]:
    """(failures of both paths at a time, failures of the working path that the standby bridges), as if all had two."""
    one_pair = state["link_n_fibre_pairs"][links] == 1
    standby = _path(state, links, _amplifiers(state, reader, links, case, standby=True), one_pair, standby=True)
    shared_km = _shared_km(state)[links]
    working_only, standby_only = (
        any_of(_cuts(reader, path.length_km - shared_km, case), path.line_amplifiers) for path in (working, standby)
    )
    return any_of(_cuts(reader, shared_km, case), both_down(working_only, standby_only)), working_only


def _path(state: State, links: Ints, amplifiers: Rate, one_pair: Bools, *, standby: bool) -> _Path:
    length_km = np.where(state["span_standby"] == standby, state["span_length_km"], 0.0)
    line_amplifiers = select(one_pair, amplifiers, no_failures(len(links)))
    return _Path(_sum_over_spans(state, length_km, links), line_amplifiers)


def _cuts(reader: FigureReader, length_km: Floats, case: AgeingCase) -> Rate:
    """Cuts of a fibre length."""
    if not length_km.any():
        return no_failures(len(length_km))
    n_per_h = reader.general("n_cuts_per_km_year", case) * length_km / HOURS_PER_YEAR
    return rate_with_repair(n_per_h, cut_repair_h(reader, case))


def _amplifiers(state: State, reader: FigureReader, links: Ints, case: AgeingCase, *, standby: bool) -> Rate:
    """Amplifiers of one fibre pair along one path, boosters included, both directions."""
    on_path = (state["span_amplifier"] >= 0) & (state["span_standby"] == standby)
    boosted = booster_codes(state, reader)[links] >= 0
    if not on_path.any() and not boosted.any():
        return no_failures(len(links))
    n_amplifiers = _sum_over_spans(state, on_path.astype(np.float64), links)
    if boosted.any():
        regenerated = state["span_regenerated"] & (state["span_standby"] == standby)
        n_amplifiers += boosted * (1.0 + _sum_over_spans(state, regenerated.astype(np.float64), links))
    n_amplifiers *= N_DIRECTIONS
    n_per_h = n_amplifiers * reader.general("amplifier_fit", case) * FAILURES_PER_HOUR_OF_FIT
    return rate_with_repair(n_per_h, reader.general("amplifier_repair_h", case))


def _assumed_km(state: State, reader: FigureReader) -> Floats:
    """Assumed fibre of links between sites without spans; float64[n_links]."""
    straight_km = np.nan_to_num(state["link_straight_km"])
    ratio = reader.general("route_over_straight_ratio") if straight_km.any() else 1.0
    return np.asarray(straight_km * ratio)


def _transceivers(state: State, reader: FigureReader, links: Ints, case: AgeingCase, has_assumed_fibre: Bools) -> Rate:
    """Transceivers of one member; for links without fibre, the published rate of indoor links."""
    has_spans = (np.diff(state["span_first"])[links] > 0) | has_assumed_fibre
    n_per_h = np.zeros(len(links))
    if has_spans.any():
        regenerated = (state["span_regenerated"] & ~state["span_standby"]).astype(np.float64)
        n_transceivers = N_TRANSCEIVERS * (1.0 + _sum_over_spans(state, regenerated, links))
        n_per_h = n_transceivers * reader.general("transceiver_fit", case) * FAILURES_PER_HOUR_OF_FIT
    if not has_spans.all():
        indoor_per_h = reader.general("n_link_failures_per_month", case) / HOURS_PER_MONTH
        n_per_h = np.where(has_spans, n_per_h, indoor_per_h)
    return rate_with_repair(n_per_h, reader.general("transceiver_repair_h", case))


def _cards(state: State, reader: FigureReader, links: Ints) -> Rate:
    """Network cards at both ends of one member, where nodes name a part for them; each takes its links down."""
    of_cards = is_of_kinds(state, reader, CARD_KINDS)
    if not of_cards.any():
        return no_failures(len(links))
    table = np.zeros(len(state.parts) + 1)
    nodes = np.unique(state["link_ends"][links])
    for code in np.unique(state["node_part"][nodes[of_cards[nodes]]]):
        part = part_of_ports(reader.catalogue.get(state.parts[code]), reader)
        if part.kind == "card":
            table[code] = reader.part(part.id, "failure_fit")
    card_fit = table[state["node_part"]]
    n_per_h = card_fit[state["link_ends"][links]].sum(axis=1) * FAILURES_PER_HOUR_OF_FIT
    return rate_with_repair(n_per_h, reader.general("transceiver_repair_h"))


def _sum_over_spans(state: State, by_span: Floats, links: Ints) -> Floats:
    total = sums_by(state["span_link"], by_span, state.n_links)
    return np.asarray(total[links], dtype=np.float64)


def _shared_km(state: State) -> Floats:
    """Length that a single cut takes from both paths of each link, float64[n_links]."""
    path_km = [_path_km(state, ~state["span_standby"]), _path_km(state, state["span_standby"])]
    spans, codes = state["span_srlg_span"], state["span_srlg_code"]
    risk, row_of_risk = np.unique(state["span_link"][spans] * len(state.srlgs) + codes, return_inverse=True)
    km_by_path = []
    for standby in (False, True):
        km = np.where(state["span_standby"][spans] == standby, state["span_length_km"][spans], 0.0)
        km_by_path.append(sums_by(row_of_risk, km, len(risk)))
    both_km = np.minimum(*km_by_path)
    shared_km = np.zeros(state.n_links)
    if len(risk):
        shared_km += sums_by(risk // len(state.srlgs), both_km, state.n_links)
        # a stretch that lies in several shared risks is cut once, not once for each
        in_any = np.zeros(len(state["span_link"]), dtype=np.bool_)
        in_any[spans[both_km[row_of_risk] > 0]] = True
        for path in (~state["span_standby"], state["span_standby"]):
            shared_km = np.minimum(shared_km, _path_km(state, path & in_any))
    shared_km[_at_risk_end_to_end(state, risk[both_km > 0])] = np.inf
    return np.asarray(np.minimum(shared_km, np.minimum(*path_km)))


def _path_km(state: State, selected: Bools) -> Floats:
    km = np.where(selected, state["span_length_km"], 0.0)
    return sums_by(state["span_link"], km, state.n_links)


def _at_risk_end_to_end(state: State, shared_risks: Ints) -> Ints:
    """Links with a risk named on the link itself, beyond the risks that spans of both their paths share."""
    listed = state["srlg_link"] * len(state.srlgs) + state["srlg_code"]
    return np.asarray(state["srlg_link"][~np.isin(listed, shared_risks)])
