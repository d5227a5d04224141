"""A network with its columns, compiled once and cached on disk."""

from __future__ import annotations

from functools import cached_property

from ..model.network import NetworkGraph
from ..model.rules import check_workload
from .cache import cache_folder, cache_key, load_arrays, save_arrays
from .columns import NetworkArrays
from .compile import compile_network
from .leases import check_leases
from .wcmp_groups import check_groups


class CompiledNetwork(NetworkGraph):
    """A network with its arrays; records are built only if no cached arrays exist."""

    @cached_property
    def arrays(self) -> NetworkArrays:
        """Read-only columns of this network, from the disk cache if possible.

        Raises TopologyError for inconsistent records.
        """
        folder = cache_folder()
        key = cache_key(self.document, {"catalogue": self.catalogue.digest(), "generators": self.generators.digest()})
        cached = load_arrays(key, folder) if folder else None
        if cached is not None:
            with self.at_origin():  # the key does not cover the workload
                check_workload(self.document, cached.node_index, self.catalogue)
                check_groups(cached, self.document.wcmp_groups, self.document.name)
                check_leases(cached, self.document)
                self.check_plans(cached)
            return cached
        arrays = compile_network(self.document, self.nodes, self.links)
        with self.at_origin():
            check_leases(arrays, self.document)
            self.check_plans(arrays)
        if folder:
            save_arrays(arrays, key, folder)
        return arrays

    def check_plans(self, arrays: NetworkArrays) -> None:
        """Check that plans name what exists; subclasses that know the changes override it."""
