"""Fixtures: cases with expected answers that are hand-made, published, from other tools, or recorded."""

from __future__ import annotations

from .compare import FigureErrors, Row
from .fixture import Fixture, read_fixture
from .kinds import KINDS
from .run import FileResult, check_case, check_file, check_paths, exit_code

__all__ = [
    "KINDS",
    "FigureErrors",
    "FileResult",
    "Fixture",
    "Row",
    "check_case",
    "check_file",
    "check_paths",
    "exit_code",
    "read_fixture",
]
