"""Every general figure: some stage reads it, its name carries a unit, and its source is one that the sheet lists."""

from __future__ import annotations

import pytest

from tests.contracts.product import names_text
from twin.catalogue import catalogue
from twin.catalogue.parts import GENERAL_SHEET
from twin.catalogue.sheets import read_sheet
from twin.units import unit_of

UNREAD = {
    "wan_link_mtbf_h": "a published fit to hold the failure model against; tests and docs/explanation/catalogue.md",
    "wan_link_mttr_h": "a published fit to hold the failure model against; tests and docs/explanation/catalogue.md",
}
"""Figures that no stage reads, each with the reason why it is kept."""


@pytest.mark.parametrize("name", catalogue().general)
def test_something_reads_it(name: str) -> None:
    assert names_text(name) != (name in UNREAD), "read it, delete it, or say in UNREAD why it is kept"


def test_every_reason_has_its_figure() -> None:
    assert set(UNREAD) <= set(catalogue().general)


@pytest.mark.parametrize("name", catalogue().general)
def test_it_has_a_unit_and_a_source(name: str) -> None:
    figure = catalogue().general[name]
    assert unit_of(name) is not None
    assert figure.source.strip()
    assert figure.low <= figure.value <= figure.high


def test_every_source_of_the_sheet_is_used() -> None:
    sheet = read_sheet(GENERAL_SHEET)
    used = {figure["from"] for figures in sheet["figures"].values() for figure in figures.values() if "from" in figure}
    assert set(sheet["sources"]) == used
