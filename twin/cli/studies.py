"""Commands that evaluate many cases: a sweep over inputs, a forecast over years."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import (
    AfterPlan,
    Ageing,
    AsJson,
    Dask,
    Demands,
    Growth,
    JobName,
    JobNames,
    NetworkName,
    OwnParts,
    Picture,
    ageing_case,
    check_writable,
    executor_options,
    job_ids,
    load_network,
    progress,
    progress_bar,
    show,
    show_answer,
    write_picture,
)


def sweep(
    network: NetworkName,
    vary: Annotated[
        list[str], typer.Option("--vary", help="path=1,2,5 or path=1..10:4 or path=1..1000:log7; once or twice.")
    ],
    metric: Annotated[
        str | None,
        typer.Option("--metric", help="A metric of `twin metrics`; the step time or, without a job, the busiest link."),
    ] = None,
    job: JobName = None,
    jobs: JobNames = None,
    plan: AfterPlan = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Mark where another plan's value is crossed.")
    ] = None,
    ageing: Ageing = "value",
    picture: Picture = None,
    csv_path: Annotated[
        Path | None, typer.Option("--csv", callback=check_writable, help="Write the points to a CSV file too.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, max=256, help="At most so many; else one for each core.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=256, help="At most so many threads, in place of processes.")
    ] = None,
    dask: Dask = None,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Compute a metric over one or two inputs, with knees and crossings."""
    where = executor_options(processes, dask, threads)
    with progress_bar() as advance:
        answer = load_network(network, None, traffic, own_parts).sweep(
            vary,
            metric=metric,
            job=job,
            jobs=job_ids(jobs),
            changes=plan,
            against=against,
            ageing=ageing_case(ageing),
            advance=advance,
            **where,
        )
        write_picture(answer.figure, picture)
    if csv_path is not None:
        csv_path.write_text(answer.to_csv(), encoding="utf-8")
    if as_json:
        show_answer(answer)
    else:
        from ..render.sweep_table import sweep_table

        show(sweep_table(answer.to_dict()))


def forecast(
    network: NetworkName,
    pattern: Annotated[
        str | None, typer.Argument(metavar="LINKS", help="An id or glob; wide-area links otherwise.")
    ] = None,
    years: Annotated[int, typer.Option("--years", min=1, max=100, help="How far to look.")] = 20,
    growth: Growth = 0.0,
    tier: Annotated[str | None, typer.Option("--tier", help="access, fabric, border or wide_area.")] = None,
    plan: AfterPlan = None,
    job: JobName = None,
    picture: Picture = None,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """When margins are gone, rates drop and traffic outgrows links, in three ageing cases."""
    selection = {key: value for key, value in (("id", pattern), ("tier", tier)) if value} or None
    with progress("loading") as notify:
        answer = load_network(network, None, traffic, own_parts).forecast(
            years, growth, links=selection, changes=plan, job=job, notify=notify
        )
        write_picture(answer.figure, picture)
    if as_json:
        show_answer(answer)
    else:
        from ..render.forecast_table import forecast_table

        show(forecast_table(answer.to_dict()))
