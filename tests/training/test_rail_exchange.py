"""Exchange between rails: over the fabric where it joins them, over NVLink with PXN."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.samples import job_data, model_data, rail_data
from twin.arrays import State
from twin.loading import from_document
from twin.stages.evaluation import Case, Evaluation
from twin.training import rail_exchange

EXPERTS = {"model": model_data(n_experts=16, n_experts_active=2), "parallelism": {"ep": 16}}


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def evaluated(data: dict[str, Any]) -> Evaluation:
    network = from_document(data)
    return network._engine.evaluate(Case(State.of(network.arrays), network.document, network.job()))


def flow_amounts(found: Evaluation) -> dict[tuple[str, str], float]:
    assert found.flows is not None
    ids, (flow,) = found.case.state.node_ids, found.flows.expert
    pairs = zip(flow.source, flow.target, flow.amount, strict=True)
    return {(ids[source], ids[target]): float(amount) for source, target, amount in pairs}


def test_experts_on_rails_that_nothing_joins_have_no_path() -> None:
    found = evaluated(rail_data(**EXPERTS))
    assert found.step is None
    assert found.why_no_step.startswith("no path for expert traffic from leaf-1 to leaf-2; pxn: true")


def test_joined_rails_carry_half_of_the_exchange_from_leaf_to_leaf() -> None:
    """Each of 8 ranks of a host sends 8/15 of its tokens to the other host, half of them to its own rail.

    So 8 x 4/15 go from host to host. As many go each way between the leaves in both directions of hosts: 2 x 4 x 4/15.
    A host hands 16/15 of them to each leaf, and gets as many from it.
    """
    found = evaluated(rail_data(joined=True, **EXPERTS))
    assert found.step is not None
    straight, between, edge = 8 * 4 / 15, 2 * 4 * 4 / 15, 4 * 4 / 15
    expected = dict.fromkeys((("h1", "h2"), ("h2", "h1")), straight)
    expected |= {("leaf-1", "leaf-2"): between, ("leaf-2", "leaf-1"): between}
    for host in ("h1", "h2"):
        for leaf in ("leaf-1", "leaf-2"):
            expected |= {(host, leaf): edge, (leaf, host): edge}
    assert flow_amounts(found) == pytest.approx(expected)


def test_pxn_keeps_all_exchange_on_its_rail_and_takes_a_hop_over_nvlink() -> None:
    found = evaluated(rail_data(pxn=True, **EXPERTS))
    assert found.step is not None
    assert flow_amounts(found) == pytest.approx({("h1", "h2"): 8 * 8 / 15, ("h2", "h1"): 8 * 8 / 15})
    without_rails = rail_data(**EXPERTS)
    for node in without_rails["nodes"]:
        node.pop("rail", None)
    plain = evaluated(without_rails)
    assert plain.accelerators is not None
    assert found.accelerators is not None
    (with_hop,), (bare,) = (item.accelerators.groups for item in (found, plain) if item.accelerators)
    assert with_hop.profile.nic_hop_s == pytest.approx(bare.profile.nic_hop_s + bare.profile.nvlink_hop_s)
    assert with_hop.profile.nic_bytes_per_s == bare.profile.nic_bytes_per_s


@pytest.mark.parametrize(
    ("document", "job", "has_step"),
    [(True, None, True), (True, False, False), (False, True, True), (False, None, False)],
)
def test_a_job_says_otherwise_than_its_document(document: bool, job: bool | None, has_step: bool) -> None:
    data = rail_data(**EXPERTS, pxn=job) | {"pxn": document}
    assert (evaluated(data).step is not None) == has_step


def test_exchange_of_equal_tensor_ranks_stays_on_its_rail() -> None:
    """Two stages, one on each host, and gradients between two hosts: no exchange between rails."""
    for parallelism in ({"tp": 8}, {"tp": 8, "pp": 2}, {"tp": 4, "pp": 2}, {"tp": 2}):
        found = evaluated(rail_data(parallelism=parallelism))
        assert found.step is not None
        assert found.outcome("rail_exchange") is None


def test_stages_on_other_rails_need_a_path_between_them() -> None:
    """tp 1, pp 16: stage 8 ends on slot 7, rail 2, and hands on to slot 0 of the other host, rail 1."""
    job = {"parallelism": {"tp": 1, "pp": 16}, "model": model_data(n_layers=16)}
    found = evaluated(rail_data(**job))
    assert found.why_no_step.startswith("no path for pipeline traffic from leaf-")
    assert evaluated(rail_data(joined=True, **job)).step is not None
    assert evaluated(rail_data(pxn=True, **job)).step is not None


def test_context_rings_over_hosts_cross_rails() -> None:
    job = {"parallelism": {"tp": 1, "cp": 16}}
    assert evaluated(rail_data(**job)).why_no_step.startswith("no path for context traffic")


def test_more_pairs_than_the_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rail_exchange, "MAX_PAIRS", 16 * 16 - 1)
    with pytest.raises(Exception, match=r"256 pairs of ranks share experts over 2 rails.*ep"):
        evaluated(rail_data(pxn=True, **EXPERTS))


def test_two_leaves_of_a_rail_share_what_goes_between_rails() -> None:
    """Rail 2 has a second leaf with as many ports: each leaf gets half of the 4 x 4/15 of a host."""
    data = rail_data(joined=True, **EXPERTS)
    data["nodes"].append({"id": "leaf-2b", "kind": "leaf", "site": "s", "rail": 2})
    data["links"] += [
        {"id": f"{a}-2b", "ends": [a, "leaf-2b"], "capacity_gbps": 400.0, "n_parallel": 4}
        for a in ("h1", "h2", "spine")
    ]
    amounts = flow_amounts(evaluated(data))
    assert amounts["h1", "leaf-2"] == amounts["h1", "leaf-2b"] == pytest.approx(2 * 4 / 15)
    assert amounts["leaf-2b", "leaf-1"] == pytest.approx(4 * 4 / 15)


def test_a_lost_card_with_pxn_keeps_all_exchange_on_its_rail() -> None:
    data = rail_data(joined=True, on_card_loss="pxn", pxn=True, **EXPERTS)
    data["links"][0]["n_failed"] = 1
    found = evaluated(data)
    assert found.step is not None
    assert flow_amounts(found) == pytest.approx({("h1", "h2"): 8 * 8 / 15, ("h2", "h1"): 8 * 8 / 15})


def test_job_data_has_no_pxn_by_default() -> None:
    network = from_document(rail_data(**{key: value for key, value in job_data().items() if key == "n_global_batch"}))
    job = network.job()
    assert job is not None
    assert (job.pxn, network.document.pxn, job.on_card_loss) == (None, False, "stop")


def second_leaf(*down: str) -> dict[str, Any]:
    """Rail 2 with a second leaf of as many ports; some links down."""
    data = rail_data(joined=True, **EXPERTS)
    data["nodes"].append({"id": "leaf-2b", "kind": "leaf", "site": "s", "rail": 2})
    data["links"] += [
        {"id": f"{a}-2b", "ends": [a, "leaf-2b"], "capacity_gbps": 400.0, "n_parallel": 4}
        for a in ("h1", "h2", "spine")
    ]
    for link in data["links"]:
        if link["id"] in down:
            link["up"] = False
    return data


def test_traffic_enters_a_host_by_all_leaves_of_its_rail() -> None:
    """4 x 4/15 for rail 2 of a host, in halves; between leaves of rails each way half of 2 x 4 x 4/15."""
    amounts = flow_amounts(evaluated(second_leaf()))
    assert amounts["leaf-2", "h1"] == amounts["leaf-2b", "h1"] == pytest.approx(2 * 4 / 15)
    assert amounts["leaf-1", "leaf-2"] == amounts["leaf-1", "leaf-2b"] == pytest.approx(4 * 4 / 15)
    assert amounts["leaf-1", "h1"] == pytest.approx(4 * 4 / 15)


def test_a_leaf_behind_dead_ports_gets_nothing() -> None:
    amounts = flow_amounts(evaluated(second_leaf("h1-2b")))
    assert ("h1", "leaf-2b") not in amounts
    assert ("leaf-2b", "h1") not in amounts
    assert amounts["h1", "leaf-2"] == pytest.approx(4 * 4 / 15)
    assert amounts["h2", "leaf-2b"] == pytest.approx(2 * 4 / 15)


def test_one_port_that_is_left_takes_all_of_its_rail() -> None:
    data = second_leaf("h1-2b")
    next(link for link in data["links"] if link["id"] == "h1-2")["n_failed"] = 3
    assert flow_amounts(evaluated(data))["h1", "leaf-2"] == pytest.approx(4 * 4 / 15)


def test_behind_dead_ports_alone_the_traffic_keeps_its_leaves() -> None:
    amounts = flow_amounts(evaluated(second_leaf("h1-2", "h1-2b")))
    assert amounts["h1", "leaf-2"] == amounts["h1", "leaf-2b"] == pytest.approx(2 * 4 / 15)


def test_groups_of_a_replica_over_sites_share_one_set_of_flows() -> None:
    """32 stages of one accelerator on two hosts at each of two sites: stage 8 is on rail 2, stage 9 on rail 1."""
    here, there = rail_data(joined=True), rail_data(joined=True)
    for node in there["nodes"]:
        node |= {"id": f"t-{node['id']}", "site": "t"}
    for link in there["links"]:
        link |= {"id": f"t-{link['id']}", "ends": [f"t-{end}" for end in link["ends"]]}
    wide = {"id": "wan", "ends": ["spine", "t-spine"], "capacity_gbps": 400.0}
    job = job_data(
        model=model_data(n_layers=32),
        parallelism={"tp": 1, "pp": 32},
        across_sites="pipeline",
        placement=[{"site": "s"}, {"site": "t"}],
    )
    data = {
        "sites": [{"id": "s"}, {"id": "t"}],
        "nodes": here["nodes"] + there["nodes"],
        "links": [*here["links"], *there["links"], wide],
        "jobs": [job],
    }
    found = evaluated(data)
    exchange = found.outcome("rail_exchange")
    assert isinstance(exchange, rail_exchange.RailExchange)
    assert exchange.crosses == (True, True)
    assert len(exchange.flows.pipeline) == 1
