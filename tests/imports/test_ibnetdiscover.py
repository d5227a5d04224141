"""InfiniBand fabrics of ibnetdiscover: names, cards, rails, rates and parallel cables, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.imports.physical_samples import IB, kinds, nodes, rates, written
from tests.imports.samples import SAMPLES
from twin.errors import DocumentError
from twin.imports import read


def test_a_fabric(tmp_path: Path) -> None:
    found = read(SAMPLES["ibnetdiscover"](tmp_path / "x"))
    assert nodes(found) == {"ib-leaf-a": "leaf", "Quantum Mellanox Technologies": "leaf", "gpu001": "host",
                            "H-0000000000000021": "host"}  # fmt: skip
    host = next(node for node in found.document.nodes if node.id == "gpu001")
    assert (host.n_cards, host.tags) == (2, ("card: mlx5_0 H-0000000000000011", "card: mlx5_1 H-0000000000000012"))
    assert rates(found) == {
        "ib-leaf-a~Quantum Mellanox Technologies": (200, 2),
        "ib-leaf-a~Quantum Mellanox Technologies#2": (100, 1),
        "gpu001~ib-leaf-a": (200, 1),
        "gpu001~ib-leaf-a#2": (100, 1),
        "H-0000000000000021:1~Quantum Mellanox Technologies:9": (None, 1),
    }
    (pair,) = [link for link in found.document.links if link.n_parallel == 2]
    assert pair.tags == (
        "ib-leaf-a:21 ~ Quantum Mellanox Technologies:1", "ib-leaf-a:22 ~ Quantum Mellanox Technologies:2",
    )  # fmt: skip
    counted = kinds(found)
    assert (counted["mixed speeds"], counted["unknown speed"], counted["unknown rate"]) == (2, 1, 1)
    dropped = {row.field: row.n for row in found.report.dropped}
    assert dropped == {"aggregation nodes": 1, "ports of aggregation nodes": 1}


def test_the_report_of_ports_gives_the_same_cables(tmp_path: Path) -> None:
    text = (
        "CA     4  1 0x0000000000000011 4x HDR - SW     1  1 0x00000000000000a1 ( 'gpu001 mlx5_0' - 'sw a' )\n"
        "SW     1  1 0x00000000000000a1 4x HDR - CA     4  1 0x0000000000000011 ( 'sw a' - 'gpu001 mlx5_0' )\n"
        "SW     1  7 0x00000000000000a1 4x ???                                    'sw a'\n"
    )
    found = read(written(tmp_path, ports__txt=text))
    assert rates(found) == {"gpu001:mlx5_0/1~sw a:1": (200, 1)}
    assert nodes(found) == {"gpu001": "host", "sw a": "leaf"}


def test_rails_follow_the_cards(tmp_path: Path) -> None:
    lines = []
    for rail in range(2):
        lines.append(f'Switch\t64 "S-{rail + 160:016x}"\t\t# "leaf-{rail}" base port 0 lid 1 lmc 0')
        for host in range(3):
            card = f'"H-{host * 16 + rail + 1:016x}"[1](1)'
            lines.append(f'[{host + 1}]\t{card} \t\t# "gpu{host} mlx5_{rail + 3}" lid 4 4xNDR')
        lines.append("")
    found = read(written(tmp_path, f__txt="\n".join(lines)))
    assert {n.id: (n.rail, n.n_cards) for n in found.document.nodes} == {
        "leaf-0": (0, None), "leaf-1": (1, None), "gpu0": (None, 2), "gpu1": (None, 2), "gpu2": (None, 2),
    }  # fmt: skip
    assert {link.capacity_gbps for link in found.document.links} == {400}


def test_units_of_a_chassis_and_equal_descriptions_keep_apart(tmp_path: Path) -> None:
    text = "\n".join(
        f'Switch\t36 "S-{i:016x}"\t\t# "{name}" base port 0 lid 1 lmc 0\n[1]\t"S-{9:016x}"[{i}]\t\t# "x" lid 2 4xEDR\n'
        for i, name in enumerate(["MF0;c1:SX6/L1/U1", "MF0;c1:SX6/S1/U1", "IS5 Mellanox", "IS5 Mellanox"], 1)
    )
    found = read(written(tmp_path, f__txt=text))
    named = {node.id: node.name for node in found.document.nodes}
    assert named == {
        "c1/L1/U1": "MF0;c1:SX6/L1/U1", "c1/S1/U1": "MF0;c1:SX6/S1/U1", "x": "",
        "S-0000000000000003": "IS5 Mellanox", "S-0000000000000004": "IS5 Mellanox",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["Switch", "ibwarn: no port\nfoo", '[1] "S-1"[2] # "x" lid 1 4xEDR'])
def test_what_is_no_dump_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"line \d"):
        read(written(tmp_path, f__txt=text), format="ibnetdiscover")


def test_a_line_that_cannot_be_read_is_found(tmp_path: Path) -> None:
    found = read(written(tmp_path, f__txt=IB.replace("\n[22]\t", "\n[22!\t")))
    assert kinds(found)["unknown line"] == 1
    assert kinds(found)["one-sided cable"] == 1


def test_a_switch_between_leaves_is_a_spine_though_a_manager_and_its_own_unit_are_attached(tmp_path: Path) -> None:
    lines = []
    for leaf in range(2):
        lines.append(f'Switch\t64 "S-{leaf + 160:016x}"\t\t# "sw {leaf}" base port 0 lid 1 lmc 0')
        lines += [f'[{i}]\t"H-{leaf * 64 + i:016x}"[1](1) \t\t# "n{leaf}x{i} mlx5_0" lid 4 4xNDR' for i in range(1, 7)]
        lines += [
            f'[4{spine}]\t"S-{spine + 176:016x}"[{leaf + 1}]\t\t# "top {spine}" lid 9 4xNDR' for spine in range(2)
        ]
        lines.append("")
    lines += [
        'Switch\t64 "S-00000000000000b0"\t\t# "top 0" base port 0 lid 9 lmc 0',
        '[60]\t"H-0000000000000fff"[1](1) \t\t# "ufm mlx5_0" lid 7 4xHDR',
        '[65]\t"H-0000000000000ffe"[1](1) \t\t# "Mellanox Technologies Aggregation Node" lid 8 4xNDR',
        "",
    ]
    found = nodes(read(written(tmp_path, f__txt="\n".join(lines))))
    assert {name: kind for name, kind in found.items() if kind != "host"} == {
        "sw 0": "leaf", "sw 1": "leaf", "top 0": "spine", "top 1": "spine",
    }  # fmt: skip
