"""Management links: cables of ports that carry no data, by the names that makers give them."""

from __future__ import annotations

import re
from collections.abc import Collection

from .cabling import Cabling, End
from .ledger import Ledger

MANAGEMENT = re.compile(
    r"((mgmt|management)([\s_-]*eth(ernet)?)?|meth|m-(ge|gigabitethernet)|fxp|vme|oobm?|bmc|ipmi|idrac|ilo)"
    r"[\s\d/_.:-]*(rs?p[\d/]*)?(cpu[\d/]*)?|(ma|me)\s*\d[\d/]*|re\d[:_-]mgmt[-\d/]*",
    re.IGNORECASE,
)
"""Ports that only management uses, of every maker."""
OF_SWITCHES = re.compile(r"eth0|em\d", re.IGNORECASE)
"""Ports that are for management at a switch, which has data ports of other names, and for data at a host."""
OF_HOSTS = re.compile(r"eth\d+|em\d+", re.IGNORECASE)
HOSTS = frozenset({"host", "rack", "storage"})
LEFT_OUT = ("cables of management ports", "the management network carries no data; --keep-management keeps them")


def is_management(port: str) -> bool:
    """Return whether a port is for management by its name, whatever the device."""
    return MANAGEMENT.fullmatch(port.strip()) is not None


def leave_out_management(cabling: Cabling, ledger: Ledger) -> None:
    """Leave out the cables of management ports, and report them; kinds of devices are settled."""
    kept = []
    switches = {
        end.device
        for cable in cabling.cables
        for end in cable.ends
        if end.port and not OF_HOSTS.fullmatch(end.port) and cabling.devices[end.device].kind not in HOSTS
    }
    for cable in cabling.cables:
        if any(_is_management(cabling, end, switches) for end in cable.ends):
            names = (f"{cabling.devices[end.device].name}:{end.port}" for end in cable.ends)
            ledger.dropped(*LEFT_OUT, " ~ ".join(names))
        else:
            kept.append(cable)
    cabling.cables = kept


def _is_management(cabling: Cabling, end: End, switches: Collection[str]) -> bool:
    if not end.port:
        return False
    interface = cabling.interfaces.get(end)
    if (interface is not None and interface.is_management) or is_management(end.port):
        return True
    return OF_SWITCHES.fullmatch(end.port) is not None and end.device in switches
