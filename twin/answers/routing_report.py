"""Routing report: what the routing in use costs against the best one, and the links worth more capacity first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from ..arrays import Bools, Floats, Ints, at_an_end
from ..errors import ChangeError
from ..errors.wording import counted
from ..model.records import WcmpGroup, asdict_compact
from ..progress import Progress
from ..render.numbers import number_text
from ..render.quantities import percent_text
from ..render.routing_table import routing_table
from ..stages.evaluation import Evaluation
from ..traffic.congestion import arc_utilisation_ratio
from ..traffic.optimal_groups import optimal_groups
from ..traffic.optimum import RoutingOptimum, optimal_routing
from .arc_text import arc_name, direction_text
from .data import Answer
from .score import data_frame, html_table
from .warning import AnswerWarning

MAX_ENTRIES = 4096
"""Largest sum of the weights of a WCMP group that may be asked for."""
TRIED_ENTRIES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, *(2**n for n in range(6, 13)))
"""Sums that groups are made for, as far as they are allowed: the same for all, so that more is never worse."""
MAX_TRIED_GROUPS = 20_000
"""Most groups that smaller sums are tried for, some seconds in all."""
LEAST_GAIN_RATIO = 1e-6
"""Smaller groups are taken if they lower the busiest link by more than this share."""
LEAST_PRICE_RATIO = 1e-3
"""Directions whose price is below this are not listed."""
LEAST_GAP_RATIO = 5e-4
"""Bounds that are closer count as one figure."""
LEAST_LOSS_RATIO = 1.005
"""Routing that costs less than this factor counts as the best."""
LOADED_RATIO, SWEPT_RATIO = 0.05, 0.95
"""Shares of the work that are done once the routing in use is known, and once the sweeps have ended."""
NO_TRAFFIC = "No traffic: every routing is the best."


@dataclass(frozen=True, slots=True)
class PricedLink:
    """A direction of a link whose capacity sets the optimum."""

    id: str
    direction: str
    capacity_gbps: float
    utilisation_ratio: float
    """With the routing in use, of the demands."""
    optimal_utilisation_ratio: float
    """With the best routing that was found."""
    price_ratio: float
    """Share of the limit that this capacity sets: with 1 % more of it alone the optimum falls by at most so many
    percent. Shares of all links sum to 1."""


@dataclass(frozen=True, slots=True)
class WcmpShares:
    """WCMP groups near the optimum, as a change, and what the routing of the twin does with them."""

    max_utilisation_ratio: float
    """Busiest direction of a link after the change, routed anew."""
    busiest: str | None
    """That link and direction; null without traffic."""
    n_entries: int
    """Largest allowed sum of the weights of a group."""
    n_groups: int
    """Groups: pairs of a node and a destination."""
    n_split_groups: int
    """Groups with more than one next hop."""
    change: dict[str, Any]
    """The change `set_wcmp_groups`, as plain data."""


@dataclass(frozen=True, kw_only=True, repr=False)
class RoutingReport(Answer):
    """Utilisation of the busiest link under the routing in use and under the best possible one."""

    network: str
    plan: str | None
    summary: tuple[str, ...]
    """The verdict: what routing costs, the bounds, the links that set the limit; one sentence each."""
    offered_gbps: float
    """Demands that have a path."""
    unrouted_gbps: float
    """Demands without a path; they are left out."""
    max_utilisation_ratio: float
    """Busiest direction of a link with the routing in use."""
    busiest: str | None
    """That link and direction; null without traffic."""
    optimal_max_utilisation_ratio: float
    """The same with the best routing that was found: demands may split over any paths."""
    lower_bound_ratio: float
    """No routing has less. The optimum is between this and `optimal_max_utilisation_ratio`."""
    gap_ratio: float
    """Distance of the two over `optimal_max_utilisation_ratio`."""
    routing_cost_ratio: float | None
    """Utilisation in use over that of the best routing found; null without traffic."""
    links: tuple[PricedLink, ...]
    """Directions that set the optimum, the dearest first."""
    wcmp: WcmpShares | None = field(default=None, metadata={"optional": True})
    """Groups that come near the optimum, where they were asked for."""
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def to_pandas(self) -> Any:
        """Return the links as a DataFrame (needs the extra `tables`)."""
        return data_frame([asdict(row) for row in self.links], [*PricedLink.__dataclass_fields__])

    def _repr_html_(self) -> str:
        names = ("id", "direction", "capacity_gbps", "utilisation_ratio", "optimal_utilisation_ratio", "price_ratio")
        rows = [[str(getattr(row, name)) for name in names] for row in self.links]
        return html_table(self.network, names if rows else (), rows, (), self.summary)

    def _table(self) -> Any:
        return routing_table(self.to_dict())


def routing_report(
    e: Evaluation,
    network: str,
    plan: str | None,
    gap_ratio: float,
    n_entries: int | None = None,
    apply: Callable[[dict[str, Any]], Evaluation] | None = None,
    progress: Progress | None = None,
) -> RoutingReport:
    """Compare the routing of the demands with the best possible one.

    Args:
        e: evaluation of the network, after changes if there are any.
        network: name of the network.
        plan: name of the plan, or `changes`; None for the unchanged network.
        gap_ratio: largest distance of the two bounds of the optimum over it, from 0.0001 to 0.5.
        n_entries: largest sum of the weights of a WCMP group; None = no groups.
        apply: evaluates the network after a change as well; needed for groups.
        progress: told after each sweep over all sources.

    Raises:
        ChangeError: no demands, a link of unknown rate, or a gap or number out of bounds.
        ConvergenceError: the bounds stay farther apart.
    """
    if isinstance(gap_ratio, bool) or not isinstance(gap_ratio, int | float) or not 1e-4 <= gap_ratio <= 0.5:
        raise ChangeError(f"gap {gap_ratio}", where="optimum", expected="a ratio from 0.0001 to 0.5")
    if n_entries is not None and (type(n_entries) is not int or not 1 <= n_entries <= MAX_ENTRIES):
        raise ChangeError(f"{n_entries} entries", where="optimum", expected=f"a whole number from 1 to {MAX_ENTRIES}")
    pairs, loads = e.demand_pairs, e.demands
    if pairs is None or loads is None:
        hint = "add `demands` or `traffic`, or state demands (option --demands of the command)"
        raise ChangeError("the document has no demands", where="optimum", hint=hint)
    capacity_gbps = e.health.arc_capacity_gbps
    _require_rates(e, np.isnan(capacity_gbps))
    routed = loads.reachable
    offered_gbps = np.where(routed, pairs.offered_gbps, 0.0)
    demands = pairs.source, pairs.target, offered_gbps
    progress = progress or Progress()
    progress.tell(LOADED_RATIO)
    optimum = optimal_routing(
        e.case.state,
        capacity_gbps,
        *demands,
        gap_ratio=float(gap_ratio),
        keeps_flow=n_entries is not None,
        progress=progress.part(LOADED_RATIO, SWEPT_RATIO),
    )
    wcmp = None
    if n_entries is not None and apply is not None and optimum.flow is not None:
        routed_anew = _routed_anew(e, optimum, demands, n_entries, apply)
        if routed_anew is not None:
            wcmp, arc_gbps = routed_anew
            optimum = _no_worse_than(optimum, wcmp.max_utilisation_ratio, arc_gbps)
    in_use = arc_utilisation_ratio(loads.arc_offered_gbps, capacity_gbps)
    top = int(np.argmax(in_use)) if len(in_use) and in_use.max() > 0 else None
    highest = float(in_use[top]) if top is not None else 0.0
    optimum = _no_worse_than(optimum, highest, loads.arc_offered_gbps)
    links = tuple(_priced_links(e, optimum, in_use))
    report = RoutingReport(
        network=network,
        plan=plan,
        summary=(),
        offered_gbps=math.fsum(offered_gbps.tolist()),
        unrouted_gbps=loads.unrouted_gbps,
        max_utilisation_ratio=highest,
        busiest=arc_name(e, top) if top is not None else None,
        optimal_max_utilisation_ratio=optimum.utilisation_ratio,
        lower_bound_ratio=optimum.lower_bound_ratio,
        gap_ratio=optimum.gap_ratio,
        routing_cost_ratio=highest / optimum.utilisation_ratio if optimum.utilisation_ratio else None,
        links=links,
        wcmp=wcmp,
    )
    progress.tell(1.0)
    return replace(report, summary=tuple(_summary(report, links)))


def _no_worse_than(optimum: RoutingOptimum, ratio: float, arc_gbps: Floats) -> RoutingOptimum:
    """Return the optimum with this routing as the best that is known, if it is better than the one found."""
    if ratio >= optimum.utilisation_ratio:
        return optimum
    lower = min(optimum.lower_bound_ratio, ratio)  # an exact optimum may be undercut by its last digits
    return replace(optimum, utilisation_ratio=ratio, lower_bound_ratio=lower, arc_gbps=arc_gbps)


def _routed_anew(
    e: Evaluation,
    optimum: RoutingOptimum,
    demands: tuple[Ints, Ints, Floats],
    n_entries: int,
    apply: Callable[[dict[str, Any]], Evaluation],
) -> tuple[WcmpShares, Floats] | None:
    """Return the best groups that were found and the loads with them, float64[2 * n_links]; None without traffic.

    Sums closer to the fractions may still load the busiest link more, so smaller sizes are tried too, unless the
    groups reach the lower bound. Of equal ones the largest size counts.
    """
    assert optimum.flow is not None
    best: tuple[WcmpShares, Floats] | None = None
    for size in sorted((size for size in TRIED_ENTRIES if size <= n_entries), reverse=True):
        groups = optimal_groups(e.case.state, optimum.flow, *demands, size)
        if not groups:
            return None
        found = _wcmp_shares(groups, n_entries, apply)
        if best is None or found[0].max_utilisation_ratio < best[0].max_utilisation_ratio * (1.0 - LEAST_GAIN_RATIO):
            best = found
        is_best = optimum.lower_bound_ratio >= (1.0 - LEAST_GAP_RATIO) * best[0].max_utilisation_ratio
        if is_best or len(groups) > MAX_TRIED_GROUPS:
            break
    return best


def _wcmp_shares(
    groups: Sequence[WcmpGroup], n_entries: int, apply: Callable[[dict[str, Any]], Evaluation]
) -> tuple[WcmpShares, Floats]:
    """Route the demands over the groups; returns what they reach, and the loads."""
    change = {"kind": "set_wcmp_groups", "groups": [asdict_compact(group) for group in groups]}
    after = apply(change)
    assert after.demands is not None
    ratio = arc_utilisation_ratio(after.demands.arc_offered_gbps, after.health.arc_capacity_gbps)
    top = int(np.argmax(ratio))
    shares = WcmpShares(
        max_utilisation_ratio=float(ratio[top]),
        busiest=arc_name(after, top),
        n_entries=n_entries,
        n_groups=len(groups),
        n_split_groups=sum(len(group.next_hops) > 1 for group in groups),
        change=change,
    )
    return shares, after.demands.arc_offered_gbps


def _require_rates(e: Evaluation, unknown: Bools) -> None:
    """Raise ChangeError if a link that is up states no rate."""
    rows = np.flatnonzero(at_an_end(unknown.reshape(-1, 2)) & e.case.state["link_up"])
    if len(rows):
        name = e.case.state.link_ids[int(rows[0])]
        raise ChangeError(
            f"{counted(len(rows), 'link')} of unknown rate, {name!r} first",
            where="optimum",
            hint="state capacity_gbps or a transceiver",
        )


def _priced_links(e: Evaluation, optimum: RoutingOptimum, in_use: Any) -> Iterator[PricedLink]:
    capacity_gbps = e.health.arc_capacity_gbps
    priced = np.flatnonzero(optimum.price_ratio >= LEAST_PRICE_RATIO)
    for arc in priced[np.argsort(-optimum.price_ratio[priced], kind="stable")].tolist():
        yield PricedLink(
            id=e.case.state.link_ids[arc // 2],
            direction=direction_text(e, arc),
            capacity_gbps=float(capacity_gbps[arc]),
            utilisation_ratio=float(in_use[arc]),
            optimal_utilisation_ratio=float(optimum.arc_gbps[arc] / capacity_gbps[arc]),
            price_ratio=float(optimum.price_ratio[arc]),
        )


def _summary(report: RoutingReport, links: Sequence[PricedLink]) -> Iterator[str]:
    cost = report.routing_cost_ratio
    if cost is None:
        unrouted = number_text(report.unrouted_gbps, "Gb/s")
        yield f"{unrouted} have no path: no demand is routed." if report.unrouted_gbps else NO_TRAFFIC
        return
    highest, least = percent_text(report.max_utilisation_ratio), percent_text(report.lower_bound_ratio)
    best = percent_text(report.optimal_max_utilisation_ratio)
    if report.max_utilisation_ratio <= LEAST_LOSS_RATIO * report.lower_bound_ratio:
        yield f"Routing costs nothing: the busiest link has {highest}, and no routing has less than {least}."
    elif cost < LEAST_LOSS_RATIO:
        yield f"No better routing was found: the busiest link has {highest}, no routing has less than {least}."
    else:
        bounds = f"between {least} and {best}" if report.gap_ratio > LEAST_GAP_RATIO else best
        yield f"Routing costs a factor of {cost:.3g}: the busiest link has {highest}, the least possible is {bounds}."
    yield f"Busiest with the routing in use: {report.busiest}."
    if report.wcmp is not None:
        shares = report.wcmp
        groups, entries = counted(shares.n_groups, "group"), counted(shares.n_entries, "entry", "entries")
        groups = f"{groups} of at most {entries}, {shares.n_split_groups:,} split"
        yield f"WCMP groups reach {percent_text(shares.max_utilisation_ratio)}, routed anew: {groups}."
    if report.optimal_max_utilisation_ratio > 1.0:
        yield "No routing carries all demands: they need more capacity."
    if links:
        first = links[0]
        one = len(links) == 1
        name = f"{first.id} ({first.direction})"
        yield f"{name} sets this limit." if one else f"{len(links)} directions of links set this limit, most {name}."
        yield f"1 % more capacity there alone lowers the limit by at most {first.price_ratio:.2g} %."
    if report.unrouted_gbps:
        yield f"{number_text(report.unrouted_gbps, 'Gb/s')} of demand have no path and are left out."
