"""Shifts of all replicas of a job by some places that change nothing but their names.

Each rank takes the place of the rank so many blocks of replicas on, round all blocks, and switches go along. A shift
counts only if it keeps every arc, every port and every flow of the job. A failure and its image then do the same to a
job whose ranks all go on: its flows stay as they are, and all else that a step reads is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np

from ..arrays import Ints
from ..failures.reduced import ArcIndex, ordinals
from ..failures.swaps import least_connected
from ..stages.evaluation import Evaluation
from ..traffic.network_cards import CardPorts
from ..traffic.twin_nodes import equal_rows
from ..training.job_flows import Flows, JobFlows
from ..training.placed_groups import block_size
from ..training.placement import JobPlacement
from ..training.rail_exchange import RailExchange

MAX_SHIFTS = 16
"""Most shifts that are tried, the smallest first."""
NODE_COLUMNS = (
    "node_part",
    "node_kind",
    "node_forwards",
    "node_site",
    "node_rail",
    "node_accelerator",
    "node_n_accelerators",
    "node_n_cards",
    "n_cards_in_use",
)


def shifted_links(e: Evaluation, links: Ints, arc_code: Ints) -> Ints:
    """Find the links that a shift of the replicas carries to each other.

    Args:
        e: evaluation of a job, all of whose ranks go on after the failures in question.
        links: rows of links: those of the job, and those between nodes that forward.
        arc_code: int64[2 * len(links)], equal for arcs that are equal in both directions, their end nodes included.

    Returns:
        The least position of the links that each is carried to, int64[len(links)]; its own where no shift is found.
    """
    exchange = cast("RailExchange | None", e.outcome("rail_exchange"))
    if exchange is None or exchange.pxn:  # else lost cards change which leaves exchange
        arcs = _Arcs.of(e, links, arc_code)
        for job_nodes, image in _shifts(e):
            grown = _grow(arcs, job_nodes, image)
            if grown is not None and _is_kept(e, arcs, grown):
                moved = arcs.image_of_links(grown)
                if _keeps_ports(e, links, moved, grown):
                    return least_connected([np.stack((np.arange(len(links)), moved))], len(links))
    return np.arange(len(links))


def _shifts(e: Evaluation) -> Iterator[tuple[Ints, Ints]]:
    """Yield (nodes of the job, image of each node) of shifts that keep slots and NVLink domains."""
    job, groups = e.case.job, cast(JobPlacement, e.outcome("allocation")).groups
    assert job is not None
    n_stage_ranks = block_size(job) // job.parallelism.pp
    n_blocks = [len(group.rack) // (n_stage_ranks * group.n_stages) for group in groups]
    n_turns = math.gcd(*n_blocks)
    rack = np.concatenate([group.rack for group in groups])
    job_nodes, tried = np.unique(rack), 0
    for n in range(n_turns, 1, -1):
        if n_turns % n or tried == MAX_SHIFTS:
            continue
        tried += 1
        back = [-(len(group.rack) // n) for group in groups]
        image = np.arange(e.case.state.n_nodes)
        to = np.concatenate([np.roll(group.rack, k) for group, k in zip(groups, back, strict=True)])
        image[rack] = to
        slots = all((np.roll(group.slot, k) == group.slot).all() for group, k in zip(groups, back, strict=True))
        domains = all(_keeps_domains(g.rack, g.domain, k) for g, k in zip(groups, back, strict=True))
        if slots and domains and (image[rack] == to).all():
            yield job_nodes, image


def _keeps_domains(rack: Ints, domain: Ints, back: int) -> bool:
    """Return whether each NVLink domain lies in one rack, and a shift carries it to one domain."""
    pairs = (np.stack((domain, other)) for other in (rack, np.roll(domain, back)))
    n_domains = len(np.unique(domain))
    return all(np.unique(pair, axis=1).shape[1] == n_domains for pair in pairs)


class _Arcs(NamedTuple):
    """Arcs of links by tail, code and head, and the codes of nodes."""

    places: ArcIndex
    order: Ints
    first: Ints
    """int64[n_nodes + 1]."""
    node_code: Ints

    @classmethod
    def of(cls, e: Evaluation, links: Ints, arc_code: Ints) -> _Arcs:
        state = e.case.state
        ends, n = state["link_ends"][links], state.n_nodes
        tail, head = ends.reshape(-1), np.ascontiguousarray(ends[:, ::-1]).reshape(-1)
        access_class = cast("Ints | None", e.outcome("access_class"))
        of_link = np.zeros(len(links), np.int64) if access_class is None else access_class[links]
        node_code = equal_rows(np.stack([state[name] for name in NODE_COLUMNS], axis=1).astype(np.int64))
        code = equal_rows(np.stack((arc_code, np.repeat(of_link, 2), node_code[tail], node_code[head]), axis=1))
        n_codes = int(code.max(initial=0)) + 1
        ordinal = ordinals((tail * n + head) * n_codes + code)
        index = ArcIndex(n, n_codes, int(ordinal.max(initial=0)) + 1, tail, head, code, ordinal)
        first = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(tail, minlength=n))))
        return cls(index, np.lexsort((head, code, tail)), first, node_code)

    def image_of_links(self, image: Ints) -> Ints:
        """Position of the link that each is carried to, under an image that keeps all arcs; int64[n_links]."""
        arcs = np.arange(0, len(self.places.tail), 2)
        return self.places.find(image[self.places.tail[arcs]], image[self.places.head[arcs]], arcs) // 2


def _grow(arcs: _Arcs, job_nodes: Ints, image: Ints) -> Ints | None:
    """Carry switches along with the nodes of a job: what hangs at a node goes to what hangs at its image, in order.

    None where numbers differ. Nodes that nothing leads to stay.
    """
    head, code = arcs.places.head[arcs.order].tolist(), arcs.places.code[arcs.order].tolist()
    first, out = arcs.first.tolist(), image.tolist()
    done, taken = set(job_nodes.tolist()), set(image[job_nodes].tolist())
    waiting = job_nodes.tolist()
    for node in waiting:
        mine, other = (range(first[at], first[at + 1]) for at in (node, out[node]))
        left = dict.fromkeys((code[i], head[i]) for i in mine if head[i] not in done)
        places = dict.fromkeys((code[i], head[i]) for i in other if head[i] not in taken)
        if [kind for kind, _ in left] != [kind for kind, _ in places]:
            return None
        for (_, there), (_, place) in zip(left, places, strict=True):
            if there in done or place in taken:
                if out[there] != place:
                    return None
                continue
            out[there] = place
            done.add(there)
            taken.add(place)
            waiting.append(there)
    return np.array(out, np.int64)


def _is_kept(e: Evaluation, arcs: _Arcs, image: Ints) -> bool:
    """Return whether an image moves each node to one of its own, and keeps nodes, arcs, ends of demands and flows."""
    nodes, pairs = np.arange(len(image)), e.demand_pairs
    if (np.sort(image) != nodes).any() or (arcs.node_code[image] != arcs.node_code).any():
        return False
    if pairs is not None and any((image[end] != end).any() for end in (pairs.source, pairs.target)):
        return False
    index = arcs.places
    keys = ((at[index.tail] * index.n_nodes + at[index.head]) * index.n_codes + index.code for at in (nodes, image))
    own, moved = (np.sort(key) for key in keys)
    flows = cast(JobFlows, e.outcome("rack_flows"))
    return bool((own == moved).all()) and all(_keeps_flows(flow, image) for _, flow in flows.sets())


def _keeps_flows(flows: Flows, image: Ints) -> bool:
    """Return whether the flows between images are the flows, with the same amounts to the last bit."""
    tables = []
    for source, target in ((flows.source, flows.target), (image[flows.source], image[flows.target])):
        order = np.lexsort((target, source))
        tables.append([column[order] for column in (source, target, flows.amount, flows.n_pairs)])
    return all(np.array_equal(own, moved) for own, moved in zip(*tables, strict=True))


def _keeps_ports(e: Evaluation, links: Ints, moved: Ints, image: Ints) -> bool:
    """Return whether the ports of each node of the job go to those of its image, in their order."""
    ports, state = cast(CardPorts, e.outcome("card_ports")), e.case.state
    to = np.arange(state.n_links)
    to[links] = links[moved]
    is_kept = np.zeros(state.n_links, np.bool_)
    is_kept[links] = True
    rows = np.flatnonzero(is_kept[ports.link])
    place = ordinals(ports.node[rows])
    order = np.lexsort((place, image[ports.node[rows]]))
    same_links = to[ports.link[rows]][order] == ports.link[rows]
    return bool(same_links.all() and (ports.rail[rows][order] == ports.rail[rows]).all())
