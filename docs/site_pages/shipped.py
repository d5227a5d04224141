"""The reference page of what ships with the twin: networks, models and parts."""

from __future__ import annotations

from twin.topologies import NETWORKS

from twin.catalogue import KINDS, catalogue
from twin.model.known_models import MODELS

from . import markdown

INTRO = """\
`twin topologies`, `twin models` and `twin parts` print these lists. Each of them shows one entry in full when you add
its name: `twin parts 400ZR` prints every figure of a part with its range and its source.
[The catalogue](../explanation/catalogue.md) says how far to trust the figures.
"""


def page(_: str = "") -> str:
    """Return the page: networks with a sentence, models with their source, parts by kind."""
    networks = markdown.table(("network", "what it is"), ((markdown.code(name), NETWORKS[name]) for name in NETWORKS))
    sources = [(markdown.code(name), known.source) for name, known in MODELS.items()]
    models = markdown.table(("model", "source"), sources)
    parts = []
    for kind in KINDS:
        rows = [(markdown.code(part.id), part.name) for part in catalogue().parts(kind)]
        parts += [f"### {kind}", markdown.table(("part", "name"), rows)]
    return markdown.page(
        "Networks, models and parts", INTRO, "## Networks", networks, "## Models", models, "## Parts", *parts
    )
