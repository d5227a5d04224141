"""Phases of a step on the network: utilisation, offered load and incast, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.training.steps import evaluated, job_data, sites
from twin.loading import from_document
from twin.training.job_flows import _ring_flows, job_flows
from twin.training.phase_use import PhaseUse

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
