"""Every part: units, sources and ranges of its figures, and figures that something reads."""

from __future__ import annotations

import pytest

from tests.contracts.product import names_text
from twin.catalogue import Part, catalogue
from twin.catalogue.parts import PART_SHEETS
from twin.catalogue.records import KINDS, Figure
from twin.catalogue.sheets import read_sheet
from twin.units import unit_of

PARTS = catalogue().parts()
FIGURES = sorted({name for part in PARTS for name in part.figures})
UNREAD = {
    "tdp_w": "of data sheets, of the bare accelerator; power is counted by rack_w_per_accelerator",
}
"""Figures of parts that nothing reads, each with the reason why it is kept."""


def figures(part: Part) -> dict[str, Figure]:
    """All figures of a part, those of its modes and their penalties included."""
    found = dict(part.figures)
    for i, mode in enumerate(part.modes):
        found[f"modes[{i}].required_snr_db"] = mode.required_snr_db
        found |= {f"modes[{i}].penalties[{j}].penalty_db": each.penalty_db for j, each in enumerate(mode.penalties)}
    return found


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.id)
def test_its_figures_have_units_ranges_and_sources(part: Part) -> None:
    assert part.name.strip()
    assert figures(part), "a part without a figure says nothing"
    for name, figure in figures(part).items():
        assert unit_of(name) is not None, name
        assert figure.low <= figure.value <= figure.high, name
        assert figure.source.strip(), name
        assert figure.as_of[:4].isdigit(), name


@pytest.mark.parametrize("name", FIGURES)
def test_something_reads_it(name: str) -> None:
    assert names_text(name) != (name in UNREAD), "read it, delete it, or say in UNREAD why it is kept"


def test_every_reason_has_its_figure() -> None:
    assert set(UNREAD) <= set(FIGURES)


def test_every_kind_has_a_part_and_every_sheet_too() -> None:
    assert {part.kind for part in PARTS} == set(KINDS)
    assert sum(len(read_sheet(sheet)["parts"]) for sheet in PART_SHEETS) == len(PARTS)
