"""Drawing of a network: places by tier, lines between them with use, margin and age, and positions of the sites."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..arrays import LAST_END_POINT, NODE_KINDS, TIERS, Floats, Ints, State, Tier
from ..render import drawing_figure, svg_of
from ..render.drawing_rows import drawing_table
from ..stages.evaluation import Evaluation
from .data import Answer
from .drawing_layout import place_positions
from .failure_figures import NO_FAILURES, FailureFigures, by_link

MAX_SINGLE_NODES = 40
"""Largest network whose nodes are drawn one by one, whatever their kinds."""
MAX_PLACES = 400
"""Most places of a drawing; equal kinds of all sites are one place beyond it."""
MAX_CLASSES = 12
"""Classes of equal links that a line lists, the worst first."""
MAX_EXAMPLES = 3
"""Ids that stand for all links of a class."""
BEND_RATIO = 0.18
SAME_HEIGHT = 1e-6
NONE = -1


@dataclass(frozen=True, slots=True)
class DrawnSite:
    """A site with its position; null where the network states none."""

    id: str
    latitude_deg: float | None
    longitude_deg: float | None
    n_nodes: int
    n_accelerators: int


@dataclass(frozen=True, slots=True)
class DrawnPlace:
    """A node, or all nodes of one site with the same kind and part, drawn as one."""

    id: str
    """Id of the node; of several, their site, kind and part; the kind is left out where the part starts with it."""
    kind: str
    site: str | None
    part: str | None
    """Part of switches, accelerator of racks and hosts."""
    n_nodes: int
    n_accelerators: int
    n_down: int
    x_ratio: float
    """From the left, 0 to 1."""
    y_ratio: float
    """From the lowest tier up, 0 to 1."""


@dataclass(frozen=True, slots=True)
class LinkClass:
    """Links of one line that are equal: up, members, capacity, utilisation and margin."""

    n_links: int
    examples: tuple[str, ...]
    up: bool
    n_members: int
    capacity_gbps: float | None
    utilisation_ratio: float | None
    margin_db: float | None
    age_years: float | None


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """Links between two places, drawn as one line. Null where no link of it has such a figure."""

    source: str
    target: str
    tier: Tier
    n_links: int
    n_down: int
    """Links that carry nothing."""
    capacity_gbps: float | None
    """Sum over the links that are up, in the smaller direction; null where the rate of one is unknown."""
    length_km: float | None
    """Length of the longest link."""
    utilisation_ratio: float | None
    """Utilisation of the fullest direction of a link."""
    worst_failure_utilisation_ratio: float | None
    """Largest utilisation of a link after any one failure; null where no failures were computed."""
    failure_rate_lost_ratio: float | None
    """Largest share of the job's step rate that the failure of one link of the line takes, 1 where the job stops; null
    where no failures were computed for a job."""
    margin_db: float | None
    """Lowest."""
    age_years: float | None
    """Age of the oldest link or span."""
    classes: tuple[LinkClass, ...]
    """Classes of equal links, those with the highest utilisation first, at most 12."""
    n_classes: int
    bend_ratio: float = field(default=0.0, metadata={"optional": True})
    """Bend of a line that passes a place between its ends, over its length."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Drawing(Answer):
    """A network as a picture: places by tier, lines between them, sites with their positions."""

    network: str
    plan: str | None
    sites: tuple[DrawnSite, ...]
    places: tuple[DrawnPlace, ...]
    lines: tuple[DrawnLine, ...]
    n_nodes: int
    n_links: int
    heat: str = field(default="utilisation_ratio", metadata={"hidden": True})
    """Field of lines that colours them."""

    def figure(self) -> Any:
        """Draw it as a matplotlib figure (extra `pictures`)."""
        return drawing_figure(self.to_dict() | {"heat": self.heat})

    def _repr_html_(self) -> str:
        return svg_of(self.figure)

    def _table(self) -> Any:
        return drawing_table(self.to_dict())


def drawing_of(
    e: Evaluation,
    network: str,
    plan: str | None,
    failures: FailureFigures = NO_FAILURES,
    heat: str = "utilisation_ratio",
) -> Drawing:
    """Group the nodes and links of an evaluation into places and lines.

    Args:
        e: evaluation of the network.
        network: name of the network.
        plan: id of the plan that was applied; None without one.
        failures: figures of failures by link.
        heat: field of lines that colours them.
    """
    state = e.case.state
    place_of, keys = _places(state)
    names = _names(state, keys)
    positions = place_positions(
        [NODE_KINDS[kind] for _, kind, _, _ in keys],
        [site for site, _, _, _ in keys],
        _coordinates(e),
        _neighbours(state, place_of),
    )
    return Drawing(
        network=network,
        plan=plan,
        sites=tuple(_sites(e)),
        places=tuple(_drawn_places(state, place_of, keys, positions)),
        lines=tuple(_bent(list(_lines(e, place_of, names, failures)), dict(zip(names, positions, strict=True)))),
        n_nodes=state.n_nodes,
        n_links=state.n_links,
        heat=heat,
    )


