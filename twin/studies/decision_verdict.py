"""Verdict of a decision: the best option and its probability, who pays whom, and the rent at which that flips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..render.quantities import names_text, percent_text, usd_text


def decision_verdict(job: Mapping[str, Any], n_samples: int) -> Iterator[str]:
    """Yield the sentences about one job, from the data of its decision."""
    options = {row["name"]: row for row in job["options"]}
    best = options[job["best"]]
    net = best["net_usd_per_year"]
    if net["p50"] is None:
        yield f"Job {job['job']}: no option has a value in any sample."
        return
    yield (
        f"Job {job['job']}: {best['name']} is best in {percent_text(best['best_ratio'])} of {n_samples:,} samples; "
        f"{usd_text(net['p50'])} a year net, in eight samples of ten {usd_text(net['p10'])} to {usd_text(net['p90'])}."
    )
    others = sorted((row for row in job["options"] if row is not best), key=lambda row: -row["best_ratio"])
    rivals = [f"{row['name']} in {percent_text(row['best_ratio'])}" for row in others if row["best_ratio"] > 0.0]
    if rivals:
        yield f"Otherwise {names_text(rivals)}."
    if net["p10"] < 0.0:
        yield "It may lose money: one sample of ten is below that."
    yield from _flips(job)
    yield from _measure_first(job)


def _flips(job: Mapping[str, Any]) -> Iterator[str]:
    for row in job["flips"]:
        price, offer = row["usd_per_month"], row["offered_usd_per_month"]
        site, n = row["site"], row["n_accelerators"]
        if price["p50"] is None:
            continue
        if price["p90"] < 0.0:
            yield f"The job earns more without {site}: leaving it out is best even if no tenant pays for it."
            continue
        low, high = usd_text(max(price["p10"], 0.0)), usd_text(price["p90"])
        hourly = usd_text(max(row["usd_per_accelerator_hour"]["p50"], 0.0))
        yield (
            f"A tenant has to pay the owner more than {usd_text(max(price['p50'], 0.0))} a month for the {n:,} "
            f"accelerators of {site} ({hourly} per accelerator-hour; {low} to {high}) before leaving it out is best. "
            f"At {usd_text(offer)} a month it is in {percent_text(row['pays_ratio'] or 0.0)} of the samples."
        )


def _measure_first(job: Mapping[str, Any]) -> Iterator[str]:
    rows = job["tornado"]
    if rows and rows[0]["worth"] > job["worth_noise_usd_per_year"]:
        first = rows[0]
        yield (
            f"Measure {first['label']} first ({first['settled_by']}): to know it before the choice is worth "
            f"{usd_text(first['worth'])} a year; to know everything {usd_text(job['worth_of_all_usd_per_year'])}."
        )
    elif rows and job["worth_of_all_usd_per_year"] > 0.0:
        yield (
            "No single input moves the choice by more than the estimate can tell; to know all of them is worth "
            f"{usd_text(job['worth_of_all_usd_per_year'])} a year."
        )
    elif rows:
        yield "No uncertain input changes the choice."
