"""The decorators of kernels: `kernel`, and two for kernels that create no array."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile

from ..leftovers import remove_old_files

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a function at its first call; never parallel, never fastmath: same answer to the last bit.

    The compiled kernel is cached on disk and releases the GIL. Without a cache that can be read and written, each
    process compiles again.
    """
    return _with_cache(function, njit(nogil=True)(function))


def scratch_kernel(function: Function) -> Function:
    """Compile a function that creates no array, but works in the room of its arguments.

    Arrays that it reads out of tuples then need no count of references, which takes longer than the work on a node.
    """
    return _with_cache(function, njit(nogil=True, _nrt=False)(function))  # type: ignore[call-overload]


def inner_kernel(function: Function) -> Function:
    """Compile a function that creates no array into each kernel that calls it, as part of an inner loop.

    A call passes each array as seven words, which takes longer than the work on a few nodes.
    """
    return _with_cache(function, njit(nogil=True, forceinline=True, _nrt=False)(function))  # type: ignore[call-overload]


def _with_cache(function: Function, compiled: Any) -> Function:
    if hasattr(compiled, "_cache"):  # with NUMBA_DISABLE_JIT it is the function itself
        try:
            compiled._cache = _KernelCache(function)
        except RuntimeError as error:  # no folder is writable
            _warn_once(str(error))
    return cast(Function, compiled)


class _KernelCache(FunctionCache):
    """numba's cache of one function; a cache that fails is a cache miss, not an error."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        impl = self._impl
        self.stamps = {impl.locator.get_source_stamp()} | _stamps_of_imported_kernels(function)
        self._file = _KernelCacheFile(self._cache_path, impl.filename_base, tuple(sorted(self.stamps)))
        self._cache_file = self._file

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function of a signature; None if the cache lacks it or its files are damaged."""
        _remove_leftovers(Path(self.cache_path))
        try:
            return super().load_overload(sig, target_context)
        except OSError:
            return None
        except Exception:  # pickle raises many error types for a damaged file
            self._file.remove_index()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save the compiled function of a signature, if the disk allows it."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _warn_once(str(error))


def _stamps_of_imported_kernels(function: Callable[..., Any]) -> set[Any]:
    """Return the stamps of the files whose kernels a function may call.

    Compiled code contains the code of the kernels that it calls. numba looks at the file of the function alone, and
    would run old code after a change of another file.
    """
    caches = [getattr(value, "_cache", None) for value in function.__globals__.values()]
    return {stamp for cache in caches if isinstance(cache, _KernelCache) for stamp in cache.stamps}


class _KernelCacheFile(IndexDataCacheFile):
    """numba's files of one function, written so that the index never names code of an older source.

    numba writes the index first. If the process ends before the code is written, the index names the code of the
    source before, and the next process runs it.
    """

    def save(self, key: Any, data: Any) -> None:
        """Save compiled code, then its entry in the index."""
        code_by_key = self._load_index()
        if not code_by_key:
            self.remove_index()  # the index of an older source names the file that is written now
        names = set(code_by_key.values())
        new_name = next(name for i in range(1, len(names) + 2) if (name := self._data_name(i)) not in names)
        name = code_by_key.setdefault(key, new_name)
        self._save_data(name, data)
        self._save_index(code_by_key)

    def remove_index(self) -> None:
        """Remove the index, so that no compiled code is found."""
        with suppress(OSError):
            Path(self._index_path).unlink(missing_ok=True)


@cache
def _remove_leftovers(folder: Path) -> None:
    """Remove unfinished files of killed processes, once in each process."""
    remove_old_files(folder, "*.nb?.tmp.*")


_warned: list[str] = []


def _warn_once(problem: str) -> None:
    """Say once in a process that kernels are not cached, on stderr unless the program configures its logs."""
    if not _warned:
        _warned.append(problem)
        logging.getLogger("twin").warning("compiled kernels are not cached, each run compiles again: %s", problem)
