"""Reasons: each sentence is true of its case, and names what would help."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.answers.lines import a_span, document, load_of, zr
from tests.model.samples import campus_data, changed, shipped
from tests.training.steps import sites
from twin.loading import Network, from_document, load

H100 = [("H100", 64)] * 4


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def reasons_of(data: dict[str, Any] | Network, changes: Any = None) -> str:
    network = data if isinstance(data, Network) else from_document(data)
    return " ".join(
        network.what_if(changes, main_assumptions=False).after.bottlenecks
        if changes
        else network.score(main_assumptions=False).bottlenecks
    )


def two_sites(racks: dict[str, list[tuple[str, int]]] | None = None, **more: Any) -> dict[str, Any]:
    """Two sites of 32 replicas of 8 each, unless stated otherwise."""
    job = {"parallelism": {"tp": 8}, "n_global_batch": 512, "recompute": "full"} | more.pop("job", {})
    data = sites(racks or {"a": H100, "b": H100}, **more)
    data["jobs"][0] |= job
    return data | {"default_job": "j"}


# --- stragglers and the batch split ----------------------------------------------------------------------------------


def test_equal_sites_are_no_stragglers_where_the_batch_does_not_divide() -> None:
    text = reasons_of(two_sites(job={"n_global_batch": 513}))
    assert "Stragglers: H100" not in text
    assert "Stragglers: the batch does not divide evenly; 10.9 % of the cluster idles." in text
    assert "513 micro batches do not divide among 64 replicas; a global batch of 512 or 576 does." in text
    assert "9 on H100 in a, 9 on H100 in b" in text
    for batch in (512, 576):
        even = reasons_of(two_sites(job={"n_global_batch": batch}))
        assert "All accelerator groups finish together." in even
        assert "do not divide" not in even


@pytest.mark.parametrize("racks", [{"a": H100, "b": H100}, {"a": H100}])
def test_an_uneven_batch_is_no_slow_group(racks: dict[str, list[tuple[str, int]]]) -> None:
    n = 32 * len(racks)
    data = two_sites(racks, job={"n_global_batch": 513})
    summary = from_document(data).score(main_assumptions=False).summary
    assert f"Bottleneck: compute with an uneven batch (513 micro batches on {n} replicas), " in summary[1]
    assert "slowest group" not in " ".join(summary)


def test_batches_that_divide_are_given_in_sequences() -> None:
    job = {"n_global_batch": 514, "parallelism": {"tp": 8, "n_micro_batch": 2}}
    text = reasons_of(two_sites(job=job))
    assert "257 micro batches do not divide among 64 replicas; a global batch of 512 or 640 does." in text


def test_fewer_micro_batches_than_replicas_have_only_larger_batches() -> None:
    text = reasons_of(two_sites(job={"n_global_batch": 5}))
    assert "5 micro batches do not divide among 64 replicas; a global batch of 64 does." in text


def test_idle_accelerators_are_reported() -> None:
    assert "allocated accelerators are idle" not in reasons_of(two_sites())
    place = [{"site": "a", "n_accelerators": 15}]
    text = reasons_of(two_sites(job={"placement": place}))
    assert "7 of 15 allocated accelerators are idle: they do not fill whole replicas of 8." in text
    job = {"parallelism": {"tp": 8, "pp": 2}, "across_sites": "pipeline"}
    text = reasons_of(two_sites({"a": [("H100", 8)], "b": [("H100", 64)]}, job=job))
    reason = "they do not fill replicas of 16 with stages at all sites."
    assert f"56 of 72 allocated accelerators are idle: {reason}" in text


def test_a_stated_split_of_equal_groups_is_the_reason_for_stragglers() -> None:
    placement = [{"site": "a", "n_micro_batches": 4}, {"site": "b", "n_micro_batches": 12}]
    text = reasons_of(two_sites(job={"split": "stated", "placement": placement}))
    assert "Stragglers: the stated split gives equal groups unequal work; 33.3 % of the cluster idles." in text
    assert "Micro batches per replica: 4 on H100 in a, 12 on H100 in b." in text


def test_the_slower_kind_is_the_straggler_where_there_is_one() -> None:
    text = reasons_of(two_sites({"a": H100, "b": [("GB200", 64)] * 4}, job={"n_global_batch": 513}))
    assert "Stragglers: H100 in a; 37.4 % of the cluster idles." in text
    assert "do not divide" not in text


def test_a_pipeline_across_sites_names_the_kinds_and_sites_of_its_stages() -> None:
    job = {"across_sites": "pipeline", "parallelism": {"tp": 8, "pp": 4}}
    score = from_document(two_sites({"a": H100, "b": [("GB200", 64)] * 4}, job=job)).score(main_assumptions=False)
    text = " ".join(score.bottlenecks)
    assert "Stragglers: the slowest pipeline stage limits every replica; " in text
    assert "Pipeline stages: 2 on H100 in a, 2 on GB200 in b; 32 micro batches per replica." in text
    assert "compute on H100, the slowest stage, " in score.summary[1]
    assert "a+b" not in " ".join((*score.bottlenecks, *score.summary))
    assert "All accelerator groups finish together" not in text


def test_a_pipeline_across_sites_reports_a_batch_that_does_not_divide() -> None:
    job = {"across_sites": "pipeline", "parallelism": {"tp": 8, "pp": 4}, "n_global_batch": 520}
    text = reasons_of(two_sites(job=job))
    assert "520 micro batches do not divide among 16 replicas; a global batch of 512 or 528 does." in text


def test_a_pipeline_at_one_site_has_the_reasons_of_any_job() -> None:
    layout = {"tp": 8, "pp": 4}
    pipeline = reasons_of(two_sites({"a": H100}, job={"across_sites": "pipeline", "parallelism": layout}))
    assert pipeline == reasons_of(two_sites({"a": H100}, job={"parallelism": layout}))
    assert "exchange, " in pipeline


# --- phases ----------------------------------------------------------------------------------------------------------


def test_the_largest_communication_is_the_phase_that_saves_most_alone() -> None:
    """After new routers the exchange within layers is no worse than before, only first."""
    network = load("memphis-small")
    diff = network.what_if("border-router-swap", main_assumptions=False)
    seconds = diff.after["exposed_in_layers_time_s"]
    assert seconds == pytest.approx(diff.before["exposed_in_layers_time_s"])
    assert diff.after.bottlenecks[0] == (
        f"Largest communication: tensor, context and expert exchange, {seconds:.3g} s of the 3.44 s step. "
        "It is limited by the 400G network cards of H100 in c1."
    )


def test_a_phase_that_outweighs_compute_is_the_bottleneck() -> None:
    score = load("memphis-small").score(main_assumptions=False)
    seconds = score["exposed_wide_area_time_s"]
    assert seconds is not None
    assert seconds > (score["compute_time_s"] or 0.0)
    first = f"Bottleneck: inter-site all-reduce (trees), {seconds:.3g} s of the 6.02 s step."
    assert score.bottlenecks[0].startswith(f"{first} Link wan-1-2 (c1/border-1 → c2/border-1): ")
    assert "Reason: 4.8 MB PFC headroom per port of c2/border-1" in score.bottlenecks[0]
    assert score.summary[1] == f"Bottleneck: inter-site all-reduce, {seconds:.3g} s of 6.02 s."


def test_overlap_between_phases_is_reported() -> None:
    score = load("memphis-small").score(main_assumptions=False)
    phases = [score[name] or 0.0 for name in score if name.startswith("exposed_") and name != "exposed_comm_time_s"]
    overlap_s = (score["exposed_comm_time_s"] or 0.0) - sum(phases)
    sentence = f"{overlap_s:.3g} s overlaps between phases; fixing one phase alone will not recover it."
    assert sentence in score.bottlenecks


# --- round trips -----------------------------------------------------------------------------------------------------


def far(**lossless: Any) -> dict[str, Any]:
    """64 flows over 1000 km: each needs 6.25 Gb/s, and 4 MiB in flight allow 3.4."""
    return two_sites(wide_gbps=400.0, km=1000.0) | {"lossless": {"n_flows_per_accelerator": 0.25} | lossless}


def test_windows_are_named_where_they_limit_a_job_most() -> None:
    text = reasons_of(far())
    found = re.search(r"windows of 64 flows over 9.79 ms round trip leave ([\d.]+) % of 1 x 400 Gb/s", text)
    assert found is not None
    ratio = from_document(far()).link_table("wan-ab").rows[0]["window_ratio"]
    assert float(found[1]) == pytest.approx(100 * ratio, abs=0.05)
    assert "line rate" not in text
    cause = from_document(far()).what_if([{"kind": "age", "years": 1}], main_assumptions=False).causes[0]
    assert "windows of 64 flows" in cause.note


def test_the_bytes_in_flight_that_are_named_fill_the_link() -> None:
    found = re.search(r"; ([\d,]+) MB in flight would fill it", reasons_of(far()))
    assert found is not None
    million = int(found[1].replace(",", ""))
    wide, narrow = (from_document(far(in_flight_bytes=n * 1e6)) for n in (million, million - 1))
    assert wide.link_table("wan-ab").rows[0]["window_ratio"] == 1.0
    assert narrow.link_table("wan-ab").rows[0]["window_ratio"] < 1.0
    assert "windows" not in reasons_of(wide)


def test_a_buffer_that_limits_more_than_windows_is_named_instead() -> None:
    """Over 23 km windows of 1.5 kB leave less than the old router's buffer; those of 4 MB never limit."""
    data = shipped("memphis-small")
    buffer = "PFC headroom per port of c2/border-1 (border-12.8T), "
    assert buffer in reasons_of(data)
    narrow = reasons_of(data | {"lossless": data.get("lossless", {}) | {"in_flight_bytes": 1500}})
    assert "Reason: windows of " in narrow
    assert buffer not in narrow


