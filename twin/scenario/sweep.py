"""One or two inputs varied over many values: a metric as a table, with its knees and where it crosses another plan."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from ..analysis.figures import FigureReader
from ..analysis.glass import AgeingCase
from ..arrays import Floats, Ints, State
from ..errors import ChangeError, TopologyError, did_you_mean
from ..formats.native import adapter_of, validate_as
from ..model.job_rules import job_shape_issues
from ..model.jobs import Placement, TrainingJob
from ..model.records import Demand, Link, Lossless, Span, asdict_compact
from ..pictures import svg_of, sweep_figure
from ..score.evaluate import Case, Evaluator
from ..score.metrics import METRICS, NotApplicableError
from ..score.score import data_frame, html_table
from ..workload.job import layout_of, n_per_replica
from .apply import Scenario
from .change import Context
from .changes import Age
from .job_changes import moved
from .select import select_links

MAX_POINTS = 100_000
"""Of one sweep."""
MAX_VALUES = 10_000
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
LOG_FROM_RATIO = 30.0
"""Inputs that span more than this factor are looked at by their logarithms."""
KNEE_RATIO = 0.1
"""A knee stands at least so far off the straight line between the ends, as a share of the metric's range."""


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


def set_input(scenario: Scenario, path: str, value: float | str, reader: FigureReader) -> Scenario:
    """The scenario with one input at a value; whether it could be built is not asked. ChangeError for a bad path."""
    root, _, rest = path.partition(".")
    where = f"--vary {path}"
    if path == "age":
        change = validate_as(Age, {"years": value}, where)
        return replace(scenario, state=change.overlay(scenario.state, Context(where, scenario.document, reader)))
    if path == "demands":
        factor = _number(value, where)
        most = most_of(Demand, "offered_gbps")
        if not all(0 <= factor * d.offered_gbps <= most for d in scenario.document.demands):
            raise ChangeError(
                f"demands times {factor:g}", where=where, expected=f"offered_gbps of each from 0 to {most:,.0f}"
            )
        scaled = tuple(replace(d, offered_gbps=d.offered_gbps * factor) for d in scenario.document.demands)
        return replace(scenario, document=scenario.document.model_copy(update={"demands": scaled}))
    if root == "links" and "." in rest:
        glob, field = rest.rsplit(".", 1)
        return _set_links(scenario, glob, field, _number(value, where), where)
    if root == "job" and rest:
        return replace(scenario, job=_set_job(scenario.job, rest, value, where))
    if root == "placement" and rest.endswith(".n_accelerators"):
        return replace(scenario, job=_set_placement(scenario.job, rest.rsplit(".", 1)[0], value, where))
    if root == "mix" and rest.count(".") == 2:
        return replace(scenario, job=_set_mix(scenario.job, rest.split("."), _number(value, where), where, reader))
    if root == "lossless" and rest:
        lossless = _with_field(Lossless, scenario.document.lossless, rest, value, where)
        return replace(scenario, document=scenario.document.model_copy(update={"lossless": lossless}))
    raise ChangeError(f"nothing to vary at {path!r}", where="--vary", expected=", ".join(PATHS))


def _set_links(scenario: Scenario, glob: str, field: str, value: float, where: str) -> Scenario:
    state = scenario.state
    rows = select_links(state, glob, scenario.document.as_of, where)
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
        return replace(scenario, state=state.with_values("link_capacity_gbps", rows, member))
    if field == "length_km":
        return replace(scenario, state=_with_length(state, rows, value, where))
    if field in ("n_parallel", "n_failed"):
        if field == "n_parallel" and value < 1:
            raise ChangeError("n_parallel 0", where=where, expected="at least 1")
        if value > most_of(Link, field):
            raise ChangeError(f"{field} {value:g}", where=where, expected=f"at most {most_of(Link, field):,.0f}")
        return replace(scenario, state=state.with_values(f"link_{field}", rows, int(value)))
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
        raise ChangeError(wrong[0].problem, where=f"{where}={value}", hint=wrong[0].hint)
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


@dataclass(frozen=True)
class Sweep:
    """A metric over one or two inputs. `values[i]` belongs to the i-th combination, the last axis fastest."""

    network: str
    job: str | None
    plan: str | None
    metric: str
    unit: str
    axes: tuple[Axis, ...]
    values: tuple[float | None, ...]
    why: tuple[str, ...]
    """Where there is no value, why."""
    knees: tuple[tuple[float | str, ...], ...]
    """Inputs at which the curve bends most, one for each value of the other axis where it bends at all."""
    against: str | None = None
    """Plan that the metric is compared with."""
    against_value: float | None = None
    crossings: tuple[tuple[float | str, ...], ...] = ()
    """Inputs at which the metric crosses that plan's, interpolated along the first axis."""

    def points(self) -> list[tuple[float | str, ...]]:
        """Inputs of every value."""
        if len(self.axes) == 1:
            return [(v,) for v in self.axes[0].values]
        return [(a, b) for a in self.axes[0].values for b in self.axes[1].values]

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the same that `--json` prints."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["axes"] = [{"path": axis.path, "values": list(axis.values)} for axis in self.axes]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in data.items()}

    def to_json(self, indent: int | None = 1) -> str:
        """`to_dict` as JSON text, ending in a newline."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"

    def to_csv(self) -> str:
        """One line a point: inputs, then the metric; empty where there is none."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*(axis.path for axis in self.axes), self.metric])
        for point, value in zip(self.points(), self.values, strict=True):
            writer.writerow([*point, "" if value is None else value])
        return text.getvalue()

    def to_pandas(self) -> Any:
        """One row a point (needs the extra `tables`)."""
        names = [*(axis.path for axis in self.axes), self.metric]
        points = zip(self.points(), self.values, strict=True)
        return data_frame([dict(zip(names, (*point, value), strict=True)) for point, value in points], names)

    def figure(self) -> Any:
        """A matplotlib figure: a curve, or one for each value of the second input (extra `pictures`)."""
        return sweep_figure(self.to_dict())

    def _repr_html_(self) -> str:
        heads = (*(axis.path for axis in self.axes), self.metric)
        points = list(zip(self.points(), self.values, strict=True))[:200]
        rows = [(*map(str, point), "–" if value is None else f"{value:.6g}") for point, value in points]
        return html_table(f"{self.network}: {self.metric}", heads, rows, ()) + svg_of(self.figure)


