"""Inputs of the document that can be uncertain beside those of a sweep: fields of sites, and single demands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError, did_you_mean
from ..model.demand_columns import DemandColumns
from ..model.records import Demand, Site, TrafficClass, asdict_compact
from ..model.validation import validate_as
from ..stages.evaluation import Case
from .inputs import PATHS, set_input
from .paths import path_names


class DocumentInput(NamedTuple):
    """A kind of uncertain input of the document."""

    form: str
    meaning: str
    set: Callable[[Case, Sequence[str], float, str], Case]


GROWTH = "growth_ratio_per_year"
SITE_FIELDS = ("lease_usd_per_month", "pue_ratio")


def _record(kind: str, records: Sequence[Any], name: str, where: str) -> Any:
    known = {record.id: record for record in records}
    if name not in known:
        hint = did_you_mean(name, known) or f"one of {', '.join(list(known)[:10])}"
        raise ChangeError(f"no {kind} {name!r}", where=where, hint=hint)
    return known[name]


def _set_site(case: Case, names: Sequence[str], value: float, where: str) -> Case:
    if len(names) != 2 or names[1] not in SITE_FIELDS:
        field = names[-1]
        hint = did_you_mean(field, SITE_FIELDS)
        raise ChangeError(f"no {field!r} of sites to vary", where=where, expected=", ".join(SITE_FIELDS), hint=hint)
    old = _record("site", case.document.sites, names[0], where)
    new = validate_as(Site, {**asdict_compact(old), names[1]: value}, where)
    sites = tuple(new if site.id == old.id else site for site in case.document.sites)
    return replace(case, document=case.document.model_copy(update={"sites": sites}))


def _set_demand(case: Case, names: Sequence[str], value: float, where: str) -> Case:
    name = ".".join(names)
    if isinstance(case.document.demands, DemandColumns):
        hint = "vary `demands`, a factor on all of them"
        raise ChangeError(f"demand {name!r} was made by a generator", where=where, hint=hint)
    old = _record("demand", case.document.demands, name, where)
    new = validate_as(Demand, {**asdict_compact(old), "offered_gbps": value}, where)
    demands = tuple(new if demand is old else demand for demand in case.document.demands)
    return replace(case, document=case.document.model_copy(update={"demands": demands}))


def _set_class(case: Case, names: Sequence[str], value: float, where: str) -> Case:
    if len(names) < 2 or names[-1] != GROWTH:
        hint = did_you_mean(names[-1], (GROWTH,))
        raise ChangeError(f"no {names[-1]!r} of traffic classes to vary", where=where, expected=GROWTH, hint=hint)
    old = _record("traffic class", case.document.traffic_classes, ".".join(names[:-1]), where)
    new = validate_as(TrafficClass, {**asdict_compact(old), GROWTH: value}, where)
    classes = tuple(new if row is old else row for row in case.document.traffic_classes)
    return replace(case, document=case.document.model_copy(update={"traffic_classes": classes}))


DOCUMENT_INPUTS: Mapping[str, DocumentInput] = {
    "sites": DocumentInput("sites.SITE.FIELD", f"a field of a site: {', '.join(SITE_FIELDS)}", _set_site),
    "demands": DocumentInput("demands.ID", "offered Gb/s of one demand", _set_demand),
    "traffic_classes": DocumentInput(
        f"traffic_classes.CLASS.{GROWTH}", "growth of the demands of a class, for samples of later years", _set_class
    ),
}
"""Inputs by the first name of their place."""


def set_uncertain(case: Case, where: str, value: float, reader: FigureReader) -> Case:
    """Set one uncertain input of a case to a value.

    Args:
        case: case to start from.
        where: a key of `studies.inputs.PATHS`, or a form of `DOCUMENT_INPUTS`.
        value: in the unit of the place.
        reader: source of figures.

    Raises:
        ChangeError: unknown place, or a value that it cannot take.
        TopologyError: a job that contradicts itself with this value.
    """
    root, *rest = path_names(where)
    if root in DOCUMENT_INPUTS and rest:
        return DOCUMENT_INPUTS[root].set(case, rest, value, where)
    roots = list(dict.fromkeys([path.partition(".")[0] for path in PATHS] + list(DOCUMENT_INPUTS)))
    if root not in roots:
        known = ", ".join([*PATHS, *(row.form for row in DOCUMENT_INPUTS.values())])
        raise ChangeError(f"no input {where!r}", where=where, expected=known, hint=did_you_mean(root, roots))
    return set_input(case, where, value, reader)
