"""Stages of links: optical paths, link budgets, what each link can carry."""

from __future__ import annotations

from ..optics.link_budget import LinkBudgets, compute_link_budgets
from ..optics.link_health import LinkHealth, compute_link_health
from ..optics.optical_paths import OpticalPaths, optical_paths_of
from .stage import Inputs


def optical_paths(inputs: Inputs) -> OpticalPaths:
    """Group links that are alike to their signal."""
    return optical_paths_of(inputs.state, inputs.reader)


def link_budgets(inputs: Inputs) -> LinkBudgets:
    """Compute what arrives at each receiver."""
    return compute_link_budgets(inputs.state, inputs.reader, inputs["optical_paths"], inputs.ageing)


def health(inputs: Inputs) -> LinkHealth:
    """Compute what each link can carry, and why."""
    return compute_link_health(inputs.state, inputs.document, inputs.reader, budgets=inputs["link_budgets"])
