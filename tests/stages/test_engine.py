"""The engine: a question has one answer, whatever was asked before it; eager and lazy reading give the same."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.model.samples import campus_data, changed, job_data
from tests.scenario.test_changes import EXAMPLES
from twin.arrays import State
from twin.catalogue import catalogue, load_price_book
from twin.errors import TwinError, UndeclaredInputError
from twin.loading import Network, from_document
from twin.model.jobs import TrainingJob
from twin.stages import engine as engine_module
from twin.stages.cache import N_CACHED, Outcome, StageCache, same
from twin.stages.engine import Engine
from twin.stages.evaluation import Case, Evaluation
from twin.stages.stage import RecordView
from twin.stages.table import STAGES


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


# --- what-if against a fresh network ---------------------------------------------------------------------------------

MORE: list[dict[str, Any]] = [
    {"kind": "swap_accelerators", "racks": "a-rack-1", "accelerator": "GB200"},  # a kind that is there already
    {"kind": "swap_accelerators", "racks": {"site": "b", "kind": "rack"}, "accelerator": "H100"},
    {"kind": "fail_links", "links": "a-cable-2"},
    {"kind": "fail_nodes", "nodes": "a-border"},
    {"kind": "set_transceivers", "links": "a-up", "part": "400G-DR4"},
]
CHANGES = [{"kind": kind, **fields} for kind, fields in EXAMPLES.items()] + MORE


def seeded(seed: int) -> dict[str, Any]:
    """Two sites as in the samples, with fields that vary by seed."""
    draw = random.Random(seed)
    data = campus_data() | {
        "routing": draw.choice(["ecmp", "wcmp"]),
        "lossless": draw.choice([{}, {"policy": "shaped"}, {"policy": "drop_on_pause"}]),
    }
    data = changed(data, "links", "wan", n_parallel=draw.choice([4, 6, 8]))
    data = changed(data, "links", "a-up", n_parallel=draw.choice([2, 8]))
    data = changed(data, "nodes", "b-rack-1", n_accelerators=draw.choice([8, 16, 24]))
    jobs = [{"site": "a"}, {"site": "b"}]
    more = {"split": draw.choice(["uniform", "balanced"]), "on_site_loss": draw.choice(["stop", "go_on"])}
    return data | {"jobs": [job_data(id="both", placement=jobs, **more), *data["jobs"][1:]]}


def answer(network: Network, change: dict[str, Any], job: str | None) -> str:
    try:
        return network.what_if([change], job, main_assumptions=False).to_json()
    except TwinError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("seed", range(3))
def test_a_what_if_is_that_of_a_fresh_network_whatever_was_asked_before(seed: int) -> None:
    data, draw = seeded(seed), random.Random(1000 + seed)
    questions = [(change, job) for change in CHANGES for job in ("both", "alone")]
    draw.shuffle(questions)
    asked = from_document(data)
    for i, (change, job) in enumerate(questions):
        if i % 5 == 0:
            asked.score(job, ageing=draw.choice(["low", "value", "high"]), main_assumptions=False)
        assert answer(asked, change, job) == answer(from_document(data), change, job), change


def test_new_accelerators_bring_their_network_cards() -> None:
    """8 x 200G fill 1,600 of 10,000 Gb/s, 8 x 800G 6,400: also where the new kind is in the network already."""
    racks = (("a", "A100-80GB"), ("b", "GB300"))
    nodes = [{"id": name, "kind": "rack", "accelerator": kind, "n_accelerators": 8} for name, kind in racks]
    ports = {"transceiver": "800G-DR8", "n_parallel": 8}
    network = from_document(
        {
            "nodes": [*nodes, {"id": "s", "kind": "switch"}],
            "links": [{"id": f"{name}~s", "ends": [name, "s"], **ports} for name, _ in racks],
            "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 10_000.0}],
        }
    )
    assert network.score(main_assumptions=False)["demand_satisfied_ratio"] == pytest.approx(0.16)
    swap = {"kind": "swap_accelerators", "racks": "a", "accelerator": "GB300", "n_per_rack": 8}
    assert network.what_if([swap], main_assumptions=False)["demand_satisfied_ratio"] == pytest.approx((0.16, 0.64))


# --- eager and lazy --------------------------------------------------------------------------------------------------


def case_of(network: Network, job: str | None = None) -> Case:
    return Case(State.of(network.arrays), network.document, network.job(job))


def test_the_order_of_reading_changes_nothing() -> None:
    """Stages run when they are read, in any order: the score of what was read first is that of what was read last."""
    network = from_document(campus_data())
    orders = [list(STAGES), list(reversed(STAGES)), random.Random(1).sample(list(STAGES), len(STAGES))]
    found = []
    for order in orders:
        evaluation = Engine(catalogue(), load_price_book()).evaluate(case_of(network))
        for stage in order:
            evaluation.outcome(stage)
        assert evaluation.step is not None
        found.append((evaluation.step.step_time_s, evaluation.usd_per_day, evaluation.goodput_ratio))
        assert len(evaluation.used_figures) == len(set(evaluation.used_figures)) > 100
    assert found[0] == found[1] == found[2]


def test_only_what_is_read_runs() -> None:
    network = from_document(campus_data())
    evaluation = Engine(catalogue(), load_price_book()).evaluate(case_of(network))
    assert "step" in evaluation.outcomes
    assert not {"money", "lease", "goodput", "outages", "clean_link_loads"} & set(evaluation.outcomes)


def test_a_stage_that_nothing_touches_runs_once() -> None:
    network = from_document(campus_data())
    runner = Engine(catalogue(), load_price_book())
    first = runner.evaluate(case_of(network))
    dearer = case_of(network)
    job = dearer.job
    assert job is not None
    second = runner.evaluate(Case(dearer.state, dearer.document, TrainingJob(**{**fields(job), "jitter_ratio": 0.2})))
    assert second.health is first.health
    assert second.loads is first.loads
    assert second.placed is first.placed
    assert second.step is not first.step
    older = runner.evaluate(Case(dearer.state, dearer.document, job, "high"))
    assert older.placed is first.placed
    assert older.health is not first.health


def fields(job: TrainingJob) -> dict[str, Any]:
    return {name: getattr(job, name) for name in TrainingJob.__dataclass_fields__}


# --- the cache -------------------------------------------------------------------------------------------------------


def test_values_are_the_same_bit_by_bit() -> None:
    nan = float("nan")
    assert same(np.array([1.0, nan]), np.array([1.0, nan]))
    assert not same(np.array([0.0]), np.array([-0.0]))
    assert not same(np.array([1]), np.array([1.0]))
    assert not same(np.array([1.0]), np.array([1.0, 1.0]))
    assert not same(np.array([1.0]), 1.0)
    assert not same(None, 0)
    assert not same(1, True)
    assert same((np.array([1]), 2), (np.array([1]), 2))
    assert not same((np.array([1]), 2), (np.array([2]), 2))
    assert not same((np.array([1]),), (np.array([1]), 2))
    assert same({"a": np.array([1])}, {"a": np.array([1])})
    assert not same({"a": np.array([1])}, {"b": np.array([1])})
    assert not same({"a": np.array([1])}, {"a": np.array([2])})
    assert same(("a", 1), ("a", 1))
    several = np.array([1, 2])  # which have no truth of their own
    assert same((several, 2), (several.copy(), 2))
    assert not same((several, 2), (several.copy(), 3))
    assert same({"a": several, "b": 2}, {"a": several.copy(), "b": 2})
    assert not same({"a": several, "b": 2}, {"a": several.copy(), "b": 3})


def test_the_outcomes_used_last_are_kept() -> None:
    cache = StageCache()
    for i in range(N_CACHED):
        cache.put("stage", (i,), Outcome(str(i), ()))
    assert cache.get("stage", (0,)) == Outcome("0", ())
    cache.put("stage", ("new",), Outcome("new", ()))
    assert cache.get("stage", (1,)) is None
    assert cache.get("stage", (0,)) is not None
    assert cache.get("stage", ("new",)) is not None
    assert cache.get("other", ("new",)) is None


# --- views -----------------------------------------------------------------------------------------------------------


def test_a_branch_reuses_one_evaluation_and_keeps_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Health of a failed link is computed twice by a branch, and never where the state is that of its evaluation."""
    network = from_document(campus_data())
    engine = Engine(catalogue(), load_price_book())
    e = engine.evaluate(Case(State.of(network.arrays), network.document, network.document.jobs[0]))
    branch = engine.branch(e)
    runs: list[str] = []
    compute = engine_module.compute_outcome
    monkeypatch.setattr(
        engine_module, "compute_outcome", lambda e, stage, *rest: (runs.append(stage.name), compute(e, stage, *rest))[1]
    )
    assert branch.evaluate(e.case).step is e.step
    assert not runs
    failed = replace(e.case, state=e.case.state.with_values("link_up", np.array([0]), False))
    first, second = (branch.evaluate(failed).step for _ in range(2))
    assert runs.count("health") == 2
    assert first is not None
    assert second is not None
    assert first.step_time_s == second.step_time_s == engine.evaluate(failed).step.step_time_s  # type: ignore[union-attr]


