"""Expansion of a NetGraph network: groups of nodes, blueprints, links by pattern, rules; bounded by records.

The current format (`nodes`, `links`, `count`, `template`, `blueprint`) and an older one (`groups`, `adjacency`,
`node_count`, `name_template`, `use_blueprint`, `link_params`) are read alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from ..errors import DocumentError
from ..errors.wording import type_text
from .fields import plain
from .files import MAX_RECORDS
from .ledger import Ledger
from .netgraph_select import Selector, Vertex, fits, joined, nested

MAX_EXPANSIONS = 10_000
"""Names of one bracket expression, or combinations of variables of one block."""
MAX_BLUEPRINT_DEPTH = 20
BRACKETS = re.compile(r"\[([^\[\]]{1,500})\]")
VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\}")
COUNTER = re.compile(r"\{(?:n|node_num)(?::0?(\d{1,2})d?)?\}")
LINK_FIELDS = ("capacity", "cost", "disabled", "risk_groups", "attrs")


@dataclass(slots=True)
class Edge:
    """A bundle of equal links of a NetGraph network."""

    source: str
    target: str
    place: str
    n: int
    fields: dict[str, Any] = field(default_factory=dict)
    """Fields among LINK_FIELDS that are stated."""


class Expansion:
    """Nodes and links of one file."""

    def __init__(self, data: Mapping[str, Any], where: str, ledger: Ledger) -> None:
        self.where, self.ledger = where, ledger
        self.selector = Selector()
        self.edges: list[Edge] = []
        self._n_records = 0
        self._blueprints = _mapping(data.get("blueprints"), f"{where}: blueprints")
        self._pending: list[tuple[Mapping[str, Any], str, str]] = []

    def run(self, network: Mapping[str, Any]) -> None:
        """Expand nodes, rules of nodes, links of blueprints, links, and rules of links, in the order of NetGraph."""
        for section in ("nodes", "groups"):
            for name, group in _mapping(network.get(section), f"{self.where}: network.{section}").items():
                self._group("", str(name), group, f"network.{section}[{name}]", section == "groups")
        for section in ("node_rules", "node_overrides"):
            for rule, place in self._blocks(network.get(section), f"network.{section}"):
                self._node_rule(rule, place)
        for block, base, place in self._pending:
            self._links(block, base, place)
        for section in ("adjacency", "links"):
            for block, place in self._listed(network.get(section), f"network.{section}"):
                self._links(block, "", place)
        for section in ("link_rules", "link_overrides"):
            for rule, place in self._blocks(network.get(section), f"network.{section}"):
                self._link_rule(rule, place)

    def risk_names(self, value: Any) -> tuple[str, ...]:
        """Return the names of risk groups, brackets expanded, each once."""
        return risk_names(value, self.where)

    def _counted(self, n: int, place: str) -> None:
        self._n_records += n
        if self._n_records > MAX_RECORDS:
            expected = f"at most {MAX_RECORDS:,} nodes and links"
            raise DocumentError("expands to too many records", where=f"{self.where}: {place}", expected=expected)

    def _group(self, parent: str, name: str, group: Any, place: str, old: bool, depth: int = 0) -> None:
        """Add the nodes of a group, of a blueprint, or of groups inside it."""
        if depth > MAX_BLUEPRINT_DEPTH:
            raise DocumentError("blueprints are nested too deeply", where=f"{self.where}: {place}")
        stated = _mapping(group, f"{self.where}: {place}")
        names = expanded_names(name, f"{self.where}: {place}")
        if names != [name]:
            self.ledger.converted("groups.name", "brackets → names", len(names))
        for each in names:
            path = joined(parent, each)
            blueprint = stated.get("blueprint", stated.get("use_blueprint"))
            if blueprint is not None:
                self._blueprint(path, str(blueprint), stated, place, depth)
            elif isinstance(stated.get("nodes"), Mapping):
                for inner_name, inner in stated["nodes"].items():
                    merged = _merged(stated, _mapping(inner, f"{self.where}: {place}"))
                    self._group(path, str(inner_name), merged, f"{place}.nodes[{inner_name}]", old, depth + 1)
            else:
                self._nodes(path, each, stated, place, old)

    def _blueprint(self, path: str, name: str, stated: Mapping[str, Any], place: str, depth: int) -> None:
        where = f"{self.where}: {place}"
        if name not in self._blueprints:
            raise DocumentError(f"no blueprint {name!r}", where=where, expected="one of blueprints")
        blueprint = _mapping(self._blueprints[name], f"{self.where}: blueprints[{name}]")
        parameters = _mapping(stated.get("params", stated.get("parameters")), where)
        self.ledger.converted("groups.blueprint", "blueprint → its nodes and links")
        for section in ("nodes", "groups"):
            for inner_name, inner in _mapping(blueprint.get(section), where).items():
                merged = _with_parameters(_mapping(inner, where), str(inner_name), parameters)
                inner_place = f"{place}: blueprints[{name}].{section}[{inner_name}]"
                self._group(path, str(inner_name), _merged(stated, merged), inner_place, section == "groups", depth + 1)
        for section in ("links", "adjacency"):
            for block, link_place in self._listed(blueprint.get(section), f"blueprints[{name}].{section}"):
                self._pending.append((block, path, f"{place}: {link_place}"))

    def _nodes(self, path: str, name: str, stated: Mapping[str, Any], place: str, old: bool) -> None:
        count = stated.get("count", stated.get("node_count"))
        template = stated.get("template", stated.get("name_template"))
        is_single = count is None and template is None and not old
        n = 1 if count is None else count
        if not isinstance(n, int) or isinstance(n, bool) or n < 1:
            raise DocumentError(f"count is {str(n)[:40]}", where=f"{self.where}: {place}", expected="a number from 1")
        self._counted(n, place)
        if not is_single:
            self.ledger.converted("groups.count", "group → its nodes", n)
        label = str(template) if isinstance(template, str) else f"{name}-{{n}}"
        attributes = stated.get("attrs")
        for i in range(1, n + 1):
            own = path if is_single else f"{path}/{_numbered(label, i)}"
            if own in self.selector.vertices:
                self.ledger.finding("duplicate id", "only the first node of a name is used", "make names unique", own)
                continue
            self.selector.added(
                Vertex(
                    plain(own),
                    place,
                    dict(attributes) if isinstance(attributes, Mapping) else {},
                    stated.get("disabled") is True,
                    risk_names(stated.get("risk_groups"), self.where),
                )
            )

    def _listed(self, value: Any, place: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        if value is not None and not isinstance(value, list):
            raise DocumentError(f"holds {type_text(value)}", where=f"{self.where}: {place}", expected="a list")
        for i, item in enumerate(value or ()):
            yield _mapping(item, f"{self.where}: {place}[{i}]"), f"{place}[{i}]"

    def _blocks(self, value: Any, place: str) -> Iterator[tuple[Mapping[str, Any], str]]:
        """Yield the blocks of a list, each once for every combination of its variables."""
        for block, block_place in self._listed(value, place):
            for each in self.expanded(block, block_place):
                yield each, block_place

    def expanded(self, block: Mapping[str, Any], place: str) -> Iterator[Mapping[str, Any]]:
        """Yield a block for every combination of its variables. Raises DocumentError for too many of them."""
        spec = block.get("expand")
        variables = spec.get("vars") if isinstance(spec, Mapping) else block.get("expand_vars")
        if not isinstance(variables, Mapping) or not variables:
            yield block
            return
        mode = spec.get("mode") if isinstance(spec, Mapping) else block.get("expansion_mode")
        values = [value if isinstance(value, list) else [value] for value in variables.values()]
        n = len(values[0]) if mode == "zip" else 1
        for value in values if mode != "zip" else ():
            n *= len(value)
        if n > MAX_EXPANSIONS or (mode == "zip" and len({len(value) for value in values}) > 1):
            expected = f"at most {MAX_EXPANSIONS:,} combinations; lists of equal length for zip"
            raise DocumentError("variables do not expand", where=f"{self.where}: {place}", expected=expected)
        rest = {key: value for key, value in block.items() if key not in ("expand", "expand_vars", "expansion_mode")}
        self.ledger.converted("links.expand", "variables → one block for each combination", n)
        for combination in zip(*values, strict=True) if mode == "zip" else product(*values):
            yield _substituted(rest, dict(zip(map(str, variables), map(str, combination), strict=True)))

    def _links(self, block: Mapping[str, Any], base: str, place: str) -> None:
        where = f"{self.where}: {place}"
        for each in self.expanded(block, place):
            parameters = {**_mapping(each.get("link_params"), where), **each}
            stated = {name: parameters[name] for name in LINK_FIELDS if parameters.get(name) is not None}
            n = each.get("count", each.get("link_count", 1))
            if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= 1_000_000:
                raise DocumentError(f"count is {str(n)[:40]}", where=where, expected="a number from 1 to 1,000,000")
            stated_ends = [each.get(side) for side in ("source", "target")]
            if ".links[" in place and {"link_params", "link_count"} & set(
                each
            ):  # of the older format: names, no patterns
                stated_ends = [f"{re.escape(end)}$" if isinstance(end, str) else end for end in stated_ends]
            ends = [self.selector.nodes(end, where, base=base) for end in stated_ends]
            if not all(ends):
                hint = "check the patterns of source and target"
                self.ledger.finding(
                    "empty selection", "a block of links selects no nodes; no link is made", hint, place
                )
            pattern = each.get("pattern", "mesh")
            if len(ends[0]) > 1 or len(ends[1]) > 1:
                self.ledger.converted("links.pattern", f"{plain(pattern)[:40]} → its links")
            for source, target in self._pairs(ends[0], ends[1], pattern, where):
                self.edges.append(Edge(source, target, place, n, stated))

    def _pairs(self, a: list[Vertex], b: list[Vertex], pattern: Any, where: str) -> Iterator[tuple[str, str]]:
        """Yield each pair of nodes once: all with all, or one with one by turns of the fewer nodes."""
        if pattern == "mesh":
            self._counted(len(a) * len(b), where)
            pairs: Iterator[tuple[Vertex, Vertex]] = product(a, b)
        elif pattern == "one_to_one":
            n, fewest = max(len(a), len(b)), min(len(a), len(b))
            if fewest and n % fewest:
                expected = "one number that is a multiple of the other"
                raise DocumentError(f"one_to_one of {len(a)} and {len(b)} nodes", where=where, expected=expected)
            self._counted(n, where)
            pairs = ((a[i % len(a)], b[i % len(b)]) for i in range(n if fewest else 0))
        else:
            raise DocumentError(f"pattern {str(pattern)[:40]!r}", where=where, expected="mesh or one_to_one")
        seen: set[tuple[str, str]] = set()
        for first, second in pairs:
            pair = (min(first.name, second.name), max(first.name, second.name))
            if first is not second and pair not in seen:
                seen.add(pair)
                yield first.name, second.name

    def _node_rule(self, rule: Mapping[str, Any], place: str) -> None:
        selector = {"path": rule.get("path", ".*"), **({"match": rule["match"]} if "match" in rule else {})}
        for vertex in self.selector.nodes(selector, f"{self.where}: {place}"):
            if isinstance(rule.get("disabled"), bool):
                vertex.disabled = rule["disabled"]
            if rule.get("risk_groups") is not None:
                vertex.risk_groups = risk_names(rule["risk_groups"], self.where)
            if isinstance(rule.get("attrs"), Mapping):
                vertex.attributes |= rule["attrs"]
        self.ledger.converted("network.node_rules", "rule → attributes of nodes")

    def _link_rule(self, rule: Mapping[str, Any], place: str) -> None:
        where = f"{self.where}: {place}"
        sources, targets = (
            {vertex.name for vertex in self.selector.nodes(rule.get(side), f"{where}.{side}")}
            for side in ("source", "target")
        )
        stated = {**_mapping(rule.get("link_params"), where), **rule}
        new = {name: stated[name] for name in LINK_FIELDS if stated.get(name) is not None}
        both, match = rule.get("bidirectional", rule.get("any_direction", True)) is not False, rule.get("link_match")
        self._counted(0, place)
        for edge in self.edges:
            is_forward = edge.source in sources and edge.target in targets
            if not is_forward and not (both and edge.source in targets and edge.target in sources):
                continue
            attributes = {**_mapping(edge.fields.get("attrs"), where), **edge.fields}
            if isinstance(match, Mapping) and not fits(lambda name, own=attributes: nested(own, name), match):
                continue
            merged = {**_mapping(edge.fields.get("attrs"), where), **_mapping(new.get("attrs"), where)}
            edge.fields = {**edge.fields, **new, **({"attrs": merged} if merged else {})}
        self.ledger.converted("network.link_rules", "rule → fields of links")


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise DocumentError(f"holds {type_text(value)}", where=where, expected="a mapping")
    return value


def _merged(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    """Return a group with what the group around it states: attributes, risk groups, and whether it is disabled."""
    merged = dict(inner)
    attributes = [value for value in (outer.get("attrs"), inner.get("attrs")) if isinstance(value, Mapping)]
    merged["attrs"] = {name: value for each in attributes for name, value in each.items()}
    risks = [value for value in (outer.get("risk_groups"), inner.get("risk_groups")) if isinstance(value, list)]
    merged["risk_groups"] = [risk for each in risks for risk in each]
    if outer.get("disabled") is True:
        merged["disabled"] = True
    return merged


def _with_parameters(group: Mapping[str, Any], name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a group of a blueprint with parameters such as `leaf.count: 6` or `leaf.attrs.role: tor`."""
    changed = dict(group)
    for key, value in parameters.items():
        first, *path = str(key).split(".")
        if first != name or not path:
            continue
        inside = changed
        for part in path[:-1]:
            inside[part] = dict(inside[part]) if isinstance(inside.get(part), Mapping) else {}
            inside = inside[part]
        inside[path[-1]] = value
    return changed


