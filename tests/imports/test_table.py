"""Cabling sheets: headings, ends, units, Excel, and what is found wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.imports.samples import TABLE
from twin.errors import DocumentError
from twin.imports import Imported, read
from twin.imports.options import import_options


def sheet(tmp_path: Path, text: str, *columns: str) -> Imported:
    path = tmp_path / "cabling.csv"
    path.write_text(text, encoding="utf-8")
    return read(path, options=import_options(columns=columns))


def kinds(found: Imported) -> dict[str, int]:
    return {finding.kind: finding.n for finding in found.report.findings}


def test_a_sheet_is_read(tmp_path: Path) -> None:
    found = sheet(tmp_path, TABLE)
    links = {link.id: link for link in found.document.links}
    assert set(links) == {"K-001", "K-002", "K-003"}
    assert (links["K-001"].capacity_gbps, links["K-001"].spans[0].length_km) == (100, 0.0305)
    assert (links["K-002"].capacity_gbps, links["K-002"].n_parallel) == (25, 4)
    assert [(span.length_km, span.fibre) for span in links["K-002"].spans] == [(0.012, "copper-cable")]
    assert links["K-003"].capacity_gbps is None
    assert links["K-001"].tags == ("leaf 1:Eth 1/1 ~ spine 1:Eth 1",)
    assert kinds(found) == {"duplicate cable": 1, "missing length": 1, "one-sided cable": 1, "unknown rate": 1}
    assert {node.id: node.kind for node in found.document.nodes}["leaf 2"] == "leaf"


def test_columns_are_named_by_option(tmp_path: Path) -> None:
    text = "Von,Nach,Tempo (Mbps),Strecke km\na:1,b:2,400000,12.5\n"
    found = sheet(tmp_path, text, "Von=a", "Nach=b", "Tempo (Mbps)=rate", "Strecke km=length")
    (link,) = found.document.links
    assert (link.capacity_gbps, link.spans[0].length_km, link.ends) == (400, 12.5, ("a", "b"))


@pytest.mark.parametrize(
    ("header", "cell", "km"),
    [
        ("Length (m)", "30", 0.03),
        ("length_km", "2", 2.0),
        ("Length", "100 ft", 0.03048),
        ("Length [mi]", "1", 1.609344),
        ("Length (m)", "1.5 km", 1.5),
        ("Length", "30", None),
        ("Length (m)", "-3", None),
        ("Length (m)", "30 parsecs", None),
        ("Length (km)", "1e30", None),
    ],
)
def test_a_length_counts_with_its_unit_only(header: str, cell: str, km: float | None, tmp_path: Path) -> None:
    found = sheet(tmp_path, f"a,b,{header}\nx,y,{cell}\n")
    (link,) = found.document.links
    assert [span.length_km for span in link.spans] == ([pytest.approx(km)] if km is not None else [])
    assert kinds(found).get("bad value", 0) == (km is None)


@pytest.mark.parametrize(
    ("header", "cell", "rate"),
    [("Speed", "400G", 400), ("Speed", "10GbE", 10), ("Speed", "100 Mbit/s", 0.1), ("Speed (Gbps)", "25", 25),
     ("speed_mbps", "10000", 10), ("Speed", "400", None), ("Speed", "50 GB/s", None), ("Speed", "fast", None)],
)  # fmt: skip
def test_a_rate_counts_with_its_unit_only(header: str, cell: str, rate: float | None, tmp_path: Path) -> None:
    found = sheet(tmp_path, f"a,b,{header}\nx,y,{cell}\n")
    (link,) = found.document.links
    assert link.capacity_gbps == (None if rate is None else pytest.approx(rate))


def test_sites_states_and_breaks_in_cells(tmp_path: Path) -> None:
    text = 'a,b,a site,b site,status\n"Core\n1",y,Nord,Süd,planned\nx,y,Nord,Nord,up\n'
    found = sheet(tmp_path, text)
    assert {link.up for link in found.document.links} == {True, False}
    assert {node.id: node.name for node in found.document.nodes}["Core 1"] == "Core\n1"
    assert kinds(found)["conflict"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("x,y,z\n1,2,3\n", "no header with both ends: found 'x', 'y', 'z'"),
        ("a,b\n", "a header and no rows"),
        ("a,b,from\n1,2,3\n", "2 columns for a: 'a', 'from'"),
        ('a,b\n"x,y\n', "line 2"),
        ("a,b\nx\0,y\n", "zero byte"),
    ],
)
def test_bad_sheets_are_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=message):
        sheet(tmp_path, text)


def test_an_unknown_field_gets_a_hint(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="did you mean 'length'"):
        sheet(tmp_path, TABLE, "Length (m)=lenght")


def test_one_site_for_all_makes_cables_indoor(tmp_path: Path) -> None:
    path = tmp_path / "cabling.csv"
    path.write_text("a,b,rate\nx,y,10G\n")
    found = read(path, options=import_options(site="Hall 1"))
    assert {node.site for node in found.document.nodes} == {"Hall 1"}
    assert "missing length" not in kinds(found)
    assert found.report.supports.latency.why == "assumed for 1 of 1 links"


def test_an_excel_file_gives_the_same_as_csv(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for line in TABLE.strip().splitlines():
        book.active.append(line.split(";"))
    book.save(tmp_path / "cabling.xlsx")
    book.close()
    links = read(tmp_path / "cabling.xlsx").document.links
    expected = sheet(tmp_path, TABLE).document.links
    assert [(k.id, k.ends, k.spans[:0], k.capacity_gbps) for k in links] == [
        (k.id, k.ends, k.spans[:0], k.capacity_gbps) for k in expected
    ]


def test_a_status_that_is_no_known_word_is_a_finding(tmp_path: Path) -> None:
    found = sheet(tmp_path, "a,b,status\nx,y,broken\nx,z,Defekt\ny,z,Active\n")
    assert [link.up for link in found.document.links] == [False, True, True]
    assert kinds(found)["unknown status"] == 1


def test_all_sheets_of_a_workbook_are_read(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    first, demands, notes = book.active, book.create_sheet("Demands"), book.create_sheet("Notes")
    for rows, own in (
        ([["a", "b", "speed_gbps"], ["s1", "s2", 100]], first),
        ([["source", "target", "offered_gbps"], ["s1", "s2", 80]], demands),
        ([["who", "when"], ["me", "today"]], notes),
    ):
        for row in rows:
            own.append(row)
    path = tmp_path / "cabling.xlsx"
    book.save(path)
    found = read(path)
    assert [(d.source, d.target, d.offered_gbps) for d in found.document.demands] == [("s1", "s2", 80)]
    assert len(found.document.links) == 1
    assert {row.field: row.n for row in found.report.dropped}["sheets without cables, nodes or demands"] == 1


def test_a_row_without_a_length_makes_no_indoor_cable_wide_area(tmp_path: Path) -> None:
    """A DAC stays in a rack; short cables join both ends of the other; only the border is elsewhere."""
    text = "a,b,Length (m),medium\nleaf1,srv1,,DAC\nleaf1,spine1,30,OS2\nspine1,leaf2,35,OS2\nleaf1,leaf2,,OS2\n"
    near = sheet(tmp_path, text)
    assert [node.site for node in near.document.nodes] == [None] * 4
    assert "missing length" not in kinds(near)
    assert any(
        line.startswith("length of a cable in one building: 0 km") and "2 times" in line
        for line in near.document.assumptions
    )
    far = sheet(tmp_path, text + "spine1,border1,,OS2\n")
    sites = {node.id: node.site for node in far.document.nodes}
    assert sites.pop("border1") not in {None, *sites.values()}
    assert len(set(sites.values())) == 1
    assert kinds(far)["missing length"] == 1
    assert any(line.startswith("site of a device: one for each building") for line in far.document.assumptions)


def test_a_value_of_the_way_back_alone_holds_for_both_directions_and_is_counted(tmp_path: Path) -> None:
    found = sheet(tmp_path, "a,b,reverse_rate_gbps,reverse_latency_us,reverse_weight,length_km\nx,y,100,9,3,5\n")
    (link,) = found.document.links
    assert (link.capacity_gbps, link.latency_us, link.weight) == (100, 9, 3)
    counted = {row.what: row.n for row in found.report.assumed if row.what.endswith("of a direction")}
    assert counted == dict.fromkeys((f"{what} of a direction" for what in ("rate", "latency", "weight")), 1)
    both = sheet(tmp_path, "a,b,rate_gbps,reverse_rate_gbps,latency_us,reverse_latency_us\nx,y,40,100,8,9\n")
    (link,) = both.document.links
    assert (link.capacity_gbps, link.latency_us) == ((40, 100), (8, 9))
    assert not [row for row in both.report.assumed if row.what.endswith("of a direction")]
