"""The frame of pages: head, header, navigation, and the places that parts are loaded into."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from twin.arrays import package_version
from twin.reports.blocks import block_html, compact_json
from twin.reports.page import chart_settings

from .changes import hidden_state
from .form import Errors
from .html import Html, element, joined, marked
from .known import UNKNOWN_TITLE, unknown_parameters, unknown_view
from .networks import PageNetwork
from .parts import Content
from .problem import problem_box
from .state import PageState, network_address
from .views import VIEWS, Part

HTMX = {
    "includeIndicatorStyles": False,
    "allowEval": False,
    "allowScriptTags": False,
    "historyCacheSize": 0,
    "refreshOnHistoryMiss": True,
    "selfRequestsOnly": True,
    "responseHandling": [{"code": "204", "swap": False}, {"code": ".*", "swap": True}],
}
"""Settings of htmx: nothing inside a page is run, nothing is stored in the browser, errors are shown."""
STYLES = ("report.css", "page.css")
SCRIPTS = ("echarts.min.js", "htmx.min.js", "labels.js", "charts.js", "page.js")
AGEING = (("", "central"), ("low", "optimistic"), ("high", "pessimistic"))


def page_html(title: str, *main: str | Iterable[str] | None, heading: str = "") -> str:
    """Return a whole page.

    Args:
        title: title of the window.
        main: content.
        heading: heading of the page, if it is not the title.
    """
    version = package_version()
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="htmx-config", content=json.dumps(HTMX)),
        element("title", f"{title} · dc-twin" if title != "dc-twin" else title),
        element("link", rel="icon", href="/assets/icon.svg", type="image/svg+xml"),
        *(element("link", rel="stylesheet", href=f"/assets/{name}?v={version}") for name in STYLES),
        *(element("script", src=f"/assets/{name}?v={version}", defer=True) for name in SCRIPTS),
    )
    body = element(
        "body",
        element("a", "Skip to the content", href="#main", class_="skip"),
        element(
            "header",
            element(
                "nav",
                element("a", "dc-twin", href="/", class_="home"),
                element("a", "API", href="/docs"),
                aria_label="Site",
            ),
            element("h1", heading or title),
        ),
        element("main", *main, id="main", tabindex="-1"),
        element(
            "footer", element("p", f"dc-twin {version}. Figures come from the model, not from the network itself.")
        ),
        element("p", id="status", class_="visually-hidden", role="status"),
        data_charts=compact_json(chart_settings() | {"renderer": "canvas"}),
    )
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en")


def network_page(network: PageNetwork, state: PageState, errors: Errors) -> str:
    """Return the page of a network in one view.

    Args:
        network: the network.
        state: state of the page.
        errors: problems of fields that were entered, by name.
    """
    view = VIEWS[state.view]
    unknown = unknown_parameters(state)
    return page_html(
        f"{network.title or network.name}: {view.title}",
        element("p", marked(network.sentence), *_revisions_link(network), class_="quiet"),
        _case_form(network, state),
        _tabs(state),
        problem_box(UNKNOWN_TITLE, unknown, level=2) if unknown else None,
        view.forms(network, state, errors),
        (_place(part, state) for part in view.parts if part.is_shown(state)),
        element(
            "p",
            element("button", "Copy the address of this view", type="button", data_copy=True, class_="quiet"),
            class_="share",
        ),
        heading=network.title or network.name,
    )


def _revisions_link(network: PageNetwork) -> Iterator[Html | str]:
    if network.stored_name:
        yield " "
        yield element("a", "All revisions", href=f"{network_address(network.stored_name)}/revisions")


def unknown_view_page(network: PageNetwork, state: PageState) -> str:
    """Return the page for an address whose view does not exist, with the tabs of those that do.

    Args:
        network: the network.
        state: state of the page.
    """
    box = problem_box("No such view", [unknown_view(state)], level=2)
    return page_html(f"{network.name}: no such view", _tabs(state), box, heading=network.name)


def _tabs(state: PageState) -> Html:
    groups = []
    for title, views in groupby(VIEWS.values(), lambda view: view.group):
        links = [
            element("a", view.title, href=state.address(view.name), aria_current=_is_current(view.name, state))
            for view in views
        ]
        label = element("span", title, id=f"tabs-{title.replace(' ', '-').lower()}")
        group = element("div", *links, role="group", aria_labelledby=f"tabs-{title.replace(' ', '-').lower()}")
        groups.append(element("div", label, group, class_="group"))
    return element("nav", *groups, aria_label="Views", class_="tabs")


def _is_current(view: str, state: PageState) -> str | None:
    return "page" if view == state.view else None


def _case_form(network: PageNetwork, state: PageState) -> Html:
    """Return the form of what every view shares: job, plan or own changes, ageing."""
    own = state.text("changes")
    plans = [("", "after own changes" if own else "as it is")]
    plans += [(plan.id, f"after {plan.id}") for plan in network.plans]
    jobs = [("", f"default ({network.default_job})" if network.default_job else "default")]
    jobs += [(job.id, job.id) for job in network.jobs]
    return element(
        "form",
        hidden_state(state, ("plan", "job", "ageing") if network.jobs else ("plan", "ageing")),
        _menu("plan", "Show the network", plans, state.text("plan")) if len(plans) > 1 or own else None,
        _menu("job", "Job", jobs, state.text("job")) if network.jobs else None,
        _menu("ageing", "Ageing", AGEING, state.text("ageing")),
        element("button", "Apply", type="submit", class_="quiet"),
        _own_changes(state) if state.has_own_changes else None,
        method="get",
        class_="row case",
        aria_label="What every view shows",
    )


def _own_changes(state: PageState) -> Html:
    drop = element("a", "leave them out", href=state.address(changes=None))
    edit = element("a", "own changes", href=state.address("change"))
    return element("p", "The network is shown after ", edit, " (", drop, ").", class_="own")


def _menu(name: str, label: str, choices: Sequence[tuple[str, str]], chosen: str) -> Html:
    entries = [element("option", text, value=value, selected=value == chosen) for value, text in choices]
    return element("label", f"{label} ", element("select", *entries, name=name))


def _place(part: Part, state: PageState) -> Html:
    """Return the place of a part: the script loads it, counts the seconds, and can cancel it."""
    waiting = element(
        "p",
        element("progress", aria_label=f"Computing: {part.title}"),
        " Computing, ",
        element("span", "0 s", data_seconds=True),
        " ",
        element("button", "Cancel", type="button", data_cancel=True, class_="quiet"),
        class_="waiting",
    )
    return element(
        "section",
        element("h2", part.title, id=f"title-{part.name}"),
        element(
            "div",
            waiting,
            element("noscript", element("p", element("a", "Show this part", href=state.part_address(part.name)))),
            hx_get=state.part_address(part.name),
            hx_trigger="load, again",
            id=f"part-{part.name}",
            aria_busy="true",
        ),
        aria_labelledby=f"title-{part.name}",
        class_="part",
    )


def part_html(name: str, content: Content) -> Html:
    """Return the content of a part.

    Args:
        name: name of the part, for ids.
        content: blocks and elements.
    """
    return joined(
        block if isinstance(block, Html) else Html(block_html(block, f"{name}-{i}", with_data=True))
        for i, block in enumerate(content)
    )
