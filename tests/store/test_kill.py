"""A write that was acknowledged survives the end of its process at any moment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "torture" / "kill_writes.py"


def test_no_acknowledged_write_is_lost_by_a_kill(tmp_path: Path) -> None:
    words = [sys.executable, str(SCRIPT), "--kills", "5", "--data", str(tmp_path / "data")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["n_acknowledged"] >= 5
    assert (found["n_lost"], found["n_wrong"]) == (0, 0)
