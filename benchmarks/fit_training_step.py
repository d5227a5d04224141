"""Fit the constants of the training step to published steps: `python benchmarks/fit_training_step.py FILE...`.

FILES are fixtures of kind `training_step`. Of each file a random part (--held-out, --seed) is held out; the rest is
fitted: squared logarithms of the error (softened for outliers) against what is known of each constant beforehand (its
prior). Prints the constants with their range over several seeds, and errors of the fitted and held-out part by group;
--leave-out also fits without one model, or one generation, after the other and reports the error on it.

Rows with experts are fitted apart: only the constants of experts, all others as the catalogue has them.
"""

from __future__ import annotations

import argparse
import math
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from twin.catalogue import catalogue
from twin.check.fixture import read_fixture
from twin.check.training_step import TrainingStepGiven, data_exchange
from twin.model.shape import ModelShape
from twin.workload.compute import AcceleratorProfile
from twin.workload.layout import Layout
from twin.workload.reference_node import reference_step

BY_MODEL = ("training_steps_published", "training_steps_experts", "training_steps_b200")
"""Files whose rows are many models, a few rows each."""
NOISE = 0.05
"""Spread of what the model cannot know: software releases differ by this on one and the same run."""


class Prior(NamedTuple):
    """What a constant is expected to be, how surely, and where it must lie."""

    value: float
    spread: float
    low: float
    high: float


RATIO = (0.2, 1.0)
SETS: dict[str, tuple[tuple[str, ...], dict[str, Prior]]] = {
    "ampere": (
        ("A100-80GB",),
        {
            "gemm_bf16_ratio": Prior(0.8, 0.15, *RATIO),
            "attention_ratio": Prior(0.5, 0.15, *RATIO),
            "gemm_ramp_us": Prior(10, 10, 0, 60),
            "memory_bandwidth_ratio": Prior(0.85, 0.05, 0.4, 0.95),
            "n_score_passes": Prior(7, 2, 1, 20),
            "host_layer_us": Prior(1000, 500, 0, 5000),
            "host_micro_batch_us": Prior(500, 500, 0, 5000),
            "nvlink_bandwidth_ratio": Prior(0.8, 0.1, 0.3, 1.0),
            "nvlink_hop_us": Prior(5, 10, 0, 100),
            "nic_bandwidth_ratio": Prior(0.5, 0.2, 0.1, 1.0),
            "nic_hop_us": Prior(20, 20, 0, 200),
        },
    ),
    "hopper": (("H100",), {"gemm_bf16_ratio": Prior(0.75, 0.15, *RATIO), "gemm_fp8_ratio": Prior(0.65, 0.15, *RATIO)}),
    "blackwell": (("GB200", "GB300"), {"gemm_bf16_ratio": Prior(0.7, 0.15, *RATIO)}),
    "gb200": (("GB200",), {"gemm_fp8_ratio": Prior(0.6, 0.15, *RATIO)}),
    "gb300": (("GB300",), {"gemm_fp8_ratio": Prior(0.65, 0.15, *RATIO)}),
    "since hopper": (
        ("H100", "GB200", "GB300"),
        {
            "attention_ratio": Prior(0.4, 0.15, *RATIO),
            "gemm_ramp_us": Prior(8, 8, 0, 60),
            "memory_bandwidth_ratio": Prior(0.8, 0.1, 0.4, 0.95),
            "n_cast_passes": Prior(4, 4, 0, 30),
            "nvlink_bandwidth_ratio": Prior(0.8, 0.1, 0.3, 1.0),
            "tensor_overlap_ratio": Prior(0.3, 0.3, 0, 0.95),
            "nic_bandwidth_ratio": Prior(0.8, 0.1, 0.1, 1.0),
            "nic_hop_us": Prior(20, 20, 0, 200),
        },
    ),
}
"""Constants that are fitted, by the accelerators that share them."""
EXPERTS: dict[str, Prior] = {
    "n_route_passes": Prior(6, 3, 0, 30),
    "all_to_all_ratio": Prior(0.7, 0.15, *RATIO),
    "host_expert_layer_us": Prior(3000, 2000, 0, 20_000),
}
"""Constants of experts, one value for all accelerators."""
UNLIKE = frozenset({(36, 2880)})
"""(layers, hidden) of models whose layers the model cannot say, never fitted: GPT-OSS has windows and sinks in its
attention, biases and a clamped activation in its experts."""


