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
    load_network,
    progress_bar,
    refuse,
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


def sample(
    network: NetworkName,
    plan: Plans = None,
    samples: Samples = 1024,
    seed: Seed = 0,
    metric: Annotated[
        str | None, typer.Option("--metric", help="Metric of the decision; else the one that a verdict is about.")
    ] = None,
    job: JobName = None,
    ageing: Ageing = "value",
    prices: Prices = None,
    own_parts: OwnParts = None,
    processes: Processes = None,
    dask: Dask = None,
    all_metrics: AllMetrics = False,
    as_json: AsJson = False,
) -> None:
    """Intervals of every metric under uncertain inputs, which plan is better how often, and what to measure first."""
    from ..studies.executor import n_cores

    if processes is not None and dask is not None:
        refuse("both --processes and --dask are given", "give one of them")
    with progress_bar("samples") as advance:
        answer = load_network(network, prices, None, own_parts).sample(
            plan or (),
            job=job,
            metric=metric,
            n_samples=samples,
            seed=seed,
            ageing=ageing_case(ageing),
            n_workers=processes or n_cores(),
            dask=dask,
            advance=advance,
        )
    if as_json:
        show_answer(answer)
    else:
        from ..render.sample_table import sample_table

        show(sample_table(answer.to_dict(), all_metrics=all_metrics))
