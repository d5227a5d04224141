"""The canvas of all pictures: one style, and the same bytes for the same data."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from ..errors import TwinError

FORMATS = ("png", "svg", "pdf")
BLUE, GREEN, RED = "#1f4e79", "#5b9f6d", "#c8553d"
"""Colours of the central, optimistic and pessimistic case. They differ in lightness too."""
GREY = "#6b6b6b"
FONT = "DejaVu Sans"
"""Font of all text. It comes with matplotlib, so pictures are the same on every machine."""
STYLE: Any = {
    "font.family": FONT,
    "font.size": 9.0,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "axes.formatter.useoffset": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.hashsalt": "twin",
    "svg.fonttype": "none",
    "figure.dpi": 110,
}
TITLE_CHARACTERS_PER_INCH = 12.0
"""Length of a title line per inch of width; longer lines are wrapped."""


def with_style(draw: Callable[[Mapping[str, Any]], Any]) -> Callable[[Mapping[str, Any]], Any]:
    """Decorate a drawing function so that it draws in `STYLE`.

    Raises:
        TwinError: matplotlib is not installed (when the function is called).
    """

    @wraps(draw)
    def styled(data: Mapping[str, Any]) -> Any:
        with _matplotlib().rc_context(STYLE):
            return draw(data)

    return styled


def _matplotlib() -> Any:
    try:
        import matplotlib as mpl
    except ImportError as error:
        hint = "pip install 'dc-twin[pictures]', or '.[pictures]' in a clone"
        raise TwinError("matplotlib is not installed", hint=hint) from error
    return mpl


def check_drawable(path: Path) -> None:
    """Check that a picture can be drawn for a file name.

    Raises:
        TwinError: unknown picture format, or matplotlib is not installed.
    """
    check_format(path)
    _matplotlib()


def new_figure(n_rows: int, n_columns: int, width: float, height: float, **sharing: Any) -> tuple[Any, Any]:
    """Create a figure with a grid of panels, without a window.

    Args:
        n_rows: rows of panels.
        n_columns: columns of panels.
        width: width in inches.
        height: height in inches.
        sharing: options of `Figure.subplots`, such as `sharex`.

    Returns:
        The figure, and its axes as an array (n_rows, n_columns).
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(n_rows, n_columns, squeeze=False, **sharing)


def set_title(figure: Any, text: str) -> None:
    """Set the title of a figure; long lines are wrapped to its width."""
    width = int(figure.get_figwidth() * TITLE_CHARACTERS_PER_INCH)
    figure.suptitle("\n".join(textwrap.fill(line, width) for line in text.split("\n")), x=0.01, ha="left")


def label_text(name: str, n_characters: int = 60) -> str:
    """Return a name that the font can draw.

    Args:
        name: any text. Characters that the font lacks become question marks.
        n_characters: longest text; a longer name loses its middle.
    """
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family=FONT)))
    name = "".join(char if char.isprintable() and font.get_char_index(ord(char)) else "?" for char in name)
    half = n_characters // 2
    return name if len(name) <= n_characters else f"{name[:half]}…{name[-half + 1 :]}"


def draw_empty_panel(axis: Any, reason: str) -> None:
    """Show the reason in a panel that has no data."""
    axis.text(0.5, 0.5, reason, ha="center", va="center", transform=axis.transAxes, color=GREY)
    axis.set_axis_off()


def check_format(path: Path) -> str:
    """Return the picture format of a file name. Raises TwinError for a format that is not in `FORMATS`."""
    file_format = path.suffix.lower().removeprefix(".")
    if file_format not in FORMATS:
        hint = f"end the name in .{', .'.join(FORMATS)}"
        raise TwinError(f"no picture format {file_format!r}", where=str(path), hint=hint)
    return file_format


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure in the format of the file name. Raises TwinError for an unknown format."""
    file_format = check_format(path)
    _write(figure, path, file_format)


def svg_of(draw: Callable[[], Any]) -> str:
    """Return a figure as SVG text for a notebook; an empty text if matplotlib is not installed."""
    try:
        figure = draw()
    except TwinError:
        return ""
    buffer = io.StringIO()
    _write(figure, buffer, "svg")
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


def _write(figure: Any, target: Path | io.StringIO, file_format: str) -> None:
    import matplotlib as mpl

    with mpl.rc_context(STYLE):  # savefig reads svg.hashsalt, which fixes the ids inside an SVG
        figure.savefig(target, format=file_format, dpi=160, metadata=_metadata_without_date(file_format))


def _metadata_without_date(file_format: str) -> dict[str, None]:
    """Return metadata that leaves out the date, so that the bytes do not depend on it."""
    return {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[file_format]
