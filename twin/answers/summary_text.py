"""What binds, in words: read off an evaluation, never arranged."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..arrays import Bools
from ..model.jobs import TrainingJob
from ..optics.link_budget import BUFFER, CARDS, DARK, LIMITS, LOSS, MODE, PAUSES, REACH
from ..optics.link_health import LEAST_SHOWN_RATIO, unknown_rates
from ..optics.transport_goodput import pair_rate_gbps
from ..stages.evaluation import Evaluation
from ..training.step import Step
from ..workload.job_arithmetic import n_micro_batches, n_per_replica

SMALL_SHARE_RATIO = 0.01
SAME_PACE_RATIO = 1e-9
"""Pools whose stages take the same time within this are alike."""
PHASE_NAMES = {
    "reduce_scatter": "the reduce-scatter inside sites",
    "all_gather": "the all-gather inside sites",
    "wide_area": "the exchange between sites",
    "pipeline": "the traffic between pipeline stages",
    "in_layers": "the exchange within layers (tensor, context and expert ranks)",
}


def bottleneck_sentences(e: Evaluation) -> list[str]:
    """A few sentences: what the step consists of, what paces it, which arc is in the way and why, and the lease."""
    lines: list[str] = []
    if e.step is not None and e.case.job is not None:
        lines.append(
            f"A step takes {e.step.step_time_s:.2f} s: {e.step.compute_time_s:.2f} s compute, "
            f"{e.step.bubble_time_s:.2f} s bubble, {e.step.exposed_comm_time_s:.2f} s exposed communication."
        )
        lines += [*_split_lines(e, e.step, e.case.job), *_phase_lines(e, e.step)]
        lines += [*_propagation_lines(e), *_local_sgd_lines(e, e.step, e.case.job)]
    elif e.case.job is not None:
        lines += [f"No step: {e.why_no_step}.", *_cut_off_lines(e)]
    lines += _goodput_lines(e)
    lines += _demand_lines(e)
    lines += _optics_lines(e)
    lines += _lease_lines(e)
    return lines


def arc_name(e: Evaluation, arc: int) -> str:
    """`wan-1-2 (c1/border-1 → c2/border-1)`."""
    arrays = e.case.state.arrays
    ends = arrays.link_ends[arc // 2]
    tail, head = (ends[0], ends[1]) if arc % 2 == 0 else (ends[1], ends[0])
    return f"{arrays.link_ids[arc // 2]} ({arrays.node_ids[tail]} → {arrays.node_ids[head]})"


def arc_reason(e: Evaluation, arc: int) -> str:
    """Why a job gets no more out of an arc: the windows of its queue pairs, or what holds the arc for anybody."""
    link, health = arc // 2, e.health
    held, anybody = window_share(e, link), capacity_reason(e, arc)
    light_gbps = float(health.member_gbps[link]) * int(e.case.state.n_members_up[link])
    if held > LEAST_SHOWN_RATIO or held * light_gbps >= health.arc_capacity_gbps[arc]:
        return anybody
    windows = window_reason(e, link)
    # by how much a mode is slower than the fastest is no share of this rate
    return f"{anybody}, and {windows}" if health.arc_limit[arc] == MODE else windows


def window_share(e: Evaluation, link: int) -> float:
    """What the windows of queue pairs leave of a link's rate; 1 of a link that is dark."""
    sent = e.health.transport
    return float(sent.goodput_ratio[link] / sent.recovery_ratio[link]) if e.health.lit[link] else 1.0


def window_reason(e: Evaluation, link: int) -> str:
    """What windows leave of a link's rate, and how much in flight would leave all of it."""
    health, member = e.health, e.health.member_gbps[link : link + 1]
    trip_us = float(health.arc_latency_us[2 * link] + health.arc_latency_us[2 * link + 1])
    asked_bytes = trip_us * 1e3 * float(pair_rate_gbps(e.case.document.lossless, member)[0]) / 8.0
    return (
        f"windows of queue pairs over the round trip of {trip_us / 1e3:.3g} ms leave {window_share(e, link):.1%} of "
        f"{e.case.state.n_members_up[link]} x {member[0]:.0f} Gb/s "
        f"(in_flight_bytes of {math.ceil(asked_bytes / 1e6):,} million would fill it)"
    )


def is_not_judged(e: Evaluation) -> Bools:
    """Links over fibre that name no transceiver: they carry their rate over any glass, dark or not."""
    state = e.case.state
    return np.asarray((state["link_transceiver"] < 0) & (np.diff(state.arrays.span_first) > 0))


