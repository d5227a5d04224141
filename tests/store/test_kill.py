"""A write that was acknowledged survives the end of its process at any moment, and so does a run."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from twin.store import RunStore, open_database
from twin.store.run_records import Ending, NewRun, RunState

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "torture" / "kill_writes.py"


def test_no_acknowledged_write_is_lost_by_a_kill(tmp_path: Path) -> None:
    words = [sys.executable, str(SCRIPT), "--kills", "5", "--data", str(tmp_path / "data")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {name: int(n.replace(",", "")) for name, n in re.findall(r"(\w+) ([\d,]+)(?:,| )", done.stdout)}
    assert found["acknowledged"] >= 5
    assert (found["kills"], found["lost"], found["wrong"]) == (5, 0, 0)


SERVER = """
import itertools, sys
from twin.store import RunStore, open_database

runs = RunStore(open_database(sys.argv[1]))
claim = runs.claim("server")
for number in itertools.count():
    runs.keep(claim.run.id, "server", {f"part {number}": b"%d" % number})
    print(number, flush=True)
"""


def test_a_run_whose_server_is_killed_goes_on_with_the_parts_that_were_kept(tmp_path: Path) -> None:
    database = open_database(tmp_path / "data")
    RunStore(database).ask(NewRun("a" * 64, "sweep", "pair", b"{}"))
    words = [sys.executable, "-c", SERVER, str(tmp_path / "data")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        for _ in range(5):
            server.stdout.readline()
        server.kill()
        acknowledged = 4 + len(server.stdout.read().split())
    later = RunStore(database, now=lambda: datetime.now(UTC) + timedelta(minutes=2))
    claim = later.claim("next")
    assert claim is not None
    assert (claim.run.id, claim.run.n_attempts) == ("a" * 64, 2)
    kept = {f"part {number}": b"%d" % number for number in range(len(claim.parts))}
    assert claim.parts == kept
    assert len(kept) > acknowledged
    later.end("a" * 64, "server", Ending(RunState.DONE, b"of the server that was lost"))
    assert later.find("a" * 64).state == RunState.RUNNING
    database.close()
