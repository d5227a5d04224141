"""After a warm-up no question waits for a compiler."""

from __future__ import annotations

import json

from twin.topologies import NETWORKS

from twin.loading import from_document, load
from twin.traffic import congestion, routing
from twin.warmup import warm_up


def n_compiled() -> dict[str, int]:
    """Compiled signatures of every kernel that the analyses call."""
    return {
        name: len(kernel.signatures)
        for module in (congestion, routing)
        for name, kernel in vars(module).items()
        if hasattr(kernel, "nopython_signatures")
    }


def test_every_step_is_told_and_timed() -> None:
    told: list[str] = []
    times = warm_up(told.append)
    assert [name for name, _ in times] == told
    assert all(seconds > 0 for _, seconds in times)


def test_nothing_is_left_to_compile() -> None:
    warm_up()
    before = n_compiled()
    unused = {name for name, n in before.items() if n == 0}
    assert unused <= {"queue_delay_us"}  # no metric asks for queues
    for name in sorted(set(NETWORKS) - {"memphis"}):
        data = load(name).document.to_dict()
        for routed in (data, {**data, "routing": "wcmp"}):
            network = from_document(json.loads(json.dumps(routed)))
            for plan in network.document.plans:
                network.what_if(plan.id, ageing="high")
            link = network.arrays.link_ids[0]
            network.what_if([{"kind": "remove_links", "links": link}])
            network.what_if([{"kind": "fail_links", "links": link, "n_members": 1}])
    assert n_compiled() == before
