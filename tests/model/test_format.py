"""What the document format allows: ids of any text, labels, directions, measurements, parts, sets of jobs."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.model.samples import campus_data, changed, network, small_documents
from twin.arrays import State
from twin.arrays.cache import load_arrays, save_arrays
from twin.catalogue import catalogue, load_price_book
from twin.errors import CatalogueError, DocumentError, TopologyError, TwinError, did_you_mean
from twin.formats import parse_document, read_mapping, write_document
from twin.loading import Network, document_schema, from_document
from twin.model.directions import higher_of
from twin.model.measurements import READINGS
from twin.model.records import Link
from twin.printable import id_problem
from twin.scenario.changes import AddLink
from twin.scenario.select import select_links

FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
LABELS: dict[str, Any] = {"name": "Any name", "tags": ["b", "a"], "source": {"file": "f.xlsx", "position": "row 3"}}


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def issues(data: dict[str, Any]) -> list[str]:
    """All that is wrong with a document, as text."""
    with pytest.raises(TwinError) as caught:
        _ = from_document(data).nodes
    return [str(issue) for issue in caught.value.issues]


def pair(*links: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Two border routers a and b and links l0, l1, ... between them."""
    named = [{"id": f"l{i}", "ends": ["a", "b"], **link} for i, link in enumerate(links)]
    ends = [{"id": "a", "kind": "border"}, {"id": "b", "kind": "border"}]
    return {"as_of": "2026-01-01", "nodes": ends, "links": named, **more}


# --- ids -------------------------------------------------------------------------------------------------------------

PRINTABLE = st.text(
    st.characters(exclude_categories=["C", "Z"], include_characters=' .*[]?"=~\\,:#&'), min_size=1, max_size=12
)
IDS = PRINTABLE.map(str.strip).filter(lambda text: bool(text) and not id_problem(text))


@FEW
@given(st.lists(IDS, min_size=4, max_size=4, unique_by=lambda text: unicodedata.normalize("NFC", text)))
def test_any_printable_id_works_everywhere(tmp_path_factory: pytest.TempPathFactory, ids: list[str]) -> None:
    a, b, wire, other = ids
    data = {
        "nodes": [{"id": a, "kind": "leaf"}, {"id": b, "kind": "leaf"}],
        "links": [
            {"id": wire, "ends": [a, b], "capacity_gbps": 100.0, "n_parallel": 2},
            {"id": other, "ends": [b, a], "capacity_gbps": 100.0},
        ],
        "demands": [{"id": wire, "source": a, "target": b, "offered_gbps": 50.0}],
    }
    folder = tmp_path_factory.mktemp("ids")
    for ending in (".yaml", ".json"):
        write_document(parse_document(data), folder / f"n{ending}")
        assert parse_document(read_mapping(folder / f"n{ending}")) == parse_document(data).canonical()
    found = from_document(data)
    save_arrays(found.arrays, "key", folder)
    kept = load_arrays("key", folder)
    assert kept is not None
    assert (kept.node_ids, kept.link_ids) == (tuple(sorted((a, b))), tuple(sorted((wire, other))))
    assert select_links(State.of(kept), wire, None, "test").tolist() == [kept.link_index[wire]]
    quoted = wire.replace("\\", "\\\\").replace('"', '\\"')
    swept = found.sweep(f'links."{quoted}".n_parallel=1,4', metric="max_link_utilisation_ratio")
    assert swept.values == (0.25, pytest.approx(0.1))
    assert found.link(wire, years=None).id == wire
    report = from_document(data).what_if([{"kind": "remove_links", "links": wire}], main_assumptions=False)
    assert report.after["max_link_utilisation_ratio"] == 0.5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (" a", "no space at its start or end"),
        ("a ", "no space at its start or end"),
        ("a\nb", "character 2 is a control character (U+000A)"),
        ("a\u0085", "character 2 is a control character (U+0085)"),
        ("a\u2028b", "character 2 is a line separator (U+2028)"),
        ("a\u00a0b", "character 2 is a space other than U+0020 (U+00A0)"),
        ("a\u200bb", "character 2 is an invisible format character (U+200B)"),
        ("", "at least 1 character"),
        ("x" * 201, "at most 200 characters"),
    ],
)
def test_what_is_no_id_is_refused_with_the_rule(text: str, problem: str) -> None:
    (issue,) = issues({"nodes": [{"id": text, "kind": "leaf"}]})
    assert problem in issue
    assert issue.isprintable()


