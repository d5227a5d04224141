"""Local SGD (DiLoCo): replicas that meet only every H steps; what it saves in time, and what it costs in loss.

The two belong together: `local_sgd` answers both at once, and nothing here gives a step time to be shown alone.

Time. The schedule of Douillard et al. 2025 (Streaming DiLoCo, arXiv:2501.18512, section 3.1 and table 4), worked out
instead of simulated. A step is three equal passes over the layers: forwards from the first layer to the last, backwards
with a gradient by activations and one by parameters for each layer. A layer's share is reduced between the replicas as
soon as its gradient is there, one layer after the other over the wide area; the next step (with overlap of tau, the one
tau later) cannot pass that layer going forwards before it is back. Local devices exchange for nothing.

Loss. How much worse the evaluation loss ends than with data-parallel training on the same tokens: published runs up to
ten billion parameters, two and four replicas, exchanges every 30 and 100 steps. Elsewhere an estimate, and said so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..catalogue import Catalogue
from ..errors import DocumentError

BITS_PER_GIGABIT = 1e9
LOSS_FIGURES = ("replica_loss_ratio", "replica_loss_fall_ratio", "local_steps_loss_ratio", "loss_band_ratio")
"""Of the catalogue, that the loss penalty is made from."""
LOSS_N_PARAMETERS = (35e6, 10e9)
LOSS_N_REPLICAS = (2, 4)
LOSS_N_LOCAL_STEPS = (30, 100)
"""From the smallest to the largest that the published losses were measured at."""


@dataclass(frozen=True, slots=True)
class LocalSchedule:
    """Who exchanges what, how often. `n_local_steps` = 1 is data-parallel training.

    step_time_s: computing alone. n_fragment_layers: layers that are exchanged together (None = all at once, which is
    DiLoCo); fragment p of P holds the layers p, p + P, p + 2 P, and the fragments take turns within the H steps.
    n_overlap_steps: tau, whole steps that an exchange may take without anybody waiting. bits_per_parameter: 16 of bf16,
    4 of FP4; parameters lie evenly on the layers. Among more than two replicas low precision needs sums that are cut
    again on the way, which is not counted. Raises DocumentError for what makes no sense.
    """

    n_parameters: float
    n_layers: int
    step_time_s: float
    n_replicas: int = 2
    n_local_steps: int = 1
    n_fragment_layers: int | None = None
    n_overlap_steps: int = 0
    bits_per_parameter: float = 16.0

    def __post_init__(self) -> None:
        for name in ("n_parameters", "step_time_s", "bits_per_parameter"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise DocumentError(f"{value}", where=name, expected="a number above 0")
        for name in ("n_layers", "n_replicas", "n_local_steps", "n_fragment_layers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise DocumentError(f"{value}", where=name, expected="1 or more")
        if self.n_overlap_steps < 0:
            raise DocumentError(f"{self.n_overlap_steps}", where="n_overlap_steps", expected="0 or more")
        if self.n_fragments * (1 + self.n_overlap_steps) > self.n_local_steps:
            raise DocumentError(
                f"{self.n_fragments} fragments in {self.n_local_steps} steps, each for {1 + self.n_overlap_steps}",
                where="n_local_steps",
                expected="one fragment on its way at a time",
                hint="larger fragments, less overlap, or more local steps",
            )

    @property
    def n_fragments(self) -> int:
        """P, exchanges in `n_local_steps`."""
        return 1 if self.n_fragment_layers is None else -(-self.n_layers // self.n_fragment_layers)

    @property
    def layer_bits(self) -> float:
        """What a replica sends, and takes in, to reduce one layer: 2 (M - 1)/M of it, as every all-reduce must."""
        share = 2.0 * (self.n_replicas - 1) / self.n_replicas
        return share * self.bits_per_parameter * self.n_parameters / self.n_layers


@dataclass(frozen=True, slots=True)
class LossPenalty:
    """Evaluation loss over that of data-parallel training on the same tokens; 1.01 is one per cent worse.

    status: published inside the range of the runs that it is fitted to, estimate outside; `why` says which it is, and
    `source` where the runs are.
    """

    low_ratio: float
    central_ratio: float
    high_ratio: float
    status: Literal["published", "estimate"]
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class LocalSgd:
    """Speed and its price. step_time_s: mean over the H steps, waiting included; exposed_time_s: the waiting in it."""

    step_time_s: float
    exposed_time_s: float
    compute_utilisation_ratio: float
    loss: LossPenalty


def local_sgd(
    schedule: LocalSchedule, bandwidth_gbps: float, catalogue: Catalogue, *, latency_us: float = 0.0
) -> LocalSgd:
    """Time of a step and penalty on the loss. bandwidth_gbps: one direction of one replica; 0 = never done.

    latency_us: one way and back, from a layer's last bit sent until it is reduced. A link that is busy for longer than
    the steps take sets the pace.
    """
    exposed_s = _waiting_s(schedule, bandwidth_gbps, latency_us) / schedule.n_local_steps
    step_s = schedule.step_time_s + exposed_s
    return LocalSgd(
        step_time_s=step_s,
        exposed_time_s=exposed_s,
        compute_utilisation_ratio=schedule.step_time_s / step_s,
        loss=loss_penalty(schedule.n_replicas, schedule.n_local_steps, schedule.n_parameters, catalogue),
    )


def _waiting_s(schedule: LocalSchedule, bandwidth_gbps: float, latency_us: float) -> float:
    """Seconds waited in all within `n_local_steps`."""
    if not bandwidth_gbps >= 0 or not latency_us >= 0:
        raise DocumentError(f"{bandwidth_gbps} Gb/s and {latency_us} µs", expected="0 or more of each")
    layer_s = schedule.layer_bits / (bandwidth_gbps * BITS_PER_GIGABIT) if bandwidth_gbps else math.inf
    return waiting_s(schedule, layer_s, latency_us)


def waiting_s(schedule: LocalSchedule, layer_s: float, latency_us: float) -> float:
    """Seconds waited in all within `n_local_steps`, where a layer takes `layer_s` between the replicas."""
    if schedule.n_replicas == 1:
        return 0.0
    if math.isinf(layer_s):
        return math.inf
    fragments = (_fragment_waiting_s(schedule, p, layer_s, latency_us * 1e-6) for p in range(schedule.n_fragments))
    computing_s = schedule.n_local_steps * schedule.step_time_s
    return max(sum(fragments), schedule.n_layers * layer_s - computing_s)


def _fragment_waiting_s(schedule: LocalSchedule, first: int, layer_s: float, latency_s: float) -> float:
    """Seconds by which the forward pass that needs a fragment has to wait for it, its layers counted from 0.

    Gradients come from the last layer to the first, over two thirds of the step, and are sent in that order; the
    forward pass of a later step needs the first layer first.
    """
    pass_s = schedule.step_time_s / 3.0
    pass_layer_s = pass_s / schedule.n_layers
    needed_s = schedule.step_time_s * (1 + schedule.n_overlap_steps)
    sent_s = waiting_s = 0.0
    for layer in reversed(range(first, schedule.n_layers, schedule.n_fragments)):
        ready_s = pass_s + 2.0 * pass_layer_s * (schedule.n_layers - layer)
        sent_s = max(sent_s, ready_s) + layer_s
        waiting_s = max(waiting_s, sent_s + latency_s - (needed_s + pass_layer_s * layer))
    return waiting_s


def loss_penalty(n_replicas: int, n_local_steps: int, n_parameters: float, catalogue: Catalogue) -> LossPenalty:
    """What local steps cost in evaluation loss; nothing for a single replica or an exchange at every step.

    1 + a (M - 1) (N / 1e9)^-b + c log2(M) ln(H / 30), fitted to the losses of tables 5 and 6 of Streaming DiLoCo
    (arXiv:2501.18512) and table 4 of the scaling laws (arXiv:2503.09799), M replicas, N parameters. Larger models lose
    less by having more replicas, but gain nothing beyond the largest that was tried, and nobody gains by exchanging
    more often than every 30 steps. The band is the largest residual, doubled outside the range of the runs; the ends
    of c are those of its source: the low one is what DiLoCo (arXiv:2311.08105) saw between 50 and 1000 steps. Below 1
    is a loss better than data-parallel, which the runs at four and ten billion parameters did see (by 0.2 %). Same
    tokens for both; trained on many more than 20 tokens a parameter the difference shrank.
    """
    if n_replicas < 1 or n_local_steps < 1 or not n_parameters > 0:
        raise DocumentError(
            f"{n_replicas} replicas, {n_local_steps} local steps, {n_parameters} parameters",
            expected="1 or more of each",
        )
    if n_replicas == 1 or n_local_steps == 1:
        return LossPenalty(1.0, 1.0, 1.0, "published", "data-parallel training", "by definition")
    per_replica = catalogue.general_figure("replica_loss_ratio")
    fall = catalogue.general_figure("replica_loss_fall_ratio").value
    per_steps = catalogue.general_figure("local_steps_loss_ratio")
    band = catalogue.general_figure("loss_band_ratio").value
    smallest, largest = LOSS_N_PARAMETERS
    replicas = per_replica.value * (n_replicas - 1) * (min(max(n_parameters, smallest), largest) / 1e9) ** -fall
    steps = math.log2(n_replicas) * math.log(max(n_local_steps, LOSS_N_LOCAL_STEPS[0]) / LOSS_N_LOCAL_STEPS[0])
    beyond = _beyond(n_replicas, n_local_steps, n_parameters)
    if beyond:
        band *= 2.0
    return LossPenalty(
        low_ratio=1.0 + replicas + per_steps.low * steps - band,
        central_ratio=1.0 + replicas + per_steps.value * steps,
        high_ratio=1.0 + replicas + per_steps.high * steps + band,
        status="estimate" if beyond else "published",
        why=f"extrapolated: {', '.join(beyond)}" if beyond else "within the published runs",
        source=per_replica.source,
    )


def _beyond(n_replicas: int, n_local_steps: int, n_parameters: float) -> list[str]:
    """What lies outside the published runs, in words."""
    found = []
    if not LOSS_N_REPLICAS[0] <= n_replicas <= LOSS_N_REPLICAS[1]:
        found.append(f"{n_replicas} replicas (tried: {LOSS_N_REPLICAS[0]} to {LOSS_N_REPLICAS[1]})")
    if not LOSS_N_LOCAL_STEPS[0] <= n_local_steps <= LOSS_N_LOCAL_STEPS[1]:
        found.append(f"{n_local_steps} local steps (tried: {LOSS_N_LOCAL_STEPS[0]} to {LOSS_N_LOCAL_STEPS[1]})")
    if not LOSS_N_PARAMETERS[0] <= n_parameters <= LOSS_N_PARAMETERS[1]:
        found.append(f"{n_parameters:.3g} parameters (tried: 3.5e7 to 1e10)")
    return found
