"""Errors as HTML: what is wrong, where, and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence

from twin.errors import ChangeError, Issue, TwinError

from ..problems import MAX_ISSUES, TITLES
from .html import Html, element, ended, sentence

UNANSWERED = "This cannot be computed"


def problem_html(error: TwinError, *, level: int = 3) -> Html:
    """Return an error of a question with every issue.

    Args:
        error: the error.
        level: level of the heading.
    """
    title = title_of(type(error).__name__, error.issues)
    return problem_box(title, error.issues, expected=error.shown_expected, level=level)


def title_of(name: str, issues: Sequence[Issue]) -> str:
    """Return the heading of a problem: of a change only where a change is at fault, not a field of a form.

    Args:
        name: class of the error.
        issues: what is wrong, by place.
    """
    if name == ChangeError.__name__ and not any(issue.where.startswith("changes") for issue in issues):
        return UNANSWERED
    return TITLES.get(name, UNANSWERED)


def problem_box(
    title: str, issues: Sequence[Issue] = (), detail: str = "", *, expected: str = "", level: int = 3
) -> Html:
    """Return a problem as a box. The script of the page also shows each issue beside its field.

    Args:
        title: heading.
        issues: what is wrong, by place.
        detail: a sentence in place of issues.
        expected: what would have been valid.
        level: level of the heading.
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
        element(f"h{level}", title),
        element("p", detail) if detail else None,
        element("ul", *rows) if rows else None,
        element("p", ended(f"Expected {expected}"), class_="hint") if expected else None,
        class_="problem",
        role="alert",
    )
