"""Commands of capacity planning: how good routing could be."""

from __future__ import annotations

from typing import Annotated

import typer

from .terminal import (
    AfterPlan,
    Ageing,
    AsJson,
    ChangeOption,
    Demands,
    NetworkName,
    ageing_case,
    load_network,
    progress,
    read_optional_changes,
    show,
    write_json,
)


def optimum(
    network: NetworkName,
    gap: Annotated[
        float, typer.Option("--gap", help="Largest distance of the bounds of the optimum: 0.01 is 1 %.")
    ] = 0.01,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    ageing: Ageing = "value",
    traffic: Demands = None,
    as_json: AsJson = False,
) -> None:
    """Compare routing with the best possible one: utilisation, bounds, links that set the limit."""
    changes = read_optional_changes(plan, change)
    with progress("loading") as notify:
        loaded = load_network(network, None, traffic)
        answer = loaded.optimum(gap_ratio=gap, changes=changes, ageing=ageing_case(ageing), notify=notify)
    if as_json:
        write_json(answer.to_json())
    else:
        from ..render.routing_table import routing_table

        show(routing_table(answer.to_dict()))
