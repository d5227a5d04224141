"""The decorator of all kernels, looked at with numba's own put aside."""

from __future__ import annotations

import importlib

import numba
import pytest

from twin.kernels import jit


def test_kernels_are_cached_on_disk_and_release_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = jit.kernel
    with monkeypatch.context() as patch:
        patch.setattr(numba, "njit", lambda **options: options)
        patch.setattr(jit, "kernel", kernel)  # put back afterwards
        assert importlib.reload(jit).kernel == {"cache": True, "nogil": True}
    assert jit.kernel is kernel
