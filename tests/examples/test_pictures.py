"""The pictures of the README show what the product answers and draws today."""

from __future__ import annotations

import json
import re
from pathlib import Path

import make_pictures
import pytest
from matplotlib.figure import Figure
from site_pages.pictures import PICTURES, compressed_png, differences, drawn_data

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_the_answers_of_today(name: str) -> None:
    assert make_pictures.check(name) == [], "run: python docs/make_pictures.py"


def test_the_readme_and_the_guide_of_the_page_show_every_picture() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = [line.split("](")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert sorted(shown) == sorted(f"docs/images/{name}.png" for name in PICTURES)
    guide = (ROOT / "docs/how-to/page.md").read_text(encoding="utf-8")
    of_page = set(re.findall(r"\.\./images/(\w+)\.png", guide))
    assert {path.stem for path in (ROOT / "docs/images").iterdir()} == {*PICTURES, *of_page}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_small(name: str) -> None:
    assert (ROOT / f"docs/images/{name}.png").stat().st_size < 100_000
    assert (ROOT / f"docs/images/{name}.json").stat().st_size < 100_000


def test_the_readme_tells_the_figures_of_its_pictures() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    drawn = {name: json.loads((ROOT / f"docs/images/{name}.json").read_text(encoding="utf-8")) for name in PICTURES}
    (crossing_gbps,) = re.findall(
        r"crosses at ([\d,]+)", " ".join(drawn["step_time_by_capacity"]["panels"][0]["texts"])
    )
    assert f"above {float(crossing_gbps.replace(',', '')) / 1000:.1f} Tb/s" in text
    step_s = drawn["bottlenecks"]["panels"][0]["texts"][0].removesuffix(" s")
    assert f"A training step of {float(step_s):.1f} s" in text


def figure(value: float = 2.0, text: str = "a") -> Figure:
    drawn = Figure()
    axis = drawn.subplots()
    axis.plot([1.0, 2.0], [value, float("nan")], label="curve")
    axis.bar([0.0], [value])
    axis.text(0, 0, text)
    axis.legend()
    drawn.suptitle("title")
    return drawn


def test_curves_bars_and_texts_are_compared() -> None:
    data = json.loads(json.dumps(drawn_data(figure())))
    assert data["panels"][0]["curves"] == [[[1.0, 2.0], [2.0, None]]]
    assert data["panels"][0]["legend"] == ["curve"]
    assert differences(data, drawn_data(figure())) == []
    assert differences(data, drawn_data(figure(2.0 * (1 + 1e-8)))) == []
    places = [line.split(":")[0] for line in differences(data, drawn_data(figure(2.1, "b")))]
    assert places == ["picture.panels[0].texts[0]", "picture.panels[0].curves[0][1][0]", "picture.panels[0].bars[0][1]"]
    assert differences(data, data | {"panels": []}) != []


def test_a_picture_that_is_missing_or_differs_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(make_pictures, "FOLDER", tmp_path)
    monkeypatch.setattr(make_pictures, "PICTURES", {"p": lambda: figure(value)})
    value = 2.0
    assert make_pictures.check("p") == ["p: there is no picture yet"]
    make_pictures.draw("p")
    assert make_pictures.check("p") == []
    value = 3.0
    assert make_pictures.check("p") != []


def test_a_compressed_picture_is_a_png() -> None:
    assert compressed_png(figure()).startswith(b"\x89PNG")
