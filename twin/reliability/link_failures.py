"""How often links fail and for how long: cuts and amplifiers of a line, transceivers of a member, protection switching.

Steady state of units that fail at a constant rate and are repaired one by one. What is assumed beyond the catalogue:

* A cut takes every fibre of a line. An amplifier stands after a span once for each direction of each fibre pair: of a
  single pair it takes the whole line, of several only the members on its pair, which the member's figures then count.
* A member has a transceiver at each end and two more where the light is regenerated on its working path. Links without
  spans fail as one large operator's indoor links do, glass, ends and all.
* A protected line is down while both of its paths are, or when something that both share is cut: of each shared risk
  the shorter of the two lengths in it. A risk named on the link itself is taken to cover both paths from end to end.
  Amplifiers are never shared, and the switches themselves do not fail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..catalogue.ageing import AgeingCase
from ..catalogue.figure_reader import FigureReader
from ..errors import TwinError
from ..units import DAYS_PER_YEAR, HOURS_PER_MONTH

HOURS_PER_YEAR = 24.0 * DAYS_PER_YEAR
FAILURES_PER_HOUR_OF_FIT = 1e-9
N_TRANSCEIVERS = 2
"""Of a member; as many again wherever its light is made anew."""
N_DIRECTIONS = 2
MEZA_MTBF = (336.51, 3.4371)
MEZA_MTTR = (1.1345, 4.7709)
"""Hours at percentile 0 and growth, links of Facebook's fibre vendors (Meza et al., IMC 2018, quoted second-hand)."""


@dataclass(frozen=True, eq=False)
class LinkFailures:
    """By chosen link. MTBF counts from a repair to the next failure: infinite, with an MTTR of 0, where nothing fails.

    A failure of the line takes all members at once; a member's own come on top. Counts are per year in service.
    """

    line_mtbf_h: Floats
    line_mttr_h: Floats
    line_unavailability_ratio: Floats
    member_mtbf_h: Floats
    member_mttr_h: Floats
    member_unavailability_ratio: Floats
    n_failures_per_year: Floats
    """Of the line, after protection."""
    n_cuts_per_year: Floats
    """What befalls a member, by cause: cuts of the working path,"""
    n_amplifier_failures_per_year: Floats
    """amplifiers of its fibre pair along the working path,"""
    n_transceiver_failures_per_year: Floats
    """and its own transceivers; of a link without spans, all that fails there."""
    n_switches_per_year: Floats
    """How often protection goes to the other path."""


class PublishedLink(NamedTuple):
    """A wide-area link as an operator's statistics have it."""

    mtbf_h: float
    mttr_h: float

    @property
    def unavailability_ratio(self) -> float:
        """Share of the time that it is down."""
        return self.mttr_h / (self.mtbf_h + self.mttr_h)


class _Rate(NamedTuple):
    """Failures an hour in service, and the mean hours until each is repaired (0 where nothing fails)."""

    n_per_h: Floats
    repair_h: Floats

    @property
    def mtbf_h(self) -> Floats:
        endless = np.full(len(self.n_per_h), np.inf)
        return np.asarray(np.divide(1.0, self.n_per_h, out=endless, where=self.n_per_h > 0))

    @property
    def unavailability_ratio(self) -> Floats:
        load = self.n_per_h * self.repair_h
        return np.asarray(load / (1.0 + load))


class _Path(NamedTuple):
    """One way between the ends of each line: its glass, and amplifiers that take the whole of it."""

    length_km: Floats
    amplifiers: _Rate


def published_wan_link(percentile: float) -> PublishedLink:
    """MTBF 336.51 e^(3.4371 p) h, MTTR 1.1345 e^(4.7709 p) h at percentile p in 0..1, each of its own distribution."""
    if not 0.0 <= percentile <= 1.0:
        raise TwinError(f"percentile {percentile}", where="published_wan_link", expected="a number from 0 to 1")
    mtbf_h, mttr_h = (base * math.exp(growth * percentile) for base, growth in (MEZA_MTBF, MEZA_MTTR))
    return PublishedLink(mtbf_h, mttr_h)


