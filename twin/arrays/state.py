"""A state: a few columns laid over a network's arrays, so that a what-if copies no graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .columns import NetworkArrays

OVERLAYS = frozenset(
    {
        "node_part",
        "node_accelerator",
        "node_n_accelerators",
        "node_age_years",
        "node_up",
        "link_capacity_gbps",
        "link_n_parallel",
        "link_transceiver",
        "link_mux",
        "link_n_fibre_pairs",
        "link_age_years",
        "link_loss_ratio",
        "link_measured_received_dbm",
        "link_measured_years",
        "link_n_failed",
        "link_up",
        "span_length_km",
        "span_fibre",
        "span_age_years",
        "span_amplifier_age_years",
        "span_n_splices",
        "span_n_connectors",
        "span_lumped_loss_db",
        "span_leased",
        "span_measured_loss_db",
        "span_measured_years",
    }
)
"""Columns that a change of state may replace; everything else is structure."""


@dataclass(frozen=True, eq=False)
class State:
    """Arrays seen through an overlay; a column that no change touched is the very array of the network.

    `parts` begins with the network's own parts, so that its codes stay valid, and goes on with parts put in.
    """

    arrays: NetworkArrays
    parts: tuple[str, ...] = ()
    overlay: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, arrays: NetworkArrays) -> State:
        """The network as it is."""
        return cls(arrays, arrays.parts)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In another process too nobody writes into a column."""
        self.__dict__.update(state)
        for column in self.overlay.values():
            column.flags.writeable = False

    def __getitem__(self, column: str) -> npt.NDArray[Any]:
        found = self.overlay.get(column)
        return getattr(self.arrays, column) if found is None else found

    def with_part(self, part_id: str) -> tuple[State, int]:
        """This state with a part among its codes, and the code."""
        if part_id in self.parts:
            return self, self.parts.index(part_id)
        return replace(self, parts=(*self.parts, part_id)), len(self.parts)

    def with_values(self, column: str, rows: npt.NDArray[Any], values: Any) -> State:
        """This state with `values` at `rows` (indices or mask) of a column."""
        if column not in OVERLAYS:
            raise KeyError(column)
        changed = np.array(self[column])
        changed[rows] = values
        changed.flags.writeable = False
        return replace(self, overlay={**self.overlay, column: changed})

    @property
    def n_members_up(self) -> npt.NDArray[np.int64]:
        """Members of each link that are not down."""
        return np.asarray(np.maximum(self["link_n_parallel"] - self["link_n_failed"], 0))

    @property
    def in_service(self) -> npt.NDArray[np.bool_]:
        """Links that carry if they have light: up, with a member up, between nodes that are up."""
        ends_up = self["node_up"][self.arrays.link_ends].all(axis=1)
        return np.asarray(self["link_up"] & ends_up & (self.n_members_up > 0))

    @property
    def link_length_km(self) -> npt.NDArray[np.float64]:
        """Fibre length of the working path of each link, one way; 0 for links without spans."""
        if "span_length_km" not in self.overlay:
            return self.arrays.link_length_km
        working_km = np.where(self.arrays.span_standby, 0.0, self["span_length_km"])
        total = np.bincount(self.arrays.span_link, weights=working_km, minlength=self.arrays.n_links)
        return np.asarray(total, dtype=np.float64)

    def part_id(self, code: int) -> str | None:
        """Name of a part's code; None for none."""
        return self.parts[code] if code >= 0 else None
