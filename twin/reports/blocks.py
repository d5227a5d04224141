"""Blocks of a report: what the tables of the terminal show, as HTML and Markdown."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..render.fitted_table import Column, FittedTable


@dataclass(frozen=True)
class Sentence:
    """A line of text."""

    text: str
    style: str = ""
    """`heading` for a heading, `quiet` for a remark."""


@dataclass(frozen=True)
class Grid:
    """A table."""

    headings: tuple[str, ...]
    is_number: tuple[bool, ...]
    """Columns that are aligned to the right."""
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    addresses: tuple[str, ...] = ()
    """Address that the first cell of each row leads to; empty = the cells are text."""


@dataclass(frozen=True)
class Chart:
    """A picture that the page draws from data; Markdown leaves it out."""

    kind: str
    """Function of `report.js`."""
    label: str
    """Description for readers who do not see it."""
    data: Any
    height_px: int = 360


@dataclass(frozen=True)
class Folded:
    """Blocks that the page shows when asked to."""

    summary: str
    blocks: tuple[Block, ...]
    prints: bool = False
    """True if paper shows them; other closed blocks are left out there."""


Block = Sentence | Grid | Chart | Folded


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    lead: tuple[str, ...] = field(default=())
    """Sentences under the heading: the verdict of the section."""


def blocks_of(renderable: RenderableType) -> Iterator[Block]:
    """Return what a table of the terminal holds, without its width.

    Raises:
        TypeError: a renderable that no table of the twin uses.
    """
    if isinstance(renderable, Group):
        for part in renderable.renderables:
            yield from blocks_of(part)
    elif isinstance(renderable, Padding):
        yield from blocks_of(renderable.renderable)
    elif isinstance(renderable, Text):
        style = str(renderable.style)
        if renderable.plain.strip() and "dim" not in style:  # dim lines name options of the command
            yield Sentence(renderable.plain.strip(), "heading" if "bold" in style else "")
    elif isinstance(renderable, str):
        yield from blocks_of(Text.from_markup(renderable))
    elif isinstance(renderable, FittedTable):
        yield _grid(renderable.columns, renderable.rows, renderable.title)
    elif isinstance(renderable, Table):
        cells = [[_plain(cell) for cell in column.cells] for column in renderable.columns]
        headings = tuple(_plain(column.header) for column in renderable.columns)
        right = tuple(column.justify == "right" for column in renderable.columns)
        yield Grid(headings, right, tuple(zip(*cells, strict=True)), _plain(renderable.title or ""))
    else:
        raise TypeError(f"no block for {type(renderable).__name__}")


def _grid(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str) -> Grid:
    shown = [i for i, column in enumerate(columns) if not column.is_drawing]
    return Grid(
        tuple(" ".join(columns[i].heading.split()) for i in shown),
        tuple(columns[i].justify == "right" for i in shown),
        tuple(tuple(_plain(row[i]) for i in shown) for row in rows),
        _plain(title),
    )


def _plain(cell: RenderableType) -> str:
    if isinstance(cell, Text):
        return cell.plain
    return Text.from_markup(cell).plain if isinstance(cell, str) else ""


def block_html(block: Block, chart_id: str, *, with_data: bool = False) -> str:
    """Return a block as HTML.

    Args:
        block: the block.
        chart_id: id of the element that a chart is drawn in, unique in the page.
        with_data: whether the element of a chart holds its data; otherwise the page holds the data of all charts.
    """
    if isinstance(block, Sentence):
        tag = "h3" if block.style == "heading" else "p"
        quiet = ' class="quiet"' if block.style == "quiet" else ""
        return f"<{tag}{quiet}>{html.escape(block.text)}</{tag}>"
    if isinstance(block, Grid):
        return _grid_html(block)
    if isinstance(block, Folded):
        parts = enumerate(block.blocks)
        inner = "\n".join(block_html(each, f"{chart_id}-{i}", with_data=with_data) for i, each in parts)
        opened = " data-prints" if block.prints else ""
        return f"<details{opened}><summary>{html.escape(block.summary)}</summary>\n{inner}\n</details>"
    label = html.escape(block.label, quote=True)
    data = f' data-chart="{html.escape(compact_json(block.data), quote=True)}"' if with_data else ""
    return (
        f'<figure><div class="chart" id="{chart_id}" data-kind="{block.kind}" role="img" aria-label="{label}" '
        f'data-height-px="{block.height_px}"{data}></div><figcaption>{html.escape(block.label)}</figcaption></figure>'
    )


def compact_json(data: Any) -> str:
    """Return data as JSON text without spaces."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _grid_html(grid: Grid) -> str:
    classes = ["number" if is_number else "" for is_number in grid.is_number]

    def cells(tag: str, row: Sequence[str], address: str = "") -> str:
        texts = [html.escape(cell) for cell in row]
        if address:
            texts[0] = f'<a href="{html.escape(address, quote=True)}">{texts[0]}</a>'
        return "".join(
            f"<{tag}{f' class={chr(34)}{name}{chr(34)}' if name else ''}{scope}>{text}</{tag}>"
            for name, text in zip(classes, texts, strict=True)
        )

    scope = ' scope="col"'
    caption = f"<caption>{html.escape(grid.title)}</caption>" if grid.title else ""
    head = f"<thead><tr>{cells('th', grid.headings)}</tr></thead>" if any(grid.headings) else ""
    scope = ""
    addresses = grid.addresses or ("",) * len(grid.rows)
    body = "".join(f"<tr>{cells('td', row, address)}</tr>\n" for row, address in zip(grid.rows, addresses, strict=True))
    name = html.escape(grid.title or f"Table: {', '.join(filter(None, grid.headings))}", quote=True)
    scroll = f'<div class="wide" tabindex="0" role="region" aria-label="{name}">'
    return f"{scroll}<table>{caption}{head}<tbody>\n{body}</tbody></table></div>"


def charts_of(blocks: Sequence[Block], prefix: str) -> Iterator[tuple[str, Chart]]:
    """Return the id and chart of each chart, as `block_html` numbers them."""
    for i, block in enumerate(blocks):
        if isinstance(block, Chart):
            yield f"{prefix}-{i}", block
        elif isinstance(block, Folded):
            yield from charts_of(block.blocks, f"{prefix}-{i}")


def block_markdown(block: Block) -> str:
    """Return a block as Markdown; empty for a chart."""
    if isinstance(block, Sentence):
        return f"**{markdown_text(block.text)}**" if block.style == "heading" else markdown_text(block.text)
    if isinstance(block, Folded):
        parts = [*filter(None, map(block_markdown, block.blocks))]
        return "\n\n".join([f"**{markdown_text(block.summary)}**", *parts]) if parts else ""
    return "" if isinstance(block, Chart) else _grid_markdown(block)


def _grid_markdown(grid: Grid) -> str:
    if not grid.rows:
        return ""

    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(markdown_text(cell) for cell in cells)} |"

    rule = "|" + "|".join(" ---: " if is_number else " --- " for is_number in grid.is_number) + "|"
    title = [f"**{markdown_text(grid.title)}**", ""] if grid.title else []
    return "\n".join([*title, line(grid.headings), rule, *map(line, grid.rows)])


def markdown_text(text: str) -> str:
    """Return a text as Markdown that shows just that text, on one line."""
    text = " ".join(text.split())
    for sign in "\\`*_[]<>|#":
        text = text.replace(sign, f"\\{sign}" if sign not in "<>" else {"<": "&lt;", ">": "&gt;"}[sign])
    return text
