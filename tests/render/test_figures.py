"""Pictures are drawn of every shape of answer, name what they are told as it is, and are the same bytes twice."""

from __future__ import annotations

import builtins
import re
import string
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.answers.lines import a_span, document, load_of, zr
from twin.answers.metrics import METRICS
from twin.errors import TwinError
from twin.loading import from_document, load
from twin.render import (
    check_format,
    explanation_figure,
    forecast_figure,
    link_figure,
    save_figure,
    svg_of,
    sweep_figure,
)
from twin.render.canvas import FORMATS, label_text
from twin.render.forecast_figure import MAX_COLUMNS
from twin.render.labels import DISTANCES_POINTS
from twin.render.words import input_words

FEW = settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
ODD = ["x$y_z^2", "_$a$^{<b>&amp;", r"\$\alpha_{%d}#", "a" * 200]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


@pytest.fixture
def no_matplotlib(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(builtins, "__import__", without)
        yield


@cache
def answer_of(kind: str, years: int = 6, growth: float = 0.1) -> dict[str, Any]:
    return answer(kinds()[kind], years, growth)


@cache
def page_of(kind: str) -> dict[str, Any]:
    return from_document(kinds()[kind]).link("l0", years=None).to_dict()


def answer(data: dict[str, Any], years: int = 6, growth: float = 0.1, **more: Any) -> dict[str, Any]:
    return from_document(data).forecast(years, growth, **more).to_dict()


def said(figure: Any) -> str:
    """Everything that is written on a sheet, before it is laid out; a line a text."""
    from matplotlib.text import Text

    return "\n".join(item.get_text().replace("\n", " ") for item in figure.findobj(Text))


def drawn(figure: Any) -> list[str]:
    """The texts of the picture as it is written to a file."""
    svg = ET.fromstring(svg_of(lambda: figure))
    assert svg.tag == f"{SVG}svg"
    return [item.text or "" for item in svg.iter(f"{SVG}text")]


@cache
def kinds() -> dict[str, dict[str, Any]]:
    """Documents of one link each."""
    bare = {"capacity_gbps": 100.0}
    undated = document({"transceiver": "OpenZR+-400G", "spans": [a_span(60.0, laid=None)]}, **load_of(50.0))
    del undated["as_of"]
    lines = (a_span(40.0), a_span(10.0, regenerated=True), a_span(50.0), a_span(66.0, standby=True))
    amplified = [a_span(60.0, amplifier="EDFA"), a_span(60.0, amplifier="EDFA"), a_span(20.0)]
    far = [a_span(70.0, amplifier="EDFA"), a_span(75.0, amplifier="EDFA"), a_span(10.0)]
    return {
        "plain": document(zr(a_span(60.0)), **load_of(300.0)),
        "worn": document(zr(a_span(76.0, "G.652.D-2006", "2006-01-01"))),
        "dark": document(zr(a_span(170.0))),
        "out of reach": document(zr(*far, part="400ZR")),
        "down": document(zr(a_span(60.0), up=False)),
        "no budget": document(bare, **load_of(90.0)),
        "full": document(bare, **load_of(300.0)),
        "copper": document({"transceiver": "DAC-400G"}),
        "direct": document({"transceiver": "400G-DR4"}),
        "no day": undated,
        "amplified": document(zr(*amplified, mux="mux-8", launch_dbm=1.0, n_parallel=8)),
        "protected": document(zr(*lines, protection="optical-protection", macsec=True)),
        "measured": document(zr(a_span(40.0), measured="2026-01-01", measured_received_dbm=-20.0)),
        "overload": document(zr(a_span(1.0), launch_dbm=1.0)),
    }


@pytest.mark.parametrize("kind", sorted(set(kinds()) - {"full", "worn", "down"}))
def test_every_kind_of_link_has_its_page_drawn(kind: str) -> None:
    assert "l0 a – b, " in said(link_figure(page_of(kind)))


@pytest.mark.parametrize("kind", ["worn", "out of reach", "down", "full", "no day", "protected"])
def test_every_course_is_drawn(kind: str) -> None:
    lines = said(forecast_figure(answer_of(kind))).split("\n")
    assert [line for line in lines if line.startswith("l0 ")]
    assert ("years from today" if kind == "no day" else "year") in lines


@pytest.mark.parametrize("years", [1, 2, 100])
def test_any_number_of_years_is_drawn(years: int) -> None:
    text = said(forecast_figure(answer_of("no budget", years)))
    assert ("the next year," if years == 1 else f"the next {years} years,") in text
    assert "traffic +10 % a year" in text


def test_shrinking_traffic_has_its_sign() -> None:
    assert "traffic −2.5 % a year" in said(forecast_figure(answer_of("no budget", 2, -0.025)))


def test_no_link_one_link_and_more_than_there_is_room_for() -> None:
    empty = answer_of("plain") | {"links": []}
    assert "document: the next 6 years" in said(forecast_figure(empty))
    many = answer(document(*(zr(a_span(40.0 + km)) for km in range(MAX_COLUMNS + 3))), 1)
    text = said(forecast_figure(many))
    assert "(3 more links fare no worse)" in text
    few = many | {"links": many["links"][: MAX_COLUMNS + 1]}
    assert "(1 more link fares no worse)" in said(forecast_figure(few))
    assert [link["id"] in text for link in many["links"]] == [True] * MAX_COLUMNS + [False] * 3
    assert "fare no worse" not in said(forecast_figure(answer_of("plain")))


def test_links_alike_are_counted_and_different_wishes_are_not_called_one() -> None:
    alike = answer(document(zr(a_span(60.0)), zr(a_span(60.0)), required_margin_db=1.0))
    text = said(forecast_figure(alike))
    assert "OpenZR+-400G, and 1 alike" in text
    assert "required: 1 dB" in text
    mixed = answer(document(zr(a_span(60.0), required_margin_db=2.0), zr(a_span(50.0), required_margin_db=1.0)))
    text = said(forecast_figure(mixed))
    assert "required" in text.split("\n")
    assert "required: " not in text


def test_a_row_of_loads_is_drawn_where_there_is_a_load() -> None:
    idle = answer_of("dark")
    assert not any(ratio for case in idle["links"][0]["cases"].values() for ratio in case["utilisation_ratio"])
    assert len(forecast_figure(idle).axes) == 2
    assert "load over capacity" not in said(forecast_figure(idle))
    loaded = forecast_figure(answer_of("plain"))
    assert len(loaded.axes) == 3
    assert "load over capacity" in said(loaded)


@pytest.mark.parametrize(("growth", "top"), [(0.0, 1.1), (0.1, 1.05 * 0.75 * 1.1**6), (0.5, 2.0)])
def test_the_scale_of_loads_holds_them_up_to_twice_the_capacity(growth: float, top: float) -> None:
    """300 Gb/s on 400 Gb/s today."""
    assert forecast_figure(answer_of("plain", 6, growth)).axes[2].get_ylim()[1] == pytest.approx(top)


def test_what_is_dark_or_has_no_margin_says_so() -> None:
    assert "dark" in said(forecast_figure(answer_of("dark"))).split("\n")
    assert "no optical margin" in said(forecast_figure(answer_of("copper")))
    assert "no optical budget" in said(link_figure(page_of("copper")))
    assert "out of reach" in said(link_figure(page_of("out of reach")))
    assert "one rate, no modes" in said(link_figure(page_of("direct")))
    idle = [side | {"queueing_us": 0.0} for side in page_of("no budget")["directions"]]
    assert "no latency" in said(link_figure(page_of("no budget") | {"directions": idle}))


def test_of_several_lines_the_worst_is_drawn_and_named() -> None:
    text = said(link_figure(page_of("protected")))
    assert "budget of the standby path, span 4: the worst of 3 lines" in text.replace("\n", " ")
    assert "budget of" not in said(link_figure(page_of("plain")))


def test_scales_are_shared_and_do_not_follow_what_is_lost_anyway() -> None:
    data = answer(document(zr(a_span(60.0)), zr(a_span(150.0, "G.652.D-2006"))), 40)
    margins = forecast_figure(data).axes[:2]
    assert margins[0].get_ylim() == margins[1].get_ylim()
    today = min(case["margin_db"][0] for link in data["links"] for case in link["cases"].values())
    assert margins[0].get_ylim()[0] == pytest.approx(today - 10.0)


# --- steps and sweeps ------------------------------------------------------------------------------------------------


@cache
def explained(changes: str | None) -> dict[str, Any]:
    return load("memphis-small").explain(changes=changes).to_dict()


def against(causes: dict[str, float]) -> dict[str, Any]:
    """An explanation in which these causes have shares of their own."""
    data = explained("border-router-swap")
    gap = data["gap_s"]
    rows = [
        row | ({"share_s": share, "share_ratio": share / gap} if (share := causes.get(row["name"])) is not None else {})
        for row in data["causes"]
    ]
    return data | {"causes": rows}


def boxes(figure: Any) -> list[tuple[str, Any]]:
    """What is written on a sheet, laid out, with the room that it takes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    axis = figure.axes[0]
    every = [*axis.texts, *axis.get_xticklabels(), *figure.texts, axis.yaxis.label]
    texts = [text for text in every if text.get_text() and text.get_visible()]
    return [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in texts]


def crossing(figure: Any) -> list[tuple[str, str]]:
    found = boxes(figure)
    return [(a, b) for i, (a, box) in enumerate(found) for b, other in found[i + 1 :] if box.overlaps(other)]


@pytest.mark.parametrize("changes", [None, "border-router-swap", "pipeline-over-campuses"])
def test_a_waterfall_has_units_and_no_label_lies_on_another(changes: str | None) -> None:
    data = explained(changes)
    figure = explanation_figure(data)
    text = said(figure)
    assert "step time (s)" in text
    assert f"of the {data['gap_s']:.3g} s between the first and the last bar" in text
    assert crossing(figure) == []
    assert "-0" not in text
    assert not re.search(r"\de-\d", text)
    top = max(box.y1 for words, box in boxes(figure) if words.endswith("%"))
    assert top < figure.axes[0].get_window_extent().y1


def test_a_share_below_nothing_is_a_bar_upwards_with_its_sign() -> None:
    figure = explanation_figure(against({"accelerators": -0.5, "interconnect": 1.5}))
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert pytest.approx(0.5) in heights
    assert "−0.5 s" in said(figure)
    assert "\n−" in "".join(words for words, _ in boxes(figure))
    assert crossing(figure) == []


def test_causes_without_effect_are_listed_and_not_drawn() -> None:
    data = explained("border-router-swap")
    figure = explanation_figure(data)
    assert "no effect: frame loss" in said(figure).split("\n")
    assert len(figure.axes[0].patches) == 2 + len(data["causes"]) - 1
    idle = [cause | {"share_s": 0.0, "share_ratio": 0.0, "alone_s": 0.0} for cause in data["causes"]]
    assert len(explanation_figure(data | {"causes": idle}).axes[0].patches) == 2


def test_a_share_of_nothing_has_no_percent_and_a_small_one_is_not_nothing() -> None:
    lines = said(explanation_figure(against({"fabric": 1e-5, "buffers": 0.0}))).split("\n")
    assert "0.01 ms <1 %" in lines
    assert "0 s" in lines


def test_a_mark_does_not_run_through_a_label() -> None:
    data = explained("border-router-swap")
    level = data["step_time_s"]
    first = data["causes"][0] | {"alone_s": -0.05 * level}
    figure = explanation_figure(data | {"causes": [first, *data["causes"][1:]]})
    label = next(text for text in figure.axes[0].texts if text.get_text().startswith(f"{first['share_s']:.3g} s"))
    assert label.xy[1] == pytest.approx(1.05 * level)


def swept(*values: float | None, path: str = "age", split: bool = False, **more: Any) -> dict[str, Any]:
    axes = [{"path": path, "values": [float(i) for i in range(len(values) // (1 + split))]}]
    axes += [{"path": "job.split", "values": ["uniform", "balanced"]}] if split else []
    asked = {"network": "n", "job": None, "plan": None, "label": "step time", "unit": "s", "axes": axes}
    return asked | {"values": list(values), "knees": [], "against": None, "against_value": None, "crossings": []} | more


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("age", "age (years)"),
        ("demands", "demands (times those of the document)"),
        ("links.wan-*.length_km", "length of each link wan-* (km)"),
        ("job.n_global_batch", "global batch"),
    ],
)
def test_inputs_of_a_sweep_have_their_units(path: str, label: str) -> None:
    assert label in said(sweep_figure(swept(1.0, 2.0, path=path))).split("\n")


def test_points_without_a_value_are_counted() -> None:
    assert "2 of 3 points have no value" in said(sweep_figure(swept(None, 2.0, None)))
    assert "no value" not in said(sweep_figure(swept(1.0, 2.0)))


KNEES = {"knees": [[1.0, "uniform"], [1.0, "balanced"]]}
MARKED = {
    "rising": swept(1.0, 2.0, 9.0, knees=[[1.0]]),
    "falling": swept(9.0, 2.0, 1.0, knees=[[1.0]]),
    "two that fall": swept(9.0, 8.0, 3.0, 2.0, 2.9, 1.9, split=True, **KNEES),
    "two close together": swept(9.0, 8.9, 3.0, 2.9, 2.9, 2.8, split=True, **KNEES),
    "knee on a crossing": swept(9.0, 3.0, 2.0, knees=[[1.0]], against="p", against_value=3.0, crossings=[[1.0]]),
}


@pytest.mark.parametrize("kind", MARKED)
def test_labels_of_a_sweep_are_near_their_points_and_cover_nothing(kind: str) -> None:
    figure = sweep_figure(MARKED[kind])
    axis = figure.axes[0]
    n_marks = len(MARKED[kind]["knees"]) + len(MARKED[kind]["crossings"])
    assert len(axis.texts) == n_marks
    assert all(np.hypot(*text.xyann) <= max(DISTANCES_POINTS) * 1.3 for text in axis.texts)
    assert crossing(figure) == []
    legends = [each.get_window_extent() for each in (axis.get_legend(),) if each]
    for text in axis.texts:
        box = text.get_window_extent()
        assert not [legend for legend in legends if box.overlaps(legend)]
        for line in (line for line in axis.lines if len(line.get_xdata()) > 2):
            points = line.get_transform().transform(line.get_xydata())
            path = np.concatenate([np.linspace(a, b, 500) for a, b in pairwise(points)])
            assert not any(box.contains(*point) for point in path)


def test_equal_curves_are_drawn_once_with_all_their_values() -> None:
    figure = sweep_figure(swept(9.0, 9.0, 3.0, 3.0, 2.9, 2.9, split=True, **KNEES))
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["split: uniform, balanced"]
    assert [text.get_text() for text in figure.axes[0].texts] == ["knee at 1"]
    many = swept(*[value for value in (9.0, 3.0, 2.9) for _ in range(6)])
    axes = [{"path": "links.w.length_km", "values": [0.0, 1.0, 2.0]}, {"path": "age", "values": [0, 1, 2, 3, 4, 5]}]
    figure = sweep_figure(many | {"axes": axes})
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["age: 0, 1, ..., 5"]


def test_a_title_says_what_is_drawn_over_what() -> None:
    asked = swept(1.0, 2.0, path="links.wan-*.total_gbps", plan="p", job="j")
    assert "Step time by capacity of each link wan-* n after p, job j" in said(sweep_figure(asked)).split("\n")


@pytest.mark.parametrize("metric", ["step_time_s", "demand_satisfied_ratio"])
def test_a_metric_has_its_label_and_unit(metric: str) -> None:
    network = load("memphis-small" if metric == "step_time_s" else "leaf-spine-demo")
    text = said(network.sweep("age=0,1", metric=metric).figure())
    label = METRICS[metric].label
    assert f"{label[:1].upper()}{label[1:]} by age" in text
    assert (f"{label} (s)" if metric == "step_time_s" else label) in text.split("\n")


@pytest.mark.parametrize(
    ("path", "words", "unit"),
    [
        ("age", "age", "years"),
        ('links."a.b".n_parallel', "members of each link a.b", "1"),
        (r'links."a\"b.c".length_km', 'length of each link a"b.c', "km"),
        ("placement.c1.n_accelerators", "accelerators at c1", "1"),
        ("mix.c1.H100.GB200", "share of H100 at c1, the others GB200", None),
        ("parallelism.pp", "pipeline stages (pp)", None),
        ("lossless.in_flight_bytes", "in flight", "B"),
        ("job.split", "split", None),
    ],
)
def test_inputs_are_told_in_words(path: str, words: str, unit: str | None) -> None:
    assert input_words(path) == (words, unit)


@pytest.mark.parametrize("name", ODD)
def test_steps_and_sweeps_of_any_name_are_drawn(name: str) -> None:
    named = {"network": name, "job": name, "plan": name}
    for draw, data in ((explanation_figure, explained(None)), (sweep_figure, swept(1.0, 2.0))):
        told = " ".join(drawn(draw(data | named)))
        assert label_text(name)[:40] in told


# --- names -----------------------------------------------------------------------------------------------------------


def called(data: dict[str, Any], name: str) -> dict[str, Any]:
    """An answer in which everything that has a name has this one."""
    if "links" in data:
        return data | {"network": name, "links": [link | {"id": name} for link in data["links"]]}
    sides = [side | {"direction": f"{name} → {name}"} for side in data["directions"]]
    return data | {"id": name, "ends": [name, name], "directions": sides}


@pytest.mark.parametrize("name", ODD)
def test_names_are_drawn_as_they_are(name: str) -> None:
    """A dollar is no formula, an underscore hides nothing, a long name is cut in its middle."""
    lines = drawn(link_figure(called(page_of("copper"), name)))
    assert label_text(name, 80) in lines
    assert [line.strip() for line in lines if "→" in line] == [f"{label_text(name, 26)} → {label_text(name, 26)}"] * 2
    assert label_text(name, 30) in drawn(forecast_figure(called(answer_of("copper", 1), name)))


PRINTABLE = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=1, max_size=60)


@FEW
@given(name=PRINTABLE)
def test_any_id_can_be_drawn(name: str) -> None:
    assert drawn(link_figure(called(page_of("copper"), name)))


@FEW
@given(name=st.text(max_size=200))
def test_a_network_may_be_called_anything(name: str) -> None:
    assert drawn(forecast_figure(answer_of("copper", 1) | {"network": name}))


def test_what_the_font_cannot_write_is_a_question_mark_and_long_names_lose_their_middle() -> None:
    assert label_text("wan-1-2 → é ü ß Ω") == "wan-1-2 → é ü ß Ω"
    assert label_text("東京\n\x00\ud800") == "?????"
    assert label_text("a" * 60) == "a" * 60
    assert label_text("a" * 40 + "b" * 40) == "a" * 30 + "…" + "b" * 29
    assert len(label_text("c2/core-r1-s1-k1~c3/core-r1-s1-k1", 30)) == 30


# --- files -----------------------------------------------------------------------------------------------------------

HEADS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("ending", HEADS)
def test_pictures_are_written_and_the_same_bytes_twice(ending: str, tmp_path: Path) -> None:
    assert check_format(tmp_path / f"x.{ending.upper()}") == ending
    assert tuple(HEADS) == FORMATS
    files = [tmp_path / f"{i}.{ending}" for i in range(2)]
    for file in files:
        save_figure(link_figure(page_of("copper")), file)
    first, second = (file.read_bytes() for file in files)
    assert first == second
    assert first.startswith(HEADS[ending])


def test_a_calendar_is_the_same_bytes_twice() -> None:
    first, second = (svg_of(lambda: forecast_figure(answer_of("copper", 1))) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", ["x.jpg", "x", "x.", "x.svg.gz", "png", ".png"])
def test_an_unknown_ending_is_refused_and_the_known_ones_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(TwinError, match=r"end the name in \.png, \.svg, \.pdf"):
        check_format(tmp_path / name)
    with pytest.raises(TwinError, match="no picture format"):
        save_figure(forecast_figure(answer_of("copper", 1)), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_matplotlib")
def test_without_matplotlib_the_extra_is_named() -> None:
    for draw, data in ((forecast_figure, answer_of("copper", 1)), (link_figure, page_of("copper"))):
        with pytest.raises(TwinError, match=r"pip install 'dc-twin\[pictures\]'"):
            draw(data)
        assert svg_of(lambda draw=draw, data=data: draw(data)) == ""  # type: ignore[misc]


@pytest.mark.usefixtures("no_matplotlib")
def test_without_matplotlib_a_calendar_in_a_notebook_is_a_table_alone() -> None:
    html = from_document(kinds()["plain"]).forecast(3)._repr_html_()
    assert "<table>" in html
    assert "<svg" not in html


def test_a_calendar_in_a_notebook_is_a_table_and_a_picture() -> None:
    html = from_document(kinds()["plain"]).forecast(3)._repr_html_()
    assert html.count("<table>") == html.count("<svg") == html.count("</svg>") == 1
    assert "pessimistic" in html


def test_drawing_leaves_matplotlib_as_it_was() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    assert drawn(link_figure(page_of("copper")))
    assert dict(mpl.rcParams) == before


def test_a_sweep_is_drawn_by_size_however_it_was_asked_for() -> None:
    def drawn(order: list[int]) -> Any:
        x, y = (1.0, 10.0, 100.0, 1000.0), (8.0, 4.0, None, 1.0)
        axes = [{"path": "links.w.total_gbps", "values": [x[i] for i in order]}]
        data = {"network": "n", "job": None, "plan": None, "label": "step time", "unit": "s", "axes": axes}
        data |= {"values": [y[i] for i in order], "knees": [[10.0]], "against_value": None, "crossings": []}
        curve, ring = sweep_figure(data).axes[0].lines
        return [str(line.get_xydata().tolist()) for line in (curve, ring)]

    assert (
        drawn([2, 0, 3, 1])
        == drawn([0, 1, 2, 3])
        == ["[[1.0, 8.0], [10.0, 4.0], [100.0, nan], [1000.0, 1.0]]", "[[10.0, 4.0]]"]
    )


def test_the_shipped_answers_are_drawn() -> None:
    network = load("ageing-lines")
    forecast = network.forecast(3, 0.1, links="*")
    assert "ageing-lines: the next 3 years" in said(forecast.figure())
    for link in forecast.links[:2]:
        assert link.id in said(network.link(link.id, years=None).figure())
