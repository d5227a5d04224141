"""Summary text: the bottlenecks of an evaluation, and the reasons for them, as sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..arrays import Bools
from ..errors.wording import counted
from ..model.jobs import TrainingJob
from ..optics.link_budget import BUFFER, CARDS, DARK, LIMITS, LOSS, MODE, PAUSES, REACH
from ..optics.link_health import LEAST_SHOWN_RATIO, unknown_rates
from ..optics.transport_goodput import pair_rate_gbps
from ..stages.evaluation import Evaluation
from ..training.step import Step
from ..workload.job_arithmetic import n_micro_batches, n_per_replica

SMALL_SHARE_RATIO = 0.01
"""Smaller shares of a step or of the accelerators are not mentioned."""
SAME_TIME_RATIO = 1e-9
"""Accelerator groups are equally fast if their stage times differ by no more than this ratio."""
PHASE_NAMES = {
    "reduce_scatter": "the reduce-scatter inside sites",
    "all_gather": "the all-gather inside sites",
    "wide_area": "the exchange between sites",
    "pipeline": "the traffic between pipeline stages",
    "in_layers": "the exchange within layers (tensor, context and expert ranks)",
}


def bottleneck_sentences(e: Evaluation) -> list[str]:
    """Describe the parts of the step, its slowest group, its slowest arc, and then demands, optics and lease."""
    sentences: list[str] = []
    if e.step is not None and e.case.job is not None:
        sentences.append(
            f"A step takes {e.step.step_time_s:.2f} s: {e.step.compute_time_s:.2f} s compute, "
            f"{e.step.bubble_time_s:.2f} s bubble, {e.step.exposed_comm_time_s:.2f} s exposed communication."
        )
        sentences += [*_split_sentences(e, e.step, e.case.job), *_phase_sentences(e, e.step)]
        sentences += [*_propagation_sentences(e), *_local_sgd_sentences(e, e.step, e.case.job)]
    elif e.case.job is not None:
        sentences += [f"No step: {e.why_no_step}.", *_cut_off_sentences(e)]
    sentences += _goodput_sentences(e)
    sentences += _demand_sentences(e)
    sentences += _optics_sentences(e)
    sentences += _lease_sentences(e)
    return sentences


def arc_name(e: Evaluation, arc: int) -> str:
    """Return link and direction of an arc as text: `wan-1-2 (c1/border-1 → c2/border-1)`."""
    arrays = e.case.state.arrays
    ends = arrays.link_ends[arc // 2]
    tail, head = (ends[0], ends[1]) if arc % 2 == 0 else (ends[1], ends[0])
    return f"{arrays.link_ids[arc // 2]} ({arrays.node_ids[tail]} → {arrays.node_ids[head]})"


def arc_reason(e: Evaluation, arc: int) -> str:
    """Return the limit of a job on an arc: the windows of its queue pairs, or the limit of the arc for all traffic."""
    link, health = arc // 2, e.health
    ratio, any_traffic_reason = window_ratio(e, link), capacity_reason(e, arc)
    line_gbps = float(health.member_gbps[link]) * int(e.case.state.n_members_up[link])
    if ratio > LEAST_SHOWN_RATIO or ratio * line_gbps >= health.arc_capacity_gbps[arc]:
        return any_traffic_reason
    windows = window_reason(e, link)
    # the window ratio refers to the rate of the slower mode, so the fall to that mode is a second reason
    return f"{any_traffic_reason}, and {windows}" if health.arc_limit[arc] == MODE else windows


def window_ratio(e: Evaluation, link: int) -> float:
    """Return the share of a link's rate that the windows of queue pairs leave; 1 for a dark link."""
    transport = e.health.transport
    return float(transport.goodput_ratio[link] / transport.recovery_ratio[link]) if e.health.lit[link] else 1.0


