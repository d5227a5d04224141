"""The cache on disk: the same arrays back, or none; never those of something else."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.arrays.test_compile import compiled, same
from tests.model.samples import GENERATORS, campus_data, changed, job_data, shipped
from twin.arrays import (
    CompiledNetwork,
    cache_folder,
    cache_key,
    compile_network,
    load_arrays,
    network,
    package_version,
    save_arrays,
)
from twin.arrays import cache as cache_module
from twin.errors import TopologyError
from twin.formats import parse_document

KEY = "k" * 64


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TWIN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def loaded(data: dict[str, Any], **generators: Any) -> CompiledNetwork:
    return CompiledNetwork(parse_document(data), GENERATORS._replace(**generators))


def files(folder: Path) -> list[Path]:
    """Files of arrays, finished or not."""
    return sorted(path for path in folder.rglob("*") if path.suffix in (".npz", ".tmp"))


@pytest.fixture
def n_compiled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with every compilation."""
    calls: list[int] = []

    def counted(*given: Any) -> Any:
        calls.append(1)
        return compile_network(*given)

    monkeypatch.setattr(network, "compile_network", counted)
    return calls


@pytest.mark.parametrize("data", [campus_data(), shipped("leaf-spine-demo"), {}])
def test_what_was_kept_comes_back_to_the_last_bit(folder: Path, data: dict[str, Any]) -> None:
    _, arrays = compiled(data)
    save_arrays(arrays, KEY, folder)
    found = load_arrays(KEY, folder)
    assert found is not None
    assert same(arrays, found)
    assert not found.link_ends.flags.writeable
    assert [file.name for file in files(folder)] == [f"{KEY}.npz"]


def test_a_network_compiles_once_and_then_reads(folder: Path, n_compiled: list[int]) -> None:
    first = loaded(campus_data())
    assert first.arrays is first.arrays
    second = loaded(campus_data())
    assert same(first.arrays, second.arrays)
    assert len(n_compiled) == 1
    assert "_records" not in vars(second)


def test_a_document_in_another_order_finds_the_same_file(folder: Path, n_compiled: list[int]) -> None:
    data = campus_data()
    _ = loaded(data).arrays, loaded(data | {"links": data["links"][::-1]}).arrays
    assert len(n_compiled) == 1


@pytest.mark.parametrize(
    "data",
    [
        changed(campus_data(), "links", "wan", n_parallel=3),
        changed(campus_data(), "nodes", "a-leaf", up=False),
        campus_data() | {"as_of": "2026-01-02"},
        campus_data() | {"sites": [{"id": "a"}, {"id": "b", "power_megawatts": 2.0}]},
    ],
)
def test_another_document_has_another_key(data: dict[str, Any]) -> None:
    digests = {"catalogue": "1", "generators": "2"}
    assert cache_key(parse_document(data), digests) != cache_key(parse_document(campus_data()), digests)


def test_the_key_changes_with_catalogue_generators_format_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    document = parse_document(campus_data())
    keys = [cache_key(document, {"catalogue": a, "generators": b}) for a, b in (("1", "2"), ("2", "2"), ("1", "1"))]
    with monkeypatch.context() as patch:
        patch.setattr(cache_module, "ARRAY_FORMAT", 99)
        keys.append(cache_key(document, {"catalogue": "1", "generators": "2"}))
    with monkeypatch.context() as patch:
        patch.setattr(cache_module, "package_version", lambda: "99.0")
        keys.append(cache_key(document, {"catalogue": "1", "generators": "2"}))
    with monkeypatch.context() as patch:
        patch.setattr(np, "__version__", "99.0")
        keys.append(cache_key(document, {"catalogue": "1", "generators": "2"}))
    assert len(set(keys)) == 6
    assert keys[0] == cache_key(document, {"generators": "2", "catalogue": "1"})
    assert package_version()[0].isdigit()


def test_other_generators_compile_again(folder: Path, n_compiled: list[int]) -> None:
    data = shipped("two-campus")
    _ = loaded(data).arrays, loaded(data, digest=lambda: "other").arrays
    assert (len(n_compiled), len(files(folder))) == (2, 2)


def test_demands_and_jobs_are_checked_though_the_arrays_are_known(folder: Path, n_compiled: list[int]) -> None:
    _ = loaded(campus_data()).arrays
    for data in (
        changed(campus_data(), "demands", "east", source="nobody"),
        campus_data() | {"jobs": [job_data(parallelism={"tp": 3})], "default_job": None},
        campus_data() | {"demands": campus_data()["demands"] * 2},
    ):
        sound = {name: value for name, value in data.items() if value is not None}
        with pytest.raises(TopologyError):
            _ = loaded(sound).arrays
    assert len(n_compiled) == 1


