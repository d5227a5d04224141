"""The page about the catalogue tells the figures as the sheets have them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from twin.catalogue import catalogue

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "catalogue.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1:4] for line in PAGE.splitlines() if line.startswith("| `")]
SUMMED_UP = {
    name for name in catalogue().general if re.match(r"n_pfc_quanta_|pfc_signal_speed_m_per_s|pfc_quantum_bytes", name)
}


def shown(number: float) -> str:
    return f"{number:.4g}" if abs(number) >= 1e6 else f"{number:g}"


def told() -> dict[str, str]:
    """What the table says of each figure: `value (low to high)`."""
    found = {}
    for names, figures, _ in ROWS:
        for name, figure in zip(re.findall(r"`(\w+)`", names), figures.strip().split(", "), strict=False):
            found[name] = figure
    return found


@pytest.mark.parametrize("name", sorted(set(catalogue().general) - SUMMED_UP))
def test_the_page_tells_each_general_figure(name: str) -> None:
    figure = catalogue().general[name]
    assert told()[name] == f"{shown(figure.value)} ({shown(figure.low)} to {shown(figure.high)})"


def test_the_page_names_nothing_that_is_not_there() -> None:
    assert set(told()) - SUMMED_UP <= set(catalogue().general)
