"""Price books from files: CSV and YAML give the same prices, and each fault names its line."""

from __future__ import annotations

from pathlib import Path

import pytest

import twin
from twin.catalogue import load_price_book
from twin.catalogue.prices import merge_price_books, price_unit
from twin.errors import DocumentError
from twin.formats.price_file import parse_price_csv, read_price_file

CSV = """price,item,value,low,high,unit,source,as_of
name,,Acme list
version,,7
date,,2026-10-01
part_usd,OpenZR+-400G,3900,3500,4500,USD/piece,quote 12,2026-10-15
part_usd,mux-8,900
rent_usd_per_accelerator_hour,GB200,4.2,,,usd / hour / accelerator
labour_h,switch,6,,,h/piece

electricity_usd_per_mwh,,61,55,70,USD/MWh,contract,2026
"""
YAML = """
name: Acme list
version: 7
date: 2026-10-01
currency: USD
part_usd:
  OpenZR+-400G: {value: 3900, low: 3500, high: 4500, unit: USD/piece, source: quote 12, as_of: 2026-10-15}
  mux-8: 900
rent_usd_per_accelerator_hour: {GB200: 4.2}
labour_h: {switch: 6}
electricity_usd_per_mwh: {value: 61, low: 55, high: 70, source: contract, as_of: "2026"}
"""


def test_csv_and_yaml_give_the_same_book(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("\ufeff" + CSV.replace("usd / hour / accelerator", ""))
    (tmp_path / "p.yaml").write_text(YAML)
    books = [load_price_book(read_price_file(tmp_path / f"p.{end}")) for end in ("csv", "yaml")]
    assert books[0] == books[1]
    assert (books[0].name, books[0].version, books[0].date) == ("Acme list", "7", "2026-10-01")
    assert books[0].books["part_usd.mux-8"] == "Acme list 7, 2026-10-01"
    assert books[0].books["part_usd.400ZR"] == "shipped placeholder 2, 2026-11"
    price = books[0].entry("part_usd", "OpenZR+-400G")
    assert (price.value, price.low, price.high, price.source) == (3900, 3500, 4500, "quote 12")
    network = twin.load("memphis-small", prices=tmp_path / "p.csv")
    assert network.price_book.electricity_usd_per_mwh.high == 70


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cost,value\n", "unknown column 'cost'"),
        ("price,item\n", "no column 'value'"),
        ("price,value,value\n", "a column stands twice"),
        ("price,item,value\npart_usd,400ZR,much\n", "line 2, value: 'much' is no number"),
        ("price,item,value\npart_usd,,5\n", "part_usd without an item"),
        ("price,item,value\npart_us,400ZR,5\n", "did you mean 'part_usd'"),
        ("price,item,value\npart_usd,400ZR,5\npart_usd,400ZR,6\n", "line 3: '400ZR' stands twice"),
        ("price,value\nhorizon_years,5\nhorizon_years,6\n", "'horizon_years' stands twice"),
        ("price,item,value\npart_usd,400ZR\n", "no value"),
        ("price,value\nhorizon_years,5,6\n", "line 2: 3 cells"),
        ('price,value\n"horizon_years,5\n', "no CSV"),
    ],
)
def test_faults_of_a_csv_file_are_named(text: str, expected: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_price_csv(text, "p.csv")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("book", "expected"),
    [
        ({"part_usd": {"400RZ": 5}}, "did you mean '400ZR'"),
        ({"part_usd": {"400ZR": {"value": 5, "unit": "EUR"}}}, "state the price in USD/piece"),
        ({"fibre_install_usd_per_km": {"value": 5, "unit": "USD/mile"}}, "state the price in USD/km"),
        ({"currency": "EUR"}, "convert the prices to USD"),
        ({"labour_h": {"switches": 5}}, "did you mean 'switch'"),
        ({"equipment_lifetime_years": 0}, "longer than zero years"),
        ({"version": [1]}, "a text or number"),
    ],
)
def test_faults_of_a_book_are_named(book: dict[str, object], expected: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load_price_book(book)
    assert expected in str(caught.value)


def test_each_price_names_its_book_after_a_merge_and_a_round_trip() -> None:
    base = {"name": "document", "part_usd": {"400ZR": 1, "mux-8": 2}, "horizon_years": 4}
    merged = merge_price_books(base, {"name": "ours", "version": 2, "part_usd": {"400ZR": 3}})
    for book in (load_price_book(merged), load_price_book(merge_price_books({}, merged))):
        assert book.entry("part_usd", "400ZR").value == 3
        assert book.books["part_usd.400ZR"] == "ours 2"
        assert book.books["part_usd.mux-8"] == book.books["horizon_years"] == "document"
        assert book.books["labour_usd_per_hour"].startswith("shipped placeholder")
    unnamed = load_price_book(merge_price_books(base, {"horizon_years": 3}))
    assert (unnamed.books["horizon_years"], unnamed.books["part_usd.400ZR"]) == ("user price book", "document")
    third = load_price_book(merge_price_books(merged, {"name": "third", "part_usd": {"mux-8": 9}}))
    labels = [third.books[f"part_usd.{part}"] for part in ("400ZR", "mux-8")]
    assert labels == ["ours 2", "third"]


def test_units_of_prices() -> None:
    assert price_unit("fibre_lease_usd_per_mile_pair_month").startswith("USD/")
    assert (price_unit("part_usd"), price_unit("labour_h")) == ("USD/piece", "h/piece")
