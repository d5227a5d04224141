"""Dates at which links lose margin, rate or spare capacity, as rows of text for a terminal or a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

CASE_NAMES = {"low": "optimistic", "value": "central", "high": "pessimistic"}
FORECAST_COLUMNS = ("link", "alike", "case", "below wanted", "no margin", "rate falls", "70 % full", "90 % full")


def forecast_rows(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a row for each link and ageing case of `Forecast.to_dict()`, with the columns of `FORECAST_COLUMNS`."""
    return [
        (link["id"], str(link["n_alike"]), CASE_NAMES[name], *_cells(case))
        for link in data["links"]
        for name, case in link["cases"].items()
    ]


def _cells(case: Mapping[str, Any]) -> tuple[str, ...]:
    drops = [f"{_time_text(drop)} {_rate_text(drop['member_gbps'])}" for drop in case["rate_drops"]]
    if not drops and case["member_gbps"][0] == 0.0:
        drops = ["dark already"]
    return (
        _time_text(case["required_margin_gone"]),
        _time_text(case["margin_gone"]),
        ", ".join(drops) or "–",
        *map(_time_text, case["runout"].values()),
    )


def _rate_text(member_gbps: float) -> str:
    return f"to {member_gbps:g}G" if member_gbps else "dark"


def _time_text(event: Mapping[str, Any] | None) -> str:
    if event is None:
        return "–"
    if event["years"] == 0:
        return "now"
    return f"{date.fromisoformat(event['date']):%Y-%m}" if event["date"] else f"+{event['years']:.1f} a"
