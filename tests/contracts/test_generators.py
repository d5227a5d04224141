"""Every generator: its size in closed form is what it builds, whatever the parameters; a new row needs no test here."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from twin.topologies import FABRICS, GENERATORS
from twin.topologies.generator import Generator, read_params

from tests.contracts.drawn import IDS, params_of
from tests.contracts.product import ROOT
from twin.errors import TopologyError
from twin.model.network import Expansion
from twin.scenario.document_schema import document_schema

CHECKS = [HealthCheck.too_slow, HealthCheck.filter_too_much]
MANY = settings(max_examples=40, deadline=None, suppress_health_check=CHECKS)
TOPPED = sorted(name for name, row in GENERATORS.items() if row.top_tier is not None)


def built(row: Generator[Any], params: Any) -> Expansion:
    """The records; parameters that the generator refuses, such as too many uplinks, do not count."""
    try:
        return row.build("b", params)
    except TopologyError:
        reject()


@pytest.mark.parametrize("name", GENERATORS)
def test_its_size_is_what_it_builds(name: str) -> None:
    if name == "topohub":
        pytest.importorskip("topohub", reason="the extra topohub is not installed")
    row, n_built = GENERATORS[name], 0

    @MANY
    @given(params_of(row.params))
    def check(data: dict[str, Any]) -> None:
        nonlocal n_built
        params = read_params(row.params, data, "params")
        made = built(row, params)
        n_built += 1
        n_nodes, n_links = row.size(params)
        assert (len(made.nodes), len(made.links)) == (n_nodes, n_links)
        ids = {node.id for node in made.nodes}
        assert len(ids) == n_nodes
        assert {end for link in made.links for end in link.ends if "border" not in end} <= ids

    check()
    assert n_built >= 12, f"most of what was drawn is refused: {n_built} built"


@pytest.mark.parametrize("name", TOPPED)
def test_its_top_tier_is_of_its_switches(name: str) -> None:
    row = GENERATORS[name]
    top_tier = row.top_tier
    assert top_tier is not None

    @MANY
    @given(params_of(row.params))
    def check(data: dict[str, Any]) -> None:
        params = read_params(row.params, data, "params")
        kinds = {node.id: node.kind for node in built(row, params).nodes}
        top = top_tier("b", params)
        assert top
        assert len(set(top)) == len(top)
        assert {kinds.get(name) for name in top} <= {"leaf", "spine", "core", "switch", "border"}

    check()


@pytest.mark.parametrize("name", TOPPED)
def test_it_can_be_a_campus(name: str) -> None:
    campuses, row = GENERATORS["campuses"], GENERATORS[name]

    @settings(MANY, max_examples=20)
    @given(st.lists(params_of(row.params), min_size=1, max_size=3))
    def check(drawn: list[dict[str, Any]]) -> None:
        listed = [
            {"id": ID, "site": "here", "generator": name, "params": params, "borders": {"n": 2, "n_uplinks": 1}}
            for ID, params in zip(IDS, drawn, strict=False)
        ]
        params = read_params(campuses.params, {"campuses": listed}, "params")
        made = built(campuses, params)
        assert (len(made.nodes), len(made.links)) == campuses.size(params)
        assert {node.site for node in made.nodes} == {"here"}
        assert sum(node.kind == "border" for node in made.nodes) >= 2 * len(listed)

    check()


def test_every_fabric_is_in_the_table_and_in_the_schema() -> None:
    assert set(FABRICS) < set(GENERATORS)
    definitions = document_schema()["$defs"]
    blocks = [definitions[item["$ref"].rpartition("/")[2]] for item in definitions["Fabric"]["oneOf"]]
    assert {block["properties"]["generator"]["const"] for block in blocks} == set(GENERATORS)


def test_every_generator_of_a_module_is_in_the_table() -> None:
    names = [f"twin.topologies.{file.stem}" for file in (ROOT / "topologies").glob("*.py") if file.stem != "__init__"]
    rows = [row for name in names for row in vars(import_module(name)).values() if isinstance(row, Generator)]
    assert rows
    assert [row for row in rows if row not in FABRICS.values()] == [], "add its row to FABRICS"


@pytest.mark.parametrize("name", GENERATORS)
def test_its_row_says_what_it_is(name: str) -> None:
    row = GENERATORS[name]
    assert row.sentence.endswith(".")
    assert len(row.sentence.split()) <= 25
    assert row.params.__doc__
