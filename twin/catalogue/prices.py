"""The price book: prices of parts, rent, fibre and electricity; placeholders until a user replaces them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError, field_validator

from twin.errors import CatalogueError, DocumentError, Issue, did_you_mean
from twin.errors.validation import issues_by_place
from twin.errors.wording import counted, type_text
from twin.printable import text_problem
from twin.units import unit_of

from .parts import catalogue, read_figure
from .records import Figure, Kind, Part, Record
from .sheets import FIGURE_KEYS, read_sheet

PRICE_SHEET = "prices.yaml"
PRICED_KINDS: tuple[Kind, ...] = (
    *("accelerator", "amplifier", "card", "mux", "protection", "server", "switch", "transceiver"),
)
GROUPS: dict[str, tuple[Kind, ...]] = {
    "part_usd": PRICED_KINDS,
    "rent_usd_per_accelerator_hour": ("accelerator",),
    "labour_h": (),
}
"""Groups of prices by part, with the kinds of the parts. `labour_h` is by kind of part."""
SCALARS = (
    "fibre_lease_usd_per_mile_pair_month",
    "fibre_install_usd_per_km",
    "electricity_usd_per_mwh",
    "maintenance_ratio_per_year",
    "discount_ratio_per_year",
    "horizon_years",
    "labour_usd_per_hour",
    "equipment_lifetime_years",
    "fibre_lifetime_years",
)
HEADER_KEYS = ("name", "version", "date", "currency", "placeholder", "sources", "books")
USER_BOOK = "user price book"
USER_SOURCE = {"source": USER_BOOK, "status": "estimate"}


class PriceBook(Record):
    """Prices as figures; `placeholder_items` are the entries that no user has replaced."""

    name: str
    version: str = ""
    date: str = ""
    """Day or year of the book."""
    placeholder_items: frozenset[str]
    books: dict[str, str]
    """Label of the book that each entry is from, by item: `part_usd.400ZR`, `horizon_years`."""
    part_usd: dict[str, Figure]
    rent_usd_per_accelerator_hour: dict[str, Figure]
    labour_h: dict[str, Figure]
    """Hours of labour to install one piece, by kind of part."""
    fibre_lease_usd_per_mile_pair_month: Figure
    fibre_install_usd_per_km: Figure
    """Per km of route, with ducts and cable."""
    electricity_usd_per_mwh: Figure
    maintenance_ratio_per_year: Figure
    """Share of the purchase price per year."""
    discount_ratio_per_year: Figure
    horizon_years: Figure
    """Depreciation period of purchases."""
    labour_usd_per_hour: Figure
    equipment_lifetime_years: Figure
    """Time over which parts lose their value in a straight line."""
    fibre_lifetime_years: Figure
    """Time over which laid fibre loses its value in a straight line."""

    @field_validator("horizon_years", "equipment_lifetime_years", "fibre_lifetime_years")
    @classmethod
    def _has_length(cls, years: Figure) -> Figure:
        if years.low <= 0.0:
            raise ValueError("a horizon or lifetime is longer than zero years")
        return years

    @property
    def placeholder(self) -> bool:
        """Whether any entry is a shipped placeholder."""
        return bool(self.placeholder_items)

    def entry(self, group: str, part_id: str) -> Figure:
        """Return the price of a part in a group (`part_usd`, `rent_usd_per_accelerator_hour`, `labour_h`).

        Raises CatalogueError, with similar names, for a part without a price.
        """
        entries: Mapping[str, Figure] = getattr(self, group)
        figure = entries.get(part_id)
        if figure is None:
            raise CatalogueError(
                f"no price for {part_id!r}",
                where=f"price book {self.name!r}, {group}",
                expected=f"one of {', '.join(sorted(entries))}",
                hint=did_you_mean(part_id, entries) or f"add it under {group} in a price book of your own",
            )
        return figure

    def digest(self) -> str:
        """Return the SHA-256 of the content; the order of entries does not matter."""
        content = self.model_dump(mode="json")
        content["placeholder_items"] = sorted(self.placeholder_items)
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


def load_price_book(
    user: Mapping[str, Any] | None = None, *, where: str = "price book", own_parts: Iterable[Part] = ()
) -> PriceBook:
    """Return the shipped price book with the entries of a user.

    Args:
        user: partial mapping of prices. An entry is a number, a Figure, or a short figure as in the shipped file.
        where: name of the user's book, for messages.
        own_parts: parts of the user beside the catalogue, which may have prices too.

    Raises:
        DocumentError: all faults of the user's book.
    """
    shipped = _shipped()
    if user is None:
        return shipped
    if not isinstance(user, Mapping):
        raise DocumentError(f"a price book is a mapping, found {type_text(user)}", where=where)
    entries, faults = _flatten(user, where, own_parts)
    figures: dict[tuple[str, ...], Figure] = {}
    sources = user.get("sources") if isinstance(user.get("sources"), Mapping) else {}
    for path, given in entries.items():
        try:
            place = f"{where}: {'.'.join(path)}"
            given = _without_unit(given, path[0], place)
            figures[path] = _user_figure(given, sources or {}, place, shipped.horizon_years.as_of)
        except DocumentError as error:
            faults.extend(error.issues)
    faults.extend(_header_issues(user, where))
    if faults:
        raise DocumentError(f"{counted(len(faults), 'fault')} in the price book", where=where, found=faults)
    return _with_user_figures(shipped, figures, user, where)


@cache
def _shipped() -> PriceBook:
    sheet = read_sheet(PRICE_SHEET)
    entries, faults = _flatten(sheet, PRICE_SHEET)
    if faults:
        raise DocumentError("the shipped price book does not hold", where=PRICE_SHEET, found=faults)
    content: dict[str, Any] = {key: sheet[key] for key in ("name", "version", "date")}
    content |= {group: {} for group in GROUPS}
    for path, short_figure in entries.items():
        figure = read_figure(short_figure, sheet["sources"], f"{PRICE_SHEET}: {'.'.join(path)}")
        _set_figure(content, path, figure)
    placeholders = frozenset(".".join(path) for path in entries) if sheet["placeholder"] else frozenset[str]()
    books = dict.fromkeys((".".join(path) for path in entries), book_label(sheet))
    return PriceBook(placeholder_items=placeholders, books=books, **content)


def _flatten(
    book: Mapping[str, Any], where: str, own_parts: Iterable[Part] = ()
) -> tuple[dict[tuple[str, ...], Any], list[Issue]]:
    """Return entries by path, `(group, part id)` or `(scalar,)`, and issues for unknown keys."""
    entries: dict[tuple[str, ...], Any] = {}
    faults: list[Issue] = []
    known = (*HEADER_KEYS, *GROUPS, *SCALARS)
    for key, given in book.items():
        if key in SCALARS:
            entries[(key,)] = given
        elif key in GROUPS:
            priced: list[str] = [part.id for kind in GROUPS[key] for part in catalogue().parts(kind)]
            priced += [part.id for part in own_parts if part.kind in GROUPS[key]]
            priced = priced or list(PRICED_KINDS)
            faults.extend(_flatten_group(key, given, where, entries, priced))
        elif key not in HEADER_KEYS:
            hint = did_you_mean(str(key), known) or f"known: {', '.join(known)}"
            faults.append(Issue(where, f"unknown key {key!r}", hint))
    return entries, faults


def _flatten_group(
    group: str, given: object, where: str, entries: dict[tuple[str, ...], Any], known: Sequence[str]
) -> list[Issue]:
    if not isinstance(given, Mapping):
        return [Issue(f"{where}: {group}", f"a mapping from part to price, got {given!r}"[:200])]
    faults = []
    for part_id, price in given.items():
        if part_id in known:
            entries[(group, part_id)] = price
        else:
            hint = did_you_mean(str(part_id), known) or f"priced: {', '.join(known)}"
            faults.append(Issue(f"{where}: {group}", f"unknown part {part_id!r}", hint))
    return faults


def price_unit(name: str) -> str:
    """Return the unit of an entry of the book: `USD/km`, and `USD/piece` for parts."""
    return "USD/piece" if name == "part_usd" else "h/piece" if name == "labour_h" else unit_of(name) or ""


def _without_unit(given: object, name: str, where: str) -> object:
    """Return an entry without its `unit`. Raises DocumentError for another unit than that of the price."""
    if not isinstance(given, Mapping) or "unit" not in given:
        return given
    unit, known = given["unit"], price_unit(name)
    if not isinstance(unit, str) or unit.replace(" ", "").casefold() != known.casefold():
        raise DocumentError(f"unit {unit!r}"[:200], where=where, hint=f"state the price in {known}")
    return {key: value for key, value in given.items() if key != "unit"}


def _user_figure(given: object, sources: Mapping[str, Any], where: str, as_of: str) -> Figure:
    """Convert a user's price to a Figure; a plain number is exact and has the date of the shipped book."""
    if isinstance(given, Figure):
        figure = given
    elif isinstance(given, Mapping):
        unknown = [str(key) for key in given if key not in FIGURE_KEYS]
        if unknown:
            hint = did_you_mean(unknown[0], FIGURE_KEYS) or f"known: {', '.join(FIGURE_KEYS)}"
            raise DocumentError(f"unknown key {unknown[0]!r}", where=where, hint=hint)
        base = {} if "from" in given else {**USER_SOURCE, "as_of": as_of}
        figure = read_figure({**base, **given}, sources, where)
    elif isinstance(given, bool) or not isinstance(given, int | float):
        raise DocumentError(f"a price is a number or a figure, got {given!r}"[:200], where=where)
    else:
        figure = read_figure({**USER_SOURCE, "as_of": as_of, "value": given}, sources, where)
    if figure.low < 0.0:
        raise DocumentError(f"a price is not negative, got {figure.low:g}", where=where)
    return figure


