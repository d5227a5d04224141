"""Traces through panels against a graph of networkx, and the connectors of a path seen from both ends."""

from __future__ import annotations

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.imports.cabling import Cable, Cabling, Device, End, Rear
from twin.imports.ledger import Ledger
from twin.imports.trace import Tracer


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_paths_are_the_connected_ports_of_networkx(data: st.DataObject) -> None:
    """Each port has one cable at most, so a connected part is a chain or a circle; chains between devices are paths."""
    cabling = Cabling()
    ports: list[End] = []
    graph = nx.MultiGraph()
    for i in range(data.draw(st.integers(2, 5))):
        cabling.devices[f"d{i}"] = Device(f"d{i}", f"d{i}", kind="switch")
        ports += [End(f"d{i}", f"p{j}") for j in range(3)]
    for i in range(data.draw(st.integers(0, 5))):
        cabling.devices[f"panel{i}"] = Device(f"panel{i}", f"panel{i}", kind="panel")
        for j in range(2):
            front, rear = End(f"panel{i}", f"f{j}"), End(f"panel{i}", f"r{j}")
            cabling.rear_of[front] = Rear(rear)
            graph.add_edge(front, rear)
            ports += [front, rear]
    graph.add_nodes_from(ports)
    order = data.draw(st.permutations(ports))
    for i in range(data.draw(st.integers(0, len(order) // 2))):
        ends = order[2 * i], order[2 * i + 1]
        cabling.cables.append(Cable(f"c{i}", ends))
        graph.add_edge(*ends)
    found = Tracer(cabling, Ledger()).paths()
    expected = set()
    for part in nx.connected_components(graph):
        ends = sorted(end for end in part if end.device.startswith("d"))
        if len(ends) == 2:
            expected.add((*ends, graph.subgraph(part).number_of_edges()))
    made = [
        (*sorted(path.ends), len(list(path.cables)) + sum(s.n_connectors for s in path.stretches) // 2)
        for path in found
    ]
    assert sorted(made) == sorted(expected)
    for path in found:
        assert path.turned().turned() == path


def test_connectors_stay_with_their_panel_when_a_path_is_turned() -> None:
    """Device, cable, panel, cable, circuit, cable, device: the panel is behind the first cable from either end."""
    cabling = Cabling(devices={name: Device(name, name, kind="switch") for name in "ab"})
    cabling.devices |= {"p": Device("p", "p", kind="panel"), "k": Device("k", "k", kind="circuit")}
    cabling.rear_of = {End("p", "f"): Rear(End("p", "r")), End("k", "A"): Rear(End("k", "Z"))}
    joints = [End("a", "1"), End("p", "f"), End("p", "r"), End("k", "A"), End("k", "Z"), End("b", "1")]
    cabling.cables = [Cable(f"c{i}", (joints[2 * i], joints[2 * i + 1])) for i in range(3)]
    (path,) = Tracer(cabling, Ledger()).paths()
    names = [(s.cable.key if s.cable else s.circuit, s.n_connectors) for s in path.stretches]
    assert names == [("c0", 2), ("c1", 0), ("k", 0), ("c2", 0)]
    turned = [(s.cable.key if s.cable else s.circuit, s.n_connectors) for s in path.turned().stretches]
    assert turned == [("c2", 0), ("k", 0), ("c1", 2), ("c0", 0)]
