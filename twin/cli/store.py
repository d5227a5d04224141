"""The command that backs up and restores what the service stores."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import check_writable, progress, refuse

ACTIONS = ("backup", "restore")
BACKUP_USAGE = "twin store backup --data DIR -o FILE"
RESTORE_USAGE = "twin store restore FILE --data DIR"


def store(
    action: Annotated[str, typer.Argument(metavar="backup|restore", help="What to do.")],
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Backup to restore.")] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DIR_OR_URL", envvar="TWIN_DATA", help="Directory or PostgreSQL URL."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", callback=check_writable, help="Backup to write.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Delete what the store holds before a restore.")] = False,
) -> None:
    """Back up or restore the networks that `twin serve --data` stores."""
    from ..errors import did_you_mean

    if action not in ACTIONS:
        refuse(f"no action {action!r}", did_you_mean(action, ACTIONS) or f"{BACKUP_USAGE}, or {RESTORE_USAGE}")
    if data is None:
        refuse("no store is named", f"--data DIR_OR_URL: {BACKUP_USAGE if action == 'backup' else RESTORE_USAGE}")
    if action == "backup":
        if output is None or file is not None or replace:
            refuse("a backup takes --data and -o FILE", BACKUP_USAGE)
        _backup(data, output)
    else:
        if file is None or output is not None:
            refuse("a restore takes FILE and --data", RESTORE_USAGE)
        _restore(data, file, replace=replace)


def _backup(data: str, output: Path) -> None:
    from ..store import open_database, write_backup

    if "://" not in data and not Path(data).is_dir():  # opening it would create it
        refuse(f"no directory {data}", "name that of `twin serve --data`")
    database = open_database(data)
    try:
        with progress("reading the store"):
            n_rows = write_backup(database, output)
    finally:
        database.close()
    typer.echo(f"{n_rows} rows of {database.where} are in {output}")


def _restore(data: str, file: Path, *, replace: bool) -> None:
    from ..store import open_database, restore, verified_version

    verified_version(file)  # before the database is opened, which creates it
    database = open_database(data)
    try:
        with progress("writing the store"):
            n_rows = restore(file, database, replace=replace)
    finally:
        database.close()
    typer.echo(f"{n_rows} rows of {file} are in {database.where}")
