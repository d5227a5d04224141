"""Link report: steps that add up to the link budget, modes, summary, and plain data for any link."""

from __future__ import annotations

import builtins
import json
import math
from html import escape
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.answers.lines import INDOOR, a_span, buildable, document, fibre_links, load_of, zr
from tests.model.samples import campus_data
from tests.training.cases import general, of_part
from twin.answers.link_report import LinkReport
from twin.catalogue import catalogue
from twin.errors import ChangeError, TwinError
from twin.loading import Network, from_document, load
from twin.stages.evaluation import Evaluation

SOME = settings(max_examples=40, deadline=None)
DOWN = zr(a_span(40.0), up=False)


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def page_of(*links: dict[str, Any], **more: Any) -> LinkReport:
    """The page of the first link, without its calendar."""
    return from_document(document(*links, **more)).link("l0", years=None)


def steps_of(link: dict[str, Any], line: int = 0) -> dict[str, float | None]:
    """What each step of a budget takes or gives, by name."""
    steps = page_of(link).to_dict()["budget"][line]["steps"]
    return {step["step"]: step["change_db"] for step in steps}


def check_budget(network: Network, name: str, e: Evaluation, **asked: Any) -> None:
    """Every level is the one before and what changed; the parts end where the analysis does."""
    page = network.link(name, years=None, **asked)
    link = e.case.state.arrays.link_index[name]
    light = e.health.budgets
    kind = light.paths.kind_of_link[link]
    rows = range(light.paths.first_path[kind], light.paths.first_path[kind + 1])
    assert len(page.to_dict()["budget"]) == len(rows)
    for row, line in zip(rows, page.to_dict()["budget"], strict=True):
        steps = line["steps"]
        if not steps:
            assert math.isnan(light.margin_db[row])
            continue
        for unit in ("level_dbm", "level_db"):
            part = [step for step in steps if step[unit] is not None]
            for before, step in pairwise(part):
                assert step[unit] == pytest.approx(before[unit] + (step["change_db"] or 0.0), abs=1e-9), step
            assert (part[0]["change_db"], part[-1]["change_db"]) == (None, None)
        power = [step for step in steps if step["level_dbm"] is not None]
        assert (power[0]["step"], power[-1]["step"]) == ("launch power", "received power")
        assert power[0]["level_dbm"] == light.launch_dbm[row]
        assert power[-1]["level_dbm"] == pytest.approx(light.received_dbm[row], abs=1e-9)
        margin, end = light.margin_db[row], steps[-1]
        if math.isnan(margin):
            assert end["step"] == "margin, beyond reach"
        else:
            assert end["step"] == "margin"
            assert end["level_db"] == pytest.approx(margin, abs=1e-9)
        assert all(abs(step["change_db"]) > 1e-9 for step in steps if step["change_db"] is not None)


def check_modes(page: LinkReport, e: Evaluation, link: int) -> None:
    """The modes of the line that decides; exactly one in use, or none in the dark."""
    light, modes = e.health.budgets, page.to_dict()["modes"]
    row = light.worst_path[light.paths.kind_of_link[link]]
    part = catalogue().get(page.to_dict()["transceiver"]) if page.to_dict()["transceiver"] else None
    assert [mode["rate_gbps"] for mode in modes] == [mode.rate_gbps for mode in (part.modes if part else ())]
    for i, mode in enumerate(modes):
        margin = light.mode_margin_db[row, i]
        assert mode["margin_db"] == (margin if math.isfinite(margin) else None)
    in_use = [mode for mode in modes if mode["in_use"]]
    if modes:
        assert len(in_use) == (e.health.member_gbps[link] > 0)
    for mode in in_use:
        assert mode["margin_db"] == e.health.margin_db[link] >= 0
        assert e.health.member_gbps[link] <= mode["rate_gbps"]


