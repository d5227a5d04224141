"""All-reduce schedules between sites: ring, direct or trees, as volumes between ordered pairs of sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import combinations, compress, pairwise, permutations

import numpy as np
import numpy.typing as npt

MAX_TREE_SITES = 5
"""Up to this number of sites every chain is evaluated; beyond, one of each kind is searched for."""
MAX_ROWS_AT_ONCE, MAX_ROWS_THREE_TREES = 8, 16
"""Rows that three chains are mixed for at once, and rows that are solved without linear programming."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AllReduceSchedule:
    """A schedule of an all-reduce between sites.

    `volume[i, j]` is the part of the parameters that goes from i to j in one pass. A pass is the reduce-scatter or the
    all-gather; both have the same volumes.
    """

    name: str
    volume: Floats


def ring(order: Sequence[int], *, bidirectional: bool) -> AllReduceSchedule:
    """Make a ring in this order: (n - 1)/n of the parameters over each of its arcs.

    Args:
        order: sites in the order of the ring.
        bidirectional: whether half of the volume goes each way.
    """
    n = len(order)
    volume = np.zeros((n, n))
    for a, b in zip(order, (*order[1:], order[0]), strict=True):
        volume_ratio = (n - 1) / n
        if bidirectional:
            volume[a, b] += volume_ratio / 2
            volume[b, a] += volume_ratio / 2
        else:
            volume[a, b] += volume_ratio
    return AllReduceSchedule("two-way ring" if bidirectional else "ring", volume)


def direct(n_sites: int) -> AllReduceSchedule:
    """Make the direct exchange: each site sends each other site its shard, 1/n over each arc."""
    volume = np.full((n_sites, n_sites), 1.0 / n_sites)
    np.fill_diagonal(volume, 0.0)
    return AllReduceSchedule("direct", volume)


def chain(order: Sequence[int]) -> AllReduceSchedule:
    """Make a chain through all sites, with half of the parameters rooted at each end: half over each of its arcs."""
    volume = np.zeros((len(order), len(order)))
    for a, b in pairwise(order):
        volume[a, b] = volume[b, a] = 0.5
    return AllReduceSchedule("tree " + "-".join(map(str, order)), volume)


@cache
def chains(n_sites: int) -> tuple[AllReduceSchedule, ...]:
    """Return every `chain` through all sites."""
    schedules = []
    for order in permutations(range(n_sites)):
        if order[0] < order[-1]:
            schedules.append(_read_only(chain(order)))
    return tuple(schedules)


def _read_only(schedule: AllReduceSchedule) -> AllReduceSchedule:
    """Protect a cached schedule against writes."""
    schedule.volume.flags.writeable = False
    return schedule


def ring_and_direct_schedules(n_sites: int) -> list[AllReduceSchedule]:
    """Rings and the direct exchange, each used alone; `mix_trees` makes mixtures of trees."""
    return list(_ring_and_direct_schedules(n_sites))


@lru_cache(maxsize=64)
def _volumes(schedules: tuple[AllReduceSchedule, ...]) -> Floats:
    """float64[n_ways, n_sites, n_sites]."""
    volumes = np.stack([schedule.volume for schedule in schedules])
    volumes.flags.writeable = False
    return volumes


def schedule_times_s(time_per_volume: Floats, other_time_s: Floats, schedules: Sequence[AllReduceSchedule]) -> Floats:
    """Seconds of each schedule until its busiest row ends.

    Args:
        time_per_volume: as in `mix_trees`; infinite where a row has no capacity.
        other_time_s: seconds that each row is busy with other traffic; float64[n_rows].
        schedules: the schedules.

    Returns:
        float64[n_schedules].
    """
    volumes = np.stack([schedule.volume for schedule in schedules])
    blocked = np.isinf(time_per_volume)
    time_s = np.einsum("rij,wij->wr", np.where(blocked, 0.0, time_per_volume), volumes)
    if blocked.any():
        time_s[np.einsum("rij,wij->wr", blocked, volumes > 0)] = np.inf
    return np.asarray((other_time_s + time_s).max(axis=1, initial=0.0))


