"""The error tree: each error has the place, the problem, the expected rule and a hint.

TwinError (.where .expected .hint)
├─ DocumentError     unreadable, unknown version, bad or misspelled field (with "did you mean")
├─ TopologyError     .issues: all faults between records
├─ CatalogueError    unknown part, network, plan or price; missing figure (near matches)
├─ ChangeError       target missing, change not applicable, or result cannot be built
├─ ConvergenceError  .residual
├─ StoreError        database of stored networks not usable: full or read-only disk, lost connection, foreign file
├─ RevisionError     a stored network has another revision than a write expects
└─ StoreLimitError   the store holds as much as it may
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from unicodedata import normalize

from .synonyms import british, synonyms_of
from .wording import counted, quoted


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault: its place in the document, the problem, and a hint to fix it."""

    where: str
    problem: str
    hint: str = ""
    line: int | None = None
    """Line in the file, from 1, if the place is in a file."""
    column: int | None = None

    @property
    def place(self) -> str:
        """Place, after line and column if they are known."""
        return self.where if self.line is None else f"line {self.line}, column {self.column}: {self.where}"

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}" + (f" ({self.hint})" if self.hint else "")

    def to_dict(self) -> dict[str, str | int]:
        """Return plain data; line and column only if they are known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


class TwinError(Exception):
    """Base class of all errors that the twin raises for invalid input."""

    def __init__(self, problem: str, *, where: str = "", expected: str = "", hint: str = "") -> None:
        self.problem = problem
        self.where = where
        self.expected = expected
        self.hint = hint
        self.file = ""
        """File of the place, if it is in a file."""
        super().__init__(problem)

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception.__reduce__ calls the class with the problem alone, which fails for subclasses that need more
        return _restored_error, (type(self), self.args, self.__dict__)

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Faults of this error; one, unless the error collects several."""
        return (Issue(self.where or "input", self.problem, self.hint),)

    @property
    def has_issues(self) -> bool:
        """Whether this error collects issues."""
        return False

    def set_issues(self, issues: Iterable[Issue]) -> None:
        """Replace the collected issues."""

    @property
    def shown_expected(self) -> str:
        """Return what was expected; empty if it is a long list and the hint has a similar name."""
        is_told = self.hint.startswith(DID_YOU_MEAN) and len(self.expected) > MAX_EXPECTED
        return "" if is_told else self.expected

    def __str__(self) -> str:
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        if self.shown_expected:
            text += f"; expected {self.shown_expected}"
        return text + (f" ({self.hint})" if self.hint else "")

    def one_line(self) -> str:
        """Return the problem and the first faults in one line without their places, for a sentence of an answer."""
        if not self.has_issues:
            return self.problem + (f" ({self.hint})" if self.hint else "")
        found = list(dict.fromkeys(i.problem + (f" ({i.hint})" if i.hint else "") for i in self.issues))
        more = f" and {len(found) - MAX_PLACES} more" if len(found) > MAX_PLACES else ""
        return f"{self.problem}: {'; '.join(found[:MAX_PLACES])}{more}"

    def to_dict(self) -> dict[str, object]:
        """Return the error as plain data, the same in all interfaces."""
        return {
            "error": type(self).__name__,
            "problem": self.problem,
            "where": self.where,
            "expected": self.expected,
            "hint": self.hint,
            "issues": [issue.to_dict() for issue in self.issues],
        }


MAX_GROUPS = 20
"""Maximum number of different faults in a message."""
MAX_PLACES = 3
"""Maximum number of places that a message names for one fault."""


def grouped(issues: Iterable[Issue]) -> list[list[Issue]]:
    """Return issues by fault: the same problem of the same field of several records is one group."""
    groups: dict[tuple[str, str, str], list[Issue]] = {}
    for issue in issues:
        # the first bracket opens the label of the record, the last one closes that of its innermost item
        key = issue.where.partition("[")[0], issue.where.rpartition("]")[2], issue.problem
        groups.setdefault(key, []).append(issue)
    return list(groups.values())


def group_text(group: Sequence[Issue], *, with_hint: bool = True) -> str:
    """Return one fault as text, with the first places that have it and the number of the others."""
    places = group[0].place
    # both ends of a link may have the same fault of one place
    known = dict.fromkeys((issue.where, f" (line {issue.line})" if issue.line is not None else "") for issue in group)
    if len(known) > 1:
        places = ", ".join(f"{where}{line}" for where, line in list(known)[:MAX_PLACES])
    more = f" and {len(known) - MAX_PLACES} more" if len(known) > MAX_PLACES else ""
    hint = next((issue.hint for issue in group if issue.hint), "") if with_hint else ""
    return f"{places}{more}: {group[0].problem}" + (f" ({hint})" if hint else "")


