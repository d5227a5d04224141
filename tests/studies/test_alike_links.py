"""Alike links: they stand for each other in a report, and do the same to the job as each of them by itself."""

from __future__ import annotations

import pytest

import twin
from twin.errors import TopologyError
from twin.studies.failure_records import FailureReport
from twin.studies.study_bounds import StudyBounds


def failures(network: str, bounds: StudyBounds, patch: pytest.MonkeyPatch) -> FailureReport:
    patch.setattr("twin.planning_network.BRIEF_BOUNDS", bounds)
    return twin.load(network).failures(of="link", brief=True)


def test_alike_links_do_the_same_as_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    alike = failures("two-campus", StudyBounds(alike_above_s=0.0), monkeypatch)
    exact = twin.load("two-campus").failures(of="link")
    assert alike.n_job_classes is not None
    assert exact.n_job_classes is not None
    assert alike.n_job_classes <= exact.n_job_classes
    assert alike.failures == exact.failures
    assert any("alike" in line for line in alike.summary)
    assert not any("alike" in line for line in exact.summary)


def test_a_study_that_is_too_long_is_refused_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TopologyError, match=r"classes of failures of job .* take some \d+ s"):
        failures("memphis-small", StudyBounds(most_s=1e-6), monkeypatch)
    with pytest.raises(TopologyError, match="destinations take some"):
        failures("leaf-spine-demo", StudyBounds(most_s=1e-9), monkeypatch)
