"""Pairs of nodes without a path: components that links and nodes depend on, as arrays for the kernel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import Ints
from ..kernels.connected_states import connected_states
from ..kernels.fallible_paths import Fallible
from .components import LINK, Components

MAX_SOURCES = 8
"""Sources from which on all pairs of a question are connected over a hub."""
N_HUBS = 4
Pairs = Sequence[tuple[int, int]]
_Key = tuple[bool, tuple[tuple[int, int], ...]]


class Unconnected(NamedTuple):
    """Share of time in which pairs of nodes are not connected."""

    least_ratio: float
    """Probability of the states that were found to cut the pairs off."""
    rest_ratio: float
    """Probability of the states that were not looked at: the share is at most the sum of both."""
    n_states: int
    """Sets of states that were looked at."""
    n_steps: int
    """Work that this took, as the kernel counts it."""


class Connections:
    """Connections of one network; each question is answered once, for both directions of a pair."""

    def __init__(self, components: Components) -> None:
        self._components = components
        self._net = fallible_network(components)
        self._hubs = _hubs(self._net)
        self._known: dict[_Key, Unconnected] = {}

    def n_not_known(self, questions: Iterable[tuple[Pairs, bool]]) -> int:
        """Count the different questions that were not answered yet."""
        return len({_key(pairs, any_pair) for pairs, any_pair in questions} - self._known.keys())

    def is_known(self, pairs: Pairs, any_pair: bool) -> bool:
        """Return whether a question was answered before."""
        return _key(pairs, any_pair) in self._known

    def n_steps_of_state(self, pairs: Pairs, *, any_pair: bool, rest_below: float) -> int:
        """Return the work of the state in which nothing is down."""
        return self._search(_key(pairs, any_pair), rest_below, 1, 1).n_steps

    def unconnected(
        self, pairs: Pairs, *, any_pair: bool, rest_below: float, max_states: int, max_steps: int
    ) -> Unconnected:
        """Compute how often pairs of nodes have no path over links that carry traffic.

        Args:
            pairs: rows of nodes, at least one pair; the two of a pair are different.
            any_pair: True = none of the pairs has a path; False = at least one of them has none.
            rest_below: the search ends when states not looked at are less probable than this, together.
            max_states: sets of states after which it ends.
            max_steps: steps after which it ends; each takes some nanoseconds.
        """
        key = _key(pairs, any_pair)
        if key not in self._known:
            self._known[key] = self._search(key, rest_below, max_states, max_steps)
        return self._known[key]

    def _search(self, key: _Key, rest_below: float, max_states: int, max_steps: int) -> Unconnected:
        any_pair, ordered = key
        source, first = np.unique(np.array([a for a, _ in ordered]), return_index=True)
        target = np.array([b for _, b in ordered], np.int64)
        out = np.zeros(3)
        n_states = connected_states(
            self._net,
            np.append(first, len(target)).astype(np.int64),
            source.astype(np.int64),
            target,
            any_pair,
            self._hubs if len(source) > MAX_SOURCES else self._hubs[:0],
            rest_below,
            max_states,
            max_steps,
            out,
        )
        return Unconnected(float(out[0]), float(out[1]), n_states, int(out[2]))


def _key(pairs: Pairs, any_pair: bool) -> _Key:
    """Return the key of a question: equal for both directions of pairs."""
    ordered = sorted({(min(pair), max(pair)) for pair in pairs})
    return any_pair and len(ordered) > 1, tuple(ordered)


def _hubs(net: Fallible) -> Ints:
    """Nodes that forward and have the most links, the first ones of equal nodes."""
    n_links = np.where(net.forwards, np.diff(net.first), 0)
    order = np.argsort(-n_links, kind="stable")[:N_HUBS]
    return np.asarray(order[n_links[order] > 0], dtype=np.int64)


def fallible_network(components: Components) -> Fallible:
    """Build the arrays of the kernel: links that carry traffic, in the order of their ids at each node."""
    state = components.state
    links = components.row[components.kind == LINK]
    ends = state["link_ends"][links]
    tail, head = ends.T.reshape(-1), ends[:, ::-1].T.reshape(-1)
    number = np.tile(np.arange(len(links)), 2)
    order = np.lexsort((number, head, tail))
    n_at_node = np.bincount(tail, minlength=state.n_nodes)
    part_first, part = _parts(components, links)
    link, tail, head = number[order], tail[order], head[order]
    takes_first, takes = taken_entries(link, head, part_first, part, components.of_node, components.n)
    return Fallible(
        first=_starts(n_at_node),
        link=link,
        head=head.astype(np.int32),
        tail=tail.astype(np.int32),
        forwards=state["node_forwards"],
        part_first=part_first,
        part=part,
        of_node=components.of_node,
        down=components.gone_ratio,
        takes_first=takes_first,
        takes=takes,
    )


def taken_entries(
    link: Ints, head: Ints, part_first: Ints, part: Ints, of_node: Ints, n_parts: int
) -> tuple[Ints, Ints]:
    """Return the entries of `link` that each component takes down: (first, entry) in CSR form.

    Args:
        link: link of each entry.
        head: node to which it leads.
        part_first: as in `Fallible`, like the others.
        part: components of each link.
        of_node: component of each node, or -1.
        n_parts: number of components.
    """
    n = np.diff(part_first)[link]
    within = np.arange(int(n.sum())) - np.repeat(np.cumsum(n) - n, n)
    takes = np.concatenate((np.repeat(np.arange(len(link)), n), np.arange(len(link))))
    by = np.concatenate((part[np.repeat(part_first[link], n) + within], of_node[head]))
    takes, by = takes[by >= 0], by[by >= 0]
    return _starts(np.bincount(by, minlength=n_parts)), takes[np.argsort(by, kind="stable")]


def _parts(components: Components, links: Ints) -> tuple[Ints, Ints]:
    """(first, component) in CSR form: the component of each link, then its shared risks."""
    risk_first, risk = components.risks_of_link
    n_risks = np.diff(risk_first)[links]
    first = _starts(1 + n_risks)
    part = np.empty(first[-1], np.int64)
    part[first[:-1]] = components.own[links]
    within = np.arange(int(n_risks.sum())) - np.repeat(np.cumsum(n_risks) - n_risks, n_risks)
    part[np.repeat(first[:-1] + 1, n_risks) + within] = risk[np.repeat(risk_first[links], n_risks) + within]
    return first, part


def _starts(counts: Ints) -> Ints:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts))).astype(np.int64)
