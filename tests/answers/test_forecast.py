"""The calendar: days by hand from the catalogue, the score of the aged network on each of them, all in order."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.answers.lines import (
    AS_OF,
    ENDS,
    INDOOR,
    a_span,
    buildable,
    days_before,
    document,
    fibre_links,
    load_of,
    zr,
)
from tests.model.samples import campus_data, shuffled
from tests.training.cases import general, of_part
from twin.answers import forecast as forecast_
from twin.answers import projection as projection_
from twin.answers.forecast import CASES, Forecast
from twin.answers.forecast_records import RUNOUT_RATIOS, CaseForecast, Moment, Runout
from twin.answers.projection import N_BISECTIONS
from twin.arrays import TIERS
from twin.catalogue import catalogue
from twin.catalogue.ageing import AgeingCase
from twin.errors import CatalogueError, ChangeError, DocumentError
from twin.loading import Network, from_document, load
from twin.optics.fec import direct_ber_ratio, reed_solomon_loss_ratio
from twin.stages.evaluation import Evaluation
from twin.units import DAYS_PER_YEAR

STEP = 2.0**-N_BISECTIONS
"""Years; the days of a forecast come this much late at most, and never early."""
SOME = settings(max_examples=10, deadline=None)
FEW = settings(max_examples=5, deadline=None)


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def only(data: dict[str, Any], years: int = 60, growth: float = 0.0, **more: Any) -> dict[AgeingCase, CaseForecast]:
    """All cases of a network's one link."""
    (link,) = from_document(data).forecast(years, growth, **more).links
    return link.cases


def after(network: Network, years: float, case: AgeingCase = "value", *more: Any) -> Evaluation:
    """The same network once those years have passed; some would be refused then, for want of gain."""
    try:
        return network._evaluate_after([{"kind": "age", "years": years}, *more], None, None, case)
    except ChangeError:
        assume(False)
        raise


def years_of(moment: Moment | None) -> float:
    return math.inf if moment is None else moment.years


def assert_day(found: Moment | None, years: float) -> None:
    """The day is that of so many years, or the one after."""
    assert found is not None
    assert years - 1e-9 <= found.years <= years + STEP + 1e-9
    assert found.date is not None
    exact = years * DAYS_PER_YEAR
    assert timedelta(days=exact - 1e-6) <= found.date - AS_OF <= timedelta(days=exact + STEP * DAYS_PER_YEAR + 1)


# --- by hand ---------------------------------------------------------------------------------------------------------


def figure(name: str, case: AgeingCase) -> float:
    return float(getattr(catalogue().general_figure(name), case))


def lost_db_per_year(length_km: float, attenuation_db_per_km: float, case: AgeingCase) -> float:
    """Glass that grows, splices of cuts, and the laser."""
    grown = length_km * attenuation_db_per_km * figure("attenuation_growth_ratio_per_year", case)
    cuts = length_km * figure("n_cuts_per_km_year", case) * general("n_splices_per_cut") * general("splice_db")
    return grown + cuts + figure("laser_droop_db_per_year", case)


def least_dbm(part: str, mode: Any, length_km: float, fibre: str) -> float:
    """Received power at which a mode has no margin left: 1/SNR = 1/OSNR_tx + 1/SNR_rx, SNR_rx = 46 dB at 0 dBm."""
    amounts = {
        "dispersion_ps_per_nm": of_part(fibre, "dispersion_ps_per_nm_km") * length_km,
        "pmd_ps": of_part(fibre, "pmd_ps_per_sqrt_km") * math.sqrt(length_km),
    }
    needed_db = mode.required_snr_db.value
    for name, amount in amounts.items():
        points = [(p.at, p.penalty_db.value) for p in mode.penalties if p.impairment == name]
        needed_db += float(np.interp(amount, *zip((0.0, 0.0), *points, strict=True)))
    noise = 10 ** (-needed_db / 10) - 10 ** (-of_part(part, "tx_osnr_db") / 10)
    return -10 * math.log10(noise) - of_part(part, "receiver_snr_at_0dbm_db")


