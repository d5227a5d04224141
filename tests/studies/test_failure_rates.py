"""How often a year each failure of the study happens, and what it loses."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.studies.test_failures import report, two_sites
from twin.loading import from_document
from twin.network import Network
from twin.reliability.component_rates import NO_FIBRE_IN_RISK, NO_RATE_OF_RACK, NO_RATE_OF_SITE
from twin.reliability.rates import HOURS_PER_YEAR
from twin.studies.failure_kinds import KINDS
from twin.studies.failure_pairs import Depth
from twin.studies.failure_rates import RATES
from twin.studies.failures import failure_report


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


@pytest.fixture(scope="module")
def network() -> Network:
    return from_document(two_sites())


def test_every_kind_has_rates() -> None:
    assert list(RATES) == list(KINDS)


def test_links_lose_their_demand_while_they_are_down(network: Network) -> None:
    """`a-up2` is the only link of a rack; two members, each down 4 h at 0.00057 failures a month."""
    found = report(network, "link")
    row = next(row for row in found.failures if row.id == "a-up2")
    u = 0.00057 / 730 * 4 / (1 + 0.00057 / 730 * 4)
    assert row.n_failures_per_year == pytest.approx(u**2 * 2 / 4 * HOURS_PER_YEAR)
    assert row.repair_h == pytest.approx(2.0)
    assert row.lost_gbps > 0
    assert row.lost_gbit_per_year == pytest.approx(row.lost_gbps * u**2 * HOURS_PER_YEAR * 3600)
    assert row.why_no_rate is None
    assert "why_no_rate" not in found.to_dict()["failures"][0]
    rates = {row.id: row.n_failures_per_year for row in found.failures}
    for link in found.links:
        assert link.n_worst_cases_per_year == (None if link.cause is None else rates[link.cause])
    assert {figure.name for figure in found.figures} == {"n_link_failures_per_month", "transceiver_repair_h"}
    assert all(figure.source for figure in found.figures)


def test_demand_without_a_path_before_is_not_lost_by_a_failure() -> None:
    data = two_sites()
    data["nodes"].append({"id": "island", "kind": "rack", "site": "a"})
    data["demands"].append({"id": "never", "source": "island", "target": "a-rack1", "offered_gbps": 9})
    for row in report(from_document(data), "member").failures:
        assert row.lost_gbps == pytest.approx(9.0)
        assert row.lost_gbit_per_year == 0.0


@pytest.mark.parametrize(
    ("of", "whys"),
    [
        ("node", {None: 8, NO_RATE_OF_RACK: 4}),
        ("site", {NO_RATE_OF_SITE: 2}),
        ("srlg", {NO_FIBRE_IN_RISK: 2}),
    ],
)
def test_null_has_a_reason(network: Network, of: str, whys: dict[str | None, int]) -> None:
    found = report(network, of)
    assert Counter(row.why_no_rate for row in found.failures) == whys
    for row in found.failures:
        assert (row.why_no_rate is None) == (row.n_failures_per_year is not None) == (row.repair_h is not None)
        assert (row.lost_gbit_per_year is None) == (row.why_no_rate is not None and row.lost_gbps > 0.0)


def test_the_summary_names_the_greatest_expected_loss() -> None:
    """Both members of a rack: 2 u^2 / 4 h with u = 3.12e-6, times 8,766 h, is 4.28e-8 a year."""
    network = from_document(two_sites())
    found = report(network, "link")
    costly = max(found.failures, key=lambda row: row.lost_gbit_per_year or 0.0)
    line = next(line for line in found.summary if line.startswith("Most expected loss"))
    assert line == f"Most expected loss: {costly.id} fails once in 23 million years, 2 h to repair."
    assert not any(line.startswith("Most expected") for line in report(network, "site").summary)


def test_a_pair_happens_while_both_are_down(network: Network) -> None:
    """Two switches a and b: u_a u_b (1 / m_a + 1 / m_b) an hour, for 1 / (1 / m_a + 1 / m_b) hours."""
    single = {row.id: row for row in report(network, "node").failures}
    evaluation, reader = network.evaluate(), network._reader
    found = failure_report(evaluation, network.label, reader=reader, of="node", depth=Depth(2))
    for row in found.failures:
        a, b = (single[name] for name in row.ids)
        if a.why_no_rate or b.why_no_rate:
            assert (row.n_failures_per_year, row.repair_h) == (None, None)
            assert row.why_no_rate == (a.why_no_rate or b.why_no_rate)
            continue
        u = np.prod(
            [x.n_failures_per_year * x.repair_h / (HOURS_PER_YEAR + x.n_failures_per_year * x.repair_h) for x in (a, b)]
        )
        ends_per_h = 1 / a.repair_h + 1 / b.repair_h
        assert row.repair_h == pytest.approx(1 / ends_per_h)
        assert row.n_failures_per_year == pytest.approx(u * ends_per_h * HOURS_PER_YEAR, rel=1e-6)
    assert any(row.why_no_rate is None for row in found.failures)
