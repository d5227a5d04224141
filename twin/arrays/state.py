"""A state: replaced columns over the arrays of a network, so that a what-if copies no graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import UndeclaredInputError
from ..kernels.graph import ArcGraph
from .columns import NO_CODE, Bools, Floats, Ints, NetworkArrays
from .two_ends import at_both_ends

OVERLAYS = frozenset(
    {
        "node_part",
        "node_accelerator",
        "node_n_accelerators",
        "node_n_cards",
        "node_n_servers",
        "node_age_years",
        "node_up",
        "link_capacity_gbps",
        "arc_capacity_gbps",
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
        "span_undated",
        "span_amplifier_age_years",
        "span_n_splices",
        "span_n_connectors",
        "span_lumped_loss_db",
        "span_leased",
        "span_measured_loss_db",
        "span_measured_years",
    }
)
"""Columns that a state change may replace; all others are structure."""


class Derived(NamedTuple):
    """A column computed from source columns, some of which a state may replace."""

    sources: frozenset[str]
    compute: Callable[[State], npt.NDArray[Any]]


def _n_members_up(state: State) -> Ints:
    return np.asarray(np.maximum(state["link_n_parallel"] - state["link_n_failed"], 0))


def _n_cards_in_use(state: State) -> Ints:
    n_stated, n_accelerators = state["node_n_cards"], state["node_n_accelerators"]
    return np.asarray(np.where(n_stated == NO_CODE, n_accelerators, np.minimum(n_stated, n_accelerators)))


def _in_service(state: State) -> Bools:
    up, node_up = state["link_up"] & (state["n_members_up"] > 0), state["node_up"]
    return np.asarray(up if node_up.all() else up & at_both_ends(node_up[state["link_ends"]]))


def _link_length_km(state: State) -> Floats:
    working_km = np.where(state["span_standby"], 0.0, state["span_length_km"])
    length_km = np.bincount(state["span_link"], weights=working_km, minlength=state["n_links"])
    return np.asarray(length_km, dtype=np.float64)


def _link_n_channels(state: State) -> Ints:
    n_parallel, n_pairs = state["link_n_parallel"], state["link_n_fibre_pairs"]
    lit = -(-n_parallel // n_pairs)
    cable, link = state["span_cable"], state["span_link"]
    if (cable >= 0).any():
        # links on a cable share its pairs, and their channels are spread over them
        pairs = np.unique(np.stack((cable, link), axis=1)[cable >= 0], axis=0)
        code, row = pairs[:, 0], pairs[:, 1]
        n_channels, n_pairs_of_cable, most_lit = np.zeros((3, cable.max() + 1), dtype=np.int64)
        np.add.at(n_channels, code, n_parallel[row])
        np.maximum.at(n_pairs_of_cable, code, n_pairs[row])
        np.maximum.at(most_lit, code, lit[row])
        n_on_cable = np.maximum(-(-n_channels // np.maximum(n_pairs_of_cable, 1)), most_lit)
        lit = lit.copy()
        np.maximum.at(lit, row, n_on_cable[code])
    return np.where(np.diff(state["span_first"]) > 0, np.maximum(lit, state["link_n_design_channels"]), 0)


DERIVED = {
    "n_members_up": Derived(frozenset({"link_n_parallel", "link_n_failed"}), _n_members_up),
    "in_service": Derived(
        frozenset({"node_up", "link_ends", "link_up", "link_n_parallel", "link_n_failed"}), _in_service
    ),
    "n_cards_in_use": Derived(frozenset({"node_n_cards", "node_n_accelerators"}), _n_cards_in_use),
    "link_length_km": Derived(frozenset({"span_standby", "span_length_km", "span_link"}), _link_length_km),
    "link_n_channels": Derived(
        frozenset(
            {
                "span_first",
                "span_link",
                "span_cable",
                "link_n_design_channels",
                "link_n_parallel",
                "link_n_fibre_pairs",
            }
        ),
        _link_n_channels,
    ),
}
"""Derived columns that depend on replaceable columns. Those of structure alone are in NetworkArrays."""


@dataclass(frozen=True, eq=False)
class State:
    """Arrays of a network with an overlay of replaced columns; other columns are the arrays of the network.

    `parts` starts with the parts of the network, so codes stay valid; parts of changes follow.
    """

    arrays: NetworkArrays
    parts: tuple[str, ...] = ()
    overlay: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    _derived: dict[str, npt.NDArray[Any]] = field(default_factory=dict, repr=False)
    """Derived columns computed so far; `with_values` drops those that depend on the replaced column."""

    @classmethod
    def of(cls, arrays: NetworkArrays) -> State:
        """Create the state of the unchanged network."""
        return cls(arrays, arrays.parts, {}, arrays.derived)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without derived columns, which are computed again."""
        return {"arrays": self.arrays, "parts": self.parts, "overlay": self.overlay, "_derived": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the state with read-only columns in another process."""
        self.__dict__.update(state)
        for column in self.overlay.values():
            column.flags.writeable = False

    def __getitem__(self, column: str) -> Any:
        """Return a column by name: replaced, derived, or of the network; also `parts`."""
        replaced = self.overlay.get(column)
        if replaced is not None:
            return replaced
        if column in DERIVED:
            return self._derived_column(column)
        return self.parts if column == "parts" else getattr(self.arrays, column)

    def _derived_column(self, column: str) -> npt.NDArray[Any]:
        values = self._derived.get(column)
        if values is None:
            values = DERIVED[column].compute(self)
            values.flags.writeable = False
            self._derived[column] = values
        return values

    def view(self, columns: frozenset[str]) -> State:
        """Return a view of this state in which only these columns can be read."""
        return StateView(self, columns)

    def with_part(self, part_id: str) -> tuple[State, int]:
        """Return a state with a code for the part, and the code."""
        if part_id in self.parts:
            return self, self.parts.index(part_id)
        return replace(self, parts=(*self.parts, part_id)), len(self.parts)

    def with_values(self, column: str, rows: npt.NDArray[Any], values: Any) -> State:
        """Return a state with `values` at `rows` of a column.

        rows: int64[k] indices or a bool[n] mask. values: scalar or array of that length.
        Raises KeyError for a column that is not in OVERLAYS.
        """
        if column not in OVERLAYS:
            raise KeyError(column)
        changed = np.array(self[column])
        changed[rows] = values
        changed.flags.writeable = False
        unaffected = {name: derived for name, derived in self._derived.items() if column not in DERIVED[name].sources}
        return replace(self, overlay={**self.overlay, column: changed}, _derived=unaffected)

    def with_capacity_gbps(self, rows: Ints, values: Any) -> State:
        """Return a state in which both directions of these links have this capacity; NaN = that of the transceiver."""
        state = self.with_values("link_capacity_gbps", rows, values)
        if np.isnan(self["arc_capacity_gbps"]).all():
            return state
        links = np.arange(len(self["link_capacity_gbps"]))[rows]
        return state.with_values("arc_capacity_gbps", np.concatenate((2 * links, 2 * links + 1)), np.nan)

    def part_id(self, code: int) -> str | None:
        """Return the id of a part code; None for -1."""
        return self.parts[code] if code >= 0 else None

    @property
    def node_ids(self) -> tuple[str, ...]:
        """Ids of the nodes, sorted; row i of `node_*` is node_ids[i]."""
        return self["node_ids"]  # type: ignore[no-any-return]

    @property
    def link_ids(self) -> tuple[str, ...]:
        """Ids of the links, sorted; row i of `link_*` is link_ids[i]."""
        return self["link_ids"]  # type: ignore[no-any-return]

    @property
    def sites(self) -> tuple[str, ...]:
        """Ids of the sites, sorted; `node_site` points into them."""
        return self["sites"]  # type: ignore[no-any-return]

    @property
    def srlgs(self) -> tuple[str, ...]:
        """Ids of the shared risks, sorted; `srlg_code` points into them."""
        return self["srlgs"]  # type: ignore[no-any-return]

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return self["n_nodes"]  # type: ignore[no-any-return]

    @property
    def n_links(self) -> int:
        """Number of links, bundles counted once."""
        return self["n_links"]  # type: ignore[no-any-return]

    @property
    def graph(self) -> ArcGraph:
        """Outgoing arcs in CSR form, and which nodes forward, for the kernels."""
        return self["graph"]  # type: ignore[no-any-return]

    @property
    def node_index(self) -> dict[str, int]:
        """Row of each node id."""
        return self["node_index"]  # type: ignore[no-any-return]

    @property
    def link_index(self) -> dict[str, int]:
        """Row of each link id."""
        return self["link_index"]  # type: ignore[no-any-return]

    @property
    def link_tier(self) -> Ints:
        """Index into TIERS of each link; int64[n_links]."""
        return self["link_tier"]  # type: ignore[no-any-return]

    @property
    def link_n_regenerators(self) -> Ints:
        """Regeneration sites of each link, on working and standby path together; int64[n_links]."""
        return self["link_n_regenerators"]  # type: ignore[no-any-return]

    @property
    def n_members_up(self) -> Ints:
        """Members of each link that are up; int64[n_links]."""
        return self["n_members_up"]  # type: ignore[no-any-return]

    @property
    def in_service(self) -> Bools:
        """Links that are up, with a member up, between nodes that are up; bool[n_links].

        They carry traffic if their link budget closes.
        """
        return self["in_service"]  # type: ignore[no-any-return]

    @property
    def link_length_km(self) -> Floats:
        """Fibre length of the working path of each link, one way; float64[n_links], 0 without spans."""
        return self["link_length_km"]  # type: ignore[no-any-return]


class StateView(State):
    """A view of a state; reading a column that is not named raises UndeclaredInputError."""

    _state: State
    _columns: frozenset[str]

    def __init__(self, state: State, columns: frozenset[str]) -> None:
        self.__dict__.update(_state=state, _columns=columns)

    def __getitem__(self, column: str) -> Any:
        """Return a column by name. Raises UndeclaredInputError if the view does not contain it."""
        if column not in self._columns:
            raise UndeclaredInputError(column)
        return self._state[column]

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts that the codes point into."""
        return self["parts"]  # type: ignore[no-any-return]

    @property
    def arrays(self) -> NetworkArrays:
        """Not available: a view gives columns one by one. Raises UndeclaredInputError."""
        raise UndeclaredInputError("arrays")

    @property
    def overlay(self) -> Mapping[str, npt.NDArray[Any]]:
        """Not available: a view gives columns one by one. Raises UndeclaredInputError."""
        raise UndeclaredInputError("overlay")
