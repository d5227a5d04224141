"""How sites exchange gradients: ring, direct or trees, as volumes between ordered pairs of sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations, compress, pairwise, permutations

import numpy as np
import numpy.typing as npt

MAX_TREE_SITES = 5
"""Up to here every chain of sites is weighed; beyond, one of each kind is searched for."""
MAX_ROWS_AT_ONCE, MAX_ROWS_OF_THREE = 8, 16
"""Rows that three chains are mixed for in one go, and without linear programming."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AllReduceSchedule:
    """A way to all-reduce between sites; `volume[i, j]` is the part of the parameters that goes from i to j per pass.

    A pass is the reduce-scatter or the all-gather: both have the same shape.
    """

    name: str
    volume: Floats


def ring(order: Sequence[int], *, both_ways: bool) -> AllReduceSchedule:
    """A ring in this order: (n - 1)/n of the parameters over each of its arcs, halved where both ways are used."""
    n = len(order)
    volume = np.zeros((n, n))
    for a, b in zip(order, (*order[1:], order[0]), strict=True):
        share = (n - 1) / n
        if both_ways:
            volume[a, b] += share / 2
            volume[b, a] += share / 2
        else:
            volume[a, b] += share
    return AllReduceSchedule("two-way ring" if both_ways else "ring", volume)


def direct(n_sites: int) -> AllReduceSchedule:
    """Everybody sends each other site its shard: 1/n over each arc."""
    volume = np.full((n_sites, n_sites), 1.0 / n_sites)
    np.fill_diagonal(volume, 0.0)
    return AllReduceSchedule("direct", volume)


def chain(order: Sequence[int]) -> AllReduceSchedule:
    """A chain through all sites, half of the parameters rooted at each end: half over each of its arcs."""
    volume = np.zeros((len(order), len(order)))
    for a, b in pairwise(order):
        volume[a, b] = volume[b, a] = 0.5
    return AllReduceSchedule("tree " + "-".join(map(str, order)), volume)


@cache
def chains(n_sites: int) -> tuple[AllReduceSchedule, ...]:
    """Return every `chain` through all sites."""
    found = []
    for order in permutations(range(n_sites)):
        if order[0] < order[-1]:
            found.append(_shared(chain(order)))
    return tuple(found)


def _shared(way: AllReduceSchedule) -> AllReduceSchedule:
    """The same, good for many askers: nobody writes into it."""
    way.volume.flags.writeable = False
    return way


def candidates(n_sites: int) -> list[AllReduceSchedule]:
    """Rings and direct, each whole; mixtures of trees are weighed by `mix_trees`."""
    return list(_candidates(n_sites))


@lru_cache(maxsize=64)
def _volumes(ways: tuple[AllReduceSchedule, ...]) -> Floats:
    """float64[n_ways, n_sites, n_sites]."""
    found = np.stack([way.volume for way in ways])
    found.flags.writeable = False
    return found


def busiest_s(time_per_volume: Floats, beside: Floats, ways: Sequence[AllReduceSchedule]) -> Floats:
    """Seconds by way until its busiest row is done; rows as `mix_trees` takes them, infinite where nothing gets on."""
    volumes = np.stack([way.volume for way in ways])
    blocked = np.isinf(time_per_volume)
    taken = np.einsum("rij,wij->wr", np.where(blocked, 0.0, time_per_volume), volumes)
    if blocked.any():
        taken[np.einsum("rij,wij->wr", blocked, volumes > 0)] = np.inf
    return np.asarray((beside + taken).max(axis=1, initial=0.0))


def searched(n_sites: int, time_per_volume: Floats, beside: Floats) -> list[AllReduceSchedule]:
    """A two-way ring and a tree, for more sites than all orders can be weighed of: none for fewer.

    Each order grows from site to site along the pair that takes least of the network, from every site once; the best
    is bettered by turning stretches of it round until none helps (2-opt; Croes 1958): good, and not always best.
    """
    if n_sites <= MAX_TREE_SITES:
        return []
    pair_s = time_per_volume.sum(axis=0)  # of all arcs on the way: near before far
    pair_s = pair_s + pair_s.T
    found = []
    for way in (_two_way, chain):
        orders = [_nearest(pair_s, start) for start in range(n_sites)]
        times = busiest_s(time_per_volume, beside, [way(order) for order in orders])
        best_s, best = float(times.min()), orders[int(times.argmin())]
        while True:
            turned = [
                (*best[:i], *best[i : k + 1][::-1], *best[k + 1 :])
                for i in range(n_sites)
                for k in range(i + 1, n_sites)
            ]
            times = busiest_s(time_per_volume, beside, [way(order) for order in turned])
            if not times.min() < best_s * (1.0 - 1e-12):
                break
            best_s, best = float(times.min()), turned[int(times.argmin())]
        found.append(way(best))
    return found


def _two_way(order: Sequence[int]) -> AllReduceSchedule:
    return ring(order, both_ways=True)


def _nearest(pair_s: Floats, start: int) -> tuple[int, ...]:
    order, left = [start], set(range(len(pair_s))) - {start}
    while left:
        following = min(left, key=lambda site: (pair_s[order[-1], site], site))
        order.append(following)
        left.remove(following)
    return tuple(order)


