"""Metrics that look better because something broke are no improvement, and the answer states it."""

from __future__ import annotations

from typing import Any

import twin
from tests.answers.test_effects import FAIL, FEWER, OTHER, line, what_if
from twin.loading import from_document

WORN: dict[str, Any] = {
    "id": "worn",
    "ends": ["a", "b"],
    "transceiver": "400ZR",
    "installed": "2010-01-01",
    "spans": [{"length_km": 40, "installed": "1990-01-01", "n_splices": 40, "n_connectors": 4}],
}


def two_lines() -> dict[str, Any]:
    data = line(as_of="2026-01-01", required_margin_db=2.0)
    fine = WORN | {"id": "fine", "spans": [{"length_km": 20, "installed": "2020-01-01"}]}
    return data | {"links": [*data["links"], WORN, fine]}


def test_a_dead_link_below_margin_is_no_improvement() -> None:
    diff = what_if(from_document(two_lines()), {"kind": "fail_links", "links": "worn"})
    row = diff.metrics["n_links_below_margin"]
    assert (row.before, row.after) == (1.0, 0.0)
    assert row.caveat == "worn is no longer counted"
    assert diff.metrics["min_margin_db"].caveat == "worn is no longer counted"
    assert any(text.startswith("No improvement: ") and "worn" in text for text in diff.summary)


def test_better_optics_are_an_improvement() -> None:
    diff = what_if(from_document(two_lines()), {"kind": "set_fibre", "links": "worn", "fibre": "G.654.E"})
    assert diff.metrics["n_links_below_margin"].after == 0.0
    assert not [name for name, row in diff.metrics.items() if row.caveat]


def test_idle_links_of_lost_traffic_are_no_improvement() -> None:
    diff = what_if(from_document(line()), FAIL, OTHER)
    assert diff.metrics["max_link_utilisation_ratio"].after == 0.0
    assert "less of the traffic is carried" in diff.metrics["max_link_utilisation_ratio"].caveat


def test_a_worse_metric_has_no_caveat() -> None:
    assert not [name for name, row in what_if(from_document(line()), FEWER).metrics.items() if row.caveat]


def test_a_plan_that_only_breaks_things_is_not_the_best() -> None:
    plans = [
        {"id": "broken", "changes": [{"kind": "fail_links", "links": "worn"}]},
        {"id": "none", "changes": [{"kind": "age", "years": 0.5}]},
    ]
    data = two_lines() | {"plans": plans}
    del data["demands"]
    summary = from_document(data).compare_plans().summary
    assert summary[0].startswith("No plan improves")


def test_lower_cost_of_a_job_that_runs_slower_is_stated() -> None:
    diff = twin.load("memphis-small").what_if(
        [{"kind": "remove_links", "links": "wan-1-2"}], main_assumptions=False, causes=False
    )
    row = diff.metrics["opex_usd_per_year"]
    assert row.change is not None
    assert row.change < 0
    assert "the job is slower" in row.caveat
