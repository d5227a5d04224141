"""Each figure that racks are compared by tells racks apart whose failures differ: two pods that differ in it alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from twin.arrays import Bools, Ints
from twin.loading import from_document
from twin.stages.cache import Outcome
from twin.stages.evaluation import Evaluation
from twin.studies import equal_surroundings
from twin.studies.equal_surroundings import links_in_equal_surroundings
from twin.studies.job_failure_classes import JobPlaces
from twin.training.job_flows import Flows, JobFlows, LocalExchange

A, B = "r02", "r04"
"""The second and the third of four pods have equal surroundings: racks r02 and r03, and r04 and r05."""


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def fabric(pods: Sequence[int] = (0, 0, 1, 1, 2, 2, 3, 3), **job: Any) -> dict[str, Any]:
    """Racks r00, r01, ... in pods of two rails, each with one leaf in each pod and one spine; the job is a ring."""
    n_racks = len(pods)
    racks = [{"id": f"r{i:02}", "kind": "rack", "accelerator": "H100", "n_accelerators": 8} for i in range(n_racks)]
    leaves = [{"id": f"leaf{p}-{k}", "kind": "leaf", "rail": k} for p in sorted(set(pods)) for k in (0, 1)]
    spines = [{"id": f"spine-{k}", "kind": "spine", "rail": k} for k in (0, 1)]
    ends = [(f"r{i:02}", f"leaf{p}-{k}", 4) for i, p in enumerate(pods) for k in (0, 1)]
    ends += [(f"leaf{p}-{k}", f"spine-{k}", 1) for p in sorted(set(pods)) for k in (0, 1)]
    links = [{"id": f"{a}~{b}", "ends": [a, b], "n_parallel": n, "capacity_gbps": 10} for a, b, n in ends]
    own: dict[str, Any] = {"id": "j", "model": "llama-3.1-8b", "parallelism": {"tp": 8}, "n_global_batch": 5040}
    own |= {"placement": [{"site": "a"}], "on_card_loss": "pxn"}
    records: list[dict[str, Any]] = [*racks, *leaves, *spines]
    nodes = [node | {"site": "a"} for node in records]
    return {"name": "n", "sites": [{"id": "a"}], "nodes": nodes, "links": links, "jobs": [own | job]}


def changed(document: dict[str, Any], **records: dict[str, Any]) -> dict[str, Any]:
    """Change fields of records by their id."""
    for name, fields in records.items():
        (record,) = (record for part in ("nodes", "links") for record in document[part] if record["id"] == name)
        record.update(fields)
    return document


Flow = tuple[str, str, float, float]
"""Source, target, part of the parameters, pairs of accelerators."""


class Job:
    """A job on a network, with the classes of its links and what failures do to it."""

    def __init__(self, document: dict[str, Any], changes: Sequence[Any] = (), flows: Sequence[Flow] = ()) -> None:
        network = from_document(document)
        self.engine, self.index, nodes = network._engine, network.arrays.link_index, network.arrays.node_index
        columns = zip(*sorted((nodes[a], nodes[b], amount, n) for a, b, amount, n in flows), strict=True)
        self.flows = Flows(*map(np.array, columns)) if flows else None
        self.intact = self.evaluation(network._scenario(list(changes), "j").case)

    def evaluation(self, case: Any) -> Evaluation:
        e = Evaluation(case, None, self.engine.branch(Evaluation(case, None, self.engine)))
        if self.flows is not None:
            local = LocalExchange("a", 1, 8, self.flows)
            e.outcomes["job_flows"] = Outcome(JobFlows((local,), (), (), (), (), ()), ())
        return e

    @property
    def places(self) -> JobPlaces:
        return JobPlaces(self.intact, np.flatnonzero(cast(Bools, self.intact.outcome("routed_links"))))

    def numbers(self, ranks: dict[int, Ints] | None = None) -> dict[str, int]:
        """Numbers of links in equal surroundings, -1 for links that are not compared."""
        places = self.places
        kept = places._kept_links
        found = links_in_equal_surroundings(self.intact, kept, places._arc_code, ranks or places._ranks_by_node)
        ids = self.intact.case.state.link_ids
        return {ids[link]: int(number) for link, number in zip(kept.tolist(), found.tolist(), strict=True)}

    def after(self, link: str) -> tuple[float | None, int]:
        """(step time in s, lost cards) after a failure."""
        case = self.intact.case
        state = case.state.with_values("link_up", np.array([self.index[link]]), False)
        e = self.evaluation(replace(case, state=state))
        assert e.cards is not None
        return None if e.step is None else e.step.step_time_s, e.cards.n_cards_lost


def both(a: str, b: str, amount: float = 0.1) -> list[Flow]:
    """Flows in both directions."""
    return [(a, b, amount, 8.0), (b, a, amount, 8.0)]


def ring(n: int, **sixth: float) -> list[Flow]:
    """A ring of racks; figures of the flow that leaves the rack r06 may differ."""
    figures = {"amount": 0.1, "n_pairs": 8.0}
    changed_figures = figures | sixth
    by_rack = [changed_figures if i == 6 else figures for i in range(n)]
    return [(f"r{i:02}", f"r{(i + 1) % n:02}", f["amount"], f["n_pairs"]) for i, f in enumerate(by_rack)]


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return document | {"links": [link for link in document["links"] if link["id"] not in names]}


def joined(document: dict[str, Any], *ends: tuple[str, str], n: int = 4) -> dict[str, Any]:
    """Add links, each named `a~b+`."""
    more = [{"id": f"{a}~{b}+", "ends": [a, b], "n_parallel": n, "capacity_gbps": 10} for a, b in ends]
    return document | {"links": document["links"] + more}


def doubled() -> dict[str, Any]:
    """Two parallel links from each rack to the leaf of rail 0, one to that of rail 1."""
    document = joined(fabric(), *((f"r0{i}", f"leaf{i // 2}-0") for i in range(8)), n=1)
    return changed(document, **{f"r0{i}~leaf{i // 2}-{k}": {"n_parallel": 1} for i in range(8) for k in (0, 1)})


def swapped_rails() -> dict[str, Any]:
    document = changed(fabric(), **{f"r0{i}": {"n_cards": 5} for i in (2, 3, 4, 5)})
    ends = {"leaf2-0~spine-0": {"ends": ["leaf2-0", "spine-1"]}, "leaf2-1~spine-1": {"ends": ["leaf2-1", "spine-0"]}}
    return changed(document, **ends, **{"leaf2-0": {"rail": 1}, "leaf2-1": {"rail": 0}})


def swapped_order() -> dict[str, Any]:
    slow = ("r02~leaf1-0+", "r03~leaf1-0+", "r04~leaf2-0", "r05~leaf2-0")
    return changed(doubled(), **{name: {"capacity_gbps": 5} for name in slow})


def dark_leaves() -> dict[str, Any]:
    """A leaf of rail 0 that does not forward, at r02 with one port and at r04 with three."""
    document = doubled()
    leaves = [{"id": f"dark{p}", "kind": "leaf", "rail": 0, "forwards": False, "site": "a"} for p in (1, 2)]
    document["nodes"] += leaves
    return joined(joined(document, ("r02", "dark1"), n=1), ("r04", "dark2"), n=3)


def bypass() -> dict[str, Any]:
    """Racks r03 and r05 without rail 1, and links between the rails of their pods, of unequal rates."""
    document = without(fabric(), "r03~leaf1-1", "r05~leaf2-1")
    document = joined(document, ("leaf1-0", "leaf1-1"), ("leaf2-0", "leaf2-1"), n=1)
    return changed(document, **{"leaf2-0~leaf2-1+": {"capacity_gbps": 1}})


def transit() -> dict[str, Any]:
    """Racks r02 and r04 that forward: between r03 on rail 0 and r08 on rail 1, and between r05 and r09."""
    document = without(fabric((*PODS[:8], 1, 2, 1, 2)), "r03~leaf1-1", "r05~leaf2-1", "r08~leaf1-0", "r09~leaf2-0")
    changed(document, r02={"forwards": True}, r04={"forwards": True})
    return changed(document, **{"leaf1-0~spine-0": {"capacity_gbps": [2, 10]}})


def demands(*, reverse: bool) -> dict[str, Any]:
    """Demands of pods 1 and 2, of which those of pod 2 meet a slow link."""
    ends = [(f"r0{a}", f"r0{b}")[:: -1 if reverse else 1] for a, b in ((2, 0), (3, 1), (4, 6), (5, 7))]
    rows = [{"id": f"d{a}", "source": a, "target": b, "offered_gbps": 2} for a, b in ends]
    return changed(fabric(), **{"leaf3-1~spine-1": {"capacity_gbps": 5}}) | {"demands": rows}


PODS = (0, 0, 1, 1, 2, 2, 3, 3)
TEN = (*PODS, 1, 2)
THIRTEEN = (0, 0, 1, 1, 2, 2, 3, 2, 3, 1, 3, 0, 3)
"""Flows enter the pods 1 and 2 from r08 and r06, which are no partners of r02 and r04."""
FAST = {f"leaf3-{k}~spine-{k}": {"capacity_gbps": 100} for k in (0, 1)}
LOSSY = {f"leaf{p}-{k}~spine-{k}": {"loss_ratio": 1e-3} for k in (0, 1) for p in range(3)}
FAR = {f"r06~leaf3-{k}": {"latency_us": 300} for k in (0, 1)}
THIN = {"r06~leaf3-0": {"n_parallel": 2, "capacity_gbps": 100}}
IN_PODS = both("r02", "r03") + both("r04", "r05")
TO_FIRST: list[Flow] = [(f"r0{a}", f"r0{b}", 0.1, 8.0) for a, b in ((3, 2), (8, 2), (5, 4), (9, 4))]


def unequal_partners() -> tuple[dict[str, Any], tuple[()], list[Flow]]:
    """r02 sends 0.1 to the slow r03 and 0.3 to r08; r04 sends 0.3 to the slow r05 and 0.1 to r09."""
    document = joined(fabric((*TEN, 1, 2)), ("r03", "leaf1-0"), ("r05", "leaf2-0"))
    changed(document, **{"r03~leaf1-1": {"capacity_gbps": 5}, "r05~leaf2-1": {"capacity_gbps": 5}})
    flows = []
    for a, slow, fast, other, low, high in (
        ("r02", "r03", "r08", "r10", 0.1, 0.3),
        ("r04", "r05", "r09", "r11", 0.3, 0.1),
    ):
        flows += [(a, slow, low, 8.0), (a, fast, high, 8.0), (other, slow, high, 8.0), (other, fast, low, 8.0)]
    return document, (), flows


UNEQUAL: dict[str, tuple[Any, ...]] = {
    "rate of a spine link": (changed(fabric(), **{"leaf2-1~spine-1": {"capacity_gbps": 5}}),),
    "other traffic": (fabric((*PODS[:7], 2)),),
    "amount of other traffic": (changed(fabric(THIRTEEN), **FAST), (), ring(13, amount=0.25)),
    "fraction of other traffic": (changed(fabric(THIRTEEN), **FAST, **THIN),),
    "round trip of other traffic": (changed(fabric(THIRTEEN), **FAST, **LOSSY, **FAR),),
    "amounts of own pairs": unequal_partners(),
    "numbers of rails": (swapped_rails(), (), IN_PODS),
    "stated cards": (changed(fabric(), r04={"n_cards": 5}),),
    "order of parallel links": (swapped_order(), (), IN_PODS),
}
"""Networks, changes and flows, in which a failure at A does not do the same as one at B."""
IN_OTHER_CASES: dict[str, tuple[Any, ...]] = {
    "pairs of accelerators of other traffic": (fabric(THIRTEEN), (), ring(13, n_pairs=80.0)),
    "ends of links": (
        joined(fabric(TEN), *(("r03", "leaf1-0"), ("r09", "leaf2-0"), ("r08", "leaf1-1"), ("r05", "leaf2-1"))),
        (),
        TO_FIRST,
    ),
    "links of partners off the paths": (
        joined(doubled(), ("r03", "leaf3-1"), ("r05", "leaf3-0"), n=1),
        (),
        IN_PODS,
    ),
    "other pairs of a route": (fabric((*PODS, 1, 3, 1, 3)), (), IN_PODS + both("r08", "r10") + both("r09", "r11")),
    "a rack attached like what is left": (without(fabric(TEN), "r08~leaf1-0", "r09~leaf2-1"), (), IN_PODS),
}
"""The same, where the difference matters to the step in other cases, or to its last bit."""
MEMBERS = [{"kind": "fail_links", "links": ["r03~leaf1-0", "r05~leaf2-0"], "n_members": 1}]
DEAD = [{"kind": "fail_links", "links": ["r03~leaf1-0+", "r05~leaf2-0+"]}]
NOT_COMPARED: dict[str, tuple[Any, ...]] = {
    "demands from a rack": (demands(reverse=False), (), [*IN_PODS, *both("r00", "r06")]),
    "demands to a rack": (demands(reverse=True), (), [*IN_PODS, *both("r00", "r06")]),
    "links to nodes that carry nothing": (dark_leaves(), (), IN_PODS),
    "links without which the shortest paths are lost": (bypass(), (), IN_PODS),
    "racks that forward": (
        transit(),
        (),
        [*both("r02", "r10"), *both("r04", "r11"), ("r03", "r08", 0.1, 8.0), ("r05", "r09", 0.1, 8.0)],
    ),
}
DAMAGED: dict[str, tuple[Any, ...]] = {
    "partners with a failed member": (fabric(), MEMBERS, IN_PODS),
    "partners with a dead link": (doubled(), DEAD, IN_PODS),
}


@pytest.mark.parametrize("case", [(fabric(),), (fabric(THIRTEEN),), (fabric(TEN), (), TO_FIRST)])
def test_equal_pods_are_one_class(case: tuple[Any, ...]) -> None:
    job = Job(*case)
    numbers = job.numbers()
    for k in (0, 1):
        assert numbers[f"{A}~leaf1-{k}"] == numbers[f"{B}~leaf2-{k}"] >= 0
        assert job.after(f"{A}~leaf1-{k}") == job.after(f"{B}~leaf2-{k}")


@pytest.mark.parametrize("name", [*UNEQUAL, *IN_OTHER_CASES])
def test_pods_that_differ_are_two_classes(name: str) -> None:
    job = Job(*(UNEQUAL | IN_OTHER_CASES)[name])
    numbers = job.numbers()
    a, b = f"{A}~leaf1-0", f"{B}~leaf2-0"
    assert -1 not in (numbers[a], numbers[b])
    assert numbers[a] != numbers[b]
    assert name in IN_OTHER_CASES or job.after(a) != job.after(b)


@pytest.mark.parametrize("name", [*NOT_COMPARED, *DAMAGED])
def test_what_the_paths_do_not_tell_is_not_compared(name: str) -> None:
    job = Job(*(NOT_COMPARED | DAMAGED)[name])
    numbers = job.numbers()
    a, b = f"{A}~leaf1-0", f"{B}~leaf2-0"
    assert (numbers[a], numbers[b]) == (-1, -1)
    assert name in DAMAGED or job.after(a) != job.after(b)


def test_two_racks_of_one_pair_are_two_classes() -> None:
    """All that stands on the paths of one stands on those of the other; only one of them loses cards."""
    job = Job(changed(fabric((0, 0)), r00={"n_cards": 5}, r01={"n_cards": 8}))
    numbers = job.numbers()
    assert numbers["r00~leaf0-0"] != numbers["r01~leaf0-0"]
    assert [job.after(f"r0{i}~leaf0-0")[1] for i in (0, 1)] == [3, 4]


def test_links_of_a_rack_are_classes_of_their_own() -> None:
    """To two leaves, and parallel ones to one leaf, which carry other cards."""
    numbers = Job(doubled()).numbers()
    assert len({numbers[f"{A}~leaf1-{k}"] for k in ("0", "0+", "1")}) == 3


@pytest.mark.parametrize("row", [0, 1, 3], ids=["group", "domain", "slot"])
def test_racks_of_other_ranks_are_two_classes(row: int) -> None:
    """Lost cards cost the ranks that use them."""
    job = Job(fabric())
    other = np.arange(8) // 4 + 100 if row == 1 else np.arange(8) + 8
    ranks = {node: columns.copy() for node, columns in job.places._ranks_by_node.items()}
    ranks[job.intact.case.state.node_index[B]][row] = np.ones(8, np.int64) if row == 0 else other
    numbers = job.numbers(ranks)
    assert -1 not in (numbers[f"{A}~leaf1-0"], numbers[f"{B}~leaf2-0"])
    assert numbers[f"{A}~leaf1-0"] != numbers[f"{B}~leaf2-0"]


def over_the_fabric() -> dict[str, Any]:
    """A job of one tensor rank, whose stages exchange between rails from leaf to leaf."""
    document = fabric(parallelism={"tp": 1, "pp": 3}) | {"pxn": False}
    document["nodes"].append({"id": "core", "kind": "spine", "site": "a"})
    return joined(document, ("core", "spine-0"), ("core", "spine-1"))


@pytest.mark.parametrize(
    "case",
    [
        (over_the_fabric(), (), IN_PODS),
        (fabric() | {"load_balancing": [{"mode": "ecmp"}]}, (), IN_PODS + both("r00", "r02")),
        (without(fabric(), "r00~leaf0-0", "r01~leaf0-1"), (), IN_PODS + both("r00", "r01")),
    ],
    ids=["exchange over the fabric", "hashed flows", "a pair without a path"],
)
def test_jobs_whose_flows_depend_on_all_links_are_not_compared(case: tuple[Any, ...]) -> None:
    assert set(Job(*case).numbers().values()) == {-1}


def test_nvlink_domains_of_several_racks_are_not_compared() -> None:
    job = Job(fabric())
    ranks = {node: columns.copy() for node, columns in job.places._ranks_by_node.items()}
    index = job.intact.case.state.node_index
    ranks[index["r07"]][1] = ranks[index["r06"]][1]
    assert set(job.numbers(ranks).values()) == {-1}


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    job, bound = Job(fabric()), 2 * (8 * 4 + 4 * 4)  # four arcs at the racks of each pair, four more between pods
    monkeypatch.setattr(equal_surroundings, "MAX_ENTRIES", bound)
    assert max(job.numbers().values()) > 0
    monkeypatch.setattr(equal_surroundings, "MAX_ENTRIES", bound - 1)
    assert set(job.numbers().values()) == {-1}
