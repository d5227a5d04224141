"""OTDR traces: both versions, the loss by hand, wavelength, length, and which span they mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.readings.otdr_file import otdr_file
from tests.readings.samples import DOCUMENT, network
from twin.errors import DocumentError
from twin.loading import Network
from twin.readings import Measured, read, reading_options
from twin.readings.sor import looks_like_trace, trace_of


def measured(tmp_path: Path, content: bytes, on: Network | None = None, **options: Any) -> Measured:
    path = tmp_path / "trace.sor"
    path.write_bytes(content)
    return read(path, on or network(), options=reading_options(**options))


def kinds(found: Measured) -> list[str]:
    return sorted(row.kind for row in found.report.findings)


@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_give_the_same_trace(version: int) -> None:
    events = [(0.0, 0.0, 0.4, "1F9999LS"), (12.5, 0.2, 0.15, "0F9999LS"), (40.0, 0.21, 9.0, "1E9999LS")]
    content = otdr_file(
        version=version, events=events, total_db=0.0, cable="K7", fibre="f 3", locations=("Ulm", "Bonn")
    )
    trace = trace_of(content, "x")
    assert (trace.cable, trace.fibre, trace.location_a, trace.location_b) == ("K7", "f 3", "Ulm", "Bonn")
    assert trace.wavelength_nm == pytest.approx(1550.0)
    assert trace.index_ratio == pytest.approx(1.4682)
    assert trace.length_km == pytest.approx(40.0, abs=1e-3)
    # the connector at 0 km is the instrument's, the last event is the end itself
    assert trace.loss_db() == pytest.approx(12.5 * 0.2 + 0.15 + 27.5 * 0.21, abs=1e-3)
    assert looks_like_trace(content)


def test_the_stated_total_loss_goes_before_the_sum_of_events() -> None:
    assert trace_of(otdr_file(total_db=13.5), "x").loss_db() == 13.5


def test_a_wavelength_in_whole_nanometres_is_understood() -> None:
    content = otdr_file(version=1)
    assert (
        trace_of(content.replace((15500).to_bytes(2, "little"), (1550).to_bytes(2, "little"), 1), "x").wavelength_nm
        == 1550
    )


def test_a_trace_becomes_the_loss_of_its_span_with_day_and_direction(tmp_path: Path) -> None:
    found = measured(tmp_path, otdr_file(locations=("r2.example.net", "r1")))
    (m,) = found.measurements
    assert (m.of.link, m.of.span, m.quantity, m.value, m.direction) == ("wan", 0, "span_loss", 13.5, "b_to_a")
    assert str(m.at) == "2026-09-21"
    assert kinds(found) == []
    assert found.report.records.n_in_budget == 1


@pytest.mark.parametrize(
    ("trace", "options", "kind"),
    [
        ({"wavelength_nm": 1310.0}, {}, "wrong wavelength"),
        ({"wavelength_nm": 1625.0}, {}, "wrong wavelength"),
        ({"fibre": "elsewhere"}, {}, "unknown link"),
        ({"fibre": "lag"}, {}, "which span"),
        ({"total_db": 250.0}, {}, "implausible"),
        ({"unix_s": 1_800_000_000}, {}, "wrong day"),
        ({"unix_s": 900_000_000}, {}, "wrong day"),
        ({}, {"maps": ["wan=wan#3"]}, "no such span"),
    ],
)
def test_what_cannot_be_the_loss_of_a_span_is_left_out_with_a_finding(
    trace: dict[str, Any], options: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    found = measured(tmp_path, otdr_file(**trace), **options)
    assert found.measurements == ()
    assert kinds(found) == [kind]


def test_another_length_than_that_of_the_document_is_a_finding_beside_the_reading(tmp_path: Path) -> None:
    found = measured(tmp_path, otdr_file(events=[(63.0, 0.2, 0.0, "1E9999LS")]))
    assert (len(found.measurements), kinds(found)) == (1, ["length differs"])


def test_spans_go_by_name_or_by_the_map(tmp_path: Path) -> None:
    spans = [{"length_km": 60, "name": "east"}, {"length_km": 60, "name": "west"}]
    links = [link | {"spans": spans} if link["id"] == "wan" else link for link in DOCUMENT["links"]]
    (m,) = measured(tmp_path, otdr_file(fibre="west", cable="wan"), network(links=links)).measurements
    assert m.of.span == 1
    (m,) = measured(tmp_path, otdr_file(fibre="17"), network(links=links), maps=["17=wan#0@r2"]).measurements
    assert (m.of.span, m.direction) == (0, "b_to_a")


def test_a_reading_after_the_day_of_the_network_needs_a_later_day(tmp_path: Path) -> None:
    found = measured(tmp_path, otdr_file(unix_s=1_796_000_000), as_of="2026-12-01")
    assert len(found.measurements) == 1
    assert str(found.document.as_of) == "2026-12-01"


@pytest.mark.parametrize("n", [3, 20, 60, 100, 200, 250])
def test_a_truncated_file_is_refused(n: int) -> None:
    content = otdr_file()
    with pytest.raises(DocumentError, match="x: "):
        trace_of(content[:n], "x")


def test_a_file_of_too_many_events_or_blocks_is_refused() -> None:
    content = otdr_file(version=1, events=[])
    many = content.replace(b"KeyEvents", b"KeyEventz", 1)
    with pytest.raises(DocumentError, match="no block KeyEvents"):
        trace_of(many, "x")
    blocks = bytearray(otdr_file())
    blocks[10:12] = (5000).to_bytes(2, "little")
    with pytest.raises(DocumentError, match="is no OTDR trace"):
        trace_of(bytes(blocks), "x")
