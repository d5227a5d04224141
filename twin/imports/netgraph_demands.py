"""Demands of NetGraph: sets of traffic between selected nodes, expanded to pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import DocumentError
from .cabling import Cabling, StatedDemand
from .demands import MAX_OFFERED_GBPS
from .fields import Fields, origin
from .files import SourceFile
from .ledger import Ledger
from .netgraph_expand import Expansion
from .netgraph_select import Vertex

MAX_DEMANDS = 200_000
SECTIONS = ("demands", "traffic_matrix_set")
EFFECTS = {
    "priority": "order in which NetGraph places demands",
    "flow_policy": "routing of NetGraph; the twin has its own",
    "flow_policy_config": "routing of NetGraph; the twin has its own",
    "attrs": "not in the document; no answer uses it",
}


def read_demands(
    data: Mapping[str, Any], expansion: Expansion, file: SourceFile, cabling: Cabling, ledger: Ledger
) -> None:
    """Read the first set of demands; others are alternatives to it and are reported."""
    sets = next((value for name in SECTIONS if isinstance(value := data.get(name), Mapping) and value), {})
    for i, (name, blocks) in enumerate(sets.items()):
        if i:
            effect = "another set of demands; the first one is read"
            ledger.dropped("demands", effect, f"{file.name}: {str(name)[:80]}")
            continue
        for j, block in enumerate(blocks if isinstance(blocks, list) else ()):
            place = f"demands.{name}[{j}]"
            if not isinstance(block, Mapping):
                ledger.finding("bad value", "a demand is no mapping", "state source, target and volume", place)
                continue
            for each in expansion.expanded(block, place):
                _demand(each, place, expansion, file, cabling, ledger)


def _demand(
    block: Mapping[str, Any], place: str, expansion: Expansion, file: SourceFile, cabling: Cabling, ledger: Ledger
) -> None:
    """Add the pairs of one block; its volume is that of all pairs together."""
    fields = Fields(block, "demands", place, ledger)
    ends = fields.raw("source", "source_path"), fields.raw("target", "sink", "sink_path")
    name = "volume" if "volume" in block else "demand"
    volume = fields.number(name, 0, MAX_OFFERED_GBPS)
    mode, group_mode = fields.raw("mode") or "combine", fields.raw("group_mode") or "flatten"
    fields.skip("id")
    fields.close(EFFECTS)
    if volume is None or mode not in ("combine", "pairwise") or group_mode not in ("flatten", "group_pairwise"):
        problem = "demand left out: no volume, or a mode that is not read"
        ledger.finding("bad value", problem, "volume, mode combine or pairwise, group_mode flatten", place)
        return
    where = f"{file.where}: {place}"
    sources, targets = (expansion.selector.groups(end, where, active_only=True) for end in ends)
    if mode == "combine":
        why = "NetGraph joins all sources and all targets, and lets the flow choose"
        ledger.assumed("shares of a combined demand", "even over its pairs", why, "", place)
    ledger.assumed("unit of volume", "Gb/s", "NetGraph states none; its examples count so", "", place)
    for pairs in _pairs(sources, targets, str(group_mode)):
        n = _n_pairs(*pairs)
        if n + len(cabling.demands) > MAX_DEMANDS:
            raise DocumentError("expands to too many demands", where=where, expected=f"at most {MAX_DEMANDS:,}")
        if not n:
            ledger.finding("empty selection", "a demand selects no pair of nodes", "check its patterns", place)
            continue
        ledger.converted("demands.source", "patterns → pairs of nodes, equal parts of the volume", n)
        for source in pairs[0]:
            for target in pairs[1]:
                if source is not target:
                    key = f"{source.name}→{target.name}"
                    record = StatedDemand(key, source.name, target.name, volume / n, origin(file.name, place, key))
                    cabling.demands.append(record)


def _pairs(
    sources: Mapping[str, Sequence[Vertex]], targets: Mapping[str, Sequence[Vertex]], group_mode: str
) -> Iterator[tuple[Sequence[Vertex], Sequence[Vertex]]]:
    """Yield (sources, targets) of each demand: all together, or each pair of different groups."""
    if group_mode == "flatten":
        yield [v for group in sources.values() for v in group], [v for group in targets.values() for v in group]
        return
    for label, group in sources.items():
        for other_label, other in targets.items():
            if label != other_label:
                yield group, other


def _n_pairs(sources: Sequence[Vertex], targets: Sequence[Vertex]) -> int:
    both = {vertex.name for vertex in sources} & {vertex.name for vertex in targets}
    return len(sources) * len(targets) - len(both)
