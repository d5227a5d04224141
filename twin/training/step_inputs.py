"""Inputs of step timing: a job on its racks, the timing of its accelerators, its loads by arc, the capacity of arcs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..catalogue.figure_reader import FigureReader
from ..model.jobs import TrainingJob
from ..optics.optical_paths import group_alike
from ..workload.all_reduce_schedule import (
    AllReduceSchedule,
    mix_trees,
    ring_and_direct_schedules,
    schedule_times_s,
    search_schedules,
)
from .accelerator_groups import CalibratedGroup, NetworkTimes, calibrated_groups, network_bits
from .job_flows import JobFlows
from .phase_capacity import PhaseCapacity
from .placement import JobPlacement


@dataclass(frozen=True, eq=False)
class UnitLinkLoads:
    """Load by arc of one unit of each flow set, on the arcs that any of them uses. Latencies are one way."""

    arc: Ints
    local: tuple[Floats, ...]
    pipeline: tuple[Floats, ...]
    crossing: tuple[Floats, ...]
    context: tuple[Floats, ...]
    expert: tuple[Floats, ...]
    wide: dict[tuple[int, int], Floats]
    local_latency_us: float
    wide_latency_us: float
    pipeline_latency_us: float
    crossing_latency_us: float
    worst_round_trip_us: float
    unreachable: tuple[tuple[str, str, str], ...]
    """(phase, node, node) of job flows without a path."""
    n_pairs: Mapping[str, Floats] = field(default_factory=dict)
    """Pairs of accelerators whose flows an arc carries, by kind of flow sets; below 1 where routes split."""
    n_pairs_per_us: Mapping[str, Floats] = field(default_factory=dict)
    """The same, each pair divided by the round trip of its whole path."""

    def columns(self) -> list[Floats]:
        """All unit loads, in a fixed order; each float64[n_arcs]."""
        return [*self.local, *self.pipeline, *self.crossing, *self.context, *self.expert, *self.wide.values()]

    @cached_property
    def wide_rows(self) -> tuple[Bools, Ints, Ints]:
        """Rows with exchange between sites, as bool[n_arcs] and as numbers; and the number of each one's unit loads."""
        is_wide = np.any([unit != 0.0 for unit in self.wide.values()], axis=0)
        rows = np.flatnonzero(is_wide)
        units = np.stack([unit[rows] for unit in self.wide.values()], axis=1)
        found = is_wide, rows, group_alike(units.view(np.int64))[0]
        for array in found:  # outcomes are shared, so their arrays are read-only
            array.flags.writeable = False
        return found

    def take_rows(self, rows: Ints) -> UnitLinkLoads:
        """Take the loads on these rows only."""

        def take(columns: tuple[Floats, ...]) -> tuple[Floats, ...]:
            return tuple(column[rows] for column in columns)

        return replace(
            self,
            arc=self.arc[rows],
            local=take(self.local),
            pipeline=take(self.pipeline),
            crossing=take(self.crossing),
            context=take(self.context),
            expert=take(self.expert),
            wide={pair: column[rows] for pair, column in self.wide.items()},
            n_pairs={kind: column[rows] for kind, column in self.n_pairs.items()},
            n_pairs_per_us={kind: column[rows] for kind, column in self.n_pairs_per_us.items()},
        )


@dataclass(frozen=True, eq=False)
class AcceleratorGroups:
    """Groups of a placed job and their timing, independent of the network."""

    groups: tuple[CalibratedGroup, ...]
    n_buckets: float
    """Pieces that gradients are exchanged in."""
    peak_flops: float
    """Peak FLOP/s of all allocated accelerators."""

    @classmethod
    def of(cls, placed: JobPlacement, job: TrainingJob, reader: FigureReader) -> AcceleratorGroups:
        """Read the groups of a placed job from the catalogue."""
        peak_flops = sum(
            n * reader.part(kind, f"{job.precision}_tflops") * 1e12 for kind, n in sorted(placed.n_allocated.items())
        )
        groups, n_buckets = calibrated_groups(placed, job, reader), reader.general("n_gradient_buckets")
        return cls(groups, n_buckets, peak_flops)


