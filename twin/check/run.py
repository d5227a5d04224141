"""Runs fixture files: cases in sequence, a verdict per file, one exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DocumentError, TwinError
from .compare import FigureErrors, Row, compare_error, compare_figures, summarise_by_figure
from .fixture import Case, ExpectedError, Fixture, read_fixture
from .kinds import KINDS

ENDINGS = (".json", ".yaml")
"""Extensions of fixture files in a folder."""
WITHIN, OUT, NO_FIXTURE = "within", "out", "no fixture"
Notify = Callable[[str], None]
"""Called with file and case before each case; an exception from it ends the run."""


@dataclass(frozen=True, slots=True)
class FileResult:
    """Result of one file. `problem` says why it is not a fixture; it has no rows then."""

    path: str
    kind: str | None
    source: str | None
    origin: str
    n_cases: int
    rows: tuple[Row, ...]
    figures: tuple[FigureErrors, ...]
    problem: DocumentError | None = None

    @property
    def verdict(self) -> str:
        """Verdict: within, out, or no fixture."""
        if self.problem is not None:
            return NO_FIXTURE
        return WITHIN if all(figure.within for figure in self.figures) else OUT

    @property
    def within(self) -> bool:
        """Whether every figure is within its tolerance."""
        return self.verdict == WITHIN

    @property
    def exit_code(self) -> int:
        """Exit code: 0 within, 1 out, 2 no fixture."""
        return (WITHIN, OUT, NO_FIXTURE).index(self.verdict)

    @property
    def out(self) -> tuple[Row, ...]:
        """Rows outside their tolerance."""
        return tuple(row for row in self.rows if row.within is False)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, without NaN."""
        return {
            "path": self.path,
            "verdict": self.verdict,
            "kind": self.kind,
            "source": self.source,
            "origin": self.origin,
            "n_cases": self.n_cases,
            "figures": [figure.to_dict() for figure in self.figures],
            "rows": [row.to_dict() for row in self.rows],
            "problem": self.problem.to_dict() if self.problem else None,
        }


def check_file(path: str | Path, *, notify: Notify | None = None) -> FileResult:
    """Run all cases of a file. Raises DocumentError if the file is not a fixture."""
    path = Path(path)
    fixture = read_fixture(path)
    rows: list[Row] = []
    for i, case in enumerate(fixture.cases):
        if notify is not None:
            notify(f"{path}: {i + 1} of {len(fixture.cases)}, {case.id}")
        rows += check_case(fixture, case)
    return FileResult(
        path=str(path),
        kind=fixture.kind,
        source=fixture.source,
        origin=fixture.origin,
        n_cases=len(fixture.cases),
        rows=tuple(rows),
        figures=summarise_by_figure(rows, fixture.tolerance),
    )


def check_case(fixture: Fixture, case: Case) -> list[Row]:
    """Return the rows of one case. A TwinError is a result; other exceptions are raised."""
    expected = frozenset() if isinstance(case.expect, ExpectedError) else frozenset(case.expect)
    try:
        if isinstance(case.given, DocumentError):
            raise case.given
        figures = KINDS[fixture.kind].run(case.given, expected)
    except TwinError as error:
        return compare_error(case, error)
    return compare_figures(case, figures, fixture.tolerance)


def check_paths(paths: Iterable[str | Path], *, notify: Notify | None = None) -> list[FileResult]:
    """Run files, and all *.json and *.yaml files below folders, by name.

    A file that is not a fixture gives a result with a problem.
    """
    results: list[FileResult] = []
    for path in map(Path, paths):
        try:
            files = _files(path)
        except DocumentError as problem:
            results.append(_no_fixture(path, problem))
            continue
        for file in files:
            try:
                results.append(check_file(file, notify=notify))
            except DocumentError as problem:
                results.append(_no_fixture(file, problem))
    return results


def exit_code(results: Sequence[FileResult]) -> int:
    """Return 0 if all figures are within tolerance, 1 if any is out, 2 for a file that is no fixture, or no files."""
    return max((result.exit_code for result in results), default=2)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in ENDINGS and file.is_file())
    if not files:
        raise DocumentError("holds no fixtures", where=str(path), expected=f"files ending in {', '.join(ENDINGS)}")
    return files


def _no_fixture(path: Path, problem: DocumentError) -> FileResult:
    return FileResult(str(path), None, None, "", 0, (), (), problem)
