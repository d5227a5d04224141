"""Places of devices: positions, straight lines, and sites for devices whose location is not stated."""

from __future__ import annotations

import math

from .cabling import Cabling, Place

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth. Source: IUGG."""


def straight_km_between(a: Place | None, b: Place | None) -> float | None:
    """Return the great circle between two places; None if a position is not stated."""
    if a is None or b is None:
        return None
    stated = (a.latitude_deg, a.longitude_deg, b.latitude_deg, b.longitude_deg)
    if any(value is None for value in stated):
        return None
    a_lat, a_lon, b_lat, b_lon = (math.radians(value) for value in stated if value is not None)
    haversine = (
        math.sin((b_lat - a_lat) / 2) ** 2 + math.cos(a_lat) * math.cos(b_lat) * math.sin((b_lon - a_lon) / 2) ** 2
    )
    return 2.0 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(haversine, 1.0)))


def own_place(cabling: Cabling, key: str) -> None:
    """Give a device without a place a site of its own, without a position; links to it then have no known length."""
    device = cabling.devices[key]
    if device.place is None:
        place = Place(f"of device {key}", device.name)
        cabling.places[place.key] = place
        device.place = place.key


def place_at(cabling: Cabling, key: str, name: str, latitude_deg: float | None, longitude_deg: float | None) -> str:
    """Add a place, or find the one of the same key; return its key."""
    if key not in cabling.places:
        cabling.places[key] = Place(key, name, latitude_deg, longitude_deg)
    return key
