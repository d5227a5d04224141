"""Rules of the document's own parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..catalogue import Catalogue
from ..errors import CatalogueError, Issue, TopologyError
from .document import TopologyDocument
from .identity import MAX_ID_LENGTH, id_problem


def check_parts(document: TopologyDocument, shipped: Catalogue) -> None:
    """Raise TopologyError with all faults of the document's own parts."""
    issues = list(_part_issues(document, shipped))
    if issues:
        n = f"{len(issues)} fault{'s' * (len(issues) > 1)}"
        raise TopologyError(f"{n} in the parts of the document", where=document.name, found=issues)


def _part_issues(document: TopologyDocument, shipped: Catalogue) -> Iterator[Issue]:
    known = {part.id: part.kind for part in shipped.parts()}
    own_fec = {part.id for part in document.parts if part.kind == "fec"}
    for part_id, n in Counter(part.id for part in document.parts).items():
        where = f"parts[{part_id}].id"
        if n > 1:
            yield Issue(where, f"id {part_id!r} stands {n} times", "ids are unique within a list")
        if part_id in known:
            problem = f"{part_id!r} is a {known[part_id]} of the catalogue"
            yield Issue(where, problem, f"give your part an id of its own, for example 'own-{part_id}'")
        problem = id_problem(part_id) or (f"{len(part_id)} characters" if len(part_id) > MAX_ID_LENGTH else "")
        if problem:
            yield Issue(where, problem, f"at most {MAX_ID_LENGTH} printable characters")
    for part in document.parts:
        if part.fec is not None and part.fec not in own_fec:
            try:
                shipped.get(part.fec, "fec")
            except CatalogueError as error:
                yield Issue(f"parts[{part.id}].fec", error.problem, error.hint or error.expected)
