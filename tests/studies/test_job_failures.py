"""The job after each failure equals a what-if of that failure; classes of equal failures hold for all their members."""

from __future__ import annotations

import random
import threading
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twin.errors import ChangeError, TopologyError
from twin.loading import from_document
from twin.network import Network
from twin.studies import job_failures as study
from twin.studies import kept_parts
from twin.studies.failure_records import FailureReport
from twin.studies.study_bounds import StudyBounds

REL = 1e-12
CHANGES: dict[str, Any] = {
    "link": lambda name: [{"kind": "fail_links", "links": name}],
    "member": lambda name: [{"kind": "fail_links", "links": name, "n_members": 1}],
    "node": lambda name: [{"kind": "fail_nodes", "nodes": name}],
    "srlg": lambda name: [{"kind": "fail_srlg", "srlg": name}],
    "site": lambda name: [{"kind": "fail_nodes", "nodes": {"site": name}}],
}


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def rails(n_tiers: int = 2, **job: Any) -> dict[str, Any]:
    """Two sites of rail-optimised fabrics, of which the job uses some racks, with two wide-area links."""
    params = {
        "racks": [{"accelerator": "H100", "n_racks": 5, "n_accelerators_per_rack": 8, "n_racks_per_pod": 2}],
        "n_rails": 4,
        "n_tiers": n_tiers,
        "n_spines_per_rail": 2,
        "n_pods_per_block": 2,
        "n_cores_per_spine_group": 2,
    }
    borders = {"n": 2, "part": "border-12.8T", "n_uplinks": 4, "transceiver": "400G-FR4"}
    campuses = [
        {"id": name, "site": name, "generator": "rail_clos", "params": params, "borders": borders}
        for name in ("a", "b")
    ]
    wan = [
        {
            "id": f"wan-{i}",
            "ends": [f"a/border-{i}", f"b/border-{i}"],
            "n_parallel": 1 + i,
            "transceiver": "OpenZR+-400G",
            "mux": "mux-8",
            "spans": [{"length_km": 10 * i, "fibre": "G.652.D", "srlgs": [f"duct-{i}", "bridge"]}],
        }
        for i in (1, 2)
    ]
    return {
        "name": "rails",
        "sites": [{"id": "a"}, {"id": "b"}],
        "fabrics": [{"id": "f", "generator": "campuses", "params": {"campuses": campuses, "interconnects": wan}}],
        "jobs": [
            {
                "id": "j",
                "model": "llama-3.1-8b",
                "parallelism": {"tp": 4, "pp": 2},
                "n_global_batch": 48,
                "placement": [{"site": "a", "n_accelerators": 24}, {"site": "b", "n_accelerators": 16}],
            }
            | job
        ],
    }


def after(network: Network, of: str, name: str, changes: list[Any]) -> tuple[Any, ...]:
    """The job after a failure as a what-if computes it."""
    try:
        e = network._engine.evaluate(network._scenario([*changes, *CHANGES[of](name)], "j").case)
    except TopologyError as error:
        return None, error.one_line(), None, None, None
    cards, step = e.cards, e.step
    assert cards is not None
    step_s = None if step is None else step.step_time_s
    return step_s, e.why_no_step or None, cards.n_cards_lost, cards.n_accelerators_idled, cards.n_replicas


def check(document: dict[str, Any], of: str, changes: list[Any] | None = None) -> FailureReport:
    """Compare every failure of a kind with its what-if on a network of its own."""
    report = from_document(document).failures(of=of, job="j", changes=changes)
    one_by_one = from_document(document)
    for row in report.failures:
        step_s, *rest = after(one_by_one, of, row.id, changes or [])
        job = row.job
        assert job is not None
        assert rest == [job.why_stopped, job.n_cards_lost, job.n_accelerators_idled, job.n_replicas], row.id
        assert job.step_time_s == (None if step_s is None else pytest.approx(step_s, rel=REL)), row.id
        assert (job.step_ratio is None) == (step_s is None)
    assert sum(group.n_failures for group in report.job_outcomes) == report.n_failures == len(report.failures)
    return report


@pytest.mark.parametrize("of", CHANGES)
@pytest.mark.parametrize("n_tiers", [2, 3])
def test_each_failure_of_a_rail_fabric_equals_its_what_if(of: str, n_tiers: int) -> None:
    report = check(rails(n_tiers), of)
    assert report.n_job_classes is not None
    if of in ("link", "member"):
        assert 3 * report.n_job_classes < report.n_failures


