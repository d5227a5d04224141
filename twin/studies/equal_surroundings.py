"""Links of racks of a job in equal surroundings: a failure of any of them does the same to a job whose ranks all go on.

A link of a rack that fails moves the flows of this rack alone. They stay on their shortest paths, which lose the link.
So the step changes by what stands on these paths. All of it is written down with nodes numbered in their order there:
flows, paths, figures of arcs and nodes, other traffic, cards and ranks. Two racks are equal if all of it is equal. What
lies elsewhere may differ, so that a few dead cables or uneven racks are exceptions and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import cast

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..arrays.sums import sums_by
from ..failures.reduced import ordinals
from ..stages.evaluation import Evaluation
from ..traffic.network_cards import CardPorts
from ..traffic.routes import Routes
from ..traffic.twin_nodes import equal_rows
from ..training.job_flows import JobFlows
from ..training.link_loads import PairTable
from ..training.phase_balancing import PhasePatterns
from ..training.rail_exchange import RailExchange

MAX_ENTRIES = 20_000_000
"""Most arcs on paths of all racks together; above, no rack is compared."""
MAX_TEXT_BYTES = 300_000_000
"""Most bytes of different surroundings; racks whose surroundings are not known by then are not compared."""
OF_OTHERS = -2
"""Replaces the number of cards of nodes other than the rack; a rack that states none has -1."""
_Key = tuple[int, int, int, bytes]
"""Number of the surroundings, place of the link there, and which racks are attached like the rack after the failure."""


def links_in_equal_surroundings(e: Evaluation, links: Ints, arc_code: Ints, ranks: Mapping[int, Ints]) -> Ints:
    """Number the links of racks so that those in equal surroundings have the same number.

    Args:
        e: evaluation of a job, all of whose ranks go on after the failures in question, over rails that are whole.
        links: rows of links: those of the job, and those between nodes that forward.
        arc_code: int64[2 * len(links)], equal for arcs that are equal in both directions, their end nodes included.
        ranks: (group, NVLink domain, block, slot) of the ranks by node of the job, int64[4, n_ranks].

    Returns:
        int64[len(links)]; -1 for links that are not compared.
    """
    out = np.full(len(links), -1)
    if _is_local(e, ranks):
        found = _Surroundings(e, links, arc_code, ranks)
        numbers: dict[_Key, int] = {}
        for node in sorted(ranks):
            for link, key in found.keys_of(node):
                out[link] = numbers.setdefault(key, len(numbers))
    return out


def _is_local(e: Evaluation, ranks: Mapping[int, Ints]) -> bool:
    """Return whether the step follows from figures by arc and pair: no flow is hashed, and no flow changes its ends."""
    exchange = cast("RailExchange | None", e.outcome("rail_exchange"))
    patterns, routes = cast(PhasePatterns, e.outcome("hashed_flows")), cast(Routes, e.outcome("job_routes"))
    domains = np.concatenate([np.unique(columns[:2], axis=1) for columns in ranks.values()], axis=1)
    n_arcs = np.diff(routes.inner_first)[routes.route_of_pair].sum() + len(routes.pair_arc)
    return bool(
        (exchange is None or exchange.pxn)
        and not patterns.by_kind
        and routes.reachable.all()
        and np.unique(domains, axis=1).shape == domains.shape  # each NVLink domain lies in one rack
        and 2 * n_arcs <= MAX_ENTRIES
    )


class _Surroundings:
    """All that a failure of a link of a rack changes, by rack."""

    def __init__(self, e: Evaluation, links: Ints, arc_code: Ints, ranks: Mapping[int, Ints]) -> None:
        self._e, self._state, self._ranks = e, e.case.state, ranks
        state = self._state
        self._routes, self._pairs = cast(Routes, e.outcome("job_routes")), cast(PairTable, e.outcome("job_pairs"))
        self._lit = cast(Bools, e.outcome("routed_links"))
        self._place = np.full(state.n_links, -1)
        self._place[links] = np.arange(len(links))
        self._head, self._tail = state["arc_head"], state["arc_head"].reshape(-1, 2)[:, ::-1].reshape(-1)
        self._ordinal = ordinals(self._tail * state.n_nodes + self._head)
        self._code = np.full(2 * state.n_links, -1)
        arcs = (2 * links[:, None] + np.array([0, 1])).reshape(-1)
        self._code[arcs] = arc_code
        self._pair_code = self._codes_of_pairs()
        self._route_code = _codes_of_lists(self._routes.route_of_pair, self._pair_code[:, None], self._n_routes)
        self._arc_traffic = self._codes_of_traffic()
        self._may_compare = self._whole_nodes()
        self._numbers: dict[bytes, int] = {}
        """Number of each text of surroundings."""
        self._n_bytes = 0
        self._attached = {node: self._attachment(node) for node in ranks}
        self._alike: dict[bytes, dict[bytes, list[int]]] = {}
        """Racks by their neighbours, then by the codes of the links to them."""
        for node in sorted(ranks):
            heads, codes = self._attached[node]
            self._alike.setdefault(heads.tobytes(), {}).setdefault(codes.tobytes(), []).append(node)
        of_pair = np.tile(np.arange(len(self._pairs.source)), 2)
        at_node = np.concatenate((self._pairs.source, self._pairs.target))
        self._pairs_at = _by_row(at_node, of_pair, state.n_nodes)

    @property
    def _n_routes(self) -> int:
        return len(self._routes.inner_first) - 1

    def keys_of(self, node: int) -> Iterable[tuple[int, _Key]]:
        """Yield (position among the links, key) of the links of a rack; equal keys stand for equal surroundings."""
        pairs = np.unique(self._pairs_at[node])
        source, target = self._pairs.source[pairs], self._pairs.target[pairs]
        ends = np.unique(np.concatenate((np.array([node]), source, target)))
        if not self._may_compare[ends].all():
            return
        number, nodes = self._text(node, pairs, ends)
        if number is None:
            return
        sole = self._sole_links(node, pairs)
        for arc in self._arcs_at(np.array([node])).tolist():
            if arc // 2 not in sole:
                place = int(np.searchsorted(nodes, self._head[arc]))
                beside = self._joined(node, int(self._head[arc]), ends)
                yield int(self._place[arc // 2]), (number, place, int(self._ordinal[arc]), beside)

    def _attachment(self, node: int) -> Ints:
        """(neighbour, code) of the links in use of a rack, int64[2, n]."""
        arcs = self._arcs_at(np.array([node]))
        table = np.stack((self._head[arcs], self._code[arcs]))
        return table[:, np.lexsort(table[::-1])]

    def _joined(self, node: int, switch: int, ends: Ints) -> bytes:
        """Racks that may be attached like a rack that loses a link to a switch, and how the ends of its pairs are.

        Empty without such racks. Pairs of racks that are attached alike share a route, on which rounding depends.
        """
        heads, codes = self._attached[node]
        row = int(np.searchsorted(heads, switch))
        beside, fewer = self._alike[heads.tobytes()], self._alike.get(np.delete(heads, row).tobytes(), {})
        own = beside[codes.tobytes()]
        others = [node for found in (*beside.values(), *fewer.values()) if found is not own for node in found]
        if not others:
            return b""
        tables = np.array(others), *(self._attached[end].reshape(-1) for end in ends.tolist())
        return b"|".join(table.tobytes() for table in tables)

    def _text(self, node: int, pairs: Ints, ends: Ints) -> tuple[int | None, Ints]:
        """Number all that stands on the paths of a rack; second the nodes there, whose positions are their names in it.

        The number is None beyond `MAX_TEXT_BYTES`.

        Which arcs a pair takes, with which fractions, and with which pairs it shares a route, follows from the arcs of
        all pairs together: paths are the shortest ones, and the pairs stand in the order of their ends.
        """
        routes, state = self._routes, self._state
        of_pair = routes.route_of_pair[pairs]
        inner = _entries(routes.inner_first, np.unique(of_pair))[1]
        at_pairs = _entries(routes.pair_first, np.concatenate((pairs, len(self._pairs.source) + pairs)))[1]
        on_paths = np.unique(np.concatenate((routes.inner_arc[inner], routes.pair_arc[at_pairs])))
        arcs = np.union1d(on_paths, self._arcs_at(ends))
        nodes = np.unique(np.concatenate((ends, self._head[arcs], self._tail[arcs])))
        of_arcs = np.stack(
            (
                np.searchsorted(nodes, self._tail[arcs]),
                np.searchsorted(nodes, self._head[arcs]),
                self._code[arcs],
                np.where(np.isin(arcs, on_paths), self._arc_traffic[arcs], -1),
            )
        )
        n_cards = np.where(nodes == node, state["node_n_cards"][nodes], OF_OTHERS)
        ends_of_pairs = (np.searchsorted(nodes, side[pairs]) for side in (self._pairs.source, self._pairs.target))
        of_pairs = np.stack((*ends_of_pairs, self._pair_code[pairs], self._route_code[of_pair]))
        order = np.lexsort((arcs, *of_arcs[1::-1]))  # parallel links in their order
        tables = of_arcs[:, order], np.stack((state["node_rail"][nodes], n_cards)), of_pairs, self._ranks_of(node)
        sizes = np.array([table.shape[1] for table in tables], np.int64)
        text = b"".join(np.ascontiguousarray(table, np.int64).tobytes() for table in (sizes, *tables))
        if text not in self._numbers:
            self._n_bytes += len(text)
            if self._n_bytes > MAX_TEXT_BYTES:
                return None, nodes
        return self._numbers.setdefault(text, len(self._numbers)), nodes

    def _ranks_of(self, node: int) -> Ints:
        """(group, NVLink domain in this rack, slot) of the ranks of a rack."""
        group, domain, _, slot = self._ranks[node]
        order = np.lexsort((slot, domain, group))
        domain = np.unique(np.stack((group, domain)), axis=1, return_inverse=True)[1].reshape(-1)
        return np.stack((group, domain, slot))[:, order]

    def _arcs_at(self, nodes: Ints) -> Ints:
        """Arcs of links in use that leave some nodes."""
        graph = self._state.graph
        arcs = graph.arc[_entries(graph.first, nodes)[1]]
        return np.asarray(arcs[self._lit[arcs // 2]])

    def _sole_links(self, node: int, pairs: Ints) -> set[int]:
        """Links without which a pair of a rack has none of its shortest paths left."""
        side = (self._pairs.target[pairs] == node).astype(np.int64)
        row, entry = _entries(self._routes.pair_first, side * len(self._pairs.source) + pairs)
        table = np.unique(np.stack((row, self._routes.pair_arc[entry] // 2)), axis=1)
        is_sole = np.bincount(table[0], minlength=len(pairs))[table[0]] == 1
        return set(table[1, is_sole].tolist())

    def _codes_of_pairs(self) -> Ints:
        """Number pairs by all that they send, and by their round trip; int64[n_pairs]."""
        pairs, state, routes = self._pairs, self._state, self._routes
        n, latency_us = len(pairs.source), self._e.health.arc_latency_us
        flows = cast(JobFlows, self._e.outcome("job_flows")).sets()
        columns: list[Floats] = [
            sums_by(rows, flow.amount, n) for (_, flow), rows in zip(flows, pairs.rows, strict=True)
        ]
        columns += list(pairs.n_accelerator_pairs.values())
        round_trip_us = np.repeat(latency_us[0::2] + latency_us[1::2], 2)
        columns.append(routes.worst_latency_us(state["arc_head"], round_trip_us, state.n_nodes))
        return equal_rows(np.stack(columns, axis=1).view(np.int64))

    def _codes_of_traffic(self) -> Ints:
        """Number arcs by the routes and pairs that they carry, and the fraction of each; int64[n_arcs]."""
        routes, n_pairs = self._routes, len(self._pairs.source)
        inner, of_pair = (
            np.repeat(self._route_code, np.diff(routes.inner_first)),
            np.arange(2 * n_pairs) % max(n_pairs, 1),
        )
        end = np.repeat(self._pair_code[of_pair], np.diff(routes.pair_first))
        arcs = np.concatenate((routes.inner_arc, routes.pair_arc))
        what = np.concatenate((2 * inner, 2 * end + 1))
        fraction = np.concatenate((routes.inner_fraction, routes.pair_fraction)).view(np.int64)
        return _codes_of_lists(arcs, np.stack((what, fraction), axis=1), routes.n_arcs)

    def _whole_nodes(self) -> Bools:
        """Nodes that do not forward, with all ports, at no end of a demand, all of whose links in use are known."""
        state, ports = self._state, cast(CardPorts, self._e.outcome("card_ports"))
        out: Bools = ~state["node_forwards"]
        is_whole = self._lit[ports.link] & (state.n_members_up[ports.link] == state["link_n_parallel"][ports.link])
        out[ports.node[~is_whole]] = False
        out[state["link_ends"][self._lit & (self._place < 0)]] = False
        if self._e.demand_pairs is not None:
            out[self._e.demand_pairs.source] = out[self._e.demand_pairs.target] = False
        return out


def _entries(first: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """(position of the row, entry) of all entries of some rows of a table in CSR form."""
    n = first[rows + 1] - first[rows]
    row = np.repeat(np.arange(len(rows)), n)
    return row, first[rows][row] + np.arange(len(row)) - np.repeat(np.cumsum(n) - n, n)


def _by_row(row: Ints, values: Ints, n: int) -> list[Ints]:
    """Values of each row."""
    order = np.argsort(row, kind="stable")
    return np.split(values[order], np.cumsum(np.bincount(row, minlength=n))[:-1])


def _codes_of_lists(row: Ints, table: Ints, n: int) -> Ints:
    """Number rows by the entries that they have, in any order; int64[n].

    Args:
        row: row of each entry, int64[n_entries].
        table: int64[n_entries, n_columns].
        n: number of rows.
    """
    order = np.lexsort((*table.T, row))
    first = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.bincount(row, minlength=n))))
    text, width = np.ascontiguousarray(table[order]).tobytes(), table.itemsize * table.shape[1]
    numbers: dict[bytes, int] = {}
    bounds = (first * width).tolist()
    pieces = (text[i:j] for i, j in pairwise(bounds))
    return np.array([numbers.setdefault(piece, len(numbers)) for piece in pieces], np.int64)
