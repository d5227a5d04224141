"""Bills and the money of plans over HTTP: the same bytes as Python, and refusals."""

from __future__ import annotations

from typing import Any

import pytest

import twin
from tests.api.schemas import faults_of

PLAN = "second-pair"


def test_a_bill_is_that_of_the_python_interface(client: Any) -> None:
    posted = client.post("/v1/bill", json={"network": "memphis-small", "plan": PLAN})
    assert posted.content == twin.load("memphis-small").bill(PLAN).to_json().encode()
    assert faults_of(client, "Bill", posted.json()) == []


def test_the_money_of_a_plan_is_that_of_the_python_interface(client: Any) -> None:
    body = {"network": "memphis-small", "plan": PLAN, "horizon_years": 3, "discount_ratio_per_year": 0.2}
    posted = client.post("/v1/money", json=body)
    expected = twin.load("memphis-small").money(PLAN, horizon_years=3, discount_ratio_per_year=0.2)
    assert posted.content == expected.to_json().encode()
    assert faults_of(client, "PlanMoney", posted.json()) == []


@pytest.mark.parametrize("field", ["horizon_years", "discount_ratio_per_year", "usd_per_million_tokens"])
def test_figures_below_zero_are_refused(client: Any, field: str) -> None:
    posted = client.post("/v1/money", json={"network": "memphis-small", "plan": PLAN, field: -1})
    assert posted.status_code == 422
    assert field in posted.text


def test_readiness_is_that_of_the_python_interface(client: Any) -> None:
    posted = client.post("/v1/readiness", json={"network": "memphis-small", "plan": PLAN, "on": "2027-01-01"})
    assert posted.content == twin.load("memphis-small").readiness(PLAN, on="2027-01-01").to_json().encode()
    assert faults_of(client, "Readiness", posted.json()) == []
    refused = client.post("/v1/readiness", json={"network": "memphis-small", "on": "2020-01-01"})
    assert refused.status_code == 422
    assert "lies before as_of" in refused.text
