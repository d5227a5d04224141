"""Boosters and amplifiers of optical paths: gains, noise figures, and the power per channel behind each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..arrays.boosters import booster_codes, booster_parts
from ..catalogue.figure_reader import FigureReader
from .amplifier_noise import NoiseFigure, input_per_slot_dbm, noise_figure_of
from .fibre import SpanLoss
from .optical_paths import OpticalPaths

DEFAULT_SPACING_GHZ = 50.0
"""Spacing of channels of a link whose transceiver states none."""


@dataclass(frozen=True, eq=False)
class Amplification:
    """Boosters by optical path (N), amplifiers by row of `span_*`; one direction, both directions are alike."""

    rows: Ints
    """Paths with a booster or an amplifier, ascending."""
    into_fibre_dbm: Floats
    """Power per channel into the first span, float64[N]."""
    booster: Ints
    """Index into `arrays.boosters.booster_parts`, -1 without a booster, int64[N]."""
    booster_gain_db: Floats
    """Gain of the booster without its VOA; NaN without one."""
    booster_net_gain_db: Floats
    """Gain of the booster with its VOA; NaN without one."""
    booster_noise_figure_db: Floats
    """As new; NaN without a booster."""
    gain_db: Floats
    """Gain of the amplifier behind each span without its VOA; NaN without one."""
    noise_figure_db: Floats
    """As new; minus infinity without an amplifier."""
    level_db: Floats
    """Power per channel behind the amplifier and its VOA over the power into the first span; 0 without one."""
    wanted_gain_db: Floats
    """Gain that the amplifier would need for its stated gain or output, or to restore all loss; NaN without one."""
    booster_wanted_gain_db: Floats
    """Gain that the booster would need; NaN without one."""
    input_db: Floats
    """Power per channel before the amplifier behind each span over the power into the first span; 0 without one."""

    def wanted_launch_dbm(self, path: int) -> float:
        """Compute the power per channel into the first span if no limit of the booster held."""
        if self.booster[path] < 0:
            return float(self.into_fibre_dbm[path])
        return float(self.into_fibre_dbm[path] + self.booster_wanted_gain_db[path] - self.booster_gain_db[path])


class _Part(NamedTuple):
    """Limits of an amplifier part."""

    max_gain_db: float
    max_output_dbm: float
    noise_figure: NoiseFigure


class _Parts:
    """Limits of the amplifier parts, read once each."""

    def __init__(self, reader: FigureReader) -> None:
        self._reader, self._known = reader, dict[str, _Part]()

    def __getitem__(self, part_id: str) -> _Part:
        if part_id not in self._known:
            reader = self._reader
            limits = reader.part_or(part_id, "max_gain_db", np.inf), reader.part_or(part_id, "max_output_dbm", np.inf)
            self._known[part_id] = _Part(*limits, noise_figure_of(reader, part_id))
        return self._known[part_id]


def amplify(
    state: State,
    reader: FigureReader,
    paths: OpticalPaths,
    spans: SpanLoss,
    transmitter_dbm: Floats,
    transmitted_dbm: Floats,
    droop_db: Floats,
) -> Amplification:
    """Compute gains, noise figures and powers of boosters and amplifiers.

    An amplifier restores all loss since the previous one, up to its greatest gain, unless the document states its gain
    or output, which are believed. Its greatest output power limits it. The power behind it falls by the excess, which
    the next amplifier restores as far as its own gain goes.

    Args:
        state: columns of the network.
        reader: source of figures.
        paths: optical paths.
        spans: losses by row of `span_*`.
        transmitter_dbm: power of the transmitter when new, float64[N].
        transmitted_dbm: power per channel behind the near multiplexer without a booster, float64[N].
        droop_db: power that the laser has lost with age, part of `transmitted_dbm`, float64[N].

    Returns:
        The boosters and amplifiers.
    """
    n, link = len(paths.kind_of_path), paths.link_of_path
    stated_dbm = state["link_launch_dbm"][link]
    booster, amplified = _boosters(state, reader, paths), _amplified(state, paths)
    # without amplifiers a stated power droops with the laser; an amplified line keeps it
    kept_dbm = stated_dbm - np.where(amplified, 0.0, droop_db)
    into_fibre_dbm = np.where(np.isnan(stated_dbm), transmitted_dbm, kept_dbm)
    rows = np.flatnonzero(amplified | (booster >= 0))
    n_spans = len(spans.fibre_db)
    found = Amplification(
        rows=rows,
        into_fibre_dbm=into_fibre_dbm,
        booster=booster,
        booster_gain_db=np.full(n, np.nan),
        booster_net_gain_db=np.full(n, np.nan),
        booster_noise_figure_db=np.full(n, np.nan),
        gain_db=np.full(n_spans, np.nan),
        noise_figure_db=np.full(n_spans, -np.inf),
        level_db=np.zeros(n_spans),
        wanted_gain_db=np.full(n_spans, np.nan),
        booster_wanted_gain_db=np.full(n, np.nan),
        input_db=np.zeros(n_spans),
    )
    if not len(rows):
        return found
    parts, names = _Parts(reader), booster_parts(state)
    per_channel_db = 10.0 * np.log10(np.maximum(state["link_n_channels"][link], 1))
    spacing_ghz = reader.by_code(
        state.parts, state["link_transceiver"], "spacing_ghz", "transceiver", DEFAULT_SPACING_GHZ
    )[link]
    total_db = spans.total_db
    for path in rows.tolist():
        channel = _Channel(float(per_channel_db[path]), float(spacing_ghz[path]))
        if booster[path] >= 0:
            part = parts[names[booster[path]]]
            powers = float(transmitter_dbm[path]), float(transmitted_dbm[path])
            _boost(state, found, path, int(link[path]), part, channel, *powers)
        if amplified[path]:
            _amplify_path(state, found, paths, path, parts, channel, total_db)
    return found


class _Channel(NamedTuple):
    """Power of all channels over that of one, and their spacing."""

    total_over_one_db: float
    spacing_ghz: float


def amplified_paths(state: State, reader: FigureReader, paths: OpticalPaths) -> Ints:
    """Find the paths with a booster or an amplifier, ascending rows."""
    return np.flatnonzero(_amplified(state, paths) | (_boosters(state, reader, paths) >= 0))


def _boosters(state: State, reader: FigureReader, paths: OpticalPaths) -> Ints:
    """Find the booster of each path, -1 for paths without spans."""
    return np.where(paths.span_first < paths.span_last, booster_codes(state, reader)[paths.link_of_path], -1)


def _amplified(state: State, paths: OpticalPaths) -> Bools:
    """Find the paths with an amplifier behind one of their spans, bool[N]."""
    n = len(paths.kind_of_path)
    return np.bincount(paths.path_of_span[state["span_amplifier"] >= 0], minlength=n + 1)[:n] > 0


def _boost(
    state: State,
    found: Amplification,
    path: int,
    link: int,
    part: _Part,
    channel: _Channel,
    transmitter_dbm: float,
    transmitted_dbm: float,
) -> None:
    """Fill in the booster of a path: its stated gain, else the gain to the stated launch power.

    With both stated, the power into the booster follows from them. Without a launch power the booster restores what
    the transmitter loses before it.
    """
    stated_dbm, gain_db = float(state["link_launch_dbm"][link]), float(state["link_booster_gain_db"][link])
    voa_db = float(state["link_booster_voa_db"][link])
    into_dbm = transmitted_dbm
    if not np.isnan(gain_db):
        if not np.isnan(stated_dbm):
            into_dbm = stated_dbm + voa_db - gain_db
    else:
        wanted_dbm = transmitter_dbm if np.isnan(stated_dbm) else stated_dbm
        gain_db = max(wanted_dbm + voa_db - into_dbm, 0.0)
    found.booster_wanted_gain_db[path] = gain_db
    most_dbm = part.max_output_dbm - channel.total_over_one_db
    max_gain_db = part.max_gain_db if np.isnan(state["link_booster_gain_db"][link]) else np.inf
    gain_db = float(np.fmin(np.fmin(gain_db, max_gain_db), np.fmax(most_dbm - into_dbm, 0.0)))
    noise_db = float(state["link_booster_noise_figure_db"][link])
    if np.isnan(noise_db):
        noise_db = part.noise_figure.at_db(gain_db, input_per_slot_dbm(into_dbm, channel.spacing_ghz))
    found.booster_gain_db[path], found.booster_net_gain_db[path] = gain_db, gain_db - voa_db
    found.booster_noise_figure_db[path] = noise_db
    found.into_fibre_dbm[path] = into_dbm + gain_db - voa_db


def _amplify_path(
    state: State,
    found: Amplification,
    paths: OpticalPaths,
    path: int,
    parts: _Parts,
    channel: _Channel,
    total_db: Floats,
) -> None:
    """Fill in the amplifiers of a path, one after the other."""
    launched_dbm, level_db = float(found.into_fibre_dbm[path]), 0.0
    for row in range(int(paths.span_first[path]), int(paths.span_last[path])):
        level_db -= float(total_db[row])
        code = int(state["span_amplifier"][row])
        if code < 0:
            continue
        part, voa_db = parts[state.parts[code]], float(state["span_amplifier_voa_db"][row])
        gain_db = float(state["span_amplifier_gain_db"][row])
        output_dbm = float(state["span_amplifier_output_dbm"][row])
        max_gain_db = part.max_gain_db if np.isnan(gain_db) and np.isnan(output_dbm) else np.inf
        if np.isnan(gain_db):
            wanted_db = voa_db if np.isnan(output_dbm) else output_dbm - launched_dbm
            gain_db = max(wanted_db - level_db, 0.0)
        found.wanted_gain_db[row], found.input_db[row] = gain_db, level_db
        input_dbm = launched_dbm + level_db
        most_db = max(part.max_output_dbm - channel.total_over_one_db - input_dbm, 0.0)
        # fmin: a launch power that nobody states limits nothing
        gain_db = float(np.fmin(min(gain_db, max_gain_db), most_db))
        noise_db = float(state["span_amplifier_noise_figure_db"][row])
        if np.isnan(noise_db):
            noise_db = part.noise_figure.at_db(gain_db, input_per_slot_dbm(input_dbm, channel.spacing_ghz))
        level_db += gain_db - voa_db
        found.gain_db[row], found.noise_figure_db[row], found.level_db[row] = gain_db, noise_db, level_db
