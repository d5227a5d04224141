"""Money of a plan: present value over a horizon and over the firm part of leases, payback, cost of what it gains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np

from ..catalogue.figure_reader import FigureReader
from ..economics.bill import BillLine
from ..economics.lease_terms import earliest_end_day, firm_years, lease_streams, power_streams, rent_unknown
from ..economics.present_value import (
    MAX_HORIZON_YEARS,
    Asset,
    PlanCash,
    PresentValue,
    Stream,
    loss_warning,
    payback_years,
    present_value,
)
from ..economics.stranded import accelerators_by_site
from ..errors import ChangeError
from ..model.leases import SiteLease
from ..render.money_table import money_table
from ..render.quantities import names_text, usd_text
from ..stages.evaluation import Evaluation
from ..units import HOURS_PER_MONTH, MONTHS_PER_YEAR
from .bill import Bill
from .data import Answer
from .score import Score, data_frame

RELIEVED_LIMIT_RATIO = 0.7
"""Utilisation above which traffic of a link counts as overload, as for `twin growth`."""
DAYS_PER_YEAR = 365
"""Days over which a year's work is counted, as for rent."""


@dataclass(frozen=True, slots=True)
class MoneyQuestion:
    """Settings of the money of a plan; None = those of the price book."""

    horizon_years: float | None = None
    discount_ratio_per_year: float | None = None
    usd_per_million_tokens: float | None = None
    """Worth of the job's work; None = list rental of its accelerators, 0 = nothing."""

    def check(self) -> None:
        """Raise ChangeError for a figure out of bounds."""
        for name, low, high in (
            ("horizon_years", 0.0, MAX_HORIZON_YEARS),
            ("discount_ratio_per_year", 0.0, 10.0),
            ("usd_per_million_tokens", 0.0, 1e9),
        ):
            value = getattr(self, name)
            if value is None or (name != "horizon_years" and value == 0):
                continue
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not low < value <= high:
                raise ChangeError(f"{value!r}"[:200], where=name, expected=f"a number above {low:g}, at most {high:g}")


@dataclass(frozen=True, slots=True)
class UnitCost:
    """Cost of one unit of what a plan gains; null where it gains nothing of it or that is not known."""

    name: str
    """`step time`, `relieved traffic`, `effective work`, `tokens` or `outage`."""
    unit: str
    """`1 % of step time`, `Gb/s`, `PFLOP-day`, `million tokens` or `avoided hour`."""
    gain: float | None
    """In `unit`: of the horizon for work, tokens and hours; else at once. Below zero where the plan makes it worse."""
    usd: float | None
    """Cost of the plan over the horizon, in dollars of day 0, for one unit; below zero where the plan saves money."""
    why: str = field(default="", metadata={"optional": True})


@dataclass(frozen=True, kw_only=True, repr=False)
class PlanMoney(Answer):
    """Costs and gains of a plan: bill, present values, payback, unit costs."""

    network: str
    as_of: str | None
    job: str | None
    plan: str | None
    summary: tuple[str, ...]
    discount_ratio_per_year: float
    work_usd_per_year: float | None
    """Worth of the change in useful work of the job; null without one."""
    work_basis: str
    """Basis of the worth of work."""
    horizon: PresentValue | None
    """Over the horizon; null where a price is unknown."""
    firm: PresentValue | None
    """Over the firm part of the leases; null without one."""
    payback_years: float | None
    unit_costs: tuple[UnitCost, ...]
    loss: str | None
    """Sentence for a negative present value; null where none is negative."""
    bill: Bill
    why: dict[str, str] = field(default_factory=dict, metadata={"optional": True})

    def to_pandas(self) -> Any:
        """Return the unit costs as a DataFrame (needs the extra `tables`)."""
        return data_frame(self.to_dict()["unit_costs"], ("name", "unit", "gain", "usd", "why"), "name")

    def _table(self) -> Any:
        return money_table(self.to_dict())


