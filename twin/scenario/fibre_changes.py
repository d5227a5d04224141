"""Changes of fibre: new fibre, age, cuts. A cable changes for all links on it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ..arrays import Ints, State
from ..arrays.cables import aligned_runs, cable_runs, on_same_cables, stretch_key
from ..errors import ChangeError
from .change import Context, Fields, StateChange
from .select import Links


class SetFibre(StateChange):
    """Replace the fibre of links by new fibre of one type.

    The spans stay; age, repair splices and measured losses start again. A `cable` gets the fibre for all links on it.
    """

    kind: Literal["set_fibre"] = "set_fibre"
    example: ClassVar[Fields] = {"links": "wan-*", "fibre": "G.654.E", "n_splices": 4}
    links: Links
    """Links to change, by a selector."""
    fibre: str
    """Catalogue id of the new fibre."""
    leased: bool = False
    """True for leased dark fibre, False for fibre that is laid and bought."""
    n_splices: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Splices per span, beside those included in the attenuation of the fibre type."""

    def overlay(self, state: State, context: Context) -> State:
        """Return the state with new spans, without age or repairs."""
        rows = context.links(state, self.links)
        require_spans(state, rows, context)
        state, code = context.part(state, self.fibre, "fibre")
        spans = on_same_cables(state, np.flatnonzero(np.isin(state.arrays.span_link, rows)))
        for column, value in (
            ("span_fibre", code),
            ("span_age_years", 0.0),
            ("span_undated", False),
            ("span_n_splices", self.n_splices),
            ("span_leased", self.leased),
            ("span_measured_loss_db", np.nan),
            ("span_measured_years", np.nan),
        ):
            state = state.with_values(column, spans, value)
        return without_measured_power(state, np.unique(state.arrays.span_link[spans]))


class Age(StateChange):
    """Age fibre and optics by some years; parts without an installation date do not age.

    A `cable` ages for all links on it, with its amplifiers.
    """

    kind: Literal["age"] = "age"
    example: ClassVar[Fields] = {"years": 5}
    years: Annotated[float, Field(ge=0, le=100)]
    """Years that pass."""
    links: Links | None = None
    """Id or glob of the links, or conditions; None = all links."""

    def overlay(self, state: State, context: Context) -> State:
        """Return the state with older fibre and optics."""
        all_links = np.arange(state.arrays.n_links)
        rows = all_links if self.links is None else context.links(state, self.links)
        spans = on_same_cables(state, np.flatnonzero(np.isin(state.arrays.span_link, rows)))
        # a received power was measured on fibre that was younger by as much
        measured = np.union1d(rows, state.arrays.span_link[spans])
        for column, rows_to_age in (
            ("link_age_years", rows),
            ("link_measured_years", measured),
            ("span_age_years", spans),
            ("span_measured_years", spans),
            ("span_amplifier_age_years", spans),
        ):
            if not np.isnan(state[column][rows_to_age]).all():
                state = state.with_values(column, rows_to_age, state[column][rows_to_age] + self.years)
        return state


class CutFibre(StateChange):
    """Cut the fibre of links and repair it: splices only; for an outage use fail_links.

    Each repair adds splices, beside those that the ageing model expects. A `cable` is cut once for all links on it.
    """

    kind: Literal["cut_fibre"] = "cut_fibre"
    example: ClassVar[Fields] = {"links": {"id": ["wan-1-2", "wan-1-3"]}, "n_cuts": 2}
    links: Links
    """Links whose fibre is cut, by a selector."""
    n_cuts: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Cuts per link or cable, in the longest span of the working path."""

    def overlay(self, state: State, context: Context) -> State:
        """Return the state with more splices; a loss measured before grows by their loss."""
        rows = context.links(state, self.links)
        require_spans(state, rows, context)
        arrays = state.arrays
        working_km = np.where(arrays.span_standby, -1.0, state["span_length_km"])
        spans = np.array(
            [
                first + int(np.argmax(working_km[first:end]))
                for first, end in ((arrays.span_first[row], arrays.span_first[row + 1]) for row in rows)
            ]
        )
        spans = _cut_once(state, spans)
        n_splices = int(self.n_cuts * context.reader.general("n_splices_per_cut"))
        added_db = n_splices * context.reader.general("splice_db")
        state = state.with_values("span_n_splices", spans, state["span_n_splices"][spans] + n_splices)
        measured_db = state["span_measured_loss_db"][spans] + added_db
        state = state.with_values("span_measured_loss_db", spans, measured_db)
        # a later amplifier restores the added loss, so the receiver does not see it
        amplified = np.flatnonzero((state["span_amplifier"] >= 0) & ~arrays.span_standby)
        last_amplifier = np.full(arrays.n_links, -1)
        np.maximum.at(last_amplifier, arrays.span_link[amplified], amplified)
        is_received = ~arrays.span_standby[spans] & (spans > last_amplifier[arrays.span_link[spans]])
        received_dbm = state["link_measured_received_dbm"].copy()
        np.subtract.at(received_dbm, arrays.span_link[spans[is_received]], added_db)
        return state.with_values("link_measured_received_dbm", np.arange(arrays.n_links), received_dbm)


def _cut_once(state: State, spans: Ints) -> Ints:
    """Return the spans to cut: of each cable the same stretch for all links on it, the first by its content."""
    cut = set(spans.tolist())
    if (state["span_cable"][spans] >= 0).any():
        for runs in cable_runs(state).values():
            if cut.isdisjoint(row for run in runs for row in run.spans):
                continue
            aligned = aligned_runs(state, runs)
            chosen = {i: row for run in aligned for i, row in enumerate(run.spans) if row in cut}
            stretch = min(chosen, key=lambda i: (repr(stretch_key(state, chosen[i])), i))
            cut.difference_update(row for run in aligned for row in run.spans)
            cut.update(run.spans[stretch] for run in aligned if len(run.spans) > stretch)
    return np.array(sorted(cut), dtype=np.int64)


def without_measured_power(state: State, rows: Ints) -> State:
    """Remove the measured received power of links whose optical path has changed."""
    for column in ("link_measured_received_dbm", "link_measured_years"):
        if not np.isnan(state[column][rows]).all():
            state = state.with_values(column, rows, np.nan)
    return state


def require_spans(state: State, rows: Ints, context: Context) -> None:
    """Raise ChangeError for a link without spans."""
    without_spans = rows[np.diff(state.arrays.span_first)[rows] == 0]
    if len(without_spans):
        name = state.arrays.link_ids[without_spans[0]]
        raise ChangeError(f"link {name!r} has no spans", where=context.where, hint="choose wide-area links")