@dataclass(frozen=True, eq=False)
class StepInputs:
    """A job on a routed network: its accelerator groups, its loads by arc, and the capacity of each arc for it."""

    job: TrainingJob
    placed: JobPlacement
    flows: JobFlows
    accelerators: AcceleratorGroups
    loads: UnitLinkLoads
    capacity: PhaseCapacity
    """Capacity by row of `loads` for each kind of flow sets, without what background demands carry."""

    @cached_property
    def local_bits_of(self) -> dict[str, Floats]:
        """Bits by row of one pass inside a site, for each bit of a parameter, by site."""
        n_parameters = self.job.model.n_parameters()
        exchanges = zip(self.flows.local, self.loads.local, strict=True)
        return {exchange.site: unit * n_parameters for exchange, unit in exchanges}

    @cached_property
    def local_bits(self) -> Floats:
        """Bits by row of one pass inside all sites, for each bit of a parameter."""
        return np.asarray(sum(self.local_bits_of.values(), np.zeros(len(self.loads.arc))))

    @cached_property
    def local_s(self) -> Floats:
        """Seconds by row of one pass inside all sites, for each bit of a parameter."""
        return self.capacity.seconds("local", self.local_bits)

    @cached_property
    def wide_s(self) -> Floats:
        """Seconds by row of one pass between sites, for each bit of a parameter."""
        return self.capacity.seconds("wide_area", self.wide_bits)

    @cached_property
    def schedule(self) -> AllReduceSchedule | None:
        """All-reduce schedule between the sites; None for one site, or where activations go between sites."""
        local_s = self.local_s if not self.job.is_local_sgd and not self.job.parallelism.fully_sharded else None
        capacity = self.capacity.bits_per_s("wide_area")
        return choose_schedule(len(self.placed.sites), self.loads, capacity, self.job.model.n_parameters(), local_s)

    @cached_property
    def network_times(self) -> tuple[NetworkTimes, ...]:
        """Seconds of each group's own exchange, on arcs that it shares with the other groups."""
        bits, n = network_bits(self.job), len(self.accelerators.groups)
        seconds: dict[str, list[float]] = {}
        for kind, unit_bits in bits.items():
            columns: tuple[Floats, ...] = getattr(self.loads, kind)
            total = np.sum(columns, axis=0) if columns else np.zeros(len(self.loads.arc))
            total_s = self.capacity.seconds(kind, total * unit_bits)
            times = [float(total_s[column > 0].max(initial=0.0)) for column in columns] or [0.0]
            seconds[kind] = times * n if len(times) == 1 else times
        return tuple(NetworkTimes(*(seconds[kind][i] for kind in ("context", "expert", "pipeline"))) for i in range(n))

    @cached_property
    def wide_bits(self) -> Floats:
        """Bits by row of one pass between sites, for each bit of a parameter."""
        total, schedule = np.zeros(len(self.loads.arc)), self.schedule
        if schedule is not None:
            for (i, j), unit in self.loads.wide.items():
                total = total + unit * schedule.volume[i, j]
        return total * self.job.model.n_parameters()

    @cached_property
    def crossing_bits(self) -> Floats:
        """Bits by row that one micro batch of every replica sends over stage boundaries between sites."""
        total = np.zeros(len(self.loads.arc))
        for unit in self.loads.crossing:
            total = total + unit
        return total * network_bits(self.job)["pipeline"]


