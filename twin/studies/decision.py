"""Decision between plans and leases: net dollars a year of each option over samples, and the rent at which it flips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats
from ..economics.cost import HOURS_PER_YEAR
from ..economics.lease_terms import power_ratio
from ..units import HOURS_PER_MONTH, MONTHS_PER_YEAR
from .decision_options import Option, RunningLeases
from .decision_report import Amount, DecidedJob, DecidedOption, FlipPrice
from .sample_report import PROBABILITIES
from .sample_statistics import best_of, complete_rows, quantile, value_of_perfect_information
from .samples import Rows, noise_of, table_of, tornado_of
from .sampling import CaseFigures, SampleQuestion

SECONDS_PER_YEAR = 3600.0 * HOURS_PER_YEAR
FIGURES = (
    "goodput_tokens_per_s",
    "goodput_flops",
    "capex_usd",
    "opex_usd_per_year",
    "work_usd_per_year_per_flops",
    "capex_usd_per_year",
)
"""Figures that a decision needs of each case; `power_usd_per_year` of each leased site comes beside."""
POWER = "power_usd_per_year"
NO_LEASES = RunningLeases()


@dataclass(frozen=True, eq=False)
class OptionTables:
    """Figures of each option in each row; float64[n_rows, n_options], NaN = no value."""

    capex_usd: Floats
    goodput_tokens_per_s: Floats
    work_usd_per_year: Floats
    lease_usd_per_year: Floats
    """Rent of what the option leases, and of the leases that run already."""
    lost_rent_usd_per_year: Floats
    """Rent of the rest of the leasable site, which the option does without."""
    cost_usd_per_year: Floats
    """Cost of operation less what tenants pay of it, and payments for purchases."""
    lease_usd_per_month: Floats
    """Rent of all of the site that each option leases, or of the first such site; NaN without one."""
    running_usd_per_year: float = 0.0
    """Rent of the leases that run already, alike in all options."""

    @property
    def net_usd_per_year(self) -> Floats:
        """Worth of the work and rent, less all costs."""
        return self.work_usd_per_year + self.lease_usd_per_year - self.cost_usd_per_year


def option_tables(
    question: SampleQuestion,
    found: Sequence[tuple[CaseFigures, ...]],
    options: Sequence[Option],
    usd_per_million_tokens: float | None,
    running: RunningLeases = NO_LEASES,
) -> OptionTables:
    """Compute the figures of options from those of cases.

    The work of a job is worth what renting the cheapest accelerators for it costs, with the interruptions of the option
    that has the fewest, so that all options are measured alike; or a price of tokens that a user states.

    Args:
        question: cases, inputs and figures.
        found: figures by row, then by case.
        options: the options.
        usd_per_million_tokens: price of tokens; None = that of renting.
        running: leases that run already.
    """
    tables = {name: table_of(found, i) for i, name in enumerate(question.figures)}
    case = np.array([option.case for option in options])
    tokens = tables["goodput_tokens_per_s"][:, case]
    if usd_per_million_tokens is None:
        per_flops = tables["work_usd_per_year_per_flops"]
        least = np.where(np.isnan(per_flops), np.inf, per_flops).min(axis=1, keepdims=True)
        work = tables["goodput_flops"][:, case] * np.where(np.isinf(least), np.nan, least)
    else:
        work = tokens * (SECONDS_PER_YEAR / 1e6 * usd_per_million_tokens)
    main = next((option.offer for option in options if option.offer is not None), None)
    rents = np.full((len(found), len(options)), running.usd_per_year)
    refund, lost = np.zeros_like(rents), np.zeros_like(rents)
    for site, ratio in running.paid_power_ratio:
        refund += tables[f"{POWER}@{site}"][:, case] * ratio
    price = np.full((len(found), len(options)), np.nan)
    for column, option in enumerate(options):
        offer = option.offer or main
        if offer is None:
            continue
        usd_per_month = _rents(question, offer.site, offer.usd_per_month)
        price[:, column] = usd_per_month
        year = usd_per_month * MONTHS_PER_YEAR
        rents[:, column] += year * option.leased_ratio
        lost[:, column] = year * ((offer.n_free - option.n_leased) / offer.n_owned)
        if paid_ratio := power_ratio(offer.power_paid_by, option.n_leased, offer.n_owned):
            refund[:, column] += tables[f"{POWER}@{offer.site}"][:, option.case] * paid_ratio
    cost = tables["opex_usd_per_year"] + tables["capex_usd_per_year"]
    return OptionTables(
        capex_usd=tables["capex_usd"][:, case],
        goodput_tokens_per_s=tokens,
        work_usd_per_year=work,
        lease_usd_per_year=rents,
        lost_rent_usd_per_year=lost,
        cost_usd_per_year=cost[:, case] - refund,
        lease_usd_per_month=price,
        running_usd_per_year=running.usd_per_year,
    )


def _rents(question: SampleQuestion, site: str, usd_per_month: float) -> Floats:
    """Rent of a site in each row, float64[n_rows]: the uncertain input if there is one."""
    where = f"sites.{site}.lease_usd_per_month"
    for column, known in enumerate(question.inputs):
        if known.where == where:
            values = question.values[:, column]
            return np.where(np.isnan(values), usd_per_month, values)
    return np.full(len(question.values), usd_per_month)


def flip_price(tables: OptionTables, options: Sequence[Option], column: int) -> Floats:
    """Compute the rent of a whole site from which leaving it out is the best option.

    Net income rises with the rent in proportion to the leased share, so that each pair of options crosses once. An
    option that leases all of the site, or all that its tenants leave, gains most from the rent.

    Args:
        tables: figures of all options.
        options: the options.
        column: option that leases all of its site that can be leased.

    Returns:
        USD a month by row, float64[n_rows]; below zero where it is best without any rent, NaN without a value.
    """
    site = options[column].offer.site if options[column].offer is not None else ""  # type: ignore[union-attr]
    own_ratio = options[column].leased_ratio
    without = tables.net_usd_per_year - (tables.lease_usd_per_year - tables.running_usd_per_year)
    crossings = []
    for i, option in enumerate(options):
        of_site = option.offer is not None and option.offer.site == site
        share = option.leased_ratio if of_site else 0.0
        if i == column or share >= own_ratio:
            continue
        other = without[:, i] if of_site else tables.net_usd_per_year[:, i]
        crossings.append((other - without[:, column]) / (MONTHS_PER_YEAR * (own_ratio - share)))
    return np.asarray(np.max(crossings, axis=0)) if crossings else np.full(len(without), np.nan)


def decided_job(
    job: str,
    question: SampleQuestion,
    rows: Rows,
    found: Sequence[tuple[CaseFigures, ...]],
    options: Sequence[Option],
    usd_per_million_tokens: float | None,
    running: RunningLeases = NO_LEASES,
) -> DecidedJob:
    """Build the table of one job.

    Args:
        job: id of the job.
        question: cases, inputs and figures.
        rows: rows of the question.
        found: figures by row, then by case.
        options: the options.
        usd_per_million_tokens: price of tokens; None = that of renting.
        running: leases that run already.
    """
    tables = option_tables(question, found, options, usd_per_million_tokens, running)
    net = tables.net_usd_per_year
    samples = net[rows.samples]
    best, complete = best_of(samples, 1.0), samples[complete_rows(samples)]
    means = complete.mean(axis=0) if len(complete) else np.where(np.isnan(net[0]), -np.inf, net[0])
    names = [option.name for option in options]
    plans = [None if not question.cases[o.case].is_changed else question.cases[o.case].name for o in options]
    listed = tuple(
        DecidedOption(
            name=option.name,
            plan=plans[i],
            site=option.offer.site if option.offer is not None else None,
            n_leased=option.n_leased,
            n_infeasible=sum(bool(row[option.case].infeasible) for row in found[rows.samples]),
            best_ratio=float(best[i]),
            beats_first_ratio=_beats(samples, i),
            capex_usd=_amount(tables.capex_usd[:, i], rows),
            goodput_tokens_per_s=_amount(tables.goodput_tokens_per_s[:, i], rows),
            lease_usd_per_year=_amount(tables.lease_usd_per_year[:, i], rows),
            lost_rent_usd_per_year=_amount(tables.lost_rent_usd_per_year[:, i], rows),
            work_usd_per_year=_amount(tables.work_usd_per_year[:, i], rows),
            cost_usd_per_year=_amount(tables.cost_usd_per_year[:, i], rows),
            net_usd_per_year=_amount(net[:, i], rows),
        )
        for i, option in enumerate(options)
    )
    flips = tuple(
        _flip(option, flip_price(tables, options, i), tables.lease_usd_per_month[:, i], rows)
        for i, option in enumerate(options)
        if option.offer is not None and option.n_leased == option.offer.n_free
    )
    return DecidedJob(
        job=job,
        summary=(),
        options=listed,
        best=names[int(np.argmax(means))],
        flips=flips,
        worth_of_all_usd_per_year=value_of_perfect_information(complete, 1.0),
        worth_noise_usd_per_year=noise_of(samples, rows, 1.0),
        usd_per_million_tokens=_amount(_token_price(tables), rows),
        tornado=tornado_of(question.inputs, rows, net, names, 1.0),
    )


def _token_price(tables: OptionTables) -> Floats:
    """Worth of a million tokens in USD by row, of the network as it is."""
    tokens = tables.goodput_tokens_per_s[:, 0] * SECONDS_PER_YEAR / 1e6
    return np.asarray(tables.work_usd_per_year[:, 0] / np.where(tokens > 0.0, tokens, np.nan))


def _beats(samples: Floats, column: int) -> float | None:
    if column == 0:
        return None
    known = ~np.isnan(samples[:, [0, column]]).any(axis=1)
    n = int(np.sum(known))
    return int(np.sum(samples[known, column] > samples[known, 0])) / n if n else None


def _amount(values: Floats, rows: Rows) -> Amount:
    known = [value for value in values[rows.samples].tolist() if not np.isnan(value)]
    quantiles = [quantile(known, ratio) if known else None for ratio in PROBABILITIES]
    at_value = None if np.isnan(values[0]) else float(values[0])
    return Amount(at_value, quantiles[0], quantiles[1], quantiles[2])


def _flip(option: Option, prices: Floats, offered: Floats, rows: Rows) -> FlipPrice:
    assert option.offer is not None
    prices, offered = prices * option.leased_ratio, offered * option.leased_ratio
    samples, offers = prices[rows.samples], offered[rows.samples]
    known = ~np.isnan(samples)
    n = int(np.sum(known))
    per_hour = 1.0 / (option.n_leased * HOURS_PER_MONTH)
    return FlipPrice(
        option=option.name,
        site=option.offer.site,
        n_accelerators=option.n_leased,
        offered_usd_per_month=option.offer.usd_per_month * option.leased_ratio,
        usd_per_month=_amount(prices, rows),
        usd_per_accelerator_hour=_amount(prices * per_hour, rows),
        pays_ratio=int(np.sum(samples[known] < offers[known])) / n if n else None,
    )


def figures_of(sites: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the figures that a decision needs, with the power of each site with a tenant."""
    return (*FIGURES, *(f"{POWER}@{site}" for site in sites))
