"""Flows of a job hashed onto members of wide-area bundles, and onto the links of fabrics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.training.steps import evaluated, one_site, sites
from twin.traffic.hash_groups import LinkGroups
from twin.traffic.hash_law import phase_times


def bundle_efficiency(n_flows: int, n_members: int, n_groups: int = 1) -> float:
    """Efficiency of bundles that all carry the same number of flows."""
    columns = (np.array([float(x)]) for x in (n_flows, n_members, 1.0, n_groups))
    return phase_times(LinkGroups(*columns, even_s=n_flows / n_members), 1).mean_efficiency_ratio


def two_sites(n_a: int, n_b: int, **more: Any) -> dict[str, Any]:
    data = sites({"a": [("H100", 8)] * n_a, "b": [("H100", 8)] * n_b}, km=1.0, parallelism={"tp": 8}) | more
    data["links"][-1] |= {"n_parallel": 8, "capacity_gbps": 1.0}
    return data


@pytest.mark.parametrize("n_flows", [1, 3])
def test_the_flows_of_both_directions_hash_onto_the_members(n_flows: int) -> None:
    """Two racks of 8 accelerators a site: 16 pairs each way on 8 members; the fuller of two bundles decides."""
    found = evaluated(two_sites(2, 2, lossless={"n_flows_per_accelerator": float(n_flows)}))
    assert list(found.phase_times) == ["wide_area"]
    expected = bundle_efficiency(16 * n_flows, 8, 2)
    assert expected < 0.75
    assert found.phase_times["wide_area"].mean_efficiency_ratio == pytest.approx(expected, rel=1e-9)


def test_the_record_of_the_wide_area_goes_before_the_settings_of_transport() -> None:
    rule = [{"mode": "ecmp", "tier": "wide_area", "n_flows_per_pair": 5}]
    found = evaluated(two_sites(2, 2, lossless={"n_flows_per_accelerator": 1.0}, load_balancing=rule))
    assert found.phase_times["wide_area"].mean_efficiency_ratio == pytest.approx(bundle_efficiency(80, 8, 2))


def test_spraying_with_nothing_lost_is_even_splitting() -> None:
    """The step is that of bundles with one member of the same capacity, which nothing hashes onto."""
    rule = [{"mode": "spray", "efficiency_ratio": 1.0}]
    sprayed = evaluated(two_sites(2, 2, load_balancing=rule))
    assert all(times.mean_efficiency_ratio == 1.0 for times in sprayed.phase_times.values())
    hashed = evaluated(two_sites(2, 2))
    assert sprayed.step is not None
    assert hashed.step is not None
    assert sprayed.step.step_time_s < hashed.step.step_time_s
    many = evaluated(two_sites(2, 2, lossless={"n_flows_per_accelerator": 1e6}))
    assert many.step is not None
    assert sprayed.step.step_time_s == pytest.approx(many.step.step_time_s, rel=2e-3)


def test_real_spraying_keeps_the_measured_share() -> None:
    found = evaluated(two_sites(2, 2, load_balancing=[{"mode": "spray"}]))
    assert found.phase_times["wide_area"].mean_efficiency_ratio == pytest.approx(0.95)


def test_flows_of_one_site_hash_nowhere_unless_its_load_balancing_is_stated() -> None:
    found = evaluated(one_site(2, 8, parallelism={"tp": 8}))
    assert found.phase_times == {}
    assert found.unstated_balancing == ()


FABRIC = [{"id": f"leaf-{i}~spine-{j}", "ends": [f"leaf-{i}", f"spine-{j}"]} for i in (1, 2) for j in (1, 2, 3, 4)]


def leaf_spine(**more: Any) -> dict[str, Any]:
    """Two leaves with a rack of 8 accelerators each, four spines, two links to each: 16 links of 400G for 8 cards."""
    data = one_site(2, 8, parallelism={"tp": 8}) | more
    racks = [node for node in data["nodes"] if node["kind"] == "rack"]
    switches = [{"id": f"leaf-{i}", "kind": "leaf", "site": racks[0]["site"]} for i in (1, 2)]
    switches += [{"id": f"spine-{j}", "kind": "spine", "site": racks[0]["site"]} for j in (1, 2, 3, 4)]
    cables = [
        {"id": f"cable-{i}", "ends": [rack["id"], f"leaf-{i}"], "capacity_gbps": 400.0, "n_parallel": 8}
        for i, rack in enumerate(racks, 1)
    ]
    data["nodes"] = racks + switches
    data["links"] = cables + [link | {"capacity_gbps": 400.0, "n_parallel": 2} for link in FABRIC]
    return data


def efficiency(data: dict[str, Any]) -> float:
    return evaluated(data).phase_times["local"].mean_efficiency_ratio


def test_a_fabric_without_load_balancing_splits_evenly_and_says_what_modes_would_give() -> None:
    found = evaluated(leaf_spine())
    assert found.phase_times == {}
    assert [(step.mode, step.n_flows_per_pair) for step in found.unstated_balancing] == [
        ("ecmp", 2),
        ("ecmp", 8),
        ("spray", 1),
    ]
    stated = [{"mode": "ecmp", "n_flows_per_pair": 2}], [{"mode": "ecmp"}], [{"mode": "spray"}]
    for step, record in zip(found.unstated_balancing, stated, strict=True):
        again = evaluated(leaf_spine(load_balancing=record))
        assert again.step is not None
        assert step.step_time_s == again.step.step_time_s
        assert again.unstated_balancing == ()
    steps = [step.step_time_s for step in found.unstated_balancing]
    assert found.step is not None
    assert steps[0] > steps[1] > found.step.step_time_s


def test_eight_cards_of_a_rack_hash_over_the_links_of_its_leaf() -> None:
    """8 pairs each way with one flow each on 8 links to spines, and again on the two links from each spine."""
    found = efficiency(leaf_spine(load_balancing=[{"mode": "ecmp", "n_flows_per_pair": 1}]))
    once = bundle_efficiency(8, 8, 2)
    assert bundle_efficiency(8, 8, 4) - 0.02 < found < once


@pytest.mark.parametrize(
    "more", [{"tier": "fabric"}, {"tier": "fabric", "n_flows_per_pair": 8}, {"n_flows_per_pair": 8}]
)
def test_eight_flows_per_pair_are_the_default(more: dict[str, Any]) -> None:
    assert efficiency(leaf_spine(load_balancing=[{"mode": "ecmp", **more}])) == efficiency(
        leaf_spine(load_balancing=[{"mode": "ecmp"}])
    )


def test_every_mode_balances_a_fabric() -> None:
    modes = ("polarised", "ecmp", "dlb", "pinned", "spray")
    found = {mode: efficiency(leaf_spine(load_balancing=[{"mode": mode}])) for mode in modes}
    found["flowlet"] = efficiency(leaf_spine(load_balancing=[{"mode": "flowlet", "n_rehashes": 4}]))
    assert 0.3 < found["ecmp"] < found["flowlet"] < 1.0
    assert found["ecmp"] < found["polarised"], "parallel links from a spine are drawn once"
    assert found["dlb"] == found["pinned"] == 1.0, "leaf to leaf"
    assert found["spray"] == pytest.approx(0.95)


def test_a_narrower_record_goes_first() -> None:
    """ecmp for the network, but the fabric tier is sprayed without loss."""
    records = [{"mode": "ecmp"}, {"mode": "spray", "tier": "fabric", "efficiency_ratio": 1.0}]
    assert efficiency(leaf_spine(load_balancing=records)) == 1.0
    assert efficiency(leaf_spine(load_balancing=records[::-1])) == 1.0
