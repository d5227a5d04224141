"""Commands of uncertain inputs: intervals of metrics, and what to measure first."""

from __future__ import annotations

from typing import Annotated

import typer

from .terminal import (
    Ageing,
    AllMetrics,
    AsJson,
    Dask,
    JobName,
    NetworkName,
    OwnParts,
    Prices,
    ageing_case,
    executor_options,
    load_network,
    progress_bar,
    show,
    show_answer,
)

Plans = Annotated[
    list[str] | None, typer.Option("--plan", help="A plan to compare with the network as it is; may be repeated.")
]
Samples = Annotated[int, typer.Option("--samples", help="A power of two.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same samples for the same seed.")]
Processes = Annotated[
    int | None, typer.Option("--processes", min=1, max=256, help="At most so many; else one for each core.")
]

Tornado = Annotated[
    bool, typer.Option("--tornado/--no-tornado", help="Set each input to both ends too, to see what moves the choice.")
]


def sample(
    network: NetworkName,
    plan: Plans = None,
    samples: Samples = 1024,
    seed: Seed = 0,
    metric: Annotated[
        str | None, typer.Option("--metric", help="Metric of the decision; else the one that a verdict is about.")
    ] = None,
    years: Annotated[
        float, typer.Option("--years", help="So many years later: fibre and optics age, demands grow.")
    ] = 0.0,
    job: JobName = None,
    tornado: Tornado = True,
    ageing: Ageing = "value",
    prices: Prices = None,
    own_parts: OwnParts = None,
    processes: Processes = None,
    dask: Dask = None,
    all_metrics: AllMetrics = False,
    as_json: AsJson = False,
) -> None:
    """Intervals of each metric under uncertain inputs, how often a plan is better, what to measure."""
    where = executor_options(processes, dask)
    with progress_bar("samples") as advance:
        answer = load_network(network, prices, None, own_parts).sample(
            plan or (),
            job=job,
            metric=metric,
            n_samples=samples,
            years=years,
            seed=seed,
            tornado=tornado,
            ageing=ageing_case(ageing),
            **where,
            advance=advance,
        )
    if as_json:
        show_answer(answer)
    else:
        from ..render.sample_table import sample_table

        show(sample_table(answer.to_dict(), all_metrics=all_metrics))


def decide(
    network: NetworkName,
    plan: Plans = None,
    lease: Annotated[
        list[str] | None,
        typer.Option("--lease", metavar="SITE", help="A site that may be left out and leased; may be repeated."),
    ] = None,
    share: Annotated[
        list[str] | None,
        typer.Option("--share", metavar="SITE", help="A site whose free part may be leased; may be repeated."),
    ] = None,
    job: Annotated[
        list[str] | None, typer.Option("--job", help="A job; may be repeated. All jobs of the document otherwise.")
    ] = None,
    lease_price: Annotated[
        float | None, typer.Option("--lease-price", min=0, metavar="USD", help="A month for the whole site.")
    ] = None,
    power_paid_by: Annotated[
        str | None, typer.Option("--power-paid-by", help="owner or tenant, for what is leased.")
    ] = None,
    token_price: Annotated[
        float | None, typer.Option("--token-price", min=0, metavar="USD", help="Of a million tokens.")
    ] = None,
    samples: Samples = 128,
    seed: Seed = 0,
    tornado: Tornado = True,
    ageing: Ageing = "value",
    prices: Prices = None,
    own_parts: OwnParts = None,
    processes: Processes = None,
    dask: Dask = None,
    as_json: AsJson = False,
) -> None:
    """Compare plans and leases by net dollars a year, with probabilities and the rent that flips it."""
    where = executor_options(processes, dask)
    with progress_bar("samples") as advance:
        answer = load_network(network, prices, None, own_parts).decide(
            plan or (),
            lease=lease or (),
            share=share or (),
            jobs=job or None,
            lease_usd_per_month=lease_price,
            power_paid_by=power_paid_by,
            usd_per_million_tokens=token_price,
            n_samples=samples,
            seed=seed,
            tornado=tornado,
            ageing=ageing_case(ageing),
            **where,
            advance=advance,
        )
    if as_json:
        show_answer(answer)
    else:
        from ..render.decision_table import decision_table

        show(decision_table(answer.to_dict()))
