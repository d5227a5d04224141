"""The network that answers questions under uncertain inputs: intervals, and decisions between plans and leases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import inf
from threading import Event

from .answers.metrics import METRICS, NotApplicableError
from .catalogue.ageing import AgeingCase
from .errors import ChangeError, TwinError
from .evaluated_network import Changes, EvaluatedNetwork
from .progress import Advance
from .scenario.apply import apply_changes, parse_changes
from .scenario.changes import Change
from .stages.evaluation import Evaluation
from .studies.decision_options import (
    MAX_DEFAULT_PLANS,
    N_COSTLIEST_PLANS,
    nothing_free,
    offer_of,
    options_of,
    running_leases,
    sites_with_price,
    whole_plans,
    without_site,
)
from .studies.decision_report import DecisionReport, check_token_price, decision_report, plans_left_out
from .studies.executor import workers_of
from .studies.sample_report import SampleReport
from .studies.uncertainty import SampleSettings, run_decision, run_sample_study, sampled_cases, sampled_inputs


class SampledNetwork(EvaluatedNetwork):
    """A network with answers that say how sure they are."""

    def sample(
        self,
        plans: Sequence[Changes] = (),
        *,
        job: str | None = None,
        metric: str | None = None,
        n_samples: int = 1024,
        years: float = 0.0,
        seed: int = 0,
        tornado: bool = True,
        ageing: AgeingCase = "value",
        executor: str = "processes",
        n_workers: int = 1,
        dask: str | None = None,
        advance: Advance | None = None,
        cancel: Event | None = None,
    ) -> SampleReport:
        """Compute intervals of every metric while all uncertain inputs vary at once, and compare plans.

        Uncertain are the figures of the catalogue and of prices that have a range, and what `uncertain` of the document
        marks. Inputs vary independently; plans are compared in the same samples. The executor does not affect the
        answer.

        Args:
            plans: plans to compare with the network as it is: names, changes, or lists of changes.
            job: id of a job; the default job otherwise.
            metric: metric of the decision between the plans; None = the one that a verdict is about.
            n_samples: a power of two.
            years: years after the day of the document: fibre and optics age, and demands grow as their classes state.
            seed: seed of the samples; the same samples for the same seed.
            tornado: set each input to both ends of its range too; leave it out where only intervals matter.
            ageing: low, value (central) or high.
            executor: executor of a long study: `processes`, `threads` or `serial`.
            n_workers: maximum number of processes or threads, including the calling one.
            dask: address of a dask scheduler whose workers help, in place of an executor (extra `dask`).
            advance: called with the number of rows done and of all rows. An exception from it ends the study.
            cancel: event that another thread sets to end the study.

        Returns:
            p10, p50 and p90 of each metric and plan, how often a plan beats another, and what to measure first.

        Raises:
            ChangeError: an unknown metric or uncertain input, no power of two, or changes that cannot be built.
            CatalogueError: unknown plan or job.
            CancelledError: `cancel` was set (from `concurrent.futures`).
        """
        settings = SampleSettings(
            n_samples, seed, tornado, workers_of(executor, n_workers, None, dask), advance, cancel
        )
        cases = sampled_cases(self._scenario(None, job, ageing), self._named_changes(plans), self._reader, years)
        answer = run_sample_study(cases, self._engine, self.label, metric, settings)
        return replace(answer, warnings=self.warnings)

    def decide(
        self,
        plans: Sequence[Changes] = (),
        *,
        lease: Sequence[str] = (),
        share: Sequence[str] = (),
        jobs: Sequence[str] | None = None,
        lease_usd_per_month: float | None = None,
        power_paid_by: str | None = None,
        usd_per_million_tokens: float | None = None,
        n_samples: int = 128,
        seed: int = 0,
        tornado: bool = True,
        ageing: AgeingCase = "value",
        executor: str = "processes",
        n_workers: int = 1,
        dask: str | None = None,
        advance: Advance | None = None,
        cancel: Event | None = None,
    ) -> DecisionReport:
        """Compare doing nothing, plans and leases by net dollars a year, for each job, under uncertain inputs.

        The net is the worth of the job's tokens and rent, less cost of operation and yearly payments for purchases.

        Args:
            plans: plans to compare with doing nothing: names, changes, or lists of changes. Without plans, `lease` and
                `share`, they are two of the document, and its sites with a lease price.
            lease: sites that may be left out of the job and leased as a whole, less what tenants have already.
            share: sites of which the part that the job leaves free may be leased, beside each plan.
            jobs: ids of jobs, each decided alone in the same samples; None = all jobs of the document.
            lease_usd_per_month: rent of each whole site; None = that of the document.
            power_paid_by: `owner` or `tenant`; None = as the leases of the document state, else the owner.
            usd_per_million_tokens: price of tokens; None = what renting the cheapest accelerators for them costs.
            n_samples: a power of two.
            seed: seed of the samples.
            tornado: set each input to both ends of its range too; leave it out where only intervals matter.
            ageing: low, value (central) or high.
            executor: executor of a long study: `processes`, `threads` or `serial`.
            n_workers: maximum number of processes or threads, including the calling one.
            dask: address of a dask scheduler whose workers help, in place of an executor (extra `dask`).
            advance: called with the number of rows of a job done and of all its rows. An exception ends the study.
            cancel: event that another thread sets to end the study.

        Returns:
            Each option with intervals and its probability to be best, the rent at which that flips, and a tornado.

        Raises:
            ChangeError: no job, an unknown site or one without a lease price, or a number out of bounds.
            CatalogueError: unknown plan or job.
            CancelledError: `cancel` was set (from `concurrent.futures`).
        """
        settings = SampleSettings(
            n_samples, seed, tornado, workers_of(executor, n_workers, None, dask), advance, cancel
        )
        check_token_price(usd_per_million_tokens)
        names = [job.id for job in self.document.jobs] if jobs is None else list(jobs)
        if not names:
            raise ChangeError("there is no job whose work counts", where="jobs", hint="add one under jobs")
        state = self._scenario(None, None, ageing).case.state
        left_out: Iterable[str] = ()
        if not plans and not lease and not share:
            plans, left_out = self._default_plans()
            lease = share = sites_with_price(self.document, state)
        offers = {
            site: offer_of(
                self.document, state, site, lease_usd_per_month, power_paid_by, "lease" if site in lease else "share"
            )
            for site in dict.fromkeys([*lease, *share])
        }
        running = running_leases(self.document, state)
        asked = []
        for name in names:
            origin = self._scenario(None, name, ageing)
            leaving = {f"leave {site} out": without_site(origin.case.job, site) for site in lease}
            changes = self._named_changes(plans)
            changes |= {text: ("lease", list(parse_changes(listed))) for text, listed in leaving.items()}
            cases = sampled_cases(origin, changes, self._reader)
            options = options_of(cases, [offers[site] for site in lease], [offers[site] for site in share])
            asked.append((cases, options))
        inputs = sampled_inputs([case for cases, _ in asked for case in cases], self._engine)
        decided = []
        for cases, options in asked:
            answer = run_decision(cases, options, inputs, self._engine, usd_per_million_tokens, settings, running)
            missing = nothing_free(cases[0], [offers[site] for site in share], options)
            decided.append(replace(answer, summary=(*answer.summary, *missing)))
        report = decision_report(
            self.label, self.document, decided, offers, inputs, settings, usd_per_million_tokens, running
        )
        return replace(report, summary=(*left_out, *report.summary), warnings=self.warnings)

    def _default_plans(self) -> tuple[list[str], Iterator[str]]:
        """Return the plans that a decision without options compares, and texts about those that it leaves out.

        All plans of a document with few. Else the one with the highest goodput of the default job, and of the others
        the one that buys most; a plan that a larger one contains is left out first. A plan that cannot be built is no
        option.
        """
        known, after, broken = self.document.plans, dict[str, Evaluation](), dict[str, str]()
        for plan in known:
            try:
                after[plan.id] = self._after(plan.id)
            except TwinError as error:
                broken[plan.id] = str(error).splitlines()[0]
        buildable = [plan for plan in known if plan.id in after]
        names = [plan.id for plan in buildable]
        if len(names) > MAX_DEFAULT_PLANS:
            names = sorted(plan.id for plan in whole_plans(buildable))
            best = max(names, key=lambda name: _metric(after[name], "goodput_tokens_per_s"))
            others = [name for name in names if name != best]
            names = [best, *sorted(others, key=lambda name: -_metric(after[name], "capex_usd"))[:N_COSTLIEST_PLANS]]
        return names, plans_left_out([name for name in after if name not in names], broken)

    def _after(self, plan: str) -> Evaluation:
        """Return the network after a plan, at central values."""
        origin = self._scenario(None, None, "value")
        _, changes, _ = self._parse_changes(plan)
        return Evaluation(apply_changes(origin, changes, self._reader).case, origin.case.state, self._engine)

    def _named_changes(self, plans: Sequence[Changes]) -> dict[str, tuple[str, list[Change]]]:
        """Return place and changes of each plan by its name; lists of changes are numbered."""
        found: dict[str, tuple[str, list[Change]]] = {}
        for plan in [plans] if isinstance(plans, str) else plans:
            name = plan if isinstance(plan, str) else f"changes {len(found) + 1}"
            if name in found:
                raise ChangeError(f"plan {name!r} stands twice", where="plans", hint="name each plan once")
            where, changes, _ = self._parse_changes(plan)
            found[name] = where, changes
        return found


def _metric(e: Evaluation, name: str) -> float:
    """Return a metric of an evaluation; minus infinity where it has none."""
    try:
        return METRICS[name].compute(e)
    except (NotApplicableError, TwinError):
        return -inf
