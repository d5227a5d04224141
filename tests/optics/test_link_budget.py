"""Light at the receiver: measured power, port rates, penalties, errors, and what more loss may never do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.cases import ZRP, health_of, line, mode_of, of_part, penalty_db, reader, snr_db, state_of, worn
from twin.catalogue import Catalogue, Part, catalogue, load_price_book
from twin.catalogue.ageing import AgeingCase
from twin.catalogue.figure_reader import FigureReader
from twin.loading import from_document
from twin.optics.link_budget import DOWN, LINE_RATE, MODE, REACH, mode_penalty_db
from twin.optics.link_health import LinkHealth, compute_link_health
from twin.scenario.change import Context
from twin.scenario.changes import Age

MANY = settings(max_examples=80, deadline=None)
CASES: tuple[AgeingCase, ...] = ("low", "value", "high")
TODAY = "2026-01-01"
TEN_YEARS = (date(2026, 1, 1) - date(2016, 1, 1)).days / 365.25
Edit = Callable[[Part], Part]


def judged(data: dict[str, Any], edits: Mapping[str, Edit], ageing: AgeingCase = "value") -> LinkHealth:
    """Health of a network with a catalogue of which some parts are others."""
    shipped = catalogue()
    parts = [edits[part.id](part) if part.id in edits else part for part in shipped.parts()]
    changed = Catalogue(parts, shipped.general, shipped.subjects)
    state, document = state_of(data)
    return compute_link_health(state, document, FigureReader(changed, load_price_book()), ageing)


def ports(*rates_gbps: float) -> Edit:
    return lambda part: part.model_copy(update={"port_rates_gbps": rates_gbps})


def figure(name: str, value: float) -> Edit:
    def edit(part: Part) -> Part:
        any_figure = next(iter(part.figures.values()))
        new = any_figure.model_copy(update={"value": value, "low": value, "high": value})
        return part.model_copy(update={"figures": {**part.figures, name: new}})

    return edit


# --- received power, measured ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("ageing", CASES)
@pytest.mark.parametrize("part", [ZRP, "400ZR", "400G-LR4"])
def test_a_measured_power_stands_for_the_model_on_its_day(part: str, ageing: AgeingCase) -> None:
    spans = [{"length_km": 8.0, "installed": "2006-01-01"}]
    fields = {"transceiver": part, "spans": spans, "installed": "2016-01-01"}
    modelled = health_of(line(**fields), ageing)
    found = health_of(line(**fields, measured_received_dbm=-8.0, measured=TODAY), ageing)
    assert found.received_dbm[0] == pytest.approx(-8.0, rel=1e-12)
    correction_db = -8.0 - modelled.received_dbm[0]
    assert found.budgets.correction_db[0] == pytest.approx(correction_db)
    assert found.loss_db[0] == modelled.loss_db[0]
    if part == "400G-LR4":
        assert found.margin_db[0] == pytest.approx(modelled.margin_db[0] + correction_db)
    else:
        needed = mode_of(part, 400).required_snr_db.value + penalty_db(part, 400, 8)
        assert found.margin_db[0] == pytest.approx(snr_db(-8.0) - needed)


@pytest.mark.parametrize("ageing", CASES)
def test_from_its_day_on_glass_and_laser_age_as_they_would(ageing: AgeingCase) -> None:
    fields = {
        "transceiver": ZRP,
        "spans": [{"length_km": 40.0, "installed": "2006-01-01"}],
        "installed": "2010-01-01",
        "mux": "mux-8",
    }
    found = health_of(line(**fields, measured_received_dbm=-20.0, measured="2016-01-01"), ageing).received_dbm[0]
    now = health_of(line(**fields), ageing).received_dbm[0]
    then = health_of(line(**fields) | {"as_of": "2016-01-01"}, ageing).received_dbm[0]
    assert now < then
    assert found == pytest.approx(-20.0 + now - then)


@pytest.mark.parametrize("ageing", CASES)
def test_an_undated_laser_droops_from_the_day_its_power_was_measured(ageing: AgeingCase) -> None:
    droop_db = getattr(catalogue().general_figure("laser_droop_db_per_year"), ageing) * TEN_YEARS
    data = worn(10.0, measured_received_dbm=-9.0, measured="2016-01-01")
    assert health_of(data, ageing).received_dbm[0] == pytest.approx(-9.0 - droop_db)
    assert health_of(worn(10.0), ageing).budgets.droop_db[0] == 0.0


def test_a_measured_power_counts_on_a_patch_and_over_amplifiers_too() -> None:
    measured = {"measured_received_dbm": -5.5, "measured": TODAY}
    assert health_of(line(transceiver=ZRP, **measured)).received_dbm[0] == pytest.approx(-5.5)
    glass = [{"length_km": 80.0, "amplifier": "EDFA"}, {"length_km": 20.0}]
    fields = {"transceiver": ZRP, "spans": glass, "mux": "mux-64", "n_parallel": 4, "launch_dbm": 0.0}
    plain, found = health_of(line(**fields)), health_of(line(**fields, **measured))
    assert found.received_dbm[0] == pytest.approx(-5.5)
    assert found.line_gsnr_db[0] == plain.line_gsnr_db[0]


def test_a_measured_power_of_a_protected_link_is_that_of_its_working_path() -> None:
    glass = [{"length_km": 20.0}, {"length_km": 60.0, "standby": True}]
    fields = {"transceiver": ZRP, "spans": glass, "protection": "optical-protection"}
    plain = health_of(line(**fields))
    found = health_of(line(**fields, measured_received_dbm=-6.0, measured=TODAY))
    assert found.budgets.received_dbm == pytest.approx([-6.0, plain.budgets.received_dbm[1]])
    assert found.margin_db[0] == plain.margin_db[0]


# --- launch and overload ---------------------------------------------------------------------------------------------


def test_light_starts_at_the_transceiver_s_power_behind_one_multiplexer_or_as_stated() -> None:
    glass = {"spans": [{"length_km": 30.0}], "transceiver": "400ZR", "mux": "mux-8"}
    plain, stated = health_of(line(**glass)), health_of(line(**glass, launch_dbm=-3.0))
    assert plain.budgets.into_fibre_dbm[0] == pytest.approx(-6.0 - 4.5)
    assert plain.received_dbm[0] == pytest.approx(-6.0 - 2 * 4.5 - 6.3)
    assert stated.budgets.into_fibre_dbm[0] == -3.0
    assert stated.received_dbm[0] == pytest.approx(-3.0 - 4.5 - 6.3)


def test_without_amplifiers_what_is_stated_droops_with_the_laser() -> None:
    glass = [{"length_km": 30.0}]
    found = health_of(line(spans=glass, transceiver=ZRP, launch_dbm=-2.0, installed="2016-01-01"))
    assert found.received_dbm[0] == pytest.approx(-2.0 - 0.1 * TEN_YEARS - 6.3)
    boosted = [{"length_km": 30.0, "amplifier": "EDFA"}]
    found = health_of(line(spans=boosted, transceiver=ZRP, launch_dbm=-2.0, installed="2016-01-01"))
    assert found.received_dbm[0] == pytest.approx(-2.0)


@pytest.mark.parametrize("loss_db", [0.5, 1.0, 3.0])
def test_a_receiver_s_highest_power_leaves_headroom_beside_the_margin(loss_db: float) -> None:
    """OpenZR+ bears 0 dBm: with so little loss the headroom is the loss, and the margin is that of the SNR."""
    found = health_of(worn(loss_db - 0.21))
    assert found.receiver_headroom_db[0] == pytest.approx(loss_db)
    needed = mode_of(ZRP, 400).required_snr_db.value + penalty_db(ZRP, 400, 1.0)
    assert found.margin_db[0] == pytest.approx(snr_db(-loss_db) - needed)
    assert found.worse_margin_db[0] == pytest.approx(loss_db)
    assert (found.member_gbps[0], found.arc_limit[0]) == (400, LINE_RATE)


def test_too_much_light_is_darkness() -> None:
    found = health_of(worn(0.0, measured_received_dbm=1.79, measured=TODAY))
    assert found.receiver_headroom_db[0] == pytest.approx(-1.79)
    assert found.margin_db[0] > 5
    assert (bool(found.lit[0]), found.arc_limit[0], found.loss_ratio[0]) == (False, DOWN, 1.0)


def test_direct_detection_has_a_highest_power_where_the_part_states_it() -> None:
    data = line(transceiver="400G-LR4", spans=[{"length_km": 1.0}])
    plain = health_of(data)
    bounded, dark = (
        judged(data, {"400G-LR4": figure("rx_max_dbm", plain.received_dbm[0] + more_db)}) for more_db in (0.25, -0.25)
    )
    assert np.isnan(plain.receiver_headroom_db[0])
    assert bounded.receiver_headroom_db[0] == pytest.approx(0.25)
    assert bounded.margin_db[0] == plain.margin_db[0] > 5
    assert (bool(bounded.lit[0]), bool(dark.lit[0])) == (True, False)


# --- rates that ports run --------------------------------------------------------------------------------------------


def rate_and_margin(health: LinkHealth) -> tuple[float, float]:
    return float(health.member_gbps[0]), float(health.margin_db[0])


@pytest.mark.parametrize(("lumped_db", "rate"), [(19, 400), (24, 200), (28, 200), (33, 100), (36, 0)])
def test_a_worn_part_falls_to_the_next_rate_that_both_ports_run(lumped_db: float, rate: float) -> None:
    """Ports that know no 300G run 200G where 300G had margin."""
    edits = {"border-12.8T": ports(400.0, 200.0, 100.0)}
    found = judged(worn(lumped_db, part="border-12.8T"), edits)
    needed = mode_of(ZRP, rate or 100).required_snr_db.value + penalty_db(ZRP, rate or 100, 1.0)
    assert rate_and_margin(found) == (rate, pytest.approx(snr_db(-lumped_db - 0.21) - needed))
    assert found.arc_limit[0] == {400: LINE_RATE, 0: DOWN}.get(rate, MODE)


@pytest.mark.parametrize("side", [0, 1])
def test_one_port_that_does_not_run_a_rate_is_enough(side: int) -> None:
    data = worn(24.0)
    data["nodes"] = [{"id": name, "kind": "border", "part": "border-12.8T"} for name in "pq"]
    data["nodes"][side]["part"] = "border-deep-28.8T"
    assert judged(data, {}).member_gbps[0] == 300
    assert judged(data, {"border-deep-28.8T": ports(400.0, 200.0)}).member_gbps[0] == 200
    assert judged(data, {"leaf-25.6T": ports(400.0)}).member_gbps[0] == 300


def test_ports_of_unknown_make_run_every_rate() -> None:
    assert judged(worn(24.0), {}).member_gbps[0] == 300
    assert judged(worn(24.0, part="border-12.8T"), {"border-12.8T": ports()}).member_gbps[0] == 300


def test_a_dark_link_has_the_margin_of_the_slowest_rate_its_ports_run() -> None:
    """300G would do, but these ports run 400G alone: no light that counts, and no margin either."""
    found = judged(worn(24.0, part="border-12.8T"), {"border-12.8T": ports(400.0)})
    needed = mode_of(ZRP, 400).required_snr_db.value + penalty_db(ZRP, 400, 1.0)
    assert rate_and_margin(found) == (0, pytest.approx(snr_db(-24.21) - needed))
    assert found.margin_db[0] < 0
    assert found.arc_limit[0] == DOWN
    threshold = of_part("oFEC", "threshold_ber_ratio")
    assert found.budgets.pre_fec_ber_ratio[0] > threshold


def test_a_port_slower_than_the_part_takes_the_slowest_mode_that_fills_it() -> None:
    at = {gbps: health_of(worn(10.0, capacity_gbps=gbps)) for gbps in (50.0, 100.0, 150.0, 250.0, 400.0, 800.0)}
    modes = {gbps: int(found.budgets.mode[0]) for gbps, found in at.items()}
    assert modes == {50.0: 3, 100.0: 3, 150.0: 2, 250.0: 1, 400.0: 0, 800.0: 0}
    assert [float(found.member_gbps[0]) for found in at.values()] == [50, 100, 150, 250, 400, 400]
    assert {int(found.arc_limit[0]) for gbps, found in at.items() if gbps <= 400} == {LINE_RATE}


def test_an_indoor_link_s_ports_count_for_itself_alone() -> None:
    """Two patches alike in every part but the router at one end."""
    nodes = [
        {"id": "p", "kind": "border", "part": "border-12.8T"},
        {"id": "q", "kind": "border", "part": "border-12.8T"},
        {"id": "r", "kind": "border", "part": "border-deep-28.8T"},
    ]
    dim = {"transceiver": ZRP, "launch_dbm": -24.0}
    links = [{"id": "to-q", "ends": ["p", "q"], **dim}, {"id": "to-r", "ends": ["p", "r"], **dim}]
    found = judged({"nodes": nodes, "links": links}, {"border-deep-28.8T": ports(400.0, 200.0, 100.0)})
    assert found.member_gbps.tolist() == [300.0, 200.0]


# --- penalties -------------------------------------------------------------------------------------------------------


def test_a_penalty_is_linear_between_the_points_its_part_states() -> None:
    """OpenZR+ at 300G: none to 4,000 ps/nm, 0.5 dB at 18,000, beyond it does not work."""
    amounts = np.array([0.0, 4000.0, 7500.0, 11_000.0, 18_000.0, np.nextafter(18_000.0, 1e9), 1e6])
    found = mode_penalty_db(mode_of(ZRP, 300), "dispersion_ps_per_nm", amounts)
    assert found.tolist() == [0.0, 0.0, pytest.approx(0.125), pytest.approx(0.25), 0.5, np.inf, np.inf]


def test_where_the_first_point_lies_above_nought_a_penalty_begins_at_nought() -> None:
    found = mode_penalty_db(mode_of("400ZR", 400), "pmd_ps", np.array([0.0, 2.5, 10.0, 10.1]))
    assert found.tolist() == [0.0, pytest.approx(0.125), 0.5, np.inf]


def test_a_first_point_at_nought_may_cost_something() -> None:
    mode = mode_of("400ZR", 400)
    penalties = tuple(penalty.model_copy(update={"at": 0.0}) for penalty in mode.penalties[:1])
    only = mode.model_copy(update={"penalties": penalties})
    assert mode_penalty_db(only, "dispersion_ps_per_nm", np.array([0.0, 1.0])).tolist() == [0.5, np.inf]


def test_an_impairment_without_points_costs_nothing() -> None:
    bare = mode_of(ZRP, 400).model_copy(update={"penalties": ()})
    assert mode_penalty_db(bare, "pmd_ps", np.array([0.0, 1e9])).tolist() == [0.0, 0.0]


def far(received_dbm: float, length_km: float, **fields: Any) -> dict[str, Any]:
    """Glass without amplifiers at whose end that power was measured."""
    spans = [{"length_km": length_km}]
    return line(transceiver=ZRP, spans=spans, measured_received_dbm=received_dbm, measured=TODAY, **fields)


def test_the_margin_pays_for_dispersion_and_pmd() -> None:
    found = health_of(far(-18.0, 600.0)).budgets
    for i, mode in enumerate(catalogue().get(ZRP).modes):
        points = 0.5 * 600 * 16.7 / 20_000 if i == 0 else 0.5 * (600 * 16.7 - 4000) / (mode.penalties[1].at - 4000)
        pmd = 0.5 * 0.04 * math.sqrt(600) / 20 if i == 0 else 0.0
        assert found.mode_margin_db[0, i] == pytest.approx(snr_db(-18.0) - mode.required_snr_db.value - points - pmd)
    assert np.isnan(found.mode_margin_db[0, 4:]).all()


@pytest.mark.parametrize(("received_dbm", "rate"), [(-20.0, 400), (-23.0, 200)])
def test_a_slower_mode_may_work_where_dispersion_forbids_the_one_before(received_dbm: float, rate: float) -> None:
    """19,000 ps/nm: 400G bears 20,000 and 200G 24,000, but 300G 18,000; so 300G is left out."""
    found = health_of(far(received_dbm, 19_000 / 16.7))
    assert np.isneginf(found.budgets.mode_margin_db[0, 1])
    assert np.isfinite(found.budgets.mode_margin_db[0, [0, 2, 3]]).all()
    assert found.member_gbps[0] == rate


def test_each_mode_has_its_own_dispersion_limit() -> None:
    """OpenZR+: 400G 20,000 ps/nm, 200G 24,000, 100G 48,000; the limit of the part holds for modes without one."""
    found = [health_of(far(-10.0, ps_per_nm / 16.7)) for ps_per_nm in (20_100, 24_100, 48_100)]
    assert [(h.member_gbps[0], h.arc_limit[0]) for h in found] == [(200, MODE), (100, MODE), (0, REACH)]
    assert np.isneginf(found[2].budgets.mode_margin_db[0, :4]).all()
    assert np.isnan(found[2].margin_db[0])
    assert np.isnan(found[2].budgets.pre_fec_ber_ratio[0])
    part = catalogue().get(ZRP)
    plain = part.model_copy(update={"modes": tuple(mode.model_copy(update={"penalties": ()}) for mode in part.modes)})
    assert judged(far(-10.0, 20_100 / 16.7), {ZRP: lambda _: plain}).member_gbps[0] == 0


def test_a_path_through_a_roadm_has_no_margin_and_no_rate() -> None:
    data = far(-10.0, 80.0)
    data["nodes"][1]["kind"] = "roadm"
    found = health_of(data)
    assert np.isnan([found.margin_db[0], found.member_gbps[0], found.receiver_headroom_db[0]]).all()
    assert found.lit[0]
    assert found.rate_unknown[0]
    answer = from_document(data)
    why = "not modelled: ROADM pass-through"
    assert answer.score().metrics["min_margin_db"].why == why
    assert why in " ".join(answer.link("l", years=None).summary)


def test_too_much_pmd_is_out_of_reach_as_well() -> None:
    """15 ps on 10 km of such glass; 400ZR bears 10."""
    glass = figure("pmd_ps_per_sqrt_km", 15 / math.sqrt(10))
    data = line(transceiver="400ZR", spans=[{"length_km": 10.0}])
    found = judged(data, {"G.652.D": glass})
    assert found.budgets.pmd_ps[0] == pytest.approx(15.0)
    assert (bool(found.lit[0]), found.arc_limit[0]) == (False, REACH)
    assert health_of(data).lit[0]


def test_dispersion_adds_along_a_line_and_pmd_adds_as_squares() -> None:
    spans = [{"length_km": 30.0}, {"length_km": 20.0, "fibre": "G.654.E"}, {"length_km": 5.0, "fibre": "G.652.D-2006"}]
    found = health_of(line(transceiver=ZRP, spans=spans)).budgets
    assert found.dispersion_ps_per_nm[0] == pytest.approx(35 * 16.7 + 20 * 21)
    assert found.pmd_ps[0] == pytest.approx(math.sqrt(0.04**2 * 50 + 0.1**2 * 5))


# --- whatever the figures are ----------------------------------------------------------------------------------------

UNAMPLIFIED = ["400ZR", ZRP, "800ZR", "400G-LR4", "400G-FR4", "100G-LR4"]
FIBRES = ["G.652.D", "G.652.D-2006", "G.654.E", "G.652.D-wet"]


@st.composite
def unamplified(draw: st.DrawFn) -> dict[str, Any]:
    """A link of up to three spans without amplifiers or boosters, some of them measured, and optics of some age."""
    spans = []
    for _ in range(draw(st.integers(1, 3))):
        span: dict[str, Any] = {
            "length_km": draw(st.floats(0.05, 60)),
            "fibre": draw(st.sampled_from(FIBRES)),
            "installed": draw(st.sampled_from(["2025-01-01", "2015-01-01", "2006-06-01"])),
            "n_splices": draw(st.integers(0, 10)),
            "n_connectors": draw(st.integers(0, 4)),
            "lumped_loss_db": draw(st.sampled_from([0.0, 0.7, 6.0])),
        }
        if draw(st.integers(0, 3)) == 0:
            span |= {"measured": "2025-06-01", "measured_loss_db": draw(st.floats(0.5, 30))}
        spans.append(span)
    link = {"transceiver": draw(st.sampled_from(UNAMPLIFIED)), "spans": spans, "installed": "2020-01-01"}
    for name, values in (("mux", ["mux-8", "mux-64"]), ("launch_dbm", [-20.0, -14.0]), ("capacity_gbps", [100.0])):
        if draw(st.booleans()):
            link[name] = draw(st.sampled_from(values))
    if draw(st.booleans()):
        spans.append({"length_km": draw(st.floats(0.05, 60)), "standby": True})
        link["protection"] = "optical-protection"
    elif draw(st.integers(0, 3)) == 0:
        link |= {"measured": "2025-06-01", "measured_received_dbm": draw(st.floats(-25, 3))}
    return link


@st.composite
def dimmed(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Such a link, and the same with more of one thing that costs light."""
    link = draw(unamplified())
    what = draw(
        st.sampled_from(["length_km", "installed", "n_splices", "n_connectors", "lumped_loss_db", "laser", "measured"])
    )
    if what == "laser":
        return link, link | {"installed": "2004-02-29"}
    i = draw(st.integers(0, len(link["spans"]) - 1))
    span = link["spans"][i]
    if what == "measured":
        more = {"measured_loss_db": span["measured_loss_db"] + draw(st.floats(0, 20))} if "measured" in span else {}
    elif what == "installed":
        more = {"installed": "1999-12-31"} if "installed" in span else {}
    else:
        more = {what: span.get(what, 0) + draw(st.integers(1, 20))}
    spans = [*link["spans"]]
    spans[i] = span | more
    return link, link | {"spans": spans}


