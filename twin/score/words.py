"""What binds, in words: read off an evaluation, never arranged."""

from __future__ import annotations

import numpy as np

from ..analysis.light import BUFFER, CARDS, DARK, LIMITS, LOSS, MODE, PAUSES, REACH
from ..workload.job import n_micro_batches
from .evaluate import Evaluation

SMALL_SHARE_RATIO = 0.01
NAMES = {"in_layers": "Exchange within layers (tensor, context and expert ranks)"}
"""Of phases whose own names say too little."""


def binding(e: Evaluation) -> list[str]:
    """A few sentences: what the step consists of, what paces it, which arc is in the way and why, and the lease."""
    lines = _step_lines(e) if e.step is not None else [f"No step: {e.why_no_step}."] if e.case.job is not None else []
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
    """Why an arc carries what it carries: line rate, mode, buffer, loss or darkness, with the figures."""
    link, health, state = arc // 2, e.health, e.case.state
    limit = int(health.arc_limit[arc])
    n = int(state.n_members_up[link])
    member = float(health.member_gbps[link])
    if limit == BUFFER:
        node = state.arrays.node_ids[state.arrays.arc_head[arc]]
        part = state.part_id(int(state["node_part"][state.arrays.arc_head[arc]]))
        covered = health.headroom.of_arc("rate_gbps", arc, np.inf)
        return (
            f"the buffer of {node} ({part}) covers {covered:.0f} of {member:.0f} Gb/s "
            f"a port over {state.link_length_km[link]:g} km"
        )
    if limit == LOSS:
        left = health.sender.recovery_ratio[link]
        return f"losses of {health.loss_ratio[link]:.2g} leave {left:.1%} of {n} x {member:.0f} Gb/s"
    if limit == PAUSES:
        node = state.arrays.node_ids[state.arrays.arc_head[arc]]
        kept = health.headroom.of_arc("kept_ratio", arc, 1.0)
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


def _step_lines(e: Evaluation) -> list[str]:
    step = e.step
    assert step is not None
    pool = step.pools[step.pace_pool]
    parts = [
        f"{step.compute_time_s:.2f} s compute",
        f"{step.bubble_time_s:.2f} s bubble",
        f"{step.exposed_comm_time_s:.2f} s exposed communication",
    ]
    lines = [f"A step takes {step.step_time_s:.2f} s: " + ", ".join(parts) + "."]
    shares = ", ".join(f"{m} x {p.accelerator} in {p.site}" for p, m in zip(step.pools, step.share, strict=True))
    n_done = sum(m * p.n_replicas for p, m in zip(step.pools, step.share, strict=True))
    if step.straggler_ratio > SMALL_SHARE_RATIO and len(step.pools) == 1 and e.case.job is not None:
        n, of = n_micro_batches(e.case.job), f"{pool.n_replicas} replicas"
        why = f"{n} micro batches do not divide by {of}" if n < n_done else f"the last of {of} ends later than most"
        lines.append(f"{step.straggler_ratio:.0%} of the FLOP/s wait: {why} ({shares}).")
    elif step.straggler_ratio > SMALL_SHARE_RATIO:
        lines.append(
            f"{pool.accelerator} in {pool.site} sets the pace: {step.straggler_ratio:.0%} of the FLOP/s "
            f"wait for it (micro batches a replica: {shares})."
        )
    else:
        lines.append(f"The work is balanced (micro batches a replica: {shares}).")
    idle = [f"{p.accelerator} in {p.site}" for p, m in zip(step.pools, step.share, strict=True) if not m]
    if idle:
        lines.append(f"{' and '.join(idle)} get no micro batch, yet take part in the exchange: leave them out.")
    if step.uniform_kept:
        lines.append("Pools that finish together would make the step longer, so the uniform split is kept.")
    phase = max(step.exposed_s, key=lambda name: step.exposed_s[name])
    arc, seconds = step.bottleneck.get(phase, (-1, 0.0))
    # what an arc does not take long for is held up within racks and at their cards
    if step.exposed_s[phase] > SMALL_SHARE_RATIO * step.step_time_s and seconds > 0.5 * step.exposed_s[phase]:
        how = f" ({step.exchange})" if phase == "wide_area" else ""
        name = NAMES.get(phase, phase.replace("_", " ").capitalize())
        lines.append(
            f"{name}{how} sticks out by {step.exposed_s[phase]:.2f} s; "
            f"its longest arc is {arc_name(e, arc)}, {seconds:.2f} s: {arc_reason(e, arc)}."
        )
    elif step.exposed_s[phase] > SMALL_SHARE_RATIO * step.step_time_s:
        name = NAMES.get(phase, phase.replace("_", " ").capitalize())
        lines.append(f"{name} sticks out by {step.exposed_s[phase]:.2f} s, inside its racks.")
    else:
        lines.append("Communication hides behind compute.")
    if e.worst_latency_us and e.loads is not None and e.loads.wide:
        crossing_s = 2.0 * (len({p.site for p in step.pools}) - 1) * e.loads.wide_latency_us * 1e-6 / step.n_local_steps
        lines.append(
            f"Distance alone costs {crossing_s * 1e3:.2g} ms of the step ({2 * e.worst_latency_us:.0f} µs round trip)"
            + (
                "; it also sets the buffers that lossless ports need."
                if (e.health.arc_limit[e.loads.arc] == BUFFER).any()
                else "."
            )
        )
    if e.case.job is not None and e.case.job.is_local_sgd and e.loss is not None and e.loads and e.loads.wide:
        low, central, high = (
            100.0 * (ratio - 1.0) for ratio in (e.loss.low_ratio, e.loss.central_ratio, e.loss.high_ratio)
        )
        lines.append(
            f"Local SGD with {step.n_local_steps} local steps changes the training itself: the loss after the same "
            f"tokens ends {central:+.1f} % off ({low:+.1f} to {high:+.1f} %; {e.loss.why}). Layers are exchanged as "
            "their gradients come, and waited for where a later step needs them."
        )
    return lines


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
    arc = int(np.argmax(e.arc_utilisation_ratio)) if len(e.arc_utilisation_ratio) else -1
    if arc >= 0:
        ratio = e.arc_utilisation_ratio[arc]
        lines.append(f"The busiest arc is {arc_name(e, arc)} at {ratio:.1%}: {arc_reason(e, arc)}.")
    if e.demands.unrouted_gbps:
        lines.append(f"{e.demands.unrouted_gbps:g} Gb/s of demand have no path.")
    return lines


def _optics_lines(e: Evaluation) -> list[str]:
    state, health = e.case.state, e.health
    wanted = state.in_service
    of_light = health.light.by_link(health.light.limit)
    lines = []
    for mask, what in (
        (wanted & (health.arc_limit[0::2] == DARK), "dark for want of light"),
        (wanted & (health.arc_limit[0::2] == REACH), "out of reach of the optics"),
        (wanted & (of_light == MODE) & health.lit, "fallen back to a slower mode"),
        (wanted & (health.margin_db < health.required_margin_db), "below the required margin"),
    ):
        links = np.flatnonzero(mask)
        if len(links):
            worst = links[np.argmin(np.nan_to_num(health.margin_db[links]))]
            name = state.arrays.link_ids[worst]
            margin = health.margin_db[worst]
            at = "" if np.isnan(margin) else f"; the worst is {name} at {margin:.1f} dB"
            lines.append(f"{len(links)} link(s) {what}{at or f', {name} among them'}.")
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
