"""Medians of the amplified line beside GNPy 3.0.1 (`pip install -e '.[bench]'`), same inputs, same run, both compared.

    python benchmarks/bench_optics.py [--repeats 100]

GNPy's side is `propagate` over a path of its own fibres and fixed-gain amplifiers, built beforehand, by the closed form
of the GN model (`gn_model_analytic`); the spectrum is made in each call, so the twin makes its comb anew each time too.
`kept comb` leaves that out on our side. GNPy's option to compute chosen channels only (`computed_channels`) is set, but
its closed form takes no notice of it: the rows of one channel stand beside the same `propagate` of all. What else that
does (CD, PMD, latency, what a transceiver notes) is in its time. Like spans share sums on our side; unlike ones do not.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from gnpy.core.elements import Edfa, Fiber, Transceiver
from gnpy.core.parameters import SimParams
from gnpy.tools.json_io import Amp
from gnpy.topology.request import propagate
from rich.console import Console
from rich.table import Table

from twin.optics.gn_model import AmplifiedSpans, Comb, line_noise

N_CHANNELS, FIRST_THZ, SPACING_GHZ, BAUD_GBD, LAUNCH_DBM = 96, 191.35, 50.0, 32.0, 0.0
LENGTH_KM, LOSS_DB_PER_KM, DISPERSION, AREA_UM2, NOISE_FIGURE_DB = 80.0, 0.2, 16.7, 83.0, 5.5
BAND_HZ = {"f_min": 191.2e12, "f_max": 196.3e12}
CALLS = 100
"""Of ours in one sample, so that it lasts about as long as one of the peer's."""


def gnpy_path(losses_db_per_km: Sequence[float]) -> list[object]:
    """Transmitter, fibres each with an amplifier of its loss, receiver."""
    path: list[object] = [Transceiver(uid="transmitter")]
    for i, loss in enumerate(losses_db_per_km):
        gain_db = LENGTH_KM * loss
        glass = {
            "length": LENGTH_KM,
            "length_units": "km",
            "loss_coef": loss,
            "dispersion": DISPERSION * 1e-6,
            "effective_area": AREA_UM2 * 1e-12,
            "pmd_coef": 1.265e-15,
            **dict.fromkeys(("con_in", "con_out", "att_in"), 0.0),
        }
        fibre = Fiber(uid=f"fibre {i}", params=glass, type_variety="SSMF")
        fibre.ref_pch_in_dbm = LAUNCH_DBM  # what network design would note; only printed
        kind = {"type_variety": "flat", "type_def": "fixed_gain", "gain_flatmax": gain_db, "gain_min": gain_db}
        part = vars(Amp.from_json({}, **kind, p_max=40.0, nf0=NOISE_FIGURE_DB, allowed_for_design=True))
        flat = {"dgt": np.ones(N_CHANNELS), "gain_ripple": 0, "nf_ripple": 0, **BAND_HZ}
        step_inputs = {"gain_target": gain_db, "tilt_target": 0.0, "out_voa": 0.0}
        path += [fibre, Edfa(uid=f"amplifier {i}", params=part | flat, operational=step_inputs)]
    return [*path, Transceiver(uid="receiver")]


def gnpy_request() -> tuple[SimpleNamespace, dict[str, dict[str, SimpleNamespace]]]:
    """What `propagate` reads of a request and of the equipment."""
    hz = {"spacing": SPACING_GHZ * 1e9, "f_min": FIRST_THZ * 1e12}
    unused = dict.fromkeys(
        (
            "initial_spectrum",
            "required_osnr_db_01nm",
            "penalties",
            "rx_channel_power_min_dbm",
            "rx_channel_power_max_dbm",
            "detailed_rx",
        )
    )
    request = SimpleNamespace(
        **hz,
        **unused,
        f_max=hz["f_min"] + (N_CHANNELS - 0.5) * hz["spacing"],
        baud_rate=BAUD_GBD * 1e9,
        roll_off=0.15,
        tx_osnr=200.0,
        tx_power=1e-3 * 10 ** (LAUNCH_DBM / 10),
        offset_db=0.0,
    )
    return request, {"SI": {"default": SimpleNamespace(spacing=hz["spacing"], **BAND_HZ)}}


def twin_spans(losses_db_per_km: Sequence[float]) -> AmplifiedSpans:
    one = (LENGTH_KM, 0.0, 0.0, 0.0, DISPERSION, AREA_UM2, 0.04, NOISE_FIGURE_DB, 1.468)
    spans = AmplifiedSpans(*(np.full(len(losses_db_per_km), value) for value in one))
    return replace(spans, loss_db_per_km=np.array(losses_db_per_km))


def twin_comb() -> Comb:
    return Comb.grid(N_CHANNELS, FIRST_THZ, SPACING_GHZ, BAUD_GBD, LAUNCH_DBM)


def median_ms(runs: list[tuple[Callable[[], object], int]], repeats: int) -> list[float]:
    """Of each run (with its calls per sample), taking turns, so that a busy machine slows all of them alike."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for (run, calls), taken in zip(runs, times, strict=True):
            start = time.perf_counter()
            for _ in range(calls):
                run()
            taken.append((time.perf_counter() - start) * 1e3 / calls)
    return [statistics.median(taken) for taken in times]


def bench(name: str, losses_db_per_km: Sequence[float], repeats: int, table: Table) -> None:
    path, spans, comb = gnpy_path(losses_db_per_km), twin_spans(losses_db_per_km), twin_comb()
    request, equipment = gnpy_request()

    def peer() -> np.ndarray:
        return propagate(path, request, equipment).opt_gsnr_db

    method = {"method": "gn_model_analytic"}
    SimParams.set_params({"nli_params": method})
    expected, all_of_ours = peer(), line_noise(spans, comb).gsnr_01nm_db
    off_all_db = np.abs(all_of_ours - expected).max()
    theirs, *ours = median_ms(
        [
            (peer, 1),
            (lambda: line_noise(spans, twin_comb()), CALLS),
            (lambda: line_noise(spans, comb), CALLS),
        ],
        repeats,
    )
    tasks = ("all channels", "all channels, kept comb")
    off_db = (off_all_db, off_all_db)
    for task, taken, off in zip(tasks, ours, off_db, strict=True):
        table.add_row(f"{name}, {task}", f"{theirs:.2f}", f"{taken:.4f}", f"{theirs / taken:.0f}", f"{off:.1e}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=100)
    repeats = parser.parse_args().repeats
    grid = f"{N_CHANNELS} channels at {SPACING_GHZ:g} GHz, {BAUD_GBD:g} GBd"
    title = f"{grid}, spans of {LENGTH_KM:g} km; median of {repeats}"
    table = Table("case", "GNPy ms", "twin ms", "ratio", "largest difference, dB", title=title)
    for n_spans in (1, 5, 10):
        bench("1 span" if n_spans == 1 else f"{n_spans} spans", [LOSS_DB_PER_KM] * n_spans, repeats, table)
    bench("10 unlike spans", [LOSS_DB_PER_KM + 0.001 * i for i in range(10)], repeats, table)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
