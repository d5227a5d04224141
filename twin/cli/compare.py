"""Commands that compare networks and plans, and that write the network after a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors.wording import counted
from .terminal import (
    Ageing,
    AllMetrics,
    AsJson,
    ChangeOption,
    Demands,
    JobName,
    NetworkName,
    OwnParts,
    Prices,
    TopEffects,
    ageing_case,
    check_data_file,
    load_network,
    progress,
    read_changes,
    refuse,
    show,
    show_answer,
)


def compare(
    network: NetworkName,
    job: JobName = None,
    ageing: Ageing = "value",
    prices: Prices = None,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Compare all plans of a network side by side; `twin diff` compares two of them in detail."""
    with progress("loading") as notify:
        loaded = load_network(network, prices, traffic, own_parts)
        answer = loaded.compare_plans(job=job, ageing=ageing_case(ageing), notify=notify)
    show_answer(answer) if as_json else show(answer._table())


def diff(
    network: NetworkName,
    other: Annotated[
        str | None, typer.Argument(metavar="OTHER", help="Another network; without it two plans of one.")
    ] = None,
    plan: Annotated[
        list[str] | None,
        typer.Option(
            "--plan", help="Plan of one network: once against the network as it is, twice against each other."
        ),
    ] = None,
    job: JobName = None,
    ageing: Ageing = "value",
    prices: Prices = None,
    all_metrics: AllMetrics = False,
    top: TopEffects = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Compare two documents, or two plans of one: records, metrics, and what is better or worse."""
    plans = plan or []
    if len(plans) > 2 or (other is None and not plans) or (other is not None and len(plans) == 1):
        refuse(f"{'two networks' if other else 'one network'} and {counted(len(plans), 'plan')} to compare",
               "name another network, or one or two times --plan")  # fmt: skip
    changes = [None, *plans][-2:] if plans else [None, None]
    options = {} if top is None else {"top": top}
    with progress("loading") as notify:
        first = load_network(network, prices, None, own_parts)
        if other in {row.id for row in first.document.plans}:
            refuse(f"no network {other!r}", f"it is a plan of {network}: twin diff {network} --plan {other}")
        second = first if other is None else load_network(other, prices, None, own_parts)
        answer = first.compare(
            second,
            changes=changes[0],
            other_changes=changes[1],
            job=job,
            ageing=ageing_case(ageing),
            notify=notify,
            **options,
        )
    show_answer(answer) if as_json else show(answer.table(all_metrics=all_metrics, **options))


def apply(
    network: NetworkName,
    output: Annotated[
        Path, typer.Option("-o", "--output", callback=check_data_file, help="Document to write (.yaml or .json).")
    ],
    plan: Annotated[str | None, typer.Option("--plan", help="A plan of the document.")] = None,
    change: ChangeOption = None,
    changes: Annotated[Path | None, typer.Option("--changes", help="YAML or JSON file with a list `changes`.")] = None,
    job: JobName = None,
    prices: Prices = None,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Write the network after a plan or changes as a document; it shows what changed."""
    plan_or_changes = read_changes(plan, change, changes)
    with progress("loading") as notify:
        loaded = load_network(network, prices, traffic, own_parts)
        notify("applying changes")
        preview = loaded.preview(plan_or_changes, job)
        loaded.apply(plan_or_changes, job).save(output)
    show_answer(preview) if as_json else show(preview._table())
