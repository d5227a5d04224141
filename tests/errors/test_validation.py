"""What pydantic finds becomes issues in one place; the texts are those recorded from before there was one."""

from __future__ import annotations

import json

import pytest

from tests.errors.corpus import CORPUS, RECORDED, message

MESSAGES = json.loads(RECORDED.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CORPUS)
def test_a_bad_input_gives_the_recorded_text(name: str) -> None:
    assert message(name) == MESSAGES[name]


def test_every_recorded_text_has_its_input() -> None:
    assert list(MESSAGES) == list(CORPUS)
