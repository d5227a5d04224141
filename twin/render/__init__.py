"""Pictures of answers, drawn from their plain data; matplotlib comes with the extra `pictures`."""

from .canvas import check_drawable, check_format, save_figure, svg_of
from .drawing_figure import drawing_figure
from .explanation_figure import explanation_figure
from .forecast_figure import forecast_figure
from .growth_figure import growth_figure
from .link_figure import link_figure
from .sweep_figure import sweep_figure

__all__ = [
    "check_drawable",
    "check_format",
    "drawing_figure",
    "explanation_figure",
    "forecast_figure",
    "growth_figure",
    "link_figure",
    "save_figure",
    "svg_of",
    "sweep_figure",
]