@pytest.mark.parametrize(
    ("bad", "kind"), [("\x1b", "a control character (U+001B)"), ("\u202e", "an invisible format character (U+202E)")]
)
def test_no_shown_text_holds_what_changes_a_terminal_or_a_page(bad: str, kind: str) -> None:
    text = f"a{bad}b"
    labels = {"name": text, "tags": [text], "source": text}
    part = own_fibre() | {"name": text, "note": text, "aliases": [text]}
    part["figures"]["attenuation_db_per_km"]["source"] = text
    data = {
        "name": text,
        "note": text,
        "assumptions": [text],
        "sites": [{"id": "s", "note": text, **labels}],
        "nodes": [
            {"id": "n", "kind": "leaf", "site": "s", "pod": text, **labels, "source": {"file": text, "id": text}}
        ],
        "plans": [{"id": "p", "note": text, "changes": [], **labels}],
        "leases": [{"tenant": text, "site": "s", "n_accelerators": 1}],
        "parts": [part],
    }
    found = issues(data)
    assert len(found) == json.dumps(data).count(json.dumps(text)), found
    assert all(f"a text holds printable characters only: character 2 is {kind}" in issue for issue in found), found
    with pytest.raises(DocumentError, match="character 2 is"):
        load_price_book({"name": text}, where="prices.yaml")


def test_a_text_may_have_lines_and_tabs() -> None:
    text = "one\n\ttwo\r\nthree"
    assert parse_document({"note": text, "sites": [{"id": "s", "note": text, "source": text}]}).note == text


def test_shared_risks_that_differ_only_by_normalisation_are_refused() -> None:
    data = changed(changed(campus_data(), "links", "wan", srlgs=["caf\xe9"]), "links", "a-up", srlgs=["cafe\u0301"])
    (issue,) = issues(data)
    assert issue.startswith("srlgs[cafe\u0301]: 'caf\\xe9' and 'cafe\\u0301' look the same")


def test_an_undirected_reading_supersedes_both_directions() -> None:
    newer = measured([("a_to_b", -19.0, "2024-06-01"), (None, -13.0, "2025-06-01")])
    assert [each.where for each in from_document(newer).unused_fields] == ["measurements[wan, received_power a_to_b]"]
    older = measured([("a_to_b", -19.0, "2025-06-01"), (None, -13.0, "2024-06-01")])
    assert from_document(older).unused_fields == ()  # it still counts for b_to_a


def test_ids_that_differ_only_by_normalisation_are_duplicates() -> None:
    nodes = [{"id": "caf\u00e9", "kind": "leaf"}, {"id": "cafe\u0301", "kind": "leaf"}]
    (issue,) = issues({"nodes": nodes})
    assert "'caf\\xe9' and 'cafe\\u0301' look the same: they differ only by Unicode normalisation" in issue
    assert "looks the same" in did_you_mean("cafe\u0301", ["caf\u00e9"])


def test_an_exact_id_wins_over_a_glob_and_globs_match_any_text() -> None:
    names = ("w[1]", "w1", "w*", "光1", "光\U0010ffee")
    state = State.of(from_document(pair(*({"id": name, "capacity_gbps": 1.0} for name in names))).arrays)

    def chosen(glob: str) -> set[str]:
        return {state.link_ids[row] for row in select_links(state, glob, None, "test")}

    assert chosen("w[1]") == {"w[1]"}
    assert chosen("w[12]") == {"w1"}
    assert chosen("w*") == {"w*"}
    assert chosen("w?") == {"w1", "w*"}
    assert chosen("w[[]*") == {"w[1]"}
    assert chosen("光*") == {"光1", "光\U0010ffee"}


def test_racks_of_a_placement_may_be_one_id_that_looks_like_a_pattern() -> None:
    data = changed(campus_data(), "nodes", "b-rack-1", id="b-rack-[2]")
    data["links"] = [
        link | {"ends": ["b-rack-[2]" if end == "b-rack-1" else end for end in link["ends"]]} for link in data["links"]
    ]
    data["demands"] = []
    job = data["jobs"][1] | {"placement": [{"site": "b", "racks": "b-rack-[2]"}]}
    placed = from_document(data | {"jobs": [job], "default_job": "alone"}).evaluate().placed
    assert placed is not None
    (group,) = placed.groups
    assert [from_document(data).arrays.node_ids[row] for row in set(group.rack.tolist())] == ["b-rack-[2]"]


