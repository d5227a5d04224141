"""Table of formats: one row each; the command, Python and the contract test read this table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..imports.ledger import Ledger
from . import containerlab, gnpy, graphml, node_link, rfc8345, tables
from .lines import LineNetwork
from .plain import PlainNetwork

Files = dict[str, bytes]
"""Name of each file in a folder -> content; a single file has the name ''."""


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table: files for one tool."""

    name: str
    sentence: str
    write: Callable[[PlainNetwork, Ledger], Files] | None
    """Makes the files; it counts in the ledger what they do not hold. Same network, same bytes."""
    import_name: str
    """Format of `twin import` that reads the files again; empty = none."""
    is_folder: bool = False
    write_lines: Callable[[LineNetwork, Ledger], Files] | None = None
    """Makes the files of a format of optical lines, in place of `write`."""


ROWS = (
    Format("node-link", "Node-link JSON of networkx.", node_link.write, "node-link"),
    Format("graphml", "GraphML, as networkx, Gephi and yEd read it.", graphml.write, "graphml"),
    Format("csv", "Folder with nodes.csv, links.csv and demands.csv.", tables.write, "table", is_folder=True),
    Format("gnpy", "Folder with topology.json and eqpt_config.json of GNPy.", None, "gnpy", True, gnpy.write),
    Format("containerlab", "Topology file of containerlab, a lab of the network.", containerlab.write, "containerlab"),
    Format("rfc8345", "JSON of RFC 8345 with the attributes of RFC 8795.", rfc8345.write, "rfc8345"),
)
FORMATS: dict[str, Format] = {row.name: row for row in ROWS}
"""Formats by name."""
