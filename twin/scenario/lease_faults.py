"""Faults of leases: more accelerators leased than a site has, and jobs on accelerators that tenants have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from fnmatch import fnmatchcase

import numpy as np

from ..arrays import State
from ..economics.stranded import accelerators_by_site
from ..model.document import TopologyDocument
from ..model.jobs import Placement, TrainingJob
from ..model.lease_rules import busiest_day, runs_on
from ..render.quantities import names_text
from .build_fault import BuildFault


def lease_faults(state: State, document: TopologyDocument, job: TrainingJob | None = None) -> dict[str, BuildFault]:
    """Find sites that lease more than they have, and jobs on accelerators that tenants have, by key.

    The day of the document counts, and each later day on which a lease starts.

    Args:
        state: nodes of the network.
        document: jobs, and leases.
        job: the job that runs, in place of that of the document with its id; only jobs that the document runs together
            with it are looked at beside it. None = all jobs of the document.
    """
    first = document.as_of or date.min
    faults: dict[str, BuildFault] = {}
    if not document.leases:
        return faults
    owned = accelerators_by_site(state, document)
    for site in sorted({lease.site for lease in document.leases}):
        busiest, n_let = busiest_day(document.leases, site, first, owned.get(site, 0))
        if n_let > owned.get(site, 0):
            faults[f"leases {site}"] = BuildFault(
                f"sites[{site}]",
                "n_accelerators",
                float(n_let),
                float(owned.get(site, 0)),
                f"{n_let:,} accelerators leased to {_tenants(document, site, busiest)}; {site} has {owned[site]:,}",
                "lease fewer accelerators, or end a lease",
            )
    for placed in document.jobs if job is None else jobs_running(document, job):
        for site, n in sorted(_taken(state, placed).items()):
            n_owned = owned.get(site, 0)
            busiest, n_let = busiest_day(document.leases, site, first, n_owned)
            if n_let and n + n_let > n_owned:
                from_day = f" from {busiest.isoformat()} on" if busiest > first else ""
                faults[f"leased {placed.id} {site}"] = BuildFault(
                    f"jobs[{placed.id}].placement[{site}]",
                    "n_accelerators",
                    float(n),
                    float(n_owned - n_let),
                    f"{n:,} accelerators of the job and {n_let:,} of {_tenants(document, site, busiest)}{from_day}; "
                    f"{site} has {n_owned:,}",
                    f"place at most {max(n_owned - n_let, 0):,} there, or end a lease",
                )
    return faults


def n_free_at(state: State, document: TopologyDocument, site: str, jobs: Sequence[TrainingJob]) -> int:
    """Return the accelerators of a site in service that neither jobs nor, on the day or later, a tenant has.

    Args:
        state: nodes of the network.
        document: its leases.
        site: id of the site.
        jobs: the jobs that run.
    """
    if site not in state.sites:
        return 0
    at_site = (state["node_site"] == state.sites.index(site)) & state["node_up"]
    n_up = int(state["node_n_accelerators"][at_site].sum())
    _, n_let = busiest_day(document.leases, site, document.as_of or date.min, n_up)
    return max(n_up - n_let - sum(_taken(state, job)[site] for job in jobs), 0)


def _taken(state: State, job: TrainingJob) -> Counter[str]:
    """Return the accelerators of a job by site; a placement without a number takes all that match it."""
    taken: Counter[str] = Counter()
    for placement in job.placement:
        taken[placement.site] += placement.n_accelerators or _n_matching(state, placement)
    return taken


def jobs_running(document: TopologyDocument, job: TrainingJob) -> Iterator[TrainingJob]:
    """Yield a job, and those that its document runs together with it."""
    beside = {name for jobs in document.jobs_together if job.id in jobs for name in jobs}
    yield from (job if known.id == job.id else known for known in document.jobs if known.id in {job.id, *beside})


def _tenants(document: TopologyDocument, site: str, day: date) -> str:
    return names_text([lease.tenant for lease in document.leases if lease.site == site and runs_on(lease, day)])


def _n_matching(state: State, placement: Placement) -> int:
    """Accelerators at the site of a placement without a number, of its kind and racks."""
    if placement.site not in state.sites:
        return 0
    rows = np.flatnonzero(
        (state["node_site"] == state.sites.index(placement.site)) & (state["node_n_accelerators"] > 0)
    )
    return sum(
        int(state["node_n_accelerators"][row])
        for row in rows
        if (placement.racks is None or fnmatchcase(state.arrays.node_ids[row], placement.racks))
        and placement.accelerator in (None, state.part_id(int(state["node_accelerator"][row])))
    )
