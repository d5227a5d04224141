"""Goodput of a job: losses to interruptions, checkpoints, waiting for repairs, and running without lost sites.

goodput = Daly's efficiency at the best checkpoint interval x share of time not spent waiting x mean rate while sites
are lost. All failures occur at constant rates, one at a time; those that abort the job add up in Daly's formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import lambertw

from ..arrays import Bools, Floats
from ..arrays.sums import sum_of
from ..catalogue.figure_reader import FigureReader
from ..units import DAYS_PER_YEAR
from .interruptions import Interruptions
from .outages import ABORT, FAILED_ELEMENTS, SECONDS_PER_HOUR, STALL, LostSites, Outages
from .rates import HOURS_PER_YEAR

SECONDS_PER_DAY = 86_400.0
OnSiteLoss = Literal["stop", "go_on"]
Recovery = Literal["restart", "elastic"]
RECOVERY_FIGURES: dict[Recovery, str] = {"restart": "recovery_s", "elastic": "elastic_recovery_s"}


@dataclass(frozen=True, eq=False)
class Goodput:
    """Long-term share of a job's rate that becomes progress, and the causes of the loss.

    `goodput_ratio = daly_ratio * availability_ratio * rate_ratio`. Times are infinite where nothing interrupts.
    """

    n_interruptions_per_day: float
    """Unplanned aborts: the job recovers from the last checkpoint."""
    n_per_day_by_cause: dict[str, float]
    """Unplanned aborts by cause: the job's parts, then failures between its sites."""
    n_planned_per_day: float
    """Planned stops: each costs a checkpoint and a recovery, but no work."""
    mtbf_s: float
    """Mean time between two aborts."""
    checkpoint_interval_s: float
    """Work between two checkpoints, Daly's optimum."""
    checkpoint_write_s: float
    recovery_s: float
    daly_ratio: float
    """Share of time without checkpoints, lost work and recovery."""
    availability_ratio: float
    """Share of time in which the job does not wait."""
    waiting_ratio: dict[str, float]
    """Share of time spent waiting, by reason; with `availability_ratio` they add up to one."""
    rate_ratio: float
    """Mean rate while it does not wait, over the rate with all sites."""
    goodput_ratio: float
    outages: Outages
    """Outages between the sites."""


def daly_interval_s(mtbf_s: float, checkpoint_s: float) -> float:
    """Compute the work between two checkpoints that maximises `daly_efficiency`; infinite without interruptions.

    The solution is exact: (1 - x) e^x = e^(-d/M) with x = tau/M, so x = 1 + W0(-e^(-1 - d/M)). Near the branch point
    it is sqrt(2 d/M).
    """
    if math.isinf(mtbf_s):
        return math.inf
    d = checkpoint_s / mtbf_s
    x = 1.0 + float(lambertw(-math.exp(-1.0 - d)).real)
    return mtbf_s * (x if x > 0.0 else math.sqrt(2.0 * d))


def daly_efficiency(mtbf_s: float, checkpoint_s: float, recovery_s: float) -> float:
    """Compute the share of time that becomes work at the best checkpoint interval, in 0..1.

    It is tau / (M e^(R/M) (e^((tau + d)/M) - 1)). Unlike first-order forms it stays positive.

    Source: Daly 2006, FGCS 22(3), eq. 20.
    """
    if math.isinf(mtbf_s):
        return 1.0
    x, d = daly_interval_s(mtbf_s, checkpoint_s) / mtbf_s, checkpoint_s / mtbf_s
    if x <= 0.0:  # free checkpoints are written continuously
        return math.exp(-recovery_s / mtbf_s)
    exponent = x + d
    if exponent + recovery_s / mtbf_s > 700.0:
        return 0.0
    return min(x / (math.exp(recovery_s / mtbf_s) * math.expm1(exponent)), 1.0)


