"""A digital twin of data-centre networks: optics that age, routed congestion, the training step, and the money.

>>> import twin
>>> network = twin.load("memphis-small")
>>> network.what_if("fibre-upgrade").change("step_time_s") < 0
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers.diff import Diff
    from .answers.score import Score
    from .loading import Network, from_document, load
    from .model.document import TopologyDocument
    from .model.jobs import Parallelism, Placement, TrainingJob
    from .model.known_models import known_shape
    from .model.records import Demand, Link, Node, Site, Span
    from .model.shape import ModelShape

_HOMES = {
    "Demand": "model.records",
    "Diff": "answers.diff",
    "Link": "model.records",
    "ModelShape": "model.shape",
    "Network": "loading",
    "Node": "model.records",
    "Parallelism": "model.jobs",
    "Placement": "model.jobs",
    "Score": "answers.score",
    "Site": "model.records",
    "Span": "model.records",
    "TopologyDocument": "model.document",
    "TrainingJob": "model.jobs",
    "from_document": "loading",
    "known_shape": "model.known_models",
    "load": "loading",
}
"""Public names and where they live; each is imported when first used, so that one command costs only what it uses."""

__all__ = [
    "Demand",
    "Diff",
    "Link",
    "ModelShape",
    "Network",
    "Node",
    "Parallelism",
    "Placement",
    "Score",
    "Site",
    "Span",
    "TopologyDocument",
    "TrainingJob",
    "from_document",
    "known_shape",
    "load",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "__version__":
        return import_module(".arrays", __name__).package_version()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