def _substituted(value: Any, variables: Mapping[str, str]) -> Any:
    """Return plain data with variables in all its texts; what names no variable stays as it is."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda m: variables.get(m[1] or m[2] or m[3], m[0]), value)
    if isinstance(value, Mapping):
        return {key: _substituted(inner, variables) for key, inner in value.items()}
    return [_substituted(inner, variables) for inner in value] if isinstance(value, list) else value


def _numbered(template: str, n: int) -> str:
    return COUNTER.sub(lambda m: f"{n:0{int(m[1] or 0)}d}" if m[1] else str(n), template)


def risk_names(value: Any, where: str) -> tuple[str, ...]:
    """Return the names of risk groups, brackets expanded, each once."""
    listed = [str(item) for item in value if isinstance(item, str | int)] if isinstance(value, list) else []
    return tuple(dict.fromkeys(plain(name) for item in listed for name in expanded_names(item, where)))


def expanded_names(name: str, where: str) -> list[str]:
    """Return the names of a bracket expression: `dc[1-2]/rack[a,b]`. Raises DocumentError for too many or none."""
    choices: list[list[str]] = []
    n = 1
    for part in BRACKETS.findall(name):
        choices.append(list(_choices(part, where)))
        n *= len(choices[-1])
        if n > MAX_EXPANSIONS:
            expected = f"at most {MAX_EXPANSIONS:,} names"
            raise DocumentError(f"{name[:60]!r} expands to too many names", where=where, expected=expected)
    pieces = BRACKETS.split(name)[::2]
    return ["".join(f"{a}{b}" for a, b in zip(pieces, (*chosen, ""), strict=True)) for chosen in product(*choices)]


def _choices(text: str, where: str) -> Iterator[str]:
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not dash:
            yield first
            continue
        if not (first.isascii() and last.isascii() and first.isdigit() and last.isdigit() and len(last) <= 9):
            raise DocumentError(f"range {part[:40]!r}", where=where, expected="numbers such as 1-3, or a,b,c")
        if not 0 <= int(last) - int(first) < MAX_EXPANSIONS:
            raise DocumentError(f"range {part[:40]!r}", where=where, expected=f"rising, up to {MAX_EXPANSIONS:,} names")
        yield from map(str, range(int(first), int(last) + 1))
