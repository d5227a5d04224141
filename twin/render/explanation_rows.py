"""Parts of a step and its bottlenecks, as rows of text for a terminal or a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .numbers import seconds_text

CAUSE_NAMES = {
    "delay": "distance (round trips)",
    "line_loss": "frame loss",
    "interconnect": "capacity between sites",
    "fabric": "capacity inside sites",
    "buffers": "buffers and hashing",
    "accelerators": "mixed accelerators",
    "split": "batch split",
    "pipeline_fill": "pipeline bubble",
}
CAUSE_COLUMNS = ("cause", "share", "of the gap", "removed alone", "removed last")
PHASE_NAMES = {
    "reduce_scatter": "exposed reduce-scatter inside sites",
    "all_gather": "exposed all-gather inside sites",
    "wide_area": "exposed inter-site all-reduce",
    "pipeline": "exposed traffic between pipeline stages",
    "in_layers": "exposed tensor, context and expert exchange",
}
OVERLAP_NAME = "overlap between phases"
PHASES_NOTE = (
    "Exposed time of a phase: what the step saves without this phase. Overlap between phases: time that only removing "
    "several phases saves; below 0 where removing either of two phases saves the same seconds."
)
SMALL_S = 5e-4
"""Shorter parts of a step are left out of the table."""


def step_parts(data: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return (name, seconds) of the parts of a step. They add up to the step time.

    data: `Explanation.to_dict()`.
    """
    communication = [(PHASE_NAMES[phase], seconds) for phase, seconds in data["exposed_s"].items()]
    optional = [*communication, (OVERLAP_NAME, data["overlap_time_s"])]
    computation = [("compute", data["compute_time_s"]), ("pipeline bubble", data["bubble_time_s"])]
    return [*computation, *((name, seconds) for name, seconds in optional if seconds)]


def cause_rows(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a row for each cause of `Explanation.to_dict()`, with the columns of `CAUSE_COLUMNS`."""
    return [
        (
            CAUSE_NAMES[cause["name"]],
            seconds_text(cause["share_s"]),
            "–" if cause["share_ratio"] is None else f"{cause['share_ratio']:z.0%}".replace("%", " %"),
            seconds_text(cause["alone_s"]),
            seconds_text(cause["last_s"]),
        )
        for cause in data["causes"]
    ]
