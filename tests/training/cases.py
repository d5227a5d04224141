"""Networks in columns and a reader of figures, for tests of single analyses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.model.samples import network
from twin.arrays import State, compile_network
from twin.catalogue import Mode, catalogue, load_price_book
from twin.catalogue.ageing import AgeingCase
from twin.catalogue.figure_reader import FigureReader
from twin.model.document import TopologyDocument
from twin.optics.link_health import LinkHealth, compute_link_health

ZRP = "OpenZR+-400G"
ENDS = [{"id": "p", "kind": "border"}, {"id": "q", "kind": "border"}]


def reader(prices: dict[str, Any] | None = None) -> FigureReader:
    return FigureReader(catalogue(), load_price_book(prices))


def state_of(data: dict[str, Any]) -> tuple[State, TopologyDocument]:
    found = network(data)
    return State.of(compile_network(found.document, found.nodes, found.links)), found.document


def health_of(data: dict[str, Any], ageing: AgeingCase = "value", figures: FigureReader | None = None) -> LinkHealth:
    state, document = state_of(data)
    return compute_link_health(state, document, figures or reader(), ageing)


def line(**fields: Any) -> dict[str, Any]:
    """Two border routers and one link of 400 Gb/s unless said between them, as of 2026-01-01."""
    part = fields.pop("part", None)
    if not {"transceiver", "capacity_gbps"} & set(fields):
        fields["capacity_gbps"] = 400.0
    ends = [node | ({"part": part} if part else {}) for node in ENDS]
    more = {key: fields.pop(key) for key in ("lossless", "required_margin_db") if key in fields}
    return {"as_of": "2026-01-01", "nodes": ends, "links": [{"id": "l", "ends": ["p", "q"], **fields}], **more}


def general(name: str) -> float:
    return catalogue().general_figure(name).value


def of_part(part: str, name: str) -> float:
    return catalogue().get(part).value(name)


def mode_of(part: str, rate_gbps: float) -> Mode:
    return next(mode for mode in catalogue().get(part).modes if mode.rate_gbps == rate_gbps)


def db(ratio: float) -> float:
    return 10 * math.log10(ratio)


def snr_db(received_dbm: float) -> float:
    """The unamplified receiver of the field notes, 34 dB out of the transmitter."""
    return -db(10**-3.4 + 10 ** (-(46.0 + received_dbm) / 10))


def penalty_db(part: str, rate_gbps: float, length_km: float, fibre: str = "G.652.D") -> float:
    """Dispersion and PMD of one stretch of fibre, read off the points that the part states for a mode."""
    amounts = {
        "dispersion_ps_per_nm": of_part(fibre, "dispersion_ps_per_nm_km") * length_km,
        "pmd_ps": of_part(fibre, "pmd_ps_per_sqrt_km") * math.sqrt(length_km),
    }
    total = 0.0
    for name, amount in amounts.items():
        points = [(p.at, p.penalty_db.value) for p in mode_of(part, rate_gbps).penalties if p.impairment == name]
        total += float(np.interp(amount, *zip((0.0, 0.0), *points, strict=True))) if points else 0.0
    return total


def worn(lumped_db: float, **fields: Any) -> dict[str, Any]:
    """OpenZR+ behind so much loss and a kilometre of glass."""
    return line(**{"transceiver": ZRP, "spans": [{"length_km": 1.0, "lumped_loss_db": lumped_db}], **fields})


def racks(sites: Mapping[str, Sequence[tuple[str, int]]]) -> State:
    """Sites with racks, each (accelerator, how many), and nothing between them."""
    nodes: list[dict[str, Any]] = []
    for site, held in sites.items():
        for i, (kind, n) in enumerate(held):
            rack = {"id": f"{site}-{i:02d}", "kind": "rack", "site": site}
            nodes.append(rack | ({"accelerator": kind, "n_accelerators": n} if n else {}))
    return state_of({"sites": [{"id": site} for site in sites], "nodes": nodes})[0]
