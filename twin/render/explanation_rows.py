"""Parts of a step and its bottlenecks, as rows of text for a terminal or a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .numbers import seconds_text

CAUSE_NAMES = {
    "delay": "round trips (delay)",
    "line_loss": "line loss",
    "interconnect": "capacity between sites",
    "fabric": "capacity inside sites",
    "buffers": "buffers and hashing",
    "accelerators": "mixed accelerators",
    "split": "the split of the work",
    "pipeline_fill": "filling the pipeline",
}
CAUSE_COLUMNS = ("cause", "share", "of the gap", "alone", "last")
PHASES_NOTE = (
    "Seconds of a phase: what the step would save without it, by itself. Hidden behind one another: what would go only "
    "with several phases together; below 0 where either of two would save the same seconds."
)


def step_parts(data: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return (name, seconds) of the parts of a step. They add up to the step time.

    data: `Explanation.to_dict()`.
    """
    communication = [(f"exposed, {phase.replace('_', ' ')}", seconds) for phase, seconds in data["exposed_s"].items()]
    optional = [*communication, ("hidden behind one another", data["overlap_time_s"])]
    computation = [("compute", data["compute_time_s"]), ("bubble", data["bubble_time_s"])]
    return [*computation, *((name, seconds) for name, seconds in optional if seconds)]


def cause_rows(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a row for each cause of `Explanation.to_dict()`, with the columns of `CAUSE_COLUMNS`."""
    return [
        (
            CAUSE_NAMES[cause["name"]],
            seconds_text(cause["share_s"]),
            "–" if cause["share_ratio"] is None else f"{cause['share_ratio']:z.1%}",
            seconds_text(cause["alone_s"]),
            seconds_text(cause["last_s"]),
        )
        for cause in data["causes"]
    ]
