"""Utilisation of the fullest link over time, with and without the worst failure, and the limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .canvas import BLUE, GREY, RED, label_text, new_figure, set_title, with_style
from .forecast_figure import calendar_years
from .quantities import percent_text

MAX_UTILISATION_RATIO = 2.0
"""The scale ends here. A larger load makes no difference."""


@with_style
def growth_figure(data: Mapping[str, Any]) -> Any:
    """Draw `GrowthReport.to_dict()`."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure, axes = new_figure(1, 1, 8.0, 4.2)
    axis = axes[0, 0] if hasattr(axes, "shape") else axes
    years = calendar_years(data)
    top = min(MAX_UTILISATION_RATIO, max(1.05, *data["intact_utilisation_ratio"], *data["worst_utilisation_ratio"]))
    curves = (
        ("worst", f"in the worst {data['kind']} failure", RED),
        ("intact", "without failures", BLUE),
    )
    for name, label, colour in curves:
        passing = data[name]
        label = label if passing is None else f"{label}: {_text(passing)}"
        axis.plot(years, data[f"{name}_utilisation_ratio"], color=colour, linewidth=2.0, label=label)
        if passing is not None:
            axis.plot([years[0] + passing["when"]["years"]], [data["limit_ratio"]], "o", color=colour, markersize=6)
    axis.axhline(data["limit_ratio"], color=GREY, linestyle="--", linewidth=1.0, label="limit")
    axis.set_ylim(0.0, top)
    axis.set_xlim(years[0], years[-1])
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.set_ylabel("load over capacity of the fullest link")
    axis.set_xlabel("year" if data["as_of"] else "years from today")
    axis.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    figure.legend(loc="outside lower center")
    set_title(figure, f"{label_text(data['network'])}: when the first link passes {percent_text(data['limit_ratio'])}")
    return figure


def _text(passing: Mapping[str, Any]) -> str:
    when = passing["when"]
    if when["years"] == 0.0:
        day = "already"
    else:
        day = str(when["date"]) if when["date"] is not None else f"{when['years']:.3g} years"
    return f"{label_text(passing['link'], 40)}, {day}"
