"""Loss of spans: as new, as they age, as measured, and after a change; bad glass is refused with its place."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.cases import general, health_of, line, of_part, reader, state_of
from twin.arrays import State
from twin.catalogue import catalogue
from twin.catalogue.ageing import AgeingCase
from twin.errors import DocumentError, TopologyError, TwinError
from twin.loading import from_document
from twin.optics.amplified_lines import amplified_spans, noise_growth
from twin.optics.fibre import SpanLoss, span_loss
from twin.optics.gn_model import AmplifiedSpans, Comb, line_noise
from twin.optics.link_budget import compute_link_budgets
from twin.optics.link_health import compute_link_health
from twin.optics.optical_paths import optical_paths_of
from twin.scenario.change import Context, StateChange
from twin.scenario.changes import Age, CutFibre, SetFibre

CASES: tuple[AgeingCase, ...] = ("low", "value", "high")
YEAR = 365.25
LAID, MEASURED, TODAY = "2006-01-01", "2016-01-01", "2026-01-01"
AGE = (date(2026, 1, 1) - date(2006, 1, 1)).days / YEAR
SINCE = (date(2026, 1, 1) - date(2016, 1, 1)).days / YEAR


def loss_of(data: dict[str, Any], ageing: AgeingCase = "value", later_years: Any = 0.0) -> SpanLoss:
    return span_loss(state_of(data)[0], reader(), ageing, later_years)


def total_db(span: dict[str, Any], ageing: AgeingCase = "value", later_years: float = 0.0) -> float:
    return float(loss_of(line(spans=[span]), ageing, later_years).total_db[0])


def changed(data: dict[str, Any], *changes: StateChange) -> State:
    state, document = state_of(data)
    for change in changes:
        state = change.overlay(state, Context("changes[0]", document, (), reader()))
    return state


def after(span: dict[str, Any], *changes: StateChange, ageing: AgeingCase = "value") -> float:
    return float(span_loss(changed(line(spans=[span]), *changes), reader(), ageing).total_db[0])


def growth_db_per_year(length_km: float, ageing: AgeingCase, fibre: str = "G.652.D") -> float:
    """By hand: attenuation grows by a share of its first value, cuts leave two splices each."""
    share = getattr(catalogue().general_figure("attenuation_growth_ratio_per_year"), ageing)
    cuts = getattr(catalogue().general_figure("n_cuts_per_km_year"), ageing)
    glass = of_part(fibre, "attenuation_db_per_km") * share
    return length_km * (glass + cuts * general("n_splices_per_cut") * general("splice_db"))


OLD = {"length_km": 40.0, "fibre": "G.652.D-2006", "installed": LAID, "n_splices": 3, "n_connectors": 2}
MODEL_NEW_DB = 40 * of_part("G.652.D-2006", "attenuation_db_per_km") + 3 * general("splice_db")
MODEL_NEW_DB += 2 * general("connector_db")


# --- the model -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ageing", CASES)
def test_a_span_is_what_it_was_when_new_and_what_its_years_added(ageing: AgeingCase) -> None:
    years = growth_db_per_year(40, ageing, "G.652.D-2006") * AGE
    assert total_db(OLD, ageing) == pytest.approx(MODEL_NEW_DB + years, rel=1e-12)
    assert total_db(OLD, ageing, 5.0) == pytest.approx(
        MODEL_NEW_DB + years + 5 * growth_db_per_year(40, ageing, "G.652.D-2006"), rel=1e-12
    )


def test_loss_is_told_by_what_makes_it() -> None:
    loss = loss_of(line(spans=[OLD | {"lumped_loss_db": 0.7}]))
    assert loss.fibre_db[0] == pytest.approx(9.6)
    assert loss.ageing_db[0] == pytest.approx(9.6 * 0.002 * AGE)
    assert loss.connectors_db[0] == pytest.approx(0.6)
    assert loss.splices_db[0] == pytest.approx(0.3)
    assert loss.repairs_db[0] == pytest.approx(0.003 * 40 * AGE * 2 * 0.1)
    assert (loss.lumped_db[0], loss.correction_db[0], loss.measured_ratio[0]) == (0.7, 0.0, 1.0)


def test_the_cases_stand_in_order_and_do_not_differ_when_new() -> None:
    low, central, high = (total_db(OLD, case) for case in CASES)
    assert low < central < high
    assert len({total_db(OLD | {"installed": TODAY}, case) for case in CASES}) == 1


def test_undated_fibre_is_new_on_the_day_of_the_document_and_ages_from_then_on() -> None:
    dated = {"length_km": 40.0, "installed": TODAY}
    assert [total_db({"length_km": 40.0}, "high", years) for years in (0.0, 50.0)] == [
        total_db(dated, "high", years) for years in (0.0, 50.0)
    ]


def test_no_glass_is_younger_than_new() -> None:
    assert total_db(OLD, later_years=-100.0) == pytest.approx(MODEL_NEW_DB, rel=1e-12)


def test_each_span_may_be_asked_for_at_a_time_of_its_own() -> None:
    data = line(spans=[OLD, OLD | {"length_km": 10.0}, {"length_km": 5.0}])
    several = loss_of(data, "high", np.array([0.0, 3.0, 9.0])).total_db
    each = [loss_of(data, "high", years).total_db[row] for row, years in enumerate((0.0, 3.0, 9.0))]
    assert several.tolist() == each


@pytest.mark.parametrize("fibre", ["G.652.D", "G.652.D-2006", "SMF-28-ULL"])
def test_glass_loses_more_under_direct_detection_which_lives_at_1310_nm(fibre: str) -> None:
    span = {"length_km": 10.0, "fibre": fibre}
    loss = {part: loss_of(line(spans=[span], transceiver=part)).fibre_db[0] for part in ("400G-LR4", "400ZR", None)}
    at_1310, at_1550 = (of_part(fibre, f"attenuation{nm}_db_per_km") for nm in ("_1310", ""))
    assert loss == {"400G-LR4": pytest.approx(10 * at_1310), "400ZR": 10 * at_1550, None: 10 * at_1550}
    assert at_1310 > at_1550


def test_where_a_fibre_says_nothing_of_1310_nm_it_is_taken_as_at_1550() -> None:
    assert "attenuation_1310_db_per_km" not in catalogue().get("G.652.D-wet").figures
    spans = [{"length_km": 2.0, "fibre": "G.652.D-wet"}, {"length_km": 2.0}]
    assert loss_of(line(spans=spans, transceiver="400G-LR4")).fibre_db == pytest.approx([2 * 0.54, 2 * 0.35])


def test_what_was_measured_stands_whatever_the_wavelength() -> None:
    span = {"length_km": 10.0, "installed": LAID, "measured_loss_db": 4.0, "measured": TODAY}
    assert loss_of(line(spans=[span], transceiver="400G-LR4")).total_db == pytest.approx([4.0])


def test_a_network_without_fibre_has_no_loss_to_speak_of() -> None:
    assert loss_of(line()).total_db.shape == (0,)


# --- measured --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ageing", CASES)
@pytest.mark.parametrize("measured_db", [0.5, 12.0, 25.0])
def test_a_measured_loss_overrides_the_model_on_its_day(ageing: AgeingCase, measured_db: float) -> None:
    span = OLD | {"measured_loss_db": measured_db, "measured": TODAY, "lumped_loss_db": 1.0}
    assert total_db(span, ageing) == pytest.approx(measured_db, rel=1e-12)


@pytest.mark.parametrize("ageing", CASES)
def test_a_measured_loss_without_a_day_is_that_of_today(ageing: AgeingCase) -> None:
    span = OLD | {"measured_loss_db": 12.0}
    for later_years in (0.0, 7.0):
        dated = total_db(span | {"measured": TODAY}, ageing, later_years)
        assert total_db(span, ageing, later_years) == pytest.approx(dated, rel=1e-12)


@pytest.mark.parametrize("ageing", CASES)
def test_from_its_day_on_exactly_what_ages_is_added(ageing: AgeingCase) -> None:
    span = OLD | {"measured_loss_db": 12.0, "measured": MEASURED}
    yearly = growth_db_per_year(40, ageing, "G.652.D-2006")
    assert total_db(span, ageing) == pytest.approx(12.0 + SINCE * yearly, rel=1e-12)
    assert total_db(span, ageing, 7.0) == pytest.approx(12.0 + (SINCE + 7) * yearly, rel=1e-12)
    assert total_db(span, ageing, -SINCE) == pytest.approx(12.0, rel=1e-12)


@pytest.mark.parametrize("ageing", CASES)
def test_glass_without_an_installation_date_ages_from_its_measurement(ageing: AgeingCase) -> None:
    span = {"length_km": 30.0, "measured_loss_db": 8.0, "measured": MEASURED}
    assert total_db(span, ageing) == pytest.approx(8.0 + SINCE * growth_db_per_year(30, ageing), rel=1e-12)


def test_the_cases_start_from_the_same_measured_value() -> None:
    today = OLD | {"measured_loss_db": 12.0, "measured": TODAY}
    assert [total_db(today, case) for case in CASES] == pytest.approx([12.0] * 3, rel=1e-12)
    low, central, high = (total_db(today, case, 10.0) for case in CASES)
    assert 12.0 < low < central < high


@given(
    measured_db=st.floats(0.1, 60),
    length_km=st.floats(0.1, 120),
    days=st.integers(0, 7305),
    years=st.floats(0, 40),
    ageing=st.sampled_from(CASES),
)
def test_years_add_the_same_whether_the_span_was_measured_or_not(
    measured_db: float, length_km: float, days: int, years: float, ageing: AgeingCase
) -> None:
    day = (date(2026, 1, 1) - timedelta(days=days)).isoformat()
    plain = {"length_km": length_km, "installed": LAID}
    known = plain | {"measured_loss_db": measured_db, "measured": day}
    added = total_db(known, ageing, years) - measured_db
    assert added == pytest.approx(total_db(plain, ageing, years) - total_db(plain, ageing, -days / YEAR), abs=1e-9)


def test_a_span_better_than_the_model_has_a_negative_correction() -> None:
    loss = loss_of(line(spans=[OLD | {"measured_loss_db": 8.0, "measured": TODAY}]))
    modelled = total_db(OLD)
    assert loss.correction_db[0] == pytest.approx(8.0 - modelled)
    assert loss.correction_db[0] < 0 < loss.total_db[0]
    assert loss.measured_ratio[0] == pytest.approx(8.0 / modelled)


def test_what_was_measured_counts_for_its_own_span_only() -> None:
    data = line(spans=[OLD, OLD | {"measured_loss_db": 14.0, "measured": TODAY}, OLD])
    assert loss_of(data).total_db == pytest.approx([total_db(OLD), 14.0, total_db(OLD)], rel=1e-12)
    assert loss_of(data).correction_db[[0, 2]].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("measured_db", [14.0, 22.0])
def test_an_amplified_line_is_scaled_to_what_was_measured(measured_db: float) -> None:
    """Attenuation, connectors and splices by one share, so that their sum is what was measured."""
    made = {"length_km": 80.0, "n_connectors": 2, "n_splices": 5, "amplifier": "EDFA"}
    fields = {"transceiver": "OpenZR+-400G", "n_parallel": 8, "mux": None, "launch_dbm": 0.0}
    data = line(spans=[made, made | {"measured_loss_db": measured_db, "measured": TODAY}], **fields)
    state, _ = state_of(data)
    paths = optical_paths_of(state, reader())
    budgets = compute_link_budgets(state, reader(), paths, "value")
    growth = noise_growth(state, reader(), paths, "value", np.zeros(1))
    spans = amplified_spans(state, reader(), budgets.spans, budgets.amplification, growth, paths, 0)
    modelled = 80 * 0.21 + 2 * 0.3 + 5 * 0.1
    share = np.array([1.0, measured_db / modelled])
    assert spans.loss_db_per_km == pytest.approx(0.21 * share)
    assert spans.before_db == pytest.approx(0.3 * share)
    assert spans.after_db == pytest.approx(0.8 * share)
    assert spans.loss_db_per_km * 80 + spans.before_db + spans.after_db == pytest.approx([modelled, measured_db])
    by_hand = AmplifiedSpans(
        length_km=np.full(2, 80.0),
        loss_db_per_km=0.21 * share,
        before_db=0.3 * share,
        after_db=0.8 * share,
        dispersion_ps_per_nm_km=np.full(2, of_part("G.652.D", "dispersion_ps_per_nm_km")),
        effective_area_um2=np.full(2, of_part("G.652.D", "effective_area_um2")),
        pmd_ps_per_sqrt_km=np.full(2, of_part("G.652.D", "pmd_ps_per_sqrt_km")),
        noise_figure_db=np.full(2, of_part("EDFA", "noise_figure_db")),
        group_index_ratio=np.ones(2),
    )
    comb = Comb.grid(8, 193.7 - 3.5 * 0.075, 75.0, 60.1385, 0.0)
    worst_db = line_noise(by_hand, comb).gsnr_01nm_db.min()
    assert health_of(data).line_gsnr_db[0] == pytest.approx(worst_db, abs=1e-9)


# --- changed ---------------------------------------------------------------------------------------------------------

MEASURED_SPAN = OLD | {"measured_loss_db": 12.0, "measured": MEASURED}
SINCE_MEASURED_SPAN = {"length_km": 40.0, "measured_loss_db": 12.0, "measured": MEASURED}


@pytest.mark.parametrize("span", [OLD, MEASURED_SPAN, SINCE_MEASURED_SPAN], ids=["modelled", "measured", "undated"])
@pytest.mark.parametrize("ageing", CASES)
def test_years_that_pass_are_years_later(span: dict[str, Any], ageing: AgeingCase) -> None:
    later = total_db(span, ageing, 6.5)
    assert later > total_db(span, ageing)
    assert after(span, Age(years=6.5), ageing=ageing) == pytest.approx(later, rel=1e-12)


def test_other_glass_forgets_its_age_its_splices_and_what_was_measured() -> None:
    new = after(MEASURED_SPAN, SetFibre(links="l", fibre="G.654.E", n_splices=4))
    assert new == pytest.approx(40 * 0.17 + 4 * 0.1 + 2 * 0.3, rel=1e-12)
    years = growth_db_per_year(40, "value", "G.654.E") * 10
    aged = after(MEASURED_SPAN, SetFibre(links="l", fibre="G.654.E", n_splices=4), Age(years=10))
    assert aged == pytest.approx(new + years, rel=1e-12)


@pytest.mark.parametrize("span", [OLD, MEASURED_SPAN, SINCE_MEASURED_SPAN], ids=["modelled", "measured", "undated"])
@pytest.mark.parametrize("n_cuts", [1, 7])
def test_a_cut_adds_its_splices_to_modelled_and_measured_spans_alike(span: dict[str, Any], n_cuts: int) -> None:
    added = n_cuts * general("n_splices_per_cut") * general("splice_db")
    for changes in ((CutFibre(links="l", n_cuts=n_cuts),), (CutFibre(links="l", n_cuts=n_cuts), Age(years=3.0))):
        assert after(span, *changes) == pytest.approx(after(span, *changes[1:]) + added, rel=1e-12)


def test_a_cut_falls_into_the_longest_span() -> None:
    data = line(spans=[OLD, OLD | {"length_km": 41.0}, OLD])
    added = span_loss(changed(data, CutFibre(links="l")), reader(), "value").total_db - loss_of(data).total_db
    assert added == pytest.approx([0.0, 0.2, 0.0], abs=1e-12)


def test_a_cut_takes_power_from_the_receiver_be_it_measured_or_not() -> None:
    for fields in ({}, {"measured_received_dbm": -9.0, "measured": TODAY}):
        data = line(spans=[OLD], transceiver="OpenZR+-400G", **fields)
        cut = compute_link_health(changed(data, CutFibre(links="l", n_cuts=5)), state_of(data)[1], reader())
        assert cut.received_dbm[0] == pytest.approx(health_of(data).received_dbm[0] - 1.0)


# --- refused ---------------------------------------------------------------------------------------------------------


def refused(span: dict[str, Any], **fields: Any) -> TwinError:
    """What a document with this span is refused with, before anything is asked of it or at the first question."""
    with pytest.raises((DocumentError, TopologyError)) as caught:
        _ = from_document(line(spans=[{"length_km": 1.0}, span], **fields)).arrays
    assert len(caught.value.issues) == 1
    return caught.value


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("length_km", -1.0, "must be at least 0.000001, found -1"),
        ("length_km", 0.0, "must be at least 0.000001"),
        ("length_km", 20_001.0, "must be at most 20000"),
        ("length_km", 1e300, "must be at most 20000"),
        ("length_km", float("nan"), "finite number, found nan"),
        ("length_km", float("inf"), "finite number, found inf"),
        ("length_km", float("-inf"), "finite number, found -inf"),
        ("length_km", "80", "must be a number, found '80'"),
        ("length_km", None, "must be a number"),
        ("lumped_loss_db", -0.1, "must be at least 0"),
        ("lumped_loss_db", float("nan"), "finite number"),
        ("measured_loss_db", 0.0, "must be more than 0"),
        ("measured_loss_db", 201.0, "must be at most 200"),
        ("measured_loss_db", float("inf"), "finite number"),
        ("n_splices", -1, "must be at least 0"),
        ("n_splices", 1.5, "must be a whole number"),
        ("n_connectors", 10_000_001, "must be at most 10000000"),
        ("installed", "2006-13-01", "must be a date"),
        ("measured", "yesterday", "must be a date"),
        ("standby", 1, "must be true or false"),
    ],
)
def test_a_bad_field_is_named_with_its_place(field: str, value: Any, problem: str) -> None:
    error = refused({"length_km": 1.0, field: value})
    assert isinstance(error, DocumentError)
    assert error.issues[0].where == f"links[l].spans[1].{field}"
    assert problem in error.issues[0].problem


@pytest.mark.parametrize(
    ("span", "where", "problem", "hint"),
    [
        ({"fibre": "G.652.E"}, "fibre", "unknown fibre 'G.652.E'", "did you mean 'G.654.E' or 'G.652.D'"),
        ({"fibre": "EDFA"}, "fibre", "'EDFA' is of kind amplifier", ""),
        ({"amplifier": "EDF"}, "amplifier", "unknown amplifier 'EDF'", "did you mean 'EDFA'"),
        ({"amplifier": "G.652.D"}, "amplifier", "'G.652.D' is of kind fibre", ""),
        ({"installed": "2026-01-02"}, "installed", "2026-01-02 lies after as_of 2026-01-01", "as changes"),
        ({"measured_loss_db": 1.0, "measured": "2026-02-01"}, "measured", "2026-02-01 lies after as_of", "as changes"),
        (
            {"measured_loss_db": 1.0, "measured": "2015-12-31", "installed": "2016-01-01"},
            "measured",
            "2015-12-31 lies before installed 2016-01-01",
            "",
        ),
        ({"measured": "2016-01-01"}, "measured", "a day of measurement without measured_loss_db", ""),
    ],
)
def test_what_does_not_fit_together_is_named_with_its_place(
    span: dict[str, Any], where: str, problem: str, hint: str
) -> None:
    error = refused({"length_km": 1.0, **span})
    assert isinstance(error, TopologyError)
    assert error.issues[0].where == f"links[l].spans[1].{where}"
    assert problem in error.issues[0].problem
    assert hint in error.issues[0].hint


def test_a_misspelled_field_gets_a_near_one() -> None:
    issue = refused({"length_km": 1.0, "measured_loss_dB": 3.0}).issues[0]
    assert (issue.where, issue.problem) == ("links[l].spans[1].measured_loss_dB", "unknown field 'measured_loss_dB'")
    assert "did you mean 'measured_loss_db'" in issue.hint


def test_a_measurement_needs_a_document_with_a_day() -> None:
    data = line(spans=[{"length_km": 1.0, "measured_loss_db": 1.0, "measured": TODAY}])
    del data["as_of"]
    with pytest.raises(TopologyError, match="as_of: missing, though parts have installation dates"):
        _ = from_document(data).arrays


@pytest.mark.parametrize("part", ["OpenZR+-400G", "400ZR", "400G-LR4", "DAC-400G", None])
def test_the_longest_span_that_may_be_is_dark_and_no_trouble(part: str | None) -> None:
    health = health_of(line(spans=[{"length_km": 20_000.0, "installed": LAID}] * 3, transceiver=part), "high")
    assert bool(health.lit[0]) == (part in (None, "DAC-400G")), "a copper cable is believed, with a warning"
