"""The error tree: every error names where, what was found, the rule, and a hint.

TwinError (.where .expected .hint)
├─ DocumentError     unreadable, unknown version, bad or misspelled field (with "did you mean")
├─ TopologyError     .issues: every cross-record fault, not only the first
├─ CatalogueError    unknown part, network, plan or price; missing figure (near matches)
├─ ChangeError       target missing, change not applicable or not buildable
└─ ConvergenceError  .residual
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any
from unicodedata import normalize


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault: the place in the document, what is wrong there, and how to mend it."""

    where: str
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" + (f" ({self.hint})" if self.hint else "")


class TwinError(Exception):
    """Base of all errors that the twin raises on purpose."""

    def __init__(self, problem: str, *, where: str = "", expected: str = "", hint: str = "") -> None:
        self.problem = problem
        self.where = where
        self.expected = expected
        self.hint = hint
        super().__init__(problem)

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception would call the class with the problem alone, which fails where more is required.
        return _restored_error, (type(self), self.args, self.__dict__)

    @property
    def issues(self) -> tuple[Issue, ...]:
        """The faults behind this error; a single one unless the error collects several."""
        return (Issue(self.where or "input", self.problem, self.hint),)

    def __str__(self) -> str:
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        if self.expected:
            text += f"; expected {self.expected}"
        return text + (f" ({self.hint})" if self.hint else "")

    def to_dict(self) -> dict[str, object]:
        """The error as data, the same in every face."""
        return {
            "error": type(self).__name__,
            "problem": self.problem,
            "where": self.where,
            "expected": self.expected,
            "hint": self.hint,
            "issues": [asdict(issue) for issue in self.issues],
        }


def _restored_error(kind: type[TwinError], args: tuple[Any, ...], fields: dict[str, Any]) -> TwinError:
    """An error as another process raised it."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


class _CollectedError(TwinError):
    """An error that carries every fault found, so that a file is mended in one go."""

    def __init__(
        self, problem: str, *, found: Iterable[Issue] = (), where: str = "", expected: str = "", hint: str = ""
    ) -> None:
        self._found = tuple(found)
        super().__init__(problem, where=where, expected=expected, hint=hint)

    @property
    def issues(self) -> tuple[Issue, ...]:
        return self._found or super().issues

    def __str__(self) -> str:
        if not self._found:
            return super().__str__()
        head = f"{self.where}: {self.problem}" if self.where else self.problem
        shown = [f"  - {issue}" for issue in self._found[:20]]
        if len(self._found) > 20:
            shown.append(f"  … and {len(self._found) - 20} more")
        return "\n".join([head, *shown])


class DocumentError(_CollectedError):
    """A document that cannot be read, has an unknown version, or bad or misspelled fields."""


class TopologyError(_CollectedError):
    """Records that are fine one by one and do not fit together; all faults at once."""


class CatalogueError(TwinError):
    """A name that the catalogue does not know, or a figure that a part lacks."""


class ChangeError(TwinError):
    """A change whose target is missing or that cannot be built."""


class ConvergenceError(TwinError):
    """An iteration that did not settle; `residual` says how far it was."""

    def __init__(self, problem: str, *, residual: float, where: str = "") -> None:
        self.residual = residual
        super().__init__(problem, where=where)


class UndeclaredInputError(Exception):
    """A stage that reads an input its row does not declare: a fault of the product, never of its input."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is not among the declared inputs")


MAX_CANDIDATES = 4000
"""Names compared for a hint; of more, those that begin alike, evenly thinned."""


def did_you_mean(name: str, known: Iterable[str], n_shown: int = 3) -> str:
    """A hint that names the nearest known names, or an empty string where none is near."""
    candidates = sorted({str(item) for item in known})
    if not name.isascii():
        same = [item for item in candidates if normalize("NFC", item) == normalize("NFC", name)]
        if same:
            return f"{same[0]!a} looks the same: it differs from {name!a} only by Unicode normalisation"
    if len(candidates) > MAX_CANDIDATES:
        alike = [item for item in candidates if item[:2] == name[:2]] or candidates
        candidates = alike[:: -(-len(alike) // MAX_CANDIDATES)]
    lowered = {item.lower(): item for item in reversed(candidates)}
    near = difflib.get_close_matches(name.lower(), list(lowered), n=n_shown, cutoff=0.5)
    if not near:
        near = [low for low in lowered if len(name) >= 3 and name.lower() in low][:n_shown]
    return f"did you mean {' or '.join(repr(lowered[item]) for item in near)}?" if near else ""
