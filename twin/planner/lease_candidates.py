"""Candidates of leases: a tenant for what the job leaves free of a site, or for a site that the job leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..economics.stranded import accelerators_by_site
from ..model.records import Site
from ..render.quantities import usd_text
from ..scenario.lease_faults import jobs_running, n_free_at
from .candidate import Candidate
from .job_candidates import leave
from .link_candidates import candidate
from .situation import Situation


def lease(found: Situation) -> Iterator[Candidate]:
    """Leasing what is free beside the job of each site with a lease price, or all of it once the job has left it.

    The tenant is not known yet: no notice and no term is stated, so that no part of the rent is firm.
    """
    case = found.scenario.case
    owned = accelerators_by_site(case.state, case.document)
    jobs = [] if found.job is None else list(jobs_running(case.document, found.job))
    leaving = {item.id for item in leave(found)}
    for site in case.document.sites:
        if not site.lease_usd_per_month:
            continue
        n_beside = n_free_at(case.state, case.document, site.id, jobs)
        if n_beside:
            note = f"{n_beside:,} of {owned[site.id]:,} accelerators are free"
            yield _lease(found, site, f"lease {n_beside:,} of {site.id}", n_beside, owned[site.id], note)
        need = f"leave {site.id}"
        others = [job for job in jobs if found.job is None or job.id != found.job.id]
        n_left = n_free_at(case.state, case.document, site.id, others)
        if need in leaving and n_left > n_beside:
            note = f"{n_left:,} of {owned[site.id]:,} accelerators are free once the job has left"
            row = _lease(found, site, f"lease {n_left:,} of {site.id}", n_left, owned[site.id], note)
            yield replace(row, needs=(need,))


def _lease(found: Situation, site: Site, name: str, n: int, n_owned: int, note: str) -> Candidate:
    rent = (site.lease_usd_per_month or 0.0) * n / n_owned
    record: dict[str, Any] = {"tenant": "new tenant", "site": site.id, "n_accelerators": n, "usd_per_month": rent}
    if found.scenario.case.document.as_of is not None:
        record["start"] = found.scenario.case.document.as_of.isoformat()
    change = {"kind": "add_lease", "lease": record}
    text = f"{note}; {usd_text(rent)} a month at the price of the site, with no term stated"
    return candidate(name, "lease", text, [change], slot=f"lease {site.id}")
