"""Parts from NetBox's device types: ports by rate, watts, assumptions, and files that are odd."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.imports.netbox_dump import INTERFACE, Dump
from tests.imports.part_samples import DEVICE_TYPE, device_types
from twin.catalogue import Part
from twin.errors import DocumentError, TwinError
from twin.imports import files, import_options, read
from twin.imports.parts import MadeParts, make_parts
from twin.loading import from_document

FORMAT = "netbox-device-types"
QUIET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def made_of(folder: Path, text: str = DEVICE_TYPE) -> MadeParts:
    path = folder / "type.yaml"
    path.write_text(text, encoding="utf-8")
    return make_parts(path, format=FORMAT)


def only(made: MadeParts) -> Part:
    (part,) = made.parts
    return part


def test_ports_cages_and_watts_come_from_the_file_and_the_rest_is_assumed(tmp_path: Path) -> None:
    made = make_parts(device_types(tmp_path / "x"), format=FORMAT)
    part = only(made)
    assert (part.id, part.kind, part.name, part.lane_gbps) == ("maker-s-32c", "switch", "Maker S-32C", 25)
    assert part.aliases == ("S-32C", "S-32C-F", "Maker S-32C")
    groups = [(group.n_ports, group.port_gbps, group.cages[0]) for group in part.port_groups]
    assert groups == [(2, 100.0, "QSFP28"), (1, 25.0, "SFP28")]
    assert (part.value("n_ports"), part.value("port_gbps")) == (3, 100)
    power = part.figure("power_w")
    assert (power.low, power.value, power.high, power.status) == (300, 500, 1000, "own")
    assert {row.what for row in made.report.assumed} == {
        *("watts", "buffer_bytes", "cage_w", "latency_us", "lossless_share_ratio", "n_asics")
    }
    assert {(row.field, row.n) for row in made.report.dropped} >= {("interfaces", 1), ("device types.u_height", 1)}


def test_a_single_supply_is_not_halved_and_none_is_assumed(tmp_path: Path) -> None:
    one = DEVICE_TYPE.replace("  - {name: PS2, type: iec-60320-c14, maximum_draw: 500, allocated_draw: 150}\n", "")
    assert only(made_of(tmp_path, one)).value("power_w") == 500
    none = DEVICE_TYPE[: DEVICE_TYPE.index("power-ports")]
    assert only(made_of(tmp_path, none)).figure("power_w").status == "estimate"


def test_ports_of_one_rate_make_no_groups(tmp_path: Path) -> None:
    text = DEVICE_TYPE.replace("25gbase-x-sfp28", "100gbase-x-qsfp28")
    part = only(made_of(tmp_path, text))
    assert part.port_groups == ()
    assert part.cages == ("QSFP28", "QSFP+")


def test_what_makes_no_switch_is_a_finding_among_others(tmp_path: Path) -> None:
    folder = device_types(tmp_path / "x") / "Maker"
    (folder / "chassis.yaml").write_text("{manufacturer: Maker, model: Big}", encoding="utf-8")
    (folder / "broken.yaml").write_text("{", encoding="utf-8")
    (folder / "again.yaml").write_text(DEVICE_TYPE, encoding="utf-8")
    (folder / "odd.yaml").write_text(DEVICE_TYPE.replace("s-32c", "odd").replace("25gbase-x-sfp28", "other"))
    (folder / ".hidden.yaml").write_text("{", encoding="utf-8")
    (folder / "link.yaml").symlink_to(folder / "broken.yaml")
    made = make_parts(tmp_path / "x", format=FORMAT)
    assert [part.id for part in made.parts] == ["maker-odd", "maker-s-32c"]
    assert {(row.kind, row.n) for row in made.report.findings} == {
        *(("no ports", 1), ("unreadable file", 1), ("duplicate slug", 1), ("unknown interface type", 1))
    }


def test_a_device_type_without_ports_alone_is_refused_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no data port with a rate"):
        made_of(tmp_path, "{manufacturer: Maker, model: Big}")
    with pytest.raises(DocumentError, match=r"netbox-device-types"):
        make_parts(tmp_path, format="netbox-device-type")


def test_an_id_of_the_catalogue_is_marked_as_own(tmp_path: Path) -> None:
    assert only(made_of(tmp_path, DEVICE_TYPE.replace("maker-s-32c", "leaf-25.6T"))).id == "own-leaf-25.6T"


def test_folders_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = device_types(tmp_path / "x")
    monkeypatch.setattr(files, "MAX_FILES_BELOW", 0)
    with pytest.raises(DocumentError, match="too many files"):
        make_parts(folder, format=FORMAT)
    with pytest.raises(DocumentError, match="no such file"):
        make_parts(tmp_path / "nowhere", format=FORMAT)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DocumentError, match=r"files that end in \.yaml"):
        make_parts(tmp_path / "empty", format=FORMAT)


PIECES = st.sampled_from(["", "-1", "1e400", "null", "[]", "{}", "true", "'\u202e'", "99999999999999999999", ": ", "x"])


@QUIET
@given(start=st.integers(0, len(DEVICE_TYPE)), n=st.integers(0, 30), piece=PIECES)
def test_a_damaged_file_is_refused_or_gives_valid_parts(tmp_path: Path, start: int, n: int, piece: str) -> None:
    text = DEVICE_TYPE[:start] + piece + DEVICE_TYPE[start + n :]
    try:
        made = made_of(tmp_path, text)
    except TwinError as error:
        assert "\n" not in error.where  # noqa: PT017  # refused or read: both are fine
        return
    assert all(part.value("n_ports") > 0 for part in made.parts)


def dump_of(folder: Path, slug: str) -> Path:
    """Two switches and a server of one model, and a switch of an unknown one."""
    dump = Dump()
    site = dump.site("DC1")
    kind = {"id": 7, "slug": slug, "model": "no such model", "manufacturer": {"id": 1, "name": "Maker"}}
    roles = {"leaf 1": "Leaf", "spine 1": "Spine", "srv 1": "Server"}
    ids = [dump.device(name, role, site, device_type=kind) for name, role in roles.items()]
    ids.append(dump.device("leaf 2", "Leaf", site))
    ports = [dump.interface(device, f"e{i}", "100gbase-x-qsfp28") for device in ids for i in range(2)]
    for a, b in ((0, 2), (1, 4), (3, 6)):
        dump.cable([(INTERFACE, ports[a])], [(INTERFACE, ports[b])], 30)
    return dump.write(folder)


def test_netbox_devices_take_the_parts_of_their_device_type(tmp_path: Path) -> None:
    made_of(tmp_path).write(tmp_path / "parts.yaml")
    dump = dump_of(tmp_path / "dump", "MAKER-S-32c")
    found = read(dump, format="netbox", options=import_options(parts=tmp_path / "parts.yaml"))
    parts = {node.id: node.part for node in found.document.nodes}
    assert parts == {"leaf 1": "maker-s-32c", "spine 1": "maker-s-32c", "srv 1": None, "leaf 2": None}
    assert [part.id for part in found.document.parts] == ["maker-s-32c"]
    assert "no price for 1 own part" in found.report.supports.money.why
    effects = [row.effect for row in found.report.dropped if row.field == "model of a device"]
    assert len(effects) == 2, "the server, and the model that no part has"
    score = from_document(found.document).score(main_assumptions=False)
    assert score["opex_usd_per_year"] is None
    assert "no price for maker-s-32c" in score.metrics["opex_usd_per_year"].why
    priced = found.document.model_copy(update={"price_book": {"part_usd": {"maker-s-32c": 9000.0}}})
    assert from_document(priced).score(main_assumptions=False)["opex_usd_per_year"] > 900


def test_parts_of_the_catalogue_are_found_without_a_file(tmp_path: Path) -> None:
    document = read(dump_of(tmp_path / "dump", "leaf-25.6T"), format="netbox").document
    assert [node.part for node in document.nodes if node.id == "leaf 1"] == ["leaf-25.6T"]
    assert document.parts == ()


def test_a_change_that_buys_what_has_no_price_says_so(tmp_path: Path) -> None:
    parts = made_of(tmp_path).parts
    network = from_document({"nodes": [{"id": "a", "kind": "leaf", "part": "leaf-25.6T"}]}, parts=parts)
    change = {"kind": "swap_switches", "nodes": "a", "part": "maker-s-32c"}
    diff = network.what_if([change], main_assumptions=False)
    assert diff.after["capex_usd"] is None
    assert any("no price for maker-s-32c" in sentence for sentence in diff.summary)


SERVER = """
manufacturer: Maker
model: R650
slug: maker-r650
u_height: 2
interfaces:
  - {name: ens1, type: 25gbase-x-sfp28}
  - {name: ens2, type: 25gbase-x-sfp28}
  - {name: iDRAC, type: 1000base-t, mgmt_only: true}
