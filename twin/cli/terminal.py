"""What the commands share: options, refusals, and what they show while they work."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..catalogue.ageing import AgeingCase
    from ..loading import Network

NetworkName = Annotated[str, typer.Argument(metavar="NETWORK", help="A catalogue name (`twin topologies`) or a path.")]
JobName = Annotated[str | None, typer.Option("--job", help="Job of the document; its default otherwise.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; progress goes to stderr.")]
Every = Annotated[bool, typer.Option("--all", help="Every metric, not the short table.")]
Ageing = Annotated[str, typer.Option("--ageing", help="Ageing case: low, value (central) or high.")]
Prices = Annotated[
    Path | None, typer.Option("--prices", help="YAML or JSON price book laid over the shipped placeholder.")
]

Growth = Annotated[float, typer.Option("--growth", help="Growth of traffic a year: 0.3 is 30 %.")]
AfterPlan = Annotated[str | None, typer.Option("--plan", help="Look at the network after this plan of its document.")]


def writable(path: Path | None) -> Path | None:
    """Refuse what could not be written before anything is worked out."""
    if path is not None:
        if path.is_dir():
            refuse(f"cannot write {path}: it is a folder", "name a file in it")
        if not path.parent.is_dir():
            refuse(f"cannot write {path}: no folder {path.parent}", "make it first")
    return path


def drawable(path: Path | None) -> Path | None:
    """The same of pictures, and of what draws them."""
    if path is not None:
        from ..render import check_drawable

        check_drawable(path)
    return writable(path)


Picture = Annotated[
    Path | None, typer.Option("--picture", callback=drawable, help="Draw it too: a .png, .svg or .pdf file.")
]

BAD_INPUT = 2
"""Exit code."""
INTERRUPTED = 130
"""Exit code of a program ended by Ctrl-C, as shells count it."""


def load_network(name: str, prices: Path | None) -> Network:
    """Imported only by commands that ask a network something."""
    from ..loading import load

    return load(name, prices=prices)


def draw(figure: Callable[[], Any], path: Path | None) -> None:
    """Write a picture where one is asked for."""
    if path is not None:
        from ..render import save_figure

        save_figure(figure(), path)


def ageing_case(case: str) -> AgeingCase:
    """The ageing case of that name. Raises CatalogueError with near names."""
    from ..catalogue.ageing import ageing_case_named

    return ageing_case_named(case)


def changes_asked(plan: str | None, change: list[str] | None, changes: Path | None) -> Any:
    """The plan's name, or changes as plain data; exactly one way of asking."""
    if sum(asked is not None for asked in (plan, change or None, changes)) != 1:
        refuse("ask for one of --plan, --change, --changes", "`twin topologies NETWORK` lists plans")
    if plan is not None:
        return plan
    from ..formats import read_mapping
    from ..formats.native import parse_mapping

    if changes is not None:
        listed = read_mapping(changes, expected="a mapping with a list `changes`").get("changes")
        if not isinstance(listed, list):
            refuse(f"{changes} has no list `changes`", "changes: [{kind: age, years: 5}]")
        return listed
    return [
        parse_mapping(text, f"--change {i + 1}", as_json=True, expected='{"kind": ...}')
        for i, text in enumerate(change or [])
    ]


def show(what: Any) -> None:
    """A table or text on stdout."""
    from rich.console import Console

    Console().print(what)


def show_json(data: Any) -> None:
    """Plain data on stdout."""
    sys.stdout.write(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


@contextmanager
def progress(first: str) -> Iterator[Callable[[str], None]]:
    """A spinner with the stage on stderr, where a person looks; nothing in a pipe."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(first) as status:
        yield lambda stage: status.update(stage)


@contextmanager
def bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr that a person can watch and interrupt; nothing in a pipe."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _of: None
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("points", total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def refuse(problem: str, hint: str) -> NoReturn:
    """End the command: what was asked for cannot be done so."""
    typer.echo(f"error: {problem} ({hint})", err=True)
    raise typer.Exit(BAD_INPUT)
