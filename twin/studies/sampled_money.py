"""Figures of money of one evaluation that a decision needs beside the metrics."""

from __future__ import annotations

from collections.abc import Callable

from ..answers.metric import NotApplicableError
from ..answers.money_metrics import capex_usd
from ..stages.evaluation import Evaluation

OF_SITE = "@"
"""Separates a figure from its site: `power_usd_per_year@c1`."""


def _goodput_flops_per_s(e: Evaluation, _: str) -> float:
    if e.step is None:
        raise NotApplicableError(e.why_no_step)
    return e.step.model_flops_per_s * e.goodput_ratio


def _work_usd_per_year_per_flops(e: Evaluation, _: str) -> float:
    """Rent a year of one FLOP/s of goodput, at the share of interruptions of this case."""
    if e.step is None:
        raise NotApplicableError(e.why_no_step)
    if e.year_of_work.replacement is None:
        raise NotApplicableError("the price book rents no accelerator that can run the job")
    if not e.goodput_ratio:
        raise NotApplicableError("interruptions leave nothing of the step rate")
    return e.year_of_work.usd_per_year_per_flops / e.goodput_ratio


def _capex_usd_per_year(e: Evaluation, _: str) -> float:
    return capex_usd(e) * e.year_of_work.annuity_ratio_per_year


def _power_usd_per_year(e: Evaluation, site: str) -> float:
    return e.year_of_work.power_usd_per_year.get(site, 0.0)


MONEY_FIGURES: dict[str, Callable[[Evaluation, str], float]] = {
    "goodput_flops": _goodput_flops_per_s,
    "work_usd_per_year_per_flops": _work_usd_per_year_per_flops,
    "capex_usd_per_year": _capex_usd_per_year,
    "power_usd_per_year": _power_usd_per_year,
}
"""Figures by name; the unit is the end of the name. The second argument is a site."""


def money_figure(evaluation: Evaluation, name: str) -> float:
    """Return a figure, whose name may have a site behind `OF_SITE`. Raises NotApplicableError."""
    figure, _, site = name.partition(OF_SITE)
    return MONEY_FIGURES[figure](evaluation, site)
