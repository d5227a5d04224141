"""Commands of money and time: the bill of a plan, what it costs and brings, and when sites are ready for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .ratios import read_ratio
from .terminal import (
    AfterPlan,
    Ageing,
    AsJson,
    ChangeOption,
    JobName,
    NetworkName,
    OwnParts,
    Prices,
    ageing_case,
    load_network,
    progress,
    read_changes,
    read_optional_changes,
    refuse,
    show,
    show_answer,
)

PlanName = Annotated[str | None, typer.Option("--plan", help="A plan of the document.")]
ChangesFile = Annotated[Path | None, typer.Option("--changes", help="YAML or JSON file with a list `changes`.")]


def bill(
    network: NetworkName,
    plan: PlanName = None,
    change: ChangeOption = None,
    changes: ChangesFile = None,
    job: JobName = None,
    prices: Prices = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """List what a plan buys, change by change, with prices, ranges and price books."""
    plan_or_changes = read_changes(plan, change, changes)
    with progress("loading"):
        answer = load_network(network, prices, None, own_parts).bill(plan_or_changes, job)
    if as_json:
        show_answer(answer)
    else:
        from ..render.bill_table import bill_table

        show(bill_table(answer.to_dict()))


def money(
    network: NetworkName,
    plan: PlanName = None,
    change: ChangeOption = None,
    changes: ChangesFile = None,
    job: JobName = None,
    horizon: Annotated[
        float | None, typer.Option("--horizon", metavar="YEARS", help="Time that counts; else that of the price book.")
    ] = None,
    discount: Annotated[
        float | None,
        typer.Option("--discount", parser=read_ratio, metavar="RATIO", help="Discount a year: 0.1 is 10 %."),
    ] = None,
    usd_per_million_tokens: Annotated[
        float | None,
        typer.Option("--usd-per-million-tokens", help="Worth of the job's work; else the list rental of its racks."),
    ] = None,
    lease: Annotated[
        list[str] | None,
        typer.Option("--lease", metavar="MAPPING", help="Lease signed with the plan, as JSON or YAML. Repeatable."),
    ] = None,
    ageing: Ageing = "value",
    prices: Prices = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Weigh a plan's cost against its gains: net present value, payback, cost per gain."""
    from ..formats.native import parse_mapping

    plan_or_changes = read_changes(plan, change, changes)
    expected = "fields of a lease, as {tenant: t, site: c1, usd_per_month: 1e+6}"
    signed = [
        parse_mapping(text, f"--lease {i + 1}", as_json=text.lstrip().startswith('{"'), expected=expected)
        for i, text in enumerate(lease or ())
    ]
    with progress("loading") as notify:
        answer = load_network(network, prices, None, own_parts).money(
            plan_or_changes,
            job,
            horizon_years=horizon,
            discount_ratio_per_year=discount,
            usd_per_million_tokens=usd_per_million_tokens,
            leases=signed,
            ageing=ageing_case(ageing),
            notify=notify,
        )
    if as_json:
        show_answer(answer)
    else:
        from ..render.money_table import money_table

        show(money_table(answer.to_dict()))


def readiness(
    network: NetworkName,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    on: Annotated[
        str | None, typer.Option("--on", metavar="DATE", help="Refuse the plan if a site is not ready for it that day.")
    ] = None,
    job: JobName = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Report when power, cooling, rack places and network of sites are enough, and what blocks."""
    changes = read_optional_changes(plan, change)
    with progress("loading"):
        answer = load_network(network, None, None, own_parts).readiness(changes, on=on, job=job)
    if as_json:
        show_answer(answer)
    else:
        from ..render.readiness_table import readiness_table

        show(readiness_table(answer.to_dict()))


def lead_days_of(lead: list[str] | None) -> dict[str, int]:
    """Return lead times by kind of change; `set_fibre=200`."""
    found = {}
    for text in lead or ():
        kind, _, days = text.partition("=")
        if not days.isdecimal():
            refuse(f"--lead {text}", "write KIND=DAYS, as set_fibre=200")
        found[kind] = int(days)
    return found


def schedule(
    network: NetworkName,
    plan: PlanName = None,
    change: ChangeOption = None,
    changes: ChangesFile = None,
    job: JobName = None,
    goal: Annotated[
        str | None, typer.Option("--goal", help="Metric of each state; else step time, or the busiest link.")
    ] = None,
    waves: Annotated[int, typer.Option("--waves", min=1, max=64, help="Waves of each change of hardware.")] = 2,
    lead: Annotated[
        list[str] | None, typer.Option("--lead", metavar="KIND=DAYS", help="Delivery of a kind of change. Repeatable.")
    ] = None,
    drain: Annotated[int, typer.Option("--drain", metavar="DAYS", help="Days each wave is out of service.")] = 1,
    ageing: Ageing = "value",
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Put a plan's changes in an order of works; each state on the way is scored."""
    plan_or_changes = read_changes(plan, change, changes)
    lead_days = lead_days_of(lead)
    with progress("loading") as notify:
        answer = load_network(network, None, None, own_parts).schedule(
            plan_or_changes,
            job,
            goal=goal,
            n_waves=waves,
            lead_days=lead_days,
            drain_days=drain,
            ageing=ageing_case(ageing),
            notify=notify,
        )
    if as_json:
        show_answer(answer)
    else:
        from ..render.schedule_table import schedule_table

        show(schedule_table(answer.to_dict()))
