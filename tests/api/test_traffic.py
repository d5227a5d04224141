"""Demand generators by hand, CSV matrices and their faults, blocks under changes, and the command line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twin.api.budget import Budget, check_traffic_budget
from twin.api.problems import ProblemError
from typer.testing import CliRunner

import twin
from twin.cli.main import app
from twin.errors import CatalogueError, TwinError
from twin.loading import from_document
from twin.network import Network


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def star(ports: tuple[int, ...] = (1, 1, 1, 1), traffic: Any = (), **more: Any) -> Network:
    """Hosts h0, h1, ... on one leaf, with so many ports of 100 Gb/s each."""
    nodes = [{"id": "leaf", "kind": "leaf"}] + [{"id": f"h{i}", "kind": "host"} for i in range(len(ports))]
    links = [
        {"id": f"l{i}", "ends": [f"h{i}", "leaf"], "capacity_gbps": 100, "n_parallel": n} for i, n in enumerate(ports)
    ]
    return from_document({"name": "star", "nodes": nodes, "links": links, "traffic": list(traffic)} | more)


def block(generator: str, **params: Any) -> dict[str, Any]:
    return {"id": "t", "generator": generator, "params": params}


def made(generator: str, ports: tuple[int, ...] = (1, 1, 1, 1), **params: Any) -> dict[tuple[str, str], float]:
    network = star(ports, [block(generator, **params)])
    return {(d.source, d.target): d.offered_gbps for d in network.generated_demands}


def sums(amounts: dict[tuple[str, str], float], side: int) -> dict[str, float]:
    total: Counter[str] = Counter()
    for ends, gbps in amounts.items():
        total[ends[side]] += gbps  # type: ignore[assignment]
    return {name: pytest.approx(value) for name, value in total.items()}


def test_all_to_all_by_hand() -> None:
    found = made("all_to_all", total_gbps=120)
    assert len(found) == 12
    assert set(found.values()) == {10.0}
    assert set(made("all_to_all", nodes=["h0", "h[12]"], gbps_per_node=4)) == {
        (a, b) for a in ("h0", "h1", "h2") for b in ("h0", "h1", "h2") if a != b
    }


def test_a_permutation_has_one_source_and_one_target_each() -> None:
    for seed in range(20):
        found = made("permutation", seed=seed, gbps_per_node=7)
        assert sorted(a for a, _ in found) == sorted(b for _, b in found) == ["h0", "h1", "h2", "h3"]
        assert all(a != b for a, b in found)
        assert set(found.values()) == {7.0}


def test_gravity_gives_each_node_its_total() -> None:
    found = made("gravity", ports=(3, 2, 2, 1), total_gbps=80)
    expected = {"h0": 30, "h1": 20, "h2": 20, "h3": 10}
    assert sums(found, 0) == expected
    assert sums(found, 1) == expected
    # two-factor products: T02 / T03 is the same for every sender but h2 and h3 themselves
    assert found["h0", "h2"] / found["h0", "h3"] == pytest.approx(found["h1", "h2"] / found["h1", "h3"])
    stated = made("gravity", totals_gbps={"h0": 5, "h1": 4, "h3": 3})
    assert sums(stated, 0) == {"h0": 5, "h1": 4, "h3": 3}


def test_gravity_at_its_bound_is_a_star() -> None:
    assert made("gravity", totals_gbps={"h0": 5, "h1": 4, "h2": 1}) == {
        ("h0", "h1"): 4,
        ("h0", "h2"): 1,
        ("h1", "h0"): 4,
        ("h2", "h0"): 1,
    }
    with pytest.raises(TwinError, match="'h0' has more traffic than all other nodes together"):
        made("gravity", totals_gbps={"h0": 5, "h1": 3, "h2": 1})
    with pytest.raises(TwinError, match=r"no node 'h9' .did you mean 'h3'"):
        made("gravity", totals_gbps={"h0": 5, "h9": 5})
    with pytest.raises(TwinError, match="totals_gbps and nodes are stated"):
        made("gravity", totals_gbps={"h0": 5, "h1": 5}, nodes="h*")


def test_a_hose_fills_the_limits_of_each_node() -> None:
    for seed in range(5):
        found = made("hose", seed=seed, gbps_per_node=50)
        assert sums(found, 0) == sums(found, 1) == {f"h{i}": 50 for i in range(4)}
        by_ports = made("hose", ports=(3, 2, 2, 1), by_ports=True, seed=seed, total_gbps=80)
        assert sums(by_ports, 0) == {"h0": 30, "h1": 20, "h2": 20, "h3": 10}


def test_incast_by_hand() -> None:
    assert made("incast", target="h1", total_gbps=30) == {("h0", "h1"): 10, ("h2", "h1"): 10, ("h3", "h1"): 10}
    some = made("incast", target="h2", n_sources=2, seed=3, gbps_per_node=5)
    assert list(some.values()) == [5, 5]
    assert {target for _, target in some} == {"h2"}
    with pytest.raises(TwinError, match=r"traffic\[t\].params.target: is missing"):
        made("incast", n_sources=2, gbps_per_node=5)
    with pytest.raises(TwinError, match="4 sources of 3 other nodes"):
        made("incast", target="h1", n_sources=4, total_gbps=1)
    with pytest.raises(TwinError, match=r"no node 'h-1' .did you mean"):
        made("incast", target="h-1", total_gbps=1)


def test_switches_are_chosen_where_there_are_no_hosts() -> None:
    nodes = [{"id": "a", "kind": "leaf"}, {"id": "b", "kind": "leaf"}, {"id": "s", "kind": "spine"}]
    links = [{"id": f"{x}s", "ends": [x, "s"], "capacity_gbps": 100} for x in "ab"]
    traffic = [{"id": "t", "generator": "all_to_all", "params": {"total_gbps": 2}}]
    network = from_document({"nodes": nodes, "links": links, "traffic": traffic})
    assert [(d.source, d.target) for d in network.generated_demands] == [("a", "b"), ("b", "a")]
    with pytest.raises(TwinError, match="1 node to choose from; expected at least 2 nodes"):
        made("all_to_all", nodes="h0", total_gbps=1)


# --- matrices --------------------------------------------------------------------------------------------------------

SQUARE = "x, h0,h1 ,h2\nh0,0,1,\nh1,2.5,0,0\n\nh2,0,0,0\n"
LONG = "\ufeffTarget,Source,gbps\nh1,h0,1\nh0,h1,2.5\n"


@pytest.mark.parametrize("text", [SQUARE, LONG])
def test_both_forms_give_the_same_demands(text: str) -> None:
    assert made("matrix", csv=text) == {("h0", "h1"): 1.0, ("h1", "h0"): 2.5}
    assert made("matrix", csv=text, total_gbps=7) == {("h0", "h1"): 2.0, ("h1", "h0"): 5.0}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x,h0,h1\nh0,0,-1\nh1,0,0\n", "traffic[t].csv, line 2, column h1: -1 Gb/s (an entry is from 0 to 1e9 Gb/s)"),
        ("x,h0,h1\nh0,0,one\nh1,0,0\n", "line 2, column h1: 'one' is no number (an entry is a number of Gb/s"),
        ("x,h0,h1\nh0,0,nan\nh1,0,0\n", "line 2, column h1: nan Gb/s"),
        ("x,h0,h8\nh0,0,1\nh8,0,0\n", "line 1, column 3: no node 'h8' (did you mean 'h3'"),
        ("x,h0,h1\nh0,0,1\n", "line 1: column 'h1' has no row"),
        ("x,h0\nh0,0\nh1,0\n", "line 3: row 'h1' has no column"),
        ("x,h0,h1\nh0,0,1\nh1,0\n", "line 3: 2 cells below a header of 3"),
        ("x,h0,h0\nh0,0,1\n", "line 1: column 'h0' stands 2 times"),
        ("x,h0,h1\nh0,0,1\nh1,0,0\nh1,0,0\n", "line 3: row 'h1' stands 2 times"),
        ("x,h0,h1\n", "has no rows below its header; expected a header with node ids"),
        ("source,target,gbps\nh0,hh1,1\n", "line 2, column target: no node 'hh1' (did you mean 'h1'"),
        ("source,target,gbps\nh0,h1\n", "line 2: 2 cells below a header of 3"),
        ("source,target,gbps\nh0,h1,1\nh0,h1,1\n", "line 3: 'h0' to 'h1' stands in line 2 too (add both up)"),
        ('source,target,gbps\nh0,"h1,1\n', "line 2"),
    ],
)
def test_a_bad_matrix_is_refused_with_place_rule_and_hint(text: str, problem: str) -> None:
    with pytest.raises(TwinError) as caught:
        made("matrix", csv=text)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "source;target;gbps\nh0;h1;2.5\n",
        "source\ttarget\tgbps\nh0\th1\t2.5\n",
        "x;h0;h1\nh0;0;2.5\nh1;;0\n",
        "source,target,gbps\rh0,h1,2.5\r",
        "x,h0,h1\r\nh0,0,2.5\r\nh1,0,0\r\n",
        '\ufeff"source","target","gbps"\n"h0","h1","2.5"\n',
        '"source", "target", "gbps"\n"h0", "h1", 2.5\n',
        '\n"x;y;z", h0, h1\nh0, 7, 2.5\nh1, 0, 0\n',
        "source,target,gbps\nh0,h1,2.5\nh0,h0,9\n",
    ],
)
def test_matrices_as_other_tools_write_them(text: str) -> None:
    """Semicolons, tabs, old line ends, a byte order mark, quotes, spaces; traffic of a node to itself."""
    assert made("matrix", csv=text) == {("h0", "h1"): 2.5}


def test_the_line_of_a_fault_is_that_of_the_text() -> None:
    with pytest.raises(TwinError, match=r"traffic\[t\].csv, line 6, column gbps: 'x' is no number"):
        made("matrix", csv='source,target,gbps\n\n"h0",h1,1\n"h2",h1,1\n\nh1,h0,x\n')


@pytest.mark.parametrize("csv", ["source,target,gbps\nh0,h1,0\n", "x,h0,h1\nh0,0,0\nh1,0,0\n"])
def test_a_matrix_of_zeros_makes_no_demands_and_says_so(csv: str) -> None:
    assert made("matrix", csv=csv) == made("matrix", csv=csv, total_gbps=5) == made("all_to_all", total_gbps=0) == {}
    with pytest.raises(TwinError, match="the block makes no demands, all of its amounts are 0"):
        made("matrix", csv=csv, peak_utilisation_ratio=0.5)
    network = star(traffic=[block("matrix", csv=csv)])
    with pytest.raises(TwinError, match="traffic: no demands: all amounts of t are 0"):
        network.demand_table()


@pytest.mark.parametrize("least", [5e-324, 1e-310, 9e-10])
def test_amounts_that_are_nearly_0_are_refused(least: float) -> None:
    for params in ({"total_gbps": least}, {"gbps_per_node": least}):
        with pytest.raises(TwinError, match="must be 0 or at least 1e-09 Gb/s, found"):
            made("all_to_all", **params)
    with pytest.raises(TwinError, match="must be 0 or at least 1e-09"):
        made("gravity", totals_gbps={"h0": least, "h1": least})
    with pytest.raises(TwinError, match="an entry is 0 or at least 1e-09 Gb/s"):
        made("matrix", csv=f"source,target,gbps\nh0,h1,{least}\n")
    assert sum(made("all_to_all", total_gbps=1e-9).values()) == pytest.approx(1e-9)


def test_faults_of_gravity_are_told_in_words() -> None:
    with pytest.raises(TwinError, match="totals_gbps names 1 node that the network lacks"):
        made("gravity", totals_gbps={"h0": 1, "h9": 1})
    with pytest.raises(TwinError, match="'h0' has more traffic than all other nodes together, 3 against 2"):
        made("gravity", totals_gbps={"h0": 3, "h1": 2})
    for name, more in (("gravity", {}), ("hose", {"by_ports": True})):
        traffic = [block(name, total_gbps=1, **more)]
        alone = {"nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}], "traffic": traffic}
        with pytest.raises(TwinError, match="0 of 2 chosen nodes have a link; expected at least 2 nodes with links"):
            _ = from_document(alone).generated_demands


def test_all_faults_of_a_matrix_are_told_at_once() -> None:
    with pytest.raises(TwinError) as caught:
        made("matrix", csv="x,h0,h1\nh0,0,-1\nh1,a,0\n")
    assert len(caught.value.issues) == 2


# --- blocks ----------------------------------------------------------------------------------------------------------

PEAK = {"id": "t", "generator": "all_to_all", "params": {"peak_utilisation_ratio": 0.5}}


def test_a_change_does_not_scale_again() -> None:
    network = star(traffic=[PEAK], plans=[{"id": "p", "changes": [{"kind": "scale_demands", "factor_ratio": 2}]}])
    assert network.score(main_assumptions=False)["max_link_utilisation_ratio"] == pytest.approx(0.5)
    after = network.what_if("p").after
    assert after["max_link_utilisation_ratio"] == pytest.approx(1.0)
    some = network.what_if({"kind": "scale_demands", "factor_ratio": 3, "ids": "t/h0>*"}).after
    assert some["max_link_utilisation_ratio"] == pytest.approx(1.5)


def test_demands_of_a_removed_node_go_with_it_and_the_others_stay() -> None:
    network = star(traffic=[PEAK])
    before = {row.id: row.offered_gbps for row in network.demand_table().demands}
    after = network.demand_table(changes={"kind": "remove_nodes", "nodes": "h0"}).demands
    assert {row.id for row in after} == {name for name in before if "h0" not in name}
    assert all(row.offered_gbps == before[row.id] for row in after)


def test_blocks_and_demands_add_up() -> None:
    demand = {"id": "d", "source": "h0", "target": "h1", "offered_gbps": 10}
    network = star(traffic=[PEAK, PEAK | {"id": "u"}], demands=[demand])
    assert network.score(main_assumptions=False)["max_link_utilisation_ratio"] == pytest.approx(1.1)
    assert network.demand_table().n_demands == 25
    with pytest.raises(TwinError, match="'t/h0>h1' is also the id of a demand"):
        star(traffic=[PEAK], demands=[demand | {"id": "t/h0>h1"}]).score()
    with pytest.raises(TwinError, match="traffic"):
        star(traffic=[PEAK, PEAK]).score()


def test_what_cannot_be_scaled_says_why() -> None:
    def down(**link: Any) -> Callable[[], object]:
        nodes = [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}]
        links = [{"id": "ab", "ends": ["a", "b"], **link}]
        return from_document({"nodes": nodes, "links": links, "traffic": [PEAK]}).score

    with pytest.raises(TwinError, match="no demand of the block has a path"):
        down(capacity_gbps=100, up=False)()
    with pytest.raises(TwinError, match="rate of 1 link unknown: ab"):
        down()()


def test_unknown_generators_are_refused_when_the_document_is_read() -> None:
    with pytest.raises(CatalogueError, match=r"traffic\[t\].generator: unknown generator 'gravitiy'.*'gravity'"):
        star(traffic=[{"id": "t", "generator": "gravitiy"}])


# --- command line ----------------------------------------------------------------------------------------------------


def run(*words: str) -> Any:
    return CliRunner().invoke(app, [*words, "--json"])


@pytest.mark.parametrize(
    "words",
    [
        ["score", "--no-assumptions"],
        ["whatif", "--no-assumptions", "--change", '{"kind": "fail_nodes", "nodes": "spine-1"}'],
        ["links"],
        ["demands"],
        ["forecast", "--years", "1"],
        ["sweep", "--vary", "demands=1,2", "--processes", "1"],
    ],
)
def test_commands_take_other_demands(words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "matrix.csv"
    file.write_text("source,target,gbps\nhost-1-1,host-2-1,390\n", encoding="utf-8")
    plain = run(words[0], "leaf-spine-demo", *words[1:])
    given = run(words[0], "leaf-spine-demo", *words[1:], "--demands", str(file))
    assert (plain.exit_code, given.exit_code) == (0, 0), given.output
    assert plain.stdout != given.stdout


def test_a_text_with_parameters_is_a_block() -> None:
    network = twin.load("leaf-spine-demo").with_traffic(
        "incast:target=host-1-1,nodes=[host-2-*, host-3-1],total_gbps=9"
    )
    assert network.document.to_dict()["traffic"] == [
        {
            "id": "incast",
            "generator": "incast",
            "params": {"target": "host-1-1", "nodes": ["host-2-*", "host-3-1"], "total_gbps": 9},
        }
    ]
    assert [demand.offered_gbps for demand in network.generated_demands] == [3, 3, 3]
    assert twin.load("leaf-spine-demo").with_traffic("hose:by-ports=true,total_gbps=5").generated_demands
    path = run("path", "leaf-spine-demo", "host-1-1", "host-2-1", "--demands", "all-to-all:total_gbps=560")
    assert json.loads(path.stdout)["bottleneck"]["load_gbps"] == pytest.approx(70)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("all-to-al:total_gbps=1", "did you mean 'all_to_all'"),
        ("nowhere.csv", "no such file; expected a CSV file, a .npy file, or a generator"),
        ("gravity:5", "'5' is no parameter; expected name=value"),
        ("gravity:total_gbps=5,total-gbps=6", "total_gbps stands twice"),
        ("?", "is no traffic; expected a CSV file, a .npy file, or a generator"),
        ("gravity:total_gbps=much", "must be a number, found 'much'"),
        ("gravity", "no amount is stated"),
    ],
)
def test_bad_texts_are_refused(text: str, problem: str) -> None:
    with pytest.raises(TwinError) as caught:
        twin.load("leaf-spine-demo").with_traffic(text)
    assert problem in str(caught.value)


def test_http_takes_blocks_and_no_files(client: Any) -> None:
    body = {"network": star(traffic=[PEAK]).document.to_dict()}
    answer = client.post("/v1/score", json=body | {"main_assumptions": False})
    assert answer.json()["metrics"]["max_link_utilisation_ratio"]["value"] == pytest.approx(0.5)
    bad = body["network"] | {"traffic": [{"id": "m", "generator": "matrix", "params": {"csv": "/etc/passwd"}}]}
    refused = client.post("/v1/score", json={"network": bad})
    assert refused.status_code == 422
    assert "has no rows below its header" in refused.json()["detail"]


def test_generated_demands_are_estimated_before_they_are_made() -> None:
    hosts = [{"id": f"h{i}", "kind": "host"} for i in range(1200)]
    links = [{"id": f"l{i}", "ends": [f"h{i}", "s"], "capacity_gbps": 100} for i in range(1200)]
    traffic = [{"id": "t", "generator": "hose", "params": {"gbps_per_node": 1}}]
    nodes = [*hosts, {"id": "s", "kind": "switch"}]
    network = from_document({"nodes": nodes, "links": links, "traffic": traffic})
    check_traffic_budget(network, Budget(30.0, 4.0))
    with pytest.raises(ProblemError, match=r"1,438,800 demands .* 1\.4 s; .* 1\.2 s"):
        check_traffic_budget(network, Budget(1.2, 4.0))
    assert "generated_demands" not in vars(network)