@SOME
@given(fibre_links() | st.sampled_from(INDOOR), st.sampled_from(["low", "value", "high"]))
@example(zr(a_span(60.0, amplifier="EDFA"), a_span(60.0, amplifier="EDFA"), a_span(20.0)), "value")
@example(zr(a_span(60.0, amplifier="EDFA"), a_span(60.0), launch_dbm=1.0, mux="mux-8"), "high")
@example(zr(a_span(60.0, amplifier="EDFA"), *(a_span(60.0),) * 2, part="400ZR"), "value")
@example(zr(a_span(2.0)), "value")
@example(zr(a_span(170.0)), "value")
@example({"transceiver": "400ZR", "mux": "mux-8", "launch_dbm": -3.0}, "value")
def test_the_steps_add_up_and_end_where_the_analysis_does(link: dict[str, Any], ageing: Any) -> None:
    network = buildable(document(link))
    e = network.evaluate(ageing=ageing)
    check_budget(network, "l0", e, ageing=ageing)
    page = network.link("l0", years=None, ageing=ageing)
    check_modes(page, e, 0)
    json.loads(page.to_json(), parse_constant=pytest.fail)


@pytest.mark.parametrize("name", ["memphis-small", "ageing-lines", "two-campus", "leaf-spine-demo"])
def test_every_kind_of_link_that_ships_has_a_page(name: str) -> None:
    network = load(name)
    e = network.evaluate()
    known = e.health.budgets.paths.kind_of_link
    ids = e.case.state.arrays.link_ids
    for link in {int(kind): row for row, kind in reversed(list(enumerate(known)))}.values():
        check_budget(network, ids[link], e)
        page = network.link(ids[link], years=None)
        check_modes(page, e, link)
        json.loads(page.to_json(), parse_constant=pytest.fail)
        assert page.to_dict()["summary"]


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_a_plain_coherent_budget_by_hand() -> None:
    span = a_span(25.0, "G.652.D-2006", "2006-01-01", n_connectors=2, n_splices=5, lumped_loss_db=0.4)
    found = steps_of(zr(span, installed="2016-01-01", mux="mux-8"))
    age = 7305 / 365.25
    assert list(found) == [
        "launch power",
        "laser ageing",
        "multiplexer",
        "fibre, as new",
        "fibre, ageing",
        "connectors",
        "splices",
        "splices of expected repairs",
        "other losses in the span",
        "multiplexer, far",
        "received power",
        "receiver SNR",
        "transmitter noise",
        "dispersion penalty",
        "PMD penalty",
        "required for 400G",
        "margin",
    ]
    assert found["laser ageing"] == pytest.approx(-0.1 * 3653 / 365.25)
    assert found["multiplexer"] == found["multiplexer, far"] == pytest.approx(-4.5)
    assert found["fibre, as new"] == pytest.approx(-25 * 0.24)
    assert found["fibre, ageing"] == pytest.approx(-25 * 0.24 * 0.002 * age)
    assert found["connectors"] == pytest.approx(-2 * 0.3)
    assert found["splices"] == pytest.approx(-5 * 0.1)
    assert found["splices of expected repairs"] == pytest.approx(-25 * 0.003 * age * 2 * 0.1)
    assert found["other losses in the span"] == pytest.approx(-0.4)
    assert found["required for 400G"] == pytest.approx(-23.59)


def test_an_indoor_patch_loses_a_connector_at_each_end_and_knows_no_booster() -> None:
    for part, launch in (("400G-DR4", 0.5), ("OpenZR+-400G", 0.0)):
        page = page_of({"transceiver": part})
        steps = page.to_dict()["budget"][0]["steps"]
        named = {step["step"]: step for step in steps}
        cords = [named[f"patch cord, {end}"]["change_db"] for end in ("near", "far")]
        assert cords == pytest.approx([-general("connector_db")] * 2)
        assert named["received power"]["level_dbm"] == pytest.approx(launch - 0.6)
        assert "booster or launch setting" not in named


def test_direct_detection_ends_in_its_loss_budget() -> None:
    steps = page_of(zr(a_span(6.0), part="400G-LR4")).to_dict()["budget"][0]["steps"]
    named = {step["step"]: step for step in steps}
    assert named["loss budget"]["level_db"] == of_part("400G-LR4", "loss_budget_db")
    assert named["loss of the line"]["change_db"] == pytest.approx(-6 * 0.35)
    assert named["margin"]["level_db"] == pytest.approx(6.3 - 6 * 0.35)
    assert page_of(zr(a_span(6.0), part="400G-LR4")).to_dict()["modes"] == []


