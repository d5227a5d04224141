"""Days that candidates take until they are built: delivery, and waves of work one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import inf
from typing import Any, NamedTuple, cast

from ..answers.readiness import check_ready, wait_days
from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError
from ..model.document import TopologyDocument
from ..scenario.apply import Scenario
from ..stages.evaluation import Case
from ..studies.works import WorkQuestion, works_of
from .candidate import Candidate


class WorkDays(NamedTuple):
    """A work of a candidate."""

    kind: str
    """Kind of the change."""
    lead_days: int
    """From order to delivery."""
    busy_days: int
    """Waves that are out of service, one after the other."""


@dataclass(frozen=True)
class Deadline:
    """Day by which a plan must be built, with what its sites can take by then."""

    day_0: date
    n_days: int
    """Days after the day of the document."""
    ask: WorkQuestion
    budgets: TopologyDocument
    """Document with the budgets of sites."""

    @classmethod
    def of(cls, document: TopologyDocument, by: date, ask: WorkQuestion) -> Deadline:
        """Return the deadline of a day, for a document that states its own day."""
        day_0 = document.as_of or by
        return cls(day_0, (by - day_0).days, ask, document)

    @property
    def day(self) -> date:
        """The day itself."""
        return self.day_0 + timedelta(days=self.n_days)

    def late_text(self, works: Iterable[WorkDays]) -> str:
        """Return why works are too late; empty where they are not."""
        listed = list(works)
        n = days_of(listed)
        if n <= self.n_days:
            return ""
        slowest = max(listed, key=lambda work: work.lead_days)
        delivery = f" ({slowest.kind} {slowest.lead_days} to deliver)" if slowest.lead_days else ""
        return f"{n} days{delivery}, ready {self.day_0 + timedelta(days=n)}"

    def blocked_text(self, case: Case, origin: Case, reader: FigureReader) -> str:
        """Return why the budgets of sites do not take a case by then; empty where they do."""
        if not any(site.budgets for site in self.budgets.sites):
            return ""
        after, before = (Scenario(cast("Any", None), item) for item in (case, origin))
        n = wait_days(after, self.budgets, self.n_days, reader, before)
        if not n:
            return ""
        try:
            check_ready(after, self.budgets, self.n_days, reader)
        except ChangeError as error:
            return error.problem
        return f"the budgets of a site are enough {'never' if n == inf else f'{n:.0f} days later'}"


def works_of_candidate(
    candidate: Candidate, by_id: Mapping[str, Candidate], origin: Scenario, reader: FigureReader, ask: WorkQuestion
) -> tuple[WorkDays, ...]:
    """Return the works of a candidate, each change in the waves that `twin schedule` gives it.

    Args:
        candidate: the candidate.
        by_id: all candidates, for those that it needs.
        origin: scenario without changes.
        reader: source of figures.
        ask: waves, lead times and drain windows.
    """
    needed = [change for need in candidate.needs for change in by_id[need].changes]
    found = works_of(origin, [*needed, *candidate.changes], reader, f"candidates[{candidate.id}].changes", ask)
    own = list(zip(candidate.changes, found[len(needed) :], strict=True))
    n_drained = [sum(bool(wave.links or wave.nodes) for wave in work.waves) for _, work in own]
    return tuple(
        WorkDays(change.kind, work.lead_days, n * ask.drain_days)
        for (change, work), n in zip(own, n_drained, strict=True)
    )


def days_of(works: Sequence[WorkDays]) -> int:
    """Return the days until all works are done: each starts once delivered, and they follow each other."""
    day = 0
    for work in sorted(works, key=lambda work: work.lead_days):
        day = max(day, work.lead_days) + work.busy_days
    return day
