"""The reference page of the inputs of a sweep, from the table `PATHS`."""

from __future__ import annotations

from twin.studies.inputs import NOT_SWEEPABLE, PATHS

from . import markdown

VALUES = (
    ("`age=0,10,20`", "these values"),
    ("`age=0..30:7`", "seven values with equal steps from 0 to 30"),
    ("`links.wan-*.total_gbps=400..51200:log8`", "eight values with equal factors from 400 to 51200"),
    ("`job.split=uniform,balanced`", "words, for fields that hold words"),
    ("`parallelism.fully_sharded=true,false`", "both, for fields that are true or false"),
)
INTRO = """\
`twin sweep --vary`, `Network.sweep` and `POST /v1/sweep` vary one or two inputs. Python and HTTP also take
`{"path": "age", "values": [0, 10, 20]}`. A name that contains dots stands in double quotes:
`links."a.b c".n_parallel`.
"""


def page(_: str = "") -> str:
    """Return the page: inputs, how to write values, and fields of a job that cannot be varied."""
    inputs = markdown.table(("input", "what it sets"), ((markdown.code(path), told) for path, told in PATHS.items()))
    values = markdown.table(("text", "values"), VALUES)
    fields = [(markdown.code(f"job.{name}"), reason) for name, reason in NOT_SWEEPABLE.items()]
    refused = markdown.table(("field", "reason, or the input to use instead"), fields)
    return markdown.page(
        "Inputs of a sweep", INTRO, inputs, "## Values", values, "## Fields of a job that cannot be varied", refused
    )
