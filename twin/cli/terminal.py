"""Parts of several commands: options, errors, output and progress."""

from __future__ import annotations

import codecs
import inspect
import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from .ratios import read_ratio

if TYPE_CHECKING:
    from ..answers.data import Answer
    from ..catalogue.ageing import AgeingCase
    from ..network import Network

NetworkName = Annotated[str, typer.Argument(metavar="NETWORK", help="A catalogue name (`twin topologies`) or a path.")]
JobNames = Annotated[
    str | None, typer.Option("--jobs", help="Jobs that run together: ids with commas between; --job is one of them.")
]
JobName = Annotated[str | None, typer.Option("--job", help="Job of the document; its default otherwise.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; progress goes to stderr.")]
FIELDS: ContextVar[list[str] | None] = ContextVar("FIELDS", default=None)
"""Names of `--fields` of the command that runs."""
Fields = Annotated[
    str | None,
    typer.Option(
        "--fields",
        metavar="NAMES",
        help="JSON with these fields only: commas between names, dots between keys, as in metrics.capex_usd.",
    ),
]
AllMetrics = Annotated[bool, typer.Option("--all", help="Every metric, not the short table.")]
Ageing = Annotated[str, typer.Option("--ageing", help="Ageing case: low, value (central) or high.")]
Prices = Annotated[
    Path | None, typer.Option("--prices", help="YAML, JSON or CSV price book laid over the shipped placeholder.")
]

OwnParts = Annotated[
    Path | None, typer.Option("--parts", metavar="FILE", help="YAML or JSON file of own parts (`twin parts --from`).")
]


MainAssumptions = Annotated[
    bool,
    typer.Option(
        "--assumptions/--no-assumptions", help="Rank the assumptions that move the answer most; takes most of the time."
    ),
]
Growth = Annotated[
    float,
    typer.Option("--growth", parser=read_ratio, metavar="RATIO", help="Growth of traffic a year: 0.3 is 30 %."),
]
AfterPlan = Annotated[str | None, typer.Option("--plan", help="Look at the network after this plan of its document.")]

ChangeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--change", help="A change: {kind: age, years: 5}, in YAML or JSON; or @FILE with `changes`. May be repeated."
    ),
]
SortBy = Annotated[
    str | None, typer.Option("--sort", help="Column to sort by, the worst first; its unit may be left out.")
]
Top = Annotated[int | None, typer.Option("--top", min=1, help="At most so many rows.")]

TopEffects = Annotated[
    int | None,
    typer.Option("--top", min=1, max=1000, help="At most so many links, demands and jobs that got better, or worse."),
]
Causes = Annotated[
    bool,
    typer.Option("--causes/--no-causes", help="Compute again without each change, so that causes are certain."),
]
Demands = Annotated[
    str | None,
    typer.Option(
        "--demands",
        help="Other demands than the document's: a CSV or .npy matrix, or a generator, NAME:FIELD=VALUE.",
    ),
]

Dask = Annotated[
    str | None,
    typer.Option("--dask", metavar="ADDRESS", help="tcp://host:port of a dask scheduler whose workers help."),
]


def executor_options(processes: int | None, dask: str | None, threads: int | None = None) -> dict[str, Any]:
    """Return the options of a long study that say where it runs; end the command if several places are given."""
    from ..studies.executor import n_cores

    options = {"--processes": processes, "--threads": threads, "--dask": dask}
    given = [name for name, value in options.items() if value is not None]
    if len(given) > 1:
        refuse(f"{' and '.join(given)} are given together", "give one of them")
    executor = "threads" if threads else "processes"
    return {"executor": executor, "n_workers": threads or processes or n_cores(), "dask": dask}


def check_writable(path: Path | None) -> Path | None:
    """Return the path of a file to write; end the command if its folder does not exist, before the evaluation."""
    if path is not None:
        if path.is_dir():
            refuse(f"cannot write {path}: it is a folder", "name a file in it")
        if not path.parent.is_dir():
            refuse(f"cannot write {path}: no folder {path.parent}", "make it first")
    return path


def check_data_file(path: Path | None) -> Path | None:
    """Return the path of a document or a list of changes to write; end the command for another ending."""
    from ..formats import WRITERS

    if path is not None and path.suffix.lower() not in WRITERS:
        refuse(f"cannot write {path}: no format for {path.suffix or 'a name without an ending'}",
               f"end the name in {', '.join(WRITERS)}")  # fmt: skip
    return check_writable(path)


