"""The causes of a step, as the stages hand them on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.training.cases import reader, state_of
from tests.training.steps import EVALUATOR, evaluated, sites
from twin.errors import ChangeError
from twin.stages.causes import step_causes
from twin.stages.evaluation import Case

TWO = {"a": [("H100", 8)] * 2, "b": [("H100", 8)] * 2}


def data_with(*demands: dict[str, Any]) -> dict[str, Any]:
    return sites(TWO, wide_gbps=100.0, km=500.0, parallelism={"tp": 8}) | {"demands": list(demands)}


@pytest.mark.parametrize("offered_gbps", [0.0, 60.0])
def test_with_all_causes_the_step_is_that_of_the_score(offered_gbps: float) -> None:
    """With demands in the background as well, which leave the job less of the links."""
    beside = {"id": "d", "source": "a-00", "target": "b-00", "offered_gbps": offered_gbps}
    evaluation = evaluated(data_with(*[beside] * (offered_gbps > 0)))
    told: list[str] = []
    found = step_causes(evaluation, reader(), told.append)
    assert evaluation.step is not None
    assert found.step_time_s == pytest.approx(evaluation.step.step_time_s, rel=1e-9)
    assert found.saved_s("delay") > 0
    assert found.saved_s("interconnect") > 0
    assert told


def test_demands_in_the_background_make_the_step_longer() -> None:
    beside = {"id": "d", "source": "a-00", "target": "b-00", "offered_gbps": 60.0}
    one, other = (evaluated(data_with(*demands)).step for demands in ([], [beside]))
    assert one is not None
    assert other is not None
    assert other.step_time_s > one.step_time_s


def test_without_a_step_there_is_nothing_to_explain() -> None:
    data = data_with()
    data["links"] = [link for link in data["links"] if link["id"] != "wan-ab"]
    with pytest.raises(ChangeError, match="no step to explain") as found:
        step_causes(evaluated(data), reader())
    assert found.value.where == "explain"
    assert found.value.hint.startswith("no path for wide-area traffic from a-0")
    with pytest.raises(ChangeError, match="no step to explain"):
        step_causes(EVALUATOR.evaluate(Case(*state_of(data), None)), reader())