class Row(NamedTuple):
    file: str
    id: str
    accelerator: str
    precision: str
    shape: ModelShape
    layout: Layout
    n_global_batch: int
    step_time_s: float


def read_rows(path: Path) -> list[Row]:
    rows = []
    for case in read_fixture(path).cases:
        given = case.given
        assert isinstance(given, TrainingStepGiven)
        shape, layout, n = given.model.shape(), given.layout(), given.global_batch
        rows.append(
            Row(path.stem, case.id, given.accelerator, given.precision, shape, layout, n, case.expect["step_time_s"])
        )
    return rows


class Overridden:
    """A part of the catalogue with some figures replaced."""

    def __init__(self, accelerator: str, figures: Mapping[str, float]) -> None:
        self._part, self._figures = catalogue().get(accelerator, "accelerator"), figures

    def value(self, name: str) -> float:
        found = self._figures.get(name)
        return self._part.value(name) if found is None else found


Constants = dict[tuple[str, str], float]
"""(set, figure) -> value"""


def figures_of(accelerator: str, constants: Constants) -> dict[str, float]:
    mine = {name: value for (group, name), value in constants.items() if group == "experts"}
    mine.update({name: v for (group, name), v in constants.items() if accelerator in SETS.get(group, ((), {}))[0]})
    return mine


def predict(rows: Sequence[Row], constants: Constants) -> np.ndarray:
    paces: dict[tuple[str, str], AcceleratorProfile] = {}
    out = []
    for row in rows:
        key = (row.accelerator, row.precision)
        if key not in paces:
            part = Overridden(row.accelerator, figures_of(row.accelerator, constants))
            paces[key] = AcceleratorProfile.of(part.value, row.precision)
        step = reference_step(row.shape, row.layout, paces[key], data_exchange(row.accelerator), row.n_global_batch)
        out.append(step.step_time_s)
    return np.array(out)


def measured(rows: Sequence[Row]) -> np.ndarray:
    return np.array([row.step_time_s for row in rows])


def errors(rows: Sequence[Row], constants: Constants) -> np.ndarray:
    return predict(rows, constants) / measured(rows) - 1.0


def fit(rows: Sequence[Row]) -> Constants:
    """Maximum a posteriori. Accelerators that share no constant are fitted apart; constants no row speaks of keep their
    prior. A file with many rows weighs the root of their number more than one with few.
    """
    constants: Constants = {}
    for family in (("A100-80GB",), ("H100", "GB200", "GB300")):
        mine = [row for row in rows if row.accelerator in family]
        priors = {
            (group, name): p for group, (who, ps) in SETS.items() if set(who) & set(family) for name, p in ps.items()
        }
        constants.update(_most_likely(mine, priors))
    return constants


def fit_experts(rows: Sequence[Row]) -> Constants:
    """Of the constants of experts alone, on rows with experts that the model can say."""
    mine = [row for row in rows if (row.shape.n_layers, row.shape.n_hidden) not in UNLIKE]
    return _most_likely(mine, {("experts", name): prior for name, prior in EXPERTS.items()})


def _most_likely(rows: list[Row], priors: Mapping[tuple[str, str], Prior]) -> Constants:
    keys = list(priors)
    value, spread, low, high = (np.array(column) for column in zip(*priors.values(), strict=True))
    n_by_file: dict[str, int] = defaultdict(int)
    for row in rows:
        n_by_file[row.file] += 1
    most = max(n_by_file.values(), default=1)
    weight = np.array([(most / n_by_file[row.file]) ** 0.25 for row in rows])

    def residuals(u: np.ndarray) -> np.ndarray:
        x = low + (high - low) * u
        fitted = dict(zip(keys, x.tolist(), strict=True))
        off = weight * np.log(predict(rows, fitted) / measured(rows)) / NOISE
        return np.concatenate([off, (x - value) / spread])

    start = np.clip((value - low) / (high - low), 1e-3, 1 - 1e-3)
    found = least_squares(residuals, start, bounds=(0, 1), loss="soft_l1", f_scale=2.0, diff_step=1e-3, max_nfev=60)
    return dict(zip(keys, (low + (high - low) * found.x).tolist(), strict=True))


