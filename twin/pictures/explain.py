"""What is in the way, as a waterfall from the step as it is to the step with nothing in the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .canvas import CENTRAL, HARSH, KIND, drawn, sheet

LABELS = {
    "delay": "distance\n(round trips)",
    "line_loss": "line\nloss",
    "interconnect": "capacity\nbetween sites",
    "fabric": "capacity\ninside sites",
    "buffers": "buffers,\nhashing",
    "accelerators": "mixed\naccelerators",
    "split": "split of\nthe work",
    "pipeline_fill": "pipeline\nfill",
}


@drawn
def explanation_figure(data: Mapping[str, Any]) -> Any:
    """Draw `Explanation.to_dict()`: bars fall by each cause's share; marks: the step with only that one away."""
    causes = data["causes"]
    figure, axes = sheet(1, 1, 10.5, 4.6)
    axis = axes[0][0]
    level = data["step_time_s"]
    axis.bar(0, level, color=CENTRAL, width=0.66)
    _say(axis, 0, level, f"{level:.3g} s")
    for i, cause in enumerate(causes, start=1):
        share = cause["share_s"]
        axis.bar(i, share, bottom=level - share, color=HARSH if share >= 0 else KIND, width=0.66)
        ratio = "" if cause["share_ratio"] is None else f"\n{cause['share_ratio']:.0%}"
        _say(axis, i, max(level, level - share), f"{share:.2g} s{ratio}")
        alone = data["step_time_s"] - cause["alone_s"]
        axis.plot(
            [i - 0.33, i + 0.33],
            [alone, alone],
            color="black",
            linewidth=1.4,
            label="step with only this away" if i == 1 else None,
        )
        level -= share
    axis.bar(len(causes) + 1, data["ideal_step_time_s"], color=KIND, width=0.66)
    _say(axis, len(causes) + 1, data["ideal_step_time_s"], f"{data['ideal_step_time_s']:.3g} s")
    names = ["the step\nas it is", *(LABELS[cause["name"]] for cause in causes), "nothing in\nthe way"]
    axis.set_xticks(range(len(names)), names)
    axis.set_ylabel("seconds a step")
    axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]))
    axis.margins(y=0.16)
    axis.grid(visible=False, axis="x")
    figure.legend(loc="outside lower right")
    plan = f" after {data['plan']}" if data["plan"] else ""
    title = f"{data['network']}{plan}, job {data['job']}: what is in the way"
    figure.suptitle(title, x=0.01, ha="left", parse_math=False)
    return figure


def _say(axis: Any, x: float, y: float, text: str) -> None:
    axis.annotate(text, (x, y), (0, 3), textcoords="offset points", ha="center", fontsize=8)
