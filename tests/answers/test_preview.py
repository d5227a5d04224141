"""Previews of changes: records before and after in groups, totals, purchases, and warnings where capacity falls."""

from dataclasses import fields
from typing import Any

import pytest

import twin
from twin.answers.preview import Preview
from twin.answers.record_changes import LINK_COLUMNS, NODE_COLUMNS, SPAN_COLUMNS, RecordChange
from twin.arrays import NetworkArrays

NOT_LISTED = {
    *("node_ids", "node_site"),
    *("link_ids", "link_ends", "link_straight_km", "link_measured_years"),
    *("span_first", "span_link", "span_measured_years", "span_srlg_span", "span_srlg_code", "span_cable"),
}
"""Columns that no change sets, and days of measurements, which move with their values."""


def network(**fields: Any) -> twin.Network:
    document: dict[str, Any] = {
        "schema_version": 1,
        "name": "four",
        "as_of": "2026-11-01",
        "sites": [{"id": "A"}, {"id": "B"}],
        "nodes": [
            {"id": "leaf-1", "kind": "leaf", "site": "A", "part": "leaf-51.2T"},
            {"id": "leaf-2", "kind": "leaf", "site": "A", "part": "leaf-51.2T"},
            {"id": "spine", "kind": "spine", "site": "A", "part": "spine-51.2T"},
            {"id": "far", "kind": "border", "site": "B"},
        ],
        "links": [
            {"id": f"up-{i}", "ends": [f"leaf-{i}", "spine"], "transceiver": "400G-DR4", "n_parallel": 8}
            for i in (1, 2)
        ]
        + [
            {
                "id": "wan",
                "ends": ["spine", "far"],
                "capacity_gbps": 100,
                "spans": [{"length_km": 20}, {"length_km": 5}],
            }
        ],
        "demands": [{"id": "d", "source": "leaf-1", "target": "leaf-2", "offered_gbps": 100}],
    }
    return twin.from_document(document | fields)


def preview(*changes: dict[str, Any], **fields: Any) -> Preview:
    return network(**fields).preview(list(changes))


def told(change: RecordChange) -> tuple[Any, ...]:
    return change.action, change.record, change.group, change.n, {f.name: (f.before, f.after) for f in change.fields}


def total(found: Preview, name: str) -> tuple[float, float]:
    return next((row.before, row.after) for row in found.totals if row.name == name)


def test_fewer_members_than_before_are_a_warning() -> None:
    found = preview({"kind": "set_channels", "links": {"tier": "fabric"}, "n_parallel": 2})
    assert [told(change) for change in found.changes] == [("change", "link", "fabric", 2, {"n_parallel": (8.0, 2.0)})]
    assert found.changes[0].examples == ("up-1", "up-2")
    assert total(found, "capacity of fabric links") == (2 * 8 * 400, 2 * 2 * 400)
    assert total(found, "switch ports") == (34, 10)
    assert found.capacity_falls == (
        "Capacity of fabric links falls from 6,400 Gb/s to 1,600 Gb/s; n_parallel is the new number of members, "
        "not a factor.",
    )
    assert found.summary == ("2 links with other values.", *found.capacity_falls)
    assert found.purchases == ()


def test_more_members_are_no_warning_and_are_bought() -> None:
    found = preview({"kind": "set_channels", "links": "up-*", "n_parallel": 16})
    assert found.capacity_falls == ()
    assert [(row.item, row.amount) for row in found.purchases] == [("400G-DR4", 2 * 8 * 2), ("labour, h", 32 * 0.25)]
    assert found.summary[1].startswith("To buy: $")


def test_members_of_unknown_price_are_no_free_ones() -> None:
    found = preview({"kind": "set_channels", "links": "wan", "n_parallel": 2})
    assert [(row.item, row.amount, row.usd) for row in found.purchases] == [
        ("transceivers of links that name none", 1, None)
    ]
    assert "To buy: price unknown: transceivers of links that name none." in found.summary
    assert "price unknown" in repr(found)


def test_another_part_is_a_replacement() -> None:
    found = preview({"kind": "swap_switches", "nodes": {"kind": "leaf"}, "part": "leaf-102.4T"})
    (change,) = found.changes
    assert told(change)[:4] == ("replace", "node", "leaf", 2)
    assert told(change)[4]["part"] == ("leaf-51.2T", "leaf-102.4T")
    assert found.summary[0] == "2 nodes with other parts."


def test_added_and_removed_records_are_told_apart() -> None:
    add = {
        "kind": "add_link",
        "link": {"id": "new", "ends": ["leaf-1", "leaf-2"], "capacity_gbps": 100, "n_parallel": 3},
    }
    found = preview(add, {"kind": "remove_links", "links": "up-2"})
    assert [told(change) for change in found.changes] == [
        ("add", "link", "fabric", 1, {"capacity_gbps": (None, 100.0), "n_parallel": (None, 3.0)}),
        ("remove", "link", "fabric", 1, {"transceiver": ("400G-DR4", None), "n_parallel": (8.0, None)}),
    ]
    assert total(found, "capacity of fabric links") == (6400, 3500)
    assert found.capacity_falls == ("Capacity of fabric links falls from 6,400 Gb/s to 3,500 Gb/s.",)


