"""Margin, rate and utilisation of links over the years, a column each, in three ageing cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from .canvas import CENTRAL, GREY, HARSH, KIND, drawn, headline, sheet, shown

MAX_COLUMNS = 4
MAX_LETTERS = 30
CASES = {"low": ("optimistic", KIND), "value": ("central", CENTRAL), "high": ("pessimistic", HARSH)}
ROWS = ("margin in today's mode, dB", "rate of a member, Gb/s", "load over capacity")
RATIOS = (0.7, 0.9)
DAYS_PER_YEAR = 365.25
DEEPEST_DB = 10.0
"""How far below the worst margin of today the scale goes: what is lost beyond it makes no difference."""


@drawn
def forecast_figure(data: Mapping[str, Any]) -> Any:
    """Draw `Forecast.to_dict()`: the first links of its list, those in trouble soonest; the others are counted."""
    from matplotlib.ticker import MaxNLocator

    links = data["links"][:MAX_COLUMNS]
    n = max(len(links), 1)
    figure, axes = sheet(3, n, 1.6 + 3.1 * n, 7.2, sharex=True)
    years = _calendar(data)
    wanted = {link["required_margin_db"] for link in links} - {0.0}
    for column, link in enumerate(links):
        _draw_link(axes[:, column], years, link, f"wanted: {min(wanted):g} dB" if len(wanted) == 1 else "wanted")
    for row, label in enumerate(ROWS):
        axes[row][0].set_ylabel(label)
    _level(axes[0], links)
    for axis in axes[2]:
        axis.set_xlabel("year" if data["as_of"] else "years from today")
        axis.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    legend = {label: line for axis in axes[0] for line, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    if legend:
        columns = len(legend) if n > 1 else 2
        figure.legend(list(legend.values()), list(legend), loc="outside lower center", ncols=columns)
    left_out = len(data["links"]) - len(links)
    n_years, growth = data["years"][-1], f"{100.0 * data['growth_ratio_per_year']:+.3g}".replace("-", "−")
    ahead = f"the next {n_years:g} years" if n_years > 1 else "the next year"
    title = f"{shown(data['network'])}: {ahead}, traffic {growth} % a year"
    if left_out:
        title += f" ({left_out} more links fare no worse)" if left_out > 1 else " (1 more link fares no worse)"
    headline(figure, title)
    return figure


def _level(row: Any, links: Sequence[Mapping[str, Any]]) -> None:
    """The same scale side by side."""
    low, high = (pick(axis.get_ylim()[end] for axis in row) for end, pick in ((0, min), (1, max)))
    today = [case["margin_db"][0] for link in links for case in link["cases"].values()]
    low = max(low, min((margin for margin in today if margin is not None), default=0.0) - DEEPEST_DB)
    for axis in row:
        axis.set_ylim(low, high)


def _calendar(data: Mapping[str, Any]) -> list[float]:
    if data["as_of"] is None:
        return list(data["years"])
    day = date.fromisoformat(data["as_of"])
    start = day.year + (day - date(day.year, 1, 1)).days / DAYS_PER_YEAR
    return [start + t for t in data["years"]]


def _draw_link(axes: Any, years: list[float], link: Mapping[str, Any], wanted: str) -> None:
    cases = link["cases"]
    alike = f", and {link['n_alike'] - 1:,} alike" if link["n_alike"] > 1 else ""
    part = shown(link["transceiver"] or "no part", MAX_LETTERS)
    axes[0].set_title(f"{shown(link['id'], MAX_LETTERS)}\n{part}{alike}")
    margins = {case: [_or_nan(v) for v in cases[case]["margin_db"]] for case in CASES}
    if any(m == m for m in margins["value"]):
        axes[0].fill_between(years, margins["low"], margins["high"], color=CENTRAL, alpha=0.08, linewidth=0)
    else:
        _say(axes[0], "no optical margin")
    for case, (label, colour) in CASES.items():
        found = cases[case]
        style = {"color": colour, "linewidth": 2.0 if case == "value" else 1.3, "zorder": 3 if case == "value" else 2}
        axes[0].plot(years, margins[case], label=label, **style)
        axes[1].plot(*_steps(years, found), **style)
        axes[2].plot(years, [_or_nan(v) for v in found["utilisation_ratio"]], **style)
        for drop in found["rate_drops"][:1]:
            axes[0].axvline(years[0] + drop["years"], color=colour, linewidth=0.8, linestyle=":")
    axes[0].axhline(0.0, color=GREY, linewidth=1.0)
    if link["required_margin_db"]:
        axes[0].axhline(link["required_margin_db"], color=GREY, linewidth=1.0, linestyle="--", label=wanted)
    fastest = max(found["member_gbps"][0] or 0.0 for found in cases.values())
    if not fastest:
        _say(axes[1], "dark" if cases["value"]["member_gbps"][0] == 0.0 else "rate unknown")
    axes[1].set_ylim(0.0, 1.1 * (fastest or 100.0))
    for ratio in RATIOS:
        axes[2].axhline(ratio, color=GREY, linewidth=0.8, linestyle="--")
    axes[2].set_ylim(0.0, 1.1)


def _say(axis: Any, text: str) -> None:
    axis.text(0.5, 0.5, text, ha="center", va="center", transform=axis.transAxes, color=GREY)


def _steps(years: list[float], found: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """A rate that falls on its day, not somewhere within the year."""
    x, y = [years[0]], [_or_nan(found["member_gbps"][0])]
    for drop in found["rate_drops"]:
        if drop["years"] > 0:
            x += [years[0] + drop["years"]] * 2
            y += [y[-1], drop["member_gbps"]]
    return [*x, years[-1]], [*y, y[-1]]


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
