"""Kinds of failures of a network: what fails in each of them, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import numpy as np

from ..arrays import NO_CODE, Bools, Floats, Ints, State
from ..arrays.wcmp_groups import WcmpTable
from ..errors import ChangeError, did_you_mean
from ..failures.capped_rates import OneFailure
from ..failures.fabric import Fabric
from ..failures.kinds import GroupFailures, Kind, LinkFailures, NodeFailures
from ..failures.pair_classes import PairClasses
from ..failures.pairs import PairFailures
from ..failures.sweep import FailureLoads
from ..stages.evaluation import Evaluation
from ..stages.outcomes import NodePairs
from ..traffic.routing import Router

JOINED = " + "
"""Stands between the ids of failures that happen together."""


class FailureSet(NamedTuple):
    """Failures of one kind, with the id of each."""

    ids: tuple[str, ...]
    kind: Kind
    single_ids: tuple[str, ...] = ()
    """Ids of the single failures that pairs consist of."""
    classes: PairClasses | None = None
    """Classes of which these pairs are the first ones."""

    def together(self, failure: int) -> tuple[str, ...]:
        """Return the ids of what fails at the same time."""
        if not isinstance(self.kind, PairFailures):
            return (self.ids[failure],)
        return self.single_ids[self.kind.first[failure]], self.single_ids[self.kind.second[failure]]

    @property
    def n_equal(self) -> Ints:
        """Number of failures that each of them stands for, int64[n]."""
        return np.ones(len(self.ids), np.int64) if self.classes is None else self.classes.n_equal

    def everywhere(self, loads: FailureLoads) -> tuple[FailureSet, FailureLoads]:
        """Return the greatest loads over all that these stand for, and what causes them."""
        if self.classes is None:
            return self, loads
        kind, expanded = self.classes.expanded(loads)
        return pairs_with_ids(self.single_ids, kind), expanded


def pairs_with_ids(single_ids: tuple[str, ...], pairs: PairFailures, classes: PairClasses | None = None) -> FailureSet:
    """Return pairs with their ids, `a + b`."""
    sides = zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    ids = tuple(f"{single_ids[a]}{JOINED}{single_ids[b]}" for a, b in sides)
    return FailureSet(ids, pairs, single_ids, classes)


def fabric_of(e: Evaluation, pairs: NodePairs) -> tuple[Fabric, Ints]:
    """Return the links of a network that carry traffic, with its demands, and the rows of these links.

    Arcs of unknown rate have no limit here.
    """
    state, router = e.case.state, cast(Router, e.outcome("router"))
    links = np.flatnonzero(cast("Floats", e.outcome("routed_links")))
    arcs = np.stack((2 * links, 2 * links + 1), axis=1).reshape(-1)
    capacity_gbps = e.health.arc_capacity_gbps[arcs]
    offers = pairs.offered_gbps > 0.0
    fabric = Fabric(
        forwards=state["node_forwards"],
        ends=state["link_ends"][links],
        weight=router.weight[arcs],
        share=cast("Floats", e.outcome("split_share"))[arcs],
        capacity_gbps=np.where(np.isnan(capacity_gbps), np.inf, capacity_gbps),
        n_members=state.n_members_up[links],
        source=pairs.source[offers],
        target=pairs.target[offers],
        offered_gbps=pairs.offered_gbps[offers],
    )
    return fabric, links


def one_failure(e: Evaluation, pairs: NodePairs) -> OneFailure:
    """Build the traffic of a network for single states."""
    return OneFailure(
        e.case.state,
        cast("Bools", e.outcome("routed_links")),
        cast("Floats", e.outcome("split_share")),
        e.health.arc_capacity_gbps,
        e.case.document.routing == "wcmp",
        pairs.source,
        pairs.target,
        pairs.offered_gbps,
        cast("WcmpTable | None", e.outcome("wcmp_table")),
    )


def failures_of_kind(e: Evaluation, of: str, fabric: Fabric, links: Ints) -> FailureSet:
    """Return all failures of a kind.

    Args:
        e: evaluation of the network.
        of: a key of `KINDS`.
        fabric: links that carry traffic.
        links: their rows.

    Raises:
        ChangeError: unknown kind, or nothing of the kind carries traffic.
    """
    if not isinstance(of, str) or of not in KINDS:
        hint = did_you_mean(str(of), KINDS)
        raise ChangeError(f"no kind of failures {of!r}", where="of", expected=f"one of {', '.join(KINDS)}", hint=hint)
    found = KINDS[of](e, fabric, links)
    if not found.ids:
        raise ChangeError(f"no {of} carries traffic", where="of", expected="something that can fail", hint=HINTS[of])
    return found


def kind_name(state: State, of: str, ids: Sequence[str]) -> str:
    """Return the name of failures of a kind in words; a shared risk that `cable` of spans makes is a cable.

    Args:
        state: columns of the network.
        of: a key of `KINDS`.
        ids: what fails.
    """
    if of != "srlg":
        return of
    cables = {state.srlgs[code] for code in np.unique(state["span_cable"]).tolist() if code != NO_CODE}
    if cables.isdisjoint(ids):
        return "shared risk"
    return "cable" if cables.issuperset(ids) else "cable or shared risk"


def _links(e: Evaluation, fabric: Fabric, links: Ints) -> FailureSet:
    ids = e.case.state.arrays.link_ids
    return FailureSet(tuple(ids[row] for row in links), LinkFailures(fabric, np.zeros(len(links))))


def _members(e: Evaluation, fabric: Fabric, links: Ints) -> FailureSet:
    kept_ratio = (fabric.n_members - 1) / fabric.n_members
    return FailureSet(_links(e, fabric, links).ids, LinkFailures(fabric, kept_ratio))


def _nodes(e: Evaluation, fabric: Fabric, _: Ints) -> FailureSet:
    nodes = np.unique(fabric.ends)
    return FailureSet(tuple(e.case.state.arrays.node_ids[row] for row in nodes), NodeFailures(fabric, nodes))


def _shared_risks(e: Evaluation, fabric: Fabric, links: Ints) -> FailureSet:
    arrays = e.case.state.arrays
    place = np.full(arrays.n_links, NO_CODE, np.int64)
    place[links] = np.arange(len(links))
    groups = [np.unique(place[arrays.srlg_link[arrays.srlg_code == code]]) for code in range(len(arrays.srlgs))]
    return _groups(fabric, arrays.srlgs, [rows[rows != NO_CODE] for rows in groups])


def _sites(e: Evaluation, fabric: Fabric, _: Ints) -> FailureSet:
    arrays = e.case.state.arrays
    site = arrays.node_site[fabric.ends]
    groups = [np.flatnonzero((site == code).any(axis=1)) for code in range(len(arrays.sites))]
    return _groups(fabric, arrays.sites, groups)


def _groups(fabric: Fabric, names: tuple[str, ...], groups: list[Ints]) -> FailureSet:
    """Return the groups that have links which carry traffic."""
    chosen = [i for i, links in enumerate(groups) if len(links)]
    return FailureSet(tuple(names[i] for i in chosen), GroupFailures(fabric, [groups[i] for i in chosen]))


_CARRYING = "links that are down or have no light carry nothing: `links` shows which"
HINTS = {
    "link": _CARRYING,
    "member": _CARRYING,
    "node": _CARRYING,
    "srlg": "`srlgs` of links or spans name what fails together",
    "site": "`site` of nodes names their site",
}
"""Hint for each kind of which nothing carries traffic."""
KINDS: dict[str, Callable[[Evaluation, Fabric, Ints], FailureSet]] = {
    "link": _links,
    "member": _members,
    "node": _nodes,
    "srlg": _shared_risks,
    "site": _sites,
}
"""Every kind: a whole link, one member of a link, a node, a shared-risk group, all nodes of a site."""
