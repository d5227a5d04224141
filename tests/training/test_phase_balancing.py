"""Racks on rails: the flows of a rack belong to cards and leaves before any switch hashes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.naive_hashing import Fabric
from tests.traffic.fabrics import routes_of
from tests.training.steps import evaluated, one_site
from twin.stages.evaluation import Evaluation
from twin.traffic.hash_groups import LinkGroups
from twin.traffic.hash_law import PhaseTimes, joint_times, phase_times

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
