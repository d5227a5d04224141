"""The decorator of all kernels: compiled code is cached, and a cache that fails costs time only."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from numba import config
from numba.core.caching import CacheImpl, UserProvidedCacheLocator

from twin.kernels import jit

pytestmark = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="kernels are plain Python")
ROOT = Path(__file__).parents[2]
SOURCE = """
from twin.kernels.jit import kernel

@kernel
def scaled(x):
    return {factor} * x
"""


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in a fresh process."""
    monkeypatch.setattr(jit, "_warned", [])
    jit._remove_leftovers.cache_clear()
    yield
    jit._remove_leftovers.cache_clear()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setattr(config, "CACHE_DIR", str(folder))
    # byte code of a source rewritten within a second and at the same size would be taken for that of the new one
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return folder


def scaled(folder: Path, factor: int = 2) -> Callable[[int], int]:
    """A kernel read from its file as a fresh process reads it."""
    path = folder / "kernel_of_test.py"
    path.write_text(SOURCE.format(factor=factor))
    spec = importlib.util.spec_from_file_location("kernel_of_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[[int], int] = module.scaled
    return function


def n_hits(function: Any) -> int:
    return sum(function.stats.cache_hits.values())


def files(cache: Path, pattern: str) -> list[Path]:
    return sorted(cache.rglob(pattern))


def test_compiled_code_is_cached_and_releases_the_lock(tmp_path: Path, cache: Path) -> None:
    first, second = scaled(tmp_path), scaled(tmp_path)
    assert (first(21), n_hits(first)) == (42, 0)
    assert [path.suffix for path in files(cache, "*.nb?")] == [".nbc", ".nbi"]
    assert (second(21), n_hits(second)) == (42, 1)
    options = first.targetoptions  # type: ignore[attr-defined]
    assert {name: value for name, value in options.items() if value} == {"nogil": True, "nopython": True}


def test_each_signature_has_code_of_its_own(tmp_path: Path, cache: Path) -> None:
    first, second = scaled(tmp_path), scaled(tmp_path)
    assert (first(21), first(0.5)) == (42, 1.0)  # type: ignore[arg-type]
    assert len(files(cache, "*.nbc")) == 2
    assert (second(0.5), second(21), n_hits(second)) == (1.0, 42, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("pattern", ["*.nbi", "*.nbc"])
def test_a_damaged_file_is_compiled_again(tmp_path: Path, cache: Path, pattern: str) -> None:
    scaled(tmp_path)(21)
    (damaged,) = files(cache, pattern)
    damaged.write_bytes(b"")
    again, later = scaled(tmp_path), scaled(tmp_path)
    assert (again(21), n_hits(again)) == (42, 0)
    assert (later(21), n_hits(later)) == (42, 1)


def test_code_of_an_older_source_is_never_run(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk is full when the code of a newer source is written: the file with the old code stays."""
    assert scaled(tmp_path, factor=2)(21) == 42
    with monkeypatch.context() as patch:
        patch.setattr(jit._KernelCacheFile, "_save_data", full_disk)
        assert scaled(tmp_path, factor=3)(21) == 63
    assert len(files(cache, "*.nbc")) == 1
    assert scaled(tmp_path, factor=3)(21) == 63


CALLER = """
from kernel_that_is_called import scaled
from twin.kernels.jit import kernel

@kernel
def twice(x):
    return scaled(scaled(x))
"""


def test_code_that_calls_a_kernel_of_a_changed_file_is_compiled_again(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kernel_that_calls.py").write_text(CALLER)
    monkeypatch.syspath_prepend(str(tmp_path))

    def twice(factor: int) -> Any:
        called, source = tmp_path / "kernel_that_is_called.py", SOURCE.format(factor=factor)
        if not called.exists() or called.read_text() != source:
            called.write_text(source)
        for name in ("kernel_that_is_called", "kernel_that_calls"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        importlib.invalidate_caches()
        return importlib.import_module("kernel_that_calls").twice

    first, second, third = twice(2), twice(2), twice(10)
    assert (first(1), n_hits(first)) == (4, 0)
    assert (second(1), n_hits(second)) == (4, 1)
    assert (third(1), n_hits(third)) == (100, 0)


def full_disk(*_: Any) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_reported_once(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(jit._KernelCacheFile, "_save_data", full_disk)
    assert (scaled(tmp_path)(21), scaled(tmp_path)(2)) == (42, 4)
    assert len(caplog.records) == 1
    assert "No space left on device" in caplog.text


def test_without_a_folder_that_is_writable_kernels_are_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(CacheImpl, "_locator_classes", [UserProvidedCacheLocator])
    assert scaled(tmp_path)(21) == 42
    assert "no locator available" in caplog.text


def test_a_folder_that_becomes_read_only_is_no_fault(
    tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    function = scaled(tmp_path)
    (folder,) = cache.iterdir()
    folder.rmdir()
    folder.write_text("in the way")
    assert function(21) == 42
    assert len(caplog.records) == 1


@pytest.mark.parametrize("max_bytes", [0, 2000])
def test_a_limit_of_the_system_is_survived_with_the_right_answer(tmp_path: Path, max_bytes: int) -> None:
    """0 bytes: not even the index can be written. 2000 bytes: the index can, compiled code cannot."""
    resource = pytest.importorskip("resource")
    (tmp_path / "kernel_of_test.py").write_text(SOURCE.format(factor=2) + "\n\nprint(scaled(21), scaled(0.5))\n")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))

    environment = os.environ | {
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    found = subprocess.run(
        [sys.executable, tmp_path / "kernel_of_test.py"],
        capture_output=True,
        text=True,
        env=environment,
        preexec_fn=limit,
        timeout=120,
    )
    assert (found.returncode, found.stdout) == (0, "42 1.0\n"), found.stderr
    assert len(found.stderr.splitlines()) == 1
    assert "File too large" in found.stderr
    assert files(tmp_path / "cache", "*.nbc*") == []


def test_unfinished_files_of_killed_processes_are_removed(tmp_path: Path, cache: Path) -> None:
    scaled(tmp_path)(21)
    (code,) = files(cache, "*.nbc")
    old, young = (code.with_name(f"{code.name}.tmp.{name}") for name in ("0" * 16, "1" * 16))
    for path in (old, young):
        path.write_bytes(b"half")
    two_hours_ago = time.time() - 7200
    for path in (old, code):
        os.utime(path, (two_hours_ago, two_hours_ago))
    jit._remove_leftovers.cache_clear()
    later = scaled(tmp_path)
    assert (later(21), n_hits(later)) == (42, 1)
    assert files(cache, "*.tmp.*") == [young]
    assert code.exists()
