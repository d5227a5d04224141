"""After a warm-up no question waits for a compiler."""

from __future__ import annotations

import ast
import json
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules, walk_packages
from typing import Any, cast

import pytest
from twin.topologies import NETWORKS

import twin.kernels
from twin.loading import from_document, load
from twin.traffic import hash_law
from twin.warmup import warm_up


def n_compiled() -> dict[str, int]:
    """Compiled signatures of every kernel."""
    modules = [import_module(f"twin.kernels.{found.name}") for found in iter_modules(twin.kernels.__path__)]
    return {
        f"{module.__name__}.{name}": len(kernel.signatures)
        for module in modules
        for name, kernel in vars(module).items()
        if hasattr(kernel, "nopython_signatures") and kernel.__module__ == module.__name__
    }


def kernels_of_commands() -> dict[str, object]:
    """Kernels that modules outside `twin.kernels` call, by module and name."""
    found = {}
    for module in walk_packages(twin.__path__, "twin."):
        if module.name.startswith("twin.kernels."):
            continue
        file = Path(cast(str, cast(Any, find_spec(module.name)).origin))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 2 and (node.module or "").startswith("kernels."):
                kernels = import_module(f"twin.{node.module}")
                for name in (alias.name for alias in node.names):
                    if hasattr(getattr(kernels, name), "signatures"):
                        found[f"{node.module}.{name}"] = getattr(kernels, name)
    return found


@cache
def warmed() -> tuple[list[str], list[tuple[str, float]]]:
    """Names of steps as they are told, and what the warm-up returns; kernels are compiled afterwards."""
    told: list[str] = []
    return told, warm_up(told.append)


def test_every_kernel_that_commands_call_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    warmed()  # imports all that it needs
    hash_law._exact.cache_clear()  # chances that are known are not computed again
    called: set[str] = set()
    kernels = kernels_of_commands()
    assert len(kernels) > 30, "kernels are found"
    for key, kernel in kernels.items():

        def counted(*args: object, key: str = key, kernel: Any = kernel) -> object:
            called.add(key)
            return kernel(*args)

        for module in [m for name, m in sys.modules.items() if name.startswith("twin.") and ".kernels" not in name]:
            for name, value in vars(module).items():
                if value is kernel:
                    monkeypatch.setattr(module, name, counted)
    warm_up()
    assert set(kernels) - called == set()


def test_every_step_is_told_and_timed() -> None:
    told, times = warmed()
    assert [name for name, _ in times] == told
    assert all(seconds > 0 for _, seconds in times)


def test_nothing_is_left_to_compile() -> None:
    warmed()
    before = n_compiled()
    assert before["twin.kernels.failure_sweep.sweep_failures"] == before["twin.kernels.pair_sweep.sweep_pairs"] == 1
    for name in sorted(set(NETWORKS) - {"memphis"}):
        data = load(name).document.to_dict()
        for routed in (data, {**data, "routing": "wcmp"}):
            network = from_document(json.loads(json.dumps(routed)))
            for plan in network.document.plans:
                network.what_if(plan.id, ageing="high")
            link = network.arrays.link_ids[0]
            network.what_if([{"kind": "remove_links", "links": link}])
            network.what_if([{"kind": "fail_links", "links": link, "n_members": 1}])
    load("memphis-small").explain()
    load("memphis-small").failures(of="node")
    network = load("leaf-spine-demo")
    network.failures(of="node")
    network.optimum()
    network.demand_table()
    network.path(*network.arrays.node_ids[:2])
    from_document({**network.document.to_dict(), "demands": [], "plans": []}).score()
    assert n_compiled() == before
