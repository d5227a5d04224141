"""Names change no bit of an answer: other ids of nodes, links and demands, and links with their ends exchanged."""

import random
from typing import Any

import pytest

import twin

MODES = ("ecmp", "polarised", "dlb", "flowlet", "spray", "pinned")


def random_network(seed: int) -> dict[str, Any]:
    """A connected or partitioned multigraph with uneven rates and weights, hosts on several switches, and demands."""
    rng = random.Random(seed)
    switches = [f"s{i}" for i in range(rng.randint(6, 11))]
    hosts = [f"h{i}" for i in range(rng.randint(0, 4))]
    links: list[dict[str, Any]] = []
    for i in range(rng.randint(len(switches), 3 * len(switches))):
        rate = rng.choice([rng.uniform(1, 400), 100, 400])
        link = {"id": f"l{i}", "ends": rng.sample(switches, 2), "capacity_gbps": rate, "n_parallel": rng.randint(1, 3)}
        if rng.random() < 0.4:
            link["weight"] = rng.choice([1, 2, 3, 1.1, 0.7])
        if rng.random() < 0.5:
            link["spans"] = [{"length_km": rng.uniform(0.1, 60)}]
        links.append(link)
    for host in hosts:
        for switch in rng.sample(switches, rng.randint(1, 3)):
            links.append({"id": f"{host}-{switch}", "ends": [host, switch], "capacity_gbps": rng.uniform(10, 400)})
    demands: list[dict[str, Any]] = []
    for i in range(rng.randint(5, 60)):
        source, target = rng.sample(switches + hosts, 2)
        demands.append({"id": f"d{i}", "source": source, "target": target, "offered_gbps": rng.uniform(0.1, 60)})
    nodes = [{"id": name, "kind": "switch"} for name in switches] + [{"id": name, "kind": "host"} for name in hosts]
    routing = rng.choice(["ecmp", "wcmp"])
    return {"schema_version": 1, "name": "n", "routing": routing, "nodes": nodes, "links": links, "demands": demands}


def random_training(seed: int) -> dict[str, Any]:
    """One or two fabrics with uneven uplinks, and a job on all their hosts."""
    rng = random.Random(seed)
    sites, n_spines, n_leaves = rng.choice([["A"], ["A", "B"]]), rng.randint(1, 4), rng.randint(2, 4)
    nodes, links = [], []

    def link(a: str, b: str, **fields: Any) -> None:
        links.append({"id": f"{a}-{b}", "ends": [a, b], **fields})

    for site in sites:
        nodes += [{"id": f"{site}-spine{i}", "kind": "spine", "site": site} for i in range(n_spines)]
        for i in range(n_leaves):
            leaf = f"{site}-leaf{i}"
            nodes.append({"id": leaf, "kind": "leaf", "site": site})
            for j in range(n_spines):
                link(leaf, f"{site}-spine{j}", capacity_gbps=rng.choice([400, 100, rng.uniform(50, 400)]), n_parallel=2)
            host = {"id": f"{leaf}-host", "kind": "host", "site": site, "accelerator": "H100", "n_accelerators": 8}
            nodes.append(host)
            link(host["id"], leaf, capacity_gbps=rng.choice([400, 200, 333.3]), n_parallel=rng.randint(1, 8))
    for j in range(n_spines if len(sites) > 1 else 0):
        spans = [{"length_km": rng.uniform(5, 50)}]
        link(f"A-spine{j}", f"B-spine{j}", capacity_gbps=rng.uniform(100, 400), spans=spans)
    job = {"id": "job", "model": "llama-3.1-8b", "parallelism": {"tp": 8, "pp": 1}, "n_global_batch": 512}
    job["placement"] = [{"site": site} for site in sites]
    mode = MODES[seed % len(MODES)]
    balancing = {"mode": mode, "n_rehashes": 8} if mode == "flowlet" else {"mode": mode}
    return {
        "schema_version": 1,
        "name": "n",
        "sites": [{"id": site} for site in sites],
        "nodes": nodes,
        "links": links,
        "demands": [],
        "jobs": [job],
        "load_balancing": balancing,
    }


def renamed(document: dict[str, Any], seed: int) -> dict[str, Any]:
    """Give a network other names. Hosts of a job keep their order, since ranks are placed in that order."""
    rng = random.Random(seed)

    def names(records: list[dict[str, Any]], letter: str) -> dict[str, str]:
        new = [f"{letter}{i:03d}" for i in range(len(records))]
        return dict(zip((record["id"] for record in records), rng.sample(new, len(new)), strict=True))

    ranked = sorted(record["id"] for record in document["nodes"] if "accelerator" in record)
    node = names([record for record in document["nodes"] if record["id"] not in ranked], "n")
    node |= {name: f"z{i:03d}" for i, name in enumerate(ranked)}
    link, demand = names(document["links"], "k"), names(document["demands"], "q")
    ends = [[node[end] for end in record["ends"]][:: rng.choice([1, -1])] for record in document["links"]]
    return document | {
        "nodes": [record | {"id": node[record["id"]]} for record in document["nodes"]],
        "links": [
            record | {"id": link[record["id"]], "ends": its}
            for record, its in zip(document["links"], ends, strict=True)
        ],
        "demands": [
            record | {"id": demand[record["id"]], "source": node[record["source"]], "target": node[record["target"]]}
            for record in document["demands"]
        ],
    }


def metrics(document: dict[str, Any]) -> dict[str, float | None]:
    return {name: metric.value for name, metric in twin.from_document(document).score().metrics.items()}


@pytest.mark.parametrize("seed", range(12))
def test_names_change_no_bit_of_loads_and_demands(seed: int) -> None:
    document = random_network(seed)
    want = metrics(document)
    assert want["max_link_utilisation_ratio"]
    for other in range(3):
        assert metrics(renamed(document, 100 * seed + other)) == want


@pytest.mark.parametrize("seed", range(6))
def test_names_change_no_bit_of_a_training_step(seed: int) -> None:
    document = random_training(seed)
    want = metrics(document)
    assert want["step_time_s"]
    assert metrics(renamed(document, seed)) == want
