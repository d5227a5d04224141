"""What of the work survives: interruptions, checkpoints, waiting for repairs, and going on with a site fewer.

goodput = Daly's share at the best checkpoint interval x share of time not spent waiting x mean rate while sites are
lost. All failures strike at constant rates, one by one; those that abort count in Daly's formula together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import lambertw

from ..catalogue.figure_reader import FigureReader
from ..units import DAYS_PER_YEAR
from .interruptions import Interruptions
from .link_failures import HOURS_PER_YEAR
from .outages import ABORT, SECONDS_PER_HOUR, STALL, THINGS, LostSites, Outages

SECONDS_PER_DAY = 86_400.0
OnSiteLoss = Literal["stop", "go_on"]
Recovery = Literal["restart", "elastic"]
RECOVERY_FIGURES: dict[Recovery, str] = {"restart": "recovery_s", "elastic": "elastic_recovery_s"}


@dataclass(frozen=True, eq=False)
class Goodput:
    """What is left of a job's rate over a long time, and what takes the rest.

    `goodput_ratio = daly_ratio * availability_ratio * rate_ratio`. Times are infinite where nothing interrupts.
    """

    n_interruptions_per_day: float
    """Those that abort: recovery from the last checkpoint."""
    n_per_day_by_cause: dict[str, float]
    """The same by cause: the job's parts, then what joins its sites."""
    n_planned_per_day: float
    """Stops that were planned: they cost a checkpoint and a recovery, but no work."""
    mtbf_s: float
    """Between two aborts."""
    checkpoint_interval_s: float
    """Of work between two checkpoints, Daly's best."""
    checkpoint_write_s: float
    recovery_s: float
    daly_ratio: float
    """Share that is neither checkpoint, nor lost work, nor recovery."""
    availability_ratio: float
    """Share of time in which the job does not wait."""
    waiting_ratio: dict[str, float]
    """Share of time spent waiting, by what for; with `availability_ratio` they add up to one."""
    rate_ratio: float
    """Mean rate while it does not wait, over the rate with all sites."""
    goodput_ratio: float
    outages: Outages
    """Between the sites, one by one."""


def daly_interval_s(mtbf_s: float, checkpoint_s: float) -> float:
    """Work between two checkpoints that makes `daly_efficiency` best; infinite where nothing interrupts.

    Exact: (1 - x) e^x = e^(-d/M) with x = tau/M, so x = 1 + W0(-e^(-1 - d/M)); near its branch point sqrt(2 d/M).
    """
    if math.isinf(mtbf_s):
        return math.inf
    d = checkpoint_s / mtbf_s
    x = 1.0 + float(lambertw(-math.exp(-1.0 - d)).real)
    return mtbf_s * (x if x > 0.0 else math.sqrt(2.0 * d))


def daly_efficiency(mtbf_s: float, checkpoint_s: float, recovery_s: float) -> float:
    """Share of the time that becomes work at the best checkpoint interval; a ratio in 0..1.

    tau / (M e^(R/M) (e^((tau + d)/M) - 1)), Daly 2006, FGCS 22(3), eq. 20. Unlike first-order forms it stays positive.
    """
    if math.isinf(mtbf_s):
        return 1.0
    x, d = daly_interval_s(mtbf_s, checkpoint_s) / mtbf_s, checkpoint_s / mtbf_s
    if x <= 0.0:  # a checkpoint that costs nothing is written all the time
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
    """Goodput of a job from what its parts do and what happens between its sites.

    on_site_loss: a job that loses a site waits for the repair (`stop`), or goes on at `rate_without` of its rate (asked
    once for each set of lost sites; more than 1 counts as 1, none as waiting) and takes it back with a checkpoint and
    a recovery (`go_on`). Waiting: stalls and repairs while it waits, checkpoint and recovery of planned stops and of
    sites that come back. Two lost sites at a time slow the job by both of their ratios.
    """
    recovery_s = reader.general(RECOVERY_FIGURES[recovery])
    write_s = reader.general("checkpoint_write_s")
    aborts = outages.outage == ABORT
    causes = dict(parts.n_per_day_by_cause)
    for code, thing in enumerate(THINGS):
        n_per_year = float(outages.n_per_year[aborts & (outages.thing == code)].sum())
        if n_per_year > 0.0:
            causes[f"between sites: {thing}"] = n_per_year / DAYS_PER_YEAR
    n_per_day = math.fsum(causes.values())
    mtbf_s = SECONDS_PER_DAY / n_per_day if n_per_day > 0.0 else math.inf
    without = [0.0] * len(outages.lost_sites)
    if on_site_loss == "go_on" and rate_without is not None:
        # only what aborts makes a job go on without a site; shorter losses are waited for
        for code in np.unique(outages.lost[aborts & (outages.lost > 0)]).tolist():
            without[code] = min(max(rate_without(outages.lost_sites[code]), 0.0), 1.0)
    waiting, rate_ratio = _waiting(outages, np.array(without), write_s + recovery_s)
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
        waiting_ratio={what: load * availability_ratio for what, load in waiting.items()},
        rate_ratio=rate_ratio,
        goodput_ratio=daly_ratio * availability_ratio * rate_ratio,
        outages=outages,
    )


def _waiting(outages: Outages, without: np.ndarray, rejoin_s: float) -> tuple[dict[str, float], float]:
    """(seconds of waiting for a second in service, by what for; mean rate over the rate with all sites)."""
    pause_h = outages.pause_s / SECONDS_PER_HOUR
    cut_off = (outages.outage == ABORT) & (outages.lost > 0)
    goes_on = cut_off & (without[outages.lost] > 0.0)

    def load(rows: np.ndarray, hours: np.ndarray) -> float:
        return float(outages.n_per_year[rows] @ hours[rows]) / HOURS_PER_YEAR

    waiting = {
        "stalls": load(outages.outage == STALL, pause_h),
        "repairs": load(cut_off & ~goes_on, outages.repair_h),
        "sites coming back": load(goes_on, np.full(len(pause_h), rejoin_s / SECONDS_PER_HOUR)),
    }
    lost = outages.n_per_year[goes_on] * outages.repair_h[goes_on] / HOURS_PER_YEAR
    slower = lost / (1.0 + lost) * (1.0 - without[outages.lost[goes_on]])
    return waiting, float(np.prod(1.0 - slower))


def time_to_train_days(n_tokens: float, tokens_per_s: float, goodput_ratio: float) -> float:
    """Days that so many tokens take, interruptions included; infinite where nothing is trained."""
    rate = tokens_per_s * goodput_ratio
    return n_tokens / rate / SECONDS_PER_DAY if rate > 0.0 else math.inf
