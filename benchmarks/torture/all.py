"""The torture table: every script of this folder with its figures, its limit, and whether it holds.

python benchmarks/torture/all.py            the whole table: some hours on two cores
python benchmarks/torture/all.py --short    a small version of each: some minutes

Returns the number of rows that do not hold. A row holds if its script says so and ends with 0.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from service import MARK

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]


class Row(NamedTuple):
    """A line of the table: a script and its arguments, whole and short."""

    title: str
    script: str
    arguments: tuple[str, ...] = ()
    short: tuple[str, ...] = ()


class End(NamedTuple):
    """Result of a row."""

    title: str
    figures: str
    limit: str
    holds: bool
    taken_s: float


ROWS = (
    Row("hostile questions beside small ones", "hostile.py", ("40",), ("8",)),
    Row("many clients, and health beside them", "clients.py", ("1000", "60"), ("200", "10")),
    Row("slow connections", "slow_connections.py", ("800",), ("100",)),
    Row("memory over different documents", "memory.py", ("20000",), ("400",)),
    Row("explanations at once", "explains.py", ("500", "50"), ("40", "10")),
    Row("fuzzed documents", "fuzz.py", ("100000",), ("1000",)),
    Row("generated requests", "schema_cases.py", ("10000",), ("150",)),
    Row("kill -9 of writers", "kill_writes.py", ("--kills", "200"), ("--kills", "10")),
    Row("kill -9 during runs and cache fills", "kill_runs.py", ("200",), ("4",)),
    Row("full and read-only disk, lost database", "faults.py"),
    Row("same bytes over command, Python, HTTP, runs", "same_bytes.py"),
)


def ended(row: Row, *, is_short: bool) -> End:
    """Run a row, show what it prints, and return its end."""
    command = [sys.executable, "-W", "ignore", str(FOLDER / row.script), *(row.short if is_short else row.arguments)]
    start_s, words = time.monotonic(), ["no verdict", "", ""]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith(f"{MARK} | "):
                words = [word.strip() for word in line.split(" | ")[1:]]
    holds = process.returncode == 0 and words[2] == "holds"
    return End(row.title, words[0], words[1], holds, time.monotonic() - start_s)


def main(*, is_short: bool) -> int:
    """Run the table, and return the number of rows that do not hold."""
    ends = []
    for row in ROWS:
        print(f"\n## {row.title}", flush=True)
        ends.append(ended(row, is_short=is_short))
    print("\n| what | figures | limit | holds | seconds |\n| --- | --- | --- | --- | --- |")
    for end in ends:
        print(f"| {end.title} | {end.figures} | {end.limit} | {'yes' if end.holds else 'NO'} | {end.taken_s:.0f} |")
    return sum(not end.holds for end in ends)


if __name__ == "__main__":
    sys.exit(main(is_short="--short" in sys.argv))
