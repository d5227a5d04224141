"""The sheet that pictures are drawn on: one style, the same bytes for the same data."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from ..errors import TwinError

FORMATS = ("png", "svg", "pdf")
CENTRAL, KIND, HARSH = "#1f4e79", "#5b9f6d", "#c8553d"
"""Colours of the central, optimistic and pessimistic case; they differ in lightness too."""
GREY = "#6b6b6b"
FONT = "DejaVu Sans"
"""It comes with matplotlib: the same letters everywhere."""
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
LETTERS_PER_INCH = 12.0
"""Of a headline, at least."""


def drawn(draw: Callable[[Mapping[str, Any]], Any]) -> Callable[[Mapping[str, Any]], Any]:
    """A drawing function under the one style. It raises TwinError where matplotlib is not installed."""

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
    """Raises TwinError where no picture of that name can be drawn: unknown format, or matplotlib is not installed."""
    check_format(path)
    _matplotlib()


def sheet(n_rows: int, n_columns: int, width: float, height: float, **sharing: Any) -> tuple[Any, Any]:
    """(figure, axes[n_rows][n_columns]) in inches, without any window."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(n_rows, n_columns, squeeze=False, **sharing)


def headline(figure: Any, text: str) -> None:
    """The title of a sheet, in as many lines as it takes."""
    width = int(figure.get_figwidth() * LETTERS_PER_INCH)
    figure.suptitle("\n".join(textwrap.fill(line, width) for line in text.split("\n")), x=0.01, ha="left")


def shown(name: str, n_letters: int = 60) -> str:
    """A name as it can be drawn: a long one without its middle, and a question mark for what the font cannot write."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family=FONT)))
    name = "".join(sign if sign.isprintable() and font.get_char_index(ord(sign)) else "?" for sign in name)
    return name if len(name) <= n_letters else f"{name[: n_letters // 2]}…{name[-(n_letters // 2) + 1 :]}"


def leave_empty(axis: Any, why: str) -> None:
    """A panel that has nothing to show, and says why."""
    axis.text(0.5, 0.5, why, ha="center", va="center", transform=axis.transAxes, color=GREY)
    axis.set_axis_off()


def check_format(path: Path) -> str:
    """The picture format that a file's ending names. Raises TwinError for one that is not among FORMATS."""
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        hint = f"end the name in .{', .'.join(FORMATS)}"
        raise TwinError(f"no picture format {ending!r}", where=str(path), hint=hint)
    return ending


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure; the ending says how. Raises TwinError as `check_format` does."""
    ending = check_format(path)
    _write(figure, path, ending)


def svg_of(draw: Callable[[], Any]) -> str:
    """A figure as SVG text for a notebook; empty where matplotlib is not installed."""
    try:
        figure = draw()
    except TwinError:
        return ""
    text = io.StringIO()
    _write(figure, text, "svg")
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def _write(figure: Any, where: Path | io.StringIO, ending: str) -> None:
    import matplotlib as mpl

    with mpl.rc_context(STYLE):  # the salt of names inside an SVG is read here
        figure.savefig(where, format=ending, dpi=160, metadata=_without_date(ending))


def _without_date(ending: str) -> dict[str, None]:
    """The same bytes tomorrow."""
    return {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[ending]
