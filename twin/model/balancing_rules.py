"""Rules of load balancing records: settings that belong to the mode, scopes that exist and stand once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from ..errors import Issue, did_you_mean
from .records import LoadBalancing


def balancing_issues(records: Collection[LoadBalancing], node_ids: Collection[str]) -> Iterator[Issue]:
    """Find faults of load balancing records.

    Args:
        records: records of a document.
        node_ids: ids of all nodes, fabrics expanded.
    """
    prefixes = {node_id.partition("/")[0] for node_id in node_ids if "/" in node_id} if records else set()
    for i, record in enumerate(records):
        where = f"load_balancing[{i}]"
        yield from _setting_issues(record, where)
        if record.fabric is not None and record.fabric not in prefixes:
            known = ", ".join(sorted(prefixes)[:10]) or "none"
            hint = did_you_mean(record.fabric, prefixes) or f"known: {known}"
            yield Issue(f"{where}.fabric", f"no node id starts with {record.fabric + '/'!r}", hint)
    for (tier, fabric), n in Counter((record.tier, record.fabric) for record in records).items():
        if n > 1:
            scope = ", ".join([f"tier {tier}"] * (tier is not None) + [f"fabric {fabric}"] * (fabric is not None))
            yield Issue(
                "load_balancing", f"{n} records for {scope or 'the whole network'}", "one record for each scope"
            )


def _setting_issues(record: LoadBalancing, where: str) -> Iterator[Issue]:
    """Find settings that the mode does not have, or lacks."""
    if record.mode == "flowlet" and record.n_rehashes is None:
        yield Issue(
            f"{where}.n_rehashes", "flowlet needs the number of segments of a flow", "for example n_rehashes: 8"
        )
    if record.mode != "flowlet" and record.n_rehashes is not None:
        yield Issue(f"{where}.n_rehashes", f"is a setting of flowlet, not of {record.mode}", "remove it")
    if record.mode != "spray" and record.efficiency_ratio is not None:
        hint = "remove it: the efficiency of hashed flows is computed"
        yield Issue(f"{where}.efficiency_ratio", f"is a setting of spray, not of {record.mode}", hint)
    if record.mode == "spray" and record.n_flows_per_pair is not None:
        yield Issue(f"{where}.n_flows_per_pair", "has no effect on spray", "remove it")
