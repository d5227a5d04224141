"""Rich renderables as plain text, for `repr` and for files."""

from __future__ import annotations

import shutil
from io import StringIO

from rich.console import Console, RenderableType

MAX_WIDTH = 120


def plain_text(renderable: RenderableType, width: int | None = None) -> str:
    """Return a renderable as text without colours.

    Args:
        renderable: the table or group to show.
        width: columns; the width of the terminal otherwise, at most MAX_WIDTH.
    """
    out = StringIO()
    columns = width or min(shutil.get_terminal_size().columns, MAX_WIDTH)
    Console(file=out, width=columns, color_system=None, legacy_windows=False).print(renderable)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())
