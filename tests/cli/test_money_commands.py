"""The commands `bill` and `money`: the same bytes as Python, tables, and price books from files."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.test_planning_commands import run
from twin.cli.main import app
from twin.cli.terminal import BAD_INPUT
from twin.errors import ChangeError
from twin.loading import load

SMALL = "memphis-small"


def test_json_is_that_of_python(tmp_path: Path) -> None:
    prices = tmp_path / "p.csv"
    prices.write_text("price,item,value\nname,,Acme\npart_usd,border-deep-51.2T,100000\n")
    network = load(SMALL, prices=prices)
    args = (SMALL, "--plan", "border-router-swap", "--prices", str(prices), "--json")
    assert run("bill", *args) == (0, network.bill("border-router-swap").to_json())
    expected = network.money("border-router-swap", horizon_years=2, discount_ratio_per_year=0.05)
    assert run("money", *args, "--horizon", "2", "--discount", "0.05") == (0, expected.to_json())


def test_a_lease_of_the_command_line_is_that_of_python() -> None:
    lease = "{tenant: t, site: c1, n_accelerators: 64, usd_per_month: 1.0e+6, notice_days: 90, cancellable_from_day: 0}"
    fields = {"tenant": "t", "site": "c1", "n_accelerators": 64, "usd_per_month": 1e6, "notice_days": 90}
    expected = load(SMALL).money("balance-load", leases=[fields | {"cancellable_from_day": 0}])
    assert run("money", SMALL, "--plan", "balance-load", "--lease", lease, "--json") == (0, expected.to_json())


def test_tables_begin_with_the_sum_and_name_the_book() -> None:
    code, text = run("bill", SMALL, "--plan", "second-pair")
    assert code == 0
    assert text.splitlines()[1] == load(SMALL).bill("second-pair").summary[0]
    assert "All prices are from: shipped placeholder" in text
    code, text = run("money", SMALL, "--plan", "second-pair")
    assert code == 0
    assert "Net present value over 5 years" in text.splitlines()[1]


def test_readiness_prints_the_first_day_and_refuses_an_early_one() -> None:
    code, text = run("readiness", SMALL, "--json")
    assert (code, text) == (0, load(SMALL).readiness().to_json())
    code, text = run("readiness", SMALL, "--plan", "hardware-swap")
    assert code == 0
    assert text.splitlines()[1].startswith("Ready: ")
    with pytest.raises(ChangeError, match="a date such as"):
        CliRunner().invoke(app, ["readiness", SMALL, "--on", "soon"], catch_exceptions=False)


def test_an_order_of_works_is_that_of_python() -> None:
    args = ("schedule", SMALL, "--plan", "border-router-swap", "--lead", "swap_switches=7", "--drain", "2")
    expected = load(SMALL).schedule("border-router-swap", lead_days={"swap_switches": 7}, drain_days=2)
    assert run(*args, "--json") == (0, expected.to_json())
    code, text = run(*args)
    assert code == 0
    assert text.splitlines()[1] == expected.summary[0]
    assert run("schedule", SMALL, "--plan", "border-router-swap", "--lead", "swap_switches")[0] == BAD_INPUT
