"""Placement on an oversubscribed fabric: under one leaf is never slower than over several."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from twin.loading import from_document

JOBS: dict[str, tuple[str, dict[str, Any]]] = {
    "rings": ("llama-3.1-8b", {"tp": 8}),
    "sharded": ("llama-3.1-8b", {"tp": 8, "fully_sharded": True}),
    "pipeline": ("llama-3.1-8b", {"tp": 4, "pp": 8}),
    "context": ("llama-3.1-8b", {"tp": 2, "cp": 16}),
    "experts": ("mixtral-8x7b", {"tp": 1, "ep": 8, "fully_sharded": True}),
}


def step_s(racks: str, kind: str, n_uplinks: int) -> float:
    """Step on four hosts of a leaf-spine fabric, chosen by a pattern."""
    model, parallelism = JOBS[kind]
    fabric = {
        "site": "s",
        "n_leaves": 4,
        "n_spines": 2,
        "n_hosts_per_leaf": 4,
        "capacity_gbps": 400,
        "host_capacity_gbps": 400,
        "n_ports_per_host": 8,
        "n_parallel": n_uplinks,
        "accelerator": "H100",
    }
    job = {
        "id": "j",
        "model": model,
        "parallelism": parallelism,
        "n_global_batch": 64,
        "placement": [{"site": "s", "racks": racks}],
    }
    fabrics = [{"id": "f", "generator": "leaf_spine", "params": fabric}]
    data = {"sites": [{"id": "s"}], "fabrics": fabrics, "jobs": [job]}
    found = from_document(data).score(main_assumptions=False)["step_time_s"]
    assert found is not None
    return found


@pytest.mark.parametrize("kind", JOBS)
def test_under_one_leaf_is_never_slower_and_uplinks_never_harm(kind: str) -> None:
    """Four hosts of eight 400G ports send up to 12.8 Tb/s over 2, 4, 8 or 32 uplinks of 400G a leaf."""
    under_one = {step_s("f/host-1-*", kind, n) for n in (1, 2, 4, 16)}
    assert len(under_one) == 1, "nothing leaves the leaf"
    spread = [step_s("f/host-?-1", kind, n) for n in (1, 2, 4, 16)]
    assert all(fewer >= more for fewer, more in pairwise(spread))
    assert spread[0] > spread[-1] >= min(under_one)
