"""Each question has the same bytes as a command, in Python, over HTTP, and as a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from twin.api.questions.table import QUESTIONS
from typer.testing import CliRunner

import twin
from tests.api.conftest import TestClient, client
from tests.api.test_runs import ended
from twin.cli.main import app

__all__ = ["client"]  # a fixture

AGED, CAMPUS, DEMO = "ageing-lines", "two-campus", "leaf-spine-demo"
FIBRE = "new-metro-glass"
PLAN = {"plan": FIBRE}


class Row(NamedTuple):
    """A question in four forms."""

    words: str
    """Command and its words, the name of the network after the command."""
    python: Callable[[Any], Any]
    """Asks a network."""
    body: Mapping[str, Any] = MappingProxyType({})
    """Request without the name of the network."""


def ask_changed(method: str) -> Callable[[Any], Any]:
    return lambda network: getattr(network, method)(FIBRE)


ROWS: dict[str, tuple[str, Row]] = {
    "score": (CAMPUS, Row("score", lambda n: n.score())),
    "what-if": (AGED, Row(f"whatif --plan {FIBRE}", ask_changed("what_if"), PLAN)),
    "preview": (AGED, Row(f"whatif --preview --plan {FIBRE}", ask_changed("preview"), PLAN)),
    "diff": (AGED, Row(f"diff --plan {FIBRE}", lambda n: n.compare(other_changes=FIBRE), {"other_plan": FIBRE})),
    "compare": (AGED, Row("compare", lambda n: n.compare_plans())),
    "explain": (CAMPUS, Row("explain", lambda n: n.explain())),
    "forecast": (AGED, Row("forecast --years 2", lambda n: n.forecast(2), {"years": 2})),
    "links": (AGED, Row("links", lambda n: n.link_table())),
    "link": (AGED, Row("link amplified", lambda n: n.link("amplified"), {"link": "amplified"})),
    "path": (DEMO, Row(
        "path host-1-1 host-2-1",
        lambda n: n.path("host-1-1", "host-2-1"),
        {"source": "host-1-1", "target": "host-2-1"},
    )),
    "demands": (DEMO, Row("demands", lambda n: n.demand_table())),
    "leases": (CAMPUS, Row("leases", lambda n: n.leases())),
    "bill": (AGED, Row(f"bill --plan {FIBRE}", ask_changed("bill"), PLAN)),
    "money": (AGED, Row(f"money --plan {FIBRE}", ask_changed("money"), PLAN)),
    "readiness": (CAMPUS, Row("readiness", lambda n: n.readiness())),
    "schedule": (AGED, Row(f"schedule --plan {FIBRE}", ask_changed("schedule"), PLAN)),
    "sweep": (DEMO, Row("sweep --vary demands=1,2", lambda n: n.sweep("demands=1,2"), {"vary": "demands=1,2"})),
    "failures": (DEMO, Row("failures --top 3", lambda n: n.failures(top=3), {"top": 3})),
    "availability": (DEMO, Row(
        "availability --states 50 --samples 50 --seed 3",
        lambda n: n.availability(n_states=50, n_samples=50, seed=3),
        {"n_states": 50, "n_samples": 50, "seed": 3},
    )),
    "growth": (DEMO, Row(
        "growth --rate 0.2",
        lambda n: n.growth(growth_ratio_per_year=0.2),
        {"growth_ratio_per_year": 0.2},
    )),
    "optimum": (DEMO, Row("optimum", lambda n: n.optimum())),
    "plan": (DEMO, Row("plan --budget-usd 1e4", lambda n: n.plan(budget_usd=1e4), {"budget_usd": 1e4})),
    "sample": (DEMO, Row(
        "sample --samples 4 --seed 5",
        lambda n: n.sample(n_samples=4, seed=5),
        {"n_samples": 4, "seed": 5},
    )),
    "decide": (CAMPUS, Row(
        "decide --samples 2 --lease west --lease-price 1e5 --power-paid-by owner",
        lambda n: n.decide(lease=["west"], n_samples=2, lease_usd_per_month=1e5, power_paid_by="owner"),
        {"lease": ["west"], "n_samples": 2, "lease_usd_per_month": 1e5, "power_paid_by": "owner"},
    )),
}  # fmt: skip
NOT_ALIKE = {"drawing": "no command draws as data", "report": "the command writes a file"}


def test_every_question_is_in_the_table() -> None:
    assert ROWS.keys() | NOT_ALIKE.keys() == {question.path for question in QUESTIONS}


@pytest.mark.parametrize("path", ROWS)
def test_a_question_has_the_same_bytes_everywhere(client: TestClient, path: str) -> None:
    name, row = ROWS[path]
    command, *words = row.words.split()
    result = CliRunner().invoke(app, [command, name, *words, "--json"])
    body = {**row.body, "network": name}
    run = ended(client, client.post(f"/v1/runs/{path}", json=body).json())
    answers = {
        "command": result.stdout.encode(),
        "Python": row.python(twin.load(name)).to_json().encode(),
        "HTTP": client.post(f"/v1/{path}", json=body).content,
        "run": client.get(f"/v1/runs/{run['id']}/answer").content,
    }
    assert b'"type": "urn:' not in answers["HTTP"], answers["HTTP"]
    assert {form for form, content in answers.items() if content != answers["HTTP"]} == set()
