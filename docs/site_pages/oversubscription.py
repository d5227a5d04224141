"""The page on oversubscription: step times of a leaf-spine fabric, computed when the site is built."""

from __future__ import annotations

from typing import Any

import twin

from . import markdown

RATIOS = (1, 2, 4, 8)
"""Capacity of the hosts of a leaf over that of its uplinks."""
N_LEAVES, N_SPINES, N_HOSTS_PER_LEAF = 16, 4, 4
JOBS: dict[str, dict[str, Any]] = {
    "ring of data parallel replicas": {"model": "llama-3.1-8b", "parallelism": {"tp": 8}, "n_global_batch": 64},
    "fully sharded (FSDP)": {
        "model": "llama-3.1-8b",
        "parallelism": {"tp": 1, "fully_sharded": True},
        "n_global_batch": 512,
        "recompute": "full",
    },
    "experts, all-to-all": {
        "model": "qwen3-235b-a22b",
        "parallelism": {"tp": 1, "pp": 4, "ep": 128},
        "n_global_batch": 2048,
        "recompute": "full",
    },
}
ORDERS = {
    "hosts in the order of the leaves": "{leaf:02d}-{host}",
    "neighbours on different leaves": "{host}-{leaf:02d}",
}
"""Id of a host; a job takes hosts in the order of their ids."""
INTRO = f"""\
Each fabric has {N_LEAVES} leaves, {N_SPINES} spines, and {N_HOSTS_PER_LEAF} hosts a leaf.
A host has 8 x H100 and 8 x 400 Gb/s.
Only the uplinks differ. Oversubscription 2:1 means that the hosts of a leaf can send twice what its uplinks carry.
The table is computed when this page is built.

* **A ring in the order of the leaves** crosses the uplinks of a leaf at one of four hosts. So 4:1 is free. Where
  neighbours in the ring lie on different leaves, all its traffic crosses.
* **FSDP** gathers weights for each micro batch. The gathers overlap with compute. The step grows once they take longer
  than that compute.
* **Experts** exchange tokens with ranks on other leaves, and nothing overlaps with that. Each step of the ratio costs
  about as much as the all-to-all takes.

`max_phase_utilisation_ratio` shows the ratio before it costs time. `max_link_utilisation_ratio` is an average over the
step and hides it.
"""


def page(_: str = "") -> str:
    """Return the page: one row for each job and order of hosts, one column for each ratio."""
    rows = [
        (job, order, *(_cell(scores(job, pattern, ratio)) for ratio in RATIOS))
        for job in JOBS
        for order, pattern in ORDERS.items()
    ]
    heads = ("job", "placement", *(f"{ratio}:1" for ratio in RATIOS))
    note = "Each cell: step time, `max_phase_utilisation_ratio`, `max_link_utilisation_ratio`."
    return markdown.page("Oversubscription", INTRO, markdown.table(heads, rows), note)


def scores(job: str, pattern: str, ratio: int) -> tuple[float, float, float]:
    """Return step time in s, largest utilisation of a phase, and largest utilisation over the step."""
    score = twin.from_document(document(job, pattern, ratio)).score(main_assumptions=False)
    step_time_s, phase_ratio, link_ratio = (
        score[name] for name in ("step_time_s", "max_phase_utilisation_ratio", "max_link_utilisation_ratio")
    )
    assert step_time_s is not None
    assert phase_ratio is not None
    assert link_ratio is not None
    return step_time_s, phase_ratio, link_ratio


def document(job: str, pattern: str, ratio: int) -> dict[str, Any]:
    """Return the document of one fabric with one job.

    Args:
        job: key of JOBS.
        pattern: id of a host with the fields `leaf` and `host`.
        ratio: oversubscription of the leaves.
    """
    spines = [f"spine-{i}" for i in range(N_SPINES)]
    nodes: list[dict[str, Any]] = [{"id": name, "kind": "spine", "part": "spine-51.2T"} for name in spines]
    links: list[dict[str, Any]] = []
    for i in range(N_LEAVES):
        leaf = f"leaf-{i:02d}"
        nodes.append({"id": leaf, "kind": "leaf", "part": "leaf-51.2T"})
        bundle = {"capacity_gbps": 400, "n_parallel": 8 // ratio}
        links += [{"id": f"{leaf}~{spine}", "ends": [leaf, spine], **bundle} for spine in spines]
        for k in range(N_HOSTS_PER_LEAF):
            host = f"host-{pattern.format(leaf=i, host=k)}"
            nodes.append({"id": host, "kind": "host", "accelerator": "H100", "n_accelerators": 8})
            links.append({"id": f"{host}~{leaf}", "ends": [host, leaf], "capacity_gbps": 400, "n_parallel": 8})
    placed = {"id": "job", "precision": "bf16", "placement": [{"site": "hall"}]}
    return {
        "schema_version": 1,
        "name": "oversubscription",
        "sites": [{"id": "hall"}],
        "nodes": [node | {"site": "hall"} for node in nodes],
        "links": links,
        "jobs": [placed | JOBS[job]],
    }


def _cell(figures: tuple[float, float, float]) -> str:
    step_time_s, phase_ratio, link_ratio = figures
    return f"{step_time_s:.3g} s, {phase_ratio:.3g}, {link_ratio:.2f}"