Key = tuple[int, int, int, int]
"""Site, kind, part and node of a place; -1 where it has none or several."""


def _places(state: State) -> tuple[Ints, list[Key]]:
    """Return the place of each node, int64[n_nodes], and the key of each place."""
    kind, site = state["node_kind"], state["node_site"]
    part = np.where(state["node_accelerator"] != NONE, state["node_accelerator"], state["node_part"])
    none = np.full(state.n_nodes, NONE)
    each = np.arange(state.n_nodes)
    is_mesh = not (kind <= LAST_END_POINT).any() and len(np.unique(kind)) == 1
    choices = [(site, kind, part, none), (site, kind, none, none), (none, kind, part, none), (none, kind, none, none)]
    if state.n_nodes <= MAX_SINGLE_NODES or (is_mesh and state.n_nodes <= MAX_PLACES):
        choices.insert(0, (site, kind, part, each))
    for columns in choices:
        keys, place_of = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
        if len(keys) <= MAX_PLACES:
            break
    return place_of.reshape(-1), [(int(a), int(b), int(c), int(d)) for a, b, c, d in keys]


def _names(state: State, keys: Sequence[Key]) -> list[str]:
    """Return the id of each place: that of its node, or site, kind and part; a part may name the kind already."""
    arrays = state.arrays
    names = []
    for site, kind, part, node in keys:
        if node != NONE:
            names.append(arrays.node_ids[node])
            continue
        kind_name, part_name = NODE_KINDS[kind], state.part_id(part) or ""
        has_kind = part_name.startswith(f"{kind_name}-")
        texts = [arrays.sites[site] if site != NONE else "", "" if has_kind else kind_name, part_name]
        names.append(" ".join(text for text in texts if text))
    return names


def _drawn_places(
    state: State, place_of: Ints, keys: Sequence[Key], positions: Sequence[tuple[float, float]]
) -> Iterator[DrawnPlace]:
    n = len(keys)
    counts = np.bincount(place_of, minlength=n)
    accelerators = np.zeros(n, dtype=np.int64)
    np.add.at(accelerators, place_of, state["node_n_accelerators"])
    down = np.bincount(place_of[~state["node_up"]], minlength=n)
    arrays = state.arrays
    for row, (name, (site, kind, part, _)) in enumerate(zip(_names(state, keys), keys, strict=True)):
        x, y = positions[row]
        yield DrawnPlace(
            name,
            NODE_KINDS[kind],
            arrays.sites[site] if site != NONE else None,
            state.part_id(part),
            int(counts[row]),
            int(accelerators[row]),
            int(down[row]),
            round(x, 4),
            round(y, 4),
        )


def _coordinates(e: Evaluation) -> dict[int, tuple[float, float]]:
    """Return latitude and longitude in degrees of the sites that state both, by code."""
    stated = {site.id: site for site in e.case.document.sites}
    found = {}
    for code, name in enumerate(e.case.state.arrays.sites):
        site = stated.get(name)
        if site is not None and site.latitude_deg is not None and site.longitude_deg is not None:
            found[code] = site.latitude_deg, site.longitude_deg
    return found


def _sites(e: Evaluation) -> Iterator[DrawnSite]:
    state, at = e.case.state, _coordinates(e)
    for code, name in enumerate(state.arrays.sites):
        nodes = state["node_site"] == code
        latitude_deg, longitude_deg = at.get(code, (None, None))
        accelerators = int(state["node_n_accelerators"][nodes].sum())
        yield DrawnSite(name, latitude_deg, longitude_deg, int(nodes.sum()), accelerators)


def _neighbours(state: State, place_of: Ints) -> list[tuple[int, int]]:
    """Return the pairs of different places that links join."""
    ends = np.sort(place_of[state["link_ends"]], axis=1)
    pairs = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0) if len(ends) else np.zeros((0, 2), dtype=np.int64)
    return [(int(a), int(b)) for a, b in pairs]


def _bent(lines: Sequence[DrawnLine], at: Mapping[str, tuple[float, float]]) -> Iterator[DrawnLine]:
    """Bend level lines that would pass through other places."""
    for line in lines:
        (x, y), (to_x, to_y) = at[line.source], at[line.target]
        low, high = sorted((x, to_x))
        is_level = abs(y - to_y) < SAME_HEIGHT
        crosses = is_level and any(
            low + SAME_HEIGHT < x < high - SAME_HEIGHT and abs(other - y) < SAME_HEIGHT for x, other in at.values()
        )
        yield replace(line, bend_ratio=BEND_RATIO if to_x > x else -BEND_RATIO) if crosses else line


