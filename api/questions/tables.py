"""Questions whose answers are tables: links, demands, plans side by side, differences, money by line."""

from __future__ import annotations

from functools import partial
from typing import Any

from twin.answers.bill import Bill
from twin.answers.comparison import PlanComparison
from twin.answers.demand_table import DemandTable
from twin.answers.link_table import LinkTable
from twin.answers.network_diff import NetworkDiff
from twin.answers.plan_money import PlanMoney
from twin.answers.readiness import Readiness
from twin.errors import ChangeError

from ..bodies import (
    MAX_PLANS_COMPARED,
    BillRequest,
    CompareRequest,
    DemandsRequest,
    DiffRequest,
    LinksRequest,
    MoneyRequest,
    ReadinessRequest,
    TableRequest,
)
from ..problems import find
from .context import Context


def demands(request: DemandsRequest, context: Context) -> DemandTable:
    """Return demands: offered, carried, and the link that limits each."""
    return context.network(request).demand_table(**_table_options(request))


def links(request: LinksRequest, context: Context) -> LinkTable:
    """Return links, two rows each: budget, capacity and its limit, load, latency, failures."""
    return context.network(request).link_table(request.links, **_table_options(request))


def _table_options(request: TableRequest) -> dict[str, Any]:
    """Return the arguments of a question whose answer is a table."""
    return {
        "changes": request.plan_or_changes,
        "sort": request.sort,
        "top": request.top,
        "job": request.job,
        "ageing": request.ageing,
    }


def diff(request: DiffRequest, context: Context) -> NetworkDiff:
    """Return what differs between two networks, or two plans of one: records, then metrics."""
    if request.other is None and not (request.plan_or_changes or request.other_plan_or_changes):
        raise ChangeError("one network and 0 plans to compare", hint="name other, or a plan or changes of a side")
    network = context.network(request)
    other = network if request.other is None else context.any_network(request.other)
    find(partial(other.job, request.job))
    if request.other_plan is not None:
        find(partial(other.plan_record, request.other_plan))
    return network.compare(
        other,
        changes=request.plan_or_changes,
        other_changes=request.other_plan_or_changes,
        job=request.job,
        ageing=request.ageing,
        top=request.top,
    )


def compare(request: CompareRequest, context: Context) -> PlanComparison:
    """Return the what-ifs of plans side by side, and which is best."""
    network = context.network(request, *(request.plans or ()))
    n_plans = len(network.document.plans)
    if request.plans is None and n_plans > MAX_PLANS_COMPARED:
        raise ChangeError(
            f"{n_plans:,} plans", where="plans", expected=f"at most {MAX_PLANS_COMPARED} at once", hint="name some"
        )
    return network.compare_plans(request.plans, request.job, ageing=request.ageing)


def bill(request: BillRequest, context: Context) -> Bill:
    """Return what a plan or changes buy, line by line, and what a year then costs more."""
    return context.network(request).bill(request.plan_or_changes, request.job)


def money(request: MoneyRequest, context: Context) -> PlanMoney:
    """Return the present value of a plan, its payback, and the cost of what it gains."""
    return context.network(request).money(
        request.plan_or_changes,
        request.job,
        horizon_years=request.horizon_years,
        discount_ratio_per_year=request.discount_ratio_per_year,
        usd_per_million_tokens=request.usd_per_million_tokens,
        leases=request.leases,
        jobs=request.jobs,
        ageing=request.ageing,
    )


def readiness(request: ReadinessRequest, context: Context) -> Readiness:
    """Return when the budgets of sites are enough for what stands there after a plan, and what blocks."""
    return context.network(request).readiness(request.plan_or_changes, on=request.on, job=request.job)
