"""Pages that stand at the root of the repository, for readers of the repository and of the site alike."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOT_PAGES = {"contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
"""Name on the site, and the file at the root."""


def root_page(name: str) -> str:
    """Return a page of the root with links that hold on the site: `docs/x.md` is `x.md` there.

    Links to files outside `docs/` become plain code, since the site does not have these files.
    """
    text = (ROOT / ROOT_PAGES[name]).read_text(encoding="utf-8")
    text = re.sub(r"\]\(docs/", "](", text)
    for site_name, file in ROOT_PAGES.items():
        text = text.replace(f"]({file})", f"]({site_name})")
    return re.sub(r"\[([^\]]+)\]\((?!https?:|#)([^)]+)\)", _site_link, text)


def _site_link(match: re.Match[str]) -> str:
    target = match[2].split("#")[0]
    on_site = target in ROOT_PAGES or (ROOT / "docs" / target).is_file()
    return match[0] if on_site else f"{match[1].strip('`')} (`{match[2]}`)"
