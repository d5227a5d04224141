"""Quantities as text: frequencies, durations, shares, changes."""

from __future__ import annotations

import pytest

from twin.errors.wording import counted
from twin.render.numbers import change_cell, metric_cell, metric_text
from twin.render.quantities import (
    MINUS,
    bytes_text,
    change_percent_text,
    frequency_text,
    hours_text,
    is_noise,
    names_text,
    percent_text,
    usd_text,
)


@pytest.mark.parametrize(
    ("n_per_year", "text"),
    [
        (0.0, "never"),
        (0.054, "once in 19 years"),
        (0.3, "once in 3.3 years"),
        (5e-8, "once in 20 million years"),
        (6e-44, "less than once in a billion years"),
        (1.0, "once a year"),
        (4.0, "4 a year"),
        (250.0, "250 a year"),
        (1.56 * 365.25, "1.6 a day"),
        (25 * 365.25, "25 a day"),
    ],
)
def test_frequencies(n_per_year: float, text: str) -> None:
    assert frequency_text(n_per_year) == text


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0.05 / 3600, "0.05 s"), (1 / 6, "10 min"), (12.059, "12 h"), (100.0, "4.2 days"), (1.27e5, "14 years")],
)
def test_durations(hours: float, text: str) -> None:
    assert hours_text(hours) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.4222, "42.2 %"),
        (1.0, "100 %"),
        (0.9998, "99.98 %"),
        (0.999999, "99.9999 %"),
        (2.12, "212 %"),
        (19.9, "1,990 %"),
        (697.6, "698 times"),
        (-0.05, "−5 %"),
    ],
)
def test_shares(ratio: float, text: str) -> None:
    assert percent_text(ratio) == text


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (5.737, 3.258, "−43 %"),
        (1.0, 1.05, "+5.0 %"),
        (1000.0, 999.86, "−0.014 %"),
        (1.0, 1.0 + 1e-9, "0 %"),
        (0.0, 3.0, ""),
        (-1.0, 1.0, ""),
        (100.0, 300.0, "+200 %"),
    ],
)
def test_changes_as_per_cent(before: float, after: float, text: str) -> None:
    assert change_percent_text(before, after) == text


def test_rounding_is_no_change() -> None:
    assert is_noise(11_952_574.0, 11_952_574.0 - 1.5)
    assert not is_noise(1.0, 1.001)
    assert change_cell("goodput_ratio", 0.7736, 0.7736 - 1.39e-7) == "0"
    assert change_cell("goodput_tokens_per_s", 6e6, 6e6 - 1.509) == "0"


def test_metrics_for_readers() -> None:
    assert metric_cell("max_link_utilisation_ratio", 0.6789) == "67.9 %"
    assert metric_cell("training_loss_ratio", 1.004) == "1.004"
    assert metric_cell("step_time_s", None) == "–"
    assert metric_cell("lease_break_even_usd_per_month", -54.75e6) == "−$54.75M"
    assert metric_text("opex_usd_per_year", 1.814e9) == "$1.814B per year"
    assert metric_text("n_links_below_margin", 3.0) == "3"
    assert metric_text("worst_rtt_us", 276.1) == "276.1 µs"
    assert change_cell("max_link_utilisation_ratio", 0.6789, 0.1355) == "−54.3 pp"
    assert change_cell("capex_usd", 0.0, 5.456e6) == "+$5.456M"
    assert change_cell("step_time_s", 5.737, 3.258) == "−2.479"


def test_money_bytes_counts_and_names() -> None:
    assert [usd_text(usd) for usd in (1.25e9, 5.456e6, -253_549.0, 999.0, 0.0)] == [
        "$1.25B",
        "$5.46M",
        "−$254k",
        "$999",
        "$0",
    ]
    assert [bytes_text(n) for n in (11.688e6, 165e3, 8e9, 12.0)] == ["11.7 MB", "165 kB", "8 GB", "12 B"]
    assert [counted(n, "link") for n in (1, 2, 1000)] == ["1 link", "2 links", "1,000 links"]
    assert names_text(["a", "b", "c"]) == "a, b, c"
    assert names_text(["a", "b", "c", "d", "e"], 2) == "a, b and 3 more"


def test_money_has_four_digits_from_ten_billion_on() -> None:
    assert [usd_text(usd) for usd in (9.99e9, 26.04e9, -10e9)] == ["$9.99B", "$26.04B", f"{MINUS}$10B"]
