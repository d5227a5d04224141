"""Distance between two sites: it costs propagation, and windows only where flows are few."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import yaml

from tests.contracts.product import ROOT
from twin.loading import from_document
from twin.network import Network

CASES = yaml.safe_load((ROOT / "fixtures/two_regions.yaml").read_text())["cases"]
MOST_S = 0.2
"""Two crossings of 10.5 ms, with an allowance for what goes with them."""


def two_regions(km: float, n_global_batch: int = 1536, **lossless: Any) -> Network:
    """The network of the fixture with another length."""
    data: dict[str, Any] = CASES[0]["given"]["network"]
    (fabric,), (job,) = data["fabrics"], data["jobs"]
    (link,) = fabric["params"]["interconnects"]
    link = link | {"spans": [{"length_km": km, "fibre": "G.652.D"}]}
    fabric = fabric | {"params": fabric["params"] | {"interconnects": [link]}}
    jobs = [job | {"n_global_batch": n_global_batch}]
    return from_document(data | {"fabrics": [fabric], "jobs": jobs, "lossless": lossless})


def step_s(km: float, n_global_batch: int = 1536, **lossless: Any) -> float:
    seconds = two_regions(km, n_global_batch, **lossless).score(main_assumptions=False)["step_time_s"]
    assert seconds is not None
    return seconds


@pytest.mark.parametrize("n_global_batch", [1536, 12288])
def test_a_thousand_miles_cost_less_than_a_fifth_of_a_second(n_global_batch: int) -> None:
    near_s, far_s = step_s(23.0, n_global_batch), step_s(2144.0, n_global_batch)
    assert near_s < far_s < near_s + MOST_S


def test_the_explanation_blames_distance_for_no_more() -> None:
    found = two_regions(2144.0).explain()
    delay = found["delay"]
    assert max(delay.share_s, delay.alone_s, delay.last_s) < MOST_S
    assert delay.alone_s > 0


def test_windows_bind_where_flows_are_few() -> None:
    """One queue pair for eight accelerators: 192 flows need 6.25 Gb/s each, and the window allows 1.6."""
    few_s, many_s = (step_s(2144.0, n_flows_per_accelerator=n) for n in (0.125, 4.0))
    assert few_s > 2.0 * many_s


def test_a_longer_link_never_makes_a_step_faster() -> None:
    times_s = [step_s(km, n_flows_per_accelerator=0.25) for km in (1.0, 100.0, 500.0, 1000.0, 2144.0)]
    assert times_s == sorted(times_s)


def test_more_flows_never_make_a_step_slower() -> None:
    """Up to a million flows of a pair, which cost no more time to compute than a thousand."""
    times_s = [step_s(2144.0, n_flows_per_accelerator=n) for n in (0.125, 1.0, 4.0, 1e3, 1e6)]
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in pairwise(times_s))
