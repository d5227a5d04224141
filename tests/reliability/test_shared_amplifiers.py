"""Amplifiers of a cable that several links share: they fail once, and take all of these links down."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.training.cases import general, reader, state_of
from twin.loading import from_document
from twin.reliability.component_rates import link_rates, risk_rates
from twin.reliability.components import components_of
from twin.reliability.rates import HOURS_PER_YEAR
from twin.reliability.shared_amplifiers import shared_amplifiers

N_LINKS = 3
SPAN = {"length_km": 80.0, "amplifier": "EDFA"}


def document(*fields: dict[str, Any], cable: str | None = "c") -> dict[str, Any]:
    """Links from a to b over two amplified spans, on one cable."""
    rows = fields or ({},) * N_LINKS
    spans = [SPAN | ({"cable": cable} if cable else {})] * 2
    link = {"ends": ["a", "b"], "transceiver": "OpenZR+-400G", "spans": spans}
    return {
        "nodes": [{"id": name, "kind": "border"} for name in "ab"],
        "links": [{**link, "id": f"l{i}", **row} for i, row in enumerate(rows)],
        "demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": 100}],
    }


def test_amplifiers_of_a_cable_fail_once() -> None:
    """Two spans have four amplifiers; each fails at the stated rate. Their failures leave the links."""
    state, _ = state_of(document())
    links = np.arange(N_LINKS)
    (shared,) = shared_amplifiers(state, links)
    assert (state.srlgs[shared.risk], shared.n_amplifiers, shared.links.tolist()) == ("c", 4, [0, 1, 2])
    per_year = 4 * general("amplifier_fit") * 1e-9 * HOURS_PER_YEAR
    cuts_per_year = 160.0 * general("n_cuts_per_km_year")
    of_cable = risk_rates(state, reader(), [links], [shared.risk])
    assert of_cable.n_per_year == pytest.approx([per_year + cuts_per_year])
    alone, _ = state_of(document(cable=None))
    apart = link_rates(alone, reader(), links).n_per_year
    assert apart - link_rates(state, reader(), links).n_per_year == pytest.approx([per_year + cuts_per_year] * 3)


def test_each_link_is_down_as_long_as_before() -> None:
    """Losses of a link by its cable are in components of the cable: its total rate stays."""
    state, alone = (state_of(document(cable=cable))[0] for cable in ("c", None))
    links = np.arange(N_LINKS)
    shared, apart = (components_of(s, reader(), links) for s in (state, alone))
    names = [shared.name(mode) for mode in range(len(shared.component))]
    assert [(row.id, row.kind) for row in names[N_LINKS:-2]] == [("c", "cable"), ("c", "amplifiers")]
    by_cable = shared.probability_ratio[N_LINKS:-2]
    up = (1 - shared.down_ratio[0]) * np.prod(1 - by_cable)
    assert up == pytest.approx(1 - apart.down_ratio[0], rel=1e-6)


def test_parallel_links_on_a_cable_do_not_back_each_other_up() -> None:
    """The demand is down for the amplifiers as often as one link would be, beside the cuts."""

    def lost(amplifier: str | None) -> float:
        data = document()
        for link in data["links"]:
            link["spans"] = [{"length_km": 20.0, "amplifier": amplifier, "cable": "c"}] * 2
        return 1.0 - from_document(data).availability().demands[0].connected.least_ratio

    amplifiers = 4 * general("amplifier_fit") * 1e-9 * general("amplifier_repair_h")
    assert lost("EDFA") - lost(None) == pytest.approx(amplifiers, rel=0.02)


@pytest.mark.parametrize(
    "fields",
    [
        ({"n_fibre_pairs": 2, "n_parallel": 2, "mux": "mux-8"}, {}),
        ({"protection": "optical-protection"}, {}),
    ],
    ids=["pairs of its own", "another path"],
)
def test_links_that_go_on_without_the_pair_count_for_themselves(fields: tuple[dict[str, Any], ...]) -> None:
    data = document(*fields)
    if "protection" in fields[0]:
        data["links"][0]["spans"] = [*data["links"][0]["spans"], {"length_km": 90.0, "standby": True}]
    state, _ = state_of(data)
    assert shared_amplifiers(state, np.arange(2)) == ()


def test_an_amplifier_that_only_one_link_states_counts_for_it() -> None:
    data = document({}, {})
    data["links"][1]["spans"] = [data["links"][1]["spans"][0], {"length_km": 80.0, "cable": "c"}]
    state, _ = state_of(data)
    (shared,) = shared_amplifiers(state, np.arange(2))
    assert shared.n_amplifiers == 2
    rates = link_rates(state, reader(), np.arange(2)).n_per_year
    assert rates[0] - rates[1] == pytest.approx(2 * general("amplifier_fit") * 1e-9 * HOURS_PER_YEAR)


def test_fibre_and_amplifiers_of_a_cable_have_names_of_their_own() -> None:
    network = from_document(document())
    found = network.availability(n_samples=50, loss_above=0.5)
    alone = [row.down[0] for row in found.failures if len(row.down) == 1 and row.down[0].id == "c"]
    assert sorted(element.kind for element in alone) == ["amplifiers", "cable"]
    (likeliest,) = found.failures[0].down
    name = {"cable": "fibre of c", "amplifiers": "amplifiers of c"}[likeliest.kind]
    assert f"the most probable: {name}," in " ".join(found.summary)
    assert "fibre of c" in repr(found)
    assert "amplifiers of c" in repr(found)


@pytest.mark.parametrize(
    ("risks", "expected"),
    [({}, "cable"), ({"srlgs": ["d"]}, "cable or shared risk"), ({"srlgs": ["d"], "cable": None}, "shared risk")],
)
def test_failures_of_cables_are_called_so(risks: dict[str, Any], expected: str) -> None:
    network = document(cable=risks.pop("cable", "c"))
    for link in network["links"]:
        link |= risks
    found = from_document(network).failures(of="srlg")
    assert (found.kind, found.kind_name) == ("srlg", expected)
    assert f"{expected} failure" in found.summary[0]
