"""Parts of views that answer long questions: failures, availability, growth, routing, plans, samples, decisions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twin.answers.metrics import METRICS
from twin.render.availability_table import availability_table
from twin.render.decision_table import decision_table
from twin.render.failures_table import failures_table
from twin.render.growth_table import growth_table
from twin.render.network_diff_table import network_diff_table
from twin.render.plan_table import plan_table
from twin.render.routing_table import routing_table
from twin.render.sample_table import sample_table
from twin.render.schedule_table import schedule_table
from twin.reports.blocks import Block, Folded, Sentence, blocks_of
from twin.reports.charts import failures_chart, intervals_chart, pareto_chart, tornado_chart

from ..study_bodies import (
    AvailabilityRequest,
    DecideRequest,
    FailuresRequest,
    GrowthRequest,
    PlanRequest,
    ReportRequest,
    SampleRequest,
    ScheduleRequest,
)
from .html import element
from .parts import NO_GROWTH, Ask, Content, after_title, lead, options, require_change
from .state import PageState, changes_text, network_address

TOP_FAILURES = 40
"""Failures and links that the page asks for."""
TOP_ROWS = 100
"""Rows of other tables that the page asks for."""
FAILURES_FIELDS = ("of", "depth")
AVAILABILITY_FIELDS = ("loss_above_ratio",)
GROWTH_FIELDS = ("growth_ratio_per_year", "limit_ratio", "of", "until")
PLAN_FIELDS = ("budget_usd", "goal", "target", "keep", "until", "robust_to")
SAMPLE_FIELDS = ("metric", "years", "n_samples")
DECIDE_FIELDS = ("lease", "lease_usd_per_month", "usd_per_million_tokens", "n_samples")
SCHEDULE_FIELDS = ("goal", "n_waves", "drain_days")
REPORT_FIELDS = ("format", "years", "growth_ratio_per_year", "n_samples")


async def failures(ask: Ask, state: PageState) -> Content:
    """Return failures of one kind, those that lose most first."""
    data = await ask("failures", **state.case(), top=TOP_FAILURES, **options(FailuresRequest, FAILURES_FIELDS, state))
    chart = failures_chart(data, data["kind_name"])
    return [*lead(data), *_present(chart), *after_title(blocks_of(failures_table(data)), 1 + len(data["summary"]))]


async def availability(ask: Ask, state: PageState) -> Content:
    """Return how much of the time demands, pairs of sites and jobs are served."""
    stated = options(AvailabilityRequest, AVAILABILITY_FIELDS, state)
    data = await ask("availability", **state.case(), top=TOP_ROWS, **stated)
    return [*lead(data), *after_title(blocks_of(availability_table(data)), 1 + len(data["summary"]))]


async def growth(ask: Ask, state: PageState) -> Content:
    """Return when the first link passes a limit as demands grow."""
    data = await ask("growth", **_case(state, "job"), **options(GrowthRequest, GROWTH_FIELDS, state))
    return [*lead(data), *after_title(blocks_of(growth_table(data)), 1 + len(data["summary"]))]


async def routing(ask: Ask, state: PageState) -> Content:
    """Return the utilisation under the routing in use and under the best one."""
    data = await ask("optimum", **_case(state, "job"))
    return [*lead(data), *after_title(blocks_of(routing_table(data)), 1 + len(data["summary"]))]


async def schedule(ask: Ask, state: PageState) -> Content:
    """Return the order of works of a plan or changes, and each state on the way."""
    require_change(state)
    data = await ask("schedule", **state.case(), **options(ScheduleRequest, SCHEDULE_FIELDS, state))
    return [*lead(data), *after_title(blocks_of(schedule_table(data)), 1 + len(data["summary"]))]


async def search(ask: Ask, state: PageState) -> Content:
    """Return the best set of changes, with the front of money against the goal."""
    data = await ask("plan", **_case(state, "plan", "changes"), **options(PlanRequest, PLAN_FIELDS, state))
    content: Content = list(lead(data))
    if data["plan"] is not None and data["plan"]["changes"]:
        address = state.address("change", plan=None, changes=changes_text(data["plan"]["changes"]), run="1")
        content.append(element("p", element("a", "Run these changes as a what-if", href=address, class_="button")))
    table = after_title(blocks_of(plan_table(data)), 1 + len(data["summary"]))
    return [*content, *_present(pareto_chart(data)), *table]


async def sample(ask: Ask, state: PageState) -> Content:
    """Return intervals of the metric, and the inputs that move it most."""
    stated = options(SampleRequest, ("plans", *SAMPLE_FIELDS), state)
    data = await ask("sample", **_case(state, "plan", "changes"), **stated)
    table = after_title(blocks_of(sample_table(data, all_metrics=True)), 1 + len(data["summary"]))
    folded = Folded(f"Intervals of every metric, {data['n_samples']:,} samples", tuple(table))
    return [*lead(data), intervals_chart(data), *_present(tornado_chart(data)), folded]


async def decide(ask: Ask, state: PageState) -> Content:
    """Return plans and leases by net dollars a year, with probabilities."""
    stated = options(DecideRequest, ("plans", *DECIDE_FIELDS), state)
    data = await ask("decide", **_case(state, "plan", "changes"), **stated)
    return list(after_title(blocks_of(decision_table(data)), 1))


async def difference(ask: Ask, state: PageState) -> Content:
    """Return what another network, or another revision, has that this one has not."""
    data = await ask("diff", **state.case(), other=state.text("other"))
    labels = {name: METRICS[name].label for name in data["metrics"]}
    table = after_title(blocks_of(network_diff_table(data, labels)), 1 + len(data["summary"]))
    return [*lead(data), *table]


async def report(ask: Ask, state: PageState) -> Content:
    """Return a link to the finished report."""
    data = await ask("report", **report_body(state))
    n_kb = max(round(len(data["text"].encode()) / 1000), 1)
    address = f"{network_address(state.network)}/report?{state.query()}"
    download = element("a", f"Download the report ({data['format']}, {n_kb:,} kB)", href=address, class_="button")
    return [Sentence(f"The report “{data['title']}” is ready."), element("p", download)]


def report_body(state: PageState) -> dict[str, Any]:
    """Return the request of the report that the form asks for."""
    return (
        _case(state, "plan", "changes", "ageing") | NO_GROWTH | options(ReportRequest, ("plans", *REPORT_FIELDS), state)
    )


def _case(state: PageState, *unused: str) -> dict[str, Any]:
    """Return the fields of a request, but those that the question does not have."""
    return {key: value for key, value in state.case().items() if key not in unused}


def _present(block: Block | None) -> Iterable[Block]:
    return () if block is None else (block,)
