"""Every generator of candidates: what it offers applies, has its kind, and is the same each time."""

from __future__ import annotations

from functools import cache

import pytest

import twin
from twin.network import Network
from twin.planner.candidate import Candidate
from twin.planner.collect import situation
from twin.planner.generators import GENERATORS
from twin.planner.question import plan_question
from twin.planner.situation import Situation
from twin.scenario.apply import edited

FULL = {
    "nodes": [
        {"id": "s1", "kind": "spine", "part": "spine-51.2T"},
        *({"id": f"l{i}", "kind": "leaf", "part": "leaf-25.6T"} for i in (1, 2)),
        *({"id": f"h{i}", "kind": "host"} for i in (1, 2)),
    ],
    "links": [
        *({"id": f"l{i}~s1", "ends": [f"l{i}", "s1"], "transceiver": "400G-DR4"} for i in (1, 2)),
        *({"id": f"h{i}~l{i}", "ends": [f"h{i}", f"l{i}"], "transceiver": "400G-DR4"} for i in (1, 2)),
    ],
    "demands": [{"id": "d", "source": "h1", "target": "h2", "offered_gbps": 350}],
}
EXAMPLES = dict.fromkeys(GENERATORS, "memphis-small") | {"cards": "full", "spines": "full"}


@cache
def network(name: str) -> Network:
    return twin.from_document(FULL) if name == "full" else twin.load(name)


@cache
def found(name: str) -> Situation:
    return found_in(network(name))


def found_in(loaded: Network) -> Situation:
    origin = loaded._baseline(None, "value")
    question = plan_question(
        goal=None, budget_usd=1e6, target=None, keep=(), until=None, by=None, robust_to=None,
        default_goal="step_time_s", as_of=loaded.document.as_of, training_loss=None,
        unchanged=lambda *_: None,
    )  # fmt: skip
    return situation(question, origin, loaded._engine)


@cache
def offered(name: str) -> tuple[Candidate, ...]:
    return tuple(GENERATORS[name].offer(found(EXAMPLES[name])))


@pytest.mark.parametrize("name", GENERATORS)
def test_it_offers_candidates_of_its_kind_with_a_reason(name: str) -> None:
    candidates = offered(name)
    assert candidates
    assert {item.kind for item in candidates} == {name}
    assert all(item.note for item in candidates)
    assert len({item.id for item in candidates}) == len(candidates)
    assert GENERATORS[name].sentence.endswith(".")


@pytest.mark.parametrize("name", GENERATORS)
def test_what_it_offers_applies_and_changes_something(name: str) -> None:
    origin, reader = found(EXAMPLES[name]).scenario, found(EXAMPLES[name]).reader
    for item in offered(name):
        after = edited(origin, item.changes, reader).case
        same = after.state is origin.case.state and after.job == origin.case.job
        assert not same or after.document is not origin.case.document


@pytest.mark.parametrize("name", sorted(set(GENERATORS) - {"cut"}))
def test_it_offers_the_same_for_the_same_network(name: str) -> None:
    again = tuple(GENERATORS[name].offer(found(EXAMPLES[name])))
    assert again == offered(name)


def test_a_network_without_traffic_or_job_gets_no_candidates() -> None:
    quiet = twin.from_document(FULL | {"demands": []})
    answer = quiet.plan(keep=["capex_usd<=1"])
    assert answer.considered == ()
    assert answer.plan is None


def test_a_site_without_a_power_limit_gets_accelerators_and_links_say_how_busy_they_are() -> None:
    racks = [
        {"id": f"g{x}", "kind": "rack", "site": x, "accelerator": kind, "n_accelerators": 8}
        for x, kind in (("a", "H100"), ("b", "A100-80GB"))
    ]
    link = {"id": "ab", "ends": ["ga", "gb"], "capacity_gbps": 100}
    demand = {"id": "d", "source": "ga", "target": "gb", "offered_gbps": 75}
    job = {
        "id": "j",
        "model": "llama-3.1-8b",
        "parallelism": {"tp": 8, "pp": 1},
        "n_global_batch": 128,
        "placement": [{"site": "a"}, {"site": "b"}],
    }
    document = {"sites": [{"id": x} for x in "ab"], "nodes": racks, "links": [link], "demands": [demand]}
    loaded = twin.from_document(document | {"jobs": [job]})
    looked_at = found_in(loaded)
    items = {item.id: item for item in GENERATORS["accelerators"].offer(looked_at)}
    assert set(items) == {"accelerators b: H100", "accelerators b: H100, full racks"}
    same = edited(loaded._baseline(None, "value"), items["accelerators b: H100"].changes, loaded._engine.reader, "x")
    assert same.case.state["node_n_accelerators"].tolist() == [8, 8]
    assert GENERATORS["accelerators"].why_none(looked_at)
    idle = found_in(twin.from_document(document))
    assert [group.why for group in idle.groups] == ["1 wide-area link: busiest 75 %"]
