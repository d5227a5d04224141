"""The report as one HTML file that opens without a network, and as Markdown."""

from __future__ import annotations

import html
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from ..render.heat import COLOURS, DOWN, HEATS, NO_VALUE, step_labels
from .blocks import Section, block_html, block_markdown, charts_of, compact_json, markdown_text

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
"""Content security policy of the page: it loads nothing."""
SCRIPTS = ("labels.js", "charts.js", "report.js")


def report_html(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """Return the page: text and tables, the data of its charts, the library that draws them.

    Args:
        title: heading of the page.
        subtitle: job and date.
        sections: the parts of the report.
    """
    charts = [
        {"id": name, "kind": chart.kind, "data": chart.data}
        for section in sections
        for name, chart in charts_of(section.blocks, section.id)
    ]
    data = {"charts": charts, **chart_settings()}
    links = "".join(f'<a href="#{section.id}">{html.escape(section.title)}</a>\n' for section in sections)
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{html.escape(title)}</title>\n<style>\n{_asset('report.css')}</style>\n</head>\n<body>\n",
            f"<header><h1>{html.escape(title)}</h1>\n<p>{html.escape(subtitle)}</p></header>\n",
            f'<nav aria-label="Sections">\n{links}</nav>\n<main>\n',
            *(_section_html(section) for section in sections),
            "</main>\n",
            f'<script type="application/json" id="data">{_script_json(data)}</script>\n',
            f"<script>{_asset('echarts.min.js')}</script>\n",
            f"<script>\n{''.join(map(_asset, SCRIPTS))}</script>\n</body>\n</html>\n",
        )
    )


def chart_settings() -> dict[str, Any]:
    """Return what all charts of a page share: heats with their steps, and colours."""
    return {
        "heats": [
            {
                "key": heat.key,
                "label": heat.label,
                "unit": heat.unit,
                "steps": heat.steps,
                "labels": step_labels(heat),
                "higher_is_worse": heat.higher_is_worse,
            }
            for heat in HEATS.values()
        ],
        "colours": COLOURS,
        "no_value": NO_VALUE,
        "down": DOWN,
    }


def report_markdown(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """Return the report as Markdown for a ticket: text and tables, without charts."""
    parts = [f"# {markdown_text(title)}", markdown_text(subtitle)]
    for section in sections:
        parts += [f"## {markdown_text(section.title)}", *map(block_markdown, section.blocks)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section_html(section: Section) -> str:
    blocks = "\n".join(block_html(block, f"{section.id}-{i}") for i, block in enumerate(section.blocks))
    return f'<section id="{section.id}">\n<h2>{html.escape(section.title)}</h2>\n{blocks}\n</section>\n'


def _script_json(data: Any) -> str:
    """Return data as JSON that cannot end the script element that holds it."""
    text = compact_json(data)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text(encoding="utf-8")
