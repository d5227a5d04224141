"""A fault of what is built: a value beyond the limit of a part, a port, a band or a site."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Issue


@dataclass(frozen=True, slots=True)
class BuildFault:
    """A rule that a network breaks, with the value and its limit. Texts stand for what is no number."""

    where: str
    """Place in the document."""
    rule: str
    """Name of the rule; where a figure of a part is the limit, its name."""
    value: float | str
    """Value of the network."""
    limit: float | str
    """Greatest or allowed value."""
    problem: str
    hint: str
    n_members: int = 1
    """Members of the record that break the rule."""
    is_shared: bool = False
    """True for a fault of several records, of which `where` is only one: it worsens by its value alone."""
    is_listed_alone: bool = True
    """False where warnings list the same problem of several records as one."""

    @property
    def issue(self) -> Issue:
        """The fault as an issue of an error."""
        return Issue(self.where, self.problem, self.hint)

    @property
    def excess(self) -> float:
        """Return how far the value is beyond the limit; 0 for texts."""
        if isinstance(self.value, str) or isinstance(self.limit, str):
            return 0.0
        return self.value - self.limit