# --- labels ----------------------------------------------------------------------------------------------------------


def labelled() -> dict[str, Any]:
    """The campus with labels on every record that takes them."""
    data = campus_data()
    for name in ("sites", "nodes", "links", "jobs", "plans"):
        data[name] = [record | LABELS for record in data[name]]
    data["demands"] = [demand | {"name": "D", "tags": ["x"], "origin": "tm.csv"} for demand in data["demands"]]
    for link in data["links"]:
        if "spans" in link:
            link["spans"] = [span | LABELS for span in link["spans"]]
    return data


def test_labels_come_back_unchanged_and_change_no_key_and_no_answer() -> None:
    plain, named = from_document(campus_data()), from_document(labelled())
    assert named.document.digest() == plain.document.digest()
    assert json.loads(named.to_document().to_json())["links"] == parse_document(labelled()).to_dict()["links"]
    assert parse_document(named.to_document().to_dict()) == parse_document(labelled()).canonical()
    assert named.score(main_assumptions=False).to_json() == plain.score(main_assumptions=False).to_json()
    graph = named.to_networkx()
    assert (graph.nodes["a-leaf"]["name"], graph.edges["a-border", "b-border", "wan"]["tags"]) == (
        "Any name",
        ("b", "a"),
    )
    with named.edit() as edit:
        edit.remove_link("a-cable-2")
    assert {link.source for link in edit.network.links} == {named.links[0].source}
    assert named.links[0].source.file == "f.xlsx"


@pytest.mark.parametrize("kind", ["sites", "nodes", "links", "demands", "jobs", "plans"])
def test_labels_are_in_the_schema_with_a_sentence(kind: str) -> None:
    schema = document_schema()
    name = schema["properties"][kind]["items"]["$ref"].rsplit("/", 1)[-1]
    fields = schema["$defs"][name]["properties"]
    for field in ("name", "tags", "origin" if kind == "demands" else "source"):
        assert fields[field]["description"]


# --- directions ------------------------------------------------------------------------------------------------------


def test_values_by_direction_are_kept_and_reported() -> None:
    links = [{"capacity_gbps": [100.0, 40.0], "weight": [3.0, 2.0], "latency_us": [5.0, 6.0]} for _ in range(3)]
    found = from_document(pair(*links, {"capacity_gbps": [7.0, 7.0], "weight": 1.0}))
    assert parse_document(found.to_document().to_dict()) == found.document
    arrays = found.arrays
    assert arrays.arc_capacity_gbps[:6].tolist() == [100.0, 40.0] * 3
    assert np.isnan(arrays.arc_capacity_gbps[6:]).all()
    assert arrays.arc_weight.tolist() == [3.0, 2.0] * 3 + [1.0] * 2
    assert arrays.link_capacity_gbps.tolist() == [100.0] * 3 + [7.0]
    assert not found.unused_fields


@pytest.mark.parametrize("field", ["capacity_gbps", "weight", "latency_us"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([1.0], "a list of 1 is neither"),
        ([1.0, 2.0, 3.0], "a list of 3"),
        ([1.0, -1.0], "must be "),
        ("x", "must be a number"),
    ],
)
def test_a_bad_value_by_direction_has_its_place(field: str, value: Any, problem: str) -> None:
    (issue,) = issues(pair({field: value}))
    assert issue.startswith(f"links[l0].{field}: ")
    assert problem in issue


def reversed_ends(data: dict[str, Any]) -> dict[str, Any]:
    """Return the same network with every link listed from its other end."""
    links = []
    for link in data["links"]:
        turned = {
            name: value[::-1] if isinstance(value, list) and name != "spans" else value for name, value in link.items()
        }
        links.append(turned)
    swap = {"a_to_b": "b_to_a", "b_to_a": "a_to_b"}
    measurements = [
        m | ({"direction": swap[m["direction"]]} if "direction" in m else {}) for m in data.get("measurements", [])
    ]
    return data | {"links": links} | ({"measurements": measurements} if measurements else {})


