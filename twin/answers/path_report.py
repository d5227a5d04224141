"""Path report: the shortest paths between two nodes, the share of traffic on each hop, latency and the bottleneck."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from ..arrays import Floats
from ..errors import ChangeError, did_you_mean
from ..errors.wording import counted, quoted
from ..render.numbers import number_text
from ..render.path_table import path_table
from ..render.quantities import names_text, percent_text
from ..stages.evaluation import Evaluation
from ..traffic.congestion import MAX_QUEUE_UTILISATION_RATIO
from ..traffic.pair_paths import distinct_paths, hop_positions, separation
from ..traffic.routing import Router
from ..traffic.wcmp_forwarding import WcmpForwarding
from .arc_text import arc_name, capacity_reason
from .data import Answer
from .score import data_frame, html_table
from .warning import AnswerWarning

MAX_PATHS = 1000
"""Most paths that a report lists."""
MAX_HOPS = 5000
"""Most hops and separating records that a report lists."""
NO_FORWARDING = "does not forward traffic of others"
FORWARDING_HINT = "set `forwards: true` if it does"
MAX_FORWARDING_HINTS = 2
"""Nodes between two ends up to which one of them may be a forgotten switch; more are hosts of separate rails."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One direction of a link that carries traffic of the pair. Null where a figure is unknown."""

    position: int
    """Position on the way from the source, from 1."""
    link: str
    source: str
    target: str
    share_ratio: float
    """Share of the pair's traffic on this hop, as the routing splits it."""
    n_members_up: int
    capacity_gbps: float | None
    load_gbps: float | None
    utilisation_ratio: float | None
    pair_gbps: float | None
    """Traffic of the pair that would fill the capacity of this hop, without other traffic."""
    free_pair_gbps: float | None
    """Traffic of the pair that would fill what the present load leaves."""
    latency_us: float | None
    """Unloaded, one way, with the switch at its end."""
    back_latency_us: float | None
    """The same over the other direction of the link."""
    queueing_us: float | None


@dataclass(frozen=True, slots=True)
class TracedPath:
    """One shortest path."""

    share_ratio: float
    """Share of the pair's traffic on this path."""
    nodes: tuple[str, ...]
    links: tuple[str, ...]
    latency_us: float | None
    """Unloaded, one way; null where the length of a link is unknown."""
    rtt_us: float | None
    """Unloaded, there and back over the same links."""
    queueing_us: float | None
    """Mean queueing delay that the demands cause, one way."""
    bottleneck: str | None
    """Link with the least traffic of the pair to its limit."""


@dataclass(frozen=True, slots=True)
class Separator:
    """A link or node that keeps the source from the target."""

    kind: Literal["link", "node"]
    id: str
    why: str


@dataclass(frozen=True, kw_only=True, repr=False)
class PathReport(Answer):
    """The shortest paths between two nodes, like a traceroute with all branches."""

    network: str
    job: str | None
    plan: str | None
    source: str
    target: str
    summary: tuple[str, ...]
    """The verdict: number of paths, round trip, bottleneck, or what separates the nodes; one sentence each."""
    reachable: bool
    n_paths: int
    """Number of all shortest paths; counting ends at 10^15."""
    bottleneck: Hop | None
    """Hop that limits the pair first as its traffic grows; null without a path or where a rate is unknown."""
    paths: tuple[TracedPath, ...]
    """The paths with the largest shares."""
    hops: tuple[Hop, ...]
    """Hops of the listed paths in the order of their position."""
    separated_by: tuple[Separator, ...]
    """Links and nodes that keep the source from the target; empty with a path, or if no links join them."""
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def to_pandas(self) -> Any:
        """Return the hops as a DataFrame, one row each (needs the extra `tables`)."""
        return data_frame([asdict(hop) for hop in self.hops], [*Hop.__dataclass_fields__])

    def _repr_html_(self) -> str:
        names = ("position", "link", "target", "share_ratio", "capacity_gbps", "utilisation_ratio", "latency_us")
        rows = [["–" if getattr(hop, n) is None else str(getattr(hop, n)) for n in names] for hop in self.hops]
        notes = [f"{separator.id}: {separator.why}" for separator in self.separated_by]
        title = f"{self.network} · {self.source} → {self.target}"
        return html_table(title, names if rows else (), rows, notes, self.summary)

    def _table(self) -> Any:
        return path_table(self.to_dict())


@dataclass(frozen=True)
class PathQuestion:
    """The pair of nodes that a report is about."""

    source: str
    target: str
    max_paths: int = 16
    """Most paths to list."""

    def rows(self, e: Evaluation) -> tuple[int, int]:
        """Return the rows of both nodes.

        Raises:
            ChangeError: an unknown node, twice the same node, or a number of paths out of bounds.
        """
        if type(self.max_paths) is not int or not 1 <= self.max_paths <= MAX_PATHS:
            raise ChangeError(f"{self.max_paths} paths", where="path", expected=f"1 to {MAX_PATHS} paths")
        index = e.case.state.node_index
        for place, name in (("source", self.source), ("target", self.target)):
            if name not in index:
                raise ChangeError(f"no node {quoted(str(name))}", where=place, hint=did_you_mean(str(name), index))
        if self.source == self.target:
            raise ChangeError(f"both ends are {quoted(self.source)}", where="path", hint="name two different nodes")
        return index[self.source], index[self.target]


