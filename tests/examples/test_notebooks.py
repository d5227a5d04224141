"""The tutorials: notebooks of valid form, run from the first cell to the last, with the lessons that they teach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from site_pages.notebooks import Cell, notebook_page, read_notebook, run_cells
from site_pages.tutorials import EXAMPLES, NOTEBOOKS

import twin

QUESTIONS = ("twin.load(", ".what_if(", ".figure()")
"""What every tutorial shows: a network of its own, a change, a picture."""


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def namespace_of(name: str) -> dict[str, Any]:
    """The names that a notebook leaves behind."""
    names: dict[str, Any] = {}
    assert all(run_cells(read_notebook(EXAMPLES / f"{name}.ipynb"), EXAMPLES, names))
    return names


def test_each_notebook_is_a_tutorial() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.ipynb")} == set(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_each_has_a_network_a_change_and_a_picture(name: str) -> None:
    cells = read_notebook(EXAMPLES / f"{name}.ipynb")
    assert cells[0].source.startswith("# ")
    code = "\n".join(cell.source for cell in cells if cell.kind == "code")
    assert [text for text in QUESTIONS if text not in code] == []
    assert f'"{name}.yaml"' in code


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_plan_of_the_networks_can_be_asked(name: str) -> None:
    network = twin.load(EXAMPLES / f"{name}.yaml")
    for plan in network.document.plans:
        assert network.what_if(plan.id).plan == plan.id


def test_the_leaf_spine_teaches_what_its_text_says() -> None:
    """170 Gb/s of the databases share 100 Gb/s without a spine, and the backup of 20 Gb/s gets through."""
    names = namespace_of("leaf_spine")
    diff = names["diff"]
    assert diff.before["demand_satisfied_ratio"] == 1.0
    assert diff.before["max_link_utilisation_ratio"] == pytest.approx(0.85)
    assert diff.after["max_link_utilisation_ratio"] == pytest.approx(1.7)
    assert diff.after["demand_satisfied_ratio"] == pytest.approx(120 / 190)
    assert names["after"]["demand_satisfied_ratio"] == 1.0


def test_the_cluster_teaches_what_its_text_says() -> None:
    """The parts add up, the pipeline is the largest cause, a lost rack costs time, fewer stages waste less."""
    names = namespace_of("training_cluster")
    assert sum(names["parts"]) == pytest.approx(names["score"]["step_time_s"])
    first = names["network"].explain().causes[0]
    assert first.name == "pipeline_fill"
    assert first.share_ratio > 0.5
    assert names["down"].after["step_time_s"] > names["down"].before["step_time_s"]
    assert names["down"].after["n_accelerators"] < names["down"].before["n_accelerators"]
    values = names["sweep"].values
    assert all(two > four > eight for two, four, eight in zip(*[iter(values)] * 3, strict=True))
    assert names["faster"] > 1.5


def test_the_fibre_teaches_what_its_text_says() -> None:
    """The margin rises as the mode falls back; both upgrades bring the step back; one is cheap, the other lasts."""
    names = namespace_of("ageing_fibre")
    cut = names["cut"]
    assert cut.after["min_coherent_margin_db"] > cut.before["min_coherent_margin_db"]
    assert (cut.before["n_links_fallen_back"], cut.after["n_links_fallen_back"]) == (0, 1)
    assert names["gone"].after["unrouted_gbps"] == 2000.0
    repaired, new_fibre, more_channels = names["answers"].values()
    today_s = cut.before["step_time_s"]
    assert repaired["step_time_s"] > 1.2 * today_s
    assert max(new_fibre["step_time_s"], more_channels["step_time_s"]) <= today_s + 1e-9
    assert more_channels["capex_usd"] < 0.1 * new_fibre["capex_usd"]
    network = names["network"]
    dates = []
    for changes in ("new-fibre", [*names["repaired"], *names["plans"]["more-channels"]]):
        (link,) = network.forecast(20, changes=changes).to_dict()["links"]
        dates.append(link["cases"]["value"]["rate_drops"][0]["date"])
    assert dates[0] > dates[1]


def notebook(*cells: dict[str, Any], minor: int = 5) -> str:
    metadata = {"language_info": {"name": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": minor})


def code_cell(source: str, name: str = "a", **more: Any) -> dict[str, Any]:
    cell = {"cell_type": "code", "id": name, "metadata": {}, "source": [source], "outputs": [], "execution_count": None}
    return cell | more


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (notebook(code_cell("1"), minor=4), "format 4.5"),
        (notebook(code_cell("1", outputs=[{"output_type": "stream"}])), "holds an output"),
        (notebook(code_cell("1", execution_count=1)), "holds an output"),
        (notebook(code_cell("1", name="no id")), "no valid form"),
        (notebook(code_cell("1", cell_type="raw")), "no valid form"),
        (notebook(code_cell("1"), code_cell("2")), "one id"),
    ],
)
def test_a_notebook_of_another_form_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(text)
    with pytest.raises(ValueError, match=problem):
        read_notebook(path)


def test_cells_share_names_and_the_last_expression_is_the_output(tmp_path: Path) -> None:
    cells = [
        Cell("code", "x = 2\nprint('two')"),
        Cell("markdown", "text"),
        Cell("code", "x += 1\nx"),
        Cell("code", "x;"),
    ]
    first, text, third, silent = (output for _, output in run_cells(cells, tmp_path))
    assert text is None
    assert (first.text, first.value) == ("two\n", None)
    assert (third.text, third.value) == ("", 3)
    assert silent.value is None


def test_an_exception_of_a_cell_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        list(run_cells([Cell("code", "1 / 0")], tmp_path))


def test_a_page_shows_text_values_tables_and_pictures(tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").write_text(
        notebook(
            code_cell("from matplotlib.figure import Figure\nprint('said')\n[1, 2]", "a"),
            code_cell("class A:\n    def _repr_html_(self):\n        return '<b>x</b>\\n\\n<svg a>y</svg>'\nA()", "b"),
            code_cell("Figure()", "c"),
        )
    )
    page = notebook_page(tmp_path / "n.ipynb", "images")
    assert "```text\nsaid\n```" in page.text
    assert "```text\n[1, 2]\n```" in page.text
    assert '<div class="output answer">\n<b>x</b>\n</div>' in page.text
    assert page.pictures["n-1.svg"] == b"<svg a>y</svg>"
    assert page.pictures["n-2.png"].startswith(b"\x89PNG")
    assert page.text.count("](images/n-") == 2
