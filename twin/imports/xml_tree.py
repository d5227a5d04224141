"""Reads XML as a tree of plain elements with line numbers; entities and external files are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn
from xml.parsers import expat

from ..errors import DocumentError
from .files import MAX_RECORDS, SourceFile

MAX_DEPTH = 100
MAX_ELEMENTS = 12 * MAX_RECORDS
"""Elements of a file; a record of the formats here has up to a dozen."""


@dataclass(slots=True)
class Element:
    """An element: name without its namespace, attributes, children, text."""

    name: str
    line: int
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, name: str) -> Iterator[Element]:
        """Yield the children of a name."""
        return (child for child in self.children if child.name == name)

    def first(self, name: str) -> Element | None:
        """Return the first child of a name, or None."""
        return next(self.all(name), None)

    def text_of(self, name: str) -> str:
        """Return the text of the first child of a name, without spaces at its ends; empty if there is none."""
        child = self.first(name)
        return child.text.strip() if child is not None else ""


class _Builder:
    """Builds the tree from the events of expat."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.root: Element | None = None
        self.open: list[Element] = []
        self.n_elements = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.EntityDeclHandler = self.refuse_entity
        self.parser.ExternalEntityRefHandler = self.refuse_entity

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        self.n_elements += 1
        if len(self.open) >= MAX_DEPTH or self.n_elements > MAX_ELEMENTS:
            problem = "is nested too deeply" if len(self.open) >= MAX_DEPTH else "has too many elements"
            raise DocumentError(f"line {self.parser.CurrentLineNumber}: {problem}", where=self.where)
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        element = Element(name.rpartition(" ")[2], self.parser.CurrentLineNumber, plain)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def end(self, _name: str) -> None:
        """Close an element."""
        self.open.pop()

    def characters(self, text: str) -> None:
        """Add text to the open element."""
        if not text.isspace():
            self.open[-1].text += text

    def refuse_entity(self, *_: Any) -> NoReturn:
        """Refuse declarations of entities: they multiply text without bound, and name other files."""
        raise DocumentError(
            f"line {self.parser.CurrentLineNumber}: declares or names an entity",
            where=self.where,
            hint="entities are refused; write their text out",
        )


def xml_tree(file: SourceFile) -> Element:
    """Parse a file as XML.

    Raises:
        DocumentError: a syntax error with its line, an entity, too deep, or too many elements.
    """
    builder = _Builder(file.where)
    try:
        builder.parser.Parse(file.content, True)
    except expat.ExpatError as error:
        text = expat.errors.messages[error.code] if error.code in expat.errors.messages else str(error)
        hint = (
            "the file may be truncated" if error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS] else ""
        )
        place = f"line {error.lineno}, column {error.offset + 1}"
        raise DocumentError(f"{place}: {text}", where=file.where, hint=hint) from error
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise DocumentError(f"cannot be decoded: {error}", where=file.where) from error
    assert builder.root is not None  # expat refuses a document without an element
    return builder.root
