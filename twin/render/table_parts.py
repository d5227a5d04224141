"""Parts of several tables: the title of an answer, lists of sentences, the line about assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..errors.wording import counted

PLACEHOLDER = "placeholder"
"""Status of a shipped price that the user has not replaced."""


def answer_title(data: Mapping[str, Any]) -> str:
    """Return the network, job and date of an answer as rich markup."""
    job, as_of = data["job"], data.get("as_of")
    fields = [
        f"[bold]{escape(data['network'])}[/]",
        f"job {escape(job)}" if job else "no job",
        f"as of {as_of}" if as_of else "",
    ]
    return " · ".join(field for field in fields if field)


def bare_table(title: str | None = None, **options: Any) -> Table:
    """Create a table without lines, its title on the left."""
    return Table(title=title, title_justify="left", box=None, pad_edge=False, **options)


def sentences(heading: str, lines: Sequence[str]) -> list[RenderableType]:
    """Return a heading and indented lines; nothing if there are no lines."""
    return [Text(heading, style="bold"), *(Text(f"  {line}") for line in lines)] if lines else []


def assumptions_line(data: Mapping[str, Any]) -> RenderableType:
    """Return a line with the numbers of estimates and placeholder prices of a score."""
    assumptions = data["assumptions"]
    n_prices = sum(assumption["status"] == PLACEHOLDER for assumption in assumptions)
    text = f"Leans on {len(assumptions) - n_prices} estimates among {data['n_figures']} figures"
    text += f" and {n_prices} placeholder prices (--prices replaces them)" if n_prices else ""
    return Text(text + "; --json lists them with ranges and sources.", style="dim")


def two_columns(heading: str, rows: Sequence[tuple[str, str]]) -> RenderableType:
    """Create a table of names and texts."""
    table = bare_table()
    table.add_column(heading, no_wrap=True)
    table.add_column("")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def warning_lines(answer: Mapping[str, Any]) -> list[RenderableType]:
    """Return a line for each kind of input that links leave out, from the data of an answer."""
    lines: list[RenderableType] = []
    for row in answer.get("warnings", ()):
        links = ", ".join(row["links"]) + (" …" if row["n_links"] > len(row["links"]) else "")
        n_links = counted(row["n_links"], "link")
        text = f"Warning: {n_links} {row['problem']}: {row['effect']} ({links}). {row['hint']}."
        lines.append(Text(text, overflow="fold"))
    return lines
