"""The array cache stays within its size, and looks at all files only once in many writes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.arrays.test_compile import compiled
from tests.model.samples import campus_data
from twin.arrays import cache_size, load_arrays, save_arrays
from twin.arrays.cache_size import JOURNAL, keep_within

ROOT = Path(__file__).parents[2]


@pytest.fixture
def n_scans(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one each time that all files are looked at."""
    calls: list[int] = []
    prune = cache_size._prune

    def counted(folder: Path) -> int:
        calls.append(1)
        return prune(folder)

    monkeypatch.setattr(cache_size, "_prune", counted)
    return calls


def put(folder: Path, name: str, n_bytes: int, age_s: float = 0.0) -> None:
    """Write a file as `save_arrays` does, used last some time ago."""
    path = folder / f"{name}.npz"
    path.write_bytes(b"x" * n_bytes)
    used_s = time.time() - age_s
    os.utime(path, (used_s, used_s))
    keep_within(folder, n_bytes)


def names(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.npz")}


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.npz"))


def test_the_size_is_bounded_and_the_least_recently_used_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_size, "MAX_CACHE_BYTES", 1000)
    for i in range(40):
        put(tmp_path, f"f{i:02d}", 100, age_s=1000.0 - i)
        assert size(tmp_path) <= 1000
        assert f"f{i:02d}" in names(tmp_path)
    # 900 of 1000 bytes remain whenever files are deleted
    assert names(tmp_path) == {f"f{i}" for i in range(30, 40)}


def test_files_are_looked_at_once_in_many_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_scans: list[int]
) -> None:
    monkeypatch.setattr(cache_size, "MAX_WRITES", 50)
    for i in range(120):
        put(tmp_path, f"f{i}", 10)
    assert len(n_scans) == 3  # at the first write, and after each 50
    assert len(names(tmp_path)) == 120
    assert len((tmp_path / JOURNAL).read_text().splitlines()) <= 51


def test_a_full_cache_is_not_looked_at_with_each_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_scans: list[int]
) -> None:
    monkeypatch.setattr(cache_size, "MAX_CACHE_BYTES", 10_000)
    for i in range(300):
        put(tmp_path, f"f{i}", 100)
    assert len(n_scans) < 25  # ten writes fill the tenth that was freed
    assert 9_000 <= size(tmp_path) <= 10_000


def test_files_that_were_there_before_the_journal_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_size, "MAX_CACHE_BYTES", 1000)
    for i in range(50):
        (tmp_path / f"old{i}.npz").write_bytes(b"x" * 100)
    put(tmp_path, "new", 100, age_s=-5.0)
    assert size(tmp_path) <= 1000
    assert "new" in names(tmp_path)


@pytest.mark.parametrize("content", ["", "garbage\n", "measured x\n5\n", "measured 5\nx\n", "\0\0"])
def test_a_damaged_journal_is_written_again(tmp_path: Path, content: str) -> None:
    (tmp_path / JOURNAL).write_text(content)
    put(tmp_path, "a", 70)
    assert (tmp_path / JOURNAL).read_text() == "measured 70\n"


def test_a_journal_that_cannot_be_written_keeps_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_size, "MAX_CACHE_BYTES", 1000)
    (tmp_path / JOURNAL).mkdir()
    for i in range(20):
        put(tmp_path, f"f{i}", 100, age_s=100.0 - i)
        assert size(tmp_path) <= 1000


def test_unfinished_files_of_killed_processes_are_removed_by_the_next_write(tmp_path: Path) -> None:
    _, arrays = compiled(campus_data())
    (tmp_path / "unfinished").mkdir()
    old = [tmp_path / "unfinished" / "old.tmp", tmp_path / "of-version-0.1.tmp"]
    young = tmp_path / "unfinished" / "young.tmp"
    for path in (*old, young):
        path.write_bytes(b"half")
    for path in old:
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    save_arrays(arrays, "k" * 64, tmp_path)
    assert sorted(tmp_path.rglob("*.tmp")) == [young]
    assert load_arrays("k" * 64, tmp_path) is not None


@pytest.mark.parametrize("max_bytes", [0, 3000])
def test_a_limit_of_the_system_is_survived_with_the_right_answer(tmp_path: Path, max_bytes: int) -> None:
    """As with a full disk, the write of the arrays fails half way."""
    resource = pytest.importorskip("resource")
    code = "import twin; print(twin.load('leaf-spine-demo').arrays.n_links)"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))

    environment = os.environ | {
        "TWIN_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, preexec_fn=limit, timeout=120
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "16\n", "")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
