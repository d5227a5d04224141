"""Verdicts on changes: what a change does not do, and purchases that nothing prices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from twin.loading import from_document
from twin.render.plain_text import plain_text


def verdict(changes: list[Mapping[str, Any]], **link: Any) -> str:
    document = {
        "schema_version": 1,
        "as_of": "2026-11-01",
        "nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}, {"id": "s", "kind": "switch"}],
        "links": [
            {"id": "as", "ends": ["a", "s"], "capacity_gbps": 100},
            {"id": "bs", "ends": ["b", "s"], "capacity_gbps": 100, **link},
        ],
        "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 10}],
    }
    return " ".join(from_document(document).what_if(changes, main_assumptions=False).summary)


def test_load_balancing_without_a_job_has_no_effect_and_says_so() -> None:
    balancing = {"kind": "set_load_balancing", "mode": "ecmp", "n_flows_per_pair": 1}
    assert "it acts on jobs only, not on demands" in verdict([balancing])
    assert "on jobs only" not in verdict([{"kind": "fail_links", "links": "as"}])


def test_a_cut_fibre_is_repaired_and_no_outage() -> None:
    spans = [{"length_km": 20, "fibre": "G.652.D"}]
    text = verdict([{"kind": "cut_fibre", "links": "bs", "n_cuts": 2}], spans=spans)
    assert "stays in use; for an outage use fail_links" in text
    assert "for an outage" not in verdict([{"kind": "fail_links", "links": "bs"}], spans=spans)


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ("*", "price unknown, not priced: 2 links name no transceiver"),
        ("as", "price unknown, not priced: 1 link names no transceiver"),
    ],
)
def test_new_members_without_a_transceiver_are_not_free(links: str, expected: str) -> None:
    assert f"Cost: {expected}" in verdict([{"kind": "set_channels", "links": links, "n_parallel": 4}])
    # fewer members and a priced link cost what they say
    assert "nothing to buy" in verdict([{"kind": "set_channels", "links": links, "n_parallel": 1}])


def test_priced_and_unpriced_members_are_both_named() -> None:
    text = verdict([{"kind": "set_channels", "links": "*", "n_parallel": 4}], transceiver="400G-DR4")
    assert "to buy and items of unknown price, not priced: 1 link names no transceiver" in text


def test_large_rates_have_thousands_separators_and_two_rows_of_a_link_are_named() -> None:
    document = {
        "schema_version": 1,
        "as_of": "2026-11-01",
        "nodes": [{"id": x, "kind": "switch"} for x in "ab"],
        "links": [{"id": f"l{i}", "ends": ["a", "b"], "capacity_gbps": 400_000} for i in range(3)],
        "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 10}],
    }
    text = plain_text(from_document(document).link_table(top=2)._table(), 120)
    assert "1 x 400,000" in text
    assert "e+05" not in text
    assert "2 links; one whose directions differ has two rows." in text
    assert "two rows" not in plain_text(from_document(document).link_table()._table(), 120)
