"""Model of each quantity that can be measured, on the day of the reading and without any measurement."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..arrays import Floats, Ints, State
from ..arrays.state import OVERLAYS
from ..catalogue.figure_reader import FigureReader
from ..errors.wording import counted
from ..model.measurements import MeasuredPlace, Measurement, Quantity
from ..optics.amplified_lines import NoiseGrowth, amplified_spans, comb_of_link, noise_growth, with_booster
from ..optics.gn_model import NOISE_BANDWIDTH_GHZ, line_noise
from ..optics.link_budget import LinkBudgets, compute_link_budgets
from ..optics.optical_paths import optical_paths_of_links
from ..stages.evaluation import Evaluation
from .metric import NotApplicableError

ROADM = "not modelled: the path goes on through a ROADM"


class Modelled(NamedTuple):
    """Value of the model in the unit of its quantity, and what it stands for."""

    value: float
    basis: str


def without_measurements(state: State) -> State:
    """Return a state without measured losses and powers, so that its budgets are the model's own."""
    for name in sorted(OVERLAYS):
        if "_measured_" in name and not np.isnan(state[name]).all():
            state = state.with_values(name, np.arange(len(state[name])), np.nan)
    return state


@dataclass(frozen=True, eq=False)
class ModelOfDay:
    """Model of some links, each on a day of its own.

    `links` are rows of the links, int64[K]; `later_years` are years from the day of the document to that day, at most
    0, float64[K]. `state` has no measurements.
    """

    e: Evaluation
    state: State
    reader: FigureReader
    links: Ints
    later_years: Floats

    @cached_property
    def budgets(self) -> LinkBudgets:
        """Link budgets of that day; each link is a kind of its own."""
        paths = optical_paths_of_links(self.state, self.links)
        return compute_link_budgets(self.state, self.reader, paths, self.e.case.ageing, self.later_years)

    @cached_property
    def noise_growth(self) -> NoiseGrowth:
        """Growth of the noise figures of boosters and amplifiers."""
        return noise_growth(self.state, self.reader, self.budgets.paths, self.e.case.ageing, self.later_years)

    def kind_of(self, link: int) -> int:
        """Return the row of a link among `links`."""
        return int(self.budgets.paths.kind_of_link[link])


class Thing(NamedTuple):
    """Measured thing: a link by its row, and a span, lane or direction of it."""

    day: ModelOfDay
    link: int
    place: MeasuredPlace
    side: int | None
    """0 or 1 for the arc 2 * link + side; None = no direction is stated."""

    @property
    def span(self) -> int:
        """Row of the span in `span_*`."""
        assert self.place.span is not None
        return int(self.day.state["span_first"][self.link]) + self.place.span

    def path(self) -> int:
        """Return the row of the only working path. Raises NotApplicableError where the signal is regenerated."""
        paths, kind = self.day.budgets.paths, self.day.kind_of(self.link)
        first, last = paths.first_path[kind : kind + 2]
        standby = self.day.state["span_standby"]
        n_working = sum(1 for path in range(first, last) if not _starts_standby(standby, paths.span_first, path))
        if n_working > 1:
            raise NotApplicableError(f"the signal is regenerated on the way: {n_working} optical paths in one link")
        return int(first)

    def has_transceiver(self) -> str:
        """Return the id of the transceiver. Raises NotApplicableError without one."""
        part = self.day.state.part_id(int(self.day.state["link_transceiver"][self.link]))
        if part is None:
            raise NotApplicableError("the link names no transceiver")
        return part

    def by_arc(self, column: Floats, what: str) -> tuple[float, str]:
        """Return a column of arcs in the measured direction; the mean of both where none is stated."""
        both = [float(column[2 * self.link + side]) for side in (0, 1)]
        if self.side is None:
            return sum(both) / 2.0, f"{what}, mean of both directions"
        return both[self.side], what


def _starts_standby(standby: Sequence[bool], span_first: Ints, path: int) -> bool:
    return bool(len(standby)) and int(span_first[path]) < len(standby) and bool(standby[span_first[path]])


def _finite(value: float, why: str) -> float:
    if not math.isfinite(value):
        raise NotApplicableError(why)
    return float(value)


def _span_loss(thing: Thing) -> Modelled:
    return Modelled(float(thing.day.budgets.spans.total_db[thing.span]), "fibre, ageing, connectors, splices, lumped")


def _received_power(thing: Thing) -> Modelled:
    part = thing.has_transceiver()
    value = float(thing.day.budgets.received_dbm[thing.path()])
    return Modelled(_finite(value, f"{part} has no laser"), "power per channel at the receiver")


def _launched_power(thing: Thing) -> Modelled:
    part, path, budgets = thing.has_transceiver(), thing.path(), thing.day.budgets
    if not math.isnan(thing.day.state["link_launch_dbm"][thing.link]):
        return Modelled(float(budgets.into_fibre_dbm[path]), "power into the first span, as launch_dbm states")
    value = float(budgets.launch_dbm[path] - budgets.droop_db[path])
    return Modelled(_finite(value, f"{part} has no laser"), "power of the transmitter, laser ageing included")


def _snr(thing: Thing) -> Modelled:
    """SNR over the symbol rate of the mode in use, as receivers report it; budgets have it in 0.1 nm."""
    part, path, budgets = thing.has_transceiver(), thing.path(), thing.day.budgets
    modes = thing.day.reader.catalogue.get(part).modes
    is_coherent = thing.day.reader.catalogue.get(part).optics == "coherent"
    why = ROADM if is_coherent else f"{part} is judged by its loss budget, without an SNR"
    snr_db = _finite(float(budgets.snr_db[path]), why)
    mode = modes[int(budgets.mode[path])] if budgets.mode[path] >= 0 else modes[-1]
    bandwidth_db = 10.0 * math.log10(mode.baud_gbd / NOISE_BANDWIDTH_GHZ)
    return Modelled(snr_db - bandwidth_db, f"SNR of the receiver over {mode.baud_gbd:g} GBd")


