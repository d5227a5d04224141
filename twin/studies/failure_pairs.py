"""Pairs of failures of one kind: all of them, or some that are drawn."""

from __future__ import annotations

from dataclasses import dataclass

from ..arrays import Ints
from ..errors import ChangeError, TopologyError
from ..errors.wording import counted
from ..failures.pair_classes import pair_classes
from ..failures.pairs import PairFailures, all_pairs, n_pairs, sampled_pairs
from .failure_kinds import FailureSet, pairs_with_ids

MAX_DEPTH = 2
MAX_PAIRS = 300_000
"""Most pairs of one study; each is a row of the answer."""
MAX_PAIR_PATHS = 500_000_000
"""Most pairs times destinations; some ten minutes."""
S_PER_PATH = 1.3e-6
"""Time for one pair and destination where each pair is computed by itself; a fraction of it where states are kept."""
BYTES_PER_PAIR = 1_200
"""Memory of one pair: its arcs, answers and row."""
SAME_LINK = "Left out: pairs of members of the same link, of {}; `twin availability` counts them."
MAX_GROUPED = 4_000_000
"""Most pairs that are grouped by place, where there are too many to list."""


@dataclass(frozen=True)
class Depth:
    """Number of failures that happen together, and of such cases that are drawn.

    Raises:
        ChangeError: a number out of bounds, or a sample of single failures.
    """

    n: int = 1
    """1 = single failures, 2 = pairs."""
    sample: int | None = None
    """Pairs to draw without replacement, each with the same probability; None = all."""
    seed: int = 0
    """Seed of the draw."""

    def __post_init__(self) -> None:
        if isinstance(self.n, bool) or self.n not in range(1, MAX_DEPTH + 1):
            raise ChangeError(f"depth {self.n!r}", where="depth", expected="1 (single failures) or 2 (pairs)")
        if self.sample is not None and (type(self.sample) is not int or not 1 <= self.sample <= MAX_PAIRS):
            expected = f"a whole number from 1 to {MAX_PAIRS:,}"
            raise ChangeError(f"sample {self.sample!r}", where="sample", expected=expected)
        if type(self.seed) is not int or self.seed < 0:
            raise ChangeError(f"seed {self.seed!r}", where="seed", expected="a whole number from 0")
        if self.sample is not None and self.n == 1:
            raise ChangeError("a sample of single failures", where="sample", hint="all are computed; pairs: --depth 2")

    def left_out(self, of: str, n_members: Ints) -> tuple[str, ...]:
        """Return what is no pair here, as a sentence: two members of one link.

        Args:
            of: kind of the failures.
            n_members: members of each link that are up, int64[n_links].
        """
        if self.n == 1 or of != "member" or not (n_members > 1).any():
            return ()
        return (SAME_LINK.format(counted(int((n_members > 1).sum()), "bundle")),)

    def noun(self, of: str) -> tuple[str, str]:
        """Return one failure of a kind, and many, in words."""
        if self.n == 1:
            return f"{of} failure", f"{of} failures"
        return f"pair of {of} failures", f"pairs of {of} failures"

    def question(self, of: str) -> str:
        """Return what is asked, in words."""
        drawn = "all" if self.sample is None else f"{self.sample:,} drawn with seed {self.seed}"
        return f"{self.noun(of)[1]}, {drawn}"


def failures_at_depth(
    found: FailureSet, depth: Depth, of: str, n_destinations: int, *, may_group: bool = True
) -> tuple[FailureSet, int]:
    """Return the failures of a depth, and how many there are of which these were drawn.

    Args:
        found: all single failures.
        depth: depth and sample.
        of: their kind, for messages.
        n_destinations: nodes that demands leave at.
        may_group: whether pairs in equal places may be listed as one; a job makes them unequal.

    Raises:
        ChangeError: there is no pair.
        TopologyError: too many pairs.
    """
    n = len(found.ids)
    if depth.n == 1:
        return found, n
    if n == 1:
        raise ChangeError(f"only one {of} carries traffic", where="depth", expected="two for a pair")
    n_all = n_pairs(n)
    if may_group and depth.sample is None and MAX_PAIRS < n_all <= MAX_GROUPED and found.kind.anchors:
        classes = pair_classes(found.kind)
        _check_work(len(classes.model), f"classes of pairs of {of} failures", n_destinations, "depth")
        return pairs_with_ids(found.ids, classes.models, classes), n_all
    n_drawn = n_all if depth.sample is None else min(depth.sample, n_all)
    _check_work(n_drawn, f"pairs of {of} failures", n_destinations, "depth" if depth.sample is None else "sample")
    first, second = all_pairs(n) if depth.sample is None else sampled_pairs(n, depth.sample, depth.seed)
    return pairs_with_ids(found.ids, PairFailures(found.kind, first, second)), n_all


def _check_work(n: int, what: str, n_destinations: int, where: str) -> None:
    most = min(MAX_PAIRS, MAX_PAIR_PATHS // max(1, n_destinations))
    if n > most:
        minutes, gb = max(1.0, n * n_destinations * S_PER_PATH / 60.0), n * BYTES_PER_PAIR / 1e9
        raise TopologyError(
            f"{n:,} {what} and {n_destinations:,} destinations take up to {minutes:,.0f} minutes and {gb:,.1f} GB",
            where=where,
            expected=f"up to {most:,} pairs",
            hint=f"--sample {most} draws so many of them" if most else "fewer destinations",
        )
