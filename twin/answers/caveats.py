"""Metrics that look better because something broke: fewer links count, or less runs and so less is paid for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from ..arrays import Bools, Floats, Ints, greater_of_both
from ..errors.wording import counted
from ..optics.link_budget import MODE
from ..optics.optical_paths import OPTICS
from ..render.numbers import metric_text
from ..render.quantities import is_noise, names_text
from ..stages.evaluation import Evaluation
from .compared_rows import LinkRows, Trial
from .effect_causes import flow_change
from .metrics import METRICS

MONEY = ("opex_usd_per_year",)
LOAD = ("max_link_utilisation_ratio", "p99_link_utilisation_ratio")
Values = Mapping[str, tuple[float | None, float | None]]


def caveats(old: Evaluation, new: Evaluation, values: Values) -> dict[str, str]:
    """Return why metrics that look better are no improvement, by name; nothing for real improvements.

    A metric of links is computed again over the links that work before and after: if it is not better there, it is
    better only because others no longer count.

    Args:
        old: evaluation before.
        new: evaluation after.
        values: each metric before and after.
    """
    improved = {name for name, (before, after) in values.items() if _is_better(name, before, after)}
    if not improved:
        return {}
    rows = LinkRows(Trial(old), Trial(new))
    served = old.case.state.in_service[rows.old_rows], new.case.state.in_service[rows.new_rows]
    both = served[0] & served[1]
    n_gone = int(old.case.state.in_service.sum()) - int(both.sum())
    found: dict[str, str] = {}
    if n_gone:
        why = f"{_gone_text(old, rows, both, n_gone)} no longer counted"
        for name, before, after in _over_common_links(old, new, rows, both):
            if name in improved and not _is_better(name, before, after):
                found[name] = why
    if flow_change(old, new) == "less":
        less = _less_text(old, new)
        found |= {name: f"{less}, so links carry less" for name in LOAD if name in improved}
        found |= {name: f"{less}: less is paid for because less runs" for name in MONEY if name in improved}
    return {name: found[name] for name in values if name in found}


def caveat_sentences(found: Mapping[str, str], values: Values) -> Iterator[str]:
    """Yield one sentence for each metric that is no improvement."""
    for name, why in found.items():
        before, after = (metric_text(name, value) for value in values[name])
        yield f"No improvement: {METRICS[name].label} {before} → {after}, since {why}."


def _is_better(name: str, before: float | None, after: float | None) -> bool:
    if before is None or after is None or is_noise(before, after):
        return False
    return (after < before) == (METRICS[name].better == "lower")


def _gone_text(old: Evaluation, rows: LinkRows, both: Bools, n_gone: int) -> str:
    ids = old.case.state.link_ids
    kept = np.zeros(len(ids), dtype=np.bool_)
    kept[rows.old_rows[both]] = True
    gone = np.flatnonzero(old.case.state.in_service & ~kept)[:3].tolist()
    if n_gone <= len(gone):
        return f"{names_text([ids[row] for row in gone])} {'is' if n_gone == 1 else 'are'}"
    return f"{counted(n_gone, 'link')} ({ids[gone[0]]}, …) are"


def _over_common_links(
    old: Evaluation, new: Evaluation, rows: LinkRows, both: Bools
) -> Iterator[tuple[str, float | None, float | None]]:
    """Yield metrics of links over those that work before and after: name, before, after."""
    sides = (old, rows.old_rows[both]), (new, rows.new_rows[both])
    for name, compute in OVER_LINKS.items():
        before, after = (compute(e, chosen) for e, chosen in sides)
        yield name, before, after


OverLinks = Callable[[Evaluation, Ints], float | None]


def _lowest(values: Callable[[Evaluation], Floats], optics: Sequence[str] = OPTICS) -> OverLinks:
    def compute(e: Evaluation, chosen: Ints) -> float | None:
        codes = [OPTICS.index(name) for name in optics]
        known = values(e)[chosen][np.isin(e.health.optics[chosen], codes)]
        known = known[~np.isnan(known)]
        return float(known.min()) if len(known) else None

    return compute


def _n_fallen_back(e: Evaluation, chosen: Ints) -> float | None:
    limit = e.health.budgets.by_link(e.health.budgets.limit)
    return float(((limit == MODE) | ~e.health.lit)[chosen].sum())


def _n_below_margin(e: Evaluation, chosen: Ints) -> float | None:
    worse_db = e.health.worse_margin_db[chosen]
    return float((worse_db < e.health.required_margin_db[chosen]).sum())


def _busiest(e: Evaluation, chosen: Ints) -> float | None:
    if e.demands is None and e.step is None:
        return None
    ratio = greater_of_both(e.arc_utilisation_ratio)[chosen]
    return float(np.nanmax(ratio)) if len(ratio) and not np.isnan(ratio).all() else None


OVER_LINKS: dict[str, OverLinks] = {
    "n_links_below_margin": _n_below_margin,
    "n_links_fallen_back": _n_fallen_back,
    "min_margin_db": _lowest(lambda e: e.health.margin_db),
    "min_coherent_margin_db": _lowest(lambda e: e.health.margin_db, ("coherent",)),
    "min_receiver_headroom_db": _lowest(lambda e: e.health.receiver_headroom_db),
    "max_link_utilisation_ratio": _busiest,
}
"""Metrics of links that work, over some of them."""


def _less_text(old: Evaluation, new: Evaluation) -> str:
    if old.step is not None and new.step is None:
        return "the job no longer runs"
    if old.step is not None and new.step is not None and new.step.tokens_per_s < old.step.tokens_per_s:
        return "the job is slower"
    return "less of the traffic is carried"
