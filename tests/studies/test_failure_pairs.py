"""Studies of pairs equal what-ifs of both; a checkpoint changes no byte, and no other question goes on from it."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.studies.test_failures import CHANGES, check, two_sites
from twin.errors import ChangeError, TopologyError
from twin.loading import from_document, load
from twin.network import Network
from twin.studies import checkpoint as checkpoints
from twin.studies import failure_pairs, failure_run, job_failures, pairs_worse
from twin.studies.failure_kinds import KINDS


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


@pytest.fixture(scope="module")
def network() -> Network:
    return from_document(two_sites())


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of eight failures, each followed by a checkpoint."""
    monkeypatch.setattr(failure_run, "BATCH_S", 0.0)
    monkeypatch.setattr(checkpoints, "MIN_INTERVAL_S", 0.0)
    monkeypatch.setattr(checkpoints, "WRITING_RATIO", np.inf)


def test_every_kind_of_failures_is_tested() -> None:
    assert CHANGES.keys() == KINDS.keys()


@pytest.mark.parametrize("of", CHANGES)
@pytest.mark.parametrize(("routing", "scale"), [("ecmp", 6.0), ("wcmp", 1.0)])
def test_each_pair_is_the_what_if_of_both(of: str, routing: str, scale: float) -> None:
    network = from_document(two_sites(routing, scale))
    singles = [row.id for row in network.failures(of=of).failures]
    found = network.failures(of=of, depth=2, sample=25, seed=3)
    n_all = len([*combinations(singles, 2)])
    assert (found.depth, found.n_possible) == (2, n_all)
    assert found.n_failures == len(found.failures) == min(n_all, 25)
    assert found.seed == (3 if n_all > 25 else None)
    ratios = {}
    for row in found.failures:
        assert row.id == " + ".join(row.ids)
        changes = [change for name in row.ids for change in CHANGES[of](name)]
        ratios[row.id] = check(network, row, network._evaluate_after(changes, None, None))
    intact = network.evaluate().arc_utilisation_ratio
    greatest = np.maximum(intact, np.max([*ratios.values()], axis=0))
    for link in found.links:
        arcs = slice(2 * network.arrays.link_index[link.id], 2 * network.arrays.link_index[link.id] + 2)
        assert link.worst_utilisation_ratio == pytest.approx(greatest[arcs].max(), rel=1e-12)
        of_cause = intact if link.cause is None else ratios[link.cause]
        assert of_cause[arcs].max() == pytest.approx(greatest[arcs].max(), rel=1e-12)


@pytest.mark.parametrize("of", CHANGES)
def test_pairs_that_lose_more_than_their_single_failures_are_counted(of: str) -> None:
    network = from_document(two_sites())

    def lost(*names: str) -> set[str]:
        after = network._evaluate_after([change for name in names for change in CHANGES[of](name)], None, None)
        assert after.demands is not None
        return set(np.flatnonzero(~after.demands.reachable).tolist())

    offered = network.evaluate().demands.offered_gbps
    alone = {row.id: lost(row.id) for row in network.failures(of=of).failures}
    found = network.failures(of=of, depth=2)
    worse = set()
    for row in found.failures:
        together = lost(*row.ids) - alone[row.ids[0]] - alone[row.ids[1]]
        assert row.n_demand_pairs_lost_together == len(together)
        assert row.lost_together_gbps == pytest.approx(offered[[*together]].sum(), rel=1e-12, abs=1e-9)
        worse |= {row.id} if together else set()
    assert found.n_pairs_worse_than_singles == len(worse)
    assert bool(worse) == (of in ("link", "node", "srlg"))
    says = f"{len(worse):,} of them lose demand" if worse else "No pair loses demand that neither of its failures"
    assert any(line.startswith(says) for line in found.summary)
    assert network.failures(of=of).n_pairs_worse_than_singles is None


def test_pairs_with_too_many_lost_demands_are_not_compared(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs_worse, "MAX_LOST", 3)
    found = network.failures(of="node", depth=2)
    assert found.n_pairs_worse_than_singles is None
    assert found.failures[0].lost_together_gbps is None


def test_a_sample_of_all_pairs_is_all_pairs(network: Network) -> None:
    everything = network.failures(depth=2)
    assert everything.n_failures == everything.n_possible == 17 * 16 // 2
    assert network.failures(depth=2, sample=136, seed=5) == everything
    assert network.failures(depth=2, sample=300_000, n_threads=3).to_json() == everything.to_json()
    assert everything.summary[0].split(" demand:")[0].endswith("of 136 pairs of link failures lose")


