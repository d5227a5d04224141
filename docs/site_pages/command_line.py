"""The reference page of the command line, from the commands themselves."""

from __future__ import annotations

from typing import Any

import typer

from twin.cli.main import app

from . import markdown

CODES = (
    ("0", "The command answered."),
    ("1", "`twin check`: a figure is out of its tolerance."),
    ("2", "Bad input: an unknown name, an invalid document, a change that cannot be applied."),
    ("130", "Interrupted by Ctrl-C."),
)


def page(_: str = "") -> str:
    """Return the page: one section for each command with its arguments and options."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    rows = [(f"[twin {name}](#twin-{name})", command.help) for name, command in commands.items()]
    overview = markdown.table(("command", "what it does"), rows)
    sections = [_section(name, command) for name, command in commands.items()]
    intro = "Answers go to standard output. Progress and errors go to standard error. `-h` shows the help of a command."
    codes = "## Exit codes\n\n" + markdown.table(("code", "meaning"), CODES)
    return markdown.page("Command line", intro, overview, *sections, codes)


def _section(name: str, command: Any) -> str:
    arguments = [param for param in command.params if param.opts[0] == param.name]
    options = [param for param in command.params if param not in arguments and param.name != "help"]
    usage = " ".join([f"twin {name}", *(_metavar(param) for param in arguments), *(["[OPTIONS]"] if options else [])])
    parts = [f"## twin {name}", command.help, markdown.fence(usage, "sh")]
    if arguments:
        rows = [(markdown.code(param.metavar or param.name.upper()), param.help or "") for param in arguments]
        parts.append(markdown.table(("argument", "meaning"), rows))
    if options:
        parts.append(markdown.table(("option", "meaning", "default"), map(_option_row, options)))
    return "\n\n".join(parts)


def _metavar(param: Any) -> str:
    text = (param.metavar or param.name.upper()) + ("..." if param.nargs == -1 else "")
    return text if param.required else f"[{text}]"


def _option_row(param: Any) -> tuple[str, str, str]:
    names = ", ".join(markdown.code(text) for text in (*param.opts, *param.secondary_opts))
    default = "" if param.default in (None, False, ()) else markdown.code(param.default)
    default = "required" if param.required else default
    return names + (", may be repeated" if param.multiple else ""), param.help or "", default