@pytest.mark.parametrize(("part", "km", "age"), [("400ZR", 48.0, 10), ("400ZR", 30.0, 0), ("OpenZR+-400G", 70.0, 10)])
def test_the_day_on_which_a_coherent_margin_is_gone(part: str, km: float, age: int) -> None:
    laid = f"{2026 - age}-01-01"
    data = document({**zr(a_span(km, "G.652.D-2006", laid), part=part), "installed": laid})
    years_already = (AS_OF - date.fromisoformat(laid)).days / DAYS_PER_YEAR
    found = only(data)
    for case in CASES:
        slope = lost_db_per_year(km, 0.24, case)
        now_dbm = of_part(part, "launch_dbm") - 0.24 * km - slope * years_already
        years = (now_dbm - least_dbm(part, catalogue().get(part).modes[0], km, "G.652.D-2006")) / slope
        if years > 60:
            assert found[case].margin_gone is None
        else:
            assert_day(found[case].margin_gone, max(years, 0.0))


def test_rates_fall_mode_by_mode_until_it_is_dark_each_on_its_day() -> None:
    km, fibre, part = 60.0, "G.652.D", "OpenZR+-400G"
    slope = lost_db_per_year(km, 0.21, "high")
    modes = catalogue().get(part).modes
    days = [(0.0 - 0.21 * km - least_dbm(part, mode, km, fibre)) / slope for mode in modes]
    found = only(document(zr(a_span(km))))["high"]
    assert [drop.member_gbps for drop in found.drops] == [300, 200, 100, 0]
    for drop, years in zip(found.drops, days, strict=True):
        assert_day(drop.when, years)
    assert found.margin_gone == found.drops[0].when
    assert found.member_gbps[0] == 400
    assert found.member_gbps[-1] == 0
    for t, rate in enumerate(found.member_gbps):
        assert rate == ([400, *(drop.member_gbps for drop in found.drops)])[sum(day < t for day in days)]


def test_direct_detection_loses_its_margin_first_and_its_frames_later() -> None:
    km = 8.0
    slope = lost_db_per_year(km, 0.35, "value")
    margin_db = 6.3 - km * 0.35
    found = only(document(zr(a_span(km), part="400G-LR4")))["value"]
    assert_day(found.margin_gone, margin_db / slope)
    threshold = of_part("KP4", "threshold_ber_ratio")
    low, high = -10.0, 0.0  # dB of margin between darkness and the threshold
    for _ in range(60):
        middle = (low + high) / 2
        lost = reed_solomon_loss_ratio(direct_ber_ratio(np.array([middle]), threshold), "KP4")[0]
        low, high = (middle, high) if lost > 0.5 else (low, middle)
    assert [drop.member_gbps for drop in found.drops] == [0]
    assert_day(found.drops[0].when, (margin_db - high) / slope)
    assert years_of(found.drops[0].when) > years_of(found.margin_gone) + 5


def test_the_wanted_margin_is_gone_before_all_of_it() -> None:
    km = 8.0
    slope = lost_db_per_year(km, 0.35, "value")
    data = document(zr(a_span(km), part="400G-LR4", required_margin_db=2.0))
    for asked in (data, data | {"required_margin_db": 3.0}):
        assert_day(only(asked, 20)["value"].required_margin_gone, (6.3 - km * 0.35 - 2.0) / slope)


@pytest.mark.parametrize("growth", [0.04, 0.3, 10.0])
def test_runout_by_growth(growth: float) -> None:
    found = only(document({"capacity_gbps": 400.0}, **load_of(40.0)), growth=growth)
    for case in CASES:
        for ratio, when in zip(RUNOUT_RATIOS, found[case].runout, strict=True):
            years = math.log(ratio / 0.1) / math.log(1 + growth)
            assert_day(when, years) if years <= 60 else pytest.fail("choose a faster growth")
        want = [0.1 * (1 + growth) ** t for t in range(61)]
        assert found[case].utilisation_ratio == pytest.approx(want)