def test_a_seed_always_draws_the_same_pairs(network: Network) -> None:
    turned = two_sites()
    turned |= {key: turned[key][::-1] for key in ("nodes", "links", "demands")}
    found = network.failures(depth=2, sample=20, seed=4)
    assert from_document(turned).failures(depth=2, sample=20, seed=4, n_threads=2).to_json() == found.to_json()
    other = network.failures(depth=2, sample=20, seed=5)
    assert {row.id for row in other.failures} != {row.id for row in found.failures}
    assert found.summary[-1] == "20 of 136 pairs were drawn; others may be worse."


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"depth": 3}, r"depth: depth 3; expected 1 \(single failures\) or 2"),
        ({"depth": True}, "depth: depth True"),
        ({"sample": 5}, "a sample of single failures.*--depth 2"),
        ({"depth": 2, "sample": 0}, "sample 0; expected a whole number from 1"),
        ({"depth": 2, "sample": 2.5}, "sample 2.5"),
        ({"depth": 2, "sample": 3, "seed": -1}, "seed -1; expected a whole number from 0"),
    ],
)
def test_bad_depths_are_refused(network: Network, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ChangeError, match=says):
        network.failures(**options)


def test_a_pair_needs_two() -> None:
    data = two_sites()
    for link in data["links"]:
        link["srlgs"] = ["duct"] if link.get("srlgs") else []
    with pytest.raises(ChangeError, match="only one srlg carries traffic"):
        from_document(data).failures(of="srlg", depth=2)


def test_pairs_within_a_bundle_are_said_to_be_left_out() -> None:
    def said(n_parallel: int, of: str, depth: int) -> list[str]:
        links = [{"id": "ab", "ends": ["a", "b"], "capacity_gbps": 100.0, "n_parallel": n_parallel}]
        links += [{"id": "bc", "ends": ["b", "c"], "capacity_gbps": 100.0}]
        nodes = [{"id": name, "kind": "switch"} for name in "abc"]
        demands = [{"id": "d", "source": "a", "target": "c", "offered_gbps": 90.0}]
        network = from_document({"nodes": nodes, "links": links, "demands": demands})
        return [text for text in network.failures(of=of, depth=depth).summary if text.startswith("Left out")]

    assert said(2, "member", 2) == [failure_pairs.SAME_LINK.format("1 bundle")]
    assert said(1, "member", 2) == said(2, "member", 1) == said(2, "link", 2) == []


def test_too_many_pairs_are_refused_before_any_work(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_pairs, "MAX_PAIRS", 100)
    monkeypatch.setattr(failure_pairs, "MAX_GROUPED", 135)
    monkeypatch.setattr("twin.studies.failures.sweep_of", None)
    with pytest.raises(TopologyError, match="136 pairs of link failures and 4 destinations take up to 1 minutes and"):
        network.failures(depth=2)
    monkeypatch.setattr(failure_pairs, "MAX_PAIR_PATHS", 12)
    with pytest.raises(TopologyError, match=r"depth: .*up to 3 pairs.*--sample 3 draws so many"):
        network.failures(depth=2)
    with pytest.raises(TopologyError, match=r"sample: .*up to 3 pairs.*--sample 3 draws"):
        network.failures(depth=2, sample=4)
    monkeypatch.setattr(type(network), "_evaluate_after", None)
    with pytest.raises(ChangeError, match="sample 101; expected a whole number from 1 to 100"):
        network.failures(depth=2, sample=101)


def test_a_sample_with_a_job_is_refused_before_pairs_are_told_from_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_failures, "MAX_WORK", 5000)
    monkeypatch.setattr(job_failures, "failed_of_kind", None)
    with pytest.raises(TopologyError, match=r"20 pairs of failures .* \(--sample [1-9] draws so many of them\)"):
        load("two-campus").failures(of="link", depth=2, sample=20, job="both")