def test_a_removed_node_takes_its_links_along() -> None:
    found = preview({"kind": "remove_nodes", "nodes": "far"})
    assert {told(change)[:4] for change in found.changes} == {
        ("remove", "node", "border", 1),
        ("remove", "link", "wide_area", 1),
    }
    assert total(found, "capacity A – B") == (100, 0)


def test_failed_links_keep_their_capacity() -> None:
    found = preview({"kind": "fail_links", "links": "up-1"})
    assert [told(change) for change in found.changes] == [("change", "link", "fabric", 1, {"up": ("yes", "no")})]
    assert found.totals == found.capacity_falls == ()


def test_new_fibre_is_a_change_of_spans() -> None:
    found = preview({"kind": "set_fibre", "links": "wan", "fibre": "G.654.E", "leased": False})
    spans = [change for change in found.changes if change.record == "span"]
    assert sum(change.n for change in spans) == 2
    assert {change.examples[0] for change in spans} <= {"wan span 0", "wan span 1"}
    assert all(told(change)[4]["fibre"][1] == "G.654.E" for change in spans)


def test_another_number_of_spans_is_a_change_of_the_link() -> None:
    link = {"id": "wan", "ends": ["spine", "far"], "capacity_gbps": 100, "spans": [{"length_km": 40}]}
    found = network().preview([{"kind": "remove_links", "links": "wan"}, {"kind": "add_link", "link": link}])
    assert ("change", "link", "wide_area", 1, {"n_spans": (2.0, 1.0), "route_km": (25.0, 40.0)}) in map(
        told, found.changes
    )


def test_workloads_are_compared_field_by_field() -> None:
    found = preview({"kind": "scale_demands", "factor_ratio": 3}, {"kind": "set_load_balancing", "mode": "ecmp"})
    assert told(found.changes[0]) == ("change", "demands", "traffic", 1, {"offered_gbps": (100.0, 300.0)})
    assert told(found.changes[1])[:3] == ("change", "network", "load_balancing")
    assert found.summary == ("Demands changed; network changed.",)


def test_a_job_lists_the_fields_that_change() -> None:
    small = twin.load("two-campus")
    found = small.preview([{"kind": "split_work", "split": "balanced"}])
    (change,) = found.changes
    assert change.record == "job"
    assert [row.name for row in change.fields] == ["split"]
    assert change.fields[0].after == "balanced"


def test_many_different_values_are_one_group_with_ranges() -> None:
    links = [
        {"id": f"l{i:02d}", "ends": ["leaf-1", "leaf-2"], "capacity_gbps": 100, "n_parallel": 20 + i} for i in range(12)
    ]
    found = preview({"kind": "set_channels", "links": "l*", "n_parallel": 4}, links=links)
    (change,) = found.changes
    assert change.n == 12
    (row,) = change.fields
    assert (row.before, row.before_high, row.after, row.after_high) == (20.0, 31.0, 4.0, None)


def test_no_changes_say_so() -> None:
    found = preview()
    assert found.summary == ("Nothing changes.",)
    assert found.changes == found.totals == found.purchases == ()


def test_a_what_if_holds_its_preview() -> None:
    change = {"kind": "set_channels", "links": "up-*", "n_parallel": 2}
    diff = network().what_if(change, main_assumptions=False)
    assert diff.preview == preview(change)
    assert diff.summary[-1] == diff.preview.capacity_falls[0]
    assert "~ 2 fabric links: n_parallel 8 → 2 (up-1, up-2)" in repr(diff)


def test_totals_name_links_of_unknown_rate() -> None:
    links = [{"id": "l", "ends": ["leaf-1", "spine"]}, {"id": "m", "ends": ["leaf-2", "spine"], "capacity_gbps": 100}]
    found = preview({"kind": "set_channels", "links": "m", "n_parallel": 2}, links=links, demands=[])
    (row,) = [row for row in found.totals if row.unit == "Gb/s"]
    assert (row.before, row.after, row.n_unknown) == (100, 200, 1)
    assert "without 1 link of unknown" in repr(found)


def test_every_column_that_a_change_may_set_is_compared() -> None:
    listed = {*NODE_COLUMNS, *LINK_COLUMNS, *SPAN_COLUMNS}
    names = {spec.name for spec in fields(NetworkArrays)}
    records = {name for name in names if name.startswith(("node_", "link_", "span_"))}
    assert listed | NOT_LISTED == records
    assert not listed & NOT_LISTED


@pytest.mark.parametrize("plan", ["fibre-upgrade", "hardware-swap"])
def test_shipped_plans_list_what_they_buy(plan: str) -> None:
    small = twin.load("memphis-small")
    found = small.preview(plan)
    assert found.purchases == small.what_if(plan, main_assumptions=False).purchases
    assert found.changes
    assert repr(found).startswith(f"memphis-small · {plan} · preview\n")


def test_records_of_a_job_are_texts_without_defaults_and_parallelism_by_field() -> None:
    network = twin.load("two-campus")
    (moved,) = network.preview({"kind": "leave_sites", "sites": ["west"]}).changes
    (places,) = [row for row in moved.fields if row.name == "placement"]
    assert (places.before, places.after) == ("site east; site west", "site east")
    (cut,) = network.preview({"kind": "cut_job", "pp": 2}).changes
    assert [row.name for row in cut.fields] == ["parallelism.pp"]
