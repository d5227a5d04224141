"""The table of fixture kinds. A new kind is a module with a `given` model and a runner, and one row."""

from __future__ import annotations

from .availability import AvailabilityGiven, run_availability
from .collective import CollectiveGiven, run_collective
from .figures import Kind
from .hash_collision import (
    HashCollisionGiven,
    HashCollisionShared,
    bind_hash_collision,
    run_hash_collision,
)
from .link_load import LinkLoadGiven, run_link_load
from .max_min import MaxMinGiven, run_max_min
from .optical_line import OpticalLineGiven, run_optical_line
from .training_step import TrainingStepGiven, run_training_step
from .whatif import WhatIfGiven, run_whatif

KINDS: dict[str, Kind] = {
    "availability": Kind(
        AvailabilityGiven, run_availability, "Time that demands, pairs of sites and jobs are not served in a year."
    ),
    "collective": Kind(CollectiveGiven, run_collective, "Time of a collective over tiers of a hierarchy."),
    "hash_collision": Kind(
        HashCollisionGiven,
        run_hash_collision,
        "Efficiency of hashed flows in a fabric: the busiest link of all.",
        HashCollisionShared,
        bind_hash_collision,
    ),
    "link_load": Kind(LinkLoadGiven, run_link_load, "Link loads of demands on equal-cost paths, and the optimum."),
    "max_min": Kind(MaxMinGiven, run_max_min, "Max-min fair rates of flows over links."),
    "optical_line": Kind(OpticalLineGiven, run_optical_line, "OSNR, nonlinear SNR and GSNR of an amplified line."),
    "training_step": Kind(
        TrainingStepGiven, run_training_step, "One training step on the reference node of an accelerator, no network."
    ),
    "whatif": Kind(WhatIfGiven, run_whatif, "Metrics of a network after a plan or changes, or as it stands."),
}
