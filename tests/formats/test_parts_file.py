"""Files of own parts: short and full figures, checks, and the merge with the parts of a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twin.catalogue import catalogue
from twin.errors import DocumentError, TopologyError, TwinError
from twin.formats.parts_file import own_parts_of, read_own_parts
from twin.loading import from_document, load

FIBRE = """
sources:
  test: {source: acceptance test, as_of: 2019, status: own}
parts:
  - id: ring
    kind: fibre
    name: Fibre of the ring
    figures:
      attenuation_db_per_km: {value: 0.24, range: [0.22, 0.26], from: test}
      dispersion_ps_per_nm_km: {value: 16.9, assumed: [16.5, 17.3], from: test}
      effective_area_um2: {value: 80, from: test}
      group_index_ratio: {value: 1.468, from: test}
      pmd_ps_per_sqrt_km: {value: 0.1, low: 0.05, high: 0.2, source: sheet, as_of: 2006, status: vendor}
"""
NETWORK: dict[str, Any] = {
    "nodes": [{"id": "a", "kind": "leaf"}, {"id": "b", "kind": "leaf"}],
    "links": [{"id": "l", "ends": ["a", "b"], "transceiver": "400ZR", "spans": [{"length_km": 40, "fibre": "ring"}]}],
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "parts.yaml"
    file.write_text(FIBRE, encoding="utf-8")
    return file


def test_short_figures_are_completed(path: Path) -> None:
    (part,) = read_own_parts(path)
    loss = part.figure("attenuation_db_per_km")
    assert (loss.low, loss.value, loss.high, loss.status, loss.assumed_range) == (0.22, 0.24, 0.26, "own", False)
    assert part.figure("dispersion_ps_per_nm_km").assumed_range
    assert part.figure("effective_area_um2").high == 80
    assert part.figure("pmd_ps_per_sqrt_km").status == "vendor"


def test_a_network_uses_the_parts_of_a_file(path: Path, tmp_path: Path) -> None:
    with pytest.raises(TwinError, match="ring"):
        _ = from_document(NETWORK).arrays
    network = from_document(NETWORK, parts=path)
    assert network.link_table("l").rows[0]["loss_db"] == pytest.approx(0.24 * 40)
    (tmp_path / "net.json").write_bytes(network.to_document().to_json().encode())
    assert load(tmp_path / "net.json").document == network.document, "the parts are in the document"
    assert load(tmp_path / "net.json", parts=[]).document == network.document


def test_a_part_of_the_file_replaces_that_of_the_document(path: Path) -> None:
    (part,) = read_own_parts(path)
    other = part.model_copy(update={"name": "another name"})
    network = from_document(from_document(NETWORK, parts=path).document, parts=[other])
    assert network.document.parts == (other,)
    plain = {"parts": [part.model_dump(mode="json", exclude_defaults=True)]}
    assert from_document(NETWORK, parts=plain).document.parts == (part,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("parts: 3", "parts holds"),
        ("{}", "parts holds"),
        ("part: []", "did you mean 'parts'"),
        ("{parts: [], sources: []}", "sources holds"),
        (FIBRE.replace("from: test", "from: tset"), "did you mean 'test'"),
        (FIBRE.replace("[0.22, 0.26]", "0.22"), "range is two numbers"),
        (FIBRE.replace("kind: fibre", "kind: fiber"), "kind"),
        (FIBRE.replace("attenuation_db", "atenuation_db"), "did you mean 'attenuation_db_per_km'"),
        (FIBRE.replace("id: ring", "id: G.652.D"), "is a fibre of the catalogue"),
        (FIBRE.replace("low: 0.05", "low: 0.15"), "outside low 0.15"),
    ],
)
def test_faults_are_named_with_the_file(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "parts.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises((DocumentError, TopologyError)) as caught:
        read_own_parts(path)
    assert problem in str(caught.value)
    assert "parts.yaml" in str(caught.value)


def test_every_shipped_part_is_a_valid_own_part_under_another_id() -> None:
    parts = [part for part in catalogue().parts() if part.fec is None]
    data = [part.model_dump(mode="json") | {"id": f"own-{part.id}"} for part in parts]
    assert len(own_parts_of({"parts": data}, "test")) == len(parts)