def test_shrinking_traffic_never_runs_out_and_a_lower_rate_brings_it_forward() -> None:
    assert only(document({"capacity_gbps": 400.0}, **load_of(270.0)), growth=-0.1)["value"].runout == Runout(None, None)
    found = only(document(zr(a_span(60.0)), **load_of(220.0)), 40)["high"]
    drops = {drop.member_gbps: drop.when for drop in found.drops}
    assert found.runout == Runout(drops[300], drops[200])  # 220 of 300 is more than 0.7, 220 of 200 more than 0.9
    assert found.utilisation_ratio[0] == pytest.approx(220 / 400)


def test_without_a_day_to_count_from_there_are_years_only() -> None:
    data = document({"capacity_gbps": 400.0, "transceiver": "OpenZR+-400G", "spans": [a_span(60.0, laid=None)]})
    del data["as_of"]
    answer = from_document(data | load_of(100.0)).forecast(40, 0.1)
    found = answer.links[0].cases["value"]
    assert answer.as_of is None
    assert years_of(found.runout.planned) == pytest.approx(math.log(0.7 / 0.25) / math.log(1.1), abs=STEP)
    assert [when.date for when in found.runout if when] == [None, None]
    assert (found.margin_gone, found.drops) == (None, ())  # a_span without a date does not age
    assert "in 10.8 years" in answer.rows()[1]


def test_what_is_gone_already_is_now_and_what_never_comes_is_none() -> None:
    dark = only(document(zr(a_span(170.0))), 10)["value"]
    assert dark.margin_gone == Moment(0.0, AS_OF)
    assert dark.member_gbps == (0.0,) * 11
    assert dark.drops == ()
    full = only(document({"capacity_gbps": 100.0}, **load_of(95.0)), 10)["value"]
    assert full.runout == Runout(Moment(0.0, AS_OF), Moment(0.0, AS_OF))
    idle = only(document({"capacity_gbps": 100.0}, **load_of(10.0)), 10)
    for found in idle.values():
        assert (found.required_margin_gone, found.margin_gone) == (None, None)
        assert (found.drops, found.runout) == ((), Runout(None, None))
        assert found.margin_db == (None,) * 11


def test_days_beyond_the_calendar_have_no_date() -> None:
    data = document({"capacity_gbps": 400.0}, **load_of(100.0)) | {"as_of": "9999-06-01"}
    soon, late = only(data, growth=1.0)["value"].runout, only(data, growth=0.02)["value"].runout
    assert [when.date for when in soon if when] == [None, None]
    assert years_of(late.planned) == pytest.approx(math.log(2.8) / math.log(1.02), abs=STEP)
    assert only(data | {"as_of": "9990-06-01"}, growth=1.0)["value"].runout.planned is not None


def test_more_than_one_thing_within_a_year_is_told_apart() -> None:
    class Projection:
        gbps_today = np.full(2, 400.0)

        def at(self, years: np.ndarray) -> projection_._Snapshot:
            rate = np.select([years < 0.2, years < 0.5, years < 0.9], [400.0, 300.0, 200.0], 0.0)
            return projection_._Snapshot(5.0 - 10.0 * years, rate, years)

    projection: Any = Projection()
    grid = np.arange(3.0)
    snapshots = [projection.at(np.full(2, t)) for t in grid]
    for drops in projection_._rate_drops(projection, grid, snapshots, AS_OF):
        assert [drop.member_gbps for drop in drops] == [300, 200, 0]
        for drop, years in zip(drops, (0.2, 0.5, 0.9), strict=True):
            assert_day(drop.when, years)


# --- the score of the aged network -----------------------------------------------------------------------------------


LOSSLESS = [
    {},
    {"queue_pair_gbps": 400.0},
    {"recovery": "tcp"},
    {"recovery": "selective_repeat", "congestion_control_ratio": 0.7},
]


KINDS = fibre_links() | st.sampled_from(INDOOR)


def margin_of_today_db(now: Evaluation, then: Evaluation) -> float:
    """Least margin over the lines of the one link, to the mode in use today."""
    mode = now.health.budgets.mode[now.health.budgets.worst_path[0]]
    light = then.health.budgets
    margins = light.mode_margin_db[:, mode] if mode >= 0 else light.margin_db
    return float(np.fmin.reduce(margins))


