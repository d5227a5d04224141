"""What a sweep varies: paths to inputs, the values written after them, and a case with one of them set."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from ..analysis.figures import FigureReader
from ..arrays import Ints, State
from ..errors import ChangeError, TopologyError, did_you_mean
from ..formats.native import adapter_of, validate_as
from ..model.job_rules import job_shape_issues
from ..model.jobs import Placement, TrainingJob
from ..model.records import Demand, Link, Lossless, Span, asdict_compact
from ..score.evaluate import Case
from ..workload.job import layout_of, n_per_replica
from .change import Context
from .changes import Age
from .job_changes import moved
from .select import select_links

MAX_VALUES = 10_000
"""Of one input."""
PATHS = (
    "age",
    "demands",
    "links.GLOB.total_gbps",
    "links.GLOB.length_km",
    "links.GLOB.n_parallel",
    "links.GLOB.n_failed",
    "job.FIELD",
    "placement.SITE.n_accelerators",
    "mix.SITE.OLD.NEW",
    "lossless.FIELD",
)
"""What can be varied; FIELD is a field of the record that bears the name. `mix` is the share, 0 to 1, of a job's
accelerators at a site that are of the OLD kind, in whole replicas; the rest is of the NEW one."""


@dataclass(frozen=True)
class Axis:
    """An input and the values it takes."""

    path: str
    values: tuple[float | str, ...]


def parse_axis(text: str) -> Axis:
    """`path=1,2,5`, `path=1..10:4` (four evenly spaced), `path=1..1000:log7` (seven by equal factors), or words."""
    path, equals, said = text.partition("=")
    if not equals or not path or not said:
        raise ChangeError(
            f"{text!r} is no path=values", where="--vary", hint="age=0,10,20 or links.wan-*.n_parallel=8,16"
        )
    span = re.fullmatch(r"(.+?)\.\.(.+?):(log)?(\d+)", said)
    try:
        if span is None:
            values: tuple[float | str, ...] = tuple(_value(word) for word in said.split(","))
        else:
            low, high, n = float(span[1]), float(span[2]), int(span[4])
            if n < 2 or n > MAX_VALUES or (span[3] and min(low, high) <= 0):
                raise ValueError
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is told below
                spaced = np.geomspace(low, high, n) if span[3] else np.linspace(low, high, n)
            values = tuple(float(v) for v in spaced)
    except ValueError:
        expected = f"1,2,5 or 1..10:4 or 1..1000:log7 (above 0), at most {MAX_VALUES} values"
        raise ChangeError(f"values {said!r}", where=f"--vary {path}", expected=expected) from None
    numbers = [v for v in values if isinstance(v, float)]
    if any(not math.isfinite(v) for v in numbers) or len(values) > MAX_VALUES:
        raise ChangeError(f"values {said!r}", where=f"--vary {path}", expected=f"at most {MAX_VALUES} finite values")
    return Axis(path, values)


def _value(word: str) -> float | str:
    word = word.strip()
    if not word:
        raise ValueError
    try:
        return float(word)
    except ValueError:
        return word


def set_input(case: Case, path: str, value: float | str, reader: FigureReader) -> Case:
    """The case with one input at a value; whether it could be built is not asked. ChangeError for a bad path."""
    root, _, rest = path.partition(".")
    where = f"--vary {path}"
    if path == "age":
        change = validate_as(Age, {"years": value}, where)
        return replace(case, state=change.overlay(case.state, Context(where, case.document, reader)))
    if path == "demands":
        factor = _number(value, where)
        most = most_of(Demand, "offered_gbps")
        if not all(0 <= factor * d.offered_gbps <= most for d in case.document.demands):
            raise ChangeError(
                f"demands times {factor:g}", where=where, expected=f"offered_gbps of each from 0 to {most:,.0f}"
            )
        scaled = tuple(replace(d, offered_gbps=d.offered_gbps * factor) for d in case.document.demands)
        return replace(case, document=case.document.model_copy(update={"demands": scaled}))
    if root == "links" and "." in rest:
        glob, field = rest.rsplit(".", 1)
        return _set_links(case, glob, field, _number(value, where), where)
    if root == "job" and rest:
        return replace(case, job=_set_job(case.job, rest, value, where))
    if root == "placement" and rest.endswith(".n_accelerators"):
        return replace(case, job=_set_placement(case.job, rest.rsplit(".", 1)[0], value, where))
    if root == "mix" and rest.count(".") == 2:
        return replace(case, job=_set_mix(case.job, rest.split("."), _number(value, where), where, reader))
    if root == "lossless" and rest:
        lossless = _with_field(Lossless, case.document.lossless, rest, value, where)
        return replace(case, document=case.document.model_copy(update={"lossless": lossless}))
    raise ChangeError(f"nothing to vary at {path!r}", where="--vary", expected=", ".join(PATHS))


def _set_links(case: Case, glob: str, field: str, value: float, where: str) -> Case:
    state = case.state
    rows = select_links(state, glob, case.document.as_of, where)
    if value < 0 or (field in ("n_parallel", "n_failed") and value != int(value)):
        raise ChangeError(f"{field} {value:g}", where=where, expected="a number that is not negative, whole for counts")
    if field == "total_gbps":
        if value == 0:
            raise ChangeError("total_gbps 0", where=where, expected="more than 0", hint="n_failed takes members down")
        member = value / state["link_n_parallel"][rows]
        most = most_of(Link, "capacity_gbps")
        if not ((member > 0) & (member <= most)).all():
            n_members = int(state["link_n_parallel"][rows].min())
            expected = f"at most {most:,.0f} Gb/s a member, {most * n_members:,.0f} for the smallest of these bundles"
            raise ChangeError(f"total_gbps {value:g}", where=where, expected=expected)
        state = state.with_values("link_transceiver", rows, -1)
        return replace(case, state=state.with_values("link_capacity_gbps", rows, member))
    if field == "length_km":
        return replace(case, state=_with_length(state, rows, value, where))
    if field in ("n_parallel", "n_failed"):
        if field == "n_parallel" and value < 1:
            raise ChangeError("n_parallel 0", where=where, expected="at least 1")
        if value > most_of(Link, field):
            raise ChangeError(f"{field} {value:g}", where=where, expected=f"at most {most_of(Link, field):,.0f}")
        return replace(case, state=state.with_values(f"link_{field}", rows, int(value)))
    fields = [path.rsplit(".", 1)[1] for path in PATHS if path.startswith("links.")]
    raise ChangeError(
        f"no {field!r} of links to vary", where=where, expected=", ".join(fields), hint=did_you_mean(field, fields)
    )


def _with_length(state: State, rows: Ints, length_km: float, where: str) -> State:
    """Spans of these links stretched alike."""
    spans = np.flatnonzero(np.isin(state.arrays.span_link, rows))
    if not len(spans) or length_km < 1e-6:
        raise ChangeError(f"length_km {length_km:g}", where=where, expected="links with spans, and at least 1e-6 km")
    part = state["span_length_km"][spans] / state.link_length_km[state.arrays.span_link[spans]]
    most = most_of(Span, "length_km")
    if length_km * float(part.max()) > most:
        raise ChangeError(f"length_km {length_km:g}", where=where, expected=f"at most {most:,.0f} km a span")
    stretch = length_km / state.link_length_km[state.arrays.span_link[spans]]
    return state.with_values("span_length_km", spans, state["span_length_km"][spans] * stretch)


@cache
def most_of(kind: type[Any], field: str) -> float:
    """The largest value of a record's field that a document may state."""
    said = adapter_of(kind).json_schema()["properties"][field]
    return next(float(either["maximum"]) for either in said.get("anyOf", [said]) if "maximum" in either)


