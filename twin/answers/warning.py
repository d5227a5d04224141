"""Warnings of answers: what the network breaks as it stands, and inputs that it leaves out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..errors.wording import counted
from ..scenario.build_fault import BuildFault

AS_BUILT = "evaluated as it stands"


@dataclass(frozen=True, slots=True)
class AnswerWarning:
    """A rule that the network breaks, or an input that some links leave out."""

    where: str
    """First place in the document."""
    rule: str
    """Name of the rule, or of the field that is missing."""
    value: float | str | None
    """Value of the network, in the unit of the rule; null for a missing input."""
    limit: float | str | None
    """Limit that it exceeds, in the unit of the rule; null for a missing input."""
    problem: str
    effect: str
    """Assumption of the answer."""
    hint: str
    n_links: int = 0
    """Links that leave the input out; 0 for a broken rule."""
    links: tuple[str, ...] = ()
    """First of these links, by id."""
    n_records: int = 1
    """Records that break the rule in the same way; `where` is the first of them, by id."""

    def __str__(self) -> str:
        if not self.n_links:
            others = f" and {self.n_records - 1} more" if self.n_records > 1 else ""
            return f"{self.where}{others}: {self.problem}, {self.effect}. {self.hint[:1].upper()}{self.hint[1:]}."
        links = ", ".join(self.links) + (" …" if self.n_links > len(self.links) else "")
        return f"{counted(self.n_links, 'link')} {self.problem}: {self.effect} ({links}). {self.hint}."


def as_built_warnings(faults: Iterable[BuildFault]) -> tuple[AnswerWarning, ...]:
    """Return the rules that a network breaks as warnings, by place and rule; the same misfit of many links is one."""
    groups: dict[tuple[str, str, str], list[BuildFault]] = {}
    for fault in sorted(faults, key=lambda fault: (fault.where, fault.rule)):
        groups.setdefault((fault.rule, fault.problem, fault.where if fault.is_listed_alone else ""), []).append(fault)
    return tuple(
        AnswerWarning(
            first.where,
            first.rule,
            _plain(first.value),
            _plain(first.limit),
            first.problem,
            AS_BUILT,
            first.hint,
            n_records=len({fault.where for fault in group}),
        )
        for group in groups.values()
        for first in group[:1]
    )


def _plain(value: float | str) -> float | str:
    """Return a number as a float of Python, which numbers of arrays are not."""
    return value if isinstance(value, str) else float(value)
