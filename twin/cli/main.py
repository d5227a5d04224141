"""The command `twin`: tables by default, `--json` for machines; exit codes 0 fine, 1 a check failed, 2 bad input."""

from __future__ import annotations

import gc
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from . import (
    availability,
    catalogue,
    check,
    compare,
    explain,
    exports,
    imports,
    inspect,
    keys,
    leases,
    links,
    measurements,
    money,
    plan,
    planning,
    reference,
    report,
    samples,
    score,
    service,
    store,
    studies,
)
from .terminal import BAD_INPUT, INTERRUPTED, refuse, replace_unknown_characters, with_fields
from .usage import option_of, refuse_non_finite, usage_errors_refused

COMMANDS = (
    score.score,
    score.whatif,
    compare.compare,
    compare.diff,
    compare.apply,
    links.links,
    links.link,
    inspect.path,
    inspect.demands,
    explain.explain,
    studies.sweep,
    studies.forecast,
    samples.sample,
    samples.decide,
    planning.failures,
    availability.availability,
    planning.optimum,
    planning.growth,
    plan.plan,
    leases.leases,
    money.bill,
    money.money,
    money.readiness,
    money.schedule,
    report.report,
    imports.import_,
    exports.export,
    measurements.measurements,
    catalogue.topologies,
    catalogue.parts,
    catalogue.models,
    reference.changes,
    reference.metrics,
    catalogue.schema,
    check.check,
    service.warmup,
    service.serve,
    store.store,
    keys.keys,
    service.mcp,
)
"""All commands, in the order of `twin --help`. The name of a function is the name of its command,
without the underscore that keeps it from a word of Python."""
RENAMED = {"plans": "compare"}
"""Earlier and present names of commands. Earlier names are refused, they are not aliases."""


class _Commands(TyperGroup):
    """The commands, with a message after Ctrl-C, and errors of the command line as one line with a hint."""

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read the options before the command."""
        with usage_errors_refused():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the requested command."""
        try:
            with usage_errors_refused(ctx):
                return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a name. An unknown or earlier name is refused with near names or the new name."""
        command = super().get_command(ctx, cmd_name)
        if command is None and not cmd_name.startswith("-"):
            from ..errors import did_you_mean

            known = [RENAMED[cmd_name]] if cmd_name in RENAMED else self.list_commands(ctx)
            hint = f"did you mean {known[0]!r}?" if len(known) == 1 else did_you_mean(cmd_name, known)
            refuse(f"no command {cmd_name!r}", hint or "`twin --help` lists them")
        return command


class _Command(TyperCommand):
    """A command whose numbers are finite, and whose errors name its options, not the arguments of its function."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        from ..errors import TwinError

        refuse_non_finite(ctx)
        try:
            return super().invoke(ctx)
        except TwinError as error:
            error.where = option_of(error.where, ctx)
            raise


app = typer.Typer(
    cls=_Commands,
    help="A digital twin of data-centre networks: try a fibre upgrade or a hardware swap before paying for it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        from ..arrays import package_version

        typer.echo(f"dc-twin {package_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A digital twin of data-centre networks: try a fibre upgrade or a hardware swap before paying for it."""


for _command in COMMANDS:
    app.command(_command.__name__.rstrip("_"), cls=_Command)(with_fields(_command))


def main() -> None:
    """Run the command line. Errors are written to stderr and end with exit code 2."""
    from ..errors import TwinError

    replace_unknown_characters()
    gc.disable()  # the process ends soon: collecting cycles takes a quarter of the time and frees little
    try:
        app()
    except TwinError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the program that reads the output has closed the pipe
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(BAD_INPUT)


if __name__ == "__main__":
    main()
