"""Files of GNPy: topology JSON or a workbook, services, and equipment for own parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import DocumentError
from .cabling import Cabling
from .files import SourceFile
from .gnpy_cables import CableMaker
from .gnpy_equipment import Equipment, EquipmentReader, equipment_of, is_amplifier
from .gnpy_lines import LinePair
from .gnpy_services import SERVICE, ServiceReader, is_service_book, services_of
from .gnpy_sheets import SheetReader
from .gnpy_topology import TopologyReader, topology_of
from .ledger import Ledger
from .options import ImportOptions
from .workbooks import Workbook, book_of, has_sheets, is_workbook

SHEETS = ("Nodes", "Links")
ONLY_BESIDE = "services and equipment are read beside their topology; twin parts --from gnpy FILE reads equipment alone"
HINT = "a topology (elements and connections), or a workbook with the sheets Nodes and Links"


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether the files hold a topology, services or equipment of GNPy, and nothing else."""
    return all(_is_ours(file) for file in files)


def _is_ours(file: SourceFile) -> bool:
    if is_workbook(file):
        return has_sheets(file, *SHEETS) or is_service_book(file)
    if not file.looks_like_json:
        return False
    try:
        data = file.data
    except DocumentError:
        return False
    return any(part(data) is not None for part in (topology_of, services_of, equipment_of)) or is_amplifier(data)


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, options: ImportOptions) -> None:
    """Read one topology, and the services and equipment beside it.

    Raises:
        DocumentError: no topology or several, or a file that is none of GNPy's.
    """
    books = {file.where: book_of(file) for file in files if is_workbook(file)}
    texts = [file for file in files if file.where not in books]
    found = [file for file in files if _has_topology(file, books.get(file.where))]
    if len(found) != 1:
        problem = f"{len(found)} topologies" if found else "holds no topology"
        hint = "" if found else ONLY_BESIDE
        raise DocumentError(problem, where=(found or list(files))[0].where, expected=f"one: {HINT}", hint=hint)
    equipment = _equipment(texts, files, ledger)
    for part in options.parts:
        entry = part.model_dump(mode="json", exclude_defaults=True)
        equipment.parts.setdefault(f"{part.kind} {part.id}", entry)
    file, book = found[0], books.get(found[0].where)
    reader: SheetReader | TopologyReader
    aliases: dict[str, str] = {}
    if book is not None:
        reader = SheetReader(file, cabling, ledger)
        pairs = reader.read(book)
        roadms = frozenset(cabling.devices)
    else:
        reader = TopologyReader(file, cabling, ledger)
        pairs = reader.read(topology_of(file.data) or {})
        aliases = reader.aliases
        roadms = frozenset(key for key, kind in reader.terminals.items() if kind == "Roadm")
    services = _services(files, books, cabling, aliases, ledger)
    maker = CableMaker(cabling, equipment, reader.powers_dbm, roadms, ledger)
    for pair in pairs:
        maker.add(pair)
    named = reader.names if isinstance(reader, TopologyReader) else {}
    _name_transceivers(cabling, pairs, named, roadms, services, equipment, ledger)
    cabling.required_margin_db = equipment.margin_db


def _has_topology(file: SourceFile, book: Workbook | None) -> bool:
    return topology_of(file.data) is not None if book is None else set(SHEETS) & set(book.names) != set()


def _equipment(texts: Sequence[SourceFile], files: Sequence[SourceFile], ledger: Ledger) -> Equipment:
    reader = EquipmentReader(files, ledger)
    for file in texts:
        data = equipment_of(file.data)
        if data is not None:
            reader.read(data, file)
        elif topology_of(file.data) is None and services_of(file.data) is None and not is_amplifier(file.data):
            raise DocumentError("is no file of GNPy", where=file.where, expected="topology, services or equipment")
    return reader.equipment


def _services(
    files: Sequence[SourceFile], books: dict[str, Workbook], cabling: Cabling, aliases: dict[str, str], ledger: Ledger
) -> dict[tuple[str, str], str]:
    """Read the services of all files, and return the types of their transceivers by ends."""
    types: dict[tuple[str, str], str] = {}
    for file in files:
        reader = ServiceReader(file, cabling, aliases, ledger)
        book = books.get(file.where)
        if book is not None:
            if SERVICE in book.names:
                reader.read_sheet(book)
        elif (services := services_of(file.data)) is not None:
            reader.read_requests(services)
        types |= reader.types
    return types


def _name_transceivers(
    cabling: Cabling,
    pairs: Sequence[LinePair],
    named: Mapping[str, Sequence[str]],
    roadms: frozenset[str],
    types: dict[tuple[str, str], str],
    equipment: Equipment,
    ledger: Ledger,
) -> None:
    """Name the transceivers of lines between two of them, where an export or a service states their type."""
    for pair, cable in zip(pairs, cabling.cables, strict=True):
        ends = pair.line.source, pair.line.target
        first = pair.line.elements[0].key if pair.line.elements else ""
        name = named.get(first, ("", ""))[1] or types.get((min(ends), max(ends)))
        if not name or not roadms.isdisjoint(ends):
            continue
        part = equipment.part("transceiver", name)
        if part is None:
            effect = "transceivers of a line: no equipment file states their figures"
            ledger.dropped("services.trx_type", effect, " → ".join(ends))
            continue
        cabling.parts.setdefault(part["id"], part)
        cable.optics["transceiver"] = part["id"]
        ledger.converted("services.trx_type", "transceiver of the line between its ends")
