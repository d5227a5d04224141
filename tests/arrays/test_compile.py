"""Columns against the records they come from, and states laid over them."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from tests.model.samples import campus_data, network, shipped, shuffled, small_documents
from twin.arrays import NO_CODE, NODE_KINDS, TIERS, NetworkArrays, State, compile_network
from twin.arrays.state import OVERLAYS
from twin.formats import parse_document
from twin.model.network import NetworkGraph

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def compiled(data: dict[str, Any]) -> tuple[NetworkGraph, NetworkArrays]:
    found = network(data)
    return found, compile_network(found.document, found.nodes, found.links)


def same(a: NetworkArrays, b: NetworkArrays) -> bool:
    """Equal to the last bit, with types and shapes."""
    for spec in fields(a):
        left, right = getattr(a, spec.name), getattr(b, spec.name)
        if isinstance(left, np.ndarray):
            if left.dtype != right.dtype or left.shape != right.shape or left.tobytes() != right.tobytes():
                return False
        elif left != right:
            return False
    return True


def or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def name_of(arrays: NetworkArrays, code: int) -> str | None:
    return None if code == NO_CODE else arrays.parts[code]


def age(day: date | None, as_of: date | None) -> float:
    return float("nan") if day is None or as_of is None else (as_of - day).days / 365.25


@pytest.mark.parametrize("data", [campus_data(), shipped("leaf-spine-demo"), shipped("two-campus"), {}])
def test_columns_say_what_the_records_say(data: dict[str, Any]) -> None:
    found, arrays = compiled(data)
    as_of = found.document.as_of
    assert arrays.node_ids == tuple(node.id for node in found.nodes)
    assert arrays.link_ids == tuple(link.id for link in found.links)
    assert (arrays.n_nodes, arrays.n_links) == (len(found.nodes), len(found.links))
    for i, node in enumerate(found.nodes):
        assert NODE_KINDS[arrays.node_kind[i]] == node.kind
        assert name_of(arrays, arrays.node_part[i]) == node.part
        assert name_of(arrays, arrays.node_accelerator[i]) == node.accelerator
        assert (arrays.sites[arrays.node_site[i]] if arrays.node_site[i] >= 0 else None) == node.site
        assert (arrays.node_n_accelerators[i], arrays.node_up[i]) == (node.n_accelerators, node.up)
        assert arrays.node_age_years[i] == pytest.approx(age(node.installed, as_of), nan_ok=True)
    spans = 0
    for i, link in enumerate(found.links):
        assert tuple(arrays.node_ids[end] for end in arrays.link_ends[i]) == tuple(sorted(link.ends))
        assert arrays.link_capacity_gbps[i] == pytest.approx(or_nan(link.capacity_gbps), nan_ok=True)
        assert arrays.link_required_margin_db[i] == pytest.approx(or_nan(link.required_margin_db), nan_ok=True)
        assert arrays.link_loss_ratio[i] == pytest.approx(or_nan(link.loss_ratio), nan_ok=True)
        assert arrays.arc_weight[[2 * i, 2 * i + 1]].tolist() == [link.weight] * 2
        assert np.isnan(arrays.arc_capacity_gbps[[2 * i, 2 * i + 1]]).all()
        for name in ("n_parallel", "n_fibre_pairs", "n_failed", "up"):
            assert getattr(arrays, f"link_{name}")[i] == getattr(link, name)
        assert name_of(arrays, arrays.link_transceiver[i]) == link.transceiver
        assert name_of(arrays, arrays.link_mux[i]) == link.mux
        assert arrays.link_age_years[i] == pytest.approx(age(link.installed, as_of), nan_ok=True)
        srlgs = {arrays.srlgs[code] for code in arrays.srlg_code[arrays.srlg_link == i]}
        assert srlgs == {*link.srlgs, *(name for span in link.spans for name in span.srlgs)}
        assert arrays.span_first[i + 1] - arrays.span_first[i] == len(link.spans)
        assert State.of(arrays).link_length_km[i] == pytest.approx(sum(span.length_km for span in link.spans))
        for row, span in enumerate(link.spans, start=arrays.span_first[i]):
            spans += 1
            assert arrays.span_link[row] == i
            assert name_of(arrays, arrays.span_fibre[row]) == span.fibre
            assert arrays.span_age_years[row] == pytest.approx(age(span.installed, as_of), nan_ok=True)
            for name in ("length_km", "n_splices", "n_connectors", "lumped_loss_db", "leased"):
                assert getattr(arrays, f"span_{name}")[row] == getattr(span, name)
    assert spans == len(arrays.span_link) == arrays.span_first[-1]


@FEW
@given(small_documents())
def test_arcs_lead_both_ways_and_are_sorted(data: dict[str, Any]) -> None:
    found, arrays = compiled(data)
    heads = [end for link in found.links for end in sorted(link.ends)[::-1]]
    assert [arrays.node_ids[node] for node in arrays.arc_head] == heads
    assert sorted(arrays.arc_sorted) == list(range(2 * arrays.n_links))
    for node in range(arrays.n_nodes):
        arcs = arrays.arc_sorted[arrays.arc_first[node] : arrays.arc_first[node + 1]]
        assert [arrays.arc_head[arc ^ 1] for arc in arcs] == [node] * len(arcs)
        keys = [(arrays.arc_head[arc], arc) for arc in arcs]
        assert keys == sorted(keys)
    assert arrays.arc_first[-1] == 2 * arrays.n_links


@FEW
@given(shuffled(campus_data()))
def test_a_permuted_document_gives_the_same_bits(data: dict[str, Any]) -> None:
    assert same(compiled(campus_data())[1], compiled(data)[1])


def test_same_tells_a_difference_apart() -> None:
    assert not same(compiled(campus_data())[1], compiled(campus_data() | {"as_of": "2026-01-02"})[1])


def test_tiers_are_told_by_the_ends_and_by_spans() -> None:
    _, arrays = compiled(campus_data())
    tiers = {name: TIERS[tier] for name, tier in zip(arrays.link_ids, arrays.link_tier, strict=True)}
    assert tiers == {
        "a-cable-1": "access",
        "a-cable-2": "access",
        "b-cable-1": "access",
        "b-cable-2": "access",
        "a-up": "border",
        "b-up": "border",
        "wan": "wide_area",
    }
    _, demo = compiled(shipped("leaf-spine-demo"))
    assert {TIERS[tier] for tier in demo.link_tier} == {"access", "fabric"}


@pytest.mark.parametrize(
    ("sites", "spans", "tier"),
    [
        (("", ""), [0.3, 0.2], "fabric"),
        (("", ""), [0.3, 0.21], "wide_area"),
        (("x", ""), [0.5], "fabric"),
        (("x", "x"), [40.0], "fabric"),
        (("x", "y"), [0.01], "wide_area"),
    ],
)
def test_a_short_cable_is_indoor_where_no_site_says_otherwise(
    sites: tuple[str, str], spans: list[float], tier: str
) -> None:
    nodes = [
        {"id": name, "kind": "leaf"} | ({"site": site} if site else {}) for name, site in zip("ab", sites, strict=True)
    ]
    data = {"sites": [{"id": "x"}, {"id": "y"}], "nodes": nodes}
    link = {"id": "l", "ends": ["a", "b"], "capacity_gbps": 100, "spans": [{"length_km": km} for km in spans]}
    _, arrays = compiled(data | {"links": [link]})
    assert [TIERS[code] for code in arrays.link_tier] == [tier]
    link["spans"][-1]["amplifier"] = "EDFA"
    assert TIERS[compiled(data | {"links": [link]})[1].link_tier[0]] == "wide_area"


def test_columns_are_read_only() -> None:
    _, arrays = compiled(campus_data())
    for spec in fields(arrays):
        value = getattr(arrays, spec.name)
        if isinstance(value, np.ndarray):
            with pytest.raises(ValueError, match="read-only"):
                value.flat[0] = value.flat[0]


def test_codes_and_rows_are_found_by_name() -> None:
    _, arrays = compiled(campus_data())
    assert arrays.parts == tuple(sorted(arrays.parts))
    assert arrays.parts[arrays.code("400G-FR4")] == "400G-FR4"
    assert arrays.code("800ZR") == NO_CODE
    assert arrays.link_ids[arrays.link_index["wan"]] == "wan"
    assert arrays.node_ids[arrays.node_index["b-leaf"]] == "b-leaf"


def test_arrays_of_nothing() -> None:
    _, arrays = compiled({})
    assert (arrays.n_nodes, arrays.n_links, arrays.link_ends.shape) == (0, 0, (0, 2))
    assert list(arrays.arc_first) == [0]
    assert len(arrays.link_tier) == len(State.of(arrays).link_length_km) == 0


# --- states --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", sorted(OVERLAYS))
def test_an_overlay_leaves_the_arrays_untouched(column: str) -> None:
    _, arrays = compiled(campus_data())
    base = State.of(arrays)
    before = getattr(arrays, column).copy()
    rows = np.array([0])
    value = ~before[0] if before.dtype == np.bool_ else 3
    changed = base.with_values(column, rows, value)
    assert changed[column][0] == value
    assert changed[column].dtype == before.dtype
    np.testing.assert_array_equal(changed[column][1:], before[1:])
    np.testing.assert_array_equal(getattr(arrays, column), before)
    assert base[column] is getattr(arrays, column)
    assert changed.arrays is arrays
    assert not changed[column].flags.writeable
    assert [name for name in sorted(OVERLAYS) if changed[name] is not base[name]] == [column]


def test_overlays_lie_on_one_another() -> None:
    _, arrays = compiled(campus_data())
    wan = np.array([arrays.link_index["wan"]])
    first = State.of(arrays).with_values("link_n_failed", wan, 1)
    second = first.with_values("link_n_failed", wan, first["link_n_failed"][wan] + 1)
    assert (first.n_members_up[wan], second.n_members_up[wan]) == (3, 2)
    assert State.of(arrays).n_members_up[wan] == 4


@pytest.mark.parametrize("column", ["link_ends", "arc_weight", "node_kind", "node_site", "arc_head", "nonsense"])
def test_structure_cannot_be_laid_over(column: str) -> None:
    _, arrays = compiled(campus_data())
    with pytest.raises(KeyError):
        State.of(arrays).with_values(column, np.array([0]), 0)


def test_a_new_part_gets_a_code_behind_the_known_ones() -> None:
    _, arrays = compiled(campus_data())
    base = State.of(arrays)
    state, code = base.with_part("800ZR")
    assert (code, state.parts) == (len(arrays.parts), (*arrays.parts, "800ZR"))
    assert state.with_part("800ZR") == (state, code)
    assert base.with_part(arrays.parts[2]) == (base, 2)
    assert (state.part_id(code), state.part_id(NO_CODE)) == ("800ZR", None)


def test_a_permuted_document_parses_to_the_same_columns_by_json() -> None:
    document = parse_document(campus_data())
    again = network(document.to_dict())
    assert same(compiled(campus_data())[1], compile_network(again.document, again.nodes, again.links))
