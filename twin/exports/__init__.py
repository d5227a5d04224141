"""Exports networks to files of other tools: one plain form of a network, a thin writer for each format, one report.

>>> from twin.exports import FORMATS
>>> "graphml" in FORMATS
True
"""

from .formats import FORMATS
from .report import ExportReport
from .writing import Exported, exported

__all__ = ["FORMATS", "ExportReport", "Exported", "exported"]