@SOME
@given(KINDS, st.sampled_from(CASES), st.sampled_from(LOSSLESS), st.sampled_from([0.0, 0.07, -0.05]))
@example(zr(a_span(60.0, amplifier="EDFA"), a_span(60.0)), "high", {}, 0.0)
@example(zr(a_span(25.0), a_span(42.0, standby=True), protection="optical-protection"), "high", {}, 0.1)
@example(zr(a_span(60.0, regenerated=True), a_span(42.0)), "high", {}, 0.1)
def test_a_forecast_is_the_score_of_the_network_once_it_has_aged(
    link: dict[str, Any], case: AgeingCase, lossless: dict[str, Any], growth: float
) -> None:
    network = buildable(document(link, lossless=lossless, **load_of(30.0)))
    found = network.forecast(15, growth, links="l0").links[0].cases[case]
    now = network.evaluate()
    for t in (0, 1, 15):
        more = {"kind": "scale_demands", "factor_ratio": (1.0 + growth) ** t}
        then = after(network, float(t), case, more)
        assert found.member_gbps[t] == then.health.member_gbps[0]
        margin = margin_of_today_db(now, then)
        assert found.margin_db[t] == (pytest.approx(margin, abs=1e-9) if math.isfinite(margin) else None)
        if then.health.lit[0] and now.health.lit[0]:
            assert found.utilisation_ratio[t] == pytest.approx(then.arc_utilisation_ratio.max(), rel=1e-9)


@SOME
@given(KINDS, st.sampled_from(CASES))
@example(zr(a_span(60.0)), "high")
@example(zr(a_span(25.0, regenerated=True), a_span(60.0)), "high")
def test_days_are_those_on_which_the_aged_network_changes(link: dict[str, Any], case: AgeingCase) -> None:
    """On the day it has come to it, and a tenth of a day and a bit before it has not."""
    network = buildable(document(link))
    found = network.forecast(30, links="l0").links[0].cases[case]
    now = network.evaluate()

    def crossed(moment: Moment | None, holds: Callable[[Evaluation], bool]) -> None:
        if moment is not None:
            assert holds(after(network, min(moment.years + 1e-9, 100.0), case))
            assert moment.years == 0 or not holds(after(network, moment.years - 1.001 * STEP, case))

    crossed(found.margin_gone, lambda e: margin_of_today_db(now, e) < 0)
    required = now.health.required_margin_db[0]
    crossed(found.required_margin_gone, lambda e: margin_of_today_db(now, e) < required)
    rates = [now.health.member_gbps[0], *(drop.member_gbps for drop in found.drops)]
    assert sorted(rates, reverse=True) == rates
    assert len(set(rates)) == len(rates)
    for drop in found.drops:
        crossed(drop.when, lambda e, rate=drop.member_gbps: e.health.member_gbps[0] <= rate)  # type: ignore[misc]
    assert rates[-1] == found.member_gbps[-1]


@SOME
@given(fibre_links(amplified=False), st.floats(0.0, 0.5), st.floats(0.0, 0.5))
def test_more_growth_is_never_later_nor_is_the_harsher_case(link: dict[str, Any], one: float, other: float) -> None:
    network = buildable(document(link, **load_of(30.0)))
    slow, fast = (network.forecast(15, growth, links="l0").links[0].cases for growth in sorted((one, other)))
    for case in CASES:
        for calm, busy in zip(slow[case].runout, fast[case].runout, strict=True):
            assert years_of(busy) <= years_of(calm)
        assert slow[case].drops == fast[case].drops
        assert slow[case].margin_gone == fast[case].margin_gone
    for kind, harsh in (("low", "value"), ("value", "high")):
        gentle, worse = slow[kind], slow[harsh]  # type: ignore[index]
        assert years_of(worse.margin_gone) <= years_of(gentle.margin_gone)
        assert years_of(worse.required_margin_gone) <= years_of(gentle.required_margin_gone)
        assert all(a <= b for a, b in zip(worse.member_gbps, gentle.member_gbps, strict=True))
        by_rate = {drop.member_gbps: drop.when.years for drop in worse.drops}
        for drop in gentle.drops:
            if drop.member_gbps in by_rate:
                assert by_rate[drop.member_gbps] <= drop.when.years


