"""Mutation tests: make small faults in named files, one at a time, and count how many the tests notice.

    .venv/bin/python tests/mutate.py twin/kernels/*.py        the tests of a file are those of its package
    .venv/bin/python tests/mutate.py --all                    the groups that have a goal

Each file gets the same faults in every run: they depend on the seed, the file and nothing else. One pass with coverage
shows which tests run each line. A fault is put into the memory of a forked child, so no file changes, and meets only
the tests that run its line, fastest first, until one fails. See docs/testing.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mutant_runs import Baseline, Suite, TestsCannotJudgeError, run_baseline, run_mutants, set_up
from mutations import Mutant, choose_mutants, fault_keys

HERE = Path(__file__).resolve().parent
GOALS = {"kernels": 0.90, "optics": 0.85, "reliability": 0.85, "stages": 0.85, "traffic": 0.85, "training": 0.85}
SEED = 10
PER_FILE = 40


@dataclass
class FileReport:
    """Outcomes of the faults of one file."""

    file: str
    outcomes: list[tuple[Mutant, str]]
    equivalent: dict[tuple[str, ...], str] = field(repr=False)

    def count(self, *outcomes: str) -> int:
        """Number of faults with one of these outcomes."""
        return sum(outcome in outcomes for _, outcome in self.outcomes)

    @property
    def killed(self) -> int:
        """Faults that the tests noticed; one that hangs or uses up the memory is noticed."""
        return self.count("killed", "timeout")

    @property
    def survivors(self) -> list[Mutant]:
        """Faults that no test noticed, except those that change nothing."""
        return [mutant for mutant, outcome in self.outcomes if outcome == "survived" and not self.reason(mutant)]

    @property
    def n_equivalent(self) -> int:
        """Survivors that the list of equivalent faults names."""
        return self.count("survived") - len(self.survivors)

    def reason(self, mutant: Mutant) -> str | None:
        """Return the reason why a fault changes no answer; None if the list of equivalent faults has no entry."""
        return self.equivalent.get(mutant.key)


def rate(reports: Iterable[FileReport]) -> float:
    """Killed faults as a share of those that change something; 1 without faults."""
    reports = list(reports)
    judged = sum(len(report.outcomes) - report.n_equivalent for report in reports)
    return sum(report.killed for report in reports) / judged if judged else 1.0


def read_equivalent(path: Path) -> dict[tuple[str, ...], str]:
    """Reasons of the faults that change no answer, by file, function, line before and line after."""
    if not path.exists():
        return {}
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
    return {(e["file"], e["function"], e["before"], e["after"]): e["reason"] for e in entries}


def stale_entries(equivalent: Iterable[tuple[str, ...]], root: Path) -> list[str]:
    """Entries of the list that name no fault of the sources as they are now, as text."""
    keys: dict[str, set[tuple[str, str, str, str]]] = {}
    for file in {entry[0] for entry in equivalent}:
        keys[file] = fault_keys((root / file).read_text(encoding="utf-8"), file) if (root / file).is_file() else set()
    return [as_entry(entry) for entry in equivalent if entry not in keys[entry[0]]]


def wrong_entries(reports: Iterable[FileReport]) -> list[str]:
    """Entries of the list whose fault a test noticed, as text."""
    return [
        as_entry(mutant.key)
        for report in reports
        for mutant, outcome in report.outcomes
        if outcome != "survived" and report.reason(mutant)
    ]


def as_entry(key: tuple[str, ...]) -> str:
    """The place and the difference of an entry of the list."""
    file, function, before, after = key
    return f"  {file} in {function}\n    - {before}\n    + {after}"


def group_of(file: str) -> str:
    """The package that a file belongs to: twin/optics/fec.py -> optics, api/app.py -> api."""
    parts = Path(file).parts
    return parts[1] if parts[0] == "twin" and len(parts) > 2 else parts[0]


def choose_files(options: argparse.Namespace) -> list[str]:
    """The files to change, relative to the root, each once."""
    root: Path = options.root
    named = [Path(name) for name in options.files]
    if options.all:
        named += [file for group in GOALS for file in sorted((root / "twin" / group).glob("*.py"))]
    found = [(file if file.is_absolute() else root / file).resolve() for file in named]
    for file in found:
        if not file.is_file() or not file.is_relative_to(root):
            raise SystemExit(f"no file {file} below {root}")
    return list(dict.fromkeys(file.relative_to(root).as_posix() for file in found))


def suites(options: argparse.Namespace, files: list[str]) -> Iterator[Suite]:
    """Group the files by their tests; yield one suite for each set of tests."""
    by_tests: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for file in files:
        tests = tuple(options.tests or [f"tests/{group_of(file)}"])
        by_tests.setdefault((tests, group_of(file) != "kernels"), []).append(file)
    for (tests, compiled), members in by_tests.items():
        missing = [name for name in tests if not (options.root / name).exists()]
        if missing:
            raise SystemExit(f"no tests {', '.join(missing)}; name them with --tests")
        yield Suite(options.root, tests, tuple(members), compiled, options.spare)


def run_suite(suite: Suite, options: argparse.Namespace, equivalent: dict[tuple[str, ...], str]) -> list[FileReport]:
    """Run all faults of the files of one suite."""
    mutants = []
    for file in suite.files:
        source = (suite.root / file).read_text(encoding="utf-8")
        mutants += choose_mutants(source, file, options.seed, options.mutants or None)
    if options.again:
        wanted = survivors_of(options.again)
        mutants = [mutant for mutant in mutants if mutant.key in wanted]
    baseline: Baseline = run_baseline(suite)
    outcomes = run_mutants(suite, baseline, mutants, options.workers)
    reports = []
    for file in suite.files:
        own = [(mutant, outcome) for mutant, outcome in zip(mutants, outcomes, strict=True) if mutant.file == file]
        if own:
            reports.append(FileReport(file, own, equivalent))
            if not options.json:
                print(as_text(reports[-1]), flush=True)
    return reports


def survivors_of(path: Path) -> set[tuple[str, ...]]:
    """Read the keys of the survivors in the JSON of an earlier run."""
    return {
        (row["file"], s["function"], s["before"], s["after"])
        for row in json.loads(path.read_text(encoding="utf-8"))["files"]
        for s in row["survivors"]
    }


def as_text(report: FileReport) -> str:
    """Format a report: a line of counts, then the place and the difference of each survivor."""
    lines = [
        f"{report.file:42s} {len(report.outcomes):3d} mutants, {report.killed:3d} killed"
        f" ({report.count('timeout')} by time), {len(report.survivors):2d} survived, {report.n_equivalent} equivalent"
    ]
    for mutant in report.survivors:
        where = f"{mutant.file}:{mutant.line}" + (f" in {mutant.function}" if mutant.function else "")
        lines += [f"  {where} ({mutant.kind})", f"    - {mutant.before}", f"    + {mutant.after}"]
    return "\n".join(lines)


def by_group(reports: list[FileReport]) -> dict[str, list[FileReport]]:
    """Reports by the package of their files."""
    groups: dict[str, list[FileReport]] = {}
    for report in reports:
        groups.setdefault(group_of(report.file), []).append(report)
    return groups


def group_table(reports: list[FileReport], goals: dict[str, float]) -> str:
    """The kill rate of each group, beside its goal."""
    lines = ["group          files  mutants  killed  by time  equivalent  kill rate  goal"]
    for group, members in by_group(reports).items():
        goal = f"{goals[group]:.2f}" if group in goals else "-"
        counts = [sum(len(m.outcomes) for m in members), sum(m.killed for m in members)]
        counts += [sum(m.count("timeout") for m in members), sum(m.n_equivalent for m in members)]
        lines.append(
            f"{group:14s} {len(members):5d} {counts[0]:8d} {counts[1]:7d} {counts[2]:8d} {counts[3]:11d}"
            f" {rate(members):10.3f}  {goal}"
        )
    return "\n".join(lines)


def as_plain(reports: list[FileReport], goals: dict[str, float]) -> dict[str, Any]:
    """Convert the reports to plain data for JSON."""
    names = ("kind", "function", "line", "before", "after")
    return {
        "groups": [
            {"group": group, "kill_ratio": rate(members), "goal_ratio": goals.get(group)}
            for group, members in by_group(reports).items()
        ],
        "files": [
            {
                "file": report.file,
                "n_mutants": len(report.outcomes),
                "n_killed": report.killed,
                "n_timeouts": report.count("timeout"),
                "n_equivalent": report.n_equivalent,
                "survivors": [{name: getattr(mutant, name) for name in names} for mutant in report.survivors],
            }
            for report in reports
        ],
    }


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="Make small faults in files and count how many the tests notice.")
    parser.add_argument("files", nargs="*", help="files to change, such as twin/kernels/*.py")
    parser.add_argument("--all", action="store_true", help=f"the groups with a goal: {', '.join(GOALS)}")
    parser.add_argument("--tests", nargs="+", help="tests to run (default: those of the file's package)")
    parser.add_argument("--mutants", type=int, default=PER_FILE, help="most mutants a file, 0 for all (default 40)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=2, help="processes at a time (default 2)")
    parser.add_argument("--spare", type=float, default=3.0, help="seconds a test may take beyond 5 times its usual")
    parser.add_argument("--at-least", type=float, help="exit 1 below this kill rate, 0..1 (default: goal of the group)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--again", type=Path, metavar="FILE", help="only the survivors of an earlier --json")
    parser.add_argument("--equivalent", type=Path, default=HERE / "equivalent_mutants.toml")
    parser.add_argument("--root", type=Path, default=HERE.parent, help="the checkout (default: that of this script)")
    options = parser.parse_args(arguments)
    options.root = options.root.resolve()
    if not options.files and not options.all:
        parser.error("name files, or give --all")
    return options


def main() -> int:
    """Run the command; returns its exit code."""
    options = read_options()
    files = choose_files(options)
    os.chdir(options.root)
    set_up()
    equivalent = read_equivalent(options.equivalent)
    stale = stale_entries(equivalent, options.root)
    if stale:
        print(f"{options.equivalent} names faults that are not there:", *stale, sep="\n", file=sys.stderr)
        return 2
    reports: list[FileReport] = []
    try:
        for suite in suites(options, files):
            reports += run_suite(suite, options, equivalent)
    except TestsCannotJudgeError as error:
        print(error, file=sys.stderr)
        return 2
    wrong = wrong_entries(reports)
    if wrong:
        print(f"{options.equivalent} names faults that the tests notice:", *wrong, sep="\n", file=sys.stderr)
    goals = dict.fromkeys(by_group(reports), options.at_least) if options.at_least is not None else GOALS
    print(json.dumps(as_plain(reports, goals), indent=1) if options.json else group_table(reports, goals))
    low = any(rate(members) < goals.get(group, 0.0) for group, members in by_group(reports).items())
    return 2 if wrong else int(low)


if __name__ == "__main__":
    sys.path.remove(str(HERE))  # else `import data` would find tests/data
    sys.exit(main())
