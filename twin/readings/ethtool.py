"""Output of `ethtool -m PORT --json`: received and launched power of each lane of a module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import DocumentError
from ..errors.wording import type_text
from ..imports.files import SourceFile
from ..imports.quantities import finite
from ..model.measurements import Quantity
from .found import WAYS, Collector, Thing
from .options import ReadingOptions
from .units import split_value

POWERS: dict[str, Quantity] = {
    "rcvr_signal_avg_optical_power": "received_power",
    "receiver_signal_average_optical_power": "received_power",
    "receiver_signal_oma": "received_power",
    "rx_power": "received_power",
    "transmit_avg_optical_power": "launched_power",
    "laser_output_power": "launched_power",
    "tx_power": "launched_power",
}
"""Fields of modules of several kinds (SFF-8472, SFF-8636, CMIS)."""
LANES_OFF_MW = 1e-4
"""Least power that a module reports; it stands for no light."""
MAX_LANES = 16


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether every file holds modules: objects with an identifier and a power of this table."""
    return all(file.looks_like_json and _looks_like_module(file) for file in files)


def _looks_like_module(file: SourceFile) -> bool:
    return b'"identifier"' in file.content and any(f'"{name}"'.encode() in file.content for name in POWERS)


def read(files: Sequence[SourceFile], collector: Collector, options: ReadingOptions) -> None:
    """Read the powers of each module; the file or a key names its port, since the output itself does not."""
    for file in files:
        modules = list(_modules(file.data, file.path.stem))
        if not any("identifier" in module or any(field in module for field in POWERS) for _, module in modules):
            expected = "the output of `ethtool -m PORT --json`"
            raise DocumentError(f"holds no module, but {type_text(file.data)}", where=file.where, expected=expected)
        for name, module in modules:
            port = name.partition("/")[2] if name.startswith(f"{options.device}/") else name
            if options.device:
                thing = Thing(device=options.device, port=port)
            else:
                thing = Thing(names=tuple(dict.fromkeys((name, file.name, file.path.stem))))
            _read_module(file, name, thing, module, collector)


def _modules(data: Any, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (name, module): a list of modules as ethtool writes it, or such lists by the name of their port."""
    if isinstance(data, list):
        for i, item in enumerate(data):
            if isinstance(item, Mapping):
                stated = item.get("ifname")
                yield stated if isinstance(stated, str) else name if len(data) == 1 else f"{name}[{i}]", item
    elif isinstance(data, Mapping) and any(field in data for field in POWERS):
        yield name, data
    elif isinstance(data, Mapping):
        for key, item in data.items():
            if isinstance(item, list | dict):
                yield from ((key, module) for _, module in _modules(item, key))


def _read_module(file: SourceFile, name: str, thing: Thing, module: Mapping[str, Any], collector: Collector) -> None:
    ledger = collector.ledger
    fields = {field: _values(module[field], module.get(f"{field}_units")) for field in POWERS if field in module}
    lit = [i for values in fields.values() for i, (value, unit) in enumerate(values) if _is_lit(value, unit)]
    n_lanes = max(lit, default=0) + 1
    for field, values in fields.items():
        quantity = POWERS[field]
        for lane, (value, unit) in enumerate(values):
            place = f"{name}, {field}[{lane}]"
            if value is None:
                ledger.finding("bad value", f"{field} is no number; left out", "", f"{file.name}: {place}")
            elif not _is_lit(value, unit):
                problem = f"{field}: the least power that a module reports; left out"
                ledger.finding("no light", problem, "the lane is dark or off", f"{file.name}: {place}")
            else:
                each = replace(thing, lane=lane if n_lanes > 1 else None, n_lanes=n_lanes, way=WAYS[quantity])
                collector.add(file, place, field, each, quantity, value, unit, None)
    n_others = sum(1 for key in module if key not in POWERS and not key.endswith("_units"))
    effect = "identity, temperature, alarms: no answer uses them"
    ledger.dropped("other fields", effect, f"{file.name}: {name}", n_others)


def _values(value: Any, field_unit: Any) -> list[tuple[float | None, str]]:
    """Return (number, unit) of each lane; the unit is empty where none is stated, None stands for no number."""
    if isinstance(value, Mapping):
        value = value.get("values", value.get("value"))
    listed = value if isinstance(value, list) and value else [value]
    found: list[tuple[float | None, str]] = []
    for item in listed[:MAX_LANES]:
        number, unit = finite(item), ""
        if number is None and isinstance(item, str):
            split = split_value(item.partition("/")[0])
            number, unit = split or (None, "")
        found.append((number, unit or (field_unit if isinstance(field_unit, str) else "")))
    return found


def _is_lit(value: float | None, unit: str) -> bool:
    """Return whether a lane reports more than the least power; other units than mW show no light as minus infinity."""
    return value is not None and (unit.lower() != "mw" or value > LANES_OFF_MW)
