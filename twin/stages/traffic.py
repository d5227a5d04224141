"""Stages of traffic: split weights, routes, loads and queues of demands, load and utilisation of arcs."""

from __future__ import annotations

import numpy as np

from ..arrays import LAST_END_POINT, Bools, Floats, Ints, at_an_end
from ..arrays.wcmp_groups import WcmpTable
from ..model.demand_columns import demand_pairs as pairs_of
from ..traffic.congestion import DemandLoads, arc_queue_us, arc_utilisation_ratio, load_demands
from ..traffic.matrix_routes import MatrixRoutes
from ..traffic.network_cards import CardPorts
from ..traffic.network_cards import card_ports as ports_of_cards
from ..traffic.network_cards import fabric_parts as parts_of_fabric
from ..traffic.routing import Router, links_with_share
from ..training.step_inputs import UnitLinkLoads
from .outcomes import NodePairs, StepOutcome
from .stage import Inputs


def split_share(inputs: Inputs) -> Floats:
    """Compute the split weight of each arc, float64[2 * n_links]: its members (ecmp), or its capacity (wcmp)."""
    n_members = np.repeat(inputs.state.n_members_up, 2)
    if inputs.document.routing == "ecmp":
        return np.asarray(n_members, dtype=np.float64)
    # links of unknown rate take part; the result is then reported as unknown
    return np.where(np.repeat(inputs["health.rate_unknown"], 2), n_members, inputs["health.arc_capacity_gbps"])


def routed_links(inputs: Inputs) -> Bools:
    """Find the links that carry traffic; bool[n_links]."""
    return np.asarray(inputs["health.lit"] & links_with_share(inputs["split_share"]))


def access_class(inputs: Inputs) -> Ints:
    """Number the distinct round trips over cables of racks and hosts, ascending; int64[n_links], equal = alike.

    Racks whose cables differ are not attached alike. How much they differ does not matter, so that other latencies
    with the same differences leave the routes as they are.
    """
    state, latency_us = inputs.state, inputs["health.arc_latency_us"]
    at_rack = at_an_end(state["node_kind"][state["link_ends"]] <= LAST_END_POINT)
    round_trip_us = np.where(at_rack, latency_us[0::2] + latency_us[1::2], 0.0)
    # as `return_inverse` of `np.unique`, which sorts positions and so takes twice as long
    return np.asarray(np.searchsorted(np.unique(round_trip_us), round_trip_us), dtype=np.int64)


def router(inputs: Inputs) -> Router:
    """Build the router of one set of links; its cached distances and traces depend on its inputs alone."""
    return Router(inputs.state, inputs["routed_links"], inputs["access_class"])


def card_ports(inputs: Inputs) -> CardPorts:
    """Collect the ports of the network cards of all racks and hosts."""
    return ports_of_cards(inputs.state)


def fabric_parts(inputs: Inputs) -> Ints:
    """Label the nodes that reach each other over links that carry traffic; int64[n_nodes]."""
    return parts_of_fabric(inputs.state, inputs["routed_links"])


def demand_pairs(inputs: Inputs) -> NodePairs | None:
    """Collect the node pairs of the document's demands; demands of one pair add up. None without demands."""
    demands = inputs.document.demands
    return NodePairs(*pairs_of(demands, inputs.state.node_index)) if demands else None


def wcmp_table(inputs: Inputs) -> WcmpTable | None:
    """Convert the WCMP groups of the document to arrays; None without any."""
    return WcmpTable.of(inputs.state, inputs.document.wcmp_groups)


def demand_routes(inputs: Inputs) -> MatrixRoutes | None:
    """Find the routes of the demands, destination by destination; None without demands."""
    pairs: NodePairs | None = inputs["demand_pairs"]
    if pairs is None:
        return None
    share, groups = inputs["split_share"], inputs["wcmp_table"]
    return MatrixRoutes(inputs.state, inputs["router"], share, pairs.source, pairs.target, groups)


def demands(inputs: Inputs) -> DemandLoads | None:
    """Compute the loads of the demands, max-min fair where arcs are overloaded; None without demands."""
    pairs: NodePairs | None = inputs["demand_pairs"]
    if pairs is None:
        return None
    capacity_gbps, by_rate = inputs["health.arc_capacity_gbps"], inputs.document.routing == "wcmp"
    return load_demands(inputs["demand_routes"], pairs.offered_gbps, capacity_gbps, split_by_rate=by_rate)


def arc_load(inputs: Inputs) -> Floats:
    """Compute the offered Gb/s by arc: demands, and the bits of the job and of jobs beside it, averaged over a step."""
    load_gbps = np.zeros(2 * inputs.state.n_links)
    offered_gbps: Floats | None = inputs["demands.arc_offered_gbps"]
    if offered_gbps is not None:
        load_gbps += offered_gbps
    result: StepOutcome = inputs["step"]
    if result.step is not None:
        load_gbps[inputs["link_loads.arc"]] += result.step.arc_bits / result.step.step_time_s / 1e9
    if inputs.sharing is not None:
        load_gbps += inputs.sharing.other_gbps
    return load_gbps


def arc_utilisation(inputs: Inputs) -> Floats:
    """Compute offered load over capacity by arc."""
    return arc_utilisation_ratio(inputs["arc_load"], inputs["health.arc_capacity_gbps"])


def arc_queue(inputs: Inputs) -> Floats:
    """Compute the mean queueing delay that the demands cause by arc, µs."""
    carried_gbps: Floats | None = inputs["demands.arc_carried_gbps"]
    if carried_gbps is None:
        return np.zeros(2 * inputs.state.n_links)
    ratio = arc_utilisation_ratio(carried_gbps, inputs["health.arc_capacity_gbps"])
    return arc_queue_us(ratio, inputs["health.arc_member_gbps"], inputs.reader.general("packet_bytes"))


def worst_round_trip(inputs: Inputs) -> float | None:
    """Compute the round trip over the slowest path of the job, else of the demands, µs; back over the same links.

    None without either, and where the traffic uses a link of unknown length.
    """
    loads: UnitLinkLoads | None = inputs["link_loads"]
    length_unknown: Bools = inputs["health.latency"].length_unknown
    if loads is not None:
        return None if length_unknown[loads.arc // 2].any() else loads.worst_round_trip_us
    routes: MatrixRoutes | None = inputs["demand_routes"]
    if routes is None:
        return None
    both_ways_us = np.asarray(inputs["health.arc_latency_us"]).reshape(-1, 2).sum(axis=1)
    arc_us = np.repeat(np.where(length_unknown, np.inf, both_ways_us), 2)
    worst_us = routes.worst_latency_us(arc_us)[routes.reachable].max(initial=-np.inf)
    return float(worst_us) if np.isfinite(worst_us) else None