def search_schedules(n_sites: int, time_per_volume: Floats, other_time_s: Floats) -> list[AllReduceSchedule]:
    """Search a two-way ring and a chain for more sites than all orders can be evaluated for; none for fewer sites.

    Each order grows from site to site along the pair that takes least time, from every site once. Reversing stretches
    improves the best order until none helps (2-opt; Croes 1958). The result is good, but not always the best.
    """
    if n_sites <= MAX_TREE_SITES:
        return []
    pair_s = time_per_volume.sum(axis=0)  # over all arcs of the path, so that short paths come first
    pair_s = pair_s + pair_s.T
    schedules = []
    for make_schedule in (_two_way_ring, chain):
        orders = [_nearest_neighbour_order(pair_s, start) for start in range(n_sites)]
        times_s = schedule_times_s(time_per_volume, other_time_s, [make_schedule(order) for order in orders])
        best_s, best_order = float(times_s.min()), orders[int(times_s.argmin())]
        while True:
            reversed_orders = [
                (*best_order[:i], *best_order[i : k + 1][::-1], *best_order[k + 1 :])
                for i in range(n_sites)
                for k in range(i + 1, n_sites)
            ]
            times_s = schedule_times_s(
                time_per_volume, other_time_s, [make_schedule(order) for order in reversed_orders]
            )
            if not times_s.min() < best_s * (1.0 - 1e-12):
                break
            best_s, best_order = float(times_s.min()), reversed_orders[int(times_s.argmin())]
        schedules.append(make_schedule(best_order))
    return schedules


def _two_way_ring(order: Sequence[int]) -> AllReduceSchedule:
    return ring(order, bidirectional=True)


def _nearest_neighbour_order(pair_s: Floats, start: int) -> tuple[int, ...]:
    """Order of the sites that starts at one and always continues to the nearest remaining site."""
    order, remaining = [start], set(range(len(pair_s))) - {start}
    while remaining:
        next_site = min(remaining, key=lambda site: (pair_s[order[-1], site], site))
        order.append(next_site)
        remaining.remove(next_site)
    return tuple(order)


@lru_cache(maxsize=64)
def _ring_and_direct_schedules(n_sites: int) -> tuple[AllReduceSchedule, ...]:
    if n_sites < 2:
        return ()
    if n_sites == 2:
        return (_read_only(direct(2)),)
    orders = [order for order in permutations(range(n_sites)) if order[0] == 0] if n_sites <= MAX_TREE_SITES else []
    orders = orders or [tuple(range(n_sites))]
    schedules = [direct(n_sites)]
    schedules += [ring(order, bidirectional=False) for order in orders]
    schedules += [ring(order, bidirectional=True) for order in orders if order[1] < order[-1]]
    return tuple(map(_read_only, schedules))


def mix_trees(n_sites: int, time_per_volume: Floats, other_time_s: Floats | None = None) -> AllReduceSchedule | None:
    """Mix trees that carry shares of the parameters, so that the busiest arc ends first.

    Two sites joined by a short, wide link act as one this way: T = G / (X12 + X13).

    Args:
        n_sites: sites of the job.
        time_per_volume: seconds that a row (an arc of the network) needs for one unit of volume from i to j;
            float64[n_rows, n_sites, n_sites].
        other_time_s: seconds that each row is busy with other traffic; float64[n_rows].

    Returns:
        The mixture; None for fewer than 3 or too many sites, or where no tree avoids the rows without capacity.
    """
    if not 3 <= n_sites <= MAX_TREE_SITES or not len(time_per_volume):
        return None
    trees, volumes = chains(n_sites), _volumes(chains(n_sites))
    blocked = np.isinf(time_per_volume)
    if blocked.any():
        usable = [not (blocked & (tree.volume > 0)).any() for tree in trees]
        trees, volumes = tuple(compress(trees, usable)), volumes[usable]
        time_per_volume = np.where(blocked, 0.0, time_per_volume)
    if not trees:
        return None
    rows_s = np.einsum("rij,wij->rw", time_per_volume, volumes)
    if other_time_s is not None:
        rows_s += other_time_s[:, None]
    # a mixture is never faster than the best tree on the worst row, so rows below that never bind
    rows_s = rows_s[rows_s.max(axis=1) >= rows_s.min(axis=1).max()]
    rows_s = rows_s[np.lexsort(rows_s.T)]
    rows_s = rows_s[np.append(True, (rows_s[1:] != rows_s[:-1]).any(axis=1))]
    scale_s = rows_s.max()
    if scale_s <= 0:
        return AllReduceSchedule("trees", trees[0].volume)
    share = _solve_three_shares(rows_s / scale_s) if len(trees) == 3 else None
    if share is None:
        share = _solve_shares(rows_s / scale_s)
    if share is None:
        return None
    return AllReduceSchedule(
        "trees", np.asarray(sum(part * tree.volume for part, tree in zip(share, trees, strict=True)))
    )


