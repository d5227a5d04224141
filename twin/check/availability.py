"""Kind `availability`: how much of a year demands, pairs of sites and jobs are not served."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, JsonValue

from ..catalogue.ageing import AgeingCase
from ..loading import from_document
from ..model.records import STRICT
from ..studies.availability_report import Availability
from .figures import Figures, Value, value_of
from .whatif import shipped

NO_FIGURE = "a job cannot be placed, or the rate of a link is unknown"


class AvailabilityGiven(BaseModel):
    """A network by name or as a document, after changes if there are any."""

    model_config = STRICT | {"frozen": True}

    network: str | dict[str, JsonValue]
    job: str | None = None
    """Id of a job; None = all jobs of the document."""
    changes: tuple[JsonValue, ...] | None = None
    ageing: AgeingCase = "value"
    loss_above_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1


def run_availability(given: AvailabilityGiven, _expected: frozenset[str]) -> Figures:
    """Compute minutes a year without a path, and not carried in full, at least; and how often failures begin."""
    network = shipped(given.network) if isinstance(given.network, str) else from_document(given.network)
    report = network.availability(
        job=given.job, changes=given.changes, ageing=given.ageing, loss_above=given.loss_above_ratio
    )
    sites = {" and ".join(row.sites): row for row in report.site_pairs}
    rows = {row.id: row for row in report.demands} | sites
    return {
        "unconnected_minutes_per_year": {name: _minutes(row.connected) for name, row in rows.items()}
        | {job.id: _minutes(job.connected) for job in report.jobs},
        "not_carried_minutes_per_year": {name: _minutes(row.carried) for name, row in rows.items()},
        "failures_per_year": {
            " and ".join(element.id for element in row.down): value_of(row.n_per_year) for row in report.failures
        },
        "n_disagreeing": value_of(report.method.n_disagreeing),
    }


def _minutes(found: Availability | None) -> Value:
    return value_of(None if found is None else found.least_down_minutes_per_year, NO_FIGURE)