def plan_money(
    bill: Bill,
    before: Score,
    after: Score,
    old: Evaluation,
    new: Evaluation,
    reader: FigureReader,
    ask: MoneyQuestion,
    signed: Sequence[SiteLease] = (),
) -> PlanMoney:
    """Compute the money of a plan.

    Args:
        bill: what the plan buys, and what a year costs more.
        before: score without the plan.
        after: score with it.
        old: evaluation behind `before`.
        new: evaluation behind `after`.
        reader: source of prices.
        ask: horizon, discount rate and worth of work.
        signed: leases that are signed together with the plan.
    """
    ask.check()
    years, discount = (
        reader.price(name) if value is None else float(value)
        for name, value in (
            ("horizon_years", ask.horizon_years),
            ("discount_ratio_per_year", ask.discount_ratio_per_year),
        )
    )
    why: dict[str, str] = {}
    work_usd, basis = _work(before, after, old, ask, why)
    leases = _tenants(old.case.document.leases, old), _tenants((*signed, *new.case.document.leases), new)
    day = new.case.document.as_of or date.min
    horizon = firm = payback = None
    if bill.capex_usd is None or bill.opex_change_usd_per_year is None:
        for name in ("horizon", "firm", "payback_years"):
            why[name] = " ".join(bill.why.values())
    else:
        cash = PlanCash(assets_of(bill.lines, reader), bill.opex_change_usd_per_year, work_usd_per_year=work_usd or 0.0)
        horizon = present_value(replace(cash, leases=_streams(leases, day, firm=False)), years, discount)
        firm, payback = _firm(cash, leases, day, discount, why), _payback(cash, leases, day, why)
    costs = tuple(_unit_costs(before, after, old, new, horizon))
    unknown = rent_unknown([lease for lease in leases[1].leases if lease not in leases[0].leases])
    if unknown:
        why["leases_usd"] = f"rent not stated, left out: {names_text(unknown)}"
    loss = None if horizon is None else loss_warning(horizon, firm)
    return PlanMoney(
        network=before.network,
        as_of=before.as_of,
        job=before.job,
        plan=bill.plan,
        summary=tuple(_summary(horizon, payback, loss, why, bill)),
        discount_ratio_per_year=discount,
        work_usd_per_year=work_usd,
        work_basis=basis,
        horizon=horizon,
        firm=firm,
        payback_years=payback,
        unit_costs=costs,
        loss=loss,
        bill=bill,
        why=why,
    )


def assets_of(lines: Sequence[BillLine], reader: FigureReader) -> tuple[Asset, ...]:
    """Return the purchases of a bill with their lifetimes; labour has none."""
    lifetimes: Mapping[str, float | None] = {
        "fibre": reader.price("fibre_lifetime_years"),
        "labour": None,
    }
    equipment = reader.price("equipment_lifetime_years")
    return tuple(
        Asset(line.total_usd or 0.0, lifetimes.get(line.category, equipment)) for line in lines if line.paid == "once"
    )


def _work(
    before: Score, after: Score, old: Evaluation, ask: MoneyQuestion, why: dict[str, str]
) -> tuple[float | None, str]:
    """Return the worth of the change in useful work, USD a year, and how it is valued."""
    rates = before["goodput_tokens_per_s"], after["goodput_tokens_per_s"]
    basis = "none"
    if rates[0] is None or rates[1] is None:
        side = before if rates[0] is None else after
        why["work_usd_per_year"] = side.metrics["goodput_tokens_per_s"].why
        return None, basis
    worth = ask.usd_per_million_tokens
    if worth is not None:
        basis = f"{usd_text(worth)} a million tokens"
        n_millions = (rates[1] - rates[0]) * 86_400 * DAYS_PER_YEAR / 1e6
        return float(n_millions * worth), basis
    if old.list_rental_usd_per_day is None:
        why["work_usd_per_year"] = "the price book has no rental for a kind in use: state usd_per_million_tokens"
        return None, basis
    basis = "list rental of the job's accelerators before the plan, for the same work"
    return old.list_rental_usd_per_day * DAYS_PER_YEAR * (rates[1] / rates[0] - 1.0), basis


@dataclass(frozen=True, slots=True)
class _Tenants:
    """Leases before or after the plan, and the electricity of their sites."""

    leases: tuple[SiteLease, ...]
    owned: Mapping[str, int]
    """Accelerators of each site."""
    power_usd_per_year: Mapping[str, float]
    """Electricity of each site; empty where no tenant pays for it."""


Leases = tuple[_Tenants, _Tenants]
"""Leases before and after the plan."""


def _tenants(leases: tuple[SiteLease, ...], e: Evaluation) -> _Tenants:
    is_paid = any(lease.power_paid_by == "tenant" for lease in leases)
    power_usd_per_year = e.year_of_work.power_usd_per_year if is_paid else {}
    return _Tenants(leases, accelerators_by_site(e.case.state, e.case.document), power_usd_per_year)


def _streams(leases: Leases, day: date, *, firm: bool) -> tuple[Stream, ...]:
    """Return what tenants pay after the plan, less that without it; the rent of leases that stay is left out."""
    before, after = (side.leases for side in leases)
    rent = lease_streams([lease for lease in after if lease not in before], day, firm=firm)
    rent += lease_streams([lease for lease in before if lease not in after], day, firm=firm, sign=-1.0)
    for side, sign in zip(leases, (-1.0, 1.0), strict=True):
        rent += power_streams(side.leases, day, side.owned, side.power_usd_per_year, firm=firm, sign=sign)
    return tuple(rent)


