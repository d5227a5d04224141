"""Each question of the service, asked by command, in Python, over HTTP and as a run: the same bytes.

python benchmarks/torture/same_bytes.py

The table of questions is that of the test, which this runs.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from service import verdict

TEST = "tests/contracts/test_same_bytes.py"


def main() -> int:
    command = [sys.executable, "-m", "pytest", "-n", "0", TEST]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
    print(ended.stdout)
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|errors?|skipped)", ended.stdout)}
    n_alike = counts.get("passed", 0) - 1  # one test looks for questions that the table lacks
    figures = f"{n_alike} questions alike, {counts.get('failed', 0)} not"
    return verdict(figures, "all alike", holds=ended.returncode == 0 and n_alike > 0)


if __name__ == "__main__":
    sys.exit(main())
