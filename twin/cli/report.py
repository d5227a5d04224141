"""The command that writes a report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .terminal import (
    Demands,
    Growth,
    JobName,
    MainAssumptions,
    NetworkName,
    OwnParts,
    Prices,
    check_writable,
    load_network,
    progress,
    refuse,
    show,
)

Plans = Annotated[list[str] | None, typer.Option("--plan", help="A plan of the document to compare. May be repeated.")]


def report(
    network: NetworkName,
    plan: Plans = None,
    html: Annotated[
        Path | None, typer.Option("--html", callback=check_writable, help="Write one page that opens offline.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", callback=check_writable, help="Write text and tables for a ticket.")
    ] = None,
    job: JobName = None,
    growth: Growth = 0.3,
    years: Annotated[int, typer.Option("--years", help="Length of the forecast.")] = 20,
    budget: Annotated[
        float | None, typer.Option("--budget-usd", help="Search the best plan within this budget, too.")
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", help="Samples for intervals and a tornado, a power of two; 0 for none.")
    ] = 0,
    prices: Prices = None,
    assumptions: MainAssumptions = True,
    traffic: Demands = None,
    own_parts: OwnParts = None,
) -> None:
    """Write a report of a network and its plans: one HTML file with pictures, or Markdown."""
    if html is None and markdown is None:
        refuse("no file to write", "--html report.html, or --markdown report.md")
    from ..reports import report as report_of_network

    with progress("loading") as notify:
        loaded = load_network(network, prices, traffic, own_parts)
        answer = report_of_network(
            loaded,
            plan or (),
            job,
            growth_ratio_per_year=growth,
            years=years,
            budget_usd=budget,
            n_samples=samples,
            n_workers=os.cpu_count() or 1,
            main_assumptions=assumptions,
            notify=notify,
        )
        if html is not None:
            html.write_text(answer.to_html(), encoding="utf-8")
        if markdown is not None:
            markdown.write_text(answer.to_markdown(), encoding="utf-8")
    for path in filter(None, (html, markdown)):
        show(f"{path}: {path.stat().st_size / 1e3:,.0f} kB")