def test_a_narrow_job_gives_what_is_named_and_properties_of_it() -> None:
    job = from_document(campus_data()).job()
    assert job is not None
    view: Any = RecordView(job, frozenset({"sync", "n_local_steps"}))
    assert view.sync == job.sync
    assert view.is_local_sgd == job.is_local_sgd
    with pytest.raises(UndeclaredInputError, match="split"):
        _ = view.split
    with pytest.raises(UndeclaredInputError, match="n_local_steps"):
        _ = RecordView(job, frozenset({"sync"})).__replace__(sync="local_sgd").is_local_sgd
    assert view.__replace__(sync="local_sgd").sync == "local_sgd"


def test_a_narrow_state_gives_the_columns_that_are_named() -> None:
    state = State.of(from_document(campus_data()).arrays)
    view = state.view(frozenset({"link_up", "in_service"}))
    assert view["link_up"] is state["link_up"]
    assert view.in_service is state.in_service
    for read in (lambda: view["node_up"], lambda: view.parts, lambda: view.arrays, lambda: view.overlay):
        with pytest.raises(UndeclaredInputError):
            read()


def test_figures_of_kinds_that_are_not_named_cannot_be_read() -> None:
    runner = Engine(catalogue(), load_price_book())
    reader = runner._readers["interruptions"]
    assert reader.part("H100", "n_per_host") > 0
    for read in (
        lambda: reader.part("EDFA", "gain_db"),
        lambda: reader.price("horizon_years"),
        lambda: reader.catalogue.parts("fibre"),
        lambda: reader.catalogue.parts(),
    ):
        with pytest.raises(UndeclaredInputError):
            read()
    with pytest.raises(UndeclaredInputError):
        runner._readers["placement"].general("packet_bytes")


