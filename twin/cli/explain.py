"""The command that explains the bottlenecks of a training step."""

from __future__ import annotations

from .terminal import (
    AfterPlan,
    Ageing,
    AsJson,
    Demands,
    JobName,
    NetworkName,
    OwnParts,
    Picture,
    ageing_case,
    load_network,
    progress,
    show,
    show_answer,
    write_picture,
)


def explain(
    network: NetworkName,
    job: JobName = None,
    plan: AfterPlan = None,
    ageing: Ageing = "value",
    picture: Picture = None,
    traffic: Demands = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Explain a training step: its parts, and what each of eight causes costs."""
    with progress("loading") as notify:
        answer = load_network(network, None, traffic, own_parts).explain(
            job, changes=plan, ageing=ageing_case(ageing), notify=notify
        )
        write_picture(answer.figure, picture)
    if as_json:
        show_answer(answer)
    else:
        from ..render.explanation_table import explanation_table

        show(explanation_table(answer.to_dict()))
