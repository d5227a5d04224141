"""Commands that look into a network: the paths between two nodes, and the demands one by one."""

from __future__ import annotations

from typing import Annotated

import typer

from .terminal import (
    AfterPlan,
    Ageing,
    AsJson,
    ChangeOption,
    Demands,
    JobName,
    NetworkName,
    OwnParts,
    SortBy,
    Top,
    ageing_case,
    load_network,
    progress,
    read_optional_changes,
    show,
    show_answer,
)


def path(
    network: NetworkName,
    source: Annotated[str, typer.Argument(metavar="A", help="Id of the node that sends.")],
    target: Annotated[str, typer.Argument(metavar="B", help="Id of the node that receives.")],
    max_paths: Annotated[int, typer.Option("--paths", min=1, max=1000, help="At most so many paths.")] = 16,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    job: JobName = None,
    ageing: Ageing = "value",
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Trace the shortest paths between two nodes: shares, capacity, load, latency, bottleneck."""
    changes = read_optional_changes(plan, change)
    with progress("loading"):
        loaded = load_network(network, None, traffic, own_parts)
        answer = loaded.path(source, target, max_paths=max_paths, changes=changes, job=job, ageing=ageing_case(ageing))
    if as_json:
        show_answer(answer)
    else:
        from ..render.path_table import path_table

        show(path_table(answer.to_dict()))


def demands(
    network: NetworkName,
    sort: SortBy = None,
    top: Top = None,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    job: JobName = None,
    ageing: Ageing = "value",
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """List demands: offered, carried, and the link that limits each."""
    changes = read_optional_changes(plan, change)
    with progress("loading"):
        loaded = load_network(network, None, traffic, own_parts)
        answer = loaded.demand_table(changes=changes, sort=sort, top=top, job=job, ageing=ageing_case(ageing))
    if as_json:
        show_answer(answer)
    else:
        from ..render.demand_rows import demands_table

        show(demands_table(answer.to_dict()))
