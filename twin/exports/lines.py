"""Optical lines of a network: losses, amplifiers and launch power of each optical path, after changes and ageing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import State
from ..arrays.boosters import booster_parts
from ..catalogue import Part
from ..catalogue.figure_reader import FigureReader
from ..model.document import TopologyDocument
from ..model.records import Link, Node
from ..optics.amplified_lines import noise_growth
from ..optics.link_budget import LinkBudgets
from ..stages.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class LineAmplifier:
    """An amplifier of a line."""

    part: Part
    gain_db: float
    """Without its VOA; NaN = unknown."""
    voa_db: float
    noise_figure_db: float
    """With ageing; NaN = unknown."""


@dataclass(frozen=True, slots=True)
class LineSpan:
    """A fibre of a line, and the amplifier behind it."""

    name: str
    fibre: Part
    length_km: float
    loss_db_per_km: float
    before_db: float
    after_db: float
    amplifier: LineAmplifier | None
    srlgs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A working optical path between two transponders, from the first end of its link to the second."""

    link: Link
    number: int
    """0 for the first path of a link; regenerators end a path."""
    n_paths: int
    spans: tuple[LineSpan, ...]
    booster: LineAmplifier | None
    launch_dbm: float
    """Power per channel into the first span; NaN = unknown."""
    terminal_loss_db: float
    """Loss of multiplexer and protection at one end."""
    n_channels: int
    transceiver: Part | None


@dataclass(frozen=True, slots=True)
class LineNetwork:
    """Nodes and optical lines, each sorted by id."""

    name: str
    nodes: tuple[Node, ...]
    document: TopologyDocument
    lines: tuple[Line, ...]
    n_links: int


def line_network(
    label: str, nodes: Sequence[Node], links: Sequence[Link], evaluation: Evaluation, reader: FigureReader
) -> LineNetwork:
    """Collect the optical lines of a network after its changes.

    Args:
        label: name of the network.
        nodes: records of the nodes.
        links: records of the links.
        evaluation: of the same network; losses, gains and powers are read from it.
        reader: source of figures.
    """
    document = evaluation.case.document
    by_link = sorted(links, key=lambda link: link.id)
    maker = _LineMaker(evaluation, reader)
    lines = tuple(line for row, link in enumerate(by_link) for line in maker.lines(row, link))
    ordered = tuple(sorted(nodes, key=lambda node: node.id))
    return LineNetwork(document.name or label, ordered, document, lines, len(by_link))


class _LineMaker:
    """Makes lines of the budgets of an evaluation."""

    def __init__(self, evaluation: Evaluation, reader: FigureReader) -> None:
        self.state: State = evaluation.case.state
        self.budgets: LinkBudgets = evaluation.health.budgets
        self.reader = reader
        paths = self.budgets.paths
        later = np.zeros(paths.n_kinds)
        self.growth = noise_growth(self.state, reader, paths, evaluation.case.ageing, later)

    def lines(self, row: int, link: Link) -> Iterator[Line]:
        """Yield the working paths of a link with spans."""
        state, paths = self.state, self.budgets.paths
        first, last = state["span_first"][row : row + 2]
        if first == last or any(self._medium(code) for code in state["span_fibre"][first:last].tolist()):
            return  # copper and multimode cables are no optical lines
        kind = int(paths.kind_of_link[row])
        found = [
            path
            for path in range(int(paths.first_path[kind]), int(paths.first_path[kind + 1]))
            if not state["span_standby"][paths.span_first[path]]
        ]
        part = int(state["link_transceiver"][row])
        transceiver = self.reader.catalogue.get(state.parts[part]) if part >= 0 else None
        for number, path in enumerate(found):
            begin, end = int(paths.span_first[path]), int(paths.span_last[path])
            yield Line(
                link=link,
                number=number,
                n_paths=len(found),
                spans=tuple(self._span(link, i, i - int(first)) for i in range(begin, end)),
                booster=self._booster(path, row),
                launch_dbm=self._launch_dbm(path, row),
                terminal_loss_db=self._terminal_loss_db(path),
                n_channels=int(state["link_n_channels"][row]),
                transceiver=transceiver,
            )

    def _medium(self, code: int) -> str | None:
        return self.reader.catalogue.get(self.state.parts[code]).medium if code >= 0 else None

    def _span(self, link: Link, i: int, k: int) -> LineSpan:
        """Return a span; half of its connectors are before the fibre, and a measured loss scales all of its losses."""
        state, spans = self.state, self.budgets.spans
        scale, length_km = float(spans.measured_ratio[i]), float(state["span_length_km"][i])
        connectors_db = float(spans.connectors_db[i]) * scale
        points_db = float(spans.splices_db[i] + spans.repairs_db[i] + spans.lumped_db[i]) * scale
        record = link.spans[k] if k < len(link.spans) else None
        return LineSpan(
            name=record.name if record is not None else "",
            fibre=self.reader.catalogue.get(state.parts[int(state["span_fibre"][i])]),
            length_km=length_km,
            loss_db_per_km=float(spans.fibre_db[i] + spans.ageing_db[i]) * scale / length_km,
            before_db=connectors_db / 2.0,
            after_db=connectors_db / 2.0 + points_db,
            amplifier=self._amplifier(i),
            srlgs=record.srlgs if record is not None else (),
        )

    def _amplifier(self, i: int) -> LineAmplifier | None:
        state, code = self.state, int(self.state["span_amplifier"][i])
        if code < 0:
            return None
        amplification = self.budgets.amplification
        stated_db, gain_db = float(state["span_amplifier_gain_db"][i]), float(amplification.gain_db[i])
        return LineAmplifier(
            part=self.reader.catalogue.get(state.parts[code]),
            gain_db=stated_db if math.isnan(gain_db) else gain_db,
            voa_db=float(state["span_amplifier_voa_db"][i]),
            noise_figure_db=float(amplification.noise_figure_db[i] + self.growth.amplifier_db[i]),
        )

    def _booster(self, path: int, row: int) -> LineAmplifier | None:
        amplification = self.budgets.amplification
        code = int(amplification.booster[path])
        if code < 0:
            return None
        stated_db, gain_db = float(self.state["link_booster_gain_db"][row]), float(amplification.booster_gain_db[path])
        return LineAmplifier(
            part=self.reader.catalogue.get(booster_parts(self.state)[code]),
            gain_db=stated_db if math.isnan(gain_db) else gain_db,
            voa_db=float(self.state["link_booster_voa_db"][row]),
            noise_figure_db=float(amplification.booster_noise_figure_db[path] + self.growth.booster_db[path]),
        )

    def _launch_dbm(self, path: int, row: int) -> float:
        stated_dbm, used_dbm = float(self.state["link_launch_dbm"][row]), float(self.budgets.into_fibre_dbm[path])
        return stated_dbm if math.isnan(used_dbm) else used_dbm

    def _terminal_loss_db(self, path: int) -> float:
        """Return half of the loss that is not of spans: that of one end."""
        paths, budgets = self.budgets.paths, self.budgets
        spans_db = float(budgets.spans.total_db[int(paths.span_first[path]) : int(paths.span_last[path])].sum())
        return max((float(budgets.loss_db[path]) - spans_db) / 2.0, 0.0)
