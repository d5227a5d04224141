"""Stranded capacity: accelerators that a site owns, and what keeps them from useful work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Ints, State
from ..model.document import TopologyDocument


@dataclass(frozen=True, slots=True)
class AcceleratorUse:
    """Accelerators of one site by what they do; the parts add up to `n_owned`, time counted as accelerators."""

    site: str
    n_owned: int
    useful: float
    """Working on the job, restarts left out."""
    leased: float
    """Leased to tenants."""
    no_job: float
    """In service, and neither of the job nor leased."""
    power_or_cooling: float
    """In service and without a job, but beyond what the site can power."""
    out_of_service: float
    """Down, or idled by a lost network card."""
    failures: float
    """Time of the job's accelerators that interruptions, checkpoints and restarts take."""
    network: float
    """Time in which they wait for communication."""
    waiting: float
    """Time in which they wait for slower accelerators or for work: stragglers, pipeline bubbles, uneven splits."""


@dataclass(frozen=True)
class GroupTimes:
    """A group of accelerators of a job at one site."""

    site: str
    n_accelerators: int
    busy_s: float
    """Time of a step in which the group computes."""


def accelerator_use(
    state: State,
    groups: Sequence[GroupTimes],
    step_s: float,
    exposed_comm_s: float,
    goodput_ratio: float,
    n_idled: Mapping[str, int],
    n_leased: Mapping[str, int],
    n_unpowered: Mapping[str, int],
) -> tuple[AcceleratorUse, ...]:
    """Split the accelerators of each site by what they do.

    Args:
        state: nodes of the network.
        groups: groups of the job; empty without one.
        step_s: time of a step.
        exposed_comm_s: time of a step that communication adds.
        goodput_ratio: part of the time that interruptions leave.
        n_idled: accelerators that lost network cards idle, by site.
        n_leased: accelerators that tenants have, by site; at most those that are in service and not of the job.
        n_unpowered: accelerators beyond what the site can power, by site; at most those without a job or tenant.

    Returns:
        One row for each site that owns accelerators, by id.
    """
    owned, up = (_by_site(state, mask) for mask in (np.ones(state.n_nodes, np.bool_), state["node_up"]))
    rows = []
    for code, site in enumerate(state.arrays.sites):
        if not owned[code]:
            continue
        own = [group for group in groups if group.site == site]
        n_used = sum(group.n_accelerators for group in own)
        out = int(owned[code] - up[code]) + n_idled.get(site, 0)
        useful = network = waiting = failures = 0.0
        for group in own:
            n = group.n_accelerators
            busy = goodput_ratio * n * min(group.busy_s / step_s, 1.0)
            blocked = min(goodput_ratio * n * exposed_comm_s / step_s, goodput_ratio * n - busy)
            useful, network = useful + busy, network + blocked
            waiting += goodput_ratio * n - busy - blocked
            failures += n - goodput_ratio * n
        leased = min(n_leased.get(site, 0), int(owned[code]) - out - n_used)
        idle = int(owned[code]) - out - n_used - leased
        dark = min(n_unpowered.get(site, 0), idle)
        rows.append(
            AcceleratorUse(
                site=site,
                n_owned=int(owned[code]),
                useful=useful,
                leased=float(leased),
                no_job=float(idle - dark),
                power_or_cooling=float(dark),
                out_of_service=float(out),
                failures=failures,
                network=network,
                waiting=waiting,
            )
        )
    return tuple(rows)


def accelerators_by_site(state: State, document: TopologyDocument) -> dict[str, int]:
    """Return the accelerators that each site of a document owns, in service or not."""
    owned = dict.fromkeys((site.id for site in document.sites), 0)
    counts = _by_site(state, np.ones(state.n_nodes, np.bool_))
    return owned | dict(zip(state.arrays.sites, counts.tolist(), strict=True))


def _by_site(state: State, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Ints:
    at_site = mask & (state["node_site"] >= 0)
    counts = np.zeros(len(state.arrays.sites), dtype=np.int64)
    np.add.at(counts, state["node_site"][at_site], state["node_n_accelerators"][at_site])
    return counts
