"""Runs of the tests in forked children: once with coverage as they are, then once for each fault."""

from __future__ import annotations

import atexit
import functools
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NoReturn

import pytest
from mutations import Mutant

AT_IMPORT = ""  # what runs a line while modules are imported and tests collected
MAX_BYTES = 8 << 30  # of address space: a fault that fills the memory counts as noticed
NOTICED = (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)  # a test failed, or a file could not be imported


class TestsCannotJudgeError(Exception):
    """The tests cannot judge: they fail as they are, or the package under test is not the one named."""


@dataclass(frozen=True)
class Suite:
    """Files of one tree and the tests that they are run against."""

    root: Path
    tests: tuple[str, ...]
    files: tuple[str, ...]
    compiled: bool  # by numba
    spare_s: float = 3.0  # that a test may take beyond five times its usual time


@dataclass(frozen=True)
class Baseline:
    """The tests as they are: how long each takes, and which of them run each line of each file."""

    duration_s: dict[str, float]
    collection_s: float
    tests_by_line: dict[str, dict[int, set[str]]]

    def tests_of(self, mutant: Mutant) -> list[str]:
        """The tests that run the statement of a fault, fastest first.

        All tests, where it runs at import: first those that run any function of the file.
        """
        if not self.runs_at_import(mutant):
            return sorted(self._contexts(mutant), key=self._rank)
        near = set().union(*self.tests_by_line[mutant.file].values())
        return sorted(self.duration_s, key=lambda test: (test not in near, *self._rank(test)))

    def _rank(self, test: str) -> tuple[float, str]:
        return self.duration_s[test], test

    def runs_at_import(self, mutant: Mutant) -> bool:
        """Return whether the statement of a fault runs while modules are imported and tests collected."""
        return AT_IMPORT in self._contexts(mutant)

    def _contexts(self, mutant: Mutant) -> set[str]:
        lines = self.tests_by_line.get(mutant.file, {})
        return set().union(*(lines.get(line, ()) for line in range(mutant.line, mutant.last_line + 1)))


@dataclass(frozen=True)
class Job:
    """A fault and the tests that it meets, in their order."""

    mutant: Mutant
    tests: list[str]


def module_of(file: str) -> str:
    """The dotted name of a file: api/app.py -> twin.api.app, twin/optics/__init__.py -> twin.optics."""
    parts = [part for part in Path(file).with_suffix("").parts if part != "__init__"]
    return ".".join(parts if parts[0] == "twin" else ["twin", *parts])


def set_up() -> None:
    """Prepare this process, before it imports anything large.

    Children import what others compiled, from a folder that goes away with this process; the tree stays clean.
    """
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    sys.dont_write_bytecode = False
    sys.pycache_prefix = tempfile.mkdtemp(prefix="mutants-")
    atexit.register(shutil.rmtree, sys.pycache_prefix, ignore_errors=True)


# --- the parent --------------------------------------------------------------------------------------------------


def run_baseline(suite: Suite) -> Baseline:
    """Run the tests as they are, with coverage.

    Raises: TestsCannotJudgeError where one fails, or where `twin` comes from another tree.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer, output = Path(folder, "answer.json"), Path(folder, "output.txt")
        pid = _fork(lambda: _baseline_child(suite, answer), output)
        _, status = os.waitpid(pid, 0)
        if status or not answer.exists():
            raise TestsCannotJudgeError(
                f"the tests fail without any fault:\n{output.read_text(errors='replace')[-4000:]}"
            )
        found = json.loads(answer.read_text())
    for name in found["modules"]:  # so that no child has to import them again
        try:
            importlib.import_module(name)
        except Exception:
            continue
    lines = {
        file: {int(line): set(tests) for line, tests in by_line.items()} for file, by_line in found["lines"].items()
    }
    return Baseline(found["duration_s"], found["collection_s"], lines)


def run_mutants(suite: Suite, baseline: Baseline, mutants: Sequence[Mutant], workers: int) -> list[str]:
    """Run the tests against each fault; returns an outcome for each: killed, timeout or survived.

    A fault inside a function that nothing calls at import is put in after the tests are collected: one child imports
    and collects, and forks for each fault. For any other fault a child imports everything anew.
    """
    outcomes = ["survived"] * len(mutants)
    jobs = {index: Job(mutant, baseline.tests_of(mutant)) for index, mutant in enumerate(mutants)}
    late = {index: job for index, job in jobs.items() if job.tests and not baseline.runs_at_import(job.mutant)}
    early = {index: job for index, job in jobs.items() if job.tests and index not in late}
    work = {index: functools.partial(_early_child, suite, baseline, job) for index, job in early.items()}
    for index, outcome in run_forks(work, workers).items():
        outcomes[index] = outcome
    if late:
        for index, outcome in _run_late(suite, baseline, late, workers).items():
            outcomes[index] = outcome
    return outcomes


def _run_late(suite: Suite, baseline: Baseline, jobs: dict[int, Job], workers: int) -> dict[int, str]:
    with tempfile.TemporaryDirectory() as folder:
        answer, output = Path(folder, "answer.json"), Path(folder, "output.txt")
        _, status = os.waitpid(_fork(lambda: _late_child(suite, baseline, jobs, workers, answer), output), 0)
        if status or not answer.exists():
            raise TestsCannotJudgeError(
                f"the tests could not be collected again:\n{output.read_text(errors='replace')[-4000:]}"
            )
        return {int(index): outcome for index, outcome in json.loads(answer.read_text()).items()}


def _end_of(output: Path) -> str:
    return output.read_text(errors="replace")[-4000:]


def run_forks(work: dict[int, Callable[[], int]], workers: int) -> dict[int, str]:
    """Run each function in a child of its own, some at a time; returns the outcome of each fault."""
    outcomes: dict[int, str] = {}
    running: dict[int, int] = {}
    for index, task in work.items():
        if len(running) >= max(workers, 1):
            _finish_one(running, outcomes)
        running[_fork(task, None)] = index
    while running:
        _finish_one(running, outcomes)
    return outcomes


def _finish_one(running: dict[int, int], outcomes: dict[int, str]) -> None:
    pid, status = os.wait()
    outcomes[running.pop(pid)] = outcome_of(os.waitstatus_to_exitcode(status))


def outcome_of(code: int) -> str:
    """Return the outcome of a fault by the exit code of its tests; the number of a signal is negative."""
    if code == pytest.ExitCode.OK:
        return "survived"
    if code in (-signal.SIGPROF, -signal.SIGALRM):
        return "timeout"
    if code < 0 or code in NOTICED:
        return "killed"
    raise TestsCannotJudgeError(f"pytest ended with {code}, which says nothing about the fault")


def _fork(work: Callable[[], int], output: Path | None) -> int:
    """Run a function in a child, its exit code the value; returns the child's id."""
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        _be_child(work, output)
    return pid


