"""Commands of capacity planning: every failure, and how good routing could be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import (
    CHECK_FAILED,
    AfterPlan,
    Ageing,
    AsJson,
    ChangeOption,
    Dask,
    Demands,
    NetworkName,
    Picture,
    Top,
    ageing_case,
    check_writable,
    load_network,
    progress,
    progress_bar,
    read_optional_changes,
    resumable,
    show,
    write_changes,
    write_json,
    write_picture,
)


def optimum(
    network: NetworkName,
    gap: Annotated[
        float, typer.Option("--gap", help="Largest distance of the bounds of the optimum: 0.01 is 1 %.")
    ] = 0.01,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            callback=check_writable,
            help="Write WCMP groups near the optimum there (.yaml or .json); --change @FILE applies them.",
        ),
    ] = None,
    entries: Annotated[
        int, typer.Option("--entries", min=1, max=4096, help="Largest sum of the weights of a WCMP group.")
    ] = 64,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    ageing: Ageing = "value",
    traffic: Demands = None,
    as_json: AsJson = False,
) -> None:
    """Compare routing with the best possible one: utilisation, bounds, links that set the limit."""
    changes = read_optional_changes(plan, change)
    with progress("loading") as notify:
        loaded = load_network(network, None, traffic)
        answer = loaded.optimum(
            gap_ratio=gap,
            n_entries=None if output is None else entries,
            changes=changes,
            ageing=ageing_case(ageing),
            notify=notify,
        )
    if output is not None:
        write_changes(output, [] if answer.wcmp is None else [answer.wcmp.change])
    if as_json:
        write_json(answer.to_json())
    else:
        from ..render.routing_table import routing_table

        show(routing_table(answer.to_dict()))


def failures(
    network: NetworkName,
    of: Annotated[str, typer.Option("--of", help="link, member, node, srlg or site.")] = "link",
    job: Annotated[
        str | None, typer.Option("--job", help="Its step counts, too; without demands the default job does.")
    ] = None,
    depth: Annotated[int, typer.Option("--depth", help="1: single failures. 2: pairs of them.")] = 1,
    sample: Annotated[int | None, typer.Option("--sample", help="Draw so many pairs, in place of all.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw.")] = 0,
    top: Top = None,
    exit_above: Annotated[
        float | None,
        typer.Option("--exit-above", min=0, help="Exit with 1 if a link gets fuller than this ratio: 0.9 is 90 %."),
    ] = None,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    ageing: Ageing = "value",
    threads: Annotated[int | None, typer.Option("--threads", min=1, max=256, help="At most so many threads.")] = None,
    dask: Dask = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="DIR", help="Folder from which an interrupted run goes on."),
    ] = None,
    traffic: Demands = None,
    picture: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Fail each link, node, shared risk or site, or pairs: what is lost, what gets full, and after what."""
    from ..studies.executor import n_cores

    changes = read_optional_changes(plan, change)
    with resumable(checkpoint), progress_bar("failures") as advance:
        answer = load_network(network, None, traffic).failures(
            of=of,
            job=job,
            depth=depth,
            sample=sample,
            seed=seed,
            changes=changes,
            top=top,
            ageing=ageing_case(ageing),
            n_threads=threads or n_cores(),
            executor="processes",
            dask=dask,
            checkpoint=checkpoint,
            advance=advance,
        )
    if as_json:
        write_json(answer.to_json())
    else:
        from ..render.failures_table import failures_table

        show(failures_table(answer.to_dict()))
    write_picture(answer.figure, picture)
    if exit_above is not None and not answer.stays_below(exit_above):
        raise typer.Exit(CHECK_FAILED)
