"""What happens to a link and when, as rows of text for a terminal or a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

CASE_NAMES = {"low": "optimistic", "value": "central", "high": "pessimistic"}
FORECAST_HEADS = ("link", "alike", "case", "below wanted", "no margin", "rate falls", "70 % full", "90 % full")


def forecast_rows(data: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """One row for each link and ageing case of `Forecast.to_dict()`, in the columns of `FORECAST_HEADS`."""
    return [
        (link["id"], str(link["n_alike"]), CASE_NAMES[case], *_cells(found))
        for link in data["links"]
        for case, found in link["cases"].items()
    ]


def _cells(found: Mapping[str, Any]) -> tuple[str, ...]:
    drops = [f"{_moment(drop)} {_rate(drop['member_gbps'])}" for drop in found["rate_drops"]]
    if not drops and found["member_gbps"][0] == 0.0:
        drops = ["dark already"]
    return (
        _moment(found["required_margin_gone"]),
        _moment(found["margin_gone"]),
        ", ".join(drops) or "–",
        *map(_moment, found["runout"].values()),
    )


def _rate(member_gbps: float) -> str:
    return f"to {member_gbps:g}G" if member_gbps else "dark"


def _moment(when: Mapping[str, Any] | None) -> str:
    if when is None:
        return "–"
    if when["years"] == 0:
        return "now"
    return f"{date.fromisoformat(when['date']):%Y-%m}" if when["date"] else f"+{when['years']:.1f} a"