def split(rows: Sequence[Row], held_out: float, seed: int) -> tuple[list[Row], list[Row]]:
    """(fitted, held out): a random part of each file."""
    kept: list[Row] = []
    held: list[Row] = []
    for file in sorted({row.file for row in rows}):
        mine = [row for row in rows if row.file == file]
        random.Random(seed).shuffle(mine)
        n = round(held_out * len(mine))
        held += mine[:n]
        kept += mine[n:]
    return kept, held


def mape(rows: Sequence[Row], constants: Constants) -> str:
    return f"{100 * np.abs(errors(rows, constants)).mean():5.1f} % of {len(rows):3d}" if rows else "    -        "


def print_groups(kept: list[Row], held: list[Row], constants: Constants) -> None:
    ways: dict[str, Callable[[Row], str]] = {
        "file": lambda row: row.file,
        "accelerator, precision": lambda row: f"{row.accelerator} {row.precision}",
        "model, from its layers x hidden": lambda row: f"{row.shape.n_layers} x {row.shape.n_hidden}",
    }
    for title, key in ways.items():
        print(f"\n{title:40} fitted          held out")
        rows = [row for row in kept + held if not title.startswith("model") or row.file in BY_MODEL]
        for group in sorted({key(row) for row in rows}):
            one, other = ([row for row in part if key(row) == group] for part in (kept, held))
            print(f"  {group:38} {mape(one, constants)}   {mape(other, constants)}")


def print_left_out(
    rows: list[Row], held_out_by: Callable[[Row], object], title: str, fitter: Callable[[Sequence[Row]], Constants]
) -> None:
    print(f"\nfitted without {title}, error on it")
    mine = [row for row in rows if row.accelerator != "A100-80GB"]
    for group in sorted({held_out_by(row) for row in mine}, key=str):
        constants = fitter([row for row in mine if held_out_by(row) != group])
        left = [row for row in mine if held_out_by(row) == group]
        print(f"  {group!s:38} {mape(left, constants)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", type=float, default=0.35, help="share of each file that is not fitted")
    parser.add_argument("--n-seeds", type=int, default=8, help="splits for the range of each constant, seeds 1 to n")
    parser.add_argument("--leave-out", action="store_true", help="also leave out each model and each generation")
    options = parser.parse_args()
    every = [row for path in options.files for row in read_rows(path)]
    for title, routed, fitter in (("without experts", False, fit), ("with experts", True, fit_experts)):
        rows = [row for row in every if (row.shape.n_experts > 1) == routed]
        if rows:
            print(f"--- {len(rows)} rows {title}\n")
            report(rows, fitter, options)


def report(rows: list[Row], fitter: Callable[[Sequence[Row]], Constants], options: argparse.Namespace) -> None:
    kept, held = split(rows, options.held_out, options.seed)
    constants = fitter(kept)
    tried, scores = [constants], defaultdict(list)
    for seed in range(1, options.n_seeds + 1):
        some, rest = split(rows, options.held_out, seed)
        tried.append(fitter(some))
        for file in sorted({row.file for row in rows}):
            scores[file].append(100 * np.abs(errors([row for row in rest if row.file == file], tried[-1])).mean())
    print(f"constants (seed {options.seed}; range over seeds 1 to {options.n_seeds})")
    for key, value in constants.items():
        range_ = [one[key] for one in tried]
        print(f"  {key[0]:14} {key[1]:24} {value:10.4g}   [{min(range_):.4g}, {max(range_):.4g}]")
    print_groups(kept, held, constants)
    print("\nheld-out error over the seeds: mean, worst")
    for file, found in scores.items():
        print(f"  {file:40} {np.mean(found):5.1f} % {max(found):5.1f} %")
    if options.leave_out:
        print_left_out(rows, lambda row: f"{row.shape.n_layers} x {row.shape.n_hidden}", "one model", fitter)
        print_left_out(rows, lambda row: row.accelerator, "one generation", fitter)
    print("\nlargest errors (* held out)")
    every = kept + held
    off = errors(every, constants)
    for i in sorted(range(len(every)), key=lambda i: -abs(math.log1p(off[i])))[:25]:
        row, cut = every[i], every[i].layout
        print(
            f"  {100 * off[i]:+6.1f} % {'*' if i >= len(kept) else ' '} {row.id:42} tp {cut.tp} cp {cut.cp} pp {cut.pp}"
            f" v {cut.n_virtual_stages} dp {cut.dp} b {cut.n_micro_batch} m {cut.n_micro_batches(row.n_global_batch)}"
            f" ep {cut.ep}"
        )


if __name__ == "__main__":
    main()
