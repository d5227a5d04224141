"""The tutorials: notebooks of `examples/`, run when the site is built."""

from __future__ import annotations

from pathlib import Path

from .notebooks import notebook_page

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = ("leaf_spine", "training_cluster", "ageing_fibre")
"""Names of the notebooks, in the order in which a newcomer reads them."""
FOOTER = "\n---\n\nThis page is the notebook `examples/{name}.ipynb`. It was run when this site was built.\n"


def files() -> dict[str, str | bytes]:
    """Return the pages of the tutorials and their pictures, by path on the site."""
    made: dict[str, str | bytes] = {}
    for name in NOTEBOOKS:
        page = notebook_page(EXAMPLES / f"{name}.ipynb", "images")
        made[f"tutorials/{name}.md"] = page.text + FOOTER.format(name=name)
        made |= {f"tutorials/images/{file}": content for file, content in page.pictures.items()}
    return made
