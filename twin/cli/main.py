"""The command `twin`: tables by default, `--json` for machines; exit codes 0 fine, 1 a check failed, 2 bad input."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .terminal import (
    BAD_INPUT,
    AfterPlan,
    Ageing,
    AsJson,
    Every,
    Growth,
    JobName,
    NetworkName,
    Picture,
    Prices,
    ageing_case,
    bar,
    changes_asked,
    draw,
    load_network,
    progress,
    refuse,
    show,
    show_json,
    writable,
)

if TYPE_CHECKING:
    pass


class _Commands(TyperGroup):
    """The commands: interrupted ones say so, which Typer alone does not."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None


INTERRUPTED = 130
"""Exit code of a program ended by Ctrl-C, as shells count it."""
app = typer.Typer(
    cls=_Commands,
    help="A digital twin of data-centre networks: try a fibre upgrade or a hardware swap before paying for it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from ..arrays import package_version

        typer.echo(f"dc-twin {package_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A digital twin of data-centre networks: try a fibre upgrade or a hardware swap before paying for it."""


@app.command()
def score(
    network: NetworkName,
    job: JobName = None,
    ageing: Ageing = "value",
    prices: Prices = None,
    every: Every = False,
    as_json: AsJson = False,
) -> None:
    """Every metric of a network as it stands, what binds, and what the answer leans on."""
    with progress("loading") as tell:
        answer = load_network(network, prices).score(job, ageing=ageing_case(ageing), notify=tell)
    if as_json:
        sys.stdout.write(answer.to_json())
    else:
        from ..render.score_table import score_table

        show(score_table(answer.to_dict(), every=every))


@app.command()
def whatif(
    network: NetworkName,
    plan: Annotated[str | None, typer.Option("--plan", help="A plan of the document.")] = None,
    change: Annotated[
        list[str] | None, typer.Option("--change", help='A change as JSON: {"kind": "age", "years": 5}.')
    ] = None,
    changes: Annotated[Path | None, typer.Option("--changes", help="YAML or JSON file with a list `changes`.")] = None,
    job: JobName = None,
    ageing: Ageing = "value",
    prices: Prices = None,
    every: Every = False,
    as_json: AsJson = False,
) -> None:
    """Before and after a plan or a list of changes, with what binds on either side."""
    asked = changes_asked(plan, change, changes)
    with progress("loading") as tell:
        loaded = load_network(network, prices)
        answer = loaded.what_if(asked, job, ageing=ageing_case(ageing), notify=tell)
    if as_json:
        sys.stdout.write(answer.to_json())
    else:
        from ..render.diff_table import diff_table

        note = loaded.plan(plan).note if plan else ""
        show(diff_table(answer.to_dict(), answer.after.to_dict(), every=every, note=note))


@app.command()
def plans(
    network: NetworkName,
    job: JobName = None,
    ageing: Ageing = "value",
    prices: Prices = None,
    as_json: AsJson = False,
) -> None:
    """All plans of a network side by side."""
    with progress("loading") as tell:
        loaded = load_network(network, prices)
        if not loaded.document.plans:
            refuse(f"{network} has no plans", "add some under `plans`")
        answers = []
        for plan in loaded.document.plans:
            tell(f"plan {plan.id}")
            answers.append(loaded.what_if(plan.id, job, ageing=ageing_case(ageing)))
    if as_json:
        show_json({"plans": {answer.plan: answer.to_dict() for answer in answers}})
    else:
        from ..render.compare_table import compare_table

        show(compare_table([answer.to_dict() for answer in answers]))


@app.command()
def links(
    network: NetworkName,
    chosen: Annotated[
        str | None, typer.Argument(metavar="LINKS", help="An id or glob; wide-area links otherwise.")
    ] = None,
    tier: Annotated[str | None, typer.Option("--tier", help="access, fabric, border or wide_area.")] = None,
    job: JobName = None,
    ageing: Ageing = "value",
    as_json: AsJson = False,
) -> None:
    """Links one by one: loss budget, margin, rate and what holds it, latency split, load."""
    asked = {key: value for key, value in (("id", chosen), ("tier", tier)) if value} or {"tier": "wide_area"}
    with progress("loading"):
        table = load_network(network, None).link_table(asked, job, ageing=ageing_case(ageing))
    if as_json:
        sys.stdout.write(table.to_json())
    else:
        from ..render.link_tables import links_table

        show(links_table(table.to_dict(), table.notes))


@app.command()
def explain(
    network: NetworkName,
    job: JobName = None,
    plan: AfterPlan = None,
    ageing: Ageing = "value",
    picture: Picture = None,
    as_json: AsJson = False,
) -> None:
    """What is in the way of a training step: its parts, and what each of eight causes costs."""
    with progress("loading") as tell:
        answer = load_network(network, None).explain(job, changes=plan, ageing=ageing_case(ageing), notify=tell)
        draw(answer.figure, picture)
    if as_json:
        sys.stdout.write(answer.to_json())
    else:
        from ..render.explanation_table import explanation_table

        show(explanation_table(answer.to_dict()))


@app.command()
def sweep(
    network: NetworkName,
    vary: Annotated[
        list[str], typer.Option("--vary", help="path=1,2,5 or path=1..10:4 or path=1..1000:log7; once or twice.")
    ],
    metric: Annotated[str, typer.Option("--metric", help="Any metric of `twin score --all`.")] = "step_time_s",
    job: JobName = None,
    plan: AfterPlan = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Mark where another plan's value is crossed.")
    ] = None,
    ageing: Ageing = "value",
    picture: Picture = None,
    table: Annotated[
        Path | None, typer.Option("--csv", callback=writable, help="Write the points to a CSV file too.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, max=256, help="At most so many; else one for each core.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=256, help="At most so many threads, in place of processes.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A metric over one or two inputs, with knees and crossings marked."""
    from ..studies.executor import n_cores

    if processes and threads:
        refuse("--processes and --threads are given", "give one of them")
    with bar() as advance:
        answer = load_network(network, None).sweep(
            vary,
            metric=metric,
            job=job,
            changes=plan,
            against=against,
            ageing=ageing_case(ageing),
            advance=advance,
            executor="threads" if threads else "processes",
            n_workers=threads or processes or n_cores(),
        )
        draw(answer.figure, picture)
    if table is not None:
        table.write_text(answer.to_csv())
    if as_json:
        sys.stdout.write(answer.to_json())
    else:
        from ..render.sweep_table import sweep_table

        show(sweep_table(answer.to_dict()))


@app.command()
def link(
    network: NetworkName,
    name: Annotated[str, typer.Argument(metavar="LINK", help="Id of a link.")],
    years: Annotated[int, typer.Option("--years", min=1, max=100, help="How far the calendar looks.")] = 20,
    growth: Growth = 0.0,
    plan: AfterPlan = None,
    job: JobName = None,
    ageing: Ageing = "value",
    picture: Picture = None,
    as_json: AsJson = False,
) -> None:
    """One link explained: where its light goes, its modes, latency, goodput, failures, calendar."""
    with progress("loading"):
        page = load_network(network, None).link(
            name, years=years, growth_ratio_per_year=growth, changes=plan, job=job, ageing=ageing_case(ageing)
        )
        draw(page.figure, picture)
    if as_json:
        sys.stdout.write(page.to_json())
    else:
        from ..render.link_tables import link_report_table

        show(link_report_table(page.to_dict()))


@app.command()
def forecast(
    network: NetworkName,
    chosen: Annotated[
        str | None, typer.Argument(metavar="LINKS", help="An id or glob; wide-area links otherwise.")
    ] = None,
    years: Annotated[int, typer.Option("--years", min=1, max=100, help="How far to look.")] = 20,
    growth: Growth = 0.0,
    tier: Annotated[str | None, typer.Option("--tier", help="access, fabric, border or wide_area.")] = None,
    plan: AfterPlan = None,
    job: JobName = None,
    picture: Picture = None,
    as_json: AsJson = False,
) -> None:
    """When margins are gone, rates drop and traffic outgrows links, in three ageing cases."""
    asked = {key: value for key, value in (("id", chosen), ("tier", tier)) if value} or None
    with progress("loading") as tell:
        answer = load_network(network, None).forecast(years, growth, links=asked, changes=plan, job=job, notify=tell)
        draw(answer.figure, picture)
    if as_json:
        sys.stdout.write(answer.to_json())
    else:
        from ..render.forecast_table import forecast_table

        show(forecast_table(answer.to_dict()))


@app.command()
def topologies(
    name: Annotated[str | None, typer.Argument(help="Show one: sites, jobs, plans, assumptions.")] = None,
    as_json: AsJson = False,
) -> None:
    """The networks that ship with the twin, or one of them (or a file of yours) in detail."""
    from ..render.network_tables import network_table, networks_table
    from ..topologies import NETWORKS

    if name is None:
        if as_json:
            show_json({"topologies": [{"name": key, "note": NETWORKS[key]} for key in sorted(NETWORKS)]})
        else:
            show(networks_table(NETWORKS))
        return
    with progress("loading"):
        loaded = load_network(name, None)
        size = None if as_json else (loaded.arrays.n_nodes, loaded.arrays.n_links)
    if size is None:
        show_json(loaded.to_document().to_dict())
    else:
        show(network_table(loaded.label, loaded.document.to_dict(), *size))


@app.command()
def parts(
    part: Annotated[
        str | None,
        typer.Argument(help="Show one with every figure and its source; `general`: the figures that belong to none."),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind", help="fibre, transceiver, fec, amplifier, mux, protection, switch, accelerator; or general."
        ),
    ] = None,
    search: Annotated[str | None, typer.Option("--search", help="Only what has this text in id, name, note.")] = None,
    as_json: AsJson = False,
) -> None:
    """The catalogue of parts: list, filter, or one with its sources; and the figures that belong to no part."""
    from ..catalogue import GENERAL, KINDS, catalogue
    from ..errors import did_you_mean
    from ..render.catalogue_tables import general_table, part_table, parts_table

    shelf = catalogue()
    if kind not in (None, *KINDS, GENERAL):
        refuse(f"unknown kind {kind!r}", did_you_mean(kind or "", (*KINDS, GENERAL)) or "see `twin parts --help`")
    if part in shelf.general or GENERAL in (part, kind):
        by_name = part is not None and part != GENERAL
        subjects = shelf.general_named(part or "") if by_name else shelf.search_general(search or "")
        if as_json:
            show_json({"general": shelf.general_rows(subjects)})
        else:
            show(general_table(shelf.general_rows(subjects)))
    elif part is not None:
        known = [item.id for item in shelf.parts()]
        if part not in known:
            near = did_you_mean(part, (*known, GENERAL, *shelf.general))
            refuse(f"no part {part!r} in the catalogue", near or "`twin parts` lists them")
        found = shelf.get(part, kind)  # type: ignore[arg-type]  # checked above
        if as_json:
            show_json(found.model_dump(mode="json"))
        else:
            show(part_table(found.model_dump(mode="json")))
    else:
        listed = shelf.search(search or "", kind)  # type: ignore[arg-type]  # checked above
        if as_json:
            show_json({"parts": [item.model_dump(mode="json") for item in listed]})
        else:
            show(parts_table([item.model_dump(mode="json") for item in listed]))


@app.command()
def models(as_json: AsJson = False) -> None:
    """Well-known models that a job may name: `model: llama-3.1-405b`."""
    from ..model.known_models import model_rows
    from ..render.catalogue_tables import models_table

    if as_json:
        show_json({"models": model_rows()})
    else:
        show(models_table(model_rows()))


@app.command()
def schema() -> None:
    """The JSON Schema of a document, changes of plans included."""
    from ..loading import document_schema

    show_json(document_schema())


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(help="Fixture files, or folders of them.")],
    every: Annotated[bool, typer.Option("--all", help="Every row, not only those that are out.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the twin with fixtures: exit 1 if a figure is out, 2 if a file is no fixture."""
    from ..check import check_paths, exit_code
    from ..render.check_table import check_table

    with progress("checking") as tell:
        results = check_paths(paths, notify=tell)
    if as_json:
        show_json({"files": [result.to_dict() for result in results]})
    else:
        told = [{**result.to_dict(), "problem": result.problem and str(result.problem)} for result in results]
        show(check_table(told, every=every))
    raise typer.Exit(exit_code(results))


@app.command()
def warmup() -> None:
    """Compile the kernels once; numba keeps them on disk (see NUMBA_CACHE_DIR)."""
    from ..warmup import warm_up

    with progress("compiling kernels") as tell:
        times = warm_up(tell)
    for name, seconds in times:
        typer.echo(f"{name}: {seconds:.1f} s")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """The same answers over HTTP; see /docs and /openapi.json."""
    import uvicorn

    gc.enable()
    uvicorn.run("twin.api.app:create_app", factory=True, host=host, port=port)


def main() -> None:
    """Entry point: errors of the twin become text on stderr and exit code 2."""
    from ..errors import TwinError

    gc.disable()  # one question and out: collecting cycles costs a quarter of the time and frees nothing that matters
    try:
        app()
    except TwinError as error:
        typer.echo(f"error: {type(error).__name__}: {error}", err=True)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the reader has seen enough
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(BAD_INPUT)


if __name__ == "__main__":
    main()
