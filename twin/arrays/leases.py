"""Leases against the accelerators of their sites."""

from __future__ import annotations

from ..errors import TopologyError
from ..errors.wording import counted
from ..model.document import TopologyDocument
from ..model.lease_rules import lease_issues
from .columns import NetworkArrays


def check_leases(arrays: NetworkArrays, document: TopologyDocument) -> None:
    """Check leases against what the sites own.

    Raises:
        TopologyError: unknown sites, or more accelerators leased than there are.
    """
    if not document.leases:
        return
    owned = {site.id: 0 for site in document.sites}
    for site, n in zip(arrays.node_site.tolist(), arrays.node_n_accelerators.tolist(), strict=True):
        if site >= 0:
            owned[arrays.sites[site]] += n
    found = list(lease_issues(document.leases, owned))
    if found:
        raise TopologyError(f"{counted(len(found), 'fault')} in the leases", where=document.name, found=found)