@FEW
@given(small_documents(), st.data(), st.sampled_from(["ecmp", "wcmp"]))
def test_reversing_links_changes_no_bit(data: dict[str, Any], draw: st.DataObject, routing: str) -> None:
    values = st.none() | st.sampled_from([100.0, 0.1, [100.0, 400.0], [40.0, 7.0]])
    links = [
        link | {"capacity_gbps": draw.draw(values), "weight": draw.draw(st.sampled_from([1.0, [1.0, 2.5]]))}
        for link in data["links"]
    ]
    links = [{name: value for name, value in link.items() if value is not None} for link in links]
    data = data | {"links": links, "routing": routing}
    left, right = from_document(data), from_document(reversed_ends(data))
    assert left.score(main_assumptions=False).to_json() == right.score(main_assumptions=False).to_json()
    if links:
        assert left.link_table().to_json() == right.link_table().to_json()


def test_reversing_the_links_of_a_campus_changes_no_bit() -> None:
    data = measured([("a_to_b", -13.0, "2025-06-01"), ("b_to_a", -14.0, "2025-05-01")])
    data["lossless"] = {"policy": "shaped"}
    left, right = from_document(data), from_document(reversed_ends(data))
    assert left.score(main_assumptions=False).to_json() == right.score(main_assumptions=False).to_json()
    assert (
        left.what_if("wait", main_assumptions=False).to_json()
        == right.what_if("wait", main_assumptions=False).to_json()
    )
    assert left.explain().to_json() == right.explain().to_json()
    assert left.link("wan").to_json() == right.link("wan").to_json()


@given(st.floats(0.1, 1e6), st.floats(0.1, 1e6))
def test_the_higher_value_counts_whatever_the_order(a: float, b: float) -> None:
    assert higher_of((a, b)) == higher_of((b, a)) == max(a, b)
    assert higher_of(a) == a


def test_plain_changes_carry_values_by_direction() -> None:
    link = {"id": "new", "ends": ["a", "b"], "capacity_gbps": [10.0, 20.0], "source": "sheet"}
    after = from_document(pair({"capacity_gbps": 5.0})).what_if(
        [{"kind": "add_link", "link": link}], main_assumptions=False
    )
    assert after.after["unrouted_gbps"] is None
    change = AddLink.model_validate({"link": link})
    assert json.loads(change.model_dump_json())["link"]["capacity_gbps"] == [10.0, 20.0]
    assert json.loads(change.model_dump_json())["link"]["source"] == "sheet"


# --- measurements ----------------------------------------------------------------------------------------------------


def measured(powers: list[tuple[str | None, float, str]], **more: Any) -> dict[str, Any]:
    """The campus with readings of the power received on `wan`: direction, dBm, day."""
    found = []
    for direction, value, day in powers:
        m = {"of": {"link": "wan"}, "quantity": "received_power", "value_dbm": value, "at": day}
        found.append(m | ({"direction": direction} if direction else {}))
    return campus_data() | {"measurements": found, **more}


def old_power(value: float, day: str) -> dict[str, Any]:
    return changed(campus_data(), "links", "wan", measured_received_dbm=value, measured=day)


def columns(data: dict[str, Any]) -> dict[str, bytes]:
    arrays = from_document(data).arrays
    names = ("span_measured_loss_db", "span_measured_years", "link_measured_received_dbm", "link_measured_years")
    return {name: getattr(arrays, name).tobytes() for name in names}


