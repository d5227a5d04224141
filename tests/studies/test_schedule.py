"""Order of works: waves and days by hand, and no state on the way that is worse than reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twin
from twin.errors import ChangeError, TwinError
from twin.stages.engine import Engine
from twin.studies.points import metric_of_case
from twin.studies.schedule import Schedule

BUSIEST = "max_link_utilisation_ratio"
LINKS = [f"l{i}" for i in range(1, 5)]


def network(**fields: Any) -> twin.Network:
    """Two leaves with four links between them, of which each carries a quarter of 400 Gb/s."""
    document: dict[str, Any] = {
        "as_of": "2026-11-01",
        "sites": [{"id": "A"}],
        "nodes": [{"id": name, "kind": "leaf", "part": "leaf-25.6T", "site": "A"} for name in "ab"]
        + [{"id": "r", "kind": "rack", "site": "A", "accelerator": "H100", "n_accelerators": 8}],
        "links": [{"id": name, "ends": ["a", "b"], "transceiver": "400G-DR4"} for name in LINKS],
        "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 400}],
    }
    return twin.from_document(document | fields)


OPTICS = {"kind": "set_transceivers", "links": "l*", "part": "400G-FR4"}
MEMBERS = {"kind": "set_channels", "links": "l*", "n_parallel": 2}
SWAP = {"kind": "swap_switches", "nodes": ["a", "b"], "part": "leaf-51.2T"}
AGE = {"kind": "age", "years": 1}
FAIL = {"kind": "fail_links", "links": "l1"}


def told(found: Schedule) -> list[tuple[Any, ...]]:
    return [(row.day, row.n_days, row.work, row.wave, row.state, row.value, row.at_risk) for row in found.states]


def test_waves_days_and_loads_by_hand() -> None:
    """Half of the links drained is 400 Gb/s over two links; ECMP counts members."""
    found = network().schedule([MEMBERS], lead_days={"set_channels": 10}, drain_days=3)
    assert told(found) == [
        (10, 3, "1 set_channels", 1, "drained", 0.5, True),
        # l1 and l3 have two members each, so that six members share the traffic
        (13, 0, "1 set_channels", 1, "done", pytest.approx(1 / 6), False),
        (13, 3, "1 set_channels", 2, "drained", 0.25, False),
        (16, 0, "1 set_channels", 2, "done", 0.125, False),
    ]
    assert (found.before, found.after, found.worst) == (0.25, 0.125, 0.5)
    assert (found.n_days, found.n_days_at_risk, found.n_days_without) == (16, 3, 0)
    assert str(found.states[0].start) == "2026-11-11"
    assert "Worst on the way: 50 %" in " ".join(found.summary)
    assert "drained" in repr(found)


def test_one_wave_takes_all_links_and_the_metric_has_no_value_meanwhile() -> None:
    found = network().schedule([MEMBERS], n_waves=1, goal="demand_satisfied_ratio")
    drained = found.states[0]
    assert (drained.value, drained.at_risk, found.worst) == (0.0, True, 0.0)
    four = network().schedule([MEMBERS], n_waves=4)
    assert four.worst == pytest.approx(400 / 400 / 3)


def test_a_work_that_needs_another_one_first_waits_for_it() -> None:
    """A switch of 64 ports has no room for 40 members on two links before it is swapped."""
    changes = [{"kind": "set_channels", "links": "l*", "n_parallel": 20}, SWAP]
    lead = {"set_channels": 0, "swap_switches": 50}
    found = network().schedule(changes, lead_days=lead)
    assert [row.work for row in found.states][:1] == ["2 swap_switches"]
    assert found.after == pytest.approx(400 / 80 / 400)


def test_works_wait_for_the_budgets_of_the_site() -> None:
    budgets = [{"start": "2027-03-31", "liquid_cooling_megawatts": 1, "power_megawatts": 1}]
    swap = {"kind": "swap_accelerators", "racks": "r", "accelerator": "GB200"}
    sites = [{"id": "A", "budgets": budgets, "power_megawatts": 0.1}]
    found = network(sites=sites).schedule([swap], lead_days={"swap_accelerators": 20})
    assert [row.day for row in found.states] == [150, 151]
    sites[0]["budgets"] = [budgets[0] | {"liquid_cooling_megawatts": 0.01}]
    with pytest.raises(ChangeError, match="stay too small"):
        network(sites=sites).schedule([swap])


def test_works_wait_until_the_budgets_stay_enough() -> None:
    """Two racks of GB300 need over 0.06 MW: the month of 10 MW is no time to begin, and the last state is ready."""
    budgets = [
        {"start": "2027-06-01", "power_megawatts": 10},
        {"start": "2027-07-01", "power_megawatts": 0.06},
        {"start": "2027-12-01", "power_megawatts": 10},
    ]
    racks = [{"id": f"r{i}", "kind": "rack", "site": "A", "accelerator": "H100", "n_accelerators": 16} for i in (1, 2)]
    base = network(sites=[{"id": "A", "power_megawatts": 0.06, "budgets": budgets}], nodes=racks, links=[], demands=[])
    swap = {"kind": "swap_accelerators", "racks": "r*", "accelerator": "GB300"}
    for lead_days in (180, 220):
        found = base.schedule([swap], goal="opex_usd_per_year", lead_days={"swap_accelerators": lead_days})
        assert [row.day for row in found.states] == [395, 396, 396, 397]
        assert base.readiness([swap]).ready_day == 395


def test_a_wave_that_lowers_the_needs_of_a_site_does_not_wait() -> None:
    """Two racks of 32 GB300 need 0.149 MW, two of H100 0.077, one of each 0.113; from June on there are 0.08."""
    budgets = [{"start": "2027-06-01", "power_megawatts": 0.08}]
    racks = [{"id": f"r{i}", "kind": "rack", "site": "A", "accelerator": "GB300", "n_accelerators": 32} for i in (1, 2)]
    base = network(sites=[{"id": "A", "power_megawatts": 10, "budgets": budgets}], nodes=racks, links=[], demands=[])
    swap = {"kind": "swap_accelerators", "racks": "r*", "accelerator": "H100", "n_per_rack": 32}
    found = base.schedule([swap], goal="opex_usd_per_year", lead_days={"swap_accelerators": 10})
    assert (found.n_days, base.readiness([swap]).ready_day) == (12, 0)


def test_nothing_to_do_is_an_answer() -> None:
    found = network().schedule([])
    assert (found.states, found.n_days, found.summary) == ((), 0, ("Nothing to do.",))


@settings(max_examples=40)
@given(
    st.lists(
        st.sampled_from([OPTICS, MEMBERS, SWAP, AGE, FAIL]), min_size=1, max_size=4, unique_by=lambda c: c["kind"]
    ),
    st.integers(1, 3),
    st.integers(0, 4),
)
def test_no_state_is_worse_than_reported_and_the_last_one_is_that_of_the_plan(
    changes: list[dict[str, Any]], n_waves: int, drain_days: int
) -> None:
    base = network()
    found = base.schedule(changes, n_waves=n_waves, drain_days=drain_days)
    engine = Engine(base.catalogue, base.price_book)
    values = [metric_of_case(row.case, BUSIEST, engine)[0] for row in found.states]
    assert values == [row.value for row in found.states]
    if None not in values:
        assert found.worst == max([found.before or 0.0, *(value or 0.0 for value in values)])
    else:
        assert found.worst is None
    assert found.after == base.what_if(changes, main_assumptions=False).after[BUSIEST]
    assert sorted({row.work for row in found.states}) == [f"{i + 1} {c['kind']}" for i, c in enumerate(changes)]
    for row, later in zip(found.states, found.states[1:], strict=False):
        assert row.day + row.n_days == later.day
    assert found.n_days_at_risk == sum(row.n_days for row in found.states if row.at_risk)


def coherent(links: dict[str, list[dict[str, Any]]], offered_gbps: dict[str, float]) -> twin.Network:
    """Return nodes a, b and c with links such as `ab` of these spans, and demands such as `ab`."""
    return twin.from_document(
        {
            "as_of": "2026-11-01",
            "nodes": [{"id": name, "kind": "switch"} for name in "abc"],
            "links": [
                {"id": name, "ends": list(name), "transceiver": "400ZR", "spans": spans}
                for name, spans in links.items()
            ],
            "demands": [
                {"id": name, "source": name[0], "target": name[1], "offered_gbps": gbps}
                for name, gbps in offered_gbps.items()
            ],
        }
    )


def test_a_state_that_cuts_demand_off_is_at_risk_though_it_relieves_the_links_left() -> None:
    """Without ab, 50 of 400 Gb/s are left on ac, where ab had 300 of 400."""
    base = coherent({"ab": [{"length_km": 30}], "ac": [{"length_km": 30}]}, {"ab": 300, "ac": 50})
    found = base.schedule([{"kind": "set_fibre", "links": "ab", "fibre": "G.654.E"}], drain_days=3)
    assert [(row.state, row.value, row.unrouted_gbps, row.at_risk) for row in found.states] == [
        ("drained", 0.125, 300.0, True),
        ("done", 0.75, 0.0, False),
    ]
    assert (found.before_unrouted_gbps, found.worst_unrouted_gbps, found.n_days_at_risk) == (0.0, 300.0, 3)
    assert "300 Gb/s of demand have no path while wave 1 of change 1 set_fibre is drained" in " ".join(found.summary)


def test_of_two_works_the_one_that_cuts_off_less_is_first() -> None:
    """Draining ab relieves the links left, and ac carries less: without demand cut off, ab would be first."""
    base = coherent({"ab": [{"length_km": 30}], "ac": [{"length_km": 30}]}, {"ab": 300, "ac": 50})
    changes = [{"kind": "set_fibre", "links": name, "fibre": "G.654.E"} for name in ("ab", "ac")]
    assert base.schedule(changes).states[0].work == "2 set_fibre"


def test_works_on_a_cable_drain_all_its_links_once() -> None:
    """The cable K has ab and ac; bc is on its own."""
    on_cable = [{"length_km": 20, "cable": "K", "installed": "2010-05-01"}]
    base = coherent({"ab": on_cable, "ac": on_cable, "bc": [{"length_km": 20}]}, {"ab": 250})
    for links in ("ab", "a*"):
        found = base.schedule([{"kind": "set_fibre", "links": links, "fibre": "G.652.D"}], goal="unrouted_gbps")
        assert [(row.state, row.value) for row in found.states] == [("drained", 250.0), ("done", 0.0)]
        assert found.worst == 250.0
    every = base.schedule([{"kind": "set_fibre", "links": "*", "fibre": "G.652.D"}], goal="unrouted_gbps")
    assert [row.value for row in every.states] == [250.0, 0.0, 0.0, 0.0]
    more = {"kind": "set_channels", "links": "ab", "n_parallel": 2, "n_fibre_pairs": 2}
    members = base.schedule([more], goal="unrouted_gbps")
    assert members.worst == 0.0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"n_waves": 0}, "n_waves"),
        ({"drain_days": -1}, "drain_days"),
        ({"lead_days": {"set_fiber": 3}}, "did you mean 'set_fibre'"),
        ({"lead_days": {"set_fibre": -3}}, "lead_days.set_fibre"),
        ({"goal": "step_time"}, "did you mean 'step_time_s'"),
    ],
)
def test_bad_settings_are_refused_by_name(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(TwinError) as caught:
        network().schedule([MEMBERS], **options)
    assert expected in str(caught.value)
