"""Switches, servers and cards from YAML files of NetBox's device-type library: ports, cages, watts, rack units.

Other figures are assumed. A file without slug and rack units is a module type: its ports are those of a card. A device
type with a management controller or bays for cards is a server.

Source: netbox-community/devicetype-library, schema/devicetype.json and schema/components.json.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..catalogue import Figure, Kind, Part, catalogue
from ..catalogue.figure_reader import is_reserved
from ..errors import DocumentError, TwinError
from ..formats.native import parse_mapping
from ..model.identity import normal_form
from ..printable import printable_text
from .fields import Fields, plain
from .files import SourceFile
from .ledger import Ledger
from .management import is_management
from .naming import MAX_NAME_LENGTH, display_name, printable
from .netbox_types import LANE_RATES_GBPS, VIRTUAL, WIRELESS, Port, port_of, type_gbps

MANAGEMENT = re.compile(r"^(mgmt|management|oob|me\d|ma\d|fxp|em\d|bmc|ipmi|idrac|ilo)", re.IGNORECASE)
"""First letters of management ports, which older files do not flag; other names are those of `is_management`."""
MAX_INTERFACES = 10_000
MAX_WATTS = 1e6
LISTS_UNREAD = {
    "console-ports": "management only",
    "console-server-ports": "management only",
    "power-outlets": "watts of other devices",
    "module-bays": "ports and watts of modules; their module types make cards",
    "device-bays": "devices inside; each has a type of its own",
    "inventory-items": "content of the device",
    "front-ports": "ports of a patch panel",
    "rear-ports": "ports of a patch panel",
}
EFFECTS = LISTS_UNREAD | {"u_height": "places in a rack", "weight": "no answer uses it", "airflow": "no answer uses it"}
NEAREST: dict[Kind, tuple[str, ...]] = {
    "switch": ("cage_w", "n_asics", "latency_us", "buffer_bytes", "lossless_share_ratio", "power_w"),
    "server": ("n_cards", "n_rack_units", "power_w", "failure_fit", "repair_h"),
    "card": ("cage_w", "power_w", "failure_fit"),
}
"""Figures that a file does not state; those of the catalogue's part of the kind and the nearest capacity are taken."""
CONTROLLERS = re.compile(r"^(idrac|ilo|bmc|ipmi|xcc|imm|cimc)", re.IGNORECASE)
CARD_BAYS = re.compile(r"pcie|ocp|mezz|riser|\bnic\b", re.IGNORECASE)
"""Names of interfaces and bays that only servers have."""
STATED_BY = "figures of the part in the file of parts"
HALF = "half of the sum of maximum_draw"
AS_OF = "2026"
"""Year in which the files of the library were read; they bear no date."""
EXPECTED = "a mapping with manufacturer and model"
UNREADABLE = "unreadable file"


def read(files: Sequence[SourceFile], ledger: Ledger) -> list[Part]:
    """Return a switch, server or card for each file that has data ports.

    Raises DocumentError for a file that is broken, if it is the only one; among others it is a finding.
    """
    parts: dict[str, Part] = {}
    for file in files:
        place = f"{file.path.parent.name}/{file.name}"
        try:
            record = parse_mapping(
                file.text, file.where, as_json=False, expected="a mapping with manufacturer and model"
            )
            part = _part(Fields(record, "device types", place, ledger), file, ledger)
        except TwinError as error:
            if len(files) == 1:
                raise
            ledger.finding(UNREADABLE, error.problem[:200], error.expected or error.hint, place)
            continue
        if part is not None and parts.setdefault(normal_form(part.id), part) is not part:
            ledger.finding("duplicate slug", "only the first device type of a slug is used", "", place)
    return list(parts.values())


