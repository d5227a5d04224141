"""Cards with a port on each of two leaves: one that has lost a port keeps its traffic, at half its rate."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.training.test_card_failures import WIDE, steps
from tests.training.test_cards import hosts_data


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def dual_data(n_hosts: int = 2, capacity_gbps: float = 10.0, **job: Any) -> dict[str, Any]:
    """Hosts of eight cards on eight rails; each has a port on leaf R of rail R, and one on its second leaf Rb."""
    data = hosts_data(n_hosts, 8, **{"model": WIDE, "n_global_batch": 240, **job})
    for leaf in [node for node in data["nodes"] if node["kind"] == "leaf"]:
        data["nodes"].append(leaf | {"id": f"{leaf['id']}b"})
    for node in data["nodes"]:
        node |= {"n_cards": 8} if node["kind"] == "host" else {}
    for link in data["links"]:
        link["capacity_gbps"] = capacity_gbps
    data["links"] += [
        link | {"id": f"{link['id']}b", "ends": [link["ends"][0], f"{link['ends'][1]}b"]} for link in data["links"]
    ]
    return data


def port(host: int, leaf: str) -> dict[str, Any]:
    return {"kind": "fail_links", "links": f"h{host:02d}~leaf-{leaf}"}


def leaf_down(*leaves: str) -> dict[str, Any]:
    return {"kind": "fail_nodes", "nodes": [f"leaf-{leaf}" for leaf in leaves]}


LOST = [
    [port(1, "1")],
    [port(1, "1"), port(0, "1")],
    [leaf_down("1")],
    [leaf_down("1", "2")],
    [leaf_down(*"12345678")],
]


def test_cards_with_one_of_two_ports_take_twice_as_long_whatever_else_fails() -> None:
    """A port carries 1/8 of the traffic of a host, before 1/16: as if all ports had half of their rate."""
    (half,) = steps(dual_data(capacity_gbps=5.0), [])
    whole, *lost = steps(dual_data(), [], *LOST)
    assert whole < half
    assert lost == pytest.approx([half] * len(LOST), rel=1e-12)


def test_the_last_end_that_loses_a_port_makes_no_step_faster() -> None:
    ends = [port(1, "1"), port(2, "1"), port(0, "1")]
    found = steps(dual_data(3), [], *(ends[: n + 1] for n in range(3)))
    assert found[0] < found[1] == found[2] == found[3]


def test_links_that_are_down_in_the_document_count_as_failed_ones() -> None:
    data = dual_data()
    for link in data["links"]:
        if link["ends"][1] == "leaf-1":
            link["up"] = False
    assert steps(data, []) == steps(dual_data(), [leaf_down("1")])


PAIRS = [port(1, "1"), port(1, "2")]
PXN = {"on_card_loss": "pxn"}


def test_pxn_shares_what_lost_ports_do_not_carry() -> None:
    """The 16 ports of a host carry alike, so 15 take 16/15, and 14 take 8/7: two of one card, or one of two each.

    Times over links are t0 + t / capacity. So t / 10 is that of 10 Gb/s less that of 20 Gb/s, twice.
    """
    fast, whole = (steps(dual_data(capacity_gbps=gbps, **PXN), [])[0] for gbps in (20.0, 10.0))
    bits = 2 * (whole - fast)
    half, lost, two_halves, leaf, all_half = steps(
        dual_data(**PXN), PAIRS[:1], [port(1, "1"), port(1, "1b")], PAIRS, [leaf_down("1")], [leaf_down(*"12345678")]
    )
    assert half == leaf
    assert half - whole == pytest.approx(bits / 15, rel=1e-6)
    assert lost == pytest.approx(two_halves, rel=1e-12)
    assert lost - whole == pytest.approx(bits / 7, rel=1e-6)
    assert all_half - whole == pytest.approx(bits, rel=1e-6)


@pytest.mark.parametrize("spread", ["all", "one"])
@pytest.mark.parametrize(
    "changes",
    [
        [port(1, "1"), port(1, "1b"), port(0, "1b"), leaf_down("1")],
        [port(1, "1"), port(0, "2b"), leaf_down("2b"), leaf_down("2")],
        [port(0, "2b"), port(1, "2b"), port(1, "3"), port(0, "3b"), leaf_down("2b")],
        [leaf_down("3b"), leaf_down("3"), port(1, "4"), port(0, "4")],
    ],
)
def test_no_further_failure_makes_a_step_shorter(spread: str, changes: list[dict[str, Any]]) -> None:
    found = steps(dual_data(3, pxn_spread=spread, **PXN), *(changes[:n] for n in range(len(changes) + 1)))
    assert all(after >= before * (1 - 1e-12) for before, after in pairwise(found))
    assert found[-1] < float("inf")
