"""Availability over HTTP: the same bytes as Python, and refusals."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from twin.loading import load


def test_the_answer_is_that_of_python(client: TestClient) -> None:
    body = {
        "network": "leaf-spine-demo",
        "n_states": 60,
        "n_samples": 100,
        "seed": 5,
        "top": 2,
        "loss_above_ratio": 0.3,
    }
    answer = client.post("/v1/availability", json=body)
    assert answer.status_code == 200
    found = load("leaf-spine-demo").availability(n_states=60, n_samples=100, seed=5, top=2, loss_above=0.3)
    assert answer.text == found.to_json()


@pytest.mark.parametrize(
    ("more", "status", "text"),
    [
        ({"n_states": 1}, 422, "n_states"),
        ({"loss_above": 1}, 422, "loss_above_ratio"),
        ({"job": "none"}, 404, "no job"),
        ({"plan": "none"}, 404, "no plan"),
    ],
)
def test_bad_questions_are_refused(client: TestClient, more: dict[str, Any], status: int, text: str) -> None:
    answer = client.post("/v1/availability", json={"network": "leaf-spine-demo"} | more)
    assert answer.status_code == status
    assert text in answer.text


def test_growth_is_that_of_python(client: TestClient) -> None:
    body = {"network": "leaf-spine-demo", "growth_ratio_per_year": 0.3, "of": "node", "top": 3}
    answer = client.post("/v1/growth", json=body)
    assert answer.status_code == 200
    assert answer.text == load("leaf-spine-demo").growth(growth_ratio_per_year=0.3, of="node", top=3).to_json()
    assert client.post("/v1/growth", json=body | {"network": "leaf-spine-dmo"}).status_code == 404