def _be_child(work: Callable[[], int], output: Path | None) -> NoReturn:
    code = 3
    try:
        os.setsid()
        target = os.open(output or os.devnull, os.O_WRONLY | os.O_CREAT, 0o600)
        for stream in (1, 2):
            os.dup2(target, stream)
        code = int(work())
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


# --- children ----------------------------------------------------------------------------------------------------


def _baseline_child(suite: Suite, answer: Path) -> int:
    import coverage

    _prepare(suite)
    known = set(sys.modules)
    changed = [str(suite.root / file) for file in suite.files]
    cover = coverage.Coverage(data_file=None, include=changed, config_file=False)
    watch = Watch(cover, {module_of(file).rpartition(".")[0] for file in suite.files})
    cover.start()
    code = pytest.main([*_arguments(suite), *suite.tests], plugins=[watch])
    cover.stop()
    if code:
        return code
    data = cover.get_data()
    lines = {file: data.contexts_by_lineno(str(suite.root / file)) for file in suite.files}
    ours = ("twin", "tests", "conftest", "_pytest", "pytest", "coverage", "__editable__")
    modules = [name for name in sys.modules if name not in known and name.split(".")[0] not in ours]
    found = {"duration_s": watch.duration_s, "collection_s": watch.collection_s, "lines": lines, "modules": modules}
    answer.write_text(json.dumps(found))
    return 0


def _early_child(suite: Suite, baseline: Baseline, job: Job) -> int:
    """Import a module with its fault, collect the tests anew, and run those of the job."""
    code = compile(job.mutant.tree, str(suite.root / job.mutant.file), "exec")
    sys.meta_path.insert(0, Finder(module_of(job.mutant.file), suite.root / job.mutant.file, code))
    _allow(10.0 + 5.0 * baseline.collection_s)
    _prepare(suite)
    files = list(dict.fromkeys(test.partition("::")[0] for test in job.tests))
    code = pytest.main([*_arguments(suite), "-x", *files], plugins=[Chosen(suite, baseline, job)])
    # conftest.py imports the package: where that fails, pytest calls it an error of usage
    return pytest.ExitCode.INTERRUPTED if code == pytest.ExitCode.USAGE_ERROR else code


def _late_child(suite: Suite, baseline: Baseline, jobs: dict[int, Job], workers: int, answer: Path) -> int:
    """Import and collect once; pytest ends here once more for each fault, in children of this child."""
    _prepare(suite)
    plugin = Forking(suite, baseline, jobs, workers)
    code = pytest.main([*_arguments(suite), "-x", *suite.tests], plugins=[plugin])
    if plugin.outcomes is None:
        return code
    answer.write_text(json.dumps(plugin.outcomes))
    return 0


def put_in(mutant: Mutant, path: Path, functions: Sequence[FunctionType]) -> None:
    """Give the function of a fault, wherever it is held, the code with the fault."""
    faulty = {_place(code): code for code in _functions(compile(mutant.tree, str(path), "exec"))}
    for function in functions:
        if function.__code__.co_filename == str(path):
            function.__code__ = faulty.get(_place(function.__code__), function.__code__)


