"""Availability: against all states of small networks, by hand, and the rules of the answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import replace
from itertools import product
from threading import Event
from typing import Any

import numpy as np
import pytest

from tests import naive_states
from tests.studies.test_failures import two_sites
from twin.errors import CatalogueError, ChangeError, TopologyError
from twin.loading import from_document, load
from twin.network import Network
from twin.reliability.components import Components, components_of
from twin.reliability.rates import HOURS_PER_YEAR
from twin.reliability.state_samples import StateSamples, sample_states
from twin.studies import availability as study
from twin.studies import availability_cost, availability_plan
from twin.studies.availability_report import Availability
from twin.studies.availability_states import TrafficStates

LINK_DOWN = 0.00057 / 730 * 4 / (1 + 0.00057 / 730 * 4)
SWITCH_DOWN = 0.00051 * 12 / HOURS_PER_YEAR * 6 / (1 + 0.00051 * 12 / HOURS_PER_YEAR * 6)


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def switches(links: list[dict[str, Any]], demands: list[tuple[str, str, float]], **more: Any) -> dict[str, Any]:
    """Hosts for capital letters and switches for small ones; demands between them."""
    names = sorted({end for link in links for end in link["ends"]})
    return {
        "name": "small",
        "nodes": [{"id": name, "kind": "host" if name.isupper() else "switch", "site": f"at-{name}"} for name in names],
        "sites": [{"id": f"at-{name}"} for name in names],
        "links": [{"id": f"{i}-{'-'.join(link['ends'])}", "capacity_gbps": 100} | link for i, link in enumerate(links)],
        "demands": [{"id": f"{a}>{b}", "source": a, "target": b, "offered_gbps": offered} for a, b, offered in demands],
    } | more


def random_network(seed: int) -> dict[str, Any]:
    """A multigraph of five nodes with long links in two ducts, and three demands that fill links."""
    r = random.Random(seed)
    names = "abcDE"
    links: list[dict[str, Any]] = [{"ends": [a, b]} for a, b in (("a", "b"), ("b", "c"), ("a", "D"), ("c", "E"))]
    links += [{"ends": r.sample(names, 2)} for _ in range(2)]
    for link in links:
        duct = {"srlgs": [r.choice(("north", "south"))]} if r.random() < 0.6 else {}
        link |= {"n_parallel": r.choice((1, 1, 2)), "spans": [{"length_km": r.randint(500, 4000), **duct}]}
    demands = [(a, b, r.choice((30.0, 90.0, 150.0))) for a, b in (("D", "E"), ("E", "D"), ("a", "c"))]
    return switches(links, demands, routing=r.choice(("ecmp", "wcmp")))


def components_and_traffic(network: Network) -> tuple[Components, TrafficStates]:
    e = network._evaluate_after(None, None, None)
    links = np.flatnonzero(np.asarray(e.outcome("routed_links")))
    components = components_of(e.case.state, network._reader.fresh(), links)
    assert e.demand_pairs is not None
    return components, TrafficStates(e, e.demand_pairs, components)


def all_states(network: Network) -> Callable[[Callable[[Any], bool]], float]:
    """A function from a condition on what is served to its probability over all states."""
    c, traffic = components_and_traffic(network)
    modes = [
        c.probability_ratio[first:end].tolist() for first, end in zip(c.mode_first, c.mode_first[1:], strict=False)
    ]
    served = {}
    for state in product(*(range(len(down) + 1) for down in modes)):
        found = [int(c.mode_first[i]) + m - 1 for i, m in enumerate(state) if m]
        served[state] = traffic.ask(np.array(found, np.int64))[0]
    return lambda holds: naive_states.share_of_states(modes, lambda state: holds(served[state]))


def check(found: Availability, exact_down: float) -> None:
    assert 1 - found.most_ratio <= exact_down + 1e-12
    assert exact_down <= 1 - found.least_ratio + 1e-12
    assert found.least_down_minutes_per_year == pytest.approx((1 - found.most_ratio) * HOURS_PER_YEAR * 60, abs=1e-8)
    assert found.agrees is True


@pytest.mark.parametrize("seed", range(3))
def test_all_states_of_random_networks(seed: int) -> None:
    network = from_document(random_network(seed))
    exact, found = all_states(network), network.availability(n_samples=300, seed=seed)
    pairs = sorted((row.source, row.target) for row in found.demands)
    for row in found.demands:
        i = pairs.index((row.source, row.target))
        check(row.connected, exact(lambda served, i=i: not served.is_connected[i]))
        assert row.connected.most_ratio - row.connected.least_ratio <= 1.1e-9
        assert row.carried is not None
        check(row.carried, exact(lambda served, i=i: not served.is_full[i]))
    both = next(row for row in found.site_pairs if row.sites == ("at-D", "at-E"))
    rows = [pairs.index(("D", "E")), pairs.index(("E", "D"))]
    assert both.n_demands == 2
    check(both.connected, exact(lambda served: not served.is_connected[rows].any()))
    assert both.carried is not None
    check(both.carried, exact(lambda served: not served.is_full[rows].all()))
    offered_gbps = sum(row.offered_gbps for row in found.demands)
    losing = exact(lambda served: served.lost_gbps > 0.1 * offered_gbps)
    listed = sum(row.probability_ratio for row in found.failures)
    if found.intact_lost_ratio == 0.0:
        assert listed == pytest.approx(losing, abs=found.method.rest_ratio + 1e-12)
    assert found.method.n_disagreeing == 0


CHANGES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "link": lambda down: {"kind": "fail_links", "links": down.id},
    "members": lambda down: {"kind": "fail_links", "links": down.id, "n_members": down.n_members_down},
    "srlg": lambda down: {"kind": "fail_srlg", "srlg": down.id},
    "node": lambda down: {"kind": "fail_nodes", "nodes": down.id},
}


def test_each_listed_failure_is_its_what_if() -> None:
    network = from_document(random_network(1))
    found = network.availability(loss_above=0.0, n_samples=50, n_states=60)
    kinds = {element.kind for row in found.failures for element in row.down}
    assert kinds == {"link", "members", "srlg", "node"}
    offered_gbps = sum(row.offered_gbps for row in found.demands)
    for row in found.failures[:40]:
        if len({element.id for element in row.down}) < len(row.down):
            continue
        changes = [CHANGES[element.kind](element) for element in row.down]
        demands = network._evaluate_after(changes, None, None).demands
        assert demands is not None
        lost_gbps = float((demands.offered_gbps - demands.carried_gbps).sum())
        assert row.lost_gbps == pytest.approx(lost_gbps, abs=1e-9)
        assert row.lost_ratio == pytest.approx(lost_gbps / offered_gbps, abs=1e-9)
    order = [-row.probability_ratio for row in found.failures]
    assert order == sorted(order)


def test_links_and_switches_in_series_by_hand() -> None:
    """A host, a link, a switch, a link, a host: two links and a switch must be up; hosts never fail here."""
    network = from_document(switches([{"ends": ["A", "s"]}, {"ends": ["s", "B"]}], [("A", "B", 10.0)]))
    found = network.availability()
    down = 1 - (1 - LINK_DOWN) ** 2 * (1 - SWITCH_DOWN)
    row = found.demands[0]
    for figure in (row.connected, row.carried):
        assert figure is not None
        assert 1 - figure.most_ratio <= down <= 1 - figure.least_ratio + 1e-15
        assert figure.most_ratio - figure.least_ratio < 1e-9
        assert figure.sampled_ratio == pytest.approx(1 - down, abs=1e-10)
    assert row.connected.most_down_minutes_per_year == pytest.approx(down * 525_960, rel=1e-3)
    assert [row.down[0].id for row in found.failures[:1]] == ["s"]
    assert found.failures[0].n_per_year == pytest.approx(SWITCH_DOWN / 6 * HOURS_PER_YEAR * (1 - LINK_DOWN) ** 2)
    assert found.assumptions[-1] == "2 nodes never fail here: no figure states how long a host is down."
    assert {figure.name for figure in found.figures} >= {"n_link_failures_per_month", "switch_repair_h"}


def test_parallel_ways_and_members_by_hand() -> None:
    """Two ways over switches of their own: both must fail. 150 of 2 x 100 Gb/s need both members of the first link."""
    links = [{"ends": ["A", "s"], "n_parallel": 2}, {"ends": ["s", "B"], "n_parallel": 2, "weight": 1}]
    links += [{"ends": ["A", "t"], "weight": 9}, {"ends": ["t", "B"], "weight": 9}]
    found = from_document(switches(links, [("A", "B", 150.0)])).availability(rest_below=1e-14, n_states=5000)
    u, s = LINK_DOWN, SWITCH_DOWN
    one, other = 1 - (1 - u**2) ** 2 * (1 - s), 1 - (1 - u) ** 2 * (1 - s)
    row = found.demands[0]
    assert row.carried is not None
    assert 1 - row.connected.most_ratio == pytest.approx(one * other, abs=2e-14)
    full = (1 - u) ** 4 * (1 - s)
    assert 1 - row.carried.most_ratio == pytest.approx(1 - full, abs=2e-14)


@pytest.mark.parametrize(("fibre_of", "n_without"), [((), 1), ((0,), 1), ((0, 1), 0)])
def test_shared_risks_without_a_length_of_fibre_are_counted(fibre_of: tuple[int, ...], n_without: int) -> None:
    """A duct of two links fails where both state fibre; a risk of one link is that link's own and needs no note."""
    links: list[dict[str, Any]] = [{"ends": ["a", "b"], "srlgs": ["duct"]}, {"ends": ["a", "b"], "srlgs": ["duct"]}]
    for i in fibre_of:
        links[i]["spans"] = [{"length_km": 40}]
    links.append({"ends": ["a", "b"], "srlgs": ["alone"]})
    found = from_document(switches(links, [("a", "b", 10.0)])).availability()
    note = "1 shared risk never fails here: fewer than two links of each state a length of fibre."
    assert [text for text in found.assumptions if "shared risk never" in text] == [note] * n_without
    assert any(row.down[0].kind == "srlg" for row in found.failures) == (n_without == 0)


