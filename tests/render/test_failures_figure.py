"""The picture of failures: a panel for the job, and two for demands; each names what it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twin.loading import load
from twin.network import Network
from twin.render import save_figure
from twin.render.failures_figure import failures_figure


@pytest.fixture(scope="module")
def small() -> Network:
    return load("memphis-small")


def texts(figure: Any) -> str:
    found = [text.get_text() for axis in figure.axes for text in axis.texts]
    found += [label.get_text() for axis in figure.axes for label in axis.get_yticklabels()]
    return "\n".join([figure.get_suptitle(), *(axis.get_title(loc="left") for axis in figure.axes), *found])


def test_a_job_alone_has_one_panel_that_shows_what_stops_it(small: Network) -> None:
    report = small.failures(of="srlg", job="everything")
    figure = report.figure()
    assert len(figure.axes) == 1
    said = texts(figure)
    assert "job stops" in said
    assert "duct-shared" in said
    assert "step of job everything" in said
    lengths = [bar.get_width() for bar in figure.axes[0].patches]
    steps = [group.job.step_time_s for group in report.job_outcomes]
    assert [step for step in steps if step is not None] == [w for w, step in zip(lengths, steps, strict=True) if step]


def test_demands_have_a_panel_of_losses_and_one_of_links() -> None:
    report = load("leaf-spine-demo").failures(top=3)
    figure = report.figure()
    losses, links = figure.axes
    assert [bar.get_width() for bar in losses.patches] == [row.lost_gbps for row in report.failures]
    worst = [row.worst_utilisation_ratio for row in report.links]
    assert [bar.get_width() for bar in links.patches][:3] == worst
    assert "90 % after leaf-1~spine-2" in texts(figure)


def test_many_rows_are_cut_and_their_number_is_told() -> None:
    figure = load("leaf-spine-demo").failures().figure()
    assert len(figure.axes[1].get_yticks()) == 15
    assert figure.axes[1].get_xlabel() == "the first 15 of 16 links"


def test_names_are_drawn_as_they_are_and_the_bytes_are_the_same_twice(tmp_path: Path) -> None:
    data = load("leaf-spine-demo").failures(top=2).to_dict()
    data["links"][0]["id"] = data["failures"][0]["id"] = "x$y_z^2"
    files = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for path in files:
        save_figure(failures_figure(data), path)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert "x$y_z^2" in files[0].read_text()


def test_a_network_that_loses_nothing_says_so() -> None:
    data = load("leaf-spine-demo").failures().to_dict()
    for row in data["failures"]:
        row.update(lost_gbps=0.0, not_carried_gbps=0.0)
    assert "no failure loses traffic" in texts(failures_figure(data))