def window_reason(e: Evaluation, link: int) -> str:
    """Describe the rate that windows leave on a link, and the bytes in flight that would fill the link."""
    health, member_gbps = e.health, e.health.member_gbps[link : link + 1]
    rtt_us = float(health.arc_latency_us[2 * link] + health.arc_latency_us[2 * link + 1])
    needed_bytes = rtt_us * 1e3 * float(pair_rate_gbps(e.case.document.lossless, member_gbps)[0]) / 8.0
    return (
        f"windows of queue pairs over the round trip of {rtt_us / 1e3:.3g} ms leave {window_ratio(e, link):.1%} of "
        f"{e.case.state.n_members_up[link]} x {member_gbps[0]:.0f} Gb/s "
        f"(in_flight_bytes of {math.ceil(needed_bytes / 1e6):,} million would fill it)"
    )


def lacks_transceiver(e: Evaluation) -> Bools:
    """Select fibre links that name no transceiver: they have no link budget and carry their rate over any fibre.

    Returns:
        bool[n_links].
    """
    state = e.case.state
    return np.asarray((state["link_transceiver"] < 0) & (np.diff(state.arrays.span_first) > 0))


def capacity_reason(e: Evaluation, arc: int) -> str:
    """Describe the capacity limit of an arc with its figures: line rate, mode, buffer, loss, or a dark link."""
    link, health, state = arc // 2, e.health, e.case.state
    limit = int(health.arc_limit[arc])
    n = int(state.n_members_up[link])
    member_gbps = float(health.member_gbps[link])
    if math.isnan(member_gbps):
        return "rate unknown: the link states neither capacity_gbps nor a transceiver"
    if limit == BUFFER:
        node = state.arrays.node_ids[state.arrays.arc_head[arc]]
        part = state.part_id(int(state["node_part"][state.arrays.arc_head[arc]]))
        covered_gbps = health.headroom.of_arc("rate_gbps", arc, np.inf)
        return (
            f"the buffer of {node} ({part}) covers {covered_gbps:.0f} of {member_gbps:.0f} Gb/s "
            f"a port over {state.link_length_km[link]:g} km"
        )
    if limit == LOSS:
        recovery_ratio = health.transport.recovery_ratio[link]
        return f"losses of {health.loss_ratio[link]:.2g} leave {recovery_ratio:.1%} of {n} x {member_gbps:.0f} Gb/s"
    if limit == PAUSES:
        node = state.arrays.node_ids[state.arrays.arc_head[arc]]
        retained_ratio = health.headroom.of_arc("retained_ratio", arc, 1.0)
        return (
            f"pauses that the buffer of {node} cannot bridge leave {retained_ratio:.1%} of {n} x {member_gbps:.0f} Gb/s"
        )
    if limit == MODE:
        return f"the optics fell back to {member_gbps:.0f} Gb/s at {health.margin_db[link]:.1f} dB of margin"
    if limit == REACH:
        return f"out of reach: {state.link_length_km[link]:g} km is more than the optics are made for"
    if limit == CARDS:
        return f"the rack's network cards fill {health.arc_capacity_gbps[arc]:.0f} Gb/s of it"
    if limit == DARK:
        return f"dark: {health.margin_db[link]:.1f} dB of margin"
    return f"{LIMITS[limit]} of {n} x {member_gbps:.0f} Gb/s"


def propagation_s(e: Evaluation) -> float | None:
    """Return the seconds of a step for sequential crossings between sites; None without inter-site traffic."""
    if e.step is None or e.loads is None or not e.loads.wide or not e.worst_latency_us:
        return None
    n_crossings = 2 * (len({group.site for group in e.step.groups}) - 1)
    return n_crossings * e.loads.wide_latency_us * 1e-6 / e.step.n_local_steps


def _cut_off_sentences(e: Evaluation) -> Iterator[str]:
    """Sentence on the sites of the job without a path between them."""
    arrays = e.case.state.arrays
    pairs = set()
    for _, a, b in e.loads.unreachable if e.loads is not None else ():
        sites = sorted(arrays.sites[arrays.node_site[arrays.node_index[node]]] for node in (a, b))
        pairs.add(" and ".join(sites) if sites[0] != sites[1] else f"racks of {sites[0]}")
    if pairs:
        yield f"These cannot reach each other: {', '.join(sorted(pairs))}."


