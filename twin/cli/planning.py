"""Commands of capacity planning: every failure, and how good routing could be."""

from __future__ import annotations

from typing import Annotated

import typer

from .terminal import (
    CHECK_FAILED,
    AfterPlan,
    Ageing,
    AsJson,
    ChangeOption,
    Demands,
    NetworkName,
    Picture,
    Top,
    ageing_case,
    load_network,
    progress,
    progress_bar,
    read_optional_changes,
    show,
    write_json,
    write_picture,
)


def optimum(
    network: NetworkName,
    gap: Annotated[
        float, typer.Option("--gap", help="Largest distance of the bounds of the optimum: 0.01 is 1 %.")
    ] = 0.01,
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
        answer = loaded.optimum(gap_ratio=gap, changes=changes, ageing=ageing_case(ageing), notify=notify)
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
    top: Top = None,
    exit_above: Annotated[
        float | None,
        typer.Option("--exit-above", min=0, help="Exit with 1 if a link gets fuller than this ratio: 0.9 is 90 %."),
    ] = None,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    ageing: Ageing = "value",
    threads: Annotated[int | None, typer.Option("--threads", min=1, max=256, help="At most so many threads.")] = None,
    traffic: Demands = None,
    picture: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Fail each link, node, shared risk or site: what is lost, what gets full, and after which failure."""
    from ..studies.executor import n_cores

    changes = read_optional_changes(plan, change)
    with progress_bar() as advance:
        answer = load_network(network, None, traffic).failures(
            of=of,
            job=job,
            changes=changes,
            top=top,
            ageing=ageing_case(ageing),
            n_threads=threads or n_cores(),
            executor="processes",
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
