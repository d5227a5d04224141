"""Ports of the members of a link, as imports write them: tags `node:port ~ node:port`, or an id of that form."""

from __future__ import annotations

from collections.abc import Iterator

from ..model.records import Link

BETWEEN_PORTS = " ~ "
"""Text between the two ports of a member in the tags of a link."""
BETWEEN_PORTS_OF_IDS = "~"


def port_tag(node: str, port: str, far_node: str, far_port: str) -> str:
    """Return the tag of one member."""
    return f"{node}:{port}{BETWEEN_PORTS}{far_node}:{far_port}"


def tagged_ports(link: Link) -> list[tuple[str, str]]:
    """Return the ports of each member at both ends, from the tags of a link."""
    return [ports for tag in link.tags if (ports := ports_in_tag(tag, link.ends)) is not None]


def ports_in_tag(tag: str, ends: tuple[str, str]) -> tuple[str, str] | None:
    """Return the ports at both ends of a link that a tag names; None for another tag."""
    return _ports_in(tag, BETWEEN_PORTS, ends)


def ports_of(link: Link) -> Iterator[tuple[str, str]]:
    """Yield the ports of each member at both ends, from tags, else from the id."""
    found = tagged_ports(link)
    if not found:
        ports = _ports_in(link.id, BETWEEN_PORTS_OF_IDS, link.ends)
        found = [] if ports is None else [ports]
    yield from found


def _ports_in(text: str, between: str, ends: tuple[str, str]) -> tuple[str, str] | None:
    """Return the ports of both ends of a link in a text; None if it names no such ports."""
    for first, second in (ends, ends[::-1]):
        middle = f"{between}{second}:"
        if text.startswith(f"{first}:") and middle in text:
            head, _, tail = text.removeprefix(f"{first}:").partition(middle)
            if head and tail:
                return (head, tail) if first == ends[0] else (tail, head)
    return None
