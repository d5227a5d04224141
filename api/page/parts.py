"""Parts of views: each asks questions and returns what the page shows of the answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from twin.answers.metrics import METRICS
from twin.errors import ChangeError
from twin.render.bill_table import bill_table
from twin.render.compare_table import compare_table
from twin.render.diff_table import metrics_table
from twin.render.drawing_rows import COLUMNS as LINE_COLUMNS
from twin.render.drawing_rows import fullest_first, line_cells
from twin.render.effects_table import effects_tables
from twin.render.explanation_table import explanation_table
from twin.render.fitted_table import FittedTable
from twin.render.forecast_table import forecast_table
from twin.render.link_tables import link_report_table, links_table
from twin.render.money_table import money_table
from twin.render.score_table import score_table
from twin.render.table_parts import sentences, warning_lines
from twin.reports.blocks import Block, Folded, Grid, Sentence, blocks_of
from twin.reports.charts import (
    AS_IT_IS,
    causes_chart,
    drawing_chart,
    forecast_chart,
    map_chart,
    plans_chart,
)

from ..bodies import CompareRequest, ForecastRequest, LinkRequest, LinksRequest, MoneyRequest
from .fields import data_of, fields_of
from .html import Html, element
from .state import PageState

Content = list[Block | Html]
Ask = Callable[..., Awaitable[dict[str, Any]]]
OWN_CHANGES = "own changes"
"""Name of the network after own changes, among those of plans."""
MAX_COMPARED = 4
"""Most plans that the page compares at once."""
NO_GROWTH = {"growth_ratio_per_year": ForecastRequest.model_fields["growth_ratio_per_year"].default}
"""Growth of the traffic where a form leaves it empty, the same in each view."""
FAILURE_HEATS = {
    "worst_failure_utilisation_ratio": "The network has no demands, so no link has a utilisation after a failure.",
    "failure_rate_lost_ratio": "No job counts beside the demands. Choose a job to see what failures do to its step.",
}
"""Colours of lines that need failures, with the remark where no line has one."""


def options(model: Any, names: Sequence[str], state: PageState) -> dict[str, Any]:
    """Return the fields of a request that a form of the page states.

    Args:
        model: class of the request.
        names: fields that the form has.
        state: state of the page.
    """
    return data_of(fields_of(model.model_json_schema(), names), state.values)


async def verdict(ask: Ask, state: PageState) -> Content:
    """Return the verdict on the network as it is, or on what a plan or changes do, then the metrics."""
    case = state.case()
    if not state.is_changed:
        data = await ask("score", **case, main_assumptions=False)
        table = after_title(blocks_of(score_table(data)), len(data["summary"]) + 1)
        return [*lead(data), *_blocks(warning_lines(data)), Folded("Metrics", tuple(table))]
    data = await ask("what-if", **case, main_assumptions=False, causes=False, top=5)
    return [*lead(data), Folded("Metrics before and after", _metrics(data, all_metrics=True))]


async def drawing(ask: Ask, state: PageState) -> Content:
    """Return the drawing by tier, the map, and their lines as a table."""
    heat = state.text("heat")
    data = await ask("drawing", **state.case(), worst_failure=heat in FAILURE_HEATS)
    content = drawing_content(data, state)
    if heat in FAILURE_HEATS and all(line[heat] is None for line in data["lines"]):
        content.insert(0, Sentence(FAILURE_HEATS[heat]))
    return content


def drawing_content(data: Mapping[str, Any], state: PageState) -> Content:
    """Return drawing, map and table of an answer.

    Args:
        data: `Drawing.to_dict()`.
        state: state of the page.
    """
    lines = fullest_first(data["lines"])
    sites = map_chart([data])
    content: Content = [drawing_chart([data])]
    if sites is not None:
        content.append(sites)
    table = next(blocks_of(FittedTable(LINE_COLUMNS, [line_cells(line) for line in lines])))
    content.append(Folded(f"These {len(lines):,} lines as a table", (table,)))
    examples = [_class_row(line, each, state) for line in lines for each in line["classes"]]
    if examples:
        grid = Grid(
            ("for example", "line", "links", "capacity, Gb/s", "utilisation"),
            (False, False, True, True, True),
            tuple(cells for cells, _ in examples),
            addresses=tuple(address for _, address in examples),
        )
        content.append(Folded("Kinds of equal links, each with one link to open", (grid,)))
    return content


def _class_row(line: Mapping[str, Any], each: Mapping[str, Any], state: PageState) -> tuple[tuple[str, ...], str]:
    example = each["examples"][0]
    use = "–" if each["utilisation_ratio"] is None else f"{100 * each['utilisation_ratio']:.3g} %"
    capacity = "unknown" if each["capacity_gbps"] is None else f"{each['capacity_gbps']:,.6g}"
    cells = (example, f"{line['source']} – {line['target']}", f"{each['n_links']:,}", capacity, use)
    return cells, state.address("links", link=example)


async def link(ask: Ask, state: PageState) -> Content:
    """Return one link: budget, modes, latency, failures, and its calendar."""
    data = await ask("link", **state.case(), **options(LinkRequest, ("link", "years", "growth_ratio_per_year"), state))
    content: Content = [
        Folded("All figures of the link", (block,))
        if isinstance(block, Grid) and block.headings[0] == "figure"
        else block
        for block in blocks_of(link_report_table(data))
    ]
    if data["forecast"] is not None:
        content += filter(None, [forecast_chart([(AS_IT_IS, data["forecast"])])])
    return content


async def links(ask: Ask, state: PageState) -> Content:
    """Return links as a table; each leads to its report."""
    body = {"top": 50} | options(LinksRequest, ("links", "sort", "top"), state)
    data = await ask("links", **state.case(), **body)
    content: Content = []
    for block in blocks_of(links_table(data)):
        if isinstance(block, Grid):
            ids = {row["id"] for row in data["links"]}
            addresses = tuple(state.address("links", link=row[0]) if row[0] in ids else "" for row in block.rows)
            block = Grid(block.headings, block.is_number, block.rows, block.title, addresses)
        content.append(block)
    return content


async def what_if(ask: Ask, state: PageState) -> Content:
    """Return what the plan or the changes do, with causes."""
    data = await ask("what-if", **state.case(), main_assumptions=False)
    why = data["bottlenecks"]
    reasons = [(title, why[side]) for title, side in (("Reasons before", "before"), ("Reasons after", "after"))]
    return [
        *lead(data),
        plans_chart([data]),
        *_metrics(data),
        Folded("Every metric", _metrics(data, all_metrics=True)),
        *_blocks(effects_tables(data["effects"])),
        *(block for title, lines in reasons for block in _blocks(sentences(title, lines))),
    ]


def _metrics(data: Mapping[str, Any], *, all_metrics: bool = False) -> tuple[Block, ...]:
    labels = {name: METRICS[name].label for name in data["metrics"]}
    return _blocks(metrics_table(data["metrics"], labels, all_metrics=all_metrics))


def _blocks(renderables: Iterable[Any]) -> tuple[Block, ...]:
    return tuple(block for each in renderables for block in blocks_of(each))


async def compare(ask: Ask, state: PageState) -> Content:
    """Return up to four plans side by side, and own changes beside them."""
    body = options(CompareRequest, ("plans",), state)
    if len(body.get("plans", ())) > MAX_COMPARED:
        raise ChangeError(f"{len(body['plans'])} plans", where="plans", expected=f"at most {MAX_COMPARED} on this page")
    case = {key: value for key, value in state.case().items() if key not in ("plan", "changes")}
    data = await ask("compare", **case, **body)
    diffs = list(data["plans"].values())
    best = list(data["summary"])
    if state.text("changes"):
        own = await ask("what-if", **case, changes=state.changes(), main_assumptions=False)
        diffs.append(own | {"plan": OWN_CHANGES})
        best = [f"Of the plans, without own changes: {line[:1].lower()}{line[1:]}" for line in best]
    content: Content = [*map(Sentence, best), plans_chart(diffs)]
    content += after_title(blocks_of(compare_table(diffs)), 1)
    for diff in diffs:
        content += [Sentence(f"After {diff['plan']}", "heading"), *map(Sentence, diff["summary"])]
    return content


async def causes(ask: Ask, state: PageState) -> Content:
    """Return what limits the step of the job."""
    data = await ask("explain", **state.case())
    return [
        *lead(data),
        causes_chart([data]),
        *after_title(blocks_of(explanation_table(data)), 1 + len(data["summary"])),
    ]


async def forecast(ask: Ask, state: PageState) -> Content:
    """Return margin and utilisation by year, with a slider for the year."""
    names = ("years", "growth_ratio_per_year", "links")
    data = await ask(
        "forecast", **{k: v for k, v in state.case().items() if k != "ageing"}, **options(ForecastRequest, names, state)
    )
    tables = tuple(block for block in blocks_of(forecast_table(data)) if isinstance(block, Grid))
    chart = forecast_chart([(state.plan or (OWN_CHANGES if state.is_changed else AS_IT_IS), data)])
    years: Content = [] if chart is None else [year_slider(data, state), chart]
    return [*lead(data), *years, Folded("Dates as a table", tables)]


def year_slider(data: Mapping[str, Any], state: PageState) -> Html:
    """Return a slider for the year; the script of the page fills the table of that year.

    Args:
        data: `Forecast.to_dict()`.
        state: state of the page.
    """
    years = data["years"]
    stated = state.text("year")
    year = stated if stated.isdecimal() and int(stated) in years else str(years[min(5, len(years) - 1)])
    label = element("label", "Year of the forecast", for_="year")
    slider = element(
        "input", type="range", id="year", min=years[0], max=years[-1], step=1, value=year, aria_describedby="year-now"
    )
    return element(
        "div",
        element("p", label, slider, element("output", id="year-now", for_="year")),
        element(
            "div", class_="wide", data_year_table=True, tabindex="0", role="region", aria_label="Links in that year"
        ),
        class_="years",
    )


async def money(ask: Ask, state: PageState) -> Content:
    """Return what a plan or changes cost and bring, and the bill."""
    require_change(state)
    case = state.case()
    names = ("horizon_years", "discount_ratio_per_year", "usd_per_million_tokens")
    data = await ask("money", **case, **options(MoneyRequest, names, state))
    bill = await ask("bill", **{key: value for key, value in case.items() if key != "ageing"})
    table = after_title(blocks_of(money_table(data)), 1 + len(data["summary"]))
    rows = after_title(blocks_of(bill_table(bill)), 1)
    return [*lead(data), *table, Sentence("The bill", "heading"), *rows]


def require_change(state: PageState) -> None:
    """Raise ChangeError unless the state has a plan or changes."""
    if not state.is_changed:
        raise ChangeError("no plan is chosen", where="plan", hint="choose a plan above, or compose changes")


def lead(data: Mapping[str, Any]) -> Iterator[Block | Html]:
    """Return the sentences of an answer, the verdict first."""
    first, *others = data["summary"] or ("",)
    if first:
        yield element("p", first, class_="verdict")
    yield from map(Sentence, others)


def after_title(blocks: Iterator[Block], n_first: int) -> Iterator[Block]:
    """Leave out the title and the verdict, which the page shows already."""
    for i, block in enumerate(blocks):
        if i >= n_first:
            yield block
