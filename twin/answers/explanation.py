"""What is in the way: a step taken apart, and the gap to the step it could be shared out among causes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from ..catalogue.figure_reader import UsedFigure
from ..render import explanation_figure, svg_of
from ..render.explanation_rows import CAUSE_HEADS, CAUSE_NAMES, PHASES_NOTE, cause_rows, step_parts
from ..render.numbers import seconds_text
from ..stages.evaluation import Evaluation
from ..training.causes import CAUSES, SENTENCES, Attribution
from .data import Answer
from .score import assumptions_of, html_table
from .summary_text import overlap_time_s, propagation_s

SMALL_RATIO = 0.005
"""Shares below it are not put in words, and gaps below it are none."""
SAME_RATIO = 0.1
"""Two causes that each save what both save, within this, hide behind one another."""
NOISE_RATIO = 1e-9
"""Differences of steps that are less than this of a step are rounding, and told as 0."""


@dataclass(frozen=True)
class CauseShare:
    """The part of the gap that one cause accounts for: Shapley share, removed alone, and removed last."""

    name: str
    sentence: str
    """What the model removed."""
    share_s: float
    share_ratio: float | None
    """Of the gap; null where there is no gap."""
    alone_s: float
    last_s: float


@dataclass(frozen=True)
class Explanation(Answer):
    """A training step by its parts, and its gap to the ideal step by eight causes, the largest first."""

    network: str
    as_of: str | None
    job: str
    plan: str | None
    """The plan applied first; "changes" where changes were."""
    step_time_s: float
    ideal_step_time_s: float
    """With every cause removed."""
    gap_s: float
    compute_time_s: float
    bubble_time_s: float
    exposed_s: dict[str, float]
    """By phase: the step minus the step without that phase."""
    overlap_time_s: float
    """Overlap between phases: step = compute + bubble + exposed_s of all phases + this."""
    straggler_ratio: float
    goodput_ratio: float
    exchange: str
    """How the sites exchange gradients."""
    causes: tuple[CauseShare, ...]
    summary: tuple[str, ...]
    assumptions: tuple[UsedFigure, ...]

    def __getitem__(self, cause: str) -> CauseShare:
        """A cause by name."""
        return next(found for found in self.causes if found.name == cause)

    def figure(self) -> Any:
        """A matplotlib figure, a waterfall from the step as it is to the step it could be (extra `pictures`)."""
        return explanation_figure(self.to_dict())

    def parts(self) -> list[tuple[str, float]]:
        """What the step is made of, name and seconds; they add up to it."""
        return step_parts(self.to_dict())

    def rows(self) -> list[tuple[str, ...]]:
        """One row a cause, as text: share, share of the gap, alone, last."""
        return cause_rows(self.to_dict())

    def _repr_html_(self) -> str:
        title = f"{self.network} · {self.job}"
        parts = [(name, seconds_text(seconds)) for name, seconds in (*self.parts(), ("step", self.step_time_s))]
        tables = html_table(f"{title}: a step", ("part", "seconds"), parts, (PHASES_NOTE,))
        tables += html_table(f"{title}: what is in the way", CAUSE_HEADS, self.rows(), self.summary)
        return tables + svg_of(self.figure)


def explanation_of(e: Evaluation, found: Attribution, network: str, plan: str | None) -> Explanation:
    """The attribution of an evaluated job, in figures and words."""
    step = found.step
    assert e.case.job is not None
    noise_s = NOISE_RATIO * found.step_time_s

    def told(seconds: float) -> float:
        return seconds if abs(seconds) > noise_s else 0.0

    gap, exposed_s = told(found.gap_s), {phase: told(seconds) for phase, seconds in step.exposed_s.items()}
    causes = [
        CauseShare(
            c.name,
            SENTENCES[c.name],
            told(c.share_s),
            told(c.share_s) / gap if gap else None,
            told(c.alone_s),
            told(c.last_s),
        )
        for c in found.causes
    ]
    causes.sort(key=lambda cause: (-cause.share_s, CAUSES.index(cause.name)))
    day = e.case.document.as_of
    return Explanation(
        network=network,
        as_of=day.isoformat() if day else None,
        job=e.case.job.id,
        plan=plan,
        step_time_s=found.step_time_s,
        ideal_step_time_s=found.ideal_step_time_s,
        gap_s=gap,
        compute_time_s=step.compute_time_s,
        bubble_time_s=step.bubble_time_s,
        exposed_s=exposed_s,
        overlap_time_s=told(overlap_time_s(step)),
        straggler_ratio=step.straggler_ratio,
        goodput_ratio=e.goodput_ratio,
        exchange=step.exchange,
        causes=tuple(causes),
        summary=tuple(_summary(e, found, causes, gap)),
        assumptions=assumptions_of(e.used_figures),
    )


def _summary(e: Evaluation, found: Attribution, causes: list[CauseShare], gap_s: float) -> Iterator[str]:
    if gap_s <= SMALL_RATIO * found.step_time_s:
        yield f"Nothing of what could be taken away is in the way of a step of {seconds_text(found.step_time_s)}."
        return
    shown = [c for c in causes if abs(c.share_s) >= SMALL_RATIO * gap_s]
    listed = ", ".join(f"{CAUSE_NAMES[c.name]} {c.share_s / gap_s:z.0%}" for c in shown)
    yield (
        f"With nothing in the way a step would take {seconds_text(found.ideal_step_time_s)} instead of "
        f"{seconds_text(found.step_time_s)}; of the {seconds_text(gap_s)} between, {listed}."
    )
    for names in _same_obstacle(found, gap_s):
        alone = [found.saved_s(name) for name in names]
        listed = " or ".join(CAUSE_NAMES[name] for name in names)
        yield (
            f"Taking away {listed}, any one of them, saves {seconds_text(min(alone))} or more; all of them "
            f"{seconds_text(found.saved_s(*names))}: they are one obstacle."
        )
    delay = next(c for c in causes if c.name == "delay")
    if delay.alone_s > 0:
        what, propagation = "propagation, windows, loss recovery and what buffers must cover", propagation_s(e)
        if propagation is not None:
            taken = seconds_text(propagation)
            yield f"Of what round trips cost ({what}), propagation between sites takes {taken} a step."
        else:
            yield f"Round trips ({what}) cost {seconds_text(delay.last_s)} a step with all else out of the way."


def _same_obstacle(found: Attribution, gap_s: float) -> list[tuple[str, ...]]:
    """Sets of causes of which any one saves about what all of them save."""
    large = [name for name in CAUSES if found.saved_s(name) > SAME_RATIO * gap_s]
    sets: list[tuple[str, ...]] = []
    for n in range(len(large), 1, -1):
        for names in combinations(large, n):
            least, all_of_them = min(found.saved_s(name) for name in names), found.saved_s(*names)
            known = any(set(names) <= set(larger) for larger in sets)
            if not known and all_of_them - least < SAME_RATIO * all_of_them:
                sets.append(names)
    return sets
