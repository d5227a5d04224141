"""Memory allocator: what is set, and what is left alone."""

from __future__ import annotations

import ctypes
import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from twin.stages import allocator

keep = allocator.keep_freed_memory.__wrapped__


@pytest.fixture(autouse=True)
def no_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MALLOC_") or name == "GLIBC_TUNABLES"]:
        monkeypatch.delenv(name)


def with_library(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(**functions))


def test_both_thresholds_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    with_library(monkeypatch, mallopt=lambda option, value: given.append((option, value)) or 1)
    assert keep() is True
    assert given == [(-1, 268_435_456), (-3, 33_554_432)]


@pytest.mark.parametrize("refused", [-1, -3])
def test_a_refused_setting_is_told(monkeypatch: pytest.MonkeyPatch, refused: int) -> None:
    with_library(monkeypatch, mallopt=lambda option, value: int(option != refused))
    assert keep() is False


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_settings_of_the_user_come_first(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with_library(monkeypatch, mallopt=lambda option, value: pytest.fail("was set"))
    assert keep() is False


def test_another_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with_library(monkeypatch)
    assert keep() is False


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is the C library of most Linux systems alone")
def test_glibc_takes_the_settings() -> None:
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("not glibc")
    assert keep() is True
