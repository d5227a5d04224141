"""Bills of materials: their sums are those of the what-if, line by line, change by change."""

from __future__ import annotations

from math import fsum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twin
from tests.economics.test_shared_cables import on_one_cable
from tests.imports.test_device_types import made_of
from twin.answers.bill import Bill
from twin.economics.bill import STEPS_PER_USD, in_steps

PRICES = {
    "name": "ours",
    "version": 3,
    "date": "2026-10-01",
    "part_usd": {"OpenZR+-400G": {"value": 5000.1, "low": 4000, "high": 7000, "unit": "USD/piece", "source": "quote"}},
}


def of_plan(bill: Bill, paid: str) -> list[float]:
    return [line.total_usd for line in bill.lines if line.paid == paid and line.total_usd is not None]


@pytest.mark.parametrize("plan", [plan.id for plan in twin.load("memphis-small").document.plans])
def test_the_bill_of_each_plan_has_the_sums_of_its_what_if_to_the_last_bit(plan: str) -> None:
    network = twin.load("memphis-small", prices=PRICES)
    bill, diff = network.bill(plan), network.what_if(plan, main_assumptions=False)
    assert bill.capex_usd == diff.after["capex_usd"] == sum(of_plan(bill, "once"))
    assert bill.opex_change_usd_per_year == diff.change("opex_usd_per_year") == sum(of_plan(bill, "a year"))
    assert {line.item for line in bill.lines if line.paid == "once"} >= {row.item for row in diff.purchases}
    for usd in (*of_plan(bill, "once"), *of_plan(bill, "a year")):
        assert usd * STEPS_PER_USD == int(usd * STEPS_PER_USD)
    assert sum(book.capex_usd for book in bill.books) == bill.capex_usd
    assert sum(book.n_lines for book in bill.books) == len(bill.lines)


CHANGES = [
    {"kind": "set_channels", "links": "l1", "n_parallel": 3},
    {"kind": "set_channels", "links": "l*", "n_parallel": 2},
    {"kind": "set_fibre", "links": "l*", "fibre": "G.654.E"},
    {"kind": "set_transceivers", "links": "l2", "part": "400ZR"},
    {"kind": "set_channels", "links": "l*", "n_parallel": 4, "n_fibre_pairs": 2},
    {"kind": "remove_links", "links": "l2"},
]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(CHANGES[:5]), max_size=4), st.booleans())
def test_changes_in_any_order_add_up_though_a_later_one_undoes_an_earlier(
    changes: list[dict[str, Any]], removed: bool
) -> None:
    network = twin.from_document(on_one_cable() | {"price_book": PRICES})
    listed = [*(change for change in changes if not (removed and change["links"] == "l2")), *CHANGES[5:][:removed]]
    try:
        diff = network.what_if(listed, main_assumptions=False)
    except twin.TwinError:
        with pytest.raises(twin.TwinError):
            network.bill(listed)
        return
    bill = network.bill(listed)
    assert bill.capex_usd == diff.after["capex_usd"] == fsum(reversed(of_plan(bill, "once")))
    assert bill.opex_change_usd_per_year == diff.change("opex_usd_per_year")


def test_lines_by_hand_one_trench_and_both_ends() -> None:
    network = twin.from_document(on_one_cable() | {"price_book": PRICES})
    bill = network.bill([CHANGES[2], {"kind": "set_channels", "links": "l1", "n_parallel": 2}])
    assert [(line.change, line.item, line.quantity) for line in bill.lines if line.paid == "once"] == [
        ("1 set_fibre", "fibre laid, km", 60),
        ("2 set_channels", "OpenZR+-400G", 2),
        ("2 set_channels", "labour, h", 0.5),
    ]
    optic = bill.lines[[line.item for line in bill.lines].index("OpenZR+-400G")]
    assert (optic.unit_price_usd, optic.total_usd, optic.category) == (5000.1, in_steps(10000.2), "transceiver")
    assert (optic.total_low_usd, optic.total_high_usd) == (8000, 14000)
    assert (optic.source, optic.book, optic.status) == ("quote", "ours 3, 2026-10-01", "estimate")
    assert [book.book for book in bill.books] == ["ours 3, 2026-10-01", "shipped placeholder 2, 2026-11"]


def test_what_a_later_change_replaces_is_taken_off_the_bill() -> None:
    bill = twin.from_document(on_one_cable()).bill([CHANGES[0], CHANGES[1]])
    optics = [(line.change, line.quantity) for line in bill.lines if line.item == "OpenZR+-400G"]
    assert optics == [("1 set_channels", 4)], "the second change takes one member of l1 and adds one of l2"


def test_an_own_part_without_a_price_leaves_the_sums_unknown_and_is_named(tmp_path: Path) -> None:
    node = {"id": "a", "kind": "leaf", "part": "leaf-25.6T"}
    network = twin.from_document({"nodes": [node]}, parts=made_of(tmp_path).parts)
    bill = network.bill([{"kind": "swap_switches", "nodes": "a", "part": "maker-s-32c"}])
    assert (bill.capex_usd, bill.opex_change_usd_per_year) == (None, None)
    assert "no price for maker-s-32c" in bill.why["capex_usd"]
    [line] = [line for line in bill.lines if line.item == "maker-s-32c"]
    assert (line.quantity, line.total_usd, line.book) == (1, None, "")
    assert line.why == "price unknown: state part_usd of maker-s-32c in a price book"
    assert "price unknown" in repr(bill)


def test_members_without_a_transceiver_and_switches_without_a_part_leave_the_price_unknown() -> None:
    nodes = [{"id": x, "kind": "leaf"} for x in "ab"]
    links = [{"id": "ab", "ends": ["a", "b"], "capacity_gbps": 100}]
    network = twin.from_document({"nodes": nodes, "links": links})
    more = {"kind": "set_channels", "links": "ab", "n_parallel": 2}
    new = {"kind": "add_node", "node": {"id": "s", "kind": "spine"}}
    for changes, why in (
        ([more], "not priced: 1 link names no transceiver"),
        ([new], "not priced: 1 new switch names no part"),
        ([more, new], "not priced: 1 link names no transceiver and 1 new switch names no part"),
    ):
        score = network.what_if(changes, main_assumptions=False).after
        assert (score["capex_usd"], score.metrics["capex_usd"].why) == (None, why)
        bill, money = network.bill(changes), network.money(changes)
        assert (bill.capex_usd, bill.why["capex_usd"], len(bill.lines)) == (None, why, len(changes))
        assert (money.horizon, money.why["horizon"]) == (None, why)
        assert "$0" not in " ".join((*bill.summary, *money.summary))
    host = network.bill([{"kind": "add_node", "node": {"id": "h", "kind": "host"}}])
    assert host.capex_usd == 0.0, "an end point without a part stands for what is there"


def test_nothing_to_buy_is_an_answer() -> None:
    bill = twin.load("memphis-small").bill([{"kind": "split_work", "split": "balanced"}])
    assert (bill.capex_usd, bill.opex_change_usd_per_year, bill.lines, bill.books) == (0.0, 0.0, (), ())
    assert bill.summary == ("Nothing to buy, and the cost of operation stays.",)
