"""Files and posted bodies: reading, did-you-mean errors, migrations of old versions."""

from .native import parse_document, read_mapping, write_document

__all__ = ["FORMATS", "parse_document", "read_mapping", "write_document"]

FORMATS = {
    # ending: (name, what it is)
    ".yaml": ("yaml", "native document, YAML"),
    ".yml": ("yaml", "native document, YAML"),
    ".json": ("json", "native document, JSON"),
}
