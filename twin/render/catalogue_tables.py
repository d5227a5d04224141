"""The catalogue as tables: parts, general figures and known models, with their sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..units import unit_of
from .table_parts import add_plain_row, bare_table


def parts_table(parts: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show parts, one in each row. A part is `Part.model_dump()`."""
    if not parts:
        return Text("No part matches.")
    table = bare_table()
    for name in ("kind", "part", "name", "year"):
        table.add_column(name, no_wrap=name != "name")
    table.add_column("figures", justify="right")
    table.add_column("estimates", justify="right")
    for part in parts:
        figures = part["figures"].values()
        n_estimates = sum(figure["status"] == "estimate" for figure in figures)
        year = str(part["year"] or "–")
        add_plain_row(table, part["kind"], part["id"], part["name"], year, str(len(figures)), str(n_estimates))
    return table


def models_table(models: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show known models, one in each row. A model is a row of `model_rows()`."""
    table = bare_table()
    table.add_column("model", no_wrap=True)
    for name in ("parameters", "active", "layers", "hidden", "sequence"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("source", overflow="fold")
    for model in models:
        billions = [f"{model[name] / 1e9:.4g}B" for name in ("n_parameters", "n_parameters_active")]
        sizes = [f"{model['shape'][name]:,}" for name in ("n_layers", "n_hidden", "n_sequence")]
        add_plain_row(table, model["id"], *billions, *sizes, model["source"])
    return table


def part_table(part: Mapping[str, Any]) -> RenderableType:
    """Show a part: every figure with its source, the modes and their penalties."""
    properties = [
        part["kind"],
        part["name"],
        part["form_factor"],
        f"{part['lane_gbps']}G lanes" if part["lane_gbps"] else "",
        part["optics"] or "",
        part["fec"] or "",
    ]
    sources = _Sources()
    title = f"[bold]{escape(part['id'])}[/] · " + escape(" · ".join(filter(None, properties)))
    figures = _sourced_table("figure", title)
    for name, figure in part["figures"].items():
        add_plain_row(figures, name, *sources.cells(figure))
    notes = [Text(line) for line in (*_port_lines(part), part["note"]) if line]
    return Group(figures, *(_mode_table(mode, sources) for mode in part["modes"]), Text(), *notes, *sources.lines())


def general_table(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Show general figures by subject, with their sources. The rows are those of `Catalogue.general_rows`."""
    if not rows:
        return Text("No general figure matches.")
    sources = _Sources()
    blocks: list[RenderableType] = []
    for subject, figures in groupby(rows, key=itemgetter("subject")):
        table = _sourced_table(subject)
        for figure in figures:
            add_plain_row(table, figure["name"], *sources.cells(figure))
        blocks += [table, Text()]
    return Group(*blocks, *sources.lines())


def _mode_table(mode: Mapping[str, Any], sources: _Sources) -> Table:
    """Show the SNR that a mode requires, and its penalties point by point."""
    title = f"\n{mode['rate_gbps']:g} Gb/s · {escape(mode['modulation'])} · {mode['baud_gbd']:g} GBd"
    table = _sourced_table(f"mode {mode['rate_gbps']:g}G", title)
    add_plain_row(table, "required_snr_db", *sources.cells(mode["required_snr_db"]))
    for point in mode["penalties"]:
        condition = f"{point['impairment'].split('_')[0]} {point['at']:g} {unit_of(point['impairment'])}"
        add_plain_row(table, f"penalty_db, {condition}", *sources.cells(point["penalty_db"]))
    return table


def _port_lines(part: Mapping[str, Any]) -> list[str]:
    """Return sentences about the ports of a switch: cages, rates, and how it forwards; none for other parts."""
    if part["kind"] in ("card", "server"):
        lines = [f"Cards: {part['card']}."] if part["card"] else []
        return [*lines, f"Cages: {', '.join(part['cages'])}."] if part["cages"] else lines
    if part["kind"] != "switch":
        return []
    rates = ", ".join(f"{rate:g}" for rate in part["port_rates_gbps"])
    return [
        f"Cages: {', '.join(part['cages']) or 'none named'}.",
        f"A port carries {rates} Gb/s." if rates else "A port carries any rate up to its own.",
        "Stores whole frames before it sends them on." if part["store_and_forward"] else "Cut-through.",
    ]


def _sourced_table(name_column: str, title: str | None = None) -> Table:
    table = bare_table(title)
    table.add_column(name_column, overflow="fold")
    for name in ("value", "low", "high"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("source", justify="right", no_wrap=True)
    return table


class _Sources:
    """Sources of the figures in a table, numbered in the order of their first use."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._has_assumed_range = False

    def cells(self, figure: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the cells of a figure: value, low, high, status, number of the source."""
        number = self._numbers.setdefault(f"{figure['source']} ({figure['as_of']})", len(self._numbers) + 1)
        self._has_assumed_range |= figure["assumed_range"]
        values = (figure["value"], figure["low"], figure["high"])
        numbers = (f"{value:.4g}" if abs(value) >= 1e6 else f"{value:g}" for value in values)
        return (*numbers, figure["status"] + (" *" if figure["assumed_range"] else ""), f"({number})")

    def lines(self) -> list[Text]:
        """Return the sources with their numbers, after the meaning of the star if it was used."""
        star_note = ["* The range is assumed, it is not the source's."] if self._has_assumed_range else []
        numbered = [f"({number}) {source}" for source, number in self._numbers.items()]
        return [Text(line, style="dim") for line in (*star_note, *numbered)]
