"""The money by hand, and what cannot be built."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.model.samples import campus_data, changed
from tests.training.cases import line, reader, state_of
from twin.arrays import State
from twin.economics.cost import bill_of_materials, network_cost, purchased_items, site_power_w, usd_per_day
from twin.scenario.feasibility import build_faults, ports_used

PRICES = {
    "part_usd": {
        "400G-FR4": 700,
        "OpenZR+-400G": 5000,
        "mux-8": 1000,
        "border-deep-28.8T": 90_000,
        "leaf-25.6T": 25_000,
    }
    | {"H100": 30_000, "GB200": 50_000, "border-deep-51.2T": 150_000, "mux-64": 8000},
    "fibre_lease_usd_per_mile_pair_month": 1000,
    "fibre_install_usd_per_km": 50_000,
    "electricity_usd_per_mwh": 100,
    "maintenance_ratio_per_year": 0.1,
    "horizon_years": 4,
    "discount_ratio_per_year": 0.08,
    "labour_usd_per_hour": 0,
}


def wan(state: State) -> np.ndarray:
    return np.array([state.arrays.link_index["wan"]])


def test_the_bill_counts_both_ends_everything_that_stands_and_miles_of_pairs() -> None:
    state, document = state_of(campus_data())
    bill = bill_of_materials(state, document, reader())
    assert bill.n_parts == {
        "400G-FR4": 2 * 2 * 8,
        "OpenZR+-400G": 2 * 4,
        "mux-8": 2,
        "border-deep-28.8T": 2,
        "leaf-25.6T": 2,
        "H100": 32,
        "GB200": 32,
    }
    assert bill.own_fibre_km == 7.5
    assert bill.leased_pair_miles == pytest.approx(12.5 / 1.609344)


def test_more_pairs_are_leased_by_the_pair() -> None:
    state, document = state_of(campus_data())
    two = state.with_values("link_n_fibre_pairs", wan(state), 2)
    assert bill_of_materials(two, document, reader()).leased_pair_miles == pytest.approx(25 / 1.609344)
    assert bill_of_materials(two, document, reader()).n_parts["mux-8"] == 4


def test_what_is_down_is_still_on_the_bill() -> None:
    state, document = state_of(campus_data())
    down = state.with_values("link_up", wan(state), False).with_values("node_up", np.arange(3), False)
    assert bill_of_materials(down, document, reader()) is not None
    assert bill_of_materials(down, document, reader()).n_parts == bill_of_materials(state, document, reader()).n_parts


def test_power_by_hand() -> None:
    """Racks by accelerator, switches, and the optics in switches, times PUE; racks' own optics are in theirs."""
    state, document = state_of(campus_data() | {"sites": [{"id": "a", "pue_ratio": 1.5}, {"id": "b"}]})
    power = site_power_w(state, document, reader())
    switches = 2200 + reader().part("leaf-25.6T", "power_w") + 2 * 8 * 12 + 4 * 21.75
    assert power == pytest.approx([1.5 * (32 * 1000 + switches), 1.2 * (32 * 1833 + switches), 0.0])


def test_the_money_by_hand() -> None:
    state, document = state_of(campus_data())
    figures = reader(PRICES)
    found = network_cost(state, document, figures, None)
    asset = 32 * 700 + 8 * 5000 + 2 * 1000 + 2 * 90_000 + 2 * 25_000 + 32 * 30_000 + 32 * 50_000 + 7.5 * 50_000
    power = site_power_w(state, document, figures).sum()
    assert found.asset_usd == pytest.approx(asset)
    assert found.opex_usd_per_year == pytest.approx(
        power / 1e6 * 8760 * 100 + 0.1 * asset + 12.5 / 1.609344 * 1000 * 12
    )
    assert (found.capex_usd, found.purchases) == (0, ())
    annuity = 0.08 / (1 - 1.08**-4)
    rest = asset - 32 * 30_000 - 32 * 50_000
    part = (16 * 30_000 + 32 * 50_000 + 0.75 * rest) * annuity + 0.75 * found.opex_usd_per_year
    assert usd_per_day(found, figures, {"H100": 16, "GB200": 32}, 64) == pytest.approx(part / 365.25)
    free = reader(PRICES | {"discount_ratio_per_year": 0})
    everything = (asset / 4 + found.opex_usd_per_year) / 365.25
    assert usd_per_day(found, free, {"H100": 32, "GB200": 32}, 64) == pytest.approx(everything)
    assert ("price of OpenZR+-400G", "part_usd") in {(each.where, each.name) for each in figures.used_figures()}