def _part(fields: Fields, file: SourceFile, ledger: Ledger) -> Part | None:
    """Return the part of one device type; None, with a row of the report, if it has no data port."""
    maker, model = fields.text("manufacturer"), fields.text("model")
    if not maker or not model:
        hint = "files of device-types/ or module-types/, not of schema/"
        expected = "a device or module type"
        raise DocumentError("states no manufacturer and model", where=file.where, expected=expected, hint=hint)
    slug = fields.text("slug") or re.sub(r"[^a-z0-9]+", "-", f"{maker} {model}".lower()).strip("-")
    number = fields.text("part_number")
    kind = _kind(fields.record)
    units = fields.number("u_height", 0.5, 100) if kind == "server" else None
    ports = _ports(fields, ledger)
    watts = _watts(fields)
    fields.skip("is_full_depth", "comments", "front_image", "rear_image", "weight_unit", "description")
    fields.close(EFFECTS)
    if not ports:
        problem = f"no data port with a rate: no {kind} is made"
        ledger.finding("no ports", problem, "chassis have ports in module types", fields.place)
        return None
    source = printable_text(plain(f"device-type library, {fields.place}"))
    figures = _figures(kind, ports, watts, units, source, ledger, fields.place)
    names = (slug, model, number, f"{maker} {model}")
    return Part.model_validate(
        {
            "id": _id(slug),
            "kind": kind,
            "name": display_name(plain(f"{maker} {model}")),
            "figures": figures,
            "lane_gbps": _lane_gbps(ports),
            "cages": tuple(dict.fromkeys(cage for _, port in ports for cage in (port.cages if port else ()))),
            "port_groups": _groups(ports) if kind == "switch" else (),
            "aliases": tuple(dict.fromkeys(printable_text(name) for name in names if name and name != slug)),
            "note": "made from a device or module type; figures with status estimate are assumed",
        }
    )


def _kind(record: Mapping[str, Any]) -> Kind:
    """Tell what a file describes: a card if it is a module type, a server by its controller or bays, else a switch."""
    if "slug" not in record and "u_height" not in record:
        return "card"
    for pattern, section in ((CONTROLLERS, "interfaces"), (CARD_BAYS, "module-bays")):
        listed = record.get(section)
        for item in listed if isinstance(listed, list) else ():
            if isinstance(item, Mapping) and pattern.search(str(item.get("name", ""))):
                return "server"
    return "switch"


def _id(slug: str) -> str:
    """Return the id of a part: its slug, marked as own if the catalogue has a part of that id."""
    part_id = printable(slug)
    is_taken = is_reserved(part_id) or any(part_id == part.id for part in catalogue().parts())
    return f"own-{part_id}"[:MAX_NAME_LENGTH] if is_taken else part_id


def _ports(fields: Fields, ledger: Ledger) -> Counter[tuple[float, Port | None]]:
    """Return the number of data ports by rate and cage; management and virtual ports are left out."""
    listed = fields.raw("interfaces")
    if listed is None:
        return Counter()
    if not isinstance(listed, list) or len(listed) > MAX_INTERFACES:
        fields.bad("interfaces", listed, f"a list of at most {MAX_INTERFACES:,} interfaces")
        return Counter()
    ports: Counter[tuple[float, Port | None]] = Counter()
    for item in listed:
        name, kind = (item.get(key) if isinstance(item, Mapping) else None for key in ("name", "type"))
        if not isinstance(name, str) or not isinstance(kind, str):
            fields.bad("interfaces", item, "a mapping with name and type")
            continue
        if item.get("mgmt_only") is True or MANAGEMENT.match(name) or is_management(name):
            ledger.dropped("interfaces", "management port", fields.place)
        elif kind in VIRTUAL or kind.startswith(WIRELESS):
            ledger.dropped("interfaces", "virtual or wireless port", fields.place)
        elif (rate_gbps := type_gbps(kind)) is None:
            hint = "add the ports to the file of parts"
            ledger.finding("unknown interface type", f"type {plain(kind)[:60]!r} states no rate", hint, fields.place)
        else:
            ports[rate_gbps, port_of(kind)] += 1
            fields.count("interfaces", "interface type → ports, rate and cage")
    return ports


def _groups(ports: Mapping[tuple[float, Port | None], int]) -> tuple[dict[str, Any], ...]:
    """Return groups of ports by rate, fastest first; none where all ports are alike."""
    by_rate: dict[float, tuple[int, list[str]]] = {}
    for (rate_gbps, port), n in ports.items():
        n_before, cages = by_rate.get(rate_gbps, (0, []))
        by_rate[rate_gbps] = n_before + n, [*cages, *(port.cages if port else ())]
    if len(by_rate) < 2:
        return ()
    return tuple(
        {"n_ports": n, "port_gbps": rate_gbps, "cages": tuple(dict.fromkeys(cages))}
        for rate_gbps, (n, cages) in sorted(by_rate.items(), reverse=True)
    )


