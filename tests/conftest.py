"""Hypothesis draws the same examples each time, so that a test command says the same twice.

HYPOTHESIS_PROFILE=explore draws new ones, and ten times as many: for hunting, not for a gate.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

import twin.network
from twin.answers.main_assumptions import find_main_assumptions

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each worker a half of the files, and what the other leaves at the end, unless a command says otherwise.

    By default xdist deals out neighbours: then both workers compile the same kernels at the same time, and both build
    what the tests of a file share.
    """
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@pytest.fixture(autouse=True)
def few_main_assumptions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave main assumptions out of answers, since they take most of the time, except in tests marked for them."""
    none: Callable[..., tuple[()]] = lambda *_: ()  # noqa: E731
    marked = request.node.get_closest_marker("main_assumptions") is not None
    monkeypatch.setattr(twin.network, "find_main_assumptions", find_main_assumptions if marked else none)
