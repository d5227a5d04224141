"""JSON of the topohub collection: positions, lengths of routes, demands without a unit.

Source: Jurkiewicz, TopoHub: a repository of reference Gabriel graph and real-world topologies for networking research,
SoftwareX 2023.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import DocumentError
from .cabling import Cabling, StatedDemand
from .fields import origin, plain
from .files import MAX_RECORDS, SourceFile, records_of
from .graph import GraphReader
from .ledger import Ledger
from .node_link import graph_data, has_graph, has_topohub_marks, read_graph
from .options import ImportOptions
from .quantities import finite

DEMAND_UNIT = ("unit of demands", "1 unit = 1 Gb/s", "the source states no unit", "--demand-scale")
BOTH_WAYS = ("opposite direction of a demand", "the same amount", "the source states one direction for both", "")
OWN_LOADS = "loads by its own routing; the twin computes loads"


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether this is one graph with the marks of topohub."""
    return len(files) == 1 and has_graph(files[0]) and has_topohub_marks(files[0])


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Read each file: nodes, edges with `dist` in km, and demands."""
    for file in files:
        reader = _TopohubReader(file.name, cabling, ledger, options, directed=False)
        graph = graph_data(file).get("graph")
        nodes = records_of(file.data["nodes"], f"{file.where}: nodes")
        reader.geographic = all(map(_may_be_degrees, nodes)) and not all(map(_is_generated, nodes))
        if not reader.geographic:
            ledger.dropped("nodes.pos", "positions of generated networks are no degrees", file.name, len(nodes))
        read_graph(file, cabling, ledger, options, reader)
        if isinstance(graph, dict):
            _read_demands(graph.get("demands"), file, cabling, ledger, options)
            if "stats" in graph:
                ledger.dropped("graph.stats", "figures that follow from the graph", file.name)


def _may_be_degrees(node: Mapping[str, Any]) -> bool:
    pos = node.get("pos")
    if not isinstance(pos, list) or len(pos) != 2:
        return pos is None
    x, y = finite(pos[0]), finite(pos[1])
    return x is not None and y is not None and abs(x) <= 180 and abs(y) <= 90


def _is_generated(node: Mapping[str, Any]) -> bool:
    """Return whether a node has a name of the random Gabriel graphs: R0, R1, ..."""
    return re.fullmatch(r"R\d+", str(node.get("name"))) is not None


class _TopohubReader(GraphReader):
    """Reads edges whose `dist` is the length of the route in km."""

    def edge(self, source: str, target: str, attributes: Mapping[str, Any], place: str, key: str = "") -> None:
        """Add an edge; `dist` is in km, and loads of its own routing are dropped."""
        own = dict(attributes)
        if "dist" in own:
            own["dist_km"] = own.pop("dist")
        for name in ("ecmp_fwd", "ecmp_bwd"):
            if own.pop(name, None) is not None:
                self.ledger.dropped(f"links.{name}", OWN_LOADS, place)
        super().edge(source, target, own, place, key)


def _read_demands(demands: object, file: SourceFile, cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Read demands by source and target; amounts have no unit."""
    if demands is None:
        return
    if not isinstance(demands, dict):
        raise DocumentError(
            "is no mapping", where=f"{file.where}: graph.demands", expected="demands by source and target"
        )
    scale = options.demand_scale or 1.0
    n = 0
    for source, row in demands.items():
        for target, value in row.items() if isinstance(row, dict) else ():
            place = f"graph.demands[{source}][{target}]"
            amount = finite(value)
            if amount is None or amount < 0:
                ledger.finding("bad value", "demand is not used", "expected a number of at least 0", place)
                continue
            a, b = plain(source), plain(target)
            opposite = demands.get(target)
            is_alone = not (isinstance(opposite, dict) and source in opposite)
            n += 2 if is_alone else 1
            if n > MAX_RECORDS:
                raise DocumentError("too many demands", where=file.where, expected=f"at most {MAX_RECORDS:,}")
            known = origin(file.name, place)
            for ends in ((a, b), (b, a)) if is_alone else ((a, b),):
                name = "→".join(cabling.devices[key].name if key in cabling.devices else key for key in ends)
                cabling.demands.append(StatedDemand(name, *ends, amount * scale, known))
            if is_alone:
                ledger.assumed(*BOTH_WAYS, place)
    if n and options.demand_scale is None:
        ledger.assumed(*DEMAND_UNIT, file.name, n)
    elif n:
        ledger.converted("demands", f"x {scale:g} Gb/s (--demand-scale)", n)
