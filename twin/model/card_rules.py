"""Rules of network cards: a rack or host has a port for each card that it states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..errors import Issue
from ..errors.wording import counted
from .records import FORWARDING_KINDS, Link, Node


def card_issues(nodes: Iterable[Node], links: Iterable[Link], by_id: Mapping[str, Node]) -> Iterator[Issue]:
    """Find nodes that state more cards than their links have ports, rail by rail; switches state none."""
    stated = {node.id: node for node in nodes if node.n_cards is not None}
    if not stated:
        return
    n_ports: dict[str, dict[int | None, int]] = {name: {} for name in stated}
    for link in links:
        for name, other in (link.ends, link.ends[::-1]):
            if name in stated and other in by_id:
                rail = by_id[other].rail if _forwards(by_id[other]) else None
                n_ports[name][rail] = n_ports[name].get(rail, 0) + link.n_parallel
    for name, node in stated.items():
        where = f"nodes[{name}].n_cards"
        if node.kind not in ("rack", "host"):
            yield Issue(where, f"a {node.kind} has no cards of accelerators", "n_cards belongs to a rack or host")
        elif node.n_accelerators or node.part is None:
            # cards without accelerators may have spare ports
            yield from port_issues(where, node.n_cards or 0, n_ports[name])


def port_issues(where: str, n_cards: int, n_ports: Mapping[int | None, int]) -> Iterator[Issue]:
    """Find a rail with fewer ports than cards; without rails all ports count together."""
    rails = sorted(rail for rail in n_ports if rail is not None)
    if not rails:
        n = n_ports.get(None, 0)
        if n_cards > n:
            hint = f"n_cards up to {n}, or more members of its links" if n else "links to switches give it ports"
            yield Issue(where, f"{counted(n_cards, 'card')}, more than the {counted(n, 'port')} of its links", hint)
        return
    most = min(n_ports[rail] * len(rails) + i for i, rail in enumerate(rails))
    for i, rail in enumerate(rails):
        n = max(0, -(-(n_cards - i) // len(rails)))
        if n > n_ports[rail]:
            problem = (
                f"{counted(n, 'card')} on rail {rail}, more than the {counted(n_ports[rail], 'port')} of its links"
            )
            yield Issue(where, problem, f"n_cards up to {most}, or more members of the links to rail {rail}")
            return


def _forwards(node: Node) -> bool:
    return node.kind in FORWARDING_KINDS if node.forwards is None else node.forwards
