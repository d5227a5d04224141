"""A sample of each format of `twin parts --from`, written by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.imports.gnpy_samples import folder as gnpy_folder

DEVICE_TYPE = """---
manufacturer: Maker
model: S-32C
slug: maker-s-32c
part_number: S-32C-F
u_height: 1
airflow: front-to-rear
interfaces:
  - {name: Ethernet1, type: 100gbase-x-qsfp28}
  - {name: Ethernet2, type: 100gbase-x-qsfp28}
  - {name: Ethernet3, type: 25gbase-x-sfp28}
  - {name: Management1, type: 1000base-t}
  - {name: Vlan1, type: virtual}
power-ports:
  - {name: PS1, type: iec-60320-c14, maximum_draw: 500, allocated_draw: 150}
  - {name: PS2, type: iec-60320-c14, maximum_draw: 500, allocated_draw: 150}
"""


def device_types(folder: Path) -> Path:
    """One manufacturer's folder with one switch."""
    (folder / "Maker").mkdir(parents=True, exist_ok=True)
    (folder / "Maker" / "S-32C.yaml").write_text(DEVICE_TYPE, encoding="utf-8")
    return folder


PART_SAMPLES: dict[str, Callable[[Path], Path]] = {"netbox-device-types": device_types, "gnpy": gnpy_folder}
"""Writes a sample of each format into a folder, and returns the path to name: at least one part, with an assumption."""
