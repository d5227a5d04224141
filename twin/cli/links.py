"""Commands about links: a table of several links, or a report of one link."""

from __future__ import annotations

from typing import Annotated

import typer

from .terminal import (
    AfterPlan,
    Ageing,
    AsJson,
    ChangeOption,
    Demands,
    Growth,
    JobName,
    NetworkName,
    OwnParts,
    Picture,
    SortBy,
    Top,
    ageing_case,
    load_network,
    progress,
    read_optional_changes,
    show,
    show_answer,
    write_picture,
)


def links(
    network: NetworkName,
    pattern: Annotated[
        str | None,
        typer.Argument(metavar="LINKS", help="Id or glob; wide-area links otherwise, or all. With --sort all."),
    ] = None,
    tier: Annotated[str | None, typer.Option("--tier", help="access, fabric, border or wide_area.")] = None,
    sort: SortBy = None,
    top: Top = None,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    job: JobName = None,
    ageing: Ageing = "value",
    all_columns: Annotated[bool, typer.Option("--all", help="Every column: budget, latency, failures.")] = False,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """List links: line rate, margin, capacity and its limit, utilisation, latency."""
    selection = {key: value for key, value in (("id", pattern), ("tier", tier)) if value}
    changes = read_optional_changes(plan, change)
    with progress("loading"):
        loaded = load_network(network, None, traffic, own_parts)
        table = loaded.link_table(
            selection or None, job, changes=changes, sort=sort, top=top, ageing=ageing_case(ageing)
        )
    if as_json:
        show_answer(table)
    else:
        from ..render.link_tables import links_table

        show(links_table(table.to_dict(), table.notes, all_columns=all_columns))


def link(
    network: NetworkName,
    name: Annotated[str, typer.Argument(metavar="LINK", help="Id of a link.")],
    years: Annotated[int, typer.Option("--years", min=1, max=100, help="Length of the forecast.")] = 20,
    growth: Growth = 0.0,
    plan: AfterPlan = None,
    job: JobName = None,
    ageing: Ageing = "value",
    picture: Picture = None,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Report one link: link budget, modes, latency, goodput, failures, forecast."""
    with progress("loading"):
        report = load_network(network, None, traffic, own_parts).link(
            name, years=years, growth_ratio_per_year=growth, changes=plan, job=job, ageing=ageing_case(ageing)
        )
        write_picture(report.figure, picture)
    if as_json:
        show_answer(report)
    else:
        from ..render.link_tables import link_report_table

        show(link_report_table(report.to_dict()))
