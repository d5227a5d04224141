"""Documents with random faults, in one process: each is evaluated or refused with one of the product's own errors.

python benchmarks/torture/fuzz.py [number of documents, default 100000]
"""

from __future__ import annotations

import copy
import random
import sys
import time
import traceback
import warnings
from collections import Counter
from typing import Any

from service import verdict
from twin.topologies import network_text

from twin.errors import TwinError
from twin.formats.native import parse_mapping
from twin.store.documents import bounded_network

SEEDS = ("leaf-spine-demo", "two-campus")
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 3.0, 1e-300, 1e308, 2**63, "", "a", "\0", "\ud800", "é", [], {}, [None], {"a": 1}, "x" * 999,
)  # fmt: skip
MAX_RECORDS = 2_000
EVALUATED_SHARE = 0.02
"""Share of the valid documents that are also evaluated; validation alone finds most faults."""


def places_of(data: Any) -> list[tuple[Any, Any]]:
    """Return (container, key) of every value in plain data."""
    found, stack = [], [data]
    while stack:
        item = stack.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in keys:
            found.append((item, key))
            stack.append(item[key])
    return found


def mutated(data: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """Return a document with one to three faults."""
    data = copy.deepcopy(data)
    for _ in range(draw.randint(1, 3)):
        places = places_of(data)
        if not places:
            break
        container, key = draw.choice(places)
        act = draw.randrange(5)
        if act == 0:
            container[key] = draw.choice(VALUES)
        elif act == 1:
            del container[key]
        elif act == 2:
            other, other_key = draw.choice(places)
            container[key] = copy.deepcopy(other[other_key]) if other is not container else draw.choice(VALUES)
        elif act == 3 and isinstance(container, dict):
            container[f"{key}{draw.choice('sx_')}"] = container.pop(key)
        elif isinstance(container[key], int | float):
            container[key] = container[key] * draw.choice((-1, 0, 1e-9, 1e9))
        elif isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
    return data


def main(n: int) -> int:
    """Evaluate so many documents, and return the exit code."""
    warnings.simplefilter("ignore")
    draw, found = random.Random(1), Counter[str]()
    seeds = [parse_mapping(network_text(name), name, as_json=False) for name in SEEDS]
    start_s = time.monotonic()
    for i in range(n):
        document = mutated(seeds[i % len(seeds)], draw)
        try:
            network = bounded_network(document, max_records=MAX_RECORDS)
            if draw.random() < EVALUATED_SHARE:
                network.score(main_assumptions=False)
                found["evaluated"] += 1
            else:
                found["valid"] += 1
        except TwinError as error:
            found[type(error).__name__] += 1
        except Exception as error:
            found["FAULT"] += 1
            if found["FAULT"] <= 5:
                traceback.print_exception(error, limit=-3)
    taken_s = time.monotonic() - start_s
    return verdict(
        f"{n:,} documents in {taken_s:.0f} s, {n / taken_s:.0f}/s: {dict(found)}",
        "no error but the product's own",
        holds=not found["FAULT"],
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
