"""Networks of tools: shipped and stored ones by name, and files under the directories that the user has named."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from twin.topologies import MAX_RECORDS, NETWORKS, check_size, expand

from twin.errors import CatalogueError, did_you_mean
from twin.errors.wording import counted
from twin.formats import READERS
from twin.loading import load
from twin.model.document import TopologyDocument
from twin.network import Network
from twin.store import NetworkStore
from twin.store.documents import read_network
from twin.store.networks import name_and_digest

N_CACHED = 4
MAX_FILES = 200
"""Most files that the list of networks names."""
MAX_VISITED = 10_000
"""Most entries of the directories that are looked at for the list."""


class RootedNetworks:
    """Networks that tools may name. A text that leads out of the directories is refused like an unknown name.

    Args:
        roots: directories whose documents may be read.
        store: the store of networks, which tools only read; None for none.
        max_records: most nodes and links of a document, generators expanded.
    """

    def __init__(
        self, roots: Sequence[Path] = (), store: NetworkStore | None = None, max_records: int = MAX_RECORDS
    ) -> None:
        self._store = store
        self._roots = [root.resolve(strict=True) for root in roots]
        self._max_records = max_records
        self._cached: OrderedDict[tuple[Any, ...], Network] = OrderedDict()

    @property
    def store(self) -> None:
        """Return nothing: tools write nothing."""

    def get(self, network: str | TopologyDocument | Mapping[str, Any]) -> Network:
        """Return the network of a name or a file, which keeps what it computed until the file changes.

        network: name or file; `name@digest` is a revision of a stored network.
        """
        text = str(network)
        key, load_network = self._named(text)
        if key not in self._cached:
            self._cached[key] = load_network()
        self._cached.move_to_end(key)
        while len(self._cached) > N_CACHED:
            self._cached.popitem(last=False)
        return self._cached[key]

    get_separate = get

    def stored(self) -> dict[str, str]:
        """Return the stored networks by name, each with its title and size; at most MAX_FILES."""
        if self._store is None:
            return {}
        rows = self._store.page(MAX_FILES).networks
        return {
            row.name: ", ".join(filter(None, [row.title, counted(row.n_nodes, "node"), counted(row.n_links, "link")]))
            for row in rows
        }

    def files(self) -> list[str]:
        """Return the documents below the directories, as tools name them; at most MAX_FILES."""
        return list(islice(self._documents(), MAX_FILES))

    def _documents(self) -> Iterator[str]:
        n_visited = 0
        for root in self._roots:
            for folder, folders, names in os.walk(root):
                folders[:] = sorted(name for name in folders if not name.startswith("."))
                for name in sorted(names):
                    n_visited += 1
                    if n_visited > MAX_VISITED:
                        return
                    path = Path(folder, name)
                    if self._real_path(path) is not None:
                        yield path.relative_to(root).as_posix()

    def _named(self, text: str) -> tuple[tuple[Any, ...], Callable[[], Network]]:
        if text in NETWORKS:
            return (text,), partial(load, text)
        stored = self._stored_network(text)
        if stored is not None:
            return stored
        for root in self._roots:
            path = self._real_path(root / text)
            if path is not None:
                status = path.stat()
                return (str(path), status.st_mtime_ns, status.st_size), partial(self._load_file, path)
        expected = "a name or a file that the tool `networks` lists"
        if not self._roots:
            expected += "; files need `twin mcp --root DIR`"
        hint = did_you_mean(text, [*NETWORKS, *self.stored(), *self.files()])
        raise CatalogueError(f"no network {text[:200]!r}", where="network", expected=expected, hint=hint)

    def _stored_network(self, text: str) -> tuple[tuple[Any, ...], Callable[[], Network]] | None:
        """Return the key of a stored network, and the function that loads it; None if there is none of that name."""
        name, digest = name_and_digest(text)
        if self._store is None:
            return None
        try:
            revision = self._store.find(name, digest).revision
        except CatalogueError:
            return None
        return (name, revision), partial(self._load_stored, name, revision)

    def _load_stored(self, name: str, revision: str) -> Network:
        assert self._store is not None
        return read_network(self._store.get(name, revision).content, name, self._max_records)

    def _real_path(self, path: Path) -> Path | None:
        """Return a path with links followed, if it is a document below one of the directories."""
        try:
            real = path.resolve(strict=True)
            is_document = real.is_file() and real.suffix.lower() in READERS
        except (OSError, ValueError):  # a name with a null byte, or too long
            return None
        return real if is_document and any(real.is_relative_to(root) for root in self._roots) else None

    def _load_file(self, path: Path) -> Network:
        network = load(path)
        check_size(network.document, self._max_records)
        network.generators = network.generators._replace(expand=partial(expand, max_records=self._max_records))
        return network
