"""Run of a sweep of failures: on threads or on a dask scheduler, with a checkpoint, until all is computed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np

from ..errors import ChangeError
from ..failures.kinds import Kind
from ..failures.pair_sweep import sweep_of
from ..failures.sweep import Part, Sweep
from ..progress import Advance
from .checkpoint import Checkpoint, FolderPlace, PartPlace, kept_in
from .executor import Workers, dask_at, run_items
from .kept_parts import MIN_INTERVAL_S, KeptParts, kept_parts

BATCH_S = 0.1
"""Time after which a study reports progress and may be cancelled; work of one batch of a remote worker."""

Batch = tuple[int, int]
"""First class of a batch, and the class behind its last."""


@dataclass(frozen=True)
class FailureTask:
    """A sweep for the workers of a study: each computes batches of its classes."""

    kind: Kind

    def start(self) -> Callable[[Sequence[Batch]], Iterator[Part]]:
        """Route the intact network."""
        return partial(_parts, sweep_of(self.kind))


@dataclass(frozen=True)
class FailureRun:
    """Where a sweep runs, and whom it tells. The answers do not depend on it."""

    n_threads: int = 1
    dask: str | None = None
    """Address of a dask scheduler whose workers help."""
    checkpoint: str | Path | None = None
    """Folder of the checkpoint."""
    advance: Advance | None = None
    """Called between batches with the number of finished failures and of all; an exception ends the run."""
    cancel: threading.Event | None = None

    def run(self, sweep: Sweep, task: FailureTask, question: str) -> None:
        """Compute what a sweep, or its checkpoint, has not computed yet.

        Args:
            sweep: the sweep.
            task: work for an equal sweep elsewhere.
            question: network and question, for the checkpoint.

        Raises:
            ChangeError: the checkpoint is of another question, or cannot be read or written.
            TwinError: dask is not installed, or no scheduler answers.
            CancelledError: once `cancel` is set.
        """
        checkpoint = self._resumed(sweep, question)
        try:
            size = self._run_here(sweep, checkpoint, only_first=self.dask is not None)
            if self.dask is not None:
                self._run_on_dask(dask_at(self.dask), sweep, task, size, checkpoint)
        finally:
            if self.checkpoint is not None and checkpoint is not None:
                checkpoint.save(sweep.columns())

    def run_classes(self, sweep: Sweep) -> None:
        """Compute all of a sweep on the threads of this process, without a checkpoint."""
        self._run_here(sweep, None, only_first=False)

    def workers(self, executor: str) -> Workers:
        """Return the workers of a study of the job: those of the scheduler, else of an executor."""
        return Workers(executor, self.n_threads) if self.dask is None else dask_at(self.dask)

    def job_parts(self, question: str, digest: Callable[[], str]) -> KeptParts | None:
        """Return the keeper of a study of the job: the folder of the checkpoint, else that of the caller, if any.

        Args:
            question: network and question, for the checkpoint.
            digest: function that returns the digest of everything that the answers depend on.

        Raises:
            ChangeError: the checkpoint is of another question, or cannot be read.
        """
        return kept_parts() if self.checkpoint is None else kept_in(self.checkpoint, question, digest())

    def _resumed(self, sweep: Sweep, question: str) -> Checkpoint | None:
        """Restore what an earlier run has computed, and return the checkpoint of this one."""
        parts = kept_parts()
        if self.checkpoint is not None:
            checkpoint = Checkpoint(FolderPlace(self.checkpoint), question, sweep.digest())
            columns = checkpoint.load(sweep.columns())
        elif parts is not None:
            checkpoint, columns = Checkpoint(PartPlace(parts), question, sweep.digest(), MIN_INTERVAL_S), None
            with suppress(ChangeError):  # what cannot be used is computed again
                columns = checkpoint.load(sweep.columns())
        else:
            return None
        if columns is not None:
            sweep.restore(columns)
        return checkpoint

    def _run_here(self, sweep: Sweep, checkpoint: Checkpoint | None, *, only_first: bool) -> int:
        """Compute batches of about `BATCH_S`, all or only until one takes so long. Returns the classes in a batch."""
        size = 8 * self.n_threads
        with ThreadPoolExecutor(self.n_threads) as pool:
            while (left := _open_classes(sweep)) is not None:
                self._raise_if_cancelled(sweep)
                start_s, begin, end = perf_counter(), left[0], min(left[0] + size, left[1])
                sweep.run(begin, end, pool, self.n_threads)
                taken_s = max(perf_counter() - start_s, 1e-6)
                size = max(self.n_threads, min(4 * size, int(size * BATCH_S / taken_s)))
                self._tell(sweep, checkpoint)
                if only_first and taken_s >= BATCH_S / 2.0:
                    break
        return size

    def _run_on_dask(
        self, workers: Workers, sweep: Sweep, task: FailureTask, size: int, checkpoint: Checkpoint | None
    ) -> None:
        """Compute the rest in batches of `size` classes, with the workers of a scheduler."""

        def keep(_: int, part: Part) -> None:
            sweep.take(part)
            self._tell(sweep, checkpoint)
            self._raise_if_cancelled(sweep)

        open_classes = np.flatnonzero(~sweep.is_done)
        breaks = np.flatnonzero(np.diff(open_classes) != 1) + 1
        batches: list[Batch] = []
        for classes in np.split(open_classes, breaks) if len(open_classes) else []:
            begin, behind = int(classes[0]), int(classes[-1]) + 1
            batches += [(row, min(row + size, behind)) for row in range(begin, behind, size)]
        solve = partial(_parts, sweep)
        run_items(task, batches, workers, local_solve=solve, keep=keep)

    def _tell(self, sweep: Sweep, checkpoint: Checkpoint | None) -> None:
        if checkpoint is not None:
            checkpoint.save_if_due(sweep.columns())
        if self.advance is not None:
            self.advance(int(sweep.is_done.sum()), sweep.n_classes)

    def _raise_if_cancelled(self, sweep: Sweep) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError(f"cancelled after {int(sweep.is_done.sum())} of {sweep.n_classes} failures")


def _open_classes(sweep: Sweep) -> Batch | None:
    """Return the first classes that are not computed; None if all are."""
    if sweep.is_done.all():
        return None
    begin = int(sweep.is_done.argmin())
    behind = int(sweep.is_done[begin:].argmax())
    return begin, begin + behind if behind else sweep.n_classes


def _parts(sweep: Sweep, batches: Sequence[Batch]) -> Iterator[Part]:
    return (sweep.part(begin, end) for begin, end in batches)