def job_goodput(
    parts: Interruptions,
    outages: Outages,
    reader: FigureReader,
    on_site_loss: OnSiteLoss = "stop",
    recovery: Recovery = "restart",
    rate_without: Callable[[LostSites], float] | None = None,
) -> Goodput:
    """Compute the goodput of a job.

    A job that loses a site waits for the repair (`stop`), or continues at `rate_without` of its rate (`go_on`). The
    site returns with a checkpoint and a recovery. Waiting time is: stalls, repairs while the job waits, checkpoint and
    recovery of planned stops and of returning sites. Two lost sites at a time slow the job by the product of their
    ratios.

    Args:
        parts: interruptions by the job's parts.
        outages: outages between its sites.
        reader: source of figures.
        on_site_loss: what the job does when it loses a site.
        recovery: how the job recovers from an abort.
        rate_without: share of the rate without a set of sites, called once for each set. Above 1 counts as 1, 0 as
            waiting.

    Returns:
        Goodput and the causes of loss.
    """
    recovery_s = reader.general(RECOVERY_FIGURES[recovery])
    write_s = reader.general("checkpoint_write_s")
    aborts = outages.outage_class == ABORT
    causes = dict(parts.n_per_day_by_cause)
    for code, element in enumerate(FAILED_ELEMENTS):
        n_per_year = sum_of(outages.n_per_year[aborts & (outages.element == code)])
        if n_per_year > 0.0:
            causes[f"between sites: {element}"] = n_per_year / DAYS_PER_YEAR
    n_per_day = math.fsum(causes.values())
    mtbf_s = SECONDS_PER_DAY / n_per_day if n_per_day > 0.0 else math.inf
    rate_of_lost = [0.0] * len(outages.lost_sites)
    if on_site_loss == "go_on" and rate_without is not None:
        # only an abort makes a job continue without a site; it waits for the end of shorter losses
        for code in np.unique(outages.lost[aborts & (outages.lost > 0)]).tolist():
            rate_of_lost[code] = min(max(rate_without(outages.lost_sites[code]), 0.0), 1.0)
    waiting, rate_ratio = _waiting(outages, np.array(rate_of_lost), write_s + recovery_s)
    waiting["planned stops"] = parts.n_planned_per_day * (write_s + recovery_s) / SECONDS_PER_DAY
    availability_ratio = 1.0 / (1.0 + math.fsum(waiting.values()))
    daly_ratio = daly_efficiency(mtbf_s, write_s, recovery_s)
    return Goodput(
        n_interruptions_per_day=n_per_day,
        n_per_day_by_cause=causes,
        n_planned_per_day=parts.n_planned_per_day,
        mtbf_s=mtbf_s,
        checkpoint_interval_s=daly_interval_s(mtbf_s, write_s),
        checkpoint_write_s=write_s,
        recovery_s=recovery_s,
        daly_ratio=daly_ratio,
        availability_ratio=availability_ratio,
        waiting_ratio={reason: load * availability_ratio for reason, load in waiting.items()},
        rate_ratio=rate_ratio,
        goodput_ratio=daly_ratio * availability_ratio * rate_ratio,
        outages=outages,
    )


def _waiting(outages: Outages, rate_of_lost: Floats, rejoin_s: float) -> tuple[dict[str, float], float]:
    """(seconds of waiting per second in service by reason, mean rate over the rate with all sites)."""
    pause_h = outages.pause_s / SECONDS_PER_HOUR
    isolated = (outages.outage_class == ABORT) & (outages.lost > 0)
    continues = isolated & (rate_of_lost[outages.lost] > 0.0)

    def load(rows: Bools, hours: Floats) -> float:
        return float(outages.n_per_year[rows] @ hours[rows]) / HOURS_PER_YEAR

    waiting = {
        "stalls": load(outages.outage_class == STALL, pause_h),
        "repairs": load(isolated & ~continues, outages.repair_h),
        "sites coming back": load(continues, np.full(len(pause_h), rejoin_s / SECONDS_PER_HOUR)),
    }
    lost_load = outages.n_per_year[continues] * outages.repair_h[continues] / HOURS_PER_YEAR
    slowdown_ratio = lost_load / (1.0 + lost_load) * (1.0 - rate_of_lost[outages.lost[continues]])
    return waiting, float(np.prod(1.0 - slowdown_ratio))


def time_to_train_days(n_tokens: float, tokens_per_s: float, goodput_ratio: float) -> float:
    """Compute the days to train on `n_tokens`, interruptions included; infinite where the rate is 0."""
    goodput_per_s = tokens_per_s * goodput_ratio
    return n_tokens / goodput_per_s / SECONDS_PER_DAY if goodput_per_s > 0.0 else math.inf
