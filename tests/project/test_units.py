"""Every number says its unit in its name; the few that do not are listed here with a reason."""

from __future__ import annotations

import ast
import dataclasses
import typing
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from twin.answers.metrics import METRICS, metric_unit
from twin.arrays import NetworkArrays, compile_network
from twin.arrays.state import OVERLAYS
from twin.model import document, records
from twin.scenario import changes
from twin.units import unit_of

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "catalogue",
    "workload",
    "arrays",
    "optics",
    "traffic",
    "reliability",
    "training",
    "economics",
    "stages",
    "scenario",
    "answers",
    "studies",
)
"""Packages whose float fields are looked at."""
EXEMPT = {
    "Link.weight": "a routing metric has no unit",
    "NetworkArrays.arc_weight": "a routing metric has no unit",
    "Effect.before": "the unit is that of `figure`",
    "Effect.after": "the unit is that of `figure`",
    "Figure.scale": "the unit is that of `name`",
    "AcceleratorUse.useful": "accelerators; time counts as accelerators",
    "AcceleratorUse.leased": "accelerators; time counts as accelerators",
    "AcceleratorUse.no_job": "accelerators; time counts as accelerators",
    "AcceleratorUse.waiting": "accelerators; time counts as accelerators",
    "AcceleratorUse.network": "accelerators; time counts as accelerators",
    "AcceleratorUse.power_or_cooling": "accelerators; time counts as accelerators",
    "AcceleratorUse.failures": "accelerators; time counts as accelerators",
    "AcceleratorUse.out_of_service": "accelerators; time counts as accelerators",
    "CaseFigures.values": "in the units of the figures' names",
    "DocumentInput.set": "a function",
    "Amount.at_value": "in the unit of the field that holds it",
    "Amount.p10": "in the unit of the field that holds it",
    "Amount.p50": "in the unit of the field that holds it",
    "Amount.p90": "in the unit of the field that holds it",
    "Interval.at_value": "in `unit`",
    "Interval.p10": "in `unit`",
    "Interval.p50": "in `unit`",
    "Interval.p90": "in `unit`",
    "Rows.values": "in the units of the inputs",
    "Rows.dummies": "probabilities",
    "SampleQuestion.values": "in the units of the inputs",
    "SampleReport.worth_of_all": "in `unit`",
    "SampleReport.worth_noise": "in `unit`",
    "TornadoRow.at_low": "in the unit of the metric",
    "TornadoRow.at_high": "in the unit of the metric",
    "TornadoRow.swing": "in the unit of the metric",
    "TornadoRow.lead_swing": "in the unit of the metric",
    "TornadoRow.worth": "in the unit of the metric",
    "TornadoRow.low": "in the unit of the input",
    "TornadoRow.high": "in the unit of the input",
    "UncertainInput.low": "in the unit of the place",
    "UncertainInput.value": "in the unit of the place",
    "UncertainInput.high": "in the unit of the place",
    "Total.before": "in `unit`",
    "Total.after": "in `unit`",
    "FieldChange.before_high": "in the unit of the field's name",
    "FieldChange.after_high": "in the unit of the field's name",
    "Flows.amount": "in the unit that is stated where flows are made (see JobFlows)",
    "PhasePattern.amount": "in the unit of the flow sets",
    "PhasePattern.load": "arc loads of one unit of a flow set",
    "WcmpTable.weight": "weights of next hops have no unit",
    "Forwarding.height": "a number of next hops",
    "Forwarding.weight": "a routing metric has no unit",
    "Forwarding.share": "weights of next hops have no unit",
    "WcmpForwarding.share": "weights of next hops have no unit",
    "GrowthQuestion.rates": "growth ratios a year by class, as growth_ratio_per_year",
    "Routes.trace_fraction": "a fraction of whatever the pair sends",
    "Trace.fraction": "a fraction of whatever the pair sends",
    "UnitLinkLoads.local": "arc loads of one unit of a flow set",
    "UnitLinkLoads.pipeline": "arc loads of one unit of a flow set",
    "UnitLinkLoads.context": "arc loads of one unit of a flow set",
    "UnitLinkLoads.expert": "arc loads of one unit of a flow set",
    "UnitLinkLoads.crossing": "arc loads of one unit of a flow set",
    "UnitLinkLoads.wide": "arc loads of one unit of a flow set",
    "Routes.inner_fraction": "a fraction of whatever the pair sends",
    "Routes.pair_fraction": "a fraction of whatever the pair sends",
    "AllReduceSchedule.volume": "a part of the parameters",
    "Step.bottleneck": "pairs of arc and seconds",
    "BillLine.quantity": "in `unit`",
    "UnitCost.gain": "in `unit`",
    "Schedule.before": "in `unit`",
    "Schedule.after": "in `unit`",
    "Schedule.worst": "in `unit`",
    "WorkState.value": "in `unit` of the schedule",
    "Blocker.needed": "in the unit of the budget that it names",
    "Blocker.limit": "in the unit of the budget that it names",
    "ReadyStep.needed": "in the unit of the budget that it names",
    "ReadyStep.limit": "in the unit of the budget that it names",
    "Purchase.amount": "in the unit that the item names",
    "Axis.values": "in the unit of the input that its path names",
    "Sweep.values": "in the unit of the metric, which stands in `unit`",
    "Sweep.against_value": "in the unit of the metric",
    "Sweep.knees": "in the units of the inputs",
    "Sweep.crossings": "in the units of the inputs",
    "BillOfMaterials.leased_pair_miles": "a compound of two counts of length, pairs times miles",
    "UsedFigure.value": "any figure; its name, beside it, has the unit",
    "UsedFigure.low": "any figure; its name, beside it, has the unit",
    "UsedFigure.high": "any figure; its name, beside it, has the unit",
    "MainAssumption.value": "any figure; its name, beside it, has the unit",
    "MainAssumption.low": "any figure; its name, beside it, has the unit",
    "MainAssumption.high": "any figure; its name, beside it, has the unit",
    "MainAssumption.at_value": "in the unit of the metric that `moves` names",
    "MainAssumption.at_low": "in the unit of the metric that `moves` names",
    "MainAssumption.at_high": "in the unit of the metric that `moves` names",
    "MetricValue.value": "any metric; its unit stands beside it",
    "MetricChange.before": "any metric; its unit stands beside it",
    "MetricChange.after": "any metric; its unit stands beside it",
    "MetricChange.change": "any metric; its unit stands beside it",
    "DiffCause.before": "any figure; its name, beside it, has the unit",
    "DiffCause.after": "any figure; its name, beside it, has the unit",
    "Metric.compute": "a function",
    "Figure.value": "any figure; its name, beside it, has the unit",
    "Figure.low": "any figure; its name, beside it, has the unit",
    "Figure.high": "any figure; its name, beside it, has the unit",
    "Penalty.at": "in the unit that `impairment` names",
    "AnswerWarning.value": "in the unit of the limit that `rule` names",
    "AnswerWarning.limit": "in the unit of the limit that `rule` names",
    "BuildFault.value": "in the unit of the limit that `rule` names",
    "BuildFault.limit": "in the unit of the limit that `rule` names",
    "NoiseFigure.at": "dB, or dBm where `by_input` is true",
    "ResidualRow.measured": "any quantity; its unit stands beside it",
    "ResidualRow.model": "any quantity; its unit stands beside it",
    "ResidualRow.residual": "any quantity; its unit stands beside it",
    "Modelled.value": "in the unit of the measured quantity",
}


