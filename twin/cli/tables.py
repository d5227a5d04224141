"""Answers for people at a terminal: tables that fit a screen, and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..answers.explanation import HEADS as CAUSE_HEADS
from ..answers.explanation import PHASES_NOTE
from ..answers.forecast import HEADS
from ..answers.link_report import level_of
from ..answers.link_table import LinkTable
from ..answers.score import Score, show
from ..catalogue import Figure, Mode, Part
from ..catalogue.figure_reader import PLACEHOLDER, UsedFigure
from ..units import unit_of

if TYPE_CHECKING:
    from ..answers.diff import Diff
    from ..answers.explanation import Explanation
    from ..answers.forecast import Forecast
    from ..answers.link_report import LinkReport
    from ..check import FileResult, Row
    from ..loading import Network
    from ..model.known_models import KnownModel
    from ..model.unused_fields import UnusedField
    from ..studies.sweep import Sweep

SHORT = (
    "step_time_s",
    "compute_time_s",
    "bubble_time_s",
    "exposed_comm_time_s",
    "straggler_ratio",
    "mfu_ratio",
    "training_loss_ratio",
    "goodput_ratio",
    "goodput_tokens_per_s",
    "max_link_utilisation_ratio",
    "unrouted_gbps",
    "demand_satisfied_ratio",
    "worst_rtt_us",
    "min_coherent_margin_db",
    "min_direct_detect_margin_db",
    "n_links_fallen_back",
    "n_links_below_margin",
    "capex_usd",
    "opex_usd_per_year",
    "usd_per_effective_pflop_day",
    "lease_break_even_usd_per_month",
)
"""Metrics of the short table; `--all` shows every one."""
MAX_LINKS_SHOWN = 4
"""Links of `twin links` on a terminal, those first that carry the least of their light."""
MAX_POINTS_SHOWN = 60
"""Points of `twin sweep` on a terminal."""
MAX_FORECASTS_SHOWN = 12
"""Links of `twin forecast` on a terminal, those first that come into trouble soonest."""
PLAN_COLUMNS = {
    "step_time_s": "step",
    "exposed_comm_time_s": "exposed",
    "goodput_tokens_per_s": "goodput",
    "max_link_utilisation_ratio": "busiest",
    "min_coherent_margin_db": "margin",
    "capex_usd": "capex",
    "usd_per_effective_pflop_day": "cost",
}
"""Metrics of the table of plans, and their heads."""


def score_report(score: Score, *, every: bool = False) -> RenderableType:
    """A score: metrics, what binds, what it leans on."""
    table = Table(title=_title(score.network, score.job, score.as_of), title_justify="left", box=None, pad_edge=False)
    table.add_column("metric", no_wrap=True)
    table.add_column("value", justify="right")
    table.add_column("", style="dim", overflow="fold")
    for name, value in score.metrics.items():
        if every or (name in SHORT and value.value is not None):
            table.add_row(name, show(value.value, value.unit), value.why)
    return Group(
        table,
        Text(),
        *_sentences("What binds", score.bottlenecks),
        _assumptions_text(score.assumptions, score.n_figures),
        *_unused_text(score.unused),
    )


def diff_report(diff: Diff, *, every: bool = False, note: str = "") -> RenderableType:
    """A what-if on one screen: before, after, change, and what binds on either side."""
    title = _title(diff.before.network, diff.before.job, diff.before.as_of)
    table = Table(
        title=f"{title} · [bold]{escape(diff.plan or 'changes')}[/]", title_justify="left", box=None, pad_edge=False
    )
    table.add_column("metric", no_wrap=True)
    for name in ("before", "after", "change"):
        table.add_column(name, justify="right")
    for name, value in diff.after.metrics.items():
        before, change = diff.before[name], diff.change(name)
        if not every and (name not in SHORT or (before is None and value.value is None)):
            continue
        table.add_row(
            name, show(before, value.unit), show(value.value, value.unit), _change(change, value.unit, value.better)
        )
    parts: list[RenderableType] = [Text(note, style="italic")] if note else []
    parts += [
        table,
        Text(),
        *_sentences("Before", diff.before.bottlenecks),
        *_sentences("After", diff.after.bottlenecks),
    ]
    if diff.purchases:
        bought = ", ".join(f"{_amount(n)} {item} {show(usd, 'USD')}" for item, n, usd in diff.purchases[:6])
        parts.append(Text(f"To buy: {bought}.", overflow="fold"))
    parts.append(_assumptions_text(diff.after.assumptions, diff.after.n_figures))
    return Group(*parts)


def links_report(table: LinkTable) -> RenderableType:
    """Links one by one; both directions of a link in one block where they are alike."""
    blocks: list[RenderableType] = []
    pairs = list(zip(table.rows[::2], table.rows[1::2], strict=True))
    pairs.sort(key=lambda pair: _carried_ratio(pair[0]))
    for forward, back in pairs[:MAX_LINKS_SHOWN]:
        blocks.append(_direction_table(forward, back))
    if len(pairs) > MAX_LINKS_SHOWN:
        blocks.append(Text(f"… and {len(pairs) - MAX_LINKS_SHOWN} more links; narrow the choice, or --json"))
    return Group(*blocks, *(Text(note) for note in table.notes))


def _carried_ratio(row: dict[str, Any]) -> float:
    """Capacity over line rate; links of unknown rate come last."""
    if row["capacity_gbps"] is None:
        return float("inf")
    return float(row["capacity_gbps"] / (row["member_gbps"] * row["n_members_up"] or 1.0))


def explanation_report(found: Explanation) -> RenderableType:
    """What is in the way of a step: its parts, the causes, and words."""
    plan = f" · after [bold]{escape(found.plan)}[/]" if found.plan else ""
    parts: list[RenderableType] = [Text.from_markup(_title(found.network, found.job, found.as_of) + plan), Text()]
    rows = [(name, show(seconds, "s")) for name, seconds in (*found.parts(), ("step", found.step_time_s))]
    rows += [("with nothing in the way", show(found.ideal_step_time_s, "s"))]
    rows += [("waiting for the slowest", show(found.straggler_ratio, "1")), ("goodput", show(found.goodput_ratio, "1"))]
    parts += [_two_columns("a step", rows), Text(PHASES_NOTE, style="dim"), Text()]
    table = Table(box=None, pad_edge=False)
    for head in CAUSE_HEADS:
        table.add_column(head, justify="left" if head == "cause" else "right")
    for row in found.rows():
        table.add_row(*row)
    parts += [table, Text(), *(Text(line) for line in found.summary)]
    note = "Share: Shapley value over all orders of removal; alone, last: removed first, or after all others."
    return Group(*parts, Text(note, style="dim"))


def sweep_report(sweep: Sweep) -> RenderableType:
    """A metric over inputs, knees and crossings in words."""
    table = Table(box=None, pad_edge=False)
    for axis in sweep.axes:
        table.add_column(axis.path)
    table.add_column(sweep.metric, justify="right")
    rows = list(zip(sweep.points(), sweep.values, sweep.why, strict=True))
    for point, value, why in rows[:MAX_POINTS_SHOWN]:
        table.add_row(*(_cell(at) for at in point), why if value is None else show(value, sweep.unit))
    parts: list[RenderableType] = [Text.from_markup(_title(sweep.network, sweep.job, None)), table]
    if len(rows) > MAX_POINTS_SHOWN:
        parts.append(Text(f"… and {len(rows) - MAX_POINTS_SHOWN} more points; --csv or --json has all"))
    for knee in sweep.knees:
        parts.append(Text(f"Bends most at {_at(sweep, knee)}."))
    if sweep.against_value is not None:
        parts.append(Text(f"{sweep.against} has {show(sweep.against_value, sweep.unit)}."))
        parts += [Text(f"Crossed at {_at(sweep, crossing)}.") for crossing in sweep.crossings]
        parts += [] if sweep.crossings else [Text("It is crossed nowhere in this range.")]
    return Group(*parts)


def _at(sweep: Sweep, point: tuple[float | str, ...]) -> str:
    return ", ".join(f"{axis.path} = {_cell(value)}" for axis, value in zip(sweep.axes, point, strict=True))


def forecast_report(forecast: Forecast) -> RenderableType:
    """When links come into trouble, three cases a link, those first that do soonest."""
    growth = f"traffic {forecast.growth_ratio_per_year:+.0%} a year"
    title = f"{_title(forecast.network, forecast.job, forecast.as_of)} · next {forecast.years[-1]:g} years, {growth}"
    parts: list[RenderableType] = [Text.from_markup(title)]
    rows = forecast.rows()[: 3 * MAX_FORECASTS_SHOWN]
    for first in range(0, len(rows), 3):
        alike = f"  and {int(rows[first][1]) - 1:,} alike" if rows[first][1] != "1" else ""
        parts.append(Text(rows[first][0] + alike, style="bold"))
        parts.append(_cases_table(rows[first : first + 3], with_head=first == 0))
    more = len(forecast.links) - MAX_FORECASTS_SHOWN
    if more > 0:
        parts.append(Text(f"… and {more} more links that fare no worse; narrow the choice, or --json"))
    note = "Ageing is the least certain part of the twin: three cases, figures and sources in --json."
    parts.append(Text(note, style="dim"))
    return Group(*parts)


def _cases_table(rows: Sequence[tuple[str, ...]], *, with_head: bool) -> Table:
    table = Table(box=None, pad_edge=False, show_header=with_head)
    for head, width in zip(HEADS[2:], (11, 14, 9, 18, 9, 9), strict=True):
        table.add_column(head, width=width)
    for i, row in enumerate(rows):
        table.add_row(*(escape(cell) for cell in row[2:]), style="" if i == 1 else "dim")
    return table


def link_report(page: LinkReport) -> RenderableType:
    """One link on a page: words, budget, modes, directions, failures, calendar."""
    data = page.sections
    what = f"{data['n_members']} x {data['transceiver'] or 'no part'}"
    head = f"[bold]{escape(page.id)}[/] · {escape(' – '.join(data['ends']))} · {what}"
    parts: list[RenderableType] = [Text.from_markup(head), *(Text(f"  {line}") for line in data["summary"])]
    for line in data["budget"]:
        if line["steps"]:
            parts += [Text(), _budget_table(line)]
    if data["modes"]:
        parts += [Text(), _modes_table(data["modes"])]
    parts += [Text(), _direction_table(*data["directions"])]
    failures = [(name, _cell(value)) for name, value in data["failures"].items() if isinstance(value, float) and value]
    parts += [Text(), _two_columns("failures (line: all members at once)", failures)]
    if page.forecast is not None:
        parts += [Text(), forecast_report(page.forecast)]
    return Group(*parts)


def _budget_table(line: Mapping[str, Any]) -> Table:
    title = f"budget, {line['line']}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("step", no_wrap=True)
    table.add_column("", justify="right")
    table.add_column("level", justify="right")
    for step in line["steps"]:
        change = step["change_db"]
        told = change is None
        level = level_of(step)
        table.add_row(
            step["step"], "" if told else f"{change:+.2f} dB", f"[bold]{level}[/]" if told else f"[dim]{level}[/]"
        )
    return table


def _modes_table(modes: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="modes", title_justify="left", box=None, pad_edge=False)
    for head in ("rate", "modulation", "needs", "margin", ""):
        table.add_column(head, justify="right" if head in ("rate", "needs", "margin") else "left")
    for mode in modes:
        margin = "out of reach" if mode["margin_db"] is None else f"{mode['margin_db']:+.2f} dB"
        rate, needs = f"{mode['rate_gbps']:g}G", f"{mode['required_snr_db']:.2f} dB"
        table.add_row(rate, mode["modulation"], needs, margin, "in use" if mode["in_use"] else "")
    return table


def _direction_table(forward: Mapping[str, Any], back: Mapping[str, Any]) -> Table:
    table = Table(title=f"[bold]{escape(forward['id'])}[/]", title_justify="left", box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column(escape(forward["direction"]), justify="right")
    table.add_column(escape(back["direction"]), justify="right")
    for name in forward:
        if name not in ("id", "direction") and (forward[name] is not None or back[name] is not None):
            table.add_row(name, _cell(forward[name]), _cell(back[name]))
    return table


def _cell(value: Any) -> str:
    return "–" if value is None else f"{value:.5g}" if isinstance(value, float) else escape(str(value))


def plans_report(diffs: Sequence[Diff]) -> RenderableType:
    """All plans of a network side by side."""
    first = diffs[0].before
    table = Table(title=_title(first.network, first.job, first.as_of), title_justify="left", box=None, pad_edge=False)
    table.add_column("plan", no_wrap=True)
    units = {name: first.metrics[name].unit for name in PLAN_COLUMNS}
    for name, head in PLAN_COLUMNS.items():
        unit = units[name] if units[name] != "1" else ""
        table.add_column(f"{head}\n[dim]{unit}[/]", justify="right", no_wrap=True)
    for label, score in (("as it is", first), *((diff.plan or "", diff.after) for diff in diffs)):
        table.add_row(label, *(_short(score[name]) for name in PLAN_COLUMNS))
    return table


def _short(value: float | None) -> str:
    """Three figures, with k, M and B where a number is long; the unit stands elsewhere."""
    if value is None:
        return "–"
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def topologies_report(networks: dict[str, str]) -> RenderableType:
    """The catalogue of networks."""
    table = Table(box=None, pad_edge=False)
    table.add_column("network", no_wrap=True)
    table.add_column("what it is")
    for name, sentence in sorted(networks.items()):
        table.add_row(name, sentence)
    return table


def topology_report(network: Network) -> RenderableType:
    """One network: sites, jobs, plans and what it assumes."""
    document = network.document
    parts: list[RenderableType] = [
        Text(
            f"{network.label} · {network.arrays.n_nodes:,} nodes · {network.arrays.n_links:,} links"
            f" · as of {document.as_of or 'no date'}"
        ),
    ]
    if document.note:
        parts += [Text(document.note), Text()]
    if document.jobs:
        parts.append(_two_columns("job", [(job.id, job.note) for job in document.jobs]))
    if document.plans:
        parts.append(_two_columns("plan", [(plan.id, plan.note) for plan in document.plans]))
    parts += _sentences("Assumptions", document.assumptions)
    parts += _sentences("Fields that no answer uses yet", [str(each) for each in network.unused_fields])
    return Group(*parts)


def parts_report(parts: Sequence[Part]) -> RenderableType:
    """The catalogue of parts, one a line."""
    if not parts:
        return Text("No part matches.")
    table = Table(box=None, pad_edge=False)
    for name in ("kind", "part", "name", "year"):
        table.add_column(name, no_wrap=name != "name")
    table.add_column("figures", justify="right")
    table.add_column("estimates", justify="right")
    for part in parts:
        n_estimates = sum(figure.status == "estimate" for figure in part.figures.values())
        table.add_row(part.kind, part.id, part.name, str(part.year or "–"), str(len(part.figures)), str(n_estimates))
    return table


def models_report(models: Mapping[str, KnownModel]) -> RenderableType:
    """Well-known models, one a line."""
    table = Table(box=None, pad_edge=False)
    table.add_column("model", no_wrap=True)
    for name in ("parameters", "active", "layers", "hidden", "sequence"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("source", overflow="fold")
    for name, model in models.items():
        shape = model.shape
        billions = [f"{n / 1e9:.4g}B" for n in (model.n_parameters, model.n_parameters_active)]
        sizes = [f"{n:,}" for n in (shape.n_layers, shape.n_hidden, shape.n_sequence)]
        table.add_row(name, *billions, *sizes, model.source)
    return table


def part_report(part: Part) -> RenderableType:
    """One part with every figure and its source, its modes and what they pay for dispersion and PMD."""
    words = [
        part.kind,
        part.name,
        part.form_factor,
        f"{part.lane_gbps}G lanes" if part.lane_gbps else "",
        part.optics or "",
        part.fec or "",
    ]
    sources = _Sources()
    figures = _sourced_table("figure", f"[bold]{escape(part.id)}[/] · " + escape(" · ".join(filter(None, words))))
    for name, figure in part.figures.items():
        figures.add_row(name, *sources.cells(figure))
    told = [Text(line) for line in (*_port_lines(part), part.note) if line]
    return Group(figures, *(_mode_table(mode, sources) for mode in part.modes), Text(), *told, *sources.lines())


def general_report(general: Mapping[str, Figure], subjects: Mapping[str, Sequence[str]]) -> RenderableType:
    """Figures that belong to no part, by subject, with their sources."""
    if not subjects:
        return Text("No general figure matches.")
    sources = _Sources()
    blocks: list[RenderableType] = []
    for subject, names in subjects.items():
        table = _sourced_table(subject)
        for name in names:
            table.add_row(name, *sources.cells(general[name]))
        blocks += [table, Text()]
    return Group(*blocks, *sources.lines())


def _mode_table(mode: Mode, sources: _Sources) -> Table:
    """What one mode needs, and its penalties point by point."""
    title = f"\n{mode.rate_gbps:g} Gb/s · {escape(mode.modulation)} · {mode.baud_gbd:g} GBd"
    table = _sourced_table(f"mode {mode.rate_gbps:g}G", title)
    table.add_row("required_snr_db", *sources.cells(mode.required_snr_db))
    for point in mode.penalties:
        what = f"{point.impairment.split('_')[0]} {point.at:g} {unit_of(point.impairment)}"
        table.add_row(f"penalty_db, {what}", *sources.cells(point.penalty_db))
    return table


def _port_lines(part: Part) -> list[str]:
    """What decides, beside its figures, which optic fits a switch and what it then carries."""
    if part.kind != "switch":
        return []
    rates = ", ".join(f"{rate:g}" for rate in part.port_rates_gbps)
    return [
        f"Cages: {', '.join(part.cages) or 'none named'}.",
        f"A port carries {rates} Gb/s." if rates else "A port carries any rate up to its own.",
        "Stores whole frames before it sends them on." if part.store_and_forward else "Cut-through.",
    ]


def _sourced_table(head: str, title: str | None = None) -> Table:
    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    table.add_column(head, overflow="fold")
    for name in ("value", "low", "high"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("source", justify="right", no_wrap=True)
    return table


class _Sources:
    """Sources of the figures in a report, numbered as they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._assumed = False

    def cells(self, figure: Figure) -> tuple[str, ...]:
        """Value, low, high, status and the number of the source."""
        number = self._numbers.setdefault(f"{figure.source} ({figure.as_of})", len(self._numbers) + 1)
        self._assumed |= figure.assumed_range
        numbers = (f"{x:.4g}" if abs(x) >= 1e6 else f"{x:g}" for x in (figure.value, figure.low, figure.high))
        return (*numbers, figure.status + (" *" if figure.assumed_range else ""), f"({number})")

    def lines(self) -> list[Text]:
        """The sources in full, and what a star says."""
        star = ["* The range is assumed, it is not the source's."] if self._assumed else []
        listed = [f"({number}) {source}" for source, number in self._numbers.items()]
        return [Text(line, style="dim") for line in (*star, *listed)]


