"""Kind `collective`: one collective over tiers of a hierarchy; its time, and the parts of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ..model.records import STRICT
from ..workload.collectives import Collective, Tier, phases
from .figures import Figures, value_of


class TierGiven(BaseModel):
    """A level of the hierarchy; the innermost stands first."""

    model_config = STRICT | {"frozen": True}

    kind: Literal["ring", "switch", "full_mesh"]
    n: Annotated[int, Field(ge=1, le=10_000_000)]
    algorithm: Literal["ring", "halving_doubling", "tree", "direct"]
    bandwidth_gbps: Annotated[float, Field(gt=0)]
    latency_us: Annotated[float, Field(ge=0)]


class CollectiveGiven(BaseModel):
    """What is exchanged; size is the input of each member, of an all_gather its contribution.

    contention: whether messages of one step that meet on a link share it. Not so in the simulator that most of these
    fixtures come from, so it has to be asked for.
    """

    model_config = STRICT | {"frozen": True}

    collective: Literal["all_reduce", "reduce_scatter", "all_gather", "all_to_all"]
    size_bytes: Annotated[float, Field(ge=0)]
    tiers: Annotated[tuple[TierGiven, ...], Field(min_length=1, max_length=16)]
    contention: bool = False


def run_collective(given: CollectiveGiven, _wanted: frozenset[str]) -> Figures:
    """`time_us`, and what of it is `latency_us` and `transfer_us`. Raises DocumentError for what cannot be done."""
    tiers = tuple(Tier(t.kind, t.n, t.algorithm, t.bandwidth_gbps, t.latency_us) for t in given.tiers)
    parts = phases(Collective(given.collective, given.size_bytes, tiers, given.contention))
    return {
        "time_us": value_of(sum(part.time_us for part in parts)),
        "latency_us": value_of(sum(part.latency_us for part in parts)),
        "transfer_us": value_of(sum(part.transfer_us for part in parts)),
    }