def _restored_error(kind: type[TwinError], args: tuple[Any, ...], fields: dict[str, Any]) -> TwinError:
    """Restore an error that another process raised."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


class _CollectedError(TwinError):
    """An error that collects all faults, so that a file can be fixed in one pass."""

    def __init__(
        self, problem: str, *, found: Iterable[Issue] = (), where: str = "", expected: str = "", hint: str = ""
    ) -> None:
        self._issues = tuple(found)
        super().__init__(problem, where=where, expected=expected, hint=hint)

    @property
    def issues(self) -> tuple[Issue, ...]:
        return self._issues or super().issues

    @property
    def has_issues(self) -> bool:
        return bool(self._issues)

    def set_issues(self, issues: Iterable[Issue]) -> None:
        self._issues = tuple(issues)

    def __str__(self) -> str:
        if not self._issues:
            return super().__str__()
        first_line = f"{self.where}: {self.problem}" if self.where else self.problem
        groups = grouped(self._issues)
        shown = [f"  - {group_text(group)}" for group in groups[:MAX_GROUPS]]
        n_left_out = sum(len(group) for group in groups[MAX_GROUPS:])
        if n_left_out:
            shown.append(f"  … and {n_left_out} more")
        return "\n".join([first_line, *shown])


class DocumentError(_CollectedError):
    """Raised for a document that cannot be read, has an unknown version, or bad or misspelled fields."""


class TopologyError(_CollectedError):
    """Raised for records that are valid one by one but inconsistent together; carries all faults."""


class CatalogueError(TwinError):
    """Raised for a name that the catalogue does not know, or a figure that a part lacks."""


def joined_error(errors: Sequence[TwinError], noun: str, where: str) -> TwinError:
    """Return one error for errors of several records: the error itself if there is but one.

    Args:
        errors: at least one error, each of one record.
        noun: name of such a record.
        where: place of the records.
    """
    if len(errors) == 1:
        return errors[0]
    issues = [issue for error in errors for issue in error.issues]
    problem = f"{counted(len(issues), 'fault')} in {counted(len(errors), noun)}"
    return DocumentError(problem, where=where, found=issues)


class ChangeError(_CollectedError):
    """Raised for a change whose target is missing, or whose result cannot be built; carries all faults."""


class ConvergenceError(TwinError):
    """Raised for an iteration that did not converge; `residual` is the remaining difference."""

    def __init__(self, problem: str, *, residual: float, where: str = "") -> None:
        self.residual = residual
        super().__init__(problem, where=where)


class StoreError(TwinError):
    """Raised if the database of the store cannot be used; nothing of the failed write is stored."""


class RevisionError(TwinError):
    """Raised for a write that expects another revision of a stored network than the current one."""


class StoreLimitError(TwinError):
    """Raised for a write that would make the store larger than it may be."""


class UndeclaredInputError(Exception):
    """Raised if a stage reads an undeclared input: a programming error, never a fault of the input."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is not among the declared inputs")


DID_YOU_MEAN = "did you mean "
MAX_EXPECTED = 200
"""Maximum characters of a list of expected names beside a hint with the similar ones; a longer list is left out."""
MAX_CANDIDATES = 4000
"""Maximum number of names compared for a hint; of more, an even sample of those with the same prefix."""


def did_you_mean(name: str, known: Iterable[str], n_shown: int = 3) -> str:
    """Return a hint with the known names that a name may stand for, or an empty string if there are none.

    Other words for a known name come first (`synonyms.py`), then names that are spelt alike.
    """
    candidates = sorted({str(item) for item in known})
    if not name.isascii():
        equal_names = [item for item in candidates if normalize("NFC", item) == normalize("NFC", name)]
        if equal_names:
            return f"{equal_names[0]!a} looks the same: it differs from {name!a} only by Unicode normalisation"
    meant = synonyms_of(name, set(candidates))
    if meant:
        return f"{DID_YOU_MEAN}{' or '.join(map(quoted, meant[:n_shown]))}?"
    if len(candidates) > MAX_CANDIDATES:
        sample = [item for item in candidates if item[:2] == name[:2]] or candidates
        candidates = sample[:: -(-len(sample) // MAX_CANDIDATES)]
    by_lower_case = {item.lower(): item for item in reversed(candidates)}
    cutoff = 0.6 if len(name) > 3 else 0.5
    similar = difflib.get_close_matches(british(name.lower()), list(by_lower_case), n=n_shown, cutoff=cutoff)
    if not similar:
        similar = [lower for lower in by_lower_case if len(name) >= 3 and name.lower() in lower][:n_shown]
    return f"{DID_YOU_MEAN}{' or '.join(quoted(by_lower_case[item]) for item in similar)}?" if similar else ""
