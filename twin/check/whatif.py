"""Kind `whatif`: a network, a job, and a plan or changes; figures are the metrics afterwards."""

from __future__ import annotations

from functools import lru_cache

from pydantic import BaseModel, JsonValue, model_validator

from ..catalogue.ageing import AgeingCase
from ..errors import CatalogueError, did_you_mean
from ..loading import Network, from_document, load
from ..model.records import STRICT
from ..topologies import NETWORKS
from .figures import Figures, value_of


class WhatIfGiven(BaseModel):
    """A network by its catalogue name, or as a whole document; without plan and changes it is scored as it is."""

    model_config = STRICT | {"frozen": True}

    network: str | dict[str, JsonValue]
    job: str | None = None
    """None = the document's default."""
    plan: str | None = None
    changes: tuple[JsonValue, ...] | None = None
    ageing: AgeingCase = "value"

    @model_validator(mode="after")
    def _plan_or_changes(self) -> WhatIfGiven:
        if self.plan is not None and self.changes is not None:
            raise ValueError("a case has a plan or changes, not both")
        return self


def run_whatif(given: WhatIfGiven, _wanted: frozenset[str]) -> Figures:
    """Every metric, after the changes."""
    network = _shipped(given.network) if isinstance(given.network, str) else from_document(given.network)
    asked = given.plan if given.plan is not None else given.changes
    if asked is None:
        score = network.score(given.job, ageing=given.ageing)
    else:
        score = network.what_if(asked, given.job, ageing=given.ageing).after
    return {name: value_of(value.value, value.why) for name, value in score.metrics.items()}


@lru_cache(maxsize=4)
def _shipped(name: str) -> Network:
    """A network of the catalogue; cases of one network share what is computed. A fixture names no files."""
    if name not in NETWORKS:
        raise CatalogueError(
            f"no network {name!r}",
            expected=f"one of {', '.join(sorted(NETWORKS))}, or a whole document",
            hint=did_you_mean(name, NETWORKS),
        )
    return load(name)
