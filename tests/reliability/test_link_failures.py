"""Failures of links: numbers by hand, protection and what it cannot bridge, what the answer leans on."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.cases import general, line, reader, state_of
from twin.arrays import State
from twin.catalogue import catalogue
from twin.errors import TwinError
from twin.reliability.link_failures import LinkFailures, link_failures, published_wan_link
from twin.reliability.rates import HOURS_PER_YEAR

CUT_REPAIR_H = 9 * math.exp(0.765**2 / 2)
ALL = np.zeros(1, dtype=np.int64)


def failures(case: Any = "value", **fields: Any) -> LinkFailures:
    return link_failures(state_of(line(**fields))[0], reader(), ALL, case)


def spans(*lengths_km: float, **more: Any) -> list[dict[str, Any]]:
    return [{"length_km": length_km, **more} for length_km in lengths_km]


def protected(working: list[dict[str, Any]], other: list[dict[str, Any]], case: Any = "value", **more: Any) -> Any:
    """Failures of a link with those spans on its two paths."""
    both = [*working, *({**span, "standby": True} for span in other)]
    return failures(case, protection="optical-protection", spans=both, transceiver="400ZR", **more)


# --- by hand -------------------------------------------------------------------------------------------------------


def test_cuts_of_eighty_kilometres() -> None:
    """0.003 x 80 = 0.24 cuts a year, 36,525 h between them; the lognormal's mean repair is 12.06 h."""
    found = failures(spans=spans(50, 30), transceiver="400ZR")
    assert found.line_mtbf_h[0] == pytest.approx(36_525)
    assert found.line_mttr_h[0] == pytest.approx(12.06, abs=0.005)
    assert found.line_unavailability_ratio[0] == pytest.approx(12.06 / (36_525 + 12.06), rel=1e-3)
    assert found.n_failures_per_year[0] == found.n_cuts_per_year[0] == pytest.approx(0.24)
    assert found.n_amplifier_failures_per_year[0] == found.n_switches_per_year[0] == 0.0


def between_sites(**fields: Any) -> LinkFailures:
    """Failures of a link without spans between two sites, one degree of latitude apart."""
    data = line(**fields)
    for node, site in zip(data["nodes"], ("x", "y"), strict=True):
        node["site"] = site
    data["sites"] = [{"id": name, "latitude_deg": at, "longitude_deg": 0.0} for name, at in (("x", 50.0), ("y", 51.0))]
    return link_failures(state_of(data)[0], reader(), ALL)


def test_a_link_between_sites_without_spans_has_cuts_of_its_route() -> None:
    """One degree is 6371 km x pi / 180 = 111.19 km, its fibre is longer by the stated ratio. Before, it had no cuts."""
    km = 6371.0 * math.pi / 180.0 * general("route_over_straight_ratio")
    found = between_sites(capacity_gbps=400.0)
    assert found.n_cuts_per_year[0] == found.n_failures_per_year[0] == pytest.approx(0.003 * km, rel=1e-3)
    assert found.line_mttr_h[0] == pytest.approx(CUT_REPAIR_H)
    assert found.member_mtbf_h[0] == pytest.approx(1e9 / (2 * 2236))
    assert failures(spans=spans(km), transceiver="400ZR").n_cuts_per_year == pytest.approx(found.n_cuts_per_year, 1e-3)
    indoors = failures(capacity_gbps=400.0)
    assert indoors.n_cuts_per_year[0] == 0.0


def test_a_member_has_two_transceivers_and_two_more_where_light_is_made_anew() -> None:
    """2 x 2236e-9 an hour: 223,614 h; four hours to swap one."""
    found = failures(spans=spans(80), transceiver="400ZR")
    assert found.member_mtbf_h[0] == pytest.approx(1e9 / (2 * 2236))
    assert found.member_mttr_h[0] == 4.0
    assert found.member_unavailability_ratio[0] == pytest.approx(4 * 2 * 2236e-9, rel=1e-4)
    assert found.n_transceiver_failures_per_year[0] == pytest.approx(2 * 2236e-9 * 8766)
    anew = failures(spans=[{"length_km": 40, "regenerated": True}, {"length_km": 40}], transceiver="400ZR")
    assert anew.member_mtbf_h[0] == pytest.approx(1e9 / (4 * 2236))
    assert anew.line_mtbf_h[0] == found.line_mtbf_h[0]


