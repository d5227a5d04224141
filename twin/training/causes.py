"""Causes of a step's length: eight limits, each removed alone and together, timed by the model that times steps.

Causes interact: deep buffers help little behind a slow accelerator. So each has three figures: what removing it alone
saves, what removing it last saves, and its Shapley value. That is the mean saving over every order of removal, from all
2^8 combinations. The Shapley values add up to the whole gap (Shapley 1953, A value for n-person games).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import factorial

import numpy as np

from ..arrays import TIERS, Bools, Floats, Ints, State
from ..arrays.node_ports import stated_gbps
from ..arrays.rounding import rounded_column
from ..catalogue.figure_reader import FigureReader
from ..kernels.groups import group_rows
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..optics.link_health import LinkHealth
from ..optics.pfc_headroom import compute_pfc_headroom
from ..traffic.congestion import remaining_for_job_gbps
from .balancing_rules import BalancingRules
from .job_flows import JobFlows
from .phase_balancing import BalancingLimits, PhasePatterns, exchange_weights
from .phase_capacity import PhaseCapacity
from .phase_goodput import ArcRates, phase_capacity, phase_goodput
from .placement import JobPlacement
from .step import Step, step_of, step_time_s
from .step_inputs import AcceleratorGroups, StepInputs, UnitLinkLoads
from .step_timing import Counterfactual

CAUSES = ("delay", "line_loss", "interconnect", "fabric", "buffers", "accelerators", "split", "pipeline_fill")
"""In the order of their bits; see `SENTENCES`."""
SENTENCES = {
    "delay": "round trips of zero length; attenuation stays as it is",
    "line_loss": "no loss: every link up at full rate, and no frame lost",
    "interconnect": "unlimited capacity between the sites",
    "fabric": "unlimited capacity inside the sites, network cards included",
    "buffers": "deep buffers, and no two flows on one member by hashing",
    "accelerators": "one kind of accelerator with the same total FLOP/s",
    "split": "the best split of the batch",
    "pipeline_fill": "a batch so large that pipeline fill and remainders do not count",
}
DELAY, LINE_LOSS, INTERCONNECT, FABRIC, BUFFERS, ACCELERATORS, SPLIT, FILL = (1 << i for i in range(8))
NETWORK_CAUSES = DELAY | LINE_LOSS | INTERCONNECT | FABRIC | BUFFERS


@dataclass(frozen=True, eq=False)
class CauseInputs:
    """A routed job on assessed links. `clean_loads` are its loads if every link that is in service were lit."""

    state: State
    document: TopologyDocument
    job: TrainingJob
    placed: JobPlacement
    flows: JobFlows
    accelerators: AcceleratorGroups
    loads: UnitLinkLoads
    clean_loads: UnitLinkLoads
    health: LinkHealth
    carried_gbps: Floats | None
    """Load that background demands carry, by arc."""
    hashed: PhasePatterns
    """Flows of each phase on arcs whose load balancing is known."""
    balancing: BalancingRules
    limits: BalancingLimits
    """Capacity for each phase before hash collisions, by row of `loads`."""


@dataclass(frozen=True, slots=True)
class StepCause:
    """Cost of one cause in seconds of a step; negative where removing it makes the step longer."""

    name: str
    share_s: float
    alone_s: float
    last_s: float


@dataclass(frozen=True, eq=False)
class Attribution:
    """A step, the step with every cause removed, and the part of each cause in the difference."""

    step: Step
    step_time_s: float
    ideal_step_time_s: float
    causes: tuple[StepCause, ...]
    times_s: Floats
    """Step time by combination of removed causes, one bit each in the order of CAUSES; float64[256]."""

    def saved_s(self, *names: str) -> float:
        """Seconds saved by removing these causes together."""
        return float(self.times_s[0] - self.times_s[sum(1 << CAUSES.index(name) for name in names)])

    @property
    def gap_s(self) -> float:
        """Cost of all causes together."""
        return self.step_time_s - self.ideal_step_time_s


def attribute(inputs: CauseInputs, reader: FigureReader, notify: Callable[[str], None] | None = None) -> Attribution:
    """Time the step under all 256 combinations of the causes and share out the gap.

    Args:
        inputs: the routed job and the figures of its links.
        reader: source of figures.
        notify: called with a progress text before each combination of network limits.
    """
    limits = _NetworkLimits(inputs, reader)
    times_s = np.empty(1 << len(CAUSES))
    for network_mask in range(NETWORK_CAUSES + 1):
        if notify is not None:
            notify(f"without {network_mask} of {NETWORK_CAUSES} kinds of limit in the network")
        step_s = limits.timer(network_mask)
        for mask in range(0, 1 << len(CAUSES), NETWORK_CAUSES + 1):
            times_s[network_mask | mask] = step_s(mask)
    shares = _shapley(times_s)
    causes = tuple(
        StepCause(
            name,
            float(shares[i]),
            float(times_s[0] - times_s[1 << i]),
            float(times_s[(len(times_s) - 1) ^ (1 << i)] - times_s[-1]),
        )
        for i, name in enumerate(CAUSES)
    )
    return Attribution(limits.actual_step(), float(times_s[0]), float(times_s[-1]), causes, times_s)


def _shapley(times_s: Floats) -> Floats:
    """Shapley value of each player for times_s[none removed] - times_s[all removed]; combinations are bit masks."""
    n = len(times_s).bit_length() - 1
    size = np.array([mask.bit_count() for mask in range(len(times_s))])
    weight = np.array([factorial(s) * factorial(n - 1 - s) / factorial(n) for s in range(n)])
    shares = np.empty(n)
    for i in range(n):
        # axis 1 is bit i: combinations without the player, and the same ones with it
        before_s, after_s = np.moveaxis(times_s.reshape(-1, 2, 1 << i), 1, 0)
        others = size.reshape(-1, 2, 1 << i)[:, 0]
        shares[i] = (weight[others] * (before_s - after_s)).sum()
    return shares


def links_without_line_loss(state: State, lit: Bools, reader: FigureReader) -> Bools:
    """Links that would be lit without line loss: all in service whose rate is not 0; bool[n_links]."""
    return np.asarray(state.in_service & ~(_nominal_gbps(state, reader) <= 0) | lit)


def shares_without_line_loss(state: State, lit: Bools, share: Floats, reader: FigureReader) -> Floats:
    """Split weights if every link in service were lit: a dark link without a weight has its nominal capacity."""
    nominal_gbps = np.repeat(state.n_members_up * _nominal_gbps(state, reader), 2)
    return np.where(np.repeat(state.in_service & ~lit, 2) & (share <= 0), nominal_gbps, share)


def _nominal_gbps(state: State, reader: FigureReader) -> Floats:
    """Rate of a member without line loss; NaN where it is unknown."""
    rate = reader.by_code(state.parts, state["link_transceiver"], "rate_gbps", "transceiver")
    return np.asarray(np.fmin(stated_gbps(state, reader), rate))


class _NetworkLimits:
    """Capacity of the arcs of a job under each combination of the network's causes."""

    def __init__(self, inputs: CauseInputs, reader: FigureReader) -> None:
        self._inputs, self._reader = inputs, reader
        self._efficiency: dict[int, dict[str, float]] = {}
        self._by_line_loss: dict[bool, tuple[UnitLinkLoads, dict[int, PhaseCapacity]]] = {}

    def actual_step(self) -> Step:
        """All figures of the step with nothing removed."""
        loads, capacity = self._compressed(0)
        inputs = self._inputs
        return step_of(StepInputs(inputs.job, inputs.placed, inputs.flows, inputs.accelerators, loads, capacity))

    def timer(self, removed: int) -> Callable[[int], float]:
        """Make a function that times the step without these limits of the network and any other limits."""
        inputs = self._inputs
        loads, capacity = self._compressed(removed)
        step_inputs = StepInputs(inputs.job, inputs.placed, inputs.flows, inputs.accelerators, loads, capacity)

        def step_s(mask: int) -> float:
            counterfactual = Counterfactual(
                no_delay=bool(removed & DELAY),
                no_fabric_limit=bool(removed & FABRIC),
                one_accelerator=bool(mask & ACCELERATORS),
                best_split=bool(mask & SPLIT),
                full_pipeline=bool(mask & FILL),
            )
            return step_time_s(step_inputs, counterfactual)

        return step_s

    def _compressed(self, removed: int) -> tuple[UnitLinkLoads, PhaseCapacity]:
        """Loads and capacity by distinct arc: arcs that are equal in all that a step reads are one."""
        without_line_loss = bool(removed & LINE_LOSS)
        if without_line_loss not in self._by_line_loss:
            loads = self._inputs.clean_loads if without_line_loss else self._inputs.loads
            masks = [mask for mask in range(NETWORK_CAUSES + 1) if bool(mask & LINE_LOSS) == without_line_loss]
            capacities = {mask: self._capacity(loads, mask) for mask in masks}
            rows = _distinct_rows(loads, [column for each in capacities.values() for column in each.columns()])
            self._by_line_loss[without_line_loss] = (
                loads.take_rows(rows),
                {mask: capacity.take_rows(rows) for mask, capacity in capacities.items()},
            )
        distinct_loads, distinct_capacities = self._by_line_loss[without_line_loss]
        return distinct_loads, distinct_capacities[removed]

    def _capacity(self, loads: UnitLinkLoads, removed: int) -> PhaseCapacity:
        """Capacity for each phase of the job on the arcs of `loads`, without these limits of the network."""
        lossless, state = self._inputs.document.lossless, self._inputs.state
        arcs = self._arc_rates(loads, removed)
        goodput = phase_goodput(self._reader, lossless, loads, arcs, no_delay=bool(removed & DELAY))
        capacity = phase_capacity(arcs.available_gbps, goodput)
        if not removed & BUFFERS:
            capacity = capacity.with_efficiency(self._efficiency_without(removed & (INTERCONNECT | FABRIC)))
        is_wide = state.link_tier[loads.arc // 2] == TIERS.index("wide_area")
        unlimited = is_wide & bool(removed & INTERCONNECT) | ~is_wide & bool(removed & FABRIC)
        if unlimited.any():
            gbps = {kind: np.where(unlimited, np.inf, column) for kind, column in capacity.gbps.items()}
            capacity = replace(capacity, gbps=gbps)
        return capacity

    def _arc_rates(self, loads: UnitLinkLoads, removed: int) -> ArcRates:
        """What the arcs of `loads` offer the job's flows without these limits of the network."""
        inputs, health, state = self._inputs, self._inputs.health, self._inputs.state
        links, lossless, n_arcs = loads.arc // 2, inputs.document.lossless, 2 * state.n_links
        member_gbps, loss_ratio, rtt_us = self._link_figures(removed)
        arc_member_gbps = np.fmin(member_gbps[links], state["arc_capacity_gbps"][loads.arc])
        sent_gbps, loses_in_pauses = arc_member_gbps, np.zeros(len(links), dtype=np.bool_)
        if not removed & DELAY:
            is_wide = state.link_tier[links] == TIERS.index("wide_area")
            sent_gbps = np.where(is_wide, sent_gbps * lossless.congestion_control_ratio, sent_gbps)
        if not removed & (DELAY | BUFFERS):
            lit = health.lit | (member_gbps > 0) if removed & LINE_LOSS else health.lit
            headroom = compute_pfc_headroom(state, lossless, self._reader, lit, member_gbps, rtt_us)
            if lossless.recovery != "tcp":
                sent_gbps = sent_gbps * headroom.by_arc("retained_ratio", n_arcs, 1.0)[loads.arc]
            loses_in_pauses = headroom.by_arc("lost_bytes", n_arcs, 0.0)[loads.arc] > 0
            sent_gbps = np.minimum(sent_gbps, headroom.by_arc("rate_gbps", n_arcs, np.inf)[loads.arc])
        available_gbps = sent_gbps * (state.n_members_up * health.card_ratio)[links]
        if inputs.carried_gbps is not None:
            available_gbps = remaining_for_job_gbps(available_gbps, inputs.carried_gbps[loads.arc])
        is_access = state.link_tier[links] == TIERS.index("access")
        return ArcRates(available_gbps, arc_member_gbps, loss_ratio[links], is_access, loses_in_pauses)

    def _efficiency_without(self, removed: int) -> dict[str, float]:
        """Efficiency of load balancing by kind of flow sets, without the capacity limits of these tiers.

        It is that of today's routes and rates, also where other limits are removed.
        """
        if removed not in self._efficiency:
            inputs, state = self._inputs, self._inputs.state
            is_wide = state.link_tier[inputs.loads.arc // 2] == TIERS.index("wide_area")
            unlimited = is_wide & bool(removed & INTERCONNECT) | ~is_wide & bool(removed & FABRIC)
            weights = exchange_weights(inputs.placed.sites, inputs.loads, inputs.limits.gbps["wide_area"])
            limits = inputs.limits.unlimited(unlimited)
            times = inputs.hashed.times(inputs.balancing, limits, state.n_members_up, weights)
            self._efficiency[removed] = {kind: found.mean_efficiency_ratio for kind, found in times.items()}
        return self._efficiency[removed]

    def _link_figures(self, removed: int) -> tuple[Floats, Floats, Floats]:
        """(rate of a member in Gb/s, frame loss ratio, round trip in µs) by link."""
        health, state = self._inputs.health, self._inputs.state
        rtt_us = health.arc_latency_us[::2] + health.arc_latency_us[1::2]
        if removed & DELAY:
            rtt_us = np.zeros(len(rtt_us))
        if not removed & LINE_LOSS:
            return health.member_gbps, health.loss_ratio, rtt_us
        nominal_gbps = np.where(state.in_service, _nominal_gbps(state, self._reader), 0.0)
        return nominal_gbps, np.zeros(len(rtt_us)), rtt_us


def _distinct_rows(loads: UnitLinkLoads, capacities: list[Floats]) -> Ints:
    """First row of each set of arcs that are equal but for rounding in every column."""
    columns = [*loads.columns(), *capacities]
    if not columns or not len(loads.arc):
        return np.arange(len(loads.arc))
    table = np.stack([rounded_column(column) for column in columns], axis=1).view(np.int64)
    n = len(table)
    group, first = np.empty(n, np.int64), np.empty(n, np.int64)
    n_groups = group_rows(table, np.full(1 << (2 * n).bit_length(), -1, np.int64), group, first)
    return first[:n_groups]
