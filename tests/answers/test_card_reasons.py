"""Sentences on lost network cards, in the summary of a score and of an explanation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.samples import rail_data
from twin.loading import from_document


def score_text(n_failed: int = 1, **job: Any) -> str:
    data = rail_data(**job)
    data["links"][0]["n_failed"] = n_failed
    return " ".join(from_document(data).score(main_assumptions=False).to_dict()["bottlenecks"])


def test_dropped_replicas_are_counted() -> None:
    text = score_text(on_card_loss="drop_replicas")
    assert "1 network card lost: 1 of 4 members of link h1-1 is down." in text
    assert "The whole batch goes to 1 replica, without 8 accelerators (on_card_loss: drop_replicas)." in text


@pytest.mark.parametrize(
    ("spread", "who", "ratio"),
    [("all", "the cards that are left", "0.875"), ("one", "the next card that is left", "0.5")],
)
def test_pxn_says_who_carries_the_traffic_and_what_is_left(spread: str, who: str, ratio: str) -> None:
    text = score_text(on_card_loss="pxn", pxn_spread=spread)
    assert f"PXN sends their traffic over NVLink to {who}; an accelerator has {ratio} of a card at worst." in text


def test_a_job_that_stops_says_why_in_place_of_its_step() -> None:
    text = score_text()
    assert "No step: 1 of 4 members of link h1-1 is down: 1 network card lost, 8 accelerators in 1 replica idle" in text
    assert "PXN sends" not in text


def test_whole_cards_are_not_mentioned() -> None:
    assert "network card" not in score_text(n_failed=0, on_card_loss="pxn")


def test_an_explanation_says_it_too() -> None:
    data = rail_data(on_card_loss="pxn")
    data["links"][0]["up"] = False
    summary = from_document(data).explain().summary
    assert summary[0] == "4 network cards lost: link h1-1 is down."