def _lane_gbps(ports: Mapping[tuple[float, Port | None], int]) -> int | None:
    """Return the rate of the fastest lane; None if no port states its lanes, or if it is of no standard."""
    rates = [rate_gbps / port.n_lanes for rate_gbps, port in ports if port is not None]
    return next((lane for lane in LANE_RATES_GBPS if rates and lane >= max(rates)), None)


def _watts(fields: Fields) -> tuple[float, float, float, int] | None:
    """Return (value, low, high, supplies) of the power in watts; None if no supply states its draw.

    With several supplies, half of their sum is taken: the other half is spare.
    """
    listed = fields.raw("power-ports")
    draws = [list(_draw(item)) for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []
    most = [draw[0] for draw in draws if draw[0]]
    if not most:
        return None
    total = sum(most)
    value = total / 2 if len(most) > 1 else total
    allocated = sum(draw[1] for draw in draws)
    fields.count("power-ports", f"maximum_draw → watts: {HALF if len(most) > 1 else 'as stated'}")
    low = min(allocated, value) if allocated else value / 2
    return value, low, total, len(most)


def _draw(port: Mapping[str, Any]) -> Iterator[float]:
    for name in ("maximum_draw", "allocated_draw"):
        watts = port.get(name)
        is_number = isinstance(watts, int | float) and not isinstance(watts, bool) and 0 < watts <= MAX_WATTS
        yield float(watts or 0.0) if is_number else 0.0


def _figures(
    kind: Kind,
    ports: Mapping[tuple[float, Port | None], int],
    watts: tuple[float, float, float, int] | None,
    units: float | None,
    source: str,
    ledger: Ledger,
    place: str,
) -> dict[str, Figure]:
    """Return the figures of a part: stated ones, and those of the nearest part of its kind in the catalogue."""
    total_gbps = sum(rate_gbps * n for (rate_gbps, _), n in ports.items())
    port_gbps = max(rate_gbps for rate_gbps, _ in ports)
    stated = {"n_ports": float(sum(ports.values())), "port_gbps": port_gbps}
    if units is not None:
        stated["n_rack_units"] = units
    figures = {
        name: Figure(value=value, low=value, high=value, source=source, as_of=AS_OF, status="own")
        for name, value in stated.items()
    }
    if watts is not None:
        value, low, high, n = watts
        told = f"{source}: maximum_draw of {n} power ports" + (f", {HALF}" if n > 1 else "")
        figures["power_w"] = Figure(
            value=value, low=low, high=high, source=told, as_of=AS_OF, status="own", assumed_range=True
        )
        if n > 1:
            ledger.assumed("watts", HALF, "the supplies are taken as redundant", STATED_BY, place)
    nearest = _nearest(kind, total_gbps)
    for name in NEAREST[kind]:
        if name in figures:
            continue
        figure = nearest.figure(name)
        told = f"assumed as {nearest.id} of the catalogue, the {kind} of the nearest capacity; {figure.source}"
        figures[name] = figure.model_copy(update={"source": told, "status": "estimate", "assumed_range": True})
        ledger.assumed(name, f"{figure.value:g}, as {nearest.id}", "the file states none", STATED_BY, place)
    return figures


def _nearest(kind: Kind, total_gbps: float) -> Part:
    """Return the shipped part of a kind of the nearest capacity, by ratio; among equal ones the first by id."""

    def distance(part: Part) -> float:
        capacity_gbps = _capacity_gbps(part)
        return max(capacity_gbps / total_gbps, total_gbps / capacity_gbps)

    return min(catalogue().parts(kind), key=lambda part: (distance(part), part.id))


def _capacity_gbps(part: Part) -> float:
    """Return the sum of the rates of all ports."""
    if part.port_groups:
        return sum(group.n_ports * group.port_gbps for group in part.port_groups)
    return part.value("n_ports") * part.value("port_gbps")
