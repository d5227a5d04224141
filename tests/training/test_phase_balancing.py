"""Racks on rails: the flows of a rack belong to cards and leaves before any switch hashes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.model.samples import model_data
from tests.naive_hashing import Fabric
from tests.traffic.fabrics import routes_of
from tests.training.steps import GENEROUS, evaluated, one_site, sites
from twin.stages.evaluation import Evaluation
from twin.traffic.hash_groups import LinkGroups
from twin.traffic.hash_law import PhaseTimes, joint_times, phase_times
from twin.training.phase_balancing import exchange_weights

N_PODS, N_HOSTS, N_SPINES = 4, 4, 4


def rails(**more: Any) -> dict[str, Any]:
    """Hosts of two accelerators on two leaves of their pod; four spines join all leaves."""
    data = one_site(N_PODS * N_HOSTS, 2, parallelism={"tp": 2, "pp": 2})
    racks = [node for node in data["nodes"] if node["kind"] == "rack"]
    site = racks[0]["site"]
    leaves = [{"id": f"leaf-{p}-{r}", "kind": "leaf", "site": site} for p in range(N_PODS) for r in range(2)]
    spines = [{"id": f"spine-{s}", "kind": "spine", "site": site} for s in range(N_SPINES)]
    pairs = [
        (f"c-{i:02}-{r}", rack["id"], f"leaf-{i // N_HOSTS}-{r}") for i, rack in enumerate(racks) for r in range(2)
    ]
    pairs += [(f"t-{leaf['id']}-{spine['id']}", leaf["id"], spine["id"]) for leaf in leaves for spine in spines]
    links = [{"id": name, "ends": [a, b], "capacity_gbps": 400.0} for name, a, b in pairs]
    return data | {"nodes": racks + leaves + spines, "links": links} | more


def card_by_card(found: Evaluation, n_flows: int) -> PhaseTimes:
    """The ring of the job between cards of plain links, card r of a host on leaf r."""
    assert found.flows is not None
    n_cards, n_leaves = 2 * N_PODS * N_HOSTS, 2 * N_PODS
    cards = [(card, n_cards + card // 2 // N_HOSTS * 2 + card % 2) for card in range(n_cards)]
    trunks = [(n_cards + leaf, n_cards + n_leaves + spine) for leaf in range(n_leaves) for spine in range(N_SPINES)]
    fabric = Fabric(n_cards, n_cards + n_leaves + N_SPINES, cards + trunks, [1.0] * len(cards + trunks))
    row = {name: i for i, name in enumerate(name for name in found.case.state.node_ids if name.startswith("a-"))}
    flows, ids, pairs = found.flows.local[0].flows, found.case.state.node_ids, []
    for source, target, n in zip(flows.source, flows.target, flows.n_pairs, strict=True):
        pairs += [(2 * row[ids[source]] + k % 2, 2 * row[ids[target]] + k % 2) for k in range(int(n))]
    return phase_times(LinkGroups.of(routes_of(fabric, pairs)), n_flows)


@pytest.mark.parametrize("n_flows", [1, 2, 8])
def test_racks_on_rails_are_their_cards_one_by_one(n_flows: int) -> None:
    found = evaluated(rails(load_balancing=[{"mode": "ecmp", "n_flows_per_pair": n_flows}]))
    expected = card_by_card(found, n_flows)
    assert expected.mean_efficiency_ratio < 0.98
    assert found.phase_times["local"].mean_efficiency_ratio == pytest.approx(expected.mean_efficiency_ratio, rel=1e-9)
    assert found.phase_times["local"].efficiency_ratio(0.1) == pytest.approx(expected.efficiency_ratio(0.1))


def test_a_phase_of_several_parts_ends_with_the_last_of_them() -> None:
    """One part ends at 1 s or 3 s, the other at 2 s or 4 s; half of the jobs each."""
    half = np.array([0.5, 1.0])
    found = joint_times(1.0, [PhaseTimes(1.0, np.array([1.0, 3.0]), half), PhaseTimes(1.0, np.array([2.0, 4.0]), half)])
    assert found.time_s.tolist() == [2.0, 3.0, 4.0]
    assert found.ended_ratio.tolist() == [0.25, 0.5, 1.0]


# --- sites ------------------------------------------------------------------------------------------------------------

THREE = {site: [("H100", 8)] * 2 for site in "abc"}


def mesh(ac_gbps: float | None, n_members: int = 1) -> dict[str, Any]:
    """Three sites of two racks; links of 100 Gb/s from b, and one of another capacity or none from a to c."""
    data = sites(THREE, wide_gbps=100.0 / n_members, parallelism={"tp": 8})
    links = [link | ({"n_parallel": n_members} if "wan" in link["id"] else {}) for link in data["links"]]
    ac = next(link for link in links if link["id"] == "wan-ac")
    ac["capacity_gbps"] = (ac_gbps or 0.0) / n_members
    return data | {"links": [link for link in links if link is not ac or ac_gbps]}


def weights_of(found: Evaluation) -> dict[str, list[float]]:
    assert found.placed is not None
    assert found.loads is not None
    assert found.free_capacity is not None
    gbps = found.free_capacity.gbps["wide_area"]
    return {kind: row.tolist() for kind, row in exchange_weights(found.placed.sites, found.loads, gbps).items()}


@pytest.mark.parametrize(
    ("ac_gbps", "ab", "ac", "bc"),
    [
        # all alike: each site sends a third of the parameters to each other one
        (100.0, 1 / 3, 1 / 3, 1 / 3),
        # parts x, y, z of the parameters over the chains a-b-c, a-c-b and b-a-c; a chain sends half of its part over
        # each of its links, each way. All links end together: (x + z) / 100 = (x + y) / 100 = (y + z) / 50,
        # so y = z, x = 3 y = 0.6
        (50.0, 0.4, 0.2, 0.4),
        # no link: all over the chain a-b-c
        (None, 0.5, 0.0, 0.5),
    ],
)
def test_weights_are_the_part_of_each_pair_of_sites(ac_gbps: float | None, ab: float, ac: float, bc: float) -> None:
    found = evaluated(mesh(ac_gbps))
    assert found.loads is not None
    by_pair = dict(zip(found.loads.wide, weights_of(found)["wide_area"], strict=True))
    expected = {(0, 1): ab, (1, 0): ab, (0, 2): ac, (2, 0): ac, (1, 2): bc, (2, 1): bc}
    assert by_pair == {pair: pytest.approx(weight, abs=1e-9) for pair, weight in expected.items()}


def test_links_of_less_than_a_gigabit_have_weights() -> None:
    slow = evaluated(sites(THREE, wide_gbps=0.5, parallelism={"tp": 8}))
    assert weights_of(slow)["wide_area"] == pytest.approx([1 / 3] * 6)


def test_two_sites_and_dead_links_have_no_weights() -> None:
    two = evaluated(sites({site: [("H100", 8)] for site in "ab"}, parallelism={"tp": 8}))
    assert weights_of(two) == {}
    found = evaluated(mesh(100.0))
    assert found.placed is not None
    assert found.loads is not None
    dead = np.ones(len(found.loads.arc))
    dead[-1] = 0.0
    assert exchange_weights(found.placed.sites, found.loads, dead) == {}


def test_flows_of_a_pair_without_a_part_hash_nowhere() -> None:
    """Chain a-b-c: both links carry half of the parameters each way. Four bundles of 8 members, 16 pairs each."""
    found = evaluated(mesh(None, n_members=8) | {"lossless": {"n_flows_per_accelerator": 1.0}})
    columns = (np.array([x]) for x in (16.0, 8.0, 1.0, 4.0))
    expected = phase_times(LinkGroups(*columns, even_s=2.0), 1).mean_efficiency_ratio
    assert found.phase_times["wide_area"].mean_efficiency_ratio == pytest.approx(expected, rel=1e-9)


# --- one bundle between two racks -------------------------------------------------------------------------------------


def bundle(
    n_members: int, gbps: float, cable_gbps: float = GENEROUS, n_cables: int = 1, n_ranks: int = 1, **record: Any
) -> dict[str, Any]:
    """Two racks on a leaf each, and a bundle between the leaves; a ring of two replicas of `n_ranks` ranks."""
    data = one_site(2, n_ranks, parallelism={"tp": n_ranks}, model=model_data(), n_global_batch=8)
    racks = [node for node in data["nodes"] if node["kind"] == "rack"]
    leaves = [{"id": f"leaf-{i}", "kind": "leaf", "site": "a"} for i in (0, 1)]
    links = [
        {"id": f"cable-{i}", "ends": [rack["id"], f"leaf-{i}"], "capacity_gbps": cable_gbps, "n_parallel": n_cables}
        for i, rack in enumerate(racks)
    ]
    links.append({"id": "trunk", "ends": ["leaf-0", "leaf-1"], "capacity_gbps": gbps, "n_parallel": n_members})
    return data | {"nodes": racks + leaves, "links": links, "load_balancing": [record]}


def efficiency_of(data: dict[str, Any]) -> float:
    return evaluated(data).phase_times["local"].mean_efficiency_ratio


def test_two_flows_of_one_pair_on_two_members() -> None:
    """Each direction has both flows on one member in half of the jobs; in a quarter of them neither has.

    Such a job is as fast as under even splitting, all others half as fast: 1/4 + 3/4 / 2.
    """
    assert efficiency_of(bundle(2, 10.0, mode="ecmp", n_flows_per_pair=2)) == pytest.approx(0.25 + 0.75 / 2)


@pytest.mark.parametrize(("n_ranks", "n_members"), [(8, 3), (8, 8), (4, 8), (2, 8)])
def test_whole_flows_placed_by_a_controller(n_ranks: int, n_members: int) -> None:
    """8 flows on 3 members are 3 on the fullest, so 8/3 of 3. Fewer flows than members: one on each."""
    found = efficiency_of(bundle(n_members, 10.0, n_ranks=n_ranks, mode="pinned", n_flows_per_pair=1))
    assert found == pytest.approx(n_ranks / n_members / -(-n_ranks // n_members))


@pytest.mark.parametrize(("gbps", "expected"), [(10.0, 0.5), (16.0, 0.8), (25.0, 1.0)])
def test_spray_slows_its_own_links_only(gbps: float, expected: float) -> None:
    """Cables of 10 Gb/s, a trunk that sprays to half its rate: 5, 8 and 12.5 Gb/s of the 10 of the cable."""
    found = efficiency_of(bundle(1, gbps, cable_gbps=10.0, mode="spray", efficiency_ratio=0.5))
    assert found == pytest.approx(expected)


def test_a_pair_fills_one_card_of_its_rack() -> None:
    """One rank on 8 cables of 5 Gb/s sends at 5 Gb/s. So a flow on a member of 10 Gb/s delays nothing.

    With 8 ranks the cables give 40 Gb/s, as 4 members of 10 Gb/s do, on which 8 flows collide.
    """
    one, eight = (efficiency_of(bundle(4, 10.0, 5.0, 8, n_ranks=n, mode="ecmp", n_flows_per_pair=1)) for n in (1, 8))
    assert one == 1.0
    columns = (np.array([x]) for x in (8.0, 4.0, 1.0, 2.0))
    assert eight == pytest.approx(phase_times(LinkGroups(*columns, even_s=2.0), 1).mean_efficiency_ratio)


def test_each_link_of_a_route_has_its_own_mode() -> None:
    """Trunks in a row: hashed as it would be alone where the other one sprays."""
    data = bundle(2, 10.0, mode="ecmp", n_flows_per_pair=2)
    border = {"id": "middle", "kind": "border", "site": "a"}
    trunk = data["links"].pop()
    data["links"].append(trunk | {"id": "trunk-1", "ends": ["leaf-0", "leaf-2"]})
    data["links"] += [trunk | {"id": f"up-{i}", "ends": [f"leaf-{i}", "middle"]} for i in (1, 2)]
    data["nodes"] += [border, {"id": "leaf-2", "kind": "leaf", "site": "a"}]
    spray = {"mode": "spray", "tier": "border", "efficiency_ratio": 1.0}
    assert efficiency_of(data | {"load_balancing": [*data["load_balancing"], spray]}) == pytest.approx(0.625)
    half = [*data["load_balancing"], spray | {"efficiency_ratio": 0.5}]
    assert efficiency_of(data | {"load_balancing": half}) == pytest.approx(0.5)


def two_rails(n_per_rack: int) -> dict[str, Any]:
    """Two sites of four accelerators in racks of 2 or 1: accelerator k on the leaf of rail k mod 2.

    A rack of two has a card on both leaves. Bundles of two members lead to the border router and to the other site.
    """
    held = {site: [("H100", n_per_rack)] * (4 // n_per_rack) for site in "ab"}
    data = sites(held, parallelism={"tp": 1}, model=model_data(), n_global_batch=8)
    racks = [node for node in data["nodes"] if node["kind"] == "rack"]
    switches = [{"id": f"{site}-leaf-{r}", "kind": "leaf", "site": site} for site in "ab" for r in (0, 1)]
    switches += [{"id": f"{site}-border", "kind": "border", "site": site} for site in "ab"]
    links = []
    for rack in racks:
        first = int(rack["id"].split("-")[1]) * n_per_rack
        links += [
            {"id": f"{rack['id']}~{k % 2}", "ends": [rack["id"], f"{rack['site']}-leaf-{k % 2}"], "capacity_gbps": 1e4}
            for k in range(first, first + n_per_rack)
        ]
    bundles = [(f"{site}-leaf-{r}", f"{site}-border") for site in "ab" for r in (0, 1)] + [("a-border", "b-border")]
    links += [{"id": f"{a}~{b}", "ends": [a, b], "capacity_gbps": 10.0, "n_parallel": 2} for a, b in bundles]
    records = [{"mode": "ecmp", "n_flows_per_pair": 2}]
    return data | {"nodes": racks + switches, "links": links, "load_balancing": records}


def test_flows_between_sites_leave_a_rack_by_the_leaf_of_their_card() -> None:
    """A rack of two cards on two rails is two racks of one card."""
    racks, cards = (evaluated(two_rails(n)).phase_times["wide_area"] for n in (2, 1))
    assert cards.mean_efficiency_ratio < 0.9
    assert racks.mean_efficiency_ratio == pytest.approx(cards.mean_efficiency_ratio, rel=1e-9)
    assert racks.efficiency_ratio(0.1) == pytest.approx(cards.efficiency_ratio(0.1))
