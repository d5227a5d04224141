"""Margin, rate and utilisation of links over the years, a column each, in three ageing cases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from .canvas import CENTRAL, GREY, HARSH, KIND, drawn, sheet

MAX_COLUMNS = 4
MAX_LETTERS = 30
CASES = {"low": ("optimistic", KIND, "-"), "value": ("central", CENTRAL, "-"), "high": ("pessimistic", HARSH, "-")}
DAYS_PER_YEAR = 365.25


@drawn
def forecast_figure(data: Mapping[str, Any]) -> Any:
    """Draw `Forecast.to_dict()`: the first links of its list, those in trouble soonest, with what is left out named."""
    links = [link for link in data["links"] if any(m is not None for m in link["cases"]["value"]["margin_db"])]
    links = (links or list(data["links"]))[:MAX_COLUMNS]
    n = max(len(links), 1)
    figure, axes = sheet(3, n, 1.6 + 3.1 * n, 6.6, sharex=True)
    years = _calendar(data)
    for column, link in enumerate(links):
        _draw_link(axes[:, column], years, link)
    for row, label in enumerate(("margin to today's mode, dB", "rate of a member, Gb/s", "busiest direction, full")):
        axes[row][0].set_ylabel(label)
    _level(axes[0])
    for axis in axes[2]:
        axis.set_xlabel("year" if data["as_of"] else "years from today")
    handles, labels = axes[0][0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    growth = data["growth_ratio_per_year"]
    left_out = len(data["links"]) - len(links)
    title = f"{data['network']}: the next {data['years'][-1]:g} years, traffic {growth:+.0%} a year"
    figure.suptitle(title + (f" ({left_out} more links fare no worse)" if left_out else ""), x=0.01, ha="left")
    return figure


def _level(row: Any) -> None:
    """The same scale side by side."""
    low, high = (pick(axis.get_ylim()[end] for axis in row) for end, pick in ((0, min), (1, max)))
    for axis in row:
        axis.set_ylim(low, high)


def _short(name: str) -> str:
    return name if len(name) <= MAX_LETTERS else f"{name[: MAX_LETTERS // 2]}…{name[-MAX_LETTERS // 2 :]}"


def _calendar(data: Mapping[str, Any]) -> list[float]:
    if data["as_of"] is None:
        return list(data["years"])
    day = date.fromisoformat(data["as_of"])
    start = day.year + (day - date(day.year, 1, 1)).days / DAYS_PER_YEAR
    return [start + t for t in data["years"]]


def _draw_link(axes: Any, years: list[float], link: Mapping[str, Any]) -> None:
    cases = link["cases"]
    alike = f", and {link['n_alike'] - 1} alike" if link["n_alike"] > 1 else ""
    axes[0].set_title(f"{_short(link['id'])}\n{link['transceiver'] or 'no part'}{alike}")
    bounds = [[_or_nan(v) for v in cases[case]["margin_db"]] for case in ("low", "high")]
    axes[0].fill_between(years, *bounds, color=CENTRAL, alpha=0.08, linewidth=0)
    for case, (label, colour, style) in CASES.items():
        found = cases[case]
        thick = 2.0 if case == "value" else 1.3
        axes[0].plot(years, [_or_nan(v) for v in found["margin_db"]], style, color=colour, linewidth=thick, label=label)
        axes[1].plot(*_steps(years, found), color=colour, linewidth=thick)
        axes[2].plot(years, [_or_nan(v) for v in found["utilisation_ratio"]], color=colour, linewidth=thick)
        for drop in found["rate_drops"][:1]:
            axes[0].axvline(years[0] + drop["years"], color=colour, linewidth=0.8, linestyle=":")
    axes[0].axhline(0.0, color=GREY, linewidth=1.0)
    required = link["required_margin_db"]
    if required:
        axes[0].axhline(required, color=GREY, linewidth=1.0, linestyle="--", label=f"wanted: {required:g} dB")
    axes[1].set_ylim(0.0, 1.1 * max(*(found["member_gbps"][0] for found in cases.values()), 1.0))
    for ratio in (0.7, 0.9):
        axes[2].axhline(ratio, color=GREY, linewidth=0.8, linestyle="--")
    axes[2].set_ylim(0.0, 1.1)


def _steps(years: list[float], found: Mapping[str, Any]) -> tuple[list[float], list[float]]:
    """A rate that falls on its day, not somewhere within the year."""
    x, y = [years[0]], [found["member_gbps"][0]]
    for drop in found["rate_drops"]:
        if drop["years"] > 0:
            x += [years[0] + drop["years"]] * 2
            y += [y[-1], drop["member_gbps"]]
    return [*x, years[-1]], [*y, y[-1]]


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
