"""Kind `whatif`: metrics of a network and a job after a plan or changes."""

from __future__ import annotations

from functools import lru_cache

from pydantic import BaseModel, JsonValue, model_validator

from ..answers.jobs_together import JobAmongOthers
from ..catalogue.ageing import AgeingCase
from ..errors import CatalogueError, did_you_mean
from ..loading import from_document, load
from ..model.records import STRICT
from ..network import Network
from ..topologies import NETWORKS
from .figures import Figures, Value, value_of


class WhatIfGiven(BaseModel):
    """A network by name or as a document; without plan and changes the unchanged network is scored."""

    model_config = STRICT | {"frozen": True}

    network: str | dict[str, JsonValue]
    job: str | None = None
    """Id of the job; None = the document's default."""
    jobs: tuple[str, ...] | None = None
    """Ids of jobs that run together; None = the document's `jobs_together` that has the job."""
    plan: str | None = None
    changes: tuple[JsonValue, ...] | None = None
    ageing: AgeingCase = "value"

    @model_validator(mode="after")
    def _plan_or_changes(self) -> WhatIfGiven:
        if self.plan is not None and self.changes is not None:
            raise ValueError("a case has a plan or changes, not both")
        return self


def run_whatif(given: WhatIfGiven, _expected: frozenset[str]) -> Figures:
    """Compute all metrics after the changes."""
    network = shipped(given.network) if isinstance(given.network, str) else from_document(given.network)
    plan_or_changes = given.plan if given.plan is not None else given.changes
    if plan_or_changes is None:
        score = network.score(given.job, jobs=given.jobs, ageing=given.ageing, main_assumptions=False)
    else:
        score = network.what_if(
            plan_or_changes, given.job, jobs=given.jobs, ageing=given.ageing, main_assumptions=False
        ).after
    figures = {name: value_of(value.value, value.why) for name, value in score.metrics.items()}
    return {**figures, **_of_jobs(score.jobs)}


def _of_jobs(jobs: tuple[JobAmongOthers, ...]) -> Figures:
    """Figures of jobs that run together, each a map by job."""
    figures: dict[str, dict[str, Value]] = {}
    for row in jobs:
        for side, times in (("alone", row.alone), ("shared", row.shared)):
            for name in ("step_time_s", "p90_step_time_s", "tokens_per_s"):
                figures.setdefault(f"{side}_{name}", {})[row.id] = value_of(getattr(times, name), times.why)
    return figures


@lru_cache(maxsize=4)
def shipped(name: str) -> Network:
    """Load a shipped network; cases of one network share results. A fixture cannot name files."""
    if name not in NETWORKS:
        raise CatalogueError(
            f"no network {name!r}",
            expected=f"one of {', '.join(sorted(NETWORKS))}, or a whole document",
            hint=did_you_mean(name, NETWORKS),
        )
    return load(name)