def _osnr(thing: Thing) -> Modelled:
    """OSNR in 0.1 nm: noise of the transmitter and of the amplifiers, without nonlinear noise."""
    part, path, day = thing.has_transceiver(), thing.path(), thing.day
    noise_ratio = math.pow(10.0, -day.reader.part_or(part, "tx_osnr_db", math.inf) / 10.0)
    if math.isfinite(day.budgets.line_gsnr_db[path]):
        budgets, growth = day.budgets, day.noise_growth
        line = amplified_spans(day.state, day.reader, budgets.spans, budgets.amplification, growth, budgets.paths, path)
        launch_dbm = float(budgets.into_fibre_dbm[path])
        line = with_booster(line, budgets.amplification, growth, path, launch_dbm)
        comb = comb_of_link(day.state, day.reader, thing.link, launch_dbm)
        noise_ratio += math.pow(10.0, -float(line_noise(line, comb).osnr_01nm_db.min()) / 10.0)
    if noise_ratio <= 0.0:
        raise NotApplicableError(f"no amplifier, and {part} states no OSNR of its transmitter")
    return Modelled(-10.0 * math.log10(noise_ratio), "transmitter and amplifier noise of the worst channel, in 0.1 nm")


def _pre_fec_ber(thing: Thing) -> Modelled:
    part = thing.has_transceiver()
    value = float(thing.day.budgets.pre_fec_ber_ratio[thing.path()])
    has_fec = thing.day.reader.catalogue.get(part).fec is not None
    return Modelled(_finite(value, ROADM if has_fec else f"{part} names no FEC"), "at the mode in use")


def _dispersion(thing: Thing) -> Modelled:
    if not thing.day.state["span_first"][thing.link + 1] > thing.day.state["span_first"][thing.link]:
        raise NotApplicableError("the link states no spans")
    if thing.place.span is not None:
        code = int(thing.day.state["span_fibre"][thing.span])
        fibre = thing.day.state.parts[code]
        per_km = thing.day.reader.part(fibre, "dispersion_ps_per_nm_km")
        return Modelled(per_km * float(thing.day.state["span_length_km"][thing.span]), f"{fibre} over the span")
    return Modelled(float(thing.day.budgets.dispersion_ps_per_nm[thing.path()]), "fibre of all spans")


def _amplifier_gain(thing: Thing) -> Modelled:
    """Gain of the amplifier after a span: as stated, or the loss since the previous one, up to its highest gain."""
    if thing.day.state["span_amplifier"][thing.span] < 0:
        raise NotApplicableError(f"no amplifier after span {thing.place.span}")
    gain_db = float(thing.day.budgets.amplification.gain_db[thing.span])
    if not np.isnan(thing.day.state["span_amplifier_gain_db"][thing.span]):
        return Modelled(gain_db, "as amplifier_gain_db states, up to the largest gain")
    return Modelled(gain_db, "loss since the previous amplifier, up to the largest gain")


def _interface_rate(thing: Thing) -> Modelled:
    case, loads_gbps = thing.day.e.case, thing.day.e.arc_load_gbps
    if not loads_gbps.any():
        raise NotApplicableError("the document states no traffic")
    if thing.side is None:
        raise NotApplicableError("a rate is of one direction, and none is stated")
    load_gbps = float(loads_gbps[2 * thing.link + thing.side])
    if thing.place.lane is None:
        return Modelled(load_gbps, "load of the document's traffic")
    n_up = max(int(case.state.n_members_up[thing.link]), 1)
    return Modelled(load_gbps / n_up, f"load of the document's traffic, on one of {counted(n_up, 'member')}")


def _latency(thing: Thing) -> Modelled:
    e = thing.day.e
    if e.health.latency.length_unknown[thing.link]:
        raise NotApplicableError("the length of the link is unknown")
    return Modelled(*thing.by_arc(e.health.arc_latency_us + e.arc_queue_us, "one way, queueing included"))


def _loss(thing: Thing) -> Modelled:
    thing.has_transceiver()
    return Modelled(float(thing.day.budgets.loss_ratio[thing.path()]), "frames lost after FEC")


def _flaps(thing: Thing) -> Modelled:
    value = thing.day.reader.general("n_flaps_per_link_day", thing.day.e.case.ageing)
    return Modelled(value, "flaps of any link, from the catalogue")


MODELS: Mapping[Quantity, Callable[[Thing], Modelled]] = {
    "span_loss": _span_loss,
    "received_power": _received_power,
    "launched_power": _launched_power,
    "snr": _snr,
    "osnr": _osnr,
    "pre_fec_ber": _pre_fec_ber,
    "dispersion": _dispersion,
    "amplifier_gain": _amplifier_gain,
    "interface_rate": _interface_rate,
    "latency": _latency,
    "loss": _loss,
    "flaps": _flaps,
}
"""Model of each quantity; a function raises NotApplicableError with the reason where it has none."""


def modelled(day: ModelOfDay, link: int, m: Measurement, side: int | None) -> Modelled:
    """Return the model of a measured thing. Raises NotApplicableError with the reason where there is none."""
    return MODELS[m.quantity](Thing(day, link, m.of, side))