@pytest.mark.parametrize(
    "link",
    [
        zr(*(a_span(60.0, amplifier="EDFA") for _ in range(4)), a_span(40.0), launch_dbm=0.0),
        zr(a_span(60.0, regenerated=True), a_span(50.0)),
        zr(a_span(60.0), a_span(66.0, standby=True), protection="optical-protection"),
        zr(a_span(60.0), measured="2026-01-01", measured_received_dbm=-14.0),
    ],
    ids=["amplified", "regenerated", "protected", "measured"],
)
def test_every_kind_of_line_ages_and_falls_back(link: dict[str, Any]) -> None:
    found = only(document(link, required_margin_db=0.5), 40)
    worst = found["high"]
    rates = [drop.member_gbps for drop in worst.drops]
    assert rates[0] == 300
    assert rates == sorted(rates, reverse=True)
    assert years_of(worst.required_margin_gone) < years_of(worst.margin_gone) == years_of(worst.drops[0].when)
    margins = [margin for margin in worst.margin_db if margin is not None]
    assert margins == sorted(margins, reverse=True)
    assert years_of(found["value"].margin_gone) > years_of(worst.margin_gone)


def test_of_a_link_with_several_lines_the_worse_one_sets_the_days() -> None:
    alone = only(document(zr(a_span(60.0))), 25)
    assert only(document(zr(a_span(40.0, regenerated=True), a_span(60.0))), 25) == alone
    assert alone["high"].margin_gone is not None


# --- measured, changed, alike ----------------------------------------------------------------------------------------


def test_what_was_measured_stands_in_the_place_of_the_model_and_ages_on() -> None:
    plain = only(document(zr(a_span(60.0))), 30)["high"]
    spans_db = only(document(zr(a_span(60.0, measured="2026-01-01", measured_loss_db=0.21 * 60 + 3))), 30)["high"]
    power = only(document(zr(a_span(60.0), measured="2026-01-01", measured_received_dbm=-0.21 * 60 - 3)), 30)["high"]
    for found in (spans_db, power):
        assert found.margin_db[0] < plain.margin_db[0] - 1.5  # type: ignore[operator]
        earlier = 3.0 / lost_db_per_year(60.0, 0.21, "high")
        assert years_of(found.margin_gone) == pytest.approx(years_of(plain.margin_gone) - earlier, abs=2 * STEP)
    assert spans_db.margin_db == pytest.approx(power.margin_db)


def test_changes_come_first_and_new_fibre_or_optics_put_the_days_off() -> None:
    worn = zr(a_span(50.0, "G.652.D-2006", "2006-01-01"), installed="2016-01-01")
    changes = [{"kind": "set_fibre", "links": "l0", "fibre": "G.654.E"}]
    data = document(worn, plans=[{"id": "a_span", "changes": changes}])
    network = from_document(data)

    def gone(changes: Any = None) -> float:
        return years_of(network.forecast(35, changes=changes).links[0].cases["high"].margin_gone)

    optics = {"kind": "set_transceivers", "links": "l0", "part": "OpenZR+-400G"}
    actual_step, new_optics, new_fibre = gone(), gone([optics]), gone("a_span")
    assert actual_step < new_optics
    assert actual_step < new_fibre
    assert network.forecast(9, changes="a_span").to_json() == network.forecast(9, changes=changes).to_json()
    assert new_fibre < gone([optics, *changes])
    assert gone([{"kind": "age", "years": 3.0}]) == pytest.approx(actual_step - 3.0, abs=2 * STEP)
    assert gone([]) == actual_step
    assert network.forecast(1).links[0].transceiver == "OpenZR+-400G"
    other = network.forecast(40, changes=[{**optics, "part": "400ZR"}]).links[0]
    assert other.transceiver == "400ZR"
    assert years_of(other.cases["high"].margin_gone) < actual_step


