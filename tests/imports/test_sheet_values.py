"""Values of cabling sheets that may be read in two ways: decimal signs, media, ids that stand twice, headings."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.errors import DocumentError
from twin.imports import Imported, read
from twin.imports.decimals import DecimalColumn
from twin.imports.ledger import Ledger
from twin.imports.media import medium_of_text
from twin.imports.netbox_types import type_gbps
from twin.imports.options import import_options


def sheet(tmp_path: Path, text: str, decimal: str | None = None) -> Imported:
    path = tmp_path / "cabling.csv"
    path.write_text(text, encoding="utf-8")
    return read(path, options=import_options(decimal=decimal))


def kinds(found: Imported) -> dict[str, int]:
    return {finding.kind: finding.n for finding in found.report.findings if finding.kind != "unknown rate"}


def lengths(found: Imported) -> list[float | None]:
    return [link.spans[0].length_km if link.spans else None for link in found.document.links]


@pytest.mark.parametrize(
    ("cells", "decimal", "km", "n_ambiguous"),
    [
        (["1.234"], None, [1.234], 1),
        (["1.234"], "comma", [1234], 0),
        (["1.234", "12.5"], None, [1.234, 12.5], 0),  # the column shows its decimal sign
        (["1.234", "12,5"], None, [1234, 12.5], 0),
        (["1.234", "0.5"], None, [1.234, 0.5], 0),
        (["1.234", "1.234,5"], None, [1234, 1234.5], 0),
        (["1,234", "12.5"], None, [1234, 12.5], 0),
        (["1,234", "1,234.5"], "point", [1234, 1234.5], 0),
        (["1,234"], None, [1.234], 1),  # a sheet with semicolons between its cells
        (["1.234", "1.5", "2,5"], None, [1.234, 1.5, 2.5], 1),  # a column that shows both
        (["1.234.567"], "point", [None], 0),
    ],
)
def test_the_column_decides_the_decimal_sign_or_a_finding_says_so(
    cells: list[str], decimal: str | None, km: list[float | None], n_ambiguous: int, tmp_path: Path
) -> None:
    rows = "".join(f"x{i};y{i};{cell}\n" for i, cell in enumerate(cells))
    found = sheet(tmp_path, "a;b;length km\n" + rows, decimal)
    assert lengths(found) == [pytest.approx(each) if each is not None else None for each in km]
    assert kinds(found).get("ambiguous number", 0) == n_ambiguous
    assert kinds(found).get("mixed decimal signs", 0) == (len(cells) == 3)


def test_commas_between_cells_leave_a_comma_to_thousands(tmp_path: Path) -> None:
    found = sheet(tmp_path, 'a,b,length\nx,y,"1,234 m"\n')
    assert (lengths(found), kinds(found)) == ([1.234], {"ambiguous number": 1})


def test_numbers_of_excel_are_not_ambiguous(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["a", "b", "length km"], ["x", "y", 1.234]):
        book.active.append(row)
    book.save(tmp_path / "c.xlsx")
    book.close()
    found = read(tmp_path / "c.xlsx")
    assert (lengths(found), kinds(found)) == ([1.234], {})


@pytest.mark.parametrize("cell", ["", "400G", "x4.100", "4x1.5", "1e3", "2.500e-4", "12", "no number", "v1.2.3x"])
def test_cells_without_an_open_number_stay(cell: str) -> None:
    ledger = Ledger()
    assert DecimalColumn("x").rewritten(cell, "line 1", ledger) == cell
    assert not ledger.finding_rows


def test_a_decimal_sign_is_point_or_comma() -> None:
    with pytest.raises(DocumentError, match="point or comma"):
        import_options(decimal=";")


@pytest.mark.parametrize(
    ("text", "medium", "part"),
    [
        ("OM4", "multimode", "OM4"), ("om-3", "multimode", "OM3"), ("MMF OM5", "multimode", "OM5"),
        ("OM4 LC-LC duplex", "multimode", "OM4"), ("mmf-om4", "multimode", "OM4"), ("MMF_OM4", "multimode", "OM4"),
        ("OM2", "multimode", ""), ("62.5/125", "multimode", ""), ("mmf", "multimode", ""), ("AOC", "multimode", ""),
        ("OS1", "fibre", "OS1a"), ("OS2", "fibre", ""), ("smf-os1", "fibre", "OS1a"), ("SMF", "fibre", ""),
        ("G.652.D", "fibre", ""), ("G.655", "fibre", "G.655"), ("LEAF", "fibre", "G.655"), ("NZDF", "fibre", "G.655"),
        ("G.657.A1", "fibre", "G.657.A1"), ("G.654.E", "fibre", "G.654.E"), ("SSMF", "fibre", ""),
        ("DAC", "copper", ""), ("dac-passive", "copper", ""), ("Cat6a", "copper", ""), ("cat 7", "copper", ""),
        ("S/FTP", "copper", ""), ("twinax", "copper", ""), ("coaxial", "copper", ""), ("AEC", "copper", ""),
    ],
)  # fmt: skip
def test_media_by_their_names(text: str, medium: str, part: str) -> None:
    found = medium_of_text(text)
    assert found is not None
    assert (found.medium, found.part) == (medium, part)


@pytest.mark.parametrize("heading", ["medium", "Type", "Cable type", "Fibre type"])
def test_a_grade_is_that_of_the_sheet(heading: str, tmp_path: Path) -> None:
    found = sheet(tmp_path, f"a,b,length_m,{heading}\nx,y,30,OM4\nx,z,30,OM1\ny,z,30,purple\n")
    assert [link.spans[0].fibre for link in found.document.links] == ["OM4", "OM3", "G.652.D"]
    assert kinds(found) == {"unknown medium": 1}
    assert ("grade of a fibre", "OM3") in [(row.what, row.value) for row in found.report.assumed]


def test_an_id_that_stands_twice_is_a_finding(tmp_path: Path) -> None:
    found = sheet(tmp_path, "a,b,cable id\nx,y,K-001\nx,z,K-001\ny,z,\ny,z,\n")
    assert [link.id for link in found.document.links] == ["K-001", "K-001#2", "y~z", "y~z#2"]
    (row,) = (row for row in found.report.findings if row.kind == "duplicate id")
    assert (row.n, row.places) == (1, ("K-001 → K-001#2",))


def test_an_error_lists_all_headings_and_what_they_may_mean(tmp_path: Path) -> None:
    headings = [f"Column {i}" for i in range(12)] + ["Divice A", "Divice B"]
    with pytest.raises(DocumentError) as caught:
        sheet(tmp_path, "Cabling of hall 3\n" + ",".join(headings) + "\n1,2,3\n")
    assert all(f"'{heading}'" in caught.value.problem for heading in headings[1:])
    assert "'Divice A': did you mean 'device a'" in caught.value.hint


def test_a_column_of_no_field_says_what_it_may_mean(tmp_path: Path) -> None:
    found = sheet(tmp_path, "a,b,lenght (m)\nx,y,3\n")
    (row,) = (row for row in found.report.dropped if row.field == "rows.lenght (m)")
    assert "did you mean 'length'" in row.effect


def test_decimal_commas_of_positions_and_demands_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "sheets"
    folder.mkdir()
    for name, text in {
        "nodes": 'id,kind,latitude,longitude\nA,core,"50,938","6,96"\nB,core,"51,5","7,1"\n',
        "cables": "a,b\nA,B\n",
        "demands": "source;target;offered_gbps\nA;B;2,5\nB;A;1.250,5\n",
    }.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    document = read(folder).document
    assert [(site.latitude_deg, site.longitude_deg) for site in document.sites] == [(50.938, 6.96), (51.5, 7.1)]
    assert [demand.offered_gbps for demand in document.demands] == [2.5, 1250.5]


@pytest.mark.parametrize(
    ("kind", "gbps"),
    [("10GigBaseLR - X fiber over 1310 nm optics", 10.0), ("2p5GigT", 2.5), ("b5GigT", 5.0), ("1000BaseTFD", 1.0),
     ("dot3MauType100BaseTXFD", 0.1), ("400gbase-x-qsfpdd", 400.0), ("other", None)],
)  # fmt: skip
def test_names_of_media_tell_rates(kind: str, gbps: float | None) -> None:
    assert type_gbps(kind) == gbps
