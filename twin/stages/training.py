"""Stages of a training job: placement, flows, loads, accelerators, the step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..arrays import TIERS, Bools, Floats, at_an_end
from ..arrays.node_ports import card_gbps
from ..errors import Issue, TopologyError
from ..model.jobs import TrainingJob
from ..optics.link_health import unknown_rates
from ..traffic.balancing_modes import Flows
from ..traffic.congestion import remaining_for_job_gbps
from ..traffic.hash_law import PhaseTimes
from ..traffic.rail_split import RailSplit
from ..traffic.routes import Routes
from ..traffic.routing import Router, links_with_share
from ..training.balancing_rules import (
    EVEN,
    UNSTATED,
    BalancingRule,
    BalancingRules,
    balancing_rules,
    is_unstated,
    with_stated,
)
from ..training.cards import CardLoss, card_loss, placed_on_cards, with_named_cards
from ..training.causes import links_without_line_loss, shares_without_line_loss
from ..training.job_flows import JobFlows
from ..training.job_flows import job_flows as flows_of_job
from ..training.link_loads import PairTable, with_latency
from ..training.link_loads import unit_link_loads as loads_on_routes
from ..training.memory_fit import fit_issues, peak_issues, split_issues
from ..training.phase_balancing import BalancingLimits, PhasePatterns, exchange_weights, phase_patterns
from ..training.phase_capacity import PhaseCapacity
from ..training.phase_goodput import (
    ArcRates,
    ArcTransport,
    PhaseGoodput,
    line_gbps,
    phase_capacity,
    phase_goodput,
)
from ..training.phase_use import Endpoints, PhaseUse, phase_uses
from ..training.placement import JobPlacement, place_job
from ..training.rail_exchange import RailExchange, over_the_fabric, with_relays
from ..training.rail_exchange import rail_exchange as exchange_between_rails
from ..training.step import step_of, step_time_s
from ..training.step_inputs import AcceleratorGroups, StepInputs, UnitLinkLoads
from ..workload.local_sgd import LOSS_FIGURES, LossPenalty, loss_penalty
from .outcomes import BalancedCapacity, BalancedStep, StepOutcome
from .stage import Inputs


def allocation(inputs: Inputs) -> JobPlacement | None:
    """Place the job on racks with all their cards; None without a job. Raises TopologyError if it does not fit."""
    job, state = inputs.job, inputs.state
    if job is None:
        return None
    where = f"jobs[{job.id}].placement"
    unknown = [Issue(where, f"no site {p.site!r}") for p in job.placement if p.site not in state.sites]
    if unknown:
        raise TopologyError("the job has no place", found=unknown)
    return place_job(state, job, inputs.reader)


def cards(inputs: Inputs) -> CardLoss | None:
    """Find the lost cards of the job, and what they leave of it; None without a job."""
    job, placed = inputs.job, inputs["allocation"]
    if job is None:
        return None
    return card_loss(inputs.state, job, placed, inputs["card_ports"], inputs["fabric_parts"], inputs["routed_links"])


def placement(inputs: Inputs) -> JobPlacement | None:
    """Compute the placement of the replicas that go on, with the rates of their cards; None without a job."""
    job = inputs.job
    return None if job is None else placed_on_cards(inputs["allocation"], inputs["cards"], job.on_card_loss)


def memory_fit(inputs: Inputs) -> None:
    """Check that the job fits the memory of its accelerators. Raises TopologyError with what would fit."""
    job = inputs.job
    if job is None:
        return
    issues = fit_issues(inputs["placement"], job, inputs.reader)
    if issues:
        raise TopologyError("the job cannot run as it is cut and placed", where=f"jobs[{job.id}]", found=issues)


def stated_split(inputs: Inputs) -> None:
    """Check that a stated split does the whole batch. Raises TopologyError where it does not."""
    job = inputs.job
    if job is None:
        return
    issues = split_issues(inputs["placement"], job)
    if issues:
        raise TopologyError("the stated split does not do the batch", where=f"jobs[{job.id}]", found=issues)


def rack_flows(inputs: Inputs) -> JobFlows | None:
    """Compute the flows of the job between racks, whatever their rails; None without a job."""
    job = inputs.job
    return None if job is None else flows_of_job(inputs["placement"], job, inputs.state.n_nodes)


def rail_exchange(inputs: Inputs) -> RailExchange | None:
    """Find the exchange of the job between rails; None without a job, or where all of it stays on its rail."""
    job, placed = inputs.job, inputs["placement"]
    if job is None:
        return None
    pxn = inputs.document.pxn if job.pxn is None else job.pxn
    return exchange_between_rails(inputs.state, job, placed, inputs["card_ports"], pxn=pxn)


def job_flows(inputs: Inputs) -> JobFlows | None:
    """Compute the flows of the job; exchange between rails goes from leaf to leaf without PXN. None without a job."""
    flows: JobFlows | None = inputs["rack_flows"]
    exchange: RailExchange | None = inputs["rail_exchange"]
    if flows is None or exchange is None or exchange.pxn:
        return flows
    ports, lit, relays = inputs["card_ports"], inputs["routed_links"], inputs["cards.relays"]
    return over_the_fabric(exchange, flows, inputs.state, ports, lit, relays)


def job_pairs(inputs: Inputs) -> PairTable | None:
    """Collect the distinct node pairs of all flows; None without a job."""
    flows: JobFlows | None = inputs["job_flows"]
    return None if flows is None else PairTable.of(flows, inputs.state.n_nodes)


def job_routes(inputs: Inputs) -> Routes | None:
    """Find the routes of the job's node pairs; None without a job."""
    pairs: PairTable | None = inputs["job_pairs"]
    if pairs is None:
        return None
    split: RailSplit | None = inputs["cards.rail_split"]
    router: Router = inputs["router"]
    return router.routes(inputs["split_share"], pairs.source, pairs.target, split)


