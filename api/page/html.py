"""HTML from Python: every text is escaped unless it is HTML already."""

from __future__ import annotations

import html
from collections.abc import Iterable

VOID = frozenset({"br", "hr", "input", "link", "meta"})
"""Elements without content and without an end tag."""
Attribute = str | int | float | bool | None


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def escaped(text: str) -> Html:
    """Return a text as HTML that shows just that text."""
    return text if isinstance(text, Html) else Html(html.escape(text, quote=True))


def marked(text: str) -> Html:
    """Return a text as HTML in which words between backticks are code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    return joined(element("code", part) if i % 2 else part for i, part in enumerate(parts))


def ended(text: str) -> str:
    """Return a text with one mark at its end."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def sentence(text: str) -> str:
    """Return a text with a capital and one mark at its end."""
    return text[:1].upper() + ended(text[1:])


def element(tag: str, /, *children: str | Iterable[str] | None, **attributes: Attribute) -> Html:
    """Return an element.

    Args:
        tag: name of the tag.
        children: texts, which are escaped, elements, and lists of both; None is left out.
        attributes: by name; `_` stands for `-`, and one at the end is dropped. True is an attribute without a value;
            False and None leave it out.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if tag in VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{joined(children)}</{tag}>")


def joined(children: Iterable[str | Iterable[str] | None]) -> Html:
    """Return texts and elements one after the other; None is left out."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, str):
            parts.append(escaped(child))
        elif child is not None:
            parts.append(joined(child))
    return Html("".join(parts))


def _attribute(key: str, value: Attribute) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{html.escape(str(value), quote=True)}"'
