"""Memory of the fullest stage against the published formulas, and what must always hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twin.catalogue import catalogue
from twin.model.known_models import MODELS
from twin.workload.compute import AcceleratorProfile
from twin.workload.layout import Layout
from twin.workload.memory import layer_activation_bytes, memory_use, n_in_flight

H100 = AcceleratorProfile.of(catalogue().get("H100").value, "bf16")
UNFUSED = replace(H100, n_score_passes=5.0)
ALONE = replace(UNFUSED, replicated_ratio=1.0)
GPT = MODELS["gpt-3-175b"].shape
LLAMA = MODELS["llama-3.1-70b"].shape
SBH = 2048 * 12288
SCORES = 5 * 96 * 2048 / 12288


@pytest.mark.parametrize(
    ("profile", "layout", "units"),
    [
        (ALONE, Layout(), 34 + SCORES),
        (ALONE, Layout(tp=8), 10 + 24 / 8 + SCORES / 8),
        (UNFUSED, Layout(tp=8), (32 + SCORES) / 8),
        (UNFUSED, Layout(tp=8, recompute="selective"), 32 / 8),
        (H100, Layout(tp=8), 32 / 8),
        (ALONE, Layout(tp=8, recompute="full"), 2),
        (H100, Layout(tp=8, recompute="full"), 2 / 8),
        (H100, Layout(tp=2, cp=4, n_micro_batch=3), 3 * 32 / 2 / 4),
    ],
    ids=["none", "tp", "sequence", "selective", "fused", "full", "full and sequence", "context"],
)
def test_activations_of_a_layer_follow_korthikanti(profile: AcceleratorProfile, layout: Layout, units: float) -> None:
    """arXiv:2205.05198, table 2, in units of s b h; without its two masks of dropout where ranks split them."""
    assert layer_activation_bytes(GPT, layout, profile) == pytest.approx(units * SBH)


def test_grouped_heads_and_gates_by_hand() -> None:
    """q and output 2 x 2h, k and v 2 x 2h/8, three gated widths of 3.5 h, 8 h besides."""
    h = 8192
    assert layer_activation_bytes(LLAMA, Layout(), H100) == pytest.approx(
        8192 * (8 * h + 4 * h + 0.5 * h + 6 * 3.5 * h)
    )


def test_state_is_16_bytes_a_parameter_or_less_where_sharded() -> None:
    """Rajbhandari et al. 2020: 2 + 2 + 12."""
    n = LLAMA.n_parameters()
    whole = memory_use(LLAMA, Layout(), H100, 1, 2.0)
    assert (whole.weights_bytes, whole.gradients_bytes, whole.optimizer_bytes) == pytest.approx((2 * n, 2 * n, 12 * n))
    shared = memory_use(LLAMA, Layout(dp=8), H100, 1, 4.0)
    assert (shared.gradients_bytes, shared.optimizer_bytes) == pytest.approx((4 * n, 12 * n / 8))
    spread = memory_use(LLAMA, Layout(dp=64, fully_sharded=True), H100, 1, 2.0)
    assert spread.weights_bytes == pytest.approx(2 * n / 64 + 2 * 2 * n / 80)
    assert spread.gradients_bytes == pytest.approx(2 * n / 64)
    unsharded = replace(H100, sharded_optimizer=False)
    assert memory_use(LLAMA, Layout(dp=8), unsharded, 1, 2.0).optimizer_bytes == pytest.approx(12 * n)


def test_a_layer_that_predicts_further_keeps_logits_of_its_own() -> None:
    further = replace(LLAMA, n_predict_layers=1)
    one, two = (memory_use(shape, Layout(), H100, 1, 2.0).activations_bytes for shape in (LLAMA, further))
    assert two - one == pytest.approx(6 * LLAMA.n_sequence * LLAMA.n_vocab)


def test_experts_are_spread_over_their_ranks() -> None:
    mixtral = MODELS["mixtral-8x7b"].shape
    expert = 32 * 8 * mixtral.n_expert
    one, eight = (memory_use(mixtral, Layout(dp=8, ep=ep), H100, 1, 2.0).weights_bytes for ep in (1, 8))
    assert one - eight == pytest.approx(2 * expert * 7 / 8)


@pytest.mark.parametrize(
    ("layout", "stage", "m", "waiting"),
    [
        (Layout(), 0, 8, 1),
        (Layout(pp=4), 0, 8, 4),
        (Layout(pp=4), 3, 8, 1),
        (Layout(pp=4), 0, 2, 2),
        (Layout(pp=4, n_virtual_stages=2), 0, 16, 4 * (1 + 3 / 8)),
    ],
)
def test_micro_batches_in_flight(layout: Layout, stage: int, m: int, waiting: float) -> None:
    assert n_in_flight(layout, stage, m) == pytest.approx(waiting)


def test_pipelines_hold_as_many_activations_whatever_their_depth() -> None:
    """p stages of L / p layers with p micro batches in flight: those of the whole model once."""
    one = layer_activation_bytes(LLAMA, Layout(), H100) * 80
    for pp in (2, 4, 8):
        assert memory_use(LLAMA, Layout(pp=pp), H100, 64, 2.0).activations_bytes == pytest.approx(one)


def test_recompute_needs_less_memory_in_order() -> None:
    held = [
        memory_use(GPT, Layout(tp=8, recompute=r), UNFUSED, 4, 2.0).total_bytes for r in ("full", "selective", "none")
    ]
    assert held == sorted(held)
    assert held[0] < held[1] < held[2]


def test_llama_405b_on_h100_by_hand() -> None:
    """tp 8, pp 8, cp 2, v 8 as published: 50.9 GB of state and activations beside it, near what 80 GB can hold."""
    shape, layout = MODELS["llama-3.1-405b"].shape, Layout(tp=8, pp=8, cp=2, dp=8, n_virtual_stages=8)
    use = memory_use(shape, layout, H100, 64, 2.0)
    layer = (405.85e9 - 2 * 128_256 * 16_384) / 126 / 8
    assert use.weights_bytes == pytest.approx(2 * 16 * layer, rel=0.05)
    assert 60e9 < use.total_bytes < 100e9
