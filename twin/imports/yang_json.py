"""Plain data of YANG: names without their modules, RESTCONF envelopes, bandwidths as floating-point bytes.

Source: RFC 7951 (JSON encoding), RFC 7952 (annotations), RFC 8040 (RESTCONF), RFC 8776 (te-bandwidth).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import DocumentError
from .fields import Fields
from .files import SourceFile, records_of
from .ledger import Ledger
from .yang_xml import looks_like_networks, plain_data

NETWORKS = "networks"
NETWORK = "network"
ENVELOPES = ("rpc-reply", "data", "output", "config", NETWORKS, "top")
"""Containers around the list of networks in answers of controllers."""
MAX_ENVELOPES = 4
ANNOTATION_MODULE = "dc-twin"
HINT = "ietf-network JSON or XML: ietf-network:networks with a list network"
GBPS_OF_BYTES = 8e-9
"""Gb/s of one byte per second."""
N_DIGITS = 7
"""Digits that a float of 32 bits holds; bandwidths in this form are rounded to them."""
Record = Mapping[str, Any]


def local(name: str) -> str:
    """Return a name without its module: `ietf-network:node` -> `node`."""
    return name.rpartition(":")[2]


def without_modules(record: Record) -> dict[str, Any]:
    """Return the members of an object by their names without modules; of two that are then equal the first counts.

    Annotations of the twin's own exports are added under their own names, where the object has none of that name.
    """
    found: dict[str, Any] = {}
    for name, value in record.items():
        if name != "@":
            found.setdefault(local(name), value)
    notes = record.get("@")
    if isinstance(notes, Mapping):
        for name, value in notes.items():
            if name.startswith(f"{ANNOTATION_MODULE}:"):
                found[local(name)] = value
    return found


def networks_of(file: SourceFile) -> list[Record]:
    """Return the networks of a file. Raises DocumentError if it holds none."""
    value: Any = plain_data(file) if looks_like_networks(file) else file.data
    for _ in range(MAX_ENVELOPES):
        if not isinstance(value, Mapping):
            break
        members = without_modules(value)
        if NETWORK in members:
            found = members[NETWORK]
            found = [found] if isinstance(found, Mapping) else found
            return records_of(found, f"{file.where}: {NETWORK}", HINT)
        value = next((members[name] for name in ENVELOPES if name in members), None)
    raise DocumentError("holds no network", where=file.where, expected=HINT)


def has_networks(file: SourceFile) -> bool:
    """Return whether a file holds a list of networks, with a node or link list in the first."""
    if looks_like_networks(file):
        return True
    if not file.looks_like_json or NETWORK not in file.text:
        return False
    try:
        networks = networks_of(file)
    except DocumentError:
        return False
    return any("network-id" in without_modules(network) for network in networks[:3])


def records_in(record: Record, name: str, where: str) -> Sequence[Record]:
    """Return a list of an object; empty if it is not stated. Raises DocumentError for another shape."""
    value = without_modules(record).get(name)
    return () if value is None else records_of(value, f"{where}: {name}", HINT)


def inner(fields: Fields, name: str, kind: str, ledger: Ledger) -> Fields | None:
    """Return the fields of a container inside a record; None if it is not stated."""
    value = fields.raw(name)
    if not isinstance(value, Mapping):
        return None
    return Fields(without_modules(value), kind, fields.place, ledger)


def path_value(record: object, *names: str) -> Any:
    """Return a value inside nested objects, names without modules; None if it is not stated."""
    for name in names:
        if not isinstance(record, Mapping):
            return None
        record = without_modules(record).get(name)
    return record


def te_bandwidth_gbps(value: object) -> float | None:
    """Return a te-bandwidth in Gb/s: bytes per second, as hexadecimal floating point or as a decimal number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    is_hex = text[:2].lower() == "0x"
    try:
        n_bytes = float.fromhex(text) if is_hex else float(text)
    except (ValueError, OverflowError):
        return None
    gbps = n_bytes * GBPS_OF_BYTES
    if not math.isfinite(gbps) or gbps <= 0:
        return None
    return float(f"{gbps:.{N_DIGITS}g}") if is_hex else gbps
