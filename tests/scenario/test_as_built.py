"""What stands is evaluated and warned about; only a change to it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from twin.errors import ChangeError
from twin.loading import from_document

SPANS = [{"length_km": 130.0, "amplifier": "EDFA"}]
LONG = {"id": "long", "ends": ["a", "b"], "transceiver": "OpenZR+-400G", "n_parallel": 8, "mux": "mux-8"}
CABLES = {"id": "cables", "ends": ["b", "c"], "transceiver": "400G-DR4", "n_parallel": 80}


def network(*links: dict[str, Any]) -> Any:
    nodes = [
        {"id": "a", "kind": "switch"},
        {"id": "b", "kind": "switch"},
        {"id": "c", "kind": "leaf", "part": "leaf-25.6T"},
        {"id": "d", "kind": "switch"},
    ]
    demands = [{"id": "x", "source": "a", "target": "b", "offered_gbps": 100}]
    return from_document({"nodes": nodes, "links": list(links), "demands": demands})


BUILT = (LONG | {"launch_dbm": 0.0, "spans": SPANS}, CABLES)
OTHER = {"id": "other", "ends": ["a", "d"], "capacity_gbps": 400}


def test_a_line_beyond_a_gain_and_an_overused_switch_are_warnings_with_value_and_limit() -> None:
    answer = network(*BUILT).score(main_assumptions=False)
    assert answer["unrouted_gbps"] == 0
    found = [(w.where, w.rule, w.value, w.limit) for w in answer.warnings if not w.n_links]
    assert found == [
        ("links[long].spans[0]", "max_gain_db", pytest.approx(27.3), 26.0),
        ("nodes[c]", "n_ports", 80.0, 64.0),
    ]
    data = [row for row in answer.to_dict()["warnings"] if row["rule"] == "n_ports"]
    assert {name: data[0][name] for name in ("where", "rule", "value", "limit")} == {
        "where": "nodes[c]",
        "rule": "n_ports",
        "value": 80.0,
        "limit": 64.0,
    }
    assert "Warning: nodes[c]: no free port" in repr(answer)


def test_the_power_falls_by_the_excess() -> None:
    row = network(*BUILT).link_table("long").rows[0]
    assert row.received_dbm == pytest.approx(-1.3 - 4.5)


def test_every_answer_has_the_warnings() -> None:
    asked = network(*BUILT, OTHER)
    change = {"kind": "set_channels", "links": "other", "n_parallel": 2}
    answers = [
        asked.what_if(change, main_assumptions=False),
        asked.link("long", years=None),
        asked.link_table(),
        asked.path("a", "b"),
        asked.demand_table(),
        asked.failures(),
        asked.availability(n_samples=50),
        asked.growth(growth_ratio_per_year=0.1),
        asked.optimum(),
        asked.sweep("links.other.n_parallel=1,2"),
        asked.forecast(1),
    ]
    for answer in answers:
        rules = {row["rule"] for row in answer.to_dict().get("warnings", ())}
        assert {"max_gain_db", "n_ports"} <= rules, type(answer)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "set_channels", "links": "other", "n_parallel": 2},
        {"kind": "age", "years": 10},
        {"kind": "fail_links", "links": "long"},
        {"kind": "cut_fibre", "links": "long"},
        {"kind": "set_channels", "links": "cables", "n_parallel": 70},
        {"kind": "remove_links", "links": "cables"},
        {"kind": "set_channels", "links": "long", "n_parallel": 4},
    ],
    ids=lambda change: f"{change['kind']} {change.get('links', '')} {change.get('n_parallel', '')}",
)
def test_what_no_change_touches_or_what_gets_better_is_not_refused(change: dict[str, Any]) -> None:
    network(*BUILT, OTHER).what_if(change, main_assumptions=False)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"kind": "set_channels", "links": "long", "n_parallel": 8, "n_fibre_pairs": 2},
            "EDFA gives 26 dB; 27.3 dB are asked for",
        ),
        ({"kind": "set_channels", "links": "cables", "n_parallel": 81}, "no free port"),
        ({"kind": "set_fibre", "links": "long", "fibre": "G.652.D-2006"}, "31.2 dB are asked for"),
        ({"kind": "add_link", "link": {**BUILT[0], "id": "second"}}, r"links\[second\].*27.3 dB"),
        ({"kind": "add_link", "link": {"id": "one", "ends": ["c", "d"], "transceiver": "400G-DR4"}}, "81 are asked"),
    ],
    ids=["touched", "worse ports", "worse fibre", "another such line", "one more port"],
)
def test_a_change_to_it_is_refused(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ChangeError, match=f"cannot be built: .*{text}"):
        network(*BUILT).what_if(change, main_assumptions=False)


def test_an_overfull_band_is_judged_with_the_channels_that_fit() -> None:
    full = LONG | {
        "n_parallel": 100,
        "mux": "mux-64",
        "launch_dbm": 0.0,
        "spans": [{"length_km": 60, "amplifier": "EDFA"}],
    }
    answer = network(full).score(main_assumptions=False)
    assert [(w.rule, w.value, w.limit) for w in answer.warnings if not w.n_links] == [
        ("c_band_thz", 100.0, 64.0),
        ("n_channels", 100.0, 64.0),
    ]
    assert answer["min_margin_db"] is not None
