"""A digital twin of data-centre networks: optics that age, routed congestion, the training step, and the money.

>>> import twin
>>> network = twin.load("memphis-small")
>>> network.what_if("fibre-upgrade").change("step_time_s") < 0
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import catalogue
    from .answers.demand_table import DemandTable
    from .answers.diff import Diff
    from .answers.explanation import Explanation
    from .answers.forecast import Forecast
    from .answers.link_report import LinkReport
    from .answers.link_table import LinkTable
    from .answers.network_diff import NetworkDiff
    from .answers.path_report import PathReport
    from .answers.routing_report import RoutingReport
    from .answers.score import Score
    from .client import connect
    from .errors import CatalogueError, ChangeError, ConvergenceError, DocumentError, Issue, TopologyError, TwinError
    from .loading import diff, from_document, load
    from .model.document import TopologyDocument
    from .model.jobs import Parallelism, Placement, TrainingJob
    from .model.known_models import known_shape
    from .model.records import Demand, Link, Node, Site, Span
    from .model.shape import ModelShape
    from .network import Network
    from .planner.records import PlanReport
    from .reports import Report, report
    from .studies.availability_report import AvailabilityReport
    from .studies.decision_report import DecisionReport
    from .studies.failure_records import FailureReport
    from .studies.growth import GrowthReport
    from .studies.sample_report import SampleReport
    from .studies.sweep import Sweep

    __version__: str

_HOMES = {
    "AvailabilityReport": "studies.availability_report",
    "CatalogueError": "errors",
    "ChangeError": "errors",
    "ConvergenceError": "errors",
    "DecisionReport": "studies.decision_report",
    "Demand": "model.records",
    "DemandTable": "answers.demand_table",
    "Diff": "answers.diff",
    "DocumentError": "errors",
    "Explanation": "answers.explanation",
    "FailureReport": "studies.failure_records",
    "Forecast": "answers.forecast",
    "PlanReport": "planner.records",
    "GrowthReport": "studies.growth",
    "Issue": "errors",
    "Link": "model.records",
    "LinkReport": "answers.link_report",
    "LinkTable": "answers.link_table",
    "ModelShape": "model.shape",
    "Network": "network",
    "NetworkDiff": "answers.network_diff",
    "Node": "model.records",
    "Parallelism": "model.jobs",
    "PathReport": "answers.path_report",
    "Placement": "model.jobs",
    "RoutingReport": "answers.routing_report",
    "Report": "reports",
    "SampleReport": "studies.sample_report",
    "Score": "answers.score",
    "Site": "model.records",
    "Span": "model.records",
    "Sweep": "studies.sweep",
    "TopologyDocument": "model.document",
    "TopologyError": "errors",
    "TrainingJob": "model.jobs",
    "TwinError": "errors",
    "catalogue": "catalogue",
    "connect": "client",
    "diff": "loading",
    "from_document": "loading",
    "known_shape": "model.known_models",
    "load": "loading",
    "report": "reports",
}
"""Public names and the modules they are in; each is imported when first used, so a command pays for what it uses."""

__all__ = [
    "AvailabilityReport",
    "CatalogueError",
    "ChangeError",
    "ConvergenceError",
    "DecisionReport",
    "Demand",
    "DemandTable",
    "Diff",
    "DocumentError",
    "Explanation",
    "FailureReport",
    "Forecast",
    "GrowthReport",
    "Issue",
    "Link",
    "LinkReport",
    "LinkTable",
    "ModelShape",
    "Network",
    "NetworkDiff",
    "Node",
    "Parallelism",
    "PathReport",
    "Placement",
    "PlanReport",
    "Report",
    "RoutingReport",
    "SampleReport",
    "Score",
    "Site",
    "Span",
    "Sweep",
    "TopologyDocument",
    "TopologyError",
    "TrainingJob",
    "TwinError",
    "catalogue",
    "connect",
    "diff",
    "from_document",
    "known_shape",
    "load",
    "report",
]

if not TYPE_CHECKING:  # a type checker would take any attribute for granted

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name == "__version__":
            return import_module(".arrays", __name__).package_version()
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f".{_HOMES[name]}", __name__)
        return module if _HOMES[name] == name else getattr(module, name)


def __dir__() -> list[str]:
    """What a user needs: the public names and the version."""
    return sorted((*__all__, "__version__"))
