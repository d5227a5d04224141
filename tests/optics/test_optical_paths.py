"""Links as lines of light: grouped, regenerated, protected; a change of state gives what an edited document gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.samples import network
from tests.training.cases import general, health_of, line, of_part, reader, state_of
from twin.catalogue import catalogue
from twin.catalogue.ageing import AgeingCase
from twin.economics.cost import bill_of_materials
from twin.errors import DocumentError, TopologyError
from twin.loading import from_document
from twin.optics.link_budget import LINE_RATE, REACH, LinkBudgets, compute_link_budgets
from twin.optics.link_health import LinkHealth, compute_link_health
from twin.optics.optical_paths import optical_paths_of, optical_paths_of_links
from twin.scenario.change import Context, StateChange
from twin.scenario.changes import Age, CutFibre, FailLinks, FailSrlg, SetChannels, SetFibre, SetTransceivers

SOME = settings(max_examples=40, deadline=None)
AS_OF = date(2026, 1, 1)
NODES = [
    {"id": "n0", "kind": "border", "part": "border-12.8T"},
    {"id": "n1", "kind": "border", "part": "border-deep-51.2T"},
    {"id": "n2", "kind": "leaf", "part": "leaf-51.2T"},
    {"id": "n3", "kind": "leaf"},
]
PROTECTION = "optical-protection"
COHERENT_PARTS = ["OpenZR+-400G", "400ZR"]
PARTS = [*COHERENT_PARTS, "400G-LR4", "400G-DR4", "DAC-400G"]
GLASS = ["G.652.D", "G.652.D-2006", "G.654.E"]


# --- what is compared ------------------------------------------------------------------------------------------------


def columns(health: LinkHealth) -> Iterator[tuple[str, np.ndarray]]:
    """Everything that is said of each link, a row a link."""
    n = len(health.lit)
    for spec in fields(LinkBudgets):
        column = getattr(health.budgets, spec.name)
        if isinstance(column, np.ndarray) and spec.name != "worst_path":
            yield f"budgets.{spec.name}", health.budgets.by_link(column)
    for part in ("transport", "latency"):
        for spec in fields(getattr(health, part)):
            yield f"{part}.{spec.name}", getattr(getattr(health, part), spec.name)
    for name in ("needed_bytes", "available_bytes", "rate_gbps", "retained_ratio"):
        yield f"headroom.{name}", health.headroom.by_arc(name, 2 * n, -1.0)
    for name in ("arc_capacity_gbps", "arc_sending_gbps", "arc_limit", "arc_latency_us"):
        yield name, getattr(health, name)
    for name in ("lit", "optics", "margin_db", "required_margin_db", "member_gbps", "loss_ratio", "goodput_ratio"):
        yield name, getattr(health, name)
    for name in ("loss_db", "received_dbm", "line_gsnr_db"):
        yield name, getattr(health, name)


def of_each(health: LinkHealth) -> dict[str, np.ndarray]:
    """The same with two arcs in the row of their link."""
    return {name: column.reshape(len(health.lit), -1) for name, column in columns(health)}


def assert_same(found: LinkHealth, want: LinkHealth, rel: float = 0.0) -> None:
    for (name, a), (_, b) in zip(columns(found), columns(want), strict=True):
        if rel:
            np.testing.assert_allclose(a, b, rtol=rel, atol=rel, err_msg=name)
        else:
            np.testing.assert_array_equal(a, b, err_msg=name)


# --- links at random -------------------------------------------------------------------------------------------------


def days_before(n: int) -> str:
    return (AS_OF - timedelta(days=n)).isoformat()


@st.composite
def spans(draw: st.DrawFn, amplified: bool) -> dict[str, Any]:
    """A stretch of glass, laid some day or none, measured or not."""
    span: dict[str, Any] = {"length_km": draw(st.sampled_from([2.0, 7.5, 20.0])), "fibre": draw(st.sampled_from(GLASS))}
    laid = draw(st.none() | st.integers(0, 8000))
    if laid is not None:
        span["installed"] = days_before(laid)
    if draw(st.booleans()):
        span["n_splices"], span["n_connectors"] = draw(st.integers(0, 4)), draw(st.integers(0, 2))
    if draw(st.booleans()):
        span["measured"] = days_before(draw(st.integers(0, 8000 if laid is None else laid)))
        span["measured_loss_db"] = draw(st.sampled_from([1.0, 4.25, 9.0]))
    if amplified and draw(st.booleans()):
        span["amplifier"] = "EDFA"
    return span


@st.composite
def links(draw: st.DrawFn, on_fibre: bool | None = None) -> dict[str, Any]:
    """A link without an id; of few sorts, so that several of them are often alike."""
    ends = draw(st.permutations(range(4)))[:2]
    part = draw(st.sampled_from([*PARTS, None]))
    link: dict[str, Any] = {"ends": [f"n{i}" for i in ends], "transceiver": part}
    if draw(st.booleans()) if on_fibre is None else on_fibre:
        link["spans"] = draw(st.lists(spans(part in COHERENT_PARTS), min_size=1, max_size=3))
        if draw(st.booleans()):
            link["spans"] += [{**draw(spans(False)), "standby": True}]
            link["protection"] = PROTECTION
        elif len(link["spans"]) > 1 and draw(st.booleans()):
            link["spans"][0]["regenerated"] = True
    for name, values in (
        ("capacity_gbps", [100.0, 400.0]),
        ("launch_dbm", [-3.0, 0.0]),
        ("mux", ["mux-8", "mux-64"]),
        ("installed", [days_before(300), days_before(2000)]),
        ("n_parallel", [2, 3]),
        ("loss_ratio", [1e-4]),
        ("required_margin_db", [1.5]),
        ("macsec", [True]),
    ):
        if draw(st.integers(0, 2)) == 0:
            link[name] = draw(st.sampled_from(values))
    link["n_failed"] = draw(st.integers(0, link.get("n_parallel", 1)))
    if part and not any(span.get("regenerated") for span in link.get("spans", [])) and draw(st.booleans()):
        link["measured"] = days_before(draw(st.sampled_from([0, 300])))
        link["measured_received_dbm"] = draw(st.sampled_from([-12.0, -4.0]))
    return link


def document(found: list[dict[str, Any]], names: list[str] | None = None, **more: Any) -> dict[str, Any]:
    names = names or [f"l{i}" for i in range(len(found))]
    named = [{"id": name, **link} for name, link in zip(names, found, strict=True)]
    return {"as_of": AS_OF.isoformat(), "nodes": NODES, "links": named, **more}


# --- grouping --------------------------------------------------------------------------------------------------------


@SOME
@given(st.lists(links(), min_size=2, max_size=8), st.sampled_from(["low", "value", "high"]))
def test_a_link_is_judged_as_if_it_were_alone_to_the_last_bit(found: list[dict[str, Any]], ageing: Any) -> None:
    every = of_each(health_of(document(found), ageing))
    for i, link in enumerate(found):
        alone = of_each(health_of(document([link], [f"l{i}"]), ageing))
        for name, column in every.items():
            np.testing.assert_array_equal(column[i], alone[name][0], err_msg=f"{name} of {link}")


@SOME
@given(st.lists(links(), min_size=2, max_size=8).flatmap(lambda found: st.tuples(st.just(found), orders(len(found)))))
def test_neither_names_nor_the_order_of_links_change_anything(
    drawn: tuple[list[dict[str, Any]], tuple[list[int], list[int]]],
) -> None:
    """Names decide in which row a link and its spans stand."""
    found, (listed, named) = drawn
    shaped = {"lossless": {"policy": "shaped"}}
    plain = of_each(health_of(document(found, **shaped)))
    data = document(found, [f"l{i}" for i in named], **shaped)
    data["links"] = [data["links"][i] for i in listed]
    moved = of_each(health_of(data))
    for name, column in plain.items():
        np.testing.assert_array_equal(moved[name][named], column, err_msg=name)


def orders(n: int) -> st.SearchStrategy[tuple[list[int], list[int]]]:
    return st.tuples(st.permutations(range(n)), st.permutations(range(n)))


@SOME
@given(st.lists(links(), min_size=1, max_size=5), st.floats(0, 40), st.sampled_from(["low", "value", "high"]))
def test_light_so_many_years_later_is_light_after_so_many_years(
    found: list[dict[str, Any]], years: float, ageing: AgeingCase
) -> None:
    """Of links chosen, each at a time of its own, as a calendar asks for it; glass and optics have grown as old."""
    state, document_ = state_of(document(found))
    rows = np.arange(len(found))[::-1]
    when = np.where(rows % 2 == 0, years, years / 3)
    later = compute_link_budgets(state, reader(), optical_paths_of_links(state, rows), ageing, when)
    for k, row in enumerate(rows):
        aged = Age(years=when[k]).overlay(state, Context("changes[0]", document_, (), reader()))
        light = compute_link_budgets(aged, reader(), optical_paths_of_links(aged, rows[k : k + 1]), ageing)
        for name in ("received_dbm", "margin_db", "rate_gbps", "mode_margin_db", "line_gsnr_db", "loss_db", "droop_db"):
            a, b = getattr(later, name)[later.worst_path[k]], getattr(light, name)[light.worst_path[0]]
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=f"{name} of {found[row]}")


def n_kinds(*found: dict[str, Any]) -> int:
    state, _ = state_of(document([{"ends": ["n0", "n1"], **link} for link in found]))
    return optical_paths_of(state, reader()).n_kinds


def test_indoor_links_that_are_alike_are_one_kind() -> None:
    patch = {"transceiver": "400G-DR4", "installed": "2020-01-01"}
    assert n_kinds(patch, patch, {**patch, "n_parallel": 9}, {**patch, "ends": ["n2", "n3"]}) == 1
    assert n_kinds({}, {}, {"weight": 2.0}) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"transceiver": "OpenZR+-400G"},
        {"capacity_gbps": 100.0},
        {"installed": "2021-01-01"},
        {"installed": None},
        {"launch_dbm": -1.0},
        {"mux": "mux-8"},
        {"measured": "2026-01-01", "measured_received_dbm": -3.0},
        {"measured": "2025-01-01", "measured_received_dbm": -2.0},
        {"spans": [{"length_km": 0.1}]},
    ],
    ids=str,
)
def test_what_makes_light_differ_makes_another_kind(other: dict[str, Any]) -> None:
    patch = {"transceiver": "400ZR", "installed": "2020-01-01"}
    patch |= {"measured": "2026-01-01", "measured_received_dbm": -2.0}
    assert n_kinds(patch, patch | other, patch) == 2


def test_ports_at_both_ends_make_coherent_links_differ_and_no_others() -> None:
    elsewhere = {"ends": ["n2", "n1"]}
    assert n_kinds({"transceiver": "400ZR"}, {"transceiver": "400ZR", **elsewhere}) == 2
    assert n_kinds({"transceiver": "400G-DR4"}, {"transceiver": "400G-DR4", **elsewhere}) == 1


def test_links_with_spans_are_kinds_of_their_own() -> None:
    glass = {"transceiver": "400ZR", "spans": [{"length_km": 10.0}]}
    assert n_kinds(glass, glass) == 2


# --- light made anew on the way --------------------------------------------------------------------------------------


def on_glass(*lengths_km: float, **more: Any) -> dict[str, Any]:
    """OpenZR+ over one stretch after another, each but the last ending in transponders."""
    last = len(lengths_km) - 1
    glass = [{"length_km": km, **({"regenerated": True} if i < last else {})} for i, km in enumerate(lengths_km)]
    return line(**{"transceiver": "OpenZR+-400G", "spans": glass, **more})


@pytest.mark.parametrize("lengths_km", [(85, 60), (60, 85), (60, 85, 70)])
def test_the_margin_of_a_regenerated_link_is_that_of_its_worst_line(lengths_km: tuple[float, ...]) -> None:
    found, worst = health_of(on_glass(*lengths_km)), health_of(on_glass(85))
    for name in ("margin_db", "received_dbm", "loss_db", "member_gbps"):
        assert getattr(found, name)[0] == getattr(worst, name)[0], name
    np.testing.assert_array_equal(found.budgets.by_link(found.budgets.mode_margin_db), worst.budgets.mode_margin_db)


def test_the_slowest_line_decides_before_the_one_with_the_least_margin() -> None:
    """110 km run at 300 Gb/s with 2 dB in hand, 103 km at 400 with hardly any."""
    slow, tight = health_of(on_glass(110)), health_of(on_glass(103))
    assert (slow.member_gbps[0], tight.member_gbps[0]) == (300, 400)
    assert tight.margin_db[0] < slow.margin_db[0]
    for lengths_km in ((103, 110), (110, 103)):
        both = health_of(on_glass(*lengths_km))
        assert (both.member_gbps[0], both.margin_db[0]) == (300, slow.margin_db[0])


def test_every_regenerator_on_the_way_takes_its_time() -> None:
    once, thrice = health_of(on_glass(40, 30)), health_of(on_glass(20, 20, 20, 10))
    plain = health_of(line(transceiver="OpenZR+-400G", spans=[{"length_km": 40}, {"length_km": 30}]))
    assert general("otn_regeneration_us") == 100
    assert once.latency.regeneration_us.tolist() == [100.0]
    assert once.arc_latency_us == pytest.approx(plain.arc_latency_us + 100)
    assert thrice.arc_latency_us == pytest.approx(plain.arc_latency_us + 300)
    assert once.latency.propagation_us == pytest.approx(plain.latency.propagation_us)


def test_every_regenerator_takes_two_transceivers_a_member_and_two_multiplexers_a_pair() -> None:
    def parts(*lengths_km: float) -> dict[str, int]:
        state, found = state_of(on_glass(*lengths_km, n_parallel=6, n_fibre_pairs=2, mux="mux-8"))
        return dict(bill_of_materials(state, found, reader()).n_parts)

    assert parts(60) == {"OpenZR+-400G": 2 * 6, "mux-8": 2 * 2}
    assert parts(30, 30) == {"OpenZR+-400G": 4 * 6, "mux-8": 4 * 2}
    assert parts(20, 20, 20) == {"OpenZR+-400G": 6 * 6, "mux-8": 6 * 2}


@pytest.mark.parametrize(("part", "km"), [("400ZR", 45.0), ("OpenZR+-400G", 90.0), ("400G-LR4", 8.0)])
def test_regeneration_reaches_beyond_what_one_line_could_do(part: str, km: float) -> None:
    through = [{"length_km": km}, {"length_km": km}]
    assert health_of(line(transceiver=part, spans=through)).member_gbps[0] < 400
    anew = health_of(line(transceiver=part, spans=[{"length_km": km, "regenerated": True}, {"length_km": km}]))
    assert (anew.member_gbps[0], anew.arc_limit[0]) == (400, LINE_RATE)


def test_dispersion_begins_anew_where_light_does() -> None:
    light = health_of(on_glass(60, 85)).budgets
    assert light.dispersion_ps_per_nm == pytest.approx([60 * 16.7, 85 * 16.7])
    assert light.pmd_ps == pytest.approx([0.04 * math.sqrt(60), 0.04 * math.sqrt(85)])


# --- the other path --------------------------------------------------------------------------------------------------


def protected(working_km: float, standby_km: float, **more: Any) -> dict[str, Any]:
    glass = [{"length_km": working_km, "srlgs": ["north", "bridge"]}]
    glass += [{"length_km": standby_km, "standby": True, "srlgs": ["south", "bridge"]}]
    return line(**{"transceiver": "OpenZR+-400G", "spans": glass, "protection": PROTECTION, **more})


def test_the_switch_at_both_ends_costs_light() -> None:
    bare, with_it = health_of(line(transceiver="OpenZR+-400G", spans=[{"length_km": 30}])), health_of(protected(30, 30))
    switch_db = of_part(PROTECTION, "loss_db")
    assert switch_db == 3.5
    assert with_it.loss_db == pytest.approx(bare.loss_db + switch_db)
    assert with_it.received_dbm == pytest.approx(bare.received_dbm - switch_db)


def test_the_margin_of_a_protected_link_is_that_of_its_worse_path() -> None:
    worse = health_of(protected(60, 60)).margin_db[0]
    assert health_of(protected(60, 20)).margin_db[0] == worse
    assert health_of(protected(20, 60)).margin_db[0] == worse
    assert health_of(protected(20, 20)).margin_db[0] > worse


def test_a_path_that_is_dark_makes_the_link_dark() -> None:
    """The member is taken for what it still carries on the worse path."""
    assert health_of(protected(10, 200)).member_gbps[0] == 0
    assert health_of(protected(200, 10)).member_gbps[0] == 0
    slow = health_of(protected(20, 95))
    assert slow.member_gbps[0] == health_of(protected(95, 95)).member_gbps[0] == 300


def test_the_standby_path_counts_neither_for_latency_nor_for_headroom() -> None:
    shaped = {"lossless": {"policy": "shaped"}, "part": "border-12.8T"}
    near, far = health_of(protected(20, 21, **shaped)), health_of(protected(20, 60, **shaped))
    assert far.latency.propagation_us[0] == near.latency.propagation_us[0] == pytest.approx(20 * 1.468 / 0.299792458)
    assert far.arc_latency_us.tolist() == near.arc_latency_us.tolist()
    assert far.headroom.needed_bytes.tolist() == near.headroom.needed_bytes.tolist()
    assert far.headroom.rate_gbps.tolist() == near.headroom.rate_gbps.tolist()
    assert state_of(protected(20, 60))[0].link_length_km.tolist() == [20.0]


def test_each_path_is_held_against_the_reach_of_the_optics_by_itself() -> None:
    lr4 = {"transceiver": "400G-LR4", "protection": None}
    at = {km: health_of(line(**lr4, spans=[{"length_km": km}])).arc_limit[0] for km in (7.0, 11.0)}
    assert at == {7.0: LINE_RATE, 11.0: REACH}
    both = health_of(protected(7.0, 6.0, transceiver="400G-LR4"))
    assert (both.arc_limit[0], both.member_gbps[0]) == (LINE_RATE, 400)


def test_leased_glass_is_paid_on_both_paths() -> None:
    data = protected(20, 60, n_fibre_pairs=2)
    data["links"][0]["spans"] = [span | {"leased": True} for span in data["links"][0]["spans"]]
    bill = bill_of_materials(*state_of(data), reader())
    assert bill.leased_pair_miles == pytest.approx(2 * 80 / 1.609344)
    assert bill.n_parts[PROTECTION] == 2 * 2


@pytest.mark.parametrize(("srlg", "up"), [("north", True), ("south", True), ("bridge", False), ("hut", False)])
def test_only_what_both_paths_share_takes_the_link_down(srlg: str, up: bool) -> None:
    state, found = state_of(protected(20, 60, srlgs=["hut"]))
    down = FailSrlg(srlg=srlg).overlay(state, Context("changes[0]", found, (), reader()))
    assert bool(compute_link_health(down, found, reader()).lit[0]) == up


def test_without_protection_every_risk_takes_the_link_down() -> None:
    glass = [{"length_km": 20, "srlgs": ["north"]}, {"length_km": 20, "srlgs": ["south"]}]
    state, found = state_of(line(transceiver="OpenZR+-400G", spans=glass))
    for srlg in ("north", "south"):
        down = FailSrlg(srlg=srlg).overlay(state, Context("changes[0]", found, (), reader()))
        assert not compute_link_health(down, found, reader()).lit[0]


def test_both_paths_may_be_regenerated() -> None:
    anew = {"regenerated": True}
    glass = [{"length_km": 40, **anew}, {"length_km": 20}]
    other = [{"length_km": 30, **anew}, {"length_km": 35, **anew}, {"length_km": 30}]
    data = protected(1, 1, spans=[*glass, *({**span, "standby": True} for span in other)], n_parallel=2)
    found = health_of(data)
    assert found.margin_db[0] == health_of(protected(40, 40)).margin_db[0]
    assert found.latency.regeneration_us.tolist() == [100.0]
    assert bill_of_materials(*state_of(data), reader()).n_parts["OpenZR+-400G"] == 2 * (1 + 3) * 2


# --- misuse ----------------------------------------------------------------------------------------------------------


def faults(**link: Any) -> dict[str, str]:
    """Place -> problem of every fault."""
    try:
        _ = network(line(**{"transceiver": "OpenZR+-400G", **link})).nodes
    except TopologyError as error:
        return {issue.where.removeprefix("links[l]."): issue.problem for issue in error.issues}
    return {}


KM: dict[str, Any] = {"length_km": 1.0}
STANDBY, ANEW = KM | {"standby": True}, KM | {"regenerated": True}
NEEDS = "protection needs spans of a working path and others that are standby"


def test_sound_lines_have_no_fault() -> None:
    assert faults(spans=[KM, STANDBY], protection=PROTECTION) == {}
    assert faults(spans=[ANEW, KM, ANEW | STANDBY, STANDBY], protection=PROTECTION) == {}
    assert faults(spans=[KM], measured_received_dbm=-5.0, measured="2026-01-01", installed="2026-01-01") == {}


@pytest.mark.parametrize(
    ("link", "where", "problem"),
    [
        ({"spans": [KM, STANDBY]}, "protection", NEEDS),
        ({"spans": [KM], "protection": PROTECTION}, "protection", NEEDS),
        ({"spans": [], "protection": PROTECTION}, "protection", NEEDS),
        ({"spans": [STANDBY], "protection": PROTECTION}, "protection", NEEDS),
        ({"spans": [STANDBY]}, "protection", NEEDS),
        (
            {"spans": [STANDBY, KM], "protection": PROTECTION},
            "spans",
            "standby spans among those of the working path",
        ),
        (
            {"spans": [KM, STANDBY, KM], "protection": PROTECTION},
            "spans",
            "standby spans among those of the working path",
        ),
        ({"spans": [KM, ANEW]}, "spans[1].regenerated", "the last span of a path ends at the link's end"),
        ({"spans": [ANEW]}, "spans[0].regenerated", "the last span of a path ends at the link's end"),
        (
            {"spans": [ANEW, STANDBY], "protection": PROTECTION},
            "spans[0].regenerated",
            "the last span of a path ends at the link's end",
        ),
        (
            {"spans": [KM, ANEW | STANDBY], "protection": PROTECTION},
            "spans[1].regenerated",
            "the last span of a path ends at the link's end",
        ),
        ({"measured_received_dbm": -5.0}, "measured", "measured_received_dbm and the day it was measured go together"),
        ({"measured": "2026-01-01"}, "measured", "measured_received_dbm and the day it was measured go together"),
        (
            {"measured": "2026-01-01", "measured_received_dbm": -5.0, "transceiver": None},
            "measured",
            "a received power without a transceiver",
        ),
        (
            {"measured": "2015-12-31", "measured_received_dbm": -5.0, "installed": "2016-01-01"},
            "measured",
            "2015-12-31 lies before installed 2016-01-01",
        ),
        (
            {"measured": "2026-01-02", "measured_received_dbm": -5.0},
            "measured",
            "2026-01-02 lies after as_of 2026-01-01",
        ),
        (
            {"measured": "2026-01-01", "measured_received_dbm": -5.0, "spans": [ANEW, KM]},
            "measured_received_dbm",
            "one received power, though the light is regenerated on the way",
        ),
        ({"spans": [KM, STANDBY], "protection": "mux-8"}, "protection", "'mux-8' is of kind mux"),
        ({"spans": [KM, STANDBY], "protection": "EDFA"}, "protection", "'EDFA' is of kind amplifier"),
        ({"spans": [KM, STANDBY], "protection": "optical-protecton"}, "protection", "unknown protection"),
    ],
)
def test_a_path_that_does_not_hold_together_is_told(link: dict[str, Any], where: str, problem: str) -> None:
    found = faults(**link)
    assert list(found) == [where]
    assert problem in found[where]


def test_all_faults_of_a_link_are_told_at_once() -> None:
    spans_ = [ANEW, KM | {"measured": "2026-02-01"}, ANEW | {"measured_loss_db": 1.0}]
    assert set(faults(spans=spans_, protection="EDFB", measured="2026-01-01")) == {
        "protection",
        "spans[2].regenerated",
        "measured",
        "measured_received_dbm",
        "spans[1].measured",
    }


def test_a_misspelled_protection_gets_a_near_one() -> None:
    with pytest.raises(TopologyError) as caught:
        _ = from_document(line(spans=[KM, STANDBY], protection="optical-protecton")).arrays
    assert caught.value.issues[0].where == "links[l].protection"
    assert "did you mean 'optical-protection'" in caught.value.issues[0].hint


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("measured_received_dbm", -61.0, "must be at least -60"),
        ("measured_received_dbm", float("nan"), "finite number, found nan"),
        ("launch_dbm", float("inf"), "finite number, found inf"),
        ("launch_dbm", 10.5, "must be at most 10"),
        ("capacity_gbps", 0.0, "must be more than 0"),
        ("loss_ratio", 1.0, "less than 1"),
        ("loss_ratio", -1e-9, "must be at least 0"),
        ("n_fibre_pairs", 0, "must be at least 1"),
        ("macsec", "yes", "must be true or false"),
        ("measured", "2026-02-30", "must be a date"),
    ],
)
def test_a_bad_field_of_a_link_is_named_with_its_place(field: str, value: Any, problem: str) -> None:
    with pytest.raises(DocumentError) as caught:
        from_document(line(**{field: value}))
    assert [issue.where for issue in caught.value.issues] == [f"links[l].{field}"]
    assert problem in caught.value.issues[0].problem


# --- a change of state is an edited document -------------------------------------------------------------------------

Edit = Callable[[dict[str, Any]], dict[str, Any]]


def unmeasured(link: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in link.items() if name not in ("measured", "measured_received_dbm")}


def refitted(part: str) -> Edit:
    def edit(link: dict[str, Any]) -> dict[str, Any]:
        left = {name: value for name, value in unmeasured(link).items() if name != "capacity_gbps"}
        return left | {"transceiver": part, "installed": AS_OF.isoformat()}

    return edit


def relaid(fibre: str, n_splices: int) -> Edit:
    def edit(link: dict[str, Any]) -> dict[str, Any]:
        fresh = {"fibre": fibre, "installed": AS_OF.isoformat(), "n_splices": n_splices}
        kept = ("length_km", "n_connectors", "amplifier", "standby", "regenerated")
        spans = [{name: span[name] for name in kept if name in span} | fresh for span in link["spans"]]
        for before, after in zip(link["spans"], spans, strict=True):
            # amplifiers stay, and without a date of their own they are as old as the fibre was
            installed = before.get("amplifier_installed", before.get("installed"))
            if "amplifier" in before and installed is not None:
                after["amplifier_installed"] = installed
        return unmeasured(link) | {"spans": spans}

    return edit


def cut(n_cuts: int) -> Edit:
    def edit(link: dict[str, Any]) -> dict[str, Any]:
        working = [span for span in link["spans"] if not span.get("standby")]
        longest = max(range(len(working)), key=lambda i: working[i]["length_km"])
        glass = [dict(span) for span in link["spans"]]
        n_splices = int(n_cuts * general("n_splices_per_cut"))
        added_db = n_splices * general("splice_db")
        glass[longest]["n_splices"] = glass[longest].get("n_splices", 0) + n_splices
        if "measured_loss_db" in glass[longest]:
            glass[longest]["measured_loss_db"] += added_db
        restored = any("amplifier" in span for span in working[longest:])
        if "measured_received_dbm" in link and not restored:
            link = link | {"measured_received_dbm": link["measured_received_dbm"] - added_db}
        return link | {"spans": glass}

    return edit


def earlier(n_days: int) -> Edit:
    def edit(record: dict[str, Any]) -> dict[str, Any]:
        moved = dict(record)
        for name in ("installed", "measured"):
            if name in record:
                moved[name] = (date.fromisoformat(record[name]) - timedelta(days=n_days)).isoformat()
        if "spans" in record:
            # a span without any date is taken as new at `as_of`
            new = {"installed": AS_OF.isoformat()}
            moved["spans"] = [edit(span if "measured" in span else new | span) for span in record["spans"]]
        return moved

    return edit


def added(**fields_: Any) -> Edit:
    return lambda link: link | fields_


def with_other_mux(n_parallel: int) -> Edit:
    return lambda link: unmeasured(link) | {"n_parallel": n_parallel, "n_fibre_pairs": 2, "mux": "mux-64"}


CHANGES: list[tuple[StateChange, Edit]] = [
    (SetTransceivers(links="l0", part="400ZR"), refitted("400ZR")),
    (SetTransceivers(links="l0", part="OpenZR+-400G"), refitted("OpenZR+-400G")),
    (SetChannels(links="l0", n_parallel=4), added(n_parallel=4)),
    (SetChannels(links="l0", n_parallel=7, n_fibre_pairs=2, mux="mux-64"), with_other_mux(7)),
    (SetFibre(links="l0", fibre="G.654.E", n_splices=3), relaid("G.654.E", 3)),
    (SetFibre(links="l0", fibre="SMF-28-ULL"), relaid("SMF-28-ULL", 0)),
    (CutFibre(links="l0"), cut(1)),
    (CutFibre(links="l0", n_cuts=5), cut(5)),
    (FailLinks(links="l0"), added(up=False)),
]


def overlaid(data: dict[str, Any], change: StateChange, ageing: AgeingCase) -> LinkHealth:
    state, found = state_of(data)
    return compute_link_health(
        change.overlay(state, Context("changes[0]", found, (), reader())), found, reader(), ageing
    )


@pytest.mark.parametrize(("change", "edit"), CHANGES, ids=[f"{c.kind}{i}" for i, (c, _) in enumerate(CHANGES)])
@settings(max_examples=15, deadline=None)
@given(first=links(on_fibre=True), second=links(), ageing=st.sampled_from(["low", "value", "high"]))
def test_a_change_of_state_gives_what_an_edited_document_gives(
    change: StateChange, edit: Edit, first: dict[str, Any], second: dict[str, Any], ageing: Any
) -> None:
    if isinstance(change, SetTransceivers):  # a reading older than the module cannot stand in a document; see below
        first = {name: value for name, value in first.items() if not name.startswith("measured")}
    edited = document([edit(first), second])
    assert_same(overlaid(document([first, second]), change, ageing), health_of(edited, ageing))


@pytest.mark.parametrize("part", ["OpenZR+-400G", "400ZR"])
def test_what_a_reading_says_of_the_plant_outlives_the_transceiver(part: str) -> None:
    """2 dB worse than the model on its day; six years of droop go with the old laser."""
    spans = [{"length_km": 30.0, "n_connectors": 2}]
    old = {"ends": ["n0", "n1"], "transceiver": "OpenZR+-400G", "installed": "2020-01-01", "spans": spans}
    on_its_day = health_of(document([old])).received_dbm[0]
    data = document([old | {"measured": "2026-01-01", "measured_received_dbm": float(on_its_day) - 2.0}])
    found = overlaid(data, SetTransceivers(links="l0", part=part), "value")
    new = health_of(document([{"ends": ["n0", "n1"], "transceiver": part, "spans": spans}])).received_dbm[0]
    assert found.received_dbm[0] == pytest.approx(new - 2.0)


@SOME
@given(first=links(), n_members=st.integers(1, 4))
def test_members_that_fail_are_members_that_are_down(first: dict[str, Any], n_members: int) -> None:
    n_failed = min(first["n_failed"] + n_members, first.get("n_parallel", 1))
    down = overlaid(document([first]), FailLinks(links="l0", n_members=n_members), "value")
    assert_same(down, health_of(document([first | {"n_failed": n_failed}])))


@SOME
@given(first=links(), second=links(), n_days=st.integers(0, 9000), ageing=st.sampled_from(["low", "value", "high"]))
def test_years_that_pass_are_dates_that_lie_so_many_days_earlier(
    first: dict[str, Any], second: dict[str, Any], n_days: int, ageing: Any
) -> None:
    both = [first, second]
    aged = overlaid(document(both), Age(years=n_days / 365.25), ageing)
    assert_same(aged, health_of(document([earlier(n_days)(link) for link in both]), ageing), rel=1e-9)


def test_a_failed_link_is_judged_as_one_that_is_not_there() -> None:
    """Other links do not notice: their routers' buffers are shared as if it had been taken out."""
    shaped = {"lossless": {"policy": "shaped"}}
    wan = {"ends": ["n0", "n1"], "transceiver": "OpenZR+-400G", "spans": [{"length_km": 23.0}], "n_parallel": 4}
    failed = of_each(overlaid(document([wan, wan], **shaped), FailLinks(links="l0"), "value"))
    alone = of_each(health_of(document([wan], ["l1"], **shaped)))
    for name, column in alone.items():
        np.testing.assert_array_equal(failed[name][1], column[0], err_msg=name)


def test_the_parts_named_here_are_in_the_catalogue() -> None:
    for name in (*PARTS, *GLASS, PROTECTION):
        assert catalogue().get(name).id == name
