"""The engine on tables of a few rows: what it keeps, what it runs again, and which figures an answer rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tests.model.samples import campus_data
from tests.training.cases import state_of
from twin.catalogue import catalogue, load_price_book
from twin.errors import UndeclaredInputError
from twin.model.jobs import TrainingJob
from twin.stages.engine import Engine
from twin.stages.evaluation import Case, Evaluation
from twin.stages.stage import Inputs, RecordView, Stage


def case(job: bool = True, **fields: Any) -> Case:
    state, document = state_of(campus_data() | fields)
    both = next(each for each in document.jobs if each.id == "both")
    return Case(state, document, both if job else None)


def engine(*rows: Stage) -> Engine:
    return Engine(catalogue(), load_price_book(), {row.name: row for row in rows})


def read(runner: Engine, asked: Case, name: str, before: Any = None) -> Any:
    return Evaluation(asked, before, runner).outcome(name)


def job_of(inputs: Inputs) -> TrainingJob:
    assert inputs.job is not None
    return inputs.job


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_a_stage_runs_again_when_an_input_of_any_kind_is_another() -> None:
    runs: list[int] = []

    def note(inputs: Inputs) -> int:
        runs.append(1)
        return len(runs)

    row = Stage(
        "s", note, state=("link_up",), document=("routing",), job=("split",), before=("link_up",), by_ageing=True
    )
    first, runner = case(), engine(row)
    assert first.job is not None
    dark = first.state.with_values("link_up", np.array([0]), False)
    others = [
        replace(first, state=dark),
        replace(first, document=case(routing="wcmp").document),
        replace(first, job=replace(first.job, split="balanced")),
        replace(first, job=None),
        replace(first, ageing="high"),
    ]
    assert read(runner, first, "s") == 1
    assert [read(runner, asked, "s") for asked in others] == [2, 3, 4, 5, 6]
    assert read(runner, first, "s") == 1, "kept"
    assert read(runner, replace(first, document=case(name="other").document), "s") == 1, "nothing that the row reads"
    assert read(runner, first, "s", first.state) == 7
    assert read(runner, first, "s", dark) == 8


def chain() -> Engine:
    """`out` runs `middle` again for the first place alone; `middle` needs `base`, and `base` reads the document."""
    return engine(
        Stage("base", lambda inputs: inputs.document.routing, document=("routing",)),
        Stage(
            "middle",
            lambda inputs: (inputs["base"], len(job_of(inputs).placement)),
            needs=("base",),
            job=("placement",),
        ),
        Stage(
            "out",
            lambda inputs: inputs.rerun("middle", job_of(inputs).placement[:1]),
            job=("placement",),
            reruns=("middle",),
        ),
    )


def test_what_a_rerun_stage_reads_behind_it_is_an_input_as_well() -> None:
    runner = chain()
    assert read(runner, case(), "middle") == ("ecmp", 2)
    assert read(runner, case(), "out") == ("ecmp", 1)
    assert read(runner, case(routing="wcmp"), "out") == ("wcmp", 1)


def test_what_a_rerun_stage_runs_again_itself_is_an_input_as_well() -> None:
    """`outer` runs `out` again, `out` runs `middle` again, and only `middle` reads the routing and the ageing case."""
    middle = Stage(
        "middle", lambda inputs: (inputs.document.routing, inputs.ageing), document=("routing",), by_ageing=True
    )
    out = Stage("out", lambda inputs: inputs.rerun("middle", job_of(inputs).placement), job=("placement",))
    outer = replace(out, name="outer", compute=lambda inputs: inputs.rerun("out", job_of(inputs).placement))
    runner = engine(middle, replace(out, reruns=("middle",)), replace(outer, reruns=("out",)))
    assert read(runner, case(), "outer") == ("ecmp", "value")
    assert read(runner, case(routing="wcmp"), "outer") == ("wcmp", "value")
    assert read(runner, replace(case(), ageing="high"), "outer") == ("ecmp", "high")


# --- figures ---------------------------------------------------------------------------------------------------------


def general(*names: str) -> Callable[[Inputs], float]:
    return lambda inputs: sum(inputs.reader.general(name) for name in names)


def test_figures_of_a_rerun_join_those_of_the_stage() -> None:
    def out(inputs: Inputs) -> float:
        again: float = inputs.rerun("base", job_of(inputs).placement)
        return again + inputs.reader.general("ride_through_s")

    base = Stage("base", general("packet_bytes"), catalogue=("general",))
    runner = engine(base, Stage("out", out, job=("placement",), catalogue=("general",), reruns=("base",)))
    evaluation = Evaluation(case(), None, runner)
    assert [used.name for used in runner.outcome(evaluation, "out").used_figures] == ["packet_bytes", "ride_through_s"]
    assert [used.name for used in runner.outcome(evaluation, "base").used_figures] == ["packet_bytes"]


def test_the_reader_of_an_engine_reads_figures_of_all_kinds_and_its_own_prices() -> None:
    runner = Engine(catalogue(), load_price_book({"part_usd": {"H100": 123.0}}), {})
    assert runner.reader.price("part_usd", "H100") == 123.0
    assert runner.reader.part("H100", "n_per_host") == catalogue().get("H100").value("n_per_host")
    assert runner.reader.general("packet_bytes") == catalogue().general_figure("packet_bytes").value


def by_routing(inputs: Inputs) -> float:
    """Another figure for each rule."""
    return inputs.reader.general("packet_bytes" if inputs.document.routing == "ecmp" else "ride_through_s")


def test_the_figures_of_an_answer_are_its_own_whatever_was_asked_before() -> None:
    runner = engine(
        Stage("s", by_routing, document=("routing",), catalogue=("general",)),
        Stage("aside", general("stall_limit_s"), catalogue=("general",), in_score=False),
    )
    first, second = (Evaluation(case(routing=rule), None, runner) for rule in ("ecmp", "wcmp"))
    assert [used.name for used in first.used_figures] == ["packet_bytes"]
    assert [used.name for used in second.used_figures] == ["ride_through_s"]
    assert second.used_figures is second.used_figures


def test_figures_are_listed_by_where_they_stand_and_then_by_name() -> None:
    names = ["tdp_w", "n_per_host", "fp8_tflops", "nvlink_gbps", "memory_bytes", "bf16_tflops", "n_nvlink_domain"]

    def some(inputs: Inputs) -> float:
        return sum(inputs.reader.part(part, name) for part in ("H100", "GB200") for name in names)

    evaluation = Evaluation(case(), None, engine(Stage("s", some, catalogue=("accelerator",))))
    found = [(used.where, used.name) for used in evaluation.used_figures]
    assert found == sorted(found)
    assert len({where for where, _ in found}) == 2
    assert [name for _, name in found] == sorted(names) * 2


# --- what is read undeclared -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "compute",
    [
        lambda inputs: inputs.ageing,
        lambda inputs: inputs["other"],
        lambda inputs: inputs.rerun("other", inputs.job.placement),
        lambda inputs: inputs.document.routing,
        lambda inputs: inputs.state["link_up"],
        lambda inputs: inputs.job.split,
        lambda inputs: inputs.reader.general("packet_bytes"),
        lambda inputs: inputs.before["link_up"],
    ],
)
def test_a_stage_cannot_read_what_its_row_does_not_name(compute: Any) -> None:
    asked = case()
    runner = engine(Stage("other", lambda _: 1), Stage("s", compute, job=("placement",)))
    with pytest.raises(UndeclaredInputError):
        read(runner, asked, "s", asked.state)


def test_a_row_lists_its_inputs_and_can_lose_each() -> None:
    kinds = ("needs", "state", "document", "job", "catalogue", "before", "reruns")
    fields: dict[str, Any] = {kind: (f"{kind}-1", f"{kind}-2") for kind in kinds}
    row = Stage("s", lambda _: None, **fields, by_ageing=True)
    listed = [(kind, f"{kind}-{i}") for kind in kinds for i in (1, 2)] + [("by_ageing", "ageing")]
    assert list(row.inputs()) == listed
    for kind, name in listed:
        assert list(row.without(kind, name).inputs()) == [each for each in listed if each != (kind, name)]
    assert list(Stage("empty", lambda _: None).inputs()) == []


@dataclass(frozen=True)
class Record:
    """A field that holds a function, a property and a method."""

    size: int
    other: int = 1
    function: Callable[[str], int] = len

    @property
    def twice(self) -> int:
        return 2 * self.size

    def times(self, n: int, plus: int = 0) -> int:
        return self.size * n + plus

    def others(self) -> int:
        return self.other


def test_a_narrow_record_works_out_properties_and_methods_from_what_is_named() -> None:
    view: Any = RecordView(Record(3), frozenset({"size"}))
    assert (view.size, view.twice, view.times(5, plus=1)) == (3, 6, 16)
    for undeclared in (lambda: view.other, lambda: view.others(), lambda: view.function, lambda: view.unheard_of):
        with pytest.raises(UndeclaredInputError, match="Record"):
            undeclared()


# --- evaluations -----------------------------------------------------------------------------------------------------


def test_goodput_is_1_without_a_job() -> None:
    runner = Engine(catalogue(), load_price_book())
    with_job, without = runner.evaluate(case()), runner.evaluate(case(job=False))
    assert with_job.goodput is not None
    assert with_job.goodput_ratio == with_job.goodput.goodput_ratio < 1.0
    assert without.goodput_ratio == 1.0


def test_the_text_of_an_evaluation_leaves_its_engine_and_outcomes_out() -> None:
    text = repr(Evaluation(case(), None, engine()))
    assert "case=" in text
    assert "runner=" not in text
    assert "outcomes=" not in text
