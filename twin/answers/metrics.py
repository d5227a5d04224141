"""Table of metrics: a function, the better direction and a sentence for each. The unit is the end of the name."""

from __future__ import annotations

from ..units import unit_of
from .metric import Better, Metric, NotApplicableError
from .money_metrics import (
    capex_usd,
    lease_break_even_usd_per_month,
    lease_income_usd_per_year,
    list_rental_usd_per_day,
    opex_usd_per_year,
)
from .optical_metrics import min_margin, min_receiver_headroom_db, n_links_below_margin, n_links_fallen_back
from .structure_metrics import STRUCTURE_METRICS
from .traffic_metrics import (
    demand_satisfied_ratio,
    max_link_utilisation_ratio,
    p99_link_utilisation_ratio,
    unrouted_gbps,
    worst_rtt_us,
)
from .training_metrics import (
    card_figure,
    exposed_time_s,
    goodput_figure,
    goodput_tokens_per_s,
    hash_efficiency_ratio,
    max_phase_utilisation_ratio,
    n_accelerators,
    step_figure,
    time_to_train_days,
    training_loss_ratio,
    usd_per_effective_pflop_day,
)

__all__ = ["METRICS", "Better", "Metric", "NotApplicableError", "metric_rows", "metric_unit"]


def metric_unit(name: str) -> str:
    """Return the unit of a metric, from its name."""
    unit = unit_of(name)
    assert unit is not None, name
    return unit


