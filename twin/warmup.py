"""Kernels compiled before somebody waits for them: at server start and with `twin warmup`."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from .loading import Network, from_document, load

WEIGHTED: dict[str, Any] = {
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
"""Different weights and an overloaded link: paths by distance and max-min rates, which no shipped network needs."""


def warm_up(notify: Callable[[str], None] | None = None) -> list[tuple[str, float]]:
    """Run every kernel of the scoring path once on every layout of arrays it meets; (what ran, seconds) in order.

    The first run on a machine compiles and takes a minute; numba keeps the result, and later runs take seconds.
    """
    weighted = {**WEIGHTED, "routing": "wcmp"}
    steps: tuple[tuple[str, Callable[[], object]], ...] = (
        ("score memphis-small", lambda: load("memphis-small").score()),
        ("what-if fibre-upgrade on memphis-small", lambda: load("memphis-small").what_if("fibre-upgrade")),
        ("score leaf-spine-demo", lambda: load("leaf-spine-demo").score()),
        ("score an overloaded network with weights", lambda: from_document(WEIGHTED).score()),
        ("score the same with wcmp", lambda: from_document(weighted).score()),
        ("what-if on the same", lambda: _fail_a_link(from_document(weighted))),
        ("forecast of ageing-lines", lambda: load("ageing-lines").forecast(1)),
        ("a link of ageing-lines", lambda: load("ageing-lines").link("amplified", years=None)),
    )
    taken = []
    for name, run in steps:
        if notify is not None:
            notify(name)
        start = perf_counter()
        run()
        taken.append((name, perf_counter() - start))
    return taken


def _fail_a_link(network: Network) -> object:
    return network.what_if([{"kind": "fail_links", "links": "b~c"}])
