"""Select records by id, glob, list of these, or conditions; an empty selection is an error.

An exact id has priority over a glob: `rack[1]` is the rack of that id, if there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, Field

from ..arrays import NODE_KINDS, TIERS, Bools, Ints, State
from ..errors import ChangeError, did_you_mean
from ..errors.wording import quoted
from ..model.globs import Globs, match_ids
from ..model.records import STRICT, NodeKind
from ..units import DAYS_PER_YEAR

Name = Annotated[str, Field(min_length=1, max_length=200)]


class LinkSelector(BaseModel):
    """Links that meet all given conditions; ids may be globs.

    An exact id has priority over a glob, for example `c1/*~c1/border-1`.
    """

    model_config = STRICT | {"frozen": True}

    id: Globs | None = None
    """Id or glob, or a list of them."""
    tier: Literal["access", "fabric", "border", "wide_area"] | None = None
    """access: at a rack or host. wide_area: between sites, or with spans that leave a site. border: at a border router.
    fabric: all others."""
    site: Name | None = None
    """Site of at least one end."""
    part: Name | None = None
    """Transceiver model."""
    installed_before: date | None = None
    """Transceivers installed before that day."""

    forms: ClassVar[tuple[str | list[str] | Mapping[str, Any], ...]] = (
        "wan-1-2",
        "wan-*",
        ["wan-1-2", "wan-1-3"],
        {"tier": "wide_area", "site": "c1", "installed_before": "2022-01-01"},
    )
    """Selectors of each form that apply to the shipped network memphis-small."""


class NodeSelector(BaseModel):
    """Nodes that meet all given conditions; ids may be globs.

    An exact id has priority over a glob, for example `c1/rack-*`.
    """

    model_config = STRICT | {"frozen": True}

    id: Globs | None = None
    """Id or glob, or a list of them."""
    kind: NodeKind | None = None
    """Kind of node."""
    site: Name | None = None
    """Site of the node."""
    part: Name | None = None
    """Switch model or accelerator."""
    rail: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    """Number of the rail of a switch."""
    installed_before: date | None = None
    """Nodes installed before that day."""

    forms: ClassVar[tuple[str | list[str] | Mapping[str, Any], ...]] = (
        "c1/border-1",
        "c1/border-*",
        ["c1/border-1", "c2/border-*"],
        {"kind": "rack", "site": "c1", "part": "H100"},
    )
    """Selectors of each form that apply to the shipped network memphis-small."""


Links = Globs | LinkSelector
"""An id, a glob, a list of these, or conditions."""
Nodes = Globs | NodeSelector
"""An id, a glob, a list of these, or conditions."""
SELECTORS = {selector.__name__: selector for selector in (LinkSelector, NodeSelector)}
"""Selectors by the title that they have in a JSON Schema."""


def select_links(state: State, selector: Links, as_of: date | None, where: str) -> Ints:
    """Return the rows of the selected links, ascending; int64[n_selected].

    Args:
        state: state of the network.
        selector: id, glob, list of these, or conditions.
        as_of: date of the document, for installation dates.
        where: place of the selector, for messages.

    Raises:
        ChangeError: nothing matches; the message names similar ids.
    """
    selector = LinkSelector.model_construct(id=selector) if isinstance(selector, str | tuple) else selector
    arrays = state.arrays
    mask = _mask_of(arrays.link_ids, arrays.link_index, selector.id, where, "link")
    if selector.tier is not None:
        mask &= arrays.link_tier == TIERS.index(selector.tier)
    if selector.site is not None:
        mask &= (arrays.node_site[arrays.link_ends] == _site_code(arrays.sites, selector.site, where)).any(axis=1)
    if selector.part is not None:
        mask &= state["link_transceiver"] == _part_code(state, selector.part, where)
    if selector.installed_before is not None:
        mask &= _installed_before(state["link_age_years"], selector.installed_before, as_of, where)
    return _non_empty(mask, selector, where, "link")


def select_nodes(state: State, selector: Nodes, as_of: date | None, where: str) -> Ints:
    """Return the rows of the selected nodes, ascending; arguments and errors as in `select_links`."""
    selector = NodeSelector.model_construct(id=selector) if isinstance(selector, str | tuple) else selector
    arrays = state.arrays
    mask = _mask_of(arrays.node_ids, arrays.node_index, selector.id, where, "node")
    if selector.kind is not None:
        mask &= arrays.node_kind == NODE_KINDS.index(selector.kind)
    if selector.site is not None:
        mask &= arrays.node_site == _site_code(arrays.sites, selector.site, where)
    if selector.part is not None:
        code = _part_code(state, selector.part, where)
        mask &= (state["node_part"] == code) | (state["node_accelerator"] == code)
    if selector.rail is not None:
        mask &= _of_rail(arrays.node_rail, selector.rail, where)
    if selector.installed_before is not None:
        mask &= _installed_before(state["node_age_years"], selector.installed_before, as_of, where)
    return _non_empty(mask, selector, where, "node")


def _mask_of(ids: tuple[str, ...], index: dict[str, int], globs: Globs | None, where: str, noun: str) -> Bools:
    if globs is None:
        return np.ones(len(ids), dtype=np.bool_)
    mask = np.zeros(len(ids), dtype=np.bool_)
    mask[match_ids(ids, index, globs, where, noun)] = True
    return mask


def _site_code(sites: tuple[str, ...], name: str, where: str) -> int:
    if name not in sites:
        raise ChangeError(f"no site {quoted(name)}", where=where, hint=did_you_mean(name, sites))
    return sites.index(name)


def _part_code(state: State, name: str, where: str) -> int:
    if name not in state.parts:
        raise ChangeError(f"nothing here is a {quoted(name)}", where=where, hint=did_you_mean(name, state.parts))
    return state.parts.index(name)


def _of_rail(node_rail: Ints, rail: int, where: str) -> Bools:
    """Nodes of a rail; bool[n_nodes]. Raises ChangeError for a rail that the network does not have."""
    if not (node_rail == rail).any():
        rails = np.unique(node_rail[node_rail >= 0])
        hint = f"rails {rails[0]} to {rails[-1]}" if len(rails) else "no switch states its rail"
        raise ChangeError(f"no rail {rail}", where=where, hint=hint)
    return np.asarray(node_rail == rail)


def _installed_before(age_years: np.ndarray, day: date, as_of: date | None, where: str) -> Bools:
    if as_of is None:
        raise ChangeError("installed_before needs a document with as_of", where=where)
    with np.errstate(invalid="ignore"):
        return np.asarray(age_years > (as_of - day).days / DAYS_PER_YEAR)


def _non_empty(mask: Bools, selector: BaseModel, where: str, noun: str) -> Ints:
    rows = np.flatnonzero(mask)
    if not len(rows):
        conditions = ", ".join(f"{k}={v}" for k, v in selector.model_dump(exclude_none=True, mode="json").items())
        raise ChangeError(f"no {noun} meets all of: {conditions}", where=where, hint="loosen a condition")
    return rows
