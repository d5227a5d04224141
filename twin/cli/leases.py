"""Command of leases: what tenants pay, what is firm, what else can be leased, what idles."""

from __future__ import annotations

from .terminal import (
    AfterPlan,
    Ageing,
    AsJson,
    ChangeOption,
    JobName,
    NetworkName,
    OwnParts,
    Prices,
    ageing_case,
    load_network,
    progress,
    read_optional_changes,
    show,
    show_answer,
)


def leases(
    network: NetworkName,
    job: JobName = None,
    plan: AfterPlan = None,
    change: ChangeOption = None,
    ageing: Ageing = "value",
    prices: Prices = None,
    own_parts: OwnParts = None,
    as_json: AsJson = False,
) -> None:
    """Report leases, what else can be leased, and accelerators that bring nothing."""
    changes = read_optional_changes(plan, change)
    with progress("loading") as notify:
        loaded = load_network(network, prices, None, own_parts)
        answer = loaded.leases(job, changes=changes, ageing=ageing_case(ageing), notify=notify)
    if as_json:
        show_answer(answer)
    else:
        from ..render.lease_table import lease_table

        show(lease_table(answer.to_dict()))
