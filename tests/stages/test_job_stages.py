"""The stages of a job, each by hand: what they find without a job, and how they join what others found."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.model.samples import network
from tests.stages.given import NO_STEP, given, result, some
from tests.training.cases import reader, state_of
from tests.training.steps import EVALUATOR, evaluated, sites
from twin.arrays import TIERS
from twin.catalogue import catalogue
from twin.errors import TopologyError
from twin.optics.pfc_headroom import PfcHeadroom
from twin.stages import training
from twin.stages.engine import need_of
from twin.stages.evaluation import Case
from twin.stages.table import STAGES
from twin.traffic.hash_law import PhaseTimes
from twin.training.phase_balancing import BalancingLimits
from twin.training.phase_capacity import FLOW_KINDS
from twin.workload.local_sgd import LOSS_FIGURES, loss_penalty

TWO = {"a": [("H100", 8)] * 2, "b": [("H100", 8)] * 2}


def test_without_a_job_its_stages_have_nothing() -> None:
    needs = dict.fromkeys(
        (
            "allocation",
            "placement",
            "rack_flows",
            "rail_exchange",
            "job_flows",
            "job_pairs",
            "unit_link_loads",
            "link_loads",
            "flow_goodput",
            "job_capacity.gbps",
            "hashed_flows",
            "free_capacity",
        )
    )
    empty = given(needs, job=None, state=some())
    stages = [training.allocation, training.cards, training.placement, training.rack_flows, training.rail_exchange]
    stages += [training.job_flows, training.job_pairs, training.job_routes]
    stages += [training.unit_link_loads, training.link_loads, training.clean_link_loads, training.accelerators]
    stages += [training.arc_rates, training.flow_goodput]
    stages += [training.hashed_flows, training.free_capacity, training.job_capacity]
    assert [stage(empty) for stage in stages] == [None] * len(stages)
    assert training.hash_collisions(empty) == {}
    assert training.unstated_capacity(given({"step": NO_STEP}, job=None)) == ()
    assert training.unstated_balancing(given({"unstated_capacity": ()}, job=None)) == ()
    assert training.why_rates_unknown(empty) == ""
    assert training.step(empty).step is None
    assert training.step(empty).why == "the document has no job"
    assert training.loss(given({"step": NO_STEP}, job=None)) is None


def test_each_site_that_is_not_there_is_named() -> None:
    places = [some(site=site) for site in ("x", "a", "y")]
    inputs = given(job=some(id="j", placement=places), state=some(sites=("a", "b")))
    with pytest.raises(TopologyError) as found:
        training.allocation(inputs)
    assert [issue.problem for issue in found.value.issues] == ["no site 'x'", "no site 'y'"]
    assert "jobs[j].placement" in str(found.value)


def test_a_stated_split_that_leaves_micro_batches_out_is_an_error() -> None:
    places = [{"site": "a", "n_micro_batches": 1}, {"site": "b", "n_micro_batches": 1}]
    with pytest.raises(TopologyError, match="stated split") as found:
        evaluated(sites(TWO, split="stated", placement=places, parallelism={"tp": 8}))
    assert "jobs[j]" in str(found.value)


def test_demands_leave_the_job_the_rest() -> None:
    """Arcs 2, 0 of 400, 100 Gb/s: demands carry 100 and 50. Arc 2 loses frames in pauses."""
    needs: dict[str, Any] = {
        "link_loads": some(arc=np.array([2, 0])),
        "health.arc_sending_gbps": np.array([100.0, 7.0, 400.0, 7.0]),
        "health.arc_member_gbps": np.array([50.0, 7.0, 400.0, 7.0]),
        "health.loss_ratio": np.array([0.5, 0.25]),
        "health.headroom": PfcHeadroom(np.array([2, 3]), *(np.ones(2) for _ in range(5))),
        "demands.arc_carried_gbps": None,
    }
    state = some(link_tier=np.array([TIERS.index("access"), TIERS.index("fabric")]))
    alone = training.arc_rates(given(needs, state=state))
    assert alone is not None
    assert alone.available_gbps.tolist() == [400.0, 100.0]
    assert alone.member_gbps.tolist() == [400.0, 50.0]
    assert alone.loss_ratio.tolist() == [0.25, 0.5]
    assert alone.loses_in_pauses.tolist() == [True, False]
    assert alone.is_access.tolist() == [False, True]
    carried = {"demands.arc_carried_gbps": np.array([50.0, 0.0, 100.0, 0.0])}
    shared = training.arc_rates(given(needs | carried, state=state))
    assert shared is not None
    assert shared.available_gbps.tolist() == [300.0, 50.0]


def test_each_phase_has_the_efficiency_of_its_own_flows() -> None:
    """One phase ends at 1 s or 2 s, half of the jobs each, and would end at 1 s; the others do not hash."""
    times = PhaseTimes(1.0, np.array([1.0, 2.0]), np.array([0.5, 1.0]))
    free = BalancingLimits(dict.fromkeys(FLOW_KINDS, np.array([400.0, 100.0])), {})
    found = training.job_capacity(given({"free_capacity": free, "hash_collisions": {"wide_area": times}}, sharing=None))
    assert found is not None
    assert [found.gbps[kind].tolist() for kind in FLOW_KINDS] == [[400.0, 100.0]] * 6
    assert [found.efficiency_ratio[kind] for kind in FLOW_KINDS] == [1.0, 1.0, 1.0, 1.0, 1.0, 0.75]


def test_flows_of_a_phase_limit_its_capacity() -> None:
    """Windows leave 300 of 400 and 40 of 50 Gb/s."""
    flows = some(gbps=np.array([300.0, 40.0]), line_ratio=np.array([1.0, 0.8]))
    needs: dict[str, Any] = {
        "flow_goodput": {"wide_area": some(flows=flows)},
        "arc_rates.available_gbps": np.array([400.0, 50.0]),
    }
    found = training.free_capacity(given(needs))
    assert found is not None
    assert found.gbps["wide_area"].tolist() == [300.0, 40.0]
    assert found.gbps["local"].tolist() == [400.0, 50.0]
    assert found.line_gbps["wide_area"].tolist() == [400.0, 40.0]


LINKS = some(link_ids=("l", "m", "n"), link_at_roadm=np.zeros(3, np.bool_))


def why(unknown: list[bool], carried: list[float] | None, capacity: list[float] | None) -> str:
    """The job uses both arcs of link l and one of link m."""
    needs = {
        "job_capacity.gbps": None if capacity is None else {"local": np.array([1.0]), "expert": np.array(capacity)},
        "health.rate_unknown": np.array(unknown),
        "link_loads.arc": np.array([0, 1, 3]),
        "demands.arc_carried_gbps": None if carried is None else np.array(carried),
    }
    return training.why_rates_unknown(given(needs, state=LINKS))


def test_the_unknown_rates_named_are_those_of_the_job_else_of_the_demands_beside_it() -> None:
    nan = float("nan")
    assert why([False, True, True], None, [1.0, 1.0, nan]) == "rate of 1 link unknown: m"
    assert why([False, False, True], [1, nan, 1, 1, nan, 1], [1.0, nan, 1.0]) == "rate of 1 link unknown: n"
    assert why([True, False, True], [1, nan, 1, 1, nan, 1], [nan, nan, 1.0]) == "rate of 1 link unknown: l"
    assert why([True, False, True], None, [1.0, 1.0, 1.0]) == ""
    assert why([True, False, True], None, None) == ""


def why_no_step(why_stopped: str = "", crosses_rails: bool = False, **loads: Any) -> str:
    needs = {"memory_fit": None, "stated_split": None, "why_rates_unknown": "rates", "link_loads": some(**loads)}
    needs |= {"cards.why_stopped": why_stopped, "job_flows": some(crosses_rails=crosses_rails)}
    found = training.step(given(needs, job=some()))
    assert found.step is None
    return found.why


def test_the_reason_for_no_step_names_the_first_pair_without_a_path_before_any_rate() -> None:
    assert why_no_step(unreachable=(("wide_area", "x", "y"), ("local", "p", "q"))) == (
        "no path for wide-area traffic from x to y"
    )
    assert why_no_step(unreachable=()) == "rates"


def test_without_a_path_between_rails_the_reason_names_pxn() -> None:
    text = "no path for expert traffic from x to y; pxn: true sends exchange between rails over NVLink"
    assert why_no_step(unreachable=(("expert", "x", "y"),), crosses_rails=True) == text


def test_a_job_that_lost_cards_and_stops_says_so_before_any_path() -> None:
    assert why_no_step(unreachable=(("local", "x", "y"),), why_stopped="cards") == "cards"


@pytest.mark.parametrize("check", ["memory_fit", "stated_split"])
def test_a_step_waits_for_both_checks(check: str) -> None:
    needs = {"memory_fit": None, "stated_split": None, "why_rates_unknown": "rates", "link_loads": some(unreachable=())}
    needs |= {"cards.why_stopped": ""}
    del needs[check]
    with pytest.raises(KeyError, match=check):
        training.step(given(needs, job=some()))


def test_a_link_without_capacity_leaves_no_step() -> None:
    found = evaluated(sites(TWO, parallelism={"tp": 8}))
    needs: dict[str, Any] = {name: need_of(name, found.outcome) for name in STAGES["step"].needs}
    same = training.step(given(needs, job=found.case.job, reader=reader())).step
    assert same is not None
    assert found.step is not None
    assert same.step_time_s == found.step.step_time_s
    needs["job_capacity.gbps"] = {kind: np.zeros_like(gbps) for kind, gbps in needs["job_capacity.gbps"].items()}
    full = training.step(given(needs, job=found.case.job, reader=reader()))
    assert full.step is None
    assert full.why == "a link on the way has no capacity left"


def test_a_pace_beyond_the_peak_of_the_accelerators_is_an_error() -> None:
    with pytest.raises(TopologyError, match="as it is cut and placed"):
        evaluated(sites(TWO, parallelism={"tp": 8}, placement=[{"site": "a", "pace_ratio": 10.0}, {"site": "b"}]))


@pytest.mark.parametrize(
    ("is_local_sgd", "n_sites", "of"),
    [(True, 3, (3, 100)), (True, 2, (2, 100)), (False, 3, (1, 1)), (True, 1, (1, 100))],
)
def test_sites_are_the_replicas_of_local_steps(is_local_sgd: bool, n_sites: int, of: tuple[int, int]) -> None:
    """The figures of the loss are used where more than one site takes steps of its own."""
    model = some(n_parameters=lambda: 2e9)
    job = some(is_local_sgd=is_local_sgd, n_local_steps=100, model=model)
    figures = reader()
    needs = {"step": result(), "placement": some(sites=tuple("abc")[:n_sites])}
    assert training.loss(given(needs, job=job, reader=figures)) == loss_penalty(*of, 2e9, catalogue())
    used = {figure.name for figure in figures.used_figures()}
    assert used == (set(LOSS_FIGURES) if is_local_sgd and n_sites > 1 else set())


def test_there_is_no_loss_without_a_step() -> None:
    assert training.loss(given({"step": NO_STEP}, job=some(is_local_sgd=True))) is None


def dark(*, both: bool, routing: str = "ecmp") -> Case:
    """Two sites joined by two routes; one has a fibre of 300 km, too long for light, or both have."""
    data = sites(TWO, wide_gbps=100.0, parallelism={"tp": 8}) | {"routing": routing}
    plain = {"id": "plain", "ends": ["a-leaf", "b-leaf"]}
    far = plain | {"id": "far", "transceiver": "400ZR", "spans": [{"length_km": 300.0}]}
    data["links"] = [link for link in data["links"] if link["id"] != "wan-ab"] + [far]
    if not both:
        data["links"].append(plain | {"capacity_gbps": 100.0})
    return case_of(data)


def case_of(data: dict[str, Any]) -> Case:
    state, document = state_of(data)
    return Case(state, document, network(data).document.jobs[0])


@pytest.mark.parametrize("routing", ["ecmp", "wcmp"])
@pytest.mark.parametrize("both", [False, True])
def test_clean_loads_take_the_links_that_line_loss_made_dark(both: bool, routing: str) -> None:
    found = EVALUATOR.evaluate(dark(both=both, routing=routing))
    names = found.case.state.link_ids
    assert found.loads is not None
    assert found.clean_loads is not None
    row = names.index("far")
    assert not found.health.lit[row]
    assert row not in found.loads.arc // 2
    assert row in found.clean_loads.arc // 2
    assert not found.clean_loads.unreachable


@pytest.mark.parametrize(("routing", "part_of_far"), [("ecmp", 1 / 2), ("wcmp", 4 / 5)])
def test_a_dark_link_would_carry_its_part_beside_the_others(routing: str, part_of_far: float) -> None:
    """One member each of 400 and 100 Gb/s, side by side."""
    found = EVALUATOR.evaluate(dark(both=False, routing=routing))
    assert found.clean_loads is not None
    unit = sum(found.clean_loads.wide.values())
    names = np.array(found.case.state.link_ids)[found.clean_loads.arc // 2]
    far, plain = (unit[names == name].sum() for name in ("far", "plain"))
    assert far / (far + plain) == pytest.approx(part_of_far)


def test_clean_loads_leave_a_lit_link_without_share_alone() -> None:
    """Three ways of one, two and three links; the first carries nothing, and the second is dark."""
    data = sites(TWO, parallelism={"tp": 8})
    data["links"] = [link for link in data["links"] if link["id"] != "wan-ab"]
    data["nodes"] += [{"id": name, "kind": "spine"} for name in ("c", "d", "e")]
    far = {"id": "far", "ends": ["a-leaf", "c"], "transceiver": "400ZR", "spans": [{"length_km": 300.0}]}
    data["links"].append(far)
    ways = [["a-leaf", "b-leaf"], ["c", "b-leaf"], ["a-leaf", "d", "e", "b-leaf"]]
    pairs = [pair for way in ways for pair in pairwise(way)]
    data["links"] += [{"id": a + "-" + b, "ends": [a, b], "capacity_gbps": 100.0} for a, b in pairs]
    found = evaluated(data)
    needs: dict[str, Any] = {name.partition(".")[0]: None for name in STAGES["clean_link_loads"].needs}
    needs = {name: found.outcome(name) for name in needs}
    share = np.array(needs["split_share"])
    link = found.case.state.link_ids.index("a-leaf-b-leaf")
    share[2 * link : 2 * link + 2] = 0.0
    fields = ("lit", "rate_unknown", "arc_latency_us")
    needs |= {"split_share": share, "cards.rail_split": None} | {
        f"health.{name}": getattr(found.health, name) for name in fields
    }
    clean = training.clean_link_loads(given(needs, state=found.case.state, reader=reader()))
    assert clean is not None
    used = {found.case.state.link_ids[link] for link in clean.arc // 2}
    assert {"far", "c-b-leaf"} <= used
    assert not {"a-leaf-b-leaf", "d-e"} & used


def test_loads_stay_where_those_without_line_loss_would_cross_a_link_of_unknown_rate() -> None:
    """Three hops are lit; the way of two hops is dark on its first link, and its second has no known rate."""
    data = sites(TWO, parallelism={"tp": 8})
    data["links"] = [link for link in data["links"] if link["id"] != "wan-ab"]
    data["nodes"] += [{"id": name, "kind": "spine"} for name in ("c", "d", "e")]
    far = {"id": "far", "ends": ["a-leaf", "c"], "transceiver": "400ZR", "spans": [{"length_km": 300.0}]}
    data["links"] += [far, {"id": "unknown", "ends": ["c", "b-leaf"]}]
    way = ["a-leaf", "d", "e", "b-leaf"]
    data["links"] += [{"id": a + b, "ends": [a, b], "capacity_gbps": 100.0} for a, b in pairwise(way)]
    found = evaluated(data)
    row = found.case.state.link_ids.index("unknown")
    assert found.step is not None, found.why_no_step
    assert found.health.rate_unknown[row]
    assert found.clean_loads is found.loads
    data["links"][-4] |= {"capacity_gbps": 100.0}
    assert data["links"][-4]["id"] == "unknown"
    known = evaluated(data)
    assert known.clean_loads is not None
    assert row in known.clean_loads.arc // 2


def test_clean_loads_are_the_loads_where_all_links_are_lit() -> None:
    found = evaluated(sites(TWO, km=1.0, parallelism={"tp": 8}))
    assert found.clean_loads is found.loads
