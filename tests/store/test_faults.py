"""A database that fails gives an error of the product, and works again once the cause has gone."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, Table, event

from tests.store.conftest import PostgresServer
from tests.store.samples import document
from twin.errors import StoreError
from twin.store import NetworkStore, open_database
from twin.store import tables as tables_
from twin.store.tables import METADATA, create


def with_pragma(store: NetworkStore, pragma: str) -> None:
    """Set a pragma on every connection from now on."""

    def checkout(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    event.listen(store.database.engine, "checkout", checkout)


@pytest.mark.parametrize(
    ("broken", "mended", "message"),
    [
        ("max_page_count=20", "max_page_count=100000", "the disk is full"),
        ("query_only=ON", "query_only=OFF", "is read-only"),
    ],
)
def test_a_disk_that_takes_no_more_is_an_error_and_then_works_again(
    tmp_path: Path, broken: str, mended: str, message: str
) -> None:
    store = NetworkStore(open_database(tmp_path))
    store.put("kept", document())
    with_pragma(store, broken)
    large = document(note="x" * 19_000) + b" " * 200_000
    with pytest.raises(StoreError, match=message) as caught:
        store.put("large", large)
    assert caught.value.where == str(tmp_path / "twin.sqlite3")
    assert store.get("kept").content == document(), "reading goes on"
    with_pragma(store, mended)
    assert store.put("large", large).network.number == 1
    store.database.close()


def test_a_lost_connection_is_an_error_and_then_works_again(postgres: PostgresServer) -> None:
    store = NetworkStore(open_database(postgres.new_url()))
    store.put("kept", document())
    postgres.stop()
    try:
        for _ in range(2):
            with pytest.raises(StoreError, match="no connection to the server"):
                store.find("kept")
    finally:
        postgres.start()
    assert store.get("kept").content == document()
    store.database.close()


def test_a_lock_of_another_process_is_waited_for_and_then_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.store.database.WAIT_S", 0.2)
    store = NetworkStore(open_database(tmp_path))
    other = sqlite3.connect(tmp_path / "twin.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another process"):
        store.put("pair", document())
    assert store.page().networks == (), "reading goes on"
    other.close()
    store.put("pair", document())
    store.database.close()


def test_places_that_are_no_store_are_refused_and_stay_as_they_are(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.mkdir()
    (text / "twin.sqlite3").write_text("no database" * 100)
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    other = sqlite3.connect(foreign / "twin.sqlite3")
    other.execute("CREATE TABLE cats (name TEXT)")
    other.close()
    contents = {file: file.read_bytes() for file in tmp_path.rglob("*.sqlite3")}
    damaged = tmp_path / "a file"
    damaged.write_text("x")
    for place, message in {
        text: "is no database of SQLite",
        foreign: "holds 1 table of something else",
        damaged: "is a file",
        tmp_path / "no" / "such": "make it first",
        "mysql://user:secret@host/db": "no database 'mysql'",
        "postgresql://user:secret@localhost:1/db": "no connection to the server",
        "://": "is no URL",
    }.items():
        with pytest.raises(StoreError, match=message) as caught:
            open_database(place)
        assert "secret" not in str(caught.value)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.sqlite3")} == contents


def test_a_table_that_a_later_version_adds_is_there_and_earlier_versions_refuse(
    data: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if data is None:
        pytest.skip("a database in memory is always of this version")
    first = open_database(data)
    NetworkStore(first).put("pair", document())
    first.close()
    later = Table("later", METADATA, Column("number", Integer, primary_key=True))
    try:
        with monkeypatch.context() as patch:
            steps = (*tables_.STEPS, create(later))
            patch.setattr("twin.store.database.STEPS", steps)
            second = open_database(data)
            with second.write(later) as connection:
                connection.execute(later.insert().values(number=1))
            assert NetworkStore(second).get("pair").content == document()
            second.close()
    finally:
        METADATA.remove(later)
    with pytest.raises(StoreError, match="of the tables, and this program knows"):
        open_database(data)


def test_a_database_file_that_is_moved_away_is_noticed_and_used_again(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = NetworkStore(open_database(folder))
    document = b"nodes: [{id: a, kind: switch}]"
    store.put("one", document)
    store.database.engine.dispose()  # what was written is in the file alone
    (folder / "twin.sqlite3").rename(folder / "away")
    for act in (lambda: store.put("two", document), store.page):
        with pytest.raises(StoreError, match="was moved away"):
            act()
    assert not (folder / "twin.sqlite3").exists()
    (folder / "away").rename(folder / "twin.sqlite3")
    store.put("two", document)
    assert [row.name for row in store.page().networks] == ["one", "two"]
    store.database.close()
