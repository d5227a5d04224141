"""Short forms of answers: the most important figures, in the order in which a reader needs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Data = dict[str, Any]
MIN_CHANGE_RATIO = 1e-4
"""Smallest relative change of a metric that is shown."""
HEADLINES = (
    "step_time_s",
    "goodput_tokens_per_s",
    "mfu_ratio",
    "exposed_comm_time_s",
    "max_link_utilisation_ratio",
    "demand_satisfied_ratio",
    "unrouted_gbps",
    "worst_rtt_us",
    "min_margin_db",
    "n_links_fallen_back",
    "n_links_below_margin",
    "availability_ratio",
    "n_accelerators",
    "opex_usd_per_year",
)
"""Metrics of a description."""
COMPARED = ("step_time_s", "goodput_tokens_per_s", "max_link_utilisation_ratio", "min_margin_db", "capex_usd")
"""Metrics of plans side by side; yearly cost is the change."""
LINK_COLUMNS = (
    "id",
    "direction",
    "tier",
    "up",
    "n_members_up",
    "length_km",
    "margin_db",
    "required_margin_db",
    "receiver_headroom_db",
    "member_gbps",
    "lossless_gbps",
    "capacity_gbps",
    "limit",
    "load_gbps",
    "utilisation_ratio",
    "latency_us",
)


def score(answer: Data) -> Data:
    """Return the main metrics of a network that apply to it."""
    metrics = {key: row["value"] for key, row in answer["metrics"].items()}
    return {
        **_head(answer),
        "metrics": {key: metrics[key] for key in HEADLINES if metrics.get(key) is not None},
        "bottlenecks": answer["bottlenecks"][:2],
    }


def what_if(answer: Data) -> Data:
    """Return the metrics that change, the effects, and the purchases."""
    return {
        **_head(answer),
        "metrics": _changed(answer["metrics"]),
        "bottlenecks_after": answer["bottlenecks"]["after"][:2],
        **_some(answer, ("purchases",)),
        "causes": [_without_nulls(row) for row in answer["causes"]],
        "effects": answer["effects"],
        **_some(answer, ("warnings",)),
    }


def explain(answer: Data) -> Data:
    """Return the parts of the step and the causes of its gap."""
    keys = ("step_time_s", "ideal_step_time_s", "gap_s", "compute_time_s", "bubble_time_s", "exposed_s")
    causes = ("name", "sentence", "share_s", "share_ratio", "alone_s")
    phases = ("name", "duration_s", "exposed_s", "busiest_arc", "utilisation_ratio")
    return {
        **_head(answer),
        **{key: answer[key] for key in (*keys, "overlap_time_s", "straggler_ratio", "goodput_ratio")},
        "causes": _rows(answer["causes"], causes),
        "phases": _rows(answer["phases"], phases),
        **_some(answer, ("warnings",)),
    }


def link(answer: Data) -> Data:
    """Return the state of a link, and when it runs out of margin or capacity."""
    forecast = answer.get("forecast") or {}
    return {
        **_head(answer),
        **{key: answer[key] for key in ("id", "ends", "tier", "transceiver", "n_members")},
        "directions": [_without_nulls(row) for row in _rows(answer["directions"], LINK_COLUMNS[1:])],
        "budget": answer["budget"],
        "failures": answer["failures"],
        "forecast": forecast.get("summary"),
        **_some(answer, ("warnings",)),
    }


def links(answer: Data) -> Data:
    """Return rows of links with the columns that say how they are."""
    return {**_head(answer), "links": [_without_nulls(row) for row in _rows(answer["links"], LINK_COLUMNS)]}


def failures(answer: Data) -> Data:
    """Return the worst failures and the links that get fullest."""
    keys = ("kind", "n_failures", "offered_gbps", "worst_utilisation_ratio", "step_time_s")
    skipped = ("ids", "kind")
    return {
        **_head(answer),
        **{key: answer[key] for key in keys if answer[key] is not None},
        "failures": [
            {key: value for key, value in _without_nulls(row).items() if key not in skipped}
            for row in answer["failures"]
        ],
        "links": [_without_nulls(row) for row in answer["links"]],
        **_some(answer, ("warnings",)),
    }


def plan(answer: Data) -> Data:
    """Return the chosen set of changes, the alternatives, and its worth."""
    alternatives = ("candidates", "capex_usd", "opex_change_usd_per_year", "goal")
    return {
        **_head(answer),
        **{key: answer[key] for key in ("goal", "unit", "goal_today", "budget_usd")},
        "chosen": answer["plan"],
        "alternatives": _rows(answer["alternatives"], alternatives),
        "next_dollar": answer["next_dollar"],
        "pareto": _rows(answer["pareto"], ("candidates", "capex_usd", "goal")),
        "worth": answer["worth"],
        "method": (answer["method"] or {}).get("sentence"),
    }


def compare(answer: Data) -> Data:
    """Return the main metrics of each plan beside those of the network as it is."""
    plans = answer["plans"]
    rows: Data = {}
    for name, diff in plans.items():
        metrics = diff["metrics"]
        after = {key: metrics[key]["after"] for key in COMPARED if metrics.get(key, {}).get("after") is not None}
        rows[name] = after
        rows[name]["opex_change_usd_per_year"] = metrics["opex_usd_per_year"]["change"]
    first = next(iter(plans.values()), None)
    before = {} if first is None else {key: first["metrics"].get(key, {}).get("before") for key in COMPARED}
    return {
        "verdict": answer["summary"],
        "as_it_is": _without_nulls(before),
        "plans": [{"plan": name, **row} for name, row in rows.items()],
    }


def _head(answer: Data) -> Data:
    head = {key: answer[key] for key in ("network", "job", "plan") if isinstance(answer.get(key), str)}
    return {"verdict": answer["summary"], **head}


def _changed(metrics: Mapping[str, Mapping[str, Any]]) -> Data:
    """Return the metrics that differ, those of a headline first, each as [before, after]."""
    order = [*(key for key in HEADLINES if key in metrics), *(key for key in metrics if key not in HEADLINES)]
    changed: Data = {}
    for key in order:
        before, after = metrics[key]["before"], metrics[key]["after"]
        is_equal = before == after
        if None not in (before, after) and not is_equal:
            is_equal = abs(after - before) < MIN_CHANGE_RATIO * max(abs(before), abs(after))
        if not is_equal:
            changed[key] = {"before": before, "after": after}
    return changed


def _rows(rows: Iterable[Mapping[str, Any]], keys: Iterable[str]) -> list[Data]:
    return [{key: row[key] for key in keys if key in row} for row in rows]


def _without_nulls(row: Mapping[str, Any]) -> Data:
    return {key: value for key, value in row.items() if value is not None and value != []}


def _some(answer: Data, keys: Iterable[str]) -> Data:
    """Return the fields that are there and not empty."""
    return {key: answer[key] for key in keys if answer.get(key)}