def check_picture(path: Path | None) -> Path | None:
    """Return the path of a picture to write; end the command if it could not be drawn or written.

    Raises:
        TwinError: unknown picture format, or matplotlib is not installed.
    """
    if path is not None:
        from ..render import check_drawable

        check_drawable(path)
    return check_writable(path)


Picture = Annotated[
    Path | None, typer.Option("--picture", callback=check_picture, help="Draw it too: a .png, .svg or .pdf file.")
]

ASCII_SIGNS = {"−": "-", "–": "-", "→": "->", "µ": "u", "·": "|", "…": "...", "²": "2", "√": "sqrt"}
"""Signs of tables and sentences in ASCII."""
CHANGE_FORMS = "{kind: ..., ...} in YAML or JSON"
PLAIN = "twin-plain"
"""Name of the handler of characters that an encoding lacks."""
CHECK_FAILED = 1
"""Exit code where an answer is outside a limit that the command states."""
BAD_INPUT = 2
"""Exit code for invalid input."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as in shells."""


def load_network(name: str, prices: Path | None, demands: str | None = None, own_parts: Path | None = None) -> Network:
    """Load a network by name or path.

    The import is here so that commands without a network start faster.

    Args:
        name: name of a shipped network, or a path.
        prices: file of a price book, or None.
        demands: CSV file or generator in place of the document's demands, or None.
        own_parts: file of own parts beside those of the document, or None.
    """
    from ..loading import load

    network = load(name, prices=prices, parts=own_parts)
    return network if demands is None else network.with_traffic(demands)


def write_picture(figure: Callable[[], Any], path: Path | None) -> None:
    """Draw a figure and write it to a file; do nothing without a path."""
    if path is not None:
        from ..render import save_figure

        save_figure(figure(), path)


def job_ids(jobs: str | None) -> list[str] | None:
    """Split ids of jobs; None where no jobs are named."""
    return None if jobs is None else [name.strip() for name in jobs.split(",")]


def ageing_case(case: str) -> AgeingCase:
    """Return the ageing case of a name. Raises CatalogueError with similar names."""
    from ..catalogue.ageing import ageing_case_named

    return ageing_case_named(case)


CHANGE_FILES = (".yaml", ".yml", ".json")
"""Ends of the names of files with changes."""


def read_changes(plan: str | None, change: list[str] | None, changes: Path | None) -> Any:
    """Return the name of a plan, or a list of changes as plain data. Exactly one of the options must be given.

    Args:
        plan: value of `--plan`.
        change: values of `--change`, each an object in JSON or YAML.
        changes: value of `--changes`, a file with a list `changes`.
    """
    if sum(option is not None for option in (plan, change or None, changes)) != 1:
        refuse("ask for one of --plan, --change, --changes", "`twin topologies NETWORK` lists plans")
    if plan is not None:
        return plan
    if changes is not None:
        return _changes_of_file(changes)
    from ..formats.native import parse_mapping

    parsed: list[Any] = []
    for i, text in enumerate(change or []):
        if text.startswith("@"):
            parsed += _changes_of_file(Path(text[1:]))
            continue
        if text.endswith(CHANGE_FILES) or Path(text).is_file():
            refuse(f"--change {i + 1}: {text!r} is the name of a file", f"did you mean `--change @{text}`?")
        as_json = text.lstrip().startswith('{"')
        parsed.append(_with_kind(parse_mapping(text, f"--change {i + 1}", as_json=as_json, expected=CHANGE_FORMS)))
    return parsed


def _changes_of_file(path: Path) -> Any:
    """Read the list `changes` of a file."""
    from ..formats import read_mapping
    from ..formats.locate import located
    from ..scenario.apply import parse_changes

    listed_changes = read_mapping(path, expected="a mapping with a list `changes`").get("changes")
    if not isinstance(listed_changes, list):
        refuse(f"{path} has no list `changes`", "changes: [{kind: age, years: 5}]")
    with located(path):
        return parse_changes(listed_changes)


def write_changes(path: Path, changes: list[dict[str, Any]]) -> None:
    """Write changes to a file that `--changes` and `--change @FILE` read; JSON, which is YAML too."""
    path.write_text(json.dumps({"changes": changes}, ensure_ascii=False) + "\n", encoding="utf-8")


