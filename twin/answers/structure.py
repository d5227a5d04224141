"""Structure of a network as part of a score, and the sentences about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..arrays import Ints
from ..errors.wording import counted
from ..render.numbers import number_text
from ..render.quantities import change_percent_text, is_noise, names_text, percent_text
from ..stages.evaluation import Evaluation
from ..structure.bisection import Bisection
from ..structure.diameter import Diameter
from ..structure.partitions import Partitions
from ..structure.tiers import Oversubscription

MAX_NAMES = 100
"""Single points of failure and bridges that are listed by id."""
MAX_SITE_PAIRS = 1000


@dataclass(frozen=True, slots=True)
class SitePaths:
    """Edge-disjoint paths between two sites, members of links counted."""

    source: str
    target: str
    n_paths: int


@dataclass(frozen=True, slots=True)
class TierOversubscription:
    """Capacity from below over capacity to above, of the switches of one kind that have both."""

    kind: str
    n_nodes: int
    worst_ratio: float | None
    """Null where it grows without bound."""
    median_ratio: float | None
    worst_node: str


@dataclass(frozen=True, slots=True)
class FarthestPair:
    """The two end points that are farthest apart."""

    source: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """What a network is without traffic; lists of ids are bounded, the metrics count all."""

    end_points: str
    """What the end points are: host, rack, storage node, end point (several of these), leaf or node."""
    n_end_points: int
    single_points_of_failure: tuple[str, ...]
    bridges: tuple[str, ...]
    site_paths: tuple[SitePaths, ...]
    """Pairs of sites, those with the fewest paths first."""
    oversubscription: tuple[TierOversubscription, ...]
    bisection_status: Literal["exact", "upper bound"] | None
    """Null where there is no bisection; the metric says why."""
    bisection_method: str
    farthest_by_hops: FarthestPair | None
    farthest_by_latency: FarthestPair | None


def has_traffic(e: Evaluation) -> bool:
    """Whether a case has a job or demands."""
    return e.case.job is not None or bool(e.case.document.demands)


def structure_of(e: Evaluation) -> Structure:
    """Return the structure of a case."""
    partitions, bisection, paths = e.partitions, e.bisection, e.site_paths
    state = e.case.state
    found = partitions if isinstance(partitions, Partitions) else None
    by_number = sorted(paths.items(), key=lambda item: (item[1], item[0])) if isinstance(paths, dict) else []
    return Structure(
        end_points=found.kind if found else "end point",
        n_end_points=found.n_end_points if found else 0,
        single_points_of_failure=_ids(state.node_ids, found.single_points) if found else (),
        bridges=_ids(state.link_ids, found.bridges) if found else (),
        site_paths=tuple(SitePaths(a, b, n) for (a, b), n in by_number[:MAX_SITE_PAIRS]),
        oversubscription=tuple(_tier(tier) for tier in e.tiers.values() if isinstance(tier, Oversubscription)),
        bisection_status=bisection.status if isinstance(bisection, Bisection) else None,
        bisection_method=bisection.method if isinstance(bisection, Bisection) else "",
        farthest_by_hops=_pair(e.hop_diameter),
        farthest_by_latency=_pair(e.latency_diameter),
    )


def _ids(names: Sequence[str], rows: Ints) -> tuple[str, ...]:
    return tuple(names[row] for row in rows[:MAX_NAMES].tolist())


def _pair(found: Diameter | str) -> FarthestPair | None:
    return FarthestPair(found.source, found.target) if isinstance(found, Diameter) else None


def _tier(tier: Oversubscription) -> TierOversubscription:
    worst, median = (ratio if ratio < float("inf") else None for ratio in (tier.worst_ratio, tier.median_ratio))
    return TierOversubscription(tier.kind, tier.n_nodes, worst, median, tier.worst_node)


def structure_sentences(e: Evaluation) -> Iterator[str]:
    """Yield sentences on the structure: connection, bisection, diameter, single failures, tiers, sites."""
    found = e.partitions
    if isinstance(found, str):
        yield f"The structure is unknown: {found}."
        return
    if not found.n_end_points:
        yield "No end point is up."
        return
    hops = e.hop_diameter
    diameter = f", diameter {counted(int(hops.value), 'hop')}" if isinstance(hops, Diameter) else ""
    yield f"{_connection(found)}{_bisection_text(e.bisection, ', bisection ')}{diameter}."
    yield from _failure_sentences(e, found)
    for tier in e.tiers.values():
        if isinstance(tier, Oversubscription):
            worst, median = (number_text(ratio, "1") for ratio in (tier.worst_ratio, tier.median_ratio))
            kind = _plural(tier.kind)
            yield f"Oversubscription of {kind}: {worst} at worst ({tier.worst_node}), {median} in the median."
    paths = e.site_paths
    if isinstance(paths, dict) and paths:
        (a, b), n = min(paths.items(), key=lambda item: (item[1], item[0]))
        yield f"Fewest edge-disjoint paths between sites: {n:,}, {a} to {b}."


def _plural(kind: str) -> str:
    return "leaves" if kind == "leaf" else f"{kind}s"


def _connection(found: Partitions) -> str:
    n = counted(found.n_end_points, found.kind, _plural(found.kind))
    if found.n_partitions == 1 and not found.n_unreachable_pairs:
        return f"{n}, all connected"
    share = percent_text(found.n_unreachable_pairs / found.n_pairs) if found.n_pairs else "none"
    return f"{n} in {counted(found.n_partitions, 'partition')}, {share} of the pairs without a path"


def _bisection_text(bisection: Bisection | str, lead: str) -> str:
    if isinstance(bisection, str):
        return ""
    at_most = "at most " if bisection.status == "upper bound" else ""
    return f"{lead}{at_most}{number_text(bisection.gbps, 'Gb/s')}"


def _failure_sentences(e: Evaluation, found: Partitions) -> Iterator[str]:
    state = e.case.state
    n_alone = found.n_single_homed if state.n_nodes else 0
    if n_alone:  # first: what fails with its only switch is no single point of failure of the others
        yield _single_homed_text(e, found)
    if found.why:
        yield f"Single points of failure are unknown: {found.why}."
    elif len(found.single_points) or len(found.bridges):
        yield _failures_text(e, found) + "."
    elif not n_alone:
        yield "No single point of failure and no bridge between switches."
    elif n_alone < found.n_end_points or found.n_homes > 1:
        yield "No other single point of failure, and no bridge between switches."


def _single_homed_text(e: Evaluation, found: Partitions) -> str:
    """Return the sentence on end points with one neighbour, and how many of them the worst loss of one cuts off."""
    hosts = counted(found.n_single_homed, f"single-homed {found.kind}", f"single-homed {_plural(found.kind)}")
    if found.worst_home < 0:
        return f"{hosts}: one node each leads to the others."
    name = e.case.state.node_ids[found.worst_home]
    return f"{hosts}: the loss of {name} alone cuts off {found.n_at_worst_home:,} of {found.n_end_points:,}."


def _failures_text(e: Evaluation, found: Partitions) -> str:
    nodes, links = (
        [names[row] for row in rows.tolist()]
        for names, rows in ((e.case.state.node_ids, found.single_points), (e.case.state.link_ids, found.bridges))
    )
    texts = [f"single points of failure: {names_text(nodes)}"] if nodes else []
    texts += [f"bridges: {names_text(links)}"] if links else []
    text = "; ".join(texts)
    return text[:1].upper() + text[1:]


def structure_changes(before: Evaluation, after: Evaluation) -> Iterator[str]:
    """Yield sentences on what the structure loses or gains; one sentence if it stays the same."""
    old, new = before.partitions, after.partitions
    if isinstance(old, str) or isinstance(new, str) or not new.n_end_points:
        yield from structure_sentences(after)
        return
    connection = list(_connection_change(old, new))
    texts = [*connection, *_new_failures(before, after, old, new)]
    paths = before.site_paths, after.site_paths
    fewest = [min(found.values(), default=0) if isinstance(found, dict) else 0 for found in paths]
    if fewest[0] != fewest[1]:
        texts.append(f"Fewest edge-disjoint paths between sites: {fewest[1]:,} instead of {fewest[0]:,}.")
    hops = before.hop_diameter, after.hop_diameter
    values = [int(found.value) if isinstance(found, Diameter) else 0 for found in hops]
    if values[0] != values[1] and all(values):
        texts.append(f"Diameter: {counted(values[1], 'hop')} instead of {values[0]}.")
    bisections = list(_bisection_change(before.bisection, after.bisection))
    losses = list(_lost_end_points(before, after, old, new))
    if not texts and not bisections and not losses:
        yield "The structure stays the same."
        return
    yield from losses
    yield from bisections
    if not connection and new.n_partitions == 1 and not len(new.cut_off):
        yield f"No partition: {_connection(new)}."
    yield from texts


def _lost_end_points(before: Evaluation, after: Evaluation, old: Partitions, new: Partitions) -> Iterator[str]:
    """Yield sentences on end points that lose their last working link, that go down, or that are removed."""
    was, now = before.case.state.node_ids, after.case.state.node_ids
    had_link = {was[row] for row in np.setdiff1d(old.end_points, old.cut_off).tolist()}
    cut_off = [now[row] for row in new.cut_off.tolist() if now[row] in had_link]
    known, working = set(now), _working(after, "single_points")
    lost = [name for name in (was[row] for row in old.end_points.tolist()) if name not in working]
    for names, kind, text in (
        (cut_off, new.kind, "cut off, without a working link"),
        ([name for name in lost if name in known], old.kind, "down"),
        ([name for name in lost if name not in known], old.kind, "removed"),
    ):
        if names:
            verb = "is" if len(names) == 1 else "are"
            yield f"{counted(len(names), kind, _plural(kind))} {verb} {text}: {names_text(names)}."


def _bisection_change(old: Bisection | str, new: Bisection | str) -> Iterator[str]:
    if isinstance(old, str) or isinstance(new, str) or is_noise(old.gbps, new.gbps):
        return
    share = change_percent_text(old.gbps, new.gbps)
    texts = [_bisection_text(found, " ") for found in (new, old)]
    yield f"Bisection{texts[0]} instead of{texts[1]}" + (f" ({share})." if share else ".")


def _connection_change(old: Partitions, new: Partitions) -> Iterator[str]:
    if (old.n_partitions, old.n_unreachable_pairs) != (new.n_partitions, new.n_unreachable_pairs):
        yield f"Before: {_connection(old)}. After: {_connection(new)}."


def _new_failures(before: Evaluation, after: Evaluation, old: Partitions, new: Partitions) -> Iterator[str]:
    if old.why or new.why:
        return
    for noun, field in (("single point of failure", "single_points"), ("bridge", "bridges")):
        plural = "single points of failure" if field == "single_points" else "bridges"
        ids = []
        for e, found in ((before, old), (after, new)):
            names = e.case.state.node_ids if field == "single_points" else e.case.state.link_ids
            ids.append({names[row] for row in getattr(found, field).tolist()})
        added, gone = sorted(ids[1] - ids[0]), sorted(ids[0] - ids[1])
        if added:
            yield f"New {noun if len(added) == 1 else plural}: {names_text(added)}."
        # what is down or removed is no single point of failure either, but not for the better
        working = _working(after, field)
        lost = [name for name in gone if name not in working]
        kept = [name for name in gone if name in working]
        if lost:
            yield f"Lost {noun if len(lost) == 1 else plural}: {names_text(lost)}."
        if kept:
            yield f"No longer {'a ' + noun if len(kept) == 1 else plural}: {names_text(kept)}."


def _working(e: Evaluation, field: str) -> set[str]:
    """Ids of the nodes that are up, or of the links that are lit."""
    state = e.case.state
    if field == "single_points":
        return {name for name, up in zip(state.node_ids, state["node_up"].tolist(), strict=True) if up}
    return {name for name, lit in zip(state.link_ids, e.health.lit.tolist(), strict=True) if lit}
