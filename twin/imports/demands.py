"""Demands as records with source, target and offered_gbps, shared by the formats that hold them so."""

from __future__ import annotations

from .cabling import Cabling, StatedDemand
from .fields import Fields, unknown_end

MAX_OFFERED_GBPS = 1e9


def read_demand(fields: Fields, file: str, cabling: Cabling) -> None:
    """Add the demand of a record; an end that is no device, or an amount that is none, is a finding.

    Args:
        fields: the record.
        file: name of the file, for `source`.
        cabling: what is filled; the ends are keys of its devices.
    """
    ends = fields.text("source"), fields.text("target")
    offered_gbps = fields.number("offered_gbps", 0, MAX_OFFERED_GBPS)
    stated = fields.text("id")
    name = stated or "→".join(ends)
    display_name, tags = fields.text("display_name"), fields.texts("tags")
    fields.close()
    for end in ends:
        if end not in cabling.devices:
            unknown_end(fields.ledger, fields.place, end)
            return
    if offered_gbps is None:
        fields.ledger.finding("bad value", "demand left out: no amount", "state offered_gbps", fields.place)
        return
    known = fields.source(file, name)
    cabling.demands.append(StatedDemand(name, *ends, offered_gbps, known, display_name, tags, bool(stated)))
