"""Equipment file of GNPy: own parts for amplifiers, fibres and transceivers, and settings of lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ..catalogue import Part
from ..errors import DocumentError
from ..errors.validation import issues_by_place
from .fields import Fields, plain
from .files import SourceFile, records_of
from .gnpy_amplifiers import amplifier_entries
from .gnpy_figures import FIBRE_FIGURES, below, fibre_part, own_id
from .gnpy_transceivers import transceiver_entry
from .ledger import Ledger
from .quantities import finite

LISTS = ("Edfa", "Fiber", "RamanFiber", "Span", "Roadm", "SI", "Transceiver")
MAX_PARTS = 5000
MAX_EXTENDED_DB = 10.0


@dataclass(slots=True)
class Equipment:
    """Parts and settings of equipment files."""

    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Own parts as plain data of a document, by the name that the files give them and their kind: `kind name`."""
    left_out: set[str] = field(default_factory=set)
    """Amplifiers that a file states, but not with figures that make a part."""
    con_in_db: float | None = None
    con_out_db: float | None = None
    power_dbm: float | None = None
    """Reference power per channel into a fibre."""
    roadm_dbm: float | None = None
    """Power per channel at the output of a ROADM that states none."""
    n_channels: int | None = None
    margin_db: float | None = None

    def part(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return a part by kind and name; None for one that no file states."""
        return self.parts.get(f"{kind} {name}")


def equipment_of(data: Any) -> Mapping[str, Any] | None:
    """Return the equipment in the data of a file, also below its YANG name; None for anything else."""
    inner = below(data, "gnpy-eqpt-config:equipment")
    return inner if inner is not None and any(isinstance(inner.get(name), list) for name in LISTS) else None


def read_parts(files: Sequence[SourceFile], ledger: Ledger) -> list[Part]:
    """Return the parts of equipment files.

    Raises DocumentError for a broken file, or if none is equipment.
    """
    reader = EquipmentReader(files, ledger)
    others = []
    for file in files:
        data = equipment_of(file.data) if file.looks_like_json or len(files) == 1 else None
        if data is not None:
            reader.read(data, file)
        elif not file.looks_like_json or not is_amplifier(file.data):
            others.append(file)
    if len(others) == len(files):
        where = others[0].where
        raise DocumentError("is no equipment file of GNPy", where=where, expected=f"lists {', '.join(LISTS)}")
    for file in others:
        ledger.dropped("file", "no equipment of GNPy", file.name)
    return [Part.model_validate(entry) for entry in reader.equipment.parts.values()]


def is_amplifier(data: Any) -> bool:
    """Return whether a file holds the polynomials of one amplifier, which an equipment file names."""
    return isinstance(data, dict) and "nf_fit_coeff" in data


class EquipmentReader:
    """Reads equipment files into one `Equipment`."""

    def __init__(self, files: Sequence[SourceFile], ledger: Ledger) -> None:
        """Prepare to read.

        Args:
            files: all files that the user named; amplifier files that equipment names are looked for among them.
            ledger: counts of the import.
        """
        self.files, self.ledger = files, ledger
        self.equipment = Equipment()

    def read(self, data: Mapping[str, Any], file: SourceFile) -> Equipment:
        """Add the parts and settings of a file.

        Raises:
            DocumentError: a list that holds anything but objects, or too many parts.
        """
        source = f"GNPy equipment file {plain(file.name)}"
        lists = {name: records_of(data.get(name, []), f"{file.where}: {name}") for name in LISTS}
        if sum(len(records) for records in lists.values()) > MAX_PARTS:
            raise DocumentError("too many parts", where=file.where, expected=f"at most {MAX_PARTS:,}")
        for i, record in enumerate(lists["Fiber"]):
            self._add(fibre_entry(self._fields(record, "Fiber", i), source, self.ledger))
        extended_db = self._extended_db(lists["Span"])
        for entry in amplifier_entries(lists["Edfa"], source, self.files, self.ledger, extended_db):
            self._add(entry)
        names = {plain(name) for record in lists["Edfa"] if isinstance(name := record.get("type_variety"), str)}
        self.equipment.left_out |= {name for name in names if self.equipment.part("amplifier", name) is None}
        for i, record in enumerate(lists["Transceiver"]):
            self._add(transceiver_entry(self._fields(record, "Transceiver", i), source, self.ledger))
        if lists["RamanFiber"]:
            effect = "Raman amplification in the fibre"
            self.ledger.dropped("RamanFiber", effect, file.name, len(lists["RamanFiber"]))
        self._settings(lists)
        return self.equipment

    def _extended_db(self, spans: Sequence[Mapping[str, Any]]) -> float:
        """Return how much more gain than flat gain the design uses."""
        value = finite(spans[0].get("target_extended_gain")) if spans else None
        if value is None or not 0 < value <= MAX_EXTENDED_DB:
            return 0.0
        self.ledger.converted("Span.target_extended_gain", "with gain_flatmax → max_gain_db")
        return value

    def _fields(self, record: Mapping[str, Any], kind: str, i: int) -> Fields:
        return Fields(record, kind, f"{kind}[{i}]", self.ledger)

    def _add(self, entry: dict[str, Any] | None) -> None:
        """Add a part after a check of its figures; one that is refused, or stands twice, is a finding."""
        if entry is None:
            return
        key = f"{entry['kind']} {entry['id']}"
        if key in self.equipment.parts:
            problem = "only the first part of a name is used"
            self.ledger.finding("duplicate id", problem, "make type_variety unique", key)
            return
        name = entry["id"]
        entry["id"] = own_id(name, {each["id"] for each in self.equipment.parts.values()})
        if entry["id"] != name:
            self.ledger.converted("type_variety", "the catalogue has a part of this id, or it cannot be one → own id")
        try:
            Part.model_validate(entry)
        except ValidationError as error:
            faults = "; ".join(f"{issue.where}: {issue.problem}" for issue in issues_by_place(error, "")[:3])
            self.ledger.finding("bad part", f"a part is left out: {faults[:300]}", "correct its figures", key)
            return
        self.equipment.parts[key] = entry

    def _settings(self, lists: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        found = self.equipment
        for record in lists["Span"][:1]:
            fields = self._fields(record, "Span", 0)
            fields.skip("target_extended_gain")
            found.con_in_db, found.con_out_db = fields.number("con_in", 0, 100), fields.number("con_out", 0, 100)
            fields.close(dict.fromkeys(record, "only the design of GNPy uses it"))
        for record in lists["SI"][:1]:
            fields = self._fields(record, "SI", 0)
            found.power_dbm = fields.number("power_dbm", -30, 10)
            found.margin_db = fields.number("sys_margins", -20, 30)
            found.n_channels = _n_channels(fields)
            fields.close(dict.fromkeys(record, "only the design of GNPy uses it"))
        for record in lists["Roadm"]:
            if "type_variety" not in record or record["type_variety"] == "default":
                fields = self._fields(record, "Roadm", 0)
                found.roadm_dbm = fields.number("target_pch_out_db", -60, 30)
                fields.close(dict.fromkeys(record, "noise and loss of a path through a ROADM, which is not modelled"))


def _n_channels(fields: Fields) -> int | None:
    """Return how many channels a line is designed for: those of the spacing in the band."""
    low, high, spacing = (finite(fields.raw(name)) for name in ("f_min", "f_max", "spacing"))
    if low is None or high is None or spacing is None or spacing <= 0 or high <= low:
        return None
    n = int((high - low) / spacing + 1e-9) + 1  # both ends of the band are centres of channels
    if not 1 <= n <= 10_000:
        return None
    fields.count("spacing", "band over spacing → n_design_channels")
    return n


def fibre_entry(fields: Fields, source: str, ledger: Ledger) -> dict[str, Any] | None:
    """Return a fibre as plain data of a part; None for one without a name."""
    name = fields.text("type_variety")
    if not name:
        ledger.finding("bad value", "a fibre without a type_variety is left out", "name it", fields.place)
        return None
    stated = {
        figure: value
        for gnpy, (figure, conversion, factor, low, high) in FIBRE_FIGURES.items()
        if (value := fields.number(gnpy, low, high, conversion, factor)) is not None
    }
    fields.close()
    return fibre_part(name, stated, source, ledger, fields.place)
