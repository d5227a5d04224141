"""Inputs of a sweep: their paths and values, and a case with one input set to a value."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, get_args

import numpy as np

from ..catalogue.figure_reader import FigureReader
from ..errors import ChangeError, TopologyError, did_you_mean
from ..model.document import TopologyDocument
from ..model.job_rules import job_shape_issues
from ..model.jobs import Parallelism, Placement, TrainingJob, with_placement
from ..model.records import BalancingTier, Demand, Link, LoadBalancing, Lossless, Span, asdict_compact
from ..model.validation import adapter_of, validate_as
from ..scenario.balancing_change import with_load_balancing
from ..scenario.change import Context
from ..scenario.fibre_changes import Age
from ..scenario.job_changes import single_placement
from ..scenario.select import select_links
from ..stages.evaluation import Case
from ..workload.job_arithmetic import layout_of, n_per_replica
from .lengths import with_length
from .paths import path_names, split_axis

MAX_VALUES = 10_000
"""Largest number of values of one input."""
PATHS: dict[str, str] = {
    "age": "years that pass for everything with an installation date",
    "demands": "factor on the demands of the document",
    "links.GLOB.total_gbps": "capacity of all members of each matching link",
    "links.GLOB.length_km": "length of each matching link",
    "links.GLOB.n_parallel": "members of each matching link",
    "links.GLOB.n_failed": "members of each matching link that are down",
    "job.FIELD": "a field of the job: `job.n_local_steps`, `job.split`, `job.n_global_batch`, `job.model` by name",
    "parallelism.FIELD": "a field of the job's parallelism: `.tp`, `.pp`, `.n_micro_batch`, `.fully_sharded`",
    "placement.SITE.n_accelerators": "accelerators of the job at a site with one placement; 0 leaves the site out",
    "mix.SITE.OLD.NEW": "share, 0 to 1, of the job's accelerators at a site that are of the old kind; "
    "the others are of the new kind, in whole replicas",
    "lossless.FIELD": "a field of `lossless`: `lossless.policy`, `lossless.in_flight_bytes`",
    "load_balancing.TIER.FIELD": "load balancing of a tier (fabric, border, wide_area, or all): "
    "`load_balancing.fabric.mode`, `load_balancing.fabric.n_flows_per_pair`",
}
"""Inputs that can be varied, and what each sets; FIELD is a field of the record that bears the name.