def _firm(cash: PlanCash, leases: Leases, day: date, discount: float, why: dict[str, str]) -> PresentValue | None:
    years = firm_years(leases[1].leases, day)
    if years is None:
        why["firm"] = _why_not_firm(leases[1].leases, day)
        return None
    years = min(years, MAX_HORIZON_YEARS)
    return present_value(replace(cash, leases=_streams(leases, day, firm=True)), years, discount)


def _why_not_firm(leases: Sequence[SiteLease], day: date) -> str:
    if not leases:
        return "no leases"
    if all(earliest_end_day(lease, day) is None for lease in leases):
        return "no lease states a notice and when it may be given"
    return f"no lease that states a notice runs on {day.isoformat()} or later"


def _payback(cash: PlanCash, leases: Leases, day: date, why: dict[str, str]) -> float | None:
    found = payback_years(replace(cash, leases=_streams(leases, day, firm=False)))
    if found is None:
        why["payback_years"] = f"not paid back within {MAX_HORIZON_YEARS:g} years"
    return found


def relieved_gbps(old: Evaluation, new: Evaluation) -> float:
    """Traffic above 70 % of the capacity of its link before, less that after, all links and both directions."""
    return _overload_gbps(old) - _overload_gbps(new)


def _overload_gbps(e: Evaluation) -> float:
    excess = e.arc_load_gbps - RELIEVED_LIMIT_RATIO * e.health.arc_capacity_gbps
    return float(np.sum(excess[np.isfinite(excess) & (excess > 0.0)]))


def _unit_costs(
    before: Score, after: Score, old: Evaluation, new: Evaluation, horizon: PresentValue | None
) -> Iterator[UnitCost]:
    years = horizon.years if horizon is not None else 0.0
    days = years * DAYS_PER_YEAR
    hours = HOURS_PER_MONTH * MONTHS_PER_YEAR * years
    step, step_why = _change(before, after, "step_time_s")
    base = before["step_time_s"]
    percent = None if step is None or not base else -100.0 * step / base
    yield _unit_cost("step time", "1 % of step time", percent, step_why, horizon)
    yield _unit_cost("relieved traffic", "Gb/s", relieved_gbps(old, new), "", horizon)
    flops = [None if e.step is None else e.step.model_flops_per_s * e.goodput_ratio / 1e15 for e in (old, new)]
    work = None if flops[0] is None or flops[1] is None else (flops[1] - flops[0]) * days
    yield _unit_cost("effective work", "PFLOP-day", work, old.why_no_step or new.why_no_step, horizon)
    tokens, tokens_why = _change(before, after, "goodput_tokens_per_s")
    millions = None if tokens is None else tokens * 86_400 * days / 1e6
    yield _unit_cost("tokens", "million tokens", millions, tokens_why, horizon)
    available, available_why = _change(before, after, "availability_ratio")
    avoided = None if available is None else available * hours
    yield _unit_cost("outage", "avoided hour", avoided, available_why, horizon)


def _change(before: Score, after: Score, name: str) -> tuple[float | None, str]:
    values = before[name], after[name]
    if values[0] is None or values[1] is None:
        return None, (before if values[0] is None else after).metrics[name].why
    return values[1] - values[0], ""


def _unit_cost(name: str, unit: str, gain: float | None, why: str, horizon: PresentValue | None) -> UnitCost:
    if gain is None:
        return UnitCost(name, unit, None, None, why)
    if horizon is None:
        return UnitCost(name, unit, gain if unit in ("1 % of step time", "Gb/s") else None, None, "a price is unknown")
    if abs(gain) < 1e-9:
        return UnitCost(name, unit, 0.0, None, "the plan does not change it")
    if gain < 0.0:
        return UnitCost(name, unit, gain, None, "the plan makes it worse")
    return UnitCost(name, unit, gain, horizon.cost_usd / gain)


def _summary(
    horizon: PresentValue | None, payback: float | None, loss: str | None, why: Mapping[str, str], bill: Bill
) -> Iterator[str]:
    if horizon is None:
        yield f"The net present value is unknown: {why['horizon']}."
    else:
        text = f"Net present value over {horizon.years:g} years: {usd_text(horizon.npv_usd)}"
        text += f"; cost of the plan {usd_text(horizon.cost_usd)}" if horizon.cost_usd > 0 else ""
        yield f"{text}."
        if horizon.work_usd:
            yield f"Without the worth of the job's work it is {usd_text(horizon.npv_usd - horizon.work_usd)}."
    if loss is not None:
        yield loss
    if payback:
        yield f"Paid back after {payback:.2g} years, without discount."
    elif horizon is not None and payback is None:
        yield f"Purchases are {why['payback_years']}."
    yield from (line for line in bill.summary if "Price unknown" in line or "placeholder" in line)