def _title(network: str, job: str | None, as_of: str | None) -> str:
    words = [
        f"[bold]{escape(network)}[/]",
        f"job {escape(job)}" if job else "no job",
        f"as of {as_of}" if as_of else "",
    ]
    return " · ".join(word for word in words if word)


def _sentences(head: str, lines: Sequence[str]) -> list[RenderableType]:
    return [Text(head, style="bold"), *(Text(f"  {line}") for line in lines)] if lines else []


def _change(change: float | None, unit: str, better: str) -> str:
    if change is None:
        return "–"
    if abs(change) < 1e-12:
        return "[dim]0[/]"
    good = (change < 0) == (better == "lower")
    sign = "+" if change > 0 else "-"
    return f"[{'green' if good else 'red'}]{sign}{show(abs(change), unit)}[/]"


def _amount(n: float) -> str:
    return f"{n:,.0f} x" if n == int(n) else f"{n:,.1f}"


def _unused_text(unused: Sequence[UnusedField]) -> list[RenderableType]:
    """One line that names the fields no answer uses yet; nothing where there are none."""
    if not unused:
        return []
    named = ", ".join(f"{each.field} ({each.n_records})" for each in unused)
    return [Text(f"Fields that no answer uses yet: {named}. `twin topologies` says why.", overflow="fold")]


