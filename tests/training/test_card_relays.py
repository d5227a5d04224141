"""Exchange between rails of hosts with lost cards: it stays on the fabric, and other cards of the domain send it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.model.samples import rail_data
from tests.training.test_card_failures import WIDE, cable, steps
from tests.training.test_cards import hosts_data
from tests.training.test_rail_exchange import EXPERTS, evaluated, flow_amounts
from twin.training.card_relays import CardRelays, CardsOfNode, carriers
from twin.training.job_flows import Flows


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def cards(*lost: int, n_domains: int = 1) -> CardsOfNode:
    """Cards on rails 1, 2, 3, 1, 2, 3; without the lost ones."""
    alive = ~np.isin(np.arange(6), lost)
    return np.tile([1, 2, 3], 2), np.repeat(np.arange(n_domains), 6 // n_domains), alive.astype(float)


@pytest.mark.parametrize(
    ("lost", "n_domains", "avoided", "to_next", "want"),
    [
        ((0,), 1, 2, False, {1: 1 / 2 + 1 / 6, 3: 1 / 3}),
        ((0,), 1, 3, False, {1: 1 / 2 + 1 / 6, 2: 1 / 3}),
        ((0, 3), 1, 2, False, {3: 1.0}),
        ((0, 3, 2, 5), 1, 2, False, {2: 1.0}),
        ((0,), 2, 2, False, {1: 1 / 2, 3: 1 / 2}),
        ((0,), 1, 3, True, {1: 1 / 2, 2: 1 / 2}),
        ((0,), 1, 2, True, {1: 1 / 2, 3: 1 / 2}),
        ((3, 4, 5), 1, 2, True, {1: 1.0}),
        ((0, 1, 2), 2, 2, False, {1: 1.0}),
    ],
)
def test_who_carries_the_traffic_of_rail_1(
    lost: tuple[int, ...], n_domains: int, avoided: int, to_next: bool, want: dict[int, float]
) -> None:
    """Cards 0 and 3 are on rail 1. For a lost one the others of its domain carry, but those of the rail avoided."""
    rails, share = carriers(cards(*lost, n_domains=n_domains), 1, avoided, to_next=to_next)
    assert dict(zip(rails.tolist(), share.tolist(), strict=True)) == pytest.approx(want)


@pytest.mark.parametrize(
    ("avoided", "want"),
    [(2, {1: (6 / 11 + 1 + 5 / 33) / 2, 3: 10 / 33 / 2}), (3, {1: (6 / 11 + 1 + 5 / 33) / 2, 2: 10 / 33 / 2})],
)
def test_a_card_with_half_of_its_ports_keeps_what_takes_as_long(avoided: int, want: dict[int, float]) -> None:
    """Rates 1/2, 1, 1, 1, 1, 1 sum to 11/2: the first card keeps 6 / 11 of its traffic. The rest goes by rate."""
    number, domain, rate_ratio = cards()
    rate_ratio[0] = 0.5
    rails, share = carriers((number, domain, rate_ratio), 1, avoided, to_next=False)
    assert dict(zip(rails.tolist(), share.tolist(), strict=True)) == pytest.approx(want)


def test_both_ends_relay_and_what_stays_on_a_rail_is_left_alone() -> None:
    """Node 0 has lost rail 1 and node 1 rail 2: 6 from rail 1 to rail 2 leave by rail 3 and arrive by rail 1.

    The receiver must not take it on rail 3, where it would leave the exchange between rails. Ends count from rail 0.
    """
    relays = CardRelays({0: cards(0, 3), 1: cards(1, 4)}, False)
    flow = Flows(np.array([0, 0]), np.array([4, 3]), np.array([6.0, 2.0]), np.array([3.0, 1.0]))
    found = relays.relayed(flow, np.array([1, 2, 3]))
    columns = zip(found.source, found.target, found.amount, found.n_pairs, strict=True)
    assert sorted(tuple(map(float, row)) for row in columns) == [(0, 3, 2, 1), (2, 3, 6, 3)]


def test_part_of_a_rail_that_is_lost_leaves_the_exchange_between_rails_as_it_is() -> None:
    """The three cards of rail 1 that are left carry for the fourth, so as much goes between the leaves."""
    data = rail_data(joined=True, on_card_loss="pxn", **EXPERTS)
    whole = flow_amounts(evaluated(data))
    data["links"][0]["n_failed"] = 1
    assert flow_amounts(evaluated(data)) == pytest.approx(whole)


def test_a_host_with_one_rail_left_has_all_its_traffic_there() -> None:
    """x = 4 x 4/15 goes between any two rails of the hosts. h1 has only rail 2.

    To h2 it has x on each of two rails and x between rail 1 and rail 2 from card to card, and x from leaf 2 to leaf 1.
    """
    data = rail_data(joined=True, on_card_loss="pxn", **EXPERTS)
    data["links"][0]["up"] = False
    x = 16 / 15
    want = {("h1", "h2"): 3 * x, ("h1", "leaf-2"): x, ("leaf-2", "leaf-1"): x, ("leaf-1", "h2"): x}
    want |= {("h2", "h1"): 3 * x, ("h2", "leaf-1"): x, ("leaf-1", "leaf-2"): x, ("leaf-2", "h1"): x}
    assert flow_amounts(evaluated(data)) == pytest.approx(want)


def ring_data(uplink_gbps: float | None, spread: str = "all", pxn: bool = False) -> dict[str, Any]:
    """Two hosts with eight rails; rings of keys and values go from rail 7 to rail 1, and from rail 8 to rail 2."""
    job = {"parallelism": {"tp": 2, "cp": 8}, "on_card_loss": "pxn", "pxn_spread": spread, "pxn": pxn}
    data = hosts_data(2, 8, model=WIDE, n_global_batch=240, **job)
    if uplink_gbps is not None:
        data["nodes"].append({"id": "spine", "kind": "spine", "site": "s"})
        data["links"] += [
            {"id": f"up-{rail}", "ends": [f"leaf-{rail}", "spine"], "capacity_gbps": uplink_gbps}
            for rail in range(1, 9)
        ]
    return data


FAILURES = [[], [cable(1, 2)], [{"kind": "fail_nodes", "nodes": "leaf-2"}]]


def test_a_lost_card_does_not_join_rails() -> None:
    assert steps(ring_data(None), *FAILURES) == [float("inf")] * 3
    assert max(steps(ring_data(None, pxn=True), *FAILURES)) < float("inf")


@pytest.mark.parametrize("spread", ["all", "one"])
@pytest.mark.parametrize("uplink_gbps", [50.0, 400.0, 1600.0])
def test_a_lost_card_makes_no_ring_between_rails_faster(spread: str, uplink_gbps: float) -> None:
    found = steps(ring_data(uplink_gbps, spread), *FAILURES)
    assert found[0] < found[1] < float("inf")
    assert all(before <= after for before, after in pairwise(found))


def test_slow_uplinks_carry_what_the_lost_card_gets_elsewhere() -> None:
    """Leaf 1 gets 2 (one from each host) plus a share of what rail 8 sends to rail 2: 1/6 or, of both hosts, 2/6.

    Rail 8 itself does not carry, as it is the rail of the other end: the cards that are left are 1 and 3 to 7.
    """
    whole, cable_down, leaf_down = steps(ring_data(1.0), *FAILURES)
    assert (cable_down - whole) / whole == pytest.approx(1 / 12, rel=1e-2)
    assert (leaf_down - whole) / whole == pytest.approx(2 / 12, rel=1e-2)