In a `mix`, what the placement of a kind states stays with it; a new kind takes the same `racks`, and the pace of the
catalogue. A name that holds dots stands in double quotes: `links."a.b c".n_parallel`.
"""
FORM = 'like "age=0..30:7", or {"path": "age", "values": [0, 10, 20]}'
NOT_SWEEPABLE = {
    "id": "it names the job",
    "note": "it is for readers",
    "name": "it is for readers",
    "tags": "they are for readers",
    "source": "it is for readers",
    "placement": "placement.SITE.n_accelerators or mix.SITE.OLD.NEW",
    "parallelism": "parallelism.tp, parallelism.pp, ...",
}
"""Fields of a job that cannot be varied, and the reason or the input to use instead."""

SCOPE = ("tier", "fabric")
"""Fields of a load balancing record that cannot be varied."""


@dataclass(frozen=True)
class Axis:
    """An input and the values it takes."""

    path: str
    values: tuple[float | str, ...]


def axes_of(vary: Any) -> tuple[Axis, ...]:
    """Read the inputs of a Python call: a text, a mapping with `path` and `values`, or a list of these."""
    return tuple(axis_of(item) for item in (vary if isinstance(vary, list | tuple) else [vary]))


def axis_of(item: Any) -> Axis:
    """Read an input: a text for `parse_axis`, a mapping with `path` and `values` (a list or a text), or an axis.

    Raises ChangeError.
    """
    if isinstance(item, Axis):
        item = {"path": item.path, "values": item.values}
    if isinstance(item, str):
        return parse_axis(item)
    if not isinstance(item, Mapping) or set(item) != {"path", "values"} or not isinstance(item["path"], str):
        raise ChangeError(f"{item!r:.100} is nothing to vary", where="vary", expected=f"something {FORM}")
    path, values = item["path"], item["values"]
    return parse_axis(f"{path}={values}") if isinstance(values, str) else _axis(path, values, lambda: values)


def parse_axis(text: str) -> Axis:
    """Read `path=1,2,5`, `path=1..10:4` (four equal steps), `path=1..1000:log7` (seven by equal factors), or words.

    Raises ChangeError.
    """
    path, values_text = split_axis(text)
    if not path or not values_text:
        raise ChangeError(
            f"{text!r} is no path=values", where="vary", hint="age=0,10,20 or links.wan-*.n_parallel=8,16"
        )
    return _axis(
        path, values_text, lambda: _range_values(values_text) if ".." in values_text else values_text.split(",")
    )


def _axis(path: str, stated: Any, list_values: Callable[[], Iterable[Any]]) -> Axis:
    try:
        values = tuple(map(_value, list_values()))
        if not 1 <= len(values) <= MAX_VALUES or not all(isinstance(v, str) or math.isfinite(v) for v in values):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        expected = f"1,2,5 or 1..10:4 or 1..1000:log7 (above 0), at most {MAX_VALUES} values, finite numbers or words"
        raise ChangeError(f"values {stated!r:.100}", where=f"vary {path}", expected=expected) from None
    return Axis(path, values)


def _range_values(text: str) -> list[float]:
    """Values of a range like `1..10:4`; ValueError for any other text."""
    match = re.fullmatch(r"(.+?)\.\.(.+?):(log)?(\d+)", text)
    if match is None:
        raise ValueError
    low, high, n = float(match[1]), float(match[2]), int(match[4])
    if n < 2 or n > MAX_VALUES or (match[3] and min(low, high) <= 0):
        raise ValueError
    with np.errstate(all="ignore"):  # `_axis` reports values that are not finite
        return [float(v) for v in (np.geomspace(low, high, n) if match[3] else np.linspace(low, high, n))]


def _value(item: Any) -> float | str:
    """A number, or a word; true and false become words."""
    if isinstance(item, bool):
        return str(item).lower()
    if not isinstance(item, str):
        return float(item)
    word = item.strip()
    if not word or ".." in word:  # a range cannot be one value of a list
        raise ValueError
    try:
        return float(word)
    except ValueError:
        return word


def set_input(case: Case, path: str, value: float | str, reader: FigureReader) -> Case:
    """Set one input of a case to a value.

    Args:
        case: case to start from.
        path: one of PATHS.
        value: a number or a word.
        reader: source of figures.

    Raises:
        ChangeError: for an unknown path, or a value that the input cannot take.
        TopologyError: for a job that contradicts itself with this value.
    """
    root, *rest = path_names(path)
    where = f"vary {path}"
    if not all((root, *rest)):
        raise _unknown_path(path)
    if path == "age":
        change = validate_as(Age, {"years": value}, where)
        context = Context(where, case.document, case.state.node_ids, reader)
        return replace(case, state=change.overlay(case.state, context))
    if path == "demands":
        factor = _number(value, where)
        maximum = max_value_of(Demand, "offered_gbps")
        if not all(0 <= factor * d.offered_gbps <= maximum for d in case.document.demands):
            raise ChangeError(
                f"demands times {factor:g}", where=where, expected=f"offered_gbps of each from 0 to {maximum:,.0f}"
            )
        scaled = tuple(replace(d, offered_gbps=d.offered_gbps * factor) for d in case.document.demands)
        return replace(case, document=case.document.model_copy(update={"demands": scaled}))
    if root == "links" and len(rest) > 1:
        return _set_links(case, ".".join(rest[:-1]), rest[-1], _number(value, where), where)
    if root in ("job", "parallelism", "placement", "mix") and rest:
        if case.job is None:
            raise ChangeError("there is no job to vary", where=where, hint="add one under jobs")
        return replace(case, job=_vary_job(case.job, path, value, reader))
    if root == "lossless" and rest:
        lossless = _with_field(Lossless, case.document.lossless, ".".join(rest), value, where)
        return replace(case, document=case.document.model_copy(update={"lossless": lossless}))
    if root == "load_balancing" and len(rest) == 2:
        return replace(case, document=_vary_balancing(case, rest[0], rest[1], value, where))
    raise _unknown_path(path)


def _unknown_path(path: str) -> ChangeError:
    return ChangeError(f"nothing to vary at {path!r}", where="vary", expected=", ".join(PATHS))


def _set_links(case: Case, glob: str, field: str, value: float, where: str) -> Case:
    state = case.state
    rows = select_links(state, glob, case.document.as_of, where)
    if value < 0 or (field in ("n_parallel", "n_failed") and value != int(value)):
        raise ChangeError(f"{field} {value:g}", where=where, expected="a number that is not negative, whole for counts")
    if field == "total_gbps":
        if value == 0:
            raise ChangeError("total_gbps 0", where=where, expected="more than 0", hint="n_failed takes members down")
        member = value / state["link_n_parallel"][rows]
        maximum = max_value_of(Link, "capacity_gbps")
        if not ((member > 0) & (member <= maximum)).all():
            n_members = int(state["link_n_parallel"][rows].min())
            expected = (
                f"at most {maximum:,.0f} Gb/s a member, {maximum * n_members:,.0f} for the smallest of these bundles"
            )
            raise ChangeError(f"total_gbps {value:g}", where=where, expected=expected)
        state = state.with_values("link_transceiver", rows, -1)
        return replace(case, state=state.with_capacity_gbps(rows, member))
    if field == "length_km":
        return replace(case, state=with_length(state, rows, value, max_value_of(Span, "length_km"), where))
    if field in ("n_parallel", "n_failed"):
        if field == "n_parallel" and value < 1:
            raise ChangeError("n_parallel 0", where=where, expected="at least 1")
        if value > max_value_of(Link, field):
            raise ChangeError(f"{field} {value:g}", where=where, expected=f"at most {max_value_of(Link, field):,.0f}")
        state = state.with_values(f"link_{field}", rows, int(value))
        n_failed, n_parallel = state["link_n_failed"][rows], state["link_n_parallel"][rows]
        if (n_failed > n_parallel).any():
            worst = int(np.argmax(n_failed - n_parallel))
            raise TopologyError(f"{n_failed[worst]} members down of {n_parallel[worst]}", where=f"{where}={value:g}")
        return replace(case, state=state)
    fields = [path.rsplit(".", 1)[1] for path in PATHS if path.startswith("links.")]
    raise ChangeError(
        f"no {field!r} of links to vary", where=where, expected=", ".join(fields), hint=did_you_mean(field, fields)
    )


@cache
def max_value_of(kind: type[Any], field: str) -> float:
    """Return the largest value that a document may state for a record's field."""
    schema = adapter_of(kind).json_schema()["properties"][field]
    return next(float(branch["maximum"]) for branch in schema.get("anyOf", [schema]) if "maximum" in branch)


