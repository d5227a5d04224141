"""Take the pictures of the web page that its guide shows, from a service of its own and the Chromium of the system.

    python docs/make_page_pictures.py

It needs the extra `test`. The bytes depend on browser and fonts, so nothing compares them; the tests of the page open
the same addresses.
"""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import uvicorn
from PIL import Image
from playwright.sync_api import Page, sync_playwright
from site_pages.browser import BROWSER, FLAGS
from twin.api.app import create_app

FOLDER = Path(__file__).parent / "images"
READY = """() => document.readyState === "complete" && [...document.querySelectorAll("[hx-get]")]
    .every((part) => part.getAttribute("aria-busy") === "false")"""
N_COLOURS = 128


class Picture(NamedTuple):
    """A picture: address, size of the window, and whether the system prefers dark."""

    name: str
    address: str
    width_px: int
    height_px: int
    is_dark: bool = False
    top: str = ""
    """Element at the top of the picture; empty for the top of the page."""


SMALL = "/networks/memphis-small"
PICTURES = (
    Picture("page_overview", f"{SMALL}?heat=utilisation_ratio", 1200, 1200),
    Picture("page_what_if", f"{SMALL}?view=change&plan=fibre-upgrade&run=1", 1200, 900, top="#title-what-if"),
    Picture("page_forecast_dark", f"{SMALL}?view=forecast&growth_ratio_per_year=0.3", 1000, 1250, is_dark=True),
    Picture("page_link_narrow", f"{SMALL}?view=links&link=wan-1-2", 360, 800, top="#title-link"),
)


@contextmanager
def service() -> Iterator[str]:
    """Serve the page, and yield its address."""
    config = uvicorn.Config(create_app(), host="127.0.0.1", port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.1)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)


def take(page: Page, picture: Picture) -> Path:
    """Write a picture of a page with few colours, and return its file."""
    page.goto(picture.address)
    page.wait_for_function(READY)
    if picture.top:
        page.locator(picture.top).evaluate("(each) => each.scrollIntoView()")
    page.wait_for_timeout(500)  # charts have drawn their last frame
    file = FOLDER / f"{picture.name}.png"
    with Image.open(io.BytesIO(page.screenshot())) as image:
        image.convert("RGB").quantize(N_COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    return file


def main() -> int:
    """Take all pictures."""
    if BROWSER is None:
        print("no Chromium on this machine", file=sys.stderr)
        return 2
    with service() as address, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=list(FLAGS))
        for picture in PICTURES:
            page = browser.new_page(
                viewport={"width": picture.width_px, "height": picture.height_px},
                base_url=address,
                color_scheme="dark" if picture.is_dark else "light",
            )
            file = take(page, picture)
            print(f"{file.name}: {file.stat().st_size:,} bytes")
            page.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
