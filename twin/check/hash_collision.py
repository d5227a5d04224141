"""Kind `hash_collision`: efficiency of a phase whose flows are spread over the links of a fabric."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field, model_validator

from ..errors import DocumentError, Issue, did_you_mean
from ..model.records import STRICT, BalancingName
from ..traffic.balancing_modes import MODES, Flows
from ..traffic.fabric_routes import fabric_routes, pairs_array
from ..traffic.hash_groups import HashedRoutes
from .figures import Figures, value_of
from .max_min import Name

Row = Annotated[int, Field(ge=0, lt=1_000_000)]
Bytes = Annotated[float, Field(gt=0, le=1e18)]


class FabricTopology(BaseModel):
    """Nodes by index, network cards first, and links: [node, node, bytes per second in each direction]."""

    model_config = STRICT | {"frozen": True}

    about: str = ""
    hosts: Annotated[int, Field(ge=2, lt=1_000_000)]
    nodes: Annotated[tuple[Name, ...], Field(max_length=1_000_000)]
    links: Annotated[tuple[tuple[Row, Row, Bytes], ...], Field(min_length=1, max_length=1_000_000)]

    @model_validator(mode="after")
    def _check_nodes(self) -> FabricTopology:
        if self.hosts > len(self.nodes):
            raise ValueError(f"{self.hosts} hosts, but {len(self.nodes)} nodes")
        for i, (a, b, _) in enumerate(self.links):
            if max(a, b) >= len(self.nodes):
                raise ValueError(f"links[{i}]: no node {max(a, b)}; nodes are 0 to {len(self.nodes) - 1}")
            if a == b:
                raise ValueError(f"links[{i}]: both ends are node {a}")
        return self


class Pattern(BaseModel):
    """Pairs [sender, receiver] of network cards that send at once."""

    model_config = STRICT | {"frozen": True}

    topology: Name
    about: str = ""
    pairs: Annotated[tuple[tuple[Row, Row], ...], Field(min_length=1, max_length=1_000_000)]


class HashCollisionShared(BaseModel):
    """Topologies and patterns of a file, which its cases name."""

    model_config = STRICT | {"frozen": True}

    definitions: Mapping[str, str] = {}
    default_pair_bytes: Bytes = 1e9
    topologies: Mapping[str, FabricTopology] = {}
    patterns: Mapping[str, Pattern] = {}


class HashCollisionGiven(BaseModel):
    """A pattern on a topology of the file, and how switches spread its flows."""

    model_config = STRICT | {"frozen": True}

    topology: Name
    pattern: Name
    mode: BalancingName
    queue_pairs: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    rehashes: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    pair_bytes: Annotated[tuple[Bytes, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _check_rehashes(self) -> HashCollisionGiven:
        if self.rehashes is not None and self.mode != "flowlet":
            raise ValueError(f"rehashes is a setting of mode flowlet, not of {self.mode}")
        if self.rehashes is None and self.mode == "flowlet":
            raise ValueError("mode flowlet needs rehashes, the number of segments of a flow")
        return self


class BoundCase(BaseModel):
    """A case with its topology and pattern."""

    given: HashCollisionGiven
    topology: FabricTopology
    pattern: Pattern
    default_pair_bytes: float

    @cached_property
    def routes(self) -> HashedRoutes:
        """Routes of the pattern. Raises DocumentError for a fabric that does not carry it."""
        links, pairs = self.topology.links, pairs_array(self.pattern.pairs)
        stated = self.given.pair_bytes
        sizes = np.full(len(pairs), self.default_pair_bytes) if stated is None else np.array(stated)
        ends = np.array([link[:2] for link in links], dtype=np.int64)
        capacity = np.array([link[2] for link in links])
        try:
            return fabric_routes(self.topology.hosts, len(self.topology.nodes), ends, capacity, pairs, sizes)
        except ValueError as fault:
            raise DocumentError(str(fault), where=f"topologies.{self.given.topology}") from fault


def bind_hash_collision(given: HashCollisionGiven, shared: HashCollisionShared) -> BoundCase:
    """Find the topology and the pattern that a case names. Raises DocumentError for unknown or unfit ones."""
    issues = [
        Issue(field, f"the file has no {field} {name!r}", did_you_mean(name, known) or f"known: {', '.join(known)}")
        for field, name, known in (
            ("topology", given.topology, shared.topologies),
            ("pattern", given.pattern, shared.patterns),
        )
        if name not in known
    ]
    if issues:
        raise DocumentError("the case names what the file lacks", found=issues)
    topology, pattern = shared.topologies[given.topology], shared.patterns[given.pattern]
    if pattern.topology != given.topology:
        issues.append(Issue("pattern", f"{given.pattern!r} is a pattern of topology {pattern.topology!r}"))
    worst = max(max(pair) for pair in pattern.pairs)
    if worst >= topology.hosts:
        issues.append(
            Issue("pattern", f"pair with {worst}, but only nodes 0 to {topology.hosts - 1} are network cards")
        )
    if given.pair_bytes is not None and len(given.pair_bytes) != len(pattern.pairs):
        issues.append(Issue("pair_bytes", f"{len(given.pair_bytes)} values for {len(pattern.pairs)} pairs"))
    if issues:
        raise DocumentError("the case does not fit its pattern", found=issues)
    return BoundCase(given=given, topology=topology, pattern=pattern, default_pair_bytes=shared.default_pair_bytes)


def run_hash_collision(case: BoundCase, _expected: frozenset[str]) -> Figures:
    """Compute `mean_efficiency_ratio`, `p10_efficiency_ratio` and `p90_efficiency_ratio`.

    Efficiency is the time under even splitting over the time until the last flow is done. The mean and percentiles are
    over jobs.
    """
    given = case.given
    times = MODES[given.mode].times(case.routes, Flows(given.queue_pairs, given.rehashes or 1))
    return {
        "mean_efficiency_ratio": value_of(times.mean_efficiency_ratio),
        "p10_efficiency_ratio": value_of(times.efficiency_ratio(0.1)),
        "p90_efficiency_ratio": value_of(times.efficiency_ratio(0.9)),
    }
