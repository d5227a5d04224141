"""Sections of a report: one table, in the order of the page. A section without content is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..answers.drawing import Drawing
from ..catalogue.figure_reader import UsedFigure
from ..errors.wording import counted
from ..render.bill_table import bill_table
from ..render.compare_table import compare_table
from ..render.decision_table import decision_table
from ..render.diff_table import diff_table
from ..render.drawing_rows import COLUMNS as LINE_COLUMNS
from ..render.drawing_rows import line_cells
from ..render.explanation_rows import CAUSE_NAMES
from ..render.explanation_table import explanation_table
from ..render.failures_table import failures_table
from ..render.fitted_table import FittedTable
from ..render.forecast_table import forecast_table
from ..render.heat import HEATS
from ..render.lease_table import lease_table
from ..render.plan_table import plan_table
from ..render.preview_table import change_text
from ..render.quantities import percent_text, usd_text
from ..render.sample_table import sample_table
from ..render.score_table import score_table
from ..render.table_parts import figure_text
from ..units import unit_of
from .answers import ReportAnswers
from .blocks import Block, Chart, Folded, Grid, Section, Sentence, blocks_of

MAX_FORECAST_LINKS = 8
"""Lines of one chart of the forecast, those with the first event."""
MAX_FAILURES_DRAWN = 12
MAX_TORNADO_ROWS = 12
AS_IT_IS = "as it is"


def sections_of(answers: ReportAnswers) -> tuple[Section, ...]:
    """Return the sections that have content."""
    made = (Section(name, title, tuple(build(answers))) for name, title, build in SECTIONS)
    return tuple(section for section in made if section.blocks)


def _verdict(answers: ReportAnswers) -> Iterator[Block]:
    yield Sentence("The network as it is", "heading")
    yield from map(Sentence, answers.score.summary)
    for warning in answers.score.warnings:
        yield Sentence(f"Warning: {warning.where}: {warning.problem}, {warning.effect}.")
    if answers.comparison:
        yield Sentence("The plans", "heading")
        yield from map(Sentence, answers.comparison)
    for diff in answers.diffs:
        yield Sentence(f"After {diff.plan}", "heading")
        yield from map(Sentence, diff.summary)


def _network(answers: ReportAnswers) -> Iterator[Block]:
    states = [_state(drawing) for drawing in answers.drawings]
    first = answers.drawings[0]
    n_nodes, n_links = counted(first.n_nodes, "node"), counted(first.n_links, "link")
    yield Chart("drawing", f"{n_nodes} and {n_links} by tier; select a line for its links", states, 520)
    located = [site for site in first.sites if site.latitude_deg is not None]
    if len(located) > 1:
        yield Chart("map", f"{counted(len(located), 'site')} and the links between them", _map(answers.drawings), 420)
    for drawing in answers.drawings:
        name = drawing.plan or AS_IT_IS
        rows = sorted(drawing.lines, key=lambda line: (-(line.utilisation_ratio or 0.0), line.source, line.target))
        table = FittedTable(LINE_COLUMNS, [line_cells(_plain(line)) for line in rows])
        yield Folded(f"Links as a table, {name}", tuple(blocks_of(table)))


def _plain(line: Any) -> dict[str, Any]:
    return {name: getattr(line, name) for name in line.__dataclass_fields__}


def _state(drawing: Drawing) -> dict[str, Any]:
    data = drawing.to_dict()
    return {"name": drawing.plan or AS_IT_IS, "places": data["places"], "lines": data["lines"]}


def _map(drawings: Sequence[Drawing]) -> dict[str, Any]:
    first = drawings[0]
    sites = [site for site in first.to_dict()["sites"] if site["latitude_deg"] is not None]
    known = {site["id"] for site in sites}
    states = []
    for drawing in drawings:
        site_of = {place.id: place.site for place in drawing.places}
        routes: dict[tuple[str, str], dict[str, Any]] = {}
        for line in drawing.lines:
            ends = sorted(str(site_of[end]) for end in (line.source, line.target))
            if ends[0] == ends[1] or not known.issuperset(ends):
                continue
            _join_route(routes.setdefault((ends[0], ends[1]), {"source": ends[0], "target": ends[1]}), _plain(line))
        states.append({"name": drawing.plan or AS_IT_IS, "routes": list(routes.values())})
    return {"sites": sites, "states": states}


def _join_route(route: dict[str, Any], line: dict[str, Any]) -> None:
    """Add a line to the route between two sites: sums of links and capacity, the worst of each figure."""
    route["n_links"] = route.get("n_links", 0) + line["n_links"]
    route["n_down"] = route.get("n_down", 0) + line["n_down"]
    capacity = route.get("capacity_gbps", 0.0)
    unknown = capacity is None or line["capacity_gbps"] is None
    route["capacity_gbps"] = None if unknown else capacity + line["capacity_gbps"]
    for key, heat in HEATS.items():
        values = [value for value in (route.get(key), line[key]) if value is not None]
        route[key] = (max if heat.higher_is_worse else min)(values) if values else None


def _before_and_after(answers: ReportAnswers) -> Iterator[Block]:
    if not answers.diffs:
        yield from _without_title(blocks_of(score_table(answers.score.to_dict())), len(answers.score.summary) + 1)
        return
    data = [diff.to_dict() for diff in answers.diffs]
    yield from _without_title(blocks_of(compare_table(data)), 1)
    yield Chart("plans", "each plan against the network as it is", _plan_bars(answers))
    for diff, row in zip(answers.diffs, data, strict=True):
        table = blocks_of(diff_table(row, diff.after.to_dict(), all_metrics=True))
        grids = tuple(block for block in table if isinstance(block, Grid))[:1]
        changes = [Sentence(change_text(change)) for change in row["preview"]["changes"]]
        yield Folded(f"{diff.plan}: changes and every metric", (Sentence("Changes", "heading"), *changes, *grids))


def _plan_bars(answers: ReportAnswers) -> dict[str, Any]:
    """Return step time, goodput or carried demand, and capex, of each plan."""
    names = ["step_time_s", "demand_satisfied_ratio", "max_link_utilisation_ratio"]
    chosen = [name for name in names if answers.score[name] is not None]
    metric = chosen[0] if chosen else "capex_usd"
    rows = [{"name": AS_IT_IS, "value": answers.score[metric], "usd": 0.0}]
    rows += [{"name": diff.plan, "value": diff.after[metric], "usd": diff.after["capex_usd"]} for diff in answers.diffs]
    label = answers.score.metrics[metric].label
    return {"label": label, "unit": unit_of(metric) or "", "rows": rows}


def _causes(answers: ReportAnswers) -> Iterator[Block]:
    if not answers.explanations:
        return
    states = []
    for each in answers.explanations:
        causes = [{"name": CAUSE_NAMES[cause.name], "share_s": cause.share_s} for cause in each.causes]
        states.append(
            {
                "name": each.plan or AS_IT_IS,
                "step_time_s": each.step_time_s,
                "ideal_step_time_s": each.ideal_step_time_s,
                "causes": causes,
            }
        )
    yield from map(Sentence, answers.explanations[0].summary)
    yield Chart("causes", "share of each cause of the step time, down to the step without any of them", states)
    for each in answers.explanations:
        blocks = _without_title(blocks_of(explanation_table(each.to_dict())), 1)
        yield Folded(f"Parts and causes as tables, {each.plan or AS_IT_IS}", tuple(blocks))


def _forecast(answers: ReportAnswers) -> Iterator[Block]:
    if not answers.forecasts:
        return
    yield from map(Sentence, answers.forecasts[0].summary)
    states = []
    for plan, each in zip([AS_IT_IS, *(diff.plan for diff in answers.diffs)], answers.forecasts, strict=True):
        links = [
            {
                "id": link.id,
                "n_alike": link.n_alike,
                "cases": {
                    case: {"margin_db": row.margin_db, "utilisation_ratio": row.utilisation_ratio}
                    for case, row in link.cases.items()
                },
            }
            for link in each.links[:MAX_FORECAST_LINKS]
        ]
        states.append({"name": plan, "years": each.years, "as_of": each.as_of, "links": links})
    growth = percent_text(answers.forecasts[0].growth_ratio_per_year)
    yield Chart("forecast", f"margin and utilisation by year, traffic growing by {growth} a year", states, 460)
    for plan, each in zip([AS_IT_IS, *(diff.plan for diff in answers.diffs)], answers.forecasts, strict=True):
        blocks = tuple(block for block in blocks_of(forecast_table(each.to_dict())) if isinstance(block, Grid))
        yield Folded(f"Dates as a table, {plan}", blocks)


def _failures(answers: ReportAnswers) -> Iterator[Block]:
    for report in answers.failures:
        what = report.kind_name
        yield Sentence(f"Each {what} fails", "heading")
        yield from map(Sentence, report.summary)
        rows = [
            {
                "id": row.id,
                "lost_gbps": row.lost_gbps,
                "not_carried_gbps": row.not_carried_gbps or 0.0,
                "step_time_s": row.job.step_time_s if row.job else None,
                "stops": row.job is not None and row.job.step_time_s is None,
            }
            for row in report.failures[:MAX_FAILURES_DRAWN]
        ]
        if any(row["lost_gbps"] or row["not_carried_gbps"] for row in rows):
            height = 90 + 26 * len(rows)
            yield Chart("failures", f"traffic lost by the failure of each {what}, the worst first", rows, height)
        blocks = _without_title(blocks_of(failures_table(report.to_dict())), 1 + len(report.summary))
        yield Folded(f"Failures of each {what} as tables", tuple(blocks))


def _sure(answers: ReportAnswers) -> Iterator[Block]:
    if answers.samples is None:
        return
    data = answers.samples.to_dict()
    metric = data["metric"]
    rows = [
        {"name": plan["plan"] or AS_IT_IS} | {key: plan["metrics"][metric][key] for key in ("p10", "p50", "p90")}
        for plan in data["plans"]
    ]
    yield from map(Sentence, data["summary"])
    label = answers.score.metrics[metric].label
    yield Chart("intervals", f"{label}: p10, p50 and p90", {"unit": data["unit"], "rows": rows}, 110 + 34 * len(rows))
    yield from _tornado_chart(data)
    blocks = _without_title(blocks_of(sample_table(data, all_metrics=True)), 1 + len(data["summary"]))
    yield Folded(f"Intervals of every metric, {data['n_samples']:,} samples", tuple(blocks))


def _tornado_chart(data: Mapping[str, Any]) -> Iterator[Block]:
    """Effect of each input on the plan that is best at the most likely values."""
    names = [plan["plan"] for plan in data["plans"]]
    best = names.index(data["best"]) if data["best"] in names else 0
    middle = data["plans"][best]["metrics"][data["metric"]]["at_value"]
    rows = [
        {"label": row["label"], "low": row["at_low"][best], "high": row["at_high"][best], "flips": row["flips"]}
        for row in data["tornado"][:MAX_TORNADO_ROWS]
        if row["at_low"][best] is not None and row["at_high"][best] is not None
    ]
    if rows and middle is not None:
        label = f"what one input at the ends of its range does to {data['metric']}, {data['best'] or AS_IT_IS}"
        yield Chart("tornado", label, {"unit": data["unit"], "middle": middle, "rows": rows}, 90 + 28 * len(rows))


def _decision(answers: ReportAnswers) -> Iterator[Block]:
    if answers.decision is not None:
        yield from _without_title(blocks_of(decision_table(answers.decision.to_dict())), 1)


def _best_plan(answers: ReportAnswers) -> Iterator[Block]:
    if answers.plan is None:
        return
    data = answers.plan.to_dict()
    points = [
        {"name": ", ".join(option["candidates"]) or "do nothing", "usd": option["capex_usd"], "value": option["goal"]}
        for option in data["pareto"]
        if option["capex_usd"] is not None and option["goal"] is not None
    ]
    yield from map(Sentence, data["summary"])
    chosen = None if data["plan"] is None else {"usd": data["plan"]["capex_usd"], "value": data["plan"]["goal"]}
    if points:
        chart = {"label": data["goal"], "unit": data["unit"], "points": points, "chosen": chosen}
        yield Chart("pareto", f"the best {data['goal']} for each sum of money", chart)
    yield from _without_title(blocks_of(plan_table(data)), 1 + len(data["summary"]))


def _money(answers: ReportAnswers) -> Iterator[Block]:
    for diff in answers.diffs:
        usd, opex_usd = diff.after["capex_usd"], diff.change("opex_usd_per_year")
        price = "price unknown" if usd is None else f"{usd_text(usd)} to buy"
        running = "" if opex_usd is None else f"; running cost changes by {usd_text(opex_usd)} a year"
        yield Sentence(f"{diff.plan}: {price}{running}.", "heading")
    for bill in answers.bills:
        blocks = tuple(_without_title(blocks_of(bill_table(bill.to_dict())), 1))
        yield Folded(f"Bill of {bill.plan}", blocks)


def _leases(answers: ReportAnswers) -> Iterator[Block]:
    if answers.leases is not None:
        yield from _without_title(blocks_of(lease_table(answers.leases.to_dict())), 1)


def _assumptions(answers: ReportAnswers) -> Iterator[Block]:
    main = answers.score.main_assumptions
    if main:
        yield Sentence("Those that move the answer most", "heading")
        rows = tuple(
            (
                row.label,
                figure_text(row.name, row.value),
                f"{figure_text(row.name, row.low)} to {figure_text(row.name, row.high)}",
                row.settled_by,
            )
            for row in main
        )
        yield Grid(("assumption", "value", "range", "settled by"), (False, True, True, False), rows)
    used: dict[tuple[str, str], UsedFigure] = {}
    for score in (answers.score, *(diff.after for diff in answers.diffs)):
        used |= {(figure.where, figure.name): figure for figure in score.assumptions}
    listed = tuple(
        (
            figure.where,
            figure.name,
            figure_text(figure.name, figure.value),
            f"{figure_text(figure.name, figure.low)} to {figure_text(figure.name, figure.high)}",
            figure.status,
            figure.source,
        )
        for _, figure in sorted(used.items())
    )
    if listed:
        headings = ("part", "figure", "value", "range", "status", "source")
        n = counted(len(listed), "figure")
        grid = Grid(headings, (False, False, True, True, False, False), listed)
        yield Folded(f"{n} that no published source settles, with range and origin", (grid,))


def _without_title(blocks: Iterator[Block], n_first: int) -> Iterator[Block]:
    """Leave out the first blocks: the title and the verdict, which the section has already."""
    for i, block in enumerate(blocks):
        if i >= n_first:
            yield block


SECTIONS: tuple[tuple[str, str, Callable[[ReportAnswers], Iterator[Block]]], ...] = (
    ("verdict", "Verdict", _verdict),
    ("network", "The network", _network),
    ("plans", "Before and after", _before_and_after),
    ("causes", "What limits the step", _causes),
    ("forecast", "The years to come", _forecast),
    ("failures", "Failures", _failures),
    ("best", "The best plan within the budget", _best_plan),
    ("sure", "How sure it is", _sure),
    ("decision", "Upgrade or lease", _decision),
    ("money", "What to buy", _money),
    ("leases", "Leases and stranded capacity", _leases),
    ("assumptions", "Assumptions and sources", _assumptions),
)
"""Id, title and builder of each section."""