@pytest.mark.parametrize(
    ("powers", "value", "day"),
    [
        ([(None, -14.0, "2025-06-01")], -14.0, "2025-06-01"),
        ([("a_to_b", -13.0, "2025-06-01"), ("b_to_a", -14.0, "2025-05-01")], -14.0, "2025-05-01"),
        ([("a_to_b", -14.0, "2025-06-01"), ("b_to_a", -14.0, "2025-05-01")], -14.0, "2025-06-01"),
        ([("a_to_b", -19.0, "2024-06-01"), ("a_to_b", -13.0, "2025-06-01")], -13.0, "2025-06-01"),
        ([("a_to_b", -19.0, "2024-06-01"), (None, -13.0, "2025-06-01")], -13.0, "2025-06-01"),
        ([("a_to_b", -19.0, "2025-06-01"), (None, -13.0, "2024-06-01")], -19.0, "2025-06-01"),
        ([("a_to_b", -13.0, "2025-06-01"), (None, -14.0, "2025-06-01")], -14.0, "2025-06-01"),
    ],
)
def test_a_received_power_is_the_older_field_to_the_last_bit(
    powers: list[tuple[str | None, float, str]], value: float, day: str
) -> None:
    new, old = measured(powers), old_power(value, day)
    assert columns(new) == columns(old)
    assert (
        from_document(new).score(main_assumptions=False).to_dict()["metrics"]
        == from_document(old).score(main_assumptions=False).to_dict()["metrics"]
    )
    assert columns(new) != columns(campus_data())


def test_a_span_loss_is_the_older_field_to_the_last_bit() -> None:
    spans = next(link["spans"] for link in campus_data()["links"] if link["id"] == "wan")
    stated = [spans[0], spans[1] | {"measured_loss_db": 4.2, "measured": "2025-06-01"}]
    old = changed(campus_data(), "links", "wan", spans=stated)
    of = {"of": {"link": "wan", "span": 1}, "quantity": "span_loss", "at": "2025-06-01"}
    both = [of | {"direction": way, "value_db": loss} for way, loss in (("a_to_b", 4.2), ("b_to_a", 4.0))]
    new = campus_data() | {"measurements": both}
    assert columns(new) == columns(old)
    assert (
        from_document(new).score(main_assumptions=False).to_json()
        == from_document(old).score(main_assumptions=False).to_json()
    )
    twice = issues(old | {"measurements": both[:1]})
    place = "links[wan].spans[1].measured_loss_db: stands beside measurements[wan, span 1, span_loss a_to_b]"
    assert twice == [f"{place} (keep one of them, the measurement)"]


def test_every_quantity_is_kept_and_those_not_used_are_reported() -> None:
    readings = [
        {"of": {"link": "wan", "span": 0}, "quantity": name, reading.field: max(reading.low, 0.5), "at": "2025-01-01"}
        for name, reading in READINGS.items()
    ]
    lane = {"of": {"link": "wan", "lane": 3}, "quantity": "received_power", "value_dbm": -3.0, "at": "2025-01-01"}
    found = from_document(campus_data() | {"measurements": [*readings, lane]})
    assert parse_document(found.document.to_dict()) == found.document
    assert len(found.document.measurements) == len(READINGS) + 1
    assert {each.field.removeprefix("measurements ") for each in found.unused_fields} == set(READINGS) - {"span_loss"}
    assert found.score(main_assumptions=False).to_dict()["unused"] == [each.to_dict() for each in found.unused_fields]
    shuffled = campus_data() | {"measurements": [lane, *readings[::-1]]}
    assert from_document(shuffled).document.to_json() == found.document.to_json()


@pytest.mark.parametrize(
    ("measurement", "problem"),
    [
        ({"of": {"link": "wam"}}, "no link 'wam' (did you mean 'wan'?)"),
        ({"of": {"link": "wan", "span": 2}}, "no span 2: the link has 2 (0 to 1)"),
        ({"quantity": "span_loss", "value_db": 3.0, "value_dbm": None}, "of.span: is missing (span_loss is of a span)"),
        ({"value_db": 3.0}, "received_power is stated in value_db, value_dbm (give value_dbm and no other value)"),
        ({"value_dbm": None}, "received_power has no value (give value_dbm and no other value)"),
        ({"value_dbm": 50.0}, "50 is out of range (-60 to 30)"),
        ({"at": "2026-02-01"}, "2026-02-01 lies after as_of 2026-01-01"),
        ({"at": "2020-02-01"}, "2020-02-01 lies before installed 2022-01-01"),
        ({"of": {"link": "a-cable-1"}}, "a received power of a link without a transceiver"),
        ({"quantity": "recieved_power"}, "did you mean 'received_power'"),
    ],
)
def test_a_measurement_that_cannot_be_is_refused_with_its_place(measurement: dict[str, Any], problem: str) -> None:
    sound = measured([(None, -14.0, "2025-06-01")])["measurements"][0]
    bad = {name: value for name, value in (sound | measurement).items() if value is not None}
    found = issues(campus_data() | {"measurements": [bad]})
    assert any(problem in issue and issue.startswith("measurements[") for issue in found), found