METRICS: dict[str, Metric] = {
    "step_time_s": Metric(step_figure("step_time_s"), "lower", "step time", "One optimizer step, in steady state."),
    "compute_time_s": Metric(
        step_figure("compute_time_s"),
        "lower",
        "compute time",
        "The step without communication and bubble, at the pace of its slowest accelerator group.",
    ),
    "bubble_time_s": Metric(
        step_figure("bubble_time_s"),
        "lower",
        "pipeline bubble",
        "Filling and draining the pipeline of the slowest accelerator group.",
    ),
    "exposed_comm_time_s": Metric(
        step_figure("exposed_comm_time_s"),
        "lower",
        "exposed communication",
        "Communication that compute does not overlap; step = compute + bubble + this.",
    ),
    "exposed_reduce_scatter_time_s": Metric(
        exposed_time_s("reduce_scatter"),
        "lower",
        "exposed reduce-scatter",
        "Step minus the step without the reduce-scatter inside sites.",
    ),
    "exposed_all_gather_time_s": Metric(
        exposed_time_s("all_gather"),
        "lower",
        "exposed all-gather",
        "Step minus the step without the all-gather inside sites.",
    ),
    "exposed_wide_area_time_s": Metric(
        exposed_time_s("wide_area"),
        "lower",
        "exposed inter-site all-reduce",
        "Step minus the step without the all-reduce between sites.",
    ),
    "exposed_pipeline_time_s": Metric(
        exposed_time_s("pipeline"),
        "lower",
        "exposed pipeline traffic",
        "Step minus the step without traffic between pipeline stages.",
    ),
    "exposed_in_layers_time_s": Metric(
        exposed_time_s("in_layers"),
        "lower",
        "exposed tensor, context and expert exchange",
        "Step minus the step without tensor, context and expert exchange inside layers.",
    ),
    "bubble_ratio": Metric(
        step_figure("bubble_ratio"),
        "lower",
        "pipeline bubble, share",
        "(p - 1)/(v m + p - 1) of the slowest accelerator group.",
    ),
    "straggler_ratio": Metric(
        step_figure("straggler_ratio"),
        "lower",
        "idle behind slow groups or an uneven batch",
        "1 - F/(sum of the groups' rates x compute time): idle share of fast groups, or of an uneven batch.",
    ),
    "mfu_ratio": Metric(
        step_figure("mfu_ratio"),
        "higher",
        "MFU",
        "Model FLOPs over step time and the peaks of all allocated accelerators.",
    ),
    "training_loss_ratio": Metric(
        training_loss_ratio,
        "lower",
        "training loss, relative",
        "Evaluation loss after the same tokens over that of exchanging every step; 1 unless the job is local SGD.",
    ),
    "tokens_per_s": Metric(
        step_figure("tokens_per_s"), "higher", "tokens per second", "Tokens of a step over its time, gross."
    ),
    "goodput_tokens_per_s": Metric(
        goodput_tokens_per_s,
        "higher",
        "goodput",
        "Tokens per second left after interruptions: checkpoints, lost work, waiting.",
    ),
    "goodput_ratio": Metric(
        goodput_figure("goodput_ratio"),
        "higher",
        "goodput, share of the step rate",
        "Goodput over the step rate: Daly efficiency x availability x mean rate.",
    ),
    "n_interruptions_per_day": Metric(
        goodput_figure("n_interruptions_per_day"),
        "lower",
        "interruptions per day",
        "Failures a day after which the job recovers from a checkpoint.",
    ),
    "checkpoint_interval_s": Metric(
        goodput_figure("checkpoint_interval_s"),
        "higher",
        "checkpoint interval",
        "Work between two checkpoints with the least loss (Daly).",
    ),
    "availability_ratio": Metric(
        goodput_figure("availability_ratio"),
        "higher",
        "availability",
        "Share of the time not spent waiting: stalls, planned stops, sites cut off until their repair.",
    ),
    "time_to_train_days": Metric(
        time_to_train_days,
        "lower",
        "time to train",
        "Days for the job's n_training_tokens at its goodput, interruptions included.",
    ),
    "max_link_utilisation_ratio": Metric(
        max_link_utilisation_ratio,
        "lower",
        "busiest link",
        "Busiest arc of links that are up: offered over capacity, averaged over a step.",
    ),
    "max_phase_utilisation_ratio": Metric(
        max_phase_utilisation_ratio,
        "lower",
        "busiest link in a phase",
        "Offered bits of a phase over capacity and its duration at the rate of the network cards; may exceed 1.",
    ),
    "p99_link_utilisation_ratio": Metric(
        p99_link_utilisation_ratio,
        "lower",
        "link utilisation, 99th percentile",
        "99th percentile of the same over all tiers.",
    ),
    "hash_efficiency_ratio": Metric(
        hash_efficiency_ratio(None),
        "higher",
        "load-balancing efficiency",
        "Time of a phase with evenly loaded links over its time with load balancing, slowest phase, mean over jobs.",
    ),
    "hash_efficiency_p10_ratio": Metric(
        hash_efficiency_ratio(0.1),
        "higher",
        "load-balancing efficiency, unlucky job",
        "The same for a job with worse hashes than nine of ten; a job keeps its hashes.",
    ),
    "hash_efficiency_p90_ratio": Metric(
        hash_efficiency_ratio(0.9),
        "higher",
        "load-balancing efficiency, lucky job",
        "The same for a job with better hashes than nine of ten.",
    ),
    "unrouted_gbps": Metric(unrouted_gbps, "lower", "demand without a path", "Demand without a path."),
    "demand_satisfied_ratio": Metric(
        demand_satisfied_ratio, "higher", "carried demand", "Demands carried (max-min fair) over demands offered."
    ),
    "worst_rtt_us": Metric(
        worst_rtt_us, "lower", "longest round trip", "Unloaded round trip on the slowest path that traffic uses."
    ),
    "min_margin_db": Metric(
        min_margin(("direct_detect", "coherent")),
        "higher",
        "lowest optical margin",
        "Smallest optical margin of links up, at the current mode.",
    ),
    "min_coherent_margin_db": Metric(
        min_margin(("coherent",)),
        "higher",
        "lowest margin, coherent",
        "The same of coherent links, by SNR, at the current mode; it rises where a link takes a slower mode.",
    ),
    "min_direct_detect_margin_db": Metric(
        min_margin(("direct_detect",)),
        "higher",
        "lowest margin, direct detect",
        "The same of direct-detect links, by loss budget.",
    ),
    "n_links_fallen_back": Metric(
        n_links_fallen_back,
        "lower",
        "links down or at a slower mode",
        "Links in service that are down or at a slower mode because of margin or reach.",
    ),
    "n_links_below_margin": Metric(
        n_links_below_margin,
        "lower",
        "links below required margin",
        "Links with less margin, or less receiver headroom, than the document requires.",
    ),
    "min_receiver_headroom_db": Metric(
        min_receiver_headroom_db,
        "higher",
        "lowest receiver headroom",
        "Smallest distance of a received power to the most that its receiver bears; below 0 the link is down.",
    ),
    "capex_usd": Metric(capex_usd, "lower", "purchases", "Purchases of a change; 0 for the network as it is."),
    "opex_usd_per_year": Metric(
        opex_usd_per_year,
        "lower",
        "running cost",
        "Electricity, maintenance and dark fibre of the whole network.",
    ),
    "n_accelerators": Metric(
        n_accelerators, "lower", "accelerators of the job", "Accelerators that the job allocates."
    ),
    "n_cards_lost": Metric(
        card_figure("n_cards_lost"),
        "lower",
        "network cards lost",
        "Network cards of the job without a path to the fabric of their rail.",
    ),
    "n_accelerators_idled": Metric(
        card_figure("n_accelerators_idled"),
        "lower",
        "accelerators idled by lost cards",
        "Accelerators of replicas that lack a network card; 0 where PXN lends them one.",
    ),
    "n_replicas": Metric(
        card_figure("n_replicas"),
        "higher",
        "replicas with all their cards",
        "Replicas of the job that can go on with the network cards that are left.",
    ),
    "list_rental_usd_per_day": Metric(
        list_rental_usd_per_day,
        "lower",
        "list rental of the accelerators",
        "Cost of renting these accelerators at list price.",
    ),
    "usd_per_effective_pflop_day": Metric(
        usd_per_effective_pflop_day,
        "lower",
        "cost per PFLOP-day of goodput",
        "Depreciation and running cost of the job's share, per PFLOP-day of goodput.",
    ),
    "lease_break_even_usd_per_month": Metric(
        lease_break_even_usd_per_month,
        "higher",
        "break-even lease, scaled to the whole site",
        "Rent of all of the site from which leasing out what the job uses pays more than keeping it, at list rental.",
    ),
    "lease_income_usd_per_year": Metric(
        lease_income_usd_per_year,
        "higher",
        "rent of leases",
        "Rent a year of the leases that run on the day of the document; electricity that tenants pay is left out.",
    ),
    **STRUCTURE_METRICS,
}


def metric_rows() -> list[dict[str, str]]:
    """Return the table of metrics as plain data: key, label, unit, better direction, meaning."""
    return [
        {
            "key": name,
            "label": metric.label,
            "unit": metric_unit(name),
            "better": metric.better,
            "meaning": metric.sentence,
        }
        for name, metric in METRICS.items()
    ]
