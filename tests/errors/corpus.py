"""Bad inputs of every kind that pydantic checks, and the text of the error that each gives.

Run as a script it records the texts of today: python -m tests.errors.corpus
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twin.topologies import expand

from tests.model.samples import campus_data, changed
from twin.catalogue import load_price_book
from twin.catalogue.parts import read_figure, read_parts
from twin.errors import TwinError
from twin.formats import parse_document
from twin.loading import from_document
from twin.model.document import Fabric
from twin.model.validation import validate_as
from twin.scenario.apply import parse_changes
from twin.scenario.select import LinkSelector

RECORDED = Path(__file__).parent / "messages.json"
SOURCES = {"s": {"source": "a page", "as_of": "2024", "status": "vendor"}}
SITE = {"id": "a", "site": "x", "generator": "leaf_spine", "params": {"n_leaves": 2, "n_spines": 2}}


def _document(**fields: Any) -> Callable[[], object]:
    return lambda: parse_document(campus_data() | fields, "file.yaml")


def _record(name: str, record: str, **fields: Any) -> Callable[[], object]:
    return lambda: parse_document(changed(campus_data(), name, record, **fields), "file.yaml")


def _fabric(generator: str, **params: Any) -> Callable[[], object]:
    return lambda: expand(Fabric(id="b", generator=generator, params=params))


def _changes(*changes: Any) -> Callable[[], object]:
    return lambda: parse_changes(changes, "plans[p].changes")


def _figure(**short: Any) -> Callable[[], object]:
    return lambda: read_figure(short, SOURCES, "own.yaml: thing.rate_gbps")


def _part(**fields: Any) -> Callable[[], object]:
    part = {"id": "thing", "kind": "switch", "name": "A switch", "figures": {}} | fields
    return lambda: read_parts({"sources": SOURCES, "parts": [part]}, "own.yaml")


def _prices(**book: Any) -> Callable[[], object]:
    return lambda: load_price_book(book, where="prices.yaml")


def _selector(**fields: Any) -> Callable[[], object]:
    return lambda: validate_as(LinkSelector, fields, "links")


CORPUS: dict[str, Callable[[], object]] = {
    # documents: unknown, missing, wrong and out of bounds, in lists and in one another
    "document unknown field": _document(nodez=[]),
    "document unknown field far from all": _document(zzzzzzzz=1),
    "document literal": _document(routing="ecpm"),
    "document not a list": _document(nodes={"id": "a"}),
    "one record of load balancing unknown field": _document(load_balancing={"mode": "spray", "effciency_ratio": {}}),
    "load balancing unknown field": _document(load_balancing=[{"mode": "spray", "effciency_ratio": {}}]),
    "document bad date": _document(as_of="2026-02-30"),
    "document several": _document(routing="x", nodes=[{"id": "a", "knd": "leaf"}, {"id": "b", "kind": "lef"}, {}]),
    "record unknown field": _record("nodes", "a-leaf", acelerator="H100"),
    "record wrong kind": _record("nodes", "a-leaf", kind="laef"),
    "record number as text": _record("links", "wan", weight="2"),
    "record out of bounds": _record("links", "wan", n_parallel=0),
    "record long text": _record("nodes", "a-leaf", rail="x" * 300),
    "record missing": _record("nodes", "a-leaf", kind=None),
    "span unknown field": _record("links", "wan", spans=[{"length": 3}, {"length_km": 1, "fiber": "x"}]),
    "job unknown field": _record("jobs", "both", paralelism={}),
    "parallelism out of bounds": _record("jobs", "both", parallelism={"tp": 0, "pq": 2}),
    # changes: a union told apart by `kind`
    "change unknown kind": _changes({"kind": "fail_link", "links": "wan"}),
    "change no kind": _changes({"links": "wan"}),
    "change unknown field": _changes({"kind": "fail_links", "link": "wan"}),
    "change in a record": _changes({"kind": "add_node", "node": {"id": "n", "kind": "leef", "sit": "a"}}),
    "change not a mapping": _changes("fail_links"),
    "change out of bounds": _changes({"kind": "age", "years": -1}, {"kind": "age", "years": "x"}),
    "change of a plan": lambda: from_document(
        {"plans": [{"id": "p", "changes": [{"kind": "age", "year": 1}]}], "nodes": [{"id": "a", "kind": "leaf"}]}
    ),
    "selector unknown field": _selector(teir="wide_area"),
    # generators
    "fabric unknown parameter": _fabric("leaf_spine", n_leafs=4, n_spines=2),
    "fabric missing": _fabric("leaf_spine"),
    "fabric out of bounds": _fabric("leaf_spine", n_leaves=0, n_spines=2.5),
    "fabric odd": _fabric("fat_tree", k=5),
    "fabric literal": _fabric("rail_clos", racks=[{"accelerator": "H100", "n_racks": 1}], n_tiers=4),
    "fabric empty list": _fabric("rail_clos", racks=[]),
    "fabric list with faults": _fabric("rail_clos", racks=[{"accelerator": "H100", "n_rack": 1, "n_racks": "3"}]),
    "campus unknown field": _fabric("campuses", campuses=[SITE | {"border": {}}]),
    "campus unknown parameter": _fabric("campuses", campuses=[SITE | {"params": {"n_leaves": 2, "n_spine": 2}}]),
    "campus borders": _fabric("campuses", campuses=[SITE | {"borders": {"n": -1, "uplinks": 3}}]),
    "campus unknown generator": _fabric("campuses", campuses=[SITE | {"generator": "leaf_spin"}]),
    "campus without generator": _fabric("campuses", campuses=[{"id": "a", "site": "x"}]),
    "campus elsewhere": _fabric("campuses", campuses=[SITE | {"params": SITE["params"] | {"site": "y"}}]),
    "campus link": _fabric(
        "campuses",
        campuses=[SITE],
        interconnects=[{"id": "w", "ends": ["a/border-1", "a/border-2"], "spans": [{"length": 3}], "n_paralel": 2}],
    ),
    # the catalogue and prices
    "figure out of range": _figure(**{"value": 5, "range": [6, 7], "from": "s"}),
    "figure not a number": _figure(**{"value": "five", "from": "s"}),
    "figure unknown field": _figure(**{"value": 5, "vaule": 6, "from": "s"}),
    "figure without a source": _figure(value=5),
    "part unknown field": _part(colour="red"),
    "part unknown kind": _part(kind="swich"),
    "part without a unit": _part(figures={"rate": {"value": 1, "from": "s"}}),
    "price not a number": _prices(part_usd={"H100": "much"}),
    "price of a figure": _prices(part_usd={"H100": {"value": 1, "low": 2, "high": 3, "source": "x"}}),
    "price horizon": _prices(horizon_years=0),
    "price name": _prices(name=3, horizon_years=4),
}


def message(name: str) -> dict[str, object]:
    """The error of one bad input as data, its text beside it."""
    try:
        CORPUS[name]()
    except TwinError as error:
        # what is known grows with the product; that it is listed is what counts here
        text = re.sub(r"known: [^)\"]*", "known: …", json.dumps({"text": str(error), **error.to_dict()}))
        found: dict[str, object] = json.loads(text)
        return found
    raise AssertionError(f"{name}: nothing is wrong with it")


if __name__ == "__main__":
    found = {name: message(name) for name in CORPUS}
    RECORDED.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
