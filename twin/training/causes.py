"""What is in the way of a step: eight causes, each taken away by itself and together, by the engine that times steps.

Causes interact (deep buffers help little behind a slow accelerator), so each is told three ways: alone, last, and its
Shapley value over all 2^8 combinations: the mean of what it brings over every order in which they could be removed.
Those shares add up to the whole gap (Shapley 1953, A value for n-person games).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial

import numpy as np

from ..arrays import TIERS, Bools, Floats, Ints, State
from ..catalogue.figure_reader import FigureReader
from ..kernels.groups import group_rows
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..optics.link_budget import DEFAULT_CAPACITY_GBPS
from ..optics.link_health import LinkHealth
from ..optics.pfc_headroom import compute_pfc_headroom
from ..optics.transport_goodput import compute_transport_goodput
from ..traffic.congestion import remaining_for_job_gbps
from .hash_collisions import collision_ratio, n_flows_per_accelerator
from .job_flows import JobFlows
from .placement import Placed
from .step import Step, step_of, step_time_s
from .step_inputs import AcceleratorGroups, StepInputs, UnitLinkLoads
from .step_timing import Counterfactual

CAUSES = ("delay", "line_loss", "interconnect", "fabric", "buffers", "accelerators", "split", "pipeline_fill")
"""In the order of their bits; see `SENTENCES`."""
SENTENCES = {
    "delay": "no delay: round trips of zero everywhere, attenuation kept",
    "line_loss": "no line loss: full light, full rate and no frame lost on any link",
    "interconnect": "unlimited capacity between the sites",
    "fabric": "unlimited capacity inside the sites, network cards included",
    "buffers": "deep buffers, and no two flows hashed together",
    "accelerators": "one kind of accelerator with the same FLOP/s in all",
    "split": "the best split of the work",
    "pipeline_fill": "a batch so large that neither filling the pipeline counts nor what does not divide",
}
DELAY, LINE_LOSS, INTERCONNECT, FABRIC, BUFFERS, ACCELERATORS, SPLIT, FILL = (1 << i for i in range(8))
OF_NETWORK = DELAY | LINE_LOSS | INTERCONNECT | FABRIC | BUFFERS
DIGITS = 12
"""Arcs alike to so many digits are timed as one."""


@dataclass(frozen=True, eq=False)
class CauseInputs:
    """A routed job on judged links. `clean` are its loads with every link lit that is up."""

    state: State
    document: TopologyDocument
    job: TrainingJob
    placed: Placed
    flows: JobFlows
    accelerators: AcceleratorGroups
    loads: UnitLinkLoads
    clean: UnitLinkLoads
    health: LinkHealth
    carried_gbps: Floats | None
    """By arc, what demands in the background carry."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What one cause costs, in seconds of a step; negative where taking it away makes the step longer."""

    name: str
    share_s: float
    alone_s: float
    last_s: float


@dataclass(frozen=True, eq=False)
class Attribution:
    """A step, the step with every cause removed, and what each cause has of the difference."""

    step: Step
    step_time_s: float
    ideal_step_time_s: float
    causes: tuple[Cause, ...]
    times_s: Floats
    """Step time by combination of causes taken away, a bit each in the order of CAUSES; float64[256]."""

    def saved_s(self, *names: str) -> float:
        """What taking these causes away together saves."""
        return float(self.times_s[0] - self.times_s[sum(1 << CAUSES.index(name) for name in names)])

    @property
    def gap_s(self) -> float:
        """What all causes cost together."""
        return self.step_time_s - self.ideal_step_time_s


def attribute(inputs: CauseInputs, reader: FigureReader, notify: Callable[[str], None] | None = None) -> Attribution:
    """Time the step under all 256 combinations of the causes and share the gap out."""
    network = _NetworkLimits(inputs, reader)
    times = np.empty(1 << len(CAUSES))
    for of_network in range(OF_NETWORK + 1):
        if notify is not None:
            notify(f"without {of_network} of {OF_NETWORK} kinds of limit in the network")
        timed = network.timed(of_network)
        for combination in range(0, 1 << len(CAUSES), OF_NETWORK + 1):
            times[of_network | combination] = timed(combination)
    shares = _shapley(times)
    causes = tuple(
        Cause(
            name,
            float(shares[i]),
            float(times[0] - times[1 << i]),
            float(times[(len(times) - 1) ^ (1 << i)] - times[-1]),
        )
        for i, name in enumerate(CAUSES)
    )
    return Attribution(network.actual_step(), float(times[0]), float(times[-1]), causes, times)


def _shapley(times: Floats) -> Floats:
    """Share of each player in times[nothing] - times[all]; combinations are bit masks."""
    n = len(times).bit_length() - 1
    masks = np.arange(len(times))
    size = np.array([int(mask).bit_count() for mask in masks])
    weight = np.array([factorial(s) * factorial(max(n - 1 - s, 0)) / factorial(n) for s in range(n + 1)])
    shares = np.empty(n)
    for i in range(n):
        without = masks[(masks >> i) & 1 == 0]
        shares[i] = (weight[size[without]] * (times[without] - times[without | (1 << i)])).sum()
    return shares


def bright_links(state: State, lit: Bools, reader: FigureReader) -> Bools:
    """Links that would be lit if no light were lost: all in service with a rate of their own; bool[n_links]."""
    return np.asarray(state.in_service & (_nominal_gbps(state, reader) > 0) | lit)


def _nominal_gbps(state: State, reader: FigureReader) -> Floats:
    """Rate of a member with all the light it could have."""
    rate = reader.by_code(state.parts, state["link_transceiver"], "rate_gbps", "transceiver")
    nominal = np.fmin(state["link_capacity_gbps"], rate)
    return np.where(np.isnan(nominal), DEFAULT_CAPACITY_GBPS, nominal)


