"""Cables that do not suit their transceivers: longer than the reach, or of another medium."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..arrays import State
from ..catalogue import Part
from ..catalogue.figure_reader import FigureReader
from ..model.records import Span
from .build_fault import BuildFault

OM4_BANDWIDTH_MHZ = 4700.0
OM3_BANDWIDTH_MHZ = 2000.0
"""Effective modal bandwidth over 1 km at 850 nm of OM4 and OM3 (ISO/IEC 11801-1); optics state a reach for each."""
METRES_PER_KM = 1e3
UNSTATED_FIBRE = Span(length_km=1.0).fibre
"""Fibre of a span that states none."""
MEDIUM_HINT = "optics and cable of one medium: set_transceivers and set_fibre together"
REACH, MEDIUM = "reach_m", "medium"
"""Rules that a cable may break."""


def cable_faults(state: State, reader: FigureReader) -> dict[str, BuildFault]:
    """Find copper and multimode cables beyond their reach, and cables of a wrong medium, by key of rule and link."""
    faults: dict[str, BuildFault] = {}
    reader = reader.fresh()
    for link, optic, fibres, length_m in _cables(state, reader):
        name = state.arrays.link_ids[link]
        where = f"links[{name}]"
        wrong = _wrong_fibre(optic, fibres)
        limit_m = _reach_m(optic, fibres, reader)
        if wrong is not None:
            problem, hint = f"wrong medium: {optic.id} does not run over {wrong.id}", MEDIUM_HINT
            wanted = optic.medium or ("copper" if optic.optics == "copper" else "single mode")
            faults[f"medium {name}"] = BuildFault(where, MEDIUM, wrong.medium or "single mode", wanted, problem, hint)
        is_assembly = "reach_m" in optic.figures
        if (wrong is None or is_assembly) and limit_m is not None and length_m > limit_m * (1 + 1e-9):
            over = "" if is_assembly else f" over {fibres[0].id}"
            problem = f"too long: {length_m:g} m, and {optic.id} reaches {limit_m:g} m{over}"
            hint = "a shorter cable, or optics that reach farther"
            faults[f"reach {name}"] = BuildFault(where, REACH, length_m, limit_m, problem, hint)
    return faults


def _cables(state: State, reader: FigureReader) -> Iterator[tuple[int, Part, list[Part], float]]:
    """Yield (link, transceiver, its fibres, length in metres) of links with spans where either is not single mode."""
    if not len(state["span_length_km"]):
        return
    parts = [reader.catalogue.get(part_id) for part_id in state.parts]
    special = np.array([part.medium is not None or "reach_m" in part.figures for part in parts] + [False])
    on_fibre = np.zeros(state.arrays.n_links, dtype=np.bool_)
    on_fibre[state["span_link"][special[state["span_fibre"]]]] = True
    chosen = (special[state["link_transceiver"]] | on_fibre) & (state["link_transceiver"] >= 0)
    for link in np.flatnonzero(chosen & (np.diff(state["span_first"]) > 0)):
        first, last = state["span_first"][link : link + 2]
        fibres = [parts[code] for code in dict.fromkeys(state["span_fibre"][first:last].tolist()) if code >= 0]
        yield (
            int(link),
            parts[state["link_transceiver"][link]],
            fibres,
            float(state.link_length_km[link]) * METRES_PER_KM,
        )


def _wrong_fibre(optic: Part, fibres: list[Part]) -> Part | None:
    """Return the first fibre that a transceiver does not run over.

    Active optical assemblies bring their own cable. Copper ones do so where a span has the fibre of a record that
    states none.
    """
    if optic.optics == "copper":
        return next((fibre for fibre in fibres if fibre.medium != "copper" and fibre.id != UNSTATED_FIBRE), None)
    if optic.optics is None:
        return None
    return next((fibre for fibre in fibres if optic.medium != fibre.medium), None)


def _reach_m(optic: Part, fibres: list[Part], reader: FigureReader) -> float | None:
    """Return the reach of an assembly, or over the worst of multimode fibres; None where the link budget decides."""
    if "reach_m" in optic.figures:
        return reader.part(optic.id, "reach_m")
    if optic.medium != "multimode" or not fibres:
        return None
    bandwidth_mhz = min(reader.part_or(fibre.id, "modal_bandwidth_1km_mhz", 0.0) for fibre in fibres)
    if bandwidth_mhz >= OM4_BANDWIDTH_MHZ:
        return reader.part(optic.id, "reach_om4_m")
    return reader.part(optic.id, "reach_om3_m") if bandwidth_mhz >= OM3_BANDWIDTH_MHZ else 0.0