def test_amplifiers_give_back_what_was_lost_and_a_booster_what_the_multiplexer_took() -> None:
    spans = [a_span(60.0, amplifier="EDFA"), a_span(60.0, amplifier="EDFA"), a_span(20.0)]
    found = steps_of(zr(*spans, mux="mux-8", launch_dbm=1.0))
    assert found["booster or launch setting"] == pytest.approx(1.0 - (0.0 - 4.5))
    assert found["amplifiers"] == pytest.approx(2 * 60 * 0.21)
    assert found["line noise"] is not None
    assert found["line noise"] < 0
    unboosted = steps_of(zr(*spans, mux="mux-8"))
    assert "booster or launch setting" not in unboosted
    (launch,) = page_of(zr(*spans, mux="mux-8", launch_dbm=1.0)).to_dict()["launch"]
    assert launch["channel_dbm"] == 1.0
    assert launch["best_line_gsnr_db"] >= launch["line_gsnr_db"]
    assert page_of(zr(a_span(60.0))).to_dict()["launch"] == []


def test_what_was_measured_stands_beside_the_model() -> None:
    span = a_span(40.0, measured="2026-01-01", measured_loss_db=40 * 0.21 + 1.5)
    found = steps_of(zr(span, measured="2026-01-01", measured_received_dbm=-12.0))
    assert found["measured minus model"] == pytest.approx(-1.5)
    assert found["received power, measured minus model"] == pytest.approx(-12.0 + 40 * 0.21 + 1.5)
    steps = page_of(zr(span, measured="2026-01-01", measured_received_dbm=-12.0)).to_dict()["budget"][0]["steps"]
    assert next(step for step in steps if step["step"] == "received power")["level_dbm"] == pytest.approx(-12.0)


def test_a_receiver_near_its_most_power_says_so() -> None:
    page = page_of(zr(a_span(1.0), measured_received_dbm=-0.5, measured="2026-01-01"))
    assert "The receiver bears 0.5 dB more." in page.summary[0]
    assert page.directions[0].receiver_headroom_db == pytest.approx(0.5)
    dark = page_of(zr(a_span(1.0), measured_received_dbm=0.5, measured="2026-01-01"))
    assert dark.summary[0] == "Link down: 0.5 dB too much power at the receiver."


def test_lines_of_a_link_have_a_budget_each_and_are_named() -> None:
    link = zr(
        a_span(40.0),
        a_span(10.0, regenerated=True),
        a_span(50.0),
        a_span(66.0, standby=True),
        protection="optical-protection",
    )
    lines = page_of(link).to_dict()["budget"]
    assert [line["line"] for line in lines] == [
        "working path, spans 1 to 2",
        "working path, span 3",
        "standby path, span 4",
    ]
    for i in range(3):
        found = steps_of(link, i)
        assert found["protection switch, near"] == found["protection switch, far"] == pytest.approx(-3.5 / 2)
    assert page_of(zr(a_span(40.0))).to_dict()["budget"][0]["line"] == "whole link"


def test_beyond_the_reach_there_is_no_margin() -> None:
    link = zr(a_span(70.0, amplifier="EDFA"), a_span(75.0, amplifier="EDFA"), a_span(10.0), part="400ZR")
    page = page_of(link)
    assert page.to_dict()["budget"][0]["steps"][-1]["step"] == "margin, beyond reach"
    assert [mode["margin_db"] for mode in page.to_dict()["modes"]] == [None]
    assert page.to_dict()["summary"][0] == "Link down: 155 km is beyond the reach of 400ZR."


