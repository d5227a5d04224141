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


def warm_up(notify: Callable[[str], None] | None = None) -> list[tuple[str, float]]:
    """Run each kernel of the scoring path once with each array layout that it receives.

    The first run on a machine compiles and takes a minute. Numba caches the result, so later runs take seconds.

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
        ("score an overloaded network with weights", lambda: from_document(WEIGHTED_NETWORK).score()),
        ("score the same with wcmp", lambda: from_document(wcmp_network).score()),
        ("what-if on the same", lambda: _fail_a_link(from_document(wcmp_network))),
        ("availability of leaf-spine-demo", _availability),
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


def _availability() -> object:
    return load("leaf-spine-demo").availability(n_states=50, n_samples=50)


def _fail_a_link(network: Network) -> object:
    return network.what_if([{"kind": "fail_links", "links": "b~c"}])
