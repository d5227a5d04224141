"""PXN while parts of bundles, cables and leaves fail: the cards bind, and no failure makes a step shorter."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.samples import model_data
from tests.training.test_cards import hosts_data
from twin.loading import from_document


@pytest.fixture(autouse=True, scope="module")
def no_cache() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWIN_CACHE_DIR", "")
        yield


WIDE = {"n_layers": 8, "n_hidden": 1024, "n_heads": 16, "n_ffn_hidden": 4096, "n_vocab": 1000, "n_sequence": 1000}


def steps(data: dict[str, Any], *cases: list[dict[str, Any]]) -> list[float]:
    """Seconds of a step after each list of changes; infinite where the job does not run."""
    network = from_document(data)
    found = []
    for changes in cases:
        metrics = network.what_if(changes or [{"kind": "age", "years": 0}], main_assumptions=False).after.metrics
        value = metrics["step_time_s"].value
        found.append(float("inf") if value is None else value)
    return found


def cable(host: int, rail: int, n_members: int | None = None) -> dict[str, Any]:
    more = {} if n_members is None else {"n_members": n_members}
    return {"kind": "fail_links", "links": f"h{host:02d}~leaf-{rail}", **more}


PARTS = [
    [cable(3, 2, 1)],
    [cable(3, 2)],
    [cable(3, 2, 1), cable(4, 2, 1)],
    [cable(3, 2, 1), cable(3, 4, 1)],
    [cable(host, 2, 1) for host in range(6)],
]


@pytest.mark.parametrize("changes", PARTS)
def test_the_cards_that_are_left_bind_not_the_link_of_the_lost_one(changes: list[dict[str, Any]]) -> None:
    """Ten times faster links change nothing: the exchange takes bytes over the cards that are left."""
    job = {"on_card_loss": "pxn", "model": WIDE, "n_global_batch": 960}
    fast = hosts_data(**job)
    for link in fast["links"]:
        link["capacity_gbps"] = 4000.0
    assert steps(hosts_data(**job), changes) == pytest.approx(steps(fast, changes), rel=1e-12)


def test_an_exchange_over_seven_of_eight_cards_takes_eight_sevenths() -> None:
    """The time by cards is a / c + b with c cards of eight; so t(6) - t(8) is 7/3 times t(7) - t(8).

    1 / 6 - 1 / 8 = 1 / 24 and 1 / 7 - 1 / 8 = 1 / 56. The hop over NVLink is in t(6) and t(7), so t(8) is without one
    lost card but with PXN: the extrapolation of t(6) and t(4), 3 t(6) / 2 - t(4) / 2.
    """
    data = hosts_data(on_card_loss="pxn", model=WIDE, n_global_batch=960)
    seven, six, four = steps(data, [cable(3, 2, 1)], [cable(3, 2)], [cable(3, 2), cable(3, 3)])
    eight = 1.5 * six - 0.5 * four
    assert six - eight == pytest.approx(7 / 3 * (seven - eight), rel=1e-6)
    assert seven > eight


@pytest.mark.parametrize("n_accelerators", [8, 64])
def test_the_card_rate_of_a_phase_is_that_of_the_step(n_accelerators: int) -> None:
    """Half of the cards take twice as long, and seven of the eight cards of an NVLink domain 8/7."""

    def card_time_s(n_cards: int | None = None, **failed: Any) -> float:
        data = hosts_data(on_card_loss="pxn", model=WIDE, n_global_batch=960)
        for node in data["nodes"]:
            if node["kind"] == "host":
                node |= {"n_accelerators": n_accelerators} | ({"n_cards": n_cards} if n_cards else {})
        for link in data["links"]:
            link["n_parallel"] = n_accelerators // 4
            link |= failed if link["id"] == "h03~leaf-2" else {}
        (phase,) = (use for use in from_document(data).evaluate().phases if use.name == "reduce_scatter")
        return phase.card_time_s

    whole = card_time_s()
    assert card_time_s(n_accelerators) == whole
    assert card_time_s(n_accelerators // 2) == pytest.approx(2 * whole)
    assert card_time_s(n_failed=1) == pytest.approx(8 / 7 * whole)


@pytest.mark.parametrize("spread", ["all", "one"])
def test_a_site_with_whole_cards_stays_as_it_is(spread: str) -> None:
    data = hosts_data(on_card_loss="pxn", pxn_spread=spread, model=WIDE, n_global_batch=960)
    for node in data["nodes"]:
        node["site"] = "t" if node["id"] in ("h04", "h05") else "s"
    data["sites"].append({"id": "t"})
    data["jobs"][0]["placement"].append({"site": "t"})
    whole, lost = steps(data, [], [cable(3, 2, 1)])
    assert whole < lost < float("inf")


@st.composite
def failures(draw: st.DrawFn) -> tuple[dict[str, Any], list[list[dict[str, Any]]]]:
    """A job on rails, and lists of failures that grow by one each time."""
    n_rails, n_hosts = draw(st.sampled_from([1, 2, 4, 8])), draw(st.integers(3, 5))
    spread = draw(st.sampled_from(["all", "one"]))
    kinds = [{"tp": 8}, {"tp": 4}, {"tp": 4, "pp": 2}, {"tp": 2, "cp": 2}, *([{"tp": 1, "ep": 16}] * (spread == "all"))]
    parallelism = draw(st.sampled_from(kinds))
    model = model_data(n_experts=16, n_experts_active=2) if "ep" in parallelism else WIDE
    job = {"on_card_loss": "pxn", "pxn": True, "pxn_spread": spread, "parallelism": parallelism, "model": model}
    data = hosts_data(n_hosts, n_rails, n_global_batch=960, **job)
    if draw(st.booleans()):
        data["nodes"].append({"id": "spine", "kind": "spine", "site": "s"})
        data["links"] += [
            {"id": f"up-{rail}", "ends": [f"leaf-{rail}", "spine"], "capacity_gbps": 6400.0}
            for rail in range(1, n_rails + 1)
        ]
    places = st.tuples(st.integers(0, n_hosts - 1), st.integers(1, n_rails))
    chosen = draw(st.lists(places, min_size=1, max_size=4, unique=True))
    changes: list[dict[str, Any]] = []
    for host, rail in chosen:
        n = draw(st.sampled_from([*range(1, 8 // n_rails + 1), None]))
        leaf = draw(st.integers(0, 9)) == 0
        changes.append({"kind": "fail_nodes", "nodes": f"leaf-{rail}"} if leaf else cable(host, rail, n))
    return data, [changes[:n] for n in range(len(changes) + 1)]


@settings(max_examples=25)
@given(failures())
def test_no_failure_makes_a_step_shorter(drawn: tuple[dict[str, Any], list[list[dict[str, Any]]]]) -> None:
    data, cases = drawn
    for before, after in pairwise(steps(data, *cases)):
        assert after >= before * (1 - 1e-12)
