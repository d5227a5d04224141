"""Management links: recognised by the names of their ports, left out, and kept on demand."""

from __future__ import annotations

from pathlib import Path

import pytest

from twin.imports import Imported, read
from twin.imports.management import is_management
from twin.imports.options import import_options


@pytest.mark.parametrize(
    "port",
    ["mgmt0", "mgmt", "Management1", "Management1/1", "MgmtEth0/RP0/CPU0/0", "fxp0", "me0", "Ma1", "vme", "oob0",
     "bmc", "iDRAC", "mgmt-0", "re0:mgmt-0", "re1:mgmt-0", "MEth0/0/0", "M-GigabitEthernet0/0/0", "M-GE0/0/0", "OOBM",
     "ManagementEthernet 1/1", "Management Ethernet 1/1", "management 1/1", "MGMT 0", "Mgmt-eth 0/RP0/CPU0/0",
     "MgmtEth0/RSP0/CPU0/1", "MgmtEth0/0/CPU0/0", "mgmt-eth0", "ma 1/1", "ilo"],
)  # fmt: skip
def test_names_of_management_ports(port: str) -> None:
    assert is_management(port)


@pytest.mark.parametrize(
    "port",
    ["", "Ethernet1", "eth0", "eth1", "em1", "xe-0/0/0", "mlx5_0", "member1", "Manager", "me", "mge-0/0/0", "ge-0/0/0",
     "MultiGigabitEthernet1/0/1", "GigabitEthernet0/0/0", "M-Ethernet1", "wan0", "Ethernet 1/1", "Eth-Trunk1", "rp0",
     "mgmt-sw1", "management-leaf", "meter1", "Multi 1/1", "cpu0", "re0", "oobleck"],
)  # fmt: skip
def test_names_of_other_ports(port: str) -> None:
    assert not is_management(port)


def sheet(tmp_path: Path, *, keep: bool = False) -> Imported:
    path = tmp_path / "cables.csv"
    path.write_text(
        "a,a port,b,b port,rate\nleaf-1,eth0,oob-1,e1,1G\nleaf-1,mgmt0,oob-1,e2,1G\n"
        "server-1,eth0,leaf-1,Ethernet1,10G\nserver-1,em1,leaf-1,Ethernet2,10G\n"
        "leaf-1,em0,oob-1,e3,1G\nleaf-1,MEth0/0/0,oob-1,e4,1G\n"
    )
    return read(path, options=import_options(keep_management=keep))


def test_management_links_are_left_out_and_reported(tmp_path: Path) -> None:
    """eth0 and em0 are for management at a switch, and for data at a host."""
    found = sheet(tmp_path)
    assert [link.ends for link in found.document.links] == [("leaf-1", "server-1")] * 2
    (row,) = (row for row in found.report.dropped if row.field == "cables of management ports")
    assert (row.n, row.places[0]) == (4, "leaf-1:eth0 ~ oob-1:e1")
    assert "--keep-management" in row.effect
    assert len(sheet(tmp_path, keep=True).document.links) == 6
