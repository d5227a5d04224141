"""The command `twin`: tables by default, `--json` for machines; exit codes 0 fine, 1 a check failed, 2 bad input."""

from __future__ import annotations

import gc
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from . import catalogue, check, explain, links, score, service, studies
from .terminal import BAD_INPUT, INTERRUPTED, refuse

COMMANDS = (
    score.score,
    score.whatif,
    score.compare,
    links.links,
    links.link,
    explain.explain,
    studies.sweep,
    studies.forecast,
    catalogue.topologies,
    catalogue.parts,
    catalogue.models,
    catalogue.schema,
    check.check,
    service.warmup,
    service.serve,
)
"""Every command, in the order of `twin --help`; a function is called like its command."""
RENAMED = {"plans": "compare"}
"""Earlier names of commands; they are not aliases."""


class _Commands(TyperGroup):
    """The commands: interrupted ones say so, which Typer alone does not."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None. An earlier name is refused with the new one."""
        if cmd_name in RENAMED:
            refuse(f"no command {cmd_name!r}", f"did you mean {RENAMED[cmd_name]!r}?")
        return super().get_command(ctx, cmd_name)


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


for _command in COMMANDS:
    app.command()(_command)


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