def test_two_readings_of_one_day_and_a_reading_beside_the_older_field_are_refused() -> None:
    twice = measured([(None, -14.0, "2025-06-01"), (None, -15.0, "2025-06-01")])
    assert issues(twice) == [
        "measurements[wan, received_power]: 2 readings of 2025-06-01 (one reading of a thing on a day)"
    ]
    both = old_power(-14.0, "2025-06-01") | {
        "measurements": measured([("a_to_b", -14.0, "2025-06-01")])["measurements"]
    }
    (issue,) = issues(both)
    assert issue.startswith("links[wan].measured_received_dbm: stands beside measurements[wan, received_power a_to_b]")


def test_a_link_that_is_removed_takes_its_measurements_with_it() -> None:
    found = from_document(measured([(None, -14.0, "2025-06-01")]))
    assert found.without(links=["a-cable-2"]).document.measurements == found.document.measurements
    assert found.without(links=["wan"]).document.measurements == ()
    assert (
        found.what_if([{"kind": "remove_links", "links": "wan"}], main_assumptions=False).after["min_margin_db"]
        is not None
    )


# --- parts -----------------------------------------------------------------------------------------------------------


def own_fibre(**figures: float) -> dict[str, Any]:
    """The shipped G.652.D under another name, with some figures changed."""
    part = catalogue().get("G.652.D").model_dump(mode="json", exclude_defaults=True) | {
        "id": "光 fibre",
        "name": "Ours",
    }
    for name, value in figures.items():
        part["figures"][name] = {
            "value": value,
            "low": value,
            "high": value,
            "source": "OTDR",
            "as_of": 2024,
            "status": "own",
        }
    return part


def on_own_fibre(**figures: float) -> Network:
    spans = [{"length_km": 40.0, "fibre": "光 fibre"}]
    return from_document(pair({"transceiver": "400ZR", "spans": spans}, parts=[own_fibre(**figures)]))


def test_own_parts_are_used_and_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", str(tmp_path))
    shipped = from_document(pair({"transceiver": "400ZR", "spans": [{"length_km": 40.0, "fibre": "G.652.D"}]}))
    same, worse = on_own_fibre(), on_own_fibre(attenuation_db_per_km=0.31)
    assert same.score(main_assumptions=False)["min_margin_db"] == shipped.score(main_assumptions=False)["min_margin_db"]
    assert worse.link_table("l0").rows[0]["loss_db"] == pytest.approx(0.31 * 40)
    assert worse.unused_fields == ()
    assert parse_document(worse.to_document().to_dict()) == worse.document
    assert worse.catalogue.digest() != same.catalogue.digest() != catalogue().digest()
    assert len(list(tmp_path.glob("*.npz"))) == 3
    with pytest.raises(CatalogueError):
        catalogue().get("光 fibre")


@pytest.mark.parametrize("name", ["general", "price book", "price of H100"])
def test_ids_under_which_other_figures_are_listed_are_refused(name: str) -> None:
    """A part `general` took the general figure of the same name for its own: a wrong step without a word."""
    with pytest.raises(TopologyError, match="is reserved"):
        _ = from_document(pair({}, parts=[own_fibre() | {"id": name}])).arrays


def test_own_parts_that_look_the_same_are_refused() -> None:
    parts = [own_fibre() | {"id": "fibre é"}, own_fibre() | {"id": "fibre e\u0301"}]
    with pytest.raises(TopologyError, match="Unicode normalisation"):
        _ = from_document(pair({}, parts=parts)).arrays


