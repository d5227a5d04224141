"""What a generator is, how its parameters are read, and the ports that its switches must have."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from twin.catalogue import catalogue
from twin.errors import Issue, TopologyError
from twin.errors.validation import document_error
from twin.model.network import Expansion
from twin.model.records import STRICT, Id

MAX_ISSUES = 1000
Ports = Annotated[int, Field(ge=1, le=10_000)]
"""How many cables of one kind a node has."""


class Params(BaseModel):
    """Base of the parameters of a generator: frozen, bounded, no unknown fields."""

    model_config = STRICT | {"frozen": True}


class FabricParams(Params):
    """Base of the parameters of one fabric, which stands at one site."""

    site: Id | None = None
    """Of every node; None = no site. In `campuses` it is the site of the campus."""
    installed: date | None = None
    """Of every node and link; None = not known."""


P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class Generator(Generic[P]):
    """A row of the table: parameters, their size in closed form (nodes, links), and the records they stand for."""

    params: type[P]
    size: Callable[[P], tuple[int, int]]
    build: Callable[[str, P], Expansion]
    """From the id of the block, which starts every node id, and the parameters."""
    sentence: str
    top_tier: Callable[[str, P], tuple[str, ...]] | None = None
    """Ids of the switches that border routers attach to, in the order in which they do; same arguments as `build`.

    A row with it can be a campus of `campuses`; its parameters are then `FabricParams`.
    """

    def __post_init__(self) -> None:
        if self.top_tier is not None and not issubclass(self.params, FabricParams):
            raise TypeError(f"{self.params.__name__} with a top_tier: derive it from FabricParams")


def padded(prefix: str, count: int) -> list[str]:
    """Names 1 to count with as many digits as the last needs, so that they sort as they count.

    >>> padded("rack-", 12)[8:10]
    ['rack-09', 'rack-10']
    """
    width = len(str(count))
    return [f"{prefix}{i:0{width}d}" for i in range(1, count + 1)]


@contextmanager
def collector_paused() -> Iterator[None]:
    """Without the cyclic collector, which finds nothing among new records and takes a third of the time to say so."""
    was_running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_running:
            gc.enable()


def n_ports(switch: str) -> int:
    """Ports of a switch of the catalogue."""
    return int(catalogue().get(switch, "switch").value("n_ports"))


def check_ports(expansion: Expansion, where: str) -> None:
    """Raise TopologyError for switches of a known part on which more cables end than the part has ports."""
    issues = tuple(islice(_overfull(expansion), MAX_ISSUES))
    if issues:
        raise TopologyError(f"{len(issues)} switches lack ports", where=where, found=issues)


def _overfull(expansion: Expansion) -> Iterator[Issue]:
    used: Counter[str] = Counter()
    for link in expansion.links:
        for end in link.ends:
            used[end] += link.n_parallel
    switches = {node.part for node in expansion.nodes if node.part is not None}
    ports = {switch: n_ports(switch) for switch in switches}
    for node in expansion.nodes:
        if node.part is not None and used[node.id] > ports[node.part]:
            yield Issue(
                f"nodes[{node.id}]",
                f"{used[node.id]} cables on the {ports[node.part]} ports of {node.part}",
                "fewer parallel links, more switches, or a part with more ports",
            )


def read_params(kind: type[P], data: dict[str, JsonValue], where: str) -> P:
    """Parameters as the generator's model, strictly typed; DocumentError lists every fault with near names."""
    try:
        return kind.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        schema = kind.model_json_schema
        raise document_error(error, data, schema, where, noun="parameter", prefix=where) from error