@pytest.mark.parametrize("of", ["link", "member"])
def test_links_that_are_alike_do_the_same(of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.planning_network.BRIEF_BOUNDS", StudyBounds(alike_above_s=0.0))
    network = from_document(rails(3, on_card_loss="pxn"))
    alike, exact = (network.failures(of=of, job="j", brief=brief) for brief in (True, False))
    assert alike.n_job_classes is not None
    assert exact.n_job_classes is not None
    assert alike.n_job_classes < exact.n_job_classes
    assert alike.failures == exact.failures


def check_pairs(document: dict[str, Any], of: str, sample: int | None) -> FailureReport:
    """Compare pairs of failures with what-ifs of both."""
    report = from_document(document).failures(of=of, job="j", depth=2, sample=sample, seed=3)
    one_by_one = from_document(document)
    assert report.n_failures == sum(group.n_failures for group in report.job_outcomes)
    for row in report.failures:
        first, second = row.ids
        step_s, *rest = after(one_by_one, of, first, CHANGES[of](second))
        job = row.job
        assert job is not None
        assert rest == [job.why_stopped, job.n_cards_lost, job.n_accelerators_idled, job.n_replicas], row.id
        assert job.step_time_s == (None if step_s is None else pytest.approx(step_s, rel=REL)), row.id
    return report


@pytest.mark.parametrize(("of", "sample"), [("link", 25), ("member", 6), ("node", 12), ("srlg", None)])
def test_pairs_of_failures_equal_their_what_if(of: str, sample: int | None) -> None:
    check_pairs(rails(), of, sample)


def test_pairs_of_idle_links_are_not_computed() -> None:
    report = check_pairs(rails(placement=[{"site": "a", "n_accelerators": 16}]), "link", 60)
    assert report.n_job_classes is not None
    assert report.n_job_classes < report.n_failures
    assert "60 pairs of link failures" in report.summary[0]


@pytest.mark.parametrize("of", ["link", "node"])
@pytest.mark.parametrize(
    "job",
    [
        {"on_card_loss": "drop_replicas"},
        {"on_card_loss": "pxn"},
        {"on_card_loss": "pxn", "pxn_spread": "all"},
        {
            "across_sites": "pipeline",
            "placement": [{"site": "a", "n_accelerators": 16}, {"site": "b", "n_accelerators": 16}],
        },
        {"parallelism": {"tp": 2, "pp": 2, "cp": 2}},
    ],
)
def test_other_jobs_equal_their_what_ifs(of: str, job: dict[str, Any]) -> None:
    check(rails(**job), of)


@pytest.mark.parametrize("seed", range(4))
def test_damaged_networks_equal_their_what_ifs(seed: int) -> None:
    """Links that are down, alone or by a member, background demands and modes of load balancing: all at random."""
    rng = random.Random(seed)
    document = rails(rng.choice((2, 3)), on_card_loss=rng.choice(("stop", "drop_replicas", "pxn")))
    arrays = from_document(document).arrays
    ids, nodes = arrays.link_ids, arrays.node_ids
    racks = [name for name in nodes if "rack" in name]
    document["demands"] = [
        {"id": f"d{i}", "source": a, "target": b, "offered_gbps": rng.randint(1, 400)}
        for i, (a, b) in enumerate(rng.sample([(a, b) for a in racks for b in racks if a != b], 3))
    ]
    document["load_balancing"] = [{"mode": rng.choice(("ecmp", "polarised", "spray", "dlb"))}]
    fabric = [name for name in ids if "rack" not in name]
    changes = [
        {"kind": "fail_links", "links": rng.sample(fabric, 2)},
        {"kind": "fail_links", "links": rng.sample(ids, 2), "n_members": 1},
    ]
    network = from_document(document)
    if network._engine.evaluate(network._scenario(changes, "j").case).step is None:
        changes = changes[:1]
    check(document, rng.choice(("link", "member")), changes)


@pytest.mark.parametrize(("n_tiers", "sites", "n_lost"), [(2, "a", 0), (3, "a", 0), (3, "ab", 0), (2, "a", 1)], ids=str)
def test_links_of_shifted_replicas_do_the_same(
    n_tiers: int, sites: str, n_lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shift by two racks, a pod, keeps a ring of four; a lost port of the job leaves none."""
    monkeypatch.setattr("twin.studies.equal_surroundings.MAX_ENTRIES", -1)
    placement = [{"site": site, "n_accelerators": 32} for site in sites]
    document = rails(n_tiers, on_card_loss="pxn", placement=placement)
    lost = [name for name in from_document(document).arrays.link_ids if name.startswith("a/rack-3~")][:n_lost]
    changes = [{"kind": "fail_links", "links": name} for name in lost]
    report = check(document, "link", changes)
    monkeypatch.setattr("twin.studies.shifted_replicas.MAX_SHIFTS", 0)
    apart = from_document(document).failures(of="link", job="j", changes=changes)
    assert report.failures == apart.failures
    assert report.n_job_classes is not None
    assert apart.n_job_classes is not None
    n_shifted = 0 if lost else 8 * len(sites)
    assert apart.n_job_classes - report.n_job_classes == n_shifted


def test_a_job_that_a_document_has_counts_where_there_are_no_demands() -> None:
    network = from_document(rails())
    report = network.failures()
    assert (report.job, report.n_classes, report.n_links, report.links) == ("j", 0, 0, ())
    assert report.step_time_s == network.score().metrics["step_time_s"].value
    assert any("no demands" in line for line in report.summary)
    assert report.worst_utilisation_ratio is None
    demands = [{"id": "d", "source": "a/rack-1", "target": "b/rack-1", "offered_gbps": 10}]
    beside = from_document(rails() | {"demands": demands})
    assert beside.failures().job is None
    both = beside.failures(job="j")
    assert both.links
    assert both.n_classes
    assert {row.id: row.lost_gbps for row in both.failures} == {r.id: r.lost_gbps for r in beside.failures().failures}


def test_failures_that_stop_the_job_come_first_then_the_longest_step() -> None:
    report = from_document(rails()).failures(of="link")
    steps = [row.job.step_time_s for row in report.failures if row.job is not None]
    n_stopping = steps.count(None)
    assert 0 < n_stopping < len(steps)
    assert set(steps[:n_stopping]) == {None}
    rounded = [float(f"{step_s:.9g}") for step_s in steps[n_stopping:] if step_s is not None]
    assert rounded == sorted(rounded, reverse=True)
    rates = [group.n_failures_per_year for group in report.job_outcomes]
    by_row = [row.n_failures_per_year for row in report.failures]
    assert sum(rate for rate in rates if rate) == pytest.approx(sum(rate for rate in by_row if rate))


def test_a_site_without_place_for_the_job_is_one_line_of_the_verdict() -> None:
    report = from_document(rails()).failures(of="site")
    reasons = [row.job.why_stopped for row in report.failures if row.job is not None]
    assert reasons[0] == "the job does not fit: no whole replica of 8 accelerators fits (0 are free and up)"
    assert report.summary[1] == f"First of them: {reasons[0]}."


def test_accelerators_on_failed_nodes_are_counted() -> None:
    rows = {row.id: row.job for row in from_document(rails()).failures(of="node").failures}
    lost = {name: job.n_accelerators_lost for name, job in rows.items() if job is not None and job.n_accelerators_lost}
    assert lost == {"a/rack-1": 8, "a/rack-2": 8, "a/rack-3": 8, "b/rack-1": 8, "b/rack-2": 8}


def test_threads_change_no_bit_and_the_data_frame_has_columns_of_the_job() -> None:
    pytest.importorskip("pandas")
    network = from_document(rails(on_card_loss="pxn"))
    report = network.failures(of="link", n_threads=3)
    assert report.to_json() == from_document(rails(on_card_loss="pxn")).failures(of="link").to_json()
    frame = report.to_pandas()
    assert len(frame) == report.n_failures
    assert frame["job_step_time_s"].notna().any()


def test_an_interrupted_study_of_a_job_goes_on_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_parts, "MIN_INTERVAL_S", 0.0)
    monkeypatch.setattr(kept_parts, "WRITING_RATIO", 1e9)
    network = from_document(rails())
    expected, told = network.failures(of="srlg").to_json(), []

    def interrupt(n_done: int, _: int) -> None:
        if n_done > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network.failures(of="srlg", checkpoint=tmp_path, advance=interrupt)
    assert network.failures(of="srlg", checkpoint=tmp_path, advance=lambda n, _: told.append(n)).to_json() == expected
    assert told[0] > 1, "what was computed is not computed again"
    with pytest.raises(ChangeError, match=r"another question: .*, no plan, .*, all, job j; expected"):
        network.failures(of="link", checkpoint=tmp_path)
    with pytest.raises(ChangeError, match=r"the same question \(.*job j\), but of a network that has changed"):
        from_document(rails(n_global_batch=128)).failures(of="srlg", checkpoint=tmp_path)


def test_too_much_work_and_jobs_that_do_not_run_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    network = from_document(rails())
    with pytest.raises(ChangeError, match="does not run in the intact network"):
        network.failures(changes=[{"kind": "fail_links", "links": "wan-*"}])
    bare = rails()
    del bare["jobs"]
    with pytest.raises(ChangeError, match="no demands, and no job"):
        from_document(bare).failures()
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        network.failures(cancel=cancel)
    monkeypatch.setattr(study, "MAX_WORK", 1000)
    with pytest.raises(TopologyError, match="take some"):
        network.failures()


def test_each_class_is_told_as_a_share_of_all_failures() -> None:
    seen: list[tuple[int, int]] = []
    report = from_document(rails()).failures(advance=lambda done, total: seen.append((done, total)))
    shares = [(i + 1) / len(seen) for i in range(len(seen))]
    assert seen == [(int(share * report.n_failures), report.n_failures) for share in shares]
    assert report.n_job_classes == len(seen) + 1  # the class of failures that change nothing
    assert np.isfinite(report.step_time_s or np.nan)