# --- summary ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "more", "sentence"),
    [
        (zr(a_span(40.0)), {}, "Limit, both directions: line rate of 1 x 400 Gb/s."),
        (zr(a_span(106.0)), {}, "Limit, both directions: slower mode, 300 Gb/s with 2.6 dB margin."),
        (zr(a_span(170.0)), {}, "Link down: 1.7 dB short."),
        (zr(a_span(30.0), part="400G-LR4"), {}, "Link down: 30 km is beyond the reach of 400G-LR4."),
        (
            zr(a_span(40.0), loss_ratio=1e-3),
            {"lossless": {"queue_pair_gbps": 50}},
            "frame loss of 0.001 leaves 62.2 % of 1 x 400 Gb/s.",
        ),
        (zr(a_span(40.0), up=False), {}, "Link down: it is switched off or failed."),
        (zr(a_span(90.0)), {"required_margin_db": 3.0}, "Link up, 2.7 dB margin: too little, 3 dB is required."),
        (zr(a_span(40.0)), {"required_margin_db": 1.0}, "Link up, 8.8 dB margin: enough, 1 dB is required."),
        (
            zr(a_span(60.0, amplifier="EDFA"), a_span(20.0)),
            {},
            "per channel; the best is 0.8 dBm (+0.13 dB GSNR).",
        ),
        (zr(a_span(40.0)), {}, "Fibre cut: once in 8.3 years, 12 h to repair."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_summary_names_state_limit_and_failures(link: dict[str, Any], more: dict[str, Any], sentence: str) -> None:
    assert sentence in " ".join(page_of(link, **more).to_dict()["summary"])


def test_the_state_comes_first_and_a_link_that_is_down_has_no_limit() -> None:
    for link, first in (
        (zr(a_span(40.0)), "Link up, "),
        (zr(a_span(170.0)), "Link down: "),
        (DOWN, "Link down: "),
    ):
        summary = page_of(link).summary
        assert summary[0].startswith(first)
        assert any(line.startswith("Limit") for line in summary) == (first == "Link up, ")


def test_the_summary_names_the_buffer_that_limits_each_direction() -> None:
    page = load("memphis-small").link("wan-1-2", years=None)
    forth, back = page.to_dict()["summary"][1:3]
    for sentence, tail, head in ((forth, "c1", "c2"), (back, "c2", "c1")):
        start = f"Limit, {tail}/border-1 → {head}/border-1: 4.8 MB PFC headroom per port of {head}/border-1"
        assert sentence.startswith(f"{start} (border-12.8T)")


def test_a_link_of_unknown_rate_has_a_page() -> None:
    page = from_document(document({}, **load_of(30.0))).link("l0", years=2)
    data = json.loads(page.to_json(), parse_constant=pytest.fail)
    assert data["summary"] == [
        "Link up.",
        "Rate unknown: the link states neither capacity_gbps nor a transceiver.",
    ]
    row = data["directions"][0]
    assert (row["up"], row["load_gbps"], row["propagation_us"]) == (True, 30.0, 0.0)
    assert {row[name] for name in ("member_gbps", "capacity_gbps", "utilisation_ratio", "queueing_us")} == {None}


@pytest.mark.parametrize("link", [{"capacity_gbps": 100.0}, {"transceiver": "DAC-400G"}], ids=str)
def test_copper_and_bare_capacity_have_a_page_without_a_budget(link: dict[str, Any]) -> None:
    page = from_document(document(link, **load_of(30.0))).link("l0", years=5)
    data = json.loads(page.to_json(), parse_constant=pytest.fail)
    assert [line["steps"] for line in data["budget"]] == [[]]
    assert (data["modes"], data["launch"]) == ([], [])
    assert data["directions"][0]["margin_db"] is None
    assert data["directions"][0]["load_gbps"] == 30.0
    limit = f"Limit, both directions: line rate of 1 x {link.get('capacity_gbps', 400.0):.0f} Gb/s."
    assert data["summary"] == ["Link up.", limit]
    assert data["forecast"]["links"][0]["id"] == "l0"


# --- the whole page --------------------------------------------------------------------------------------------------


def test_the_calendar_of_a_page_is_the_forecast_of_its_link() -> None:
    network = from_document(campus_data())
    page = network.link("wan", years=7, growth_ratio_per_year=0.2, changes="wait", job="both")
    forecast = network.forecast(7, 0.2, links="wan", changes="wait", job="both")
    assert page.to_dict()["forecast"] == forecast.to_dict()
    assert network.link("wan", years=None).to_dict()["forecast"] is None


def test_the_directions_of_a_page_are_rows_of_the_table_of_links() -> None:
    network = from_document(campus_data())
    assert network.link("wan").to_dict()["directions"] == list(network.link_table("wan").rows)


def test_changes_job_and_ageing_are_asked_for_as_elsewhere() -> None:
    network = from_document(campus_data())
    plain = network.link("wan", years=None).to_dict()
    aged = network.link("wan", years=None, changes=[{"kind": "age", "years": 10.0}]).to_dict()
    harsh = network.link("wan", years=None, ageing="high").to_dict()
    for found in (aged, harsh):
        assert found["directions"][0]["margin_db"] < plain["directions"][0]["margin_db"]
    assert (plain["ageing"], harsh["ageing"]) == ("value", "high")
    assert network.link("w*", years=None).to_json() == network.link("wan", years=None).to_json()


@pytest.mark.parametrize(
    ("name", "told"), [("wna", "did you mean 'wan'"), ("a-cable-*", "2 links match"), ("*", "links match")]
)
@pytest.mark.parametrize("years", [None, 3])
def test_one_link_at_a_time(name: str, told: str, years: int | None) -> None:
    with pytest.raises(ChangeError, match=told):
        from_document(campus_data()).link(name, years=years)


def test_failures_are_told_and_a_published_link_stands_beside_those_of_the_wide_area() -> None:
    network = from_document(campus_data())
    wan, cable = (network.link(name, years=None).to_dict()["failures"] for name in ("wan", "a-cable-1"))
    assert wan["published_median_link"]["mtbf_h"] == pytest.approx(336.51 * math.exp(3.4371 * 0.5))
    assert wan["n_cuts_per_year"] == pytest.approx(20 * 0.003)
    assert "published_median_link" not in cable


def test_a_report_in_a_notebook_is_summary_tables_and_pictures() -> None:
    page = from_document(document({"id": "l0"} | zr(a_span(60.0)))).link("l0", years=3)
    html = page._repr_html_()
    assert html.count("<svg") == 2
    assert html.count("<table>") == 3
    for text in ("launch power", "required for 400G", "margin_db", "optimistic", *page.summary):
        assert escape(text) in html
    assert html.count("<svg") == html.count("</svg>")


def test_ids_are_escaped_in_a_notebook() -> None:
    data = {"nodes": [{"id": "<a>", "kind": "leaf"}, {"id": "b&c", "kind": "leaf"}]}
    data["links"] = [{"id": "<script>", "ends": ["<a>", "b&c"], "transceiver": "400G-DR4"}]  # type: ignore[list-item]
    html = from_document(data).link("<script>", years=2)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_without_matplotlib_a_report_is_summary_and_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    page = from_document(document(zr(a_span(60.0)))).link("l0", years=3)
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    html = page._repr_html_()
    assert "<svg" not in html
    assert html.count("<table>") == 3
    assert escape(page.summary[0]) in html


def test_no_light_at_all_is_a_page_and_no_name_is_an_error() -> None:
    data = {
        "nodes": [{"id": "a", "kind": "switch"}, {"id": "b", "kind": "switch"}],
        "links": [{"id": "l", "ends": ["a", "b"], "transceiver": "400ZR", "spans": [{"length_km": 20_000}]}],
    }
    page = from_document(data).link("l", years=None)
    assert page.to_dict()["budget"][0]["steps"][-1]["level_db"] < -1000
    for name in ("", "m"):
        with pytest.raises(TwinError):
            from_document(data).link(name)


def test_a_laser_gives_no_more_than_it_has_and_ageing_is_never_a_matter_of_building() -> None:
    ends = {"nodes": [{"id": "a", "kind": "switch"}, {"id": "b", "kind": "switch"}], "as_of": "2026-01-01"}
    bright = {"id": "l", "ends": ["a", "b"], "transceiver": "400ZR", "launch_dbm": 8, "spans": [{"length_km": 20}]}
    boosted = from_document({**ends, "links": [bright]}).link("l", years=None)
    assert boosted.budget[0].steps[1].change_db == pytest.approx(14.0)
    old = {"length_km": 118, "installed": "2026-01-01", "amplifier": "EDFA"}
    line = {"id": "l", "ends": ["a", "b"], "transceiver": "OpenZR+-400G", "launch_dbm": 0, "spans": [old, old]}
    network = from_document({**ends, "links": [line]})
    aged = network.what_if([{"kind": "age", "years": 40}], main_assumptions=False).after
    assert network.score(main_assumptions=False)["n_links_fallen_back"] == 0
    assert aged["n_links_fallen_back"] == 1
    words = network.link("l", years=None, changes=[{"kind": "age", "years": 40}]).to_dict()["summary"]
    assert any("lacks" in sentence for sentence in words)