def _set_job(job: TrainingJob | None, field: str, value: float | str, where: str) -> TrainingJob:
    if job is None:
        raise ChangeError("there is no job to vary", where=where)
    changed: TrainingJob = _with_field(TrainingJob, job, field, value, where)
    if field == "n_local_steps":
        changed = replace(changed, sync="local_sgd" if changed.n_local_steps > 1 else "every_step")
    wrong = list(job_shape_issues(changed))
    if wrong:
        raise TopologyError("the job contradicts itself", where=f"{where}={value}", found=wrong)
    return changed


def _set_placement(job: TrainingJob | None, site: str, value: float | str, where: str) -> TrainingJob:
    if job is None:
        raise ChangeError("there is no job to vary", where=where)
    sites = [place.site for place in job.placement]
    if site not in sites:
        raise ChangeError(f"the job is not at {site!r}", where=where, hint=did_you_mean(site, sites))
    n = _number(value, where)
    if not 0 <= n <= most_of(Placement, "n_accelerators"):
        most = most_of(Placement, "n_accelerators")
        raise ChangeError(f"n_accelerators {n:g}", where=where, expected=f"from 0 to {most:,.0f}")
    kept: list[Placement] = []
    for place in job.placement:
        if place.site != site:
            kept.append(place)
        elif n >= 1:
            kept.append(replace(place, n_accelerators=int(n)))
    return replace(job, placement=tuple(kept))


def _set_mix(
    job: TrainingJob | None, said: list[str], share_ratio: float, where: str, reader: FigureReader
) -> TrainingJob:
    """The job with so much of the old kind at a site, to the nearest replica, and the new one for the rest."""
    if job is None:
        raise ChangeError("there is no job to vary", where=where)
    site, *kinds = said
    here = [place for place in job.placement if place.site == site]
    if not here:
        sites = [place.site for place in job.placement]
        raise ChangeError(f"the job is not at {site!r}", where=where, hint=did_you_mean(site, sites))
    for kind in kinds:
        reader.catalogue.get(kind, "accelerator")
    counts = [place.n_accelerators for place in here if place.n_accelerators is not None]
    if len(counts) < len(here) or not 0.0 <= share_ratio <= 1.0:
        raise ChangeError(
            f"share {share_ratio:g} of the job at {site}", where=where, expected="0 to 1 of a stated number"
        )
    size = n_per_replica(job) * layout_of(job, 1).n_block_replicas
    n_old = round(share_ratio * sum(counts) / size) * size
    mixed = [Placement(site, n, kind) for n, kind in zip((n_old, sum(counts) - n_old), kinds, strict=True) if n >= size]
    return moved(job, (*(place for place in job.placement if place.site != site), *mixed))


def _with_field(kind: type[Any], record: Any, field: str, value: float | str, where: str) -> Any:
    """A record with one field replaced, validated as a document's would be."""
    names = list(record.__dataclass_fields__)
    if field not in names:
        raise ChangeError(
            f"no field {field!r}", where=where, expected=", ".join(names), hint=did_you_mean(field, names)
        )
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return validate_as(kind, {**asdict_compact(record), field: value}, where)


def _number(value: float | str, where: str) -> float:
    if isinstance(value, str):
        raise ChangeError(f"{value!r} is no number", where=where)
    return value
