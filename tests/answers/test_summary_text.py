"""What binds, in words: each sentence is true of the case it stands in, and names what would help."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.answers.lines import document, glass, load_of, zr
from tests.model.samples import campus_data, changed, shipped
from tests.training.steps import sites
from twin.loading import Network, from_document, load

H100 = [("H100", 64)] * 4


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def told(data: dict[str, Any] | Network, changes: Any = None) -> str:
    network = data if isinstance(data, Network) else from_document(data)
    return " ".join(network.what_if(changes).after.bottlenecks if changes else network.score().bottlenecks)


def two(held: dict[str, list[tuple[str, int]]] | None = None, **more: Any) -> dict[str, Any]:
    """Two sites of 32 replicas of 8 each, unless said otherwise."""
    job = {"parallelism": {"tp": 8}, "n_global_batch": 512, "recompute": "full"} | more.pop("job", {})
    data = sites(held or {"a": H100, "b": H100}, **more)
    data["jobs"][0] |= job
    return data | {"default_job": "j"}


# --- who waits for whom ----------------------------------------------------------------------------------------------


def test_sites_that_are_alike_are_not_blamed_for_a_batch_that_does_not_divide() -> None:
    text = told(two(job={"n_global_batch": 513}))
    assert "sets the pace" not in text
    assert "of the FLOP/s wait: 513 micro batches do not divide among 64 replicas, a batch of 512 or 576 would" in text
    assert "9 on H100 in a, 9 on H100 in b" in text
    for batch in (512, 576):
        assert "The work is balanced" in told(two(job={"n_global_batch": batch}))


def test_batches_are_told_in_sequences() -> None:
    job = {"n_global_batch": 514, "parallelism": {"tp": 8, "n_micro_batch": 2}}
    assert "257 micro batches do not divide among 64 replicas, a batch of 512 or 640 would" in told(two(job=job))


def test_fewer_micro_batches_than_replicas_have_only_larger_batches() -> None:
    assert "5 micro batches do not divide among 64 replicas, a batch of 64 would" in told(
        two(job={"n_global_batch": 5})
    )


def test_accelerators_that_no_replica_takes_are_told() -> None:
    assert "idle" not in told(two())
    place = [{"site": "a", "n_accelerators": 15}]
    assert "7 of the 15 accelerators taken sit idle: whole replicas of 8" in told(two(job={"placement": place}))
    job = {"parallelism": {"tp": 8, "pp": 2}, "across_sites": "pipeline"}
    text = told(two({"a": [("H100", 8)], "b": [("H100", 64)]}, job=job))
    assert "56 of the 72 accelerators taken sit idle: replicas with stages at all sites of 16" in text


def test_a_stated_split_of_equals_is_blamed_itself() -> None:
    placement = [{"site": "a", "n_micro_batches": 4}, {"site": "b", "n_micro_batches": 12}]
    text = told(two(job={"split": "stated", "placement": placement}))
    assert (
        "the stated split gives some replicas more than others that are as fast (micro batches a replica: 4 on" in text
    )


def test_the_slower_kind_is_blamed_where_there_is_one() -> None:
    text = told(two({"a": H100, "b": [("GB200", 64)] * 4}, job={"n_global_batch": 513}))
    assert "H100 in a sets the pace: " in text
    assert "do not divide" not in text


def test_a_pipeline_over_sites_names_the_kinds_and_sites_of_its_stages() -> None:
    job = {"across_sites": "pipeline", "parallelism": {"tp": 8, "pp": 4}}
    text = told(two({"a": H100, "b": [("GB200", 64)] * 4}, job=job))
    stages = "(stages: 2 on H100 in a, 2 on GB200 in b; 32 micro batches a replica)"
    assert f"The slowest stage sets the pace of every replica {stages}" in text
    assert "a+b" not in text
    assert "balanced" not in text


def test_a_pipeline_over_sites_says_that_its_batch_does_not_divide() -> None:
    job = {"across_sites": "pipeline", "parallelism": {"tp": 8, "pp": 4}, "n_global_batch": 520}
    assert "520 micro batches do not divide among 16 replicas, a batch of 512 or 528 would" in told(two(job=job))


def test_a_pipeline_at_one_site_is_told_as_any_job() -> None:
    text = told(two({"a": H100}, job={"across_sites": "pipeline", "parallelism": {"tp": 8, "pp": 4}}))
    assert "The work is balanced (micro batches a replica: 64 on H100 in a)." in text


# --- phases ----------------------------------------------------------------------------------------------------------


def test_the_dearest_phase_is_what_goes_with_it_by_itself() -> None:
    """After new routers the exchange within layers is no worse than before, only first."""
    network = load("memphis-small")
    diff = network.what_if("border-router-swap")
    seconds = diff.after["exposed_in_layers_time_s"]
    assert seconds == pytest.approx(diff.before["exposed_in_layers_time_s"])
    text = " ".join(diff.after.bottlenecks)
    assert "sticks out" not in text
    within = "the exchange within layers (tensor, context and expert ranks)"
    assert f"taking away {within} by itself would save most, {seconds:.2f} s; it is held up inside its racks." in text


def test_what_phases_hide_behind_one_another_is_told() -> None:
    score = load("memphis-small").score()
    phases = [score[name] or 0.0 for name in score if name.startswith("exposed_") and name != "exposed_comm_time_s"]
    hidden_s = (score["exposed_comm_time_s"] or 0.0) - sum(phases)
    assert f"Another {hidden_s:.2f} s of phases hide behind one another" in " ".join(score.bottlenecks)


# --- round trips -----------------------------------------------------------------------------------------------------


def far(**lossless: Any) -> dict[str, Any]:
    data = two(wide_gbps=400.0, km=1000.0)
    return data | ({"lossless": lossless} if lossless else {})


def test_windows_are_named_where_they_hold_a_job_back_most() -> None:
    text = told(far())
    found = re.search(r"windows of queue pairs over the round trip of 9.79 ms leave ([\d.]+)% of 1 x 400 Gb/s", text)
    assert found is not None
    ratio = from_document(far()).link_table("wan-ab").rows[0]["window_ratio"]
    assert float(found[1]) == pytest.approx(100 * ratio, abs=0.05)
    assert "line rate" not in text
    cause = from_document(far()).what_if([{"kind": "age", "years": 1}]).causes[0]
    assert "windows of queue pairs" in cause.note


def test_the_bytes_in_flight_that_are_named_fill_the_link() -> None:
    found = re.search(r"in_flight_bytes of ([\d,]+) million would fill it", told(far()))
    assert found is not None
    million = int(found[1].replace(",", ""))
    wide, narrow = (from_document(far(in_flight_bytes=n * 1e6)) for n in (million, million - 1))
    assert wide.link_table("wan-ab").rows[0]["window_ratio"] == 1.0
    assert narrow.link_table("wan-ab").rows[0]["window_ratio"] < 1.0
    assert "windows" not in told(wide)


def test_a_buffer_that_holds_more_back_than_windows_is_named_instead() -> None:
    """Over 23 km windows of 4 MB leave nine tenths, the old router's buffer four."""
    data = shipped("memphis-small")
    assert "the buffer of c2/border-1 (border-12.8T) covers" in told(data)
    assert "windows of queue pairs" in told(data | {"lossless": data.get("lossless", {}) | {"in_flight_bytes": 2e4}})


