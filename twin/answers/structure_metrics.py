"""Metrics of the structure of a network, which need no traffic."""

from __future__ import annotations

from collections.abc import Callable

from ..stages.evaluation import Evaluation
from ..structure.partitions import Partitions
from .metric import Metric, NotApplicableError


def _partitions(e: Evaluation) -> Partitions:
    found = e.partitions
    if isinstance(found, str):
        raise NotApplicableError(found)
    if not found.n_end_points:
        raise NotApplicableError("no end point is up")
    return found


def n_partitions(e: Evaluation) -> float:
    """Parts of the network that forward among themselves and hold end points of their own; 1 = all are connected."""
    return float(_partitions(e).n_partitions)


def unreachable_pairs_ratio(e: Evaluation) -> float:
    """Share of the pairs of end points that have no path."""
    found = _partitions(e)
    if not found.n_pairs:
        raise NotApplicableError("fewer than two end points")
    return found.n_unreachable_pairs / found.n_pairs


def _n_single_failures(field: str) -> Callable[[Evaluation], float]:
    def compute(e: Evaluation) -> float:
        found = _partitions(e)
        if found.why:
            raise NotApplicableError(found.why)
        return float(len(getattr(found, field)))

    return compute


def n_single_homed_end_points(e: Evaluation) -> float:
    """Racks and hosts that are attached to exactly one node."""
    return float(_partitions(e).n_single_homed)


def n_disjoint_site_paths(e: Evaluation) -> float:
    """Fewest edge-disjoint paths between two sites, members counted."""
    found = e.site_paths
    if isinstance(found, str):
        raise NotApplicableError(found)
    if not found:
        raise NotApplicableError("fewer than two sites have nodes")
    return float(min(found.values()))


def _worst_oversubscription(kind: str) -> Callable[[Evaluation], float]:
    def compute(e: Evaluation) -> float:
        found = e.tiers[kind]
        if isinstance(found, str):
            raise NotApplicableError(found)
        return found.worst_ratio

    return compute


def bisection_gbps(e: Evaluation) -> float:
    """Least capacity between two halves of the end points, one direction; may be an upper bound."""
    found = e.bisection
    if isinstance(found, str):
        raise NotApplicableError(found)
    return found.gbps


def n_diameter_hops(e: Evaluation) -> float:
    """Most hops on the shortest way between two end points."""
    found = e.hop_diameter
    if isinstance(found, str):
        raise NotApplicableError(found)
    return found.value


def latency_diameter_us(e: Evaluation) -> float:
    """Largest latency on the fastest way between two end points, one way, unloaded."""
    found = e.latency_diameter
    if isinstance(found, str):
        raise NotApplicableError(found)
    return found.value


STRUCTURE_METRICS: dict[str, Metric] = {
    "n_partitions": Metric(
        n_partitions,
        "lower",
        "partitions",
        "Parts that forward among themselves and hold end points of their own; a host in two parts does not join them.",
        without_traffic_only=True,
    ),
    "unreachable_pairs_ratio": Metric(
        unreachable_pairs_ratio,
        "lower",
        "pairs without a path",
        "Share of the pairs of end points without a path.",
        without_traffic_only=True,
    ),
    "n_single_points_of_failure": Metric(
        _n_single_failures("single_points"),
        "lower",
        "single points of failure between switches",
        "Forwarding nodes whose loss separates end points that are attached elsewhere.",
        without_traffic_only=True,
    ),
    "n_bridges": Metric(
        _n_single_failures("bridges"),
        "lower",
        "bridges between switches",
        "Links between forwarding nodes whose loss, with all members, separates end points.",
        without_traffic_only=True,
    ),
    "n_single_homed_end_points": Metric(
        n_single_homed_end_points,
        "lower",
        "single-homed end points",
        "Racks and hosts that are attached to exactly one node.",
        without_traffic_only=True,
    ),
    "n_disjoint_site_paths": Metric(
        n_disjoint_site_paths,
        "higher",
        "edge-disjoint paths between sites",
        "Fewest paths between two sites that share no member of a link.",
        without_traffic_only=True,
    ),
    "leaf_oversubscription_ratio": Metric(
        _worst_oversubscription("leaf"),
        "lower",
        "oversubscription of leaves",
        "Capacity from below over capacity to above, of the worst leaf.",
        without_traffic_only=True,
    ),
    "spine_oversubscription_ratio": Metric(
        _worst_oversubscription("spine"),
        "lower",
        "oversubscription of spines",
        "Capacity from below over capacity to above, of the worst spine.",
        without_traffic_only=True,
    ),
    "bisection_gbps": Metric(
        bisection_gbps,
        "higher",
        "bisection",
        "Least capacity between two halves of the end points; exact for Clos fabrics and small networks, else a bound.",
        without_traffic_only=True,
    ),
    "n_diameter_hops": Metric(
        n_diameter_hops,
        "lower",
        "diameter, hops",
        "Most hops on the shortest way between two end points.",
        without_traffic_only=True,
    ),
    "latency_diameter_us": Metric(
        latency_diameter_us,
        "lower",
        "diameter",
        "Largest latency on the fastest way between two end points, one way, unloaded.",
        without_traffic_only=True,
    ),
}