def test_an_amplifier_each_way_takes_the_line_of_one_pair() -> None:
    """2 x 3333e-9 an hour and site, six hours to mend; the mean repair weighs both causes by their rates."""
    found = failures(spans=[*spans(80, amplifier="EDFA"), *spans(80)], transceiver="400ZR")
    cuts, amplifiers = 0.003 * 160 / 8766, 2 * 3333e-9
    assert found.line_mtbf_h[0] == pytest.approx(1 / (cuts + amplifiers))
    assert found.line_mttr_h[0] == pytest.approx((cuts * CUT_REPAIR_H + amplifiers * 6) / (cuts + amplifiers))
    assert found.n_amplifier_failures_per_year[0] == pytest.approx(amplifiers * 8766)
    assert found.n_failures_per_year[0] == pytest.approx(
        found.n_cuts_per_year[0] + found.n_amplifier_failures_per_year[0]
    )


def test_of_several_pairs_an_amplifier_takes_only_the_members_on_its_own() -> None:
    found = failures(spans=[*spans(80, amplifier="EDFA"), *spans(80)], transceiver="400ZR", n_fibre_pairs=2)
    assert found.n_failures_per_year[0] == pytest.approx(0.003 * 160)
    transceivers, amplifiers = 2 * 2236e-9, 2 * 3333e-9
    assert found.member_mtbf_h[0] == pytest.approx(1 / (transceivers + amplifiers))
    assert found.member_mttr_h[0] == pytest.approx((transceivers * 4 + amplifiers * 6) / (transceivers + amplifiers))
    assert found.n_transceiver_failures_per_year[0] == pytest.approx(transceivers * 8766)


def test_indoor_links_fail_as_one_operators_do() -> None:
    """0.00057 a month is 781 FIT, 1.28e6 h; a line without glass of its own does not fail."""
    found = failures(transceiver="400G-DR4")
    assert found.member_mtbf_h[0] == pytest.approx(730 / 0.00057)
    assert 1e9 / found.member_mtbf_h[0] == pytest.approx(781, abs=1)
    assert found.line_mtbf_h[0] == np.inf
    assert found.line_mttr_h[0] == found.line_unavailability_ratio[0] == found.n_failures_per_year[0] == 0.0


def test_two_paths_that_share_nothing() -> None:
    """23 and 34 km: n1 n2 (m1 + m2), and both end when the first is mended."""
    found = protected(spans(23), spans(34))
    one, other = 0.003 * 23 / 8766, 0.003 * 34 / 8766
    assert found.line_mtbf_h[0] == pytest.approx(1 / (one * other * 2 * CUT_REPAIR_H), rel=1e-3)
    assert found.line_mttr_h[0] == pytest.approx(CUT_REPAIR_H / 2)
    assert found.line_unavailability_ratio[0] == pytest.approx(one * other * CUT_REPAIR_H**2, rel=1e-3)
    assert found.n_switches_per_year[0] == pytest.approx(0.003 * 23)
    assert found.n_cuts_per_year[0] == pytest.approx(0.003 * 23), "what befalls the working path"


def test_both_down_is_exact_for_units_that_are_often_down() -> None:
    """Two paths of 20,000 km: the chain of four states, up or down each, solved by hand."""
    found = protected(spans(20_000), spans(20_000))
    n, m = 0.003 * 20_000 / 8766, CUT_REPAIR_H
    down = n * m / (1 + n * m)
    assert found.line_unavailability_ratio[0] == pytest.approx(down**2)
    assert 1 / (found.line_mtbf_h[0] + found.line_mttr_h[0]) == pytest.approx(down**2 * 2 / m)


# --- what protection cannot bridge ---------------------------------------------------------------------------------


def test_a_standby_in_the_same_duct_gains_nothing() -> None:
    bare = failures(spans=spans(23), transceiver="400ZR")
    for other_km in (23, 34):
        found = protected(spans(23, srlgs=["duct"]), spans(other_km, srlgs=["duct"]))
        assert found.line_mtbf_h[0] == pytest.approx(bare.line_mtbf_h[0])
        assert found.line_unavailability_ratio[0] == pytest.approx(bare.line_unavailability_ratio[0])
        assert found.n_switches_per_year[0] == 0.0


