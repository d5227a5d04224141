"""Broken, truncated, huge and hostile readings: a clear error or a finding; what is made of them is a valid network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imports.test_hostile import ODD, PIECES, QUIET, places, replaced
from tests.readings.otdr_file import otdr_file
from tests.readings.samples import DAY_S, ETHTOOL, PROMETHEUS, SAMPLES, SONIC, network
from twin.errors import DocumentError
from twin.loading import from_document
from twin.readings import Measured, found, read, reading_options

JSON: dict[str, tuple[str, Any]] = {
    "ethtool": ("leaf1_Ethernet8.json", ETHTOOL),
    "sonic": ("dump.json", SONIC),
    "prometheus": ("rates.json", PROMETHEUS),
}
NETWORK = network()


def attempt(path: Path, name: str) -> Measured | None:
    """Read a file; whatever is made of it must be a valid document. None if it is refused with a clear message."""
    try:
        got = read(path, NETWORK, format=name)
    except DocumentError as error:
        message = str(error)
        got = None
    if got is None:
        assert path.name in message
        assert "\n" not in message
        return None
    assert from_document(got.document).links
    json.loads(got.report.to_json())
    return got


@pytest.mark.parametrize("name", SAMPLES)
@QUIET
@given(data=st.data())
def test_a_changed_file_is_read_or_refused(name: str, data: st.DataObject, tmp_path: Path) -> None:
    path = SAMPLES[name](tmp_path)
    content = original = path.read_bytes()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        n = data.draw(st.sampled_from([0, 1, 2, 8, 40, len(content)]))
        content = content[:start] + data.draw(PIECES) + content[start + n :]
    path.write_bytes(content)
    attempt(path, name)
    path.write_bytes(original)


@pytest.mark.parametrize("name", JSON)
@QUIET
@given(data=st.data())
def test_odd_values_are_read_or_refused(name: str, data: st.DataObject, tmp_path: Path) -> None:
    file_name, content = JSON[name]
    for _ in range(data.draw(st.integers(1, 3))):
        content = replaced(content, data.draw(st.sampled_from(places(content)[1:])), data.draw(ODD))
    path = tmp_path / file_name
    path.write_text(json.dumps(content))
    attempt(path, name)


@QUIET
@given(data=st.data())
def test_odd_bytes_of_a_trace_are_read_or_refused(data: st.DataObject, tmp_path: Path) -> None:
    content = bytearray(otdr_file(version=data.draw(st.sampled_from([1, 2]))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "trace.sor"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    attempt(path, "otdr")


def test_more_readings_than_the_bound_are_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "MAX_READINGS", 10)
    path = tmp_path / "x.csv"
    path.write_text("link,lane,osnr_db\n" + "".join(f"wan,{i % 16},30\n" for i in range(100)))
    got = read(path, NETWORK)
    assert len(got.measurements) == 10
    assert {row.kind for row in got.report.findings} == {"too many readings"}


def test_many_unknown_links_take_no_search_each(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("link,osnr_db\n" + "".join(f"wan-{i},30\n" for i in range(2000)))
    hints = {row.hint.split("'")[0]: row.n for row in read(path, NETWORK).report.findings}
    assert hints["did you mean "] <= 20
    assert sum(hints.values()) >= 1000


def test_a_long_series_and_many_names_stay_bounded(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    values = [[DAY_S + i, str(i)] for i in range(50_000)]
    result = [{"metric": {"__name__": f"m{i}"}, "values": []} for i in range(3000)]
    result.append(
        {"metric": {"__name__": "ifHCOutOctets", "instance": "r1:1", "ifName": "Ethernet0"}, "values": values}
    )
    path.write_text(json.dumps({"data": {"resultType": "matrix", "result": result}}))
    got = read(path, NETWORK)
    assert len(got.measurements) == 1
    assert len(got.report.findings) <= 1001


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"TRANSCEIVER_PM|Ethernet0": ' * 50_000, '{"identifier": 1, "rx_power": NaN}']
)
def test_nested_and_broken_json_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    for name in JSON:
        assert attempt(path, name) is None


def test_names_that_markup_or_terminals_would_read_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("link,[bold]x[/],osnr_db\n[red]\u001b[2J,1,30\n", encoding="utf-8")
    got = read(path, NETWORK, options=reading_options(at="2026-10-20"))
    assert [row.kind for row in got.report.findings] == ["unknown link"]
    assert "\u001b" not in str(got.report)
