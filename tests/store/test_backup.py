"""Backups: what is restored is what was stored, in a database of any kind, or nothing."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.store.samples import document
from twin.cli.main import app
from twin.errors import StoreError
from twin.store import Database, NetworkStore, open_database, restore, write_backup
from twin.store.tables import STEPS


def filled(data: Any) -> NetworkStore:
    store = NetworkStore(open_database(data))
    for name, capacity_gbps in (("pair", 100.0), ("pair", 200.0), ("pair", 100.0), ("other", 200.0)):
        store.put(name, document(capacity_gbps))
    return store


def content_of(store: NetworkStore) -> Any:
    names = [row.name for row in store.page().networks]
    revisions = {name: store.revisions(name) for name in names}
    bytes_of = {
        (name, row.revision): store.get(name, row.revision) for name in names for row in revisions[name].revisions
    }
    return store.page(), revisions, bytes_of


def test_a_backup_restores_everything_in_any_other_database(database: Database, tmp_path: Path) -> None:
    source = filled(None)
    file = tmp_path / "backup"
    n_rows = write_backup(source.database, file)
    store = NetworkStore(database)
    assert restore(file, database) == n_rows
    assert content_of(store) == content_of(source)
    again = tmp_path / "again"
    write_backup(database, again)
    assert again.read_bytes() == file.read_bytes()
    store.put("more", document())
    with pytest.raises(StoreError, match="is not empty"):
        restore(file, database)
    restore(file, database, replace=True)
    assert content_of(store) == content_of(source)


def test_a_damaged_backup_restores_nothing(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    write_backup(filled(None).database, file)
    good = file.read_bytes()
    text = gzip.decompress(good)
    damaged = {
        "cut": good[:-30],
        "no gzip": b"x" + good,
        "no file": b"",
        "no JSON": gzip.compress(b"x\n"),
        "another format": gzip.compress(b"{}\n"),
        "a row less": gzip.compress(b"".join(line for i, line in enumerate(text.splitlines(keepends=True)) if i != 3)),
        "another byte": gzip.compress(text.replace(b'"number": 2', b'"number": 9', 1)),
        "no end": gzip.compress(b"\n".join(text.splitlines()[:-1])),
        "newer": gzip.compress(text.replace(b'"version": %d' % len(STEPS), b'"version": %d' % (len(STEPS) + 1), 1)),
    }
    database = open_database(None)
    for content in damaged.values():
        file.write_bytes(content)
        with pytest.raises(StoreError):
            restore(file, database)
        assert NetworkStore(database).page().networks == ()
    file.write_bytes(good)
    restore(file, database)


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(None)
    (tmp_path / "kept").write_text("an earlier backup")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("twin.store.backup.os.fsync", full)
    with pytest.raises(StoreError, match="No space left"):
        write_backup(store.database, tmp_path / "kept")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("kept", "an earlier backup")]


def test_the_commands_back_up_and_restore(tmp_path: Path) -> None:
    source = filled(tmp_path / "one")
    run = CliRunner().invoke
    backup = ["store", "backup", "--data", str(tmp_path / "one"), "-o", str(tmp_path / "b")]
    assert "8 rows of" in run(app, backup).output
    words = ["store", "restore", str(tmp_path / "b"), "--data", str(tmp_path / "two")]
    assert run(app, words).exit_code == 0
    second = NetworkStore(open_database(tmp_path / "two"))
    assert content_of(second) == content_of(source)
    assert isinstance(run(app, words).exception, StoreError)
    (tmp_path / "damaged").write_bytes((tmp_path / "b").read_bytes()[:-30])
    for refused in ("damaged", "missing"):
        words = ["store", "restore", str(tmp_path / refused), "--data", str(tmp_path / "three")]
        assert isinstance(run(app, words).exception, StoreError)
        assert not (tmp_path / "three").exists(), "a refused restore creates no store"
    for bad in (["store", "bakup"], ["store", "backup", "--data", "x", "-o", "y"], ["store", "restore"], backup[:-2]):
        assert run(app, bad).exit_code == 2, bad
    source.database.close()
    second.database.close()
