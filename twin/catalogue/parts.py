"""The catalogue of parts, read from the YAML sheets of this package on first use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from twin.errors import CatalogueError, DocumentError, did_you_mean
from twin.errors.validation import issues_by_place
from twin.units import unit_of

from .records import KINDS, Figure, Kind, Part
from .sheets import full_figure, read_sheet

PART_SHEETS = (
    *("parts_optics.yaml", "parts_single_mode.yaml", "parts_short_reach.yaml"),
    *("parts_switches.yaml", "parts_boxes.yaml", "parts_accelerators.yaml", "parts_servers.yaml"),
)
GENERAL_SHEET = "general.yaml"
GENERAL = "general"
"""Name of the figures that belong to no part, used as part name or kind."""


class Catalogue:
    """Parts by id, and general figures that belong to no part; ids are unique across kinds."""

    def __init__(
        self,
        parts: Iterable[Part],
        general: Mapping[str, Figure],
        subjects: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        self._parts: dict[str, Part] = {}
        for part in parts:
            if part.id in self._parts:
                raise CatalogueError(f"part {part.id!r} is listed twice", where="catalogue")
            self._parts[part.id] = part
        self._ordered = tuple(sorted(self._parts.values(), key=lambda part: (part.kind, part.id)))
        self.general: dict[str, Figure] = dict(sorted(general.items()))
        self.subjects = {subject: tuple(names) for subject, names in (subjects or {GENERAL: self.general}).items()}
        """Names of the general figures by subject, in the order of the sheet."""
        self._digest = ""
        self._check()

    def _check(self) -> None:
        for part in self._ordered:
            if part.fec is not None:
                self.get(part.fec, "fec")
            if part.card is not None:
                check_ports_of_server(part, self.get(part.card, "card"))
        without_unit = [name for name in self.general if unit_of(name) is None]
        if without_unit:
            raise CatalogueError(
                f"general figures without a unit in their name: {', '.join(without_unit)}", where="catalogue"
            )

    def get(self, part_id: str, kind: Kind | None = None) -> Part:
        """Return the part of an id. Raises CatalogueError, with similar names, for an unknown id or another kind."""
        part = self._parts.get(part_id)
        if part is None:
            known = [item.id for item in self.parts(kind)]
            hint = did_you_mean(part_id, known) or did_you_mean(part_id, self._parts)
            raise CatalogueError(
                f"unknown {kind or 'part'} {part_id!r}",
                where="catalogue",
                expected=f"one of {', '.join(known)}",
                hint=hint,
            )
        if kind is not None and part.kind != kind:
            raise CatalogueError(
                f"{part_id!r} is of kind {part.kind}",
                where="catalogue",
                expected=f"a part of kind {kind}: {', '.join(item.id for item in self.parts(kind))}",
            )
        return part

    def has(self, part_id: str | None, kind: Kind) -> bool:
        """Tell whether there is a part of an id and a kind."""
        part = self._parts.get(part_id or "")
        return part is not None and part.kind == kind

    def with_parts(self, parts: Iterable[Part]) -> Catalogue:
        """Return a catalogue with additional parts. Raises CatalogueError for a duplicate id."""
        return Catalogue((*self._ordered, *parts), self.general, self.subjects)

    def parts(self, kind: Kind | None = None) -> tuple[Part, ...]:
        """Return all parts, or those of one kind, sorted by kind and id."""
        if kind is not None and kind not in KINDS:
            raise CatalogueError(
                f"unknown kind {kind!r}",
                where="catalogue",
                expected=f"one of {', '.join(KINDS)}",
                hint=did_you_mean(kind, KINDS),
            )
        return self._ordered if kind is None else tuple(part for part in self._ordered if part.kind == kind)

    def search(self, text: str, kind: Kind | None = None) -> tuple[Part, ...]:
        """Return parts with a text in id, name or note; case is ignored."""
        text_folded = text.casefold()
        return tuple(p for p in self.parts(kind) if text_folded in "\n".join((p.id, p.name, p.note)).casefold())

    def search_general(self, text: str) -> dict[str, tuple[str, ...]]:
        """Return names of general figures by subject, with a text in subject, name or source; case is ignored."""
        text_folded = text.casefold()
        matches = {
            subject: tuple(
                name
                for name in names
                if text_folded in "\n".join((subject, name, self.general[name].source)).casefold()
            )
            for subject, names in self.subjects.items()
        }
        return {subject: names for subject, names in matches.items() if names}

    def general_named(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return the name of one general figure under its subject. Raises CatalogueError for an unknown name."""
        self.general_figure(name)
        return {subject: (name,) for subject, names in self.subjects.items() if name in names}

    def general_rows(self, subjects: Mapping[str, Iterable[str]]) -> list[dict[str, Any]]:
        """Return general figures as plain data: subject, name, unit and the fields of the figure."""
        return [
            {"subject": subject, "name": name, "unit": unit_of(name), **self.general[name].model_dump(mode="json")}
            for subject, names in subjects.items()
            for name in names
        ]

    def general_figure(self, name: str) -> Figure:
        """Return the general figure of a name. Raises CatalogueError with the known names."""
        figure = self.general.get(name)
        if figure is None:
            raise CatalogueError(
                f"no general figure {name!r}",
                where="catalogue",
                expected=f"one of {', '.join(self.general)}",
                hint=did_you_mean(name, self.general),
            )
        return figure

    def digest(self) -> str:
        """Return the SHA-256 of the content; the order of the sheets does not matter."""
        if not self._digest:
            content = {
                "parts": [part.model_dump(mode="json") for part in self._ordered],
                "general": {name: figure.model_dump(mode="json") for name, figure in self.general.items()},
            }
            canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            self._digest = hashlib.sha256(canonical.encode()).hexdigest()
        return self._digest


