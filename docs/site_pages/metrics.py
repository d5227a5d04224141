"""The reference page of metrics, from the table `METRICS`."""

from __future__ import annotations

from twin.answers.metrics import METRICS, metric_unit
from twin.units import SUFFIXES

from . import markdown

INTRO = """\
A score holds every metric of this table. The end of a name is its unit. A metric that does not apply to a network is
`null`, and `why` gives the reason. A ratio lies between 0 and 1
unless its meaning says otherwise; it is never per cent.
"""


def page(_: str = "") -> str:
    """Return the page: one row for each metric, and the units that names end with."""
    rows = [
        (markdown.code(name), metric.label, _unit(name), metric.better, metric.sentence)
        for name, metric in METRICS.items()
    ]
    units = [(markdown.code(f"_{suffix.strip('_')}"), unit) for suffix, unit in SUFFIXES.items()]
    table = markdown.table(("metric", "name in texts", "unit", "better", "meaning"), rows)
    return markdown.page(
        "Metrics", INTRO, table, "## Units in names", markdown.table(("end of the name", "unit"), units)
    )


def _unit(name: str) -> str:
    unit = metric_unit(name)
    return "" if unit == "1" else unit
