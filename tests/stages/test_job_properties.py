"""What holds for any job on any small network, whatever its figures are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.model.samples import network, shuffled
from tests.training.steps import evaluated, gather_bits, sites
from twin.errors import TopologyError
from twin.loading import from_document
from twin.training.step import Step
from twin.workload.job_arithmetic import flops_per_step


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


FEW = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
    max_examples=60,
    deadline=None,
)
SHAPE = {
    "n_layers": 16,
    "n_hidden": 2048,
    "n_heads": 16,
    "n_ffn_hidden": 8192,
    "n_vocab": 32000,
    "n_sequence": 2048,
}
EXPERTS = SHAPE | {"n_experts": 8, "n_experts_active": 2, "n_ffn_hidden": 4096}


@dataclass(frozen=True)
class Asked:
    """A network of sites and a job over all of them, still in the makers' words."""

    held: dict[str, list[tuple[str, int]]]
    wide_gbps: float
    rack_gbps: float
    km: float
    job: dict[str, Any]

    def data(self, **changed: Any) -> dict[str, Any]:
        fields = {"wide_gbps": self.wide_gbps, "rack_gbps": self.rack_gbps, "km": self.km} | changed
        job = self.job | fields.pop("job", {})
        return sites(fields.pop("held", self.held), **fields, **job)

    def step(self, **changed: Any) -> Step | None:
        """None where the job does not fit."""
        try:
            return evaluated(self.data(**changed)).step
        except TopologyError:
            return None


@st.composite
def asked(draw: st.DrawFn, *splits: str) -> Asked:
    names = "abc"[: draw(st.integers(1, 3))]
    kinds = st.sampled_from(["H100", "GB200", "A100-80GB"])
    held = {name: [(draw(kinds), 8)] * draw(st.integers(1, 3)) for name in names}
    pp = draw(st.sampled_from([1, 2, 4]))
    cut: dict[str, Any] = {
        "tp": draw(st.sampled_from([1, 2, 4])),
        "pp": pp,
        "cp": draw(st.sampled_from([1, 2])),
        "n_virtual_stages": draw(st.sampled_from([1, 2])) if pp > 1 else 1,
        "fully_sharded": draw(st.booleans()),
    }
    model = draw(st.sampled_from([SHAPE, EXPERTS]))
    if model is EXPERTS:
        width = cut["tp"] * cut["cp"]
        cut["ep"] = draw(st.sampled_from([n for n in (1, 2, 4, 8) if not n % width or not width % n]))
    job: dict[str, Any] = {
        "model": model,
        "parallelism": cut,
        "n_global_batch": draw(st.sampled_from([64, 96, 250])),
        "jitter_ratio": draw(st.sampled_from([0.0, 0.1])),
        "split": draw(st.sampled_from(splits or ("uniform", "balanced", "stated"))),
        "recompute": draw(st.sampled_from(["none", "full"])),
        "placement": [{"site": name} for name in names],
    }
    if job["split"] == "stated":
        job["placement"] = [p | {"n_micro_batches": draw(st.integers(0, 40))} for p in job["placement"]]
    how = draw(st.sampled_from(["every_step", "pipeline", "local_sgd"]))
    if how == "local_sgd":
        job |= {"sync": how, "n_local_steps": 20, "n_overlap_steps": draw(st.sampled_from([0, 3]))}
    if how == "pipeline" and job["split"] == "uniform":
        job |= {"across_sites": how}
    wide, rack = (draw(st.sampled_from([1.0, 20.0, 400.0, 1e5])) for _ in range(2))
    return Asked(held, wide, rack, draw(st.sampled_from([1.0, 80.0, 2000.0])), job)


def never_longer(better: Step | None, worse: Step | None) -> None:
    assume(worse is not None)
    assert worse is not None
    assert better is not None
    # the program that mixes trees may leave a billionth on the table
    assert better.step_time_s <= worse.step_time_s * (1 + 2e-9)


@FEW
@given(asked(), st.floats(1.0, 20.0))
def test_more_capacity_everywhere_is_never_slower(case: Asked, times: float) -> None:
    more = case.step(wide_gbps=case.wide_gbps * times, rack_gbps=case.rack_gbps * times)
    never_longer(more, case.step())


@FEW
@given(asked(), st.floats(1.0, 20.0), st.booleans())
def test_more_capacity_in_or_between_sites_is_never_slower(case: Asked, times: float, wide: bool) -> None:
    changed = {"wide_gbps": case.wide_gbps * times} if wide else {"rack_gbps": case.rack_gbps * times}
    never_longer(case.step(**changed), case.step())


@FEW
@given(asked(), st.floats(0.01, 1.0))
def test_shorter_spans_are_never_slower(case: Asked, part: float) -> None:
    never_longer(case.step(km=case.km * part), case.step())


@FEW
@given(asked("uniform", "stated"), st.integers(0, 2), st.floats(0.2, 1.0))
def test_a_faster_pool_is_never_slower(case: Asked, which: int, pace: float) -> None:
    """With shares that stay; a balanced split is climbed to from many sides and may end on another hill."""
    places = [dict(place) for place in case.job["placement"]]
    places[which % len(places)]["pace_ratio"] = pace
    never_longer(case.step(), case.step(job={"placement": places}))