def check_ports_of_server(server: Part, card: Part) -> None:
    """Raise CatalogueError for a server whose ports are not those of its cards."""
    for name, given in (
        ("n_ports", server.value_or("n_cards", 1.0) * card.value_or("n_ports", 1.0)),
        ("port_gbps", card.value_or("port_gbps", 0.0)),
    ):
        figure = server.figures.get(name)
        if figure is not None and given and figure.value != given:
            problem = f"{name} is {figure.value:g}, its cards {card.id} give {given:g}"
            raise CatalogueError(problem, where=f"server {server.id}", hint=f"{name}: {given:g}, or no card")


@cache
def catalogue() -> Catalogue:
    """Return the shipped catalogue; the first call reads the sheets, later calls return the same object."""
    parts = [part for sheet in PART_SHEETS for part in read_parts(read_sheet(sheet), sheet)]
    general = read_sheet(GENERAL_SHEET)
    sources = general["sources"]
    figures = {
        name: read_figure(short_figure, sources, f"{GENERAL_SHEET}: {subject}.{name}")
        for subject, listed in general["figures"].items()
        for name, short_figure in listed.items()
    }
    return Catalogue(parts, figures, general["figures"])


def read_parts(sheet: Mapping[str, Any], where: str) -> list[Part]:
    """Return the parts of one sheet. Raises DocumentError with the invalid part and field."""
    return [_read_part(entry, sheet["sources"], where) for entry in sheet["parts"]]


def _read_part(entry: Mapping[str, Any], sources: Mapping[str, Any], sheet: str) -> Part:
    where = f"{sheet}: {entry.get('id', 'part without id')}"
    figures = {
        name: read_figure(short_figure, sources, f"{where}.{name}") for name, short_figure in entry["figures"].items()
    }
    modes = [_full_mode(mode, sources, f"{where}.modes.{i}") for i, mode in enumerate(entry.get("modes", ()))]
    points = [
        _with_figure(point, "noise_figure_db", sources, f"{where}.noise_figures.{i}")
        for i, point in enumerate(entry.get("noise_figures", ()))
    ]
    try:
        return Part.model_validate({**entry, "figures": figures, "modes": modes, "noise_figures": points})
    except ValidationError as error:
        issues = issues_by_place(error, f"{where}.")
        raise DocumentError("not a part", where=where, found=issues) from error


def _full_mode(mode: Mapping[str, Any], sources: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a mode with full figures, also in its penalties."""
    penalties = [
        _with_figure(penalty, "penalty_db", sources, f"{where}.penalties.{i}")
        for i, penalty in enumerate(mode.get("penalties", ()))
    ]
    return {**_with_figure(mode, "required_snr_db", sources, where), "penalties": penalties}


def _with_figure(entry: Mapping[str, Any], name: str, sources: Mapping[str, Any], where: str) -> dict[str, Any]:
    return {**entry, name: read_figure(entry[name], sources, f"{where}.{name}")} if name in entry else dict(entry)


def read_figure(short_figure: Mapping[str, Any], sources: Mapping[str, Any], where: str) -> Figure:
    """Return one figure of a sheet. Raises DocumentError with the place of a fault."""
    try:
        return Figure.model_validate(full_figure(short_figure, sources))
    except ValidationError as error:
        issues = issues_by_place(error, f"{where}.")
        raise DocumentError("not a figure", where=where, found=issues) from error
    except ValueError as error:
        raise DocumentError(str(error), where=where) from error
