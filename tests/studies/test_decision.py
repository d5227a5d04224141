"""Decisions by hand: net dollars of options, and the rent at which the best one flips."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from twin.errors import ChangeError
from twin.studies.decision import FIGURES, OptionTables, flip_price, option_tables
from twin.studies.decision_options import LeaseOffer, Option
from twin.studies.decision_report import check_token_price
from twin.studies.decision_verdict import decision_verdict
from twin.studies.sampling import CaseFigures

OFFER = LeaseOffer("c1", 100.0, "owner", 40)
TENANT = LeaseOffer("c1", 100.0, "tenant", 40)


class Asked:
    """A question without uncertain inputs."""

    figures = (*FIGURES, "power_usd_per_year@c1")
    inputs = ()
    values = np.empty((1, 0))


def figures(*, tokens: float, flops: float, capex: float, opex: float, price: float, power: float) -> CaseFigures:
    values = (tokens, flops, capex, opex, price, capex / 4.0, power)
    return CaseFigures(values, ("",) * len(values), "", 1)


def tables(*options: Option, usd_per_million_tokens: float | None = None) -> OptionTables:
    """Two cases: all of the job with purchases of 400 and work of 1,000 a year; without the site 600, cheaper."""
    now = figures(tokens=10.0, flops=50.0, capex=0.0, opex=300.0, price=20.0, power=80.0)
    without = figures(tokens=6.0, flops=30.0, capex=400.0, opex=250.0, price=99.0, power=80.0)
    asked: Any = Asked()
    return option_tables(asked, [(now, without)], options, usd_per_million_tokens)


def test_the_net_is_work_and_rent_less_operation_and_yearly_payments() -> None:
    """Work is worth 20 a FLOP/s in both, the lower of both prices; 1,200 a year are the rent of all 40."""
    found = tables(Option("do nothing", 0), Option("leave", 1, OFFER, 40), Option("share", 0, OFFER, 10))
    assert found.work_usd_per_year[0].tolist() == [1000.0, 600.0, 1000.0]
    assert found.lease_usd_per_year[0].tolist() == [0.0, 1200.0, 300.0]
    assert found.lost_rent_usd_per_year[0].tolist() == [1200.0, 0.0, 900.0]
    assert found.cost_usd_per_year[0].tolist() == [300.0, 350.0, 300.0]
    assert found.net_usd_per_year[0].tolist() == [700.0, 1450.0, 1000.0]


def test_a_tenant_may_pay_for_the_electricity_of_what_it_leases() -> None:
    found = tables(Option("do nothing", 0), Option("leave", 1, TENANT, 40), Option("share", 0, TENANT, 10))
    assert found.cost_usd_per_year[0].tolist() == [300.0, 270.0, 280.0]


def test_a_stated_price_of_tokens_replaces_that_of_renting() -> None:
    found = tables(Option("do nothing", 0), Option("leave", 1, OFFER, 40), usd_per_million_tokens=1e6)
    seconds = 730.0 * 12 * 3600
    assert found.work_usd_per_year[0] == pytest.approx([10.0 * seconds, 6.0 * seconds])


@pytest.mark.parametrize("n_shared", [0, 10])
def test_above_the_flip_price_leaving_out_is_best_and_below_it_is_not(n_shared: int) -> None:
    """Without a share: 700 = 250 + 12 p, p = 37.5. With a quarter: 700 + 3 p = 250 + 12 p, p = 50."""
    options = [Option("do nothing", 0), Option("leave", 1, OFFER, 40)]
    if n_shared:
        options.append(Option("share", 0, OFFER, n_shared))
    price = float(flip_price(tables(*options), options, 1)[0])
    assert price == pytest.approx(50.0 if n_shared else 37.5)
    for usd_per_month, is_best in ((price * 1.001, True), (price * 0.999, False)):
        offer = LeaseOffer("c1", usd_per_month, "owner", 40)
        again = [Option(o.name, o.case, offer if o.offer else None, o.n_leased) for o in options]
        assert (int(np.argmax(tables(*again).net_usd_per_year[0])) == 1) is is_best


@pytest.mark.parametrize("price", [-1.0, 1e10, float("nan"), "2"])
def test_prices_of_tokens_out_of_bounds_are_refused(price: Any) -> None:
    with pytest.raises(ChangeError, match="usd_per_million_tokens"):
        check_token_price(price)
    check_token_price(None)
    check_token_price(2)


def test_the_verdict_says_who_pays_whom_and_when_it_may_lose_money() -> None:
    amount = {"at_value": 1.0, "p10": -2e6, "p50": 3e6, "p90": 4e6}
    job = {
        "job": "j",
        "best": "a",
        "options": [{"name": "a", "best_ratio": 0.75, "net_usd_per_year": amount},
                    {"name": "b", "best_ratio": 0.25, "net_usd_per_year": amount}],
        "flips": [{"usd_per_month": {"p10": 1e6, "p50": 2e6, "p90": 3e6}, "offered_usd_per_month": 4e6, "site": "s",
                   "n_accelerators": 10, "usd_per_accelerator_hour": {"p50": 0.5}, "pays_ratio": 1.0}],
        "tornado": [{"label": "price of x", "settled_by": "a quote for x", "worth": 5e5}],
        "worth_noise_usd_per_year": 1e5,
        "worth_of_all_usd_per_year": 9e5,
    }  # fmt: skip
    text = " ".join(decision_verdict(job, 64))
    assert "a is best in 75 % of 64 samples" in text
    assert "Otherwise b in 25 %" in text
    assert "It may lose money" in text
    assert "A tenant has to pay the owner more than $2M a month for the 10 accelerators of s" in text
    assert "Measure price of x first (a quote for x): to know it before the choice is worth $500k a year" in text


def test_a_case_without_a_value_leaves_that_of_the_others() -> None:
    nothing = CaseFigures((None,) * 7, ("the job cannot run",) * 7, "the job cannot run", 0)  # type: ignore[arg-type]
    without = figures(tokens=6.0, flops=30.0, capex=400.0, opex=250.0, price=99.0, power=80.0)
    asked: Any = Asked()
    found = option_tables(asked, [(nothing, without)], [Option("now", 0), Option("leave", 1, OFFER, 40)], None)
    assert np.isnan(found.net_usd_per_year[0, 0])
    assert found.work_usd_per_year[0, 1] == 30.0 * 99.0
