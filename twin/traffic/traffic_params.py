"""Parameters of demand generators: which nodes send, how much, and the seed of what is random."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from ..model.globs import Globs
from ..model.records import STRICT, Id

LEAST_GBPS = 1e-9
"""Least amount above 0; smaller ones lose digits where they are divided."""


def _check_gbps(gbps: float) -> float:
    if 0.0 < gbps < LEAST_GBPS:
        raise ValueError(f"must be 0 or at least {LEAST_GBPS:g} Gb/s, found {gbps:g}")
    return gbps


Gbps = Annotated[float, Field(ge=0, le=1e9), AfterValidator(_check_gbps)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
AMOUNTS = ("total_gbps", "gbps_per_node", "peak_utilisation_ratio")
MAX_CSV_CHARACTERS = 64_000_000
MAX_NPY_CHARACTERS = 64_000_000
"""Of base64: matrices of 2,449 nodes with 8 bytes an entry."""


class TrafficParams(BaseModel):
    """Parameters of every generator: how much traffic it makes; at most one of the amounts."""

    model_config = STRICT | {"frozen": True}

    total_gbps: Gbps | None = None
    """Traffic of all demands together."""
    gbps_per_node: Gbps | None = None
    """Mean traffic that a sending node sends."""
    peak_utilisation_ratio: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Utilisation of the busiest link of the network without changes, under this block alone."""

    @model_validator(mode="after")
    def _check_amounts(self) -> Self:
        stated = [name for name in AMOUNTS if getattr(self, name) is not None]
        if len(stated) > 1:
            raise ValueError(f"{' and '.join(stated)} are stated; state one of {', '.join(AMOUNTS)}")
        if not stated and self.needs_amount:
            raise ValueError(f"no amount is stated; state one of {', '.join(AMOUNTS)}")
        return self

    @property
    def needs_amount(self) -> bool:
        """Whether an amount must be stated, because the parameters themselves have none."""
        return True


class EndPointParams(TrafficParams):
    """Parameters of generators between chosen nodes."""

    nodes: Globs | None = None
    """Nodes that send and receive: an id, a glob or a list of these; None = all racks, hosts and storage, or, if there
    are none, all leaves, or all nodes."""


class AllToAll(EndPointParams):
    """Parameters of equal demands between all pairs of nodes."""


class Permutation(EndPointParams):
    """Parameters of a random permutation."""

    seed: Seed = 0
    """Seed of the random order. The order of the file does not matter."""


class Gravity(EndPointParams):
    """Parameters of the gravity model."""

    totals_gbps: Annotated[dict[Id, Gbps], Field(min_length=2, max_length=10_000)] | None = None
    """What each node sends, and receives; None = in proportion to the ports of each node, and an amount is needed."""

    @model_validator(mode="after")
    def _check_nodes(self) -> Self:
        if self.totals_gbps is not None and self.nodes is not None:
            raise ValueError("totals_gbps and nodes are stated; totals_gbps names the nodes already")
        return self

    @property
    def needs_amount(self) -> bool:
        """Whether an amount must be stated: only without totals."""
        return self.totals_gbps is None


class Hose(EndPointParams):
    """Parameters of a random matrix within the hose model: each node fills its own limit both ways."""

    by_ports: bool = False
    """True = limits in proportion to the ports of each node; False = the same limit for each."""
    seed: Seed = 0
    """Seed of the random matrix. The order of the file does not matter."""


class Incast(EndPointParams):
    """Parameters of traffic from many nodes to one."""

    target: Id
    """Node that receives."""
    n_sources: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Nodes that send, chosen at random; None = all others."""
    seed: Seed = 0
    """Seed of the choice. The order of the file does not matter."""


class Matrix(TrafficParams):
    """Parameters of a traffic matrix as CSV text; an amount scales the whole matrix."""

    csv: Annotated[str, Field(min_length=1, max_length=MAX_CSV_CHARACTERS)]
    """CSV text in Gb/s, separated by commas, semicolons or tabs. Square: a header with node ids, and one row for each
    node, its id first; empty cells are 0. Or long: a header `source,target,gbps`, and one row for each demand. Traffic
    of a node to itself is left out."""

    @property
    def needs_amount(self) -> bool:
        """Whether an amount must be stated: the matrix has its own."""
        return False


class ArrayMatrix(EndPointParams):
    """Parameters of a traffic matrix as an array; an amount scales the whole matrix."""

    npy: Annotated[str, Field(min_length=1, max_length=MAX_NPY_CHARACTERS)]
    """Base64 of a `.npy` file: a square matrix of numbers in Gb/s. Rows send, columns receive; both are the nodes of
    the block in the order of their ids. Traffic of a node to itself is left out."""

    @property
    def needs_amount(self) -> bool:
        """Whether an amount must be stated: the matrix has its own."""
        return False
