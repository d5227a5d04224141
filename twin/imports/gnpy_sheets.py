"""Excel workbooks of GNPy: sheets Nodes, Links, Eqpt and Roadms as nodes and lines."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..errors import DocumentError
from ..errors.wording import quoted
from .cabling import Cabling, Device
from .fields import Fields
from .files import SourceFile
from .gnpy_lines import Amplifier, Element, Fibre, Line, LinePair, Pass, differing
from .ledger import Ledger
from .places import place_at
from .spans import MAX_SPAN_KM, MIN_SPAN_KM
from .workbooks import Workbook

MAX_HEADER_ROW = 30
DEFAULTS: tuple[tuple[str, str, str], ...] = (
    ("length_km", "length of a fibre", "80"),
    ("type", "type of a fibre", "SSMF"),
    ("loss_db_per_km", "attenuation of a fibre, dB/km", "0.2"),
)
"""Column of a direction, what it is, and the value that GNPy takes for an empty cell."""
LINK_COLUMNS = {
    "distance (km)": "length_km", "fiber type": "type", "lineic att": "loss_db_per_km", "con_in": "con_in",
    "con_out": "con_out", "pmd": "pmd_ps", "cable id": "cable",
}  # fmt: skip
AMPLIFIER_COLUMNS = {
    "amp type": "type", "amp gain": "gain_db", "delta p": "delta_db", "tilt": "tilt_db", "att_out": "att_out",
    "att_in": "att_in",
}  # fmt: skip
ENDS = {"node a": "a", "node z": "z"}
NODE_COLUMNS = {
    "city": "city", "state": "state", "country": "country", "region": "region", "latitude": "latitude",
    "longitude": "longitude", "type": "type", "booster_restriction": "booster_restriction",
    "preamp_restriction": "preamp_restriction",
}  # fmt: skip
ROADM_COLUMNS = ENDS | {"per degree target power (dbm)": "power_dbm"}
EFFECTS = dict.fromkeys(("state", "country", "region"), "name of a region; no answer uses it") | dict.fromkeys(
    ("booster_restriction", "preamp_restriction"), "amplifiers that GNPy may choose"
)
Record = dict[str, str]
KINDS = ("ROADM", "ILA", "FUSED")


class _LinkRow(NamedTuple):
    a: str
    z: str
    east: Fibre
    west: Fibre


def table_of(
    book: Workbook, sheet: str, columns: dict[str, str], *needed: str, grouped: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Record]]:
    """Yield the place and the cells of each row of a sheet below its headings.

    Args:
        book: the workbook.
        sheet: name of the sheet.
        columns: heading in lower case -> field.
        needed: fields that the headings must have; a row must have the first of them to be read.
        grouped: fields that stand twice; the second is that of the way back, with `west ` before its name.

    Raises:
        DocumentError: no headings.
    """
    names: list[str] | None = None
    for row in book.rows(sheet):
        if names is None:
            found = [columns.get(re.sub(r"\s+", " ", cell).strip().lower(), "") for cell in row.cells]
            if set(needed) <= set(found):
                names, seen = [], set[str]()
                for name in found:
                    names.append(f"west {name}" if name in grouped and name in seen else name)
                    seen.add(name)
            elif row.number >= MAX_HEADER_ROW:
                break
            continue
        record = {name: cell for name, cell in zip(names, row.cells, strict=False) if name and cell}
        if needed[0] in record:
            yield f"{sheet}, row {row.number}", record
    if names is None:
        expected = "a row of headings with " + ", ".join(h for h, field in columns.items() if field in needed)
        raise DocumentError(f"sheet {quoted(sheet)} has no headings", where=book.file.where, expected=expected)


class SheetReader:
    """Reads the sheets of one workbook."""

    def __init__(self, file: SourceFile, cabling: Cabling, ledger: Ledger) -> None:
        self.file, self.cabling, self.ledger = file, cabling, ledger
        self.kinds: dict[str, str] = {}
        self.nodes: dict[str, Device] = {}
        self.links: list[_LinkRow] = []
        self.at: dict[str, list[int]] = defaultdict(list)
        """City -> rows of links."""
        self.amplifiers: dict[tuple[str, str], tuple[Element, Element]] = {}
        """(city, next city) -> amplifiers towards it, and of what comes from it."""
        self.powers_dbm: dict[tuple[str, str], float] = {}

    def read(self, book: Workbook) -> list[LinePair]:
        """Add the nodes to the cabling, and return the lines between them."""
        for place, record in table_of(book, "Nodes", NODE_COLUMNS, "city"):
            self._node(Fields(record, "Nodes", place, self.ledger))
        two = frozenset(LINK_COLUMNS.values())
        for place, record in table_of(book, "Links", ENDS | LINK_COLUMNS, "a", "z", grouped=two):
            self._link(Fields(record, "Links", place, self.ledger))
        if "Eqpt" in book.names:
            two = frozenset(AMPLIFIER_COLUMNS.values())
            for place, record in table_of(book, "Eqpt", ENDS | AMPLIFIER_COLUMNS, "a", "z", grouped=two):
                self._equipment(Fields(record, "Eqpt", place, self.ledger))
        if "Roadms" in book.names:
            for place, record in table_of(book, "Roadms", ROADM_COLUMNS, "a", "z"):
                self._roadm(Fields(record, "Roadms", place, self.ledger))
        self._settle_kinds()
        for city, device in self.nodes.items():
            if self.kinds[city] == "ROADM":
                self.cabling.devices[city] = device
        return self._lines()

    def _node(self, fields: Fields) -> None:
        city = fields.text("city")
        if city in self.nodes:
            problem = "only the first row of a city is used"
            self.ledger.finding("duplicate id", problem, "make cities unique", f"{fields.place}: {city}")
            return
        kind = fields.text("type").strip().upper()
        self.kinds[city] = kind if kind in KINDS else "ILA"
        latitude = fields.number("latitude", -90, 90)
        longitude = fields.number("longitude", -180, 180)
        device = Device(city, city, role="Roadm", source=fields.source(self.file.name, city))
        if latitude is not None and longitude is not None:
            device.place = place_at(self.cabling, f"city {city}", city, latitude, longitude)
        fields.close(EFFECTS)
        self.nodes[city] = device

    def _ends(self, fields: Fields) -> tuple[str, str] | None:
        a, z = fields.text("a"), fields.text("z")
        unknown = [city for city in (a, z) if city not in self.nodes]
        if unknown:
            hint = "add it to the sheet Nodes"
            problem = "left out: an end is no city of the sheet Nodes"
            self.ledger.finding("unknown end", problem, hint, f"{fields.place}: {unknown[0]}")
            return None
        return a, z

    def _link(self, fields: Fields) -> None:
        ends = self._ends(fields)
        if ends is None:
            return
        a, z = ends
        if a == z:
            self.ledger.finding("self-loop", "both ends are one city; no link is made", "check the row", fields.place)
            return
        east = self._fibre(fields, "", a, z)
        west = self._fibre(fields, "west ", z, a)
        fields.close()
        for i in self.at[a]:
            other = self.links[i]
            if {other.a, other.z} == {a, z} and other.east.cable == east.cable:
                problem = "two rows join the same cities by the same cable; both are links"
                self.ledger.finding("duplicate cable", problem, "remove one, or name the cables", fields.place)
                break
        for city in (a, z):
            self.at[city].append(len(self.links))
        self.links.append(_LinkRow(a, z, east, west))

    def _fibre(self, fields: Fields, side: str, a: str, z: str) -> Fibre:
        """Return the fibre of a direction; an empty cell of the way back is that of the way there."""
        for name, what, default in DEFAULTS:
            if name not in fields.record and not side:
                self.ledger.assumed(what, default, "the cell is empty; GNPy takes this", "the cell", fields.place)

        def column(name: str) -> str:
            return side + name if side + name in fields.record else name

        def number(name: str, low: float, high: float, default: float | None = None) -> float | None:
            value = fields.number(column(name), low, high)
            return default if value is None and column(name) not in fields.record else value

        length_km = number("length_km", 0, MAX_SPAN_KM, 80.0)
        fibre = Fibre(
            f"fiber ({a} → {z})-{fields.text(column('cable'))}",
            None if length_km is None else max(length_km, MIN_SPAN_KM),
            variety=fields.text(column("type")) or "SSMF",
            loss_db_per_km=number("loss_db_per_km", 0, 10, 0.2),
            head_db=number("con_in", 0, 100),
            tail_db=number("con_out", 0, 100),
            cable=fields.text(column("cable")),
            source=fields.source(self.file.name),
        )
        pmd_ps = number("pmd_ps", 0, 1000)
        if pmd_ps and length_km:
            fibre.figures["pmd_ps_per_sqrt_km"] = pmd_ps / length_km**0.5
            self.ledger.converted("Links.pmd_ps", "ps of the fibre → ps/√km")
        return fibre

    def _equipment(self, fields: Fields) -> None:
        ends = self._ends(fields)
        if ends is None:
            return
        a, z = ends
        if not any(z in self.links[i][:2] for i in self.at[a]):
            problem = "amplifiers of a link that the sheet Links does not have"
            self.ledger.finding("unknown link", problem, "add the link", f"{fields.place}: {a} → {z}")
        elif ends in self.amplifiers:
            problem = "only the first row of a link is used"
            self.ledger.finding("duplicate id", problem, "remove one", f"{fields.place}: {a} → {z}")
        else:
            names = f"east edfa in {a} to {z}", f"west edfa in {a} to {z}"
            east, west = (self._element(fields, side, name) for side, name in zip(("", "west "), names, strict=True))
            self.amplifiers[ends] = east, west
        fields.close()

    def _element(self, fields: Fields, side: str, key: str) -> Element:
        """Return the amplifier of a direction, or a point without one."""

        def column(name: str) -> str:
            return side + name if side + name in fields.record else name

        variety = fields.text(column("type"))
        if variety.lower() == "fused":
            return Pass(key)
        return Amplifier(
            key,
            variety,
            gain_db=fields.number(column("gain_db"), 0, 100),
            tilt_db=fields.number(column("tilt_db"), -100, 100),
            out_voa_db=fields.number(column("att_out"), 0, 100),
            in_voa_db=fields.number(column("att_in"), 0, 100),
            delta_db=fields.number(column("delta_db"), -100, 100),
            source=fields.source(self.file.name, key),
        )

    def _roadm(self, fields: Fields) -> None:
        ends = self._ends(fields)
        power_dbm = fields.number("power_dbm", -60, 30)
        fields.close()
        if ends is not None and power_dbm is not None:
            self.powers_dbm[ends[0], f"east edfa in {ends[0]} to {ends[1]}"] = power_dbm

    def _settle_kinds(self) -> None:
        """Make a ROADM of every amplifier site and fused site whose links are not two."""
        for city, kind in self.kinds.items():
            n = len(self.at.get(city, ()))
            if kind != "ROADM" and n != 2:
                problem = f"a site of type {kind} with another number of links than two; it is a node"
                self.ledger.finding("bad value", problem, "check Type", f"{city}: {n} links")
                self.kinds[city] = "ROADM"

    def _lines(self) -> list[LinePair]:
        found: list[LinePair] = []
        used: set[int] = set()
        for city in self.cabling.devices:
            for first in self.at.get(city, ()):
                if first in used:
                    continue
                cities, rows = [city], [first]
                while True:
                    link = self.links[rows[-1]]
                    used.add(rows[-1])
                    cities.append(link.z if link.a == cities[-1] else link.a)
                    following = [i for i in self.at[cities[-1]] if i != rows[-1]]
                    if self.kinds[cities[-1]] == "ROADM" or following[0] in used:
                        break
                    rows.append(following[0])
                if cities[-1] == city or self.kinds[cities[-1]] != "ROADM":
                    problem = "both ends of a line are one node; no link is made"
                    self.ledger.finding("self-loop", problem, "check the links", " → ".join(cities[:5]))
                    continue
                pair = LinePair(self._line(cities, rows), self._line(cities[::-1], rows[::-1]))
                differing(pair, self.ledger)
                found.append(pair)
        unused = [i for i in range(len(self.links)) if i not in used]
        if unused:
            problem = "links on no line between two ROADMs; they are left out"
            names = ", ".join(f"{self.links[i].a} ~ {self.links[i].z}" for i in unused[:3])
            self.ledger.finding("dangling element", problem, "check Type of the nodes", names, len(unused))
        return found

    def _line(self, cities: Sequence[str], rows: Sequence[int]) -> Line:
        """Return the elements along cities; `rows` are the links between them."""
        elements: list[Element] = []
        booster = self.amplifiers.get((cities[0], cities[1]))
        if booster is not None:
            elements.append(booster[0])
        for i, row in enumerate(rows):
            link = self.links[row]
            elements.append(link.east if link.a == cities[i] else link.west)
            if i + 1 < len(rows):
                elements.append(self._between(*cities[i : i + 3]))
        preamplifier = self.amplifiers.get((cities[-1], cities[-2]))
        if preamplifier is not None:
            elements.append(preamplifier[1])
        return Line(cities[0], cities[-1], tuple(elements))

    def _between(self, before: str, city: str, after: str) -> Element:
        """Return what a signal passes at an amplifier site or a fused site."""
        if self.kinds[city] == "FUSED":
            return Pass(f"fused spans in {city}")
        towards, back = self.amplifiers.get((city, after)), self.amplifiers.get((city, before))
        if towards is not None:
            return towards[0]
        return back[1] if back is not None else Amplifier(f"east edfa in {city}")
