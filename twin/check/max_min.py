"""Kind `max_min`: max-min fair rates of flows over links."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field, model_validator

from ..errors import did_you_mean
from ..model.records import STRICT
from ..traffic.congestion import max_min
from .figures import Figures, value_of

Name = Annotated[str, Field(min_length=1, max_length=1000)]


class CapacityLink(BaseModel):
    """A link that flows share; it has no direction."""

    model_config = STRICT | {"frozen": True}

    id: Name
    capacity_gbps: Annotated[float, Field(ge=0)]


class LinkFlow(BaseModel):
    """A flow without a rate limit, and the links that it crosses."""

    model_config = STRICT | {"frozen": True}

    id: Name
    links: Annotated[tuple[Name, ...], Field(min_length=1)]


class MaxMinGiven(BaseModel):
    """Links and flows."""

    model_config = STRICT | {"frozen": True}

    links: tuple[CapacityLink, ...]
    flows: tuple[LinkFlow, ...]

    @model_validator(mode="after")
    def _check_references(self) -> MaxMinGiven:
        known = require_distinct("link", [link.id for link in self.links])
        require_distinct("flow", [flow.id for flow in self.flows])
        for flow in self.flows:
            require_distinct(f"link of flow {flow.id!r},", list(flow.links))
            for name in flow.links:
                require_known(f"flow {flow.id!r}", "link", name, known)
        return self


def require_distinct(noun: str, ids: list[str]) -> frozenset[str]:
    """Return the ids as a set. Raises ValueError for a duplicate."""
    known: set[str] = set()
    for name in ids:
        if name in known:
            raise ValueError(f"{noun} {name!r} stands twice")
        known.add(name)
    return frozenset(known)


def require_known(where: str, noun: str, name: str, known: frozenset[str]) -> None:
    """Raise ValueError, with similar names, for an unknown name."""
    if name not in known:
        hint = did_you_mean(name, known)
        raise ValueError(f"{where}: no {noun} {name!r}" + (f" ({hint})" if hint else ""))


def run_max_min(given: MaxMinGiven, _expected: frozenset[str]) -> Figures:
    """Compute `rate_gbps` by flow."""
    row = {link.id: i for i, link in enumerate(given.links)}
    capacity = np.array([link.capacity_gbps for link in given.links], dtype=np.float64)
    rates = max_min(capacity, [[row[name] for name in flow.links] for flow in given.flows])
    return {"rate_gbps": {flow.id: value_of(rate) for flow, rate in zip(given.flows, rates, strict=True)}}
