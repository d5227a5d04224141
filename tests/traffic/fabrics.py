"""Small fabrics for tests of load balancing, in the layouts of the law and of the naive simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.naive_hashing import Fabric
from twin.traffic.fabric_routes import fabric_routes
from twin.traffic.hash_groups import HashedRoutes

Pairs = list[tuple[int, int]]


def leaf_spine(
    n_leaves: int, per_leaf: int, n_spines: int, n_parallel: int = 1, trunk: float = 1.0, drop: int = 0
) -> Fabric:
    """Cards at rate 1 on leaves; every leaf has `n_parallel` links to every spine. `drop` links are missing."""
    n_cards = n_leaves * per_leaf
    cards = [(card, n_cards + card // per_leaf) for card in range(n_cards)]
    trunks = [
        (n_cards + leaf, n_cards + n_leaves + spine)
        for leaf in range(n_leaves)
        for spine in range(n_spines)
        for _ in range(n_parallel)
    ][drop:]
    capacity = [1.0] * n_cards + [trunk] * len(trunks)
    return Fabric(n_cards, n_cards + n_leaves + n_spines, cards + trunks, capacity)


def three_tiers(n_pods: int, n_leaves: int, per_leaf: int, n_aggs: int, n_cores: int) -> Fabric:
    """Pods of leaves and aggregation switches; `n_cores` core switches in the plane of each aggregation switch."""
    n_cards, all_leaves, all_aggs = n_pods * n_leaves * per_leaf, n_pods * n_leaves, n_pods * n_aggs
    leaf, agg, core = n_cards, n_cards + all_leaves, n_cards + all_leaves + all_aggs
    ends = [(card, leaf + card // per_leaf) for card in range(n_cards)]
    ends += [(leaf + i, agg + i // n_leaves * n_aggs + j) for i in range(all_leaves) for j in range(n_aggs)]
    ends += [(agg + i, core + i % n_aggs * n_cores + j) for i in range(all_aggs) for j in range(n_cores)]
    return Fabric(n_cards, core + n_aggs * n_cores, ends, [1.0] * len(ends))


def routes_of(fabric: Fabric, pairs: Pairs, sizes: Sequence[float] | None = None) -> HashedRoutes:
    """The routes of a pattern; one byte a pair unless told."""
    return fabric_routes(
        fabric.n_cards,
        fabric.n_nodes,
        np.array(fabric.ends),
        np.array(fabric.capacity),
        np.array(pairs),
        np.ones(len(pairs)) if sizes is None else np.array(sizes, dtype=np.float64),
    )


def written_routes(links: list[tuple[int, int]], *entries: list[tuple[int, float]], **more: Any) -> HashedRoutes:
    """Links as (tail, head); for each route its (link, part of the flows). One pair of a byte, and 1 byte/s, each."""
    n = len(links)
    fields: dict[str, Any] = {
        "first": np.cumsum([0, *map(len, entries)]),
        "link": np.array([link for route in entries for link, _ in route], dtype=np.int64),
        "split_ratio": np.array([part for route in entries for _, part in route]),
        "n_pairs": np.ones(len(entries)),
        "pair_bytes": np.ones(len(entries)),
        "capacity_bytes_per_s": np.ones(n),
        "n_members": np.ones(n, np.int64),
        "tail": np.array([tail for tail, _ in links], dtype=np.int64),
        "head": np.array([head for _, head in links], dtype=np.int64),
        "floor_s": 0.0,
    }
    arrays = {name: np.asarray(x) if isinstance(x, list) else x for name, x in more.items()}
    return HashedRoutes(**fields | arrays)


def shift(fabric: Fabric, by: int) -> Pairs:
    """Every card sends to the one `by` places further."""
    return [(card, (card + by) % fabric.n_cards) for card in range(fabric.n_cards)]


def permutation(fabric: Fabric, seed: int) -> Pairs:
    """Every card sends to one other, drawn at random."""
    target = np.random.default_rng(seed).permutation(fabric.n_cards).tolist()
    return [(card, to) for card, to in enumerate(target) if card != to]


@st.composite
def patterns(draw: st.DrawFn) -> tuple[Fabric, Pairs]:
    """A symmetric fabric of two or three tiers, and a pattern on it."""
    if draw(st.booleans()):
        spines, parallel = draw(st.integers(1, 6)), draw(st.integers(1, 2))
        fabric = leaf_spine(
            draw(st.integers(2, 4)), draw(st.integers(1, 5)), spines, parallel, draw(st.sampled_from([1.0, 2.0]))
        )
    else:
        fabric = three_tiers(2, *(draw(st.integers(1, 3)) for _ in range(4)))
    kind = draw(st.sampled_from(["shift", "permutation", "any"]))
    if kind == "shift":
        return fabric, shift(fabric, draw(st.integers(1, fabric.n_cards - 1)))
    if kind == "permutation":
        return fabric, permutation(fabric, draw(st.integers(0, 99))) or [(0, fabric.n_cards - 1)]
    card = st.integers(0, fabric.n_cards - 1)
    pairs = draw(st.lists(st.tuples(card, card).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=12))
    return fabric, pairs