class _NetworkLimits:
    """Capacity of the arcs that a job uses under each combination of the network's causes."""

    def __init__(self, inputs: CauseInputs, reader: FigureReader) -> None:
        self._inputs, self._reader = inputs, reader
        self._kept: dict[bool, tuple[UnitLinkLoads, dict[int, Floats]]] = {}

    def actual_step(self) -> Step:
        """The whole account of the step with nothing taken away."""
        loads, capacity = self._compressed(0)
        inputs = self._inputs
        return step_of(
            StepInputs(
                inputs.job,
                inputs.placed,
                inputs.flows,
                inputs.accelerators,
                loads,
                capacity,
            )
        )

    def timed(self, removed: int) -> Callable[[int], float]:
        """A function that times the step without these limits of the network and any others."""
        inputs = self._inputs
        loads, capacity = self._compressed(removed)
        limited = StepInputs(inputs.job, inputs.placed, inputs.flows, inputs.accelerators, loads, capacity)

        def step_s(combination: int) -> float:
            counterfactual = Counterfactual(
                no_delay=bool(removed & DELAY),
                no_fabric_limit=bool(removed & FABRIC),
                one_accelerator=bool(combination & ACCELERATORS),
                best_split=bool(combination & SPLIT),
                full_pipeline=bool(combination & FILL),
            )
            return step_time_s(limited, counterfactual)

        return step_s

    def _compressed(self, removed: int) -> tuple[UnitLinkLoads, Floats]:
        """Loads and capacity by distinct arc: those that are alike in all that a step asks of them are one."""
        clean = bool(removed & LINE_LOSS)
        if clean not in self._kept:
            loads = self._inputs.clean if clean else self._inputs.loads
            masks = [mask for mask in range(OF_NETWORK + 1) if bool(mask & LINE_LOSS) == clean]
            every = {mask: self._capacity(loads, mask) for mask in masks}
            rows = _distinct(loads, list(every.values()))
            self._kept[clean] = (loads.at(rows), {mask: column[rows] for mask, column in every.items()})
        small, capacities = self._kept[clean]
        return small, capacities[removed]

    def _capacity(self, loads: UnitLinkLoads, removed: int) -> Floats:
        """Gb/s of each arc of `loads` for the job, as the network would leave it without these limits."""
        inputs, health, state = self._inputs, self._inputs.health, self._inputs.state
        links = loads.arc // 2
        member, loss, trip_us = self._light(removed)
        sent = compute_transport_goodput(
            self._reader, inputs.document.lossless, loss[links], trip_us[links], member[links]
        )
        left = member[links] * sent.goodput_ratio
        wide = state.link_tier[links] == TIERS.index("wide_area")
        if not removed & DELAY:
            left = np.where(wide, left * inputs.document.lossless.congestion_control_ratio, left)
        if not removed & (DELAY | BUFFERS):
            lit = health.lit | (member > 0) if removed & LINE_LOSS else health.lit
            room = compute_pfc_headroom(state, inputs.document.lossless, self._reader, lit, member, trip_us)
            n_arcs = 2 * state.n_links
            left = left * room.by_arc("retained_ratio", n_arcs, 1.0)[loads.arc]
            # the buffer bounds what is sent; of that the window leaves its share
            rate = room.by_arc("rate_gbps", n_arcs, np.inf)[loads.arc] * (sent.goodput_ratio / sent.recovery_ratio)
            left = np.minimum(left, rate)
        capacity = left * (state.n_members_up * health.card_ratio)[links]
        if inputs.carried_gbps is not None:
            capacity = remaining_for_job_gbps(capacity, inputs.carried_gbps[loads.arc])
        if not removed & BUFFERS:
            n_flows = n_flows_per_accelerator(inputs.document.lossless, self._reader)
            capacity = capacity / collision_ratio(state, inputs.placed, loads, n_flows)
        capacity[wide & bool(removed & INTERCONNECT)] = np.inf
        capacity[~wide & bool(removed & FABRIC)] = np.inf
        return capacity

    def _light(self, removed: int) -> tuple[Floats, Floats, Floats]:
        """(rate of a member, frames lost, round trip in µs) by link."""
        health, state = self._inputs.health, self._inputs.state
        trip_us = health.arc_latency_us.reshape(-1, 2).sum(axis=1)
        if removed & DELAY:
            trip_us = np.zeros(len(trip_us))
        if not removed & LINE_LOSS:
            return health.member_gbps, health.loss_ratio, trip_us
        bright = np.where(state.in_service, _nominal_gbps(state, self._reader), 0.0)
        return bright, np.zeros(len(trip_us)), trip_us


def _distinct(loads: UnitLinkLoads, capacities: list[Floats]) -> Ints:
    """First row of each set of arcs that are alike to DIGITS digits in every column."""
    columns = [*loads.columns(), *capacities]
    if not columns or not len(loads.arc):
        return np.arange(len(loads.arc))
    table = np.stack([_rounded(column) for column in columns], axis=1).view(np.int64)
    n = len(table)
    group, first = np.empty(n, np.int64), np.empty(n, np.int64)
    n_groups = group_rows(table, np.full(1 << (2 * n).bit_length(), -1, np.int64), group, first)
    return first[:n_groups]


def _rounded(column: Floats) -> Floats:
    """To DIGITS significant digits, so that sums in another order are the same arc."""
    out = np.array(column, dtype=np.float64)
    finite = np.isfinite(out) & (out != 0)
    scale = 10.0 ** (DIGITS - np.ceil(np.log10(np.abs(out[finite]))))
    out[finite] = np.round(out[finite] * scale) / scale
    return out
