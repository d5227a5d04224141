"""Flows of a job hashed onto members of wide-area bundles."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.cases import reader
from tests.training.steps import evaluated, one_site, sites
from twin.traffic.load_balancing import worst_over_mean
from twin.training.hash_collisions import collision_ratio
from twin.training.placement import place_job


@pytest.mark.parametrize(("n_a", "n_b", "n_smaller"), [(2, 1, 8), (1, 3, 8), (2, 2, 16)])
def test_as_many_flows_hash_between_two_sites_as_the_smaller_one_keeps(n_a: int, n_b: int, n_smaller: int) -> None:
    """Racks of 8 accelerators, 3 flows each: 24 flows on 8 members where the smaller site has one rack, 48 of two."""
    data = sites({"a": [("H100", 8)] * n_a, "b": [("H100", 8)] * n_b}, km=1.0, parallelism={"tp": 8})
    data["links"][-1] |= {"n_parallel": 8}
    found = evaluated(data)
    state, loads = found.case.state, found.loads
    assert found.case.job is not None
    assert loads is not None
    ratio = collision_ratio(state, place_job(state, found.case.job, reader()), loads, 3.0)
    is_wide = np.array([state.link_ids[link] == "wan-ab" for link in loads.arc // 2])
    expected = worst_over_mean(np.array([3.0 * n_smaller]), np.array([8]))[0]
    assert expected > 1.3
    assert ratio[is_wide] == pytest.approx(expected, rel=1e-12)
    assert is_wide.sum() == 2, "both arcs of one link"
    assert (ratio[~is_wide] == 1.0).all()
    assert (~is_wide).any()


def test_each_pair_of_three_sites_hashes_the_flows_of_its_smaller_site() -> None:
    """One, two and three racks of 8 accelerators, 3 flows each: 24 flows to and from a, 48 between b and c."""
    held = {site: [("H100", 8)] * n for site, n in (("a", 1), ("b", 2), ("c", 3))}
    data = sites(held, km=1.0, parallelism={"tp": 8})
    for link in data["links"][-3:]:
        link["n_parallel"] = 8
    found = evaluated(data)
    state, loads = found.case.state, found.loads
    assert found.case.job is not None
    assert loads is not None
    ratio = collision_ratio(state, place_job(state, found.case.job, reader()), loads, 3.0)
    names = np.array(state.link_ids)[loads.arc // 2]
    for link, n_flows in (("wan-ab", 24.0), ("wan-ac", 24.0), ("wan-bc", 48.0)):
        expected = worst_over_mean(np.array([n_flows]), np.array([8]))[0]
        assert ratio[names == link] == pytest.approx([expected, expected], rel=1e-12), link


def test_flows_of_one_site_hash_nowhere() -> None:
    found = evaluated(one_site(2, 8, parallelism={"tp": 8}))
    assert found.case.job is not None
    assert found.loads is not None
    placed = place_job(found.case.state, found.case.job, reader())
    assert (collision_ratio(found.case.state, placed, found.loads, 3.0) == 1.0).all()
