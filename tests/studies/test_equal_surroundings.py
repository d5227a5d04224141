"""Failures of links in equal surroundings do the same to a job, to the last bit; damage elsewhere is an exception."""

from __future__ import annotations

import random
from typing import Any

import pytest

from twin.loading import from_document
from twin.studies import equal_surroundings
from twin.studies.failure_records import FailureReport


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def fabric(n_racks: int = 24, without: list[str] | None = None, **job: Any) -> dict[str, Any]:
    """A rail-optimised fabric of pods of four racks, all of which train one model."""
    racks = [{"accelerator": "H100", "n_racks": n_racks, "n_accelerators_per_rack": 8, "n_racks_per_pod": 4}]
    params = {
        "site": "a",
        "racks": racks,
        "n_rails": 4,
        "n_tiers": 2,
        "n_spines_per_rail": 2,
        "n_parallel_leaf_spine": 2,
    }
    own = {
        "id": "j",
        "model": "llama-3.1-8b",
        "parallelism": {"tp": 8},
        "n_global_batch": 5040,
        "placement": [{"site": "a"}],
    }
    block = {"id": "a", "generator": "rail_clos", "params": params} | ({"without": without} if without else {})
    return {"name": "n", "sites": [{"id": "a"}], "fabrics": [block], "jobs": [own | {"on_card_loss": "pxn"} | job]}


def both(document: dict[str, Any], changes: list[Any], of: str = "link") -> tuple[FailureReport, FailureReport]:
    """The study with classes of equal surroundings, and with each link of a rack by itself."""
    found = from_document(document).failures(of=of, job="j", changes=changes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(equal_surroundings, "MAX_ENTRIES", -1)
        patch.setattr("twin.studies.shifted_replicas.MAX_SHIFTS", 0)
        return found, from_document(document).failures(of=of, job="j", changes=changes)


def n_classes(report: FailureReport) -> int:
    assert report.n_job_classes is not None
    return report.n_job_classes


def test_a_dead_cable_adds_few_classes() -> None:
    """Racks inside pods are equal, those at bounds of pods are, too. A dead cable counts where its flows go."""
    whole, alone = both(fabric(16), [])
    assert whole.failures == alone.failures
    assert n_classes(alone) > 4 * 16
    assert n_classes(whole) < n_classes(alone) // 2
    for name in ("a/rack-05~a/leaf-p2-r1", "a/leaf-p2-r1~a/spine-r1-s1"):
        damaged, alone = both(fabric(16), [{"kind": "fail_links", "links": name}])
        assert damaged.failures == alone.failures
        assert n_classes(damaged) < n_classes(whole) + 40, name


def test_hashed_flows_are_not_compared() -> None:
    """Collisions of flows follow from all links together."""
    found, alone = both(fabric(12) | {"load_balancing": [{"mode": "ecmp"}]}, [])
    shifted = n_classes(alone) - n_classes(found)
    assert found.failures == alone.failures
    assert shifted == 2 * 4 * 4  # three pods by a shift of one, which equal surroundings would divide no further


def test_damaged_and_uneven_fabrics_equal_each_failure_alone() -> None:
    """Dead cables, racks without a cable, demands, and several kinds of partners, all at random."""
    n_saved = 0
    for seed in range(1, 4):
        rng = random.Random(seed)
        shape = rng.choice(({"tp": 8}, {"tp": 4, "pp": 4}, {"tp": 8, "pp": 2}, {"tp": 8, "cp": 2}))
        n_racks, spread = rng.randint(18, 23), rng.choice(("all", "one"))
        ids = from_document(fabric(n_racks)).arrays.link_ids
        document = fabric(n_racks, rng.sample(ids, rng.randint(0, 2)), parallelism=shape, pxn_spread=spread)
        document["pxn"] = True  # a rack without a cable has other rails
        document["routing"] = rng.choice(("ecmp", "wcmp"))
        arrays = from_document(document).arrays
        if rng.random() < 0.5:
            a, b = rng.sample([name for name in arrays.node_ids if "rack" in name], 2)
            document["demands"] = [{"id": "d", "source": a, "target": b, "offered_gbps": 40}]
        changes = [{"kind": "fail_links", "links": rng.sample(arrays.link_ids, rng.randint(1, 3))}]
        found, alone = both(document, changes, rng.choice(("link", "member")))
        assert found.failures == alone.failures, seed
        n_saved += n_classes(alone) - n_classes(found)
    assert n_saved > 60


def test_racks_beyond_the_memory_for_surroundings_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = [{"kind": "fail_links", "links": "a/rack-2~a/leaf-p1-r1"}]
    found, alone = both(fabric(8), changes)
    monkeypatch.setattr(equal_surroundings, "MAX_TEXT_BYTES", 1)
    without = from_document(fabric(8)).failures(of="link", job="j", changes=changes)
    assert without.failures == found.failures
    assert n_classes(found) < n_classes(without) <= n_classes(alone)
