"""Commands about a whole network: its score, a what-if, its plans side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import (
    Ageing,
    AllMetrics,
    AsJson,
    ChangeOption,
    Demands,
    JobName,
    JobNames,
    MainAssumptions,
    NetworkName,
    OwnParts,
    Prices,
    ageing_case,
    job_ids,
    load_network,
    progress,
    read_changes,
    refuse,
    show,
    show_json,
    write_json,
)


def score(
    network: NetworkName,
    job: JobName = None,
    jobs: JobNames = None,
    ageing: Ageing = "value",
    prices: Prices = None,
    all_metrics: AllMetrics = False,
    assumptions: MainAssumptions = True,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Score a network as it is: verdict, metrics, bottleneck, main assumptions."""
    with progress("loading") as notify:
        loaded = load_network(network, prices, traffic, own_parts)
        answer = loaded.score(
            job, jobs=job_ids(jobs), ageing=ageing_case(ageing), main_assumptions=assumptions, notify=notify
        )
    if as_json:
        write_json(answer.to_json())
    else:
        from ..render.score_table import score_table

        show(score_table(answer.to_dict(), all_metrics=all_metrics))


def whatif(
    network: NetworkName,
    plan: Annotated[str | None, typer.Option("--plan", help="A plan of the document.")] = None,
    change: ChangeOption = None,
    changes: Annotated[Path | None, typer.Option("--changes", help="YAML or JSON file with a list `changes`.")] = None,
    job: JobName = None,
    jobs: JobNames = None,
    ageing: Ageing = "value",
    prices: Prices = None,
    all_metrics: AllMetrics = False,
    assumptions: MainAssumptions = True,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only list what changes, totals and purchases; evaluate nothing.")
    ] = False,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Compare a network before and after a plan or a list of changes."""
    plan_or_changes = read_changes(plan, change, changes)
    with progress("loading") as notify:
        loaded = load_network(network, prices, traffic, own_parts)
        if preview:
            listed = loaded.preview(plan_or_changes, job, ageing=ageing_case(ageing))
            write_json(listed.to_json()) if as_json else show(listed._table())
            return
        answer = loaded.what_if(
            plan_or_changes,
            job,
            jobs=job_ids(jobs),
            ageing=ageing_case(ageing),
            main_assumptions=assumptions,
            notify=notify,
        )
    if as_json:
        write_json(answer.to_json())
    else:
        from ..render.diff_table import diff_table

        note = loaded.plan_record(plan).note if plan else ""
        show(diff_table(answer.to_dict(), answer.after.to_dict(), all_metrics=all_metrics, note=note))


def compare(
    network: NetworkName,
    job: JobName = None,
    ageing: Ageing = "value",
    prices: Prices = None,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Compare all plans of a network side by side."""
    with progress("loading") as notify:
        loaded = load_network(network, prices, traffic, own_parts)
        if not loaded.document.plans:
            refuse(f"{network} has no plans", "add some under `plans`")
        answers = []
        for plan in loaded.document.plans:
            notify(f"plan {plan.id}")
            answers.append(loaded.what_if(plan.id, job, ageing=ageing_case(ageing), main_assumptions=False))
    from ..answers.comparison import comparison_verdict

    summary = comparison_verdict(answers)
    if as_json:
        show_json({"summary": summary, "plans": {answer.plan: answer.to_dict() for answer in answers}})
    else:
        from ..render.compare_table import compare_table

        show(compare_table([answer.to_dict() for answer in answers], summary))
