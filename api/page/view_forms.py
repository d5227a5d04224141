"""Forms of views: what may be entered, from the network and the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..bodies import LinkRequest, LinksRequest
from ..study_bodies import ReportRequest
from . import changes, parts, studies
from .fields import fields_of
from .form import Errors, form_fields
from .html import Html, element, joined, marked
from .networks import PageNetwork
from .state import PageState, changes_text

LABELS = {
    "of": "what fails",
    "until": "until the end of the year",
    "limit_ratio": "highest utilisation",
    "loss_above_ratio": "list failures that lose more than",
    "keep": "conditions to keep",
    "target": "target, at least cost",
    "robust_to": "hold after the failure of each",
    "lease": "sites that may be leased",
    "lease_usd_per_month": "rent of a whole site",
    "usd_per_million_tokens": "worth of a million tokens",
    "drain_days": "out of service for each wave",
    "years": "length of the forecast",
    "horizon_years": "time that counts",
    "discount_ratio_per_year": "interest",
}
"""Labels of fields whose names say too little in a form."""
Forms = Callable[[PageNetwork, PageState, Errors], Html | None]


def no_form(_network: PageNetwork, _state: PageState, _errors: Errors) -> None:
    """Return no form."""


def question_form(
    model: Any, names: tuple[str, ...], button: str, run: str = "", *, about: str = "", plans: str = ""
) -> Callable[[PageNetwork, PageState, Errors], Html]:
    """Return a function that makes the form of a question.

    Args:
        model: class of the request, whose schema describes the fields.
        names: fields of the form.
        button: text of the button.
        run: name of a hidden text that asks for the part.
        about: what the question finds out, in one or two sentences.
        plans: heading of the plans of the network to choose from; empty for none.
    """

    def build(network: PageNetwork, state: PageState, errors: Errors) -> Html:
        fields = [
            replace(field, title=LABELS.get(field.name, field.title))
            for field in fields_of(model.model_json_schema(), names)
        ]
        return element(
            "form",
            changes.hidden_state(state, names),
            element("input", type="hidden", name=run, value="1") if run else None,
            element("p", about) if about else None,
            _plans_fieldset(plans, network, state) if plans and network.plans else None,
            form_fields(fields, state.values, errors),
            element("button", button, type="submit"),
            method="get",
            novalidate=True,
        )

    return build


def for_changes(form: Forms) -> Forms:
    """Return a function that makes a form only where a plan or changes are shown, else a sentence.

    form: makes the form.
    """

    def build(network: PageNetwork, state: PageState, errors: Errors) -> Html | None:
        if state.is_changed:
            return form(network, state, errors)
        compose = element("a", "compose changes", href=state.address("change"))
        first = "Choose a plan in “Show the network” above, or " if network.plans else "This network has no plans: "
        return element("p", first, compose, ".")

    return build


def links_forms(network: PageNetwork, state: PageState, errors: Errors) -> Html:
    """Return the form of one link, and that of a list of links."""
    one = question_form(LinkRequest, ("link", "years", "growth_ratio_per_year"), "Show this link")
    several = question_form(LinksRequest, ("links", "sort", "top"), "List links", "list")
    listed = state.address("links", list="1")
    return joined(
        (
            element("div", element("h2", "Choose a link"), one(network, state, errors)),
            None
            if state.text("list") or state.text("link")
            else element("p", element("a", "List all links", href=listed)),
            element(
                "details",
                element("summary", "List links by id, tier, site, transceiver or age"),
                several(network, state, errors),
                open=bool(state.text("list")),
            ),
        )
    )


def change_forms(network: PageNetwork, state: PageState, errors: Errors) -> Html:
    """Return the menu of kinds of changes, the fields of one, and the button that runs the what-if."""
    add = [element("h2", "Add a change"), changes.kind_menu(state), changes.change_form(state, errors)]
    if state.is_changed and not state.text("changes"):
        copied = state.address(
            "change", plan=None, changes=changes_text(network.plan_changes.get(state.plan or "", []))
        )
        text = f"The plan {state.plan} is shown. A change that you add starts a list of your own. "
        add.insert(1, element("p", text, element("a", "Start from the changes of this plan", href=copied)))
    run = state.address("change", run="1")
    ask = element("p", element("a", "Run the what-if", href=run, class_="button")) if state.is_changed else None
    choose = (
        "Choose a plan in “Show the network” above, or add changes below." if network.plans else "Add changes below."
    )
    hint = None if state.is_changed else element("p", choose)
    return joined((hint, ask, element("details", element("summary", "Compose changes"), *add, open=_composes(state))))


def _composes(state: PageState) -> bool:
    return bool(state.text("kind") or state.text("changes")) or not state.is_changed


def _plans_fieldset(title: str, network: PageNetwork, state: PageState, errors: Errors | None = None) -> Html:
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
    found = (errors or {}).get("plans")
    return element(
        "fieldset",
        element("legend", title),
        element("ul", *boxes, class_="plans"),
        element("p", *found, class_="error") if found else None,
        data_field="plans",
    )


def compare_form(network: PageNetwork, state: PageState, errors: Errors) -> Html:
    """Return the plans to compare."""
    if not network.plans:
        change = element("a", "Change", href=state.address("change"))
        return element("p", "This network has no plans. The view ", change, " shows what your own changes do.")
    return element(
        "form",
        changes.hidden_state(state),
        _plans_fieldset(f"Plans, up to {parts.MAX_COMPARED}", network, state, errors),
        element("p", "Your own changes are compared beside them.") if state.text("changes") else None,
        element("button", "Compare", type="submit"),
        method="get",
    )


def difference_form(network: PageNetwork, state: PageState, _errors: Errors) -> Html:
    """Return the choice of another network or revision."""
    return element(
        "form",
        changes.hidden_state(state),
        element(
            "div",
            element("label", "Other network or revision", for_="in-other"),
            element(
                "input",
                type="text",
                id="in-other",
                name="other",
                value=state.text("other"),
                list="in-other-names",
                required=True,
                autocomplete="off",
                aria_describedby="in-other-help",
            ),
            element(
                "datalist",
                *(element("option", each.note, value=each.id) for each in network.others),
                id="in-other-names",
            ),
            element(
                "p",
                "A name from the list of networks; ",
                element("code", "name@digest"),
                " is one revision of a stored network.",
                class_="help",
                id="in-other-help",
            ),
            class_="field",
            data_field="other",
        ),
        element("button", "Show what differs", type="submit"),
        method="get",
    )


def report_form(network: PageNetwork, state: PageState, errors: Errors) -> Html:
    """Return what the report contains."""
    fields = [
        replace(field, default=parts.NO_GROWTH["growth_ratio_per_year"]) if field.name in parts.NO_GROWTH else field
        for field in fields_of(ReportRequest.model_json_schema(), studies.REPORT_FIELDS)
    ]
    return element(
        "form",
        changes.hidden_state(state, studies.REPORT_FIELDS),
        element("input", type="hidden", name="run", value="1"),
        element("p", "The report is one file with verdict, drawing, causes, forecast, failures, money and sources."),
        _plans_fieldset("Plans to compare", network, state) if network.plans else None,
        form_fields(fields, state.values, errors),
        element("button", "Write the report", type="submit"),
        element("p", "A large network may take a minute.", class_="quiet"),
        method="get",
        novalidate=True,
    )
