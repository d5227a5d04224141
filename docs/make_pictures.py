"""Draw the pictures of the README with the product itself, or check that they still show its answers.

    python docs/make_pictures.py            draw all
    python docs/make_pictures.py --check    exit code 1 if an answer or a drawing has changed

Beside each picture stands a JSON file with what is drawn in it. The check compares this data, since the bytes of a
picture depend on the version of the drawing library.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from site_pages.pictures import PICTURES, compressed_png, differences, drawn_data

FOLDER = Path(__file__).parent / "images"


def check(name: str) -> list[str]:
    """Return what a picture shows otherwise than the product would draw it now."""
    picture, data = FOLDER / f"{name}.png", FOLDER / f"{name}.json"
    if not (picture.is_file() and data.is_file()):
        return [f"{name}: there is no picture yet"]
    return differences(json.loads(data.read_text(encoding="utf-8")), drawn_data(PICTURES[name]()), name)


def draw(name: str) -> None:
    """Write a picture and the data that is drawn in it."""
    figure = PICTURES[name]()
    (FOLDER / f"{name}.json").write_text(json.dumps(drawn_data(figure), ensure_ascii=False) + "\n", encoding="utf-8")
    (FOLDER / f"{name}.png").write_bytes(compressed_png(figure))


def main() -> int:
    """Draw or check all pictures."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the README, or check them.")
    parser.add_argument("--check", action="store_true", help="compare with what is drawn now, and write nothing")
    if parser.parse_args().check:
        found = [line for name in PICTURES for line in check(name)]
        print("\n".join(found) or f"{len(PICTURES)} pictures are true")
        return 1 if found else 0
    for name in PICTURES:
        draw(name)
        print(FOLDER / f"{name}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