SLACK_DB = 1e-9
"""Sums of decibels that a measurement puts right differ in their last digits."""


def assert_no_better(before: LinkHealth, after: LinkHealth) -> None:
    """Less light at the receiver, and no more margin in any mode; only where there was too much light more may help."""
    a, b = before.budgets, after.budgets
    assert (b.received_dbm <= a.received_dbm + SLACK_DB).all()
    assert (b.snr_db <= a.snr_db + SLACK_DB).all() or np.isnan(a.snr_db).all()
    part = a.paths.link_of_path  # all lines are of one link, and so of one part
    assert (part == part[0]).all()
    overloaded = np.isfinite(a.mode_margin_db) & (a.mode_margin_db >= -a.received_dbm[:, None] - SLACK_DB)
    with np.errstate(invalid="ignore"):
        worse = b.mode_margin_db <= a.mode_margin_db + SLACK_DB
    assert (worse | overloaded | np.isnan(a.mode_margin_db)).all()
    if np.isnan(a.mode_margin_db).all():  # direct detection
        assert (b.margin_db <= a.margin_db + SLACK_DB).all()


@MANY
@given(dimmed(), st.sampled_from(CASES))
def test_more_of_what_costs_light_never_helps_a_link_without_amplifiers(
    pair: tuple[dict[str, Any], dict[str, Any]], ageing: AgeingCase
) -> None:
    """All of these receivers bear 0 dBm: a margin that is what is missing to it grows as the light fades.

    Where the power at the receiver was measured, more glass means that it was measured at the end of more glass: the
    day of the measurement says what there is, and only what has aged since then counts.
    """
    before, after = (health_of(line(**link), ageing) for link in pair)
    assert_no_better(before, after)
    assert all(of_part(part, "rx_max_dbm") == 0 for part in UNAMPLIFIED[:3])


