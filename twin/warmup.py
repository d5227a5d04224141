"""Compiles all kernels in advance: at server start and with `twin warmup`."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from .loading import from_document, load
from .network import Network

WEIGHTED_NETWORK: dict[str, Any] = {
    "name": "warm-up",
    "nodes": [
        {"id": name, "kind": kind} for name, kind in (("a", "host"), ("b", "leaf"), ("c", "leaf"), ("d", "host"))
    ],
    "links": [
        {"id": "a~b", "ends": ["a", "b"], "capacity_gbps": 100},
        {"id": "b~c", "ends": ["b", "c"], "capacity_gbps": 10, "weight": 2},
        {"id": "c~d", "ends": ["c", "d"], "capacity_gbps": 100},
    ],
    "demands": [{"id": "a-d", "source": "a", "target": "d", "offered_gbps": 50}],
}
"""A network with different weights and an overloaded link.

It needs paths by distance and max-min rates, which no shipped network needs.
"""

RING: dict[str, Any] = {
    "name": "warm-up-ring",
    "nodes": [{"id": str(i), "kind": "switch"} for i in range(10)],
    "links": [{"id": f"l{i}", "ends": [str(i), str((i + 1) % 10)], "capacity_gbps": 100} for i in range(10)],
    "demands": [
        {"id": f"d{i}", "source": str(i), "target": str((i + 3) % 10), "offered_gbps": 9 + i} for i in range(10)
    ],
}
"""A network without twins: failures are computed destination by destination, and pairs in the states of singles."""

LEAVES: dict[str, Any] = {
    "name": "warm-up-leaves",
    "nodes": [
        *({"id": f"host{i}", "kind": "host"} for i in range(6)),
        *({"id": name, "kind": "leaf"} for name in ("leaf0", "leaf1")),
        *({"id": name, "kind": "spine"} for name in ("spine0", "spine1")),
    ],
    "links": [
        *({"id": f"h{i}", "ends": [f"host{i}", f"leaf{i // 3}"], "capacity_gbps": 100} for i in range(6)),
        *(
            {"id": f"l{i}{j}", "ends": [f"leaf{i}", f"spine{j}"], "capacity_gbps": 100}
            for i in range(2)
            for j in range(2)
        ),
    ],
    "demands": [
        {"id": f"d{i}{j}", "source": f"host{i}", "target": f"host{j}", "offered_gbps": 9 + i}
        for i in range(6)
        for j in range(6)
        if i != j
    ],
}
"""A network whose hosts are twins: failures are computed for all hosts of a leaf at once."""
GROUPS = [
    {"node": node, "target": "host3", "next_hops": {link: 1}}
    for node, link in (("leaf0", "l00"), ("spine0", "l10"), ("leaf1", "h3"))
]
"""Forwarding of that network that a controller states."""

SPINES: dict[str, Any] = {
    "name": "warm-up-spines",
    "nodes": [
        *({"id": f"host{i}", "kind": "host"} for i in range(2)),
        *({"id": f"leaf{i}", "kind": "leaf"} for i in range(2)),
        *({"id": f"spine{j}", "kind": "spine"} for j in range(6)),
    ],
    "links": [
        *({"id": f"h{i}", "ends": [f"host{i}", f"leaf{i}"], "capacity_gbps": 100} for i in range(2)),
        *(
            {"id": f"l{i}{j}", "ends": [f"leaf{i}", f"spine{j}"], "capacity_gbps": 100}
            for i in range(2)
            for j in range(6)
        ),
    ],
    "demands": [{"id": "d", "source": "host0", "target": "host1", "offered_gbps": 9}],
}
"""A network with more equal spines than end points: loads are computed by cells of equal nodes."""


def warm_up(notify: Callable[[str], None] | None = None) -> list[tuple[str, float]]:
    """Run each kernel of the usual commands once with each array layout that it receives.

    The first run on a machine compiles and takes minutes. Numba caches the result, so later runs take seconds.

    Args:
        notify: called with the name of each step before it runs.

    Returns:
        (step, seconds) in order.
    """
    wcmp_network = {**WEIGHTED_NETWORK, "routing": "wcmp"}
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("score memphis-small", lambda: load("memphis-small").score()),
        ("what-if fibre-upgrade on memphis-small", lambda: load("memphis-small").what_if("fibre-upgrade")),
        ("score leaf-spine-demo", lambda: load("leaf-spine-demo").score()),
        ("score two-campus", lambda: load("two-campus").score()),
        ("score an overloaded network with weights", lambda: from_document(WEIGHTED_NETWORK).score()),
        ("score the same with wcmp", lambda: from_document(wcmp_network).score()),
        ("what-if on the same", lambda: _fail_a_link(from_document(wcmp_network))),
        ("availability of leaf-spine-demo", _availability),
        ("score leaves under equal spines", lambda: from_document(SPINES).score()),
        ("score two leaves with wcmp groups", lambda: from_document({**LEAVES, "wcmp_groups": GROUPS}).score()),
        ("what-if polarised hashes on two-campus", lambda: _balance(load("two-campus"), "polarised")),
        ("failures of two leaves", lambda: _failures(from_document(LEAVES))),
        ("failures of the job of two-campus", lambda: load("two-campus").failures()),
        ("failures of a ring", lambda: _failures(from_document(RING))),
        ("failures of an overloaded network", lambda: from_document(WEIGHTED_NETWORK).failures()),
        ("routing optimum of a ring", lambda: from_document(RING).optimum()),
        ("a path of a ring", lambda: from_document(RING).path("0", "3")),
        ("score a ring without traffic", lambda: from_document({**RING, "demands": []}).score()),
        ("score a ring of two sites without traffic", lambda: from_document(_in_two_sites(RING)).score()),
        ("forecast of ageing-lines", lambda: load("ageing-lines").forecast(1)),
        ("a link of ageing-lines", lambda: load("ageing-lines").link("amplified", years=None)),
    )
    durations_s = []
    for name, run in steps:
        if notify is not None:
            notify(name)
        start = perf_counter()
        run()
        durations_s.append((name, perf_counter() - start))
    return durations_s


def _in_two_sites(network: dict[str, Any]) -> dict[str, Any]:
    """Return a network without demands, its nodes in two sites in turns: paths between sites are counted."""
    nodes = [node | {"site": f"s{i % 2}"} for i, node in enumerate(network["nodes"])]
    return {**network, "sites": [{"id": "s0"}, {"id": "s1"}], "nodes": nodes, "demands": []}


def _availability() -> object:
    return load("leaf-spine-demo").availability(n_states=50, n_samples=50)


def _failures(network: Network) -> object:
    return [network.failures(depth=depth) for depth in (1, 2)]


def _balance(network: Network, mode: str) -> object:
    return network.what_if([{"kind": "set_load_balancing", "mode": mode}])


def _fail_a_link(network: Network) -> object:
    return network.what_if([{"kind": "fail_links", "links": "b~c"}])