def pairs(*links: dict[str, Any], offered: tuple[float, ...]) -> dict[str, Any]:
    """Links between routers of their own, each with a demand of its own."""
    nodes = [{"id": f"{end}{i}", "kind": "border"} for i in range(len(links)) for end in "ab"]
    named = [{"id": f"l{i}", "ends": [f"a{i}", f"b{i}"], **link} for i, link in enumerate(links)]
    demands = [
        {"id": f"d{i}", "source": f"b{i}", "target": f"a{i}", "offered_gbps": gbps} for i, gbps in enumerate(offered)
    ]
    return {"as_of": AS_OF.isoformat(), "nodes": nodes, "links": named, "demands": demands}


@pytest.mark.parametrize(
    "link", [zr(a_span(40.0)), {"transceiver": "400G-DR4", "installed": "2020-01-01"}, {"capacity_gbps": 400.0}]
)
def test_links_alike_are_one_and_the_busiest_stands_for_them(link: dict[str, Any]) -> None:
    answer = from_document(pairs(link, link, link, offered=(10.0, 90.0, 50.0))).forecast(10, 0.1)
    (found,) = answer.links
    assert (found.id, found.n_alike) == ("l1", 3)
    assert found.cases["value"].utilisation_ratio[0] == pytest.approx(90 / 400)
    assert json.loads(answer.to_json())["links"][0]["n_alike"] == 3
    assert [row[:2] for row in answer.rows()] == [("l1", "3")] * 3


@pytest.mark.parametrize(
    "other",
    [
        {"required_margin_db": 1.0},
        {"installed": "2019-01-01"},
        {"transceiver": "400ZR"},
        {"spans": [a_span(41.0)]},
        {"spans": [a_span(40.0, laid="2012-01-01")]},
        {"measured": "2026-01-01", "measured_received_dbm": -12.0},
    ],
    ids=str,
)
def test_links_that_differ_are_told_apart(other: dict[str, Any]) -> None:
    link = zr(a_span(40.0))
    found = from_document(pairs(link, link | other, link, offered=())).forecast(10).links
    assert sorted((row.id, row.n_alike) for row in found) == [("l0", 2), ("l1", 1)]


def test_tiers_are_told_apart() -> None:
    nodes = [{"id": "a", "kind": "leaf"}, {"id": "b", "kind": "leaf"}, {"id": "h", "kind": "host"}]
    links = [{"id": "up", "ends": ["a", "b"]}, {"id": "cable", "ends": ["a", "h"]}]
    found = from_document({"nodes": nodes, "links": links}).forecast(5, links="*").links
    assert sorted((row.id, row.tier) for row in found) == [("cable", "access"), ("up", "fabric")]


def test_links_come_in_the_order_of_their_troubles() -> None:
    lengths_km = (40.0, 62.0, 130.0, 55.0, 250.0)
    data = pairs(*(zr(a_span(km)) for km in lengths_km), offered=(10.0, 10.0, 0.0, 10.0, 0.0))
    found = from_document(data).forecast(60).links
    troubles = [(row.first_event_years("value"), row.first_event_years("high")) for row in found]
    assert troubles == sorted(troubles)
    assert [row.id for row in found] == ["l4", "l2", "l1", "l3", "l0"]
    assert found[0].first_event_years("low") == 0


# --- links without light ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", [{"capacity_gbps": 100.0}, {"transceiver": "DAC-400G"}], ids=str)
def test_a_link_without_optics_has_no_margin_and_only_fills_up(link: dict[str, Any]) -> None:
    found = only(document(link, **load_of(50.0)), 20, 0.2)["value"]
    assert found.margin_db == (None,) * 21
    assert len(set(found.member_gbps)) == 1
    assert (found.margin_gone, found.required_margin_gone, found.drops) == (None, None, ())
    years = math.log(0.7 * found.member_gbps[0] / 50) / math.log(1.2)
    assert years_of(found.runout.planned) == pytest.approx(years, abs=STEP)


def test_a_link_of_unknown_rate_has_no_rate_and_no_utilisation() -> None:
    forecast = from_document(document({}, **load_of(50.0))).forecast(2, 0.2, links="*")
    found = json.loads(forecast.to_json(), parse_constant=pytest.fail)["links"][0]["cases"]["value"]
    assert found["member_gbps"] == found["utilisation_ratio"] == [None] * 3
    assert found["rate_drops"] == []
    assert forecast.links[0].first_event_years("value") == math.inf
    assert "down already" not in forecast.rows()[0]
    assert forecast.summary == ("1 link of unknown rate, so of unknown utilisation: l0.",)


