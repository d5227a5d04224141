"""Explanation of a step time: the parts of the step, and the share of each cause in the gap to the ideal step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

from ..catalogue.figure_reader import UsedFigure
from ..render import explanation_figure, svg_of
from ..render.explanation_rows import CAUSE_COLUMNS, CAUSE_NAMES, PHASES_NOTE, cause_rows, step_parts
from ..render.explanation_table import explanation_table
from ..render.numbers import seconds_text
from ..render.phases_table import COLUMNS as PHASE_COLUMNS
from ..render.phases_table import phase_cells
from ..render.quantities import percent_text
from ..stages.evaluation import Evaluation
from ..training.causes import CAUSES, SENTENCES, Attribution
from .card_reasons import card_sentences
from .data import Answer
from .main_assumptions import assumptions_of
from .phase_rows import PhaseRow, phase_rows
from .reasons import overlap_time_s, propagation_s
from .score import data_frame, html_table
from .warning import AnswerWarning

SMALL_RATIO = 0.005
"""Smaller shares of the gap are not named in the summary; a smaller gap counts as no gap."""
SAME_BOTTLENECK_RATIO = 0.1
"""Causes are the same bottleneck where removing one saves all that removing all saves, within this ratio."""
N_NAMED = 3
"""Number of causes that the verdict names."""
NOISE_RATIO = 1e-9
"""Time differences below this share of the step time are rounding, and reported as 0."""


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


@dataclass(frozen=True, repr=False)
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
    phases: tuple[PhaseRow, ...]
    """Phases that use the network."""
    causes: tuple[CauseShare, ...]
    summary: tuple[str, ...]
    assumptions: tuple[UsedFigure, ...]
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    def __getitem__(self, cause: str) -> CauseShare:
        """Return a cause by name."""
        return next(share for share in self.causes if share.name == cause)

    def figure(self) -> Any:
        """Draw a waterfall from the actual step to the ideal step, as a matplotlib figure (extra `pictures`)."""
        return explanation_figure(self.to_dict())

    def parts(self) -> list[tuple[str, float]]:
        """Parts of the step as (name, seconds); they add up to the step time."""
        return step_parts(self.to_dict())

    def rows(self) -> list[tuple[str, ...]]:
        """One row for each cause, as text: share, share of the gap, alone, last."""
        return cause_rows(self.to_dict())

    def to_pandas(self) -> Any:
        """Return the phases as a DataFrame, one row each (needs the extra `tables`)."""
        return data_frame([asdict(row) for row in self.phases], [*PhaseRow.__dataclass_fields__], "name")

    def _repr_html_(self) -> str:
        title = f"{self.network} · {self.job}"
        parts = [(name, seconds_text(seconds)) for name, seconds in (*self.parts(), ("step", self.step_time_s))]
        tables = html_table(f"{title}: causes", CAUSE_COLUMNS, self.rows(), (), self.summary)
        tables += html_table(f"{title}: parts of the step", ("part", "seconds"), parts, (PHASES_NOTE,))
        headings = [column.heading for column in PHASE_COLUMNS]
        tables += html_table(f"{title}: phases on the network", headings, phase_cells(self.to_dict()["phases"]))
        return tables + svg_of(self.figure)

    def _table(self) -> Any:
        return explanation_table(self.to_dict())


def explanation_of(e: Evaluation, attribution: Attribution, network: str, plan: str | None) -> Explanation:
    """Build the answer from the attribution of an evaluated job.

    Args:
        e: evaluation of the job.
        attribution: the step time shared out among the causes.
        network: name of the network.
        plan: id of the plan applied first; "changes" for a list of changes, None for neither.
    """
    step = attribution.step
    assert e.case.job is not None
    noise_s = NOISE_RATIO * attribution.step_time_s

    def without_noise_s(seconds: float) -> float:
        return seconds if abs(seconds) > noise_s else 0.0

    gap_s = without_noise_s(attribution.gap_s)
    causes = [
        CauseShare(
            cause.name,
            SENTENCES[cause.name],
            without_noise_s(cause.share_s),
            without_noise_s(cause.share_s) / gap_s if gap_s else None,
            without_noise_s(cause.alone_s),
            without_noise_s(cause.last_s),
        )
        for cause in attribution.causes
    ]
    causes.sort(key=lambda cause: (-cause.share_s, CAUSES.index(cause.name)))
    as_of = e.case.document.as_of
    return Explanation(
        network=network,
        as_of=as_of.isoformat() if as_of else None,
        job=e.case.job.id,
        plan=plan,
        step_time_s=attribution.step_time_s,
        ideal_step_time_s=attribution.ideal_step_time_s,
        gap_s=gap_s,
        compute_time_s=step.compute_time_s,
        bubble_time_s=step.bubble_time_s,
        exposed_s={phase: without_noise_s(seconds) for phase, seconds in step.exposed_s.items()},
        overlap_time_s=without_noise_s(overlap_time_s(step)),
        straggler_ratio=step.straggler_ratio,
        goodput_ratio=e.goodput_ratio,
        exchange=step.exchange,
        phases=phase_rows(e),
        causes=tuple(causes),
        summary=tuple(_summary(e, attribution, causes, gap_s)),
        assumptions=assumptions_of(e.used_figures),
    )


def _summary(e: Evaluation, attribution: Attribution, causes: list[CauseShare], gap_s: float) -> Iterator[str]:
    yield from card_sentences(e)
    step_text = seconds_text(attribution.step_time_s)
    if gap_s <= SMALL_RATIO * attribution.step_time_s:
        yield f"No cause in this list lengthens the step of {step_text}."
        return
    large = [cause for cause in causes if abs(cause.share_s) >= SMALL_RATIO * gap_s]
    ideal_text = seconds_text(attribution.ideal_step_time_s)
    yield f"The step takes {step_text}; without all causes below it would take {ideal_text}."
    shares = [f"{CAUSE_NAMES[cause.name]} {percent_text(cause.share_s / gap_s)}" for cause in large]
    yield f"Largest causes of the {seconds_text(gap_s)} gap: {', '.join(shares[:N_NAMED])}."
    for names in _same_bottleneck_sets(attribution, gap_s):
        least_s = min(attribution.saved_s(name) for name in names)
        joined_names = ", ".join(CAUSE_NAMES[name] for name in names)
        together_text = seconds_text(attribution.saved_s(*names))
        which = "either one" if len(names) == 2 else "any one"
        yield (
            f"Same bottleneck: {joined_names}. Removing {which} saves {seconds_text(least_s)} or more; "
            f"removing all saves {together_text}."
        )
    delay = next(cause for cause in causes if cause.name == "delay")
    if delay.alone_s > 0:
        delay_s = propagation_s(e)
        if delay_s is not None:
            yield f"Pure propagation is {seconds_text(delay_s)} of a step; the rest of distance is buffers and windows."
        else:
            yield f"With all other causes removed, distance costs {seconds_text(delay.last_s)} a step."


def _same_bottleneck_sets(attribution: Attribution, gap_s: float) -> list[tuple[str, ...]]:
    """Sets of causes where removing any one saves about as much as removing all of them; the largest sets only."""
    large = [name for name in CAUSES if attribution.saved_s(name) > SAME_BOTTLENECK_RATIO * gap_s]
    sets: list[tuple[str, ...]] = []
    for n in range(len(large), 1, -1):
        for names in combinations(large, n):
            least_s, together_s = min(attribution.saved_s(name) for name in names), attribution.saved_s(*names)
            known = any(set(names) <= set(larger) for larger in sets)
            if not known and together_s - least_s < SAME_BOTTLENECK_RATIO * together_s:
                sets.append(names)
    return sets