def test_derived_columns_follow_what_is_laid_over() -> None:
    state = State.of(from_document(campus_data()).arrays)
    before, length_km = state.n_members_up, state.link_length_km
    assert state.n_members_up is before
    row = state.link_index["wan"]
    failed = state.with_values("link_n_failed", np.array([row]), 1)
    assert failed.n_members_up[row] == before[row] - 1
    assert failed.link_length_km is length_km
    assert State.of(state.arrays).n_members_up is before


def test_an_evaluation_of_a_job_that_does_not_fit_raises_when_it_is_asked_for() -> None:
    network = from_document(campus_data())
    job = network.job()
    assert job is not None
    nowhere = TrainingJob(**{**fields(job), "placement": (job.placement[0].__class__(site="z"),)})
    runner = Engine(catalogue(), load_price_book())
    with pytest.raises(TwinError, match="no place"):
        runner.evaluate(Case(State.of(network.arrays), network.document, nowhere))
    lazily = Evaluation(Case(State.of(network.arrays), network.document, nowhere), None, runner)
    assert lazily.health.lit.all()
    with pytest.raises(TwinError, match="no place"):
        _ = lazily.placed


# --- outcomes cannot be changed --------------------------------------------------------------------------------------


def arrays_in(value: Any, seen: set[int]) -> list[np.ndarray]:
    """Every array that can be reached from a value, through any attribute or container."""
    if id(value) in seen or isinstance(value, str | bytes | int | float | type | State | None):
        return []
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return [value]
    items = list(value.items()) if isinstance(value, dict) else []
    items += list(value) if isinstance(value, tuple | list | set | frozenset) else []
    items += [getattr(value, name, None) for name in getattr(value, "__dataclass_fields__", ())]
    # private fields of an object are its own caches
    items += [item for name, item in getattr(value, "__dict__", {}).items() if not name.startswith("_")]
    return [array for item in items for array in arrays_in(item, seen)]


@pytest.mark.parametrize("job", ["both", None])
def test_no_array_of_an_outcome_can_be_written(job: str | None) -> None:
    network = from_document(seeded(1))
    evaluation = network.evaluate(job)
    arrays = {name: arrays_in(evaluation.outcome(name), set()) for name in STAGES}
    assert sum(map(len, arrays.values())) > 50
    assert [(name, array.shape) for name in arrays for array in arrays[name] if array.flags.writeable] == []
