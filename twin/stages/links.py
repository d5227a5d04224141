"""Stages of links: optical paths, link budgets, what each link can carry."""

from __future__ import annotations

from ..optics.link_budget import LinkBudgets, compute_link_budgets
from ..optics.link_health import Latency, LinkHealth, compute_latency, compute_link_health
from ..optics.optical_paths import OpticalPaths, optical_paths_of
from .stage import Inputs


def optical_paths(inputs: Inputs) -> OpticalPaths:
    """Find the optical paths, with alike links grouped."""
    return optical_paths_of(inputs.state, inputs.reader)


def link_budgets(inputs: Inputs) -> LinkBudgets:
    """Compute the link budget of each optical path."""
    return compute_link_budgets(inputs.state, inputs.reader, inputs["optical_paths"], inputs.ageing)


def link_latency(inputs: Inputs) -> Latency:
    """Compute the unloaded latency of each link, by its causes."""
    return compute_latency(inputs.state, inputs.reader, inputs["optical_paths"], inputs["link_budgets.member_gbps"])


def health(inputs: Inputs) -> LinkHealth:
    """Compute the capacity of each link and what limits it."""
    budgets, latency = inputs["link_budgets"], inputs["link_latency"]
    return compute_link_health(inputs.state, inputs.document, inputs.reader, budgets=budgets, latency=latency)
