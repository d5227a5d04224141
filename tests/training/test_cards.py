"""Lost network cards of a job: it stops, drops replicas, or lends cards over NVLink."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from tests.model.samples import job_data, model_data, rail_data
from twin.arrays import State
from twin.errors import TwinError
from twin.loading import from_document
from twin.stages.evaluation import Case
from twin.traffic.rail_split import carried_cards
from twin.training.cards import CardLoss


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


FIELDS = ("step_time_s", "compute_time_s", "n_cards_lost", "n_accelerators_idled", "n_replicas", "n_accelerators")


def hosts_data(n: int = 6, rails: int = 4, prefix: str = "h", leaf: str = "leaf", **job: Any) -> dict[str, Any]:
    """Hosts of eight on rails of two ports each, one leaf a rail, joined by a spine a rail."""
    names = [f"{prefix}{i:02d}" for i in range(n)]
    nodes: list[dict[str, Any]] = [
        {"id": name, "kind": "host", "site": "s", "accelerator": "H100", "n_accelerators": 8} for name in names
    ]
    nodes += [{"id": f"{leaf}-{r}", "kind": "leaf", "site": "s", "rail": r} for r in range(1, rails + 1)]
    links = [
        {"id": f"{name}~{leaf}-{r}", "ends": [name, f"{leaf}-{r}"], "capacity_gbps": 400.0, "n_parallel": 8 // rails}
        for name in names
        for r in range(1, rails + 1)
    ]
    jobs = [job_data(**{"parallelism": {"tp": 8}, "placement": [{"site": "s"}], "n_global_batch": 60, **job})]
    return {"sites": [{"id": "s"}], "nodes": nodes, "links": links, "jobs": jobs}


def after(data: dict[str, Any], *changes: dict[str, Any]) -> dict[str, float | None]:
    answer = from_document(data).what_if(list(changes), main_assumptions=False).after
    return {name: answer.metrics[name].value for name in FIELDS}


def loss_of(data: dict[str, Any]) -> CardLoss:
    network = from_document(data)
    case = Case(State.of(network.arrays), network.document, network.job())
    cards = network._engine.evaluate(case).cards
    assert cards is not None
    return cards


LEAF_DOWN = {"kind": "fail_nodes", "nodes": "leaf-2"}
CABLE_DOWN = {"kind": "fail_links", "links": "h03~leaf-2"}
MEMBER_DOWN = {"kind": "fail_links", "links": "h03~leaf-2", "n_members": 1}
HOST_OFF = {"kind": "fail_links", "links": "h03~*"}
STATED = {"split": "stated", "placement": [{"site": "s", "n_micro_batches": 10}]}


@pytest.mark.parametrize(
    ("change", "n_cards", "n_hosts"), [(LEAF_DOWN, 12, 6), (CABLE_DOWN, 2, 1), (MEMBER_DOWN, 1, 1)]
)
def test_a_job_stops_by_default_and_says_what_is_lost(change: dict[str, Any], n_cards: int, n_hosts: int) -> None:
    found = from_document(hosts_data()).what_if([change], main_assumptions=False).after
    assert found.metrics["step_time_s"].value is None
    assert found.metrics["n_cards_lost"].value == n_cards
    assert found.metrics["n_accelerators_idled"].value == 8 * n_hosts
    assert found.metrics["n_replicas"].value == 6 - n_hosts
    why = found.metrics["step_time_s"].why or ""
    assert "leaf-2" in why
    assert f"{n_cards} network card" in why
    assert f"{8 * n_hosts} accelerators in {n_hosts} replica" in why
    assert "on_card_loss: stop" in why


def test_dropped_replicas_leave_their_work_to_the_others() -> None:
    """60 micro batches: 10 each of 6 replicas, 12 each of 5. The optimizer is shared among 5 then, so a little more."""
    data = hosts_data(on_card_loss="drop_replicas")
    whole, found = after(data, {"kind": "age", "years": 0}), after(data, CABLE_DOWN)
    assert found["n_replicas"] == 5
    assert found["n_accelerators"] == 48
    assert found["compute_time_s"] == pytest.approx(1.2 * (whole["compute_time_s"] or 0.0), rel=1e-3)
    alone = hosts_data(5, n_global_batch=60)
    assert found["step_time_s"] == after(alone, {"kind": "age", "years": 0})["step_time_s"]


def test_a_job_without_a_whole_replica_stops() -> None:
    found = from_document(hosts_data(on_card_loss="drop_replicas")).what_if([LEAF_DOWN], main_assumptions=False).after
    assert found.metrics["step_time_s"].value is None
    assert "no replica has all its cards" in (found.metrics["step_time_s"].why or "")
    assert found.metrics["n_replicas"].value == 0


def test_pxn_lends_cards_and_nothing_idles() -> None:
    """A host loses 2 of 8 cards: 6/8 of a card for each accelerator if all help, 1/2 if the next one does.

    Slots 1 and 5 are lost, and slots 2 and 6 carry their traffic.
    """
    data = hosts_data(on_card_loss="pxn")
    cut = next(link for link in data["links"] if link["id"] == "h03~leaf-2")
    cut["up"] = False
    loss = loss_of(data)
    assert (loss.n_cards_lost, loss.n_accelerators_idled, loss.n_replicas) == (2, 0, 6)
    assert loss.card_ratio == (0.75,)
    assert loss.relayed_ratio == (1.0,)
    split = loss.rail_split
    assert split is not None
    (ports,) = split.nodes.values()
    assert (ports.rail.tolist(), ports.carried_ratio.tolist()) == ([1, 2, 3, 4], [1.0, 0.0, 1.0, 1.0])
    data["jobs"][0]["pxn_spread"] = "one"
    loss = loss_of(data)
    assert loss.card_ratio == (0.5,)
    split = loss.rail_split
    assert split is not None
    (ports,) = split.nodes.values()
    assert (ports.rail.tolist(), ports.carried_ratio.tolist()) == ([1, 2, 3, 4], [1.0, 0.0, 2.0, 1.0])


def test_pxn_is_slower_than_all_cards_and_one_heir_slower_than_many() -> None:
    times = [
        after(hosts_data(**job), change)["step_time_s"] or 0.0
        for job, change in (
            ({"on_card_loss": "pxn"}, {"kind": "age", "years": 0}),
            ({"on_card_loss": "pxn"}, CABLE_DOWN),
            ({"on_card_loss": "pxn", "pxn_spread": "one"}, CABLE_DOWN),
        )
    ]
    assert 0 < times[0] < times[1] < times[2]


def test_a_domain_without_a_card_stops_pxn() -> None:
    found = from_document(hosts_data(on_card_loss="pxn"))
    answer = found.what_if([{"kind": "fail_links", "links": "h03~*"}], main_assumptions=False).after
    assert answer.metrics["n_accelerators_idled"].value == 8
    assert "PXN finds no card" in (answer.metrics["step_time_s"].why or "")


@pytest.mark.parametrize(
    ("job", "changes", "end"),
    [
        ({}, [CABLE_DOWN], "the job stops (on_card_loss: stop; drop_replicas or pxn would go on)"),
        ({}, [LEAF_DOWN], "the job stops (on_card_loss: stop; pxn would go on)"),
        ({}, [HOST_OFF], "the job stops (on_card_loss: stop; drop_replicas would go on)"),
        ({}, [LEAF_DOWN, HOST_OFF], "the job stops (on_card_loss: stop)"),
        (STATED, [CABLE_DOWN], "the job stops (on_card_loss: stop; pxn would go on)"),
        ({"on_card_loss": "drop_replicas"}, [LEAF_DOWN], "its cards (on_card_loss: drop_replicas; pxn would go on)"),
        ({"on_card_loss": "drop_replicas"}, [LEAF_DOWN, HOST_OFF], "its cards (on_card_loss: drop_replicas)"),
        ({"on_card_loss": "pxn"}, [HOST_OFF], "NVLink domains (on_card_loss: pxn; drop_replicas would go on)"),
        ({"on_card_loss": "pxn"}, [LEAF_DOWN, HOST_OFF], "NVLink domains (on_card_loss: pxn)"),
    ],
)
def test_a_job_that_stops_says_what_would_go_on(job: dict[str, Any], changes: list[dict[str, Any]], end: str) -> None:
    """A dead leaf takes a card of each replica, and a host without any cable has no card for PXN."""
    found = from_document(hosts_data(**job)).what_if(changes, main_assumptions=False).after
    assert (found.metrics["step_time_s"].why or "").endswith(end)


def test_a_job_in_one_rack_needs_no_card() -> None:
    data = hosts_data(placement=[{"site": "s", "racks": "h03"}])
    assert after(data, {"kind": "fail_links", "links": "h03~*"})["step_time_s"] is not None
    assert after(data, {"kind": "fail_links", "links": "h03~*"})["n_cards_lost"] == 0


def test_cards_of_hosts_beside_the_job_do_not_count() -> None:
    data = hosts_data(placement=[{"site": "s", "racks": "h0[0-2]"}])
    assert after(data, CABLE_DOWN)["n_cards_lost"] == 0
    assert after(data, LEAF_DOWN)["n_cards_lost"] == 6


def test_replicas_that_share_experts_are_dropped_together() -> None:
    """Blocks of two hosts share 16 experts: a card takes a block of 16 replicas of one accelerator."""
    data = hosts_data(
        on_card_loss="drop_replicas",
        pxn=True,
        model=model_data(n_experts=16, n_experts_active=2),
        parallelism={"tp": 1, "ep": 16},
        n_global_batch=480,
    )
    found = after(data, MEMBER_DOWN)
    assert (found["n_accelerators_idled"], found["n_replicas"]) == (16, 32)


def test_a_replica_over_sites_is_dropped_at_all_of_them() -> None:
    data = hosts_data(across_sites="pipeline", on_card_loss="drop_replicas", parallelism={"tp": 8, "pp": 2})
    for node in data["nodes"]:
        node["site"] = "t" if node["id"] in ("h03", "h04", "h05") else "s"
    data["sites"].append({"id": "t"})
    data["jobs"][0]["placement"].append({"site": "t"})
    found = after(data, CABLE_DOWN)
    assert (found["n_accelerators_idled"], found["n_replicas"]) == (16, 2)
    assert found["step_time_s"] is not None


def test_fewer_cards_than_accelerators_slow_the_exchange() -> None:
    data = hosts_data()
    for node in data["nodes"]:
        if node["kind"] == "host":
            node["n_cards"] = 4
    assert loss_of(data).card_ratio == (0.5,)
    age = {"kind": "age", "years": 0}
    assert (after(data, age)["step_time_s"] or 0.0) > (after(hosts_data(), age)["step_time_s"] or 0.0)


@pytest.mark.parametrize("seed", range(4))
def test_other_names_of_leaves_hosts_and_links_change_no_bit(seed: int) -> None:
    draw = random.Random(seed)
    down, spread = draw.randint(1, 4), draw.choice(["all", "one"])
    answers = []
    for prefix, leaf in (("h", "leaf"), ("zz", "a"), ("a", "zz")):
        data = hosts_data(prefix=prefix, leaf=leaf, on_card_loss="pxn", pxn_spread=spread)
        for i, link in enumerate(data["links"]):
            link["id"] = f"{draw.randint(0, 10**6)}-{i}"
        draw.shuffle(data["links"])
        draw.shuffle(data["nodes"])
        answers.append(after(data, {"kind": "fail_nodes", "nodes": f"{leaf}-{down}"}))
    assert answers[0] == answers[1] == answers[2]


def test_heirs_are_the_next_alive_cards_of_the_domain() -> None:
    """Domain 0 lost cards 0 and 3, which goes round to 1. Domain 1 has no card left. Domain 2 lost two in a row."""
    domain = np.repeat([0, 1, 2], 4)
    alive = np.array([0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1], dtype=bool)
    assert carried_cards(domain, alive).tolist() == [0, 3, 1, 0, 0, 0, 0, 0, 1, 0, 0, 3]


# --- refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("job", "place", "hint"),
    [
        ({"pxn_spread": "one"}, "jobs[job].pxn_spread", "on_card_loss: pxn"),
        (
            {"on_card_loss": "drop_replicas", "split": "stated", "placement": [{"site": "s", "n_micro_batches": 10}]},
            "jobs[job].on_card_loss",
            "split: uniform or balanced",
        ),
        ({"on_card_loss": "pnx"}, "on_card_loss", "pxn"),
    ],
)
def test_a_job_that_contradicts_itself_is_refused(job: dict[str, Any], place: str, hint: str) -> None:
    with pytest.raises(TwinError) as found:
        from_document(hosts_data(**job)).score()
    assert place in str(found.value)
    assert hint in str(found.value)


@pytest.mark.parametrize(
    ("node", "n_cards", "problem", "hint"),
    [
        ("h03", 9, "3 cards on rail 1, more than the 2 ports", "n_cards up to 8"),
        ("leaf-1", 2, "a leaf has no cards", "rack or host"),
        ("h03", 0, "n_cards", "greater than or equal to 1"),
    ],
)
def test_cards_that_cannot_be_are_refused(node: str, n_cards: int, problem: str, hint: str) -> None:
    data = hosts_data()
    next(item for item in data["nodes"] if item["id"] == node)["n_cards"] = n_cards
    with pytest.raises(TwinError) as found:
        from_document(data).score()
    assert problem in str(found.value)
    assert hint in str(found.value) or "1" in str(found.value)
    assert "n_cards" in str(found.value)


def test_cards_without_rails_or_links_are_refused() -> None:
    data = hosts_data()
    data["nodes"].append({"id": "lone", "kind": "host", "site": "s", "n_cards": 1})
    with pytest.raises(TwinError, match="more than the 0 ports"):
        from_document(data).score()
    data = rail_data()
    for node in data["nodes"]:
        node.pop("rail", None)
    data["nodes"][0]["n_cards"] = 9
    with pytest.raises(TwinError, match=r"9 cards, more than the 8 ports .*n_cards up to 8"):
        from_document(data).score()


def test_a_rail_that_there_is_not_is_refused() -> None:
    with pytest.raises(TwinError, match=r"no rail 5.*rails 1 to 4"):
        after(hosts_data(), {"kind": "fail_nodes", "nodes": {"rail": 5}})


# --- causes -----------------------------------------------------------------------------------------------------------


def cause_of(down: tuple[str, ...] = (), part_down: tuple[str, ...] = (), **more: Any) -> str:
    """Cause of lost cards with these links down, and one member of two of these."""
    data = hosts_data(on_card_loss="pxn") | more
    for link in data["links"]:
        link |= {"up": False} if link["id"] in down else {"n_failed": 1} if link["id"] in part_down else {}
    return loss_of(data).cause


def test_links_of_most_cards_are_named_first() -> None:
    """Two cards behind a link that is down, one behind a member; equal ones in the order of their ids."""
    part = "1 of 2 members of link h00~leaf-1 is down"
    assert cause_of(part_down=("h00~leaf-1",)) == part
    assert cause_of(("h02~leaf-3", "h01~leaf-1"), ("h00~leaf-1",)) == (
        f"link h01~leaf-1 is down, link h02~leaf-3 is down, {part}"
    )
    four = "link h01~leaf-1 is down, link h02~leaf-3 is down, link h03~leaf-1 is down and 1 more"
    assert cause_of(("h02~leaf-3", "h01~leaf-1", "h03~leaf-1"), ("h00~leaf-1",)) == four
    five = ("h02~leaf-3", "h01~leaf-1", "h03~leaf-1", "h04~leaf-2")
    assert cause_of(five, ("h00~leaf-1",)).endswith("link h03~leaf-1 is down and 2 more")


def test_a_leaf_that_is_down_is_named_in_place_of_its_links() -> None:
    """It holds 12 cards, more than the two of a link."""
    data = hosts_data(on_card_loss="pxn")
    for node in data["nodes"]:
        if node["id"] == "leaf-2":
            node["up"] = False
    assert cause_of(("h00~leaf-1",), nodes=data["nodes"]) == "leaf-2 is down, link h00~leaf-1 is down"


def test_a_dark_link_is_told_from_one_that_is_down() -> None:
    data = hosts_data(on_card_loss="pxn")
    dark = next(link for link in data["links"] if link["id"] == "h01~leaf-1")
    del dark["capacity_gbps"]
    dark |= {"transceiver": "OpenZR+-400G", "spans": [{"length_km": 1.0, "lumped_loss_db": 60.0}], "mux": "mux-8"}
    assert loss_of(data).cause == "link h01~leaf-1 is dark"


def test_one_replica_that_is_left_goes_on() -> None:
    data = hosts_data(2, on_card_loss="drop_replicas")
    next(link for link in data["links"] if link["id"] == "h01~leaf-2")["up"] = False
    loss = loss_of(data)
    assert (loss.n_replicas, loss.why_stopped) == (1, "")


def test_the_only_card_of_the_last_domain_is_its_heir() -> None:
    assert carried_cards(np.array([0, 0, 1, 1]), np.array([True, True, True, False])).tolist() == [1, 1, 2, 0]
    assert carried_cards(np.array([0, 0, 1, 1]), np.array([False, True, False, False])).tolist() == [0, 2, 0, 0]
