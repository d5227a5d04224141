"""Flows of a job hashed onto members of wide-area bundles."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.steps import evaluated, one_site, sites
from twin.traffic.load_balancing import worst_over_mean
from twin.training.hash_collisions import collision_ratio


@pytest.mark.parametrize(("n_a", "n_b", "n_pairs"), [(2, 1, 16), (1, 3, 24), (2, 2, 16), (2, 3, 32)])
def test_each_pair_of_accelerators_between_two_sites_hashes_its_flows(n_a: int, n_b: int, n_pairs: int) -> None:
    """Racks of 8 accelerators, 3 flows a pair. Replica r of n keeps the part [r/n, (r+1)/n) of the shard of a rank.

    Two replicas meet three in the parts 0 to 1/3, to 1/2, to 2/3, to 1: four pairs of racks, 32 of accelerators.
    """
    data = sites({"a": [("H100", 8)] * n_a, "b": [("H100", 8)] * n_b}, km=1.0, parallelism={"tp": 8})
    data["links"][-1] |= {"n_parallel": 8}
    found = evaluated(data)
    state, loads = found.case.state, found.loads
    assert loads is not None
    ratios = collision_ratio(state, loads, 3.0)
    assert set(ratios) == {"wide_area"}
    ratio = ratios["wide_area"]
    is_wide = np.array([state.link_ids[link] == "wan-ab" for link in loads.arc // 2])
    expected = worst_over_mean(np.array([3.0 * n_pairs]), np.array([8]))[0]
    assert expected > 1.25
    assert ratio[is_wide] == pytest.approx(expected, rel=1e-12)
    assert is_wide.sum() == 2, "both arcs of one link"
    assert (ratio[~is_wide] == 1.0).all()
    assert (~is_wide).any()


def test_each_pair_of_three_sites_hashes_its_own_flows() -> None:
    """One, two and three racks of 8 accelerators, 3 flows a pair: 48, 72 and 96 flows."""
    held = {site: [("H100", 8)] * n for site, n in (("a", 1), ("b", 2), ("c", 3))}
    data = sites(held, km=1.0, parallelism={"tp": 8})
    for link in data["links"][-3:]:
        link["n_parallel"] = 8
    found = evaluated(data)
    state, loads = found.case.state, found.loads
    assert loads is not None
    ratios = collision_ratio(state, loads, 3.0)
    assert set(ratios) == {"wide_area"}
    ratio = ratios["wide_area"]
    names = np.array(state.link_ids)[loads.arc // 2]
    for link, n_flows in (("wan-ab", 48.0), ("wan-ac", 72.0), ("wan-bc", 96.0)):
        expected = worst_over_mean(np.array([n_flows]), np.array([8]))[0]
        assert ratio[names == link] == pytest.approx([expected, expected], rel=1e-12), link


def test_flows_of_one_site_hash_nowhere() -> None:
    found = evaluated(one_site(2, 8, parallelism={"tp": 8}))
    assert found.loads is not None
    assert collision_ratio(found.case.state, found.loads, 3.0) == {}