def test_of_a_shared_duct_the_shorter_length_counts_for_both() -> None:
    """18 km of 25 in the duct of the other path, which lies 20 km in it: 18 km fall together."""
    found = protected([*spans(18, srlgs=["duct"]), *spans(7)], [*spans(20, srlgs=["duct"]), *spans(14)])
    common, one, other = (0.003 * km / 8766 for km in (18, 7, 16))
    pair = one * other * 2 * CUT_REPAIR_H
    assert found.line_mtbf_h[0] == pytest.approx(1 / (common + pair), rel=1e-3)
    assert found.n_switches_per_year[0] == pytest.approx(0.003 * 7)


def test_a_stretch_in_several_shared_risks_is_cut_once() -> None:
    one = protected([*spans(18, srlgs=["duct"]), *spans(7)], [*spans(18, srlgs=["duct"]), *spans(9)])
    two = protected(
        [*spans(18, srlgs=["bridge", "duct"]), *spans(7)], [*spans(18, srlgs=["bridge", "duct"]), *spans(9)]
    )
    assert two.line_mtbf_h[0] == pytest.approx(one.line_mtbf_h[0])


def test_two_places_shared_add() -> None:
    found = protected(
        [*spans(3, srlgs=["east"]), *spans(10), *spans(4, srlgs=["west"])],
        [*spans(5, srlgs=["east"]), *spans(20), *spans(2, srlgs=["west"])],
    )
    assert found.n_switches_per_year[0] == pytest.approx(0.003 * (17 - 3 - 2))


def test_a_risk_of_one_path_alone_is_bridged() -> None:
    own = protected(spans(23, srlgs=["east"]), spans(34, srlgs=["west"]))
    assert own.line_mtbf_h[0] == protected(spans(23), spans(34)).line_mtbf_h[0]


def test_a_risk_named_on_the_link_covers_both_paths() -> None:
    found = protected(spans(23), spans(34), srlgs=["valley"])
    assert found.line_mtbf_h[0] == pytest.approx(8766 / (0.003 * 23))


def test_amplifiers_in_a_shared_duct_still_fail_one_by_one() -> None:
    def amplified(km: float) -> list[dict[str, Any]]:
        return [*spans(km, amplifier="EDFA", srlgs=["duct"]), *spans(km, srlgs=["duct"])]

    found = protected(amplified(80), amplified(80))
    amplifiers = 2 * 3333e-9
    assert found.n_switches_per_year[0] == pytest.approx(amplifiers * 8766)
    assert found.line_mtbf_h[0] == pytest.approx(1 / (0.003 * 160 / 8766 + amplifiers**2 * 2 * 6), rel=1e-6)


def test_protection_does_not_help_a_members_own_transceivers() -> None:
    found = protected(spans(23), spans(34))
    assert found.member_mtbf_h[0] == pytest.approx(1e9 / (2 * 2236))
    several = protected([*spans(40, amplifier="EDFA"), *spans(40)], spans(90), n_fibre_pairs=4)
    assert several.member_mtbf_h[0] == found.member_mtbf_h[0], "the other path bridges an amplifier of one pair"


# --- properties ----------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(1, 200), min_size=2, max_size=4, unique=True))
def test_longer_lines_fail_more_often(lengths_km: list[float]) -> None:
    rates = [failures(spans=spans(km), transceiver="400ZR").n_failures_per_year[0] for km in sorted(lengths_km)]
    assert rates == sorted(rates)


RISKS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True)
PATH = st.lists(
    st.builds(
        lambda km, risks, amplified: {"length_km": km, "srlgs": risks} | ({"amplifier": "EDFA"} if amplified else {}),
        st.floats(0.5, 15_000),
        RISKS,
        st.booleans(),
    ),
    min_size=1,
    max_size=3,
)


@given(PATH, PATH, st.sampled_from(["low", "value", "high"]))
def test_protection_is_never_worse(working: list[dict[str, Any]], other: list[dict[str, Any]], case: Any) -> None:
    bare = failures(case, spans=working, transceiver="400ZR")
    found = protected(working, other, case)
    assert found.line_unavailability_ratio[0] <= bare.line_unavailability_ratio[0] * (1 + 1e-9)
    turned = protected(other, working, case)
    assert found.line_unavailability_ratio[0] == pytest.approx(turned.line_unavailability_ratio[0], rel=1e-9)


