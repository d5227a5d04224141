"""Charts from answers as plain data, for reports and for the web page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..answers.metrics import METRICS
from ..errors.wording import counted
from ..render.explanation_rows import CAUSE_NAMES
from ..render.heat import HEATS
from ..render.quantities import percent_text
from ..units import unit_of
from .blocks import Chart

AS_IT_IS = "as it is"
MAX_FORECAST_LINKS = 8
"""Lines of one chart of the forecast, those with the first event."""
MAX_FAILURES_DRAWN = 12
MAX_TORNADO_ROWS = 12
PLAN_METRICS = ("step_time_s", "demand_satisfied_ratio", "max_link_utilisation_ratio", "capex_usd")
"""Metrics of bars of plans. The first one that the unchanged network has is drawn."""
Data = Mapping[str, Any]


def drawing_chart(drawings: Sequence[Data]) -> Chart:
    """Return the drawing by tier; the first state is described.

    drawings: `Drawing.to_dict()` of each state.
    """
    first = drawings[0]
    n_nodes, n_links = counted(first["n_nodes"], "node"), counted(first["n_links"], "link")
    states = [{"name": _state_name(row), "places": row["places"], "lines": row["lines"]} for row in drawings]
    by_tier = " by tier" if len({place["kind"] for place in first["places"]}) > 1 else ""
    return Chart("drawing", f"{n_nodes} and {n_links}{by_tier}; select a line for its links", states, 520)


def map_chart(drawings: Sequence[Data]) -> Chart | None:
    """Return the map of the sites; None if fewer than two have a position.

    drawings: `Drawing.to_dict()` of each state.
    """
    sites = [site for site in drawings[0]["sites"] if site["latitude_deg"] is not None]
    if len(sites) < 2:
        return None
    known = {site["id"] for site in sites}
    states = []
    for drawing in drawings:
        site_of = {place["id"]: place["site"] for place in drawing["places"]}
        routes: dict[tuple[str, str], dict[str, Any]] = {}
        for line in drawing["lines"]:
            ends = sorted(str(site_of[end]) for end in (line["source"], line["target"]))
            if ends[0] == ends[1] or not known.issuperset(ends):
                continue
            _join_route(routes.setdefault((ends[0], ends[1]), {"source": ends[0], "target": ends[1]}), line)
        states.append({"name": _state_name(drawing), "routes": list(routes.values())})
    label = f"{counted(len(sites), 'site')} and the links between them"
    return Chart("map", label, {"sites": sites, "states": states}, 420)


def _state_name(drawing: Data) -> str:
    return drawing["plan"] or AS_IT_IS


def _join_route(route: dict[str, Any], line: Data) -> None:
    """Add a line to the route between two sites: sums of links and capacity, the worst of each figure."""
    route["n_links"] = route.get("n_links", 0) + line["n_links"]
    route["n_down"] = route.get("n_down", 0) + line["n_down"]
    capacity = route.get("capacity_gbps", 0.0)
    unknown = capacity is None or line["capacity_gbps"] is None
    route["capacity_gbps"] = None if unknown else capacity + line["capacity_gbps"]
    for key, heat in HEATS.items():
        values = [value for value in (route.get(key), line[key]) if value is not None]
        route[key] = (max if heat.higher_is_worse else min)(values) if values else None


def plans_chart(diffs: Sequence[Data]) -> Chart:
    """Return bars of step time, carried demand or capex of each plan beside the unchanged network.

    diffs: `Diff.to_dict()` of each plan, all of one network and job.
    """
    before = {name: diffs[0]["metrics"][name]["before"] for name in PLAN_METRICS}
    metric = next((name for name in PLAN_METRICS if before[name] is not None), PLAN_METRICS[-1])
    rows = [{"name": AS_IT_IS, "value": before[metric], "usd": 0.0}]
    for diff in diffs:
        usd = diff["metrics"]["capex_usd"]["after"]
        rows.append({"name": diff["plan"] or "changes", "value": diff["metrics"][metric]["after"], "usd": usd})
    data = {"label": METRICS[metric].label, "unit": unit_of(metric) or "", "rows": rows}
    return Chart("plans", "each plan against the network as it is", data, 100 + 50 * len(rows))


def causes_chart(explanations: Sequence[Data]) -> Chart:
    """Return bars of the causes of a step.

    explanations: `Explanation.to_dict()` of each state.
    """
    states = [
        {
            "name": each["plan"] or AS_IT_IS,
            "step_time_s": each["step_time_s"],
            "ideal_step_time_s": each["ideal_step_time_s"],
            "causes": [{"name": CAUSE_NAMES[cause["name"]], "share_s": cause["share_s"]} for cause in each["causes"]],
        }
        for each in explanations
    ]
    return Chart("causes", "share of each cause of the step time, down to the step without any of them", states)


def forecast_chart(forecasts: Sequence[tuple[str, Data]]) -> Chart | None:
    """Return lines of margin and utilisation by year; None if no link has a margin or carries anything.

    forecasts: name of the state and `Forecast.to_dict()` of each state, all with the same growth.
    """
    states = []
    for name, each in forecasts:
        links = [
            {
                "id": link["id"],
                "n_alike": link["n_alike"],
                "cases": {
                    case: {"margin_db": row["margin_db"], "utilisation_ratio": row["utilisation_ratio"]}
                    for case, row in link["cases"].items()
                },
            }
            for link in each["links"][:MAX_FORECAST_LINKS]
        ]
        states.append({"name": name, "years": each["years"], "as_of": each["as_of"], "links": links})
    rows = [row for state in states for link in state["links"] for row in link["cases"].values()]
    has_margin = any(value is not None for row in rows for value in row["margin_db"])
    has_use = any(value for row in rows for value in row["utilisation_ratio"])
    if not has_margin and not has_use:
        return None
    what = " and ".join(["margin"] * has_margin + ["utilisation"] * has_use)
    growth = f", traffic growing by {percent_text(forecasts[0][1]['growth_ratio_per_year'])} a year" if has_use else ""
    return Chart("forecast", f"{what} by year{growth}", states, 460 if has_margin and has_use else 300)


def failures_chart(report: Data, kind_name: str) -> Chart | None:
    """Return bars of the traffic that failures lose; None if none of them loses any.

    Args:
        report: `FailureReport.to_dict()`.
        kind_name: what fails, in the singular.
    """
    rows = [
        {
            "id": row["id"],
            "lost_gbps": row["lost_gbps"],
            "not_carried_gbps": row["not_carried_gbps"] or 0.0,
        }
        for row in report["failures"][:MAX_FAILURES_DRAWN]
    ]
    if not any(row["lost_gbps"] or row["not_carried_gbps"] for row in rows):
        return None
    label = f"traffic without a path or not carried after the failure of each {kind_name}, the worst first"
    return Chart("failures", label, rows, 90 + 26 * len(rows))


def intervals_chart(sample: Data) -> Chart:
    """Return a bar from p10 to p90 of the metric of each plan.

    sample: `SampleReport.to_dict()`.
    """
    metric = sample["metric"]
    rows = [
        {"name": plan["plan"] or AS_IT_IS} | {key: plan["metrics"][metric][key] for key in ("p10", "p50", "p90")}
        for plan in sample["plans"]
    ]
    label = f"{METRICS[metric].label}: p10, p50 and p90"
    return Chart("intervals", label, {"unit": sample["unit"], "rows": rows}, 110 + 34 * len(rows))


def tornado_chart(sample: Data) -> Chart | None:
    """Return the effect of each input on the plan that is best at the most likely values; None if no input has one.

    sample: `SampleReport.to_dict()`.
    """
    names = [plan["plan"] for plan in sample["plans"]]
    best = names.index(sample["best"]) if sample["best"] in names else 0
    middle = sample["plans"][best]["metrics"][sample["metric"]]["at_value"]
    rows = [
        {"label": row["label"], "low": row["at_low"][best], "high": row["at_high"][best], "flips": row["flips"]}
        for row in sample["tornado"][:MAX_TORNADO_ROWS]
        if row["at_low"][best] is not None and row["at_high"][best] is not None
    ]
    if not rows or middle is None:
        return None
    what = METRICS[sample["metric"]].label
    label = f"what one input at the ends of its range does to the {what}, {sample['best'] or AS_IT_IS}"
    return Chart("tornado", label, {"unit": sample["unit"], "middle": middle, "rows": rows}, 90 + 28 * len(rows))


def pareto_chart(plan: Data) -> Chart | None:
    """Return the best goal for each sum of money; None if no set of changes has a price and a goal.

    plan: `PlanReport.to_dict()`.
    """
    points = [
        {"name": ", ".join(option["candidates"]) or "do nothing", "usd": option["capex_usd"], "value": option["goal"]}
        for option in plan["pareto"]
        if option["capex_usd"] is not None and option["goal"] is not None
    ]
    if not points:
        return None
    chosen = None if plan["plan"] is None else {"usd": plan["plan"]["capex_usd"], "value": plan["plan"]["goal"]}
    label = METRICS[plan["goal"]].label
    data = {"label": label, "unit": plan["unit"], "points": points, "chosen": chosen}
    return Chart("pareto", f"the best {label} for each sum of money; the circle is the chosen set", data)