@lru_cache(maxsize=64)
def _candidates(n_sites: int) -> tuple[AllReduceSchedule, ...]:
    if n_sites < 2:
        return ()
    if n_sites == 2:
        return (_shared(direct(2)),)
    orders = [order for order in permutations(range(n_sites)) if order[0] == 0] if n_sites <= MAX_TREE_SITES else []
    orders = orders or [tuple(range(n_sites))]
    found = [direct(n_sites)]
    found += [ring(order, both_ways=False) for order in orders]
    found += [ring(order, both_ways=True) for order in orders if order[1] < order[-1]]
    return tuple(map(_shared, found))


def mix_trees(n_sites: int, time_per_volume: Floats, beside: Floats | None = None) -> AllReduceSchedule | None:
    """Trees carrying shares of the parameters, chosen so that the busiest arc finishes first.

    time_per_volume: float64[n_rows, n_sites, n_sites], seconds that a row (an arc of the network) needs for one unit
    of volume from i to j. beside: float64[n_rows], seconds that it is busy with other things. Two
    sites joined fat by a short link act as one this way: T = G / (X12 + X13).
    """
    if not 3 <= n_sites <= MAX_TREE_SITES or not len(time_per_volume):
        return None
    trees, volumes = chains(n_sites), _volumes(chains(n_sites))
    blocked = np.isinf(time_per_volume)
    if blocked.any():
        open_ = [not (blocked & (tree.volume > 0)).any() for tree in trees]
        trees, volumes = tuple(compress(trees, open_)), volumes[open_]
        time_per_volume = np.where(blocked, 0.0, time_per_volume)
    if not trees:
        return None
    rows = np.einsum("rij,wij->rw", time_per_volume, volumes)
    if beside is not None:
        rows += beside[:, None]
    # a mixture is never faster than the best tree on the worst row, so rows below that bind in no mixture
    rows = rows[rows.max(axis=1) >= rows.min(axis=1).max()]
    rows = rows[np.lexsort(rows.T)]
    rows = rows[np.append(True, (rows[1:] != rows[:-1]).any(axis=1))]
    scale = rows.max()
    if scale <= 0:
        return AllReduceSchedule("trees", trees[0].volume)
    share = _three_shares(rows / scale) if len(trees) == 3 else None
    if share is None:
        share = _shares(rows / scale)
    if share is None:
        return None
    return AllReduceSchedule("trees", np.asarray(sum(s * tree.volume for s, tree in zip(share, trees, strict=True))))


def _shares(rows: Floats) -> Floats | None:
    """Shares of the columns that make the largest row of `rows @ share` least, by linear programming (HiGHS)."""
    from scipy.optimize import linprog  # 0.25 s of import that other jobs do not need

    n = rows.shape[1]
    answer = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.hstack((rows, -np.ones((len(rows), 1)))),
        b_ub=np.zeros(len(rows)),
        A_eq=np.append(np.ones(n), 0.0)[None, :],
        b_eq=[1.0],
        bounds=[(0, None)] * (n + 1),
        method="highs",
    )
    if answer.status != 0:
        return None
    share = np.maximum(answer.x[:n], 0.0)
    return np.asarray(share / share.sum())


def _three_shares(rows: Floats) -> Floats | None:
    """The same of three columns, exactly and ten times as quick; None where more rows bind than are worth a try.

    The least maximum lies in a corner of the triangle of shares, where two rows are equal on one of its sides, or where
    three are equal inside. Of many rows one after the other is looked at, the one that is largest at the best point so
    far next, until none is larger than those looked at.
    """
    chosen = list(range(len(rows))) if len(rows) <= MAX_ROWS_AT_ONCE else [*dict.fromkeys(rows.argmax(axis=0).tolist())]
    while len(chosen) <= MAX_ROWS_OF_THREE:
        points = _meeting_points(rows[chosen])
        share = points[int(np.argmin(_mixed(rows[chosen], points).max(axis=1)))]
        busy = _mixed(rows, share[None, :])[0]
        worst = int(np.argmax(busy))
        if busy[worst] <= busy[chosen].max():
            return np.asarray(share)
        chosen.append(worst)
    return None


def _mixed(rows: Floats, points: Floats) -> Floats:
    """float64[n_points, n_rows]: each row at each point, in one order of adding up whatever the machine."""
    a, b, c = (points[:, i, None] * rows[:, i] for i in range(3))
    return np.asarray(a + b + c)


def _meeting_points(rows: Floats) -> Floats:
    """Corners of the triangle of shares, and all points in it where as many rows are equal as fix a point."""
    pairs, triples = _choices(len(rows))
    off = rows[pairs[0]] - rows[pairs[1]]
    found = [np.eye(3)]
    with np.errstate(divide="ignore", invalid="ignore"):
        for i, j in ((0, 1), (0, 2), (1, 2)):
            side = np.zeros((len(off), 3))
            side[:, i], side[:, j] = off[:, j] / (off[:, j] - off[:, i]), off[:, i] / (off[:, i] - off[:, j])
            found.append(side)
        a, b = ((rows[triples[0]] - rows[triples[i]]).T for i in (1, 2))
        # the cross product: where both differences are nought
        inside = np.stack((a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]), axis=1)
        found.append(inside / inside.sum(axis=1)[:, None])
    points = np.concatenate(found)
    return np.asarray(points[((points >= 0) & (points <= 1)).all(axis=1)])  # not a number is neither


@cache
def _choices(n: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(pairs, triples) of n things, int64[2, n_pairs] and int64[3, n_triples]."""
    pairs, triples = (np.array([*combinations(range(n), k)], dtype=np.int64).reshape(-1, k).T for k in (2, 3))
    return pairs, triples
