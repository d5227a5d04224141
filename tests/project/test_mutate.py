"""The mutation script itself, on a package of ten lines: which faults it makes, which it finds, when it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.mutations import choose_mutants, fault_keys

ROOT = Path(__file__).parents[2]
CLIP = '''"""A toy."""

LIMIT = 3


def clip(value: int, unused: int = 7) -> int:
    """At most LIMIT."""
    if value > LIMIT:
        return LIMIT
    return value


def never(value: int) -> int:
    return value + 1
'''
COUNT = """def count(n):
    i = 0
    while i < n:
        i += 1
    return i
"""
TESTS = """from twin.toy.clip import clip
from twin.toy.count import count


def test_below() -> None:
    assert clip(1) == 1


def test_above() -> None:
    assert clip(5) == 3


def test_count() -> None:
    assert count(2) == 2
"""
CONFTEST = """from twin.toy.clip import LIMIT

if LIMIT != 3:
    raise ValueError(LIMIT)
"""
EQUIVALENT = """[[equivalent]]
file = "twin/toy/clip.py"
function = "clip"
before = "if value > LIMIT:"
after = "if value >= LIMIT:"
reason = "gives 3 for 3 all the same"
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A checkout with one package and its tests."""
    files = {"twin/__init__.py": "", "twin/toy/__init__.py": "", "equivalent.toml": EQUIVALENT}
    files |= {"twin/toy/clip.py": CLIP, "twin/toy/count.py": COUNT, "tests/toy/test_toy.py": TESTS}
    files["tests/conftest.py"] = CONFTEST
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def mutate(root: Path, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, str(ROOT / "tests/mutate.py"), "twin/toy/clip.py", "twin/toy/count.py"]
    command += ["--root", str(root), "--workers", "1", "--spare", "0.2", "--equivalent", "equivalent.toml", *arguments]
    environment["PYTHONPATH"] = str(path or root)
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, cwd=root, check=False)


def changes(source: str) -> list[tuple[str, str]]:
    return [(mutant.before, mutant.after) for mutant in choose_mutants(source, "x.py", 1, None)]


def test_survivors_are_the_faults_that_the_toy_tests_cannot_notice(toy: Path) -> None:
    found = mutate(toy, "--json", "--at-least", "0.5")
    assert found.returncode == 1, found.stderr  # 9 of 19 are noticed
    clip, count = json.loads(found.stdout)["files"]
    assert {(row["before"], row["after"]) for row in clip["survivors"]} == {
        ("def clip(value: int, unused: int=7) -> int:", "def clip(value: int, unused: int=8) -> int:"),
        ("def clip(value: int, unused: int=7) -> int:", "def clip(value: int, unused: int=6) -> int:"),
        ("return value + 1", "return value - 1"),  # no test calls it
        ("return value + 1", "return value + 2"),
        ("return value + 1", "return value + 0"),
        ("return value + 1", "return value"),
    }
    # noticed: LIMIT = 4, LIMIT = 2 (conftest.py cannot import either), value <= LIMIT, return value
    # value >= LIMIT is on the list
    assert (clip["n_mutants"], clip["n_killed"], clip["n_equivalent"]) == (11, 4, 1)
    assert {row["after"] for row in count["survivors"]} == {"i = 1", "i = -1", "i += 2", "return n"}
    # noticed: i <= n, i >= n; and without end: i -= 1, i += 0, no step at all
    assert (count["n_mutants"], count["n_killed"], count["n_timeouts"]) == (9, 5, 3)
    assert not list(toy.rglob("__pycache__")), "the tree stays clean"

    (toy / "before.json").write_text(found.stdout)
    again = mutate(toy, "--again", "before.json", "--at-least", "0")
    assert again.returncode == 0, again.stderr
    assert " 6 mutants,   0 killed (0 by time),  6 survived, 0 equivalent" in again.stdout
    assert "twin/toy/count.py:5 in count (return)\n    - return i\n    + return n\n" in again.stdout
    assert again.stdout.splitlines()[-1].split() == ["toy", "2", "10", "0", "0", "0", "0.000", "0.00"]


def test_an_entry_of_the_list_that_names_no_fault_is_an_error(toy: Path) -> None:
    entry = EQUIVALENT.replace("value > LIMIT", "number > LIMIT").replace("value >= LIMIT", "number >= LIMIT")
    gone = EQUIVALENT.replace("clip.py", "gone.py")
    (toy / "equivalent.toml").write_text(EQUIVALENT + entry + gone)
    found = mutate(toy)
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.splitlines() == [
        "equivalent.toml names faults that are not there:",
        "  twin/toy/clip.py in clip",
        "    - if number > LIMIT:",
        "    + if number >= LIMIT:",
        "  twin/toy/gone.py in clip",
        "    - if value > LIMIT:",
        "    + if value >= LIMIT:",
    ]


def test_an_entry_of_the_list_that_a_test_notices_is_an_error(toy: Path) -> None:
    (toy / "equivalent.toml").write_text(EQUIVALENT + EQUIVALENT.replace(">=", "<="))
    found = mutate(toy, "--at-least", "0")
    assert found.returncode == 2
    assert found.stderr.splitlines() == [
        "equivalent.toml names faults that the tests notice:",
        "  twin/toy/clip.py in clip",
        "    - if value > LIMIT:",
        "    + if value <= LIMIT:",
    ]


def test_tests_that_fail_without_a_fault_judge_nothing(toy: Path) -> None:
    (toy / "tests/toy/test_toy.py").write_text(TESTS.replace("== 3", "== 4"))
    found = mutate(toy)
    assert (found.returncode, found.stdout) == (2, "")
    assert "the tests fail without any fault" in found.stderr
    assert "test_above" in found.stderr


def test_another_checkout_under_test_is_refused(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (toy / "twin").rename(other / "twin")
    (toy / "twin/toy").mkdir(parents=True)
    (toy / "twin/toy/clip.py").write_text(CLIP)
    (toy / "twin/toy/count.py").write_text(COUNT)
    found = mutate(toy, path=other)
    assert found.returncode == 2
    assert f"twin.toy.clip under test is {other}/twin/toy/clip.py, not {toy}/twin/toy/clip.py" in found.stderr


def test_each_entry_of_the_list_names_a_fault_of_the_sources_and_a_reason() -> None:
    entries = tomllib.loads((ROOT / "tests/equivalent_mutants.toml").read_text())["equivalent"]
    files = {entry["file"] for entry in entries}
    faults = set().union(*(fault_keys((ROOT / file).read_text(), file) for file in files))
    named = [tuple(entry[name] for name in ("file", "function", "before", "after")) for entry in entries]
    assert [name for name in named if name not in faults] == []
    assert len(set(named)) == len(named)
    assert all(entry["reason"] for entry in entries)


def test_the_draw_depends_on_the_seed_and_the_file_alone() -> None:
    source = "def f(a, b):\n    return [a + i * b for i in range(3) if a < b and i > 1]\n"
    some = [mutant.key for mutant in choose_mutants(source, "x.py", 1, 5)]
    assert len(some) == 5
    assert some == [mutant.key for mutant in choose_mutants(source, "x.py", 1, 5)]
    assert some != [mutant.key[:1] + mutant.key[1:] for mutant in choose_mutants(source, "x.py", 2, 5)]
    every = choose_mutants(source, "x.py", 1, None)
    assert set(some) < {mutant.key for mutant in every}
    assert len({mutant.after for mutant in every}) == len(every)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("a = b < c", {"a = b <= c", "a = b >= c"}),
        ("a = b // c", {"a = b * c"}),
        ("a = min(b, c)", {"a = max(b, c)"}),
        ("a = b and c", {"a = b or c"}),
        ("a = not b", {"a = b"}),
        ("a = True", {"a = False"}),
        ("a = 1e-09", {"a = 1e-06"}),
        ("a = 4.0", {"a = 8.0"}),
        ("if a:\n    b = c", {"if not a:"}),
        ("a[i] = b", {"pass"}),
        ("f(a)", {"pass"}),
        ("a += b", {"a -= b", "pass"}),
        ("a = b[1:]", {"a = b[2:]", "a = b[0:]"}),
        ("for i in range(n):\n    a = i", {"for i in range(n - 1):"}),
        ("a = {b, c}", {"a = {b}", "a = {c}"}),
        ("def f(a, b):\n    return b", {"return a"}),
        ("a = names('b c d')", {"a = names('c d')", "a = names('b d')", "a = names('b c')"}),
    ],
)
def test_faults_of_a_statement(statement: str, expected: set[str]) -> None:
    assert {after for _, after in changes(statement)} == expected


@pytest.mark.parametrize(
    "statement",
    [
        '"""Text with 1 < 2."""',
        "a: Literal[1, 2]",
        "def f(a: int | float) -> tuple[int, int]:\n    pass",
        "__all__ = ['a', 'b']",
        "a = f'{b + 1} left'",
        "warnings.warn('x' + y)",
        "logger.info(1 + 2)",
        "if TYPE_CHECKING:\n    f(1)",
        "@dataclass(frozen=True)\nclass A:\n    pass",
        "import a",
    ],
)
def test_texts_and_annotations_are_left_alone(statement: str) -> None:
    assert changes(statement) == []
