"""Links whose directions a graph states apart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.imports.test_graphs import kinds, written
from twin.imports import read


def test_weight_and_latency_of_opposite_edges_are_kept_by_direction(tmp_path: Path) -> None:
    there = {"source": "a", "target": "b", "capacity_gbps": 100, "weight": 3, "latency_us": 7}
    back = {"source": "b", "target": "a", "capacity_gbps": 40, "weight": 5, "latency_us": 9}
    data = {"directed": True, "nodes": [{"id": "a"}, {"id": "b"}], "edges": [there, back]}
    (link,) = read(written(tmp_path, "n.json", data)).document.links
    assert (link.capacity_gbps, link.weight, link.latency_us) == ((100.0, 40.0), (3.0, 5.0), (7.0, 9.0))


def test_a_value_of_the_way_back_alone_holds_for_both_directions_and_is_counted(tmp_path: Path) -> None:
    edge = {"source": "a", "target": "b", "reverse_capacity_gbps": 100, "reverse_latency_us": 9,
            "reverse_weight": 3}  # fmt: skip
    found = read(written(tmp_path, "n.json", {"nodes": [{"id": "a"}, {"id": "b"}], "edges": [edge]}))
    (link,) = found.document.links
    assert (link.capacity_gbps, link.latency_us, link.weight) == (100, 9, 3)
    counted = {row.what: row.n for row in found.report.assumed if row.what.endswith("of a direction")}
    assert counted == dict.fromkeys((f"{what} of a direction" for what in ("rate", "latency", "weight")), 1)


def test_opposite_directed_edges_are_one_link(tmp_path: Path) -> None:
    edges = [
        {"source": 1, "target": 2, "capacity_gbps": 10.0},
        {"source": 2, "target": 1, "capacity_gbps": 40.0},
        {"source": 2, "target": 3, "capacity_gbps": 10.0},
    ]
    data = {"directed": True, "nodes": [{"id": 1}, {"id": 2}, {"id": 3}], "edges": edges}
    found = read(written(tmp_path, "net.json", data))
    links = {link.ends: link.capacity_gbps for link in found.document.links}
    assert links == {("1", "2"): (10, 40), ("2", "3"): 10}
    assert kinds(found)["one-sided edge"] == 1


@pytest.mark.parametrize("is_turned", [False, True])
@pytest.mark.parametrize(
    ("there", "back", "rates", "members"),
    [
        ({"capacity": "2x10G"}, {"capacity": "100G"}, (20, 100), (1, 0)),
        ({"capacity": "4x10G", "n_failed": 1}, {"capacity": "40G"}, (30, 40), (1, 0)),
        ({"capacity": "2x10G", "n_failed": 2}, {"capacity": "100G"}, (20, 100), (1, 0)),
        ({"capacity": "4x9000T"}, {"capacity": "9000T"}, (9e6, 2.25e6), (4, 0)),
        ({"n_parallel": 3}, {"n_parallel": 2, "capacity": "10G"}, 10, (2, 0)),
    ],
)
def test_directions_with_different_members_keep_their_whole_rates(
    there: dict[str, Any], back: dict[str, Any], rates: Any, members: tuple[int, int], *, is_turned: bool,
    tmp_path: Path,
) -> None:  # fmt: skip
    edges = [{"source": "a", "target": "b"} | there, {"source": "b", "target": "a"} | back]
    data = {"directed": True, "nodes": [{"id": "a"}, {"id": "b"}], "edges": edges[::-1] if is_turned else edges}
    found = read(written(tmp_path, "n.json", data))
    (link,) = found.document.links
    assert (link.capacity_gbps, (link.n_parallel, link.n_failed)) == (rates, members)
    assert link.up == (there.get("n_failed") != 2)
    assert kinds(found)["different members"] == 1


def test_rates_by_direction_follow_the_ends(tmp_path: Path) -> None:
    """The link is stored from `a` to `b`, whichever direction the file states first."""
    edges = [
        {"source": "b", "target": "a", "capacity_gbps": 40.0},
        {"source": "a", "target": "b", "capacity_gbps": 10.0},
    ]
    found = read(written(tmp_path, "n.json", {"directed": True, "nodes": [{"id": "a"}, {"id": "b"}], "edges": edges}))
    (link,) = found.document.links
    assert (link.ends, link.capacity_gbps) == (("a", "b"), (10, 40))
