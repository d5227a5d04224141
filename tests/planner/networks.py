"""Small networks and an obvious planner for tests: every subset is asked as a what-if."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import twin
from twin.answers.metrics import METRICS
from twin.errors import TwinError
from twin.network import Network
from twin.planner.choice import SAME_RATIO
from twin.planner.question import UNCHANGED_DEMAND, Keep, parse_keep

RING = ("a", "b", "c", "d")


def ring(offered_gbps: Sequence[float], **fields: Any) -> Network:
    """Return four switches in a ring of 400G links, with demands from each to the next but one."""
    links = [{"id": f"{a}{b}", "ends": [a, b], "transceiver": "400G-DR4"} for a, b in zip(RING, "bcda", strict=True)]
    demands = [
        {"id": f"d{i}", "source": RING[i], "target": RING[(i + 2) % 4], "offered_gbps": gbps}
        for i, gbps in enumerate(offered_gbps)
    ]
    nodes = [{"id": name, "kind": "switch", "site": f"s-{name}"} for name in RING]
    sites = [{"id": f"s-{name}"} for name in RING]
    return twin.from_document({"sites": sites, "nodes": nodes, "links": links, "demands": demands, **fields})


def more(link: str, n: int = 2) -> dict[str, Any]:
    """Return a candidate of more members."""
    return {
        "id": f"{link} x{n}",
        "changes": [{"kind": "set_channels", "links": link, "n_parallel": n}],
    }


def faster(link: str) -> dict[str, Any]:
    """Return a candidate of faster transceivers."""
    return {"id": f"{link} 800G", "changes": [{"kind": "set_transceivers", "links": link, "part": "800G-DR8"}]}


def chord(a: str, b: str) -> dict[str, Any]:
    """Return a candidate of a new link."""
    link = {"id": f"{a}{b}-new", "ends": [a, b], "transceiver": "400G-DR4"}
    return {"id": f"chord {a}{b}", "changes": [{"kind": "add_link", "link": link}]}


@dataclass(frozen=True)
class Naive:
    """The best set by asking every what-if."""

    members: frozenset[str]
    goal: float
    capex_usd: float


def naive_plan(
    network: Network,
    candidates: Sequence[Mapping[str, Any]],
    goal: str,
    budget_usd: float,
    keeps: Sequence[str] = (),
) -> Naive | None:
    """Return the least expensive of the sets that are as good as the best one within the budget.

    Carried demand does not fall, and demand without a path does not grow, unless a condition names it.
    """
    today = network.score(main_assumptions=False)
    named = {parse_keep(text).metric for text in keeps}
    unchanged = [
        Keep(metric, sense, value, is_default=True)
        for metric, sense in UNCHANGED_DEMAND.items()
        if metric not in named and metric in today and (value := today[metric]) is not None
    ]
    found = []
    for size in range(len(candidates) + 1):
        for members in combinations(candidates, size):
            kinds = [(change["kind"], str(change.get("links"))) for item in members for change in item["changes"]]
            if len(set(kinds) - {("add_link", "None")}) < sum(kind != ("add_link", "None") for kind in kinds):
                continue
            try:
                changes = [change for item in members for change in item["changes"]]
                after = network.what_if(changes, main_assumptions=False).after
            except TwinError:
                continue
            value = after[goal]
            conditions = [*map(parse_keep, keeps), *unchanged]
            held = all(keep.holds(after[keep.metric]) for keep in conditions)
            if value is not None and (after["capex_usd"] or 0.0) <= budget_usd and held:
                names = frozenset(str(item["id"]) for item in members)
                found.append(Naive(names, value, after["capex_usd"] or 0.0))
    if not found:
        return None
    sign = 1.0 if METRICS[goal].better == "lower" else -1.0
    best = min(sign * row.goal for row in found)
    as_good = [row for row in found if sign * row.goal <= best + SAME_RATIO * abs(best)]
    return min(as_good, key=lambda row: (row.capex_usd, float(f"{sign * row.goal:.8e}"), len(row.members)))
