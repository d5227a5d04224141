"""Failures as a picture: what becomes of the job, which failures lose most, and how full the links get."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .canvas import BLUE, GREEN, GREY, RED, draw_empty_panel, label_text, new_figure, set_title, with_style
from .numbers import cell_text, seconds_text
from .quantities import change_percent_text, percent_text

LIGHT_BLUE, ORANGE = "#a9bccf", "#d99a4e"
MAX_ROWS = 15
"""Bars of one panel."""
MIN_ROWS = 5
"""Least bars that a panel has space for, so that a single bar is not as high as the panel."""
LABEL_CHARACTERS = 34
BAR_HEIGHT = 0.66
LINE_INCHES = 0.3
"""Height of one bar with its gap."""


@with_style
def failures_figure(data: Mapping[str, Any]) -> Any:
    """Draw `FailureReport.to_dict()`: a panel for the job, and one each for failures and links where demands count."""
    panels: list[tuple[int, Callable[[Any, Mapping[str, Any]], None]]] = []
    if data["job"] is not None:
        panels.append((len(data["job_outcomes"]), _job))
    if data["links"]:
        panels += [(data["n_failures"], _failures), (data["n_links"], _links)]
    n_rows = max(min(max(n for n, _ in panels), MAX_ROWS), MIN_ROWS) + 1
    figure, axes = new_figure(1, len(panels), 1.5 + 5.2 * len(panels), 1.5 + LINE_INCHES * n_rows)
    for axis, (_, draw) in zip(axes[0], panels, strict=True):
        draw(axis, data)
        axis.set_ylim(n_rows - 0.4, -0.6)
        axis.grid(visible=False, axis="y")
        axis.tick_params(axis="y", length=0)
    plan = f", after {label_text(data['plan'], 40)}" if data["plan"] else ""
    what = f"every {data['kind_name']} failure"
    set_title(figure, f"{label_text(data['network'], 60)}{plan}: {what}\n{data['summary'][0]}")
    return figure


def _job(axis: Any, data: Mapping[str, Any]) -> None:
    """Time of a step by group of failures; a group that stops the job has a hatched bar over the whole width."""
    rows, intact_s = data["job_outcomes"][:MAX_ROWS], data["step_time_s"]
    longest_s = max([intact_s, *(row["job"]["step_time_s"] or 0.0 for row in rows)])
    axis.set_title(f"step of job {label_text(data['job'], 30)}, seconds")
    _count(axis, len(data["job_outcomes"]), "groups of failures")
    axis.axvline(intact_s, color=GREY, linewidth=1.0, linestyle="--")
    for place, row in enumerate(rows):
        step_s = row["job"]["step_time_s"]
        if step_s is None:
            axis.barh(
                place, longest_s, height=BAR_HEIGHT, facecolor="#f6e3de", edgecolor=RED, hatch="///", linewidth=0.8
            )
            idle = row["job"]["n_accelerators_idled"]
            _inside(axis, "job stops" + (f", {idle:,} accelerators idle" if idle else ""), place)
        else:
            is_longer = step_s > intact_s * (1.0 + 1e-9)
            axis.barh(place, step_s, height=BAR_HEIGHT, color=ORANGE if is_longer else GREEN)
            change = change_percent_text(intact_s, step_s)
            n_moved = row["job"]["n_accelerators_lost"]
            text = seconds_text(step_s) + (f" ({change})" if is_longer else "")
            _beside(axis, text + (f", {n_moved:,} accelerators move" if n_moved else ""), step_s, place)
    _name(axis, [_group_label(row) for row in rows])
    axis.set_xlim(0.0, longest_s * 1.28)


def _group_label(row: Mapping[str, Any]) -> str:
    name, n = label_text(row["first"], LABEL_CHARACTERS), row["n_failures"]
    return name if n == 1 else f"{name}\nand {n - 1:,} more"


def _failures(axis: Any, data: Mapping[str, Any]) -> None:
    """Demand that each failure leaves without a path, and demand that full links do not carry."""
    rows = [row for row in data["failures"][:MAX_ROWS] if row["lost_gbps"] or row["not_carried_gbps"]]
    axis.set_title("traffic without a path or not carried, Gb/s")
    _count(axis, data["n_failures"], "failures")
    if not rows:
        draw_empty_panel(axis, "no failure loses traffic")
        return
    lost = [row["lost_gbps"] for row in rows]
    held = [row["not_carried_gbps"] or 0.0 for row in rows]
    places = range(len(rows))
    axis.barh(places, lost, height=BAR_HEIGHT, color=RED, label="no path")
    if any(held):
        axis.barh(places, held, left=lost, height=BAR_HEIGHT, color=ORANGE, label="full links")
        axis.legend(loc="lower right")
    for place, (a, b) in enumerate(zip(lost, held, strict=True)):
        _beside(axis, cell_text(a + b), a + b, place)
    _name(axis, [label_text(row["id"], LABEL_CHARACTERS) for row in rows])
    axis.set_xlim(0.0, 1.18 * max(a + b for a, b in zip(lost, held, strict=True)))


def _links(axis: Any, data: Mapping[str, Any]) -> None:
    """Utilisation of the fullest links: intact, and after the worst failure, which the label names."""
    rows = [row for row in data["links"] if row["worst_utilisation_ratio"] is not None][:MAX_ROWS]
    axis.set_title("use of links: intact (dark) and at worst")
    _count(axis, data["n_links"], "links")
    if not rows:
        draw_empty_panel(axis, "no link of known rate carries traffic")
        return
    worst = [row["worst_utilisation_ratio"] for row in rows]
    places = range(len(rows))
    axis.barh(places, worst, height=BAR_HEIGHT, color=[RED if use > 1.0 else LIGHT_BLUE for use in worst])
    intact = [row["intact_utilisation_ratio"] or 0.0 for row in rows]
    axis.barh(places, intact, height=BAR_HEIGHT, color=BLUE)
    for place, row in enumerate(rows):
        after = f" after {label_text(row['cause'], 24)}" if row["cause"] else ""
        _beside(axis, percent_text(worst[place]) + after, worst[place], place)
    _name(axis, [label_text(row["id"], LABEL_CHARACTERS) for row in rows])
    widest = max(worst)
    if widest > 0.5:
        widest = max(widest, 1.0)
        axis.axvline(1.0, color=GREY, linewidth=1.0, linestyle="--", zorder=0.5)
    axis.set_xlim(0.0, 1.75 * widest or 1.0)
    ticks = [tick for tick in axis.get_xticks() if 0.0 <= tick <= 1.1 * widest]
    axis.set_xticks(ticks, [percent_text(tick) for tick in ticks])


def _count(axis: Any, n: int, what: str) -> None:
    if n > MAX_ROWS:
        axis.set_xlabel(f"the first {MAX_ROWS} of {n:,} {what}", color=GREY, loc="left")


def _name(axis: Any, names: Sequence[str]) -> None:
    axis.set_yticks(range(len(names)), names, fontsize=8.0)


def _beside(axis: Any, text: str, x: float, place: int) -> None:
    _annotate(axis, text, x, place, 4)


def _inside(axis: Any, text: str, place: int) -> None:
    _annotate(axis, text, 0.0, place, 6)


def _annotate(axis: Any, text: str, x: float, place: int, offset: int) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.2}
    axis.annotate(text, (x, place), (offset, 0), textcoords="offset points", va="center", fontsize=8.0, bbox=box)