def test_a_job_is_connected_while_all_its_pairs_are() -> None:
    network = load("two-campus")
    found = network.availability(job="both")
    (row,) = found.jobs
    assert row.connected is not None
    assert found.demands == found.failures == ()
    assert found.intact_lost_ratio is None
    assert 0.999 < row.connected.least_ratio <= row.connected.most_ratio < 1.0
    assert row.connected.agrees is True


def test_jobs_that_take_too_long_are_not_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    network = load("two-campus")
    monkeypatch.setattr(availability_cost, "STATE_S", 100.0)
    found = network.availability(job="both")
    assert found.jobs[0].connected is not None
    assert found.jobs[0].connected.agrees is None
    assert found.jobs[0].connected.sampled_ratio is None
    assert found.summary[-1] == "Random states would take too long here: the figures come from probable states alone."
    assert "–" in repr(found)


def test_a_job_that_cannot_be_placed_says_why() -> None:
    found = load("two-campus").availability(changes=[{"kind": "fail_nodes", "nodes": "*rack*"}])
    assert found.jobs[0].connected is None
    assert found.jobs[0].why
    why = "the job does not fit: no whole replica of 32 accelerators fits (0 are free and up)"
    assert found.summary[0] == f"Job both has no availability: {why}."
    assert not found.stays_above(0.1)
    with pytest.raises(TopologyError):
        load("two-campus").availability(job="both", changes=[{"kind": "fail_nodes", "nodes": "*rack*"}])


