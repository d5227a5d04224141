"""Stages of links: optical paths, link budgets, what each link can carry."""

from __future__ import annotations

from ..optics.link_budget import LinkBudgets, compute_link_budgets
from ..optics.link_health import LinkHealth, compute_link_health
from ..optics.optical_paths import OpticalPaths, optical_paths_of
from .stage import Inputs


def optical_paths(inputs: Inputs) -> OpticalPaths:
    """Find the optical paths, with alike links grouped."""
    return optical_paths_of(inputs.state, inputs.reader)


def link_budgets(inputs: Inputs) -> LinkBudgets:
    """Compute the link budget of each optical path."""
    return compute_link_budgets(inputs.state, inputs.reader, inputs["optical_paths"], inputs.ageing)


def health(inputs: Inputs) -> LinkHealth:
    """Compute the capacity of each link and what limits it."""
    return compute_link_health(inputs.state, inputs.document, inputs.reader, budgets=inputs["link_budgets"])