def check_sweep(axes: Sequence[Axis], metric: str) -> int:
    """Number of points. Raises ChangeError for no axes, too many, or a metric that is not there."""
    if metric not in METRICS:
        raise ChangeError(f"no metric {metric!r}", where="--metric", hint=did_you_mean(metric, METRICS))
    if not 1 <= len(axes) <= 2 or len({axis.path for axis in axes}) != len(axes):
        raise ChangeError(f"{len(axes)} inputs", where="--vary", expected="one or two different ones")
    n = math.prod(len(axis.values) for axis in axes)
    if n > MAX_POINTS:
        raise ChangeError(f"{n} points", where="--vary", expected=f"at most {MAX_POINTS}")
    return n


def run_points(
    origin: Scenario,
    axes: Sequence[Axis],
    metric: str,
    evaluator: Evaluator,
    reader: FigureReader,
    ageing: AgeingCase,
    advance: Callable[[int], None] | None,
) -> tuple[list[float | None], list[str]]:
    """The metric at every point, the last axis fastest, and why where there is none."""
    found: list[float | None] = []
    why: list[str] = []
    for first in axes[0].values:
        outer = set_input(origin, axes[0].path, first, reader)
        inner = axes[1].values if len(axes) > 1 else (None,)
        for second in inner:
            scenario = outer if second is None else set_input(outer, axes[1].path, second, reader)
            value, reason = metric_of_scenario(scenario, metric, evaluator, ageing)
            found.append(value)
            why.append(reason)
            if advance is not None:
                advance(len(found))
    return found, why


def metric_of_scenario(
    scenario: Scenario, metric: str, evaluator: Evaluator, ageing: AgeingCase
) -> tuple[float | None, str]:
    """A metric of a scenario, or None and why."""
    case = Case(scenario.state, scenario.document, scenario.job, ageing)
    try:
        e = evaluator.evaluate(case, with_lease=metric.startswith("lease"))
        value = METRICS[metric].compute(e)
    except NotApplicableError as reason:
        return None, str(reason)
    except TopologyError as error:  # a point where the job does not fit is no reason to lose the others
        return None, "; ".join(issue.problem for issue in error.issues) or str(error)
    return (value, "") if math.isfinite(value) else (None, "grows without bound")


def knees_of(axes: Sequence[Axis], values: Sequence[float | None]) -> tuple[tuple[float | str, ...], ...]:
    """Where each curve along the first axis bends most: farthest from the line between its ends.

    After Satopaa et al. 2011, Finding a "Kneedle" in a haystack; both axes scaled to 0..1, so no unit matters, and both
    by their logarithms where the input spans a factor of 30. Curves with less than three values, and straight ones,
    have none.
    """
    found: list[tuple[float | str, ...]] = []
    others = axes[1].values if len(axes) > 1 else (None,)
    table = np.array([math.nan if v is None else v for v in values]).reshape(len(axes[0].values), len(others))
    if any(isinstance(v, str) for v in axes[0].values):
        return ()
    x = np.array([float(v) for v in axes[0].values])
    for column, other in enumerate(others):
        at = _knee(x, table[:, column])
        if at is not None:
            found.append((float(x[at]),) if other is None else (float(x[at]), other))
    return tuple(found)


def _knee(x: Floats, y: Floats) -> int | None:
    known = np.flatnonzero(~np.isnan(y))
    if len(known) < 3 or np.ptp(y[known]) == 0 or np.ptp(x[known]) == 0:
        return None
    if x[known].min() > 0 and x[known].max() / x[known].min() >= LOG_FROM_RATIO:
        x = np.log(x)
        if y[known].min() > 0:  # what falls as 1/x until something else binds is straight up to there
            y = np.log(y)
    order = known[np.argsort(x[known], kind="stable")]
    u = (x[order] - x[order][0]) / np.ptp(x[known])
    v = (y[order] - y[order][0]) / np.ptp(y[known])
    off = np.abs(v - u * v[-1])
    best = int(np.argmax(off))
    return int(order[best]) if off[best] >= KNEE_RATIO else None


def crossings_of(
    axes: Sequence[Axis], values: Sequence[float | None], level: float
) -> tuple[tuple[float | str, ...], ...]:
    """Where the metric crosses a level along the first axis, interpolated between neighbours."""
    if any(isinstance(v, str) for v in axes[0].values):
        return ()
    others = axes[1].values if len(axes) > 1 else (None,)
    table = np.array([math.nan if v is None else v for v in values]).reshape(len(axes[0].values), len(others))
    x = np.array([float(v) for v in axes[0].values])
    found: list[tuple[float | str, ...]] = []
    for column, other in enumerate(others):
        off = table[:, column] - level
        for i in np.flatnonzero(off[:-1] * off[1:] < 0):
            at = float(x[i] + (x[i + 1] - x[i]) * off[i] / (off[i] - off[i + 1]))
            found.append((at,) if other is None else (at, other))
    return tuple(found)
