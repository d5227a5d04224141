"""What can be told about a document with bad fields: the faults between its valid records."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, get_args, get_origin

from ..errors import Issue, TwinError
from ..model.document import TopologyDocument
from ..model.network import Generators, NetworkGraph
from ..model.validation import valid_or_none

MAX_RECORDS = 200_000
"""Maximum number of records, fabrics expanded, of a document whose references are checked beside its bad fields."""
MAX_EXPANDED = 20_000
"""Maximum number of these that fabrics make, so that a bad field of a small document is told in tenths of a second."""
UNKNOWN = {
    "nodes": "no node ",
    "links": "no link ",
    "sites": "no site ",
    "jobs": "no job ",
    "parts": "unknown ",
}
"""Beginning of the problem of a reference to nothing, by the list that the name should be in."""


@dataclass
class _Valid:
    """The valid fields and records of a document, and what is not known about the others."""

    fields: dict[str, Any] = field(default_factory=dict)
    invalid_ids: set[str] = field(default_factory=set)
    """Ids of invalid records, which other records may refer to."""
    incomplete: set[str] = field(default_factory=set)
    """Lists that may have records whose ids are not known."""

    def read_list(self, name: str, kind: Any, items: list[Any]) -> None:
        """Keep the valid records of a list."""
        records = [valid_or_none(kind, item) for item in items]
        self.fields[name] = tuple(record for record in records if record is not None)
        for item, record in zip(items, records, strict=True):
            if record is None:
                record_id = item.get("id") if isinstance(item, Mapping) else None
                self.invalid_ids |= {record_id} if isinstance(record_id, str) else set()
                if name == "fabrics":
                    self.incomplete |= {"nodes", "links"}
                elif not isinstance(record_id, str):
                    self.incomplete.add(name)

    def is_certain(self, issue: Issue) -> bool:
        """Whether a fault remains whatever the invalid records are."""
        if any(issue.problem.startswith(UNKNOWN[name]) for name in self.incomplete if name in UNKNOWN):
            return False
        return not self.invalid_ids.intersection(re.findall("'([^']*)'", issue.problem))


def reference_issues(
    data: Mapping[str, Any], generators: Generators, check_size: Callable[[TopologyDocument, int], None]
) -> list[Issue]:
    """Find the faults between the valid records of a document that has bad fields.

    References to records that are invalid themselves are no faults.

    Args:
        data: plain data of the document.
        generators: functions that expand fabrics.
        check_size: raises an error for a document of more records than a number.
    """
    valid = _read(data)
    document = TopologyDocument.model_construct(**valid.fields)
    if not is_quickly_expanded(document, check_size):
        return []
    try:
        _ = NetworkGraph(document, generators).nodes
    except TwinError as error:
        return [issue for issue in error.issues if valid.is_certain(issue)]
    return []


def is_quickly_expanded(document: TopologyDocument, check_size: Callable[[TopologyDocument, int], None]) -> bool:
    """Return whether the references of a document may be checked beside its bad fields.

    Args:
        document: the document, or its valid part.
        check_size: raises an error for a document of more records than a number.
    """
    n_written = len(document.nodes) + len(document.links)
    try:
        check_size(document, min(MAX_RECORDS, n_written + MAX_EXPANDED))
    except TwinError:
        return False
    return True


def _read(data: Mapping[str, Any]) -> _Valid:
    valid = _Valid()
    has_unknown_names = not data.keys() <= TopologyDocument.model_fields.keys()
    for name, spec in TopologyDocument.model_fields.items():
        value = data.get(name)
        if get_origin(spec.annotation) is tuple:
            if isinstance(value, list | tuple):
                valid.read_list(name, get_args(spec.annotation)[0], list(value))
            elif value is not None or has_unknown_names:  # a misspelled name may be that of this list
                valid.incomplete.add(name)
        else:
            plain = valid_or_none(spec.annotation, value)
            valid.fields |= {} if plain is None else {name: plain}
    if "as_of" not in valid.fields and (data.get("as_of") is not None or has_unknown_names):
        valid.fields["as_of"] = date.max
    if "fabrics" in valid.incomplete:
        valid.incomplete |= {"nodes", "links"}
    return valid
