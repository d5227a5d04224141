"""Folders of studies: those of running processes stay, those of killed ones go."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from twin.studies.task_folder import LOCK, PREFIX, remove_abandoned, task_folder

ROOT = Path(__file__).parents[2]
HELD = """
from twin.studies.task_folder import task_folder
with task_folder() as folder:
    (folder / "task").write_bytes(b"data")
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def parent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def made(parent: Path, name: str, age_s: float, *files: str) -> Path:
    folder = parent / name
    folder.mkdir()
    for file in files:
        (folder / file).write_bytes(b"")
    os.utime(folder, (time.time() - age_s, time.time() - age_s))
    return folder


def test_a_folder_is_there_until_the_end() -> None:
    with task_folder() as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_the_folder_of_a_running_process_stays_and_that_of_a_killed_one_goes(parent: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(parent), "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HELD], env=environment, text=True, **pipes) as process:  # type: ignore[call-overload]
        folder = Path(process.stdout.readline().strip())
        os.utime(folder, (time.time() - 90_000, time.time() - 90_000))
        remove_abandoned(parent)
        assert (folder / "task").exists()
        process.kill()
    assert folder.exists()
    os.utime(folder, (time.time() - 60, time.time() - 60))
    with task_folder() as other:
        assert not folder.exists()
        assert other.exists()


@pytest.mark.parametrize(
    ("age_s", "files", "stays"),
    [
        (1.0, [LOCK], True),  # its process may be about to lock it
        (60.0, [LOCK], False),
        (60.0, ["task"], True),  # of a version without locks
        (7200.0, ["task"], False),
        (7200.0, [], False),
    ],
)
def test_age_decides_where_a_lock_cannot(age_s: float, files: list[str], stays: bool, parent: Path) -> None:
    folder = made(parent, f"{PREFIX}x", age_s, *files)
    remove_abandoned(parent)
    assert folder.exists() == stays


def test_what_is_not_a_study_folder_stays(parent: Path) -> None:
    target = made(parent, "other", 90_000.0, LOCK)
    (parent / f"{PREFIX}link").symlink_to(target)
    (parent / f"{PREFIX}file").write_text("x")
    remove_abandoned(parent)
    assert (target / LOCK).exists()
    assert (parent / f"{PREFIX}file").exists()
