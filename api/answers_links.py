"""What is answered about links one by one, as types: the calendar of many, and the page of one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twin.catalogue.ageing import AgeingCase
from twin.catalogue.figure_reader import UsedFigure

from .answers import Answer

Tier = Literal["access", "fabric", "border", "wide_area"]


class Moment(Answer):
    """A day to come; without a date where the document names no day to count from."""

    years: float
    """From the day of the document."""
    date: str | None


class RateDrop(Moment):
    """A day on which the rate of a member falls, and to what; 0 is dark."""

    member_gbps: float


class Runout(Answer):
    """When the busiest direction is as full as this, a share of what it carries that day."""

    planned: Moment | None = Field(alias="0.7")
    """Capacity is ordered by then."""
    late: Moment | None = Field(alias="0.9")
    """Too late to order."""


class CaseCalendar(Answer):
    """Links that fare alike in one ageing case; null where it does not come to that in time."""

    required_margin_gone: Moment | None
    """Less margin than the operator wants kept."""
    margin_gone: Moment | None
    """None left in the mode of today."""
    rate_drops: list[RateDrop]
    runout: Runout
    margin_db: list[float | None]
    """To the mode in use today, at each of the forecast's years."""
    member_gbps: list[float | None]
    utilisation_ratio: list[float | None]


class LinkCalendar(Answer):
    """A link, or several that are alike in light, of which the busiest is named."""

    id: str
    n_alike: int
    tier: Tier
    transceiver: str | None
    required_margin_db: float
    cases: dict[AgeingCase, CaseCalendar]
    """Optimistic (low), central (value) and pessimistic (high)."""


class ForecastAnswer(Answer):
    """When links come into trouble, those first that do soonest."""

    network: str
    job: str | None
    as_of: str | None
    years: list[float]
    growth_ratio_per_year: float
    links: list[LinkCalendar]
    assumptions: list[UsedFigure]


class BudgetStep(Answer):
    """A step of a budget: a level, in dBm while it is light and in dB later, and what the step took or gave."""

    step: str
    change_db: float | None
    level_dbm: float | None
    level_db: float | None


class BudgetLine(Answer):
    """The budget between two transponders."""

    line: str
    steps: list[BudgetStep]


class ModeMargin(Answer):
    """A mode of the transceiver and the margin it has; null where dispersion or PMD forbid it."""

    rate_gbps: float
    modulation: str
    baud_gbd: float
    required_snr_db: float
    margin_db: float | None
    in_use: bool


class Launch(Answer):
    """Of an amplified line: the launch power in use, the best one, and the GSNR at both."""

    channel_dbm: float
    line_gsnr_db: float
    best_channel_dbm: float
    best_line_gsnr_db: float


class DirectionRow(Answer):
    """One direction of a link; null where a notion does not apply (no margin on copper)."""

    id: str
    direction: str
    tier: Tier
    up: bool
    n_members_up: int
    length_km: float
    loss_db: float | None
    received_dbm: float | None
    line_gsnr_db: float | None
    snr_db: float | None
    margin_db: float | None
    required_margin_db: float
    member_gbps: float | None
    """Null where neither a rate nor a transceiver is stated."""
    pre_fec_ber_ratio: float | None
    loss_ratio: float | None
    window_ratio: float | None
    recovery_ratio: float | None
    goodput_ratio: float | None
    timeout_s: float | None
    headroom_needed_bytes: float | None
    headroom_bytes: float | None
    lossless_gbps: float | None
    pause_ratio: float | None
    capacity_gbps: float | None
    limit: str
    propagation_us: float
    fec_us: float
    regeneration_us: float
    macsec_us: float
    switching_us: float
    store_and_forward_us: float
    queueing_us: float | None
    latency_us: float | None
    load_gbps: float | None
    utilisation_ratio: float | None
    n_flaps_per_day: float
    line_mtbf_h: float | None
    line_mttr_h: float | None
    member_mtbf_h: float | None
    member_mttr_h: float | None
    unavailability_ratio: float | None


class PublishedMedian(Answer):
    """The median wide-area link of an operator's statistics."""

    mtbf_h: float
    mttr_h: float


class Failures(Answer):
    """How often the line and a member fail and for how long; null where nothing does."""

    line_mtbf_h: float | None
    line_mttr_h: float | None
    line_unavailability_ratio: float | None
    member_mtbf_h: float | None
    member_mttr_h: float | None
    member_unavailability_ratio: float | None
    n_failures_per_year: float | None
    n_cuts_per_year: float | None
    n_amplifier_failures_per_year: float | None
    n_transceiver_failures_per_year: float | None
    n_switches_per_year: float | None
    published_median_link: PublishedMedian | None = None
    """Of wide-area links only."""


class LinkAnswer(Answer):
    """One link on a page: words, budget, modes, both directions, failures, calendar."""

    network: str
    id: str
    as_of: str | None
    ends: tuple[str, str]
    tier: Tier
    transceiver: str | None
    n_members: int
    ageing: AgeingCase
    budget: list[BudgetLine]
    modes: list[ModeMargin]
    launch: list[Launch]
    directions: list[DirectionRow]
    failures: Failures
    summary: list[str]
    forecast: ForecastAnswer | None
