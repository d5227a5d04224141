"""Servers and network cards as parts: ports, rates, watts, prices, failures, rack units; figures worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.model.samples import campus_data, changed
from twin.arrays import State
from twin.arrays.node_ports import n_pieces, node_ports
from twin.catalogue import catalogue, load_price_book
from twin.catalogue.figure_reader import FigureReader
from twin.economics.cost import bill_of_materials, node_power_w, purchased_items
from twin.errors import TopologyError, TwinError
from twin.loading import from_document
from twin.network import Network
from twin.reliability.component_rates import node_rates
from twin.reliability.link_failures import link_failures

OWN = {"value": 1.0, "low": 1.0, "high": 1.0, "source": "label", "as_of": "2026", "status": "own"}


def network(*links: dict[str, Any], **node: Any) -> Network:
    """A leaf of 32 x 400G, and node `h` with these links to it."""
    node = {"id": "h", "kind": "host", "part": "server-25G", **node}
    named = [{"id": f"l{i}", "ends": ["h", "leaf"], **link} for i, link in enumerate(links)]
    return from_document(
        {"nodes": [{"id": "leaf", "kind": "leaf", "part": "leaf-12.8T"}, node], "links": named, "as_of": "2026-01-01"}
    )


def reader() -> FigureReader:
    return FigureReader(catalogue(), load_price_book())


def state(**node: Any) -> State:
    return State.of(network({"n_parallel": 2}, **node).arrays)


def rules(found: Network) -> list[tuple[str, Any, Any]]:
    return [(row.rule, row.value, row.limit) for row in found.warnings]


def test_links_take_the_ports_of_all_cards() -> None:
    assert rules(network({}, {})) == []
    assert rules(network({}, {}, {})) == [("n_ports", 3.0, 2.0)]
    assert rules(network({"n_parallel": 8}, n_servers=4)) == []
    assert rules(network({"n_parallel": 9}, kind="rack", n_servers=4)) == [("n_ports", 9.0, 8.0)]
    assert rules(network({"n_parallel": 4}, part="card-400G", n_cards=4)) == []
    assert rules(network({"n_parallel": 2}, part="card-400G")) == [("n_ports", 2.0, 1.0)]


@pytest.mark.parametrize(
    ("link", "part", "expected"),
    [
        ({}, "server-25G", 25.0),
        ({"capacity_gbps": 10}, "server-25G", 10.0),
        ({"capacity_gbps": 100}, "server-25G", 25.0),
        ({"transceiver": "DAC-100G"}, "server-100G", 100.0),
        ({"transceiver": "DAC-200G", "n_parallel": 2}, "card-200G", 400.0),
        ({"capacity_gbps": [10, 40]}, "server-25G", [10.0, 25.0]),
    ],
)
def test_a_link_runs_at_most_at_the_rate_of_the_port(link: dict[str, Any], part: str, expected: Any) -> None:
    rows = network(link, part=part).link_table().rows
    assert [row["capacity_gbps"] for row in rows] == (expected if isinstance(expected, list) else [expected] * 2)


def test_a_rate_beyond_the_port_is_a_warning() -> None:
    assert rules(network({"capacity_gbps": 100})) == [("port_gbps", 100.0, 25.0)]
    assert rules(network({"capacity_gbps": 25})) == []


def test_transceivers_fit_the_cages_of_the_card() -> None:
    assert ("cages", "QSFP28", "SFP28, SFP+") in rules(network({"transceiver": "DAC-100G"}))
    assert ("cages", "SFP28", "SFP28, SFP+") not in rules(network({"transceiver": "DAC-25G"}))


def test_watts_count_servers_and_cards_but_not_twice_beside_accelerators() -> None:
    def watts(**node: Any) -> float:
        found = state(**node)
        return float(node_power_w(found, reader())[found.node_index["h"]])

    assert watts() == 450.0
    assert watts(kind="rack", n_servers=20) == 20 * 450.0
    assert watts(part="card-400G", n_cards=2) == 2 * 25.0
    with_accelerators = {"kind": "rack", "accelerator": "H100", "n_accelerators": 16}
    alone = watts(part=None, **with_accelerators)
    assert alone == 16 * catalogue().get("H100").value("rack_w_per_accelerator")
    assert watts(**with_accelerators) == alone
    optics = State.of(network({"transceiver": "25G-SR", "n_parallel": 2}).arrays)
    assert node_power_w(optics, reader())[optics.node_index["h"]] == 450.0 + 2 * 1.0


def test_pieces_are_bought_and_counted() -> None:
    document = network().document
    assert bill_of_materials(state(), document, reader()).n_parts["server-25G"] == 1
    racks = state(kind="rack", accelerator="H100", n_accelerators=20)
    assert bill_of_materials(racks, document, reader()).n_parts["server-25G"] == 3, "20 accelerators in hosts of 8"
    cards = state(kind="rack", part="card-400G", accelerator="H100", n_accelerators=16)
    assert bill_of_materials(cards, document, reader()).n_parts["card-400G"] == 16
    assert n_pieces(cards, reader()).tolist() == [16, 1]
    assert node_ports(cards, reader()).n_ports.tolist() == [16.0, 32.0]
    pieces, _ = purchased_items(state(kind="rack", n_servers=4), state(kind="rack", n_servers=6), reader())
    assert pieces == {"server-25G": 2}
    prices = reader().prices.part_usd
    assert all(part.id in prices for kind in ("server", "card") for part in catalogue().parts(kind))  # type: ignore[arg-type]


def test_a_host_fails_by_the_figures_of_its_server() -> None:
    found = state()
    rates = node_rates(found, reader(), np.array([found.node_index["h"]]))
    assert rates.n_per_year[0] == pytest.approx(5275e-9 * 8766, rel=1e-2)
    assert rates.repair_h[0] == 6.0
    assert rates.why == {}
    unnamed = state(part=None)
    assert node_rates(unnamed, reader(), np.array([unnamed.node_index["h"]])).why == {
        0: "no figure states how long a host is down"
    }


def test_a_card_takes_its_links_down() -> None:
    def per_year(part: str | None) -> float:
        return float(1.0 / link_failures(state(part=part), reader(), np.array([0])).member_mtbf_h[0])

    assert per_year("card-2x25G") - per_year(None) == pytest.approx(330e-9)
    assert per_year("server-25G") == per_year("card-2x25G")


def test_a_rack_has_room_for_so_many_units() -> None:
    assert rules(network({"n_parallel": 2}, kind="rack", n_servers=52)) == []
    assert rules(network({"n_parallel": 2}, kind="rack", n_servers=53)) == [("n_rack_units", 53.0, 52.0)]
    assert rules(network({"n_parallel": 2}, n_servers=53)) == [], "a host is no rack"


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        ({"kind": "leaf"}, "is of kind server"),
        ({"part": "400ZR"}, "is of kind transceiver"),
        ({"part": "card-400G", "n_servers": 2}, "servers without a part of kind server"),
        ({"part": None, "n_servers": 2}, "servers without a part of kind server"),
        ({"n_servers": 0}, "must be at least 1, found 0"),
    ],
)
def test_a_part_of_another_kind_is_refused(node: dict[str, Any], problem: str) -> None:
    with pytest.raises(TwinError, match=problem):
        assert network({}, **node).arrays


def own_server(**figures: float) -> dict[str, Any]:
    values = {"n_cards": 2, "n_ports": 4, "port_gbps": 25, "n_rack_units": 1, "power_w": 300, "failure_fit": 5000}
    values |= {"repair_h": 4, **figures}
    listed = {name: OWN | {"value": value, "low": value, "high": value} for name, value in values.items()}
    return {"id": "mine", "kind": "server", "name": "mine", "card": "card-2x25G", "figures": listed}


def with_own(part: dict[str, Any]) -> Network:
    found = from_document({"parts": [part], "nodes": [{"id": "h", "kind": "host", "part": "mine"}], "links": []})
    assert found.arrays
    return found


def test_own_servers_are_checked_as_strictly() -> None:
    found = with_own(own_server())
    assert node_ports(State.of(found.arrays), FigureReader(found.catalogue, found.price_book)).n_ports.tolist() == [4.0]
    with pytest.raises(TopologyError, match=r"n_ports is 2, its cards card-2x25G give 4"):
        with_own(own_server(n_ports=2))
    with pytest.raises(TwinError, match=r"n_cards is a whole number"):
        with_own(own_server(n_cards=1.5))
    missing = own_server()
    del missing["figures"]["failure_fit"]
    with pytest.raises(TopologyError, match=r"a server needs failure_fit"):
        with_own(missing)
    with pytest.raises(TwinError, match=r"card is of a server, not of kind switch"):
        with_own(own_server() | {"kind": "switch"})
    with pytest.raises(TopologyError, match=r"unknown card 'card-3x25G'"):
        with_own(own_server() | {"card": "card-3x25G"})


def test_training_runs_at_the_rate_of_the_card_that_racks_name() -> None:
    figures = {"n_ports": 1, "port_gbps": 800, "cage_w": 12, "power_w": 25, "failure_fit": 330}
    own = {"id": "card-800G", "kind": "card", "name": "800G", "cages": ["OSFP"]}
    data = campus_data() | {
        "parts": [own | {"figures": {name: OWN | dict.fromkeys(("value", "low", "high"), value)
                                     for name, value in figures.items()}}]
    }  # fmt: skip
    for cable in ("a-cable-1", "a-cable-2"):
        data = changed(data, "links", cable, n_parallel=16, capacity_gbps=800.0)

    def rates_gbps(**named: str) -> list[float]:
        racks = data
        for rack in ("a-rack-1", "a-rack-2"):
            racks = changed(racks, "nodes", rack, **named)
        found = from_document(racks).evaluate().accelerators
        assert found is not None
        for group in found.groups:
            assert group.profile.nic_bytes_per_s / group.profile.nic_gbps == pytest.approx(
                share[group.placed.accelerator]
            )
        return [group.profile.nic_gbps for group in found.groups]

    share = {part: 1.25e8 * reader().part(part, "nic_bandwidth_ratio") for part in ("H100", "GB200")}
    assert rates_gbps() == [400, 400]
    assert rates_gbps(part="card-800G") == [800, 400]
    assert rates_gbps(part="card-200G") == [200, 400]
