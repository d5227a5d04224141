"""A task for the executor that needs no network; worker processes import it."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import sleep

from twin.errors import ConvergenceError

Answer = tuple[int, int, int]
"""A square, the process that worked it out and its thread."""


@dataclass(frozen=True)
class Squares:
    """Squares of whole numbers; 13 is an error of the kind that `fault` names."""

    fault: str = ""
    takes_s: float = 0.0

    def start(self) -> Callable[[Sequence[int]], Iterator[Answer]]:
        return self.solve

    def solve(self, items: Sequence[int]) -> Iterator[Answer]:
        for item in items:
            sleep(self.takes_s)
            if self.fault == "loud" and multiprocessing.parent_process() is not None:
                print("working", flush=True)
            if item == 13 and self.fault == "error":
                raise ConvergenceError("13 does not settle", residual=0.5)
            if item == 13 and self.fault == "death" and multiprocessing.parent_process() is not None:
                os._exit(3)
            yield item * item, os.getpid(), threading.get_ident()
