"""Rules of own parts, of a document or of a file of parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..catalogue import Catalogue, Part
from ..catalogue.figure_reader import is_reserved
from ..catalogue.parts import check_ports_of_server
from ..errors import CatalogueError, Issue, TopologyError, did_you_mean
from ..errors.wording import counted
from ..printable import id_problem
from .identity import MAX_ID_LENGTH, duplicate_issues


def check_parts(parts: Sequence[Part], shipped: Catalogue, where: str) -> None:
    """Raise TopologyError with all faults of own parts; `where` is their document or file."""
    issues = list(_part_issues(parts, shipped))
    if issues:
        n_faults = counted(len(issues), "fault")
        raise TopologyError(f"{n_faults} in own parts", where=where, found=issues)


def _part_issues(parts: Sequence[Part], shipped: Catalogue) -> Iterator[Issue]:
    known = {part.id: part.kind for part in shipped.parts()}
    own_fec = {part.id for part in parts if part.kind == "fec"}
    own_cards = {part.id: part for part in parts if part.kind == "card"}
    yield from duplicate_issues("parts", (part.id for part in parts))
    for part_id in dict.fromkeys(part.id for part in parts):
        where = f"parts[{part_id}].id"
        if is_reserved(part_id):
            yield Issue(where, f"{part_id!r} is reserved for figures of no part", f"for example 'own-{part_id}'")
        if part_id in known:
            problem = f"{part_id!r} is a {known[part_id]} of the catalogue"
            yield Issue(where, problem, f"give your part an id of its own, for example 'own-{part_id}'")
        problem = id_problem(part_id) or (f"{len(part_id)} characters" if len(part_id) > MAX_ID_LENGTH else "")
        if problem:
            yield Issue(where, problem, f"at most {MAX_ID_LENGTH} printable characters")
    for part in parts:
        if part.fec is not None and part.fec not in own_fec:
            try:
                shipped.get(part.fec, "fec")
            except CatalogueError as error:
                yield Issue(f"parts[{part.id}].fec", error.problem, error.hint or error.expected)
        if part.card is not None:
            try:
                check_ports_of_server(part, own_cards.get(part.card) or shipped.get(part.card, "card"))
            except CatalogueError as error:
                yield Issue(f"parts[{part.id}].card", error.problem, error.hint or error.expected)
        yield from _figure_issues(part, shipped)


def similar_parts(part: Part, shipped: Catalogue) -> list[Part]:
    """Return the shipped parts of the same kind, technology and medium."""
    of_kind = [other for other in shipped.parts(part.kind) if other.optics == part.optics]
    return [other for other in of_kind if other.medium == part.medium]


def _figure_issues(part: Part, shipped: Catalogue) -> Iterator[Issue]:
    """Find misspelled and missing figures: a part has the figures that all shipped parts of its kind have.

    A missing figure would count as no limit or no loss without a word.
    """
    alike = similar_parts(part, shipped)
    known = {name for other in alike for name in other.figures}
    for name in part.figures:
        if alike and name not in known:
            hint = did_you_mean(name, known - set(part.figures)) or f"known: {', '.join(sorted(known))}"
            yield Issue(f"parts[{part.id}].figures", f"no figure {name!r} of a {part.kind}", hint)
    required = set.intersection(*(set(other.figures) for other in alike)) if alike else set()
    missing = sorted(required - set(part.figures))
    if missing:
        yield Issue(
            f"parts[{part.id}].figures",
            f"a {part.kind} needs {', '.join(missing)}",
            f"`twin parts {alike[0].id}` shows those of a similar part",
        )
