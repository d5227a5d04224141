"""Errors of the command line itself (unknown commands and options, missing arguments), in the style of all errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from typing import Any, NoReturn

import typer

from .terminal import refuse

UsageError: Any = typer.BadParameter.__base__
"""Base class of these errors; typer does not export it."""


@contextmanager
def usage_errors_refused(group: Any = None) -> Iterator[None]:
    """Turn errors of the command line into one line on stderr and the exit code for invalid input.

    group: context of the group whose command runs, for errors that do not name their command.
    """
    try:
        yield
    except UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # not an error: the command prints its help
            raise
        _refuse(error, group)


def _refuse(error: Any, group: Any) -> NoReturn:
    path = "twin" if group is None else f"{group.command_path} {group.invoked_subcommand}"
    if error.ctx is not None:
        path = error.ctx.command_path
    hint = f"`{path} --help` shows how"
    if type(error).__name__ == "NoSuchOption":
        from ..errors import did_you_mean

        option = str(error.option_name)
        known = [name for parameter in error.ctx.command.params for name in parameter.opts if name.startswith("-")]
        refuse(f"no option {option!r}", did_you_mean(option, [*known, "--help"]) or hint)
    message = error.format_message().strip().removesuffix(".")
    refuse(message[:1].lower() + message[1:], hint)


def refuse_non_finite(ctx: Any) -> None:
    """End the command if one of its options is NaN or infinite: no comparison with a range refuses NaN.

    ctx: context of the command.
    """
    for parameter in ctx.command.params:
        value = ctx.params.get(parameter.name)
        if isinstance(value, float) and not isfinite(value):
            refuse(f"{parameter.opts[0]}: {value}; expected a finite number", f"`{ctx.command_path} --help` shows how")


def option_of(where: str, ctx: Any) -> str:
    """Return the option by which a user gave an argument that an error names, such as `--rest` for `rest_below`.

    Args:
        where: place of the error.
        ctx: context of the command.

    Returns:
        The option; `where` itself if no option that was given has its name, or begins it.
    """
    given = [
        (name.lstrip("-").replace("-", "_"), name)
        for parameter in ctx.command.params
        if ctx.get_parameter_source(parameter.name).name == "COMMANDLINE"
        for name in parameter.opts
        if name.startswith("--")
    ]
    named = [name for word, name in given if where == word] or [
        name for word, name in sorted(given, key=lambda item: -len(item[0])) if where.startswith(f"{word}_")
    ]
    return named[0] if named else where
