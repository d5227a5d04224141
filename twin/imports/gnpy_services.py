"""Services of GNPy as demands: path requests in JSON, or the sheet Service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from ..errors import DocumentError
from .cabling import Cabling, StatedDemand
from .demands import MAX_OFFERED_GBPS
from .fields import Fields, unknown_end
from .files import SourceFile, records_of
from .gnpy_figures import below
from .gnpy_sheets import table_of
from .ledger import Ledger
from .workbooks import Workbook, book_of, is_workbook

SERVICE_COLUMNS = {
    "route id": "id", "source": "source", "destination": "destination", "trx type": "trx_type", "mode": "trx_mode",
    "system: spacing": "spacing", "system: input power (dbm)": "power", "system: nb of channels": "channels",
    "routing: disjoint from": "disjoint", "routing: path": "path", "routing: is loose?": "loose",
    "path bandwidth": "path_bandwidth",
}  # fmt: skip
SERVICE = "Service"
MAX_HEADER_ROW = 20
ROUTE = "route that the service must take; traffic takes shortest paths"
CHANNEL = "channel of the service; a path through ROADMs is not modelled"
EFFECTS = {
    "explicit-route-objects": ROUTE,
    "path": ROUTE,
    "loose": ROUTE,
    "disjoint": "services that share no link",
    "synchronization": "services that share no link",
} | dict.fromkeys(
    ("trx_type", "trx_mode", "spacing", "power", "channels", "output-power", "tx_power", "max-nb-of-channel",
     "effective-freq-slot", "technology"), CHANNEL
)  # fmt: skip
ONE_WAY = ("direction of a service", "from source to destination", "the sheet states none", "demands")


def services_of(data: Any) -> Mapping[str, Any] | None:
    """Return the services in the data of a file, also below their YANG name; None for anything else."""
    inner = below(data, "gnpy-path-computation:services")
    return inner if inner is not None and isinstance(inner.get("path-request"), list) else None


def is_service_book(file: SourceFile) -> bool:
    """Return whether a file is a workbook with the sheet Service of GNPy; it never raises for the content."""
    try:
        if not is_workbook(file) or SERVICE not in (book := book_of(file)).names:
            return False
        first = islice(book.rows(SERVICE), MAX_HEADER_ROW)
        return any({"source", "trx type"} <= {cell.lower() for cell in row.cells} for row in first)
    except DocumentError:
        return False


class ServiceReader:
    """Reads services between the nodes of a cabling."""

    def __init__(self, file: SourceFile, cabling: Cabling, aliases: Mapping[str, str], ledger: Ledger) -> None:
        self.file, self.cabling, self.aliases, self.ledger = file, cabling, aliases, ledger
        self.types: dict[tuple[str, str], str] = {}
        """Ends in ascending order -> type of the transceivers of a service between them."""

    def read_requests(self, services: Mapping[str, Any]) -> None:
        """Add the demands of path requests."""
        for i, record in enumerate(records_of(services["path-request"], f"{self.file.where}: path-request")):
            fields = Fields(record, "services", f"path-request[{i}]", self.ledger)
            constraints = fields.raw("path-constraints")
            inner = constraints.get("te-bandwidth") if isinstance(constraints, dict) else None
            flat = {
                "id": record.get("request-id"),
                "source": record.get("source"),
                "destination": record.get("destination"),
                "bidirectional": record.get("bidirectional"),
                "explicit-route-objects": record.get("explicit-route-objects"),
            } | (inner if isinstance(inner, dict) else {})
            self._service(Fields(flat, "services", f"path-request[{i}]", self.ledger), "b/s → Gb/s", 1e-9)
        listed = services.get("synchronization")
        if listed:
            n = len(listed) if isinstance(listed, list) else 1
            self.ledger.dropped("synchronization", EFFECTS["synchronization"], self.file.name, n)

    def read_sheet(self, book: Workbook) -> None:
        """Add the demands of the sheet Service."""
        for place, record in table_of(book, "Service", SERVICE_COLUMNS, "source", "destination"):
            fields = Fields(record, "Service", place, self.ledger)
            self.ledger.assumed(*ONE_WAY, place)
            self._service(fields, "", 1.0)

    def _service(self, fields: Fields, conversion: str, factor: float) -> None:
        ends = [self._node(fields, name) for name in ("source", "destination")]
        name = fields.text("id") or f"{ends[0]}→{ends[1]}"
        offered_gbps = fields.number("path_bandwidth", 0, MAX_OFFERED_GBPS, conversion, factor)
        both_ways = fields.flag("bidirectional")
        if None in ends:
            return
        a, b = (str(end) for end in ends)
        kind = fields.record.get("trx_type")
        if isinstance(kind, str) and kind:
            self.types.setdefault((min(a, b), max(a, b)), kind)
        fields.close(EFFECTS)
        if offered_gbps is None:
            problem = "service left out: no path bandwidth"
            self.ledger.finding("bad value", problem, "state path_bandwidth", fields.place)
            return
        source = fields.source(self.file.name, name)
        self.cabling.demands.append(StatedDemand(name, a, b, offered_gbps, source))
        if both_ways:
            self.cabling.demands.append(StatedDemand(f"{name} back", b, a, offered_gbps, source))
            self.ledger.converted("services.bidirectional", "one service → two demands")

    def _node(self, fields: Fields, name: str) -> str | None:
        """Return the node of an end; None, with a finding, for an unknown one."""
        text = fields.text(name)
        for key in self._names(text):
            if key in self.aliases:
                return self.aliases[key]
            if key in self.cabling.devices:
                return key
        unknown_end(self.ledger, fields.place, text)
        return None

    def _names(self, text: str) -> Iterator[str]:
        yield text
        yield f"trx {text}"
        yield f"roadm {text}"
        yield text.removeprefix("trx ")
        yield text.removeprefix("roadm ")
