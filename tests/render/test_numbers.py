"""Figures as text for people."""

from __future__ import annotations

from typing import Any

import pytest

from twin.render.numbers import cell_text, level_text, number_text, seconds_text, short_text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "s", "–"),
        (1.23456, "s", "1.235 s"),
        (1234.5, "Gb/s", "1,234 Gb/s"),
        (3.0, "1", "3"),
        (0.25, "1", "0.25"),
        (2_500_000.0, "USD", "$2.5M"),
        (-3e9, "USD/a", "−$3B/a"),
        (-0.25, "1", "−0.25"),
        (999.0, "USD", "$999"),
    ],
)
def test_a_number_has_four_digits_and_its_unit(value: float | None, unit: str, text: str) -> None:
    assert number_text(value, unit) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (12.345, "12.3"), (1234.0, "1.23k"), (-5.5e6, "-5.5M"), (2e9, "2B")]
)
def test_a_short_number_has_three_digits_and_a_letter(value: float | None, text: str) -> None:
    assert short_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (1.234567, "1.2346"),
        (7, "7"),
        ("up", "up"),
        (True, "True"),
        (400000.0, "400,000"),
        (99999.7, "100,000"),
    ],
)
def test_a_cell_holds_anything(value: Any, text: str) -> None:
    assert cell_text(value) == text


@pytest.mark.parametrize(("value_s", "text"), [(0.0, "0 s"), (4e-7, "0 s"), (0.0123, "12.3 ms"), (2.345, "2.35 s")])
def test_seconds_turn_into_milliseconds(value_s: float, text: str) -> None:
    assert seconds_text(value_s) == text


def test_a_level_is_a_power_until_it_is_a_ratio() -> None:
    assert level_text({"level_dbm": -3.456, "level_db": None}) == "-3.46 dBm"
    assert level_text({"level_dbm": None, "level_db": 17.0}) == "17.00 dB"
