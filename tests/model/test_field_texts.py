"""Texts of differences: lists say what changed in them."""

from __future__ import annotations

from typing import Any

import pytest

from twin.model.field_texts import field_texts


@pytest.mark.parametrize(
    ("before", "after", "texts"),
    [
        ({"up": True}, {"up": False}, ["up: true → false"]),
        (
            {"spans": [{"length_km": 10.0}, {"length_km": 20.0, "fibre": "OM4"}]},
            {"spans": [{"length_km": 10.0}, {"length_km": 25.5, "fibre": "OM4"}]},
            ["spans[1].length_km: 20 → 25.5"],
        ),
        (
            {"spans": [{"length_km": 10.0}]},
            {"spans": [{"length_km": 10.0}, {"length_km": 5.0}]},
            ["spans[1]: - → length_km 5"],
        ),
        ({"spans": [{"length_km": 1.0}]}, {}, ["spans[0]: length_km 1 → -"]),
        ({"srlgs": ["a", "b"]}, {"srlgs": ["a"]}, ["srlgs: 'a', 'b' → 'a'"]),
        ({"weight": [1.0, 2.0]}, {"weight": 3.0}, ["weight: 1, 2 → 3"]),
        ({"tags": list("abcdefgh")}, {}, ["tags: 'a', 'b', 'c', 'd', 'e', 'f' and 2 others → -"]),
        ({"x": 1}, {"x": 1}, []),
    ],
)
def test_a_difference_says_what_changed(before: dict[str, Any], after: dict[str, Any], texts: list[str]) -> None:
    assert field_texts(before, after) == texts
