"""Ids by name or glob: an exact id has priority over a glob, and a glob that matches nothing is an error."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import translate
from typing import Annotated

from pydantic import Field

from ..errors import ChangeError, did_you_mean
from ..errors.wording import quoted

Glob = Annotated[str, Field(min_length=1, max_length=200)]
Globs = Glob | Annotated[tuple[Glob, ...], Field(min_length=1, max_length=10_000)]
"""An id, a glob, or a list of these."""


def match_ids(ids: Sequence[str], index: Mapping[str, int], globs: Globs, where: str, noun: str) -> list[int]:
    """Return the rows that an id, a glob or a list of these names; a row may appear twice.

    Args:
        ids: all ids, sorted.
        index: row of each id.
        globs: ids and globs; an exact id has priority.
        where: place of the selector, for messages.
        noun: kind of record, for messages.

    Raises:
        ChangeError: an id or a glob matches nothing; the message names similar ids.
    """
    rows: list[int] = []
    for glob in (globs,) if isinstance(globs, str) else dict.fromkeys(globs):
        require_match(ids, index, glob, where, noun)
        rows += [index[glob]] if glob in index else _rows_of_glob(ids, glob)
    return rows


def require_match(ids: Sequence[str], index: Mapping[str, int], glob: str, where: str, noun: str) -> None:
    """Raise ChangeError if an id or a glob matches nothing; arguments as in `match_ids`."""
    if glob not in index and not has_match(ids, glob):
        hint = did_you_mean(re.sub(r"[*?]", "", glob), ids)
        raise ChangeError(f"no {noun} matches {quoted(glob)}", where=where, hint=hint)


def names_matching(names: Sequence[str], globs: Globs, where: str, noun: str) -> list[str]:
    """Return the names that an id, a glob or a list of these selects, in sorted order; errors as in `match_ids`."""
    ids = sorted(set(names))
    index = {name: row for row, name in enumerate(ids)}
    return [ids[row] for row in sorted(set(match_ids(ids, index, globs, where, noun)))]


def has_match(ids: Sequence[str], glob: str) -> bool:
    """Return whether a glob matches any of these sorted ids."""
    return next(_rows_of_glob(ids, glob), None) is not None


def _rows_of_glob(ids: Sequence[str], glob: str) -> Iterator[int]:
    """Yield the rows that a glob matches.

    The ids are sorted, so only those with the prefix before the first wildcard are compared.
    """
    wildcard = re.search(r"[*?\[]", glob)
    if wildcard is None:
        return
    prefix = glob[: wildcard.start()]
    first = bisect_left(ids, prefix)
    end = bisect_right(ids, prefix, lo=first, key=lambda name: name[: len(prefix)])
    match = re.compile(translate(glob)).match
    yield from (i for i in range(first, end) if match(ids[i]))
