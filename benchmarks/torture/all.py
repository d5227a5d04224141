"""The torture table: every script of this folder one after the other, and whether it holds.

python benchmarks/torture/all.py            the whole table: some hours on two cores
python benchmarks/torture/all.py --short    a small version of each: some minutes
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]


class Row(NamedTuple):
    """A line of the table: a command and its arguments, whole and short."""

    title: str
    command: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    short: tuple[str, ...] = ()


FAULTS = ("-m", "pytest", "-q", "-n", "0", "tests/store/test_faults.py", "tests/store/test_kill.py")
ROWS = (
    Row("hostile questions beside small ones", ("hostile.py",), ("40",), ("8",)),
    Row("many clients, and health beside them", ("clients.py",), ("1000", "60"), ("200", "10")),
    Row("slow connections", ("slow_connections.py",), ("800",), ("100",)),
    Row("memory over different documents", ("memory.py",), ("20000",), ("300",)),
    Row("explanations at once", ("explains.py",), ("500", "50"), ("40", "10")),
    Row("fuzzed documents", ("fuzz.py",), ("100000",), ("2000",)),
    Row("kill -9 of writers", ("kill_writes.py",), ("--kills", "200"), ("--kills", "10")),
    Row("full and read-only disk, lost database", FAULTS),
)


def main(*, is_short: bool) -> int:
    """Run the table, and return the number of rows that do not hold."""
    ends = []
    for row in ROWS:
        print(f"\n## {row.title}", flush=True)
        start_s = time.monotonic()
        command = row.command if row.command[0] == "-m" else (str(FOLDER / row.command[0]), *row.command[1:])
        ended = subprocess.run([sys.executable, *command, *(row.short if is_short else row.arguments)], cwd=ROOT)
        ends.append((row.title, ended.returncode == 0, time.monotonic() - start_s))
    print()
    for title, holds, taken_s in ends:
        print(f"| {title} | {'holds' if holds else 'FAILS'} | {taken_s:.0f} s |")
    return sum(not holds for _, holds, _ in ends)


if __name__ == "__main__":
    sys.exit(main(is_short="--short" in sys.argv))
