"""`twin diff`, `twin apply`, `twin compare`, and `--fields` of every command with JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import twin
from twin.cli.main import COMMANDS, app
from twin.cli.terminal import with_fields

RUN = CliRunner()
FAIL = '{"kind": "fail_nodes", "nodes": "spine-1"}'


def test_fields_of_a_what_if_are_those_and_no_others() -> None:
    done = RUN.invoke(app, ["whatif", "leaf-spine-demo", "--change", FAIL, "--no-assumptions",
                            "--fields", "verdict,metrics.max_link_utilisation_ratio"])  # fmt: skip
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert list(data) == ["verdict", "metrics"]
    assert list(data["metrics"]) == ["max_link_utilisation_ratio"]
    assert len(done.stdout) < 1000


def test_every_command_with_json_has_fields() -> None:
    import inspect

    for command in COMMANDS:
        has_json = "as_json" in inspect.signature(command).parameters
        assert has_json == ("fields" in inspect.signature(with_fields(command)).parameters), command.__name__


def test_apply_writes_the_network_after_a_change(tmp_path: Path) -> None:
    path = tmp_path / "after.yaml"
    done = RUN.invoke(app, ["apply", "leaf-spine-demo", "--change", FAIL, "-o", str(path)])
    assert done.exit_code == 0, done.output
    assert "spine-1" in done.stdout
    want = twin.load("leaf-spine-demo").what_if([json.loads(FAIL)], main_assumptions=False).after
    got = twin.load(path).score(main_assumptions=False)
    assert {name: got[name] for name in got} == {name: want[name] for name in want}
    shown = RUN.invoke(app, ["diff", "leaf-spine-demo", str(path)])
    assert shown.exit_code == 0, shown.output
    assert "~ node spine-1: up:" in " ".join(shown.stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [["memphis-small"], ["memphis-small", "two-campus", "--plan", "a"], ["memphis-small", *["--plan", "a"] * 3]],
)
def test_one_network_without_plans_is_nothing_to_compare(arguments: list[str]) -> None:
    done = RUN.invoke(app, ["diff", *arguments])
    assert done.exit_code == 2
    assert "to compare" in done.output


def test_a_plan_in_place_of_a_network_is_named_with_the_command_that_works() -> None:
    done = RUN.invoke(app, ["diff", "memphis-small", "fibre-upgrade"])
    assert done.exit_code == 2
    assert "twin diff memphis-small --plan fibre-upgrade" in done.output
