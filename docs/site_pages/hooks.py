"""Hooks of mkdocs: add the pages that are made at build time."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parents[1]))  # mkdocs loads this file by its path

from site_pages import (
    command_line,
    http,
    metrics,
    oversubscription,
    root_pages,
    schema,
    shipped,
    sweep_inputs,
    tutorials,
)

PAGES: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(root_pages.ROOT_PAGES, root_pages.root_page),
    "reference/command_line.md": command_line.page,
    "reference/http.md": http.page,
    "explanation/oversubscription.md": oversubscription.page,
    "reference/metrics.md": metrics.page,
    "reference/shipped.md": shipped.page,
    "reference/sweep_inputs.md": sweep_inputs.page,
    "reference/document.md": schema.document_page,
    "reference/fabrics.md": schema.fabrics_page,
    "reference/traffic.md": schema.traffic_page,
    "reference/changes.md": schema.changes_page,
}
"""Path on the site, and the function that makes the page; the function is called with the path."""


def on_files(files: Any, config: Any) -> Any:
    """Add every page that is made at build time, and the tutorials with their pictures."""
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
    made: dict[str, str | bytes] = {name: make(name) for name, make in PAGES.items()}
    made |= tutorials.files()
    for name, content in made.items():
        files.append(File.generated(config, name, content=content))
    return files
