"""Kind `link_load`: demands over weighted links, evaluated as a network document."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field, model_validator

from ..loading import from_document
from ..model.directions import BothWays, PerDirection
from ..model.document import TopologyDocument
from ..model.records import STRICT, Demand, Link, Node
from ..stages.evaluation import Evaluation
from ..traffic.optimum import optimal_max_utilisation_ratio
from .figures import Figures, Missing, Value, value_of
from .max_min import Name, require_distinct, require_known

OPTIMUM = "optimal_max_utilisation_ratio"
"""Computed only if a case expects it, because it needs a linear program."""


class WeightedLink(BaseModel):
    """A link in both directions; parallel links are separate next hops.

    Capacity and weight may differ by direction, as in a document: [from ends[0] to ends[1], back].
    """

    model_config = STRICT | {"frozen": True}

    id: Name
    ends: tuple[Name, Name]
    capacity_gbps: Annotated[BothWays, PerDirection(gt=0)]
    weight: Annotated[BothWays, PerDirection(gt=0)] = 1.0


class NodeDemand(BaseModel):
    """Traffic from one node to another. Demands of one pair add up; a demand to its own node loads nothing."""

    model_config = STRICT | {"frozen": True}

    source: Annotated[Name, Field(alias="from")]
    target: Annotated[Name, Field(alias="to")]
    gbps: Annotated[float, Field(ge=0)]


class LinkLoadGiven(BaseModel):
    """Nodes, links, demands, and the routing: how a node splits traffic among next hops."""

    model_config = STRICT | {"frozen": True}

    nodes: tuple[Name, ...]
    links: tuple[WeightedLink, ...]
    demands: tuple[NodeDemand, ...]
    routing: Literal["ecmp", "wcmp"] = "ecmp"

    @model_validator(mode="after")
    def _check_references(self) -> LinkLoadGiven:
        known = require_distinct("node", list(self.nodes))
        require_distinct("link", [link.id for link in self.links])
        for link in self.links:
            for end in link.ends:
                require_known(f"link {link.id!r}", "node", end, known)
            if link.ends[0] == link.ends[1]:
                raise ValueError(f"link {link.id!r}: both ends are {link.ends[0]!r}")
        for demand in self.demands:
            require_known("demand", "node", demand.source, known)
            require_known("demand", "node", demand.target, known)
        return self

    def document(self) -> TopologyDocument:
        """Return the case as a network document.

        Ids become numbers of equal width, so that the order stays and any text is allowed.
        """
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


def run_link_load(given: LinkLoadGiven, expected: frozenset[str]) -> Figures:
    """Compute `load_gbps` by arc, the largest load and utilisation, unrouted traffic, and the optimum.

    Arc `L>` of link L goes from ends[0] to ends[1], `L<` back.
    """
    evaluation = from_document(given.document(), label="link_load").evaluate()
    load = evaluation.arc_load_gbps
    position = {name: i for i, name in enumerate(given.nodes)}
    # arc 2l of the twin leaves the end with the smaller id, here the end that is listed first
    sides = ("><" if position[link.ends[0]] < position[link.ends[1]] else "<>" for link in given.links)
    names = [f"{link.id}{side}" for link, link_sides in zip(given.links, sides, strict=True) for side in link_sides]
    figures: dict[str, Value | dict[str, Value]] = {
        "load_gbps": {name: value_of(value) for name, value in zip(names, load, strict=True)},
        "max_load_gbps": value_of(float(load.max(initial=0.0))),
        "max_utilisation_ratio": value_of(float(evaluation.arc_utilisation_ratio.max(initial=0.0))),
        "unrouted_gbps": value_of(evaluation.demands.unrouted_gbps if evaluation.demands is not None else 0.0),
    }
    if OPTIMUM in expected:
        figures[OPTIMUM] = _optimum(evaluation)
    return figures


def _optimum(evaluation: Evaluation) -> Value:
    state, demands = evaluation.case.state, evaluation.case.document.demands
    if evaluation.demands is not None and evaluation.demands.unrouted_gbps:
        return Missing(f"{evaluation.demands.unrouted_gbps:g} Gb/s of demand have no path")
    index = state.node_index
    return value_of(
        optimal_max_utilisation_ratio(
            state,
            evaluation.health.arc_capacity_gbps,
            np.array([index[d.source] for d in demands], dtype=np.int64),
            np.array([index[d.target] for d in demands], dtype=np.int64),
            np.array([d.offered_gbps for d in demands], dtype=np.float64),
        )
    )
