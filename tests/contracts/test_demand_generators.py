"""Every demand generator: its example runs, amounts hold, the order of the file changes nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from twin.topologies import network_text

from twin.errors import TwinError
from twin.formats.native import parse_mapping
from twin.loading import from_document
from twin.network import Network
from twin.scenario.document_schema import document_schema as schema_of
from twin.traffic.demand_counts import n_most_demands
from twin.traffic.demand_generators import DEMAND_GENERATORS, generate
from twin.traffic.traffic_params import AMOUNTS

DEMO: dict[str, Any] = parse_mapping(network_text("leaf-spine-demo"), "demo", as_json=False) | {"demands": []}


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def block(name: str, **params: Any) -> dict[str, Any]:
    """The example of a generator; a new amount replaces that of the example."""
    example = dict(DEMAND_GENERATORS[name].example)
    if params.keys() & set(AMOUNTS):
        example = {key: value for key, value in example.items() if key not in AMOUNTS}
    return {"id": "t", "generator": name, "params": example | params}


def demo(*blocks: dict[str, Any], **more: Any) -> Network:
    return from_document(DEMO | {"traffic": list(blocks)} | more)


def amounts(network: Network) -> dict[tuple[str, str], float]:
    return {(d.source, d.target): d.offered_gbps for d in network.generated_demands}


@pytest.mark.parametrize("name", DEMAND_GENERATORS)
def test_its_example_is_evaluated(name: str) -> None:
    network = demo(block(name))
    found = network.generated_demands
    assert found
    assert len({demand.id for demand in found}) == len(found)
    assert all(d.id == f"t/{d.source}>{d.target}" and d.offered_gbps > 0 for d in found)
    table = network.demand_table()
    assert table.n_demands == len(found)
    assert table.offered_gbps == pytest.approx(sum(d.offered_gbps for d in found))
    assert network.score(main_assumptions=False)["max_link_utilisation_ratio"]


@pytest.mark.parametrize("name", DEMAND_GENERATORS)
def test_the_block_stays_in_the_document(name: str) -> None:
    network = demo(block(name))
    written = network.to_document().to_dict()
    assert written["traffic"] == [block(name)]
    assert "demands" not in written
    assert amounts(from_document(written)) == amounts(network)


@pytest.mark.parametrize("name", DEMAND_GENERATORS)
def test_the_order_of_the_file_changes_nothing(name: str) -> None:
    turned = {key: value[::-1] if key in ("nodes", "links") else value for key, value in DEMO.items()}
    assert from_document(turned | {"traffic": [block(name)]}).generated_demands == demo(block(name)).generated_demands


@pytest.mark.parametrize("name", DEMAND_GENERATORS)
def test_amounts_hold(name: str) -> None:
    total = amounts(demo(block(name, total_gbps=300)))
    assert sum(total.values()) == pytest.approx(300)
    each = amounts(demo(block(name, gbps_per_node=10)))
    assert sum(each.values()) == pytest.approx(10 * len({source for source, _ in each}))
    peak = demo(block(name, peak_utilisation_ratio=0.7))
    assert peak.score(main_assumptions=False)["max_link_utilisation_ratio"] == pytest.approx(0.7)
    assert {key: x / sum(total.values()) for key, x in total.items()} == {
        key: pytest.approx(x / sum(amounts(peak).values())) for key, x in amounts(peak).items()
    }
    with pytest.raises(TwinError, match="total_gbps and gbps_per_node are stated"):
        demo(block(name, total_gbps=1, gbps_per_node=1))


@pytest.mark.parametrize(
    "name", [name for name in DEMAND_GENERATORS if "seed" in DEMAND_GENERATORS[name].params.model_fields]
)
def test_a_seed_gives_the_same_demands_each_time_and_another_seed_gives_others(name: str) -> None:
    seeds = [amounts(demo(block(name, seed=seed))) for seed in (5, 5, *range(6, 12))]
    assert seeds[0] == seeds[1]
    assert any(other != seeds[0] for other in seeds[2:])


@pytest.mark.parametrize("name", DEMAND_GENERATORS)
def test_the_number_of_demands_is_bounded_before_they_are_made(name: str) -> None:
    network = demo(block(name))
    n = len(network.generated_demands)
    made = network.document.traffic[0]
    assert len(generate(made, network.arrays, n).source) == n
    assert n_most_demands(made, network.arrays) >= n
    with pytest.raises(TwinError, match=rf"at most {n - 1}"):
        generate(made, network.arrays, n - 1)


@pytest.mark.parametrize("name", DEMAND_GENERATORS)
def test_bad_parameters_are_named_with_their_place(name: str) -> None:
    with pytest.raises(TwinError, match=r"traffic\[t\].params.total_gbs: unknown field"):
        demo(block(name, total_gbs=1))
    with pytest.raises(TwinError, match=r"traffic\[t\].params.total_gbps: must be at least 0, found -1"):
        demo(block(name, total_gbps=-1))


@pytest.mark.parametrize("name", DEMAND_GENERATORS)
def test_its_row_says_what_it_is_and_the_schema_has_it(name: str) -> None:
    row = DEMAND_GENERATORS[name]
    assert row.sentence.endswith(".")
    assert len(row.sentence.split()) <= 25
    assert row.params.__doc__
    definitions = schema_of()["$defs"]
    blocks = [definitions[item["$ref"].rpartition("/")[2]] for item in definitions["TrafficBlock"]["oneOf"]]
    assert name in [block["properties"]["generator"]["const"] for block in blocks]
    properties = definitions[f"{name}_traffic_params"]["properties"]
    assert all(spec.get("description") for spec in properties.values())


@pytest.mark.parametrize("name", DEMAND_GENERATORS)
def test_arrays_are_sorted_by_source_and_target(name: str) -> None:
    network = demo(block(name))
    found = generate(network.document.traffic[0], network.arrays)
    keys = found.source * network.arrays.n_nodes + found.target
    assert (np.diff(keys) > 0).all()
