"""Networks in columns and a reader of figures, for tests of single analyses."""

from __future__ import annotations

from typing import Any

from tests.model.samples import network
from twin.analysis.figures import FigureReader
from twin.analysis.glass import AgeingCase
from twin.analysis.link_health import LinkHealth, judge_links
from twin.arrays import State, compile_network
from twin.catalogue import catalogue, load_price_book
from twin.model.document import TopologyDocument

ENDS = [{"id": "p", "kind": "border"}, {"id": "q", "kind": "border"}]


def reader(prices: dict[str, Any] | None = None) -> FigureReader:
    return FigureReader(catalogue(), load_price_book(prices))


def state_of(data: dict[str, Any]) -> tuple[State, TopologyDocument]:
    found = network(data)
    return State.of(compile_network(found.document, found.nodes, found.links)), found.document


def health_of(data: dict[str, Any], ageing: AgeingCase = "value") -> LinkHealth:
    state, document = state_of(data)
    return judge_links(state, document, reader(), ageing)


def line(**fields: Any) -> dict[str, Any]:
    """Two border routers and one link between them, as of 2026-01-01."""
    part = fields.pop("part", None)
    ends = [node | ({"part": part} if part else {}) for node in ENDS]
    more = {key: fields.pop(key) for key in ("lossless", "required_margin_db") if key in fields}
    return {"as_of": "2026-01-01", "nodes": ends, "links": [{"id": "l", "ends": ["p", "q"], **fields}], **more}


def general(name: str) -> float:
    return catalogue().general_figure(name).value


def of_part(part: str, name: str) -> float:
    return catalogue().get(part).value(name)
