"""Failures and growth of networks with WCMP groups equal what-ifs one by one."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.studies.test_failures import CHANGES, check, two_sites
from twin.errors import ChangeError, TopologyError
from twin.failures import one_by_one
from twin.loading import from_document
from twin.network import Network
from twin.stages.evaluation import Evaluation
from twin.studies import failure_pairs

NEXT_HOPS: dict[str, dict[str, int]] = {
    "a-leaf1": {"a-leaf1-a-spine1": 3, "a-leaf1-a-spine2": 1},
    "a-spine1": {"wan2": 1},
    "a-spine2": {"wan1": 1, "wan3": 2},
    "b-spine1": {"b-leaf1-b-spine1": 2, "b-leaf2-b-spine1": 1},
    "b-spine2": {"b-leaf2-b-spine2": 1},
    "b-leaf1": {"b-up1": 1},
    "b-leaf2": {"b-second": 1},
}
GROUPS = [{"node": node, "target": "b-rack1", "next_hops": hops} for node, hops in NEXT_HOPS.items()]


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def with_groups(scale: float, routing: str = "ecmp") -> Network:
    return from_document(two_sites(routing, scale) | {"wcmp_groups": GROUPS})


def after(network: Network, of: str, names: tuple[str, ...]) -> Evaluation:
    return network._evaluate_after([change for name in names for change in CHANGES[of](name)], None, None)


@pytest.mark.parametrize("of", CHANGES)
@pytest.mark.parametrize(("scale", "routing", "depth"), [(1.0, "ecmp", 1), (6.0, "wcmp", 1), (6.0, "ecmp", 2)])
def test_each_failure_is_its_what_if(of: str, scale: float, routing: str, depth: int) -> None:
    network = with_groups(scale, routing)
    found = network.failures(of=of, depth=depth, sample=None if depth == 1 else 12)
    ratios = {row.id: check(network, row, after(network, of, row.ids)) for row in found.failures}
    intact = network.evaluate().arc_utilisation_ratio
    greatest = np.maximum(intact, np.max([*ratios.values()], axis=0))
    for link in found.links:
        arcs = slice(2 * network.arrays.link_index[link.id], 2 * network.arrays.link_index[link.id] + 2)
        assert link.worst_utilisation_ratio == pytest.approx(greatest[arcs].max(), rel=1e-12)
        of_cause = intact if link.cause is None else ratios[link.cause]
        assert of_cause[arcs].max() == pytest.approx(greatest[arcs].max(), rel=1e-12)
    assert found.worst_utilisation_ratio == pytest.approx(greatest.max(), rel=1e-12)


def test_groups_matter_and_the_order_of_the_document_does_not() -> None:
    found = with_groups(1.0).failures()
    plain = from_document(two_sites()).failures()
    assert found.links != plain.links
    data = two_sites() | {"wcmp_groups": GROUPS}
    turned = data | {key: data[key][::-1] for key in ("nodes", "links", "demands", "wcmp_groups")}
    assert from_document(turned).failures(n_threads=2).to_json() == found.to_json()


def test_a_change_that_sets_groups_counts() -> None:
    changes = [{"kind": "set_wcmp_groups", "groups": GROUPS}]
    assert from_document(two_sites()).failures(changes=changes).links == with_groups(1.0).failures().links


def test_growth_with_groups_is_that_of_the_worst_failure() -> None:
    network = with_groups(1.0)
    worst = max(row.worst_utilisation_ratio or 0.0 for row in network.failures().links)
    found = network.growth(growth_ratio_per_year=0.5, limit_ratio=2.0 * worst)
    assert found.worst is not None
    assert found.worst.when.years == pytest.approx(np.log(2.0) / np.log(1.5), rel=1e-9)


def test_progress_cancelling_and_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network, calls = with_groups(1.0), []
    network.failures(advance=lambda done, total: calls.append((done, total)))
    assert calls == [(i + 1, 17) for i in range(17)]
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError, match="of 17 failures"):
        network.failures(cancel=cancel)
    with pytest.raises(ChangeError, match="no checkpoint with WCMP groups"):
        network.failures(checkpoint=tmp_path)
    monkeypatch.setattr(one_by_one, "MAX_STEPS", 1)
    with pytest.raises(TopologyError, match="17 failures and 4 destinations take some 0 minutes, since each is routed"):
        network.failures()


def test_pairs_are_not_grouped_by_place(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = [(side, spine) for side in "AB" for spine in ("s1", "s2", "s3")]
    hops = {"A": {"As1": 2, "As2": 1}, "s1": {"Bs1": 1}, "s2": {"Bs2": 1}}
    network = from_document(
        {
            "nodes": [{"id": name, "kind": "switch"} for name in ("A", "B", "s1", "s2", "s3")],
            "links": [{"id": "".join(pair), "ends": [*pair], "capacity_gbps": 100} for pair in ends],
            "demands": [{"id": "1", "source": "A", "target": "B", "offered_gbps": 80}],
            "wcmp_groups": [{"node": node, "target": "B", "next_hops": of_node} for node, of_node in hops.items()],
        }
    )
    assert network.failures(depth=2).n_failures == 15
    monkeypatch.setattr(failure_pairs, "MAX_PAIRS", 14)
    with pytest.raises(TopologyError, match="--sample draws some"):
        network.failures(depth=2)


def test_a_link_of_unknown_rate_leaves_what_is_not_carried_unknown() -> None:
    data: dict[str, Any] = two_sites(scale=6.0) | {"wcmp_groups": GROUPS}
    del data["links"][0]["capacity_gbps"]
    found = from_document(data).failures()
    assert None in {row.not_carried_gbps for row in found.failures}