def test_the_same_compute_hides_sharded_weights_or_the_exchange_of_sites() -> None:
    """Both behind the same pass, a second less of compute showed a second and a half more of exchange."""
    cut = {"tp": 1, "fully_sharded": True}
    job: dict[str, Any] = {"model": EXPERTS, "parallelism": cut, "n_global_batch": 64, "recompute": "none"}
    case = Asked({"a": [("H100", 8)], "b": [("H100", 8)]}, 1.0, 1.0, 1.0, job)
    found = [case.step(job={"placement": [{"site": "a", "pace_ratio": r}, {"site": "b"}]}) for r in (0.125, 0.25, 1.0)]
    times = [one.step_time_s for one in found if one is not None]
    assert len(times) == 3
    assert all(fast <= slow for slow, fast in pairwise(times))


@FEW
@given(asked(), st.floats(0.1, 1.0))
def test_fewer_bytes_are_never_slower(case: Asked, part: float) -> None:
    thin = {"gradient_bytes_per_parameter": 4.0 * part, "parameter_bytes_per_parameter": 2.0 * part}
    never_longer(case.step(job=thin), case.step())


@FEW
@given(asked("uniform"))
def test_a_balanced_split_is_never_slower_than_the_uniform(case: Asked) -> None:
    assume(case.job.get("across_sites") != "pipeline")  # one number of micro batches for all, nothing to balance
    never_longer(case.step(job={"split": "balanced"}), case.step())


@FEW
@given(asked("uniform", "balanced"))
def test_sites_that_hold_nothing_of_the_job_change_nothing(case: Asked) -> None:
    """One campus of several, in a document with the others, and in one without."""
    first = next(iter(case.held))
    assume(len(case.held) > 1)
    alone = {"placement": [{"site": first}]}
    among = case.step(job=alone)
    assume(among is not None)
    assert among is not None
    by_itself = case.step(held={first: case.held[first]}, job=alone)
    assert by_itself is not None
    assert by_itself.step_time_s == among.step_time_s
    assert by_itself.exposed_s == among.exposed_s


@FEW
@given(asked())
def test_parts_add_up(case: Asked) -> None:
    found = case.step()
    assume(found is not None)
    assert found is not None
    parts = found.compute_time_s + found.bubble_time_s + found.exposed_comm_time_s
    assert parts == pytest.approx(found.step_time_s, rel=1e-12)
    assert min(found.compute_time_s, found.bubble_time_s, found.exposed_comm_time_s) >= -1e-12 * parts
    assert 0 < found.mfu_ratio < 1
    assert 0 <= found.straggler_ratio < 1
    assert 0 <= found.bubble_ratio < 1
    job = network(case.data()).document.jobs[0]
    assert found.model_flops_per_s * found.step_time_s == pytest.approx(flops_per_step(job))
    done = sum(m * group.n_replicas for m, group in zip(found.split, found.groups, strict=True))
    assert done * job.parallelism.n_micro_batch >= job.n_global_batch


@pytest.mark.parametrize("n_experts", [2, 4, 16])
def test_work_follows_active_parameters_and_volume_all(n_experts: int) -> None:
    held = {"a": [("H100", 8)] * 2, "b": [("H100", 8)] * 2}

    def of(n: int) -> tuple[float, float, float]:
        model = EXPERTS | {"n_experts": n, "n_experts_active": 2}
        data = sites(held, wide_gbps=10.0, model=model, parallelism={"tp": 8, "ep": 2})
        found = evaluated(data)
        assert found.step is not None
        assert found.case.job is not None
        flops = found.step.model_flops_per_s * found.step.step_time_s
        return flops, found.step.bottleneck["wide_area"][1], gather_bits(found.case.job)

    few, many = of(n_experts), of(2 * n_experts)
    # the router alone, one row an expert, is work of a token
    router = 6.0 * n_experts * 2048 * 16 * 256 * 2048
    assert many[0] - few[0] <= router * (1 + 1e-9)
    assert many[0] == pytest.approx(few[0], rel=1e-3)
    assert many[1] / few[1] == pytest.approx(many[2] / few[2], rel=1e-9)
    assert many[2] > 1.2 * few[2]


ORDERED = Asked(
    {"a": [("H100", 8)] * 2 + [("GB200", 8)], "b": [("H100", 8)] * 2},
    100.0,
    400.0,
    80.0,
    {
        "model": SHAPE,
        "parallelism": {"tp": 4, "pp": 2},
        "split": "balanced",
        "placement": [{"site": "b"}, {"site": "a", "accelerator": "H100"}, {"site": "a"}],
    },
).data()


@settings(FEW, max_examples=15)
@given(shuffled(ORDERED), st.permutations(ORDERED["jobs"][0]["placement"]))
def test_another_order_gives_the_same_bytes(data: dict[str, Any], placement: list[dict[str, Any]]) -> None:
    data = data | {"jobs": [data["jobs"][0] | {"placement": placement}]}
    one, other = (from_document(found).score(main_assumptions=False).to_json() for found in (ORDERED, data))
    assert one == other
