"""Interface types of NetBox and their rates, and the units of its lengths.

Source: NetBox, dcim/choices.py, InterfaceTypeChoices (version 4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

FIXED_GBPS: dict[str, float] = {
    "4gfc-sfp": 4.25,
    "1gfc-sfp": 1.0625,
    "2gfc-sfp": 2.125,
    "8gfc-sfpp": 8.5,
    "16gfc-sfpp": 14.025,
    "32gfc-sfp28": 28.05,
    "64gfc-qsfpp": 57.8,
    "128gfc-qsfp28": 112.2,
    "infiniband-sdr": 8.0,
    "infiniband-ddr": 16.0,
    "infiniband-qdr": 32.0,
    "infiniband-fdr10": 40.0,
    "infiniband-fdr": 54.5,
    "infiniband-edr": 100.0,
    "infiniband-hdr": 200.0,
    "infiniband-ndr": 400.0,
    "infiniband-xdr": 800.0,
}
"""Rates of types whose name does not say it; InfiniBand as data rate of four lanes, Fibre Channel as line rate."""
ETHERNET = re.compile(r"(?:dot3mautype)?b?(\d+(?:[.p]\d+)?)(base|gig(?=base|t)|g(?=base|-)|gbase)", re.IGNORECASE)
"""Types of NetBox, and names of IANA-MAU-MIB as LLDP agents write them: `10GigBaseLR`, `2p5GigT`."""
VIRTUAL = frozenset({"virtual", "bridge", "lag"})
WIRELESS = "ieee802.11"


def type_gbps(kind: str) -> float | None:
    """Return the rate of an interface type in Gb/s: `400gbase-x-qsfpdd` 400, `100base-tx` 0.1; None if unknown."""
    if kind in FIXED_GBPS:
        return FIXED_GBPS[kind]
    match = ETHERNET.match(kind)
    if match is None:
        return None
    value = float(match[1].lower().replace("p", "."))
    return value if match[2].lower().startswith("g") else value * 1e-3


UP_STATES = frozenset({"active", "connected", ""})
"""States in which a record carries traffic; an empty one is not stated."""


def id_of(value: Any) -> int | None:
    """Return the id of a nested object such as `{"id": 3, "name": "x"}`, or of a plain id."""
    found = value.get("id") if isinstance(value, Mapping) else value
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def name_of(value: Any, *names: str) -> str:
    """Return the first text among the fields of a nested object; empty if there is none."""
    if not isinstance(value, Mapping):
        return ""
    return next((text for name in (*names, "name", "display") if isinstance(text := value.get(name), str)), "")


def choice_of(value: Any) -> str:
    """Return the value of a choice: `{"value": "active", "label": "Active"}` or a text."""
    found = value.get("value") if isinstance(value, Mapping) else value
    return found if isinstance(found, str) else ""


class Port(NamedTuple):
    """Cage of an interface type: form factors that it takes, and its lanes."""

    cages: tuple[str, ...]
    """The form factor by which the type is named first, then older ones that it takes."""
    n_lanes: int


SFP, QSFP = ("SFP+", "SFP"), ("QSFP28", "QSFP+")
PORTS: dict[str, Port] = {
    "sfp": Port(("SFP",), 1),
    "sfpp": Port(SFP, 1),
    "sfp28": Port(("SFP28", *SFP), 1),
    "sfp56": Port(("SFP56", "SFP28", *SFP), 1),
    "sfpdd": Port(("SFP-DD", "SFP56", "SFP28", *SFP), 2),
    "sfp112": Port(("SFP112", "SFP56", "SFP28", *SFP), 1),
    "qsfpp": Port(("QSFP+",), 4),
    "qsfp28": Port(QSFP, 4),
    "qsfp56": Port(("QSFP56", *QSFP), 4),
    "qsfp112": Port(("QSFP112", "QSFP56", *QSFP), 4),
    "qsfpdd": Port(("QSFP-DD", "QSFP56", *QSFP), 8),
    "qsfpdd800": Port(("QSFP-DD", "QSFP56", *QSFP), 8),
    "osfp": Port(("OSFP",), 8),
}
"""Cages by the end of an interface type, `100gbase-x-qsfp28`.

Source: SFF-8665 and the QSFP-DD and OSFP MSA documents: what a cage is compatible with."""
LANE_RATES_GBPS = (10, 25, 50, 100, 200)


def port_of(kind: str) -> Port | None:
    """Return the cage of an interface type; None for fixed copper ports and types that name none."""
    return PORTS.get(kind.rpartition("-")[2].replace("qsfp-dd", "qsfpdd"))
