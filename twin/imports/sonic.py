"""SONiC: minigraph.xml and config_db.json of one or many switches, merged by hostname.

Source: sonic-net/sonic-buildimage, src/sonic-config-engine (minigraph), src/sonic-yang-models (database).
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import DocumentError
from .cabling import Cabling
from .files import SourceFile
from .ledger import Ledger
from .options import ImportOptions
from .sonic_config import read_config
from .sonic_minigraph import ROOTS, read_minigraph
from .sonic_switches import Switches
from .xml_tree import xml_tree

TABLES = frozenset({"DEVICE_METADATA", "PORT", "DEVICE_NEIGHBOR", "DEVICE_NEIGHBOR_METADATA", "PORTCHANNEL_MEMBER"})
HINT = "a minigraph.xml, or a config_db.json with DEVICE_METADATA and DEVICE_NEIGHBOR"


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether a file is a minigraph, or has tables of a configuration database."""
    return any(_is_minigraph(file) or _is_config(file) for file in files)


def _is_minigraph(file: SourceFile) -> bool:
    return any(f"<{root}" in file.head for root in ROOTS)


def _is_config(file: SourceFile) -> bool:
    if not file.looks_like_json:
        return False
    try:
        data = file.data
    except DocumentError:
        return False
    return isinstance(data, dict) and len(TABLES & data.keys()) > 1


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, _options: ImportOptions) -> None:
    """Read each file, then make one cable of what the switches say of it."""
    cabling.one_place = "site"
    switches = Switches(cabling, ledger)
    for file in files:
        if _is_config(file):
            read_config(file, switches)
        elif file.looks_like_json:
            data = file.data
            if len(files) == 1:
                known = ", ".join(sorted(map(str, data))[:5]) if isinstance(data, dict) else type(data).__name__
                raise DocumentError(f"has no tables of SONiC: {known}", where=file.where, hint=HINT)
            ledger.dropped("files", "not read: no tables of a configuration database", file.name)
        else:
            root = xml_tree(file)
            if root.name not in ROOTS:
                raise DocumentError(
                    f"line {root.line}: <{root.name[:60]}> is no minigraph", where=file.where, hint=HINT
                )
            read_minigraph(file, root, switches)
    switches.finish()
