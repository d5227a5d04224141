"""Generated requests against the service's own description of itself: valid ones and invalid ones, by schemathesis.

python benchmarks/torture/schema_cases.py [number of cases, default 10000] [seed, default 1]

Needs `pip install -e '.[torture]'`. Fails if an answer has status 500, another one that is not declared, another
content type, or content that the schema of its status does not allow. An answer of chosen `fields` must have
these alone; the schema describes the whole one.
"""

from __future__ import annotations

import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as with_seed
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from service import ask, served, verdict

NETWORKS = ("leaf-spine-demo", "two-campus", "memphis-small", "pair")
"""Names that take the place of generated ones in many cases, so that there is something to ask about."""
PAIR = {
    "nodes": [{"id": "a", "kind": "switch"}, {"id": "b", "kind": "switch"}],
    "links": [{"id": "ab", "ends": ["a", "b"], "capacity_gbps": 100}],
    "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 50}],
}
KNOWN_SHARE = 0.7
EXAMPLE_SHARE = 0.4
RUNS_S = 600.0
"""Time that runs have to end after the last case."""
OPEN = ("queued", "running")
MAX_TOLD = 3
"""Examples that are shown of one fault."""
TIMEOUT_S = 300


class Found:
    """Answers and faults of all cases so far."""

    def __init__(self, port: int, seed: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.n_cases, self.statuses = 0, Counter[int]()
        self.faults: Counter[tuple[str, str]] = Counter()
        self._draw, self._session = random.Random(seed), requests.Session()

    def try_case(self, case: Any) -> None:
        """Send a case, and check its answer."""
        self.n_cases += 1
        self._make_known(case)
        label = case.operation.label
        try:
            answer = case.call(base_url=self.url, session=self._session, timeout=TIMEOUT_S)
        except requests.RequestException as error:
            self._tell(label, type(error).__name__, case)
            return
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500 and answer.status_code != 503:
            self._tell(label, f"status {answer.status_code}", case)
        fields = case.body.get("fields") if isinstance(case.body, dict) else None
        is_part = bool(fields) and answer.status_code == 200 and "/runs/" not in label
        if is_part and "*" not in fields and {name.partition(".")[0] for name in fields} != answer.json().keys():
            self._tell(label, "other fields than the chosen ones", case)
        try:
            case.validate_response(answer, checks=CHECKS[:-1] if is_part else CHECKS)
        except (Failure, FailureGroup) as error:
            for failure in getattr(error, "exceptions", [error]):
                self._tell(label, f"{failure.title}: {str(failure.message)[:300]}", case)

    def _make_known(self, case: Any) -> None:
        """Make a case about something that there is, mostly: an example with one generated field, names of networks."""
        if self._draw.random() < EXAMPLE_SHARE and isinstance(case.body, dict):
            content = case.operation.definition.raw.get("requestBody", {}).get("content", {})
            examples = content.get("application/json", {}).get("examples", {})
            if examples:
                example = self._draw.choice(list(examples.values()))["value"]
                names = [self._draw.choice(list(case.body))] if case.body else []
                case.body = example | {name: case.body[name] for name in names}
        if self._draw.random() > KNOWN_SHARE:
            return
        if isinstance(case.body, dict):
            for name in ("network", "other"):
                if isinstance(case.body.get(name), str):
                    case.body[name] = self._draw.choice(NETWORKS)
        if isinstance(case.path_parameters, Mapping) and "name" in case.path_parameters:
            case.path_parameters["name"] = self._draw.choice(NETWORKS)

    def look_at_runs(self) -> int:
        """Look at the runs that were asked for, once they have ended, and return their number."""
        after, ids = "", list[str]()
        while True:
            page = self._session.get(f"{self.url}/v1/runs?limit=1000{after}").json()
            ids += [run["id"] for run in page["runs"]]
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        end_s = time.monotonic() + RUNS_S
        while time.monotonic() < end_s:
            states = [self._session.get(f"{self.url}/v1/runs?limit=1&state={state}").json()["runs"] for state in OPEN]
            if not any(states):
                break
            time.sleep(1)
        for run in ids:
            answer = self._session.get(f"{self.url}/v1/runs/{run}/answer")
            if answer.status_code >= 500 and answer.status_code != 503:
                self.faults["runs", f"the answer has status {answer.status_code}"] += 1
                print(f"FAULT run: {self._session.get(f'{self.url}/v1/runs/{run}').text}")
        return len(ids)

    def _tell(self, label: str, fault: str, case: Any) -> None:
        key = (label, fault.partition("\n")[0])
        self.faults[key] += 1
        if self.faults[key] <= MAX_TOLD:
            print(f"FAULT {label}: {fault}\n  {case.as_curl_command()[:1500]}", flush=True)


CHECKS: list[Callable[..., Any]] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def try_operation(operation: Any, n: int, seed: int, found: Found) -> None:
    """Try so many cases of an operation; one of four breaks its schema, where that is possible."""
    for mode, share in ((GenerationMode.POSITIVE, n - n // 4), (GenerationMode.NEGATIVE, n // 4)):
        before = found.n_cases

        @with_seed(seed)
        @settings(
            max_examples=max(share, 1),
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def run(case: Any) -> None:
            found.try_case(case)

        try:
            run()
        except Exception as error:  # an operation without parameters has no invalid case
            if found.n_cases > before or mode is GenerationMode.POSITIVE:
                print(f"{operation.label}: {type(error).__name__}: {error}", flush=True)


def main(n: int, seed: int) -> int:
    with served() as port:
        ask(port, "/v1/networks/pair", PAIR, method="PUT")
        found, start_s = Found(port, seed), time.monotonic()
        schema = schemathesis.openapi.from_url(f"{found.url}/openapi.json")
        operations = [result.ok() for result in schema.get_all_operations()]
        for round_number in itertools.count():
            n_each = max(1, min(12, (n - found.n_cases) // len(operations)))
            for operation in operations:
                if found.n_cases < n:
                    try_operation(operation, n_each, seed + round_number, found)
            print(f"{found.n_cases:,} cases, {time.monotonic() - start_s:.0f} s: {dict(found.statuses)}", flush=True)
            if found.n_cases >= n:
                break
        n_runs = found.look_at_runs()
    for (label, fault), count in found.faults.most_common():
        print(f"{count} times {label}: {fault}")
    return verdict(
        f"{found.n_cases:,} cases of {len(operations)} operations, seed {seed}: statuses "
        f"{dict(sorted(found.statuses.items()))}, {n_runs} runs; {found.faults.total()} faults",
        "no status 500, no undeclared status or content type, no content that its schema does not allow",
        holds=not found.faults,
    )


if __name__ == "__main__":
    arguments = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*(arguments or [10_000])[:1], *(arguments[1:] or [1])))