def capacity_reason(e: Evaluation, arc: int) -> str:
    """Why an arc carries what it carries: line rate, mode, buffer, loss or darkness, with the figures."""
    link, health, state = arc // 2, e.health, e.case.state
    limit = int(health.arc_limit[arc])
    n = int(state.n_members_up[link])
    member = float(health.member_gbps[link])
    if math.isnan(member):
        return "rate unknown: the link states neither capacity_gbps nor a transceiver"
    if limit == BUFFER:
        node = state.arrays.node_ids[state.arrays.arc_head[arc]]
        part = state.part_id(int(state["node_part"][state.arrays.arc_head[arc]]))
        covered = health.headroom.of_arc("rate_gbps", arc, np.inf)
        return (
            f"the buffer of {node} ({part}) covers {covered:.0f} of {member:.0f} Gb/s "
            f"a port over {state.link_length_km[link]:g} km"
        )
    if limit == LOSS:
        left = health.transport.recovery_ratio[link]
        return f"losses of {health.loss_ratio[link]:.2g} leave {left:.1%} of {n} x {member:.0f} Gb/s"
    if limit == PAUSES:
        node = state.arrays.node_ids[state.arrays.arc_head[arc]]
        kept = health.headroom.of_arc("retained_ratio", arc, 1.0)
        return f"pauses that the buffer of {node} cannot bridge leave {kept:.1%} of {n} x {member:.0f} Gb/s"
    if limit == MODE:
        return f"the optics fell back to {member:.0f} Gb/s at {health.margin_db[link]:.1f} dB of margin"
    if limit == REACH:
        return f"out of reach: {state.link_length_km[link]:g} km is more than the optics are made for"
    if limit == CARDS:
        return f"the rack's network cards fill {health.arc_capacity_gbps[arc]:.0f} Gb/s of it"
    if limit == DARK:
        return f"dark: {health.margin_db[link]:.1f} dB of margin"
    return f"{LIMITS[limit]} of {n} x {member:.0f} Gb/s"


def propagation_s(e: Evaluation) -> float | None:
    """Seconds of a step that crossings between sites take one after the other; None where nothing waits for them so."""
    if e.step is None or e.loads is None or not e.loads.wide or not e.worst_latency_us:
        return None
    n_crossings = 2 * (len({group.site for group in e.step.groups}) - 1)
    return n_crossings * e.loads.wide_latency_us * 1e-6 / e.step.n_local_steps


def _cut_off_lines(e: Evaluation) -> Iterator[str]:
    """Sites of the job between which there is no path."""
    arrays = e.case.state.arrays
    pairs = set()
    for _, a, b in e.loads.unreachable if e.loads is not None else ():
        sites = sorted(arrays.sites[arrays.node_site[arrays.node_index[node]]] for node in (a, b))
        pairs.add(" and ".join(sites) if sites[0] != sites[1] else f"racks of {sites[0]}")
    if pairs:
        yield f"These cannot reach each other: {', '.join(sorted(pairs))}."


def _split_lines(e: Evaluation, step: Step, job: TrainingJob) -> Iterator[str]:
    """Who takes how much of the batch, and who waits for whom."""
    assert e.placed is not None
    waits = f"{step.straggler_ratio:.0%} of the FLOP/s wait" if step.straggler_ratio > SMALL_SHARE_RATIO else ""
    undivided, group = _undivided(step, job), step.groups[step.slowest_group]
    shares = ", ".join(f"{m} on {p.accelerator} in {p.site}" for p, m in zip(step.groups, step.split, strict=True))
    shares = f"micro batches a replica: {shares}"
    if len(e.placed.groups) > len(step.groups):
        stages = ", ".join(f"{p.n_stages} on {p.accelerator} in {p.site}" for p in e.placed.groups)
        told = f"; {waits}" + (f", and {undivided}" if undivided else "") if waits else ""
        yield (
            f"The slowest stage sets the pace of every replica (stages: {stages}; {step.split[0]} micro batches a "
            f"replica){told}."
        )
    elif not waits:
        yield f"The work is balanced ({shares})."
    elif _alike(step) and job.split == "stated" and len(set(step.split)) > 1:
        yield f"{waits}: the stated split gives some replicas more than others that are as fast ({shares})."
    elif _alike(step) and undivided:
        yield f"{waits}: {undivided} ({shares})."
    else:
        yield f"{group.accelerator} in {group.site} sets the pace: {waits} for it ({shares})."
    resting = [f"{p.accelerator} in {p.site}" for p, m in zip(step.groups, step.split, strict=True) if not m]
    if resting:
        yield f"{' and '.join(resting)} get no micro batch, yet take part in the exchange: leave them out."
    taken = sum(e.placed.n_allocated.values())
    idle = taken - sum(len(group.rack) for group in e.placed.groups)
    if idle > SMALL_SHARE_RATIO * taken:
        whole = "replicas with stages at all sites" if job.across_sites == "pipeline" else "whole replicas"
        size = n_per_replica(job)
        yield f"{idle:,} of the {taken:,} accelerators taken sit idle: {whole} of {size:,} leave them over."
    if step.uniform_is_faster:
        yield "Pools that finish together would make the step longer, so the uniform split is kept."


