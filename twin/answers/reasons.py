"""Reasons: sentences that explain an evaluation, the bottleneck first, then optics, failures and the lease."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.jobs import TrainingJob
from ..optics.link_budget import BUFFER
from ..optics.link_health import LEAST_SHOWN_RATIO
from ..render.numbers import seconds_text
from ..render.quantities import (
    frequency_text,
    hours_text,
    names_text,
    percent_text,
    usd_text,
)
from ..stages.evaluation import Evaluation
from ..stages.outcomes import BalancedStep
from ..traffic.balancing_modes import MODES
from ..training.step import Step
from ..units import DAYS_PER_YEAR
from ..workload.job_arithmetic import n_micro_batches, n_per_replica
from .arc_text import arc_name, arc_reason
from .card_reasons import card_sentences
from .network_reasons import demand_sentences, optics_sentences

SMALL_SHARE_RATIO = 0.01
"""Smaller shares of a step or of the accelerators are not mentioned."""
SAME_TIME_RATIO = 1e-9
"""Accelerator groups are equally fast if their stage times differ by no more than this ratio."""
COMPUTE = "compute"
"""Bottleneck of a step that no phase of communication outweighs."""
PHASE_NAMES = {
    "reduce_scatter": "reduce-scatter inside sites",
    "all_gather": "all-gather inside sites",
    "wide_area": "inter-site all-reduce",
    "pipeline": "traffic between pipeline stages",
    "in_layers": "tensor, context and expert exchange",
}


def reasons(e: Evaluation) -> list[str]:
    """Return the reasons behind the metrics of an evaluation, each one to three short sentences."""
    sentences: list[str] = []
    if e.step is not None and e.case.job is not None:
        sentences += [*_phase_sentences(e, e.step), *_split_sentences(e, e.step, e.case.job)]
        sentences += [
            *_balancing_sentences(e, e.step),
            *_propagation_sentences(e),
            *_local_sgd_sentences(e, e.step, e.case.job),
        ]
    elif e.case.job is not None:
        sentences += [f"No step: {e.why_no_step}.", *_cut_off_sentences(e)]
    sentences += [
        *card_sentences(e),
        *demand_sentences(e),
        *optics_sentences(e),
        *_goodput_sentences(e),
        *_lease_sentences(e),
    ]
    return sentences


def bottleneck_of(step: Step) -> tuple[str, float]:
    """Return the part of a step that takes most of it: COMPUTE or a phase, and its seconds."""
    phase = max(step.exposed_s, key=lambda name: step.exposed_s[name])
    if step.exposed_s[phase] >= step.compute_time_s:
        return phase, step.exposed_s[phase]
    return COMPUTE, step.compute_time_s


def bottleneck_text(e: Evaluation, step: Step) -> str:
    """Return the bottleneck of a step with its seconds: `inter-site all-reduce, 2.48 s of 5.74 s`."""
    name, seconds = bottleneck_of(step)
    where = ""
    job = e.case.job
    if _has_stragglers(step) and job is not None and _is_uneven(e, step, job):
        n, n_replicas = n_micro_batches(job), sum(group.n_replicas for group in step.groups)
        where = f" with an uneven batch ({n:,} micro batches on {n_replicas:,} replicas)"
    elif _has_stragglers(step):
        kind = "stage" if _is_cross_site_pipeline(e, step) else "group"
        where = f" on {slowest_text(e, step)}, the slowest {kind}"
    what = f"compute{where}" if name == COMPUTE else PHASE_NAMES[name]
    return f"{what}, {seconds_text(seconds)} of {seconds_text(step.step_time_s)}"


def overlap_time_s(step: Step) -> float:
    """Return the exposed communication time beyond the sum of the exposed times of the single phases, in s.

    Positive where phases overlap, so removing one of them alone saves less than its time. Negative where removing
    either of two phases would save the same seconds.
    """
    return step.exposed_comm_time_s - sum(step.exposed_s.values())


def propagation_s(e: Evaluation) -> float | None:
    """Return the seconds of a step for sequential crossings between sites; None without inter-site traffic."""
    if e.step is None or e.loads is None or not e.loads.wide or not e.worst_round_trip_us:
        return None
    n_crossings = 2 * (len({group.site for group in e.step.groups}) - 1)
    return n_crossings * e.loads.wide_latency_us * 1e-6 / e.step.n_local_steps


def _phase_sentences(e: Evaluation, step: Step) -> Iterator[str]:
    """Sentences on the most exposed phase, its slowest arc, and the overlap between phases."""
    small_s = SMALL_SHARE_RATIO * step.step_time_s
    if step.exposed_comm_time_s <= small_s:
        yield "Compute overlaps all communication."
        return
    phase = max(step.exposed_s, key=lambda name: step.exposed_s[name])
    exposed_s, (arc, arc_s) = step.exposed_s[phase], step.bottleneck.get(phase, (-1, 0.0))
    if exposed_s > small_s:
        name, step_text = PHASE_NAMES[phase], seconds_text(step.step_time_s)
        schedule = f" ({step.exchange})" if phase == "wide_area" else ""
        is_bottleneck = bottleneck_of(step)[0] == phase
        head = f"Bottleneck: {name}" if is_bottleneck else f"Largest communication: {name}"
        # a phase without a slow arc is limited inside the hosts or at their network cards
        limit = f"It is limited by {_host_limit_text(e, step, phase)}."
        if arc_s > 0.5 * exposed_s:
            limit = f"Link {arc_name(e, arc)}: {seconds_text(arc_s)} for its bits. Reason: {arc_reason(e, arc)}."
        yield f"{head}{schedule}, {seconds_text(exposed_s)} of the {step_text} step. {limit}"
    overlap_s = overlap_time_s(step)
    if overlap_s > small_s:
        yield f"{seconds_text(overlap_s)} overlaps between phases; fixing one phase alone will not recover it."


def _balancing_sentences(e: Evaluation, step: Step) -> Iterator[str]:
    """Sentences on load balancing that the document does not state, and what some modes would give."""
    options = e.unstated_balancing
    if not options:
        return
    head = "Load balancing inside the fabrics is not stated, so their links split evenly."
    longest_s = max(option.step_time_s for option in options)
    if longest_s - step.step_time_s < SMALL_SHARE_RATIO * step.step_time_s:
        texts = [_mode_text(option) for option in options]
        yield f"{head} The step would be less than 1 % longer with {names_text(texts)}."
        return
    texts = [f"{seconds_text(option.step_time_s)} with {_mode_text(option)}" for option in options]
    yield f"{head} The step would take {names_text(texts)}."


def _mode_text(option: BalancedStep) -> str:
    """Name of a mode in a sentence: `ecmp (8 flows per pair)`."""
    if not MODES[option.mode].is_hashed:
        return option.mode
    return f"{option.mode} ({option.n_flows_per_pair} flows per pair)"


def _host_limit_text(e: Evaluation, step: Step, phase: str) -> str:
    """Return the limit of a phase that no link limits: NVLink or the network cards of the slowest group."""
    slowest = step.groups[step.slowest_group]
    where, loads = slowest_text(e, step), e.loads
    if phase == "in_layers" and not (loads and any(column.any() for column in (*loads.context, *loads.expert))):
        return f"NVLink of {where}"
    groups = e.accelerators.groups if e.accelerators is not None else ()
    rates_gbps = (
        group.profile.nic_gbps
        for group in groups
        if (group.placed.site, group.placed.accelerator) == (slowest.site, slowest.accelerator)
    )
    rate_gbps = next(rates_gbps, None)
    return f"the {rate_gbps:g}G network cards of {where}" if rate_gbps else f"the network cards of {where}"


def _cut_off_sentences(e: Evaluation) -> Iterator[str]:
    """Sentence on the sites of the job without a path between them."""
    arrays = e.case.state.arrays
    pairs = set()
    for _, a, b in e.loads.unreachable if e.loads is not None else ():
        sites = sorted(arrays.sites[arrays.node_site[arrays.node_index[node]]] for node in (a, b))
        pairs.add(" and ".join(sites) if sites[0] != sites[1] else f"racks of {sites[0]}")
    if pairs:
        yield f"No path {names_text([f'between {pair}' for pair in sorted(pairs)])}."


def _is_cross_site_pipeline(e: Evaluation, step: Step) -> bool:
    """True where the stages of a replica lie in several accelerator groups; the step then has one joined group."""
    return e.placed is not None and len(e.placed.groups) > len(step.groups)


def slowest_text(e: Evaluation, step: Step) -> str:
    """Accelerator and site of the slowest group. The joined group of a cross-site pipeline has no single site."""
    slowest = step.groups[step.slowest_group]
    if _is_cross_site_pipeline(e, step):
        return slowest.accelerator
    return f"{slowest.accelerator} in {slowest.site}"


def _has_stragglers(step: Step) -> bool:
    return step.straggler_ratio > SMALL_SHARE_RATIO


def _split_sentences(e: Evaluation, step: Step, job: TrainingJob) -> Iterator[str]:
    """Sentences on the slowest accelerator group, the batch split and idle accelerators."""
    assert e.placed is not None
    n_idle_text = f"{percent_text(step.straggler_ratio)} of the cluster idles"
    group_split = list(zip(step.groups, step.split, strict=True))
    remainder = _remainder_sentences(step, job)
    by_stages = _is_cross_site_pipeline(e, step)
    if not _has_stragglers(step):
        if len(step.groups) > 1:
            yield "All accelerator groups finish together."
    elif by_stages:
        yield f"Stragglers: the slowest pipeline stage limits every replica; {n_idle_text}."
    elif _is_uniform(step) and job.split == "stated" and len(set(step.split)) > 1:
        yield f"Stragglers: the stated split gives equal groups unequal work; {n_idle_text}."
    elif _is_uneven(e, step, job):
        yield f"Stragglers: the batch does not divide evenly; {n_idle_text}."
    else:
        yield f"Stragglers: {slowest_text(e, step)}; {n_idle_text}."
    if by_stages:
        stages = [f"{group.n_stages} on {group.accelerator} in {group.site}" for group in e.placed.groups]
        yield f"Pipeline stages: {names_text(stages)}; {step.split[0]} micro batches per replica."
    elif len(group_split) > 1:
        split = [f"{n} on {group.accelerator} in {group.site}" for group, n in group_split]
        yield f"Micro batches per replica: {names_text(split)}."
    if _has_stragglers(step) and (by_stages or _is_uniform(step)):
        yield from remainder
    unused = [f"{group.accelerator} in {group.site}" for group, n in group_split if not n]
    if unused:
        yield f"No micro batch goes to {names_text(unused)}; leave them out of the job."
    n_allocated = sum(e.placed.n_allocated.values())
    n_dropped = e.cards.n_accelerators_idled if e.cards is not None else 0
    n_left = n_allocated - n_dropped - sum(len(group.rack) for group in e.placed.groups)
    if n_left > SMALL_SHARE_RATIO * n_allocated:
        size = f"{n_per_replica(job):,}"
        pipeline = job.across_sites == "pipeline"
        replicas = f"replicas of {size} with stages at all sites" if pipeline else f"whole replicas of {size}"
        yield f"{n_left:,} of {n_allocated:,} allocated accelerators are idle: they do not fill {replicas}."
    if step.uniform_is_faster:
        yield "A balanced split would make the step longer, so the uniform split is used."


def _is_uniform(step: Step) -> bool:
    """True where all accelerator groups are equally fast."""
    times_s = [group.stage_time_s for group in step.groups]
    return max(times_s) - min(times_s) <= SAME_TIME_RATIO * max(times_s)


def _is_uneven(e: Evaluation, step: Step, job: TrainingJob) -> bool:
    """True where replicas wait for others because the batch does not divide among equally fast ones."""
    is_stated = job.split == "stated" and len(set(step.split)) > 1
    equal = _is_uniform(step) and not _is_cross_site_pipeline(e, step)
    return equal and not is_stated and bool(_remainder_sentences(step, job))


def _remainder_sentences(step: Step, job: TrainingJob) -> list[str]:
    """Sentence on a batch that does not divide among the replicas, with the nearest that do."""
    n, n_replicas = n_micro_batches(job), sum(group.n_replicas for group in step.groups)
    if not n % n_replicas:
        return []
    per_replica = (n // n_replicas, n // n_replicas + 1)
    nearest = (n_replicas * n_each * job.parallelism.n_micro_batch for n_each in per_replica)
    batches = " or ".join(f"{batch:,}" for batch in nearest if batch)
    return [f"{n:,} micro batches do not divide among {n_replicas:,} replicas; a global batch of {batches} does."]


def _propagation_sentences(e: Evaluation) -> Iterator[str]:
    """Sentence on the propagation delay between sites, and on windows and buffers where they lose rate by it."""
    seconds = propagation_s(e)
    if seconds is None or e.worst_round_trip_us is None or e.loads is None:
        return
    round_trip = f"{e.worst_round_trip_us:.0f} µs round trip"
    yield f"Propagation between sites: {seconds_text(seconds)} of the step ({round_trip})."
    limits = ["buffers"] if (e.health.arc_limit[e.loads.arc] == BUFFER).any() else []
    between_sites = ("wide_area", "pipeline")
    slowest = [arc for phase, (arc, _) in e.step.bottleneck.items() if phase in between_sites] if e.step else []
    limits += ["windows"] if (e.arc_transport.window_ratio[slowest] < LEAST_SHOWN_RATIO).any() else []
    if limits:
        yield f"The round trip also costs rate in {' and '.join(limits)}; that is part of the link's time."


def _local_sgd_sentences(e: Evaluation, step: Step, job: TrainingJob) -> Iterator[str]:
    if job.is_local_sgd and e.loss is not None and e.loads and e.loads.wide:
        low, central, high = (
            100.0 * (ratio - 1.0) for ratio in (e.loss.low_ratio, e.loss.central_ratio, e.loss.high_ratio)
        )
        yield (
            f"Local SGD with {step.n_local_steps} local steps changes the training: loss {central:+.1f} % "
            f"({low:+.1f} to {high:+.1f} %) after the same tokens."
        )
        yield f"Basis of the loss estimate: {e.loss.why}."


def _goodput_sentences(e: Evaluation) -> Iterator[str]:
    """Sentences on the interruptions of the job, its goodput, and the first risk that isolates a site."""
    goodput = e.goodput
    if goodput is None or e.step is None or not goodput.n_interruptions_per_day:
        return
    worst_cause = max(goodput.n_per_day_by_cause, key=lambda cause: goodput.n_per_day_by_cause[cause])
    yield (
        f"Goodput is {percent_text(goodput.goodput_ratio)} of the step rate: failures "
        f"{frequency_text(goodput.n_interruptions_per_day * DAYS_PER_YEAR)}, mostly {worst_cause}, "
        f"{hours_text(goodput.recovery_s / 3600.0)} restart each."
    )
    first = next((outage for outage in goodput.outages.rows() if outage.lost_sites), None)
    if first is not None:
        goes_on = e.case.job is not None and e.case.job.on_site_loss == "go_on"
        what = first.names[0] if len(first.names) == 1 else f"any of {names_text(first.names)}"
        yield (
            f"Loss of {what} isolates {names_text(first.lost_sites)}: "
            f"{frequency_text(first.n_per_year * len(first.names))}, {hours_text(first.repair_h)} to repair; "
            f"the job {'continues without it' if goes_on else 'stops'}."
        )


def _lease_sentences(e: Evaluation) -> Iterator[str]:
    """Sentences comparing a site's value to the job, interruptions included, with its lease price."""
    lease = e.lease
    if lease is None:
        return
    site, n, n_all = lease.site, lease.n_allocated, lease.n_accelerators
    share_ratio = n / n_all
    whole = "" if n == n_all else f", pro rata of {usd_text(lease.lease_usd_per_month)} for all {n_all:,}"
    offer = f"{usd_text(lease.lease_usd_per_month * share_ratio)} a month{whole}"
    opex = usd_text(lease.opex_avoided_usd_per_month * share_ratio)
    used = f"the {n:,} accelerators of {site} that the job uses"
    if lease.marginal_flops_per_s <= 0:
        slower = f"is faster without {site}" if lease.marginal_flops_per_s < 0 else f"gains nothing from {site}"
        yield f"The job {slower}. Leasing out {used} ({offer}) costs this job nothing."
        yield f"Any rent that a tenant pays the owner for them is a gain: running them costs the owner {opex} a month."
        return
    low, high = sorted((lease.at_list_usd_per_month, lease.at_implied_usd_per_month))
    verdict = "keeping them is worth more" if low > lease.lease_usd_per_month else "leasing them out pays more"
    if low <= lease.lease_usd_per_month < high:
        verdict = "which is better depends on the rental price"
    rental = [usd_text((value + lease.opex_avoided_usd_per_month) * share_ratio) for value in (low, high)]
    hourly = f"{usd_text(lease.lease_usd_per_accelerator_hour)} per accelerator-hour"
    rent = usd_text(lease.lease_usd_per_month * share_ratio)
    yield f"Lease: a tenant would pay the owner {rent} a month for {used} ({hourly})."
    pro_rata = "" if n == n_all else f"That is pro rata of {usd_text(lease.lease_usd_per_month)} for all {n_all:,}; "
    yield f"{pro_rata}{verdict}." if pro_rata else f"{verdict[0].upper()}{verdict[1:]}."
    yield (
        f"Without them the owner would pay {rental[0]} to {rental[1]} a month to rent the same goodput elsewhere, and "
        f"save {opex} a month of running them."
    )
    flip = usd_text(max(lease.at_list_usd_per_month, 0.0) * share_ratio)
    text = f"The answer flips where the tenant pays the owner {flip} a month, at list price elsewhere"
    if lease.flips_at_usd_per_accelerator_hour is not None:
        price = usd_text(lease.flips_at_usd_per_accelerator_hour)
        text += f"; or where the owner pays {price} per {lease.replacement}-hour there"
    yield f"{text}."
