"""Errors as HTML: what is wrong, where, and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence

from twin.errors import Issue, TwinError

from ..problems import MAX_ISSUES, TITLES
from .html import Html, element, ended, sentence


def problem_html(error: TwinError) -> Html:
    """Return an error of a question with every issue."""
    return problem_box(TITLES.get(type(error).__name__, "The question cannot be answered"), error.issues)


def problem_box(title: str, issues: Sequence[Issue] = (), detail: str = "") -> Html:
    """Return a problem as a box. The script of the page also shows each issue beside its field.

    Args:
        title: heading.
        issues: what is wrong, by place.
        detail: a sentence in place of issues.
    """
    rows = [
        element(
            "li",
            element("code", issue.where) if issue.where else None,
            ": " if issue.where else None,
            ended(issue.problem),
            element("span", f" {sentence(issue.hint)}", class_="hint") if issue.hint else None,
            data_where=issue.where,
        )
        for issue in issues[:MAX_ISSUES]
    ]
    return element(
        "div",
        element("h3", title),
        element("p", detail) if detail else None,
        element("ul", *rows) if rows else None,
        class_="problem",
        role="alert",
    )
