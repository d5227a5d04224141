"""Table of formats: one row each; the command, Python and the contract test read this table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import (
    astra_sim,
    batfish,
    containerlab,
    gnpy,
    graphml,
    ibnetdiscover,
    lldp,
    netbox,
    netgraph,
    node_link,
    repetita,
    rfc8345,
    sndlib,
    sonic,
    table,
    topohub,
)
from .cabling import Cabling
from .files import SourceFile
from .ledger import Ledger
from .options import ImportOptions

Files = Sequence[SourceFile]


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table: files of one tool."""

    name: str
    sentence: str
    recognise: Callable[[Files], bool]
    """Function that says whether files look like this format; it never raises for the content of a file."""
    read: Callable[[Files, Cabling, Ledger, ImportOptions], None]
    """Fills the cabling and the ledger. Raises DocumentError with file, place and hint."""
    extra: str = ""
    """Extra of this package that some files need; empty = none."""


ROWS = (
    Format("netbox", "Folder of NetBox API dumps, a file for each endpoint.", netbox.recognise, netbox.read),
    Format("table", "Cabling sheet as CSV or Excel, one row for each cable.", table.recognise, table.read, "excel"),
    Format("graphml", "GraphML, as of networkx or the Internet Topology Zoo.", graphml.recognise, graphml.read),
    Format("node-link", "Node-link JSON of networkx.", node_link.recognise, node_link.read),
    Format("topohub", "JSON of the topohub collection.", topohub.recognise, topohub.read),
    Format("lldp", "LLDP or CDP neighbours as JSON, a file for each device.", lldp.recognise, lldp.read),
    Format("batfish", "Layer-1 topology of Batfish, and tables beside it.", batfish.recognise, batfish.read),
    Format("containerlab", "Topology file of containerlab.", containerlab.recognise, containerlab.read),
    Format("sonic", "SONiC minigraph or config_db, of one or many switches.", sonic.recognise, sonic.read),
    Format("ibnetdiscover", "InfiniBand fabric of ibnetdiscover.", ibnetdiscover.recognise, ibnetdiscover.read),
    Format(
        "rfc8345",
        "Layers of RFC 8345, JSON or XML, with TE attributes or as of OpenROADM.",
        rfc8345.recognise,
        rfc8345.read,
    ),
    Format("repetita", "Repetita graph and demands files.", repetita.recognise, repetita.read),
    Format("simai", "Topology file of SimAI.", astra_sim.recognise_simai, astra_sim.read),
    Format("astra-sim", "Topology file of ASTRA-sim for ns-3.", astra_sim.recognise_astra_sim, astra_sim.read),
    Format("gnpy", "GNPy topology as JSON or Excel, with services and equipment.", gnpy.recognise, gnpy.read, "excel"),
    Format("netgraph", "Scenario of NetGraph as YAML.", netgraph.recognise, netgraph.read),
    Format("sndlib", "SNDlib network, native text or XML.", sndlib.recognise, sndlib.read),
)
FORMATS: dict[str, Format] = {row.name: row for row in ROWS}
"""Formats by name."""
