"""The price book: prices of parts, rent, fibre and electricity; placeholders until a user replaces them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError, field_validator

from twin.errors import CatalogueError, DocumentError, Issue, did_you_mean
from twin.errors.validation import issues_by_place
from twin.errors.wording import counted, type_text

from .parts import catalogue, read_figure
from .records import Figure, Kind, Part, Record
from .sheets import FIGURE_KEYS, read_sheet

PRICE_SHEET = "prices.yaml"
PRICED_KINDS: tuple[Kind, ...] = (
    *("accelerator", "amplifier", "card", "mux", "protection", "server", "switch", "transceiver"),
)
GROUPS: dict[str, tuple[Kind, ...]] = {"part_usd": PRICED_KINDS, "rent_usd_per_accelerator_hour": ("accelerator",)}
SCALARS = (
    "fibre_lease_usd_per_mile_pair_month",
    "fibre_install_usd_per_km",
    "electricity_usd_per_mwh",
    "maintenance_ratio_per_year",
    "discount_ratio_per_year",
    "horizon_years",
)
HEADER_KEYS = ("name", "placeholder", "sources")
USER_SOURCE = {"source": "user price book", "status": "estimate"}


class PriceBook(Record):
    """Prices as figures; `placeholder_items` are the entries that no user has replaced."""

    name: str
    placeholder_items: frozenset[str]
    part_usd: dict[str, Figure]
    rent_usd_per_accelerator_hour: dict[str, Figure]
    fibre_lease_usd_per_mile_pair_month: Figure
    fibre_install_usd_per_km: Figure
    """Per km of route, with ducts and cable."""
    electricity_usd_per_mwh: Figure
    maintenance_ratio_per_year: Figure
    """Share of the purchase price per year."""
    discount_ratio_per_year: Figure
    horizon_years: Figure
    """Depreciation period of purchases."""

    @field_validator("horizon_years")
    @classmethod
    def _horizon_has_length(cls, horizon_years: Figure) -> Figure:
        if horizon_years.low <= 0.0:
            raise ValueError("a horizon is longer than zero years")
        return horizon_years

    @property
    def placeholder(self) -> bool:
        """Whether any entry is a shipped placeholder."""
        return bool(self.placeholder_items)

    def entry(self, group: str, part_id: str) -> Figure:
        """Return the price of a part in a group (`part_usd`, `rent_usd_per_accelerator_hour`).

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
            figures[path] = _user_figure(
                given, sources or {}, f"{where}: {'.'.join(path)}", shipped.horizon_years.as_of
            )
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
    content: dict[str, Any] = {"name": sheet["name"], **{group: {} for group in GROUPS}}
    for path, short_figure in entries.items():
        figure = read_figure(short_figure, sheet["sources"], f"{PRICE_SHEET}: {'.'.join(path)}")
        _set_figure(content, path, figure)
    placeholders = frozenset(".".join(path) for path in entries) if sheet["placeholder"] else frozenset[str]()
    return PriceBook(placeholder_items=placeholders, **content)


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
            priced = [part.id for kind in GROUPS[key] for part in catalogue().parts(kind)]
            priced += [part.id for part in own_parts if part.kind in GROUPS[key]]
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
    expected = {"name": (str, "a text"), "placeholder": (bool, "true or false"), "sources": (Mapping, "a mapping")}
    return [
        Issue(f"{where}: {key}", f"is {text}, got {user[key]!r}"[:200])
        for key, (kind, text) in expected.items()
        if key in user and not isinstance(user[key], kind)
    ]


def _with_user_figures(
    shipped: PriceBook, figures: Mapping[tuple[str, ...], Figure], user: Mapping[str, Any], where: str
) -> PriceBook:
    """Return the shipped book with the user's figures; with `placeholder: true` they stay placeholders."""
    content: dict[str, Any] = {name: getattr(shipped, name) for name in SCALARS}
    content.update({group: dict(getattr(shipped, group)) for group in GROUPS})
    for path, figure in figures.items():
        _set_figure(content, path, figure)
    replaced = set() if user.get("placeholder", False) else {".".join(path) for path in figures}
    name = user.get("name", "user price book")
    try:
        return PriceBook(name=name, placeholder_items=shipped.placeholder_items - replaced, **content)
    except ValidationError as error:
        faults = issues_by_place(error, f"{where}: ")
        raise DocumentError("a price does not hold", where=where, found=faults) from error


def _set_figure(content: dict[str, Any], path: tuple[str, ...], figure: Figure) -> None:
    if len(path) == 1:
        content[path[0]] = figure
    else:
        content[path[0]][path[1]] = figure
