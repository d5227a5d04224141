"""Number of flows per pair that a measured bus bandwidth implies."""

from __future__ import annotations

from dataclasses import dataclass

from ..model.records import BalancingName
from .balancing_modes import MODES, Flows
from .hash_groups import HashedRoutes

MAX_FLOWS_PER_PAIR = 4096


@dataclass(frozen=True, slots=True)
class ImpliedFlows:
    """Flows per pair that explain a measured efficiency; None where no number up to 4,096 does."""

    n_flows_per_pair: int | None
    """Least number whose mean efficiency is the measured one."""
    n_if_lucky: int | None
    """Least number if the job drew better hashes than nine of ten."""
    n_if_unlucky: int | None
    """Least number if the job drew worse hashes than nine of ten."""


def implied_flows(
    routes: HashedRoutes, measured_busbw_gbps: float, even_busbw_gbps: float, mode: BalancingName = "ecmp"
) -> ImpliedFlows:
    """Find the flows per pair at which hashing explains a measured bus bandwidth of an all-reduce.

    Args:
        routes: routes of the pattern that was measured.
        measured_busbw_gbps: bus bandwidth as NCCL tests report it.
        even_busbw_gbps: bus bandwidth of the same collective if all links were evenly loaded.
        mode: load balancing of the fabric.
    """
    wanted = measured_busbw_gbps / even_busbw_gbps
    found: dict[float | None, int | None] = {}
    for job_ratio in (None, 0.1, 0.9):
        found[job_ratio] = _least_flows(routes, wanted, mode, job_ratio)
    return ImpliedFlows(found[None], found[0.9], found[0.1])


def _least_flows(routes: HashedRoutes, wanted: float, mode: BalancingName, job_ratio: float | None) -> int | None:
    """Least number of flows with the wanted efficiency; doubled until one is found, then halved."""

    def reached(n: int) -> bool:
        times = MODES[mode].times(routes, Flows(n))
        got = times.mean_efficiency_ratio if job_ratio is None else times.efficiency_ratio(job_ratio)
        return got >= wanted - 1e-12

    high = 1
    while not reached(high):
        high *= 2
        if high > MAX_FLOWS_PER_PAIR:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        if reached(middle):
            high = middle
        else:
            low = middle
    return high
