"""The table of stages: every stage runs on just what its row names, and no row names an input in vain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import pytest
from twin.topologies import NETWORKS

from tests.model.samples import campus_data, changed, job_data, model_data, rail_data
from twin.arrays import NetworkArrays, State
from twin.arrays.state import DERIVED
from twin.catalogue import GENERAL, KINDS, catalogue, load_price_book
from twin.catalogue.views import PRICES
from twin.errors import TwinError, UndeclaredInputError
from twin.loading import from_document, load
from twin.model.document import TopologyDocument
from twin.model.jobs import TrainingJob
from twin.model.records import LoadBalancing
from twin.scenario.apply import apply_changes, baseline, parse_changes
from twin.stages.engine import Engine
from twin.stages.evaluation import Case, Evaluation
from twin.stages.outcomes import JobSharing
from twin.stages.stage import Stage
from twin.stages.table import ROWS, STAGES
from twin.training.balancing_rules import UNSTATED


class Question(NamedTuple):
    """A case, and the state that stood before it."""

    case: Case
    before: State | None = None


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def engine(stages: dict[str, Stage] | None = None) -> Engine:
    return Engine(catalogue(), load_price_book(), STAGES if stages is None else stages)


def question(data: dict[str, Any], *changes: dict[str, Any], job: str | None = None) -> Question:
    """A document, or what it is after changes."""
    network = from_document(data)
    before = baseline(network, network.job(job))
    after = apply_changes(before, parse_changes(changes), network._reader) if changes else before
    return Question(after.case, before.case.state if changes else None)


# --- rows ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ROWS, ids=lambda stage: stage.name)
def test_a_row_names_what_there_is(stage: Stage) -> None:
    columns = {*NetworkArrays.__dataclass_fields__, *DERIVED, *vars(NetworkArrays), "parts"}
    assert set(stage.state) <= columns
    assert set(stage.before) <= columns
    assert set(stage.document) <= set(TopologyDocument.model_fields)
    assert set(stage.job) <= set(TrainingJob.__dataclass_fields__)
    assert set(stage.catalogue) <= {*KINDS, GENERAL, PRICES}
    assert {need.partition(".")[0] for need in (*stage.needs, *stage.reruns)} <= set(STAGES)
    assert list(STAGES) == [row.name for row in ROWS]


@pytest.mark.parametrize("stage", ROWS, ids=lambda stage: stage.name)
def test_a_row_stands_behind_those_that_it_needs(stage: Stage) -> None:
    at = list(STAGES).index(stage.name)
    assert all(list(STAGES).index(need.partition(".")[0]) < at for need in (*stage.needs, *stage.reruns))


# --- every stage under its narrow view -------------------------------------------------------------------------------


def outcomes(evaluation: Evaluation) -> Iterator[tuple[str, Any]]:
    for name in STAGES:
        yield name, evaluation.outcome(name)


CASES = [
    (name, ageing)
    for name in sorted(NETWORKS)
    for ageing in ("low", "value", "high")
    if ageing == "value" or name != "memphis"  # the largest has the stages of memphis-small, and takes long
]


@pytest.mark.parametrize(("name", "ageing"), CASES)
def test_every_stage_of_what_ships_reads_only_what_it_declares(name: str, ageing: Any) -> None:
    network = load(name)
    for job in network.document.jobs or (None,):
        case = Case(State.of(network.arrays), network.document, job, ageing)
        found = dict(outcomes(network._engine.evaluate(case)))
        assert set(found) == set(STAGES)
        assert (found["step"].step is None) == (job is None)


# --- no input in vain ------------------------------------------------------------------------------------------------

DATA = campus_data()
DOWN = {"id": "far", "ends": ["a-leaf", "a-border"], "transceiver": "400ZR", "spans": [{"length_km": 300.0}]}
PROTECTED = {"protection": "optical-protection", "macsec": True}


def with_job(**fields: Any) -> dict[str, Any]:
    return DATA | {
        "jobs": [job_data(**{"id": "j", "placement": [{"site": "a"}, {"site": "b"}], **fields})],
        "default_job": "j",
    }


EXPERTS = {"model": model_data(n_experts=16, n_experts_active=2), "parallelism": {"ep": 16}}


def wan(**fields: Any) -> dict[str, Any]:
    return changed(DATA, "links", "wan", **fields)


def spans(**fields: Any) -> list[dict[str, Any]]:
    return [{**span, **fields} for span in next(link for link in DATA["links"] if link["id"] == "wan")["spans"]]


def beside_another(asked: Question) -> Question:
    """Let another job use the same arcs."""
    speeds = (("local", 0.5),)
    sharing = JobSharing(speeds, np.ones(2 * asked.case.state.n_links), lambda: (speeds,) * len(UNSTATED))
    return asked._replace(case=replace(asked.case, sharing=sharing))


def questions() -> dict[str, Question]:
    """Questions that together read every input of every row, the cheapest first."""
    narrow = changed(DATA, "nodes", "a-rack-2", up=False)
    found = {
        "two sites": question(DATA),
        "one site": question(DATA, job="alone"),
        "no job": question(DATA | {"jobs": [], "default_job": None}),
        "WCMP groups": question(
            DATA | {"wcmp_groups": [{"node": "a-leaf", "target": "a-rack-1", "next_hops": {"a-cable-1": 1}}]}
        ),
        "weighted split": question(DATA | {"routing": "wcmp"}),
        "a rack down": question(narrow),
        "beside another job": beside_another(question(DATA)),
        "amplified": question(wan(spans=spans(amplifier="EDFA"))),
        "boosted": question(
            wan(
                launch_dbm=2.0,
                mux="mux-8",
                **PROTECTED,
                spans=[*spans(), {"length_km": 30.0, "standby": True, "cable": "c"}],
            ),
            {"kind": "add_node", "node": {"id": "c-leaf", "kind": "leaf"}},
        ),
        "protected": question(
            wan(**PROTECTED, spans=[*spans(), *({**span, "standby": True, "srlgs": []} for span in spans())])
        ),
        "regenerated": question(wan(spans=[{**spans()[0], "regenerated": True}, spans()[1]])),
        "measured": question(wan(measured_received_dbm=-12.0, measured="2024-01-01", loss_ratio=1e-4)),
        "plain 400ZR": question(wan(transceiver="400ZR")),
        "shaped": question(DATA | {"lossless": {"policy": "shaped"}}),
        "without a path": question(wan(up=False)),
        "without a path, and a link dark": question(
            wan(up=False) | {"links": [*wan(up=False)["links"], DOWN]},
        ),
        "experts": question(
            with_job(model=model_data(n_experts=4, n_experts_active=2), parallelism={"tp": 2, "ep": 2})
        ),
        "context": question(with_job(parallelism={"tp": 2, "cp": 2})),
        "pipeline over sites": question(with_job(parallelism={"tp": 2, "pp": 2}, across_sites="pipeline")),
        "local steps": question(
            with_job(
                sync="local_sgd",
                n_local_steps=10,
                n_fragment_layers=2,
                n_overlap_steps=1,
                exchange_bits_per_parameter=4,
                jitter_ratio=0.1,
            )
        ),
        "stated split": question(
            with_job(
                split="stated",
                placement=[{"site": "a", "n_micro_batches": 6}, {"site": "b", "n_micro_batches": 26}],
            )
        ),
        "part of the batch": question(
            with_job(
                split="stated",
                placement=[{"site": "a", "n_micro_batches": 1}, {"site": "b", "n_micro_batches": 1}],
            )
        ),
        "goes on": question(with_job(on_site_loss="go_on", recovery="elastic")),
        "a card lost": question(changed(DATA, "links", "a-cable-1", n_failed=1)),
        "a leaf down": question(changed(DATA, "nodes", "a-leaf", up=False)),
        "a card lost, one carries its traffic": question(
            changed(with_job(on_card_loss="pxn", pxn_spread="one"), "links", "a-cable-1", n_failed=1)
        ),
        "replicas dropped": question(changed(with_job(on_card_loss="drop_replicas"), "links", "a-cable-1", n_failed=1)),
        "experts over unjoined rails": question(rail_data(**EXPERTS)),
        "experts over joined rails": question(rail_data(joined=True, **EXPERTS)),
        "some racks": question(with_job(placement=[{"site": "a", "racks": "a-rack-1"}])),
        "an unknown rate": question(changed(DATA, "links", "a-cable-1", capacity_gbps=None)),
        "an unknown rate beside the job": question(
            changed(DATA, "links", "a-cable-1", capacity_gbps=None), job="alone"
        ),
        "too large": question(with_job(model=model_data(n_layers=96, n_hidden=16384, n_ffn_hidden=65536))),
        "too fast": question(with_job(placement=[{"site": "a", "pace_ratio": 10.0}])),
        "a link more": question(
            DATA,
            {"kind": "add_link", "link": {"id": "more", "ends": ["a-leaf", "b-leaf"], "transceiver": "400ZR"}},
            {"kind": "set_fibre", "links": "wan", "fibre": "G.654.E"},
        ),
        "a node more": question(DATA, {"kind": "add_node", "node": {"id": "c-leaf", "kind": "leaf"}}),
        "ecmp": question(DATA | {"load_balancing": [{"mode": "ecmp"}]}),
        "network cards": question(
            changed(DATA, "nodes", "a-rack-1", part="card-400G"),
            {"kind": "add_node", "node": {"id": "more", "kind": "host", "part": "card-200G"}},
        ),
        "servers": question(
            changed(DATA, "nodes", "a-rack-1", part="server-100G", n_servers=4),
            {"kind": "add_node", "node": {"id": "more", "kind": "host", "part": "server-25G"}},
        ),
        "other switches": question(DATA, {"kind": "swap_switches", "nodes": "a-border", "part": "border-deep-51.2T"}),
    }
    for name in ("ageing-lines", "two-campus"):
        network = load(name)
        found[name] = Question(Case(State.of(network.arrays), network.document, network.job()))
    one_fabric = network.document.model_copy(update={"load_balancing": (LoadBalancing("ecmp", fabric="east"),)})
    found["ecmp in one fabric"] = Question(Case(State.of(network.arrays), one_fabric, network.job()))
    return found


class Corpus:
    """The questions and their outcomes, each worked out when it is first asked for."""

    def __init__(self) -> None:
        self._outcomes: dict[str, dict[str, Any]] = {}

    @cached_property
    def questions(self) -> dict[str, Question]:
        """Questions by name."""
        return questions()

    def outcomes(self, name: str) -> dict[str, Any]:
        """Outcomes of a question by stage, as far as there are some."""
        if name not in self._outcomes:
            asked = self.questions[name]
            evaluation = Evaluation(asked.case, asked.before, engine())
            for stage in STAGES:
                try:
                    evaluation.outcome(stage)
                except UndeclaredInputError:
                    raise
                except TwinError:
                    continue
            self._outcomes[name] = evaluation.outcomes
        return self._outcomes[name]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus()


@cache
def behind(name: str) -> frozenset[str]:
    """A stage, and all that need it, directly or not."""
    found = {name}
    for row in ROWS:
        if any(need.partition(".")[0] in found for need in (*row.needs, *row.reruns)):
            found.add(row.name)
    return frozenset(found)


def notices(corpus: Corpus, stage: Stage, name: str) -> bool:
    """Whether a question notices that a row lacks an input: its stage, or one behind it, reads what is missing."""
    asked = corpus.questions[name]
    kept = {key: value for key, value in corpus.outcomes(name).items() if key not in behind(stage.name)}
    evaluation = Evaluation(asked.case, asked.before, engine(STAGES | {stage.name: stage}), dict(kept))
    for each in STAGES:
        try:
            evaluation.outcome(each)
        except UndeclaredInputError:
            return True
        except TwinError:
            continue
    return False


NO_STEP = {"part of the batch", "too large", "too fast"}
"""Questions whose job cannot run: an error, so that stages behind it have no outcome."""


def test_every_stage_of_every_question_reads_only_what_it_declares(corpus: Corpus) -> None:
    assert {name for name in corpus.questions if set(corpus.outcomes(name)) != set(STAGES)} == NO_STEP


INPUTS = [(row, kind, name) for row in ROWS for kind, name in row.inputs()]


@pytest.mark.parametrize(
    ("stage", "kind", "name"), INPUTS, ids=[f"{row.name}-{kind}-{name}" for row, kind, name in INPUTS]
)
def test_a_removed_input_is_noticed(corpus: Corpus, stage: Stage, kind: str, name: str) -> None:
    shorter = stage.without(kind, name)
    assert (kind, name) not in set(shorter.inputs())
    assert any(notices(corpus, shorter, asked) for asked in corpus.questions)