def test_a_link_that_is_down_has_the_light_it_had_and_no_load() -> None:
    up = only(document(zr(a_span(60.0)), **load_of(50.0)), 20, 0.2)["high"]
    down = only(document(zr(a_span(60.0), up=False), **load_of(50.0)), 20, 0.2)["high"]
    assert replace(down, utilisation_ratio=(), runout=()) == replace(up, utilisation_ratio=(), runout=())
    assert down.utilisation_ratio == (0.0,) * 21
    assert down.runout == Runout(None, None)


NO_OTHER_LINK = "No other link loses its margin, its rate or its spare capacity within 5 years, in any ageing case."


@pytest.mark.parametrize(
    "link", [zr(a_span(170.0)), zr(a_span(150.0), part="400ZR"), zr(a_span(30.0), part="400G-LR4")], ids=str
)
def test_a_link_that_is_down_already_says_so_and_stands_first(link: dict[str, Any]) -> None:
    answer = from_document(pairs(zr(a_span(20.0)), link, offered=(100.0,))).forecast(5, 0.1)
    assert answer.links[0].id == "l1"
    assert answer.links[0].first_event_years("low") == 0
    for row in answer.rows()[:3]:
        assert row[5] == "down already"
    assert answer.summary == ("1 link down already: l1.", NO_OTHER_LINK)
    assert answer.narrowing is None
    for found in answer.links[0].cases.values():
        assert set(found.member_gbps) == {0.0}
        assert set(found.utilisation_ratio) == {0.0}


def test_a_case_that_is_slower_from_the_first_day_says_so() -> None:
    answer = from_document(document(zr(a_span(76.0, "G.652.D-2006", "2006-01-01")))).forecast(5)
    assert [row[5] for row in answer.rows()] == ["–", "–", "now to 200G"]
    found = answer.links[0].cases["high"]
    assert found.margin_gone == Moment(0.0, AS_OF)
    assert [(drop.when.years, drop.member_gbps) for drop in found.drops] == [(0, 200)]
    assert answer.links[0].first_event_years("high") == 0


# --- asking ----------------------------------------------------------------------------------------------------------


def test_wide_area_links_where_there_are_some_else_all() -> None:
    network = from_document(campus_data())
    assert [row.id for row in network.forecast(5).links] == ["wan"]
    every = {row.id for row in network.forecast(5, links="*").links}
    assert {"wan", "a-up"} <= every
    assert sum(row.n_alike for row in network.forecast(5, links={"tier": "access"}).links) == 4
    assert [row.id for row in network.forecast(5, links="w*").links] == ["wan"]
    alone = from_document(document({"transceiver": "DAC-400G"}) | {"nodes": [{"id": n, "kind": "leaf"} for n in "ab"]})
    assert [row.tier for row in alone.forecast(5).links] == ["fabric"]
    assert TIERS[-1] == "wide_area"


@given(st.data())
@FEW
def test_the_order_of_a_document_changes_no_byte(data: st.DataObject) -> None:
    shuffled_data = data.draw(shuffled(campus_data()))
    assert from_document(shuffled_data).forecast(6, 0.2, links="*").to_json() == campus_json()


@cache
def campus_json() -> str:
    return from_document(campus_data()).forecast(6, 0.2, links="*").to_json()


def test_an_answer_is_plain_data_that_leans_on_what_it_used() -> None:
    network = load("memphis-small")
    answer = network.forecast(30, 0.1)
    data = json.loads(answer.to_json(), parse_constant=pytest.fail)
    assert data == answer.to_dict()
    assert data["years"] == list(range(31))
    assert (data["network"], data["job"], data["as_of"]) == ("memphis-small", "flagship", "2026-11-01")
    named = {each["name"] for each in data["assumptions"]}
    assert {"laser_droop_db_per_year", "attenuation_growth_ratio_per_year", "n_cuts_per_km_year"} <= named
    assert all(each["status"] != "published" for each in data["assumptions"])
    for link in data["links"]:
        assert list(link["cases"]) == ["low", "value", "high"]
        for case in link["cases"].values():
            assert len(case["margin_db"]) == len(case["member_gbps"]) == len(case["utilisation_ratio"]) == 31
            assert list(case["runout"]) == ["0.7", "0.9"]
    assert answer.to_json(indent=None).count("\n") == 1
    assert network.forecast(3, 0).to_json() == network.forecast(3, 0.0).to_json()


