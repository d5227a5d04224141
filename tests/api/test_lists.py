"""What there is to ask about: topologies, parts, health."""

from __future__ import annotations

from typing import Any

import pytest
from twin.api.answers import Health, PartAnswer, PartList, TopologyAnswer, TopologyList
from twin.topologies import NETWORKS

import twin
from twin.catalogue import KINDS, catalogue


def test_topologies_are_listed_with_their_sentences(client: Any) -> None:
    answer = TopologyList.model_validate_json(client.get("/v1/topologies").content, strict=True)
    assert {row.name: row.sentence for row in answer.topologies} == NETWORKS


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_topology_is_its_compact_document_with_jobs_and_plans(client: Any, name: str) -> None:
    answer = TopologyAnswer.model_validate_json(client.get(f"/v1/topologies/{name}").content)
    document = twin.load(name).document
    assert answer.document == document
    assert [job.id for job in answer.jobs] == [job.id for job in document.jobs]
    assert [plan.id for plan in answer.plans] == [plan.id for plan in document.plans]
    assert answer.default_job == document.default_job


def test_parts_are_listed_all_or_by_kind(client: Any) -> None:
    every = PartList.model_validate_json(client.get("/v1/parts").content).parts
    assert [part.id for part in every] == [part.id for part in catalogue().parts()]
    for kind in KINDS:
        some = PartList.model_validate_json(client.get("/v1/parts", params={"kind": kind}).content).parts
        assert some == [part for part in every if part.kind == kind]


def test_a_part_has_every_figure_with_unit_range_and_source(client: Any) -> None:
    for part in catalogue().parts():
        answer = PartAnswer.model_validate_json(client.get(f"/v1/parts/{part.id}").content)
        for name, figure in part.figures.items():
            shown = answer.figures[name].model_dump()
            assert shown.pop("unit")
            assert shown == figure.model_dump()


def test_unknown_names_and_filters_are_told_with_near_ones(client: Any) -> None:
    for path, status, hint in (
        ("/v1/topologies/memphis-smal", 404, "memphis-small"),
        ("/v1/parts/G.652.E", 404, "G.652.D"),
        ("/v1/parts?kind=fibr", 422, "fibre"),
        ("/v1/parts?knid=fibre", 422, "kind"),
    ):
        answer = client.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert hint in answer.json()["issues"][0]["hint"]


def test_health_names_the_version(client: Any) -> None:
    answer = Health.model_validate_json(client.get("/v1/health").content)
    assert answer == Health(status="ok", version=twin.__version__)