def _split_sentences(e: Evaluation, step: Step, job: TrainingJob) -> Iterator[str]:
    """Sentences on the batch split, the slowest accelerator group and idle accelerators."""
    assert e.placed is not None
    waiting = f"{step.straggler_ratio:.0%} of the FLOP/s wait" if step.straggler_ratio > SMALL_SHARE_RATIO else ""
    remainder, slowest = _remainder_text(step, job), step.groups[step.slowest_group]
    group_split = list(zip(step.groups, step.split, strict=True))
    split = ", ".join(f"{n} on {group.accelerator} in {group.site}" for group, n in group_split)
    split = f"micro batches a replica: {split}"
    if len(e.placed.groups) > len(step.groups):
        stages = ", ".join(f"{group.n_stages} on {group.accelerator} in {group.site}" for group in e.placed.groups)
        waiting_text = f"; {waiting}" + (f", and {remainder}" if remainder else "") if waiting else ""
        yield (
            f"The slowest stage sets the pace of every replica (stages: {stages}; {step.split[0]} micro batches a "
            f"replica){waiting_text}."
        )
    elif not waiting:
        yield f"The work is balanced ({split})."
    elif _is_uniform(step) and job.split == "stated" and len(set(step.split)) > 1:
        yield f"{waiting}: the stated split gives some replicas more than others that are as fast ({split})."
    elif _is_uniform(step) and remainder:
        yield f"{waiting}: {remainder} ({split})."
    else:
        yield f"{slowest.accelerator} in {slowest.site} sets the pace: {waiting} for it ({split})."
    unused = [f"{group.accelerator} in {group.site}" for group, n in group_split if not n]
    if unused:
        yield f"{' and '.join(unused)} get no micro batch, yet take part in the exchange: leave them out."
    n_allocated = sum(e.placed.n_allocated.values())
    n_idle = n_allocated - sum(len(group.rack) for group in e.placed.groups)
    if n_idle > SMALL_SHARE_RATIO * n_allocated:
        replicas = "replicas with stages at all sites" if job.across_sites == "pipeline" else "whole replicas"
        text = f"{replicas} of {n_per_replica(job):,} leave them over"
        yield f"{n_idle:,} of the {n_allocated:,} accelerators taken sit idle: {text}."
    if step.uniform_is_faster:
        yield "Pools that finish together would make the step longer, so the uniform split is kept."


def _is_uniform(step: Step) -> bool:
    """True where all accelerator groups are equally fast."""
    times_s = [group.stage_time_s for group in step.groups]
    return max(times_s) - min(times_s) <= SAME_TIME_RATIO * max(times_s)


