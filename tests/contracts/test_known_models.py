"""Every model by name: it loads, has the parameters that its source states, and names that source."""

from __future__ import annotations

import pytest

from tests.model.samples import campus_data, changed, network
from twin.model.known_models import MODELS, known_shape

REL = 0.04
"""Sources round, and leave out or count small matrices in different ways."""


@pytest.mark.parametrize("name", MODELS)
def test_it_has_the_parameters_that_its_source_states(name: str) -> None:
    shape, row = known_shape(name), MODELS[name]
    assert shape.n_parameters() == pytest.approx(row.n_parameters, rel=REL)
    assert shape.n_parameters(active=True) == pytest.approx(row.n_parameters_active, rel=REL)
    assert row.n_parameters_active <= row.n_parameters
    assert row.source.strip()


@pytest.mark.parametrize("name", MODELS)
def test_a_job_may_name_it(name: str) -> None:
    data = changed(campus_data(), "jobs", "alone", model=name)
    (job,) = (job for job in network(data).document.jobs if job.id == "alone")
    assert job.model == known_shape(name)
