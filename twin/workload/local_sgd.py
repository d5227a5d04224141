"""Local SGD (DiLoCo): replicas that exchange only every H steps, with the time saved and the loss added.

`local_sgd` returns both at once, so that no step time is shown without its loss.

Time: the schedule of Douillard et al. 2025 (Streaming DiLoCo, arXiv:2501.18512, section 3.1 and table 4), computed in
closed form. A step is three equal passes over the layers: forward from the first layer to the last, then backward with
one gradient by activations and one by parameters for each layer. A layer is reduced between the replicas as soon as its
gradient exists, one layer after another over the wide area. The next step (with an overlap of tau, the one tau steps
later) waits for that layer in its forward pass. Exchange among local devices takes no time.

Loss: how much higher the evaluation loss ends than with data-parallel training on the same tokens. Published runs have
up to ten billion parameters, two and four replicas, and an exchange every 30 and 100 steps. Elsewhere it is an
estimate, and marked as one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ..catalogue import Catalogue
from ..errors import DocumentError

BITS_PER_GIGABIT = 1e9
LOSS_FIGURES = ("replica_loss_ratio", "replica_loss_fall_ratio", "local_steps_loss_ratio", "loss_band_ratio")
"""Figures of the catalogue that the loss penalty is computed from."""
LOSS_N_PARAMETERS = (35e6, 10e9)
LOSS_N_REPLICAS = (2, 4)
LOSS_N_LOCAL_STEPS = (30, 100)
"""Range of local steps in the published runs, as the two ranges above."""


@dataclass(frozen=True, slots=True)
class LocalSchedule:
    """Schedule of the exchange. `n_local_steps` = 1 is data-parallel training.

    step_time_s: compute only. n_fragment_layers: layers that are exchanged together (None = all at once, which is
    DiLoCo). Fragment p of P holds the layers p, p + P, p + 2 P, and the fragments take turns within the H steps.
    n_overlap_steps: tau, whole steps that an exchange may take without a wait. bits_per_parameter: 16 for bf16, 4 for
    FP4; parameters are spread equally over the layers. With more than two replicas, low precision needs sums that are
    rounded again on the way. That is not counted.

    Raises:
        DocumentError: a value out of range, or fragments that do not fit into the local steps.
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
        """Bits that a replica sends, and receives, to reduce one layer: 2 (M - 1)/M of it, as in every all-reduce."""
        volume_ratio = 2.0 * (self.n_replicas - 1) / self.n_replicas
        return volume_ratio * self.bits_per_parameter * self.n_parameters / self.n_layers


@dataclass(frozen=True, slots=True)
class LossPenalty:
    """Evaluation loss over that of data-parallel training on the same tokens; 1.01 is one per cent higher.

    status: `published` within the range of the runs that it is fitted to, `estimate` outside. `why` says which range,
    and `source` names the runs.
    """

    low_ratio: float
    central_ratio: float
    high_ratio: float
    status: Literal["published", "estimate"]
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class LocalSgd:
    """Step time and loss. step_time_s: mean over the H steps with waiting. exposed_time_s: the waiting in it."""

    step_time_s: float
    exposed_time_s: float
    compute_utilisation_ratio: float
    loss: LossPenalty


def local_sgd(
    schedule: LocalSchedule, bandwidth_gbps: float, catalogue: Catalogue, *, latency_us: float = 0.0
) -> LocalSgd:
    """Compute step time and loss penalty of local SGD.

    Args:
        schedule: the schedule.
        bandwidth_gbps: one direction of one replica; the exchange never ends with 0.
        catalogue: source of the loss figures.
        latency_us: round trip, from a layer's last bit sent until it is reduced.

    Returns:
        A link that is busy for longer than the steps take sets the step time.
    """
    exposed_s = _waiting_at_bandwidth_s(schedule, bandwidth_gbps, latency_us) / schedule.n_local_steps
    step_s = schedule.step_time_s + exposed_s
    return LocalSgd(
        step_time_s=step_s,
        exposed_time_s=exposed_s,
        compute_utilisation_ratio=schedule.step_time_s / step_s,
        loss=loss_penalty(schedule.n_replicas, schedule.n_local_steps, schedule.n_parameters, catalogue),
    )


def _waiting_at_bandwidth_s(schedule: LocalSchedule, bandwidth_gbps: float, latency_us: float) -> float:
    """Total wait in seconds within `n_local_steps`, at a bandwidth."""
    if not bandwidth_gbps >= 0 or not latency_us >= 0:
        raise DocumentError(f"{bandwidth_gbps} Gb/s and {latency_us} µs", expected="0 or more of each")
    layer_s = schedule.layer_bits / (bandwidth_gbps * BITS_PER_GIGABIT) if bandwidth_gbps else math.inf
    return waiting_s(schedule, layer_s, latency_us)


