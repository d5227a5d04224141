"""Which links one cut takes: walked metre by metre, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.cases import state_of
from twin.arrays import State
from twin.reliability.shared_risks import shared_cuts

ENDS = [{"id": f"n{i}", "kind": "border"} for i in range(2)]
PART = {"transceiver": "400ZR"}


def state(links: dict[str, Any]) -> State:
    """Links between the same two routers: lists of (km, risks), or mappings with spans and more."""
    rows = []
    for name, link in links.items():
        fields = link if isinstance(link, dict) else {"spans": link}
        spans = [
            {"length_km": km, "srlgs": list(risks), "standby": standby}
            for km, risks, standby in ((*span, False)[:3] for span in fields["spans"])
        ]
        rows.append({"id": name, "ends": ["n0", "n1"], **PART, **fields, "spans": spans})
    return state_of({"as_of": "2026-01-01", "nodes": ENDS, "links": rows})[0]


def found(links: dict[str, Any]) -> dict[tuple[str, str], float]:
    """(risk, links that fall) -> km."""
    here = state(links)
    names = here.arrays.link_ids
    return {
        (here.arrays.srlgs[cut.risk], " ".join(names[row] for row in cut.links)): cut.length_km
        for cut in shared_cuts(here, np.arange(here.arrays.n_links))
    }


def test_two_links_in_one_duct_fall_together_as_far_as_both_lie_in_it() -> None:
    assert found({"a": [(18, ["duct"]), (5, ["east"])], "b": [(20, ["duct"]), (7, [])]}) == {
        ("duct", "a b"): 18.0,
        ("duct", "b"): 2.0,
        ("east", "a"): 5.0,
    }


def test_a_stretch_in_two_risks_is_cut_once_in_the_one_that_more_links_share() -> None:
    assert found({"a": [(18, ["bridge", "duct"])], "b": [(18, ["duct"])]}) == {("duct", "a b"): 18.0}
    assert found({"a": [(18, ["bridge", "duct"])]}) == {("bridge", "a"): 18.0}


def test_a_protected_link_falls_only_where_both_its_paths_lie() -> None:
    both = {"protection": "optical-protection", "spans": [(18, ["duct"]), (7, []), (20, ["duct"], True)]}
    apart = {"protection": "optical-protection", "spans": [(18, ["duct"]), (20, ["west"], True)]}
    assert found({"a": both, "b": [(5, ["duct"])]}) == {("duct", "a b"): 5.0, ("duct", "a"): 13.0}
    assert found({"a": apart, "b": [(5, ["duct"])]}) == {("duct", "b"): 5.0}


def test_a_risk_named_on_the_link_covers_it_from_end_to_end() -> None:
    named = {"srlgs": ["valley"], "spans": [(10, ["duct"]), (13, [])]}
    assert found({"a": named, "b": {"srlgs": ["valley"], "spans": [(30, [])]}}) == {
        ("valley", "a b"): 23.0,
        ("valley", "b"): 7.0,
    }


def test_links_without_spans_or_risks_have_no_cuts_to_share() -> None:
    data = {"nodes": ENDS, "links": [{"id": "a", "ends": ["n0", "n1"], "srlgs": ["room"]}]}
    here = state_of(data)[0]
    assert shared_cuts(here, np.array([0])) == ()
    assert found({"a": [(18, [])]}) == {}
    assert shared_cuts(state({"a": [(18, ["duct"])]}), np.zeros(0, np.int64)) == ()


SPANS = st.lists(st.tuples(st.integers(1, 6), st.sampled_from([(), ("a",), ("b",), ("c",)])), min_size=1, max_size=4)


@settings(max_examples=60)
@given(st.lists(SPANS, min_size=1, max_size=4))
def test_every_kilometre_walked_falls_with_those_that_lie_beside_it(drawn: list[Any]) -> None:
    """Naive: each risk is a row of kilometres; a link lies in the first ones, as many as it has there."""
    links = {f"l{i}": spans for i, spans in enumerate(drawn)}
    naive: dict[tuple[str, str], float] = {}
    for risk in "abc":
        km = {name: sum(length for length, risks in spans if risk in risks) for name, spans in links.items()}
        for at in range(max(km.values())):
            key = (risk, " ".join(name for name in sorted(km) if km[name] > at))
            naive[key] = naive.get(key, 0.0) + 1.0
    assert found(links) == pytest.approx(naive)


def test_of_equal_risks_the_first_by_name_counts_whoever_names_it() -> None:
    """One path in each: the link's own `alpha` comes before the stretch's `beta`."""
    assert found({"a": {"srlgs": ["alpha"], "spans": [(10, ["beta"])]}}) == {("alpha", "a"): 10.0}
    assert found({"a": {"srlgs": ["gamma"], "spans": [(10, ["beta"])]}}) == {("beta", "a"): 10.0}


def test_a_risk_of_the_link_covers_its_own_spans_and_no_others() -> None:
    """Three links side by side; the middle one's risk holds for its two stretches, 3 + 4 km."""
    links = {"a": [(1, []), (2, [])], "b": {"srlgs": ["valley"], "spans": [(3, []), (4, [])]}, "c": [(5, [])]}
    assert found(links) == {("valley", "b"): 7.0}