def test_unknown_rates_leave_carried_unknown() -> None:
    data = switches([{"ends": ["A", "s"]}, {"ends": ["s", "B"], "capacity_gbps": None}], [("A", "B", 10.0)])
    found = from_document(data).availability()
    assert found.demands[0].carried is None
    assert found.site_pairs[0].carried is None
    assert found.intact_lost_ratio is None
    assert found.demands[0].connected.agrees is True
    assert "What some failures lose is not known: the rate of a link is unknown." in found.summary


def test_the_order_of_the_document_changes_no_byte_and_seeds_do() -> None:
    data = two_sites()
    turned = data | {key: data[key][::-1] for key in ("nodes", "links", "demands")}
    expected = from_document(data).availability(n_samples=100, n_states=100).to_json()
    assert from_document(turned).availability(n_samples=100, n_states=100).to_json() == expected
    assert from_document(data).availability(n_samples=100, n_states=100, seed=2).to_json() != expected


def test_rows_and_summary() -> None:
    network = load("leaf-spine-demo")
    found = network.availability(top=2, n_samples=100)
    assert (found.n_demands, len(found.demands), len(found.failures)) == (5, 2, 2)
    assert found.n_failures > 2
    assert found.summary[0] == "Least connected demand: d1, available 99.9985 %, 7.7 min down a year."
    assert found.summary[-1].endswith(" of the time, and 100 random ones agree in all 10 figures.")
    assert found.stays_above(0.9999)
    assert not found.stays_above(0.999999)
    table = found.to_pandas()
    assert list(table["id"]) == ["d1", "d2"]
    assert table["connected_least_ratio"][0] == found.demands[0].connected.least_ratio
    assert "leaf-1" in repr(found)
    assert "99.99" in found._repr_html_()
    quiet = network.availability(loss_above=1.0, n_samples=100)
    assert "No state that was looked at loses more than 100 %." in quiet.summary


