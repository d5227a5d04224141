"""Cables beyond their reach or of another medium: a warning where they exist, a refusal for a change."""

from __future__ import annotations

from typing import Any

import pytest

from twin.errors import ChangeError
from twin.loading import from_document
from twin.network import Network


def joined(transceiver: str, length_m: float, fibre: str, part: str | None = None) -> Network:
    nodes = [{"id": name, "kind": "leaf"} | ({"part": part} if part else {}) for name in "ab"]
    span = {"length_km": length_m / 1e3, "fibre": fibre}
    return from_document(
        {"nodes": nodes, "links": [{"id": "l", "ends": ["a", "b"], "transceiver": transceiver, "spans": [span]}]}
    )


def is_warned(network: Network) -> bool:
    return any(row.rule == "reach_m" for row in network.warnings)


@pytest.mark.parametrize(
    ("transceiver", "fibre", "reach_m"),
    [
        ("DAC-100G", "copper-cable", 5),
        ("DAC-400G", "copper-cable", 3),
        ("AOC-100G", "OM4", 100),
        ("100G-SR4", "OM3", 70),
        ("100G-SR4", "OM4", 100),
        ("100G-SR4", "OM5", 100),
        ("10G-SR", "OM3", 300),
        ("400G-VR4", "OM4", 50),
    ],
)
def test_the_reach_holds_to_the_metre(transceiver: str, fibre: str, reach_m: float) -> None:
    within, beyond = (joined(transceiver, reach_m * ratio, fibre) for ratio in (1.0, 1.02))
    assert (is_warned(within), is_warned(beyond)) == (False, True)
    assert beyond.link_table().rows[0]["member_gbps"] == within.link_table().rows[0]["member_gbps"] > 0


def swap(part: str) -> list[dict[str, Any]]:
    return [{"kind": "set_transceivers", "links": "l", "part": part}]


def test_a_change_to_a_cable_that_is_too_short_is_refused() -> None:
    network = joined("AOC-100G", 60, "OM4")
    with pytest.raises(ChangeError, match="too long: 60 m, and DAC-100G reaches 5 m"):
        network.what_if(swap("DAC-100G"), main_assumptions=False)
    assert network.what_if(swap("100G-SR4"), main_assumptions=False).after["n_links_below_margin"] == 0


def test_a_change_beside_a_cable_that_is_too_long_is_not_refused() -> None:
    network = joined("DAC-100G", 60, "copper-cable")
    assert network.what_if([{"kind": "age", "years": 1}], main_assumptions=False)


@pytest.mark.parametrize(
    ("transceiver", "fibre"), [("100G-LR4", "OM4"), ("100G-SR4", "G.652.D"), ("400ZR", "copper-cable")]
)
def test_optics_do_not_run_over_another_medium(transceiver: str, fibre: str) -> None:
    with pytest.raises(ChangeError, match=f"wrong medium: {transceiver} does not run over {fibre}"):
        joined("AOC-100G", 10, fibre).what_if(swap(transceiver), main_assumptions=False)


@pytest.mark.parametrize(("transceiver", "fibre"), [("100G-LR4", "OM4"), ("100G-SR4", "G.652.D")])
def test_optics_that_exist_on_another_medium_are_a_warning(transceiver: str, fibre: str) -> None:
    network = joined(transceiver, 10, fibre)
    assert any(row.rule == "medium" for row in network.warnings)
    assert not is_warned(network)
    assert network.score(main_assumptions=False).warnings == network.warnings
