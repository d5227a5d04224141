"""Answers shortened to some of their fields: one place for Python, all commands and all routes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args, get_type_hints

from ..errors import ChangeError, did_you_mean
from ..errors.wording import value_text
from .data_fields import data_fields

MAX_FIELDS = 1000
MAX_LISTED = 20
EVERY = "*"
"""Name of every key of a mapping."""
SUMMARY, VERDICT = "summary", "verdict"
"""The sentences of an answer, by key; `verdict` is another name of them."""
Chosen = dict[str, Any]


def chosen_fields(data: Any, names: Iterable[str], kind: type | None = None) -> Any:
    """Return plain data with some of its fields only, in the order of the data.

    Args:
        data: an answer as plain data.
        names: names of fields with dots between keys: `metrics.step_time_s`. A name goes through lists; `*` is every
            key; `verdict` gives the sentences of `summary`.
        kind: class of the answer; it knows fields that are absent where they are empty.

    Raises:
        ChangeError: no names, too many, or an unknown one; the message has similar names.
    """
    tree: Chosen = {}
    listed = _checked(names)
    if isinstance(data, Mapping) and SUMMARY in data and VERDICT not in data:
        data = {VERDICT: data[SUMMARY]} | {**data}
    for name in listed:
        keys = name.split(".")
        _check(data, keys, name, kind)
        _add(tree, keys)
    return _pruned(data, tree)


def _checked(names: Iterable[str]) -> list[str]:
    listed = [] if isinstance(names, str) else list(names)
    if isinstance(names, str) or not all(isinstance(name, str) for name in listed):
        raise ChangeError(value_text(names), where="fields", expected="a list of names, such as metrics.step_time_s")
    if not 1 <= len(listed) <= MAX_FIELDS or not all(listed):
        expected = f"1 to {MAX_FIELDS} names, none of them empty"
        raise ChangeError(f"{len(listed)} names", where="fields", expected=expected)
    return listed


def _add(tree: Chosen, keys: Sequence[str]) -> None:
    """Add a name to the tree of chosen keys; an empty mapping means all below it."""
    for i, key in enumerate(keys):
        if key in tree and not tree[key]:
            return
        tree = tree.setdefault(key, {})
        if i == len(keys) - 1:
            tree.clear()


def _check(data: Any, keys: Sequence[str], name: str, kind: type | None) -> None:
    """Raise ChangeError unless a name leads to a field of the data, or to one of its class that is absent here."""
    places, kinds = [data], [] if kind is None else [kind]
    for i, key in enumerate(keys):
        places = [item for place in places for item in (place if isinstance(place, list) else [place])]
        mappings = [place for place in places if isinstance(place, Mapping)]
        known = {str(found) for place in mappings for found in place} | {
            row.key for found in kinds for row in data_fields(found)
        }
        if key != EVERY and key not in known:
            if not known and not places and i and isinstance(_at(data, keys[:i]), list):
                return  # an empty list: its items would have fields
            some = f"known: {', '.join(sorted(known)[:MAX_LISTED])}" if known else "it has no parts"
            hint = did_you_mean(key, known) or some
            raise ChangeError(f"no field {name!r} in this answer", where="fields", hint=hint)
        places = [value for place in mappings for found, value in place.items() if key in (EVERY, found)]
        kinds = [inner for found in kinds for inner in _kinds_below(found, key)]
        if i < len(keys) - 1 and not places and not kinds:
            return


def _at(data: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        if isinstance(data, list):
            return data
        data = data.get(key) if isinstance(data, Mapping) else None
    return data


def _kinds_below(kind: type, key: str) -> list[type]:
    """Return the dataclasses in a field of a dataclass, through lists, options and mappings."""
    name = next((row.name for row in data_fields(kind) if row.key == key), None)
    if name is None:
        return []
    stack, found = [get_type_hints(kind)[name]], []
    while stack:
        hint = stack.pop()
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            found.append(hint)
        stack += get_args(hint)
    return found


def _merged(one: Chosen, other: Chosen) -> Chosen:
    """Return the tree of all that either of two trees chooses."""
    if not one or not other:
        return {}
    both = {key: _merged(one[key], other[key]) for key in one.keys() & other.keys()}
    return {**one, **other, **both}


def _pruned(data: Any, tree: Chosen) -> Any:
    if not tree:
        return data
    if isinstance(data, list):
        return [_pruned(item, tree) for item in data]
    if not isinstance(data, Mapping):
        return data
    chosen = {}
    for key, value in data.items():
        below = [tree[name] for name in (key, EVERY) if name in tree]
        if below:
            chosen[key] = _pruned(value, below[0] if len(below) == 1 else _merged(*below))
    return chosen
