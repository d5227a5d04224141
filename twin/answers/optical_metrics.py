"""Metrics of the optics of links: margin, receiver headroom, links below them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..optics.link_budget import MODE
from ..optics.link_health import ROADM_TEXT
from ..optics.optical_paths import OPTICS
from ..stages.evaluation import Evaluation
from .metric import NotApplicableError


def min_margin(optics: tuple[str, ...]) -> Callable[[Evaluation], float]:
    """Smallest optical margin of links of a technology, at their current mode. Failed links do not count."""

    def compute(e: Evaluation) -> float:
        margin = e.health.margin_db[
            e.case.state.in_service & np.isin(e.health.optics, [OPTICS.index(name) for name in optics])
        ]
        if not len(margin):
            raise NotApplicableError(f"no {' or '.join(optics).replace('_', ' ')} link is up")
        if np.isnan(margin).all() and e.case.state["link_at_roadm"].any():
            raise NotApplicableError(ROADM_TEXT)
        if np.isnan(margin).all():
            raise NotApplicableError(f"no {' or '.join(optics).replace('_', ' ')} link is within reach of its optics")
        return float(np.nanmin(margin))

    return compute


def n_links_fallen_back(e: Evaluation) -> float:
    """Links in service that are down or in a slower mode; their margin is that of the slower mode."""
    limit = e.health.budgets.by_link(e.health.budgets.limit)
    return float((e.case.state.in_service & ((limit == MODE) | ~e.health.lit)).sum())


def n_links_below_margin(e: Evaluation) -> float:
    """Links in service, up or down, with less margin or receiver headroom than required."""
    worse_db = e.health.worse_margin_db
    has_margin = e.case.state.in_service & ~np.isnan(worse_db)
    return float((has_margin & (worse_db < e.health.required_margin_db)).sum())


def min_receiver_headroom_db(e: Evaluation) -> float:
    """Smallest distance of a received power to the most that its receiver bears. Failed links do not count."""
    headroom_db = e.health.receiver_headroom_db[e.case.state.in_service]
    if np.isnan(headroom_db).all():
        raise NotApplicableError("no transceiver of a link that is up states the most power that it bears")
    return float(np.nanmin(headroom_db))