def path_report(e: Evaluation, network: str, plan: str | None, question: PathQuestion) -> PathReport:
    """Trace all shortest paths of a pair.

    Args:
        e: evaluation of the network, after changes if there are any.
        network: name of the network.
        plan: name of the plan, or `changes`; None for the unchanged network.
        question: the pair.

    Raises:
        ChangeError: an unknown node, or twice the same node.
    """
    source, target = question.rows(e)
    routed: Any = e.outcome("routed_links")
    share: Any = e.outcome("split_share")
    groups: Any = e.outcome("wcmp_table")
    router = Router(e.case.state, routed)
    if groups is None:
        arc, fraction = router.trace(share, source, target)
    else:
        arc, fraction = WcmpForwarding(e.case.state, router, share, groups).trace(source, target)
    head = e.case.state["arc_head"]
    found = distinct_paths(arc, fraction, head, question.max_paths)
    position = hop_positions(arc, head)
    order = np.lexsort((arc, -fraction, position))
    hops = {int(arc[i]): _hop(e, int(arc[i]), float(fraction[i]), int(position[i])) for i in order}
    separators = () if len(arc) else tuple(_separators(e, routed, source, target))
    bottleneck = _bottleneck(list(hops.values()))
    paths = [_path(hops, arcs, float(part)) for part, arcs in zip(found.share_ratio, found.arcs, strict=True)]
    listed = {arc for arcs in found.arcs for arc in arcs}
    if len(arc):
        summary = tuple(_verdict(e, hops, bottleneck, found.n_paths, paths))
    else:
        summary = tuple(_why_separated(e, routed, source, target, separators))
    return PathReport(
        network=network,
        job=e.case.job.id if e.case.job else None,
        plan=plan,
        source=question.source,
        target=question.target,
        summary=summary,
        reachable=bool(len(arc)),
        n_paths=found.n_paths,
        bottleneck=bottleneck,
        paths=tuple(paths),
        hops=tuple(hop for arc, hop in hops.items() if arc in listed)[:MAX_HOPS],
        separated_by=separators[:MAX_HOPS],
    )


