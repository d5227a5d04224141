"""Readings: files of meters and monitoring systems become measurements of a network, with a report.

>>> from twin.readings import FORMATS
>>> "otdr" in FORMATS
True
"""

from .formats import FORMATS
from .options import ReadingOptions, reading_options
from .reading import Measured, read, read_given

__all__ = ["FORMATS", "Measured", "ReadingOptions", "read", "read_given", "reading_options"]
