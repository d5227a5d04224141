"""Drawings: every node and link is in exactly one place and line, and the figures are those of the link table."""

from __future__ import annotations

import math

import pytest

import twin
from twin.answers.drawing_layout import map_positions, place_positions
from twin.errors import ChangeError
from twin.render.heat import COLOURS, HEATS, NO_VALUE, step_labels

NETWORKS = ["leaf-spine-demo", "two-campus", "ageing-lines"]


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest) -> twin.Network:
    return twin.load(request.param)


def test_every_node_and_link_is_drawn_once(network: twin.Network) -> None:
    drawing = network.draw()
    assert sum(place.n_nodes for place in drawing.places) == drawing.n_nodes == len(network.nodes)
    assert sum(line.n_links for line in drawing.lines) == drawing.n_links == len(network.links)
    ids = [place.id for place in drawing.places]
    assert len(set(ids)) == len(ids)
    for line in drawing.lines:
        assert {line.source, line.target} <= set(ids)
        if line.n_classes <= 12:
            assert sum(each.n_links for each in line.classes) == line.n_links


def test_figures_of_lines_are_the_worst_of_their_links(network: twin.Network) -> None:
    drawing = network.draw()
    rows = network.link_table().rows
    use = max(row.utilisation_ratio for row in rows if row.utilisation_ratio is not None)
    assert max(line.utilisation_ratio or 0.0 for line in drawing.lines) == use
    margins = [row.margin_db for row in rows if row.margin_db is not None]
    drawn = [line.margin_db for line in drawing.lines if line.margin_db is not None]
    assert (min(drawn) if drawn else None) == (min(margins) if margins else None)


def test_a_cut_link_is_drawn_as_down() -> None:
    network = twin.load("leaf-spine-demo")
    cut = network.draw(changes=[{"kind": "fail_links", "links": "leaf-1~spine-1"}])
    (line,) = [line for line in cut.lines if {line.source, line.target} == {"leaf-1", "spine-1"}]
    assert (line.n_down, line.n_links, line.capacity_gbps) == (1, 1, 0.0)
    assert not line.classes[0].up
    assert all(other.n_down == 0 for other in cut.lines if other is not line)


def test_worst_failures_colour_lines_that_they_load() -> None:
    network = twin.load("leaf-spine-demo")
    failures = network.failures()
    drawing = network.draw("worst_failure_utilisation", failures=failures)
    worst = {row.id: row.worst_utilisation_ratio for row in failures.links}
    for line in drawing.lines:
        assert line.worst_failure_utilisation_ratio == worst[line.classes[0].examples[0]]
    assert network.draw().lines[0].worst_failure_utilisation_ratio is None


def test_an_unknown_heat_is_refused_with_a_hint() -> None:
    with pytest.raises(ChangeError, match="margin"):
        twin.load("leaf-spine-demo").draw("margni")


def test_tiers_stand_above_each_other_and_the_same_tier_level() -> None:
    drawing = twin.load("leaf-spine-demo").draw()
    heights = {
        kind: {place.y_ratio for place in drawing.places if place.kind == kind} for kind in ("host", "leaf", "spine")
    }
    assert all(len(each) == 1 for each in heights.values())
    assert min(heights["host"]) < min(heights["leaf"]) < min(heights["spine"])
    assert all(0.0 <= place.x_ratio <= 1.0 and 0.0 <= place.y_ratio <= 1.0 for place in drawing.places)


def test_a_mesh_of_sites_stands_as_on_a_map() -> None:
    at = {0: (50.0, 10.0), 1: (50.0, 20.0), 2: (40.0, 10.0)}
    positions = place_positions(["switch"] * 3, [0, 1, 2], at, [(0, 1), (1, 2)])
    (ax, ay), (bx, by), (cx, cy) = positions
    assert ax == pytest.approx(cx)
    assert ay == pytest.approx(by)
    assert bx > ax
    assert cy < ay


def test_a_map_across_the_date_line_is_not_torn() -> None:
    (west, _), (east, _) = map_positions([(0.0, 179.0), (0.0, -179.0)])
    assert east > west
    near = map_positions([(0.0, 179.0), (0.0, -179.0), (2.0, 179.0)])
    assert abs(near[0][0] - near[1][0]) == pytest.approx(abs(near[0][1] - near[2][1]), rel=1e-3)


def test_a_mesh_without_coordinates_is_arranged_alike_each_time() -> None:
    pairs = [(0, 1), (1, 2), (2, 3), (3, 0), (3, 4)]
    first = place_positions(["switch"] * 5, [-1] * 5, {}, pairs)
    assert first == place_positions(["switch"] * 5, [-1] * 5, {}, pairs)
    assert len(set(first)) == 5
    assert place_positions(["switch"], [-1], {}, []) == [(0.5, 0.5)]


def test_a_switch_without_tier_stands_above_what_it_joins() -> None:
    positions = place_positions(["host", "switch"], [-1, -1], {}, [(0, 1)])
    assert positions[1][1] > positions[0][1]


def test_order_of_records_and_of_earlier_questions_changes_nothing() -> None:
    document = twin.load("leaf-spine-demo").document.model_dump(mode="json", exclude_unset=True)
    turned = {**document, "nodes": document["nodes"][::-1], "links": document["links"][::-1]}
    first = twin.from_document(document).draw().to_json()
    again = twin.from_document(turned)
    again.what_if([{"kind": "fail_links", "links": "leaf-1~spine-1"}], main_assumptions=False)
    assert again.draw().to_json() == first


@pytest.mark.parametrize("heat", HEATS.values(), ids=HEATS)
def test_colours_get_worse_by_step(heat: object) -> None:
    values = [heat.steps[0] - 1.0, *heat.steps]
    colours = [heat.colour(value) for value in values]
    assert colours == list(COLOURS if heat.higher_is_worse else COLOURS[::-1])
    assert heat.colour(None) == NO_VALUE
    assert len(step_labels(heat)) == len(COLOURS)


def test_the_picture_and_the_table_name_each_place() -> None:
    drawing = twin.load("leaf-spine-demo").draw()
    texts = {text.get_text() for text in drawing.figure().axes[0].texts}
    assert texts == {place.id for place in drawing.places}
    assert "spine-1" in repr(drawing)
    assert drawing._repr_html_().startswith("<svg")


def test_failures_colour_lines_by_what_they_take_from_the_job() -> None:
    network = twin.load("two-campus")
    failures = network.failures(of="link")
    lost = {row.id: row.job for row in failures.failures}
    drawing = network.draw("failure_rate_lost", failures=failures)
    wan = next(line for line in drawing.lines if line.tier == "wide_area")
    worst = max(lost[name].step_ratio or math.inf for each in wan.classes for name in each.examples)
    assert wan.failure_rate_lost_ratio == pytest.approx(1.0 - 1.0 / worst)
    assert max(line.failure_rate_lost_ratio for line in drawing.lines) == 1.0  # an uplink of a rack stops the job
    assert step_labels(HEATS["failure_rate_lost_ratio"])[::4] == ["below 0.1 %", "job stops"]
    assert network.draw().lines[0].failure_rate_lost_ratio is None