def _hop(e: Evaluation, arc: int, fraction: float, position: int) -> Hop:
    state, health, link = e.case.state, e.health, arc // 2
    capacity_gbps, load_gbps = float(health.arc_capacity_gbps[arc]), float(e.arc_load_gbps[arc])
    latency_us: Floats = np.where(health.latency.length_unknown[link], np.nan, health.arc_latency_us[[arc, arc ^ 1]])
    return Hop(
        position=position,
        link=state.link_ids[link],
        source=state.node_ids[state["arc_head"][arc ^ 1]],
        target=state.node_ids[state["arc_head"][arc]],
        share_ratio=fraction,
        n_members_up=int(state.n_members_up[link]),
        capacity_gbps=_known(capacity_gbps),
        load_gbps=_known(load_gbps),
        utilisation_ratio=_known(float(e.arc_utilisation_ratio[arc])),
        pair_gbps=_known(capacity_gbps / fraction),
        free_pair_gbps=_known(float(np.maximum(capacity_gbps - load_gbps, 0.0)) / fraction),
        latency_us=_known(float(latency_us[0])),
        back_latency_us=_known(float(latency_us[1])),
        queueing_us=_known(float(e.arc_queue_us[arc])),
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _total(values: Sequence[float | None]) -> float | None:
    """Return the sum; None if a value is unknown."""
    known = [value for value in values if value is not None]
    return math.fsum(known) if len(known) == len(values) else None


def _path(hops: dict[int, Hop], arcs: Sequence[int], share_ratio: float) -> TracedPath:
    on_path = [hops[arc] for arc in arcs]
    latency_us = _total([hop.latency_us for hop in on_path])
    back_us = _total([hop.back_latency_us for hop in on_path])
    bottleneck = _bottleneck(on_path)
    return TracedPath(
        share_ratio=share_ratio,
        nodes=(on_path[0].source, *(hop.target for hop in on_path)),
        links=tuple(hop.link for hop in on_path),
        latency_us=latency_us,
        rtt_us=None if latency_us is None or back_us is None else latency_us + back_us,
        queueing_us=_total([hop.queueing_us for hop in on_path]),
        bottleneck=None if bottleneck is None else bottleneck.link,
    )


def _bottleneck(hops: Sequence[Hop]) -> Hop | None:
    """Return the hop that a growing traffic of the pair fills first; None where a rate or load is unknown."""
    best: tuple[tuple[float, float, int, str], Hop] | None = None
    for hop in hops:
        if hop.free_pair_gbps is None or hop.pair_gbps is None:
            return None
        key = (hop.free_pair_gbps, hop.pair_gbps, hop.position, hop.link)
        if best is None or key < best[0]:
            best = key, hop
    return None if best is None else best[1]


def _separators(e: Evaluation, routed: Any, source: int, target: int) -> Iterator[Separator]:
    state = e.case.state
    down = [row for row in (source, target) if not state["node_up"][row]]
    if down:
        yield from (Separator("node", state.node_ids[row], "the node is down") for row in down)
        return
    found = separation(state, routed, source, target)
    nodes_down: list[int] = []
    for link in found.links.tolist():
        ends = [int(row) for row in state["link_ends"][link] if not state["node_up"][row]]
        nodes_down += ends
        if not ends:
            yield Separator("link", state.link_ids[link], _why_no_traffic(e, link))
    for row in sorted(set(nodes_down)):
        yield Separator("node", state.node_ids[row], "the node is down")
    hint = f"; {FORWARDING_HINT}" if len(found.nodes) <= MAX_FORWARDING_HINTS else ""
    for row in found.nodes.tolist():
        yield Separator("node", state.node_ids[row], NO_FORWARDING + hint)


def _why_no_traffic(e: Evaluation, link: int) -> str:
    state = e.case.state
    if not state["link_up"][link]:
        return "the link is down"
    if state.n_members_up[link] == 0:
        return "all members are down"
    if not e.health.lit[link]:
        return capacity_reason(e, 2 * link)
    return "the link has no capacity"


def _why_separated(
    e: Evaluation, routed: Any, source: int, target: int, separators: Sequence[Separator]
) -> Iterator[str]:
    names = e.case.state.node_ids
    yield f"No path from {names[source]} to {names[target]}."
    if not separators:
        n_reached = separation(e.case.state, routed, source, target).n_reached
        yield f"No link leads out of the {counted(n_reached, 'node')} that {names[source]} reaches, towards the target."
        return
    for kind in ("node", "link"):
        of_kind = [separator for separator in separators if separator.kind == kind]
        reasons = {separator.why for separator in of_kind}
        if of_kind:
            if reasons == {NO_FORWARDING}:
                names_of_kind = names_text([s.id for s in of_kind])
                yield f"{counted(len(of_kind), kind)} link both sides and do not forward: {names_of_kind}."
                continue
            why = reasons.pop() if len(reasons) == 1 else "several reasons"
            yield f"Separated by {counted(len(of_kind), kind)}: {names_text([s.id for s in of_kind])} ({why})."


def _verdict(
    e: Evaluation, hops: dict[int, Hop], bottleneck: Hop | None, n_paths: int, paths: Sequence[TracedPath]
) -> Iterator[str]:
    lengths = sorted({len(path.links) for path in paths})
    hops_text = f"{lengths[0]} to {lengths[-1]} hops" if len(lengths) > 1 else counted(lengths[0], "hop")
    yield f"{counted(n_paths, 'shortest path')} of {hops_text}, {_rtt_text([path.rtt_us for path in paths])}."
    if bottleneck is None:
        unknown = [hop.link for hop in hops.values() if hop.free_pair_gbps is None]
        yield f"The bottleneck is unknown: the rate or load of {names_text(sorted(set(unknown)))} is unknown."
    else:
        arc = next(arc for arc, hop in hops.items() if hop is bottleneck)
        yield (
            f"Bottleneck: {arc_name(e, arc)}, {percent_text(bottleneck.utilisation_ratio or 0.0)} used, with "
            f"{percent_text(bottleneck.share_ratio)} of the pair's traffic."
        )
        free = number_text(bottleneck.free_pair_gbps, "Gb/s")
        empty = number_text(min(hop.pair_gbps for hop in hops.values() if hop.pair_gbps is not None), "Gb/s")
        yield f"The pair can send {free} more beside the present load, and {empty} on an empty network."
    full = [
        h.link for h in hops.values() if (h.utilisation_ratio or 0.0) > MAX_QUEUE_UTILISATION_RATIO and h.queueing_us
    ]
    if full:
        limit = percent_text(MAX_QUEUE_UTILISATION_RATIO)
        names = names_text(sorted(set(full)))
        most_us = number_text(max(h.queueing_us or 0.0 for h in hops.values()), "µs")
        yield (
            f"Latencies are without load. Queues add at most {most_us} a hop; on {names} that is the delay at {limit} "
            "use, above which there is no estimate."
        )
    if n_paths > len(paths):
        part = math.fsum(path.share_ratio for path in paths)
        yield f"{counted(len(paths), 'path')} of {n_paths:,} are listed, with {percent_text(part)} of the traffic."


def _rtt_text(rtts_us: Sequence[float | None]) -> str:
    known = [value for value in rtts_us if value is not None]
    if len(known) < len(rtts_us):
        return "round trip unknown, because the length of a link is unknown"
    if not any(known):
        return "round trip 0 µs, because no length, part or latency of a link or switch there is stated"
    low, high = (number_text(value, "µs") for value in (min(known), max(known)))
    return f"round trip {low}" if low == high else f"round trip {low} to {high}"
