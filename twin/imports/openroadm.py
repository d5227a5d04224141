"""OpenROADM layers of RFC 8345: nodes of one ROADM become one, and OMS attributes become fibre spans.

Source: OpenROADM MSA, network and topology models, versions 2 to 13: org-openroadm-common-network and
org-openroadm-network-topology.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .fields import Fields, plain
from .files import records_of
from .ledger import Ledger
from .media import read_medium
from .quantities import finite
from .yang_json import Record, path_value, without_modules

TOPOLOGY = "openroadm-topology"
SITES, DEVICES = "clli-network", "openroadm-network"
"""Layers below the topology: places, and whole devices."""
PART_OF_ROADM = re.compile(r"(.+)-(?:DEG|SRG)\d+", re.IGNORECASE)
FOLDED_TYPES = frozenset({"DEGREE", "SRG"})
INNER_LINKS = frozenset({"EXPRESS-LINK", "ADD-LINK", "DROP-LINK"})
"""Kinds of links inside a ROADM."""
DOWN_STATES = frozenset({"outofservice", "out-of-service", "outage", "maintenance", "disabled"})
MAX_SECTIONS = 1000
MAX_LOSS_DB = 200.0
PMD_EFFECT = "polarisation mode dispersion: controllers write ps, others ps/√km; state it in an own fibre (--parts)"
SPAN_EFFECTS = {
    "spanloss-base": "loss at the first turn-up",
    "auto-spanloss": "no answer: who measured the loss",
    "engineered-spanloss": "loss that the line was designed for; the measured one is used",
    "clfi": "name of the cable",
}


def roadm_of(record: Record) -> str:
    """Return the id of the ROADM that a node is a part of; empty for other nodes.

    record: a node, names without modules.
    """
    if str(record.get("node-type")) not in FOLDED_TYPES:
        return ""
    above = supporting_node(record, DEVICES)
    if above:
        return above
    match = PART_OF_ROADM.fullmatch(str(record.get("node-id")))
    return match[1] if match else ""


def supporting_node(record: Record, layer: str) -> str:
    """Return the node of a layer below that a node stands on; empty if it states none."""
    refs = record.get("supporting-node")
    for ref in refs if isinstance(refs, list) else ():
        if path_value(ref, "network-ref") == layer:
            return plain(path_value(ref, "node-ref") or "")
    return ""


def is_up(fields: Fields) -> bool:
    """Return whether the administrative and operational states of a record let it carry traffic."""
    up = True
    for name in ("administrative-state", "operational-state"):
        state = fields.text(name)
        up = up and state.lower() not in DOWN_STATES
    return up


def oms_spans(fields: Fields, ledger: Ledger) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...]]:
    """Return the fibre spans of the OMS attributes of a link, and its shared risks.

    Args:
        fields: the link, names without modules.
        ledger: counts of the import.
    """
    attributes = fields.raw("OMS-attributes")
    spans: list[dict[str, Any]] = []
    risks: list[str] = []
    for span in _span_containers(attributes, fields, ledger):
        inner = Fields(without_modules(span), "links.span", fields.place, ledger)
        fibres = inner.raw("link-concatenation")
        listed = records_of(fibres, f"{fields.place}: link-concatenation") if isinstance(fibres, list) else ()
        pieces = [_fibre(Fields(without_modules(record), "links.fibre", fields.place, ledger), risks)
                  for record in listed[:MAX_SECTIONS]]  # fmt: skip
        known = [piece for piece in pieces if piece is not None]
        loss_db = _loss_db(inner, ledger)
        total_km = sum(piece["length_km"] for piece in known)
        if known and len(known) == len(pieces) and loss_db is not None:
            for piece in known:
                piece["measured_loss_db"] = loss_db * piece["length_km"] / total_km
            if len(known) > 1:
                ledger.converted("links.span", "loss of a span → its fibres in proportion to their lengths")
        inner.close(SPAN_EFFECTS)
        if len(known) < len(pieces) or not pieces:
            return (), tuple(dict.fromkeys(risks))  # a part of the line has no length
        spans += known
    return tuple(spans), tuple(dict.fromkeys(risks))


def _span_containers(attributes: object, fields: Fields, ledger: Ledger) -> Iterator[Mapping[str, Any]]:
    """Yield the span of a line, or those between its amplifiers."""
    span = path_value(attributes, "span")
    if isinstance(span, Mapping):
        yield span
    sections = path_value(attributes, "amplified-link")
    for section in _in_order(sections)[:MAX_SECTIONS]:
        element = path_value(section, "section-element")
        found = path_value(element, "span") or path_value(section, "span")
        if isinstance(found, Mapping):
            yield found
        else:
            effect = "amplifier of the line: set amplifier of its spans for a link budget"
            ledger.dropped("links.amplified-link", effect, fields.place)


def _in_order(sections: object) -> Sequence[Any]:
    if not isinstance(sections, list):
        return ()
    return sorted(sections, key=lambda section: finite(path_value(section, "section-elt-number")) or 0.0)


def _loss_db(span: Fields, ledger: Ledger) -> float | None:
    """Return the measured loss of a span, else the one it was designed for, as an assumption."""
    measured_db = span.number("spanloss-current", 1e-9, MAX_LOSS_DB)
    if measured_db is not None:
        return measured_db
    engineered_db = span.number("engineered-spanloss", 1e-9, MAX_LOSS_DB)
    if engineered_db is not None:
        why = "the source states no measured loss"
        ledger.assumed("loss of a span", "engineered-spanloss", why, "measurements", span.place)
    return engineered_db


def _fibre(fields: Fields, risks: list[str]) -> dict[str, Any] | None:
    """Return one fibre of a span; None if its length is not stated. Its risk is added to `risks`."""
    length_km = fields.number("SRLG-length", 1e-6, 20_000, "m → km", 1e-3)
    kind = fields.text("fiber-type")
    part = read_medium(kind, fields.ledger, fields.place)[1] or ("G.652.D" if kind else "")
    risk = fields.raw("SRLG-Id")
    if finite(risk) == 0:
        fields.drop("SRLG-Id", "no shared risk: 0 stands for none")
    elif isinstance(risk, int | str):
        fields.count("SRLG-Id", "shared risk of the link")
        risks.append(f"SRLG {plain(risk)}")
    fields.close({"pmd": PMD_EFFECT})
    return None if length_km is None else {"length_km": length_km, **({"fibre": part} if part else {})}
