"""A network with its columns, compiled once and kept on disk."""

from __future__ import annotations

from functools import cached_property

from ..model.network import NetworkGraph
from ..model.rules import check_workload
from .cache import cache_folder, cache_key, load_arrays, save_arrays
from .columns import NetworkArrays
from .compile import compile_network


class CompiledNetwork(NetworkGraph):
    """A network that knows its arrays; the records are only built where no cached arrays are found."""

    @cached_property
    def arrays(self) -> NetworkArrays:
        """Read-only columns of this network, from the cache on disk where they are kept.

        Raises TopologyError where records do not fit together or what they say cannot be built.
        """
        folder = cache_folder()
        key = cache_key(self.document, {"catalogue": self.catalogue.digest(), "generators": self.generators.digest()})
        found = load_arrays(key, folder) if folder else None
        if found is not None:
            check_workload(self.document, found.node_index, self.catalogue)  # which the key does not know
            return found
        arrays = compile_network(self.document, self.nodes, self.links)
        self.check_buildable(arrays)
        if folder:
            save_arrays(arrays, key, folder)
        return arrays

    def check_buildable(self, arrays: NetworkArrays) -> None:
        """Overridden where analyses are at hand; here nothing more is known than the records' own rules."""