def _assumptions_text(used_figures: Sequence[UsedFigure], n_figures: int) -> RenderableType:
    n_prices = sum(each.status == PLACEHOLDER for each in used_figures)
    text = f"Leans on {len(used_figures) - n_prices} estimates among {n_figures} figures"
    text += f" and {n_prices} placeholder prices (--prices replaces them)" if n_prices else ""
    return Text(text + "; --json lists them with ranges and sources.", style="dim")


def _two_columns(head: str, rows: Sequence[tuple[str, str]]) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    table.add_column(head, no_wrap=True)
    table.add_column("")
    for row in rows:
        table.add_row(*map(escape, row))
    return table


N_ROWS_SHOWN = 40
"""Rows of one fixture file before the rest is only counted."""


def check_report(results: Sequence[FileResult], *, every: bool = False) -> RenderableType:
    """Fixtures: the figures that are out (or all), and for each file the largest and mean error of each figure."""
    parts: list[RenderableType] = []
    for result in results:
        rows = result.rows if every else result.out
        if rows:
            parts.append(_rows_table(result, rows if every else rows[:N_ROWS_SHOWN]))
            if not every and len(rows) > N_ROWS_SHOWN:
                parts.append(Text(f"… and {len(rows) - N_ROWS_SHOWN} more rows that are out"))
        if result.problem is not None:
            parts.append(Text(f"{result.path}: no fixture: {result.problem}", style="red"))
        else:
            parts.append(_figures_table(result))
    return Group(*parts)


