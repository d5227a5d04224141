"""Slow, obvious versions for states of components: every state, and paths by growing what is reached."""

import math
from collections.abc import Callable, Sequence
from itertools import product


def share_of_states(modes: Sequence[Sequence[float]], holds: Callable[[tuple[int, ...]], bool]) -> float:
    """Probability that something holds, over all states of independent components.

    Component i is in its mode m > 0 with probability modes[i][m - 1], and else up, which is mode 0.
    """
    total = 0.0
    for state in product(*(range(len(down) + 1) for down in modes)):
        if holds(state):
            parts = [down[m - 1] if m else 1.0 - sum(down) for m, down in zip(state, modes, strict=True)]
            total += math.prod(parts)
    return total


def has_path(ends: Sequence[tuple[int, int]], source: int, target: int, hosts: frozenset[int] = frozenset()) -> bool:
    """Tell whether links join two nodes, none of which is in between a host: reach nodes until none is new."""
    reached, grew = {source}, True
    while grew:
        new = {
            head
            for a, b in ends
            for tail, head in ((a, b), (b, a))
            if tail in reached and (tail == source or tail not in hosts)
        }
        grew, reached = not new <= reached, reached | new
    return target in reached