def _vary_job(job: TrainingJob, path: str, value: float | str, reader: FigureReader) -> TrainingJob:
    root, *rest = path_names(path)
    where = f"vary {path}"
    if root == "job":
        return _set_job(job, ".".join(rest), value, where)
    if root == "parallelism":
        return _set_parallelism(job, ".".join(rest), value, where)
    if root == "placement" and len(rest) > 1 and rest[-1] == "n_accelerators":
        return _set_placement(job, ".".join(rest[:-1]), value, where)
    if root == "mix" and len(rest) == 3:
        return _set_mix(job, rest, _number(value, where), where, reader)
    raise _unknown_path(path)


def _set_job(job: TrainingJob, field: str, value: float | str, where: str) -> TrainingJob:
    if field in NOT_SWEEPABLE:
        raise ChangeError(f"{field!r} of a job is nothing to vary", where=where, hint=NOT_SWEEPABLE[field])
    changed: TrainingJob = _with_field(TrainingJob, job, field, value, where, NOT_SWEEPABLE)
    if field == "n_local_steps":
        changed = replace(changed, sync="local_sgd" if changed.n_local_steps > 1 else "every_step")
    return _checked(changed, f"{where}={value}")


def _set_parallelism(job: TrainingJob, field: str, value: float | str, where: str) -> TrainingJob:
    """Set one degree of parallelism; `dp` then follows from the number of accelerators, unless it is the field."""
    if value in ("true", "false"):
        parallelism = _with_field(Parallelism, job.parallelism, field, value == "true", where)
    else:
        parallelism = _with_field(Parallelism, job.parallelism, field, value, where)
    if field != "dp":
        parallelism = replace(parallelism, dp=None)
    return _checked(replace(job, parallelism=parallelism), f"{where}={value}")


def _checked(job: TrainingJob, where: str) -> TrainingJob:
    """The job unchanged; TopologyError if it contradicts itself."""
    issues = list(job_shape_issues(job))
    if issues:
        raise TopologyError("the job contradicts itself", where=where, found=issues)
    return job


def _placements_at(job: TrainingJob, site: str, where: str) -> list[Placement]:
    """Placements of the job at a site; ChangeError if there is none."""
    placements = [placement for placement in job.placement if placement.site == site]
    if not placements:
        sites = [placement.site for placement in job.placement]
        raise ChangeError(f"the job is not at {site!r}", where=where, hint=did_you_mean(site, sites))
    return placements