def choose_schedule(
    n_sites: int, loads: UnitLinkLoads, capacity: Floats, n_parameters: float = 1.0, local_s: Floats | None = None
) -> AllReduceSchedule | None:
    """Choose the all-reduce schedule between sites whose busiest arc ends first; the first of equal ones.

    Args:
        n_sites: sites of the job.
        loads: unit loads by arc.
        capacity: bits per second between sites by row of `loads`; float64[n_arcs].
        n_parameters: parameters that are exchanged.
        local_s: seconds by row that the exchange inside sites takes at the same time, for each bit of a parameter.

    Returns:
        The schedule; None for one site or no flows between sites.
    """
    if n_sites < 2 or not loads.wide:
        return None
    is_wide, rows, kind = loads.wide_rows
    row_base_s = np.zeros(len(rows)) if local_s is None else local_s[rows]
    # arcs with equal times are evaluated once: thousands of arcs become about a dozen
    first = group_alike(np.stack((kind, capacity[rows].view(np.int64), row_base_s.view(np.int64)), axis=1))[1]
    rows, base_s = rows[first], row_base_s[first]
    pair_bits = np.stack([unit[rows] for unit in loads.wide.values()], axis=1) * n_parameters
    with np.errstate(divide="ignore", invalid="ignore"):
        pair_s = np.where(pair_bits > 0, pair_bits / capacity[rows, None], 0.0)
    if local_s is not None:
        # of arcs without exchange between sites, the busiest stands for all: no schedule changes their times
        busiest_s = np.fmax.reduce(local_s[~is_wide], initial=0.0)
        if busiest_s > 0:
            base_s, pair_s = np.append(base_s, busiest_s), np.vstack((pair_s, np.zeros((1, len(loads.wide)))))
    distinct = group_alike(np.column_stack((pair_s, base_s)).view(np.int64))[1]
    base_s, rows_s = base_s[distinct], np.zeros((len(distinct), n_sites, n_sites))
    for k, (i, j) in enumerate(loads.wide):
        rows_s[:, i, j] = pair_s[distinct, k]
    return _fastest_schedule(n_sites, rows_s.tobytes(), base_s.tobytes())


@lru_cache(maxsize=256)  # of the cases of a study, most have the same times between sites
def _fastest_schedule(n_sites: int, row_bytes: bytes, base_bytes: bytes) -> AllReduceSchedule:
    """Choose the schedule whose busiest row ends first, the first of equal ones.

    Args:
        n_sites: sites of the job.
        row_bytes: seconds by row and pair of sites, float64[n_rows, n_sites, n_sites].
        base_bytes: seconds that each row is busy with other traffic, float64[n_rows].
    """
    base_s = np.frombuffer(base_bytes)
    rows_s = np.frombuffer(row_bytes).reshape(len(base_s), n_sites, n_sites)
    schedules = ring_and_direct_schedules(n_sites)
    trees = mix_trees(n_sites, rows_s, base_s)
    if trees is not None:
        schedules.append(trees)
    schedules += search_schedules(n_sites, rows_s, base_s)
    with np.errstate(over="ignore"):
        times_s = schedule_times_s(rows_s, base_s, schedules) * (1.0 + 1e-12 * np.arange(len(schedules)))
    fastest = schedules[int(np.argmin(times_s))]
    fastest.volume.flags.writeable = False  # answers share it
    return fastest


def slowest_arc(arc_s: Floats, bits: Floats) -> tuple[int, float]:
    """Find the arc that takes longest; of arcs that take equally long, the one with most bits.

    Flows that are limited by their windows take equally long on all arcs of their path.

    Args:
        arc_s: seconds by arc; float64[n_arcs].
        bits: bits by arc; float64[n_arcs].

    Returns:
        (index, seconds); (-1, 0) where nothing flows.
    """
    slowest_s = float(arc_s.max(initial=0.0))
    if not slowest_s:
        return -1, 0.0
    slowest = np.flatnonzero(arc_s >= slowest_s * (1.0 - 1e-9))
    return int(slowest[np.argmax(np.round(bits[slowest] / bits[slowest].max(), 9))]), slowest_s
