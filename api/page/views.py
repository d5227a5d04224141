"""Views of a network: their forms, and the parts that answer them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ..bodies import ForecastRequest, MoneyRequest
from ..study_bodies import (
    AvailabilityRequest,
    DecideRequest,
    FailuresRequest,
    GrowthRequest,
    OptimumRequest,
    PlanRequest,
    SampleRequest,
    ScheduleRequest,
)
from . import changes, parts, studies
from .state import PageState
from .view_forms import (
    Forms,
    change_forms,
    compare_form,
    difference_form,
    for_changes,
    links_forms,
    no_form,
    question_form,
    report_form,
)


class Part(NamedTuple):
    """A part of a view, loaded on its own.

    Attributes:
        name: name in its address.
        title: heading.
        build: asks the questions.
        needs: text of the state without which the part is not shown.
    """

    name: str
    title: str
    build: Callable[[parts.Ask, PageState], Awaitable[parts.Content]]
    needs: str = ""

    def is_shown(self, state: PageState) -> bool:
        """Return whether the state asks for the part."""
        return not self.needs or bool(state.text(self.needs))


class View(NamedTuple):
    """A view of a network.

    Attributes:
        name: name in the address.
        title: text of its tab.
        group: heading of the tabs beside it.
        forms: what may be entered, from the network and the state.
        parts: answers, in their order.
    """

    name: str
    title: str
    group: str
    forms: Forms
    parts: tuple[Part, ...]


def _view(name: str, title: str, group: str, forms: Forms, *shown: Part) -> View:
    return View(name, title, group, forms, shown)


NOW, LATER, CHANGE, CHOICE, SHARE = "As it is", "Later", "A change", "The choice", "Share"
_VIEWS = (
    _view(
        "overview",
        "Overview",
        NOW,
        no_form,
        Part("verdict", "Verdict", parts.verdict),
        Part("drawing", "The network", parts.drawing),
    ),
    _view(
        "links",
        "Links",
        NOW,
        links_forms,
        Part("link", "The link", parts.link, needs="link"),
        Part("links", "Links", parts.links, needs="list"),
    ),
    _view("causes", "Causes", NOW, no_form, Part("causes", "What limits the training step", parts.causes)),
    _view(
        "routing",
        "Routing",
        NOW,
        question_form(
            OptimumRequest,
            (),
            "Compute the best routing",
            "run",
            about="Compares the utilisation under the routing in use with the best that any routing can reach.",
        ),
        Part("routing", "Routing in use and best routing", studies.routing, needs="run"),
    ),
    _view(
        "failures",
        "Failures",
        NOW,
        question_form(
            FailuresRequest,
            studies.FAILURES_FIELDS,
            "Fail each of them",
            "run",
            about="Fails everything of one kind, one after the other, and ranks what is lost.",
        ),
        Part("failures", "Failures, the worst first", studies.failures, needs="run"),
    ),
    _view(
        "availability",
        "Availability",
        NOW,
        question_form(
            AvailabilityRequest,
            studies.AVAILABILITY_FIELDS,
            "Compute availability",
            "run",
            about="Weighs failures by how often they happen and how long repairs take.",
        ),
        Part("availability", "Share of time in service", studies.availability, needs="run"),
    ),
    _view(
        "forecast",
        "Forecast",
        LATER,
        question_form(ForecastRequest, ("years", "growth_ratio_per_year", "links"), "Forecast"),
        Part("forecast", "The years to come", parts.forecast),
    ),
    _view(
        "growth",
        "Growth",
        LATER,
        question_form(
            GrowthRequest,
            studies.GROWTH_FIELDS,
            "Find the first full link",
            "run",
            about="Finds when demands outgrow the links, without a failure and after the worst one.",
        ),
        Part("growth", "When links get full", studies.growth, needs="run"),
    ),
    _view(
        "change",
        "Change",
        CHANGE,
        change_forms,
        Part("preview", "Preview", changes.preview, needs="case"),
        Part("what-if", "What the change does", parts.what_if, needs="run"),
    ),
    _view("compare", "Compare", CHANGE, compare_form, Part("compare", "Side by side", parts.compare, needs="plans")),
    _view(
        "money",
        "Money",
        CHANGE,
        for_changes(
            question_form(
                MoneyRequest, ("horizon_years", "discount_ratio_per_year", "usd_per_million_tokens"), "Weigh it"
            )
        ),
        Part("money", "Cost and gain", parts.money, needs="case"),
    ),
    _view(
        "works",
        "Works",
        CHANGE,
        for_changes(
            question_form(
                ScheduleRequest,
                studies.SCHEDULE_FIELDS,
                "Order the works",
                "run",
                about="Puts the works of the change in an order, and evaluates the network in each state on the way.",
            )
        ),
        Part("works", "Order of works", studies.schedule, needs="run"),
    ),
    _view(
        "differences",
        "Differences",
        CHANGE,
        difference_form,
        Part("difference", "What differs", studies.difference, needs="other"),
    ),
    _view(
        "search",
        "Find a plan",
        CHOICE,
        question_form(
            PlanRequest,
            studies.PLAN_FIELDS,
            "Search",
            "run",
            about="Searches sets of changes from the catalogue: the best goal for a budget, or the least cost for a "
            "target.",
        ),
        Part("search", "The best set of changes", studies.search, needs="run"),
    ),
    _view(
        "sample",
        "Uncertainty",
        CHOICE,
        question_form(
            SampleRequest,
            studies.SAMPLE_FIELDS,
            "Sample the inputs",
            "run",
            about="Varies all uncertain inputs at once: how sure is the answer, and which input moves it most?",
            plans="Plans to compare with the network as it is",
        ),
        Part("sample", "Intervals, and what moves them", studies.sample, needs="run"),
    ),
    _view(
        "decide",
        "Upgrade or lease",
        CHOICE,
        question_form(
            DecideRequest,
            studies.DECIDE_FIELDS,
            "Weigh the options",
            "run",
            about="Ranks doing nothing, plans and leases by net dollars a year. States how likely each is to be best.",
            plans="Plans to weigh",
        ),
        Part("decide", "Options by net dollars a year", studies.decide, needs="run"),
    ),
    _view("report", "Report", SHARE, report_form, Part("report", "The report", studies.report, needs="run")),
)
VIEWS: dict[str, View] = {view.name: view for view in _VIEWS}
"""Views by name, in the order of the tabs."""
