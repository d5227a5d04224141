"""Demands of the `traffic` blocks of a document, scaled to a peak utilisation where a block asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..arrays import CompiledNetwork, State, at_an_end
from ..errors import TopologyError, TwinError, joined_error
from ..errors.wording import quoted
from ..model.demand_columns import DemandBlock, DemandColumns
from ..model.document import TopologyDocument, TrafficBlock
from ..model.records import Demand
from ..optics.link_health import LinkHealth, unknown_rates
from ..stages.engine import Engine
from ..stages.evaluation import Case, Evaluation
from ..traffic.congestion import arc_utilisation_ratio
from ..traffic.demand_generators import MAX_DEMANDS, GeneratedDemands, generate, generator_of
from ..traffic.matrix_routes import MatrixRoutes


def check_traffic(document: TopologyDocument) -> None:
    """Check generators and parameters of all blocks; names of nodes are checked when the demands are made.

    Raises:
        TwinError: unknown generators and bad parameters, of all blocks.
    """
    errors: list[TwinError] = []
    for block in document.traffic:
        try:
            generator_of(block)
        except TwinError as error:
            errors.append(error)
    if errors:
        raise joined_error(errors, "traffic block", document.name)


def generated_demands(network: CompiledNetwork, engine: Engine) -> DemandColumns:
    """Return the demands of all blocks; the id of a demand is `block/source>target`.

    Args:
        network: the network without changes.
        engine: engine of the network, for the routes that a peak utilisation needs.

    Raises:
        TwinError: unknown names, too many demands, or a peak utilisation that no factor reaches, of all blocks.
    """
    blocks: list[DemandBlock] = []
    errors: list[TwinError] = []
    n_demands = 0
    for block in network.document.traffic:
        try:
            found = _generated(block, network, engine, MAX_DEMANDS - n_demands)
        except TwinError as error:
            errors.append(error)
            continue
        blocks.append(DemandBlock(block.id, found.source, found.target, found.gbps, block.traffic_class))
        n_demands += len(found.gbps)
    if errors:
        raise joined_error(errors, "traffic block", network.document.name)
    demands = DemandColumns(network.arrays.node_ids, tuple(blocks))
    _check_ids(network.document, demands)
    return demands


def _generated(block: TrafficBlock, network: CompiledNetwork, engine: Engine, max_demands: int) -> GeneratedDemands:
    found = generate(block, network.arrays, max_demands)
    _, params = generator_of(block)
    if params.peak_utilisation_ratio is None:
        return found
    return found.scaled(params.peak_utilisation_ratio / _peak_ratio(block, found, network, engine))


def with_generated(document: TopologyDocument, demands: DemandColumns | None) -> TopologyDocument:
    """Return a document with additional demands, for an evaluation; the same document without any."""
    return document.model_copy(update={"demands": demands.beside(document.demands)}) if demands else document


def _check_ids(document: TopologyDocument, demands: Iterable[Demand]) -> None:
    taken = {demand.id for demand in document.demands}
    for demand in demands if taken else ():
        if demand.id in taken:
            problem = f"{quoted(demand.id)} is also the id of a demand that a block of traffic makes"
            raise TopologyError(problem, where=f"demands[{demand.id}]", hint="give the demand another id")


def _peak_ratio(block: TrafficBlock, found: GeneratedDemands, network: CompiledNetwork, engine: Engine) -> float:
    """Return the utilisation of the busiest link under these demands alone, in the central ageing case."""
    where = f"traffic[{block.id}].params.peak_utilisation_ratio"
    if not len(found.gbps):
        raise TopologyError("cannot be scaled: the block makes no demands, all of its amounts are 0", where=where)
    state = State.of(network.arrays)
    e = Evaluation(Case(state, network.document, None), None, engine)
    router: Any = e.outcome("router")
    share: Any = e.outcome("split_share")
    health: LinkHealth = e.health
    with engine.lock:  # the router keeps distances
        load_gbps = MatrixRoutes(state, router, share, found.source, found.target).loads(found.gbps)
    ratio = arc_utilisation_ratio(load_gbps, health.arc_capacity_gbps)
    unknown = np.asarray(at_an_end(np.isnan(ratio).reshape(-1, 2)))
    if unknown.any():
        raise TopologyError(f"cannot be scaled: {unknown_rates(state, unknown)}", where=where, hint="use total_gbps")
    peak_ratio = float(ratio.max(initial=0.0))
    if peak_ratio == 0.0:
        raise TopologyError("cannot be scaled: no demand of the block has a path", where=where, hint="use total_gbps")
    return peak_ratio