def test_what_stays_costs_nothing() -> None:
    state, _ = state_of(campus_data())
    older = state.with_values("span_age_years", np.array([0, 1]), 30.0).with_values("link_age_years", wan(state), 20.0)
    assert purchased_items(state, state, reader()) == ({}, 0.0)
    assert purchased_items(state, older, reader()) == ({}, 0.0)


def purchases(after: State, before: State) -> dict[str, tuple[float, float]]:
    _, document = state_of(campus_data())
    return {item: (n, usd) for item, n, usd in network_cost(after, document, reader(PRICES), before).purchases}


def test_more_channels_are_bought_by_the_member_and_both_ends() -> None:
    state, _ = state_of(campus_data())
    more = state.with_values("link_n_parallel", wan(state), 6)
    assert purchases(more, state) == {"OpenZR+-400G": (4, 20_000)}


def test_fewer_are_not_sold() -> None:
    state, _ = state_of(campus_data())
    assert purchases(state.with_values("link_n_parallel", wan(state), 1), state) == {}


def test_another_part_is_bought_whole_and_a_renewed_one_too() -> None:
    state, _ = state_of(campus_data())
    other, code = state.with_part("mux-64")
    assert purchases(other.with_values("link_mux", wan(state), code), state) == {"mux-64": (2, 16_000)}
    fresh = state.with_values("link_age_years", wan(state), 0.0)
    assert purchases(fresh, state) == {"OpenZR+-400G": (8, 40_000)}
    swapped, code = state.with_part("border-deep-51.2T")
    row = np.array([state.arrays.node_index["a-border"]])
    assert purchases(swapped.with_values("node_part", row, code), state) == {"border-deep-51.2T": (1, 150_000)}


def test_own_glass_is_laid_by_the_kilometre_and_leased_glass_is_not() -> None:
    state, _ = state_of(campus_data())
    fresh = state.with_values("span_age_years", np.array([0, 1]), 0.0)
    assert purchases(fresh, state) == {"fibre laid, km": (7.5, 375_000)}
    own = fresh.with_values("span_leased", np.array([0, 1]), False)
    assert purchases(own, state) == {"fibre laid, km": (20.0, 1_000_000)}
    assert purchases(state.with_values("span_leased", np.array([1]), True), state) == {}


def test_rows_that_moved_are_found_again_by_name() -> None:
    """A node and a link before all others shift every row; only they are new."""
    state, _ = state_of(campus_data())
    data = campus_data()
    node = {"id": "A", "kind": "leaf", "part": "leaf-25.6T"}
    link = {"id": "A", "ends": ["A", "a-border"], "transceiver": "400G-FR4"}
    after, _ = state_of(data | {"nodes": [*data["nodes"], node], "links": [*data["links"], link]})
    assert purchased_items(state, after, reader()) == ({"400G-FR4": 2, "leaf-25.6T": 1}, 0.0)
    assert purchased_items(after, state, reader()) == ({}, 0.0)


def test_the_dearest_purchase_comes_first() -> None:
    state, document = state_of(campus_data())
    after = state.with_values("link_n_parallel", wan(state), 8).with_values("span_age_years", np.array([1]), 0.0)
    found = network_cost(after, document, reader(PRICES), state)
    assert [item for item, _, _ in found.purchases] == ["fibre laid, km", "OpenZR+-400G"]
    assert found.capex_usd == sum(usd for _, _, usd in found.purchases)


# --- what cannot be built ------------------------------------------------------------------------------------------


def issues(data: dict[str, Any]) -> dict[str, str]:
    state, document = state_of(data)
    return {key: fault.problem for key, fault in build_faults(state, document, reader()).items()}


def test_the_sound_campus_can_be_built() -> None:
    assert issues(campus_data()) == {}