def waiting_s(schedule: LocalSchedule, layer_s: float, latency_us: float) -> float:
    """Total wait in seconds within `n_local_steps`.

    Args:
        schedule: the schedule.
        layer_s: seconds to exchange one layer between the replicas.
        latency_us: as in `local_sgd`.
    """
    if schedule.n_replicas == 1:
        return 0.0
    if math.isinf(layer_s):
        return math.inf
    fragments = (_fragment_waiting_s(schedule, p, layer_s, latency_us * 1e-6) for p in range(schedule.n_fragments))
    computing_s = schedule.n_local_steps * schedule.step_time_s
    return max(sum(fragments), schedule.n_layers * layer_s - computing_s)


def _fragment_waiting_s(schedule: LocalSchedule, first: int, layer_s: float, latency_s: float) -> float:
    """Wait in seconds of the forward pass that needs a fragment; its layers are counted from 0.

    Gradients come from the last layer to the first, over two thirds of the step, and are sent in that order. The
    forward pass of a later step needs the first layer first.
    """
    pass_s = schedule.step_time_s / 3.0
    pass_layer_s = pass_s / schedule.n_layers
    needed_s = schedule.step_time_s * (1 + schedule.n_overlap_steps)
    sent_end_s = waiting_s = 0.0
    for layer in reversed(range(first, schedule.n_layers, schedule.n_fragments)):
        ready_s = pass_s + 2.0 * pass_layer_s * (schedule.n_layers - layer)
        sent_end_s = max(sent_end_s, ready_s) + layer_s
        waiting_s = max(waiting_s, sent_end_s + latency_s - (needed_s + pass_layer_s * layer))
    return waiting_s


def loss_penalty(n_replicas: int, n_local_steps: int, n_parameters: float, catalogue: Catalogue) -> LossPenalty:
    """Compute the loss penalty of local steps; 1 for a single replica or an exchange at every step.

    1 + a (M - 1) (N / 1e9)^-b + c log2(M) ln(H / 30), with M replicas and N parameters. It is fitted to the losses of
    tables 5 and 6 of Streaming DiLoCo (arXiv:2501.18512) and table 4 of the scaling laws (arXiv:2503.09799).

    Larger models lose less with more replicas, but the fit assumes no gain beyond the largest model of the runs. It
    also assumes no gain from exchange more often than every 30 steps. The band is the largest residual, doubled outside
    the range of the runs. The ends of c are those of its source: the low one is what DiLoCo (arXiv:2311.08105) saw
    between 50 and 1000 steps. A ratio below 1 is a lower loss than data-parallel, which the runs at four and ten
    billion parameters did see (by 0.2 %). Both use the same tokens. The difference was smaller after many more than 20
    tokens per parameter.
    """
    if n_replicas < 1 or n_local_steps < 1 or not n_parameters > 0:
        raise DocumentError(
            f"{n_replicas} replicas, {n_local_steps} local steps, {n_parameters} parameters",
            expected="1 or more of each",
        )
    if n_replicas == 1 or n_local_steps == 1:
        return LossPenalty(1.0, 1.0, 1.0, "published", "data-parallel training", "by definition")
    per_replica = catalogue.general_figure("replica_loss_ratio")
    exponent = catalogue.general_figure("replica_loss_fall_ratio").value
    per_steps = catalogue.general_figure("local_steps_loss_ratio")
    band_ratio = catalogue.general_figure("loss_band_ratio").value
    smallest, largest = LOSS_N_PARAMETERS
    replicas_ratio = (
        per_replica.value * (n_replicas - 1) * (min(max(n_parameters, smallest), largest) / 1e9) ** -exponent
    )
    log_steps = math.log2(n_replicas) * math.log(max(n_local_steps, LOSS_N_LOCAL_STEPS[0]) / LOSS_N_LOCAL_STEPS[0])
    outside = _outside_published_range(n_replicas, n_local_steps, n_parameters)
    if outside:
        band_ratio *= 2.0
    return LossPenalty(
        low_ratio=1.0 + replicas_ratio + per_steps.low * log_steps - band_ratio,
        central_ratio=1.0 + replicas_ratio + per_steps.value * log_steps,
        high_ratio=1.0 + replicas_ratio + per_steps.high * log_steps + band_ratio,
        status="estimate" if outside else "published",
        why=f"extrapolated: {', '.join(outside)}" if outside else "within the published runs",
        source=per_replica.source,
    )


def _outside_published_range(n_replicas: int, n_local_steps: int, n_parameters: float) -> list[str]:
    """Inputs that lie outside the published runs, as texts."""
    outside = []
    if not LOSS_N_REPLICAS[0] <= n_replicas <= LOSS_N_REPLICAS[1]:
        outside.append(f"{n_replicas} replicas (tried: {LOSS_N_REPLICAS[0]} to {LOSS_N_REPLICAS[1]})")
    if not LOSS_N_LOCAL_STEPS[0] <= n_local_steps <= LOSS_N_LOCAL_STEPS[1]:
        outside.append(f"{n_local_steps} local steps (tried: {LOSS_N_LOCAL_STEPS[0]} to {LOSS_N_LOCAL_STEPS[1]})")
    if not LOSS_N_PARAMETERS[0] <= n_parameters <= LOSS_N_PARAMETERS[1]:
        outside.append(f"{n_parameters:.3g} parameters (tried: 3.5e7 to 1e10)")
    return outside
