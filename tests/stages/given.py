"""The inputs of one stage, given by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from twin.stages.outcomes import StepOutcome
from twin.stages.stage import Inputs


class _Given(SimpleNamespace):
    """Fields such as `state`, and outcomes of stages."""

    def __getitem__(self, need: str) -> Any:
        return self.outcomes[need]


def given(outcomes: dict[str, Any] | None = None, **fields: Any) -> Inputs:
    """Inputs of a stage: outcomes by need; state, document, job, reader, rerun as fields."""
    return cast(Inputs, _Given(outcomes=outcomes or {}, **({"sharing": None} | fields)))


class _Record(SimpleNamespace):
    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


def some(**fields: Any) -> Any:
    """A record of which only these fields are read; those of a state by name too."""
    return _Record(**fields)


def result(**fields: Any) -> StepOutcome:
    """A step of which only these fields are read."""
    return StepOutcome(some(**fields))


NO_STEP = StepOutcome(None, "no path")