def test_the_page_of_a_link_tells_its_own_limit_and_a_job_s_apart() -> None:
    words = from_document(far()).link("wan-ab", years=None).to_dict()["summary"]
    assert words[0] == "Both ways: line rate of 1 x 400 Gb/s."
    assert words[1].startswith("A job gets less out of it: windows of queue pairs over the round trip of 9.79 ms leave")
    near = from_document(two(wide_gbps=400.0, km=1.0)).link("wan-ab", years=None).to_dict()["summary"]
    assert not any("windows" in line for line in near)


def test_propagation_is_light_and_windows_come_on_top() -> None:
    text = told(far())
    assert "Distance" not in text
    assert "Propagation between sites takes 9.8 ms of the step (9793 µs round trip)" in text
    assert "; what windows lose by the round trip comes on top." in text
    assert "on top" not in told(two(wide_gbps=400.0, km=1.0))


def test_what_buffers_lose_comes_on_top_too() -> None:
    assert "; what buffers lose by the round trip comes on top." in told(load("memphis-small"))


# --- what does not work ----------------------------------------------------------------------------------------------


def test_a_job_that_cannot_run_says_which_sites_are_apart() -> None:
    diff = load("memphis-small").what_if([{"kind": "fail_srlg", "srlg": "duct-shared"}])
    assert diff.after.bottlenecks[:2] == (
        "No step: no path for wide-area traffic from c1/rack-001 to c2/rack-01.",
        "These cannot reach each other: c1 and c2, c1 and c3.",
    )


def test_racks_of_one_site_without_a_path_are_told() -> None:
    cut = changed(campus_data(), "links", "a-cable-2", up=False)
    assert "These cannot reach each other: " in told(cut)
    assert "racks of a" in told(cut)


BARE = {"capacity_gbps": 400.0, "spans": [glass(1000.0)]}


def test_fibre_without_a_transceiver_is_not_judged_and_says_so() -> None:
    """212 dB of loss on a link that is up."""
    network = from_document(document(BARE, zr(glass(40.0)), **load_of(10.0)))
    rows = network.link_table().rows
    assert rows[0]["up"]
    assert rows[0]["loss_db"] > 200
    assert "1 link over fibre without a transceiver, so light is not judged; l0 among them." in told(network)
    assert network.link_table().notes == ("l0: no transceiver is named, so the light is not judged.",)
    assert "No transceiver is named, so the light is not judged." in network.link("l0", years=None).to_dict()["summary"]
    assert network.link_table("l1").notes == ()
    assert "judged" not in " ".join(network.link("l1", years=None).to_dict()["summary"])


def test_a_cable_without_a_transceiver_needs_no_light() -> None:
    network = from_document(document({"capacity_gbps": 100.0}, **load_of(10.0)))
    assert network.link_table().notes == ()
    assert "judged" not in told(network)
    many = from_document(document(*(BARE for _ in range(6)), **load_of(10.0)))
    assert many.link_table().notes[0].startswith("l0, l1, l2, l3 …: ")
