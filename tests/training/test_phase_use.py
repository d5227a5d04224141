"""Phases of a step on the network: utilisation, offered load and incast, by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from tests.training.cases import general
from tests.training.steps import evaluated, gather_bits, inputs_of, job_data, reduce_bits, sites
from twin.loading import from_document
from twin.optics.transport_goodput import FlowGoodput
from twin.training.job_flows import _ring_flows, job_flows
from twin.training.phase_goodput import PhaseGoodput
from twin.training.phase_use import Endpoints, Incast, PhaseUse, _IncastModel, _n_messages, card_time_s, phase_uses
from twin.training.step_inputs import UnitLinkLoads

TWO = {"a": [("H100", 8)] * 2, "b": [("H100", 8)] * 2}


def leaf_spine(uplink_gbps: float, **job: Any) -> dict[str, Any]:
    """Two leaves of two hosts of 8 H100 and 8 x 400 Gb/s, each with one uplink to one spine."""
    params = {
        "site": "s",
        "n_leaves": 2,
        "n_spines": 1,
        "n_hosts_per_leaf": 2,
        "n_ports_per_host": 8,
        "host_capacity_gbps": 400,
        "capacity_gbps": uplink_gbps,
        "n_parallel": 8,
        "accelerator": "H100",
        "n_accelerators_per_host": 8,
        "leaf_part": "leaf-51.2T",
        "spine_part": "spine-51.2T",
    }
    return {
        "sites": [{"id": "s"}],
        "fabrics": [{"id": "f", "generator": "leaf_spine", "params": params}],
        "jobs": [job_data(**{"placement": [{"site": "s"}], "n_global_batch": 32} | job)],
    }


def uses_of(data: dict[str, Any]) -> dict[str, PhaseUse]:
    return {use.name: use for use in from_document(data).evaluate().phases}


@pytest.mark.parametrize(("uplink_gbps", "ratio"), [(400.0, 1.0), (100.0, 4.0), (50.0, 8.0)])
def test_a_ring_over_two_leaves_uses_each_uplink_as_one_host_its_cards(uplink_gbps: float, ratio: float) -> None:
    """One of two hosts of a leaf sends to the other leaf: 3200 Gb/s at card rate over 8 uplinks."""
    use = uses_of(leaf_spine(uplink_gbps, parallelism={"tp": 8}))["reduce_scatter"]
    assert use.utilisation_ratio == pytest.approx(ratio)
    assert use.duration_s == pytest.approx(ratio * use.card_time_s)
    assert use.offered_gbps == pytest.approx(3200.0)
    assert use.capacity_gbps == pytest.approx(3200.0 / ratio)
    assert use.n_flows == pytest.approx(8 * 4)
    assert use.incast.n_senders == 1.0
    assert use.incast.needed_bytes == 0.0


def test_the_time_at_card_rate_is_the_bits_of_a_host_over_its_cards() -> None:
    """Ring of 4 replicas: 3/4 of the gradients leave each host once, over 8 x 400 Gb/s."""
    data = leaf_spine(400.0, parallelism={"tp": 8})
    use = uses_of(data)["reduce_scatter"]
    job = from_document(data).document.jobs[0]
    bits = 8 * job.gradient_bytes_per_parameter * job.model.n_parameters() * 3 / 4
    assert use.card_time_s == pytest.approx(bits / 3200e9)


def test_all_to_all_has_as_many_senders_as_ranks_in_other_hosts() -> None:
    """32 ranks share experts: 24 of them send to each. All 16 receivers of a leaf are behind one switch."""
    moe = "qwen3-30b-a3b"
    data = leaf_spine(400.0, model=moe, parallelism={"tp": 1, "ep": 32}, n_global_batch=64)
    use = uses_of(data)["in_layers"]
    assert use.incast.n_senders == pytest.approx(24.0)
    assert use.incast.buffer_bytes == 165e6
    assert use.incast.needed_bytes > 0
    crossing = uses_of(data | {"fabrics": [oversubscribed(data["fabrics"][0])]})["in_layers"]
    assert crossing.utilisation_ratio == pytest.approx(16 * 2 / 3)
    assert crossing.incast.needed_bytes < use.incast.needed_bytes, "slower senders fill the buffer less"


def oversubscribed(fabric: dict[str, Any]) -> dict[str, Any]:
    """Give the fabric uplinks of 50 instead of 400 Gb/s: 16:1 for two hosts a leaf."""
    return fabric | {"params": fabric["params"] | {"capacity_gbps": 50}}


@pytest.mark.parametrize("rack_gbps", [1e7, 100.0])
def test_a_phase_between_sites_by_hand(rack_gbps: float) -> None:
    """16 shards each way over a link of 200 Gb/s, behind 2 racks of 8 cards of 400 Gb/s.

    All-reduce of two sites sends half of all gradients and parameters each way. At card rate that is 6400 Gb/s; the
    link needs 32 times as long. Cables of 100 Gb/s for half of the bits each take as long as the link.
    """
    found = evaluated(sites(TWO, wide_gbps=200.0, rack_gbps=rack_gbps, parallelism={"tp": 8}))
    job, state = found.case.job, found.case.state
    assert job is not None
    uses = {use.name: use for use in found.phases}
    use = uses["wide_area"]
    bits = (reduce_bits(job) + gather_bits(job)) / 2
    assert state.link_ids[use.arc // 2] == "wan-ab"
    assert use.card_time_s == pytest.approx(bits / 6400e9)
    assert use.duration_s == pytest.approx(bits / 200e9)
    assert (use.offered_gbps, use.capacity_gbps) == (pytest.approx(6400.0), pytest.approx(200.0))
    assert use.utilisation_ratio == pytest.approx(32.0)
    assert use.n_flows == 16 * 4
    assert uses["reduce_scatter"].n_flows == 8 * 4, "of the 8 ranks of a rack, which the link between sites has not"


def test_cards_of_unknown_rate_are_no_limit() -> None:
    """The time of the phase is then that of its busiest arc, which is full."""
    found = evaluated(sites(TWO, wide_gbps=200.0, parallelism={"tp": 8}))
    assert found.step is not None
    goodput = cast("dict[str, PhaseGoodput]", found.outcome("flow_goodput"))
    arc, head = found.loads.arc, found.case.state["arc_head"]  # type: ignore[union-attr]
    n_nodes = found.case.state.n_nodes
    ends = Endpoints(head[arc ^ 1], head[arc], np.zeros(n_nodes, np.int64), np.zeros(n_nodes), np.full(n_nodes, np.nan))
    uses = {use.name: use for use in phase_uses(inputs_of(found), found.step, goodput, ends, 1e6)}
    use = uses["wide_area"]
    assert use.utilisation_ratio == 1.0
    assert use.duration_s == use.card_time_s == found.step.bottleneck["wide_area"][1]
    assert use.offered_gbps == use.capacity_gbps == pytest.approx(200.0)


def test_a_job_that_stays_in_its_rack_has_no_phase() -> None:
    assert evaluated(sites({"a": [("H100", 8)]}, parallelism={"tp": 8})).phases == ()


def test_a_phase_that_is_not_sent_is_not_listed() -> None:
    names = {use.name for use in evaluated(sites(TWO, km=1.0, parallelism={"tp": 8})).phases}
    assert names == {"reduce_scatter", "all_gather", "wide_area"}


# --- pairs of accelerators -------------------------------------------------------------------------------------------


def test_a_ring_leaves_a_rack_through_the_cards_of_all_its_ranks_there() -> None:
    """Ranks on racks 0 0 1 1: two pairs from 0 to 1 and back. Ranks on 0 1 0 1: each hop has its own pair."""
    together, apart = (_ring_flows(np.array(racks).reshape(1, 4, 1)) for racks in ([0, 0, 1, 1], [0, 1, 0, 1]))
    assert together.n_pairs[together.source != together.target].tolist() == [2.0, 2.0]
    assert apart.n_pairs.tolist() == [1.0] * 4


def test_each_shard_of_two_sites_is_one_pair() -> None:
    found = evaluated(sites(TWO, km=1.0, parallelism={"tp": 8}))
    assert found.flows is not None
    assert [flows.n_pairs.sum() for _, _, flows in found.flows.wide] == [16.0, 16.0]


def test_loads_count_the_pairs_of_an_arc_and_their_round_trips() -> None:
    """16 pairs over the wide-area link, of 2 x 4.9 µs a km and no latency in the switches."""
    found = evaluated(sites(TWO, km=100.0, parallelism={"tp": 8}))
    assert found.loads is not None
    assert found.placed is not None
    is_wide = found.case.state.link_ids.index("wan-ab") == found.loads.arc // 2
    assert found.loads.n_pairs["wide_area"][is_wide].tolist() == [16.0, 16.0]
    trip_us = 2 * found.loads.wide_latency_us
    assert found.loads.n_pairs_per_us["wide_area"][is_wide] == pytest.approx(16 / trip_us)
    assert found.case.job is not None
    flows = job_flows(found.placed, found.case.job, found.case.state.n_nodes)
    assert {kind for kind, _ in flows.sets()} >= {"local", "wide_area"}


# --- by hand, arc by arc ---------------------------------------------------------------------------------------------

GBIT = 1e9
R0, R1, R2, S3, S4 = range(5)
"""Three racks and two switches."""


def ends_of(
    arcs: list[tuple[int, int]], n_accelerators: list[int], card_gbps: list[float], buffer_bytes: list[float]
) -> Endpoints:
    tail, head = np.array(arcs).T
    return Endpoints(tail, head, np.array(n_accelerators), np.array(card_gbps), np.array(buffer_bytes))


SENDING = ends_of(
    [(R0, S3), (R0, S4), (R1, S3), (S3, R2), (S4, R2), (S3, S4)],
    [8, 4, 8, 0, 0],
    [400.0, 400.0, 100.0, 0.0, 0.0],
    [np.nan] * 5,
)


@pytest.mark.parametrize(
    ("gbit", "n_pairs", "seconds"),
    [
        # rack 0: 600 + 200 Gb over min(8, 1 + 1) cards of 400 Gb/s = 1 s; rack 1: 800 over 4 cards = 0.5 s;
        # rack 2: 1600 Gb in over min(8, 10) cards of 100 Gb/s = 2 s
        ([600, 200, 800, 1500, 100, 0], [1, 1, 8, 9, 1, 0], 2.0),
        # fewer bits reach rack 2: 80 Gb over 800 Gb/s = 0.1 s, so that rack 0 is last
        ([600, 200, 800, 70, 10, 0], [1, 1, 8, 9, 1, 0], 1.0),
        # a pair more at rack 0, so 800 Gb over 3 cards: 2/3 s
        ([600, 200, 800, 70, 10, 0], [2, 1, 8, 9, 1, 0], 2 / 3),
        # rack 1 has 4 accelerators for its 8 pairs: 3200 Gb over 1600 Gb/s
        ([0, 0, 3200, 0, 0, 0], [0, 0, 8, 0, 0, 0], 2.0),
        # between switches no card sends
        ([0, 0, 0, 0, 0, 900], [0, 0, 0, 0, 0, 5], 0.0),
    ],
)
def test_cards_need_the_time_of_the_busiest_rack(gbit: list[float], n_pairs: list[float], seconds: float) -> None:
    found_s = card_time_s(np.array(gbit) * GBIT, np.array(n_pairs, dtype=float), SENDING)
    assert found_s == pytest.approx(seconds)


def incast_of(
    ends: Endpoints,
    n_pairs: list[float],
    n_flows: list[float] | None = None,
    bits_each: float = 1e12,
    n_messages: float = 1.0,
    speed_ratio: float = 1.0,
    window_bytes: float = 1e12,
    round_trip_us: float = 10.0,
) -> Incast:
    """Incast of one kind; each pair has so many bits, and one flow unless given."""
    n, pairs = len(n_pairs), np.array(n_pairs, dtype=float)
    ones, loads = np.ones(n), UnitLinkLoads(np.arange(n), (), (), (), (), (), {}, 0, 0, 0, 0, 0, (), {"local": pairs})
    flows = FlowGoodput(ones, ones, ones, ones, ones, ones)
    goodput = PhaseGoodput(pairs if n_flows is None else np.array(n_flows), ones * round_trip_us, flows)
    model = _IncastModel(loads, {"local": goodput}, ends, window_bytes)
    return model.of("local", bits_each * pairs, n_messages, speed_ratio)


RECEIVING = ends_of(
    [(S3, R0), (S3, R1), (S4, R2), (R0, S3), (S3, S4)],
    [2, 4, 4, 0, 0],
    [400.0, 200.0, 400.0, 0.0, 0.0],
    [np.nan, np.nan, np.nan, 6e6, 4e6],
)
PAIRS = [8.0, 8.0, 6.0, 9.0, 9.0]
"""Rack 0: 4 senders for each accelerator, rack 1: 2, rack 2: 1.5."""


def test_what_arrives_in_a_round_trip_beyond_what_leaves() -> None:
    """In 10 µs a card of 400 Gb/s sends 500 kB, one of 200 Gb/s 250 kB; a receiver takes one of its n senders.

    Switch 3: 8 (1 - 1/4) 500 kB + 8 (1 - 1/2) 250 kB = 3 MB + 1 MB of 6 MB. Switch 4: 6 (1 - 1/1.5) 500 kB = 1 MB of
    4 MB. Flows that enter a switch find no receiver there.
    """
    found = incast_of(RECEIVING, PAIRS)
    assert (found.n_senders, found.switch, found.buffer_bytes) == (4.0, S3, 6e6)
    assert found.needed_bytes == pytest.approx(4e6)


def test_the_fullest_switch_is_that_with_least_room() -> None:
    """1 MB of 1.2 MB is fuller than 4 MB of 6 MB. Where no buffer is known, most bytes decide."""
    small = replace(RECEIVING, buffer_bytes=np.array([np.nan, np.nan, np.nan, 6e6, 1.2e6]))
    found = incast_of(small, PAIRS)
    assert (found.switch, found.buffer_bytes) == (S4, 1.2e6)
    assert found.needed_bytes == pytest.approx(1e6)
    assert found.n_senders == 4.0
    unknown = incast_of(replace(RECEIVING, buffer_bytes=np.full(5, np.nan)), PAIRS)
    assert unknown.switch == S3
    assert np.isnan(unknown.buffer_bytes)
    one_known = incast_of(replace(RECEIVING, buffer_bytes=np.array([np.nan, np.nan, np.nan, np.nan, 4e6])), PAIRS)
    assert one_known.switch == S4


@pytest.mark.parametrize(
    ("how", "needed_bytes"),
    [
        ({"speed_ratio": 0.5}, 8 * (0.5 - 0.25) * 500e3),  # rack 1 and 2: senders fill no more than leaves
        ({"round_trip_us": 20.0}, 8e6),
        # 100 kB of 8 bits in 4 messages: 25 kB a burst, instead of 500 and 250 kB
        ({"bits_each": 8e5, "n_messages": 4.0}, (6 + 4) * 25e3),
        # windows of 30 kB, one flow a pair
        ({"window_bytes": 30e3}, (6 + 4) * 30e3),
        # two flows a pair to rack 0, 1 to rack 1: 60 and 30 kB
        ({"window_bytes": 30e3, "n_flows": [16.0, 8.0, 6.0, 0.0, 0.0]}, 6 * 60e3 + 4 * 30e3),
    ],
)
def test_a_sender_stops_after_a_round_trip_a_window_or_a_message(how: dict[str, Any], needed_bytes: float) -> None:
    found = incast_of(RECEIVING, PAIRS, **how)
    assert found.switch == S3
    assert found.needed_bytes == pytest.approx(needed_bytes)


def test_pairs_that_are_split_over_two_switches_are_senders_too() -> None:
    """4 pairs reach one accelerator, 0.5 and 1 over each switch twice: 4 senders, of which 3/4 are too many."""
    arcs = [(S3, R0), (S3, R0), (S4, R0), (S4, R0)]
    ends = ends_of(arcs, [1, 0, 0, 0, 0], [400.0] * 3 + [0.0] * 2, [np.nan] * 3 + [6e6, 6e6])
    found = incast_of(ends, [0.5, 1.0, 1.0, 1.5])
    assert (found.n_senders, found.switch) == (4.0, S4)
    assert found.needed_bytes == pytest.approx(2.5 * 0.75 * 500e3)


def test_one_sender_for_each_receiver_fills_no_buffer() -> None:
    """2 and 3 pairs for 2 and 4 accelerators: 1 sender, and 3/4 of one."""
    for pairs in ([2.0, 3.0, 0.0, 9.0, 9.0], [0.0, 3.0, 0.0, 9.0, 9.0], [0.0, 0.0, 0.0, 9.0, 9.0]):
        found = incast_of(RECEIVING, pairs)
        assert (found.n_senders, found.switch, found.needed_bytes) == (1.0, -1, 0.0)
        assert np.isnan(found.buffer_bytes)
    assert incast_of(RECEIVING, PAIRS, speed_ratio=0.1) == Incast(4.0, -1, 0.0, pytest.approx(np.nan, nan_ok=True))


@pytest.mark.parametrize(
    ("job", "kind", "n_messages"),
    [
        # a replica in each of 2 racks, so 16 of 32 sequences each; 8 buckets
        ({"parallelism": {"tp": 8}, "n_global_batch": 32}, "local", 8),
        ({"parallelism": {"tp": 8, "fully_sharded": True}, "n_global_batch": 32}, "local", 8 * 16),
        ({"parallelism": {"tp": 8}, "n_global_batch": 32}, "wide_area", 8),
        # one replica of two stages: 32 micro batches over each of two boundaries of virtual stages
        ({"parallelism": {"tp": 8, "pp": 2, "n_virtual_stages": 2}, "n_global_batch": 32}, "pipeline", 32 * 2),
        ({"parallelism": {"tp": 8, "pp": 2, "n_virtual_stages": 2}, "n_global_batch": 32}, "crossing", 32 * 2),
        # a replica in each rack; the stated split gives one of them 20 micro batches of a stage each
        (
            {
                "parallelism": {"tp": 4, "pp": 2},
                "n_global_batch": 32,
                "split": "stated",
                "placement": [
                    {"site": "a", "n_accelerators": 8, "n_micro_batches": 20},
                    {"site": "b", "n_micro_batches": 12},
                ],
            },
            "pipeline",
            20,
        ),
        # 32 layers, 4 rounds each: two of the forward pass, which recomputing repeats, and two of the backward pass
        ({"parallelism": {"tp": 8, "cp": 2}, "n_global_batch": 32}, "context", 32 * 32 * 4),
    ],
)
def test_messages_of_a_step(job: dict[str, Any], kind: str, n_messages: float) -> None:
    assert general("n_gradient_buckets") == 8
    held = {"a": [("H100", 8)] * 2} | ({"b": [("H100", 8)]} if "split" in job else {})
    found = evaluated(sites(held, **job))
    assert found.step is not None
    assert _n_messages(inputs_of(found), found.step, kind) == n_messages
