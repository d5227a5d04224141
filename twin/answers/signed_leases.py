"""Leases that are signed together with a plan: checked against what sites have and the job needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ..economics.stranded import accelerators_by_site
from ..errors import ChangeError
from ..errors.wording import counted
from ..model.lease_rules import lease_issues, n_leased_on
from ..model.leases import SiteLease
from ..model.validation import validate_as
from ..stages.evaluation import Evaluation

MAX_SIGNED = 1000


def signed_leases(data: Sequence[Any], e: Evaluation) -> tuple[SiteLease, ...]:
    """Return the leases that a plan signs.

    Args:
        data: leases as records, or as mappings with their fields.
        e: evaluation of the network after the plan.

    Raises:
        DocumentError: bad fields, all of them.
        ChangeError: an unknown site, or more accelerators than a site has beside its leases and the job.
    """
    if len(data) > MAX_SIGNED:
        raise ChangeError(f"{len(data)} leases", where="leases", expected=f"at most {MAX_SIGNED}")
    plain = [dict(item) if isinstance(item, Mapping) else item for item in data]
    signed = tuple(
        item if isinstance(item, SiteLease) else validate_as(SiteLease, item, "leases", prefix=f"leases[{i}]")
        for i, item in enumerate(plain)
    )
    owned = accelerators_by_site(e.case.state, e.case.document)
    together = (*signed, *e.case.document.leases)
    for issue in lease_issues(together, owned):
        raise ChangeError(issue.problem, where=_place(issue.where, signed, together), hint=issue.hint)
    used: Counter[str] = Counter()
    for group in e.placed.groups if e.placed is not None else ():
        used[group.site] += len(group.rack)
    for i, lease in enumerate(signed):
        day = lease.start or e.case.document.as_of or date.min
        n = n_leased_on(together, lease.site, day, owned[lease.site])
        if n + used[lease.site] > owned[lease.site]:
            raise ChangeError(
                f"{counted(n, 'accelerator')} leased, and {used[lease.site]:,} of the job",
                where=f"leases[{i}].n_accelerators",
                expected=f"at most {owned[lease.site]:,} at {lease.site} together",
            )
    return signed


def _place(where: str, signed: Sequence[SiteLease], together: Sequence[SiteLease]) -> str:
    """Return the place of a fault among the leases that are signed: that of the same site for one of the document."""
    number, end, field = where.removeprefix("leases[").partition("]")
    site = together[int(number)].site
    same = [i for i, lease in enumerate(signed) if i == int(number) or lease.site == site]
    return where if int(number) < len(signed) or not same else f"leases[{same[0]}{end}{field}"
