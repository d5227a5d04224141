"""Phase capacity: what the arcs of a job give each of its phases, and how long bits take there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import Floats, Ints

GBIT = 1e9
FLOW_KINDS = ("local", "pipeline", "crossing", "context", "expert", "wide_area")
"""Kinds of flow sets of a job. Reduce-scatter and all-gather of a site run over the same flows: `local`."""


@dataclass(frozen=True, eq=False)
class PhaseCapacity:
    """Capacity by row of the loads for each kind of flow sets, and the share of a phase's rate that collisions leave.

    A limit lowers the capacity of a kind on single arcs. An efficiency slows all arcs of a kind by the same ratio: the
    time of the phase under even splitting is divided by it. Where phases share an arc, their times add up.
    """

    gbps: Mapping[str, Floats]
    """Gb/s by kind, without what background demands carry; float64[n_rows] each."""
    efficiency_ratio: Mapping[str, float]
    """Time of a kind under even splitting over its time with hash collisions, above 0 and up to 1."""

    @classmethod
    def of(cls, gbps: Mapping[str, Floats]) -> PhaseCapacity:
        """Capacity by kind without collisions."""
        return cls(gbps, dict.fromkeys(FLOW_KINDS, 1.0))

    @classmethod
    def same_for_all(cls, gbps: Floats) -> PhaseCapacity:
        """Give every kind the same capacity."""
        return cls(dict.fromkeys(FLOW_KINDS, gbps), dict.fromkeys(FLOW_KINDS, 1.0))

    def lowered(self, gbps: Mapping[str, Floats]) -> PhaseCapacity:
        """Lower the capacity of these kinds to these limits."""
        lower = {kind: np.minimum(self.gbps[kind], limit) for kind, limit in gbps.items()}
        return PhaseCapacity({**self.gbps, **lower}, self.efficiency_ratio)

    def with_efficiency(self, efficiency_ratio: Mapping[str, float]) -> PhaseCapacity:
        """Replace the efficiency of these kinds."""
        return PhaseCapacity(self.gbps, {**self.efficiency_ratio, **efficiency_ratio})

    def slowed(self, speed_ratio: Mapping[str, float]) -> PhaseCapacity:
        """Slow all arcs of these kinds by these ratios."""
        slower = {kind: self.efficiency_ratio[kind] * ratio for kind, ratio in speed_ratio.items()}
        return PhaseCapacity(self.gbps, {**self.efficiency_ratio, **slower})

    def take_rows(self, rows: Ints) -> PhaseCapacity:
        """Take the capacity on these rows only."""
        return PhaseCapacity({kind: column[rows] for kind, column in self.gbps.items()}, self.efficiency_ratio)

    def columns(self) -> list[Floats]:
        """Capacities of all kinds, each array once, in a fixed order."""
        return list({id(self.gbps[kind]): self.gbps[kind] for kind in FLOW_KINDS}.values())

    def bits_per_s(self, kind: str) -> Floats:
        """Capacity of a kind in bits per second, with its efficiency; float64[n_rows]."""
        return self.gbps[kind] * (GBIT * self.efficiency_ratio[kind])

    def seconds(self, kind: str, bits: Floats) -> Floats:
        """Compute how long bits of a kind take on each arc.

        Args:
            kind: one of FLOW_KINDS.
            bits: bits by row; float64[n_rows].

        Returns:
            Seconds by row, 0 where nothing flows; float64[n_rows].
        """
        used = bits > 0
        with np.errstate(divide="ignore"):
            return np.divide(bits, self.bits_per_s(kind), out=np.zeros(len(bits)), where=used)
