"""The stages of reliability and money, each by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.model.samples import campus_data
from tests.stages.given import NO_STEP, given, result, some
from tests.training.cases import reader
from twin.arrays import TIERS, State
from twin.catalogue import catalogue, load_price_book
from twin.errors import TopologyError
from twin.loading import from_document
from twin.reliability.interruptions import part_interruptions
from twin.reliability.outages import ABORT, LINK, Outages, no_outages
from twin.stages import money, reliability
from twin.stages.engine import Engine
from twin.stages.evaluation import Case, Evaluation
from twin.stages.outcomes import StepOutcome


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


@pytest.fixture
def evaluation() -> Evaluation:
    network = from_document(campus_data())
    engine = Engine(catalogue(), load_price_book())
    return engine.evaluate(Case(State.of(network.arrays), network.document, network.job("both")))


# --- reliability -----------------------------------------------------------------------------------------------------


def test_without_a_job_or_traffic_between_sites_nothing_fails() -> None:
    needs: dict[str, Any] = dict.fromkeys(("placement.n_allocated", "link_loads", "links_between_sites", "site_graph"))
    needs |= {"step": NO_STEP, "placement": None, "interruptions": None}
    empty = given(needs, job=None)
    assert reliability.interruptions(empty) is None
    assert reliability.links_between_sites(empty) is None
    assert reliability.work_of_sites(empty) is None
    assert reliability.site_graph(empty) is None
    assert not len(reliability.outages(empty).n_per_year)
    assert reliability.goodput(empty) is None
    failing = part_interruptions({"H100": 8}, reader())
    assert reliability.goodput(given(needs | {"interruptions": failing}, job=None)) is None
    assert reliability.goodput(given(needs, job=some())) is None


WIDE, ACCESS = TIERS.index("wide_area"), TIERS.index("access")
THREE_LINKS = {"link_ends": np.array([[0, 1], [1, 2], [2, 3]])}


def links(step: StepOutcome, wide: dict[Any, Any], crossing: tuple[Any, ...]) -> list[int] | None:
    """Three wide-area links; the loads have a row for one arc of each."""
    tiers = np.array([WIDE, WIDE, WIDE])
    state = _Columns(THREE_LINKS | {"node_site": np.array([0, 0, 1, 1])}, link_tier=tiers, n_links=3, sites=("a", "b"))
    loads = some(arc=np.array([0, 2, 5]), wide=wide, crossing=crossing)
    needs = {"link_loads": loads, "step.why": step.why, "placement": some(sites=("a", "b"))}
    found = reliability.links_between_sites(given(needs, state=state))
    return None if found is None else found.tolist()


class _Columns(dict[str, Any]):
    """Columns by name, and a few attributes."""

    def __init__(self, columns: dict[str, Any], **fields: Any) -> None:
        super().__init__(columns)
        self.__dict__.update(fields)


def test_links_between_sites_are_those_of_the_exchange_and_of_replicas_that_cross() -> None:
    first, last, none = np.array([0.5, 0.0, 0.0]), np.array([0.0, 0.0, 0.5]), np.zeros(3)
    assert links(result(), {(0, 1): first}, ()) == [0]
    assert links(result(), {}, (last, none)) == [2]
    assert links(result(), {(0, 1): first}, (last,)) == [0, 2]
    assert links(result(), {}, ()) is None
    assert links(NO_STEP, {(0, 1): first}, ()) is None


GROUPS = [some(site="a", n_stages=2), some(site="b", n_stages=1), some(site="a", n_stages=1)]


def test_the_work_of_a_site_is_that_of_its_groups() -> None:
    """Replicas per second: 4 / 2, 3 / 1, 5 / 1; together 10, of which a has 7."""
    timed = [some(n_replicas=n, stage_time_s=s) for n, s in ((4, 2.0), (3, 1.0), (5, 1.0))]
    placed = some(sites=("a", "b"), groups=GROUPS)
    found = reliability.work_of_sites(given({"placement": placed, "step": result(groups=timed)}))
    assert found == pytest.approx((0.7, 0.3))


def test_a_replica_over_all_groups_works_by_its_stages() -> None:
    placed = some(sites=("a", "b"), groups=GROUPS)
    found = reliability.work_of_sites(given({"placement": placed, "step": result(groups=[some()])}))
    assert found == (0.75, 0.25)


def goodput(rerun: Any, *sites: str, on_site_loss: str = "go_on") -> Any:
    """The goodput of a job at these sites, whose second site is lost 52 times a year for 10 h."""
    outages = Engine(catalogue(), load_price_book())
    network = from_document(campus_data() | {"jobs": [j | {"on_site_loss": "go_on"} for j in campus_data()["jobs"]]})
    evaluation = outages.evaluate(Case(State.of(network.arrays), network.document, network.job("both")))
    job = some(placement=tuple(some(site=site) for site in sites), on_site_loss=on_site_loss, recovery="restart")
    needs = {
        "interruptions": part_interruptions({"H100": 8}, reader()),
        "step": result(tokens_per_s=8.0),
        "outages": evaluation.outcome("outages"),
    }
    return reliability.goodput(given(needs, job=job, reader=reader(), rerun=rerun))


def test_a_job_goes_on_at_the_rate_of_the_sites_that_remain() -> None:
    asked: list[Any] = []

    def half(stage: str, placement: Any) -> Any:
        asked.append((stage, tuple(place.site for place in placement)))
        return result(tokens_per_s=4.0)

    def refuse(stage: str, placement: Any) -> Any:
        raise TopologyError("too small")

    slower, none, small = (goodput(rerun, "a", "b") for rerun in (half, lambda *_: NO_STEP, refuse))
    assert asked
    assert {stage for stage, _ in asked} == {"step"}
    assert {sites for _, sites in asked} <= {("a",), ("b",)}
    full = goodput(lambda *_: result(tokens_per_s=8.0), "a", "b")
    assert full.rate_ratio == 1.0
    # half the rate is lost while a site is away; what does not fit waits
    assert 1.0 - slower.rate_ratio > 0
    assert none.goodput_ratio == small.goodput_ratio < slower.goodput_ratio < full.goodput_ratio
    assert none.rate_ratio == 1.0
    assert none.waiting_ratio != slower.waiting_ratio


def test_the_only_site_of_a_job_leaves_nothing_to_go_on_with() -> None:
    """All sites count as lost: no step is asked for, and the job waits as one that stops."""

    def never(stage: str, placement: Any) -> Any:
        raise AssertionError(stage)

    waits, stops = goodput(never), goodput(None, "a", "b", on_site_loss="stop")
    assert waits.rate_ratio == stops.rate_ratio == 1.0
    assert waits.goodput_ratio == pytest.approx(stops.goodput_ratio, rel=1e-3)
    assert waits.goodput_ratio < goodput(lambda *_: result(tokens_per_s=8.0), "a", "b").goodput_ratio


def test_a_job_that_stops_asks_for_no_other_step() -> None:
    stopped = goodput(None, "a", "b", on_site_loss="stop")
    assert stopped.rate_ratio == 1.0


def test_a_step_is_asked_for_on_the_sites_that_are_not_lost() -> None:
    """Aborts lose b alone, and a and b together, of three sites."""
    asked: list[Any] = []

    def rerun(stage: str, placement: Any) -> Any:
        asked.append([place.site for place in placement])
        return result(tokens_per_s=4.0)

    twice = np.array([1.0, 1.0])
    codes = {"outage_class": np.array([ABORT, ABORT]), "lost": np.array([1, 2]), "element": np.array([LINK, LINK])}
    columns = codes | {"names": ("l", "m"), "n_per_year": twice, "repair_h": twice, "pause_s": 3600.0 * twice}
    needs = {
        "interruptions": part_interruptions({"H100": 8}, reader()),
        "step": result(tokens_per_s=8.0),
        "outages": Outages(**columns, lost_sites=((), ("b",), ("a", "b")), member_down_ratio=0.0),
    }
    places = tuple(some(site=site) for site in ("a", "b", "c"))
    job = some(placement=places, on_site_loss="go_on", recovery="restart")
    found = reliability.goodput(given(needs, job=job, reader=reader(), rerun=rerun))
    assert found is not None
    assert asked == [["a", "c"], ["c"]]
    # half the rate for 2 h of a year
    assert 1.0 - found.rate_ratio == pytest.approx(0.5 * 2.0 / (365.0 * 24.0), rel=1e-2)


def test_the_sites_of_a_graph_hold_their_own_racks_and_share_of_work(evaluation: Evaluation) -> None:
    """H100 racks at a, GB200 racks at b."""
    graph: Any = evaluation.outcome("site_graph")
    shares: Any = evaluation.outcome("work_of_sites")
    names = evaluation.case.state.node_ids
    assert [site.id for site in graph.sites] == ["a", "b"]
    assert {names[row] for row in graph.sites[0].racks} == {"a-rack-1", "a-rack-2"}
    assert {names[row] for row in graph.sites[1].racks} == {"b-rack-1", "b-rack-2"}
    assert len(shares) == len(graph.sites)
    assert shares[0] < shares[1]


def test_no_outages_between_sites_without_a_graph() -> None:
    assert reliability.outages(given({"site_graph": None})).lost_sites == no_outages().lost_sites


# --- money -----------------------------------------------------------------------------------------------------------


def test_a_job_pays_for_its_share_and_a_network_without_a_job_for_all(evaluation: Evaluation) -> None:
    """Half of the accelerators of each kind cost half of all."""
    cost, state = evaluation.money, evaluation.case.state
    allocated = cost.bill.n_accelerators
    needs: dict[str, Any] = {"money": cost, "placement": None}
    every = money.usd_per_day(given(needs, state=state, reader=reader()))
    half = some(n_allocated={kind: n / 2 for kind, n in allocated.items()})
    found = money.usd_per_day(given(needs | {"placement": half}, state=state, reader=reader()))
    assert found == pytest.approx(every / 2)
    assert every > 0


def rental(n_allocated: dict[str, int] | None) -> float | None:
    placed = None if n_allocated is None else some(n_allocated=n_allocated)
    figures = reader({"rent_usd_per_accelerator_hour": {"H100": 2.0, "GB200": 5.0}})
    return money.list_rental(given({"placement": placed}, reader=figures))


def test_list_rental_is_that_of_24_hours() -> None:
    assert rental({"H100": 10, "GB200": 3}) == 24 * (20.0 + 15.0)
    assert rental({"H100": 10, "no such kind": 3}) is None
    assert rental(None) is None
    every = reader().prices.rent_usd_per_accelerator_hour
    assert rental(dict.fromkeys(every, 1)) is not None


def lease_of(rerun: Any, evaluation: Evaluation, **changes: Any) -> Any:
    case = evaluation.case
    needs = {
        "placement": changes.get("placed", evaluation.placed),
        "step": changes.get("step", result(model_flops_per_s=1e15)),
        "goodput": some(goodput_ratio=0.75),
        "money": evaluation.money,
    }
    job = changes.get("job", case.job)
    return money.lease(given(needs, job=job, state=case.state, document=case.document, reader=reader(), rerun=rerun))


def test_the_value_of_a_site_is_the_goodput_with_it_minus_that_without(evaluation: Evaluation) -> None:
    """0.75e15 with both sites; without a: 0.5e15 of which 0.5 survives."""
    asked: list[Any] = []

    def rerun(stage: str, placement: Any) -> Any:
        asked.append((stage, [place.site for place in placement]))
        return {"step": result(model_flops_per_s=0.5e15), "goodput": some(goodput_ratio=0.5)}[stage]

    found = lease_of(rerun, evaluation)
    assert found.site == "a"
    assert found.marginal_flops_per_s == pytest.approx(0.5e15)
    assert asked == [("step", ["b"]), ("goodput", ["b"])]
    assert lease_of(lambda *_: NO_STEP, evaluation).marginal_flops_per_s == 0.75e15


def test_no_lease_without_a_step_a_job_or_a_site_that_has_a_price(evaluation: Evaluation) -> None:
    placed = evaluation.placed
    assert placed is not None
    assert lease_of(None, evaluation, step=NO_STEP) is None
    assert lease_of(None, evaluation, job=None) is None
    assert lease_of(None, evaluation, placed=some(sites=("b",))) is None
    free = some(placement=[some(site="b")])
    assert lease_of(None, evaluation, job=free) is None