@MANY
@given(unamplified(), st.floats(0, 50), st.floats(0, 50), st.sampled_from(CASES))
def test_years_never_help_a_link_without_amplifiers(
    link: dict[str, Any], years: float, more_years: float, ageing: AgeingCase
) -> None:
    state, document = state_of(line(**link))
    context = Context("changes[0]", document, (), reader())
    young, old = (
        compute_link_health(Age(years=t).overlay(state, context), document, reader(), ageing)
        for t in (years, years + more_years)
    )
    assert_no_better(young, old)


@MANY
@given(unamplified())
def test_the_cases_of_ageing_stand_in_order(link: dict[str, Any]) -> None:
    """Optimistic, central, pessimistic: each leaves no more than the one before."""
    low, central, high = (health_of(line(**link), case) for case in CASES)
    assert_no_better(low, central)
    assert_no_better(central, high)


@MANY
@given(st.floats(0.1, 200), st.sampled_from(UNAMPLIFIED[:3]), st.sampled_from([None, 100.0, 200.0, 400.0]))
def test_rate_margin_errors_and_limit_agree_with_each_other(
    length_km: float, part: str, capacity_gbps: float | None
) -> None:
    found = health_of(line(transceiver=part, spans=[{"length_km": length_km}], capacity_gbps=capacity_gbps))
    lit, margin = bool(found.lit[0]), found.margin_db[0]
    assert lit == (found.budgets.mode[0] >= 0) == (margin >= 0)
    assert (found.arc_limit[0] in (DOWN, REACH)) == (not lit)
    if lit:
        assert margin == found.budgets.mode_margin_db[0, found.budgets.mode[0]]
        code = catalogue().get(part).fec or ""
        assert found.budgets.pre_fec_ber_ratio[0] <= of_part(code, "threshold_ber_ratio") * (1 + 1e-9)
