"""Margin, rate and utilisation of links over the years in three ageing cases; one column for each link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import isnan
from typing import Any

from .canvas import BLUE, GREEN, GREY, RED, label_text, new_figure, set_title, with_style

MAX_COLUMNS = 4
MAX_CHARACTERS = 30
CASES = {"low": ("optimistic", GREEN), "value": ("central", BLUE), "high": ("pessimistic", RED)}
ROWS = ("margin in today's mode, dB", "rate of a member, Gb/s", "load over capacity")
MARKED_UTILISATION_RATIOS = (0.7, 0.9)
MAX_UTILISATION_RATIO = 2.0
"""The scale of the load ends here. A larger load makes no difference."""
DAYS_PER_YEAR = 365.25
MAX_MARGIN_LOSS_DB = 10.0
"""The scale ends this far below the worst margin of today. A larger loss makes no difference."""


@with_style
def forecast_figure(data: Mapping[str, Any]) -> Any:
    """Draw `Forecast.to_dict()`: the first links of its list, which have the earliest problems; count the others."""
    from matplotlib.ticker import MaxNLocator

    links = data["links"][:MAX_COLUMNS]
    n_columns = max(len(links), 1)
    has_load = any(_has_load(link) for link in links)
    n_rows = len(ROWS) if has_load else len(ROWS) - 1
    figure, axes = new_figure(n_rows, n_columns, 1.6 + 3.1 * n_columns, 2.4 * n_rows, sharex=True)
    years = calendar_years(data)
    required_db = {link["required_margin_db"] for link in links} - {0.0}
    required_label = f"required: {min(required_db):g} dB" if len(required_db) == 1 else "required"
    for column, link in enumerate(links):
        _draw_link(axes[:, column], years, link, required_label)
    for row, label in zip(axes, ROWS, strict=False):
        row[0].set_ylabel(label)
    _share_scale(axes[0], links)
    for axis in axes[-1]:
        axis.set_xlabel("year" if data["as_of"] else "years from today")
        axis.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    legend = {label: line for axis in axes[0] for line, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    if legend:
        n_legend_columns = len(legend) if n_columns > 1 else 2
        figure.legend(list(legend.values()), list(legend), loc="outside lower center", ncols=n_legend_columns)
    set_title(figure, _title(data, len(data["links"]) - len(links)))
    return figure


def _title(data: Mapping[str, Any], n_not_drawn: int) -> str:
    n_years, growth = data["years"][-1], f"{100.0 * data['growth_ratio_per_year']:+.3g}".replace("-", "−")
    period = f"the next {n_years:g} years" if n_years > 1 else "the next year"
    traffic = f"traffic {growth} % a year" if data["growth_ratio_per_year"] else "traffic as today"
    title = f"{label_text(data['network'])}: {period}, {traffic}"
    if n_not_drawn:
        title += f" ({n_not_drawn} more links fare no worse)" if n_not_drawn > 1 else " (1 more link fares no worse)"
    return title


def _has_load(link: Mapping[str, Any]) -> bool:
    """Whether a link carries traffic in any case, so that a panel of its load shows something."""
    return any(ratio for case in link["cases"].values() for ratio in case["utilisation_ratio"])


def _share_scale(row: Any, links: Sequence[Mapping[str, Any]]) -> None:
    """Give all panels of a row the same scale."""
    low = min(axis.get_ylim()[0] for axis in row)
    high = max(axis.get_ylim()[1] for axis in row)
    today_db = [case["margin_db"][0] for link in links for case in link["cases"].values()]
    worst_db = min((margin_db for margin_db in today_db if margin_db is not None), default=0.0)
    for axis in row:
        axis.set_ylim(max(low, worst_db - MAX_MARGIN_LOSS_DB), high)


def calendar_years(data: Mapping[str, Any]) -> list[float]:
    """Return the years of a forecast as calendar years with a fraction; years from today without a date."""
    if data["as_of"] is None:
        return list(data["years"])
    day = date.fromisoformat(data["as_of"])
    start_years = day.year + (day - date(day.year, 1, 1)).days / DAYS_PER_YEAR
    return [start_years + years for years in data["years"]]


def _draw_link(axes: Any, years: list[float], link: Mapping[str, Any], required_label: str) -> None:
    """Draw the column of a link: margin, rate and utilisation in all ageing cases."""
    _draw_link_title(axes[0], link)
    cases = link["cases"]
    if len(axes) == len(ROWS):
        _draw_load(axes[2], years, cases)
    margins = {name: [_or_nan(margin_db) for margin_db in cases[name]["margin_db"]] for name in CASES}
    if not all(map(isnan, margins["value"])):
        axes[0].fill_between(years, margins["low"], margins["high"], color=BLUE, alpha=0.08, linewidth=0)
    else:
        _write_in_middle(axes[0], "no optical margin")
    for name, (label, colour) in CASES.items():
        case, style = cases[name], _line_style(name)
        axes[0].plot(years, margins[name], label=label, **style)
        axes[1].plot(*_rate_steps(years, case), **style)
        for drop in case["rate_drops"][:1]:
            axes[0].axvline(years[0] + drop["years"], color=colour, linewidth=0.8, linestyle=":")
    axes[0].axhline(0.0, color=GREY, linewidth=1.0)
    if link["required_margin_db"]:
        axes[0].axhline(link["required_margin_db"], color=GREY, linewidth=1.0, linestyle="--", label=required_label)
    fastest_gbps = max(case["member_gbps"][0] or 0.0 for case in cases.values())
    if not fastest_gbps:
        _write_in_middle(axes[1], "dark" if cases["value"]["member_gbps"][0] == 0.0 else "rate unknown")
    axes[1].set_ylim(0.0, 1.1 * (fastest_gbps or 100.0))


def _draw_load(axis: Any, years: list[float], cases: Mapping[str, Any]) -> None:
    """Draw load over capacity in all ageing cases, up to `MAX_UTILISATION_RATIO`."""
    ratios = {name: [_or_nan(ratio) for ratio in cases[name]["utilisation_ratio"]] for name in CASES}
    for name, values in ratios.items():
        axis.plot(years, values, **_line_style(name))
    for ratio in MARKED_UTILISATION_RATIOS:
        axis.axhline(ratio, color=GREY, linewidth=0.8, linestyle="--")
    highest = max((value for values in ratios.values() for value in values if not isnan(value)), default=0.0)
    axis.set_ylim(0.0, min(max(1.1, 1.05 * highest), MAX_UTILISATION_RATIO))


def _line_style(case: str) -> dict[str, Any]:
    is_central = case == "value"
    return {"color": CASES[case][1], "linewidth": 2.0 if is_central else 1.3, "zorder": 3 if is_central else 2}


def _draw_link_title(axis: Any, link: Mapping[str, Any]) -> None:
    equal_links = f", and {link['n_alike'] - 1:,} alike" if link["n_alike"] > 1 else ""
    part = label_text(link["transceiver"] or "no part", MAX_CHARACTERS)
    axis.set_title(f"{label_text(link['id'], MAX_CHARACTERS)}\n{part}{equal_links}")


def _write_in_middle(axis: Any, text: str) -> None:
    axis.text(0.5, 0.5, text, ha="center", va="center", transform=axis.transAxes, color=GREY)


def _rate_steps(years: list[float], case: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """Return (x, y) of the rate as steps: it drops on its date, not gradually over the year."""
    x, y = [years[0]], [_or_nan(case["member_gbps"][0])]
    for drop in case["rate_drops"]:
        if drop["years"] > 0:
            x += [years[0] + drop["years"]] * 2
            y += [y[-1], drop["member_gbps"]]
    return [*x, years[-1]], [*y, y[-1]]


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
