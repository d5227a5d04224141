"""Records of the answer of the planner."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..answers.data import Answer
from ..answers.score import data_frame
from ..answers.warning import AnswerWarning
from ..economics.present_value import PresentValue
from ..render.plan_table import plan_table


@dataclass(frozen=True, slots=True)
class PlanCondition:
    """A condition of the question, before and after the plan."""

    metric: str
    sense: str
    """`>=` or `<=`."""
    value: float
    today: float | None
    """Worst value over the years of the question, without changes."""
    with_plan: float | None
    """Value with the plan; null without one."""
    is_default: bool
    """True where the planner added it: no plan worsens training loss, carried demand or demand without a path, unless
    the question names it."""


@dataclass(frozen=True, slots=True)
class PlanOption:
    """A set of candidates, with its changes and what it costs and does."""

    candidates: tuple[str, ...]
    """Ids; empty for doing nothing."""
    changes: tuple[dict[str, Any], ...]
    """Changes as plain data, as `twin whatif` reads them."""
    capex_usd: float | None
    opex_change_usd_per_year: float | None
    """Added cost of a year of operation against today; null where a part has no price."""
    lease_usd: float
    """Rent of the leases that it adds, present value over the horizon of the price book."""
    goal: float | None
    """Worst value of the goal over the years of the question."""
    metrics: dict[str, float | None]
    """Metrics on the day of the document; of the plan all that apply, of others those of the question, over the
    years."""


@dataclass(frozen=True, slots=True)
class PlanMember:
    """A candidate of the plan, and what the plan is without it."""

    candidate: str
    note: str
    capex_usd: float | None
    """Money that leaving it out saves."""
    lease_usd: float
    """Rent that leaving it out loses, present value over the horizon of the price book."""
    goal_without: float | None
    """Goal of the plan without it; null where that cannot be built or has no value."""
    gain: float | None
    """Loss of the goal without it; negative where it gets better."""
    why: str = field(default="", metadata={"optional": True})
    """Why the plan cannot do without it."""


@dataclass(frozen=True, slots=True)
class PlanAddition:
    """A candidate that is not in the plan, and the plan with it."""

    candidate: str
    capex_usd: float | None
    """Money that it adds."""
    goal_with: float | None
    gain: float | None
    """Gain of the goal with it."""
    why: str
    """Why it is not in the plan."""


@dataclass(frozen=True, slots=True)
class Considered:
    """A candidate of the search."""

    id: str
    kind: str
    note: str
    capex_usd: float | None
    """Cost alone; null where it cannot be built or priced alone."""
    goal_alone: float | None
    """Goal with it alone."""
    why: str = field(default="", metadata={"optional": True})
    """Why it has no goal alone."""


@dataclass(frozen=True, slots=True)
class Omitted:
    """A candidate that the search left out."""

    id: str
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class PlanWorth:
    """Worth of the plan as `Network.money` computes it: its work counts at list rental."""

    horizon: PresentValue
    """Over the horizon of the price book."""
    firm: PresentValue | None
    """Over the firm part of the leases; null without one."""
    payback_years: float | None
    loss: str | None
    """Sentence for a negative present value; null where none is negative."""


@dataclass(frozen=True, slots=True)
class PlanMethod:
    """The search, and how far its answer is certain."""

    is_exact: bool
    """True where every allowed set was looked at."""
    interrupted: bool
    """True where the search was ended before its end."""
    n_candidates: int
    n_sets: int | None
    """Allowed sets; null where there are too many to count."""
    n_evaluated: int
    """Sets that were evaluated in full; others cannot be built, have no price or are over the budget."""
    bound: float | None
    """No set has a better goal than this; null where no bound is known."""
    sentence: str


@dataclass(frozen=True, kw_only=True, repr=False)
class PlanReport(Answer):
    """The best set of changes for a question, what comes close, and the front of money against the goal."""

    network: str
    as_of: str | None
    job: str | None
    summary: tuple[str, ...]
    goal: str
    unit: str
    aim: str
    """`goal`: the best goal within the budget. `money`: the least cost that meets the conditions."""
    budget_usd: float | None
    keeps: tuple[PlanCondition, ...]
    by: str | None
    until: int | None
    robust_to: str | None
    goal_today: float | None
    """Worst value over the years of the question, without changes."""
    plan: PlanOption | None
    """The best set; without candidates where doing nothing is best; null where no set meets the conditions."""
    alternatives: tuple[PlanOption, ...]
    """Other sets within 5 %."""
    pareto: tuple[PlanOption, ...]
    """The front of money against the goal; doing nothing is the first."""
    members: tuple[PlanMember, ...]
    additions: tuple[PlanAddition, ...]
    worth: PlanWorth | None = None
    """Present value of the plan; null for doing nothing, without a plan, and where a price is unknown."""
    next_dollar: str
    """Why more money does not help, or how much would."""
    considered: tuple[Considered, ...]
    left_out: tuple[Omitted, ...]
    method: PlanMethod
    warnings: tuple[AnswerWarning, ...] = field(default=(), metadata={"optional": True})
    """Rules that the network breaks as it stands; absent where there are none."""

    @property
    def changes(self) -> list[dict[str, Any]]:
        """Changes of the plan, for `what_if`; empty for doing nothing and where there is no plan."""
        return [] if self.plan is None else list(self.plan.changes)

    def to_pandas(self) -> Any:
        """Return the Pareto front as a DataFrame (needs the extra `tables`)."""
        rows = [
            {"candidates": ", ".join(row.candidates), "capex_usd": row.capex_usd, self.goal: row.goal}
            for row in self.pareto
        ]
        return data_frame(rows, ("candidates", "capex_usd", self.goal))

    def _table(self) -> Any:
        return plan_table(self.to_dict())
