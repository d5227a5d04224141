"""Matrices of .npy files: the same demands as CSV text, and files that are refused before an entry is read."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twin.errors import DocumentError, TwinError
from twin.formats import traffic_text
from twin.loading import load
from twin.traffic.matrix_npy import matrix_of_npy


def npy(array: Any, **options: Any) -> bytes:
    stream = BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def text_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


MATRIX = np.array([[7.0, 120.0, 0.0], [30.0, 0.0, 2.5], [0.0, 1e-9, 0.0]])


@pytest.mark.parametrize("kind", ["<f8", ">f8", "<f4", "<i8", "|u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_is_read_in_each_layout(kind: str, order: Any) -> None:
    array = np.array(MATRIX, dtype=kind, order=order)
    array[2, 1] = 0
    found = matrix_of_npy(text_of(npy(array)), "m", 3)
    assert found.tolist() == array.tolist()


def test_the_demands_are_those_of_csv_text(tmp_path: Path) -> None:
    hosts = sorted(node.id for node in load("leaf-spine-demo").nodes if node.kind == "host")
    gbps = np.round(np.random.default_rng(3).random((len(hosts), len(hosts))) * 9.0, 3)
    gbps[2] = 0.0
    (tmp_path / "m.npy").write_bytes(npy(gbps))
    rows = [",".join(["", *hosts]), *(",".join([name, *map(str, row)]) for name, row in zip(hosts, gbps, strict=True))]
    (tmp_path / "m.csv").write_text("\n".join(rows), encoding="utf-8")
    found, expected = (load("leaf-spine-demo").with_traffic(str(tmp_path / f"m.{end}")) for end in ("npy", "csv"))
    assert [(d.source, d.target, d.offered_gbps) for d in found.generated_demands] == [
        (d.source, d.target, d.offered_gbps) for d in expected.generated_demands
    ]
    assert found.score().metrics == expected.score().metrics


WRONG = MATRIX.copy()
WRONG[1, 2] = -1.0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no file", "no .npy file"),
        (npy(MATRIX)[:-1], "ends before its last entry"),
        (npy(MATRIX) + b"x", "or after it"),
        (npy(MATRIX[:2]), r"shape \(2, 3\); expected \(3, 3\)"),
        (npy(MATRIX * 1j), "complex128"),
        (npy(np.array([[{}]]), allow_pickle=True), "type object"),
        (npy(WRONG), r"m\[1, 2\]: 1 bad entries, the first -1 Gb/s"),
        (npy(np.where(MATRIX == 2.5, np.nan, MATRIX)), "the first nan Gb/s"),
        (npy(MATRIX).replace(b"(3, 3)", b"(3000000000, 3000000000)"), "no .npy file|shape"),
    ],
)
def test_bad_files_are_refused(content: bytes, told: str) -> None:
    with pytest.raises(DocumentError, match=told):
        matrix_of_npy(text_of(content), "m", 3)


def test_text_that_is_no_base64_is_refused() -> None:
    with pytest.raises(DocumentError, match="no base64"):
        matrix_of_npy("?", "m", 3)


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.npy"
    path.write_bytes(npy(MATRIX))
    monkeypatch.setattr(traffic_text, "MAX_NPY_BYTES", 99)
    with pytest.raises(TwinError, match="too large"):
        load("leaf-spine-demo").with_traffic(str(path))
