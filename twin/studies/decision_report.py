"""Answer of a decision: options with their money over samples, which is best, and the rent at which that flips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..answers.data import Answer
from ..answers.score import data_frame
from ..answers.warning import AnswerWarning
from ..errors import ChangeError
from ..errors.wording import value_text
from ..model.document import TopologyDocument
from ..render.decision_table import decision_table
from ..render.quantities import names_text, usd_text
from .decision_options import LeaseOffer, RunningLeases
from .sample_report import TornadoRow
from .uncertain_inputs import UncertainInput

if TYPE_CHECKING:
    from .uncertainty import SampleSettings

MAX_TOKEN_PRICE = 1e9
"""Highest price of a million tokens, USD."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount over all samples, in the unit of the field's name; null without a value."""

    at_value: float | None
    """With every input at its most likely value."""
    p10: float | None
    p50: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class DecidedOption:
    """One thing to do, and what a year of it costs and brings."""

    name: str
    plan: str | None
    """Null for the network as it is."""
    site: str | None
    """Site that is leased; null for none."""
    n_leased: int
    """Accelerators of the site that a tenant gets."""
    n_infeasible: int
    """Samples in which the job cannot run."""
    best_ratio: float
    """Share of the samples in which its net dollars a year are the most of all."""
    beats_first_ratio: float | None
    """Share of the samples in which they are more than those of doing nothing; null for that."""
    capex_usd: Amount
    goodput_tokens_per_s: Amount
    lease_usd_per_year: Amount
    """Rent that tenants pay, those of leases that run already included."""
    lost_rent_usd_per_year: Amount
    """Rent of the part of the site that the option keeps; it is no part of the net amount."""
    work_usd_per_year: Amount
    """Worth of the tokens."""
    cost_usd_per_year: Amount
    """Cost of operation, less electricity that tenants pay, and yearly payments for purchases."""
    net_usd_per_year: Amount
    """Worth of the tokens and rent, less cost."""


@dataclass(frozen=True, slots=True)
class FlipPrice:
    """Rent of a whole site from which leaving it out and leasing it is the best option."""

    option: str
    site: str
    n_accelerators: int
    """Accelerators of the site, less those of tenants that it has already."""
    offered_usd_per_month: float
    usd_per_month: Amount
    """For all these accelerators; below zero where leaving it out pays even without rent."""
    usd_per_accelerator_hour: Amount
    pays_ratio: float | None
    """Share of the samples in which the offer is above that rent."""


@dataclass(frozen=True, slots=True)
class DecidedJob:
    """Options of one job."""

    job: str
    summary: tuple[str, ...]
    options: tuple[DecidedOption, ...]
    """Doing nothing first."""
    best: str
    """Option with the most net dollars a year in the mean."""
    flips: tuple[FlipPrice, ...]
    worth_of_all_usd_per_year: float
    """Worth of knowing every input before the choice."""
    worth_noise_usd_per_year: float
    """Worth of inputs that do nothing, by the same estimate; a smaller worth says nothing."""
    usd_per_million_tokens: Amount
    """Worth of tokens: stated, or what renting the cheapest accelerators for them costs."""
    tornado: tuple[TornadoRow, ...]
    """Inputs that move net dollars a year, in USD; `at_low` and `at_high` are in the order of `options`."""


@dataclass(frozen=True, kw_only=True, repr=False)
class DecisionReport(Answer):
    """Options by job, with intervals, the probability of each to be best, and the rent at which that flips."""

    network: str
    as_of: str | None
    job: str | None
    """Null where several jobs were asked for."""
    summary: tuple[str, ...]
    n_samples: int
    seed: int
    power_paid_by: str | None
    """Payer of the electricity of what is leased; null without a lease."""
    jobs: tuple[DecidedJob, ...]
    inputs: tuple[UncertainInput, ...]
    """Every input that was sampled, for any of the jobs."""
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def to_pandas(self) -> Any:
        """Return a DataFrame: one row for each job and option, the p50 of each amount (needs the extra `tables`)."""
        amounts = [name for name, kind in DecidedOption.__annotations__.items() if kind == "Amount"]
        rows = [
            {"job": job.job, "option": row.name, "best_ratio": row.best_ratio}
            | {name: getattr(row, name).p50 for name in amounts}
            for job in self.jobs
            for row in job.options
        ]
        return data_frame(rows, ("job", "option", *amounts, "best_ratio"))

    def _table(self) -> Any:
        return decision_table(self.to_dict())


