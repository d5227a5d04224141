"""A small network of GNPy, written by hand: as topology JSON, as a workbook, with services and equipment."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.imports.biff import write_xls

Data = dict[str, Any]


def place(city: str, latitude: float, longitude: float) -> Data:
    return {"location": {"city": city, "region": "", "latitude": latitude, "longitude": longitude}}


CITIES = {"Köln": (50.9, 6.9), "Bonn": (50.7, 7.1), "Aachen": (50.8, 6.1)}


def fibre(key: str, length_km: float, **params: Any) -> Data:
    stated = {"length": length_km, "length_units": "km", "loss_coef": 0.2, "con_in": 0.25, "con_out": 0.5}
    return {"uid": key, "type": "Fiber", "type_variety": "SSMF", "params": stated | params}


def edfa(key: str, variety: str, gain_db: float | None, **operational: Any) -> Data:
    stated = {"gain_target": gain_db, "tilt_target": 0, "out_voa": 0}
    return {"uid": key, "type": "Edfa", "type_variety": variety, "operational": stated | operational}


def topology() -> Data:
    """Köln to Bonn: booster, 80 km, amplifier, 60 km, preamplifier. Köln to Aachen: 40 km and 30 km, no amplifier."""
    elements = [
        {"uid": f"roadm {city}", "type": "Roadm", "params": {"target_pch_out_db": -20}, "metadata": place(city, *at)}
        for city, at in CITIES.items()
    ]
    elements += [
        {"uid": f"trx {city}", "type": "Transceiver", "metadata": place(city, *at)} for city, at in CITIES.items()
    ]
    chains = []
    for a, z in (("Köln", "Bonn"), ("Bonn", "Köln")):
        lengths = (80.0, 60.0) if a == "Köln" else (60.0, 80.0)
        chain = [
            edfa(f"booster {a}", "own booster", 21.0, out_voa=0.5),
            fibre(f"{a} {z} 1", lengths[0], att_in=1.0),
            edfa(f"amplifier {a} {z}", "own amplifier", lengths[0] * 0.2 + 1.75),
            fibre(f"{a} {z} 2", lengths[1]),
            edfa(f"preamplifier {z}", "own amplifier", lengths[1] * 0.2 + 0.75),
        ]
        chains.append((a, z, chain))
    for a, z in (("Köln", "Aachen"), ("Aachen", "Köln")):
        joint = {"uid": f"joint {a} {z}", "type": "Fused", "params": {"loss": 0.6}}
        fibres = [fibre(f"{a} {z} 1", 40.0), fibre(f"{a} {z} 2", 30_000.0, length_units="m")]
        chains.append((a, z, [fibres[0], joint, fibres[1]] if a == "Köln" else [fibres[1], joint, fibres[0]]))
    arcs = [(f"trx {city}", f"roadm {city}") for city in CITIES] + [(f"roadm {c}", f"trx {c}") for c in CITIES]
    for a, z, chain in chains:
        elements += chain
        keys = [f"roadm {a}", *(str(element["uid"]) for element in chain), f"roadm {z}"]
        arcs += list(pairwise(keys))
    connections = [{"from_node": a, "to_node": z} for a, z in arcs]
    return {"network_name": "drei Städte", "elements": elements, "connections": connections}


SERVICES: Data = {
    "path-request": [
        {
            "request-id": "7",
            "source": "trx Köln",
            "destination": "trx Bonn",
            "bidirectional": True,
            "path-constraints": {
                "te-bandwidth": {"trx_type": "own optics", "trx_mode": "fast", "path_bandwidth": 300e9}
            },
        },
        {
            "request-id": "8",
            "source": "trx Bonn",
            "destination": "trx Aachen",
            "bidirectional": False,
            "path-constraints": {"te-bandwidth": {"trx_type": "own optics", "path_bandwidth": 100e9}},
        },
    ]
}
EQUIPMENT: Data = {
    "Edfa": [
        {"type_variety": "own amplifier", "type_def": "variable_gain", "gain_flatmax": 26, "gain_min": 15,
         "p_max": 23, "nf_min": 6, "nf_max": 10},
        {"type_variety": "own booster", "type_def": "fixed_gain", "gain_flatmax": 21, "gain_min": 20, "p_max": 21,
         "nf0": 5.5},
        {"type_variety": "two stages", "type_def": "dual_stage", "gain_min": 36, "preamp_variety": "own booster",
         "booster_variety": "own amplifier"},
        {"type_variety": "open preamplifier", "type_def": "openroadm_preamp", "gain_flatmax": 27, "gain_min": 0,
         "p_max": 22},
        {"type_variety": "open line", "type_def": "openroadm", "gain_flatmax": 27, "gain_min": 0, "p_max": 22,
         "nf_coef": [1.0, 50.0]},
        {"type_variety": "detailed", "type_def": "advanced_model", "gain_flatmax": 25, "gain_min": 15, "p_max": 21,
         "advanced_config_from_json": "detailed.json"},
        {"type_variety": "no figures", "type_def": "fixed_gain", "gain_flatmax": 21, "gain_min": 20, "p_max": 21},
    ],
    "Fiber": [{"type_variety": "SSMF", "dispersion": 1.7e-05, "effective_area": 8e-11, "pmd_coef": 1.265e-15}],
    "Span": [{"con_in": 0.1, "con_out": 0.2, "max_length": 150}],
    "Roadm": [{"target_pch_out_db": -18}],
    "SI": [{"f_min": 191.3e12, "f_max": 195.1e12, "spacing": 50e9, "power_dbm": 0, "sys_margins": 2}],
    "Transceiver": [
        {"type_variety": "own optics", "mode": [
            {"format": "slow", "baud_rate": 32e9, "OSNR": 12, "bit_rate": 100e9, "tx_osnr": 40, "min_spacing": 50e9},
            {"format": "DP-16QAM fast", "baud_rate": 60e9, "OSNR": 24, "bit_rate": 400e9, "tx_osnr": 36,
             "min_spacing": 75e9, "penalties": [
                 {"chromatic_dispersion": 20000, "penalty_value": 0.5},
                 {"chromatic_dispersion": -100, "penalty_value": 0},
                 {"chromatic_dispersion": 4000, "penalty_value": 0}, {"pmd": 20, "penalty_value": 0.5},
                 {"pdl": 2, "penalty_value": 1}]},
        ]},
    ],
}  # fmt: skip
DETAILED: Data = {"nf_fit_coeff": [0.01, 0.0, 0.1, 5.0], "dgt": [1, 2]}
SHEETS: dict[str, list[list[object]]] = {
    "Nodes": [
        ["three cities"],
        [],
        ["City", "State", "Country", "Region", "Latitude", "Longitude", "Type"],
        ["Köln", "", "DE", "", 50.9, 6.9, "ROADM"],
        ["Bonn", "", "DE", "", 50.7, 7.1, "ROADM"],
        ["Aachen", "", "DE", "", 50.8, 6.1, "ROADM"],
        ["Brühl", "", "DE", "", 50.83, 6.9, "ILA"],
        ["Düren", "", "DE", "", 50.8, 6.5, "FUSED"],
    ],
    "Links": [
        ["", "", "east cable (from a to z)", "", "", "", "", "", "", "west (from z to a)"],
        [
            "Node A",
            "Node Z",
            *["Distance (km)", "Fiber type", "lineic att", "Con_in", "Con_out", "PMD", "Cable id"] * 2,
        ],
        ["Köln", "Brühl", 80, "SSMF", 0.2, 0.25, 0.5, 1, "F1", 80, "SSMF", 0.21, 0.25, 0.5, 1, "F1"],
        ["Bonn", "Brühl", 60, "SSMF", 0.2, 0.25, 0.5, "", "F2"],
        ["Köln", "Düren", 40, "", "", "", "", "", "F3"],
        ["Düren", "Aachen", 30],
    ],
    "Eqpt": [
        ["", "", "east amp", "", "", "", "", "", "west amp"],
        ["Node A", "Node Z", *["amp type", "att_in", "amp gain", "tilt", "att_out", "delta p"] * 2],
        ["Köln", "Brühl", "own booster", "", 21, "", 0.5, "", "own amplifier"],
        ["Brühl", "Bonn", "own amplifier", 0.3, 17, "", "", "", "own amplifier", "", 14],
        ["Bonn", "Brühl", "fused", "", "", "", "", "", "own amplifier", "", 12.75],
    ],
    "Service": [
        ["route id", "Source", "Destination", "TRX type", "Mode", "path bandwidth"],
        [7, "Köln", "Bonn", "own optics", "fast", 300],
        [8, "Bonn", "Aachen", "own optics", "", 100],
        [9, "Bonn", "Paris", "own optics", "", 100],
    ],
}


def write(path: Path, data: Data) -> Path:
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path


def folder(path: Path) -> Path:
    """Write topology, services, equipment and the file that it names."""
    path.mkdir(parents=True, exist_ok=True)
    for name, data in (("net", topology()), ("services", SERVICES), ("eqpt", EQUIPMENT), ("detailed", DETAILED)):
        write(path / f"{name}.json", data)
    return path


def workbook(path: Path, sheets: dict[str, list[list[object]]] = SHEETS) -> Path:
    """Write the workbook as the ending says: .xlsx or .xls."""
    if path.suffix == ".xls":
        write_xls(path, sheets)
        return path
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path