def test_a_disagreement_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed states that are three times as probable as they should be."""

    def wrong(*args: Any) -> StateSamples:
        samples = sample_states(*args)
        return replace(samples, listed_ratio=samples.listed_ratio * 3.0)

    monkeypatch.setattr(study, "sample_states", wrong)
    found = load("leaf-spine-demo").availability(n_samples=100)
    assert found.method.n_disagreeing == found.method.n_compared == 10
    assert found.demands[0].connected.agrees is False
    assert "The two methods disagree in 10 of 10 figures: do not rely on these, and report it." in found.summary


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"rest_below": 0.0}, "rest_below: 0.0"),
        ({"rest_below": "x"}, "rest_below: x"),
        ({"loss_above": -0.1}, "loss_above: -0.1"),
        ({"n_states": 3}, "states: 3"),
        ({"n_samples": 10**9}, "samples: 1000000000"),
        ({"seed": -1}, "seed: -1"),
        ({"top": 0}, "top 0"),
    ],
)
def test_numbers_out_of_bounds_are_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ChangeError, match="expected") as caught:
        load("leaf-spine-demo").availability(**options)
    assert text in str(caught.value)


def test_bad_questions_are_refused() -> None:
    network = from_document(switches([{"ends": ["A", "s"]}], []))
    with pytest.raises(ChangeError, match="no demands and no jobs"):
        network.availability()
    with pytest.raises(CatalogueError, match="no job 'bothe'"):
        load("two-campus").availability(job="bothe")
    groups = {"wcmp_groups": [{"node": "s", "target": "B", "next_hops": {"1-s-B": 1}}]}
    stated = from_document(switches([{"ends": ["A", "s"]}, {"ends": ["s", "B"]}], [("A", "B", 1.0)], **groups))
    with pytest.raises(ChangeError, match="WCMP groups is not computed"):
        stated.availability()
    dark = from_document(switches([{"ends": ["A", "s"], "up": False}], [("A", "s", 1.0)]))
    with pytest.raises(ChangeError, match="no link carries traffic"):
        dark.availability()


def test_too_much_work_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    network = load("leaf-spine-demo")
    with pytest.raises(TopologyError, match=r"1,000,000 states and .* take some .* minutes"):
        network.availability(n_states=1_000_000)
    monkeypatch.setattr(availability_plan, "STEPS_PER_S", 1.0)
    with pytest.raises(TopologyError, match="paths of 5 pairs of nodes take some"):
        network.availability()


def test_work_is_bounded_by_counted_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a hundredth of the work a study looks at fewer states, and says that its intervals are wider."""
    network = from_document(two_sites())
    whole = network.availability(rest_below=1e-15, top=1)
    monkeypatch.setattr(availability_plan, "PART_S", availability_cost.STATE_S * 20)
    monkeypatch.setattr(availability_plan, "MIN_STATES", 5)
    less = network.availability(rest_below=1e-15, top=1)
    assert less.method.n_states < whole.method.n_states
    assert less.method.n_samples < whole.method.n_samples
    assert less.method.rest_ratio > whole.method.rest_ratio
    assert less.demands[0].connected.least_ratio <= whole.demands[0].connected.least_ratio
    assert less.to_json() == from_document(two_sites()).availability(rest_below=1e-15, top=1).to_json()


def test_too_few_samples_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability_plan, "MIN_STATES", 100_000)
    found = load("leaf-spine-demo").availability(top=1)
    assert found.method.n_samples == 0
    assert found.demands[0].connected.agrees is None
    assert found.demands[0].carried is not None
    assert found.demands[0].carried.sampled_ratio is None
    assert "Random states would take too long here: the figures come from probable states alone." in found.summary


def test_progress_and_cancelling() -> None:
    seen: list[tuple[int, int]] = []
    network = from_document(two_sites())
    network.availability(n_states=100, n_samples=100, advance=lambda done, n: seen.append((done, n)))
    assert seen
    assert all(0 < done <= n for done, n in seen)
    cancel = Event()
    cancel.set()
    with pytest.raises(CancelledError, match="cancelled after 0 of"):
        network.availability(cancel=cancel)
