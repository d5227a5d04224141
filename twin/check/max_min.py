"""Kind `max_min`: flows over links; `rate_gbps` by flow is max-min fair."""

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
    """A link that flows share; direction plays no part."""

    model_config = STRICT | {"frozen": True}

    id: Name
    capacity_gbps: Annotated[float, Field(ge=0)]


class LinkFlow(BaseModel):
    """A flow without a limit of its own, and the links it crosses."""

    model_config = STRICT | {"frozen": True}

    id: Name
    links: Annotated[tuple[Name, ...], Field(min_length=1)]


class MaxMinGiven(BaseModel):
    """Links and flows."""

    model_config = STRICT | {"frozen": True}

    links: tuple[CapacityLink, ...]
    flows: tuple[LinkFlow, ...]

    @model_validator(mode="after")
    def _holds_together(self) -> MaxMinGiven:
        known = distinct("link", [link.id for link in self.links])
        distinct("flow", [flow.id for flow in self.flows])
        for flow in self.flows:
            distinct(f"link of flow {flow.id!r},", list(flow.links))
            for name in flow.links:
                must_be_known(f"flow {flow.id!r}", "link", name, known)
        return self


def distinct(what: str, ids: list[str]) -> frozenset[str]:
    """The ids as a set. Raises ValueError where one stands twice."""
    known: set[str] = set()
    for name in ids:
        if name in known:
            raise ValueError(f"{what} {name!r} stands twice")
        known.add(name)
    return frozenset(known)


def must_be_known(where: str, what: str, name: str, known: frozenset[str]) -> None:
    """Raises ValueError, with near names, where the name is not among the known ones."""
    if name not in known:
        hint = did_you_mean(name, known)
        raise ValueError(f"{where}: no {what} {name!r}" + (f" ({hint})" if hint else ""))


def run_max_min(given: MaxMinGiven, _wanted: frozenset[str]) -> Figures:
    """`rate_gbps` by flow."""
    row = {link.id: i for i, link in enumerate(given.links)}
    capacity = np.array([link.capacity_gbps for link in given.links], dtype=np.float64)
    rates = max_min(capacity, [[row[name] for name in flow.links] for flow in given.flows])
    return {"rate_gbps": {flow.id: value_of(rate) for flow, rate in zip(given.flows, rates, strict=True)}}
