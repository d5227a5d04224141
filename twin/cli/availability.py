"""Command of availability: how much of the time demands, pairs of sites and jobs are served."""

from __future__ import annotations

from typing import Annotated

import typer

from .ratios import ratio_up_to, read_ratio
from .terminal import (
    CHECK_FAILED,
    AfterPlan,
    Ageing,
    AsJson,
    ChangeOption,
    Demands,
    NetworkName,
    OwnParts,
    Top,
    ageing_case,
    load_network,
    progress_bar,
    read_optional_changes,
    show,
    show_answer,
)


def availability(
    network: NetworkName,
    job: Annotated[str | None, typer.Option("--job", help="Job of the document; all of its jobs otherwise.")] = None,
    below: Annotated[
        float | None,
        typer.Option(
            "--below",
            parser=ratio_up_to(1.0),
            metavar="RATIO",
            help="Exit with 1 if anything may be connected, or a job go on, for less than this: 0.9999 is 99.99 %.",
        ),
    ] = None,
    loss_above: Annotated[
        float,
        typer.Option(
            "--loss-above",
            parser=read_ratio,
            metavar="RATIO",
            help="List failures that lose more than this of all demand: 0.1 is 10 %.",
        ),
    ] = 0.1,
    rest: Annotated[
        float,
        typer.Option(
            "--rest",
            parser=read_ratio,
            metavar="RATIO",
            help="Probability of all states that need not be looked at, together.",
        ),
    ] = 1e-9,
    states: Annotated[
        int | None, typer.Option("--states", help="Most sets of probable states; what fits in some seconds otherwise.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", help="Random states; what fits in some seconds otherwise.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random states.")] = 1,
    top: Top = None,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    ageing: Ageing = "value",
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Compute availability and minutes down a year of demands, pairs of sites and jobs."""
    changes = read_optional_changes(plan, change)
    with progress_bar("steps") as advance:
        answer = load_network(network, None, traffic, own_parts).availability(
            job=job,
            changes=changes,
            rest_below=rest,
            n_states=states,
            n_samples=samples,
            seed=seed,
            loss_above=loss_above,
            top=top,
            ageing=ageing_case(ageing),
            advance=advance,
        )
    if as_json:
        show_answer(answer)
    else:
        from ..render.availability_table import availability_table

        show(availability_table(answer.to_dict()))
    if below is not None and not answer.stays_above(below):
        raise typer.Exit(CHECK_FAILED)
