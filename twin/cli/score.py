"""Commands about a whole network: its score, and a what-if."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import (
    Ageing,
    AllMetrics,
    AsJson,
    Causes,
    ChangeOption,
    Demands,
    JobName,
    JobNames,
    MainAssumptions,
    NetworkName,
    OwnParts,
    Prices,
    TopEffects,
    ageing_case,
    job_ids,
    load_network,
    progress,
    read_changes,
    show,
    show_answer,
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
        show_answer(answer)
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
    causes: Causes = True,
    top: TopEffects = None,
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
            show_answer(listed) if as_json else show(listed._table())
            return
        answer = loaded.what_if(
            plan_or_changes,
            job,
            jobs=job_ids(jobs),
            ageing=ageing_case(ageing),
            main_assumptions=assumptions,
            causes=causes,
            **({} if top is None else {"top": top}),
            notify=notify,
        )
    if as_json:
        show_answer(answer)
    else:
        from ..render.diff_table import diff_table

        note = loaded.plan_record(plan).note if plan else ""
        shown = {} if top is None else {"top": top}
        show(diff_table(answer.to_dict(), answer.after.to_dict(), all_metrics=all_metrics, note=note, **shown))
