"""Views of a network: their forms, and the parts that answer them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, NamedTuple

from ..bodies import FailuresRequest, ForecastRequest, LinkRequest, LinksRequest, MoneyRequest, ReportRequest
from . import changes, parts
from .fields import fields_of
from .form import Errors, form_fields
from .html import Html, element, joined, marked
from .networks import PageNetwork
from .state import PageState, changes_text, network_address


class Part(NamedTuple):
    """A part of a view, loaded on its own.

    Attributes:
        name: name in its address.
        title: heading.
        build: asks the questions.
        needs: text of the state without which the part is not shown.
        excludes: text of the state with which it is not shown.
    """

    name: str
    title: str
    build: Callable[[parts.Ask, PageState], Awaitable[parts.Content]]
    needs: str = ""
    excludes: str = ""

    def is_shown(self, state: PageState) -> bool:
        """Return whether the state asks for the part."""
        return (not self.needs or bool(state.text(self.needs))) and not (self.excludes and state.text(self.excludes))


class View(NamedTuple):
    """A view of a network.

    Attributes:
        name: name in the address.
        title: text of its tab.
        forms: what may be entered, from the network and the state.
        parts: answers, in their order.
    """

    name: str
    title: str
    forms: Callable[[PageNetwork, PageState, Errors], Html | None]
    parts: tuple[Part, ...]


def _no_form(_network: PageNetwork, _state: PageState, _errors: Errors) -> None:
    """Return no form."""


def _question_form(
    model: Any, names: tuple[str, ...], button: str, run: str = ""
) -> Callable[[PageNetwork, PageState, Errors], Html]:
    """Return a function that makes the form of a question.

    Args:
        model: class of the request, whose schema describes the fields.
        names: fields of the form.
        button: text of the button.
        run: name of a hidden text that asks for the part.
    """

    def build(_network: PageNetwork, state: PageState, errors: Errors) -> Html:
        fields = fields_of(model.model_json_schema(), names)
        return element(
            "form",
            changes.hidden_state(state, names),
            element("input", type="hidden", name=run, value="1") if run else None,
            form_fields(fields, state.values, errors),
            element("button", button, type="submit"),
            method="get",
            novalidate=True,
        )

    return build


def _links_forms(network: PageNetwork, state: PageState, errors: Errors) -> Html:
    one = _question_form(LinkRequest, ("link", "years", "growth_ratio_per_year"), "Show this link")
    several = _question_form(LinksRequest, ("links", "sort", "top"), "List links", "list")
    return joined(
        (
            element("div", element("h2", "Choose a link"), one(network, state, errors)),
            element(
                "details",
                element("summary", "List links by id, tier, site, transceiver or age"),
                several(network, state, errors),
                open=bool(state.text("list")),
            ),
        )
    )


def _change_forms(network: PageNetwork, state: PageState, errors: Errors) -> Html:
    add = [element("h2", "Add a change"), changes.kind_menu(state), changes.change_form(state, errors)]
    if state.is_changed and not state.text("changes"):
        copied = state.address(
            "change", plan=None, changes=changes_text(network.plan_changes.get(state.plan or "", []))
        )
        text = f"The plan {state.plan} is shown. A change that you add starts a list of your own. "
        add.insert(1, element("p", text, element("a", "Start from the changes of this plan", href=copied)))
    run = state.address("change", run="1")
    ask = element("p", element("a", "Run the what-if", href=run, class_="button")) if state.is_changed else None
    hint = None if state.is_changed else element("p", "Choose a plan above, or add changes below.")
    return joined((hint, ask, element("details", element("summary", "Compose changes"), *add, open=_composes(state))))


def _composes(state: PageState) -> bool:
    return bool(state.text("kind") or state.text("changes")) or not state.is_changed


def _plan_boxes(network: PageNetwork, state: PageState) -> Html:
    chosen = set(state.texts("plans"))
    boxes = [
        element(
            "li",
            element("input", type="checkbox", name="plans", value=plan.id, id=f"plan-{i}", checked=plan.id in chosen),
            element("label", plan.id, for_=f"plan-{i}"),
            element("span", marked(plan.note), class_="quiet") if plan.note else None,
        )
        for i, plan in enumerate(network.plans)
    ]
    return element("ul", *boxes, class_="plans")


def _compare_form(network: PageNetwork, state: PageState, errors: Errors) -> Html:
    if not network.plans:
        return element("p", "This network has no plans. The view Change shows what your own changes do.")
    return element(
        "form",
        changes.hidden_state(state),
        element(
            "fieldset",
            element("legend", f"Plans, up to {parts.MAX_COMPARED}"),
            _plan_boxes(network, state),
            element("p", *errors.get("plans", ()), class_="error") if errors.get("plans") else None,
            data_field="plans",
        ),
        element("p", "Your own changes are compared beside them.") if state.text("changes") else None,
        element("button", "Compare", type="submit"),
        method="get",
    )


def _report_form(network: PageNetwork, state: PageState, errors: Errors) -> Html:
    names = ("format", "years", "growth_ratio_per_year", "n_samples")
    fields = [
        replace(field, default=parts.NO_GROWTH["growth_ratio_per_year"]) if field.name in parts.NO_GROWTH else field
        for field in fields_of(ReportRequest.model_json_schema(), names)
    ]
    return element(
        "form",
        changes.hidden_state(state, names),
        element("p", "The report is one file with verdict, drawing, causes, forecast, failures, money and sources."),
        element("fieldset", element("legend", "Plans to compare"), _plan_boxes(network, state), data_field="plans")
        if network.plans
        else None,
        form_fields(fields, state.values, errors),
        element("button", "Download the report", type="submit"),
        element("p", "A large network may take a minute.", class_="quiet"),
        method="get",
        action=f"{network_address(state.network)}/report",
        novalidate=True,
    )


VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        View(
            "overview",
            "Overview",
            _no_form,
            (Part("verdict", "Verdict", parts.verdict), Part("drawing", "The network", parts.drawing)),
        ),
        View(
            "change",
            "Change",
            _change_forms,
            (
                Part("preview", "Preview", changes.preview, needs="case"),
                Part("what-if", "What the change does", parts.what_if, needs="run"),
            ),
        ),
        View("compare", "Compare", _compare_form, (Part("compare", "Side by side", parts.compare, needs="plans"),)),
        View(
            "links",
            "Links",
            _links_forms,
            (
                Part("link", "The link", parts.link, needs="link"),
                Part("links", "Links", parts.links, needs="list"),
            ),
        ),
        View("causes", "Causes", _no_form, (Part("causes", "What limits the training step", parts.causes),)),
        View(
            "failures",
            "Failures",
            _question_form(FailuresRequest, ("of", "depth"), "Fail each of them"),
            (Part("failures", "Failures, the worst first", parts.failures, needs="of"),),
        ),
        View(
            "forecast",
            "Forecast",
            _question_form(ForecastRequest, ("years", "growth_ratio_per_year", "links"), "Forecast"),
            (Part("forecast", "The years to come", parts.forecast),),
        ),
        View(
            "money",
            "Money",
            _question_form(
                MoneyRequest, ("horizon_years", "discount_ratio_per_year", "usd_per_million_tokens"), "Weigh it"
            ),
            (Part("money", "Cost and gain", parts.money),),
        ),
        View("report", "Report", _report_form, ()),
    )
}
"""Views by name, in the order of the tabs."""