def _remainder_text(step: Step, job: TrainingJob) -> str:
    """Text for a batch that does not divide among the replicas, with the nearest that do; empty where it divides."""
    n, n_replicas = n_micro_batches(job), sum(group.n_replicas for group in step.groups)
    if not n % n_replicas:
        return ""
    per_replica = (n // n_replicas, n // n_replicas + 1)
    nearest = (n_replicas * n_each * job.parallelism.n_micro_batch for n_each in per_replica)
    batches = " or ".join(f"{batch:,}" for batch in nearest if batch)
    return f"{n:,} micro batches do not divide among {n_replicas:,} replicas, a batch of {batches} would"


def _phase_sentences(e: Evaluation, step: Step) -> Iterator[str]:
    """Sentences on the phase with the most exposed time, its slowest arc, and the overlap between phases."""
    small_s = SMALL_SHARE_RATIO * step.step_time_s
    if step.exposed_comm_time_s <= small_s:
        yield "Communication hides behind compute."
        return
    phase = max(step.exposed_s, key=lambda name: step.exposed_s[name])
    saved_s, (arc, seconds) = step.exposed_s[phase], step.bottleneck.get(phase, (-1, 0.0))
    if saved_s > small_s:
        schedule = f" ({step.exchange})" if phase == "wide_area" else ""
        text = f"Of all phases, taking away {PHASE_NAMES[phase]}{schedule} by itself would save most, {saved_s:.2f} s"
        # a phase without a slow arc is limited within racks and at their network cards
        if seconds > 0.5 * saved_s:
            yield f"{text}; its longest arc is {arc_name(e, arc)}, {seconds:.2f} s: {arc_reason(e, arc)}."
        else:
            yield f"{text}; it is held up inside its racks."
    overlap_s = overlap_time_s(step)
    if overlap_s > small_s:
        yield f"Another {overlap_s:.2f} s of phases hide behind one another: they would go only with several at once."


def overlap_time_s(step: Step) -> float:
    """Return the exposed communication time beyond the sum of the exposed times of the single phases, in s.

    Positive where phases overlap, so removing one of them alone saves less than its time. Negative where removing
    either of two phases would save the same seconds.
    """
    return step.exposed_comm_time_s - sum(step.exposed_s.values())


def _propagation_sentences(e: Evaluation) -> Iterator[str]:
    """Sentence on the propagation delay between sites; it names windows and buffers where they lose rate by it."""
    seconds = propagation_s(e)
    if seconds is None or e.worst_latency_us is None or e.loads is None:
        return
    text = f"Propagation between sites takes {seconds * 1e3:.2g} ms of the step"
    text += f" ({2 * e.worst_latency_us:.0f} µs round trip)"
    limits = ["buffers"] if (e.health.arc_limit[e.loads.arc] == BUFFER).any() else []
    limits += ["windows"] if (e.health.transport.window_ratio[e.loads.arc // 2] < LEAST_SHOWN_RATIO).any() else []
    yield text + (f"; what {' and '.join(limits)} lose by the round trip comes on top." if limits else ".")


def _local_sgd_sentences(e: Evaluation, step: Step, job: TrainingJob) -> Iterator[str]:
    if job.is_local_sgd and e.loss is not None and e.loads and e.loads.wide:
        low, central, high = (
            100.0 * (ratio - 1.0) for ratio in (e.loss.low_ratio, e.loss.central_ratio, e.loss.high_ratio)
        )
        yield (
            f"Local SGD with {step.n_local_steps} local steps changes the training itself: the loss after the same "
            f"tokens ends {central:+.1f} % off ({low:+.1f} to {high:+.1f} %; {e.loss.why}). Layers are exchanged as "
            "their gradients come, and waited for where a later step needs them."
        )


def _goodput_sentences(e: Evaluation) -> list[str]:
    """Sentences on the interruptions of the job, its goodput, and the first risk that isolates a site."""
    goodput = e.goodput
    if goodput is None or e.step is None or not goodput.n_interruptions_per_day:
        return []
    worst_cause = max(goodput.n_per_day_by_cause, key=lambda cause: goodput.n_per_day_by_cause[cause])
    sentences = [
        f"{goodput.n_interruptions_per_day:.3g} interruptions a day (most by {worst_cause}), each "
        f"{goodput.recovery_s:.0f} s to recover, and a checkpoint every {goodput.checkpoint_interval_s:.0f} s "
        f"leave {goodput.goodput_ratio:.1%} of the rate."
    ]
    isolating = [outage for outage in goodput.outages.rows() if outage.lost_sites]
    if isolating:
        first = isolating[0]
        reaction = "goes on without it" if e.case.job and e.case.job.on_site_loss == "go_on" else "stands still"
        sentences.append(
            f"Losing {', '.join(first.names[:3])} cuts off {', '.join(first.lost_sites)}, "
            f"{first.n_per_year * len(first.names):.2g} times a year for {first.repair_h:.0f} h: the job {reaction}."
        )
    return sentences


def _demand_sentences(e: Evaluation) -> list[str]:
    if e.demands is None:
        return []
    sentences = []
    ratios = e.arc_utilisation_ratio
    unknown = np.isnan(ratios).reshape(-1, 2).any(axis=1) & e.health.rate_unknown
    if unknown.any():
        sentences.append(f"Some utilisation is unknown: {unknown_rates(e.case.state, unknown)}.")
    arc = -1 if np.isnan(ratios).all() else int(np.nanargmax(ratios))
    if arc >= 0:
        of_known = " of known rate" if unknown.any() else ""
        sentences.append(
            f"The busiest arc{of_known} is {arc_name(e, arc)} at {ratios[arc]:.1%}: {capacity_reason(e, arc)}."
        )
    if e.demands.unrouted_gbps:
        sentences.append(f"{e.demands.unrouted_gbps:g} Gb/s of demand have no path.")
    return sentences


def _optics_sentences(e: Evaluation) -> list[str]:
    state, health = e.case.state, e.health
    in_service = state.in_service
    budget_limit = health.budgets.by_link(health.budgets.limit)
    sentences = []
    for mask, text in (
        (in_service & (health.arc_limit[0::2] == DARK), "dark for want of light"),
        (in_service & (health.arc_limit[0::2] == REACH), "out of reach of the optics"),
        (in_service & (budget_limit == MODE) & health.lit, "fallen back to a slower mode"),
        (in_service & (health.margin_db < health.required_margin_db), "below the required margin"),
    ):
        links = np.flatnonzero(mask)
        if len(links):
            worst = links[np.argmin(np.nan_to_num(health.margin_db[links]))]
            name = state.arrays.link_ids[worst]
            margin_db = health.margin_db[worst]
            worst_text = f", {name} among them"
            if not np.isnan(margin_db):
                worst_text = f"; the worst is {name} at {margin_db:.1f} dB"
            sentences.append(f"{counted(len(links), 'link')} {text}{worst_text}.")
    unjudged = np.flatnonzero(in_service & lacks_transceiver(e))
    if len(unjudged):
        name = state.arrays.link_ids[unjudged[0]]
        n_links = counted(len(unjudged), "link")
        sentences.append(f"{n_links} over fibre without a transceiver, so light is not judged; {name} among them.")
    return sentences


def _lease_sentences(e: Evaluation) -> list[str]:
    """Sentence comparing a site's value to the job, interruptions included, with its lease price."""
    lease = e.lease
    if lease is None:
        return []
    offer, opex = f"${lease.lease_usd_per_month / 1e6:,.0f}M", f"${lease.opex_avoided_usd_per_month / 1e6:,.0f}M"
    usage = f"the job uses {lease.n_allocated:,} of its {lease.n_accelerators:,} accelerators"
    if lease.marginal_flops_per_s <= 0:
        return [
            f"{lease.site} adds nothing to the goodput of this job, interruptions counted ({usage}), "
            f"so letting it for {offer} a month takes nothing from it."
        ]
    low, high = sorted((lease.at_list_usd_per_month, lease.at_implied_usd_per_month))
    verdict = "keeping it is worth more" if low > lease.lease_usd_per_month else "the lease is worth more"
    if low <= lease.lease_usd_per_month < high:
        verdict = "the answer depends on the price of rental"
    rental = [f"${(value + lease.opex_avoided_usd_per_month) / 1e6:,.0f}M" for value in (low, high)]
    hourly_usd = lease.lease_usd_per_accelerator_hour
    scaled = "" if lease.n_allocated == lease.n_accelerators else ", scaled to the whole site,"
    return [
        f"What {lease.site} adds to the job's goodput{scaled} could be rented for {rental[0]} to {rental[1]} a month "
        f"(list to lease-implied) and costs {opex} to run; let, it earns {offer} (${hourly_usd:,.2f} per "
        f"accelerator-hour): {verdict} ({usage}; it flips at ${lease.flips_at_usd_per_accelerator_hour:,.2f} per "
        f"{lease.replacement}-hour)."
    ]