def _alike(step: Step) -> bool:
    times = [group.stage_time_s for group in step.groups]
    return max(times) - min(times) <= SAME_PACE_RATIO * max(times)


def _undivided(step: Step, job: TrainingJob) -> str:
    """That some replicas have a micro batch less, and the nearest batches with which none has; empty where none has."""
    n, n_replicas = n_micro_batches(job), sum(group.n_replicas for group in step.groups)
    if not n % n_replicas:
        return ""
    whole = (n_replicas * times * job.parallelism.n_micro_batch for times in (n // n_replicas, n // n_replicas + 1))
    batches = " or ".join(f"{batch:,}" for batch in whole if batch)
    return f"{n:,} micro batches do not divide among {n_replicas:,} replicas, a batch of {batches} would"


def _phase_lines(e: Evaluation, step: Step) -> Iterator[str]:
    """The phase without which the step would be shortest, what holds it up, and what only goes with several of them."""
    small_s = SMALL_SHARE_RATIO * step.step_time_s
    if step.exposed_comm_time_s <= small_s:
        yield "Communication hides behind compute."
        return
    phase = max(step.exposed_s, key=lambda name: step.exposed_s[name])
    saved_s, (arc, seconds) = step.exposed_s[phase], step.bottleneck.get(phase, (-1, 0.0))
    if saved_s > small_s:
        how = f" ({step.exchange})" if phase == "wide_area" else ""
        line = f"Of all phases, taking away {PHASE_NAMES[phase]}{how} by itself would save most, {saved_s:.2f} s"
        # what an arc does not take long for is held up within racks and at their cards
        if seconds > 0.5 * saved_s:
            yield f"{line}; its longest arc is {arc_name(e, arc)}, {seconds:.2f} s: {arc_reason(e, arc)}."
        else:
            yield f"{line}; it is held up inside its racks."
    together_s = overlap_time_s(step)
    if together_s > small_s:
        yield f"Another {together_s:.2f} s of phases hide behind one another: they would go only with several at once."


def overlap_time_s(step: Step) -> float:
    """Exposed communication beyond what the phases cost each by itself.

    Positive where one hides behind another, so that only several together are missed; negative where either would save
    the same seconds.
    """
    return step.exposed_comm_time_s - sum(step.exposed_s.values())


def _propagation_lines(e: Evaluation) -> Iterator[str]:
    """What light takes; what windows and buffers lose by the same round trip is told where they bind."""
    seconds = propagation_s(e)
    if seconds is None or e.worst_latency_us is None or e.loads is None:
        return
    line = f"Propagation between sites takes {seconds * 1e3:.2g} ms of the step"
    line += f" ({2 * e.worst_latency_us:.0f} µs round trip)"
    also = ["buffers"] if (e.health.arc_limit[e.loads.arc] == BUFFER).any() else []
    also += ["windows"] if (e.health.transport.window_ratio[e.loads.arc // 2] < LEAST_SHOWN_RATIO).any() else []
    yield line + (f"; what {' and '.join(also)} lose by the round trip comes on top." if also else ".")


def _local_sgd_lines(e: Evaluation, step: Step, job: TrainingJob) -> Iterator[str]:
    if job.is_local_sgd and e.loss is not None and e.loads and e.loads.wide:
        low, central, high = (
            100.0 * (ratio - 1.0) for ratio in (e.loss.low_ratio, e.loss.central_ratio, e.loss.high_ratio)
        )
        yield (
            f"Local SGD with {step.n_local_steps} local steps changes the training itself: the loss after the same "
            f"tokens ends {central:+.1f} % off ({low:+.1f} to {high:+.1f} %; {e.loss.why}). Layers are exchanged as "
            "their gradients come, and waited for where a later step needs them."
        )


def _goodput_lines(e: Evaluation) -> list[str]:
    """What interrupts the job, and what is left."""
    found = e.goodput
    if found is None or e.step is None or not found.n_interruptions_per_day:
        return []
    worst = max(found.n_per_day_by_cause, key=lambda cause: found.n_per_day_by_cause[cause])
    lines = [
        f"{found.n_interruptions_per_day:.3g} interruptions a day (most by {worst}), each {found.recovery_s:.0f} s to "
        f"recover, and a checkpoint every {found.checkpoint_interval_s:.0f} s "
        f"leave {found.goodput_ratio:.1%} of the rate."
    ]
    lost = [outage for outage in found.outages.rows() if outage.lost_sites]
    if lost:
        first = lost[0]
        goes_on = "goes on without it" if e.case.job and e.case.job.on_site_loss == "go_on" else "stands still"
        lines.append(
            f"Losing {', '.join(first.names[:3])} cuts off {', '.join(first.lost_sites)}, "
            f"{first.n_per_year * len(first.names):.2g} times a year for {first.repair_h:.0f} h: the job {goes_on}."
        )
    return lines


def _demand_lines(e: Evaluation) -> list[str]:
    if e.demands is None:
        return []
    lines = []
    ratios = e.arc_utilisation_ratio
    unknown = np.isnan(ratios).reshape(-1, 2).any(axis=1) & e.health.rate_unknown
    if unknown.any():
        lines.append(f"Some utilisation is unknown: {unknown_rates(e.case.state, unknown)}.")
    arc = -1 if np.isnan(ratios).all() else int(np.nanargmax(ratios))
    if arc >= 0:
        ratio = e.arc_utilisation_ratio[arc]
        of_known = " of known rate" if unknown.any() else ""
        lines.append(f"The busiest arc{of_known} is {arc_name(e, arc)} at {ratio:.1%}: {capacity_reason(e, arc)}.")
    if e.demands.unrouted_gbps:
        lines.append(f"{e.demands.unrouted_gbps:g} Gb/s of demand have no path.")
    return lines


def _optics_lines(e: Evaluation) -> list[str]:
    state, health = e.case.state, e.health
    wanted = state.in_service
    of_budget = health.budgets.by_link(health.budgets.limit)
    lines = []
    for mask, what in (
        (wanted & (health.arc_limit[0::2] == DARK), "dark for want of light"),
        (wanted & (health.arc_limit[0::2] == REACH), "out of reach of the optics"),
        (wanted & (of_budget == MODE) & health.lit, "fallen back to a slower mode"),
        (wanted & (health.margin_db < health.required_margin_db), "below the required margin"),
    ):
        links = np.flatnonzero(mask)
        if len(links):
            worst = links[np.argmin(np.nan_to_num(health.margin_db[links]))]
            name = state.arrays.link_ids[worst]
            margin = health.margin_db[worst]
            at = "" if np.isnan(margin) else f"; the worst is {name} at {margin:.1f} dB"
            lines.append(f"{len(links)} link(s) {what}{at or f', {name} among them'}.")
    bare = np.flatnonzero(wanted & is_not_judged(e))
    if len(bare):
        name = state.arrays.link_ids[bare[0]]
        lines.append(f"{len(bare)} link(s) over fibre name no transceiver, so light is not judged; {name} among them.")
    return lines


def _lease_lines(e: Evaluation) -> list[str]:
    """Whether the site is worth more to the job or to a tenant; the goodput counts interruptions of the larger job."""
    lease = e.lease
    if lease is None:
        return []
    offer, running = f"${lease.lease_usd_per_month / 1e6:,.0f}M", f"${lease.opex_avoided_usd_per_month / 1e6:,.0f}M"
    used = f"the job uses {lease.n_allocated:,} of its {lease.n_accelerators:,} accelerators"
    if lease.marginal_flops_per_s <= 0:
        return [
            f"{lease.site} adds nothing to the goodput of this job, interruptions counted ({used}), "
            f"so letting it for {offer} a month takes nothing from it."
        ]
    low, high = sorted((lease.at_list_usd_per_month, lease.at_implied_usd_per_month))
    verdict = "keeping it is worth more" if low > lease.lease_usd_per_month else "the lease is worth more"
    if low <= lease.lease_usd_per_month < high:
        verdict = "the answer depends on the price of rental"
    rent = [f"${(value + lease.opex_avoided_usd_per_month) / 1e6:,.0f}M" for value in (low, high)]
    hour = lease.lease_usd_per_accelerator_hour
    whole = "" if lease.n_allocated == lease.n_accelerators else ", scaled to the whole site,"
    return [
        f"What {lease.site} adds to the job's goodput{whole} could be rented for {rent[0]} to {rent[1]} a month "
        f"(list to lease-implied) and costs {running} to run; let, it earns {offer} (${hour:,.2f} per "
        f"accelerator-hour): {verdict} ({used}; it flips at ${lease.flips_at_usd_per_accelerator_hour:,.2f} per "
        f"{lease.replacement}-hour)."
    ]
