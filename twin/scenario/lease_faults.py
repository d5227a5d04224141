"""Faults of leases: a job on accelerators that tenants have."""

from __future__ import annotations

from collections import Counter
from datetime import date
from fnmatch import fnmatchcase

import numpy as np

from ..arrays import State
from ..economics.stranded import accelerators_by_site
from ..model.document import TopologyDocument
from ..model.jobs import Placement, TrainingJob
from ..model.lease_rules import n_leased_on, runs_on
from ..render.quantities import names_text
from .build_fault import BuildFault


def lease_faults(state: State, document: TopologyDocument, job: TrainingJob | None = None) -> dict[str, BuildFault]:
    """Find jobs that take accelerators which tenants have on the day of the document, by key.

    Args:
        state: nodes of the network.
        document: jobs, and leases.
        job: job in place of that of the document with its id; None = those of the document.
    """
    day = document.as_of or date.min
    leases = [lease for lease in document.leases if runs_on(lease, day)]
    faults: dict[str, BuildFault] = {}
    if not leases:
        return faults
    owned = accelerators_by_site(state, document)
    for known in document.jobs:
        placed = job if job is not None and job.id == known.id else known
        taken: Counter[str] = Counter()
        for placement in placed.placement:
            taken[placement.site] += placement.n_accelerators or _n_matching(state, placement)
        for site, n in sorted(taken.items()):
            n_owned, n_let = owned.get(site, 0), n_leased_on(leases, site, day, owned.get(site, 0))
            if n_let and n + n_let > n_owned:
                tenants = names_text([lease.tenant for lease in leases if lease.site == site])
                faults[f"leased {placed.id} {site}"] = BuildFault(
                    f"jobs[{placed.id}].placement[{site}]",
                    "n_accelerators",
                    float(n),
                    float(n_owned - n_let),
                    f"{n:,} accelerators of the job and {n_let:,} of {tenants}; {site} has {n_owned:,}",
                    f"place at most {n_owned - n_let:,} there, or end a lease",
                )
    return faults


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
