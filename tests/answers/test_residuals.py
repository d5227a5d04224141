"""Residuals: measured minus model of the measured day; null with a reason; the table and its order."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tests.answers.lines import a_span, document, zr
from tests.training.cases import general, of_part
from twin.answers import residuals
from twin.answers.link_report import LinkReport
from twin.answers.residuals import ResidualRow
from twin.loading import Network, from_document
from twin.model.measurements import READINGS

AMPLIFIED = zr(a_span(60.0, laid="2006-01-01", amplifier="EDFA", n_connectors=2), a_span(40.0, laid="2006-01-01"))
SAMPLE = {
    "span_loss": 14.0, "received_power": -9.0, "launched_power": -1.0, "snr": 20.0, "osnr": 30.0, "pre_fec_ber": 1e-4,
    "dispersion": 1600.0, "amplifier_gain": 13.0, "interface_rate": 90.0, "latency": 500.0, "loss": 1e-6, "flaps": 2.0,
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def reading(quantity: str, value: float, at: str = "2026-01-01", **of: Any) -> dict[str, Any]:
    more = {"direction": of.pop("direction")} if "direction" in of else {}
    return {"of": {"link": "l0", **of}, "quantity": quantity, READINGS[quantity].field: value, "at": at, **more}


def one_of(quantity: str, link: dict[str, Any], value: float | None = None, **asked: Any) -> ResidualRow:
    """The residual of one reading of one link."""
    traffic = asked.pop("demands", [])
    value = SAMPLE[quantity] if value is None else value
    network = from_document(document(link, measurements=[reading(quantity, value, **asked)], demands=traffic))
    (row,) = network.link("l0", years=None).residuals
    return row


def every_quantity() -> list[dict[str, Any]]:
    of_span = ("span_loss", "amplifier_gain")
    return [reading(name, value, **({"span": 0} if name in of_span else {})) for name, value in SAMPLE.items()]


def measured_network(**more: Any) -> Network:
    return from_document(document(AMPLIFIED, zr(a_span(20.0)), measurements=every_quantity(), **more))


def test_a_span_loss_is_compared_with_the_model_of_its_day_that_knows_no_measurement() -> None:
    fibre_db, age = 60 * 0.21, 3653 / 365.25
    growth_db = (fibre_db * 0.002 + 60 * general("n_cuts_per_km_year") * 2 * 0.1) * age
    row = one_of("span_loss", AMPLIFIED, span=0, at="2016-01-01")
    assert row.model == pytest.approx(fibre_db + 2 * 0.3 + growth_db - 0.0, abs=0.01)
    assert row.residual == row.measured - row.model
    assert (row.unit, row.in_budget, row.why) == ("dB", True, None)
    assert one_of("span_loss", AMPLIFIED, span=0).model > row.model  # ten years older


def test_a_received_power_is_compared_with_the_model_without_it() -> None:
    link = zr(a_span(40.0))
    row = one_of("received_power", link, -12.0)
    assert row.model == pytest.approx(-40 * 0.21)
    assert row.residual == pytest.approx(-12.0 + 40 * 0.21)
    (older,) = (
        from_document(document({**link, "measured": "2026-01-01", "measured_received_dbm": -12.0}))
        .link("l0", years=None)
        .residuals
    )
    assert (older.model, older.residual, older.in_budget) == (row.model, row.residual, True)
    lane = one_of("received_power", link, -12.0, lane=0)
    assert (lane.model, lane.in_budget) == (row.model, False)
    both = [reading("received_power", -12.0), reading("span_loss", 11.0, span=0)]
    rows = from_document(document(link, measurements=both)).link("l0", years=None).residuals
    assert [r.residual for r in rows] == pytest.approx([-12.0 + 8.4, 11.0 - 8.4])


def test_a_measured_loss_without_a_day_is_that_of_the_network() -> None:
    link = {"transceiver": "OpenZR+-400G", "spans": [{"length_km": 40.0, "measured_loss_db": 9.4}]}
    for as_of in ({}, {"as_of": None}):
        found = from_document(document(link) | as_of)
        (row,) = found.link("l0", years=None).residuals
        assert row.residual == pytest.approx(1.0)
        assert str(row.at) == str(found.document.as_of)
        assert "+1" in str(found.link_table())


def test_a_launched_power_is_that_of_the_transmitter_or_the_stated_one() -> None:
    link = zr(a_span(40.0)) | {"installed": "2016-01-01"}
    droop_db = general("laser_droop_db_per_year") * 3653 / 365.25
    assert one_of("launched_power", link).model == pytest.approx(of_part("OpenZR+-400G", "launch_dbm") - droop_db)
    stated = one_of("launched_power", AMPLIFIED | {"launch_dbm": 1.0})
    assert (stated.model, stated.basis) == (1.0, "power into the first span, as launch_dbm states")


def test_snr_is_over_the_symbol_rate_and_osnr_in_a_tenth_of_a_nanometre() -> None:
    link = zr(a_span(40.0))
    row = from_document(document(link)).link_table("l0").rows[0]
    snr = one_of("snr", link).model
    assert snr is not None
    assert row.snr_db - snr == pytest.approx(6.82, abs=0.01)  # 10 log10(60.1 / 12.5)
    tx_db = of_part("OpenZR+-400G", "tx_osnr_db")
    assert one_of("osnr", link).model == pytest.approx(tx_db)
    amplified = one_of("osnr", AMPLIFIED).model
    gsnr_db = from_document(document(AMPLIFIED)).link_table("l0").rows[0].line_gsnr_db
    assert amplified is not None
    assert -10 * math.log10(10 ** (-gsnr_db / 10) + 10 ** (-tx_db / 10)) < amplified < tx_db


def test_gain_dispersion_ber_latency_loss_and_flaps_have_their_models() -> None:
    found = measured_network()
    side = from_document(document(AMPLIFIED)).link_table("l0").rows[0]
    model = {row.quantity: row.model for row in found.link("l0", years=None).residuals}
    assert model["amplifier_gain"] == model["span_loss"]
    assert model["dispersion"] == pytest.approx(100 * of_part("G.652.D", "dispersion_ps_per_nm_km"))
    assert model["pre_fec_ber"] == side.pre_fec_ber_ratio
    assert model["latency"] == pytest.approx(side.latency_us)
    assert model["loss"] == side.loss_ratio
    assert model["flaps"] == general("n_flaps_per_link_day")
    assert one_of("dispersion", AMPLIFIED, span=1).model == pytest.approx(model["dispersion"] * 0.4)


def test_a_gain_restores_all_spans_since_the_previous_amplifier() -> None:
    line = zr(a_span(60.0), a_span(40.0, amplifier="EDFA"), a_span(50.0, amplifier="EDFA"), a_span(20.0))
    assert one_of("amplifier_gain", line, span=1).model == pytest.approx(100 * 0.21)
    assert one_of("amplifier_gain", line, span=2).model == pytest.approx(50 * 0.21)


def test_a_rate_is_the_load_of_its_direction_whatever_the_order_of_the_ends() -> None:
    demands = [{"id": "d", "source": "a", "target": "b", "offered_gbps": 120.0}]
    for ends, direction in ((["a", "b"], "a_to_b"), (["b", "a"], "b_to_a")):
        link = zr(a_span(20.0), n_parallel=2, n_fibre_pairs=2) | {"ends": ends}
        assert one_of("interface_rate", link, direction=direction, demands=demands).model == 120.0
        assert one_of("interface_rate", link, direction=direction, demands=demands, lane=1).model == 60.0
        other = "b_to_a" if direction == "a_to_b" else "a_to_b"
        assert one_of("interface_rate", link, direction=other, demands=demands).model == 0.0


@pytest.mark.parametrize(
    ("quantity", "link", "of", "why"),
    [
        ("amplifier_gain", zr(a_span(20.0)), {"span": 0}, "no amplifier after span 0"),
        ("snr", zr(a_span(2.0), part="400G-LR4"), {}, "judged by its loss budget"),
        ("osnr", zr(a_span(2.0), part="400G-LR4"), {}, "states no OSNR of its transmitter"),
        ("interface_rate", zr(a_span(20.0)), {"direction": "a_to_b"}, "states no traffic"),
        ("dispersion", {"transceiver": "400G-DR4"}, {}, "states no spans"),
        ("pre_fec_ber", {"capacity_gbps": 100.0}, {}, "names no transceiver"),
        ("snr", zr(a_span(20.0, regenerated=True), a_span(20.0)), {}, "regenerated on the way: 2 optical paths"),
        ("launched_power", {"transceiver": "DAC-400G"}, {}, "no laser"),
    ],
)
def test_where_there_is_no_model_the_residual_is_null_with_a_reason(
    quantity: str, link: dict[str, Any], of: dict[str, Any], why: str
) -> None:
    row = one_of(quantity, link, **of)
    assert (row.model, row.residual, row.basis) == (None, None, None)
    assert why in str(row.why)


def test_a_standby_path_does_not_hide_the_model() -> None:
    link = zr(a_span(40.0), {**a_span(60.0), "standby": True}) | {"protection": "optical-protection"}
    assert one_of("received_power", link).model is not None
    assert one_of("span_loss", link, span=1).model == pytest.approx(60 * 0.21)


def test_the_table_sorts_by_size_and_names_the_latest_readings() -> None:
    links: list[dict[str, Any]] = [zr(a_span(20.0)) | {"installed": None}] * 3
    readings = [reading("received_power", -4.2 - 0.5), reading("received_power", -9.0, "2025-01-01")]
    readings[1]["of"], readings[0]["of"] = {"link": "l0"}, {"link": "l0"}
    more = [reading("received_power", -4.2 + 2.0) | {"of": {"link": "l2"}}]
    network = from_document(document(*links, measurements=[*readings, *more]))
    table = network.link_table(sort="residual")
    assert [row.id for row in table.rows[::2]] == ["l2", "l0", "l1"]
    assert [row.residual_db for row in table.rows[::2]] == [pytest.approx(2.0), pytest.approx(-0.5), None]
    assert table.sorted_by == "residual_db"
    assert [(row.link, str(row.at)) for row in table.residuals] == [("l2", "2026-01-01"), ("l0", "2026-01-01")]
    assert [row.id for row in network.link_table(sort="residual", top=1).rows] == ["l2", "l2"]
    assert {row.link for row in network.link_table(sort="residual", top=1).residuals} == {"l2"}
    assert len(network.link("l0", years=None).residuals) == 2
    text = str(table)
    assert "residual" in text
    assert "+2" in text


def test_relative_residuals_are_of_latency_rate_and_dispersion() -> None:
    network = measured_network()
    row = network.link_table("l0").rows[0]
    found = {r.quantity: r.relative_ratio for r in network.link("l0", years=None).residuals}
    assert {name for name, value in found.items() if value is not None} == {"dispersion", "latency"}
    assert row.relative_residual_ratio == max((v for v in found.values() if v is not None), key=abs)


def test_residuals_are_of_the_network_as_it_is_whatever_a_plan_does() -> None:
    network = measured_network()
    asked = network.link("l0", years=None).residuals
    later = network.link("l0", years=None, changes=[{"kind": "age", "years": 10}])
    assert later.residuals == asked
    assert "l0" not in {
        row.link for row in network.link_table(changes=[{"kind": "remove_links", "links": "l0"}]).residuals
    }


def test_answers_without_readings_have_no_residuals_and_the_data_is_plain() -> None:
    bare = from_document(document(AMPLIFIED))
    assert "residuals" not in bare.link("l0", years=None).to_dict()
    assert "residuals" not in bare.link_table().to_dict()
    assert "residual" not in str(bare.link_table())
    page = measured_network().link("l0", years=None)
    rows = json.loads(page.to_json(), parse_constant=pytest.fail)["residuals"]
    assert len(rows) == len(SAMPLE)
    assert all((row["model"] is None) == (row["why"] is not None) == (row["residual"] is None) for row in rows)
    check_text(page)


def check_text(page: LinkReport) -> None:
    text = str(page)
    assert "Residual = measured minus model" in text
    assert "No model of interface rate: the document states no traffic." in text
    assert "measured and model" in page._repr_html_()


def test_the_order_of_the_document_changes_nothing() -> None:
    first = measured_network()
    second = from_document(document(AMPLIFIED, zr(a_span(20.0)), measurements=every_quantity()[::-1]))
    assert second.link("l0", years=None).to_json() == first.link("l0", years=None).to_json()
    assert second.link_table().to_json() == first.link_table().to_json()


def test_work_is_bounded_by_days_and_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residuals, "MAX_DAYS", 2)
    monkeypatch.setattr(residuals, "MAX_READINGS", 3)
    days = ["2026-01-01", "2025-12-01", "2025-11-01", "2025-10-01"]
    link = {**zr(a_span(20.0)), "installed": "2020-01-01"}
    readings = [reading("received_power", -4.0, day) for day in days]
    rows = from_document(document(link, measurements=readings)).link("l0", years=None).residuals
    assert [str(row.at) for row in rows] == days[:3]
    assert [row.why for row in rows] == [None, None, "only the latest 2 days of a link are compared"]


def test_a_lane_that_no_transceiver_has_is_refused() -> None:
    with pytest.raises(Exception, match="no lane 16: 1 member of at most 16 lanes"):
        one_of("received_power", zr(a_span(20.0)), lane=16)
