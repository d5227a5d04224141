"""Readings of ports, lanes, counters and sheets: what each becomes, and what is left out with a finding."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.readings.samples import DAY_S, DOCUMENT, ETHTOOL, PROMETHEUS, SONIC, network
from twin.errors import DocumentError
from twin.loading import Network, from_document
from twin.model.measurements import Measurement
from twin.readings import Measured, ReadingOptions, read, reading_options


def of_text(tmp_path: Path, text: str, name: str = "x.csv", on: Network | None = None, **options: Any) -> Measured:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read(path, on or network(), options=reading_options(**options))


def of_json(tmp_path: Path, data: Any, name: str = "x.json", **options: Any) -> Measured:
    return of_text(tmp_path, json.dumps(data), name, **options)


def kinds(found: Measured) -> list[str]:
    return sorted(row.kind for row in found.report.findings)


def told(m: Measurement) -> tuple[Any, ...]:
    return m.of.link, m.of.lane, m.quantity, m.direction, round(m.value, 3)


# --- ethtool ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("leaf1_Ethernet8.json", {}),
        ("Leaf1.dc.example:Ethernet8.json", {}),
        ("Ethernet8.json", {"device": "leaf1"}),
        ("x.json", {"maps": ["x=lag@leaf1"]}),
    ],
)
def test_lanes_of_a_member_count_on_from_those_of_the_members_before(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    found = of_json(tmp_path, ETHTOOL, name, at="2026-10-20", **options)
    first = 0 if "maps" in options else 4
    got = {told(m) for m in found.measurements if m.quantity == "received_power"}
    powers = {0: -0.458, 1: -0.706, 3: -0.969}
    assert got == {("lag", first + lane, "received_power", "a_to_b", value) for lane, value in powers.items()}
    assert kinds(found) == ["no light"]
    assert {str(m.at) for m in found.measurements} == {"2026-10-20"}
    assert found.report.assumed == ()


def test_a_module_with_one_lit_lane_is_the_link_itself_and_keys_name_ports(tmp_path: Path) -> None:
    module = {"identifier": 24, "rx_power": ["-14.4 dBm", None], "tx_power": "0.5 mW / -3.01 dBm"}
    found = of_json(tmp_path, {"r2:Ethernet0": [module], "r9:Ethernet0": [module]})
    assert {told(m) for m in found.measurements} == {
        ("wan", None, "received_power", "a_to_b", -14.4),
        ("wan", None, "launched_power", "b_to_a", -3.01),
    }
    assert kinds(found) == ["bad value", "unknown link"]
    assert found.report.records.n_in_budget == 1


@pytest.mark.parametrize("unit", ["V", "dB", ""])
def test_a_wrong_or_missing_unit_is_a_finding(unit: str, tmp_path: Path) -> None:
    module = {"identifier": 24, "rx_power": -3.0, "rx_power_units": unit}
    found = of_json(tmp_path, [module], "r2_Ethernet0.json")
    assert (found.measurements, kinds(found)) == ((), ["wrong unit"])


# --- SONiC -----------------------------------------------------------------------------------------------------------


def test_tables_of_a_switch_go_by_its_host_name_and_their_time(tmp_path: Path) -> None:
    found = of_json(tmp_path, SONIC)
    assert {told(m)[2:] for m in found.measurements} == {
        ("received_power", "a_to_b", -14.2),  # of the signal alone, not of all that comes in
        ("launched_power", "b_to_a", -0.3),
        ("pre_fec_ber", "a_to_b", 0.0),
        ("osnr", "a_to_b", 33.2),
        ("snr", "a_to_b", 17.9),
        ("dispersion", "a_to_b", 1012.0),
    }
    assert {str(m.at) for m in found.measurements} == {"2026-10-20"}


def test_nested_tables_without_a_host_name_take_the_file_name(tmp_path: Path) -> None:
    lanes = {f"rx{i}power": str(-i) for i in range(1, 5)} | {"tx1power": "-inf", "rx5power": "-50", "rx6power": "dark"}
    found = of_json(tmp_path, {"TRANSCEIVER_DOM_SENSOR": {"Ethernet4": lanes}}, "leaf1.json")
    assert {told(m) for m in found.measurements} == {("lag", i, "received_power", "a_to_b", -1.0 - i) for i in range(4)}
    assert kinds(found) == ["bad value", "no light", "no light"]
    assert {row.option for row in found.report.assumed} == {"--device", "--at"}


# --- plausible values and days ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quantity", "unit", "low", "high"),
    [
        ("span_loss", "dB", 3.0, 80.0),  # 60 km at 0.05 dB/km, and the greatest of any span
        ("received_power", "dBm", -50.0, 20.0),
        ("launched_power", "dBm", -40.0, 30.0),
        ("snr", "dB", -10.0, 50.0),
        ("osnr", "dB", -10.0, 60.0),
        ("pre_fec_ber", "ratio", 0.0, 0.5),
        ("dispersion", "ps/nm", -6500.0, 6500.0),  # 60 km at 25 ps/(nm km), and 5,000 of a compensator
        ("interface_rate", "Gb/s", 0.0, 408.0),
        ("latency", "us", 200.2, 1e7),  # 60 km at the speed of light in vacuum
        ("loss", "ratio", 0.0, 1.0),
        ("flaps", "1/d", 0.0, 1e4),
    ],
)
def test_a_value_that_nothing_measures_is_left_out(
    quantity: str, unit: str, low: float, high: float, tmp_path: Path
) -> None:
    def of(value: float) -> list[str]:
        text = f"link,span,direction,quantity,value,unit\nwan,0,r1,{quantity},{value!r},{unit}\n"
        return kinds(of_text(tmp_path, text, at="2026-10-20"))

    step = 1e-6 * max(abs(low), abs(high))
    assert of(low + step) == of(high - step) == []
    assert set(of(high + step)) == {"implausible"}
    assert set(of(low - step)) == {"implausible"}


def test_the_gain_of_an_amplifier_is_below_50_db(tmp_path: Path) -> None:
    assert kinds(of_text(tmp_path, "link,span,gain (dB)\nwan,0,51\n", at="2026-10-20")) == ["implausible"]


def test_a_lane_is_at_most_as_fast_as_one_member(tmp_path: Path) -> None:
    text = "link,lane,quantity,value,unit\nlag,{lane},interface_rate,500,Gb/s\n"
    assert kinds(of_text(tmp_path, text.format(lane=""), at="2026-10-20")) == []
    assert kinds(of_text(tmp_path, text.format(lane=1), at="2026-10-20")) == ["implausible"]


def test_a_day_to_come_is_never_the_day_of_the_network(tmp_path: Path) -> None:
    today = date(2026, 11, 20)
    on = from_document({name: value for name, value in DOCUMENT.items() if name != "as_of"} | {"links": [
        {"id": "wan", "ends": ["r1", "r2"], "capacity_gbps": 400}]})  # fmt: skip
    path = tmp_path / "x.csv"
    path.write_text("link,date,osnr (dB)\nwan,2099-01-01,30\nwan,2026-11-20,31\n")
    found = read(path, on, options=ReadingOptions(today=today))
    assert (kinds(found), found.document.as_of) == (["wrong day"], today)
    stated = read(path, on, options=ReadingOptions(today=today, as_of=date(2099, 2, 1)))
    assert (kinds(stated), len(stated.measurements)) == ([], 2)
    path.write_text("link,date,osnr (dB)\nwan,2099-01-01,30\n")
    with pytest.raises(DocumentError, match="neither the network nor a reading states a day"):
        read(path, on, options=ReadingOptions(today=today))


# --- Prometheus ------------------------------------------------------------------------------------------------------


def series(name: str, values: list[Any], **labels: str) -> dict[str, Any]:
    metric = {"__name__": name, "instance": "r1:9100", "device": "Ethernet0"} | labels
    return {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": metric, "values": values}]}}


def test_a_counter_that_restarts_counts_from_zero(tmp_path: Path) -> None:
    values = [[DAY_S, "1e12"], [DAY_S + 10, "1.1e12"], [DAY_S + 20, "0.1e12"]]
    (m,) = of_json(tmp_path, series("ifHCOutOctets", values, ifName="Ethernet0")).measurements
    assert told(m) == ("wan", None, "interface_rate", "a_to_b", 80.0)  # 0.2e12 bytes in 20 s


def test_of_a_rate_that_both_ends_report_the_senders_is_kept(tmp_path: Path) -> None:
    sent = series("ifHCOutOctets", [[DAY_S, "0"], [DAY_S + 10, "1e11"]])["data"]["result"]
    received = series("ifHCInOctets", [[DAY_S, "0"], [DAY_S + 10, "2e11"]], instance="r2:161")["data"]["result"]
    found = of_json(tmp_path, {"data": {"resultType": "matrix", "result": [*received, *sent]}})
    assert [told(m)[2:] for m in found.measurements] == [("interface_rate", "a_to_b", 80.0)]
    assert any("the other end" in row.effect for row in found.report.dropped)


def test_a_series_of_a_stated_quantity_is_the_mean_of_each_day(tmp_path: Path) -> None:
    values = [[DAY_S, "1.5"], [DAY_S + 60, "2.5"], [DAY_S + 86_400, "4"], [DAY_S + 86_460, "NaN"]]
    found = of_json(tmp_path, series("twamp_delay", values), quantity="latency", unit="ms")
    assert [(m.value, (m.at.day)) for m in found.measurements] == [(2000.0, 14), (4000.0, 15)]
    assert kinds(found) == ["bad value"]


def test_a_power_of_a_series_is_of_its_receiver(tmp_path: Path) -> None:
    (m,) = of_json(tmp_path, series("x", [[DAY_S, "0.04"]]), quantity="received_power", unit="mW").measurements
    assert told(m) == ("wan", None, "received_power", "b_to_a", -13.979)


def test_series_that_say_nothing_known_are_findings(tmp_path: Path) -> None:
    assert kinds(of_json(tmp_path, series("up", [[DAY_S, "1"]]))) == ["unknown metric"]
    assert kinds(of_json(tmp_path, series("ifHCOutOctets", [[DAY_S, "1"]]))) == ["one sample"]
    assert kinds(of_json(tmp_path, series("ifHCOutOctets", [[DAY_S, "1"], [DAY_S + 9, "2"]], device="z"))) == [
        "unknown interface"
    ]
    with pytest.raises(DocumentError, match="an error of Prometheus"):
        of_json(tmp_path, {"status": "error", "error": "bad query", "data": {"resultType": ""}})


# --- sheets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "quantity", "value"),
    [
        ("quantity,value,unit\nwan,rx power,0.1,mW", "received_power", -10.0),
        ("osnr_db\nwan,31.5", "osnr", 31.5),
        ("latency (ms)\nwan,0.3", "latency", 300.0),
        ("round_trip_us\nwan,620", "latency", 310.0),
        ("interface rate (Mb/s)\nwan,1200", "interface_rate", 1.2),
        ("rate [GB/s]\nwan,2", "interface_rate", 16.0),
        ("frame loss (%)\nwan,0.5", "loss", 0.005),
        ("pre-FEC BER\nwan,1e-5", "pre_fec_ber", 1e-5),
        ("cd (ps/nm)\nwan,900", "dispersion", 900.0),
        ("flaps_per_day\nwan,3", "flaps", 3.0),
        ("tx power\nwan,-1.5 dBm", "launched_power", -1.5),
        ("loss (dB)\nwan,13.5", "span_loss", 13.5),
    ],
)
def test_headings_and_cells_state_units(row: str, quantity: str, value: float, tmp_path: Path) -> None:
    (m,) = of_text(tmp_path, f"link,{row}\n", at="2026-10-20").measurements
    assert (m.quantity, m.value) == (quantity, pytest.approx(value))


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ("link,rx power (dBm)\nwam,-10", "unknown link"),
        ("device,port,rx power (dBm)\nr1,Ethernet99,-10", "unknown interface"),
        ("device,port,rx power (dBm)\nr9,Ethernet0,-10", "unknown device"),
        ("link,rx power (dBm)\nwan,55", "implausible"),
        ("link,rx power (ms)\nwan,5", "wrong unit"),
        ("link,rx power\nwan,5", "wrong unit"),
        ("link,rx power (dBm)\nwan,strong", "bad value"),
        ("link,rx power (mW)\nwan,0", "no light"),
        ("link,lane,rx power (dBm)\nwan,16,-10", "no such lane"),
        ("link,lane,rx power (dBm)\nwan,two,-10", "bad value"),
        ("link,date,rx power (dBm)\nwan,soon,-10", "bad value"),
        ("link,quantity,value\nwan,colour,3", "unknown quantity"),
        ("link,date,osnr_db\nwan,2026-11-02,30", "wrong day"),
        ("link,osnr_db\nwan,30\nwan,31", "read twice"),
    ],
)
def test_what_is_wrong_in_a_row_is_a_finding(rows: str, kind: str, tmp_path: Path) -> None:
    found = of_text(tmp_path, rows + "\n")
    assert kinds(found) == [kind]
    assert len(found.measurements) == (kind == "read twice")


def test_the_column_decides_the_decimal_sign(tmp_path: Path) -> None:
    found = of_text(tmp_path, "link;rx power (dBm)\nwan;-13,5\n", at="2026-10-20")
    assert ([m.value for m in found.measurements], kinds(found)) == ([-13.5], [])
    assert [row.conversion for row in found.report.converted] == ["decimal comma → point"]
    text = "link;rx power (dBm)\nwan;-1.234\n"
    found = of_text(tmp_path, text, at="2026-10-20")
    assert ([m.value for m in found.measurements], kinds(found)) == ([-1.234], ["ambiguous number"])
    found = of_text(tmp_path, text, at="2026-10-20", decimal="point")
    assert ([m.value for m in found.measurements], kinds(found)) == ([-1.234], [])


def test_a_port_of_several_links_and_parallel_links_are_findings(tmp_path: Path) -> None:
    link = DOCUMENT["links"][0]
    on = network(links=[link, link | {"id": "wan-2", "tags": ["r1:Ethernet0 ~ r2:Ethernet4"]}])
    found = of_text(tmp_path, "device,port,osnr_db\nr1,Ethernet0,30\nr2,Ethernet4,31\n", on=on)
    assert kinds(found) == ["port of several links"]
    assert [m.of.link for m in found.measurements] == ["wan-2"]
    assert kinds(of_text(tmp_path, "source,target,rtt_ms\nr1,r2,1\n", on=on)) == ["several links between"]


def test_one_way_latency_has_the_direction_of_its_sender(tmp_path: Path) -> None:
    found = of_text(tmp_path, "from,to,latency_us\nr2,Router One,300\nr1,r2,310\n")
    assert {told(m)[3:] for m in found.measurements} == {("b_to_a", 300.0), ("a_to_b", 310.0)}


def test_a_reading_beside_an_older_field_is_left_out(tmp_path: Path) -> None:
    span = DOCUMENT["links"][0]["spans"][0] | {"measured_loss_db": 13.0, "measured": "2026-01-01"}
    on = network(links=[DOCUMENT["links"][0] | {"spans": [span]}])
    found = of_text(tmp_path, "link,span loss (dB)\nwan,13.4\n", on=on)
    assert (found.measurements, kinds(found)) == ((), ["already stated"])


def test_a_network_without_a_day_takes_that_of_the_latest_reading(tmp_path: Path) -> None:
    bare = {"id": "wan", "ends": ["r1", "r2"], "transceiver": "OpenZR+-400G", "spans": [{"length_km": 60}]}
    on = network(links=[bare], as_of=None)
    found = of_text(tmp_path, "link,date,osnr_db\nwan,2026-10-20,30\nwan,2026-10-22,31\n", on=on)
    assert str(found.document.as_of) == "2026-10-22"
    assert [row.option for row in found.report.assumed] == ["--as-of"]
    with pytest.raises(DocumentError, match="neither the network nor a reading"):
        of_text(tmp_path, "link,osnr_db\nwan,30\n", on=on)


# --- options ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"maps": ["x=wam"]}, "did you mean 'wan'"),
        ({"maps": ["x=wan@r9"]}, "no end of wan"),
        ({"maps": ["x=wan#east"]}, "no span"),
        ({"maps": ["x"]}, "--map"),
        ({"at": "yesterday"}, "is no day"),
        ({"quantity": "latencie"}, "did you mean 'latency'"),
        ({"quantity": "latency", "unit": "dB"}, "no unit of latency"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], problem: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=problem):
        of_text(tmp_path, "link,osnr_db\nwan,30\n", **options)


def test_a_map_that_fits_nothing_is_a_finding(tmp_path: Path) -> None:
    found = of_text(tmp_path, "link,osnr_db\nwan,30\n", maps=["wann=wan"])
    assert kinds(found) == ["unused option"]


def test_an_unknown_or_unclear_format_is_refused_with_the_candidates(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no format of readings fits"):
        of_json(tmp_path, {"nodes": []})
    path = tmp_path / "x.csv"
    with pytest.raises(DocumentError, match="did you mean 'sonic'"):
        read(path, network(), format="sonik")
    assert PROMETHEUS["status"] == "success"