def unit_link_loads(inputs: Inputs) -> UnitLinkLoads | None:
    """Compute the loads by arc of one unit of each flow set, without latencies; None without a job."""
    pairs: PairTable | None = inputs["job_pairs"]
    if pairs is None:
        return None
    return loads_on_routes(inputs.state, inputs["job_flows"], pairs, inputs["job_routes"])


def link_loads(inputs: Inputs) -> UnitLinkLoads | None:
    """Add the latency of the slowest path of each phase to the unit loads; None without a job."""
    loads: UnitLinkLoads | None = inputs["unit_link_loads"]
    if loads is None:
        return None
    return with_latency(loads, inputs.state, inputs["health.arc_latency_us"], inputs["job_pairs"], inputs["job_routes"])


def clean_link_loads(inputs: Inputs) -> UnitLinkLoads | None:
    """Compute the loads as if no link had optical loss; None without a job.

    The actual loads, if the other links leave flows without a path or without a known rate.
    """
    loads: UnitLinkLoads | None = inputs["link_loads"]
    if loads is None:
        return None
    state, lit = inputs.state, inputs["health.lit"]
    lit_without_loss = links_without_line_loss(state, lit, inputs.reader)
    if not (lit_without_loss != lit).any():
        return loads
    pairs: PairTable = inputs["job_pairs"]
    share = shares_without_line_loss(state, lit, inputs["split_share"], inputs.reader)
    routes = Router(state, lit_without_loss & links_with_share(share), inputs["access_class"]).routes(
        share, pairs.source, pairs.target, inputs["cards.rail_split"]
    )
    clean_loads = loads_on_routes(state, inputs["job_flows"], pairs, routes)
    if clean_loads.unreachable or inputs["health.rate_unknown"][clean_loads.arc // 2].any():
        return loads
    return with_latency(clean_loads, state, inputs["health.arc_latency_us"], pairs, routes)


def accelerators(inputs: Inputs) -> AcceleratorGroups | None:
    """Compute the accelerator groups of the job, independent of the links; None without a job."""
    job, exchange = inputs.job, inputs["rail_exchange"]
    if job is None:
        return None
    placed = inputs["placement"]
    if exchange is not None and exchange.pxn:
        placed = with_relays(placed, exchange)
    return AcceleratorGroups.of(with_named_cards(placed, inputs.state, inputs.reader), job, inputs.reader)


def arc_rates(inputs: Inputs) -> ArcRates | None:
    """Compute what the arcs of the job offer its flows, without what background demands carry; None without a job."""
    loads: UnitLinkLoads | None = inputs["link_loads"]
    if loads is None:
        return None
    available_gbps: Floats = inputs["health.arc_sending_gbps"]
    carried_gbps: Floats | None = inputs["demands.arc_carried_gbps"]
    if carried_gbps is not None:
        available_gbps = remaining_for_job_gbps(available_gbps, carried_gbps)
    lost_bytes = inputs["health.headroom"].by_arc("lost_bytes", len(available_gbps), 0.0)[loads.arc]
    member_gbps, loss_ratio = inputs["health.arc_member_gbps"][loads.arc], inputs["health.loss_ratio"][loads.arc // 2]
    is_access = inputs.state.link_tier[loads.arc // 2] == TIERS.index("access")
    return ArcRates(available_gbps[loads.arc], member_gbps, loss_ratio, is_access, lost_bytes > 0)


def flow_goodput(inputs: Inputs) -> dict[str, PhaseGoodput] | None:
    """Compute the goodput of the flows of each phase of the job, from one count of flows; None without a job."""
    loads: UnitLinkLoads | None = inputs["link_loads"]
    if loads is None:
        return None
    return phase_goodput(inputs.reader, inputs.document.lossless, loads, inputs["arc_rates"])


def arc_balancing(inputs: Inputs) -> BalancingRules:
    """Find how the switches before each arc spread flows."""
    document = inputs.document
    return balancing_rules(inputs.state, document.load_balancing, document.lossless, inputs.reader)


def hashed_flows(inputs: Inputs) -> PhasePatterns | None:
    """Collect the flows of each phase that cross arcs whose load balancing is known; None without a job."""
    pairs: PairTable | None = inputs["job_pairs"]
    if pairs is None:
        return None
    flows, routes, loads = inputs["job_flows"], inputs["job_routes"], inputs["unit_link_loads"]
    return phase_patterns(inputs.state, flows, pairs, routes, loads, inputs["arc_balancing.arc_modes"])


def free_capacity(inputs: Inputs) -> BalancingLimits | None:
    """Compute the capacity for each phase of the job, after background demands and limits of its flows."""
    goodput: dict[str, PhaseGoodput] | None = inputs["flow_goodput"]
    if goodput is None:
        return None
    available_gbps: Floats = inputs["arc_rates.available_gbps"]
    return BalancingLimits(phase_capacity(available_gbps, goodput).gbps, line_gbps(available_gbps, goodput))


def hash_collisions(inputs: Inputs) -> dict[str, PhaseTimes]:
    """Compute the end of each phase over jobs, by kind of flow sets; kinds that no switch hashes are left out."""
    patterns: PhasePatterns | None = inputs["hashed_flows"]
    if patterns is None:
        return {}
    limits: BalancingLimits = inputs["free_capacity"]
    weights = exchange_weights(inputs["placement"].sites, inputs["link_loads"], limits.gbps["wide_area"])
    return patterns.times(inputs["arc_balancing"], limits, inputs.state.n_members_up, weights)


def job_capacity(inputs: Inputs) -> PhaseCapacity | None:
    """Compute the capacity for each phase of the job, after all limits, hash collisions and other jobs."""
    limits: BalancingLimits | None = inputs["free_capacity"]
    if limits is None:
        return None
    capacity = _balanced_capacity(limits, inputs["hash_collisions"])
    return capacity if inputs.sharing is None else capacity.slowed(dict(inputs.sharing.speed_ratio))


def _balanced_capacity(limits: BalancingLimits, times: Mapping[str, PhaseTimes]) -> PhaseCapacity:
    """Capacity for each phase that ends at these times, without other jobs."""
    efficiency_ratio = {kind: found.mean_efficiency_ratio for kind, found in times.items()}
    return PhaseCapacity.of(limits.gbps).with_efficiency(efficiency_ratio)


def arc_transport(inputs: Inputs) -> ArcTransport:
    """Compute what transport leaves of each arc: to the flows of the job on it, else to queue pairs as stated."""
    own = ArcTransport.of_links(inputs["health.transport"])
    goodput: dict[str, PhaseGoodput] | None = inputs["flow_goodput"]
    return own if goodput is None else own.with_job(inputs["link_loads.arc"], goodput)


def why_rates_unknown(inputs: Inputs) -> str:
    """Name the links whose unknown rate makes the job's capacity unknown; empty if it is known.

    Links on the job's arcs, else links of demands that share these arcs.
    """
    capacity_gbps: Mapping[str, Floats] | None = inputs["job_capacity.gbps"]
    if capacity_gbps is None or not any(np.isnan(column).any() for column in capacity_gbps.values()):
        return ""
    unknown: Bools = inputs["health.rate_unknown"]
    used = np.isin(np.arange(len(unknown)), inputs["link_loads.arc"] // 2)
    carried_gbps: Floats | None = inputs["demands.arc_carried_gbps"]
    if carried_gbps is not None and not (used & unknown).any():
        used = at_an_end(np.isnan(carried_gbps).reshape(-1, 2))
    return unknown_rates(inputs.state, np.asarray(used & unknown))


def step(inputs: Inputs) -> StepOutcome:
    """Compute the training step, or the reason why there is none.

    Raises TopologyError for a stated pace beyond the peak of the accelerators.
    """
    job = inputs.job
    if job is None:
        return StepOutcome(None, "the document has no job")
    for check in ("memory_fit", "stated_split"):
        _ = inputs[check]  # reading them raises if the job cannot run
    if inputs["cards.why_stopped"]:
        return StepOutcome(None, inputs["cards.why_stopped"])
    loads: UnitLinkLoads = inputs["link_loads"]
    if loads.unreachable:
        phase, a, b = loads.unreachable[0]
        why = f"no path for {phase.replace('_', '-')} traffic from {a} to {b}"
        if inputs["job_flows"].crosses_rails:
            why += "; pxn: true sends exchange between rails over NVLink"
        return StepOutcome(None, why)
    if inputs["why_rates_unknown"]:
        return StepOutcome(None, inputs["why_rates_unknown"])
    result = step_of(_step_inputs(inputs, job))
    if not np.isfinite(result.step_time_s):
        return StepOutcome(None, "a link on the way has no capacity left")
    issues = peak_issues(result.groups, job, inputs.reader)
    if issues:
        raise TopologyError("the job cannot run as it is cut and placed", found=issues)
    return StepOutcome(result)


def unstated_capacity(inputs: Inputs) -> tuple[BalancedCapacity, ...]:
    """Compute the capacity of the job alone under `UNSTATED`; empty where load balancing is stated or no step is."""
    if inputs.job is None or inputs["step"].step is None:
        return ()
    loads: UnitLinkLoads = inputs["link_loads"]
    rules: BalancingRules = inputs["arc_balancing"]
    if not is_unstated(rules, inputs.state, loads.arc):
        return ()
    limits: BalancingLimits = inputs["free_capacity"]
    weights = exchange_weights(inputs["placement"].sites, loads, limits.gbps["wide_area"])
    flows, pairs, routes = inputs["job_flows"], inputs["job_pairs"], inputs["job_routes"]
    found = []
    for mode, n_flows in UNSTATED:
        best = inputs.reader.general("spray_efficiency_ratio") if mode == "spray" else 1.0
        stated = with_stated(rules, inputs.state, BalancingRule(mode, Flows(n_flows), best))
        patterns = phase_patterns(inputs.state, flows, pairs, routes, loads, stated.arc_modes)
        times = patterns.times(stated, limits, inputs.state.n_members_up, weights)
        efficiency = min((kind_times.mean_efficiency_ratio for kind_times in times.values()), default=1.0)
        capacity = _balanced_capacity(limits, times)
        found.append(BalancedCapacity(mode, n_flows, efficiency, capacity, stated.of_arc[loads.arc] != EVEN))
    return tuple(found)


def unstated_balancing(inputs: Inputs) -> tuple[BalancedStep, ...]:
    """Time the step under modes that the fabrics may have, beside other jobs under the same mode."""
    job, options = inputs.job, inputs["unstated_capacity"]
    if job is None or not options:
        return ()
    placed, flows, groups, loads = (inputs[name] for name in ("placement", "job_flows", "accelerators", "link_loads"))
    found = []
    for row, option in enumerate(options):
        capacity: PhaseCapacity = option.capacity
        if inputs.sharing is not None:
            capacity = capacity.slowed(dict(inputs.sharing.unstated_speed_ratio[row]))
        step_s = step_time_s(StepInputs(job, placed, flows, groups, loads, capacity))
        found.append(BalancedStep(option.mode, option.n_flows_per_pair, option.efficiency_ratio, step_s))
    return tuple(found)


def _step_inputs(inputs: Inputs, job: TrainingJob) -> StepInputs:
    """The job on its network, for stages that need the same outcomes as the step."""
    capacity = PhaseCapacity(inputs["job_capacity.gbps"], inputs["job_capacity.efficiency_ratio"])
    placed, flows, groups = inputs["placement"], inputs["job_flows"], inputs["accelerators"]
    return StepInputs(job, placed, flows, groups, inputs["link_loads"], capacity)


def phases(inputs: Inputs) -> tuple[PhaseUse, ...]:
    """Describe what each phase of the step asks of arcs and switch buffers; empty without a step."""
    result, job, state, reader = inputs["step"].step, inputs.job, inputs.state, inputs.reader
    if result is None or job is None:
        return ()
    loads: UnitLinkLoads = inputs["link_loads"]
    placed: JobPlacement = inputs["placement"]
    n_used = sum(np.bincount(group.rack, minlength=state.n_nodes) for group in placed.groups)
    # as in the step: fewer cards than accelerators, or lost ones, count as in the worst domain of the group
    card_ratio = np.ones(state.n_nodes)
    for group in placed.groups:
        card_ratio[group.rack] = np.minimum(card_ratio[group.rack], group.card_ratio)
    ends = Endpoints(
        tail=state["arc_head"][loads.arc ^ 1],
        head=state["arc_head"][loads.arc],
        n_accelerators=np.asarray(n_used),
        card_gbps=np.nan_to_num(card_gbps(state, reader)) * card_ratio,
        buffer_bytes=reader.by_code(state.parts, state["node_part"], "buffer_bytes", "switch"),
    )
    in_flight_bytes = inputs.document.lossless.in_flight_bytes or reader.general("in_flight_bytes")
    return phase_uses(_step_inputs(inputs, job), result, inputs["flow_goodput"], ends, in_flight_bytes)


def loss(inputs: Inputs) -> LossPenalty | None:
    """Compute the loss penalty of an exchange every H steps; None without a step.

    The sites are the replicas of local SGD.
    """
    job, result = inputs.job, inputs["step"]
    if job is None or result.step is None:
        return None
    n_sites = len(inputs["placement"].sites) if job.is_local_sgd else 1
    n_local_steps = job.n_local_steps if job.is_local_sgd else 1
    if n_sites > 1:
        for name in LOSS_FIGURES:
            inputs.reader.general(name)
    return loss_penalty(n_sites, n_local_steps, job.model.n_parameters(), inputs.reader.catalogue)
