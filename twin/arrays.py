"""Columns for the kernels: the only place where names become integers and back; read-only, one way."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .kernels.graph import ArcGraph
from .model.document import TopologyDocument
from .model.records import Link, Node
from .units import DAYS_PER_YEAR

ARRAY_FORMAT = 1
NODE_KINDS = ("rack", "host", "leaf", "spine", "core", "border", "switch")
TIERS = ("access", "fabric", "border", "wide_area")
"""Tier of a link: at a rack or host; between switches; at a border router; with spans of its own."""
NO_CODE = -1
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class NetworkArrays:
    """A network as columns; row i of `node_*` is node_ids[i], of `link_*` link_ids[i], both sorted by id.

    Codes point into `parts`, `sites`, `srlgs`; -1 is none. Unset numbers are NaN, ages are years before `as_of`.
    `span_*` rows of link l are span_first[l]:span_first[l + 1]; `srlg_link`, `srlg_code` list memberships.
    """

    node_ids: tuple[str, ...]
    link_ids: tuple[str, ...]
    parts: tuple[str, ...]
    sites: tuple[str, ...]
    srlgs: tuple[str, ...]
    node_kind: Ints
    node_site: Ints
    node_part: Ints
    node_accelerator: Ints
    node_n_accelerators: Ints
    node_age_years: Floats
    node_up: Bools
    link_ends: Ints
    link_capacity_gbps: Floats
    link_n_parallel: Ints
    link_weight: Floats
    link_transceiver: Ints
    link_mux: Ints
    link_n_fibre_pairs: Ints
    link_age_years: Floats
    link_required_margin_db: Floats
    link_loss_ratio: Floats
    link_up: Bools
    span_first: Ints
    span_link: Ints
    span_length_km: Floats
    span_fibre: Ints
    span_age_years: Floats
    span_n_splices: Ints
    span_n_connectors: Ints
    span_lumped_loss_db: Floats
    span_leased: Bools
    srlg_link: Ints
    srlg_code: Ints
    arc_first: Ints
    arc_sorted: Ints
    arc_head: Ints

    @property
    def n_nodes(self) -> int:
        """How many nodes."""
        return len(self.node_ids)

    @property
    def n_links(self) -> int:
        """How many links, bundles counted once."""
        return len(self.link_ids)

    @cached_property
    def graph(self) -> ArcGraph:
        """Outgoing arcs in CSR form, as the kernels take them."""
        return ArcGraph(self.arc_first, self.arc_sorted, self.arc_head)

    @cached_property
    def node_index(self) -> dict[str, int]:
        """Row of each node id."""
        return {name: i for i, name in enumerate(self.node_ids)}

    @cached_property
    def link_index(self) -> dict[str, int]:
        """Row of each link id."""
        return {name: i for i, name in enumerate(self.link_ids)}

    @cached_property
    def link_tier(self) -> Ints:
        """Index into TIERS of each link."""
        kinds = self.node_kind[self.link_ends]
        border = NODE_KINDS.index("border")
        at_rack = (kinds <= NODE_KINDS.index("host")).any(axis=1)
        tier = np.where(at_rack, 0, np.where((kinds == border).any(axis=1), 2, 1))
        tier[np.diff(self.span_first) > 0] = 3
        return tier

    @cached_property
    def link_length_km(self) -> Floats:
        """Fibre length of each link, one way; 0 for links without spans."""
        return np.bincount(self.span_link, weights=self.span_length_km, minlength=self.n_links)

    def code(self, part_id: str) -> int:
        """Code of a part, -1 where the network has none of it."""
        return self.parts.index(part_id) if part_id in self.parts else NO_CODE


class _Codes:
    """Names -> consecutive integers, sorted by name."""

    def __init__(self, names: Iterable[str | None]) -> None:
        self.names = tuple(sorted({name for name in names if name is not None}))
        self._of: dict[str | None, int] = {name: i for i, name in enumerate(self.names)}
        self._of[None] = NO_CODE

    def __call__(self, names: Iterable[str | None]) -> Ints:
        return np.fromiter((self._of[name] for name in names), dtype=np.int64)


def compile_network(document: TopologyDocument, nodes: Sequence[Node], links: Sequence[Link]) -> NetworkArrays:
    """Records, sorted by id, as columns; permuting a document changes nothing."""
    parts = _Codes(
        name
        for group in (
            (n.part for n in nodes),
            (n.accelerator for n in nodes),
            (link.transceiver for link in links),
            (link.mux for link in links),
            (span.fibre for link in links for span in link.spans),
        )
        for name in group
    )
    sites = _Codes(site.id for site in document.sites)
    memberships = sorted({(i, s) for i, link in enumerate(links) for s in _srlgs(link)})
    srlgs = _Codes(name for _, name in memberships)
    node_codes = {node.id: i for i, node in enumerate(nodes)}
    ends = np.array([(node_codes[a], node_codes[b]) for a, b in (link.ends for link in links)], dtype=np.int64)
    ends = ends.reshape(-1, 2)
    spans = [span for link in links for span in link.spans]
    n_spans = np.array([len(link.spans) for link in links], dtype=np.int64)
    first, arcs, head = _csr(len(nodes), ends)
    ages = _Ages(document.as_of)
    return _frozen(
        NetworkArrays(
            node_ids=tuple(n.id for n in nodes),
            link_ids=tuple(link.id for link in links),
            parts=parts.names,
            sites=sites.names,
            srlgs=srlgs.names,
            node_kind=np.array([NODE_KINDS.index(n.kind) for n in nodes], dtype=np.int64),
            node_site=sites(n.site for n in nodes),
            node_part=parts(n.part for n in nodes),
            node_accelerator=parts(n.accelerator for n in nodes),
            node_n_accelerators=np.array([n.n_accelerators for n in nodes], dtype=np.int64),
            node_age_years=ages(n.installed for n in nodes),
            node_up=np.array([n.up for n in nodes], dtype=np.bool_),
            link_ends=ends,
            link_capacity_gbps=_or_nan(link.capacity_gbps for link in links),
            link_n_parallel=np.array([link.n_parallel for link in links], dtype=np.int64),
            link_weight=np.array([link.weight for link in links], dtype=np.float64),
            link_transceiver=parts(link.transceiver for link in links),
            link_mux=parts(link.mux for link in links),
            link_n_fibre_pairs=np.array([link.n_fibre_pairs for link in links], dtype=np.int64),
            link_age_years=ages(link.installed for link in links),
            link_required_margin_db=_or_nan(link.required_margin_db for link in links),
            link_loss_ratio=_or_nan(link.loss_ratio for link in links),
            link_up=np.array([link.up for link in links], dtype=np.bool_),
            span_first=np.concatenate((np.zeros(1, np.int64), np.cumsum(n_spans))),
            span_link=np.repeat(np.arange(len(links), dtype=np.int64), n_spans),
            span_length_km=np.array([s.length_km for s in spans], dtype=np.float64),
            span_fibre=parts(s.fibre for s in spans),
            span_age_years=ages(s.installed for s in spans),
            span_n_splices=np.array([s.n_splices for s in spans], dtype=np.int64),
            span_n_connectors=np.array([s.n_connectors for s in spans], dtype=np.int64),
            span_lumped_loss_db=np.array([s.lumped_loss_db for s in spans], dtype=np.float64),
            span_leased=np.array([s.leased for s in spans], dtype=np.bool_),
            srlg_link=np.array([i for i, _ in memberships], dtype=np.int64),
            srlg_code=srlgs(name for _, name in memberships),
            arc_first=first,
            arc_sorted=arcs,
            arc_head=head,
        )
    )


def _srlgs(link: Link) -> Iterable[str]:
    yield from link.srlgs
    for span in link.spans:
        yield from span.srlgs


def _or_nan(values: Iterable[float | None]) -> Floats:
    return np.fromiter((np.nan if value is None else value for value in values), dtype=np.float64)


class _Ages:
    """Dates -> years before `as_of`; NaN where there is no date."""

    def __init__(self, as_of: date | None) -> None:
        self._as_of = as_of
        self._known: dict[date | None, float] = {None: float("nan")}

    def __call__(self, days: Iterable[date | None]) -> Floats:
        return np.fromiter((self._one(day) for day in days), dtype=np.float64)

    def _one(self, day: date | None) -> float:
        if day not in self._known and day is not None and self._as_of is not None:
            self._known[day] = (self._as_of - day).days / DAYS_PER_YEAR
        return self._known[day]


def _csr(n_nodes: int, ends: Ints) -> tuple[Ints, Ints, Ints]:
    """Outgoing arcs of each node by (head, link), and the head of each arc."""
    n_links = len(ends)
    tail = ends.reshape(-1)
    head = ends[:, ::-1].reshape(-1) if n_links else np.zeros(0, np.int64)
    arcs = np.arange(2 * n_links, dtype=np.int64)
    order = np.lexsort((arcs, head, tail))
    first = np.zeros(n_nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(tail, minlength=n_nodes), out=first[1:])
    return first, arcs[order], np.ascontiguousarray(head)


def _frozen(arrays: NetworkArrays) -> NetworkArrays:
    for spec in fields(arrays):
        value = getattr(arrays, spec.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False
    return arrays


# --- the cache on disk: a stale, foreign or broken file is rebuilt, never believed -------------------------------


def cache_folder() -> Path | None:
    """Where compiled arrays are kept: TWIN_CACHE_DIR, or the user's cache folder; None where TWIN_CACHE_DIR is empty."""
    chosen = os.environ.get("TWIN_CACHE_DIR")
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "dc-twin"


