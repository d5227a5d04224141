"""Dates of the problems of each link, as rows of text for a terminal or a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

CASE_NAMES = {"low": "optimistic", "value": "central", "high": "pessimistic"}
FORECAST_COLUMNS = ("link", "alike", "case", "below required", "no margin", "rate falls", "70 % used", "90 % used")


def forecast_rows(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a row for each link and ageing case of `Forecast.to_dict()`, with the columns of `FORECAST_COLUMNS`."""
    return [
        (link["id"], str(link["n_alike"]), CASE_NAMES[case], *_cells(forecast))
        for link in data["links"]
        for case, forecast in link["cases"].items()
    ]


def _cells(forecast: Mapping[str, Any]) -> tuple[str, ...]:
    drops = [f"{moment_text(drop)} {_rate_text(drop['member_gbps'])}" for drop in forecast["rate_drops"]]
    if not drops and forecast["member_gbps"][0] == 0.0:
        drops = ["down already"]
    return (
        moment_text(forecast["required_margin_gone"]),
        moment_text(forecast["margin_gone"]),
        ", ".join(drops) or "–",
        *map(moment_text, forecast["runout"].values()),
    )


def _rate_text(member_gbps: float) -> str:
    return f"to {member_gbps:g}G" if member_gbps else "down"


def moment_text(moment: Mapping[str, Any] | None) -> str:
    """Return a moment as year and month, as years from today without a date, or as a dash for None."""
    if moment is None:
        return "–"
    if moment["years"] == 0:
        return "now"
    return f"{date.fromisoformat(moment['date']):%Y-%m}" if moment["date"] else f"in {moment['years']:.1f} years"
