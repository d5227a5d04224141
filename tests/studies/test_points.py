"""Points of a sweep: a value, or why there is none."""

from __future__ import annotations

import pytest

from tests.training.steps import one_site, sites
from twin.errors import ChangeError, TwinError
from twin.loading import Network, from_document


@pytest.fixture(scope="module")
def network() -> Network:
    return from_document(one_site(4, 8, parallelism={"tp": 2, "pp": 2}))


def test_a_value_that_does_not_do_leaves_the_others_their_answers(network: Network) -> None:
    """Rules between fields, figures that a part lacks: the point says why. What is no value at all ends the sweep."""
    old = from_document(one_site(4, 8, kind="A100-80GB", parallelism={"tp": 8}))
    sweep = old.sweep("job.precision=bf16,fp8")
    assert sweep.values[0] is not None
    assert sweep.values[1] is None
    assert "fp8" in sweep.why[1]
    streaming = from_document(
        one_site(4, 8, parallelism={"tp": 4}, sync="local_sgd", n_local_steps=64, n_fragment_layers=4)
    )
    sweep = streaming.sweep("job.n_local_steps=2,64")  # eight fragments do not come round in two steps
    assert [value is None for value in sweep.values] == [True, False]
    assert "fragments" in sweep.why[0]
    with pytest.raises(TwinError, match="bf16"):
        old.sweep("job.precision=bf16,bf61")
    sweep = old.sweep("job.sync=every_step,local_sgd")
    assert sweep.values[0] == old.score(main_assumptions=False)["step_time_s"]
    assert "exchanges at every step is none" in sweep.why[1]


def two_kinds(**place: object) -> Network:
    """H100 and GB200 at one site."""
    racks = {"a": [("H100", 8)] * 8 + [("GB200", 8)] * 8}
    return from_document(sites(racks, parallelism={"tp": 8}, placement=[{"site": "a", **place}]))


def test_a_job_without_accelerators_is_a_point_that_says_so(network: Network) -> None:
    sweep = from_document(one_site(4, 8, parallelism={"tp": 8})).sweep("placement.a.n_accelerators=0,8,16,32")
    assert [value is None for value in sweep.values] == [True, False, False, False]
    assert sweep.why[0] == "the job has no accelerators left"


def test_a_number_is_one_placements_and_frees_the_replicas() -> None:
    stated = from_document(one_site(4, 8, parallelism={"tp": 8, "dp": 4}))
    assert None not in stated.sweep("placement.a.n_accelerators=8,16,32").values
    places = [{"site": "a", "accelerator": kind, "n_accelerators": 16} for kind in ("H100", "GB200")]
    both = from_document(sites({"a": [("H100", 8)] * 8 + [("GB200", 8)] * 8}, parallelism={"tp": 8}, placement=places))
    with pytest.raises(ChangeError, match=r"2 placements at 'a' \(H100, GB200\).*mix\.a\.OLD\.NEW"):
        both.sweep("placement.a.n_accelerators=8,16,32")


def test_what_the_old_kind_states_stays_with_it() -> None:
    """At half its pace it is no quicker for being called old; the new one runs at the catalogue's."""
    slow = two_kinds(accelerator="H100", n_accelerators=32, pace_ratio=0.5)
    fast = two_kinds(accelerator="H100", n_accelerators=32)
    new, old = slow.sweep("mix.a.H100.GB200=0,1").values
    assert old == slow.score(main_assumptions=False)["step_time_s"]
    assert new == fast.sweep("mix.a.H100.GB200=0").values[0]
    only = two_kinds(accelerator="H100", n_accelerators=32, racks="a-0[0-3]")
    sweep = only.sweep("mix.a.H100.GB200=0,1")
    assert sweep.values[1] == fast.score(main_assumptions=False)["step_time_s"]
    assert "no free GB200" in sweep.why[0]
    with pytest.raises(ChangeError, match="state n_accelerators in the placement"):
        two_kinds(accelerator="H100").sweep("mix.a.H100.GB200=0..1:3")


def test_a_cut_is_varied_field_by_field() -> None:
    network = from_document(one_site(4, 8, parallelism={"tp": 8, "dp": 4}))
    sweep = network.sweep("parallelism.tp=2,3,8")
    assert [value is None for value in sweep.values] == [False, True, False]
    assert "tp 3 does not divide the 32 heads" in sweep.why[1]
    assert (
        sweep.values[0] == network.what_if([{"kind": "cut_job", "tp": 2}], main_assumptions=False).after["step_time_s"]
    )
    sharded = network.sweep("parallelism.fully_sharded=false,true").values
    assert sharded[0] == network.score(main_assumptions=False)["step_time_s"] != sharded[1]


def test_members_down_are_members_that_there_are() -> None:
    network = from_document(sites({"a": [("H100", 8)] * 2, "b": [("H100", 8)] * 2}, parallelism={"tp": 8}))
    sweep = network.sweep("links.wan-ab.n_failed=0,9")
    assert sweep.values[0] is not None
    assert sweep.why[1] == "9 members down of 1"
    assert all(why == "" for why in network.sweep(["links.wan-ab.n_parallel=16", "links.wan-ab.n_failed=0,9"]).why)