def test_a_change_may_put_an_own_part_in_and_the_price_book_may_price_it() -> None:
    spans = [{"length_km": 40.0, "fibre": "G.652.D"}]
    plain = pair({"transceiver": "400ZR", "spans": spans}, parts=[own_fibre(attenuation_db_per_km=0.31)])
    after = (
        from_document(plain)
        .what_if([{"kind": "set_fibre", "links": "l0", "fibre": "光 fibre"}], main_assumptions=False)
        .after
    )
    assert (
        after["min_margin_db"]
        == on_own_fibre(attenuation_db_per_km=0.31).score(main_assumptions=False)["min_margin_db"]
    )
    switch = catalogue().get("leaf-25.6T").model_dump(mode="json", exclude_defaults=True) | {"id": "our-switch"}
    data = {"nodes": [{"id": "s", "kind": "leaf", "part": "our-switch"}], "parts": [switch]}
    priced = from_document(data | {"price_book": {"part_usd": {"our-switch": 12345.0}}})
    assert priced.price_book.entry("part_usd", "our-switch").value == 12345.0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": "G.652.D"}, "parts[G.652.D].id: 'G.652.D' is a fibre of the catalogue"),
        ({"id": "a\nb"}, "character 2 is a control character"),
        ({"fec": "KP5"}, "parts[光 fibre].fec: unknown fec 'KP5'"),
        ({"kind": "glass"}, "parts[光 fibre].kind"),
        ({"figures": {"attenuation": {}}}, "parts[光 fibre].figures.attenuation.value: is missing"),
        ({"colour": "red"}, "parts[光 fibre].colour: unknown field 'colour'"),
    ],
)
def test_a_part_that_cannot_be_is_refused_with_its_place(change: dict[str, Any], problem: str) -> None:
    assert any(problem in issue for issue in issues(pair(parts=[own_fibre() | change])))


# --- jobs together ---------------------------------------------------------------------------------------------------


def test_sets_of_jobs_are_kept_in_order_and_reported() -> None:
    data = campus_data() | {"jobs_together": [["both", "alone"]]}
    found = from_document(data)
    assert found.document.to_dict()["jobs_together"] == [["alone", "both"]]
    assert not found.unused_fields
    assert found.document.digest() == parse_document(campus_data()).digest()
    (issue,) = issues(campus_data() | {"jobs_together": [["both", "alon"]]})
    assert issue == "jobs_together[alon, both]: no job 'alon' (did you mean 'alone'?)"
    (issue,) = issues(campus_data() | {"jobs_together": [["both", "both"]]})
    assert "job 'both' stands 2 times" in issue
    (issue,) = issues(campus_data() | {"jobs_together": [["both"], ["both"]]})
    assert "the same jobs stand 2 times" in issue


def test_networks_without_such_fields_say_nothing_of_them() -> None:
    assert "unused" not in from_document(campus_data()).score(main_assumptions=False).to_dict()
    latency = {"of": {"link": "l0"}, "quantity": "latency", "at": "2026-11-01", "value_us": 4.0}
    read = from_document(pair({}) | {"as_of": "2026-11-02", "measurements": [latency]})
    assert "unused" in yaml.safe_load(read.score(main_assumptions=False).to_json())
    assert isinstance(network(pair({"latency_us": 3.0})).links[0], Link)
    with pytest.raises(DocumentError):
        parse_document({"jobs_together": [[]]})
    with pytest.raises(TopologyError):
        _ = network({"jobs_together": [["x"]]}).nodes


@pytest.mark.parametrize("kind", ["G.652.D", "border-12.8T", "OpenZR+-400G", "400G-DR4", "H100", "oFEC", "EDFA"])
def test_an_own_part_has_all_figures_of_its_kind_and_no_misspelled_one(kind: str) -> None:
    """A missing buffer counted as no limit: +74 % goodput without a word."""
    part = catalogue().get(kind).model_dump(mode="json", exclude_defaults=True) | {"id": "ours"}
    assert from_document(pair(parts=[part])).arrays.n_nodes == 2
    for name in part["figures"]:
        others = [p for p in catalogue().parts(part["kind"]) if p.optics == part.get("optics")]
        if not all(name in other.figures for other in others):
            continue
        without = {key: figure for key, figure in part["figures"].items() if key != name}
        (issue,) = issues(pair(parts=[part | {"figures": without}]))
        assert issue.startswith(f"parts[ours].figures: a {part['kind']} needs {name} (`twin parts ")
    first = next(name for name in part["figures"] if not name.startswith("n_"))
    wrong = part["figures"] | {first[0] + first[2:]: part["figures"][first]}
    found = issues(pair(parts=[part | {"figures": wrong}]))
    assert any(f"no figure {first[0] + first[2:]!r} of a {part['kind']}" in issue for issue in found)