def check_token_price(usd_per_million_tokens: float | None) -> None:
    """Raise ChangeError for a price of tokens that is no number from 0 to MAX_TOKEN_PRICE; None is fine."""
    if usd_per_million_tokens is None:
        return
    if not isinstance(usd_per_million_tokens, int | float) or not 0.0 <= usd_per_million_tokens <= MAX_TOKEN_PRICE:
        expected = f"a number from 0 to {MAX_TOKEN_PRICE:,.0f}"
        raise ChangeError(value_text(usd_per_million_tokens), where="usd_per_million_tokens", expected=expected)


def decision_report(
    network: str,
    document: TopologyDocument,
    jobs: Sequence[DecidedJob],
    offers: Mapping[str, LeaseOffer],
    inputs: tuple[UncertainInput, ...],
    settings: SampleSettings,
    usd_per_million_tokens: float | None,
    running: RunningLeases,
) -> DecisionReport:
    """Build the answer of the decisions of some jobs; its summary says what the money rests on."""
    payers = {offer.power_paid_by for offer in offers.values()}
    payer = payers.pop() if len(payers) == 1 else None
    return DecisionReport(
        network=network,
        as_of=document.as_of.isoformat() if document.as_of else None,
        job=jobs[0].job if len(jobs) == 1 else None,
        summary=(*_basis(payer, jobs, usd_per_million_tokens, len(inputs)), *_running_text(running)),
        n_samples=settings.n_samples,
        seed=settings.seed,
        power_paid_by=payer,
        jobs=tuple(jobs),
        inputs=inputs,
    )


def _basis(
    payer: str | None, jobs: Sequence[DecidedJob], usd_per_million_tokens: float | None, n_inputs: int
) -> Iterator[str]:
    if usd_per_million_tokens is None:
        prices = [job.usd_per_million_tokens.at_value for job in jobs]
        texts = [f"{usd_text(usd)} for {job.job}" for usd, job in zip(prices, jobs, strict=True) if usd is not None]
        yield f"A million tokens is worth what renting the cheapest accelerators for them costs: {', '.join(texts)}."
    else:
        yield f"A million tokens is worth {usd_text(usd_per_million_tokens)}, as stated."
    yield "Purchases count as equal yearly payments over the horizon of the price book, with interest."
    if payer is not None:
        yield (
            f"Tenants pay the owner pro rata by accelerators; the {payer} pays for their electricity. "
            "Rent counts for a whole year: `twin leases` shows what of it is firm."
        )
    yield f"{n_inputs:,} inputs were sampled, independently of each other. --json lists them with their ranges."


def plans_left_out(plans: Sequence[str], broken: Mapping[str, str]) -> Iterator[str]:
    """Yield which plans of the document a decision without options leaves out.

    Args:
        plans: plans that a user can add.
        broken: reason of each plan that cannot be built.
    """
    for name, reason in broken.items():
        yield f"Plan {name!r} is no option: {reason}"
    if plans:
        yield f"Left out: {names_text(plans, len(plans))}. --plan adds a plan, --lease and --share a site."


def _running_text(running: RunningLeases) -> Iterator[str]:
    if running.usd_per_year:
        yield f"All options include {usd_text(running.usd_per_year)} a year of leases that run already."
    if running.rent_unknown:
        yield f"Rent not stated, left out of all options: {names_text(running.rent_unknown)}."
