"""Share of a piece of work that is done, made of the shares of its parts; it only grows."""

from __future__ import annotations

from collections.abc import Callable

from . import deadline

N_STEPS = 100
"""Steps of a whole; each is a percent."""
Advance = Callable[[int, int], None]
"""Function that receives the number of finished steps and of all. An exception from it ends the work."""


class Progress:
    """Progress of a piece of work.

    Args:
        advance: receives the steps; None = nobody follows.
        n_steps: steps of the whole.
    """

    def __init__(self, advance: Advance | None = None, n_steps: int = N_STEPS) -> None:
        self._advance, self._n_steps, self._n_done = advance, n_steps, 0

    def tell(self, done_ratio: float) -> None:
        """Note the share that is done, from 0 to 1; a smaller one than before counts as that one.

        Raises:
            EndedError: the work shall end.
        """
        deadline.check()
        self._n_done = max(self._n_done, min(int(done_ratio * self._n_steps), self._n_steps))
        if self._advance is not None:
            self._advance(self._n_done, self._n_steps)

    def count(self, n_done: int, n_items: int) -> None:
        """Note finished items of all, as an `Advance` of a part of the work.

        Raises:
            EndedError: the work shall end.
        """
        self.tell(n_done / n_items if n_items else 1.0)

    def part(self, begin_ratio: float, end_ratio: float) -> PartProgress:
        """Return the progress of a part of the work, between two shares of the whole."""
        return PartProgress(self, begin_ratio, end_ratio)


class PartProgress(Progress):
    """Progress of a part of a piece of work.

    Args:
        whole: progress of the whole.
        begin_ratio: share of the whole where the part begins.
        end_ratio: share of the whole where it ends.
    """

    def __init__(self, whole: Progress, begin_ratio: float, end_ratio: float) -> None:
        super().__init__()
        self._whole, self._begin_ratio, self._end_ratio = whole, begin_ratio, end_ratio

    def tell(self, done_ratio: float) -> None:
        """Note the share of the part that is done."""
        self._whole.tell(self._begin_ratio + done_ratio * (self._end_ratio - self._begin_ratio))