def test_the_harsh_case_is_worse_in_everything_and_the_kind_one_better() -> None:
    data = {"spans": [*spans(80, amplifier="EDFA"), *spans(80)], "transceiver": "400ZR"}
    low, value, high = (failures(case, **data) for case in ("low", "value", "high"))
    for name in ("line_unavailability_ratio", "member_unavailability_ratio", "n_failures_per_year", "line_mttr_h"):
        assert getattr(low, name)[0] < getattr(value, name)[0] < getattr(high, name)[0], name
    for name in ("line_mtbf_h", "member_mtbf_h"):
        assert getattr(low, name)[0] > getattr(value, name)[0] > getattr(high, name)[0], name


def test_links_are_answered_in_the_order_asked_and_changed_columns_count() -> None:
    ends = [{"id": name, "kind": "border"} for name in ("p", "q", "r")]
    links = [
        {"id": "a", "ends": ["p", "q"], "spans": spans(10), "transceiver": "400ZR"},
        {"id": "b", "ends": ["q", "r"], "spans": spans(20, 20), "transceiver": "400ZR"},
        {"id": "c", "ends": ["p", "r"], "transceiver": "400G-DR4"},
    ]
    state, _ = state_of({"as_of": "2026-01-01", "nodes": ends, "links": links})

    def rates(state: State, *rows: int) -> list[float]:
        return list(link_failures(state, reader(), np.array(rows)).n_failures_per_year)

    assert rates(state, 2, 1, 0) == pytest.approx([0.0, 0.12, 0.03])
    longer = state.with_values("span_length_km", np.array([1]), 50.0)
    assert rates(longer, 0, 1) == pytest.approx([0.03, 0.21])
    assert rates(state, 0, 1) == pytest.approx([0.03, 0.12])
    assert rates(state) == []


def test_only_figures_that_were_used_are_leant_on() -> None:
    asked = reader()
    link_failures(state_of(line(transceiver="400G-DR4"))[0], asked, ALL)
    assert {name for _, name in asked.used} == {"n_link_failures_per_month", "transceiver_repair_h"}
    asked = reader()
    link_failures(state_of(line(spans=spans(10), transceiver="400ZR"))[0], asked, ALL)
    names = {"n_cuts_per_km_year", "cut_repair_h", "cut_repair_log_sigma_ratio", "transceiver_fit"}
    assert {name for _, name in asked.used} == names | {"transceiver_repair_h"}


# --- published links -----------------------------------------------------------------------------------------------


def test_published_links_are_those_of_the_catalogue_at_the_median_and_its_range() -> None:
    figures = catalogue().general
    for percentile, end in ((0.1, "low"), (0.5, "value"), (0.9, "high")):
        link = published_wan_link(percentile)
        assert link.mtbf_h == pytest.approx(getattr(figures["wan_link_mtbf_h"], end), rel=1e-3)
        assert link.mttr_h == pytest.approx(getattr(figures["wan_link_mttr_h"], end), rel=2e-3)
    assert published_wan_link(0.0) == (336.51, 1.1345)
    assert published_wan_link(0.5).unavailability_ratio == pytest.approx(12.32 / (1876.6 + 12.32), rel=1e-3)


@pytest.mark.parametrize("percentile", [-0.1, 1.5, 50, math.nan])
def test_a_percentile_is_a_ratio(percentile: float) -> None:
    with pytest.raises(TwinError, match="from 0 to 1"):
        published_wan_link(percentile)


def test_figures_by_hand_are_those_of_the_catalogue() -> None:
    assert general("n_cuts_per_km_year") == 0.003
    assert general("cut_repair_h") * math.exp(general("cut_repair_log_sigma_ratio") ** 2 / 2) == CUT_REPAIR_H
    assert (general("transceiver_fit"), general("amplifier_fit")) == (2236, 3333)
    assert (general("transceiver_repair_h"), general("amplifier_repair_h")) == (4, 6)
    assert HOURS_PER_YEAR == 8766
