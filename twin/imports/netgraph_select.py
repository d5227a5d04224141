"""Selection of nodes in files of NetGraph: patterns of names and conditions on attributes, with bounded work.

Source: networmix/NetGraph v0.17.4, documentation of the DSL, and v0.9.1 for the older one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import DocumentError
from .patterns import bounded_pattern

MAX_MATCHES = 5_000_000
"""Comparisons of a pattern with a name in one import."""


@dataclass(slots=True)
class Vertex:
    """A node of a NetGraph network."""

    name: str
    place: str
    attributes: dict[str, Any]
    disabled: bool = False
    risk_groups: tuple[str, ...] = ()

    def value(self, name: str) -> Any:
        """Return an attribute; dots lead into nested ones."""
        own = {"name": self.name, "disabled": self.disabled, "risk_groups": list(self.risk_groups)}
        return own[name] if name in own else nested(self.attributes, name)


def nested(attributes: Mapping[str, Any], name: str) -> Any:
    """Return an attribute by its name, or by a path with dots; None if there is none."""
    if name in attributes:
        return attributes[name]
    found: Any = attributes
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


@dataclass(slots=True)
class Selector:
    """Selects among nodes in the order in which they were made."""

    vertices: dict[str, Vertex] = field(default_factory=dict)
    _found: dict[str, list[tuple[str, Vertex]]] = field(default_factory=dict)
    _n_matches: int = 0

    def groups(
        self, selector: Any, where: str, *, base: str = "", active_only: bool = False
    ) -> dict[str, list[Vertex]]:
        """Return the selected nodes by the label of their group.

        Args:
            selector: a pattern, or a mapping with path, match, group_by and active_only.
            where: place in the file, for messages.
            base: path of the block in which the selector stands.
            active_only: leave disabled nodes out unless the selector says otherwise.

        Raises:
            DocumentError: a pattern that is none, or is too complex.
        """
        stated = {"path": selector} if isinstance(selector, str) else selector
        if not isinstance(stated, Mapping) or not {"path", "match", "group_by"} & set(stated):
            raise DocumentError("selects nothing", where=where, expected="a pattern, or path, match or group_by")
        path = stated.get("path")
        pairs = self._matching(joined(base, path), where) if isinstance(path, str) else self._all()
        match, group_by = stated.get("match"), stated.get("group_by")
        only = stated.get("active_only")
        if isinstance(match, Mapping):
            pairs = [(label, vertex) for label, vertex in pairs if fits(vertex.value, match)]
        if only if isinstance(only, bool) else active_only:
            pairs = [(label, vertex) for label, vertex in pairs if not vertex.disabled]
        found: dict[str, list[Vertex]] = {}
        for label, vertex in pairs:
            key = label if group_by is None else vertex.value(str(group_by))
            if key is not None:
                found.setdefault(str(key), []).append(vertex)
        return found

    def nodes(self, selector: Any, where: str, *, base: str = "", active_only: bool = False) -> list[Vertex]:
        """Return the selected nodes of all groups."""
        groups = self.groups(selector, where, base=base, active_only=active_only)
        return [vertex for group in groups.values() for vertex in group]

    def added(self, vertex: Vertex) -> None:
        """Add a node; earlier selections are forgotten."""
        self.vertices[vertex.name] = vertex
        self._found.clear()

    def _all(self) -> list[tuple[str, Vertex]]:
        return [("all", vertex) for vertex in self.vertices.values()]

    def _matching(self, path: str, where: str) -> list[tuple[str, Vertex]]:
        if path.startswith("attr:"):
            values = ((vertex.value(path[5:]), vertex) for vertex in self.vertices.values())
            return [(str(value), vertex) for value, vertex in values if value is not None]
        if path not in self._found:
            self._n_matches += len(self.vertices)
            if self._n_matches > MAX_MATCHES:
                expected = f"at most {MAX_MATCHES:,} comparisons of patterns with names"
                raise DocumentError("selects among too many nodes", where=where, expected=expected)
            pattern = bounded_pattern(path, where)
            matches = ((pattern.match(vertex.name), vertex) for vertex in self.vertices.values())
            self._found[path] = [
                ("|".join(c for c in match.groups() if c is not None) if match.groups() else path, vertex)
                for match, vertex in matches
                if match is not None
            ]
        return self._found[path]


def joined(base: str, path: str) -> str:
    """Join a path to that of the block in which it stands; a slash at its start has no effect."""
    plain = path.removeprefix("/")
    return f"{base}/{plain}" if base else plain


def fits(value_of: Any, match: Mapping[str, Any], logic: str = "or") -> bool:
    """Tell whether attributes fit conditions; `value_of` returns an attribute by its name."""
    conditions = match.get("conditions")
    rows = [row for row in conditions if isinstance(row, Mapping)] if isinstance(conditions, list) else []
    if not rows:
        return True
    results = (_fits_one(value_of(str(row.get("attr", ""))), row) for row in rows)
    return all(results) if match.get("logic", logic) == "and" else any(results)


def _fits_one(value: Any, row: Mapping[str, Any]) -> bool:
    operator, wanted = str(row.get("op", row.get("operator"))), row.get("value")
    if operator in ("exists", "any_value"):
        return value is not None
    if operator in ("not_exists", "no_value"):
        return value is None
    if operator == "==":
        return bool(value == wanted)
    if operator == "!=":
        return bool(value != wanted)
    if value is None:
        return False
    if operator in ("contains", "not_contains"):
        inside = str(wanted) in value if isinstance(value, str) else wanted in _listed(value)
        return bool(inside) == (operator == "contains")
    if operator in ("in", "not_in"):
        return bool(value in _listed(wanted)) == (operator == "in")
    return _compares(value, wanted, operator)


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else ()


def _compares(value: Any, wanted: Any, operator: str) -> bool:
    try:
        a, b = float(value), float(wanted)
    except (TypeError, ValueError):
        return False
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}.get(operator, False)