# --- files that are not what they should be --------------------------------------------------------------------------


def test_no_file_no_arrays(folder: Path) -> None:
    assert load_arrays(KEY, folder) is None


def test_a_file_of_another_network_is_not_believed(folder: Path) -> None:
    _, arrays = compiled(campus_data())
    save_arrays(arrays, "other", folder)
    (folder / "other.npz").rename(folder / f"{KEY}.npz")
    assert load_arrays(KEY, folder) is None


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.99])
def test_a_truncated_file_is_not_believed(folder: Path, keep: float) -> None:
    _, arrays = compiled(campus_data())
    save_arrays(arrays, KEY, folder)
    path = folder / f"{KEY}.npz"
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if 0 < keep < 1 else int(keep)])
    assert load_arrays(KEY, folder) is None


def test_a_flipped_bit_is_never_believed(folder: Path) -> None:
    _, arrays = compiled(campus_data())
    save_arrays(arrays, KEY, folder)
    path = folder / f"{KEY}.npz"
    content = path.read_bytes()
    rng = np.random.default_rng(7)
    refused = 0
    for place in rng.integers(0, len(content), 400):
        broken = bytearray(content)
        broken[place] ^= 1 << int(rng.integers(0, 8))
        path.write_bytes(broken)
        found = load_arrays(KEY, folder)
        assert found is None or same(found, arrays), f"byte {place}"
        refused += found is None
    assert refused > 200


@pytest.mark.parametrize("column", ["link_capacity_gbps", "node_ids", "key", "checksum"])
def test_a_tampered_or_missing_column_is_not_believed(folder: Path, column: str) -> None:
    _, arrays = compiled(campus_data())
    save_arrays(arrays, KEY, folder)
    path = folder / f"{KEY}.npz"
    with np.load(path) as file:
        columns = {name: file[name] for name in file.files}
    tampered = columns[column].copy()
    tampered[0] = tampered[0] + 1 if column != "link_capacity_gbps" else 1.0
    np.savez(path, **{**columns, column: tampered})
    assert load_arrays(KEY, folder) is None
    np.savez(path, **{name: value for name, value in columns.items() if name != column})
    assert load_arrays(KEY, folder) is None
    np.savez(path, **columns)
    assert load_arrays(KEY, folder) is not None


def test_pickles_and_other_files_are_not_believed(folder: Path) -> None:
    folder.mkdir()
    path = folder / f"{KEY}.npz"
    np.savez(path, key=np.array([{"a": 1}], dtype=object), checksum=np.array([None]))
    assert load_arrays(KEY, folder) is None
    path.write_text("not a zip file at all")
    assert load_arrays(KEY, folder) is None
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("key.npy", "garbage")
    assert load_arrays(KEY, folder) is None
    path.unlink()
    path.mkdir()
    assert load_arrays(KEY, folder) is None


def test_a_broken_file_is_rebuilt_by_the_network(folder: Path, n_compiled: list[int]) -> None:
    first = loaded(campus_data()).arrays
    (path,) = files(folder)
    path.write_bytes(path.read_bytes()[:-50])
    assert same(loaded(campus_data()).arrays, first)
    assert len(n_compiled) == 2
    assert same(loaded(campus_data()).arrays, first)
    assert len(n_compiled) == 2


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("TWIN_CACHE_DIR", str(blocked / "cache"))
    assert loaded(campus_data()).arrays.n_links == 7
    assert blocked.read_text() == "in the way"


def test_a_full_disk_is_no_fault_and_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert loaded(campus_data()).arrays.n_links == 7
    assert files(folder) == []


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"TWIN_CACHE_DIR": "/somewhere"}, "/somewhere"),
        ({"TWIN_CACHE_DIR": "", "XDG_CACHE_HOME": "/x"}, None),
        ({"XDG_CACHE_HOME": "/x"}, "/x/dc-twin"),
        ({"HOME": "/home/me"}, "/home/me/.cache/dc-twin"),
    ],
)
def test_where_the_cache_lies(environment: dict[str, str], wanted: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWIN_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = cache_folder()
    assert found == (Path(wanted) if wanted else None)


def test_no_cache_is_written_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    _ = loaded(campus_data()).arrays
    assert list(tmp_path.iterdir()) == []
