"""Table of the generators, and expansion of a compact block into nodes and links."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twin.errors import CatalogueError, TopologyError, TwinError, did_you_mean, joined_error
from twin.model.document import Fabric, TopologyDocument
from twin.model.network import Expansion

from .campuses import campuses_of
from .dragonfly import DRAGONFLY
from .fat_tree import FAT_TREE
from .generator import Generator, check_ports, garbage_collector_paused, read_params
from .grids import HYPERX, TORUS
from .jellyfish import JELLYFISH
from .leaf_spine import LEAF_SPINE
from .multi_plane import MULTI_PLANE
from .rail_clos import RAIL_CLOS
from .rail_only import RAIL_ONLY
from .three_tier import THREE_TIER
from .topohub_networks import TOPOHUB

MAX_RECORDS = 2_000_000
"""Default maximum number of nodes and links."""

FABRICS: dict[str, Generator[Any]] = {
    "dragonfly": DRAGONFLY,
    "fat_tree": FAT_TREE,
    "hyperx": HYPERX,
    "jellyfish": JELLYFISH,
    "leaf_spine": LEAF_SPINE,
    "multi_plane": MULTI_PLANE,
    "rail_clos": RAIL_CLOS,
    "rail_only": RAIL_ONLY,
    "three_tier": THREE_TIER,
    "topohub": TOPOHUB,
    "torus": TORUS,
}
"""Generators of one fabric; those with a top tier can also be a campus."""

GENERATORS: dict[str, Generator[Any]] = {"campuses": campuses_of(FABRICS)} | FABRICS
"""All generators that a `fabrics` block can name."""


def check_size(document: TopologyDocument, max_records: int = MAX_RECORDS) -> None:
    """Check the number of records of a document with its fabrics expanded; sizes are computed without building.

    Raises:
        CatalogueError: unknown generator.
        DocumentError: bad parameters, of all fabrics.
        TopologyError: too many records.
    """
    n_records = len(document.nodes) + len(document.links)
    errors: list[TwinError] = []
    for fabric in document.fabrics:
        try:
            n_records += n_records_of(fabric)
        except TwinError as error:
            errors.append(error)
    if errors:
        raise joined_error(errors, "fabric", document.name)
    if n_records > max_records:
        raise TopologyError(
            f"expands to {n_records} nodes and links",
            where=document.name or "document",
            expected=f"at most {max_records} records",
            hint="make it smaller, or split it over several documents",
        )


def n_records_of(fabric: Fabric) -> int:
    """Return the number of nodes and links of a block, without building them.

    Raises:
        CatalogueError: unknown generator.
        DocumentError: bad parameters.
    """
    return sum(size_of(fabric))


def size_of(fabric: Fabric) -> tuple[int, int]:
    """Return the numbers of nodes and of links of a block, without building them; errors as in `n_records_of`."""
    generator, params = _generator_of(fabric)
    return generator.size(params)


def expand(fabric: Fabric, max_records: int = MAX_RECORDS) -> Expansion:
    """Expand a block into its records; its size is checked before anything is built.

    Args:
        fabric: block to expand.
        max_records: maximum number of nodes and links.

    Raises:
        CatalogueError: unknown generator or part.
        DocumentError: bad parameters.
        TopologyError: too many records, or more cables on a switch than it has ports.
    """
    where = f"fabrics[{fabric.id}]"
    generator, params = _generator_of(fabric)
    n_nodes, n_links = generator.size(params)
    if n_nodes + n_links > max_records:
        raise TopologyError(
            f"expands to {n_nodes} nodes and {n_links} links",
            where=where,
            expected=f"at most {max_records} records",
            hint="make it smaller, or split it over several documents",
        )
    with garbage_collector_paused():
        expansion = generator.build(fabric.id, params)
        check_ports(expansion, where)
        return _without(expansion, fabric.without, where)


def _without(expansion: Expansion, names: tuple[str, ...], where: str) -> Expansion:
    """Leave nodes and links out. Raises TopologyError for ids that the block does not make."""
    if not names:
        return expansion
    left_out = set(names)
    nodes = tuple(node for node in expansion.nodes if node.id not in left_out)
    links = tuple(link for link in expansion.links if link.id not in left_out)
    n_records = len(expansion.nodes) + len(expansion.links)
    if n_records - len(nodes) - len(links) < len(left_out):
        known = {node.id for node in expansion.nodes} | {link.id for link in expansion.links}
        name = min(left_out - known)
        raise TopologyError(f"no node or link {name!r}", where=f"{where}.without", hint=did_you_mean(name, known))
    return Expansion(nodes, links)


def _generator_of(fabric: Fabric) -> tuple[Generator[Any], Any]:
    """Return the generator of a block and its parameters; errors as in `expand`."""
    where = f"fabrics[{fabric.id}]"
    generator = GENERATORS.get(fabric.generator)
    if generator is None:
        raise CatalogueError(
            f"unknown generator {fabric.generator!r}",
            where=f"{where}.generator",
            expected=f"one of {', '.join(GENERATORS)}",
            hint=did_you_mean(fabric.generator, GENERATORS),
        )
    return generator, read_params(generator.params, fabric.params, f"{where}.params")


@cache
def digest() -> str:
    """Return the SHA-256 of the sources of generators and of topohub, so that results of others are not reused."""
    result = hashlib.sha256()
    topohub = find_spec("topohub")
    if topohub is not None and topohub.origin is not None:
        result.update(Path(topohub.origin).read_bytes())  # the version of its networks stands there
    for file in sorted(files(__package__).iterdir(), key=lambda item: item.name):
        if file.name.endswith(".py"):
            result.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return result.hexdigest()
