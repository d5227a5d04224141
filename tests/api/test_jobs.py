"""Jobs of posted networks: models by name, and what is said of names that are none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.samples import campus_data, job_data


def asked(model: Any) -> dict[str, Any]:
    job = job_data(model=model, parallelism={"tp": 16}, placement=[{"site": "b"}], recompute="full", n_global_batch=8)
    return {"network": {**campus_data(), "jobs": [job], "default_job": "job", "plans": []}}


def test_a_model_by_name_is_its_shape(client: Any) -> None:
    by_name, changed = (
        client.post("/v1/score", json=asked(model)).json()
        for model in ("llama-3.1-8b", {"preset": "llama-3.1-8b", "n_sequence": 4096})
    )
    one, half = (answer["metrics"]["step_time_s"]["value"] for answer in (by_name, changed))
    assert half is not None
    assert half < one


@pytest.mark.parametrize(
    ("model", "where", "words"),
    [
        ("llama-3.1-8", "jobs[job].model", "did you mean 'llama-3.1-8b'"),
        ({"preset": "lama-3.1-8b"}, "jobs[job].model", "did you mean 'llama-3.1-8b'"),
        ({"preset": "llama-3.1-8b", "n_layer": 4}, "jobs[job].model.n_layer", "did you mean 'n_layers'"),
    ],
)
def test_a_misspelled_model_is_told_with_near_names(client: Any, model: Any, where: str, words: str) -> None:
    answer = client.post("/v1/score", json=asked(model))
    assert answer.status_code == 422
    (issue,) = answer.json()["issues"]
    assert issue["where"] == where
    assert words in f"{issue['problem']} {issue['hint']}"
