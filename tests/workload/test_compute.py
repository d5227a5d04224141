"""Work of a micro batch and the step on the reference node, against hand arithmetic and what must always hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.workload.reference import data_bits
from twin.catalogue import catalogue
from twin.errors import CatalogueError, DocumentError
from twin.model.known_models import MODELS, known_model
from twin.model.shape import ModelShape
from twin.workload.compute import (
    AcceleratorProfile,
    attention_flops,
    gemm_time_s,
    head_forward,
    layer_backward,
    layer_forward,
    optimizer_time_s,
)
from twin.workload.layout import Layout
from twin.workload.pipeline_stage import expert_s, layer_time, stage_time, stage_times
from twin.workload.rank_exchange import (
    all_to_all_s,
    context_bits,
    expert_bits,
    group_rate,
    n_groups_of_token,
    rank_parameters,
    ring_s,
    routed_bytes,
    stage_boundary_bits,
    stage_layers,
    tensor_bits,
)
from twin.workload.reference_node import DataExchange, NodeStep, reference_step

IDEAL = AcceleratorProfile(
    gemm_flops=1e12,
    bf16_flops=1e12,
    attention_flops=1e12,
    gemm_ramp_s=0.0,
    memory_bytes_per_s=1e30,
    n_score_passes=0.0,
    replicated_ratio=0.0,
    n_cast_passes=0.0,
    host_layer_s=0.0,
    host_micro_batch_s=0.0,
    nvlink_bytes_per_s=1e30,
    nvlink_hop_s=0.0,
    nic_gbps=8e21,
    nic_bytes_per_s=1e30,
    nic_hop_s=0.0,
    tensor_overlap_ratio=0.0,
    sharded_optimizer=True,
    n_domain=8,
    memory_bytes=80e9,
    all_to_all_ratio=1.0,
    n_route_passes=4.0,
    host_expert_layer_s=0.0,
)
"""1 TFLOP/s in products, and all else for nothing."""
REAL = {
    (part.id, precision): AcceleratorProfile.of(part.value, precision)
    for part in catalogue().parts("accelerator")
    for precision in ("bf16", "fp8")
    if f"{precision}_tflops" in part.figures
}
GPT = ModelShape(4, 512, 8, 2048, 1024, 256)
LLAMA = MODELS["llama-3.1-70b"].shape
MIXTRAL = MODELS["mixtral-8x7b"].shape
EXCHANGE = DataExchange(2.0, 2.0, 0.9, 8.0)
CUT = Layout(tp=4, pp=4, dp=4)


def step(
    shape: ModelShape = LLAMA,
    layout: Layout = CUT,
    profile: AcceleratorProfile = REAL["H100", "bf16"],
    n_batch: int = 64,
) -> NodeStep:
    return reference_step(shape, layout, profile, EXCHANGE, n_batch)


# --- parameters and FLOPs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(MODELS))
def test_known_models_have_their_published_number_of_parameters(name: str) -> None:
    known = known_model(name)
    assert known.shape.n_parameters() == pytest.approx(known.n_parameters, rel=0.02)
    assert known.shape.n_parameters(active=True) == pytest.approx(known.n_parameters_active, rel=0.02)
    assert known.source


def test_an_unknown_model_brings_near_names() -> None:
    with pytest.raises(CatalogueError, match=r"did you mean 'llama-3\.1-70b'"):
        known_model("llama-3-70b")


def test_parameters_follow_megatron() -> None:
    """Narayanan et al. 2021, eq. 2, which also counts biases and positions: P = 12 L h^2 (1 + 13/12h + (V+s)/12Lh)."""
    shape = MODELS["megatron-530b"].shape
    layers, hidden = shape.n_layers, shape.n_hidden
    count = (
        12 * layers * hidden**2 * (1 + 13 / (12 * hidden) + (shape.n_vocab + shape.n_sequence) / (12 * layers * hidden))
    )
    assert shape.n_parameters() == pytest.approx(count, rel=1e-3)


def test_flops_follow_active_parameters_and_volume_the_total() -> None:
    dense = replace(MIXTRAL, n_experts=1, n_experts_active=1, n_ffn_hidden=2 * 14_336)
    assert MIXTRAL.flops_per_token() == pytest.approx(dense.flops_per_token(), rel=1e-4)
    assert layer_forward(MIXTRAL, Layout(), IDEAL).gemm_s == pytest.approx(layer_forward(dense, Layout(), IDEAL).gemm_s)
    layout = Layout(dp=8)
    assert data_bits(MIXTRAL, layout, 2.0) / data_bits(dense, layout, 2.0) == pytest.approx(46.7 / 12.9, rel=0.01)


# --- kernels -------------------------------------------------------------------------------------------------------


def test_layer_forward_is_24_b_s_h2_and_causal_attention() -> None:
    layout = Layout(n_micro_batch=3)
    forward = layer_forward(GPT, layout, IDEAL)
    assert forward.gemm_s == pytest.approx(24 * 3 * 256 * 512**2 / 1e12)
    assert forward.attention_s == pytest.approx(2 * 3 * 256 * 256 * 512 / 1e12)
    assert attention_flops(GPT, layout) == 2 * 3 * 256 * 256 * 512
    head = head_forward(GPT, layout, IDEAL)
    assert head.gemm_s == pytest.approx(2 * 3 * 256 * 512 * 1024 / 1e12)


def test_layer_is_cut_evenly_by_tensor_and_context_ranks() -> None:
    whole = layer_forward(GPT, Layout(), IDEAL)
    for cut in (Layout(tp=4), Layout(cp=4), Layout(tp=2, cp=2)):
        part = layer_forward(GPT, cut, IDEAL)
        assert part.gemm_s == pytest.approx(whole.gemm_s / 4)
        assert part.attention_s == pytest.approx(whole.attention_s / 4)


def test_backward_is_twice_forward_and_recompute_once_more() -> None:
    forward = layer_forward(GPT, Layout(), IDEAL)
    back = layer_backward(forward, Layout(), IDEAL)
    assert back.gemm_s == 2 * forward.gemm_s
    assert back.attention_s == 2.5 * forward.attention_s
    full = layer_backward(forward, Layout(recompute="full"), IDEAL)
    assert full.total_s == pytest.approx(back.total_s + forward.total_s)
    selective = layer_backward(forward, Layout(recompute="selective"), IDEAL)
    assert selective.total_s == pytest.approx(back.total_s + forward.attention_s)


def test_a_product_takes_its_flops_and_a_ramp_or_its_bytes() -> None:
    profile = replace(IDEAL, gemm_ramp_s=1e-3, memory_bytes_per_s=1e9)
    assert gemm_time_s(profile, 4096, 4096, 4096, 1e12) == pytest.approx(2 * 4096**3 / 1e12 + 1e-3)
    assert gemm_time_s(profile, 1, 4096, 4096, 1e12) == pytest.approx(2 * (4096**2 + 2 * 4096) / 1e9 + 1e-3)


def test_efficiency_of_a_product_is_f_over_f_plus_f0() -> None:
    profile = replace(IDEAL, gemm_ramp_s=1e-5)
    flops, ramp_flops = 2.0 * 1024**3, 1e-5 * 1e12
    reached = flops / gemm_time_s(profile, 1024, 1024, 1024, 1e12)
    assert reached == pytest.approx(1e12 * flops / (flops + ramp_flops))


def test_scores_in_memory_cost_bytes_by_the_square_of_the_sequence() -> None:
    profile = replace(IDEAL, memory_bytes_per_s=1e12, n_score_passes=5.0)
    fused = replace(profile, n_score_passes=0.0)
    more = layer_forward(GPT, Layout(), profile).memory_s - layer_forward(GPT, Layout(), fused).memory_s
    assert more == pytest.approx(5 * 2 * 8 * 256**2 / 1e12)
    # and every score is made, those in the future too
    assert layer_forward(GPT, Layout(), profile).attention_s == 2 * layer_forward(GPT, Layout(), fused).attention_s


def test_optimizer_moves_34_bytes_a_parameter() -> None:
    assert optimizer_time_s(1e9, replace(IDEAL, memory_bytes_per_s=1e12)) == pytest.approx(0.034)


def test_host_is_a_floor_of_each_pass() -> None:
    profile = replace(IDEAL, host_layer_s=1.0)
    layer = layer_time(GPT, Layout(recompute="full"), profile)
    assert (layer.forward_s, layer.backward_s) == (1.0, 2.0)
    assert layer_time(GPT, Layout(), profile).backward_s == 1.0


# --- exchange ------------------------------------------------------------------------------------------------------


def test_bits_of_each_exchange_by_hand() -> None:
    layout = Layout(tp=4, cp=2, n_micro_batch=2)
    assert tensor_bits(LLAMA, layout) == 16 * 2 * 8192 / 2 * 8192
    assert stage_boundary_bits(LLAMA, layout) == tensor_bits(LLAMA, layout) / 4
    # keys and values of 8 of 64 heads, one hop
    assert context_bits(LLAMA, layout) == 16 * 2 * (2 * 8192 / 2) * 1024 / 4
    # two experts of eight ranks: 7/8 of the routed rows leave
    assert expert_bits(MIXTRAL, Layout(dp=8, ep=8)) == pytest.approx(16 * 4096 * 2 * 4096 * 7 / 8)
    assert expert_bits(MIXTRAL, Layout(dp=8)) == 0
    assert data_bits(LLAMA, Layout(dp=4), 2.0) == pytest.approx(16 * LLAMA.n_parameters() * 3 / 4, rel=1e-9)


def test_rings_inside_a_domain_use_nvlink_and_beyond_it_all_nics_of_the_members() -> None:
    profile = replace(IDEAL, nvlink_bytes_per_s=400e9, nic_bytes_per_s=50e9)
    assert group_rate(profile, 8, 8) == 400e9
    assert group_rate(profile, 16, 8) == 400e9
    assert group_rate(profile, 16, 2) == 100e9
    assert group_rate(profile, 16, 1) == 50e9
    assert ring_s(profile, 8, 8, 400e9) == pytest.approx(7 / 8)
    assert ring_s(profile, 16, 1, 50e9) == pytest.approx(15 / 16)
    assert ring_s(profile, 1, 1, 1e9) == 0
    assert all_to_all_s(profile, 400e9, 0.0) == pytest.approx(1.0)
    assert all_to_all_s(profile, 7e9, 8e9) == pytest.approx(8e9 / 50e9)
    assert all_to_all_s(replace(profile, all_to_all_ratio=0.5), 7e9, 8e9) == pytest.approx(16e9 / 50e9)


def test_stages_that_do_not_divide_are_lighter_at_the_ends() -> None:
    assert stage_layers(MODELS["llama-3.1-405b"].shape, Layout(pp=8)) == (15, 16, 16, 16, 16, 16, 16, 15)
    assert stage_layers(LLAMA, Layout(pp=3)) == (27, 27, 26)
    for pp in range(1, 80):
        assert sum(stage_layers(LLAMA, Layout(pp=pp))) == 80


def test_stages_of_a_kind_are_timed_once() -> None:
    times = stage_times(MODELS["llama-3.1-405b"].shape, Layout(tp=8, pp=8), REAL["H100", "fp8"])
    assert [(n, time.n_layers) for n, time in times] == [(1, 15), (6, 16), (1, 15)]
    assert [n for n, _ in stage_times(LLAMA, Layout(), IDEAL)] == [1]


def test_all_stages_together_hold_the_model_once() -> None:
    alike, spread = rank_parameters(MIXTRAL, Layout(dp=8, ep=8))
    assert alike + 8 * spread == MIXTRAL.n_parameters()
    deepseek = MODELS["deepseek-v3"].shape
    alike, spread = rank_parameters(deepseek, Layout(dp=64, ep=64))
    assert alike + 64 * spread == pytest.approx(deepseek.n_parameters())


# --- the step ------------------------------------------------------------------------------------------------------


def test_equal_stages_make_m_plus_p_less_1_over_v() -> None:
    """Narayanan et al. 2021, section 2.2, with nothing to send and no head to speak of."""
    shape = replace(GPT, n_layers=16, n_vocab=1)
    for v in (1, 2):
        layout = Layout(pp=4, dp=2, n_virtual_stages=v)
        t = stage_time(shape, layout, IDEAL, 1, 4).total_s
        found = reference_step(shape, layout, IDEAL, EXCHANGE, 16)
        assert found.step_time_s == pytest.approx((8 + 3 / v) * t, rel=1e-3)


def test_exposed_exchange_by_hand() -> None:
    """1e9 bytes/s NIC, one rank a domain: RS = AG = 2 N (n-1)/n s; p = m = 1 hides w = 0.9 of 2/3 and of 1/3."""
    profile = replace(IDEAL, nic_bytes_per_s=1e9, nvlink_bytes_per_s=1e9, n_domain=1, gemm_flops=1e14)
    shape, layout = replace(GPT, n_layers=64), Layout(dp=4)
    found = reference_step(shape, layout, profile, EXCHANGE, 4)
    whole_s = 2 * shape.n_parameters() * 0.75 / 1e9
    busy_s = found.compute_s + found.bubble_s
    hand = max(whole_s - 0.6 * busy_s, whole_s / 8) + max(whole_s - 0.3 * busy_s, whole_s / 8)
    assert found.exposed_data_s == pytest.approx(hand)


def test_parts_add_up_to_the_step() -> None:
    found = step()
    parts = (found.compute_s, found.bubble_s, found.point_to_point_s, found.exposed_data_s, found.optimizer_s)
    assert min(parts) > 0
    assert sum(parts) == pytest.approx(found.step_time_s)


@pytest.mark.parametrize("recompute", ["none", "selective", "full"])
@pytest.mark.parametrize("key", sorted(REAL), ids=str)
@pytest.mark.parametrize("name", ["llama-3.1-8b", "mixtral-8x7b", "deepseek-v3", "nemotron-4-340b"])
def test_no_step_beats_the_peak(key: Any, name: str, recompute: Any) -> None:
    shape = MODELS[name].shape
    layout = Layout(tp=8, pp=4, dp=8, ep=8 if shape.n_experts > 1 else 1, recompute=recompute)
    found = step(shape, layout, REAL[key], 256)
    peak = catalogue().get(key[0]).value(f"{key[1]}_tflops") * 1e12 * layout.n_accelerators
    mfu = shape.flops_per_token() * 256 * shape.n_sequence / (found.step_time_s * peak)
    assert 0.01 < mfu < 0.8


@pytest.mark.parametrize(
    ("field", "factor"),
    [
        ("gemm_flops", 1.3),
        ("bf16_flops", 1.3),
        ("attention_flops", 1.3),
        ("gemm_ramp_s", 0.5),
        ("memory_bytes_per_s", 1.3),
        ("n_cast_passes", 0.5),
        ("nvlink_bytes_per_s", 1.3),
        ("nvlink_hop_s", 0.5),
        ("nic_bytes_per_s", 1.3),
        ("nic_hop_s", 0.5),
        ("host_layer_s", 0.5),
    ],
)
@pytest.mark.parametrize("layout", [CUT, Layout(tp=16, pp=2, dp=2), Layout(dp=64, fully_sharded=True)], ids=str)
def test_a_faster_accelerator_is_never_slower(field: str, factor: float, layout: Layout) -> None:
    for key in (("A100-80GB", "bf16"), ("H100", "fp8"), ("GB200", "bf16")):
        profile = REAL[key]
        faster = replace(profile, **{field: getattr(profile, field) * factor})
        assert step(layout=layout, profile=faster).step_time_s <= step(layout=layout, profile=profile).step_time_s * (
            1 + 1e-12
        )


def test_fewer_bytes_are_never_slower() -> None:
    for layout in (Layout(dp=64), Layout(dp=64, fully_sharded=True), CUT):
        times = [
            reference_step(LLAMA, layout, REAL["H100", "bf16"], DataExchange(n_bytes, 2.0, 0.9, 8.0), 64).step_time_s
            for n_bytes in (1.0, 2.0, 4.0)
        ]
        assert times == sorted(times)


def test_tensor_ranks_beyond_the_domain_cost_more() -> None:
    profile = REAL["H100", "bf16"]
    inside, beyond = (layer_time(LLAMA, Layout(tp=tp), profile).communication_s for tp in (8, 16))
    assert beyond > 1.2 * inside
    # a rack of 72 has them all inside
    rack = replace(profile, n_domain=72)
    assert layer_time(LLAMA, Layout(tp=16), rack).communication_s < beyond


def test_recompute_costs_time_in_order() -> None:
    times = [step(layout=replace(CUT, recompute=r)).step_time_s for r in ("none", "selective", "full")]
    assert times == sorted(times)
    assert times[2] == pytest.approx(times[0] * 4 / 3, rel=0.05)


def test_experts_over_more_ranks_exchange_tokens() -> None:
    profile = REAL["H100", "bf16"]
    near, far = (layer_time(MIXTRAL, Layout(dp=64, ep=ep), profile).communication_s for ep in (2, 8))
    assert 0 < near < far
    wide = replace(MIXTRAL, n_experts=64)
    beyond = layer_time(wide, Layout(dp=64, ep=64), profile).communication_s
    assert beyond > 4 * far


def test_a_token_goes_once_to_each_group_with_experts_of_it() -> None:
    # two of eight experts, two experts a group: the second lies with the first one time in seven
    assert n_groups_of_token(MIXTRAL, 4) == pytest.approx(1 / 7 + 2 * 6 / 7)
    assert n_groups_of_token(MIXTRAL, 8) == pytest.approx(2)
    assert n_groups_of_token(MIXTRAL, 1) == 1
    assert routed_bytes(MIXTRAL, Layout(dp=8, ep=8), 1) == 0
    four = routed_bytes(MIXTRAL, Layout(dp=8, ep=4), 4)
    assert four == pytest.approx(2 * 4096 * 4096 * (1 / 7 + 2 * 6 / 7) * 3 / 4)


def test_between_domains_a_token_crosses_once_and_is_spread_inside() -> None:
    profile = replace(IDEAL, nvlink_bytes_per_s=400e9, nic_bytes_per_s=50e9)
    wide, layout = replace(MIXTRAL, n_experts=64, n_experts_active=8), Layout(dp=32, ep=32)
    assert expert_s(wide, layout, profile, 8) == pytest.approx(routed_bytes(wide, layout, 4) / 50e9)
    assert expert_s(wide, layout, profile, 32) == pytest.approx(routed_bytes(wide, layout, 32) / 400e9)
    assert expert_s(wide, layout, profile, 1) == pytest.approx(routed_bytes(wide, layout, 32) / 50e9)
    only_nvlink = replace(profile, nic_bytes_per_s=1e30)
    near = routed_bytes(wide, layout, 32) * (4 * 7) / 31
    assert expert_s(wide, layout, only_nvlink, 8) == pytest.approx(near / 400e9)


def test_rows_on_their_way_to_experts_hide_behind_another_micro_batch() -> None:
    profile = replace(IDEAL, nvlink_bytes_per_s=400e9)
    layout = Layout(dp=8, ep=8)
    shown, hidden = (layer_time(MIXTRAL, replace(layout, expert_overlap=o), profile) for o in (False, True))
    assert shown.communication_s == pytest.approx(4 * expert_s(MIXTRAL, layout, profile, 8))
    assert hidden.communication_s == 0
    slow = replace(profile, nvlink_bytes_per_s=1e6)
    found = layer_time(MIXTRAL, replace(layout, expert_overlap=True), slow)
    forward = layer_forward(MIXTRAL, layout, slow)
    work_s = forward.total_s + layer_backward(forward, layout, slow).total_s
    assert found.communication_s == pytest.approx(4 * expert_s(MIXTRAL, layout, slow, 8) - work_s)


def test_eager_layers_with_experts_wait_for_the_host() -> None:
    profile = replace(IDEAL, gemm_flops=1e18, host_layer_s=1.0, host_expert_layer_s=3.0)
    eager = Layout(eager=True)
    assert layer_time(MIXTRAL, Layout(), profile).forward_s == 1.0
    assert layer_time(MIXTRAL, eager, profile).forward_s == 3.0
    assert layer_time(MIXTRAL, eager, profile).backward_s == 3.0
    assert layer_time(MIXTRAL, replace(eager, recompute="full"), profile).backward_s == 6.0
    assert layer_time(MIXTRAL, eager, profile, dense=True).forward_s == 1.0
    assert layer_time(LLAMA, eager, replace(profile, attention_flops=1e30)).forward_s == 1.0


def test_a_layer_that_predicts_further_has_a_projection_and_logits_of_its_own() -> None:
    deepseek = MODELS["deepseek-v3"].shape
    further = replace(deepseek, n_layers=62, n_predict_layers=1)
    one_layer = replace(deepseek, n_layers=62)
    assert further.n_parameters() - one_layer.n_parameters() == 2 * 7168**2
    # DeepSeek-V3 report, section 4.2: 14 billion parameters besides the 671, of which embedding and output are shared
    assert further.n_parameters() - deepseek.n_parameters() == pytest.approx(11.5e9, rel=0.02)
    more = 6 * (2 * 7168**2 + 129_280 * 7168)
    assert further.flops_per_token() - one_layer.flops_per_token() == pytest.approx(more)
    plain, twice = (head_forward(shape, Layout(), IDEAL).gemm_s for shape in (one_layer, further))
    assert twice == pytest.approx(2 * plain + 2 * 4096 * 2 * 7168**2 / 1e12)
    held = rank_parameters(further, Layout())[0] - rank_parameters(one_layer, Layout())[0]
    assert held == pytest.approx(2 * 7168**2)


def test_first_layers_without_experts_are_timed_as_such() -> None:
    deepseek = MODELS["deepseek-v3"].shape
    layout = Layout(dp=64, ep=64)
    profile = REAL["H100", "fp8"]
    all_routed = replace(deepseek, n_dense_layers=0)
    with_dense, without = (stage_time(s, layout, profile, 0, 61).total_s for s in (deepseek, all_routed))
    one, other = (layer_time(deepseek, layout, profile, dense=dense) for dense in (True, False))
    saved = 3 * (other.forward_s + other.backward_s - one.forward_s - one.backward_s)
    assert without - with_dense == pytest.approx(saved)


def test_fp8_needs_an_accelerator_that_has_it() -> None:
    with pytest.raises(CatalogueError, match="no figure 'fp8_tflops'"):
        AcceleratorProfile.of(catalogue().get("A100-80GB").value, "fp8")


def test_every_accelerator_has_the_figures_of_the_step() -> None:
    assert {part.id for part in catalogue().parts("accelerator")} == {accelerator for accelerator, _ in REAL}
    for profile in REAL.values():
        assert profile.gemm_flops > 0
        assert profile.n_domain >= 8


PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "calibration.md"


def test_the_page_tells_the_constants_of_the_catalogue() -> None:
    table = PAGE.read_text(encoding="utf-8").split("| constant |")[1].split("\n\n")[0]
    n_told = 0
    for line in table.splitlines()[2:]:
        names, *columns = (cell.strip() for cell in line.strip("|").split("|"))
        for part_id, column in zip(("A100-80GB", "H100", "GB200", "GB300"), columns, strict=True):
            column = column.replace("as GB200", columns[2])
            for name, told in zip(names.split(", "), column.split(", "), strict=True) if column else ():
                assert catalogue().get(part_id).value(name.strip("`")) == pytest.approx(float(told), rel=2e-3)
                n_told += 1
    assert n_told == 4 * 14 - 1 + 3 * 3


# --- layouts that do not hold --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "shape", "n_batch", "n_accelerators", "told"),
    [
        (CUT, LLAMA, 64, 65, r"parallel: tp x pp x cp x dp = 64 is not the 65 .*expected dp: 4"),
        (CUT, LLAMA, 63, 64, r"global_batch: 63 sequences .*expected a multiple of 4"),
        (Layout(tp=3), LLAMA, 64, None, r"parallel\.tp: 64 heads do not divide by tp 3; .*\[1, 2, 4, 8, 16, 32, 64\]"),
        (Layout(cp=3), LLAMA, 64, None, r"parallel\.cp: .* does not divide by cp 3"),
        (Layout(pp=81), LLAMA, 64, None, r"parallel\.pp: 81 stages .* more than 80 layers; expected pp x .* up to 80"),
        (Layout(pp=8, n_virtual_stages=11), LLAMA, 64, None, r"8 stages of 11 pieces"),
        (Layout(dp=8, ep=3), MIXTRAL, 64, None, r"parallel\.ep: 8 experts do not divide by ep 3; .*\[1, 2, 4, 8\]"),
        (Layout(dp=4, ep=8), MIXTRAL, 64, None, r"parallel\.ep: the 4 ranks of a stage do not divide by ep 8"),
        (Layout(pp=8, n_virtual_stages=2), LLAMA, 4, None, r"virtual_stages: 4 micro batches are fewer than the 8"),
    ],
)
def test_a_layout_that_does_not_hold_says_which_rule_and_what_would(
    layout: Layout, shape: ModelShape, n_batch: int, n_accelerators: int | None, told: str
) -> None:
    with pytest.raises(DocumentError, match=told):
        layout.check(shape, n_batch, n_accelerators)


def test_a_layout_that_holds_is_silent() -> None:
    CUT.check(LLAMA, 64, 64)
    Layout(tp=8, pp=8, cp=2, dp=16, n_virtual_stages=8).check(MODELS["llama-3.1-405b"].shape, 1024, 2048)