@pytest.mark.parametrize(
    ("data", "key", "problem"),
    [
        (changed(campus_data(), "links", "a-up", n_parallel=73), "ports a-border", "no free port"),
        (
            line(part="border-12.8T", transceiver="800G-2xFR4"),
            "cages lane_gbps port_gbps: l p",
            "wrong cage: 800G-2xFR4 is OSFP",
        ),
        (line(part="border-12.8T", transceiver="1.6T-DR8"), "cages lane_gbps port_gbps cage_w: l p", "wrong cage"),
        (line(part="leaf-102.4T", transceiver="1.6T-DR8"), "lane_gbps port_gbps: l p", "wrong lane rate"),
        (
            line(transceiver="OpenZR+-400G", n_parallel=65, mux="mux-64", spans=[{"length_km": 1}]),
            "band mux: l",
            "65 channels of 75 GHz; room for 64 on 1 fibre pair",
        ),
        (
            line(transceiver="OpenZR+-400G", n_parallel=9, mux="mux-8", spans=[{"length_km": 1}]),
            "mux l",
            "9 channels; the multiplexers have 8 ports",
        ),
        (
            line(transceiver="OpenZR+-400G", n_parallel=2, spans=[{"length_km": 1}]),
            "mux l",
            "2 channels on 1 fibre pair without a multiplexer",
        ),
        (
            line(transceiver="400G-LR4", n_parallel=9, mux="mux-8", spans=[{"length_km": 1}]),
            "mux l",
            "without a multiplexer",
        ),
        (
            line(transceiver="800ZR", n_parallel=2, mux="mux-64", spans=[{"length_km": 1}]),
            "grid l",
            "channels of 150 GHz do not pass a 75 GHz mux",
        ),
        (
            campus_data() | {"sites": [{"id": "a", "power_megawatts": 0.04}, {"id": "b"}]},
            "power a",
            "more megawatts than the site has: 0.04257 of 0.04",
        ),
        (campus_data() | {"sites": [{"id": "a", "n_rack_places": 1}, {"id": "b"}]}, "places a", "2 racks in 1 places"),
    ],
)
def test_what_does_not_fit_is_told(data: dict[str, Any], key: str, problem: str) -> None:
    found = issues(data)
    kinds, _, record = key.rpartition(": ")
    first = f"{kinds.split()[0]} {record}" if kinds else key
    assert {name.split()[0] for name in found} == set(kinds.split() or key.split()[:1])
    assert problem in found[first]


@pytest.mark.parametrize(
    "data",
    [
        line(transceiver="OpenZR+-400G", n_parallel=128, n_fibre_pairs=2, mux="mux-64", spans=[{"length_km": 1}]),
        line(transceiver="400G-LR4", n_parallel=2, n_fibre_pairs=2, spans=[{"length_km": 1}]),
        line(transceiver="OpenZR+-400G", n_parallel=16, n_fibre_pairs=2, mux="mux-8", spans=[{"length_km": 1}]),
        line(transceiver="800ZR", n_parallel=32, mux="mux-32", spans=[{"length_km": 1}]),
        line(transceiver="OpenZR+-400G", n_parallel=500),
        line(part="border-12.8T", transceiver="100G-LR4"),
        line(part="border-12.8T", n_parallel=32),
        campus_data() | {"sites": [{"id": "a", "n_rack_places": 2}, {"id": "b", "power_megawatts": 0.1}]},
    ],
)
def test_what_just_fits_is_fine(data: dict[str, Any]) -> None:
    assert issues(data) == {}


def test_slower_links_share_a_port() -> None:
    data = line(part="spine-102.4T", transceiver="400G-DR4", n_parallel=3)
    data["links"] = [*data["links"], {"id": "m", "ends": ["p", "q"], "capacity_gbps": 800.0, "n_parallel": 2}]
    state, _ = state_of(data)
    used, there = ports_used(state, reader())
    assert used.tolist() == [4.0, 4.0]
    assert there.tolist() == [128.0, 128.0]


def test_nodes_without_a_part_have_ports_enough() -> None:
    state, _ = state_of(line(n_parallel=10_000))
    assert np.isnan(ports_used(state, reader())[1]).all()
