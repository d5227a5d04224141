"""Jobs on racks: whole replicas, and what flows between racks adds up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.cases import racks, reader
from tests.workload.reference import data_bits
from twin.arrays import State
from twin.errors import TopologyError
from twin.model.jobs import Parallelism, Placement, TrainingJob
from twin.model.known_models import known_shape
from twin.model.shape import ModelShape
from twin.training.job_flows import Flows, _ring_flows, job_flows
from twin.training.placement import JobPlacement
from twin.training.placement import place_job as place_job_reading
from twin.workload.job_arithmetic import layout_of

SHAPE = ModelShape(n_layers=64, n_hidden=512, n_heads=16, n_ffn_hidden=1024, n_vocab=1000, n_sequence=256)


def job(*placement: Placement, **cut: int) -> TrainingJob:
    return TrainingJob("j", SHAPE, Parallelism(**cut), n_global_batch=64, placement=placement)


def place_job(state: State, found: TrainingJob) -> JobPlacement:
    return place_job_reading(state, found, reader())


# --- placing -------------------------------------------------------------------------------------------------------


def test_replicas_fill_racks_in_order_by_kind() -> None:
    state = racks({"a": [("H100", 8), ("GB200", 6), ("H100", 4), ("GB200", 6)]})
    placed = place_job(state, job(Placement("a"), tp=4))
    assert [(p.accelerator, p.n_replicas, p.rack.tolist()) for p in placed.groups] == [
        ("GB200", 2, [1] * 4 + [3] * 4),  # tensor ranks do not leave a rack
        ("H100", 3, [0] * 8 + [2] * 4),
    ]
    assert placed.n_allocated == {"GB200": 12, "H100": 12}


def test_a_replica_is_of_one_kind_and_what_is_left_over_stays_free() -> None:
    state = racks({"a": [("H100", 6), ("GB200", 6)]})
    placed = place_job(state, job(Placement("a"), tp=4))
    assert [(p.accelerator, p.n_replicas) for p in placed.groups] == [("GB200", 1), ("H100", 1)]


def test_a_placement_may_name_kind_and_number() -> None:
    state = racks({"a": [("GB200", 8), ("H100", 8), ("H100", 8)]})
    placed = place_job(state, job(Placement("a", 12, "H100"), tp=4))
    assert [p.rack.tolist() for p in placed.groups] == [[1] * 8 + [2] * 4]


def test_two_placements_at_a_site_do_not_share_accelerators() -> None:
    state = racks({"a": [("H100", 8), ("GB200", 8)]})
    placed = place_job(state, job(Placement("a"), Placement("a", 4, "H100"), tp=2))
    assert {p.accelerator: p.n_replicas for p in placed.groups if len(p.rack) == 4 or p.accelerator == "GB200"}
    assert sum(len(p.rack) for p in placed.groups) == 16
    assert placed.n_allocated == {"GB200": 8, "H100": 8}


def test_racks_that_are_down_hold_nothing() -> None:
    state = racks({"a": [("H100", 8), ("H100", 8)]})
    down = state.with_values("node_up", np.array([0]), False)
    assert place_job(down, job(Placement("a"), tp=8)).groups[0].rack.tolist() == [1] * 8


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (Placement("a", 24), "24 accelerators asked for, 16 placed"),
        (Placement("a", None, "GB300"), "no free GB300 that is up"),
        (Placement("b"), "tp 8 goes beyond the NVLink domain of 4"),
        (Placement("a", 4), "no whole replica of 8 accelerators fits"),
    ],
)
def test_a_shortage_is_told(place: Placement, message: str) -> None:
    state = racks({"a": [("H100", 16)], "b": [("H100", 4)]})
    with pytest.raises(TopologyError, match=message):
        place_job(state, job(place, tp=8))


def test_every_shortage_is_told() -> None:
    state = racks({"a": [("H100", 8)], "b": [("H100", 4)]})
    with pytest.raises(TopologyError) as caught:
        place_job(state, job(Placement("a", 80), Placement("b"), tp=8))
    assert [issue.where for issue in caught.value.issues] == ["jobs[j].placement[a]", "jobs[j].parallelism.tp"]


# --- flows -----------------------------------------------------------------------------------------------------------


def sent(flows: Flows, n_nodes: int) -> np.ndarray:
    return np.bincount(flows.source, weights=flows.amount, minlength=n_nodes)


def received(flows: Flows, n_nodes: int) -> np.ndarray:
    return np.bincount(flows.target, weights=flows.amount, minlength=n_nodes)


@st.composite
def cases(draw: st.DrawFn) -> tuple[State, TrainingJob]:
    sizes = st.lists(st.integers(4, 12), min_size=1, max_size=4)
    sites = {name: [("H100", n) for n in draw(sizes)] for name in "abc"[: draw(st.integers(1, 3))]}
    cut = {"tp": draw(st.sampled_from([1, 2])), "pp": draw(st.sampled_from([1, 2]))}
    cut["n_virtual_stages"] = draw(st.sampled_from([1, 3])) if cut["pp"] > 1 else 1
    return racks(sites), job(*(Placement(name) for name in sites), **cut)


@settings(max_examples=120, deadline=None)
@given(cases())
def test_flows_add_up(case: tuple[State, TrainingJob]) -> None:
    state, found = case
    placed = place_job(state, found)
    n_nodes = state.arrays.n_nodes
    flows = job_flows(placed, found, n_nodes)
    size = found.parallelism.tp * found.parallelism.pp
    for _, _, flow in [(0, 0, f) for f in (*flows.pipeline, *(each.flows for each in flows.local))] + list(flows.wide):
        assert (flow.source != flow.target).all()
        assert (flow.amount > 0).all()
        keys = flow.source * n_nodes + flow.target
        assert (np.diff(keys) > 0).all() or len({*keys.tolist()}) == len(keys)
    by_site = {site: np.concatenate([p.rack for p in placed.groups if p.site == site]) for site in placed.sites}
    assert [each.site for each in flows.local] == [s for s, rack in by_site.items() if len(rack) > size]
    for each in flows.local:
        rack, n = by_site[each.site], each.n_blocks
        assert n * size == len(rack)
        stay = np.bincount(rack[rack == np.roll(rack, -size)], minlength=n_nodes)
        expected = (np.bincount(rack, minlength=n_nodes) - stay) * (n - 1) / n / size
        np.testing.assert_allclose(sent(each.flows, n_nodes), expected)
        np.testing.assert_allclose(received(each.flows, n_nodes), expected)
    n_sites = len(placed.sites)
    assert [(i, j) for i, j, _ in flows.wide] == [
        pair for i in range(n_sites) for j in range(i + 1, n_sites) for pair in ((i, j), (j, i))
    ]
    for i, j, flow in flows.wide:
        assert flow.amount.sum() == pytest.approx(1.0)
        here, there = by_site[placed.sites[i]], by_site[placed.sites[j]]
        np.testing.assert_allclose(sent(flow, n_nodes), np.bincount(here, minlength=n_nodes) / len(here))
        np.testing.assert_allclose(received(flow, n_nodes), np.bincount(there, minlength=n_nodes) / len(there))


def test_the_ring_inside_a_site_by_hand() -> None:
    """Replicas of 4 on racks of 8: 0 and 1 in rack 0, 2 and 3 in rack 1; 1 -> 2 and 3 -> 0 leave their rack."""
    state = racks({"a": [("H100", 8), ("H100", 8)]})
    found = job(Placement("a"), tp=4)
    (each,) = job_flows(place_job(state, found), found, 2).local
    flow = each.flows
    assert (each.site, each.n_blocks, each.n_ranks, flow.source.tolist(), flow.target.tolist()) == (
        "a",
        4,
        4,
        [0, 1],
        [1, 0],
    )
    # four ranks send three quarters of their quarter of the parameters
    assert flow.amount.tolist() == pytest.approx([4 * 3 / 4 / 4] * 2)


def test_rings_side_by_side_are_rings_one_by_one() -> None:
    """Six rings of four ranks on three racks; a rack leaves a ring through the cards of all its ranks there."""
    racks_of = np.random.default_rng(5).integers(0, 3, (2, 4, 3))
    together = _ring_flows(racks_of)
    rows = np.arange(racks_of.size).reshape(racks_of.shape)
    for i in range(2):
        for k in range(3):
            own = rows[i, :, k]
            alone = _ring_flows(racks_of[i, :, k].reshape(1, 4, 1))
            for name in ("source", "target", "amount", "n_pairs"):
                assert getattr(together, name)[own].tolist() == getattr(alone, name).tolist(), (i, k, name)


@pytest.mark.parametrize(
    ("cut", "n_experts"),
    [
        ({"cp": 4}, 1),
        ({"cp": 2, "pp": 2}, 1),
        ({"cp": 2, "ep": 2}, 8),
        ({"ep": 16}, 16),
        ({"ep": 8, "pp": 2}, 16),
        ({"cp": 8, "ep": 4}, 16),
        ({"cp": 4, "ep": 8}, 16),
        ({"ep": 64}, 64),
    ],
)
def test_ranks_of_a_block_reduce_among_themselves_too(cut: dict[str, int], n_experts: int) -> None:
    """Every rank in a rack of its own, so all is seen that it sends: what the reference node says, whatever the cut."""
    experts = {"n_experts": n_experts, "n_experts_active": min(n_experts, 2)}
    model = replace(known_shape("llama-3.1-8b"), n_vocab=8, **experts)
    state = racks({"a": [("H100", 1)] * 64})
    found = replace(job(Placement("a"), **cut), model=model)
    placed = place_job(state, found)
    (each,) = job_flows(placed, found, 64).local
    bits = 8.0 * each.flows.amount.sum() * model.n_parameters() / 64
    assert bits == pytest.approx(data_bits(model, layout_of(found, placed.n_replicas), 1.0), rel=1e-3)
    assert each.n_ranks == 64 // cut.get("pp", 1)


def test_a_single_replica_exchanges_nothing() -> None:
    state = racks({"a": [("H100", 8)]})
    flows = job_flows(place_job(state, job(Placement("a"), tp=8)), job(Placement("a"), tp=8), 1)
    assert flows.local == flows.wide == ()
    assert len(flows.pipeline[0].source) == 0


@pytest.mark.parametrize(("n_virtual", "back"), [(1, 0.0), (4, 3.0)])
def test_the_pipeline_by_hand(n_virtual: int, back: float) -> None:
    """Two stages of 4, a rack each: n_virtual crossings forward, one fewer back to the first stage, and gradients."""
    state = racks({"a": [("H100", 4), ("H100", 4)]})
    found = job(Placement("a"), tp=4, pp=2, n_virtual_stages=n_virtual)
    (flow,) = job_flows(place_job(state, found), found, 2).pipeline
    assert (flow.source.tolist(), flow.target.tolist()) == ([0, 1], [1, 0])
    assert flow.amount.tolist() == [4 * (n_virtual + back)] * 2


def test_stages_within_a_rack_send_nothing_out() -> None:
    state = racks({"a": [("H100", 8)]})
    found = job(Placement("a"), tp=4, pp=2)
    assert len(job_flows(place_job(state, found), found, 1).pipeline[0].source) == 0


def test_unequal_sites_meet_shard_by_shard() -> None:
    """Two replicas against three: thirds and sixths of the parameters."""
    state = racks({"a": [("H100", 1)] * 2, "b": [("H100", 1)] * 3})
    found = job(Placement("a"), Placement("b"))
    there, back = (flow for _, _, flow in job_flows(place_job(state, found), found, 5).wide)
    met = {(int(a), int(b)): s for a, b, s in zip(there.source, there.target, there.amount, strict=True)}
    assert met == pytest.approx({(0, 2): 1 / 3, (0, 3): 1 / 6, (1, 3): 1 / 6, (1, 4): 1 / 3})
    assert (back.source.tolist(), back.target.tolist()) == (there.target.tolist(), there.source.tolist())


def test_the_placement_s_order_does_not_matter() -> None:
    state = racks({"a": [("H100", 8)], "b": [("GB200", 8)]})
    found = job(Placement("b"), Placement("a"), tp=4)
    turned = replace(found, placement=found.placement[::-1])
    one, other = place_job(state, found), place_job(state, turned)
    assert [(p.site, p.rack.tolist()) for p in one.groups] == [(p.site, p.rack.tolist()) for p in other.groups]
