"""Growth: dates worked out on paper, exact dates against fine steps of time, upgrades, and what is refused."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from twin.errors import ChangeError, DocumentError, TopologyError
from twin.loading import Network, from_document
from twin.studies import growth_model
from twin.studies.growth import GrowthReport
from twin.studies.upgrades import upgrade_sets


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_CACHE_DIR", "")


def two_links(**fields: Any) -> dict[str, Any]:
    """a-b and a-c of 100 Gb/s, a spare way b-c of 1,000 Gb/s, and a demand of each class.

    Video, 20 Gb/s from a to b, doubles each year; web, 30 Gb/s from a to c, grows by half.
    """
    return {
        "as_of": "2026-01-01",
        "nodes": [{"id": name, "kind": "switch"} for name in "abc"],
        "links": [
            {"id": "ab", "ends": ["a", "b"], "capacity_gbps": 100.0, "transceiver": "100G-LR4"},
            {"id": "ac", "ends": ["a", "c"], "capacity_gbps": 100.0, "transceiver": "100G-LR4"},
            {"id": "bc", "ends": ["b", "c"], "capacity_gbps": 1000.0},
        ],
        "traffic_classes": [
            {"id": "video", "growth_ratio_per_year": 1.0},
            {"id": "web", "growth_ratio_per_year": 0.5},
        ],
        "demands": [
            {"id": "1", "source": "a", "target": "b", "offered_gbps": 20.0, "traffic_class": "video"},
            {"id": "2", "source": "a", "target": "c", "offered_gbps": 30.0, "traffic_class": "web"},
        ],
    } | fields


def test_two_links_and_two_classes_on_paper() -> None:
    """Intact, 20 x 2^t = 80 gives two years for a-b; 30 x 1.5^t = 80 gives 2.419 for a-c.

    With one of them down the other carries both: 20 x 2^t + 30 x 1.5^t = 80, where t = 0.88767.
    """
    report = from_document(two_links()).growth(limit_ratio=0.8)
    assert report.intact is not None
    assert report.worst is not None
    assert (report.intact.link, report.intact.cause) == ("ab", None)
    assert report.intact.when.years == pytest.approx(2.0, abs=1e-9)
    assert report.intact.when.date == date(2026, 1, 1) + timedelta(days=731)  # two years are 730.5 days
    t = report.worst.when.years
    assert 20 * 2**t + 30 * 1.5**t == pytest.approx(80, abs=1e-6)
    assert t == pytest.approx(0.88767, abs=1e-5)
    assert (report.worst.link, report.worst.cause) in {("ab", "ac"), ("ac", "ab")}
    rows = {row.id: row for row in report.links}
    assert set(rows) == {"ab", "ac", "bc"}
    assert rows["ac"].intact_passes is not None
    assert rows["ac"].intact_passes.years == pytest.approx(math.log(80 / 30) / math.log(1.5), abs=1e-9)
    assert rows["ab"].worst_passes is not None
    assert rows["ac"].worst_passes is not None
    assert rows["ab"].worst_passes.years == pytest.approx(t, abs=1e-9)
    assert rows["ac"].worst_passes.years == pytest.approx(t, abs=1e-9)
    assert rows["ab"].cause == "ac"
    assert rows["ac"].cause == "ab"
    # b-c carries the video alone when a-b is down: 20 x 2^t = 800 at 5.32 years, before the web when a-c is
    assert rows["bc"].worst_passes is not None
    assert rows["bc"].worst_passes.years == pytest.approx(math.log2(40), abs=1e-9)
    assert rows["bc"].cause == "ab"
    assert rows["bc"].intact_passes is None
    assert rows["ab"].intact_utilisation_ratio == pytest.approx(0.2)
    assert rows["ab"].worst_utilisation_ratio == pytest.approx(0.5)


def test_all_figures_of_a_row_are_of_its_direction() -> None:
    """a-b carries 30 of 100 Gb/s one way and 10 the other, where 40 more go once b-c is down."""
    data = two_links(traffic_classes=[])
    data["links"][2] |= {"capacity_gbps": 100.0, "weight": 5}
    data["links"][1] |= {"capacity_gbps": 1000.0, "weight": 5}
    data["demands"] = [
        {"id": f"{a}{b}", "source": a, "target": b, "offered_gbps": gbps}
        for a, b, gbps in (("a", "b", 30.0), ("b", "a", 10.0), ("b", "c", 40.0))
    ]
    report = from_document(data).growth(growth_ratio_per_year=0.2, limit_ratio=0.9, until=2046)
    row = next(row for row in report.links if row.id == "ab")
    assert (row.direction, row.intact_utilisation_ratio) == ("b → a", 0.1)
    assert row.intact_passes is not None
    assert row.intact_passes.years == pytest.approx(math.log(9) / math.log(1.2), abs=1e-9)


def test_one_rate_for_all_traffic_on_paper() -> None:
    """50 of 100 Gb/s in the worst failure reach 70 after ln 1.4 / ln 1.1 years, intact 30 after ln (7/3) / ln 1.1."""
    data = two_links(traffic_classes=[])
    report = from_document(data).growth(rates={"video": 0.1, "web": 0.1})
    assert report.worst is not None
    assert report.intact is not None
    assert report.worst.when.years == pytest.approx(math.log(1.4) / math.log(1.1), rel=1e-9)
    assert report.intact.when.years == pytest.approx(math.log(7 / 3) / math.log(1.1), rel=1e-9)
    assert report.intact.link == "ac"
    assert [row.growth_ratio_per_year for row in report.classes] == [0.1, 0.1]
    assert report.worst_utilisation_ratio[:2] == pytest.approx((0.5, 0.55))
    assert report.intact_utilisation_ratio[:2] == pytest.approx((0.3, 0.33))


def test_a_link_that_is_over_the_limit_passes_it_already() -> None:
    report = from_document(two_links()).growth(limit_ratio=0.25)
    assert report.intact is not None
    assert report.intact.when.years == 0.0
    assert report.intact.link == "ac"
    assert "already" in report.summary[1]


def test_nothing_passes_before_the_horizon() -> None:
    report = from_document(two_links()).growth(limit_ratio=0.8, until=2026)
    assert report.intact is None
    assert report.worst is not None
    assert report.horizon_years == pytest.approx(364 / 365.25)
    assert report.summary[1] == "Without failures no link passes 80 % within 0.997 years."
    later = from_document(two_links()).growth(limit_ratio=5, until=2027)
    assert later.worst is None
    assert later.links == ()
    assert later.upgrades == ()


def test_shrinking_traffic_passes_nothing() -> None:
    report = from_document(two_links()).growth(rates={"video": -0.5, "web": -0.5}, limit_ratio=0.8)
    assert report.worst is None


def mesh(seed: int) -> Network:
    """A ring with chords of unequal capacity, and demands of three classes between all pairs."""
    rng = np.random.default_rng(seed)
    n = 6
    ends = [(i, (i + 1) % n) for i in range(n)] + [(0, 3), (1, 4)]
    names = [f"n{i}" for i in range(n)]
    demands = [
        {
            "id": f"{a}{b}",
            "source": a,
            "target": b,
            "offered_gbps": round(float(rng.uniform(1, 9)), 2),
            "traffic_class": str(rng.choice(["x", "y", "z"])),
        }
        for a in names
        for b in names
        if a != b
    ]
    links = [
        {"id": f"l{i}", "ends": [names[a], names[b]], "capacity_gbps": float(rng.integers(50, 120))}
        for i, (a, b) in enumerate(ends)
    ]
    return from_document(
        {"nodes": [{"id": name, "kind": "switch"} for name in names], "links": links, "demands": demands}
    )


RATES = {"x": 0.8, "y": 0.1, "z": -0.3}


@pytest.mark.parametrize("seed", range(4))
def test_dates_equal_those_of_failures_one_by_one(seed: int) -> None:
    """At the date the fullest link of `failures` with grown demands is at the limit; a day before it is below."""
    network = mesh(seed)
    report = network.growth(rates=RATES, limit_ratio=0.9)
    assert report.worst is not None

    def worst_ratio(years: float) -> float:
        changes = [
            {"kind": "scale_demands", "factor_ratio": (1 + rate) ** years, "ids": ids}
            for name, rate in RATES.items()
            if (ids := [d.id for d in network.document.demands if d.traffic_class == name])
        ]
        found = network.failures(changes=changes).worst_utilisation_ratio
        assert found is not None
        return found

    t = report.worst.when.years
    if t == 0.0:
        assert worst_ratio(0.0) > 0.9
    else:
        assert worst_ratio(t) == pytest.approx(0.9, rel=1e-9)
        assert worst_ratio(t - 1 / 365) < 0.9 < worst_ratio(t + 1 / 365)
    for years, ratio in zip(report.years, report.worst_utilisation_ratio, strict=True):
        assert worst_ratio(years) == pytest.approx(ratio, rel=1e-9)


def test_the_upgrade_is_routed_anew_and_priced() -> None:
    """One more member of both links: each carries both demands on 200 Gb/s, so 20 x 2^t + 30 x 1.5^t = 160."""
    report = from_document(two_links()).growth(limit_ratio=0.8)
    both = next(row for row in report.upgrades if row.links == ("ab", "ac") and row.n_parallel == (2, 2))
    assert both.passes is not None
    t = both.passes.years
    assert 20 * 2**t + 30 * 1.5**t == pytest.approx(160, abs=1e-6)
    assert report.worst is not None
    assert both.gained_years == pytest.approx(t - report.worst.when.years)
    network = from_document(two_links())
    capex = network.what_if(list(both.changes), main_assumptions=False).after.metrics["capex_usd"].value
    assert both.capex_usd == capex
    assert both.usd_per_year == pytest.approx(capex / both.gained_years)
    again = network.growth(limit_ratio=0.8, changes=list(both.changes))
    assert again.worst is not None
    assert again.worst.when.years == pytest.approx(t, abs=1e-9)


def test_fibre_pairs_are_added_only_to_links_that_have_fibre() -> None:
    """One member fills the pair of b-c, and a-b has no fibre at all; both are full on the same day."""
    span = {"length_km": 30, "fibre": "G.652.D", "installed": "2024-01-01", "n_connectors": 2}
    fields = {
        "nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "switch"}, {"id": "c", "kind": "switch"}],
        "links": [
            {"id": "ab", "ends": ["a", "b"], "transceiver": "400G-DR4"},
            {"id": "bc", "ends": ["b", "c"], "transceiver": "400ZR", "installed": "2024-01-01", "spans": [span]},
        ],
        "traffic_classes": [],
        "demands": [{"id": "d", "source": "a", "target": "c", "offered_gbps": 250.0}],
    }
    report = from_document(two_links(**fields)).growth(growth_ratio_per_year=0.3)
    best = report.upgrades[0]
    assert (set(best.links), best.n_parallel) == ({"ab", "bc"}, (2, 2))
    assert best.capex_usd is not None
    assert best.capex_usd > 0


def test_an_upgrade_without_a_price_says_why() -> None:
    data = two_links()
    for link in data["links"]:
        link.pop("transceiver", None)
    report = from_document(data).growth(limit_ratio=0.8)
    assert report.upgrades
    both = next(row for row in report.upgrades if row.links == ("ab", "ac"))
    assert both.why == "no price: ab, ac name no transceiver"
    assert all(row.capex_usd is None and row.usd_per_year is None for row in report.upgrades)
    assert report.summary[-1].startswith("No upgrade has a price and a gain")
    data["links"][0]["transceiver"] = two_links()["links"][0]["transceiver"]
    mixed = from_document(data).growth(limit_ratio=0.8)
    assert next(row for row in mixed.upgrades if row.links == ("ab", "ac")).why == "no price: ac names no transceiver"
    del data["links"][0]["transceiver"]
    priced = from_document(data).growth(limit_ratio=0.8, member_usd=300.0)
    both = next(row for row in priced.upgrades if row.links == ("ab", "ac") and row.n_parallel == (2, 2))
    assert (both.capex_usd, both.why) == (600.0, None)
    assert both.gained_years is not None
    assert both.usd_per_year == pytest.approx(600.0 / both.gained_years)
    named, more = (from_document(two_links()).growth(member_usd=usd).upgrades for usd in (None, 300.0))
    price = {(row.links, row.n_parallel): row.capex_usd for row in named}
    for row in more:
        known = price[row.links, row.n_parallel]
        assert row.capex_usd is not None
        assert row.capex_usd == known if "bc" not in row.links else known is None and row.capex_usd > 300.0
    with pytest.raises(ChangeError, match="member_usd"):
        from_document(data).growth(member_usd=-1.0)


def test_sets_of_upgrades_follow_the_dates() -> None:
    passing = [(1.0, "a"), (1.0, "b"), (2.0, "c"), (3.0, "d"), (4.0, "e")]
    assert upgrade_sets(passing) == [("a", "b"), ("a", "b", "c"), ("a", "b", "c", "d")]
    assert upgrade_sets(passing[:2]) == [("a", "b")]
    assert upgrade_sets([]) == []


def test_the_answer_is_the_same_for_any_order_of_the_document() -> None:
    data = two_links()
    turned = {key: value[::-1] if isinstance(value, list) else value for key, value in data.items()}
    assert from_document(data).growth().to_dict() == from_document(turned).growth().to_dict()


def test_generated_demands_have_the_class_of_their_block() -> None:
    data = two_links(demands=[], traffic=[])
    data["traffic"] = [{"id": "t", "generator": "all_to_all", "params": {"total_gbps": 60.0}, "traffic_class": "video"}]
    report = from_document(data).growth()
    assert {row.traffic_class: row.offered_gbps for row in report.classes} == pytest.approx({"video": 60.0, "web": 0.0})


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"rates": {"vidoe": 0.1}}, "no traffic class 'vidoe'"),
        ({"rates": {"video": 11}}, "growth of video 11"),
        ({"rates": {"video": -1.0}}, "growth of video"),
        ({"growth_ratio_per_year": math.nan}, "growth nan"),
        ({"rates": {"video": 0.0, "web": 0.0}}, "no traffic grows"),
        ({"limit_ratio": 0.0}, "limit 0"),
        ({"limit_ratio": True}, "limit True"),
        ({"until": 2025}, "until 2025"),
        ({"until": 2077}, "until 2077"),
        ({"of": "lnik"}, "no kind of failures 'lnik'"),
        ({"top": 0}, "top 0"),
    ],
)
def test_bad_questions_are_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ChangeError) as found:
        from_document(two_links()).growth(**fields)
    assert says in str(found.value)


def test_rates_that_apply_to_no_demand_are_named() -> None:
    document = two_links()
    document["traffic_classes"].append({"id": "voice"})
    network = from_document(document)
    found = network.growth(growth_ratio_per_year=0.2, rates={"web": 0.5, "voice": 0.1}).summary
    assert [text for text in found if "applies" in text] == [
        "Growth of 10 % applies to no demand: none has the class voice.",
        "Growth of 20 % applies to no demand: the class of each has a growth of its own.",
    ]
    del document["demands"][0]["traffic_class"]
    assert not any("applies" in text for text in from_document(document).growth(growth_ratio_per_year=0.2).summary)


def test_bad_documents_are_refused() -> None:
    with pytest.raises(ChangeError, match="no demands"):
        from_document(two_links(demands=[])).growth()
    with pytest.raises(ChangeError, match="no day to count from"):
        from_document({key: value for key, value in two_links().items() if key != "as_of"}).growth(until=2030)
    wrong = two_links()
    wrong["demands"][0]["traffic_class"] = "vidoe"
    with pytest.raises(TopologyError, match=r"no traffic class 'vidoe'.*did you mean 'video'"):
        from_document(wrong).growth()
    with pytest.raises(DocumentError, match="growth_ratio_per_year"):
        from_document(two_links(traffic_classes=[{"id": "video", "growth_ratio_per_year": -1.0}]))


def test_too_much_work_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twin.studies.growth_model.MAX_S", 1e-5)
    with pytest.raises(TopologyError, match="sweeps of all failures"):
        from_document(two_links()).growth()


def test_the_picture_has_both_curves_and_the_limit() -> None:
    pytest.importorskip("matplotlib")
    report: GrowthReport = from_document(two_links()).growth()
    (axis,) = report.figure().axes
    labels = [line.get_label() for line in axis.get_lines()]
    assert "without failures: ab, 2027-10-24" in labels  # log2 3.5 = 1.807 years
    assert any(str(label).startswith("in the worst link failure: ab, 2026-") for label in labels)
    assert "limit" in labels


def test_too_much_memory_is_refused_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rates of 2 pairs over 3 links: 8 * 2 * (4 + 12) bytes."""
    network = from_document(two_links())
    monkeypatch.setattr(growth_model, "MAX_BYTES", 255)
    with pytest.raises(TopologyError, match="2 growth rates of 2 pairs of nodes over 3 links"):
        network.growth()
    monkeypatch.setattr(growth_model, "MAX_BYTES", 256)
    monkeypatch.setattr(growth_model, "MAX_KEPT_BYTES", 0)
    assert network.growth().to_json() == from_document(two_links()).growth().to_json()


def test_an_intact_network_that_is_the_worst_case_is_called_so() -> None:
    chain = {
        "as_of": "2026-11-01",
        "sites": [{"id": "s"}, {"id": "t"}],
        "nodes": [{"id": "b", "kind": "switch", "site": "s"}, {"id": "c", "kind": "switch", "site": "t"}],
        "links": [
            {"id": "bc", "ends": ["b", "c"], "transceiver": "400ZR", "mux": "mux-8", "launch_dbm": 0}
            | {"spans": [{"length_km": 30, "n_connectors": 2, "installed": "2024-01-01", "amplifier": "EDFA"}]}
        ],
        "demands": [{"id": "d", "source": "b", "target": "c", "offered_gbps": 250}],
    }
    first, best = from_document(chain).growth(growth_ratio_per_year=0.3).summary[:2]
    assert first == "No link failure is worse than the intact network: bc (b → c) passes 70 % on 2027-04-08."
    assert best.endswith("moves it to 2029-11-28.")
