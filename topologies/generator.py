"""The generator record, the validation of parameters, and the check of switch ports."""

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
from twin.errors.wording import counted
from twin.model.network import Expansion
from twin.model.records import STRICT, Id

MAX_ISSUES = 1000
Ports = Annotated[int, Field(ge=1, le=10_000)]
"""Number of cables of one kind at a node."""


class Params(BaseModel):
    """Base class of generator parameters: frozen, bounded, no unknown fields."""

    model_config = STRICT | {"frozen": True}


class FabricParams(Params):
    """Base class of the parameters of one fabric at one site."""

    site: Id | None = None
    """Site of all nodes; None = no site. In `campuses` it is the site of the campus."""
    installed: date | None = None
    """Installation date of all nodes and links; None = not known."""


P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class Generator(Generic[P]):
    """A row of the table of generators: parameters, size (nodes, links), and the function that builds the records."""

    params: type[P]
    size: Callable[[P], tuple[int, int]]
    build: Callable[[str, P], Expansion]
    """Function of (block id, parameters) that returns the records; the block id is the prefix of all node ids."""
    sentence: str
    top_tier: Callable[[str, P], tuple[str, ...]] | None = None
    """Function that returns the switches for border routers, in order; same arguments as `build`.

    A generator with it can be a campus; its parameters must derive from `FabricParams`.
    """

    def __post_init__(self) -> None:
        if self.top_tier is not None and not issubclass(self.params, FabricParams):
            raise TypeError(f"{self.params.__name__} with a top_tier: derive it from FabricParams")


def padded(prefix: str, count: int) -> list[str]:
    """Return names numbered 1 to count with leading zeros, so that their text order is the numeric order.

    >>> padded("rack-", 12)[8:10]
    ['rack-09', 'rack-10']
    """
    width = len(str(count))
    return [f"{prefix}{i:0{width}d}" for i in range(1, count + 1)]


@contextmanager
def garbage_collector_paused() -> Iterator[None]:
    """Pause the cyclic garbage collector: it takes a third of the build time and finds nothing in new records."""
    was_running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_running:
            gc.enable()


def n_ports(switch: str) -> int:
    """Return the number of ports of a catalogue switch."""
    return int(catalogue().get(switch, "switch").value("n_ports"))


def check_ports(expansion: Expansion, where: str) -> None:
    """Raise TopologyError for switches with more cables than ports."""
    issues = tuple(islice(_port_issues(expansion), MAX_ISSUES))
    if issues:
        raise TopologyError(f"{counted(len(issues), 'switch lacks', 'switches lack')} ports", where=where, found=issues)


def _port_issues(expansion: Expansion) -> Iterator[Issue]:
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
    """Validate the parameters of a generator strictly. Raises DocumentError with all faults and similar names."""
    try:
        return kind.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        schema = kind.model_json_schema
        raise document_error(error, data, schema, where, noun="parameter", prefix=where) from error
