"""Questions of capacity planning over HTTP: failures, availability, growth and the best routing, bounded in time."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import TypeVar

from fastapi import Request, Response

from twin.errors import ChangeError
from twin.network import Network

from .bodies import (
    AvailabilityRequest,
    ChangedNetworkRequest,
    DecideRequest,
    FailuresRequest,
    GrowthRequest,
    OptimumRequest,
    PlanRequest,
    SampledRequest,
    SampleRequest,
)
from .body_reader import read_body
from .long_questions import LongQuestions, advance_until
from .networks import Networks, check_job, check_names
from .problems import find

MAX_FAILURES_S = 120.0
"""Longest time of a study of failures or of availability, seconds."""
MAX_OPTIMUM_WORK = 20_000_000
"""Nodes with demands to send times nodes and links: 120 of `memphis`, all of a fat tree of 320 switches."""
HINT = "ask for another kind; the command and Python compute failures without this bound"
STATES_HINT = "ask for fewer states or samples; the command and Python have no such bound"

SAMPLES_HINT = "ask for fewer samples or plans; the command and Python have no such bound"
PLAN_HINT = "give fewer candidates and `generate: false`; the command and Python have no such bound"

RequestT = TypeVar("RequestT", bound=ChangedNetworkRequest)
SampledT = TypeVar("SampledT", bound=SampledRequest)


class Planning:
    """Answers questions of capacity planning one after the other."""

    def __init__(
        self, networks: Networks, questions: LongQuestions, max_failures_s: float, max_optimum_work: int
    ) -> None:
        self._networks, self._questions = networks, questions
        self._max_failures_s, self._max_optimum_work = max_failures_s, max_optimum_work

    async def failures(self, body: bytes, request: Request) -> Response:
        """Return what each failure loses, as JSON."""
        return await self._questions.answer(request, partial(self._read, body, FailuresRequest), self._failures)

    async def availability(self, body: bytes, request: Request) -> Response:
        """Return how much of the time demands, pairs of sites and jobs are served, as JSON."""
        return await self._questions.answer(request, partial(self._read, body, AvailabilityRequest), self._availability)

    async def plan(self, body: bytes, request: Request) -> Response:
        """Return the best set of changes, as JSON."""
        return await self._questions.answer(request, partial(self._read_plan, body), self._plan)

    async def growth(self, body: bytes, request: Request) -> Response:
        """Return when the first link passes a limit, as JSON."""
        return await self._questions.answer(request, partial(self._read, body, GrowthRequest), self._growth)

    async def optimum(self, body: bytes, request: Request) -> Response:
        """Return how good routing could be, as JSON."""
        return await self._questions.answer(request, partial(self._read, body, OptimumRequest), self._optimum)

    async def sample(self, body: bytes, request: Request) -> Response:
        """Return intervals of every metric under uncertain inputs, as JSON."""
        return await self._questions.answer(request, partial(self._read_sampled, body, SampleRequest), self._sample)

    async def decide(self, body: bytes, request: Request) -> Response:
        """Return plans and leases by net dollars a year, as JSON."""
        return await self._questions.answer(request, partial(self._read_sampled, body, DecideRequest), self._decide)

    def _read_sampled(self, body: bytes, model: type[SampledT]) -> tuple[SampledT, Network]:
        request = read_body(body, model)
        network = self._networks.get_separate(request.network)
        find(lambda: (network.job(request.job), [network.plan_record(plan) for plan in request.plans]))
        return request, network

    def _sample(self, asked: tuple[SampleRequest, Network], client_gone: Event) -> str:
        request, network = asked
        answer = network.sample(
            request.plans,
            job=request.job,
            metric=request.metric,
            n_samples=request.n_samples,
            years=request.years,
            seed=request.seed,
            ageing=request.ageing,
            executor="serial",
            advance=advance_until(client_gone, self._max_failures_s, "samples", "a study", "n_samples", SAMPLES_HINT),
        )
        return answer.to_json(fields=request.fields)

    def _decide(self, asked: tuple[DecideRequest, Network], client_gone: Event) -> str:
        request, network = asked
        answer = network.decide(
            request.plans,
            lease=request.lease,
            share=request.share,
            jobs=None if request.job is None else (request.job,),
            lease_usd_per_month=request.lease_usd_per_month,
            power_paid_by=request.power_paid_by,
            usd_per_million_tokens=request.usd_per_million_tokens,
            n_samples=request.n_samples,
            seed=request.seed,
            ageing=request.ageing,
            executor="serial",
            advance=advance_until(client_gone, self._max_failures_s, "samples", "a study", "n_samples", SAMPLES_HINT),
        )
        return answer.to_json(fields=request.fields)

    def _read(self, body: bytes, model: type[RequestT]) -> tuple[RequestT, Network]:
        request = read_body(body, model)
        network = self._networks.get_separate(request.network)
        check_names(network, request)
        return request, network

    def _read_plan(self, body: bytes) -> tuple[PlanRequest, Network]:
        request = read_body(body, PlanRequest)
        network = self._networks.get_separate(request.network)
        check_job(network, request.job)
        return request, network

    def _plan(self, asked: tuple[PlanRequest, Network], client_gone: Event) -> str:
        request, network = asked
        answer = network.plan(
            budget_usd=request.budget_usd,
            goal=request.goal,
            target=request.target,
            keep=request.keep,
            until=request.until,
            by=request.by,
            lead_days=request.lead_days,
            robust_to=request.robust_to,
            candidates=request.candidates,
            generate=request.generate,
            job=request.job,
            ageing=request.ageing,
            advance=advance_until(client_gone, self._max_failures_s, "sets", "a plan", "candidates", PLAN_HINT),
        )
        return answer.to_json(fields=request.fields)

    def _failures(self, asked: tuple[FailuresRequest, Network], client_gone: Event) -> str:
        request, network = asked
        answer = network.failures(
            of=request.of,
            job=request.job,
            depth=request.depth,
            sample=request.sample,
            seed=request.seed,
            changes=request.plan_or_changes,
            top=request.top,
            ageing=request.ageing,
            advance=advance_until(client_gone, self._max_failures_s, "failures", "a study", "of", HINT),
        )
        return answer.to_json(fields=request.fields)

    def _availability(self, asked: tuple[AvailabilityRequest, Network], client_gone: Event) -> str:
        request, network = asked
        answer = network.availability(
            job=request.job,
            changes=request.plan_or_changes,
            rest_below=request.rest_below_ratio,
            n_states=request.n_states,
            n_samples=request.n_samples,
            seed=request.seed,
            loss_above=request.loss_above_ratio,
            top=request.top,
            ageing=request.ageing,
            advance=advance_until(client_gone, self._max_failures_s, "steps", "a study", "n_states", STATES_HINT),
        )
        return answer.to_json(fields=request.fields)

    def _growth(self, asked: tuple[GrowthRequest, Network], _: Event) -> str:
        request, network = asked
        answer = network.growth(
            rates=request.rates,
            growth_ratio_per_year=request.growth_ratio_per_year,
            limit_ratio=request.limit_ratio,
            of=request.of,
            until=request.until,
            top=request.top,
            member_usd=request.member_usd,
            changes=request.plan_or_changes,
            ageing=request.ageing,
        )
        return answer.to_json(fields=request.fields)

    def _optimum(self, asked: tuple[OptimumRequest, Network], _: Event) -> str:
        request, network = asked
        self._check_optimum(network)
        answer = network.optimum(gap_ratio=request.gap_ratio, changes=request.plan_or_changes, ageing=request.ageing)
        return answer.to_json(fields=request.fields)

    def _check_optimum(self, network: Network) -> None:
        demands = (*network.document.demands, *network.generated_demands)
        n_sources = len({demand.source for demand in demands})
        n_records = network.arrays.n_nodes + network.arrays.n_links
        n_allowed = max(self._max_optimum_work // max(n_records, 1), 1)
        if n_sources > n_allowed:
            raise ChangeError(
                f"demands from {n_sources:,} nodes over {n_records:,} nodes and links are too many at once",
                where="network",
                expected=f"demands from at most {n_allowed:,} nodes of this network",
                hint="let demands enter at leaves; the command and Python have no such bound",
            )
