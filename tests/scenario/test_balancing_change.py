"""Load balancing changed by a what-if and varied by a sweep: which records are left, and what a point answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.samples import campus_data
from twin.errors import TopologyError, TwinError
from twin.loading import Network, from_document
from twin.model.records import LoadBalancing
from twin.scenario.balancing_change import with_load_balancing

RECORDS = (
    LoadBalancing("spray"),
    LoadBalancing("ecmp", tier="wide_area"),
    LoadBalancing("dlb", fabric="x"),
    LoadBalancing("pinned", fabric="x", tier="border"),
)
NODE_IDS = ("x/leaf-1", "y/leaf-1")


def after(record: LoadBalancing) -> tuple[LoadBalancing, ...]:
    document = from_document(campus_data()).document.model_copy(update={"load_balancing": RECORDS})
    return with_load_balancing(document, record, NODE_IDS, "here").load_balancing


def test_a_record_for_everything_is_the_only_one() -> None:
    assert after(LoadBalancing("polarised")) == (LoadBalancing("polarised"),)


def test_a_record_for_a_fabric_replaces_those_inside_the_fabric() -> None:
    record = LoadBalancing("ecmp", 2, fabric="x")
    assert after(record) == (*RECORDS[:2], record)


def test_a_record_for_a_tier_holds_in_fabrics_with_a_record_of_their_own() -> None:
    record = LoadBalancing("ecmp", 2, tier="border")
    in_x = LoadBalancing("ecmp", 2, tier="border", fabric="x")
    assert after(record) == (*RECORDS[:3], record, in_x)


def test_a_record_for_a_tier_of_a_fabric_leaves_the_other_tiers() -> None:
    record = LoadBalancing("ecmp", 2, tier="border", fabric="x")
    assert after(record) == (*RECORDS[:3], record)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"mode": "flowlet"}, "n_rehashes"),
        ({"mode": "ecmp", "efficiency_ratio": 0.9}, "is a setting of spray"),
        ({"mode": "spray", "n_flows_per_pair": 2}, "has no effect on spray"),
        ({"mode": "ecmp", "fabric": "y"}, "no node id starts with 'y/'"),
    ],
)
def test_settings_that_the_mode_does_not_have_are_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(TopologyError, match=says):
        from_document(campus_data()).what_if([{"kind": "set_load_balancing", **fields}])


@pytest.fixture(scope="module")
def campuses() -> Network:
    return from_document(campus_data())


def step_s(network: Network, **fields: Any) -> float | None:
    return network.what_if([{"kind": "set_load_balancing", "tier": "wide_area", **fields}]).after["step_time_s"]


def test_each_point_of_a_sweep_is_what_the_change_gives(campuses: Network) -> None:
    modes = campuses.sweep("load_balancing.wide_area.mode=ecmp,dlb,spray")
    assert modes.values == (
        step_s(campuses, mode="ecmp"),
        step_s(campuses, mode="dlb"),
        step_s(campuses, mode="spray"),
    )
    assert len(set(modes.values)) == 3
    flows = campuses.sweep("load_balancing.wide_area.n_flows_per_pair=1,8")  # wide-area links hash unless stated
    assert flows.values == (
        step_s(campuses, mode="ecmp", n_flows_per_pair=1),
        step_s(campuses, mode="ecmp", n_flows_per_pair=8),
    )
    assert len(set(flows.values)) == 2


def test_a_setting_meets_the_mode_of_the_other_input(campuses: Network) -> None:
    sweep = campuses.sweep(
        ["load_balancing.wide_area.n_flows_per_pair=1,8", "load_balancing.wide_area.mode=ecmp,spray"]
    )
    sprayed = step_s(campuses, mode="spray")
    assert sweep.values == (
        step_s(campuses, mode="ecmp", n_flows_per_pair=1),
        sprayed,
        step_s(campuses, mode="ecmp", n_flows_per_pair=8),
        sprayed,
    )


def test_a_setting_needs_a_mode(campuses: Network) -> None:
    sweep = campuses.sweep("load_balancing.fabric.n_flows_per_pair=4")
    assert sweep.values == (None,)
    assert "without a mode" in sweep.why[0]
    sprayed = campuses.sweep(["load_balancing.all.mode=spray", "load_balancing.all.n_flows_per_pair=4"])
    assert sprayed.values == (None,)
    assert "has no effect on spray" in sprayed.why[0]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("load_balancing.fabrics.mode=ecmp", "did you mean 'fabric'"),
        ("load_balancing.fabric.mode=ecpm", "did you mean 'ecmp'"),
        ("load_balancing.fabric.tier=border", "no field 'tier'"),
        ("load_balancing.mode=ecmp", "nothing to vary"),
        ("load_balancing.wide_area.n_flows_per_pair=0", "at least 1"),
    ],
)
def test_inputs_that_do_not_exist_are_refused(campuses: Network, path: str, says: str) -> None:
    with pytest.raises(TwinError, match=says):
        campuses.sweep(path)
