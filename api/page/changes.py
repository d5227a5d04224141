"""Composition of changes: a menu of kinds, the fields of one kind, the list so far, and its preview."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from twin.errors import DocumentError, Issue, TwinError
from twin.model.validation import adapter_of, validate_as
from twin.render.preview_table import preview_table
from twin.reports.blocks import blocks_of
from twin.scenario.change_reference import LEVELS, change_rows
from twin.scenario.changes import CHANGES

from .fields import Values, data_of, fields_of
from .form import Errors, form_fields
from .html import Html, element, joined, marked, sentence
from .parts import Ask, Content
from .problem import problem_html
from .state import KEPT, PageState, changes_text

LEVEL_TITLES = {"structure": "Nodes and links", "workload": "Jobs and traffic", "state": "Equipment, age and failures"}


def change_of(kind: str, values: Values) -> tuple[dict[str, Any], Errors]:
    """Return the change that a form stands for, and the problems of its fields by name.

    Args:
        kind: kind of the change, one of `CHANGES`.
        values: texts of the form.
    """
    change = {"kind": kind, **data_of(fields_of(adapter_of(CHANGES[kind]).json_schema()), values)}
    try:
        validate_as(CHANGES[kind], change, "change")
    except DocumentError as error:
        return change, errors_of(error.issues)
    return change, {}


def errors_of(issues: Sequence[Issue]) -> dict[str, list[str]]:
    """Return the texts of problems by place."""
    errors: dict[str, list[str]] = {}
    for issue in issues:
        text = " ".join(sentence(part) for part in (issue.problem, issue.hint) if part)
        errors.setdefault(issue.where, []).append(f"{text} ")
    return errors


def kind_menu(state: PageState) -> Html:
    """Return the form that chooses the kind of the next change."""
    groups = []
    rows = change_rows()
    for level in LEVELS:
        entries = [
            element(
                "option",
                f"{row['kind']}: {row['summary']}",
                value=row["kind"],
                selected=row["kind"] == state.text("kind"),
            )
            for row in rows
            if row["level"] == level
        ]
        groups.append(element("optgroup", *entries, label=LEVEL_TITLES[level]))
    return element(
        "form",
        hidden_state(state),
        element("label", "Kind of change", for_="kind"),
        element("select", *groups, id="kind", name="kind"),
        element("button", "Show its fields", type="submit", class_="quiet"),
        method="get",
        class_="row",
        action="#add",
    )


def change_form(state: PageState, errors: Errors) -> Html | None:
    """Return the form of one change; None before a kind is chosen.

    Args:
        state: state of the page.
        errors: problems by name of the field.
    """
    kind = state.text("kind")
    row = next((row for row in change_rows() if row["kind"] == kind), None)
    if row is None:
        return None
    fields = fields_of(adapter_of(CHANGES[kind]).json_schema())
    known = {field.name for field in fields}
    elsewhere = [text for name, texts in errors.items() if not _is_inside(name, known) for text in texts]
    example = json.dumps(row["example"]["change"], ensure_ascii=False)
    return element(
        "form",
        hidden_state(state),
        element("input", type="hidden", name="kind", value=kind),
        element("h3", row["summary"], id="add", tabindex="-1"),
        element("p", marked(row["notes"]), class_="quiet") if row["notes"] else None,
        element("p", *elsewhere, class_="error", role="alert") if elsewhere else None,
        form_fields(fields, state.values, errors),
        element("p", "Example: ", element("code", example), class_="help"),
        element("button", "Add this change", type="submit", name="add", value="1"),
        method="get",
        novalidate=True,
    )


def _is_inside(name: str, known: set[str]) -> bool:
    return name.partition(".")[0].partition("[")[0] in known


def hidden_state(state: PageState, shown: Collection[str] = ()) -> Html:
    """Return hidden fields that keep the shared part of the state in a form, but those that the form shows."""
    pairs = [("view", state.view), *((name, state.text(name)) for name in KEPT if name not in shown)]
    return joined(element("input", type="hidden", name=name, value=text) for name, text in pairs if text)


def change_list(state: PageState, changes: Sequence[Mapping[str, Any]], errors: Errors) -> Html:
    """Return the changes so far, each with a link that removes it, and its problems.

    Args:
        state: state of the page.
        changes: the changes.
        errors: problems by place: `changes[0].part`.
    """
    items = []
    for i, change in enumerate(changes):
        rest = [*changes[:i], *changes[i + 1 :]]
        own = [text for place, texts in errors.items() if place.startswith(f"changes[{i}]") for text in texts]
        items.append(
            element(
                "li",
                element("code", change_sentence(change)),
                " ",
                element(
                    "a",
                    "Remove",
                    href=state.address("change", changes=changes_text(rest)),
                    aria_label=f"Remove change {i + 1}",
                ),
                element("p", *own, class_="error") if own else None,
            )
        )
    return element("ol", *items, class_="changes")


def change_sentence(change: Mapping[str, Any]) -> str:
    """Return a change on one line: its kind, and its fields."""
    fields = ", ".join(
        f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in change.items()
        if key != "kind"
    )
    return f"{change.get('kind')}  {fields}"


async def preview(ask: Ask, state: PageState) -> Content:
    """Return the changes, their problems, and what they do to records."""
    changes = state.changes() if state.has_own_changes else []
    try:
        data = await ask("preview", **state.case())
    except TwinError as error:
        errors = errors_of(error.issues) if changes else {}
        elsewhere = not any(place.startswith("changes[") for place in errors)
        return [change_list(state, changes, errors), *([problem_html(error)] if elsewhere else [])]
    content: Content = [change_list(state, changes, {})] if changes else []
    blocks = list(blocks_of(preview_table(data)))
    return [*content, *blocks[1:]]
