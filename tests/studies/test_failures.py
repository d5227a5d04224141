"""The study of failures equals what-ifs one by one."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from typing import Any

import numpy as np
import pytest

from twin.errors import ChangeError, TopologyError
from twin.loading import from_document
from twin.network import Network
from twin.stages.evaluation import Evaluation
from twin.studies import closer_look
from twin.studies import failures as study
from twin.studies.failure_run import FailureRun
from twin.studies.failures import FailureReport, FailureRow, failure_report


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def two_sites(routing: str = "ecmp", scale: float = 1.0) -> dict[str, Any]:
    """Two sites of two leaves and two spines, racks on one or two leaves, and three wide-area links in two ducts."""
    nodes, links = [], []
    for site in ("a", "b"):
        for leaf in (1, 2):
            nodes.append({"id": f"{site}-leaf{leaf}", "kind": "leaf", "site": site})
            nodes.append({"id": f"{site}-rack{leaf}", "kind": "rack", "site": site})
            links.append(
                {"id": f"{site}-up{leaf}", "ends": [f"{site}-rack{leaf}", f"{site}-leaf{leaf}"], "n_parallel": 2}
            )
        links.append({"id": f"{site}-second", "ends": [f"{site}-rack1", f"{site}-leaf2"]})
        for spine in (1, 2):
            nodes.append({"id": f"{site}-spine{spine}", "kind": "spine", "site": site})
            for leaf in (1, 2):
                ends = [f"{site}-leaf{leaf}", f"{site}-spine{spine}"]
                links.append({"id": "-".join(ends), "ends": ends, "n_parallel": 1 + (leaf == spine)})
    for i, (duct, n, weight) in enumerate((("north", 3, 1), ("north", 1, 1), ("south", 2, 4)), 1):
        ends = [f"a-spine{1 + i % 2}", f"b-spine{1 + i % 2}"]
        links.append({"id": f"wan{i}", "ends": ends, "n_parallel": n, "srlgs": [duct], "weight": weight})
    racks = [node["id"] for node in nodes if node["kind"] == "rack"]
    demands = [
        {"id": f"{a}>{b}", "source": a, "target": b, "offered_gbps": scale * (7 + 5 * i + 3 * j)}
        for i, a in enumerate(racks)
        for j, b in enumerate(racks)
        if a != b
    ]
    return {
        "name": "two sites",
        "routing": routing,
        "sites": [{"id": "a"}, {"id": "b"}],
        "nodes": nodes,
        "links": [{"capacity_gbps": 100} | link for link in links],
        "demands": demands,
    }


CHANGES: dict[str, Any] = {
    "link": lambda name: [{"kind": "fail_links", "links": name}],
    "member": lambda name: [{"kind": "fail_links", "links": name, "n_members": 1}],
    "node": lambda name: [{"kind": "fail_nodes", "nodes": name}],
    "srlg": lambda name: [{"kind": "fail_srlg", "srlg": name}],
    "site": lambda name: [{"kind": "fail_nodes", "nodes": f"{name}-*"}],
}


def report(network: Network, of: str, *, top: int | None = None, **run: Any) -> FailureReport:
    evaluation, reader = network.evaluate(), network._reader
    return failure_report(evaluation, network.label, reader=reader, of=of, top=top, run=FailureRun(**run))


def check(network: Network, row: FailureRow, after: Evaluation) -> np.ndarray:
    """Compare one failure with its what-if; returns the utilisation of each arc."""
    demands = after.demands
    assert demands is not None
    assert row.lost_gbps == pytest.approx(demands.unrouted_gbps, rel=1e-12, abs=1e-9)
    assert row.n_demand_pairs_lost == (~demands.reachable).sum()
    not_carried = (demands.offered_gbps - demands.carried_gbps)[demands.reachable].sum()
    assert row.not_carried_gbps == pytest.approx(not_carried, rel=1e-9, abs=1e-9)
    ratio = np.nan_to_num(after.arc_utilisation_ratio)
    assert row.worst_utilisation_ratio == pytest.approx(ratio.max(), rel=1e-12)
    if row.worst_link is not None:
        link = network.arrays.link_index[row.worst_link]
        assert ratio[2 * link : 2 * link + 2].max() == pytest.approx(ratio.max(), rel=1e-12)
    site = network.arrays.node_site
    pairs = after.demand_pairs
    assert pairs is not None
    crosses = site[pairs.source] != site[pairs.target]
    assert (row.sites_cut_off == ("a", "b")) == (not demands.reachable[crosses].any())
    return ratio


@pytest.mark.parametrize("of", CHANGES)
@pytest.mark.parametrize(("routing", "scale"), [("ecmp", 1.0), ("ecmp", 6.0), ("wcmp", 6.0)])
def test_each_failure_is_its_what_if(of: str, routing: str, scale: float) -> None:
    network = from_document(two_sites(routing, scale))
    found = report(network, of)
    assert found.n_failures == len(found.failures) == {"link": 17, "member": 17, "node": 12, "srlg": 2, "site": 2}[of]
    ratios = {}
    for row in found.failures:
        ratios[row.id] = check(network, row, network._evaluate_after(CHANGES[of](row.id), None, None))
    intact = network.evaluate().arc_utilisation_ratio
    greatest = np.maximum(intact, np.max([*ratios.values()], axis=0))
    for link in found.links:
        arcs = slice(2 * network.arrays.link_index[link.id], 2 * network.arrays.link_index[link.id] + 2)
        assert link.worst_utilisation_ratio == pytest.approx(greatest[arcs].max(), rel=1e-12)
        of_cause = intact if link.cause is None else ratios[link.cause]
        assert of_cause[arcs].max() == pytest.approx(greatest[arcs].max(), rel=1e-12)
    assert found.worst_utilisation_ratio == pytest.approx(greatest.max(), rel=1e-12)
    order = [(-row.lost_gbps, -(row.not_carried_gbps or 0.0)) for row in found.failures]
    assert order == sorted(order)


def test_the_order_of_the_document_and_threads_change_no_byte() -> None:
    data = two_sites()
    turned = data | {key: data[key][::-1] for key in ("nodes", "links", "demands")}
    expected = report(from_document(data), "link").to_json()
    assert report(from_document(turned), "link", n_threads=3).to_json() == expected


def test_the_summary_says_what_is_lost_and_what_is_fullest() -> None:
    found = report(from_document(two_sites()), "node", top=3)
    assert (len(found.failures), len(found.links), found.n_failures, found.n_links) == (3, 3, 12, 17)
    assert found.summary[0].startswith("6 of 12 node failures lose demand: after ")
    assert "Fullest link: " in " ".join(found.summary)
    assert "no path" in repr(found)
    assert list(found.to_pandas()["worst_link"]) == [row.worst_link for row in found.failures]


def test_progress_and_cancelling() -> None:
    network, calls = from_document(two_sites()), []
    n_classes = report(network, "link", advance=lambda done, total: calls.append((done, total))).n_classes
    assert calls[-1] == (n_classes, n_classes)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError, match="after 0 of"):
        report(network, "link", cancel=cancel)


def test_bad_questions_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    network = from_document(two_sites())
    with pytest.raises(ChangeError, match="no kind of failures 'links'") as error:
        report(network, "links")
    assert "link" in str(error.value)
    without = two_sites()
    for link in without["links"]:
        link.pop("srlgs", None)
    with pytest.raises(ChangeError, match="no srlg carries traffic"):
        report(from_document(without), "srlg")
    with pytest.raises(ChangeError, match="no demands"):
        report(from_document(two_sites() | {"demands": []}), "link")
    monkeypatch.setattr(study, "MAX_S", 1e-6)
    with pytest.raises(TopologyError, match="failures and 4 destinations take"):
        report(network, "link")


def test_too_large_tables_are_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.failures.sweep.MAX_BYTES", 100)
    with pytest.raises(TopologyError, match=r"need 0\.0 GB"):
        report(from_document(two_sites()), "link")


def test_where_too_many_failures_overload_links_the_rest_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closer_look, "MAX_STEPS", 1)
    found = report(from_document(two_sites(scale=6.0)), "link")
    n_known = sum(row.not_carried_gbps is not None for row in found.failures)
    assert 1 <= n_known < len(found.failures)
    assert all((row.not_carried_gbps is None) == (row.why_unknown == closer_look.TOO_MANY) for row in found.failures)
    assert any(line.startswith(f"Of {len(found.failures) - n_known} it is unknown") for line in found.summary)
    assert any(row.sites_cut_off is None for row in report(from_document(two_sites()), "site").failures)


def test_a_link_of_unknown_rate_has_no_utilisation() -> None:
    data = two_sites()
    del data["links"][0]["capacity_gbps"]
    name = data["links"][0]["id"]
    found = report(from_document(data), "link")
    (row,) = (row for row in found.links if row.id == name)
    assert (row.worst_utilisation_ratio, row.headroom_gbps) == (None, None)
    data = two_sites(scale=6.0)
    del data["links"][0]["capacity_gbps"]
    whys = {row.why_unknown for row in report(from_document(data), "link").failures if row.not_carried_gbps is None}
    assert whys == {closer_look.UNKNOWN}


def test_headroom_is_that_of_the_capacity_left() -> None:
    """The failure of a second of three members leaves 100 Gb/s."""
    links = [
        {"id": "ab", "ends": ["a", "b"], "capacity_gbps": 100, "n_parallel": 3, "n_failed": 1},
        {"id": "bc", "ends": ["b", "c"], "capacity_gbps": 100, "n_parallel": 2},
        {"id": "ca", "ends": ["c", "a"], "capacity_gbps": 50, "weight": 9},
    ]
    demands = [{"id": "d", "source": "a", "target": "c", "offered_gbps": 120.0}]
    nodes = [{"id": name, "kind": "switch"} for name in "abc"]
    network = from_document({"nodes": nodes, "links": links, "demands": demands})
    member = {row.id: (row.cause, row.headroom_gbps) for row in report(network, "member").links}
    assert member == {"ab": ("ab", -20.0), "bc": ("bc", -20.0), "ca": (None, 50.0)}
    whole = {row.id: (row.cause, row.headroom_gbps) for row in report(network, "link").links}
    assert whole == {"ab": (None, 80.0), "bc": (None, 80.0), "ca": ("ab", -70.0)}
    pairs = {row.id: row.headroom_gbps for row in network.failures(of="member", depth=2).links}
    assert pairs["ab"] == pairs["bc"] == -20.0


def test_what_is_lost_and_full_without_a_failure_is_told() -> None:
    data = two_sites(scale=6.0)
    data["nodes"].append({"id": "alone", "kind": "rack", "site": "a"})
    data["demands"].append({"id": "none", "source": "alone", "target": "b-rack1", "offered_gbps": 12.5})
    found = report(from_document(data), "link")
    use = from_document(data).link_table("*").rows
    n_full = len({row.id for row in use if (row.utilisation_ratio or 0.0) > 1.0})
    assert n_full > 1
    assert "Without a failure 12.5 Gb/s have no path already; all rows count them." in found.summary
    assert f"Without a failure {n_full} links are overloaded already." in found.summary
    assert not any(line.endswith("overload a link.") for line in found.summary)
