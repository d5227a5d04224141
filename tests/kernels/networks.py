"""Networks in both layouts, the kernels' arrays and the naive twins' links, and how to call the kernels on them."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st

from tests.naive import Link
from twin.kernels.class_loads import class_loads
from twin.kernels.graph import ArcGraph
from twin.kernels.paths import shortest_distances
from twin.traffic.twin_nodes import ArcTable, destinations_of

TOLERANCE = 1e-12


class Net(NamedTuple):
    n_nodes: int
    links: list[Link]
    hosts: frozenset[int] = frozenset()
    """Nodes that do not forward."""

    @property
    def graph(self) -> ArcGraph:
        ends = np.array([(link.a, link.b) for link in self.links], dtype=np.int64).reshape(-1, 2)
        head, tail = ends[:, ::-1].ravel(), ends.ravel()
        arc = np.lexsort((np.arange(head.size) >> 1, head, tail)).astype(np.int64)
        first = np.concatenate(([0], np.cumsum(np.bincount(tail, minlength=self.n_nodes)))).astype(np.int64)
        forwards = np.array([node not in self.hosts for node in range(self.n_nodes)], dtype=np.bool_)
        return ArcGraph(first, arc, head.copy(), forwards)

    @property
    def weight(self) -> np.ndarray:
        """By arc."""
        both = [(link.weight, (link.back or (link.weight, link.share))[0]) for link in self.links]
        return np.array(both, dtype=np.float64).ravel()

    @property
    def up(self) -> np.ndarray:
        return np.array([link.up for link in self.links], dtype=np.bool_)

    @property
    def share(self) -> np.ndarray:
        """By arc."""
        both = [(link.share, (link.back or (link.weight, link.share))[1]) for link in self.links]
        return np.array(both, dtype=np.float64).ravel()

    def distances(self, sources: Sequence[int]) -> np.ndarray:
        out = np.full((len(sources), self.n_nodes), np.nan)
        shortest_distances(self.graph, self.weight, self.up, np.array(sources, dtype=np.int64), out)
        return out


def loads_by_class(
    network: Net, source: np.ndarray, target: np.ndarray, amount: np.ndarray, together: bool = True
) -> np.ndarray:
    """Loads by arc of demands; twin destinations together, or each by itself."""
    other = source != target
    table = ArcTable.of(
        network.graph, network.weight, network.share, network.up & (network.share.reshape(-1, 2) > 0).all(axis=1)
    )
    destinations, _ = destinations_of(table.arcs, source[other], target[other], amount[other])
    if not together:
        destinations = destinations._replace(class_first=np.arange(len(destinations.node) + 1))
    flow = np.zeros((network.n_nodes, int(np.diff(destinations.class_first).max(initial=0))))
    unused = np.empty((0, 0)), np.empty((0, 0), np.int32), np.empty(len(destinations.class_first) - 1, np.bool_)
    load, out = np.zeros(len(table.arc_id)), np.zeros(2 * len(network.links))
    lost = class_loads(table.arcs, table.by_hops, destinations, TOLERANCE, False, *unused, flow, load)
    assert not flow.any()
    reaches = np.isfinite(network.distances(target)[np.arange(len(source)), source])
    assert lost == pytest.approx(amount[~reaches].sum(), rel=1e-12)
    out[table.arc_id] = load
    return out


def net(n_nodes: int, *links: tuple[int, int, float] | tuple[int, int, float, bool] | tuple) -> Net:
    """A network by hand: links as (a, b, weight, up, share), the last two optional."""
    return Net(n_nodes, [Link(a, b, Fraction(str(weight)), *rest) for a, b, weight, *rest in links])


def random_net(
    seed: int, n_nodes: int = 14, n_links: int = 30, p_up: float = 0.85, n_hosts: int = 0, directed: bool = False
) -> Net:
    """A seeded multigraph in tenths (0.1 + 0.2 is not 0.3 in floats), with parallel and down links and lone nodes.

    Hosts are among the nodes with links; the links do not depend on their number.
    """
    rng = np.random.default_rng(seed)
    links = []
    while len(links) < n_links:
        a, b = (int(node) for node in rng.integers(0, n_nodes - 2, 2))
        if a != b:
            weight = Fraction(int(rng.integers(1, 5)), 10)
            up, share = bool(rng.random() < p_up), Fraction(int(rng.integers(1, 4)))
            links.append(Link(a, b, weight, up, share))
            if rng.random() < 0.2:
                links.append(Link(b, a, weight, True, share))
    hosts = np.random.default_rng((seed, 1)).permutation(n_nodes - 2)[:n_hosts].tolist()
    if directed:
        other = np.random.default_rng((seed, 2)).integers(1, 5, (len(links), 2))
        links = [
            link._replace(back=(Fraction(int(weight), 10), Fraction(int(share))))
            for link, (weight, share) in zip(links, other, strict=True)
        ]
    return Net(n_nodes, links, frozenset(hosts))


@st.composite
def nets(draw: st.DrawFn, max_nodes: int = 7, max_links: int = 14) -> Net:
    n_nodes = draw(st.integers(2, max_nodes))
    node = st.integers(0, n_nodes - 1)
    ends = st.tuples(node, node).filter(lambda pair: pair[0] != pair[1])
    tenths = st.integers(1, 3).map(lambda n: Fraction(n, 10))
    shares = st.integers(1, 3).map(Fraction)
    back = st.none() | st.tuples(tenths, shares)
    link = st.tuples(ends, tenths, st.sampled_from([True, True, True, False]), shares, back)
    drawn = draw(st.lists(link, min_size=1, max_size=max_links))
    hosts = draw(st.frozensets(node, max_size=3))
    return Net(n_nodes, [Link(a, b, *values) for (a, b), *values in drawn], hosts)
