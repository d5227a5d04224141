"""The table of questions: one row for each, from which routes, schemas, runs and clients are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from twin.errors import ChangeError

from .. import bodies, examples, study_bodies
from ..csv_tables import Form, csv_text
from . import basic, studies, sweeps, tables
from .context import Context


class QuestionAnswer(Protocol):
    """An answer of the twin."""

    def to_json(self, *, fields: Iterable[str] | None = None) -> str:
        """Return the answer, or some of its fields, as JSON."""

    def to_dict(self, fields: Iterable[str] | None = None) -> dict[str, Any]:
        """Return the answer, or some of its fields, as plain data."""


class Question(NamedTuple):
    """One question that the service answers."""

    path: str
    """Last part of its address: `what-if` of `/v1/what-if`."""
    request: type[bodies.NetworkRequest]
    compute: Callable[[Any, Context], QuestionAnswer]
    """Computes the answer. Its return annotation is the class of the answer, its docstring the description."""
    examples: dict[str, dict[str, Any]]
    """Example bodies by title."""
    is_long: bool = False
    """It may take minutes, so it has an engine of its own and can be asked as a run."""

    @property
    def name(self) -> str:
        """Return its name in code: the operation of OpenAPI, and the method of clients."""
        return self.path.replace("-", "_")

    @property
    def answer(self) -> type:
        """Return the class of the answer."""
        answer: type = vars(_MODULES[self.compute.__module__])[self.compute.__annotations__["return"]]
        return answer

    @property
    def summary(self) -> str:
        """Return what the question returns, as one sentence."""
        return self.compute.__doc__ or ""

    def ask(self, request: bodies.NetworkRequest, context: Context, form: Form = "json") -> str:
        """Return the answer to a validated request, as JSON or CSV.

        Raises:
            ChangeError: fields are chosen from a CSV.
        """
        if form == "json":
            return self.compute(request, context).to_json(fields=request.fields)
        if request.fields is not None:
            raise ChangeError("fields are chosen from JSON alone", where="fields", hint="leave them out for CSV")
        return csv_text(self.path, self.compute(request, context).to_dict(), self.answer)


_MODULES = {module.__name__: module for module in (basic, tables, studies, sweeps)}
QUESTIONS: tuple[Question, ...] = (
    Question("score", bodies.ScoreRequest, basic.score, examples.SCORE_EXAMPLES),
    Question("what-if", bodies.WhatIfRequest, basic.what_if, examples.WHAT_IF_EXAMPLES),
    Question("preview", bodies.PreviewRequest, basic.preview, examples.WHAT_IF_EXAMPLES),
    Question("diff", bodies.DiffRequest, tables.diff, examples.DIFF_EXAMPLES),
    Question("compare", bodies.CompareRequest, tables.compare, examples.COMPARE_EXAMPLES),
    Question("explain", bodies.ExplainRequest, basic.explain, examples.EXPLAIN_EXAMPLES),
    Question("forecast", bodies.ForecastRequest, basic.forecast, examples.FORECAST_EXAMPLES),
    Question("links", bodies.LinksRequest, tables.links, examples.LINKS_EXAMPLES),
    Question("link", bodies.LinkRequest, basic.link, examples.LINK_EXAMPLES),
    Question("drawing", bodies.DrawingRequest, basic.drawing, examples.DRAWING_EXAMPLES),
    Question("path", bodies.PathRequest, basic.path, examples.PATH_EXAMPLES),
    Question("demands", bodies.DemandsRequest, tables.demands, examples.DEMANDS_EXAMPLES),
    Question("leases", bodies.LeasesRequest, basic.leases, examples.LEASES_EXAMPLES),
    Question("bill", bodies.BillRequest, tables.bill, examples.WHAT_IF_EXAMPLES),
    Question("money", bodies.MoneyRequest, tables.money, examples.MONEY_EXAMPLES),
    Question("readiness", bodies.ReadinessRequest, tables.readiness, examples.READINESS_EXAMPLES),
    Question("schedule", study_bodies.ScheduleRequest, studies.schedule, examples.SCHEDULE_EXAMPLES, is_long=True),
    Question("sweep", study_bodies.SweepRequest, sweeps.sweep, examples.SWEEP_EXAMPLES, is_long=True),
    Question("failures", study_bodies.FailuresRequest, studies.failures, examples.FAILURES_EXAMPLES, is_long=True),
    Question(
        "availability",
        study_bodies.AvailabilityRequest,
        studies.availability,
        examples.AVAILABILITY_EXAMPLES,
        is_long=True,
    ),
    Question("growth", study_bodies.GrowthRequest, studies.growth, examples.GROWTH_EXAMPLES, is_long=True),
    Question("optimum", study_bodies.OptimumRequest, studies.optimum, examples.OPTIMUM_EXAMPLES, is_long=True),
    Question("plan", study_bodies.PlanRequest, studies.plan, examples.PLAN_EXAMPLES, is_long=True),
    Question("sample", study_bodies.SampleRequest, studies.sample, examples.SAMPLE_EXAMPLES, is_long=True),
    Question("decide", study_bodies.DecideRequest, studies.decide, examples.DECIDE_EXAMPLES, is_long=True),
    Question("report", study_bodies.ReportRequest, studies.report, examples.REPORT_EXAMPLES, is_long=True),
)
QUESTION_BY_PATH = {question.path: question for question in QUESTIONS}
