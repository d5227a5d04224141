"""Random parameters of a generator, drawn from its pydantic model, so that a new row needs no strategy of its own."""

from __future__ import annotations

from dataclasses import is_dataclass
from datetime import date
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as bounds
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from twin.catalogue import catalogue
from twin.model.records import Link, Span

FEW = 4
"""Counts are drawn up to so far above their lower bound: a fabric of a thousand leaves teaches nothing new."""
IDS = ("a", "b", "c")
PARTS = {
    "transceiver": ("400G-FR4", "400G-DR4"),
    "part": ("leaf-51.2T", "spine-51.2T", "core-modular-230T"),
    "accelerator": ("H100", "GB200"),
}
RECORDS: dict[type, Any] = {
    Link: {"ends": ["a/border-1", "b/border-1"]},
    Span: {"length_km": 1.0},
}


def params_of(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Plain parameters of a model; optional ones are left out half the time."""
    required, optional = {}, {}
    for name, field in model.model_fields.items():
        drawn = _field(name, field)
        (required if field.is_required() else optional)[name] = drawn
    return st.fixed_dictionaries(required, optional=optional)


def _field(name: str, field: FieldInfo) -> st.SearchStrategy[Any]:
    if field.discriminator:
        return st.one_of([_value(name, kind, []) for kind in get_args(field.annotation)])
    return _value(name, field.annotation, field.metadata)


def _value(name: str, kind: Any, rules: list[Any]) -> st.SearchStrategy[Any]:
    if get_origin(kind) is Annotated:
        kind, *more = get_args(kind)
        for rule in more:
            if isinstance(rule, FieldInfo) and rule.discriminator:
                return st.one_of([_value(name, each, []) for each in get_args(kind)])
            rules = [*rules, *(rule.metadata if isinstance(rule, FieldInfo) else [rule])]
        return _value(name, kind, rules)
    if get_origin(kind) in (Union, UnionType):
        return st.one_of([_value(name, each, rules) for each in get_args(kind)])
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is tuple:
        return _tuple(name, get_args(kind), rules)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return params_of(kind)
    if is_dataclass(kind):
        assert isinstance(kind, type)
        ids = {"id": st.uuids().map(str)} if kind is Link else {}
        return st.fixed_dictionaries({**{key: st.just(value) for key, value in RECORDS[kind].items()}, **ids})
    return _plain(name, kind, rules)


def _tuple(name: str, parts: tuple[Any, ...], rules: list[Any]) -> st.SearchStrategy[Any]:
    if parts[-1] is not Ellipsis:
        if name == "ends":
            return st.permutations(IDS).map(lambda ids: list(ids[:2]))
        return st.tuples(*(_value(name, part, []) for part in parts)).map(list)
    low = max((rule.min_length for rule in rules if isinstance(rule, bounds.MinLen)), default=0)
    items = st.lists(_value(name, parts[0], []), min_size=low, max_size=low + 2)
    return items.filter(lambda found: len({_id_of(item, n) for n, item in enumerate(found)}) == len(found))


def _id_of(item: Any, n: int) -> str:
    return str(item.get("id", n)) if isinstance(item, dict) else str(n)


def _plain(name: str, kind: Any, rules: list[Any]) -> st.SearchStrategy[Any]:
    if kind is bool:
        return st.booleans()
    if kind is date:
        return st.just("2024-05-01")
    if kind is type(None):
        return st.none()
    if kind is int:
        return _integers(rules)
    if kind is float:
        return st.sampled_from([100.0, 400.0])
    assert kind is str, f"{name}: no way to draw {kind}"
    if name == "site":
        return st.just("here")  # a campus and its fabric have to agree
    if name == "topology":
        return st.sampled_from(["sndlib/abilene", "sndlib/polska"])
    for ending, ids in PARTS.items():
        if name.endswith(ending):
            assert all(catalogue().get(part) for part in ids)
            return st.sampled_from(ids)
    return st.sampled_from(IDS)


def _integers(rules: list[Any]) -> st.SearchStrategy[int]:
    step = next((int(rule.multiple_of) for rule in rules if isinstance(rule, bounds.MultipleOf)), 1)
    low = next((int(rule.ge) for rule in rules if isinstance(rule, bounds.Ge)), 0)
    high = next((int(rule.le) for rule in rules if isinstance(rule, bounds.Le)), low + FEW)
    return st.integers(-(-low // step), min(high, low + FEW) // step).map(lambda n: n * step)