def _functions(code: CodeType) -> Iterator[CodeType]:
    """All code objects within one, at any depth."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _functions(constant)


def _place(code: CodeType) -> tuple[str, int, tuple[str, ...]]:
    return code.co_qualname, code.co_firstlineno, code.co_freevars


def _prepare(suite: Suite) -> None:
    """Check that `twin` is the one of the tree; kernels run as Python where they are under test."""
    if not suite.compiled:
        import numba

        os.environ["NUMBA_DISABLE_JIT"] = "1"
        numba.config.DISABLE_JIT = True
    for file in suite.files:
        found = importlib.util.find_spec(module_of(file))
        if found is None or found.origin is None or Path(found.origin).resolve() != suite.root / file:
            raise TestsCannotJudgeError(
                f"{module_of(file)} under test is {found and found.origin}, not {suite.root / file}"
            )


def _arguments(suite: Suite) -> list[str]:
    return ["-q", "-s", "--no-header", "--tb=short", "-p", "no:cacheprovider", "--rootdir", str(suite.root)]


def _allow(seconds: float) -> None:
    """End the process without a word after so many seconds of its own, or ten times as many of the clock."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 10.0 * seconds)


class Finder(importlib.abc.MetaPathFinder):
    """Import hook that loads one module from given code instead of its file."""

    def __init__(self, module: str, path: Path, code: CodeType) -> None:
        self.module, self.path, self.code = module, path, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.module:
            return None
        loader = Loader(fullname, str(self.path))
        loader.code = self.code
        return importlib.util.spec_from_file_location(fullname, self.path, loader=loader)


class Loader(importlib.machinery.SourceFileLoader):
    """Loader of a module from compiled code."""

    code: CodeType

    def get_code(self, fullname: str) -> CodeType:
        return self.code


class Watch:
    """A pytest plugin: notes the time of each test, and tells coverage which one runs."""

    def __init__(self, cover: Any, packages: set[str]) -> None:
        self.cover, self.packages = cover, packages
        self.duration_s: dict[str, float] = {}
        self.start_s, self.collection_s = os.times().user, 0.0
        self.caches: list[Any] = []

    def pytest_collection_finish(self) -> None:
        self.collection_s = os.times().user - self.start_s
        self.caches = [thing for thing in gc.get_objects() if self._is_theirs(thing)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        for cache in self.caches:  # else only the first test runs the lines behind them
            cache.cache_clear()
        self.cover.switch_context(item.nodeid)
        start = os.times().user
        found = yield
        self.duration_s[item.nodeid] = os.times().user - start
        self.cover.switch_context(AT_IMPORT)
        return found

    def _is_theirs(self, thing: object) -> bool:
        if not isinstance(thing, functools._lru_cache_wrapper):
            return False
        module = getattr(thing, "__module__", None) or ""
        return module.startswith("tests") or module.rpartition(".")[0] in self.packages


class Chosen:
    """A pytest plugin: runs the tests of a job in their order, each within its time; hypothesis does not shrink."""

    def __init__(self, suite: Suite, baseline: Baseline, job: Job | None) -> None:
        self.suite, self.baseline, self.job = suite, baseline, job

    def pytest_configure(self) -> None:
        import hypothesis

        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile("mutants", hypothesis.settings(), phases=phases, database=None)
        hypothesis.settings.load_profile("mutants")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.job is None:
            return
        resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))
        by_name = {item.nodeid: item for item in items}
        if by_name.keys() >= set(self.job.tests):  # else the fault changed which tests there are: run them all
            items[:] = [by_name[test] for test in self.job.tests]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        _allow(self.suite.spare_s + 5.0 * self.baseline.duration_s.get(item.nodeid, 10.0))
        return (yield)


class Forking(Chosen):
    """A pytest plugin: after the collection, a child for each fault runs the tests, and the parent runs none."""

    def __init__(self, suite: Suite, baseline: Baseline, jobs: dict[int, Job], workers: int) -> None:
        super().__init__(suite, baseline, None)
        self.jobs, self.workers = jobs, workers
        self.outcomes: dict[int, str] | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        changed = {str(self.suite.root / file) for file in self.suite.files}
        functions = [thing for thing in gc.get_objects() if isinstance(thing, FunctionType)]
        functions = [function for function in functions if function.__code__.co_filename in changed]
        gc.freeze()  # children share the memory of all that is there, and do not look through it
        work = {index: functools.partial(self._run, session, job, functions) for index, job in self.jobs.items()}
        self.outcomes = run_forks(work, self.workers)
        return True

    def _run(self, session: pytest.Session, job: Job, functions: list[FunctionType]) -> int:
        put_in(job.mutant, self.suite.root / job.mutant.file, functions)
        self.job = job
        self.pytest_collection_modifyitems(session.items)
        for position, item in enumerate(session.items):
            following = session.items[position + 1] if position + 1 < len(session.items) else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return pytest.ExitCode.TESTS_FAILED
        return pytest.ExitCode.OK