def cut_repair_h(reader: FigureReader, case: AgeingCase = "value") -> float:
    """Mean repair of a cut: that of the lognormal, median e^(sigma^2 / 2)."""
    sigma = reader.general("cut_repair_log_sigma_ratio", case)
    return reader.general("cut_repair_h", case) * math.exp(sigma**2 / 2.0)


def link_failures(state: State, reader: FigureReader, links: Ints, case: AgeingCase = "value") -> LinkFailures:
    """Failures of the lines and members of `links` (rows of `link_*`), kind, central or harsh (low, value, high)."""
    links = np.asarray(links, dtype=np.int64)
    protected = state["link_protection"][links] >= 0
    one_pair = state["link_n_fibre_pairs"][links] == 1
    pair_amplifiers = _amplifiers(state, reader, links, case, standby=False)
    working = _path(state, links, pair_amplifiers, one_pair, standby=False)
    cuts = _cuts(reader, working.length_km, case)
    line, switches = _joined(cuts, working.amplifiers), _nothing(len(links))
    if protected.any():
        bridged, by_switch = _protected(state, reader, links, case, working)
        line, switches = _where(protected, bridged, line), _where(protected, by_switch, switches)
    # protection bridges an amplifier of one pair; elsewhere it takes that pair's members
    of_pair = _where(one_pair | protected, _nothing(len(links)), pair_amplifiers)
    transceivers = _transceivers(state, reader, links, case)
    member = _joined(transceivers, of_pair)
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


def _protected(
    state: State, reader: FigureReader, links: Ints, case: AgeingCase, working: _Path
) -> tuple[_Rate, _Rate]:
    """(failures of both paths at a time, those of the working path that the other bridges), as if all had two."""
    one_pair = state["link_n_fibre_pairs"][links] == 1
    standby = _path(state, links, _amplifiers(state, reader, links, case, standby=True), one_pair, standby=True)
    shared_km = _shared_km(state)[links]
    alone, other = (
        _joined(_cuts(reader, path.length_km - shared_km, case), path.amplifiers) for path in (working, standby)
    )
    return _joined(_cuts(reader, shared_km, case), _both_down(alone, other)), alone


def _path(state: State, links: Ints, amplifiers: _Rate, one_pair: Bools, *, standby: bool) -> _Path:
    length_km = np.where(state["span_standby"] == standby, state["span_length_km"], 0.0)
    on_line = _where(one_pair, amplifiers, _nothing(len(links)))
    return _Path(_sum_of_spans(state, length_km, links), on_line)


def _cuts(reader: FigureReader, length_km: Floats, case: AgeingCase) -> _Rate:
    """Cuts of so much glass."""
    if not length_km.any():
        return _nothing(len(length_km))
    n_per_h = reader.general("n_cuts_per_km_year", case) * length_km / HOURS_PER_YEAR
    return _rate(n_per_h, cut_repair_h(reader, case))


def _amplifiers(state: State, reader: FigureReader, links: Ints, case: AgeingCase, *, standby: bool) -> _Rate:
    """Amplifiers of one fibre pair along one path, both directions."""
    here = (state["span_amplifier"] >= 0) & (state["span_standby"] == standby)
    if not here.any():
        return _nothing(len(links))
    n = N_DIRECTIONS * _sum_of_spans(state, here.astype(np.float64), links)
    n_per_h = n * reader.general("amplifier_fit", case) * FAILURES_PER_HOUR_OF_FIT
    return _rate(n_per_h, reader.general("amplifier_repair_h", case))


def _transceivers(state: State, reader: FigureReader, links: Ints, case: AgeingCase) -> _Rate:
    """Transceivers of one member, or the published rate of indoor links where there are no spans."""
    has_spans = np.diff(state["span_first"])[links] > 0
    n_per_h = np.zeros(len(links))
    if has_spans.any():
        made_anew = (state["span_regenerated"] & ~state["span_standby"]).astype(np.float64)
        n = N_TRANSCEIVERS * (1.0 + _sum_of_spans(state, made_anew, links))
        n_per_h = n * reader.general("transceiver_fit", case) * FAILURES_PER_HOUR_OF_FIT
    if not has_spans.all():
        indoor = reader.general("n_link_failures_per_month", case) / HOURS_PER_MONTH
        n_per_h = np.where(has_spans, n_per_h, indoor)
    return _rate(n_per_h, reader.general("transceiver_repair_h", case))


