"""Wide-area networks of the `topohub` package: routers, and fibre routes with their length.

Source: Jurkiewicz, TopoHub: a repository of reference Gabriel graph and real-world topologies for networking research,
SoftwareX 2023. Its collections: SNDlib, the Internet Topology Zoo, CAIDA, backbones and Gabriel graphs.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import Field

from twin.errors import TopologyError
from twin.model.network import Expansion
from twin.model.records import Id, Link, Node, Span

from .generator import FabricParams, Generator, Ports
from .hosts import Capacity

MIN_LENGTH_KM = 0.001
"""Length of a route between routers at the same place."""


class Topohub(FabricParams):
    """Parameters of a network of the `topohub` package."""

    topology: Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)+$")]
    """Key of the network: `sndlib/germany50`, `topozoo/Abilene`, `backbone/africa`."""
    capacity_gbps: Capacity | None = 100.0
    """Capacity per member and direction: the collections state none; None = the transceiver's rate."""
    n_parallel: Ports = 1
    """Members of each link."""
    transceiver: Id | None = None
    """Transceiver of all links."""


def size(params: Topohub) -> tuple[int, int]:
    """Count the nodes and edges of the network."""
    data = _data(params.topology)
    return len(data["nodes"]), len(data["edges"])


def build(block: str, params: Topohub) -> Expansion:
    """Build a router `block/NAME` for each node, and a link with one span as long as the edge for each edge.

    A node without a name is `block/node-7`, after its number; a name that stands twice has the number too.
    """
    data = _data(params.topology)
    n_uses = Counter(node.get("name") for node in data["nodes"])
    ids = {}
    for node in data["nodes"]:
        name, number = node.get("name"), node["id"]
        ids[number] = f"{block}/{name or 'node'}" + (f"-{number}" if not name or n_uses[name] > 1 else "")
    nodes = tuple(Node(name, "switch", site=params.site, installed=params.installed) for name in sorted(ids.values()))
    seen: Counter[tuple[str, str]] = Counter()
    links = []
    for edge in data["edges"]:
        lower, upper = sorted((ids[edge["source"]], ids[edge["target"]]))
        seen[lower, upper] += 1
        links.append(
            Link(
                f"{lower}~{upper}" + (f"#{seen[lower, upper]}" if seen[lower, upper] > 1 else ""),
                (lower, upper),
                capacity_gbps=params.capacity_gbps,
                n_parallel=params.n_parallel,
                transceiver=params.transceiver,
                spans=(Span(max(float(edge.get("dist") or 0.0), MIN_LENGTH_KM)),),
                installed=params.installed,
            )
        )
    return Expansion(nodes, tuple(links))


@lru_cache(maxsize=8)
def _data(topology: str) -> dict[str, Any]:
    """Read a network of the package; lists `nodes` and `edges`.

    Raises:
        TopologyError: the package is not installed, or has no such network.
    """
    try:
        folder = files("topohub") / "data"
    except ModuleNotFoundError:
        raise TopologyError(
            "the generator topohub needs the package topohub", hint="pip install 'dc-twin[topohub]'"
        ) from None
    file = folder.joinpath(*topology.split("/")[:-1], topology.split("/")[-1] + ".json")
    if not file.is_file():
        raise TopologyError(
            f"topohub has no network {topology!r}", expected="a key such as sndlib/germany50 or topozoo/Abilene"
        )
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {"nodes": data["nodes"], "edges": data["edges"] if "edges" in data else data["links"]}


TOPOHUB = Generator(
    Topohub, size, build, "A wide-area network of the topohub package: SNDlib, Topology Zoo, backbones, Gabriel graphs."
)
