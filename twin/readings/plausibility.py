"""Values that a reading can have at its place: what lies outside is a fault of a meter, a unit or a name."""

from __future__ import annotations

from typing import NamedTuple

from ..catalogue import Catalogue
from ..errors import CatalogueError
from ..model.measurements import READINGS, MeasuredPlace, Quantity
from ..model.records import Link
from ..units import SPEED_OF_LIGHT_KM_PER_S

RANGES: dict[Quantity, tuple[float, float]] = {
    "span_loss": (0.0, 80.0),
    "received_power": (-50.0, 20.0),
    "launched_power": (-40.0, 30.0),
    "snr": (-10.0, 50.0),
    "osnr": (-10.0, 60.0),
    "pre_fec_ber": (0.0, 0.5),
    "dispersion": (-300_000.0, 300_000.0),
    "amplifier_gain": (0.0, 50.0),
    "latency": (0.0, 10e6),
    "flaps": (0.0, 10_000.0),
}
"""Values of working equipment in the units of documents, wider than those of any data sheet; no receiver works above a
bit error ratio of 0.5, no unrepeated span is known above 80 dB."""
LEAST_DB_PER_KM, GREATEST_DB_PER_KM, LUMPED_DB = 0.05, 3.5, 15.0
"""Attenuation of fibre: hollow core has the lowest, OM3 at 850 nm the highest; and what connectors and splices add."""
DISPERSION_PS_PER_NM_KM, COMPENSATED_PS_PER_NM = 25.0, 5_000.0
"""Largest dispersion of fibre, and what a compensating module may add."""
RATE_TOLERANCE_RATIO = 0.02
"""Counters of a rate lag behind its clock."""


class Plausible(NamedTuple):
    """Range of a reading, and where it comes from."""

    low: float
    high: float
    why: str


def plausible(quantity: Quantity, link: Link, of: MeasuredPlace, catalogue: Catalogue) -> Plausible:
    """Return the values that a reading of a quantity can have at a place, in the unit of documents."""
    reading = READINGS[quantity]
    low, high = RANGES.get(quantity, (reading.low, reading.high))
    why = f"of any {quantity.replace('_', ' ')}"
    spans = link.spans if of.span is None else link.spans[of.span : of.span + 1]
    length_km = sum(span.length_km for span in spans if not span.standby)
    if quantity == "interface_rate":
        rate_gbps = _capacity_gbps(link, catalogue)
        if rate_gbps is not None:
            n = link.n_parallel if of.lane is None else 1
            high, why = n * rate_gbps * (1.0 + RATE_TOLERANCE_RATIO), f"of {n} x {rate_gbps:g} Gb/s"
    elif not spans:
        pass
    elif quantity == "span_loss":
        low, why = LEAST_DB_PER_KM * length_km, f"of {length_km:g} km"
        high = min(high, GREATEST_DB_PER_KM * length_km + LUMPED_DB)
    elif quantity == "dispersion":
        high = DISPERSION_PS_PER_NM_KM * length_km + COMPENSATED_PS_PER_NM
        low, why = -high, f"of {length_km:g} km"
    elif quantity == "latency" and length_km:
        low, why = length_km / SPEED_OF_LIGHT_KM_PER_S * 1e6, f"of light over {length_km:g} km"
    return Plausible(low, high, why)


def _capacity_gbps(link: Link, catalogue: Catalogue) -> float | None:
    """Return the rate of one member: as stated, of the faster direction, else the highest of its transceiver."""
    stated = link.capacity_gbps
    if stated is not None:
        return max(stated) if isinstance(stated, tuple) else stated
    if link.transceiver is None:
        return None
    try:
        part = catalogue.get(link.transceiver, "transceiver")
    except CatalogueError:
        return None
    figure = part.figures.get("rate_gbps")
    return max((mode.rate_gbps for mode in part.modes), default=figure.value if figure is not None else None)
