"""Compares the published schemas with the checked-in ones, and fails on what would break a client.

python -m twin.api.schema_diff              lists breaking changes and additions; fails where there are any
python -m twin.api.schema_diff --write      refreshes the files after additions
python -m twin.api.schema_diff --write --breaking      and after breaking changes, which the changelog must name
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from twin.scenario.document_schema import document_schema

from .app import create_app
from .schema_rules import Difference, compare_openapi, compare_schemas

FOLDER = Path(__file__).parents[1] / "docs" / "schemas"
OPENAPI, DOCUMENT = "openapi.json", "document.json"
COMMAND = "python -m twin.api.schema_diff --write"


def current_schemas() -> dict[str, Any]:
    """Return the OpenAPI document and the document schema of this version, by file name."""
    return {OPENAPI: create_app(warm=False).openapi(), DOCUMENT: document_schema()}


def read_schemas() -> dict[str, Any]:
    """Return the checked-in schemas, by file name."""
    return {name: json.loads((FOLDER / name).read_text(encoding="utf-8")) for name in (OPENAPI, DOCUMENT)}


def write_schemas(schemas: dict[str, Any]) -> None:
    """Write the files that are checked in.

    schemas: schemas by file name.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas.items():
        text = json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        (FOLDER / name).write_text(text, encoding="utf-8")


def differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Difference]:
    """Return the differences between two sets of schemas, each by file name."""
    yield from compare_openapi(old[OPENAPI], new[OPENAPI])
    yield from compare_schemas(old[DOCUMENT], new[DOCUMENT], "document")


def report(rows: Sequence[Difference]) -> str:
    """Return differences as text, the breaking ones first."""
    lines = []
    for breaking, heading in ((True, "breaking changes"), (False, "additions")):
        selected = [str(row) for row in rows if row.breaking == breaking]
        if selected:
            lines += [f"{len(selected)} {heading}:", *(f"  {line}" for line in selected)]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Compare the schemas with the files, or refresh the files. Returns the exit code.

    arguments: `--write` and `--breaking`, or none.
    """
    if set(arguments) - {"--write", "--breaking"}:
        print(__doc__)
        return 2
    new, has_files = current_schemas(), (FOLDER / OPENAPI).exists()
    rows = list(differences(read_schemas(), new)) if has_files else []
    no_difference = "the published schemas are the checked-in ones" if has_files else "no schemas are checked in"
    print(report(rows) or no_difference)
    if "--write" not in arguments:
        if rows or not has_files:
            print(f"refresh docs/schemas after additions: {COMMAND}")
        return int(bool(rows) or not has_files)
    if any(row.breaking for row in rows) and "--breaking" not in arguments:
        print(f"not written: name the breaking changes in CHANGELOG.md, then {COMMAND} --breaking")
        return 1
    write_schemas(new)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
