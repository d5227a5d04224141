"""Kind `link_load`: demands over weighted links, run as a network document through the whole pipeline."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field, model_validator

from ..loading import from_document
from ..model.document import TopologyDocument
from ..model.records import STRICT, Demand, Link, Node
from ..stages.evaluation import Evaluation
from ..traffic.optimum import optimal_max_utilisation_ratio
from .figures import Figures, Missing, Value, value_of
from .max_min import Name, distinct, must_be_known

OPTIMUM = "optimal_max_utilisation_ratio"
"""Computed only where a case expects it: it is a linear program."""


class WeightedLink(BaseModel):
    """A link of its own, both ways; parallel ones are separate next hops."""

    model_config = STRICT | {"frozen": True}

    id: Name
    ends: tuple[Name, Name]
    capacity_gbps: Annotated[float, Field(gt=0)]
    weight: Annotated[float, Field(gt=0)] = 1.0


class NodeDemand(BaseModel):
    """Traffic from one node to another; of one pair they add up, to the node itself they load nothing."""

    model_config = STRICT | {"frozen": True}

    source: Annotated[Name, Field(alias="from")]
    target: Annotated[Name, Field(alias="to")]
    gbps: Annotated[float, Field(ge=0)]


class LinkLoadGiven(BaseModel):
    """Nodes, links, demands, and how a node splits among its next hops."""

    model_config = STRICT | {"frozen": True}

    nodes: tuple[Name, ...]
    links: tuple[WeightedLink, ...]
    demands: tuple[NodeDemand, ...]
    routing: Literal["ecmp", "wcmp"] = "ecmp"

    @model_validator(mode="after")
    def _holds_together(self) -> LinkLoadGiven:
        known = distinct("node", list(self.nodes))
        distinct("link", [link.id for link in self.links])
        for link in self.links:
            for end in link.ends:
                must_be_known(f"link {link.id!r}", "node", end, known)
            if link.ends[0] == link.ends[1]:
                raise ValueError(f"link {link.id!r}: both ends are {link.ends[0]!r}")
        for demand in self.demands:
            must_be_known("demand", "node", demand.source, known)
            must_be_known("demand", "node", demand.target, known)
        return self

    def document(self) -> TopologyDocument:
        """The same as a network document; ids become numbers of equal width, so that order and any text survive."""
        node = {name: f"n{i:09}" for i, name in enumerate(self.nodes)}
        return TopologyDocument(
            routing=self.routing,
            nodes=tuple(Node(name, "switch") for name in node.values()),
            links=tuple(
                Link(f"l{i:09}", (node[link.ends[0]], node[link.ends[1]]), link.capacity_gbps, weight=link.weight)
                for i, link in enumerate(self.links)
            ),
            demands=tuple(
                Demand(f"d{i:09}", node[demand.source], node[demand.target], demand.gbps)
                for i, demand in enumerate(self.demands)
            ),
        )


def run_link_load(given: LinkLoadGiven, wanted: frozenset[str]) -> Figures:
    """`load_gbps` by arc (`L>` from ends[0] to ends[1], `L<` back), the largest load and utilisation, the optimum."""
    found = from_document(given.document(), label="link_load").evaluate()
    load = found.arc_load_gbps
    place = {name: i for i, name in enumerate(given.nodes)}
    # arc 2l of the twin leaves the end that comes first by id, here the one that is listed first
    sides = ("><" if place[link.ends[0]] < place[link.ends[1]] else "<>" for link in given.links)
    names = [f"{link.id}{side}" for link, both in zip(given.links, sides, strict=True) for side in both]
    figures: dict[str, Value | dict[str, Value]] = {
        "load_gbps": {name: value_of(value) for name, value in zip(names, load, strict=True)},
        "max_load_gbps": value_of(float(load.max(initial=0.0))),
        "max_utilisation_ratio": value_of(float(found.arc_utilisation_ratio.max(initial=0.0))),
        "unrouted_gbps": value_of(found.demands.unrouted_gbps if found.demands is not None else 0.0),
    }
    if OPTIMUM in wanted:
        figures[OPTIMUM] = _optimum(found)
    return figures


def _optimum(found: Evaluation) -> Value:
    state, demands = found.case.state, found.case.document.demands
    if found.demands is not None and found.demands.unrouted_gbps:
        return Missing(f"{found.demands.unrouted_gbps:g} Gb/s of demand have no path")
    index = state.node_index
    return value_of(
        optimal_max_utilisation_ratio(
            state,
            found.health.arc_capacity_gbps,
            np.array([index[d.source] for d in demands], dtype=np.int64),
            np.array([index[d.target] for d in demands], dtype=np.int64),
            np.array([d.offered_gbps for d in demands], dtype=np.float64),
        )
    )
