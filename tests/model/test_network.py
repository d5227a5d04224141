"""The network: frozen graph of records, edits that leave the origin alone, fabrics that stay compact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, get_args

import networkx as nx
import numpy as np
import pytest

from tests.model.samples import campus_data, network, shipped
from twin.errors import ChangeError, DocumentError, Issue, TopologyError
from twin.loading import from_document
from twin.model.edit import CHANGES_OF_FIELDS, Edit
from twin.model.network import NetworkGraph
from twin.model.records import Link, Node
from twin.scenario.changes import Change

FABRIC = {
    "nodes": [{"id": "outside", "kind": "border"}],
    "links": [{"id": "way-out", "ends": ["pod/spine-1", "outside"]}],
    "fabrics": [
        {"id": "pod", "generator": "leaf_spine", "params": {"n_leaves": 2, "n_spines": 2, "n_hosts_per_leaf": 2}},
        {"id": "other", "generator": "leaf_spine", "params": {"n_leaves": 1, "n_spines": 1}},
    ],
}


@pytest.fixture
def campus() -> NetworkGraph:
    return network(campus_data())


@pytest.fixture
def fabric() -> NetworkGraph:
    return network(FABRIC)


def test_nodes_and_links_come_by_id(campus: NetworkGraph) -> None:
    assert [node.id for node in campus.nodes] == sorted(node["id"] for node in campus_data()["nodes"])
    assert [link.id for link in campus.links] == sorted(link["id"] for link in campus_data()["links"])


def test_the_graph_is_frozen_and_carries_the_records(campus: NetworkGraph) -> None:
    graph = campus.graph
    assert isinstance(graph, nx.MultiGraph)
    assert nx.is_frozen(graph)
    with pytest.raises(nx.NetworkXError):
        graph.add_node("more")
    with pytest.raises(nx.NetworkXError):
        graph.remove_edge("a-border", "b-border")
    assert {name: data["record"] for name, data in graph.nodes(data=True)} == {node.id: node for node in campus.nodes}
    edges = {key: (data["record"], {a, b}) for a, b, key, data in graph.edges(keys=True, data=True)}
    assert edges == {link.id: (link, set(link.ends)) for link in campus.links}
    assert campus.graph is graph


def test_the_plain_copy_has_one_attribute_a_field_and_is_private(campus: NetworkGraph) -> None:
    graph = campus.to_networkx()
    link = next(link for link in campus.links if link.id == "wan")
    plain = graph.edges["a-border", "b-border", "wan"]
    assert plain == {spec.name: getattr(link, spec.name) for spec in fields(Link) if spec.name not in ("id", "ends")}
    node = next(node for node in campus.nodes if node.id == "a-rack-1")
    assert graph.nodes["a-rack-1"] == {
        spec.name: getattr(node, spec.name) for spec in fields(Node) if spec.name != "id"
    }
    assert nx.shortest_path_length(graph, "a-rack-1", "b-rack-1", weight="weight") == 5
    graph.remove_node("a-rack-1")
    assert "a-rack-1" in campus.to_networkx()
    assert campus.to_networkx() is not campus.to_networkx()


def test_records_and_graph_wait_until_they_are_asked_for(fabric: NetworkGraph) -> None:
    assert not {"_records", "_expansions", "graph"} & set(vars(fabric))
    _ = fabric.nodes
    assert "graph" not in vars(fabric)


# --- edits ---------------------------------------------------------------------------------------------------------


def test_an_edit_removes_puts_and_leaves_the_origin_as_it_was(campus: NetworkGraph) -> None:
    before = (campus.document, campus.nodes, campus.links)
    with campus.edit() as edit:
        edit.remove_link("b-cable-2")
        edit.remove_node("a-rack-2")
        edit.put_node(Node("new", "host"))
        edit.put_link(Link("new~leaf", ("new", "a-leaf"), weight=2.0))
        wan = next(link for link in campus.links if link.id == "wan")
        edit.put_link(replace(wan, n_parallel=2))
    edited = edit.network
    assert (campus.document, campus.nodes, campus.links) == before
    assert {n.id for n in edited.nodes} == {n.id for n in campus.nodes} - {"a-rack-2"} | {"new"}
    assert {k.id for k in edited.links} == {k.id for k in campus.links} - {"a-cable-2", "b-cable-2"} | {"new~leaf"}
    assert next(link for link in edited.links if link.id == "wan").n_parallel == 2
    assert edited.document.jobs == campus.document.jobs
    assert type(edited) is type(campus)


def test_an_edit_may_use_the_graph_itself(campus: NetworkGraph) -> None:
    with campus.edit() as edit:
        edit.graph.remove_edge("a-border", "b-border", key="wan")
    assert "wan" not in {link.id for link in edit.network.links}
    assert "wan" in {link.id for link in campus.links}


def test_an_edit_that_changes_nothing_gives_an_equal_document(campus: NetworkGraph, fabric: NetworkGraph) -> None:
    for origin in (campus, fabric):
        with origin.edit() as edit:
            pass
        assert edit.network.document == origin.document


def test_an_invalid_edit_tells_every_fault_and_leaves_the_origin(campus: NetworkGraph) -> None:
    before = campus.document
    edit = Edit(campus)
    edit.put_node(Node("x", "leaf", site="nowhere", part="leaf-26T"))
    edit.put_node(Node("y", "spine", n_accelerators=4))
    edit.put_link(Link("odd", ("x", "y"), n_failed=2, transceiver="mux-8"))
    with pytest.raises(TopologyError) as caught:
        edit.close()
    where = {issue.where for issue in caught.value.issues}
    assert where >= {
        "nodes[x].site",
        "nodes[x].part",
        "nodes[y].accelerator",
        "nodes[y].kind",
        "links[odd].n_failed",
        "links[odd].transceiver",
    }
    assert campus.document is before
    with pytest.raises(ChangeError, match="still open"):
        _ = edit.network


def test_a_link_put_elsewhere_stands_twice(campus: NetworkGraph) -> None:
    with pytest.raises(TopologyError, match="stands 2 times"), campus.edit() as edit:
        edit.put_link(Link("wan", ("a-border", "b-leaf")))


def test_an_edge_without_a_record_is_refused(campus: NetworkGraph) -> None:
    with pytest.raises(ChangeError, match="no record"), campus.edit() as edit:
        edit.graph.add_edge("a-leaf", "b-leaf", key="bare")
    with pytest.raises(ChangeError, match="ghost"), campus.edit() as edit:
        edit.put_link(Link("l", ("a-leaf", "ghost")))


def test_an_open_edit_has_no_network(campus: NetworkGraph) -> None:
    with campus.edit() as edit, pytest.raises(ChangeError, match="still open"):
        _ = edit.network


def test_what_is_not_there_cannot_be_removed(campus: NetworkGraph) -> None:
    with campus.edit() as edit:
        with pytest.raises(ChangeError, match="did you mean 'wan'"):
            edit.remove_link("wann")
        with pytest.raises(ChangeError, match="did you mean 'a-leaf'"):
            edit.remove_node("a-leav")
    with pytest.raises(ChangeError, match="no node 'q' to remove"):
        campus.without(nodes=["q"])
    with pytest.raises(ChangeError, match="did you mean 'a-cable-1'"):
        campus.without(links=["a-cable1"])


def test_without_takes_the_links_of_a_node_along(campus: NetworkGraph) -> None:
    left = campus.without(nodes=["a-leaf"], links=["wan"])
    assert {link.id for link in left.links} == {"b-up", "b-cable-1", "b-cable-2"}


def test_with_added_checks_when_records_are_built(campus: NetworkGraph) -> None:
    more = campus.with_added(nodes=[Node("a-leaf", "leaf")])
    with pytest.raises(TopologyError, match="id 'a-leaf' stands 2 times"):
        _ = more.nodes


# --- fabrics -------------------------------------------------------------------------------------------------------


def test_a_fabric_stays_compact_while_it_is_untouched(fabric: NetworkGraph) -> None:
    with fabric.edit() as edit:
        edit.remove_link("way-out")
    assert edit.network.document.fabrics == fabric.document.fabrics
    assert [node.id for node in edit.network.document.nodes] == ["outside"]


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_fabric_names_the_records_that_are_touched(fabric: NetworkGraph, how: str) -> None:
    record = next(link for link in fabric.links if link.id.startswith("pod/leaf-1~"))
    with fabric.edit() as edit:
        if how == "removed":
            edit.remove_link(record.id)
        else:
            edit.put_link(replace(record, weight=3.0))
    document = edit.network.document
    assert {block.id: block.without for block in document.fabrics} == {"other": (), "pod": (record.id,)}
    wanted = [link for link in fabric.links if link.id != record.id]
    wanted += [replace(record, weight=3.0)] if how == "replaced" else []
    assert edit.network.links == tuple(sorted(wanted, key=lambda link: link.id))
    assert edit.network.nodes == fabric.nodes
    again = network(document)
    assert (again.nodes, again.links) == (edit.network.nodes, edit.network.links)


def test_without_of_nothing_keeps_every_fabric(fabric: NetworkGraph) -> None:
    assert fabric.without().document == fabric.document


def test_a_campus_of_the_catalogue_without_one_link_stays_compact() -> None:
    origin = network(shipped("two-campus"))
    gone = origin.links[0].id
    left = origin.without(links=[gone])
    assert [block.without for block in left.document.fabrics] == [(gone,)]
    assert left.nodes == origin.nodes
    assert left.links == origin.links[1:]


def test_generators_are_asked_once_a_fabric() -> None:
    asked: list[Any] = []
    base = network(FABRIC)

    def expand(block: Any) -> Any:
        asked.append(block.id)
        return base.generators.expand(block)

    counted = NetworkGraph(base.document, base.generators._replace(expand=expand))
    _ = counted.nodes, counted.links, counted.graph
    assert sorted(asked) == ["other", "pod"]


# --- edits that are not understood -----------------------------------------------------------------------------------


def refusal(campus: NetworkGraph, write: Callable[[Edit], object]) -> dict[str, Issue]:
    """Faults of an edit by place."""
    with pytest.raises(ChangeError) as error, campus.edit() as edit:
        write(edit)
    return {issue.where: issue for issue in error.value.issues}


def test_an_attribute_beside_the_record_is_refused_with_the_way_to_set_it(campus: NetworkGraph) -> None:
    def write(edit: Edit) -> None:
        edit.graph.edges["a-border", "b-border", "wan"]["capacity_gbps"] = 400
        edit.graph.nodes["a-leaf"]["up"] = False
        edit.graph.nodes["a-leaf"]["colour"] = "red"
        edit.graph.graph["name"] = "other"

    issues = refusal(campus, write)
    assert set(issues) == {"links[wan].capacity_gbps", "nodes[a-leaf].up", "nodes[a-leaf].colour", "graph[name]"}
    assert issues["links[wan].capacity_gbps"].hint == "edit.set_link('wan', capacity_gbps=400)"
    assert issues["nodes[a-leaf].up"].hint == "edit.set_node('a-leaf', up=False), or the change fail_nodes"
    assert "no field 'colour'" in issues["nodes[a-leaf].colour"].problem


def test_what_the_hints_say_does_what_was_meant(campus: NetworkGraph) -> None:
    with campus.edit() as edit:
        edit.set_link("wan", capacity_gbps=400)
        edit.set_node("a-leaf", up=False)
        edit.set_link("a-up", ends=("a-leaf", "b-border"))
    links = {link.id: link for link in edit.network.links}
    assert links["wan"].capacity_gbps == 400.0
    assert links["a-up"].ends == ("a-leaf", "b-border")
    assert [node.id for node in edit.network.nodes if not node.up] == ["a-leaf"]
    assert len(links) == len(campus.links)


def test_records_at_another_place_or_of_another_kind_are_refused(campus: NetworkGraph) -> None:
    wan = next(link for link in campus.links if link.id == "wan")
    leaf = next(node for node in campus.nodes if node.id == "a-leaf")

    def write(edit: Edit) -> None:
        edit.graph.add_node("other", record=leaf)
        edit.graph.add_node("link", record=wan)
        edit.graph.add_edge("a-leaf", "b-leaf", key="wan", record=wan)
        edit.graph.add_edge("a-leaf", "b-leaf", key="copy", record=wan)
        edit.graph.nodes["b-leaf"]["record"] = replace(leaf, id="b-leaf", kind="laef")  # type: ignore[arg-type]

    issues = refusal(campus, write)
    assert set(issues) == {"nodes[other]", "nodes[link]", "links[wan].ends", "links[copy]", "nodes[b-leaf].kind"}


def test_a_record_that_no_document_could_state_is_refused_where_it_is_put(campus: NetworkGraph) -> None:
    with campus.edit() as edit:
        with pytest.raises(DocumentError, match=r"nodes\[x\]\.kind"):
            edit.put_node(Node("x", "laef"))  # type: ignore[arg-type]
        with pytest.raises(DocumentError, match=r"links\[wan\]\.capacity_gbps"):
            edit.set_link("wan", capacity_gbps="400G")
        with pytest.raises(DocumentError, match="did you mean 'capacity_gbps'"):
            edit.set_link("wan", capacity=400)
        with pytest.raises(ChangeError, match="did you mean 'a-leaf'"):
            edit.set_node("a-leav", up=False)
        with pytest.raises(ChangeError, match="is no node"):
            edit.put_node({"id": "x"})  # type: ignore[arg-type]
    assert edit.network.document == campus.document


def test_numbers_of_numpy_are_numbers(campus: NetworkGraph) -> None:
    with campus.edit() as edit:
        edit.set_link("wan", n_parallel=np.int64(2), capacity_gbps=np.float32(100))
    wan = next(link for link in edit.network.links if link.id == "wan")
    assert (wan.n_parallel, wan.capacity_gbps) == (2, 100.0)
    assert type(wan.n_parallel) is int


def test_the_changes_that_hints_name_exist_and_the_fields_too() -> None:
    kinds = {kind.model_fields["kind"].default for kind in get_args(get_args(Change)[0])}
    for kind, changes in ((Node, CHANGES_OF_FIELDS["nodes"]), (Link, CHANGES_OF_FIELDS["links"])):
        assert set(changes.values()) <= kinds
        assert set(changes) <= {spec.name for spec in fields(kind)}


def test_an_edited_network_keeps_its_name() -> None:
    data = campus_data()
    del data["name"]
    origin = from_document(data, label="campus.yaml")
    with origin.edit() as edit:
        edit.remove_link("b-cable-2")
    assert (
        edit.network.score(main_assumptions=False).network
        == origin.score(main_assumptions=False).network
        == "campus.yaml"
    )  # type: ignore[attr-defined]
    assert origin.with_added(nodes=[Node("new", "host")]).label == "campus.yaml"
