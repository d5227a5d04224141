"""XML of YANG data as the plain data that its JSON would hold; names lose their modules.

Source: RFC 7950 (YANG 1.1), section 7; RFC 8040 (RESTCONF), section 3.2.
"""

from __future__ import annotations

from typing import Any

from .files import SourceFile
from .xml_tree import Element, xml_tree

LISTS = frozenset(
    {
        "network",
        "supporting-network",
        "node",
        "supporting-node",
        "termination-point",
        "link",
        "supporting-link",
        "component-link",
        "link-concatenation",
        "amplified-link",
        "value",
    }
)
"""Elements that are lists even where one stands alone: XML does not say so, and JSON does."""
ROOTS = ("networks", "network", "data", "rpc-reply", "config")
"""Elements that begin a file with networks."""


def looks_like_networks(file: SourceFile) -> bool:
    """Return whether a file is XML whose first elements lead to a list of networks."""
    head = file.head
    return head[:1] == "<" and "<network" in head and "<network-id" in file.text and "urn:ietf:params:xml:ns" in head


def plain_data(file: SourceFile) -> dict[str, Any]:
    """Return the tree of a file as nested objects and lists. Raises DocumentError for XML that is none."""
    root = xml_tree(file)
    return {root.name: [_value(root)] if root.name in LISTS else _value(root)}


def _value(element: Element) -> Any:
    """Return the text of a leaf, or the members of a container; members that repeat are a list."""
    if not element.children:
        return element.text.strip()
    found: dict[str, Any] = {}
    for child in element.children:
        value = _value(child)
        if child.name not in found:
            found[child.name] = [value] if child.name in LISTS else value
        elif child.name in LISTS or isinstance(found[child.name], list):
            found[child.name].append(value)
        else:
            found[child.name] = [found[child.name], value]
    return found