def package_version() -> str:
    """Version of the installed distribution."""
    try:
        return version("dc-twin")
    except PackageNotFoundError:
        return "0"


def cache_key(document: TopologyDocument, digests: Mapping[str, str]) -> str:
    """SHA-256 over document, catalogue and generators (`digests`), array format, package and numpy versions."""
    words = [document.digest(), f"format {ARRAY_FORMAT}", package_version(), np.__version__]
    words += [f"{name}={digests[name]}" for name in sorted(digests)]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def save_arrays(arrays: NetworkArrays, key: str, folder: Path) -> None:
    """Write the arrays under their key, whole or not at all; a folder that cannot be written is no fault."""
    columns: dict[str, Any] = {}
    for spec in fields(arrays):
        value = getattr(arrays, spec.name)
        columns[spec.name] = np.frombuffer("\n".join(value).encode(), np.uint8) if isinstance(value, tuple) else value
    columns["key"] = np.frombuffer(key.encode(), np.uint8)
    columns["checksum"] = np.frombuffer(_checksum(columns).encode(), np.uint8)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".tmp", delete=False) as file:
            np.savez(file, **columns)
        Path(file.name).replace(folder / f"{key}.npz")
    except OSError:
        return


def load_arrays(key: str, folder: Path) -> NetworkArrays | None:
    """The arrays kept under a key, or None where there are none or the file is not what it should be."""
    try:
        with np.load(folder / f"{key}.npz", allow_pickle=False) as file:
            columns = {name: file[name] for name in file.files}
        checksum = bytes(columns.pop("checksum")).decode()
        if bytes(columns["key"]).decode() != key or checksum != _checksum(columns):
            return None
        del columns["key"]
        values = {
            name: tuple(bytes(value).decode().split("\n")) if value.size else ()
            for name, value in columns.items()
            if value.dtype == np.uint8
        }
        return _frozen(NetworkArrays(**{**columns, **values}))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def _checksum(columns: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in sorted(columns):
        digest.update(f"{name} {columns[name].dtype} {columns[name].shape}".encode())
        digest.update(np.ascontiguousarray(columns[name]).tobytes())
    return digest.hexdigest()