@pytest.mark.parametrize("years", [0, -1, 101, 2.5, "20", None, float("nan")])
def test_years_out_of_bounds_are_refused(years: Any) -> None:
    with pytest.raises(ChangeError, match="whole number from 1 to 100"):
        from_document(document({})).forecast(years)


@pytest.mark.parametrize("growth", [-0.91, 10.1, math.nan, math.inf, -math.inf])
def test_growth_out_of_bounds_is_refused(growth: float) -> None:
    with pytest.raises(ChangeError, match=r"from -0\.9 to 10"):
        from_document(document({})).forecast(5, growth)


@pytest.mark.parametrize("growth", [-0.9, 10.0])
def test_the_bounds_themselves_are_answered(growth: float) -> None:
    network = from_document(document({"transceiver": "400G-DR4", "installed": "2020-01-01"}, **load_of(10.0)))
    for years in (1, 100):
        json.loads(network.forecast(years, growth).to_json(), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"links": "wna"}, ChangeError, "did you mean 'wan'"),
        ({"links": {"id": "wna"}}, ChangeError, "did you mean 'wan'"),
        ({"links": {"teir": "access"}}, DocumentError, "did you mean 'tier'"),
        ({"links": {"tier": "wide-area"}}, DocumentError, "did you mean 'wide_area'"),
        ({"links": {"id": "wan", "tier": "access"}}, ChangeError, "no link meets all of"),
        ({"links": 5}, DocumentError, "links"),
        ({"job": "bth"}, CatalogueError, "did you mean 'both'"),
        ({"changes": "wiat"}, CatalogueError, "did you mean 'wait'"),
        ({"changes": [{"kind": "agee"}]}, DocumentError, "did you mean 'age'"),
        ({"changes": [{"kind": "fail_links", "links": "wna"}]}, ChangeError, "did you mean 'wan'"),
        ({"changes": {"kind": "age"}}, DocumentError, "years: is missing"),
        ({"changes": 5}, ChangeError, "a list of changes"),
        ({"links": "wan", "changes": [{"kind": "remove_links", "links": "wan"}]}, ChangeError, "no link matches 'wan'"),
    ],
    ids=str,
)
def test_what_is_not_there_is_told_with_near_names(asked: dict[str, Any], error: type, told: str) -> None:
    with pytest.raises(error, match=told):
        from_document(campus_data()).forecast(5, **asked)


def test_a_network_without_links_has_nothing_to_forecast() -> None:
    with pytest.raises(ChangeError, match="no link"):
        from_document({"nodes": ENDS}).forecast(5)


def test_links_in_numbers_that_nobody_would_wait_for_are_refused() -> None:
    days = [{"transceiver": "400G-DR4", "installed": days_before(i)} for i in range(2000)]
    network = from_document(document(*days))
    with pytest.raises(ChangeError, match="2,000 links that differ, over 100 years"):
        network.forecast(100)
    assert sum(row.n_alike for row in network.forecast(1).links) == 2000
    alike = from_document(document(*({"transceiver": "400G-DR4"} for _ in range(2000))))
    assert [row.n_alike for row in alike.forecast(100).links] == [2000]


def test_lines_over_amplifiers_count_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = from_document(document(zr(a_span(40.0), a_span(40.0))))
    amplified = from_document(document(zr(a_span(40.0, amplifier="EDFA"), a_span(40.0))))
    monkeypatch.setattr(forecast_, "MAX_WORK", 40)
    assert isinstance(plain.forecast(30), Forecast)
    with pytest.raises(ChangeError, match="1 lines of them over amplifiers"):
        amplified.forecast(30)
    monkeypatch.setattr(forecast_, "MAX_WORK", 46)
    assert isinstance(amplified.forecast(1), Forecast)
