"""Colours of lines of a drawing by use, failures, margin or age: steps that planners use, lightest first."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from ..errors import ChangeError, did_you_mean
from .canvas import GREY

COLOURS = ("#7fb2d9", "#2f7fb8", "#e0a43a", "#d9662b", "#a31621")
"""From good to bad; they differ in lightness, so that they can be told apart without colour."""
NO_VALUE = "#b8b8b8"
DOWN = GREY


@dataclass(frozen=True)
class Heat:
    """A figure of lines, with the steps between its colours."""

    key: str
    """Field of `DrawnLine`."""
    label: str
    unit: str
    """`ratio`, `dB` or `years`."""
    steps: tuple[float, float, float, float]
    """Rising; a value at a step belongs to the colour above it."""
    higher_is_worse: bool = True
    last_label: str = ""
    """Label of values from the last step on; empty = that step `and above`."""

    def colour(self, value: float | None) -> str:
        """Return the colour of a value; grey for none."""
        if value is None:
            return NO_VALUE
        above = sum(value >= step for step in self.steps)
        return COLOURS[above if self.higher_is_worse else len(self.steps) - above]


HEATS: dict[str, Heat] = {
    heat.key: heat
    for heat in (
        Heat("utilisation_ratio", "utilisation", "ratio", (0.3, 0.5, 0.7, 1.0)),
        Heat("worst_failure_utilisation_ratio", "utilisation after the worst failure", "ratio", (0.5, 0.7, 0.9, 1.0)),
        Heat(
            "failure_rate_lost_ratio",
            "step rate lost if a link fails",
            "ratio",
            (0.001, 0.05, 0.2, 1.0),
            last_label="job stops",
        ),
        Heat("margin_db", "optical margin", "dB", (0.0, 1.0, 2.0, 3.0), higher_is_worse=False),
        Heat("age_years", "age", "years", (3.0, 7.0, 12.0, 20.0)),
    )
}
"""Heats by field, in the order of menus."""


def step_labels(heat: Heat) -> list[str]:
    """Return the label of each colour, from good to bad: `below 30 %`, `30 % to 50 %`, ... `100 % and above`."""

    def text(value: float) -> str:
        return f"{100.0 * value:g} %" if heat.unit == "ratio" else f"{value:g} {heat.unit}"

    steps = heat.steps
    labels = [
        f"below {text(steps[0])}",
        *(f"{text(a)} to {text(b)}" for a, b in itertools.pairwise(steps)),
        heat.last_label or f"{text(steps[-1])} and above",
    ]
    return labels if heat.higher_is_worse else labels[::-1]


def heat_named(name: str) -> Heat:
    """Return a heat by its field, with or without the unit. Raises ChangeError for an unknown name."""
    found = [heat for key, heat in HEATS.items() if name in (key, key.rpartition("_")[0])]
    if not found:
        names = [key.rpartition("_")[0] for key in HEATS]
        expected = f"one of {', '.join(names)}"
        raise ChangeError(f"no heat {name!r}", where="draw", expected=expected, hint=did_you_mean(name, names))
    return found[0]
