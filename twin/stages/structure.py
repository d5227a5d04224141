"""Stages of structure: what holds without traffic. Only questions about the structure run them."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ..optics.link_health import unknown_lengths
from ..structure.bisection import Bisection, bisection
from ..structure.diameter import Diameter, hop_diameter, latency_diameter
from ..structure.fabric import Fabric, TooLargeError, fabric_of
from ..structure.partitions import Partitions, find_partitions
from ..structure.site_paths import disjoint_site_paths
from ..structure.tiers import TIERS_WITH_UPLINKS, Oversubscription, oversubscription
from .stage import Inputs

P = ParamSpec("P")
FoundT = TypeVar("FoundT")


def _found_or_why(find: Callable[P, FoundT], *args: P.args, **options: P.kwargs) -> FoundT | str:
    """Return what a function finds, or why the network is too large for it."""
    try:
        return find(*args, **options)
    except TooLargeError as error:
        return str(error)


def lit_fabric(inputs: Inputs) -> Fabric | str:
    """Collect the lit links and the end points, or say why not."""
    return _found_or_why(fabric_of, inputs.state, inputs["health.lit"])


def partitions(inputs: Inputs) -> Partitions | str:
    """Find partitions, single points of failure and bridges, or say why not."""
    fabric = inputs["lit_fabric"]
    return fabric if isinstance(fabric, str) else _found_or_why(find_partitions, fabric)


def site_paths(inputs: Inputs) -> dict[tuple[str, str], int] | str:
    """Count the edge-disjoint paths between each two sites, or say why not."""
    return _found_or_why(disjoint_site_paths, inputs.state, inputs["health.lit"])


def tiers(inputs: Inputs) -> dict[str, Oversubscription | str]:
    """Compute the oversubscription by kind of switch, or say why there is none."""
    capacity_gbps = inputs["health.arc_capacity_gbps"]
    return {
        kind: oversubscription(inputs.state, inputs["health.lit"], capacity_gbps, kind) for kind in TIERS_WITH_UPLINKS
    }


def half_capacity(inputs: Inputs) -> Bisection | str:
    """Compute the bisection or a bound, or say why not."""
    fabric = inputs["lit_fabric"]
    if isinstance(fabric, str):
        return fabric
    return _found_or_why(bisection, inputs.state, fabric, inputs["health.arc_capacity_gbps"])


def farthest_by_hops(inputs: Inputs) -> Diameter | str:
    """Find the end points with the most hops between them, or say why not."""
    fabric = inputs["lit_fabric"]
    if isinstance(fabric, str):
        return fabric
    found = _found_or_why(hop_diameter, inputs.state, inputs["health.lit"], fabric)
    return "no two end points have a path" if found is None else found


def farthest_by_latency(inputs: Inputs) -> Diameter | str:
    """Find the end points with the most latency between them, or say why not."""
    fabric, lit = inputs["lit_fabric"], inputs["health.lit"]
    if isinstance(fabric, str):
        return fabric
    unknown = inputs["health.latency"].length_unknown & lit
    if unknown.any():
        return unknown_lengths(inputs.state, unknown)
    found = _found_or_why(latency_diameter, inputs.state, lit, fabric, inputs["health.arc_latency_us"])
    if isinstance(found, Diameter) and found.value == 0.0:
        return "no link between end points states a length or a latency, and no switch has one"
    return "no two end points have a path" if found is None else found
