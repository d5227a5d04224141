"""Views and parameters that addresses of the page may name; others are shown as a problem."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

from twin.errors import Issue, did_you_mean
from twin.errors.wording import quoted
from twin.model.validation import adapter_of
from twin.scenario.changes import CHANGES

from .. import bodies, study_bodies
from .fields import fields_of
from .state import FOLLOWED, KEPT, PageState
from .views import VIEWS

MODELS = (
    bodies.CompareRequest,
    bodies.ForecastRequest,
    bodies.LinkRequest,
    bodies.LinksRequest,
    bodies.MoneyRequest,
    study_bodies.AvailabilityRequest,
    study_bodies.DecideRequest,
    study_bodies.FailuresRequest,
    study_bodies.GrowthRequest,
    study_bodies.PlanRequest,
    study_bodies.ReportRequest,
    study_bodies.SampleRequest,
    study_bodies.ScheduleRequest,
)
"""Requests that forms of the page state."""
OWN = ("view", "case", "run", "list", "kind", "add", "year", "other", FOLLOWED)
"""Parameters of the page itself."""
UNKNOWN_TITLE = "The address has parts that the page does not know"
MAX_SHOWN = 10
"""Most unknown parameters that a page names."""


@lru_cache(maxsize=1)
def known_parameters() -> frozenset[str]:
    """Return the names of all parameters; the place of a field inside a record or a list is left out."""
    names = {*KEPT, *OWN}
    for model in MODELS:
        names |= {field.name for field in fields_of(model.model_json_schema())}
    for change in CHANGES.values():
        names |= {field.name for field in fields_of(adapter_of(change).json_schema())}
    return frozenset(names)


def unknown_parameters(state: PageState) -> list[Issue]:
    """Return a problem for each parameter that no view has, or that is there several times.

    Args:
        state: state of the page.
    """
    known = known_parameters()
    repeated = [Issue(name, "is there several times; the first counts", "give it once") for name in state.repeated]
    return repeated + unknown_issues([name for name in state.values if _root(name) not in known], known)


def unknown_issues(names: Iterable[str], known: Collection[str]) -> list[Issue]:
    """Return a problem for each of these parameters that is not known.

    Args:
        names: names of parameters.
        known: names of those that the page has.
    """
    unknown = [name[:64] for name in dict.fromkeys(names) if name not in known]
    return [
        Issue(name, f"unknown parameter {quoted(name)}, left out", did_you_mean(name, known))
        for name in unknown[:MAX_SHOWN]
    ]


def unknown_view(state: PageState) -> Issue:
    """Return the problem of an address whose view does not exist."""
    hint = did_you_mean(state.view[:64], VIEWS) or f"known: {', '.join(VIEWS)}"
    return Issue("view", f"no view {quoted(state.view[:64])}", hint)


def _root(name: str) -> str:
    """Return the first field of a place: `links` of `links.id`, of `links[0].id` and of `n.links`."""
    return name.removeprefix("n.").partition(".")[0].partition("[")[0]