def _with_kind(change: dict[str, Any]) -> dict[str, Any]:
    """Return a change with its kind as a field; `{age: {years: 5}}` is `{kind: age, years: 5}`."""
    if "kind" in change or len(change) != 1:
        return change
    ((kind, fields),) = change.items()
    return {"kind": kind, **fields} if isinstance(fields, dict) else change


def read_optional_changes(plan: str | None, change: list[str] | None) -> Any:
    """Return the name of a plan or a list of changes, as `read_changes`; None without any."""
    return None if plan is None and not change else read_changes(plan, change, None)


def show(renderable: Any) -> None:
    """Write a table or text to stdout; brackets in a text are no markup."""
    from rich.console import Console
    from rich.text import Text

    Console().print(Text(renderable) if isinstance(renderable, str) else renderable)


def chosen_names() -> list[str] | None:
    """Return the names of `--fields` of the command that runs; None without them."""
    return FIELDS.get()


def show_answer(answer: Answer) -> None:
    """Write an answer to stdout as JSON, with the fields of `--fields` only."""
    write_json(answer.to_json(fields=chosen_names()))


def show_json(data: Any) -> None:
    """Write plain data to stdout as JSON, with the fields of `--fields` only."""
    from ..answers.data import json_text
    from ..answers.fields import chosen_fields

    names = chosen_names()
    write_json(json_text(data if names is None else chosen_fields(data, names)))


def write_json(text: str) -> None:
    """Write JSON to stdout. It is UTF-8 in any locale, as RFC 8259 requires; a lone surrogate is written escaped."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:  # a stream that takes text only, such as that of a notebook
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    buffer.write(text.encode("utf-8", "backslashreplace"))
    buffer.flush()


def _plain_characters(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an encoding lacks: signs by their ASCII form, others by `?`."""
    assert isinstance(error, UnicodeEncodeError)
    text = error.object[error.start : error.end]
    return "".join(ASCII_SIGNS.get(character, "?") for character in text), error.end


def replace_unknown_characters() -> None:
    """Make stdout and stderr print ASCII for characters that the terminal's encoding lacks, instead of an error."""
    codecs.register_error(PLAIN, _plain_characters)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=PLAIN)


def with_fields(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the option `--fields`; a command that prints no JSON stays as it is."""
    signature = inspect.signature(command, eval_str=True)
    if "as_json" not in signature.parameters:
        return command

    @wraps(command)
    def run(*args: Any, fields: str | None = None, **options: Any) -> None:
        names = None if fields is None else [name.strip() for name in fields.split(",")]
        token = FIELDS.set(names)
        try:
            command(*args, **options | ({} if names is None else {"as_json": True}))
        finally:
            FIELDS.reset(token)

    option = inspect.Parameter("fields", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Fields)
    run.__signature__ = signature.replace(  # type: ignore[attr-defined]  # typer reads the options there
        parameters=[*signature.parameters.values(), option]
    )
    run.__annotations__ = {name: row.annotation for name, row in signature.parameters.items()} | {"fields": Fields}
    return run


def show_data(data: Any, as_json: bool, table: Callable[[], Any]) -> None:
    """Show data as JSON or as a table."""
    if as_json:
        show_json(data)
    else:
        show(table())


@contextmanager
def progress(message: str) -> Iterator[Callable[[str], None]]:
    """Show a message with a spinner on stderr, if stderr is a terminal. Yields a function that changes the message."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(escape(message)) as status:
        yield lambda text: status.update(escape(text))


@contextmanager
def resumable(checkpoint: Path | None) -> Iterator[None]:
    """Say after Ctrl-C how to go on from the checkpoint of a command, or that it had none."""
    try:
        yield
    except KeyboardInterrupt:
        if checkpoint is None:
            typer.echo("interrupted; with --checkpoint DIR the next run can go on where this one ends", err=True)
        else:
            typer.echo(f"interrupted; to go on, give the same command with --checkpoint {checkpoint}", err=True)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def progress_bar(what: str = "points") -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr, if stderr is a terminal. Yields a function of (points done, points in all)."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _n_done, _n_points: None
        return
    with Progress(console=console, transient=True) as display:
        task = display.add_task(what, total=None)
        yield lambda n_done, n_points: display.update(task, completed=n_done, total=n_points)


def refuse(problem: str, hint: str) -> NoReturn:
    """End the command with an error on stderr and the exit code for invalid input."""
    typer.echo(f"error: {problem} ({hint})", err=True)
    raise typer.Exit(BAD_INPUT)