@dataclass(frozen=True)
class _Columns:
    """Figures of all links, [n_links]; NaN where a link has none."""

    lit: Any
    members: Ints
    capacity_gbps: Floats
    use_ratio: Floats
    margin_db: Floats
    age_years: Floats
    length_km: Floats
    worst_ratio: Floats
    rate_lost_ratio: Floats


def _columns(e: Evaluation, failures: FailureFigures) -> _Columns:
    state, health = e.case.state, e.health
    n = state.n_links
    use = np.asarray(e.arc_utilisation_ratio, dtype=np.float64).reshape(n, 2)
    with np.errstate(invalid="ignore"):
        fullest = np.fmax(use[:, 0], use[:, 1])
    age = state["link_age_years"].astype(np.float64).copy()
    np.fmax.at(age, state["span_link"], state["span_age_years"])
    length_km = np.where(health.latency.length_unknown, np.nan, state.link_length_km)
    margin_db = np.asarray(health.margin_db, dtype=np.float64).copy()
    margin_db[~np.isfinite(margin_db)] = np.nan
    return _Columns(
        lit=health.lit,
        members=state["n_members_up"],
        capacity_gbps=health.arc_capacity_gbps.reshape(n, 2).min(axis=1),
        use_ratio=fullest,
        margin_db=margin_db,
        age_years=age,
        length_km=length_km,
        worst_ratio=by_link(state, failures.worst_utilisation_ratio),
        rate_lost_ratio=by_link(state, failures.rate_lost_ratio),
    )


def _lines(e: Evaluation, place_of: Ints, names: Sequence[str], failures: FailureFigures) -> Iterator[DrawnLine]:
    state = e.case.state
    if not state.n_links:
        return
    columns = _columns(e, failures)
    ends = place_of[state["link_ends"]]
    ends = np.column_stack([np.sort(ends, axis=1), state.arrays.link_tier])
    pairs, line_of = np.unique(ends, axis=0, return_inverse=True)
    order = np.argsort(line_of.reshape(-1), kind="stable")
    bounds = np.searchsorted(line_of.reshape(-1)[order], np.arange(len(pairs) + 1))
    for row, (a, b, tier) in enumerate(pairs):
        links = order[bounds[row] : bounds[row + 1]]
        yield _line(state, columns, links, names[a], names[b], TIERS[tier])


def _line(state: State, columns: _Columns, links: Ints, source: str, target: str, tier: Tier) -> DrawnLine:
    lit = columns.lit[links]
    classes = list(_classes(state, columns, links))
    return DrawnLine(
        source,
        target,
        tier,
        len(links),
        int((~lit).sum()),
        _plain(float(columns.capacity_gbps[links][lit].sum())),
        _extreme(columns.length_km[links], np.fmax),
        _extreme(columns.use_ratio[links], np.fmax),
        _extreme(columns.worst_ratio[links], np.fmax),
        _extreme(columns.rate_lost_ratio[links], np.fmax),
        _extreme(columns.margin_db[links], np.fmin),
        _extreme(columns.age_years[links], np.fmax),
        tuple(classes[:MAX_CLASSES]),
        len(classes),
    )


def _classes(state: State, columns: _Columns, links: Ints) -> Iterator[LinkClass]:
    """Classes of equal links, the fullest first, then those with the lowest margin, then by id."""
    figures = np.column_stack(
        [
            columns.lit[links],
            columns.members[links],
            np.round(columns.capacity_gbps[links], 6),
            np.round(columns.use_ratio[links], 6),
            np.round(columns.margin_db[links], 6),
            np.round(columns.age_years[links], 6),
        ]
    ).astype(np.float64)
    marked = np.where(np.isfinite(figures), figures, -1e300)  # NaN differs from itself, so it would be many classes
    _, first, class_of, counts = np.unique(marked, axis=0, return_index=True, return_inverse=True, return_counts=True)
    class_of = class_of.reshape(-1)

    def rank(row: int) -> tuple[float, float, int]:
        _, _, _, use_ratio, margin_db, _ = marked[first[row]]
        return -use_ratio, margin_db if margin_db > -1e300 else math.inf, int(first[row])

    ids = state.arrays.link_ids
    for row in sorted(range(len(first)), key=rank):
        lit, members, capacity_gbps, use_ratio, margin_db, age_years = figures[first[row]]
        some = np.flatnonzero(class_of == row)[:MAX_EXAMPLES]
        yield LinkClass(
            int(counts[row]),
            tuple(ids[int(links[i])] for i in some),
            bool(lit),
            int(members),
            _plain(capacity_gbps),
            _plain(use_ratio),
            _plain(margin_db),
            _plain(age_years),
        )


def _extreme(values: Floats, choose: Any) -> float | None:
    known = values[np.isfinite(values)]
    return float(choose.reduce(known)) if len(known) else None


def _plain(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
