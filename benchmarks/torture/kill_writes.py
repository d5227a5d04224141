"""Kills a process that writes to the store, again and again: no write that it acknowledged may be lost.

python benchmarks/torture/kill_writes.py                        200 kills, SQLite in a new directory
python benchmarks/torture/kill_writes.py --kills 20 --data URL   another number, or another database

A child writes documents and says so for each one. The parent kills it with SIGKILL at a random time, opens the store
again, and compares every acknowledged revision with its bytes. It exits with 1 if one is missing or wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from typing import Any

from service import verdict

from twin.store import NetworkStore, open_database
from twin.store.documents import read_network

N_NAMES = 5


def document(number: int) -> bytes:
    """Two switches and a link; the note makes each one different, some larger than a page of the database."""
    link = {"id": "ab", "ends": ["a", "b"], "capacity_gbps": 10.0 + number}
    nodes = [{"id": "a", "kind": "switch"}, {"id": "b", "kind": "switch"}]
    note = "x" * (number * 997 % 15_000)
    return json.dumps({"note": note, "nodes": nodes, "links": [link]}).encode()


def write_forever(data: str, first: int, pipe: int) -> None:
    """Write documents and acknowledge each one on a pipe, until killed."""
    store = NetworkStore(open_database(data))
    number = first
    while True:
        name = f"n{number % N_NAMES}"
        store.put(name, document(number))
        os.write(pipe, b"%d\n" % number)
        number += 1


def killed_child(data: str, first: int, seconds: float) -> list[int]:
    """Start a child that writes, kill it after some time, and return the numbers that it acknowledged."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(read_end)
            write_forever(data, first, write_end)
        finally:
            os._exit(1)
    os.close(write_end)
    acknowledged = b""
    while b"\n" not in acknowledged:  # its database is open
        piece = os.read(read_end, 65536)
        if not piece:
            sys.exit("the child ended on its own")
        acknowledged += piece
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while piece := os.read(read_end, 65536):
        acknowledged += piece
    os.close(read_end)
    return [int(line) for line in acknowledged[: acknowledged.rfind(b"\n")].split()]


def lost_of(store: NetworkStore, numbers: list[int]) -> list[int]:
    """Return the numbers whose document is not stored, or is stored with other bytes."""
    lost = []
    for number in numbers:
        content = document(number)
        try:
            found = store.get(f"n{number % N_NAMES}", hashlib.sha256(content).hexdigest()).content
        except Exception:
            found = b""
        if found != content:
            lost.append(number)
    return lost


def run(data: str, n_kills: int, seed: int) -> dict[str, Any]:
    """Kill so many writers, and return what was acknowledged and lost."""
    read_network(document(0), "warm")  # builds the validators, which each child would build again
    at = random.Random(seed)
    numbers: list[int] = []
    for _ in range(n_kills):
        first = numbers[-1] + 2 if numbers else 0  # the write after the last answer may have been stored too
        numbers += killed_child(data, first, at.uniform(0.0, 0.05))
        database = open_database(data)
        store = NetworkStore(database)
        recent = lost_of(store, numbers[-20:])
        database.close()
        if recent:
            break
    database = open_database(data)
    store = NetworkStore(database)
    lost = lost_of(store, numbers)
    assert lost_of(store, [-1]) == [-1], "what was never written counts as lost"
    rows = [row for name in range(N_NAMES) for row in _revisions(store, f"n{name}")]
    wrong = [row.revision for row in rows if not _is_right(store, row)]
    where = database.where
    database.close()
    return {
        "store": where,
        "n_kills": n_kills,
        "n_acknowledged": len(numbers),
        "n_stored": len(rows),
        "n_lost": len(lost),
        "n_wrong": len(wrong),
    }


def _revisions(store: NetworkStore, name: str) -> list[Any]:
    rows: list[Any] = []
    after = None
    while True:
        page = store.revisions(name, 1000, after)
        rows += page.revisions
        after = page.next
        if after is None:
            return rows


def _is_right(store: NetworkStore, row: Any) -> bool:
    return hashlib.sha256(store.get(row.name, row.revision).content).hexdigest() == row.revision


def main() -> None:
    """Run it as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--data", help="directory or URL of an empty store; a new directory otherwise")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(options.data or folder, options.kills, options.seed)
    text = ", ".join(f"{key.removeprefix('n_')} {value:,}" for key, value in found.items() if key != "store")
    limit = "lost 0, wrong 0, all acknowledged ones stored"
    is_lost = found["n_lost"] or found["n_wrong"] or found["n_stored"] < found["n_acknowledged"]
    sys.exit(verdict(text, limit, holds=not is_lost))


if __name__ == "__main__":
    main()
