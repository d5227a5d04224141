"""Places of devices: positions, straight lines, and sites for devices whose location is not stated."""

from __future__ import annotations

import math

from ..arrays import MAX_INDOOR_KM
from .cabling import Cable, Cabling, Device, Place

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth. Source: IUGG."""
OWN_PLACE = "of device "
"""Start of the keys of places that are made for devices which state none."""


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


class Buildings:
    """Groups of devices that indoor cables join: copper, multimode, or at most MAX_INDOOR_KM.

    Found when it is made: cables are consumed as they are traced.
    """

    def __init__(self, cabling: Cabling) -> None:
        self._cabling = cabling
        first = {key: key for key in cabling.devices}

        def root(key: str) -> str:
            while first[key] != key:
                first[key] = first[first[key]]
                key = first[key]
            return key

        for cable in cabling.cables:
            ends = [end.device for end in cable.ends if end.device in first]
            if len(ends) == 2 and _is_indoor(cable) and all(cabling.devices[key].kind != "circuit" for key in ends):
                a, b = sorted(root(key) for key in ends)
                first[b] = a
        self._group = {key: root(key) for key in first}
        self._members: dict[str, list[str]] = {}
        for key, group in self._group.items():
            self._members.setdefault(group, []).append(key)

    def is_one(self, a: str, b: str) -> bool:
        """Return whether indoor cables lead from one device to the other."""
        return self._group[a] == self._group[b]

    def settle_place(self, key: str) -> list[Device]:
        """Give the devices of a group that state no place one place; return them.

        It is the only one that devices of the group state, else a new one without a position: links to other groups
        then have no known length.
        """
        devices = self._cabling.devices
        members = self._members[self._group[key]]
        without = [devices[name] for name in members if devices[name].place is None]
        if not without:
            return []
        stated = {place for name in members if (place := devices[name].place) is not None}
        place = next(iter(stated)) if len(stated) == 1 else f"{OWN_PLACE}{min(device.key for device in without)}"
        place_at(self._cabling, place, min(device.name for device in without), None, None)
        for device in without:
            device.place = place
        return without


def _is_indoor(cable: Cable) -> bool:
    if cable.length_km is not None:
        return cable.length_km <= MAX_INDOOR_KM
    return cable.medium in ("copper", "multimode")


def place_at(cabling: Cabling, key: str, name: str, latitude_deg: float | None, longitude_deg: float | None) -> str:
    """Add a place, or find the one of the same key; return its key."""
    if key not in cabling.places:
        cabling.places[key] = Place(key, name, latitude_deg, longitude_deg)
    return key
