"""The table of stages. A new stage is one function and one row; see docs/extending.md."""

from __future__ import annotations

from . import links, money, reliability, structure, traffic, training
from .stage import Stage


def names(listed: str) -> tuple[str, ...]:
    """Split a text of names separated by spaces."""
    return tuple(listed.split())


ROWS = (
    Stage(
        "optical_paths",
        links.optical_paths,
        state=names(
            "link_age_years link_at_roadm link_capacity_gbps link_ends link_launch_dbm link_measured_received_dbm "
            "link_measured_years link_mux link_protection link_transceiver n_links node_part parts span_first "
            "span_link span_regenerated span_standby"
        ),
        catalogue=names("card server transceiver"),
    ),
    Stage(
        "link_budgets",
        links.link_budgets,
        needs=names("optical_paths"),
        state=names(
            "link_age_years link_at_roadm link_booster link_booster_gain_db link_booster_noise_figure_db "
            "link_booster_voa_db link_capacity_gbps link_ends link_launch_dbm link_measured_received_dbm "
            "link_measured_years link_mux link_n_channels link_protection link_transceiver node_part parts "
            "span_age_years span_amplifier span_amplifier_age_years span_amplifier_gain_db "
            "span_amplifier_noise_figure_db span_amplifier_output_dbm span_amplifier_voa_db span_fibre span_first "
            "span_length_km span_link span_lumped_loss_db span_measured_loss_db span_measured_years span_n_connectors "
            "span_n_splices"
        ),
        catalogue=names("amplifier card fec fibre general mux protection server switch transceiver"),
        by_ageing=True,
    ),
    Stage(
        "link_latency",
        links.link_latency,
        needs=names("optical_paths link_budgets.member_gbps"),
        state=names(
            "arc_head arc_stated_latency_us link_macsec link_n_regenerators link_straight_km link_transceiver n_links "
            "node_part parts span_amplifier span_fibre span_length_km span_link span_regenerated span_standby"
        ),
        catalogue=names("card fec fibre general server switch transceiver"),
    ),
    Stage(
        "health",
        links.health,
        needs=names("link_budgets link_latency"),
        state=names(
            "arc_capacity_gbps arc_head in_service link_ends link_length_km link_loss_ratio link_n_parallel "
            "link_required_margin_db link_tier link_transceiver n_cards_in_use n_members_up n_nodes "
            "node_accelerator node_n_accelerators node_n_cards node_n_servers node_part parts"
        ),
        document=("lossless", "required_margin_db"),
        catalogue=names("accelerator card general server switch transceiver"),
    ),
    Stage(
        "split_share",
        traffic.split_share,
        needs=names("health.arc_capacity_gbps health.rate_unknown"),
        state=names("n_members_up"),
        document=("routing",),
    ),
    Stage(
        "routed_links",
        traffic.routed_links,
        needs=names("health.lit split_share"),
    ),
    Stage(
        "access_class",
        traffic.access_class,
        needs=names("health.arc_latency_us"),
        state=names("link_ends node_kind"),
    ),
    Stage(
        "router",
        traffic.router,
        needs=names("routed_links access_class"),
        state=names("arc_head graph arc_weight link_ends n_links n_nodes node_kind"),
    ),
    Stage(
        "demand_pairs",
        traffic.demand_pairs,
        state=names("node_index"),
        document=("demands",),
    ),
    Stage(
        "wcmp_table",
        traffic.wcmp_table,
        state=names("link_ends link_index node_ids node_index"),
        document=("wcmp_groups",),
    ),
    Stage(
        "demand_routes",
        traffic.demand_routes,
        needs=names("demand_pairs router split_share wcmp_table"),
        state=names("graph n_links n_nodes"),
    ),
    Stage(
        "demands",
        traffic.demands,
        needs=names("demand_pairs demand_routes health.arc_capacity_gbps"),
        document=("routing",),
    ),
    Stage(
        "card_ports",
        traffic.card_ports,
        state=names("link_ends n_nodes node_forwards node_n_accelerators node_rail"),
    ),
    Stage(
        "fabric_parts",
        traffic.fabric_parts,
        needs=names("routed_links"),
        state=names("link_ends n_nodes node_forwards"),
    ),
    Stage(
        "allocation",
        training.allocation,
        state=names("n_nodes node_accelerator node_ids node_kind node_n_accelerators node_site node_up parts sites"),
        job=names("across_sites id parallelism placement recompute"),
        catalogue=names("accelerator"),
    ),
    Stage(
        "cards",
        training.cards,
        needs=names("allocation card_ports fabric_parts routed_links"),
        state=names(
            "link_ids link_n_parallel link_up n_cards_in_use n_members_up n_nodes node_ids "
            "node_n_accelerators node_n_cards node_rail node_site node_up"
        ),
        job=names("across_sites on_card_loss parallelism pxn_spread recompute split"),
    ),
    Stage(
        "placement",
        training.placement,
        needs=names("allocation cards"),
        job=names("on_card_loss"),
    ),
    Stage(
        "memory_fit",
        training.memory_fit,
        needs=names("placement"),
        job=names(
            "across_sites gradient_bytes_per_parameter id model n_global_batch parallelism precision recompute split"
        ),
        catalogue=names("accelerator"),
    ),
    Stage(
        "stated_split",
        training.stated_split,
        needs=names("placement"),
        job=names("id n_global_batch parallelism split"),
    ),
    Stage(
        "rack_flows",
        training.rack_flows,
        needs=names("placement"),
        state=names("n_nodes"),
        job=names("across_sites model parallelism recompute"),
    ),
    Stage(
        "rail_exchange",
        training.rail_exchange,
        needs=names("placement card_ports"),
        state=names("n_cards_in_use n_nodes"),
        document=("pxn",),
        job=names("across_sites model parallelism pxn recompute"),
    ),
    Stage(
        "job_flows",
        training.job_flows,
        needs=names("rack_flows rail_exchange card_ports cards.relays routed_links"),
        state=names("n_members_up n_nodes"),
    ),
    Stage(
        "job_pairs",
        training.job_pairs,
        needs=names("job_flows"),
        state=names("n_nodes"),
    ),
    Stage(
        "job_routes",
        training.job_routes,
        needs=names("job_pairs router split_share cards.rail_split"),
    ),
    Stage(
        "unit_link_loads",
        training.unit_link_loads,
        needs=names("job_flows job_pairs job_routes"),
        state=names("node_ids"),
    ),
    Stage(
        "link_loads",
        training.link_loads,
        needs=names("unit_link_loads job_pairs job_routes health.arc_latency_us"),
        state=names("arc_head n_nodes"),
    ),
    Stage(
        "accelerators",
        training.accelerators,
        needs=names("placement rail_exchange"),
        state=names("n_cards_in_use node_accelerator node_n_accelerators node_n_cards node_n_servers node_part parts"),
        job=names("across_sites gradient_bytes_per_parameter model parallelism precision recompute"),
        catalogue=names("accelerator card general server"),
    ),
    Stage(
        "arc_rates",
        training.arc_rates,
        needs=names(
            "link_loads health.arc_sending_gbps health.headroom health.arc_member_gbps health.loss_ratio "
            "demands.arc_carried_gbps"
        ),
        state=names("link_tier"),
    ),
    Stage(
        "flow_goodput",
        training.flow_goodput,
        needs=names("link_loads arc_rates"),
        document=("lossless",),
        catalogue=names("general"),
    ),
    Stage(
        "arc_balancing",
        training.arc_balancing,
        state=names("arc_head link_tier node_ids"),
        document=("load_balancing", "lossless"),
        catalogue=names("general"),
    ),
    Stage(
        "hashed_flows",
        training.hashed_flows,
        needs=names("job_flows job_pairs job_routes unit_link_loads arc_balancing.arc_modes"),
        state=names("arc_head link_tier n_nodes node_forwards"),
    ),
    Stage(
        "free_capacity",
        training.free_capacity,
        needs=names("flow_goodput arc_rates.available_gbps"),
    ),
    Stage(
        "hash_collisions",
        training.hash_collisions,
        needs=names("placement link_loads hashed_flows arc_balancing free_capacity"),
        state=names("n_members_up"),
    ),
    Stage(
        "job_capacity",
        training.job_capacity,
        needs=names("free_capacity hash_collisions"),
        sharing=("speed_ratio",),
    ),
    Stage(
        "arc_transport",
        training.arc_transport,
        needs=names("flow_goodput link_loads.arc health.transport"),
        in_score=False,
    ),
    Stage(
        "why_rates_unknown",
        training.why_rates_unknown,
        needs=names("job_capacity.gbps link_loads.arc health.rate_unknown demands.arc_carried_gbps"),
        state=names("link_at_roadm link_ids"),
    ),
    Stage(
        "step",
        training.step,
        needs=names(
            "placement cards.why_stopped memory_fit stated_split job_flows link_loads accelerators "
            "job_capacity.gbps job_capacity.efficiency_ratio why_rates_unknown"
        ),
        job=names(
            "across_sites exchange_bits_per_parameter gradient_bytes_per_parameter id jitter_ratio model "
            "n_fragment_layers n_global_batch n_local_steps n_overlap_steps parallelism "
            "parameter_bytes_per_parameter precision recompute split sync"
        ),
        catalogue=names("accelerator"),
    ),
    Stage(
        "unstated_capacity",
        training.unstated_capacity,
        needs=names("placement job_flows job_pairs job_routes link_loads arc_balancing free_capacity step"),
        state=names("arc_head link_tier n_members_up n_nodes node_forwards"),
        catalogue=names("general"),
        in_score=False,
    ),
    Stage(
        "unstated_balancing",
        training.unstated_balancing,
        needs=names("placement job_flows link_loads accelerators unstated_capacity"),
        job=names(
            "across_sites exchange_bits_per_parameter gradient_bytes_per_parameter jitter_ratio model "
            "n_fragment_layers n_global_batch n_local_steps n_overlap_steps parallelism "
            "parameter_bytes_per_parameter recompute split sync"
        ),
        sharing=("unstated_speed_ratio",),
        in_score=False,
    ),
    Stage(
        "phases",
        training.phases,
        needs=names(
            "placement step link_loads job_flows job_capacity.gbps job_capacity.efficiency_ratio flow_goodput "
            "accelerators"
        ),
        state=names(
            "arc_head n_cards_in_use n_nodes node_accelerator node_n_accelerators node_n_cards node_n_servers "
            "node_part parts"
        ),
        document=("lossless",),
        job=names("model parallelism recompute"),
        catalogue=names("accelerator card general server switch"),
    ),
    Stage(
        "loss",
        training.loss,
        needs=names("placement step"),
        job=names("model n_local_steps sync"),
        catalogue=names("general"),
    ),
    Stage(
        "arc_load",
        traffic.arc_load,
        needs=names("demands.arc_offered_gbps step link_loads.arc"),
        sharing=("other_gbps",),
        state=names("n_links"),
    ),
    Stage(
        "arc_utilisation",
        traffic.arc_utilisation,
        needs=names("arc_load health.arc_capacity_gbps"),
    ),
    Stage(
        "arc_queue",
        traffic.arc_queue,
        needs=names("demands.arc_carried_gbps health.arc_capacity_gbps health.arc_member_gbps"),
        state=names("n_links"),
        catalogue=names("general"),
    ),
    Stage(
        "worst_round_trip",
        traffic.worst_round_trip,
        needs=names("link_loads demand_routes health.arc_latency_us health.latency"),
    ),
    Stage(
        "interruptions",
        reliability.interruptions,
        needs=names("placement.n_allocated"),
        catalogue=names("accelerator general"),
    ),
    Stage(
        "links_between_sites",
        reliability.links_between_sites,
        needs=names("placement link_loads step.why"),
        state=names("link_ends link_tier n_links node_site sites"),
    ),
    Stage(
        "work_of_sites",
        reliability.work_of_sites,
        needs=names("placement step"),
    ),
    Stage(
        "site_graph",
        reliability.site_graph,
        needs=names("links_between_sites placement health.lit"),
        state=names("link_ends link_tier n_links n_nodes node_forwards node_kind node_site sites"),
    ),
    Stage(
        "outages",
        reliability.outages,
        needs=names("site_graph links_between_sites work_of_sites"),
        state=names(
            "link_booster link_ends link_ids link_launch_dbm link_mux link_n_fibre_pairs "
            "link_protection link_straight_km link_transceiver n_links n_members_up node_ids "
            "node_part parts span_amplifier span_cable span_first span_length_km span_link "
            "span_regenerated span_srlg_code span_srlg_span span_standby srlg_code srlg_link srlgs"
        ),
        catalogue=names("card general mux protection server transceiver"),
        by_ageing=True,
    ),
    Stage(
        "goodput",
        reliability.goodput,
        needs=names("interruptions outages step"),
        job=names("on_site_loss placement recovery"),
        catalogue=names("general"),
        reruns=("step",),
    ),
    Stage(
        "money",
        money.money,
        state=names(
            "link_age_years link_booster link_ends link_ids link_launch_dbm link_mux link_n_fibre_pairs "
            "link_n_parallel link_n_regenerators link_protection link_tier link_transceiver n_nodes "
            "node_accelerator node_age_years node_ids node_kind node_n_accelerators node_n_cards "
            "node_n_servers node_part node_site parts sites span_age_years span_amplifier span_cable "
            "span_fibre span_first span_leased span_length_km span_link span_standby span_undated "
            "srlgs"
        ),
        document=("sites",),
        catalogue=names("accelerator amplifier card fibre general mux prices protection server switch transceiver"),
        before=names(
            "link_age_years link_booster link_ids link_index link_launch_dbm link_mux link_n_fibre_pairs "
            "link_n_parallel link_n_regenerators link_protection link_transceiver node_accelerator node_age_years "
            "node_ids node_index node_n_accelerators node_n_cards node_n_servers node_part parts "
            "span_age_years span_cable span_fibre span_first span_leased span_length_km span_link "
            "span_standby span_undated srlgs"
        ),
    ),
    Stage(
        "usd_per_day",
        money.usd_per_day,
        needs=names("placement money"),
        state=names("node_n_accelerators"),
        catalogue=names("prices"),
    ),
    Stage(
        "list_rental",
        money.list_rental,
        needs=names("placement"),
        catalogue=names("prices"),
    ),
    Stage(
        "lease",
        money.lease,
        needs=names("placement step goodput money"),
        state=names(
            "link_booster link_ends link_launch_dbm link_mux link_n_fibre_pairs link_n_parallel link_n_regenerators "
            "link_protection link_transceiver n_nodes node_accelerator node_kind node_n_accelerators node_n_cards "
            "node_n_servers node_part node_site parts sites span_first"
        ),
        document=("sites",),
        job=names("model parallelism placement precision recompute"),
        catalogue=names("accelerator amplifier card general mux prices protection server switch transceiver"),
        reruns=("step", "goodput"),
    ),
    Stage(
        "year_of_work",
        money.year_of_work,
        state=names(
            "link_booster link_ends link_launch_dbm link_mux link_n_fibre_pairs link_n_parallel link_n_regenerators "
            "link_protection link_transceiver n_nodes node_accelerator node_kind node_n_accelerators node_n_cards "
            "node_n_servers node_part node_site parts sites span_first"
        ),
        document=("sites",),
        job=names("model parallelism precision recompute"),
        catalogue=names("accelerator amplifier card general mux prices protection server switch transceiver"),
        in_score=False,
    ),
    Stage(
        "clean_link_loads",
        training.clean_link_loads,
        needs=names(
            "link_loads job_flows job_pairs split_share cards.rail_split access_class health.lit health.rate_unknown "
            "health.arc_latency_us"
        ),
        state=names(
            "arc_head arc_weight graph in_service link_capacity_gbps link_ends "
            "link_transceiver n_links n_members_up n_nodes node_ids node_kind node_part parts"
        ),
        catalogue=names("card server transceiver"),
        in_score=False,
    ),
    Stage(
        "lit_fabric",
        structure.lit_fabric,
        needs=names("health.lit"),
        state=names("link_ends n_links n_nodes node_forwards node_kind node_up"),
        in_score=False,
    ),
    Stage(
        "partitions",
        structure.partitions,
        needs=names("lit_fabric"),
        in_score=False,
    ),
    Stage(
        "site_paths",
        structure.site_paths,
        needs=names("health.lit"),
        state=names("link_ends n_members_up node_forwards node_site sites"),
        in_score=False,
    ),
    Stage(
        "tiers",
        structure.tiers,
        needs=names("health.arc_capacity_gbps health.lit"),
        state=names("arc_head n_nodes node_ids node_kind"),
        in_score=False,
    ),
    Stage(
        "half_capacity",
        structure.half_capacity,
        needs=names("health.arc_capacity_gbps lit_fabric"),
        state=names("link_ends link_ids n_links n_nodes node_forwards node_kind node_site"),
        in_score=False,
    ),
    Stage(
        "farthest_by_hops",
        structure.farthest_by_hops,
        needs=names("health.lit lit_fabric"),
        state=names("graph n_nodes node_ids"),
        in_score=False,
    ),
    Stage(
        "farthest_by_latency",
        structure.farthest_by_latency,
        needs=names("health.arc_latency_us health.latency health.lit lit_fabric"),
        state=names("graph link_ids n_nodes node_ids"),
        in_score=False,
    ),
)
STAGES = {stage.name: stage for stage in ROWS}
"""Stages by name; each is listed after the stages that it needs."""