def _figures_table(result: FileResult) -> Table:
    title = f"[bold]{escape(result.path)}[/] · {result.n_cases} cases · {result.kind} · {result.source}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("figure", no_wrap=True)
    for name in ("numbers", "out", "largest error", "mean error"):
        table.add_column(name, justify="right")
    table.add_column("within")
    for figure in result.figures:
        within = "[green]yes[/]" if figure.within else "[red]no[/]"
        worst = _off(figure.largest_off_by, figure.largest_ratio)
        mean = _off(figure.mean_off_by, figure.mean_ratio)
        table.add_row(escape(figure.figure), str(figure.n), str(figure.n_out), worst, mean, within)
    return table


def _rows_table(result: FileResult, rows: Sequence[Row]) -> Table:
    table = Table(title=escape(result.path), title_justify="left", box=None, pad_edge=False)
    table.add_column("case", overflow="fold")
    table.add_column("figure", overflow="fold")
    for name in ("expected", "got", "off by"):
        table.add_column(name, justify="right", overflow="fold")
    table.add_column("within")
    table.add_column("", style="dim", overflow="fold")
    for row in rows:
        within = {True: "[green]yes[/]", False: "[red]no[/]", None: "mean decides"}[row.within]
        cells = (_plain(row.expected), _plain(row.got), _off(row.off_by, row.off_by_ratio))
        table.add_row(escape(row.case), escape(row.name), *cells, within, escape(row.why))
    return table


def _plain(value: float | str | None) -> str:
    return "–" if value is None else escape(value) if isinstance(value, str) else f"{value:.9g}"


def _off(off_by: float | None, ratio: float | None) -> str:
    if off_by is None:
        return "–"
    return f"{off_by:.2g}" + (f" ({ratio:.2g})" if ratio is not None else "")
