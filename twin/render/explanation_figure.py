"""What is in the way, as a waterfall from the step as it is to the step with nothing in the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .canvas import CENTRAL, GREY, HARSH, KIND, drawn, headline, sheet, shown

LABELS = {
    "delay": "round trips\n(delay)",
    "line_loss": "line\nloss",
    "interconnect": "capacity\nbetween sites",
    "fabric": "capacity\ninside sites",
    "buffers": "buffers,\nhashing",
    "accelerators": "mixed\naccelerators",
    "split": "split of\nthe work",
    "pipeline_fill": "pipeline\nfill",
}
ROOM_ABOVE = 0.16
"""Of the height, for the labels of the highest bar."""


@drawn
def explanation_figure(data: Mapping[str, Any]) -> Any:
    """Draw `Explanation.to_dict()`: bars fall (or rise) by each share; marks: the step with only that cause away."""
    causes, step_s, ideal_s = data["causes"], data["step_time_s"], data["ideal_step_time_s"]
    figure, axes = sheet(1, 1, 10.5, 4.8)
    axis = axes[0][0]
    _bar(axis, 0, 0.0, step_s, CENTRAL)
    _say(axis, 0, step_s, _seconds(step_s))
    level = highest = step_s
    for i, cause in enumerate(causes, start=1):
        share, alone = cause["share_s"], step_s - cause["alone_s"]
        axis.plot([i - 0.67, i - 0.33], [level, level], color=GREY, linewidth=0.7, zorder=1)
        _bar(axis, i, level, level - share, HARSH if share > 0 else KIND if share < 0 else GREY)
        label = "step with only this away" if i == 1 else None
        axis.plot([i - 0.33, i + 0.33], [alone, alone], color="black", linewidth=1.4, zorder=3, label=label)
        top = max(level, level - share)
        # a label that a mark would cross stands on the mark
        top = alone if top < alone < top + ROOM_ABOVE * step_s else top
        _say(axis, i, top, _seconds(share) + _of_gap(cause["share_ratio"]))
        level -= share
        highest = max(highest, level, alone)
    axis.plot([len(causes) + 0.33, len(causes) + 1.33], [level, level], color=GREY, linewidth=0.7, zorder=1)
    _bar(axis, len(causes) + 1, 0.0, ideal_s, KIND)
    _say(axis, len(causes) + 1, ideal_s, _seconds(ideal_s))
    names = ["the step\nas it is", *(LABELS[cause["name"]] for cause in causes), "nothing in\nthe way"]
    axis.set_xticks(range(len(names)), names)
    axis.set_ylabel("seconds a step")
    axis.set_ylim(0.0, (1.0 + ROOM_ABOVE) * highest)
    axis.grid(visible=False, axis="x")
    figure.legend(loc="outside lower right")
    plan = f" after {shown(data['plan'])}" if data["plan"] else ""
    told = f"share of each cause, in seconds and of the {_seconds(data['gap_s'])} between the first and the last bar"
    headline(figure, f"{shown(data['network'])}{plan}, job {shown(data['job'])}: what is in the way\n{told}")
    return figure


def _bar(axis: Any, x: float, begin: float, end: float, colour: str) -> None:
    """From one level to another; what is too small to be seen is still a stroke."""
    look = {"color": colour, "edgecolor": colour, "linewidth": 0.8, "zorder": 2}
    axis.bar(x, end - begin, bottom=begin, width=0.66, **look)


def _say(axis: Any, x: float, y: float, text: str) -> None:
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    look = {"ha": "center", "fontsize": 8, "bbox": behind, "zorder": 4}
    axis.annotate(text.replace("-", "−"), (x, y), (0, 4), textcoords="offset points", **look)


def _seconds(value: float) -> str:
    if not value:
        return "0 s"
    return f"{value:.3g} s" if abs(value) >= 0.1 else f"{value * 1e3:.3g} ms"


def _of_gap(ratio: float | None) -> str:
    if not ratio:
        return ""
    return f"\n{ratio:.0%}" if abs(ratio) >= 0.005 else "\n<1%"
