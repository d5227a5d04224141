"""Explanation: shares that add up, causes that are the ones put there, and the step time of the score."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tests.model.samples import campus_data
from tests.training.steps import one_site
from twin import network as network_module
from twin.answers.explanation import Explanation
from twin.errors import ChangeError
from twin.loading import Network, from_document, load
from twin.render.explanation_rows import PHASES_NOTE
from twin.render.explanation_table import explanation_table
from twin.training.causes import CAUSES, Attribution, _shapley


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


@pytest.fixture(scope="module")
def small() -> Network:
    return load("memphis-small")


def shares(found: Explanation) -> dict[str, float]:
    return {cause.name: cause.share_s for cause in found.causes}


def test_shapley_is_the_mean_over_all_orders() -> None:
    times = np.random.default_rng(3).random(2**4)
    by_hand = np.zeros(4)
    orders = list(permutations(range(4)))
    for order in orders:
        mask = 0
        for player in order:
            by_hand[player] += (times[mask] - times[mask | (1 << player)]) / len(orders)
            mask |= 1 << player
    assert _shapley(times) == pytest.approx(by_hand)


@pytest.mark.parametrize("job", ["flagship", "everything"])
def test_shares_add_up_to_the_gap_and_the_step_is_the_score_s(small: Network, job: str) -> None:
    found = small.explain(job)
    assert found.step_time_s == pytest.approx(small.score(job, main_assumptions=False)["step_time_s"], rel=1e-12)
    assert sum(shares(found).values()) == pytest.approx(found.gap_s, rel=1e-9)
    assert found.gap_s == pytest.approx(found.step_time_s - found.ideal_step_time_s)
    assert sum(cause.share_ratio or 0.0 for cause in found.causes) == pytest.approx(1.0)
    assert {cause.name for cause in found.causes} == set(CAUSES)
    ordered = [cause.share_s for cause in found.causes]
    assert ordered == sorted(ordered, reverse=True)


def test_alone_is_what_taking_it_away_first_saves(small: Network) -> None:
    """Deep buffers can be bought, the best split chosen: both are changes too."""
    found = small.explain()
    balanced = small.what_if([{"kind": "split_work", "split": "balanced"}], main_assumptions=False)
    assert found["split"].alone_s == pytest.approx(-(balanced.change("step_time_s") or 0.0), rel=1e-9)


def test_a_plan_that_removes_a_cause_leaves_nothing_of_it(small: Network) -> None:
    after = small.explain(changes="balance-load")
    assert after["split"].share_s == 0.0
    deep = small.explain(changes="border-router-swap")
    assert deep["buffers"].share_s < 0.2 * small.explain()["buffers"].share_s
    assert deep.plan == "border-router-swap"


def test_line_loss_is_a_cause_where_frames_are_lost() -> None:
    data = campus_data()
    links = [link | ({"loss_ratio": 0.01} if link["id"] == "wan" else {}) for link in data["links"]]
    sound, lossy = from_document(data).explain(), from_document(data | {"links": links}).explain()
    assert sound["line_loss"].share_s == pytest.approx(0.0, abs=1e-9)
    assert lossy["line_loss"].share_s > 0
    assert lossy.ideal_step_time_s == pytest.approx(sound.ideal_step_time_s, rel=1e-9)


def test_one_site_of_one_kind_has_nothing_between_sites(small: Network) -> None:
    found = small.explain(changes=[{"kind": "leave_sites", "sites": ["c1", "c2"]}])
    for name in ("interconnect", "accelerators", "split", "buffers"):
        assert found[name].share_s == pytest.approx(0.0, abs=1e-9), name
    assert found["pipeline_fill"].share_s > 0


@pytest.mark.parametrize("changes", [None, "border-router-swap", "pipeline-over-campuses", "local-sgd"])
def test_parts_add_up_to_the_step(small: Network, changes: str | None) -> None:
    found = small.explain(changes=changes)
    parts = found.compute_time_s + found.bubble_time_s + sum(found.exposed_s.values()) + found.overlap_time_s
    assert parts == pytest.approx(found.step_time_s, rel=1e-12)
    assert sum(seconds for _, seconds in found.parts()) == pytest.approx(found.step_time_s, rel=1e-12)
    assert json.loads(found.to_json())["overlap_time_s"] == found.overlap_time_s


def test_overlap_between_phases_is_a_row_and_explained(small: Network) -> None:
    """Phases removed one by one save less than together: 0.31 s that no phase alone would save."""
    found = small.explain(changes="border-router-swap")
    assert found.overlap_time_s == pytest.approx(0.314, abs=0.005)
    console = Console(file=io.StringIO(), width=200)
    console.print(explanation_table(found.to_dict()))
    text = console.file.getvalue()
    assert re.search(r"overlap between phases +0\.31\d* s", text)
    assert PHASES_NOTE in " ".join(text.split())
    assert "overlap between phases" in found._repr_html_()
    assert PHASES_NOTE in found._repr_html_()


def test_phases_without_overlap_leave_no_row() -> None:
    found = from_document(one_site(1, 8, parallelism={"tp": 8}, n_global_batch=8) | {"default_job": "j"}).explain()
    assert found.overlap_time_s == 0.0
    assert "overlap between phases" not in dict(found.parts())


@pytest.mark.parametrize("changes", [None, "pipeline-over-campuses"])
def test_rounding_is_reported_as_zero(small: Network, changes: str | None) -> None:
    found = small.explain(changes=changes)
    told = [*found.exposed_s.values(), found.overlap_time_s]
    told += [seconds for cause in found.causes for seconds in (cause.share_s, cause.alone_s, cause.last_s)]
    assert [seconds for seconds in told if 0.0 < abs(seconds) < 1e-9 * found.step_time_s] == []
    zero = re.compile(r"-0(\.0*)?(?![.\d])")
    assert not zero.search(" ".join(cell for row in found.rows() for cell in row))
    assert not zero.search(found.to_json().replace(str(found.as_of), ""))


def test_noise_of_the_attribution_is_reported_as_zero(small: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """2.2e-17 s was a bar and -0 % of the gap."""
    real = network_module.step_causes

    def noisy(*args: Any, **more: Any) -> Attribution:
        found = real(*args, **more)
        causes = [replace(c, share_s=-2.2e-17, last_s=1e-16) if c.name == "line_loss" else c for c in found.causes]
        return replace(found, causes=tuple(causes))

    monkeypatch.setattr(network_module, "step_causes", noisy)
    found = small.explain()
    assert (found["line_loss"].share_s, found["line_loss"].share_ratio, found["line_loss"].last_s) == (0.0, 0.0, 0.0)
    assert sum(shares(found).values()) == pytest.approx(found.gap_s, rel=1e-9)
    small_share = replace(found["line_loss"], share_s=-1e-5, share_ratio=-1e-6)
    assert replace(found, causes=(small_share,)).rows()[0][1:3] == ("-0.01 ms", "0 %")


def test_propagation_is_separate_from_distance_and_equals_the_score_s(small: Network) -> None:
    found = small.explain()
    text = " ".join(found.summary)
    assert "distance (round trips) 19.9 %" in text
    said = re.search(r"Pure propagation is ([\d.]+) ms of a step; the rest of distance is buffers and windows\.", text)
    assert said is not None
    ms = re.search(
        r"Propagation between sites: ([\d.]+) ms of the step", " ".join(small.score(main_assumptions=False).bottlenecks)
    )
    assert ms is not None
    assert float(said[1]) == pytest.approx(float(ms[1]), rel=0.01)
    over_sites = small.explain(changes="pipeline-over-campuses")
    last = f"{over_sites['delay'].last_s * 1e3:.3g} ms"
    assert over_sites.summary[-1] == f"With all other causes removed, distance costs {last} a step."


def test_the_summary_names_the_largest_cause_and_json_has_the_promised_shape(small: Network) -> None:
    found = small.explain()
    data = json.loads(found.to_json())
    assert list(data["causes"][0]) == ["name", "sentence", "share_s", "share_ratio", "alone_s", "last_s"]
    assert data["gap_s"] == found.gap_s
    assert found.summary[0] == "The step takes 6.02 s; without all causes below it would take 1.69 s."
    assert found.causes[0].name == "interconnect"
    assert found.summary[1].startswith("Largest causes of the 4.33 s gap: capacity between sites 33.2 %, ")
    assert found._repr_html_().count("<table>") == 3


def test_without_a_job_there_is_nothing_to_explain() -> None:
    with pytest.raises(ChangeError, match="no step to explain"):
        load("leaf-spine-demo").explain()


def test_the_order_of_a_document_changes_nothing() -> None:
    data: dict[str, Any] = campus_data()
    turned = {**data, "links": data["links"][::-1], "nodes": data["nodes"][::-1], "sites": data["sites"][::-1]}
    assert from_document(data).explain().to_json() == from_document(turned).explain().to_json()


@pytest.mark.parametrize(
    "lossless",
    [
        {"policy": "shaped"},
        {"policy": "drop_on_pause", "n_pauses_per_s": 500, "recovery": "selective_repeat"},
        {"recovery": "tcp", "congestion_control_ratio": 0.8},
        {"in_flight_bytes": 2e4, "n_flows_per_accelerator": 1},
    ],
)
def test_with_nothing_taken_away_every_limit_of_the_network_is_in_the_step(lossless: dict[str, Any]) -> None:
    """Losses, windows, pauses, buffers, hashing and demands bind the explained step as they do the score's."""
    data = campus_data()
    links = [link | ({"loss_ratio": 1e-3, "n_parallel": 4} if link["id"] == "wan" else {}) for link in data["links"]]
    network = from_document(data | {"links": links, "lossless": lossless})
    assert network.document.demands
    plain = from_document(data | {"demands": []}).score(main_assumptions=False)["step_time_s"]
    found = network.explain()
    assert found.step_time_s == pytest.approx(network.score(main_assumptions=False)["step_time_s"], rel=1e-11)
    assert found.step_time_s > (plain or 0.0)
