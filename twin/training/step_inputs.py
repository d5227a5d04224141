"""What a step is timed in: a job on its racks, the pace of its accelerators, its loads by arc, arcs' capacity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..arrays import Floats, Ints
from ..catalogue.figure_reader import FigureReader
from ..model.jobs import TrainingJob
from ..optics.optical_paths import group_alike
from ..workload import all_reduce_schedule as exchange
from .accelerator_groups import CalibratedGroup, OnNetwork, calibrated_groups, longest_s, network_bits
from .job_flows import JobFlows
from .placement import Placed

GBIT = 1e9


@dataclass(frozen=True, eq=False)
class UnitLinkLoads:
    """Load by arc of one unit of each flow set, on the arcs that any of them uses; latencies one way, µs."""

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
    worst_latency_us: float
    unreachable: tuple[tuple[str, str, str], ...]
    """(phase, node, node) of job flows without a path."""

    def columns(self) -> list[Floats]:
        """All unit loads, in a fixed order."""
        return [*self.local, *self.pipeline, *self.crossing, *self.context, *self.expert, *self.wide.values()]

    def at(self, rows: Ints) -> UnitLinkLoads:
        """The same on some of the arcs."""

        def some(columns: tuple[Floats, ...]) -> tuple[Floats, ...]:
            return tuple(column[rows] for column in columns)

        return replace(
            self,
            arc=self.arc[rows],
            local=some(self.local),
            pipeline=some(self.pipeline),
            crossing=some(self.crossing),
            context=some(self.context),
            expert=some(self.expert),
            wide={pair: column[rows] for pair, column in self.wide.items()},
        )


@dataclass(frozen=True, eq=False)
class AcceleratorGroups:
    """What a placed job's accelerators do, whatever the network."""

    groups: tuple[CalibratedGroup, ...]
    n_buckets: float
    """Pieces that gradients are exchanged in."""
    peak_flops: float
    """Of all allocated accelerators."""

    @classmethod
    def of(cls, placed: Placed, job: TrainingJob, reader: FigureReader) -> AcceleratorGroups:
        """From the catalogue."""
        peak_flops = sum(
            n * reader.part(kind, f"{job.precision}_tflops") * 1e12 for kind, n in sorted(placed.n_allocated.items())
        )
        groups, n_buckets = calibrated_groups(placed, job, reader), reader.general("n_gradient_buckets")
        return cls(groups, n_buckets, peak_flops)


@dataclass(frozen=True, eq=False)
class StepInputs:
    """A job on a routed network: its groups' pace, its loads by arc, and what each arc leaves it."""

    job: TrainingJob
    placed: Placed
    flows: JobFlows
    accelerators: AcceleratorGroups
    loads: UnitLinkLoads
    capacity_gbps: Floats
    """By row of `loads`, what demands in the background leave."""

    @cached_property
    def capacity(self) -> Floats:
        """Bits per second by row."""
        return self.capacity_gbps * GBIT

    @cached_property
    def local_bits_of(self) -> dict[str, Floats]:
        """By site, bits by row of a pass inside it, for each bit a parameter has."""
        n_parameters = self.job.model.n_parameters()
        local = zip(self.flows.local, self.loads.local, strict=True)
        return {each.site: unit * n_parameters for each, unit in local}

    @cached_property
    def local_bits(self) -> Floats:
        """Bits by row of a pass inside all sites, for each bit a parameter has."""
        return np.asarray(sum(self.local_bits_of.values(), np.zeros(len(self.loads.arc))))

    @cached_property
    def way(self) -> exchange.AllReduceSchedule | None:
        """How the sites exchange; None for one site, or where activations go between them."""
        local = self.local_bits if not self.job.is_local_sgd and not self.job.parallelism.fully_sharded else None
        return choose_schedule(len(self.placed.sites), self.loads, self.capacity, self.job.model.n_parameters(), local)

    @cached_property
    def network(self) -> tuple[OnNetwork, ...]:
        """By group, seconds of its own exchange on the arcs it shares with the others."""
        bits, n = network_bits(self.job), len(self.accelerators.groups)
        seconds: dict[str, list[float]] = {}
        for name, each in bits.items():
            columns: tuple[Floats, ...] = getattr(self.loads, name)
            every = np.sum(columns, axis=0) if columns else np.zeros(0)
            times = [longest_s(column, every, self.capacity, each) for column in columns] or [0.0]
            seconds[name] = times * n if len(times) == 1 else times
        return tuple(OnNetwork(*(seconds[name][i] for name in ("context", "expert", "pipeline"))) for i in range(n))

    @cached_property
    def wide_bits(self) -> Floats:
        """Bits by row of a pass between sites, for each bit a parameter has."""
        total, way = np.zeros(len(self.loads.arc)), self.way
        if way is not None:
            for (i, j), unit in self.loads.wide.items():
                total = total + unit * way.volume[i, j]
        return total * self.job.model.n_parameters()

    @cached_property
    def crossing_bits(self) -> Floats:
        """Bits by row that one micro batch of every replica sends over stage boundaries between sites."""
        total = np.zeros(len(self.loads.arc))
        for unit in self.loads.crossing:
            total = total + unit
        return total * network_bits(self.job)["pipeline"]


def choose_schedule(
    n_sites: int, loads: UnitLinkLoads, capacity: Floats, n_parameters: float = 1.0, beside: Floats | None = None
) -> exchange.AllReduceSchedule | None:
    """The way between sites whose busiest arc is done first on the routed graph, and so the step; the first of equals.

    capacity: bits per second by row of `loads`. beside: bits by row, for each bit a parameter has, of what is exchanged
    inside sites at the same time.
    """
    if n_sites < 2 or not loads.wide:
        return None
    units = np.stack(list(loads.wide.values()), axis=1) * n_parameters
    used = units.any(axis=1)
    if beside is not None:
        used |= beside > 0
    pairs, held = units[used], capacity[used]
    with np.errstate(divide="ignore", invalid="ignore"):
        seconds = np.where(pairs > 0, pairs / held[:, None], 0.0)
        base = np.zeros(len(held)) if beside is None else np.where(beside[used] > 0, beside[used] / held, 0.0)
    # equal rows have equal times: hundreds of arcs are a dozen
    distinct = group_alike(np.column_stack((seconds, base)).view(np.int64))[1]
    base, rows = base[distinct], np.zeros((len(distinct), n_sites, n_sites))
    for k, (i, j) in enumerate(loads.wide):
        rows[:, i, j] = seconds[distinct, k]
    ways = exchange.candidates(n_sites)
    mixed = exchange.mix_trees(n_sites, rows, base)
    if mixed is not None:
        ways.append(mixed)
    ways += exchange.searched(n_sites, rows, base)
    with np.errstate(over="ignore"):
        times = exchange.busiest_s(rows, base, ways) * (1.0 + 1e-12 * np.arange(len(ways)))
    return ways[int(np.argmin(times))]


def longest(bits: Floats, capacity: Floats) -> tuple[int, float]:
    """(index, seconds) of the arc that takes longest; (-1, 0) where nothing flows."""
    rows = np.flatnonzero(bits)
    if not len(rows):
        return -1, 0.0
    with np.errstate(divide="ignore"):
        seconds = bits[rows] / capacity[rows]
    worst = int(np.argmax(seconds))
    return int(rows[worst]), float(seconds[worst])
