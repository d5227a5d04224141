"""Notebooks without a kernel: read one, check its form, run its cells, and show it as Markdown.

The cells run in one namespace of this Python. The value of a cell's last expression is its output, as in a notebook.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import markdown

KINDS = {"code": {"execution_count", "outputs"}, "markdown": set()}
"""Kinds of cells, and the fields that each needs beside id, metadata and source."""
SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """One cell: `code` or `markdown`, and its text."""

    kind: str
    source: str


@dataclass
class Output:
    """Return the output of a code cell, and the value of its last expression."""

    text: str = ""
    value: Any = None


@dataclass
class Page:
    """A notebook as Markdown, and its pictures by file name."""

    text: str = ""
    pictures: dict[str, bytes] = field(default_factory=dict)


def read_notebook(path: Path) -> list[Cell]:
    """Return the cells of a notebook.

    Raises:
        ValueError: the file is not in notebook format 4.5, or a cell holds an output.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    if (data.get("nbformat"), data.get("nbformat_minor")) != (4, 5) or "language_info" not in data.get("metadata", {}):
        raise ValueError(f"{path.name}: not a notebook of format 4.5 with language_info")
    cells = []
    for cell in data["cells"]:
        kind = cell.get("cell_type")
        wanted = {"cell_type", "id", "metadata", "source", *KINDS.get(kind, ())}
        if kind not in KINDS or set(cell) != wanted or not re.fullmatch(r"[\w-]{1,64}", cell["id"]):
            raise ValueError(f"{path.name}: cell {cell.get('id')!r} has no valid form")
        if cell.get("outputs") or cell.get("execution_count") is not None:
            raise ValueError(f"{path.name}: cell {cell['id']!r} holds an output; the site makes outputs")
        source = cell["source"]
        cells.append(Cell(kind, source if isinstance(source, str) else "".join(source)))
    ids = [cell["id"] for cell in data["cells"]]
    if len(set(ids)) < len(ids):
        raise ValueError(f"{path.name}: two cells have one id")
    return cells


def run_cells(
    cells: list[Cell], folder: Path, namespace: dict[str, Any] | None = None
) -> Iterator[tuple[Cell, Output | None]]:
    """Run a notebook.

    Args:
        cells: cells in their order.
        folder: the working folder of the cells.
        namespace: where the cells put their names.

    Yields:
        Each cell with its output; None for a cell of text. An exception of a cell ends the run.
    """
    namespace = {} if namespace is None else namespace
    namespace["__name__"] = "__main__"
    for number, cell in enumerate(cells, start=1):
        yield cell, _run(cell.source, f"<cell {number}>", namespace, folder) if cell.kind == "code" else None


def _run(source: str, name: str, namespace: dict[str, Any], folder: Path) -> Output:
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    output = Output()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        exec(compile(tree, name, "exec"), namespace)
        if last is not None:
            assert isinstance(last, ast.Expr)
            if not source.rstrip().endswith(";"):
                output.value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
    output.text = printed.getvalue()
    return output


def notebook_page(path: Path, picture_folder: str) -> Page:
    """Run a notebook and return it as Markdown with its outputs.

    Args:
        path: the notebook; its folder is the working folder.
        picture_folder: folder of the pictures, relative to the page.
    """
    page = Page()
    parts = []
    for cell, output in run_cells(read_notebook(path), path.parent):
        if output is None:
            parts.append(cell.source)
            continue
        parts.append(markdown.fence(cell.source, "python"))
        if output.text:
            parts.append(_output_block(markdown.fence(output.text, "text")))
        if output.value is not None:
            parts.append(_shown(output.value, page, f"{path.stem}", picture_folder))
    page.text = "\n\n".join(part.strip("\n") for part in parts) + "\n"
    return page


def _output_block(text: str) -> str:
    return f'<div class="output" markdown>\n\n{text}\n</div>'


def _shown(value: Any, page: Page, stem: str, folder: str) -> str:
    """Return a value as a notebook shows it: HTML, a picture, or text."""
    if hasattr(value, "savefig"):
        picture = io.BytesIO()
        value.savefig(picture, format="png", dpi=140)
        return _picture(picture.getvalue(), "png", page, stem, folder)
    html = value._repr_html_() if hasattr(value, "_repr_html_") else None
    if html is None:
        return _output_block(markdown.fence(repr(value), "text"))
    pictures = SVG.findall(html)
    html = SVG.sub("", html)
    lines = "\n".join(line for line in html.splitlines() if line.strip())
    block = f'<div class="output answer">\n{lines}\n</div>'
    return "\n\n".join([block, *(_picture(svg.encode(), "svg", page, stem, folder) for svg in pictures)])


def _picture(content: bytes, ending: str, page: Page, stem: str, folder: str) -> str:
    name = f"{stem}-{len(page.pictures) + 1}.{ending}"
    page.pictures[name] = content
    return f"![Picture of the answer above]({folder}/{name})"
