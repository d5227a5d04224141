"""Stored networks on every kind of database: writes, conditions, pages, limits, older documents."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.store.samples import document, reading
from twin.errors import CatalogueError, DocumentError, RevisionError, StoreError, StoreLimitError, TopologyError
from twin.formats import migrations
from twin.model.measurements import Measurement
from twin.model.validation import validate_as
from twin.store import Condition, Database, NetworkStore, StoreLimits, open_database
from twin.store.documents import read_network
from twin.store.measuring import Added, add_measurements, with_records
from twin.store.records import ANY
from twin.store.tables import DOCUMENTS

ONE, TWO = document(100.0), document(200.0)


@pytest.fixture
def memory() -> NetworkStore:
    return NetworkStore(open_database(None))


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_revisions_are_kept_by_the_digest_of_their_bytes(store: NetworkStore) -> None:
    first = store.put("pair", ONE)
    assert (first.is_new, first.network.revision, first.network.n_links) == (True, digest(ONE), 1)
    second = store.put("pair", TWO)
    assert (second.is_new, second.network.number) == (False, 2)
    assert store.put("pair", TWO) == second, "the same bytes again change nothing"
    assert store.get("pair").content == TWO
    assert store.get("pair", digest(ONE)) == (first.network, ONE)
    third = store.put("pair", ONE)
    assert (third.network.number, third.network.revision) == (3, digest(ONE)), "an earlier document is a new revision"
    assert [row.number for row in store.revisions("pair").revisions] == [3, 2, 1]
    page = store.revisions("pair", limit=2)
    assert (page.next, store.revisions("pair", limit=2, after=page.next).revisions) == (2, (first.network,))


def test_a_deleted_network_is_gone_and_shared_bytes_stay(store: NetworkStore) -> None:
    for name in ("pair", "other"):
        store.put(name, ONE)
    store.put("pair", TWO)
    store.delete("pair")
    with pytest.raises(CatalogueError, match="unknown network 'pair'"):
        store.get("pair", digest(ONE))
    assert store.get("other").content == ONE
    with store.database.read() as connection:
        assert [row.digest for row in connection.execute(DOCUMENTS.select())] == [digest(ONE)]
    assert store.put("pair", TWO).network.number == 1


@pytest.mark.parametrize(
    ("condition", "stored", "fits"),
    [
        (Condition(match=frozenset({digest(ONE)})), ONE, True),
        (Condition(match=frozenset({digest(TWO), digest(ONE)})), ONE, True),
        (Condition(match=frozenset({"0" * 64})), ONE, False),
        (Condition(match=ANY), ONE, True),
        (Condition(match=ANY), None, False),
        (Condition(none_match=ANY), None, True),
        (Condition(none_match=ANY), ONE, False),
        (Condition(none_match=frozenset({digest(ONE)})), ONE, False),
        (Condition(none_match=frozenset({"0" * 64})), ONE, True),
        (Condition(match=frozenset({digest(ONE)})), TWO, True),  # a repeated write, whose first answer was lost
        (Condition(none_match=ANY), TWO, False),
    ],
)
def test_a_write_expects_a_revision(
    memory: NetworkStore, condition: Condition, stored: bytes | None, *, fits: bool
) -> None:
    if stored is not None:
        memory.put("pair", stored)
    if fits:
        assert memory.put("pair", TWO, condition).network.revision == digest(TWO)
    else:
        with pytest.raises(RevisionError, match="pair"):
            memory.put("pair", TWO, condition)
        assert [row.revision for row in memory.page().networks] == ([] if stored is None else [digest(stored)])


def test_of_two_writers_that_saw_the_same_revision_one_wins(store: NetworkStore) -> None:
    store.put("pair", ONE)
    seen = Condition(match=frozenset({digest(ONE)}))

    def write(capacity_gbps: int) -> bool:
        try:
            store.put("pair", document(float(capacity_gbps)), seen)
        except RevisionError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(write, range(201, 209))) == 1
    assert [row.number for row in store.revisions("pair").revisions] == [2, 1]


def test_pages_go_through_all_names_in_the_order_of_their_bytes(store: NetworkStore) -> None:
    names = ["a-1", "a.1", "a1", "a_1", "ab", "b-2", "b_2"]
    for name in reversed(names):
        store.put(name, ONE)
    listed: list[str] = []
    after: str | None = None
    while True:
        page = store.page(limit=3, after=after)
        listed += [row.name for row in page.networks]
        after = page.next
        if after is None:
            break
    assert listed == sorted(names)
    for pattern, expected in {"a?1": ["a-1", "a.1", "a_1"], "a_1": ["a_1"], "b*": ["b-2", "b_2"], "*b": ["ab"]}.items():
        assert [row.name for row in store.page(pattern=pattern).networks] == expected
    for arguments in ({"limit": 0}, {"limit": 1001}, {"pattern": "A"}, {"pattern": "a%"}):
        with pytest.raises(DocumentError):
            store.page(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "A", "a/b", "a@b", "a" * 65, "ü", "..", "memphis-small", "a\n"])
def test_names_that_addresses_or_the_catalogue_take_are_refused(memory: NetworkStore, name: str) -> None:
    with pytest.raises(DocumentError, match="name"):
        memory.put(name, ONE)


def test_a_shipped_network_is_not_taken_for_a_stored_one(memory: NetworkStore) -> None:
    for ask in (memory.delete, memory.find, memory.get, memory.revisions):
        with pytest.raises(CatalogueError, match="'memphis-small' is the name of a shipped network"):
            ask("memphis-small")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", DocumentError),
        (b"\xff", DocumentError),
        (b"{", DocumentError),
        (b"nodes: [", DocumentError),
        (document(nodez=[]), DocumentError),
        (document(links=[{"id": "x", "ends": ["a", "nowhere"], "capacity_gbps": 1}]), TopologyError),
        (document(schema_version=2), DocumentError),
        (document(note="x" * 3000), DocumentError),
        (document(fabrics=[{"id": "f", "site": "s", "generator": "leaf_spine", "params": {}}]), DocumentError),
    ],
)
def test_what_is_no_network_is_not_stored(memory: NetworkStore, content: bytes, error: type[Exception]) -> None:
    memory.limits = StoreLimits(n_document_bytes=2000)
    with pytest.raises(error):
        memory.put("pair", content)
    assert memory.page().networks == ()


def test_yaml_is_stored_as_it_is(memory: NetworkStore) -> None:
    content = '# by hand\nname: "W\u00fcrzburg \U0001f600"\nnodes: [{id: a, kind: switch}]\n'.encode()
    assert memory.put("pair", content).network.title == "Würzburg 😀"
    assert memory.get("pair").content == content


@pytest.mark.parametrize(
    "limits", [StoreLimits(n_networks=1), StoreLimits(n_revisions=1), StoreLimits(n_bytes=len(ONE) + 1)]
)
def test_the_store_is_bounded(memory: NetworkStore, limits: StoreLimits) -> None:
    memory.limits = limits
    memory.put("pair", ONE)
    with pytest.raises(StoreLimitError, match="at most"):
        memory.put("other", TWO)
    memory.put("pair", ONE)
    memory.delete("pair")
    memory.put("other", TWO)


def test_a_stored_document_of_an_earlier_version_is_migrated_when_it_is_read(
    memory: NetworkStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.put("pair", ONE)

    def step(data: dict[str, Any]) -> dict[str, Any]:
        return data | {"note": "moved up"}

    monkeypatch.setattr(migrations, "SCHEMA_VERSION", 2)
    monkeypatch.setitem(migrations.MIGRATIONS, 1, step)
    stored = memory.get("pair")
    assert stored.content == ONE
    assert read_network(stored.content, "pair").document.note == "moved up"


def test_damaged_bytes_are_not_read(memory: NetworkStore) -> None:
    revision = memory.put("pair", ONE).network.revision
    with memory.database.write() as connection:
        connection.execute(DOCUMENTS.update().values(content=ONE.replace(b"a", b"c")))
    assert memory.find("pair").revision == revision
    with pytest.raises(StoreError, match=f"pair@{revision}: .*damaged"):
        memory.get("pair")


def records(*data: dict[str, Any]) -> tuple[Measurement, ...]:
    found: tuple[Measurement, ...] = validate_as(tuple[Measurement, ...], list(data), "body")
    return found


def add(store: NetworkStore, *data: dict[str, Any], **options: Any) -> Added:
    return add_measurements(store, "pair", lambda network: with_records(network, records(*data)), **options)


def test_measurements_make_a_revision_once(store: NetworkStore) -> None:
    store.put("pair", ONE)
    added = add(store, reading(), reading(day="2026-10-02"))
    assert (added.n_added, added.network.number, added.network.n_measurements) == (2, 2, 2)
    assert add(store, reading(), reading(day="2026-10-02")).network == added.network
    assert json.loads(store.get("pair").content)["measurements"][0]["value_gbps"] == 40.0
    with pytest.raises(TopologyError, match="2 readings of"):
        add(store, reading(gbps=1.0))
    with pytest.raises(RevisionError):
        add(store, reading(day="2026-10-03"), condition=Condition(match=frozenset({digest(ONE)})))


def test_measurements_of_many_at_once_are_all_there(store: NetworkStore) -> None:
    store.put("pair", ONE)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda day: add(store, reading(day=f"2026-10-0{day}")), range(1, 4)))
    assert store.find("pair").n_measurements == 3


def test_the_clock_is_that_of_the_caller(database: Database) -> None:
    store = NetworkStore(database, now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert store.put("pair", ONE).network.stored_at == "2026-01-02T03:04:05Z"
