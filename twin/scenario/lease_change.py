"""Change that leases accelerators of a site out."""

from __future__ import annotations

from typing import ClassVar, Literal

from ..errors import ChangeError
from ..model.document import TopologyDocument
from ..model.jobs import TrainingJob
from ..model.lease_rules import lease_issues
from ..model.leases import SiteLease, lease_key
from .change import Context, Fields, WorkloadChange

ANY_NUMBER = 10**9
"""Accelerators of a site before all changes are applied: as many as a lease can have."""


class AddLease(WorkloadChange):
    """Lease accelerators of a site to a tenant.

    More than the site has beside other leases and the job is refused. Only jobs that run together with it count, too.
    """

    kind: Literal["add_lease"] = "add_lease"
    example: ClassVar[Fields] = {
        "lease": {
            "tenant": "new tenant",
            "site": "c1",
            "n_accelerators": 8032,
            "usd_per_month": 45.6e6,
            "start": "2026-11-01",
            "term_days": 180,
            "notice_days": 90,
            "cancellable_from_day": 0,
        }
    }
    lease: SiteLease
    """The lease, with the fields of the records of `leases`."""

    def edit_workload(
        self, document: TopologyDocument, job: TrainingJob | None, context: Context
    ) -> tuple[TopologyDocument, TrainingJob | None]:
        """Return the document with the lease; what the site has is checked once all changes are applied."""
        for issue in lease_issues([self.lease], dict.fromkeys((site.id for site in document.sites), ANY_NUMBER)):
            field = issue.where.rpartition(".")[2]
            raise ChangeError(issue.problem, where=f"{context.where}.lease.{field}", hint=issue.hint)
        leases = tuple(sorted((*document.leases, self.lease), key=lease_key))
        return document.model_copy(update={"leases": leases}), job
