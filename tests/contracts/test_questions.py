"""Each question of the service: a route, an operation, a class of answer, and a method of networks with its name."""

from __future__ import annotations

import dataclasses
import typing

import pytest
from twin.api.app import create_app
from twin.api.bodies import NetworkRequest
from twin.api.questions.table import QUESTIONS, Question

EACH = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.path)
PATHS = create_app(warm=False).openapi()["paths"]


@EACH
def test_a_question_has_a_route_and_an_operation_named_after_it(question: Question) -> None:
    operation = PATHS[f"/v1/{question.path}"]["post"]
    assert operation["operationId"] == question.name
    assert operation["description"] == question.summary
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert answer == {"$ref": f"#/components/schemas/{question.answer.__name__}"}
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith(question.request.__name__)


@EACH
def test_a_question_is_typed_and_has_examples(question: Question) -> None:
    hints = typing.get_type_hints(question.compute)
    assert hints["request"] is question.request
    assert issubclass(question.request, NetworkRequest)
    assert dataclasses.is_dataclass(hints["return"])
    assert question.examples


def test_paths_are_distinct() -> None:
    assert len({question.path for question in QUESTIONS}) == len(QUESTIONS)
