"""Broken, truncated and hostile files: a clear error or a finding, in bounded time and memory."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.imports.layer_samples import LAYERS, OPENROADM, REPETITA, REPETITA_DEMANDS, SIMAI
from tests.imports.netgraph_samples import NETGRAPH, OLD_NETGRAPH
from tests.imports.physical_samples import CLAB, CONFIG_DB, IB, LAYER1, MINIGRAPH, lldpctl
from tests.imports.samples import GRAPHML, NODE_LINK, SAMPLES, SNDLIB, SNDLIB_XML, TABLE, TOPOHUB
from twin.errors import DocumentError
from twin.imports import Imported, read, reading, workbooks
from twin.imports import files as import_files
from twin.loading import from_document

LLDP = lldpctl([("swp1", "spine-1", "swp1"), ("swp2", "spine-2", "swp1")])
TEXTS: dict[str, tuple[str, str, str]] = {
    "table": ("cabling.csv", TABLE, "table"),
    "graphml": ("net.graphml", GRAPHML, "graphml"),
    "node-link": ("net.json", json.dumps(NODE_LINK), "node-link"),
    "topohub": ("net.json", json.dumps(TOPOHUB), "topohub"),
    "sndlib": ("net.txt", SNDLIB, "sndlib"),
    "sndlib-xml": ("net.xml", SNDLIB_XML, "sndlib"),
    "lldp": ("leaf-1.json", json.dumps(LLDP), "lldp"),
    "batfish": ("layer1_topology.json", LAYER1, "batfish"),
    "containerlab": ("small.clab.yml", CLAB, "containerlab"),
    "sonic-xml": ("minigraph.xml", MINIGRAPH, "sonic"),
    "sonic": ("config_db.json", json.dumps(CONFIG_DB), "sonic"),
    "ibnetdiscover": ("fabric.txt", IB, "ibnetdiscover"),
    "rfc8345": ("net.json", json.dumps(LAYERS), "rfc8345"),
    "simai": ("fabric", SIMAI, "simai"),
    "netgraph": ("scenario.yaml", NETGRAPH, "netgraph"),
    "netgraph-old": ("scenario.yaml", OLD_NETGRAPH, "netgraph"),
    "repetita": ("net.graph", f"{REPETITA}{REPETITA_DEMANDS}", "repetita"),
}
N_EXAMPLES = settings.default.max_examples if settings.default.max_examples > 100 else 40  # type: ignore[union-attr]
QUIET = settings(max_examples=N_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PIECES = st.sampled_from(
    [b"", b"\0", b"\xff", b"-1", b"1e400", b"NaN", b"0", b'"', b"<", b">", b"(", b")", b"{}", b"[]", b"null", b"\n",
     b";", b"&lol;", "\u202e".encode(), "é".encode(), b"\xed\xa0\x80", b"99999999999999999999", b"true", b"  ", b":"]
)  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
    | st.sampled_from(["\ud800", " x ", "a" * 300, "\u0301", "1e9", -1, 1e300, 0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def attempt(path: Path, name: str | None) -> Imported | None:
    """Read a file; whatever is made of it must be a valid network. None if it is refused with a clear message."""
    try:
        found = read(path, format=name)
    except DocumentError as error:
        message, where = str(error), error.where
        found = None
    if found is None:
        assert message
        assert where
        assert "\n" not in where
        return None
    assert from_document(found.document).arrays.n_nodes == len(found.document.nodes)
    json.loads(found.report.to_json())
    return found


@pytest.mark.parametrize("name", TEXTS)
@QUIET
@given(data=st.data())
def test_a_changed_file_is_read_or_refused(name: str, data: st.DataObject, tmp_path: Path) -> None:
    file_name, text, format_name = TEXTS[name]
    content = text.encode()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        n = data.draw(st.sampled_from([0, 1, 2, 8, 40, len(content)]))
        content = content[:start] + data.draw(PIECES) + content[start + n :]
    path = tmp_path / file_name
    path.write_bytes(content)
    attempt(path, format_name)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in plain data."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, inner in items for place in places(inner, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


GRAPHS = [
    ("node-link", NODE_LINK), ("topohub", TOPOHUB), ("rfc8345", LAYERS), ("rfc8345", OPENROADM), ("lldp", LLDP),
    ("batfish", json.loads(LAYER1)), ("containerlab", yaml.safe_load(CLAB)), ("sonic", CONFIG_DB),
    ("netgraph", yaml.safe_load(NETGRAPH)), ("netgraph", yaml.safe_load(OLD_NETGRAPH)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "graph"), GRAPHS)
@QUIET
@given(data=st.data())
def test_odd_values_in_a_graph_are_read_or_refused(name: str, graph: Any, data: st.DataObject, tmp_path: Path) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        graph = replaced(graph, data.draw(st.sampled_from(places(graph)[1:])), data.draw(ODD))
    path = tmp_path / ("net.yml" if name in ("containerlab", "netgraph") else "net.json")
    path.write_text(json.dumps(graph))
    attempt(path, name)


@QUIET
@given(data=st.data())
def test_odd_values_in_a_dump_are_read_or_refused(data: st.DataObject, tmp_path: Path) -> None:
    folder = SAMPLES["netbox"](tmp_path / "dump")
    everything = {file.stem: json.loads(file.read_text())["results"] for file in sorted(folder.iterdir())}
    for _ in range(data.draw(st.integers(1, 4))):
        everything = replaced(everything, data.draw(st.sampled_from(places(everything)[1:])), data.draw(ODD))
    path = tmp_path / "all.json"
    path.write_text(json.dumps(everything))
    attempt(path, "netbox")


@pytest.mark.parametrize("name", TEXTS)
def test_every_truncation_is_read_or_refused(name: str, tmp_path: Path) -> None:
    file_name, text, format_name = TEXTS[name]
    path = tmp_path / file_name
    for n in range(0, len(text), max(len(text) // 60, 1)):
        path.write_text(text[:n], encoding="utf-8")
        attempt(path, format_name)


ENTITIES = [
    '<!DOCTYPE graphml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    '<!DOCTYPE graphml [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE graphml [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x">%x;]>',
]


@pytest.mark.parametrize("declaration", ENTITIES)
@pytest.mark.parametrize("name", ["graphml", "sndlib-xml", "sonic-xml"])
def test_entities_are_refused(name: str, declaration: str, tmp_path: Path) -> None:
    file_name, text, format_name = TEXTS[name]
    path = tmp_path / file_name
    path.write_text(text.replace("?>", "?>" + declaration, 1), encoding="utf-8")
    with pytest.raises(DocumentError, match=r"line \d+.*entit"):
        read(path, format=format_name)


@pytest.mark.parametrize("content", ["[" * 200_000, '{"nodes":' * 100_000, "<a>" * 200_000], ids=["[", "{", "<"])
@pytest.mark.parametrize("name", ["node-link", "graphml", "sndlib", "topohub", "lldp", "sonic", "ibnetdiscover"])
def test_deep_nesting_is_refused(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text(content)
    with pytest.raises(DocumentError, match=r"deep\.json"):
        read(path, format=name)


def test_an_excel_file_that_unpacks_without_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openpyxl")
    monkeypatch.setattr(workbooks, "MAX_UNPACKED_BYTES", 1_000_000)
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(9):
            archive.writestr(f"xl/{i}.xml", b"0" * 200_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(DocumentError, match="unpacks to"):
        read(path, format="table")


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + b"x" * 500, b"no archive"])
def test_a_broken_excel_file_is_refused(content: bytes, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    path = tmp_path / "broken.xlsx"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=r"broken\.xlsx: is no readable Excel file$"):
        read(path, format="table")


def test_an_archive_is_no_excel_file(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    path = tmp_path / "files.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cables.csv", "a,b\n")
    with pytest.raises(DocumentError, match="is an archive and no Excel file"):
        read(path, format="table")


def test_an_excel_file_with_a_document_type_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    path = tmp_path / "entities.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')
    with pytest.raises(DocumentError, match="document type"):
        read(path, format="table")


def test_too_many_records_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "MAX_RECORDS", 2)
    with pytest.raises(DocumentError, match="at most 2"):
        read(SAMPLES["node-link"](tmp_path / "x"))


def test_too_large_files_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "MAX_FILE_BYTES", 100)
    with pytest.raises(DocumentError, match="at most 100 bytes"):
        read(SAMPLES["sndlib"](tmp_path / "x"), format="sndlib")


def test_a_network_that_is_too_large_to_be_read_again_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = read(SAMPLES["sndlib"](tmp_path / "x"))
    for limit, told in ((100, "about [0-9,]+"), (1000, "[0-9,]+")):
        monkeypatch.setattr(reading, "MAX_FILE_BYTES", limit)
        with pytest.raises(DocumentError, match=f"^[^:]*: {told} bytes; expected at most {limit:,} bytes"):
            found.write(tmp_path / "network.yaml")
        assert not (tmp_path / "network.yaml").exists()


def test_links_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    folder = SAMPLES["netbox"](tmp_path / "dump")
    secret = tmp_path / "secret.json"
    secret.write_text("{")
    (folder / "racks.json").symlink_to(secret)
    assert "racks.json" not in read(folder).report.files


def test_a_control_character_of_a_source_becomes_a_space(tmp_path: Path) -> None:
    nodes = [{"id": name, "name": f"{name}\x1b\u202e\n", "tags": ["t\x1b"]} for name in ("a", "b")]
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"nodes": nodes, "links": [{"source": "a", "target": "b", "name": "x\x1b"}]}))
    text = read(path).document.to_json()
    assert not set(text) & {"\x1b", "\u202e"}
    assert not {"\\u001b", "\\u202e"} & {text[i : i + 6] for i in range(len(text))}


def test_the_report_stays_bounded_for_many_different_fields(tmp_path: Path) -> None:
    nodes = [{"id": i, f"field {i}": 1} for i in range(5000)]
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"nodes": nodes, "links": []}))
    report = read(path, format="node-link").report
    assert len(report.dropped) <= 1001
    assert sum(row.n for row in report.dropped) == 5000


def test_a_large_sheet_is_refused_by_its_first_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size is foretold from 50 of 200 rows, before the others are read; a report alone has no such bound."""
    monkeypatch.setattr("twin.imports.reading.MAX_FILE_BYTES", 20_000)
    monkeypatch.setattr("twin.imports.foretold.MIN_ROWS", 100)
    monkeypatch.setattr("twin.imports.foretold.N_FIRST_ROWS", 50)
    path = tmp_path / "cables.csv"
    path.write_text("a,b,length (m)\n" + "".join(f"leaf-{i},spine-{i % 7},30\n" for i in range(200)))
    with pytest.raises(DocumentError, match=r"201 rows make about \d\d,\d+ bytes, and about 0 rows fit.*Python"):
        read(path, is_to_be_written=True)
    assert len(read(path).document.links) == 200
    path.write_text("a,b,length (m)\n" + '"leaf\n' * 200)
    with pytest.raises(DocumentError, match="line"):
        read(path, is_to_be_written=True)
