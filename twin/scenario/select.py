"""Choosing many at once: by id, glob, kind, site, part, installation date; nothing found is an error.

An id that is there wins over the glob of the same letters: `rack[1]` is the rack of that id, where there is one.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from datetime import date
from fnmatch import translate
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from ..arrays import NODE_KINDS, TIERS, Bools, Ints, State
from ..errors import ChangeError, did_you_mean
from ..model.records import STRICT, NodeKind
from ..units import DAYS_PER_YEAR

Name = Annotated[str, Field(min_length=1, max_length=200)]
Glob = Annotated[str, Field(min_length=1, max_length=200)]
Globs = Glob | Annotated[tuple[Glob, ...], Field(min_length=1, max_length=10_000)]


class LinkSelector(BaseModel):
    """Links that meet every condition given; ids may be globs (`c1/*~c1/border-1`), an exact id wins over a glob."""

    model_config = STRICT | {"frozen": True}

    id: Globs | None = None
    tier: Literal["access", "fabric", "border", "wide_area"] | None = None
    site: Name | None = None
    """At least one end stands there."""
    part: Name | None = None
    """Transceiver model."""
    installed_before: date | None = None
    """Transceivers put in before that day."""


class NodeSelector(BaseModel):
    """Nodes that meet every condition given; ids may be globs (`c1/rack-*`), an exact id wins over a glob."""

    model_config = STRICT | {"frozen": True}

    id: Globs | None = None
    kind: NodeKind | None = None
    site: Name | None = None
    part: Name | None = None
    """Switch model or accelerator."""
    installed_before: date | None = None


Links = Glob | LinkSelector
Nodes = Glob | NodeSelector


def select_links(state: State, chosen: Links, as_of: date | None, where: str) -> Ints:
    """Rows of the links chosen, ascending. Raises ChangeError where there are none, naming near ids."""
    chosen = LinkSelector.model_construct(id=chosen) if isinstance(chosen, str) else chosen
    arrays = state.arrays
    mask = _by_id(arrays.link_ids, arrays.link_index, chosen.id, where, "link")
    if chosen.tier is not None:
        mask &= arrays.link_tier == TIERS.index(chosen.tier)
    if chosen.site is not None:
        mask &= (arrays.node_site[arrays.link_ends] == _site(arrays.sites, chosen.site, where)).any(axis=1)
    if chosen.part is not None:
        mask &= state["link_transceiver"] == _part(state, chosen.part, where)
    if chosen.installed_before is not None:
        mask &= _older(state["link_age_years"], chosen.installed_before, as_of, where)
    return _some(mask, chosen, where, "link")


def select_nodes(state: State, chosen: Nodes, as_of: date | None, where: str) -> Ints:
    """Rows of the nodes chosen, ascending. Raises ChangeError where there are none, naming near ids."""
    chosen = NodeSelector.model_construct(id=chosen) if isinstance(chosen, str) else chosen
    arrays = state.arrays
    mask = _by_id(arrays.node_ids, arrays.node_index, chosen.id, where, "node")
    if chosen.kind is not None:
        mask &= arrays.node_kind == NODE_KINDS.index(chosen.kind)
    if chosen.site is not None:
        mask &= arrays.node_site == _site(arrays.sites, chosen.site, where)
    if chosen.part is not None:
        code = _part(state, chosen.part, where)
        mask &= (state["node_part"] == code) | (state["node_accelerator"] == code)
    if chosen.installed_before is not None:
        mask &= _older(state["node_age_years"], chosen.installed_before, as_of, where)
    return _some(mask, chosen, where, "node")


def _by_id(ids: tuple[str, ...], index: dict[str, int], globs: Globs | None, where: str, what: str) -> Bools:
    if globs is None:
        return np.ones(len(ids), dtype=np.bool_)
    mask = np.zeros(len(ids), dtype=np.bool_)
    for glob in (globs,) if isinstance(globs, str) else globs:
        if glob in index:
            mask[index[glob]] = True
            continue
        rows = _matching(ids, glob)
        if not rows:
            raise ChangeError(
                f"no {what} matches {glob!r}", where=where, hint=did_you_mean(re.sub(r"[*?]", "", glob), ids)
            )
        mask[rows] = True
    return mask


def _matching(ids: tuple[str, ...], glob: str) -> list[int]:
    """Rows that a glob matches; ids are sorted, so only those that begin like it are looked at."""
    special = re.search(r"[*?\[]", glob)
    if special is None:
        return []
    begin = glob[: special.start()]
    first = bisect_left(ids, begin)
    last = bisect_right(ids, begin, lo=first, key=lambda name: name[: len(begin)])
    match = re.compile(translate(glob)).match
    return [i for i in range(first, last) if match(ids[i])]


def _site(sites: tuple[str, ...], name: str, where: str) -> int:
    if name not in sites:
        raise ChangeError(f"no site {name!r}", where=where, hint=did_you_mean(name, sites))
    return sites.index(name)


def _part(state: State, name: str, where: str) -> int:
    if name not in state.parts:
        raise ChangeError(f"nothing here is a {name!r}", where=where, hint=did_you_mean(name, state.parts))
    return state.parts.index(name)


def _older(age_years: np.ndarray, day: date, as_of: date | None, where: str) -> Bools:
    if as_of is None:
        raise ChangeError("installed_before needs a document with as_of", where=where)
    with np.errstate(invalid="ignore"):
        return np.asarray(age_years > (as_of - day).days / DAYS_PER_YEAR)


def _some(mask: Bools, chosen: BaseModel, where: str, what: str) -> Ints:
    rows = np.flatnonzero(mask)
    if not len(rows):
        wanted = ", ".join(f"{k}={v}" for k, v in chosen.model_dump(exclude_none=True, mode="json").items())
        raise ChangeError(f"no {what} meets all of: {wanted}", where=where, hint="loosen a condition")
    return rows