def is_float(annotation: object) -> bool:
    words = annotation if isinstance(annotation, str) else str(annotation)
    return "float" in words or "Floats" in words


def record_fields() -> list[str]:
    """Float fields of every record and every pydantic model of document and changes, as Class.field."""
    found = []
    for module in (records, document, changes):
        for name, kind in vars(module).items():
            if not isinstance(kind, type) or kind.__module__ != module.__name__:
                continue
            if dataclasses.is_dataclass(kind):
                hints = typing.get_type_hints(kind)
                found += [f"{name}.{spec.name}" for spec in dataclasses.fields(kind) if is_float(hints[spec.name])]
            elif issubclass(kind, BaseModel):
                found += [f"{name}.{key}" for key, spec in kind.model_fields.items() if is_float(spec.annotation)]
    return found


def source_fields() -> list[str]:
    """Annotated float fields of public classes in the packages that compute, read off their source."""
    found = []
    for package in PACKAGES:
        for file in sorted((ROOT / "twin" / package).glob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
                    continue
                found += [
                    f"{node.name}.{item.target.id}"
                    for item in node.body
                    if isinstance(item, ast.AnnAssign)
                    and isinstance(item.target, ast.Name)
                    and is_float(ast.unparse(item.annotation))
                ]
    return found


FIELDS = sorted({*record_fields(), *source_fields()})


@pytest.mark.parametrize("name", FIELDS)
def test_a_float_field_carries_its_unit(name: str) -> None:
    assert name in EXEMPT or unit_of(name.split(".")[1]) is not None


def test_the_fields_are_found() -> None:
    for name in (
        "Span.length_km",
        "TopologyDocument.required_margin_db",
        "ScaleDemands.factor_ratio",
        "Step.step_time_s",
    ):
        assert name in FIELDS
    assert len(FIELDS) > 60


def test_no_exemption_is_left_over() -> None:
    assert set(EXEMPT) <= set(FIELDS)
    assert not [name for name in EXEMPT if unit_of(name.split(".")[1]) is not None]


def test_float_columns_carry_their_units() -> None:
    arrays = compile_network(document.TopologyDocument(), (), ())
    columns = [
        spec.name
        for spec in dataclasses.fields(NetworkArrays)
        if getattr(getattr(arrays, spec.name), "dtype", None) == np.float64
    ]
    assert len(columns) >= 9
    assert [name for name in columns if unit_of(name) is None] == ["arc_weight"]


def test_columns_bear_the_names_of_their_fields() -> None:
    """`node_site` is Node.site; dates become ages, names become codes."""
    own = {
        "node_age_years": "installed",
        "link_age_years": "installed",
        "span_age_years": "installed",
        "span_amplifier_age_years": "amplifier_installed",
        "link_measured_years": "measured",
        "span_measured_years": "measured",
        "span_link": None,
        "span_srlg_span": None,
        "span_srlg_code": "srlgs",
        "span_first": None,
        "span_undated": None,
        "link_straight_km": None,
    }
    kinds = {"node": records.Node, "link": records.Link, "span": records.Span}
    for spec in dataclasses.fields(NetworkArrays):
        prefix, _, rest = spec.name.partition("_")
        if prefix in kinds and not spec.name.endswith("_ids"):
            field = own.get(spec.name, rest)
            assert field is None or field in {f.name for f in dataclasses.fields(kinds[prefix])}, spec.name


def test_overlays_are_columns() -> None:
    assert {spec.name for spec in dataclasses.fields(NetworkArrays)} >= OVERLAYS


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_carries_its_unit(name: str) -> None:
    assert metric_unit(name)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("capacity_gbps", "Gb/s"),
        ("n_links_below_margin", "1"),
        ("attenuation_db_per_km", "dB/km"),
        ("usd_per_effective_pflop_day", "USD/PFLOP/d"),
        ("tokens_per_s", "tokens/s"),
        ("usd_per_million_tokens", "USD/million tokens"),
        ("length", None),
        ("colour_per_km", None),
        ("usd_per_banana", None),
    ],
)
def test_units_are_read_off_names(name: str, unit: str | None) -> None:
    assert unit_of(name) == unit


