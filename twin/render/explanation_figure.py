"""Bottlenecks of a step as a waterfall, from the step as it is to the step without any of the causes."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

from .canvas import BLUE, GREEN, GREY, RED, label_text, new_figure, set_title, with_style
from .explanation_rows import CAUSE_NAMES

LABEL_WIDTH = 14
"""Characters in a line of the label of a bar."""
MIN_SHOWN_RATIO = 1e-4
"""Causes with a smaller share of the step, alone too, are listed below the bars instead of drawn."""
LABEL_SPACE_RATIO = 0.16
"""Share of the height that the labels of the highest bar need."""


@with_style
def explanation_figure(data: Mapping[str, Any]) -> Any:
    """Draw `Explanation.to_dict()`: a bar for the share of each cause, a mark for the step without that cause alone."""
    step_s, ideal_s = data["step_time_s"], data["ideal_step_time_s"]
    least_s = MIN_SHOWN_RATIO * step_s
    causes = [cause for cause in data["causes"] if max(abs(cause["share_s"]), abs(cause["alone_s"])) >= least_s]
    others = [cause for cause in data["causes"] if cause not in causes]
    figure, axes = new_figure(1, 1, 3.0 + 1.05 * max(len(causes), 4), 4.8)
    axis = axes[0][0]
    _bar(axis, 0, 0.0, step_s, BLUE)
    _annotate(axis, 0, step_s, _seconds_text(step_s))
    level_s = highest_s = step_s
    for i, cause in enumerate(causes, start=1):
        share_s, alone_s = cause["share_s"], step_s - cause["alone_s"]
        axis.plot([i - 0.67, i - 0.33], [level_s, level_s], color=GREY, linewidth=0.7, zorder=1)
        _bar(axis, i, level_s, level_s - share_s, RED if share_s > 0 else GREEN if share_s < 0 else GREY)
        label = "step if only this cause is removed" if i == 1 else None
        axis.plot([i - 0.33, i + 0.33], [alone_s, alone_s], color="black", linewidth=1.4, zorder=3, label=label)
        top_s = max(level_s, level_s - share_s)
        # a label that a mark would cross is moved above the mark
        top_s = alone_s if top_s < alone_s < top_s + LABEL_SPACE_RATIO * step_s else top_s
        _annotate(axis, i, top_s, _seconds_text(share_s) + _gap_text(cause["share_ratio"]))
        level_s -= share_s
        highest_s = max(highest_s, level_s, alone_s)
    axis.plot([len(causes) + 0.33, len(causes) + 1.33], [level_s, level_s], color=GREY, linewidth=0.7, zorder=1)
    _bar(axis, len(causes) + 1, 0.0, ideal_s, GREEN)
    _annotate(axis, len(causes) + 1, ideal_s, _seconds_text(ideal_s))
    names = [
        "step\nas it is",
        *(fill(CAUSE_NAMES[cause["name"]], LABEL_WIDTH) for cause in causes),
        "step without\nany of them",
    ]
    axis.set_xticks(range(len(names)), names)
    axis.set_ylabel("step time (s)")
    if others:
        words = [CAUSE_NAMES[cause["name"]] for cause in others]
        axis.set_xlabel(f"no effect: {', '.join(words)}", fontsize=8)
    axis.set_ylim(0.0, (1.0 + LABEL_SPACE_RATIO) * highest_s)
    axis.grid(visible=False, axis="x")
    if causes:
        figure.legend(loc="outside lower right", fontsize=8)
    set_title(figure, _title(data))
    return figure


def _title(data: Mapping[str, Any]) -> str:
    plan = f" after {label_text(data['plan'])}" if data["plan"] else ""
    gap = _seconds_text(data["gap_s"])
    subtitle = f"share of each cause, in seconds and of the {gap} between the first and the last bar"
    return f"{label_text(data['network'])}{plan}, job {label_text(data['job'])}: bottlenecks of the step\n{subtitle}"


def _bar(axis: Any, x: float, start: float, end: float, colour: str) -> None:
    """Draw a bar from one level to another; its edge stays visible where the bar is too thin."""
    style = {"color": colour, "edgecolor": colour, "linewidth": 0.8, "zorder": 2}
    axis.bar(x, end - start, bottom=start, width=0.66, **style)


def _annotate(axis: Any, x: float, y: float, text: str) -> None:
    background = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    style = {"ha": "center", "fontsize": 8, "bbox": background, "zorder": 4}
    axis.annotate(text.replace("-", "−"), (x, y), (0, 4), textcoords="offset points", **style)


def _seconds_text(value_s: float) -> str:
    if not value_s:
        return "0 s"
    return f"{value_s:.3g} s" if abs(value_s) >= 0.1 else f"{value_s * 1e3:.3g} ms"


def _gap_text(ratio: float | None) -> str:
    if not ratio:
        return ""
    return f"\n{100.0 * ratio:.0f} %" if abs(ratio) >= 0.005 else "\n<1 %"