def _header_issues(user: Mapping[str, Any], where: str) -> list[Issue]:
    expected = {
        "name": (str, "a text"),
        "version": (str | int | float, "a text or number"),
        "date": (str | int, "a day or year, as text"),
        "placeholder": (bool, "true or false"),
        "sources": (Mapping, "a mapping"),
        "books": (Mapping, "a mapping from items to names of books"),
    }
    faults = [
        Issue(f"{where}: {key}", f"is {text}, got {user[key]!r}"[:200])
        for key, (kind, text) in expected.items()
        if key in user and not isinstance(user[key], kind)
    ]
    shown = {key: user.get(key) for key in ("name", "version", "date")}
    books = user.get("books")
    shown |= {f"books.{item}": book for item, book in books.items()} if isinstance(books, Mapping) else {}
    faults += [
        Issue(f"{where}: {key}", problem)
        for key, text in shown.items()
        if isinstance(text, str) and (problem := text_problem(text))
    ]
    if user.get("currency", "USD") != "USD":
        faults.append(Issue(f"{where}: currency", f"{user['currency']!r}"[:200], "convert the prices to USD"))
    return faults


def book_label(book: Mapping[str, Any]) -> str:
    """Return the name of a book with its version and date, as answers show it."""
    name = str(book.get("name") or USER_BOOK)
    version, day = (str(book.get(key) or "") for key in ("version", "date"))
    return name + (f" {version}" if version else "") + (f", {day}" if day else "")