power-ports:
  - {name: PSU1, maximum_draw: 800, allocated_draw: 300}
module-bays:
  - {name: PCIe 1, position: pcie1}
"""
CARD = """
manufacturer: Maker
model: NIC-2x100
part_number: N2
interfaces:
  - {name: "{module}-1", type: 100gbase-x-qsfp28}
  - {name: "{module}-2", type: 100gbase-x-qsfp28}
"""


def test_a_device_type_with_bays_for_cards_is_a_server(tmp_path: Path) -> None:
    part = only(made_of(tmp_path, SERVER))
    stated = {name: part.value(name) for name in ("n_ports", "port_gbps", "n_rack_units", "power_w")}
    assert part.kind == "server"
    assert stated == {"n_ports": 2, "port_gbps": 25, "n_rack_units": 2, "power_w": 800}
    assert {part.figures[name].status for name in ("n_ports", "n_rack_units")} == {"own"}
    assert part.figures["failure_fit"].status == "estimate"
    network = from_document({"parts": [part.model_dump()], "nodes": [{"id": "h", "kind": "host", "part": part.id}]})
    assert network.arrays.node_ids == ("h",)


def test_a_module_type_is_a_card(tmp_path: Path) -> None:
    made = made_of(tmp_path, CARD)
    part = only(made)
    assert (part.id, part.kind, part.value("n_ports"), part.value("port_gbps")) == ("maker-nic-2x100", "card", 2, 100)
    assert part.cages[0] == "QSFP28"
    assert {row.what for row in made.report.assumed} == {"cage_w", "power_w", "failure_fit"}
