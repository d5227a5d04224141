"""Rules of WCMP groups: names that exist, next hops that forward, and no loops."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from ..errors import Issue, did_you_mean
from ..errors.wording import quoted
from .records import FORWARDING_KINDS, Link, Node, WcmpGroup

MAX_ISSUES = 20
"""Most faults that are looked for; a search for similar names is slow."""


def wcmp_issues(
    groups: Sequence[WcmpGroup],
    node_ids: Collection[str],
    ends: Mapping[str, tuple[str, str]],
    forwards: Callable[[str], bool],
) -> Iterator[Issue]:
    """Find faults of WCMP groups.

    Args:
        groups: groups of a document.
        node_ids: ids of all nodes, fabrics expanded.
        ends: both ends of each link by id, fabrics expanded.
        forwards: whether a node carries traffic of others.
    """
    listed = {(group.node, group.target) for group in groups}
    seen: set[tuple[str, str]] = set()
    n_found = 0
    for group in groups:
        key = group.node, group.target
        faults = list(_group_issues(group, node_ids, ends, forwards, listed))
        if key in seen:
            faults.append(Issue(_where(group), "stands twice", "list each node once for a target"))
        seen.add(key)
        yield from faults
        n_found += len(faults)
        if n_found >= MAX_ISSUES:
            return
    if not n_found:
        yield from _loops(groups, ends)


def _group_issues(
    group: WcmpGroup,
    node_ids: Collection[str],
    ends: Mapping[str, tuple[str, str]],
    forwards: Callable[[str], bool],
    listed: Collection[tuple[str, str]],
) -> Iterator[Issue]:
    where = _where(group)
    for place, name in (("node", group.node), ("target", group.target)):
        if name not in node_ids:
            yield Issue(f"{where}.{place}", f"no node {quoted(name)}", did_you_mean(name, node_ids))
            return
    if group.node == group.target:
        yield Issue(where, "the node is the target itself", "remove the group")
        return
    for link in group.next_hops:
        if link not in ends:
            yield Issue(f"{where}.next_hops", f"no link {quoted(link)}", did_you_mean(link, ends))
        elif group.node not in ends[link]:
            a, b = ends[link]
            problem = f"link {quoted(link)} joins {quoted(a)} and {quoted(b)}, not {quoted(group.node)}"
            yield Issue(f"{where}.next_hops", problem, "name links of the node")
        else:
            head = other_end(ends[link], group.node)
            if head == group.target:
                continue
            if not forwards(head):
                yield Issue(f"{where}.next_hops", f"{quoted(head)} does not forward traffic", "name another link")
            elif (head, group.target) not in listed:
                problem = f"next hop {quoted(head)} has no group for {quoted(group.target)}"
                yield Issue(f"{where}.next_hops", problem, "every next hop needs a group, so that there are no loops")


def _loops(groups: Sequence[WcmpGroup], ends: Mapping[str, tuple[str, str]]) -> Iterator[Issue]:
    for target, of_target in by_target(groups).items():
        try:
            forwarding_order(of_target, ends)
        except CycleError as error:
            loop = [str(name) for name in error.args[1]][::-1]
            path = " -> ".join(quoted(name) for name in loop[:6]) + (" ..." if len(loop) > 6 else "")
            yield Issue(f"wcmp_groups[{target}]", f"a loop: {path}", "remove one of these next hops")
            return


def by_target(groups: Iterable[WcmpGroup]) -> dict[str, list[WcmpGroup]]:
    """Collect groups by target; targets and nodes are sorted."""
    found: dict[str, list[WcmpGroup]] = {}
    for group in sorted(groups, key=group_key):
        found.setdefault(group.target, []).append(group)
    return found


def group_key(group: WcmpGroup) -> tuple[str, str]:
    """Order groups by target, then by node."""
    return group.target, group.node


def forwarding_order(groups: Iterable[WcmpGroup], ends: Mapping[str, tuple[str, str]]) -> list[WcmpGroup]:
    """Sort the groups of one target so that each node stands behind its next hops.

    Raises:
        CycleError: the groups form a loop.
    """
    of_node = {group.node: group for group in groups}
    heads = {node: [other_end(ends[link], node) for link in group.next_hops] for node, group in of_node.items()}
    return [of_node[node] for node in TopologicalSorter(heads).static_order() if node in of_node]


def other_end(ends: tuple[str, str], node: str) -> str:
    """Return the end of a link that is not this node."""
    return ends[1] if ends[0] == node else ends[0]


def groups_of_records(
    groups: Sequence[WcmpGroup], nodes: Iterable[Node], links: Iterable[Link]
) -> tuple[WcmpGroup, ...]:
    """Return what remains of WCMP groups on these records: as after a failure of all that is absent.

    Next hops over absent links go. A node without next hops has no group, and is no longer a next hop with a group.
    """
    if not groups:
        return ()
    node_ids, ends = {node.id for node in nodes}, {link.id: link.ends for link in links}
    kept: list[WcmpGroup] = []
    for target, of_target in by_target(groups).items():
        present = [
            WcmpGroup(g.node, target, {link: n for link, n in g.next_hops.items() if g.node in ends.get(link, ())})
            for g in of_target
            if g.node in node_ids and target in node_ids
        ]
        active = {target}
        for group in forwarding_order(present, ends):
            hops = {
                link: weight for link, weight in group.next_hops.items() if other_end(ends[link], group.node) in active
            }
            if hops:
                active.add(group.node)
                kept.append(WcmpGroup(group.node, target, hops))
    return tuple(kept)


def forwards_of(nodes: Mapping[str, Node]) -> Callable[[str], bool]:
    """Return the function that tells whether a node of these records carries traffic of others."""

    def forwards(name: str) -> bool:
        node = nodes[name]
        return node.kind in FORWARDING_KINDS if node.forwards is None else node.forwards

    return forwards


def _where(group: WcmpGroup) -> str:
    return f"wcmp_groups[{group.node} to {group.target}]"
