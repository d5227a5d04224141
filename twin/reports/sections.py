"""Sections of a report: one table, in the order of the page. A section without content is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..answers.metrics import METRICS
from ..catalogue.figure_reader import UsedFigure
from ..errors.wording import counted
from ..render.bill_table import bill_table
from ..render.compare_table import compare_table
from ..render.decision_table import decision_table
from ..render.diff_table import metrics_table
from ..render.drawing_rows import COLUMNS as LINE_COLUMNS
from ..render.drawing_rows import fullest_first, line_cells
from ..render.explanation_table import explanation_table
from ..render.failures_table import failures_table
from ..render.fitted_table import FittedTable
from ..render.forecast_table import forecast_table
from ..render.lease_table import lease_table
from ..render.plan_table import plan_table
from ..render.preview_table import change_text
from ..render.quantities import usd_text
from ..render.sample_table import sample_table
from ..render.score_table import score_table
from ..render.table_parts import figure_text
from .answers import ReportAnswers
from .blocks import Block, Folded, Grid, Section, Sentence, blocks_of
from .charts import (
    AS_IT_IS,
    causes_chart,
    drawing_chart,
    failures_chart,
    forecast_chart,
    intervals_chart,
    map_chart,
    pareto_chart,
    plans_chart,
    tornado_chart,
)


def sections_of(answers: ReportAnswers) -> tuple[Section, ...]:
    """Return the sections that have content."""
    made = (Section(name, _title(name, title, answers), tuple(build(answers))) for name, title, build in SECTIONS)
    return tuple(section for section in made if section.blocks)


def _title(name: str, title: str, answers: ReportAnswers) -> str:
    return "Metrics" if name == "plans" and not answers.diffs else title


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
    data = [drawing.to_dict() for drawing in answers.drawings]
    yield drawing_chart(data)
    sites = map_chart(data)
    if sites is not None:
        yield sites
    for drawing in data:
        table = FittedTable(LINE_COLUMNS, [line_cells(line) for line in fullest_first(drawing["lines"])])
        yield Folded(f"Links as a table, {drawing['plan'] or AS_IT_IS}", tuple(blocks_of(table)))


def _before_and_after(answers: ReportAnswers) -> Iterator[Block]:
    if not answers.diffs:
        yield from _without_title(blocks_of(score_table(answers.score.to_dict())), len(answers.score.summary) + 1)
        return
    data = [diff.to_dict() for diff in answers.diffs]
    yield from _without_title(blocks_of(compare_table(data)), 1)
    yield plans_chart(data)
    for diff, row in zip(answers.diffs, data, strict=True):
        labels = {name: METRICS[name].label for name in row["metrics"]}
        tables = metrics_table(row["metrics"], labels, all_metrics=True)
        grids = tuple(block for table in tables for block in blocks_of(table))
        changes = [Sentence(change_text(change)) for change in row["preview"]["changes"]]
        yield Folded(f"{diff.plan}: changes and every metric", (Sentence("Changes", "heading"), *changes, *grids))


def _causes(answers: ReportAnswers) -> Iterator[Block]:
    if not answers.explanations:
        return
    yield from map(Sentence, answers.explanations[0].summary)
    yield causes_chart([each.to_dict() for each in answers.explanations])
    for each in answers.explanations:
        blocks = _without_title(blocks_of(explanation_table(each.to_dict())), 1)
        yield Folded(f"Parts and causes as tables, {each.plan or AS_IT_IS}", tuple(blocks))


def _forecast(answers: ReportAnswers) -> Iterator[Block]:
    if not answers.forecasts:
        return
    yield from map(Sentence, answers.forecasts[0].summary)
    names = [AS_IT_IS, *(str(diff.plan) for diff in answers.diffs)]
    data = [each.to_dict() for each in answers.forecasts]
    yield from filter(None, [forecast_chart(list(zip(names, data, strict=True)))])
    for name, each in zip(names, data, strict=True):
        blocks = tuple(block for block in blocks_of(forecast_table(each)) if isinstance(block, Grid))
        yield Folded(f"Dates as a table, {name}", blocks)


def _failures(answers: ReportAnswers) -> Iterator[Block]:
    yield from map(Sentence, answers.not_failed)
    for report in answers.failures:
        what = report.kind_name
        yield Sentence(f"Each {what} fails", "heading")
        yield from map(Sentence, report.summary)
        data = report.shown()
        chart = failures_chart(data, what)
        if chart is not None:
            yield chart
        blocks = list(_without_title(blocks_of(failures_table(data)), 1 + len(report.summary)))
        if report.job is not None:
            yield blocks.pop(0)  # what becomes of the job, in groups
        if blocks:
            yield Folded(f"Failures of each {what} as tables", tuple(blocks))


def _sure(answers: ReportAnswers) -> Iterator[Block]:
    if answers.samples is None:
        return
    data = answers.samples.to_dict()
    yield from map(Sentence, data["summary"])
    yield intervals_chart(data)
    yield from filter(None, [tornado_chart(data)])
    blocks = _without_title(blocks_of(sample_table(data, all_metrics=True)), 1 + len(data["summary"]))
    yield Folded(f"Intervals of every metric, {data['n_samples']:,} samples", tuple(blocks))


def _decision(answers: ReportAnswers) -> Iterator[Block]:
    if answers.decision is not None:
        yield from _without_title(blocks_of(decision_table(answers.decision.to_dict())), 1)


def _best_plan(answers: ReportAnswers) -> Iterator[Block]:
    if answers.plan is None:
        return
    data = answers.plan.to_dict()
    yield from map(Sentence, data["summary"])
    yield from filter(None, [pareto_chart(data)])
    yield from _without_title(blocks_of(plan_table(data)), 1 + len(data["summary"]))


def _money(answers: ReportAnswers) -> Iterator[Block]:
    for diff in answers.diffs:
        usd, opex_usd = diff.after["capex_usd"], diff.change("opex_usd_per_year")
        price = "price unknown" if usd is None else f"{usd_text(usd)} to buy"
        verb = "rises" if (opex_usd or 0.0) > 0.0 else "falls"
        running = f"; running cost {verb} by {usd_text(abs(opex_usd))} a year" if opex_usd else ""
        yield Sentence(f"{diff.plan}: {price}{running}.", "heading")
    for bill in answers.bills:
        blocks = tuple(_without_title(blocks_of(bill_table(bill.to_dict())), 1))
        yield Folded(f"Bill of {bill.plan}", blocks, prints=True)


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
        yield Folded(f"{n} that no published source settles, with range and origin", (grid,), prints=True)


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