@pytest.mark.parametrize("of", ["link", "node"])
def test_too_many_pairs_to_list_are_listed_by_equal_places(of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = load("leaf-spine-demo")
    full = network.failures(of=of, depth=2)
    monkeypatch.setattr(failure_pairs, "MAX_PAIRS", full.n_failures - 1)
    found = network.failures(of=of, depth=2)
    assert found.n_failures == found.n_possible == full.n_failures
    assert found.n_classes == len(found.failures) < full.n_failures
    assert sum(row.n_equal for row in found.failures) == full.n_failures
    rows = {row.id: row for row in full.failures}
    assert all(replace(row, n_equal=1) == rows[row.id] for row in found.failures)
    assert found.summary[0] == full.summary[0]
    links = {row.id: row for row in full.links}
    for link in found.links:
        assert link.worst_utilisation_ratio == pytest.approx(links[link.id].worst_utilisation_ratio, rel=1e-12)
        assert (link.cause is None) == (links[link.id].cause is None)
        if link.cause is not None:
            changes = [change for name in link.cause.split(" + ") for change in CHANGES[of](name)]
            ratio = network._evaluate_after(changes, None, None).arc_utilisation_ratio
            row = network.arrays.link_index[link.id]
            assert ratio[2 * row : 2 * row + 2].max() == pytest.approx(link.worst_utilisation_ratio, rel=1e-12)
    monkeypatch.setattr(failure_pairs, "MAX_PAIRS", found.n_classes - 1)
    with pytest.raises(TopologyError, match=f"{found.n_classes} classes of pairs of {of} failures and"):
        network.failures(of=of, depth=2)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("depth", [1, 2])
def test_an_interrupted_study_goes_on_to_the_same_bytes(
    network: Network, tmp_path: Path, n_threads: int, depth: int
) -> None:
    expected = network.failures(depth=depth).to_json()
    n_runs, told = 0, [0]

    def interrupt(done: int, total: int) -> None:
        told.append(done)
        if done < total:
            raise KeyboardInterrupt

    while True:
        n_runs += 1
        try:
            found = network.failures(depth=depth, n_threads=n_threads, checkpoint=tmp_path, advance=interrupt)
            break
        except KeyboardInterrupt:
            assert (tmp_path / "checkpoint.npz").exists()
    assert found.to_json() == expected
    assert told == sorted(set(told)), "no batch is computed twice"
    assert n_runs > 1
    done: list[int] = []
    again = network.failures(depth=depth, checkpoint=tmp_path, advance=lambda n, _: done.append(n))
    assert again.to_json() == expected
    assert done == []
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]


@pytest.mark.usefixtures("small_batches")
def test_a_cancelled_study_has_a_checkpoint_too(network: Network, tmp_path: Path) -> None:
    cancel = threading.Event()
    with pytest.raises(CancelledError, match="of 136 failures"):
        network.failures(depth=2, checkpoint=tmp_path, cancel=cancel, advance=lambda *_: cancel.set())
    with np.load(tmp_path / "checkpoint.npz") as file:
        assert 0 < file["is_done"].sum() < 136


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"depth": 2, "sample": 9, "seed": 2}, "pairs of link failures, 9 drawn with seed 1"),
        ({"depth": 2}, "pairs of link failures, 9 drawn with seed 1; expected two sites.*link failures, all"),
        ({"of": "node", "depth": 2, "sample": 9, "seed": 1}, "another question"),
        ({}, "another question"),
    ],
)
def test_a_checkpoint_of_another_question_is_refused_by_name(
    network: Network, tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    network.failures(depth=2, sample=9, seed=1, checkpoint=tmp_path)
    before = (tmp_path / "checkpoint.npz").read_bytes()
    with pytest.raises(ChangeError, match=says) as error:
        network.failures(checkpoint=tmp_path, **options)
    assert "name another folder" in str(error.value)
    assert (tmp_path / "checkpoint.npz").read_bytes() == before


@pytest.mark.parametrize("change", ["name", "demand", "capacity"])
def test_a_checkpoint_of_another_network_is_refused_by_name(network: Network, tmp_path: Path, change: str) -> None:
    network.failures(checkpoint=tmp_path)
    data = two_sites()
    if change == "name":
        data["name"] = "three sites"
    elif change == "demand":
        data["demands"][0]["offered_gbps"] += 1e-9
    else:
        data["links"][0]["capacity_gbps"] += 1
    says = "another question: two sites, no plan" if change == "name" else r"question \(two sites, .*has changed"
    with pytest.raises(ChangeError, match=says):
        from_document(data).failures(checkpoint=tmp_path)


def test_a_damaged_checkpoint_and_a_folder_that_is_none_are_refused(network: Network, tmp_path: Path) -> None:
    network.failures(checkpoint=tmp_path)
    file = tmp_path / "checkpoint.npz"
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", whole.replace(b"greatest", b"smallest"), b"no archive"):
        file.write_bytes(damaged)
        with pytest.raises(ChangeError, match=r"cannot read .*checkpoint\.npz.*remove it to begin anew"):
            network.failures(checkpoint=tmp_path)
    with pytest.raises(ChangeError, match="cannot make the folder"):
        network.failures(checkpoint=file)
