"""Positions of places in a drawing: by tier and site, by coordinates, or by a spring model."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import networkx as nx

from ..structure.tiers import LEVELS

Position = tuple[float, float]
MAX_SPRING_PLACES = 200
"""Most places that the spring model arranges; more are set on a circle."""
MAX_ROW_PLACES = 12
"""Most places of one site in one row; a row that is longer is broken into several."""


def place_positions(
    kinds: Sequence[str],
    sites: Sequence[int],
    coordinates: Mapping[int, Position],
    neighbours: Sequence[tuple[int, int]],
) -> list[Position]:
    """Return the position of each place, both coordinates from 0 to 1, y upwards.

    Places of several kinds stand in rows by tier, the sites side by side. Places of one kind stand by the coordinates
    of their sites if each has its own; otherwise a spring model with a fixed start arranges them.

    Args:
        kinds: kind of each place.
        sites: code of the site of each place; -1 for none.
        coordinates: latitude and longitude of sites in degrees, by code.
        neighbours: pairs of places that links join.
    """
    levels = _levels(kinds, neighbours)
    if len(set(levels)) > 1:
        return _by_tier(levels, sites)
    own_sites = len(set(sites)) == len(sites) and all(site in coordinates for site in sites)
    if own_sites and len(sites) > 1:
        return map_positions([coordinates[site] for site in sites])
    return _by_springs(len(kinds), neighbours)


def map_positions(coordinates: Sequence[Position]) -> list[Position]:
    """Return positions from 0 to 1 of latitudes and longitudes in degrees, in true proportions at their middle."""
    middle_deg = sum(latitude for latitude, _ in coordinates) / len(coordinates)
    west_deg = _western_edge([longitude for _, longitude in coordinates])
    points = [
        (((longitude - west_deg) % 360.0) * math.cos(math.radians(middle_deg)), latitude)
        for latitude, longitude in coordinates
    ]
    return _fit(points)


def _western_edge(longitudes: Sequence[float]) -> float:
    """Return the western edge of the shortest arc that holds all longitudes, in degrees."""
    ordered = sorted({value % 360.0 for value in longitudes})
    gaps = [
        ((ordered[(i + 1) % len(ordered)] - value) % 360.0, ordered[(i + 1) % len(ordered)])
        for i, value in enumerate(ordered)
    ]
    return max(gaps)[1]


def _levels(kinds: Sequence[str], neighbours: Sequence[tuple[int, int]]) -> list[int]:
    """Return the tier of each place; a kind without a tier stands one above the highest tier that it is linked to."""
    stated = [LEVELS.get(kind) for kind in kinds]
    if all(level is None for level in stated):
        return [0] * len(kinds)
    below: dict[int, int] = defaultdict(int)
    for a, b in neighbours:
        for place, other in ((a, b), (b, a)):
            if stated[place] is None and stated[other] is not None:
                below[place] = max(below[place], stated[other] or 0)
    return [level if level is not None else below[place] + 1 for place, level in enumerate(stated)]


def _by_tier(levels: Sequence[int], sites: Sequence[int]) -> list[Position]:
    """Rows by tier from below, one block of columns for each site, as wide as its longest row."""
    cells: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, (level, site) in enumerate(zip(levels, sites, strict=True)):
        cells[site, level].append(place)
    width = dict.fromkeys(sorted(set(sites)), 0)
    for (site, _), places in cells.items():
        width[site] = max(width[site], min(len(places), MAX_ROW_PLACES))
    left, edge = {}, 0.0
    for site, n in width.items():
        left[site], edge = edge, edge + n + 0.6
    heights = _row_heights(levels, cells)
    points: list[Position] = [(0.0, 0.0)] * len(levels)
    for (site, level), places in cells.items():
        for rank, place in enumerate(places):
            line, column = divmod(rank, MAX_ROW_PLACES)
            in_line = min(len(places) - line * MAX_ROW_PLACES, MAX_ROW_PLACES)
            x = left[site] + (column + 0.5) * width[site] / in_line
            points[place] = x / edge, heights[level] + 0.35 * line
    top = max(y for _, y in points) or 1.0
    return [(x, y / top) for x, y in points]


def _row_heights(levels: Sequence[int], cells: Mapping[tuple[int, int], Sequence[int]]) -> dict[int, float]:
    heights, y = {}, 0.0
    for level in sorted(set(levels)):
        lines = max(-(-len(places) // MAX_ROW_PLACES) for (_, each), places in cells.items() if each == level)
        heights[level], y = y, y + 1.0 + 0.35 * (lines - 1)
    return heights


def _by_springs(n: int, neighbours: Sequence[tuple[int, int]]) -> list[Position]:
    circle = [(math.cos(2.0 * math.pi * i / n), math.sin(2.0 * math.pi * i / n)) for i in range(n)]
    if n > MAX_SPRING_PLACES or n < 3 or not neighbours:
        return _fit(circle)
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(neighbours)
    found = nx.spring_layout(graph, pos=dict(enumerate(circle)), seed=1, iterations=60)
    return _fit([(float(found[i][0]), float(found[i][1])) for i in range(n)])


def _fit(points: Sequence[Position]) -> list[Position]:
    """Scale points into the unit square, in their proportions, in the middle of it."""
    if not points:
        return []
    low = [min(point[axis] for point in points) for axis in (0, 1)]
    high = [max(point[axis] for point in points) for axis in (0, 1)]
    size = max(high[0] - low[0], high[1] - low[1])
    if size == 0.0:
        return [(0.5, 0.5)] * len(points)
    return [
        (
            0.5 + (x - (low[0] + high[0]) / 2.0) / size,
            0.5 + (y - (low[1] + high[1]) / 2.0) / size,
        )
        for x, y in points
    ]