def _sum_of_spans(state: State, by_span: Floats, links: Ints) -> Floats:
    total = np.bincount(state["span_link"], weights=by_span, minlength=state.n_links)
    return np.asarray(total[links], dtype=np.float64)


def _shared_km(state: State) -> Floats:
    """Glass of each link that both of its paths would lose at one place, float64[n_links]."""
    by_path = [_path_km(state, ~state["span_standby"]), _path_km(state, state["span_standby"])]
    spans, codes = state["span_srlg_span"], state["span_srlg_code"]
    risk, risk_of = np.unique(state["span_link"][spans] * len(state.srlgs) + codes, return_inverse=True)
    in_risk_km = []
    for standby in (False, True):
        km = np.where(state["span_standby"][spans] == standby, state["span_length_km"][spans], 0.0)
        in_risk_km.append(np.bincount(risk_of, weights=km, minlength=len(risk)))
    least_km = np.minimum(*in_risk_km)
    shared = np.zeros(state.n_links)
    if len(risk):
        shared += np.bincount(risk // len(state.srlgs), weights=least_km, minlength=state.n_links)
        # a stretch that lies in several shared risks is cut once, not once for each
        in_any = np.zeros(len(state["span_link"]), dtype=np.bool_)
        in_any[spans[least_km[risk_of] > 0]] = True
        for path in (~state["span_standby"], state["span_standby"]):
            shared = np.minimum(shared, _path_km(state, path & in_any))
    shared[_risked_whole(state, risk[least_km > 0])] = np.inf
    return np.asarray(np.minimum(shared, np.minimum(*by_path)))


def _path_km(state: State, chosen: Bools) -> Floats:
    km = np.where(chosen, state["span_length_km"], 0.0)
    return np.bincount(state["span_link"], weights=km, minlength=state.n_links).astype(np.float64)


def _risked_whole(state: State, shared_risks: Ints) -> Ints:
    """Links with a risk that takes them down and is not one that spans of both their paths share: named on the link."""
    listed = state["srlg_link"] * len(state.srlgs) + state["srlg_code"]
    return np.asarray(state["srlg_link"][~np.isin(listed, shared_risks)])


def _rate(n_per_h: Floats, repair_h: float) -> _Rate:
    return _Rate(n_per_h, np.where(n_per_h > 0, repair_h, 0.0))


def _nothing(n: int) -> _Rate:
    return _Rate(np.zeros(n), np.zeros(n))


def _where(chosen: Bools, then: _Rate, otherwise: _Rate) -> _Rate:
    return _Rate(*(np.where(chosen, a, b) for a, b in zip(then, otherwise, strict=True)))


def _joined(*causes: _Rate) -> _Rate:
    """Down by any of these: rates add, and a repair lasts their mean."""
    n_per_h = np.sum([cause.n_per_h for cause in causes], axis=0)
    load = np.sum([cause.n_per_h * cause.repair_h for cause in causes], axis=0)
    return _Rate(n_per_h, np.divide(load, n_per_h, out=np.zeros(len(n_per_h)), where=n_per_h > 0))


def _both_down(one: _Rate, other: _Rate) -> _Rate:
    """Down only while both are, each failing and repaired by itself: near n1 n2 (m1 + m2) where both are mostly up."""
    both_ratio = one.unavailability_ratio * other.unavailability_ratio
    ends_per_h = sum(
        np.divide(1.0, rate.repair_h, out=np.zeros(len(both_ratio)), where=rate.repair_h > 0) for rate in (one, other)
    )
    n_per_h = both_ratio * ends_per_h / (1.0 - both_ratio)
    return _Rate(n_per_h, np.divide(1.0, ends_per_h, out=np.zeros(len(both_ratio)), where=n_per_h > 0))