def _solve_shares(rows: Floats) -> Floats | None:
    """Shares of the columns with the least maximum of `rows @ share`, by linear programming (HiGHS)."""
    from scipy.optimize import linprog  # 0.25 s of import that other jobs do not need

    n = rows.shape[1]
    solution = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.hstack((rows, -np.ones((len(rows), 1)))),
        b_ub=np.zeros(len(rows)),
        A_eq=np.append(np.ones(n), 0.0)[None, :],
        b_eq=[1.0],
        bounds=[(0, None)] * (n + 1),
        method="highs",
    )
    if solution.status != 0:
        return None
    share = np.maximum(solution.x[:n], 0.0)
    return np.asarray(share / share.sum())


def _solve_three_shares(rows: Floats) -> Floats | None:
    """The same for three columns, exact and ten times as fast; None where too many rows bind.

    The least maximum lies in a corner of the triangle of shares, on a side where two rows are equal, or inside where
    three rows are equal. With many rows, one row at a time is added: the largest one at the best point so far. It ends
    when no row is larger than those added.
    """
    chosen = list(range(len(rows))) if len(rows) <= MAX_ROWS_AT_ONCE else [*dict.fromkeys(rows.argmax(axis=0).tolist())]
    while len(chosen) <= MAX_ROWS_THREE_TREES:
        points = _meeting_points(rows[chosen])
        share = points[int(np.argmin(_row_times(rows[chosen], points).max(axis=1)))]
        times = _row_times(rows, share[None, :])[0]
        worst = int(np.argmax(times))
        if times[worst] <= times[chosen].max():
            return np.asarray(share)
        chosen.append(worst)
    return None


def _row_times(rows: Floats, points: Floats) -> Floats:
    """float64[n_points, n_rows]: each row at each point, summed in a fixed order on every machine."""
    a, b, c = (points[:, i, None] * rows[:, i] for i in range(3))
    return np.asarray(a + b + c)


def _meeting_points(rows: Floats) -> Floats:
    """Corners of the triangle of shares, and all points in it where enough rows are equal to fix a point."""
    pairs, triples = _pairs_and_triples(len(rows))
    difference = rows[pairs[0]] - rows[pairs[1]]
    points = [np.eye(3)]
    with np.errstate(divide="ignore", invalid="ignore"):
        for i, j in ((0, 1), (0, 2), (1, 2)):
            on_side = np.zeros((len(difference), 3))
            on_side[:, i], on_side[:, j] = (
                difference[:, j] / (difference[:, j] - difference[:, i]),
                difference[:, i] / (difference[:, i] - difference[:, j]),
            )
            points.append(on_side)
        a, b = ((rows[triples[0]] - rows[triples[i]]).T for i in (1, 2))
        # the cross product gives the point where both differences are zero
        inside = np.stack((a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]), axis=1)
        points.append(inside / inside.sum(axis=1)[:, None])
    all_points = np.concatenate(points)
    return np.asarray(all_points[((all_points >= 0) & (all_points <= 1)).all(axis=1)])  # NaN fails both tests


@cache
def _pairs_and_triples(n: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(pairs, triples) of n rows, int64[2, n_pairs] and int64[3, n_triples]."""
    pairs, triples = (np.array([*combinations(range(n), k)], dtype=np.int64).reshape(-1, k).T for k in (2, 3))
    return pairs, triples