def merge_price_books(base: Mapping[str, Any], user: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two price books. Entries of `user` replace those of `base`, one by one within groups of parts.

    `books` of the result names the book of each entry that is still that of `base`.
    """
    merged = {**base, **user}
    for group in (*GROUPS, "sources"):
        if isinstance(base.get(group), Mapping) and isinstance(user.get(group), Mapping):
            merged[group] = {**base[group], **user[group]}
    if not base:
        return merged
    label, own = book_label(base), set(_items(user))
    known = {**dict.fromkeys(_items(base), label), **base.get("books", {}), **user.get("books", {})}
    books = {item: book for item, book in known.items() if item not in own or item in user.get("books", {})}
    header = {key: user[key] for key in ("name", "version", "date") if key in user}
    kept = {key: value for key, value in merged.items() if key not in ("name", "version", "date", "books")}
    return {"name": USER_BOOK, **header, **kept, "books": books}


def _items(book: Mapping[str, Any]) -> Iterator[str]:
    """Yield the items of a book that is not checked yet."""
    for key, given in book.items():
        if key in GROUPS:
            yield from (f"{key}.{part}" for part in given) if isinstance(given, Mapping) else ()
        elif key in SCALARS:
            yield key


def _with_user_figures(
    shipped: PriceBook, figures: Mapping[tuple[str, ...], Figure], user: Mapping[str, Any], where: str
) -> PriceBook:
    """Return the shipped book with the user's figures; with `placeholder: true` they stay placeholders."""
    content: dict[str, Any] = {name: getattr(shipped, name) for name in SCALARS}
    content.update({group: dict(getattr(shipped, group)) for group in GROUPS})
    for path, figure in figures.items():
        _set_figure(content, path, figure)
    replaced = set() if user.get("placeholder", False) else {".".join(path) for path in figures}
    stated = {key: str(user[key]) for key in ("name", "version", "date") if key in user}
    items = dict.fromkeys((".".join(path) for path in figures), book_label(user))
    books = {**shipped.books, **items, **{item: str(book) for item, book in user.get("books", {}).items()}}
    header: dict[str, Any] = {"name": USER_BOOK, **stated, "books": books}
    try:
        return PriceBook(placeholder_items=shipped.placeholder_items - replaced, **header, **content)
    except ValidationError as error:
        faults = issues_by_place(error, f"{where}: ")
        raise DocumentError("a price does not hold", where=where, found=faults) from error


def _set_figure(content: dict[str, Any], path: tuple[str, ...], figure: Figure) -> None:
    if len(path) == 1:
        content[path[0]] = figure
    else:
        content[path[0]][path[1]] = figure