# --- kernels: one decorator, nothing parallel, nothing fast and loose --------------------------------------------

KERNEL_FILES = sorted((ROOT / "twin" / "kernels").glob("*.py"))


@pytest.mark.parametrize("file", KERNEL_FILES, ids=lambda file: file.stem)
def test_kernels_have_one_decorator_and_no_dangerous_switch(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and file.stem != "jit":
            decorators = [ast.unparse(item) for item in node.decorator_list]
            assert decorators in (["kernel"], ["scratch_kernel"], ["inner_kernel"]), node.name
        if isinstance(node, ast.keyword):
            assert node.arg not in ("parallel", "fastmath"), f"{file.name}:{node.value.lineno}"
        if isinstance(node, ast.Name):
            assert node.id != "prange"
        if isinstance(node, ast.Raise | ast.Assert | ast.Try) and file.stem != "jit":
            raise AssertionError(f"{file.name}:{node.lineno}: kernels never raise")


def test_numba_is_imported_in_one_file() -> None:
    users = [file.stem for file in (ROOT / "twin").rglob("*.py") if "numba" in _imported(file)]
    assert set(users) <= {"jit", "warmup"}


def _imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_kernels_are_compiled_with_cache_and_without_the_gil() -> None:
    from twin.kernels.paths import shortest_distances

    options = shortest_distances.targetoptions
    assert options.get("nogil") is True
    assert not options.get("parallel")
    assert not options.get("fastmath")
    assert type(shortest_distances._cache).__name__ == "_KernelCache"