def test_the_report_of_a_link_separates_its_own_limit_from_a_job_s() -> None:
    summary = from_document(far()).link("wan-ab", years=None).to_dict()["summary"]
    assert summary[1] == "Limit, both directions: line rate of 1 x 400 Gb/s."
    assert summary[2].startswith("A job gets less: windows of 64 flows over 9.79 ms round trip leave")
    near = from_document(two_sites(wide_gbps=400.0, km=1.0)).link("wan-ab", years=None).to_dict()["summary"]
    assert near[1] == summary[1]
    assert not any("windows" in line for line in near)


def test_propagation_is_reported_apart_from_what_windows_cost() -> None:
    text = reasons_of(far())
    assert "Propagation between sites: 9.79 ms of the step (9793 µs round trip)." in text
    assert "The round trip also costs rate in windows; that is part of the link's time." in text
    assert "also costs rate" not in reasons_of(two_sites(wide_gbps=400.0, km=1.0))


def test_propagation_is_reported_apart_from_what_buffers_cost() -> None:
    text = reasons_of(load("memphis-small"))
    assert "The round trip also costs rate in buffers; that is part of the link's time." in text


# --- what does not work ----------------------------------------------------------------------------------------------


def test_a_job_that_cannot_run_names_the_sites_without_a_path() -> None:
    diff = load("memphis-small").what_if([{"kind": "fail_srlg", "srlg": "duct-shared"}], main_assumptions=False)
    reason = "no path for wide-area traffic from c1/rack-001 to c2/rack-01."
    assert diff.after.bottlenecks[:2] == (f"No step: {reason}", "No path between c1 and c2, between c1 and c3.")
    assert diff.summary[0] == f"After the change the job cannot run: {reason}"
    assert diff.after.summary[0] == f"The job cannot run: {reason}"


