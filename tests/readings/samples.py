"""A small network and, for each format of readings, files written by hand that measure it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.readings.otdr_file import otdr_file
from twin.loading import Network, from_document

DOCUMENT: dict[str, Any] = {
    "name": "measured",
    "as_of": "2026-11-01",
    "nodes": [
        {"id": "leaf1", "kind": "leaf"},
        {"id": "r1", "kind": "border", "name": "Router One"},
        {"id": "r2", "kind": "border"},
    ],
    "links": [
        {
            "id": "wan", "ends": ["r1", "r2"], "transceiver": "OpenZR+-400G", "installed": "2022-01-01",
            "spans": [{"length_km": 60, "installed": "2012-05-01", "n_connectors": 2}],
            "tags": ["r1:Ethernet0 ~ r2:Ethernet0"],
        },
        {
            "id": "lag", "ends": ["r1", "leaf1"], "transceiver": "400G-DR4", "n_parallel": 2,
            "tags": ["r1:Ethernet8 ~ leaf1:Ethernet4", "r1:Ethernet12 ~ leaf1:Ethernet8"],
        },
    ],
    "demands": [{"id": "d", "source": "leaf1", "target": "r2", "offered_gbps": 120}],
}  # fmt: skip
ETHTOOL = [
    {
        "identifier": 24,
        "vendor_name": "ACME",
        "module_temperature": 41.5,
        "transmit_avg_optical_power": [1.122, 1.1, 1.05, 1.0],
        "transmit_avg_optical_power_units": "mW",
        "rcvr_signal_avg_optical_power": [0.9, 0.85, 0.0001, 0.8],
        "rcvr_signal_avg_optical_power_units": "mW",
    }
]
SONIC: dict[str, Any] = {
    "DEVICE_METADATA|localhost": {"type": "hash", "value": {"hostname": "r2"}},
    "TRANSCEIVER_DOM_SENSOR|Ethernet0": {
        "expireat": 1.7e9, "ttl": -0.001, "type": "hash",
        "value": {
            "rx1power": "-14.4", "tx1power": "-0.3", "rx2power": "N/A", "temperature": "51.0", "tx1bias": "120",
            "last_update_time": "Tue Oct 20 21:50:24 2026",
        },
    },
    "TRANSCEIVER_PM|Ethernet0": {
        "type": "hash",
        "value": {"prefec_ber_avg": "3.1E-04", "osnr_avg": "33.2", "esnr_avg": "17.9", "cd_avg": "1012",
                  "rx_sig_power_avg": "-14.2", "dgd_avg": "2", "last_update_time": "Tue Oct 20 21:50:24 2026"},
    },
    "TRANSCEIVER_VDM_REAL_VALUE|Ethernet0": {
        "type": "hash", "value": {"esnr_media_input1": "18.1", "laser_temperature_media1": "44"},
    },
}  # fmt: skip
DAY_S = 1_792_000_000 // 86_400 * 86_400
PROMETHEUS: dict[str, Any] = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [
            {
                "metric": {
                    "__name__": "node_network_transmit_bytes_total",
                    "instance": "r1:9100",
                    "device": "Ethernet0",
                },
                "values": [[DAY_S + 60 * i, str(10**12 + i * 60 * 15 * 10**9)] for i in range(4)],
            },
            {
                "metric": {
                    "__name__": "node_network_carrier_changes_total",
                    "instance": "r1:9100",
                    "device": "Ethernet0",
                },
                "values": [[DAY_S, "4"], [DAY_S + 43_200, "6"]],
            },
        ],
    },
}
LATENCY = """timestamp,source,destination,rtt_ms
2026-10-20T00:00:00Z,r1,r2,0.60
2026-10-20T00:01:00Z,r1,r2,0.61
2026-10-20T00:02:00Z,r1,r2,9.99
2026-10-20T00:00:00Z,leaf1,r2,0.7
"""
TABLE = """link;span;direction;date;span loss (dB);rx power (dBm);pre-FEC BER;note
wan;0;r1;2026-10-20;13,5;-13.9;2.5e-4;checked
wan;0;;2026-10-19;13.45;;;
"""
TABLE = TABLE.replace("13,5", "13.5")


def _json(name: str, data: Any) -> Callable[[Path], Path]:
    return _bytes(name, json.dumps(data).encode())


def _bytes(name: str, content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_bytes(content)
        return path

    return write


SAMPLES: dict[str, Callable[[Path], Path]] = {
    "otdr": _bytes("ring-7.sor", otdr_file(locations=("r1", "r2"))),
    "ethtool": _json("leaf1_Ethernet8.json", ETHTOOL),
    "sonic": _json("dump.json", SONIC),
    "prometheus": _json("rates.json", PROMETHEUS),
    "latency": _bytes("mesh.csv", LATENCY.encode()),
    "table": _bytes("readings.csv", TABLE.encode()),
}
"""Writes a sample of each format into a folder."""


def network(**more: Any) -> Network:
    return from_document(DOCUMENT | more)
