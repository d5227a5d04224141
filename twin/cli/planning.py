"""Commands of capacity planning: every failure, and how good routing could be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .ratios import ratio_up_to, read_ratio
from .terminal import (
    CHECK_FAILED,
    AfterPlan,
    Ageing,
    AsJson,
    ChangeOption,
    Dask,
    Demands,
    NetworkName,
    OwnParts,
    Picture,
    Top,
    ageing_case,
    check_data_file,
    load_network,
    progress,
    progress_bar,
    read_optional_changes,
    resumable,
    show,
    show_answer,
    write_changes,
    write_picture,
)

DEFAULT_ENTRIES = 64


def optimum(
    network: NetworkName,
    gap: Annotated[
        float,
        typer.Option(
            "--gap",
            parser=read_ratio,
            metavar="RATIO",
            help="Largest distance of the bounds of the optimum: 0.01 is 1 %.",
        ),
    ] = 0.01,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            callback=check_data_file,
            help="Write WCMP groups near the optimum there (.yaml or .json); --change @FILE applies them.",
        ),
    ] = None,
    entries: Annotated[
        int | None,
        typer.Option("--entries", min=1, max=4096, help="Largest sum of the weights of a WCMP group; 64 otherwise."),
    ] = None,
    top: Top = None,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    ageing: Ageing = "value",
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Compare routing with the best possible one: utilisation, bounds, links that set the limit."""
    if entries is not None and output is None:
        raise typer.BadParameter("--entries is for WCMP groups: -o FILE writes them")
    changes = read_optional_changes(plan, change)
    with progress("loading") as notify:
        loaded = load_network(network, None, traffic, own_parts)
        answer = loaded.optimum(
            gap_ratio=gap,
            n_entries=None if output is None else entries or DEFAULT_ENTRIES,
            top=top,
            changes=changes,
            ageing=ageing_case(ageing),
            notify=notify,
        )
    if output is not None:
        write_changes(output, [] if answer.wcmp is None else [answer.wcmp.change])
    if as_json:
        show_answer(answer)
    else:
        from ..render.routing_table import MAX_SHOWN, routing_table

        show(routing_table(answer.to_dict(), top or MAX_SHOWN))


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
        typer.Option(
            "--exit-above",
            parser=ratio_up_to(10.0),
            metavar="RATIO",
            help="Exit with 1 if a link gets fuller than this ratio: 0.9 is 90 %.",
        ),
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
    own_parts: OwnParts = None,
    picture: Picture = None,
    as_json: AsJson = False,
) -> None:
    """Fail each link, node, shared risk or site, or pairs: what is lost, what gets full, and after what."""
    from ..studies.executor import n_cores

    changes = read_optional_changes(plan, change)
    with resumable(checkpoint), progress_bar("failures") as advance:
        answer = load_network(network, None, traffic, own_parts).failures(
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
    is_below = exit_above is None or answer.stays_below(exit_above)
    if as_json:
        show_answer(answer)
    else:
        from ..render.failures_table import failures_table

        show(failures_table(answer.shown()))
    write_picture(answer.figure, picture)
    if exit_above is not None and not is_below:
        found = answer.worst_utilisation_ratio
        use = "is unknown or without a limit" if found is None else f"is {found:.4g}"
        typer.echo(f"--exit-above {exit_above:g}: the greatest use of a link {use}, so the exit code is 1", err=True)
        raise typer.Exit(CHECK_FAILED)


def _read_rates(rate: list[str] | None) -> tuple[dict[str, float], float | None]:
    """Return growth by class, and of all other demands; `0.3` is of all others, `video=0.5` of a class."""
    rates: dict[str, float] = {}
    for text in rate or ():
        name, _, ratio = text.rpartition("=")
        if name in rates:
            whose = f"class {name!r}" if name else "demands without a rate"
            raise typer.BadParameter(f"two growth rates of {whose}: {rates[name]:g} and {ratio}")
        rates[name] = read_ratio(ratio)
    return rates, rates.pop("", None)


def growth(
    network: NetworkName,
    rate: Annotated[
        list[str] | None,
        typer.Option("--rate", metavar="[CLASS=]RATIO", help="Growth a year: 0.3 is 30 %. May be repeated."),
    ] = None,
    limit: Annotated[
        float, typer.Option("--limit", parser=read_ratio, metavar="RATIO", help="Utilisation not to pass.")
    ] = 0.7,
    of: Annotated[str, typer.Option("--of", help="Failures: link, member, node, srlg or site.")] = "link",
    until: Annotated[int | None, typer.Option("--until", help="Calendar year; ten years otherwise.")] = None,
    top: Top = None,
    member_usd: Annotated[
        float | None, typer.Option("--member-usd", help="Price of one more member of links that name no transceiver.")
    ] = None,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    ageing: Ageing = "value",
    picture: Picture = None,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """When links get too full as traffic grows, with and without a failure, and which upgrade helps most."""
    rates, other = _read_rates(rate)
    changes = read_optional_changes(plan, change)
    with progress("loading") as notify:
        answer = load_network(network, None, traffic, own_parts).growth(
            rates=rates,
            growth_ratio_per_year=other,
            limit_ratio=limit,
            of=of,
            until=until,
            top=top,
            member_usd=member_usd,
            changes=changes,
            ageing=ageing_case(ageing),
            notify=notify,
        )
        write_picture(answer.figure, picture)
    if as_json:
        show_answer(answer)
    else:
        from ..render.growth_table import growth_table

        show(growth_table(answer.to_dict()))
