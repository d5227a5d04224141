"""What several tables share: the title of an answer, lists of sentences, the line about assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

PLACEHOLDER = "placeholder"
"""Status of a price that no user has replaced."""


def answer_title(data: Mapping[str, Any]) -> str:
    """Network, job and date of an answer, as rich markup."""
    job, as_of = data["job"], data.get("as_of")
    words = [
        f"[bold]{escape(data['network'])}[/]",
        f"job {escape(job)}" if job else "no job",
        f"as of {as_of}" if as_of else "",
    ]
    return " · ".join(word for word in words if word)


def bare_table(title: str | None = None, **options: Any) -> Table:
    """A table without lines, its title on the left."""
    return Table(title=title, title_justify="left", box=None, pad_edge=False, **options)


def sentences(head: str, lines: Sequence[str]) -> list[RenderableType]:
    """A heading and indented lines; nothing where there are no lines."""
    return [Text(head, style="bold"), *(Text(f"  {line}") for line in lines)] if lines else []


def assumptions_line(data: Mapping[str, Any]) -> RenderableType:
    """How many figures of a score are estimates or placeholder prices."""
    used = data["assumptions"]
    n_prices = sum(each["status"] == PLACEHOLDER for each in used)
    text = f"Leans on {len(used) - n_prices} estimates among {data['n_figures']} figures"
    text += f" and {n_prices} placeholder prices (--prices replaces them)" if n_prices else ""
    return Text(text + "; --json lists them with ranges and sources.", style="dim")


def two_columns(head: str, rows: Sequence[tuple[str, str]]) -> RenderableType:
    """Names and texts side by side."""
    table = bare_table()
    table.add_column(head, no_wrap=True)
    table.add_column("")
    for row in rows:
        table.add_row(*map(escape, row))
    return table
