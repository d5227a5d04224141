"""Kind `collective`: the time of one collective over tiers of a hierarchy, and its parts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ..model.records import STRICT
from ..workload.collectives import Collective, Tier, phases
from .figures import Figures, value_of


class TierGiven(BaseModel):
    """A tier of the hierarchy; the innermost is first."""

    model_config = STRICT | {"frozen": True}

    kind: Literal["ring", "switch", "full_mesh"]
    n: Annotated[int, Field(ge=1, le=10_000_000)]
    algorithm: Literal["ring", "halving_doubling", "tree", "direct"]
    bandwidth_gbps: Annotated[float, Field(gt=0)]
    latency_us: Annotated[float, Field(ge=0)]


class CollectiveGiven(BaseModel):
    """A collective and its tiers; size is the input of each member, of an all_gather its contribution.

    contention: whether messages of one step that meet on a link share its bandwidth. The default is False, as in the
    simulator of most fixtures.
    """

    model_config = STRICT | {"frozen": True}

    collective: Literal["all_reduce", "reduce_scatter", "all_gather", "all_to_all"]
    size_bytes: Annotated[float, Field(ge=0)]
    tiers: Annotated[tuple[TierGiven, ...], Field(min_length=1, max_length=16)]
    contention: bool = False


def run_collective(given: CollectiveGiven, _expected: frozenset[str]) -> Figures:
    """Compute `time_us` and its parts `latency_us` and `transfer_us`.

    Raises DocumentError for an invalid collective.
    """
    tiers = tuple(Tier(t.kind, t.n, t.algorithm, t.bandwidth_gbps, t.latency_us) for t in given.tiers)
    parts = phases(Collective(given.collective, given.size_bytes, tiers, given.contention))
    return {
        "time_us": value_of(sum(part.time_us for part in parts)),
        "latency_us": value_of(sum(part.latency_us for part in parts)),
        "transfer_us": value_of(sum(part.transfer_us for part in parts)),
    }
