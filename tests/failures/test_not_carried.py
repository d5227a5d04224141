"""Demands after single failures: paths and what is not carried equal the naive twins, link by link."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests import naive
from tests.failures.cases import CASES, Case
from twin.failures import not_carried
from twin.failures.not_carried import after_failure


def expected(case: Case, ratio: list[Fraction]) -> tuple[list[bool], float]:
    """Return whether each demand has a path, and what is not carried, in exact fractions."""
    links = []
    for link, left in zip(case.links, ratio, strict=True):
        back = link.back and (link.back[0], link.back[1] * left)
        links.append(link._replace(up=left > 0, share=link.share * left, back=back))
    flows, paths = [], []
    for source, target, _ in case.demands:
        distance = naive.shortest_distances(case.n_nodes, links, target, case.hosts)
        paths.append(distance[source] < np.inf)
        flows.append(naive.unit_loads(links, distance, source, case.hosts) if paths[-1] else {})
    capacity = [Fraction(gbps) * left for pair, left in zip(case.capacity, ratio, strict=True) for gbps in pair]
    rate = naive.max_min_rates(flows, capacity, [demand[2] for demand in case.demands])
    missing = sum(demand[2] - gbps for demand, gbps, path in zip(case.demands, rate, paths, strict=True) if path)
    return paths, float(missing)


def scaled(case: Case, seed: int) -> Case:
    """Capacities of which some are too small."""
    rng = np.random.default_rng(seed)
    top = [40, 400][seed % 2]
    value = int(rng.integers(1, top))
    gbps = [
        (int(rng.integers(1, top)), int(rng.integers(0, top))) if seed % 3 == 0 else (value, value) for _ in case.links
    ]
    return case._replace(capacity=gbps)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", range(6))
def test_what_is_not_carried_is_that_of_exact_progressive_filling(name: str, seed: int) -> None:
    case = scaled(CASES[name](seed), seed)
    fabric = case.fabric
    rng = np.random.default_rng(seed)
    for _ in range(3):
        ratio = [Fraction(1)] * len(case.links)
        for link in rng.integers(0, len(case.links), 1 + seed % 2).tolist():
            ratio[link] = Fraction(int(rng.integers(0, 2)), 2)
        paths, missing = expected(case, ratio)
        found = after_failure(fabric, np.array(ratio, float))
        assert found.has_path.tolist() == paths
        total = float(sum(demand[2] for demand in case.demands)) or 1.0
        assert found.not_carried_gbps == pytest.approx(missing, rel=1e-10, abs=1e-12 * total)


def test_without_a_link_nothing_has_a_path() -> None:
    case = CASES["clos"](1)
    found = after_failure(case.fabric, np.zeros(len(case.links)))
    assert (found.has_path.any(), found.not_carried_gbps) == (False, 0.0)


def test_the_room_for_crossings_grows_up_to_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    case = scaled(CASES["clos"](4), 6)
    kept = np.ones(len(case.links))
    plain = after_failure(case.fabric, kept)
    assert plain.not_carried_gbps
    monkeypatch.setattr(not_carried, "FIRST_CROSSINGS", 1)
    again = after_failure(case.fabric, kept)
    assert again.not_carried_gbps == plain.not_carried_gbps
    assert again.n_steps > plain.n_steps
    monkeypatch.setattr(not_carried, "MAX_CROSSINGS", 1)
    assert after_failure(case.fabric, kept).not_carried_gbps is None
