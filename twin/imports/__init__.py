"""Imports files of other tools: one model of physical cabling, a thin reader for each format, one report.

>>> from twin.imports import FORMATS
>>> "netbox" in FORMATS
True
"""

from .formats import FORMATS
from .options import ImportOptions, import_options
from .reading import Imported, read, read_given

__all__ = ["FORMATS", "ImportOptions", "Imported", "import_options", "read", "read_given"]
