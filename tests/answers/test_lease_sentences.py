"""Sentences about the lease of a site: who pays whom, for what the job uses, and where that flips."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twin.answers.reasons import _lease_sentences
from twin.economics.lease import Lease


def sentences(**changed: Any) -> list[str]:
    """A quarter of 400 accelerators; all of them bring 4M a month, replacing them costs 6M less 1M of running."""
    given: dict[str, Any] = {
        "site": "s",
        "lease_usd_per_month": 4e6,
        "lease_usd_per_accelerator_hour": 13.7,
        "at_list_usd_per_month": 5e6,
        "at_implied_usd_per_month": 7e6,
        "opex_avoided_usd_per_month": 1e6,
        "marginal_flops_per_s": 1e15,
        "replacement": "H100",
        "rent_usd_per_accelerator_hour": 2.35,
        "flips_at_usd_per_accelerator_hour": 1.9,
        "n_allocated": 100,
        "n_accelerators": 400,
    }
    evaluation: Any = SimpleNamespace(lease=Lease(**given | changed))
    return list(_lease_sentences(evaluation))


def test_amounts_are_those_of_what_the_job_uses() -> None:
    offer, verdict, instead, flip = sentences()
    assert "a tenant would pay the owner $1M a month for the 100 accelerators of s that the job uses" in offer
    assert verdict == "That is pro rata of $4M for all 400; keeping them is worth more."
    assert "the owner would pay $1.5M to $2M a month to rent the same goodput elsewhere, and save $250k" in instead
    assert "the tenant pays the owner $1.25M a month" in flip
    assert "the owner pays $1.9 per H100-hour there" in flip


def test_a_site_that_the_job_uses_as_a_whole_is_not_scaled() -> None:
    offer, verdict, _, flip = sentences(n_allocated=400)
    assert verdict == "Keeping them is worth more."
    assert "$4M a month for the 400 accelerators" in offer
    assert "the tenant pays the owner $5M a month" in flip


def test_above_the_flip_leasing_pays_more_and_between_both_prices_it_depends() -> None:
    assert "leasing them out pays more" in sentences(lease_usd_per_month=8e6)[1]
    assert "which is better depends on the rental price" in sentences(lease_usd_per_month=6e6)[1]


def test_a_site_without_gain_is_worth_any_rent() -> None:
    first, second = sentences(marginal_flops_per_s=0.0)
    assert "gains nothing from s. Leasing out the 100 accelerators of s that the job uses ($1M a month" in first
    assert "Any rent that a tenant pays the owner for them is a gain" in second
    assert "is faster without s" in sentences(marginal_flops_per_s=-1.0)[0]