def test_racks_of_one_site_without_a_path_are_reported() -> None:
    cut = changed(campus_data(), "links", "a-cable-2", up=False)
    assert "No path between a and b, between racks of a." in reasons_of(cut)


BARE = {"capacity_gbps": 400.0, "spans": [a_span(1000.0)]}
NO_BUDGET = "the link names no transceiver, so it has no link budget."


def test_fibre_without_a_transceiver_has_no_link_budget_and_is_named() -> None:
    """212 dB of loss on a link that is up."""
    network = from_document(document(BARE, zr(a_span(40.0)), **load_of(10.0)))
    rows = network.link_table().rows
    assert rows[0]["up"]
    assert rows[0]["loss_db"] > 200
    assert "1 fibre link without a transceiver, so without a link budget: l0." in reasons_of(network)
    assert network.link_table().notes == (f"l0: {NO_BUDGET}",)
    assert NO_BUDGET.capitalize() in network.link("l0", years=None).to_dict()["summary"]
    assert network.link_table("l1").notes == ()
    assert "transceiver" not in " ".join(network.link("l1", years=None).to_dict()["summary"])
    copper = from_document(document(BARE | {"spans": [{"length_km": 0.003, "fibre": "copper-cable"}]}, **load_of(10.0)))
    assert "transceiver" not in reasons_of(copper)
    assert copper.link_table().notes == ()


def test_a_cable_without_a_transceiver_needs_no_link_budget() -> None:
    network = from_document(document({"capacity_gbps": 100.0}, **load_of(10.0)))
    assert network.link_table().notes == ()
    assert "transceiver" not in reasons_of(network)
    many = from_document(document(*(BARE for _ in range(6)), **load_of(10.0)))
    assert many.link_table().notes == (f"l0, l1, l2, l3 and more: {NO_BUDGET}",)


def test_a_link_that_is_down_is_named_with_the_missing_db() -> None:
    network = from_document(document(zr(a_span(172.0)), zr(a_span(40.0)), **load_of(10.0)))
    missing_db = -(network.link_table("l0").rows[0]["margin_db"] or 0.0)
    assert missing_db > 0
    assert f"1 link down: l0, {missing_db:.1f} dB short." in reasons_of(network)
    assert network.link_table().summary[0] == "2 links, 1 down: l0."
    assert network.link("l0", years=None).summary[0] == f"Link down: {missing_db:.1f} dB short."


def test_local_sgd_states_its_loss_and_the_basis_of_it() -> None:
    network = load("memphis-small")
    sentences = network.what_if("local-sgd", main_assumptions=False).after.bottlenecks
    found = [
        line for line in sentences if line.startswith("Local SGD with 100 local steps changes the training: loss ")
    ]
    assert len(found) == 1
    central, low, high = (float(text) for text in re.findall(r"[+-][\d.]+", found[0]))
    assert low < central < high
    assert any(line.startswith("Basis of the loss estimate: ") for line in sentences)
    assert "Local SGD" not in reasons_of(network)
