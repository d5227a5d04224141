"""Ports that links take: breakouts count once, and ports of several speeds are chosen by rate."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from twin.catalogue.records import PortGroup
from twin.loading import from_document
from twin.scenario.port_budget import n_ports_of_groups

GROUPS = (PortGroup(n_ports=2, port_gbps=100), PortGroup(n_ports=3, port_gbps=25))


def star(part: str, links: list[dict[str, Any]]) -> dict[str, Any]:
    hosts = [{"id": f"h{i}", "kind": "host"} for i in range(len(links))]
    named = [{"id": f"l{i}", "ends": ["s", f"h{i}"], **link} for i, link in enumerate(links)]
    return {"nodes": [{"id": "s", "kind": "leaf", "part": part}, *hosts], "links": named}


def is_built(part: str, links: list[dict[str, Any]]) -> bool:
    return all(row.rule != "n_ports" for row in from_document(star(part, links)).warnings)


def broken_out(n_ports: int, rate_gbps: float = 100) -> list[dict[str, Any]]:
    return [
        {"capacity_gbps": rate_gbps, "srlgs": [f"port s:Ethernet{i}"]} for i, _ in product(range(n_ports), range(4))
    ]


def test_four_links_of_a_broken_out_port_take_one_port() -> None:
    assert is_built("leaf-12.8T", broken_out(32))
    assert not is_built("leaf-12.8T", broken_out(33))
    assert not is_built("leaf-12.8T", [{"capacity_gbps": 100}] * 33), "a link of its own takes a port of its own"


def test_a_broken_out_port_does_not_carry_more_than_its_rate() -> None:
    assert not is_built("leaf-12.8T", broken_out(32, 200)), "four links of 200G fill two ports of 400G"
    assert is_built("leaf-12.8T", broken_out(16, 200))


def test_only_the_end_whose_port_it_is_shares_it() -> None:
    data = star("leaf-12.8T", broken_out(1))
    data["nodes"] = [node | ({"part": "leaf-3.2T"} if node["kind"] == "host" else {}) for node in data["nodes"]]
    assert from_document(data).score(main_assumptions=False)


def test_a_switch_with_ports_of_two_speeds() -> None:
    fast, slow = {"capacity_gbps": 100}, {"capacity_gbps": 25}
    assert is_built("leaf-2T", [fast] * 8 + [slow] * 48)
    assert is_built("leaf-2T", [slow] * 56), "slow links may use fast ports"
    assert not is_built("leaf-2T", [fast] * 9)
    assert not is_built("leaf-2T", [fast] * 8 + [slow] * 49)
    (warning, *_) = from_document(star("leaf-2T", [fast] * 9)).warnings
    assert "has 8 of 100G and 48 of 25G, 57 are asked for" in warning.problem


def fits(groups: tuple[PortGroup, ...], rates: list[float]) -> bool:
    """Try every assignment of single links to ports."""
    ports = [group.port_gbps for group in groups for _ in range(group.n_ports)]
    if not rates:
        return True
    return any(
        port >= rates[0] and _rest(ports[:i] + ports[i + 1 :], rates[1:]) for i, port in enumerate(ports)
    )  # fmt: skip


def _rest(ports: list[float], rates: list[float]) -> bool:
    return fits(tuple(PortGroup(n_ports=1, port_gbps=port) for port in ports), rates)


@given(st.lists(st.sampled_from([10.0, 25.0, 40.0, 100.0, 200.0]), max_size=5))
def test_the_count_exceeds_the_ports_where_no_assignment_exists(rates: list[float]) -> None:
    n = n_ports_of_groups(GROUPS, [(rate, 1) for rate in rates])
    assert (n <= 5) == fits(GROUPS, rates)
    assert n == len(rates) or n > 5


def test_members_of_a_link_share_faster_ports_and_unknown_rates_fit_anywhere() -> None:
    assert n_ports_of_groups(GROUPS, [(25.0, 11)]) == 5, "3 in slow ports, 4 in each fast one"
    assert n_ports_of_groups(GROUPS, [(25.0, 12)]) == 6
    assert n_ports_of_groups(GROUPS, [(float("nan"), 5)]) == 5
