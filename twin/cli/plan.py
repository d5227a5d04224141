"""The command that searches for the best plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .money import lead_days_of
from .terminal import (
    CHECK_FAILED,
    INTERRUPTED,
    Ageing,
    AsJson,
    Dask,
    Demands,
    JobName,
    NetworkName,
    OwnParts,
    Prices,
    ageing_case,
    check_data_file,
    executor_options,
    load_network,
    progress_bar,
    refuse,
    show,
    show_answer,
    write_changes,
)


def plan(
    network: NetworkName,
    budget_usd: Annotated[
        float | None, typer.Option("--budget-usd", help="Most purchases; no limit otherwise.")
    ] = None,
    goal: Annotated[
        str | None,
        typer.Option("--goal", help="A metric of `twin metrics`; the step time or, without a job, the busiest link."),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="METRIC=VALUE", help="Reach this value at least cost.")
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="CONDITION", help="'METRIC>=VALUE' or 'METRIC<=VALUE'. May be repeated."),
    ] = None,
    until: Annotated[
        int | None, typer.Option("--until", metavar="YEAR", help="Goal and conditions hold until its end.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="DATE", help="Goal and conditions hold from that day on.")
    ] = None,
    lead: Annotated[
        list[str] | None,
        typer.Option("--lead", metavar="KIND=DAYS", help="Delivery of a kind of change, for --by. Repeatable."),
    ] = None,
    robust_to: Annotated[
        str | None,
        typer.Option("--robust-to", help="Conditions hold after any single failure: link, srlg or site."),
    ] = None,
    candidates: Annotated[
        Path | None, typer.Option("--candidates", metavar="FILE", help="YAML or JSON file with own `candidates`.")
    ] = None,
    generate: Annotated[
        bool, typer.Option("--generate/--no-generate", help="Look for candidates in network and catalogue, too.")
    ] = True,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            callback=check_data_file,
            help="Write the changes there (.yaml or .json); `twin whatif --changes FILE` applies them.",
        ),
    ] = None,
    job: JobName = None,
    ageing: Ageing = "value",
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, max=256, help="At most so many; else one for each core.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=256, help="At most so many threads, in place of processes.")
    ] = None,
    dask: Dask = None,
    prices: Prices = None,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Search sets of changes for the best goal within a budget, or the least cost that reaches a target."""
    if budget_usd is None and goal is None and target is None and not keep:
        refuse("nothing says what the plan is for", "state one of --budget-usd, --goal, --target, --keep")
    where = executor_options(processes, dask, threads)
    with progress_bar("sets") as advance:
        answer = load_network(network, prices, traffic, own_parts).plan(
            budget_usd=budget_usd,
            goal=goal,
            target=target,
            keep=keep or (),
            until=until,
            by=by,
            lead_days=lead_days_of(lead),
            robust_to=robust_to,
            candidates=_candidates_of(candidates),
            generate=generate,
            job=job,
            ageing=ageing_case(ageing),
            **where,
            advance=advance,
        )
    if output is not None:
        write_changes(output, answer.changes)
    if as_json:
        show_answer(answer)
    else:
        from ..render.plan_table import plan_table

        show(plan_table(answer.to_dict()))
    if answer.method.interrupted:
        raise typer.Exit(INTERRUPTED)
    if answer.plan is None:
        raise typer.Exit(CHECK_FAILED)


def _candidates_of(path: Path | None) -> Any:
    """Read the list `candidates` of a file; none without a path."""
    if path is None:
        return ()
    from ..formats import read_mapping

    listed = read_mapping(path, expected="a mapping with a list `candidates`").get("candidates")
    if not isinstance(listed, list):
        refuse(f"{path} has no list `candidates`", "candidates: [{id: age, changes: [{kind: age, years: 5}]}]")
    return listed
