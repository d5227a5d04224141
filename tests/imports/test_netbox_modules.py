"""NetBox: transceivers by inventory item, module and interface type, cards of servers; a cage alone is no reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.imports.netbox_dump import INTERFACE, Dump
from twin.imports import Imported, read
from twin.loading import from_document


class Pair:
    """Two switches and a cable between their ports of a type."""

    def __init__(self, kind: str = "400gbase-x-qsfpdd", *, role: str = "Leaf") -> None:
        self.dump = Dump()
        site = self.dump.site("A")
        self.devices = [self.dump.device("a", "Leaf", site), self.dump.device("b", role, site)]
        self.ports = [self.dump.interface(device, "Ethernet1", kind) for device in self.devices]
        self.dump.cable([(INTERFACE, self.ports[0])], [(INTERFACE, self.ports[1])], 30)

    def item(self, i: int, part: str) -> None:
        """The transceiver of a port, as an inventory item."""
        owner = {"id": self.devices[i], "name": "ab"[i]}
        self.dump.add(
            "inventory-items", device=owner, name="optic", part_id=part, manufacturer={"name": "Maker"},
            component_type=INTERFACE, component_id=self.ports[i],
        )  # fmt: skip

    def module(self, i: int, bay: str, model: str) -> int:
        """A module in a bay of a device."""
        owner, kind = {"id": self.devices[i]}, {"model": model, "part_number": "", "manufacturer": {"name": "Maker"}}
        return self.dump.add("modules", device=owner, module_bay={"id": 1, "name": bay}, module_type=kind)

    def read(self, folder: Path) -> Imported:
        return read(self.dump.write(folder))


def optic(found: Imported) -> Any:
    (link,) = found.document.links
    return link.transceiver


def finding_kinds(found: Imported) -> set[str]:
    return {row.kind for row in found.report.findings}


def test_a_cage_gives_no_transceiver(tmp_path: Path) -> None:
    found = Pair().read(tmp_path / "d")
    assert optic(found) is None
    assert found.document.links[0].capacity_gbps == 400.0
    assert any("form factor of a port" in row.effect for row in found.report.dropped)


def test_a_type_that_names_its_optics_gives_the_transceiver(tmp_path: Path) -> None:
    assert optic(Pair("100gbase-lr1").read(tmp_path / "d")) == "100G-LR1"
    assert optic(Pair("10gbase-t").read(tmp_path / "e")) is None


def test_inventory_items_and_modules_name_transceivers(tmp_path: Path) -> None:
    items = Pair()
    items.item(0, "400gbase-sr8")
    items.item(1, "400G-SR8")
    assert optic(items.read(tmp_path / "d")) == "400G-SR8"
    modules = Pair()
    modules.module(0, "Ethernet1", "400gbase-sr8")
    found = modules.read(tmp_path / "e")
    assert optic(found) == "400G-SR8"
    assert any(row.what == "transceiver at the other end of a link" for row in found.report.assumed)
    assert from_document(found.document).score(main_assumptions=False)


@pytest.mark.parametrize(
    ("kind", "names", "problem"),
    [
        ("400gbase-x-qsfpdd", ("400G-SR8", "400G-FR4"), "different transceivers"),
        ("400gbase-x-qsfpdd", ("100G-LR1", "100G-LR1"), "transceiver of another rate"),
        ("800gbase-x-osfp", ("400G-SR8", "400G-SR8"), "wrong cage"),
    ],
)
def test_what_does_not_agree_is_a_finding(kind: str, names: tuple[str, str], problem: str, tmp_path: Path) -> None:
    pair = Pair(kind)
    for i, name in enumerate(names):
        pair.item(i, name)
    found = pair.read(tmp_path / "d")
    assert optic(found) is None
    assert problem in finding_kinds(found)


def test_an_unknown_model_is_reported(tmp_path: Path) -> None:
    pair = Pair()
    pair.item(0, "XYZ-1")
    found = pair.read(tmp_path / "d")
    assert optic(found) is None
    (row,) = [row for row in found.report.dropped if row.field == "model of a transceiver"]
    assert "XYZ-1" in row.places[0]


def test_modules_with_interfaces_are_the_cards_of_a_server(tmp_path: Path) -> None:
    pair = Pair("100gbase-x-qsfp28", role="Server")
    for name in ("ens2", "ens3"):
        module = pair.module(1, f"PCIe {name}", "card-2x100G")
        pair.dump.interface(pair.devices[1], name, "100gbase-x-qsfp28", module={"id": module})
    found = pair.read(tmp_path / "d")
    host = next(node for node in found.document.nodes if node.id == "b")
    assert (host.kind, host.part, host.n_cards) == ("host", "card-2x100G", 2)
    assert all(row.rule != "n_ports" for row in from_document(found.document).warnings)


def test_items_that_are_no_transceivers_are_reported(tmp_path: Path) -> None:
    pair = Pair()
    pair.dump.add("inventory-items", device={"id": 1}, name="DIMM")
    pair.module(0, "PSU1", "PWR-500")
    dropped = {row.field for row in pair.read(tmp_path / "d").report.dropped}
    assert {"inventory-items", "modules"} <= dropped