def _set_placement(job: TrainingJob, site: str, value: float | str, where: str) -> TrainingJob:
    """Set the number of accelerators of a job at a site; TopologyError if the job then has none at any site."""
    at_site = _placements_at(job, site, where)
    if len(at_site) > 1:
        kinds = ", ".join(placement.accelerator or "any kind" for placement in at_site)
        hint = f"mix.{site}.OLD.NEW varies shares of kinds; a change place_job states each"
        raise ChangeError(f"the job has {len(at_site)} placements at {site!r} ({kinds})", where=where, hint=hint)
    n = _number(value, where)
    if not 0 <= n <= max_value_of(Placement, "n_accelerators"):
        maximum = max_value_of(Placement, "n_accelerators")
        raise ChangeError(f"n_accelerators {n:g}", where=where, expected=f"from 0 to {maximum:,.0f}")
    if n < 1:
        placements = [placement for placement in job.placement if placement.site != site]
    else:
        placements = [
            replace(placement, n_accelerators=int(n)) if placement.site == site else placement
            for placement in job.placement
        ]
    return _with_placements(job, tuple(placements), f"{where}={n:g}")


def _set_mix(job: TrainingJob, names: list[str], share_ratio: float, where: str, reader: FigureReader) -> TrainingJob:
    """Set the share of the old kind of accelerator at a site, in whole replicas; the rest is of the new kind."""
    site, old, new = names
    at_site = _placements_at(job, site, where)
    for kind in (old, new):
        reader.catalogue.get(kind, "accelerator")
    if old == new:
        raise ChangeError(f"{old} stands twice", where=where, expected="two kinds")
    counts = [placement.n_accelerators for placement in at_site if placement.n_accelerators is not None]
    if len(counts) < len(at_site):
        hint = "the share is taken of that number: state n_accelerators in the placement"
        raise ChangeError(f"a placement of the job at {site!r} states no n_accelerators", where=where, hint=hint)
    if not 0.0 <= share_ratio <= 1.0:
        raise ChangeError(f"share {share_ratio:g} of the job at {site}", where=where, expected="0 to 1")
    size = n_per_replica(job) * layout_of(job, 1).n_block_replicas
    n_old = round(share_ratio * sum(counts) / size) * size
    # a placement that states no kind counts as the old kind
    mixed = [(n_old, old, (old, None)), (sum(counts) - n_old, new, (new,))]
    placements = [single_placement(at_site, kind, n, matching, where) for n, kind, matching in mixed if n >= size]
    other_sites = tuple(placement for placement in job.placement if placement.site != site)
    return _with_placements(job, (*other_sites, *placements), f"{where}={share_ratio:g}")


def _with_placements(job: TrainingJob, placement: tuple[Placement, ...], where: str) -> TrainingJob:
    if not placement:
        raise TopologyError("the job has no accelerators left", where=where)
    return with_placement(job, placement)


def _with_field(
    kind: type[Any], record: Any, field: str, value: float | str, where: str, without: Collection[str] = ()
) -> Any:
    """Replace one field of a record, and validate it like a record of a document."""
    names = [name for name in record.__dataclass_fields__ if name not in without]
    if field not in names:
        raise ChangeError(
            f"no field {field!r}", where=where, expected=", ".join(names), hint=did_you_mean(field, names)
        )
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return validate_as(kind, {**asdict_compact(record), field: value}, where)


def _vary_balancing(case: Case, tier: str, field: str, value: float | str, where: str) -> TopologyDocument:
    """Set one field of the load balancing of a tier; settings that a new mode does not have go."""
    tiers = [*get_args(BalancingTier), "all"]
    if tier not in tiers:
        raise ChangeError(f"no tier {tier!r}", where=where, expected=", ".join(tiers), hint=did_you_mean(tier, tiers))
    scope = None if tier == "all" else tier
    stated: dict[str | None, LoadBalancing] = {r.tier: r for r in case.document.load_balancing if r.fabric is None}
    record = stated.get(scope) or stated.get(None)
    starts_anew = record is None or (field == "mode" and record.mode != value)
    old = {} if record is None or starts_anew else asdict_compact(record)
    whole = validate_as(LoadBalancing, {"mode": "ecmp", **old, "tier": scope}, where)
    varied = _with_field(LoadBalancing, whole, field, value, where, SCOPE)
    if record is None and scope != "wide_area" and field != "mode":
        hint = f"vary load_balancing.{tier}.mode too, or state load_balancing in the document"
        raise TopologyError(f"{field} without a mode", where=where, hint=hint)
    return with_load_balancing(case.document, varied, case.state.node_ids, f"{where}={value}")


def _number(value: float | str, where: str) -> float:
    if isinstance(value, str):
        raise ChangeError(f"{value!r} is no number", where=where)
    return value
