"""Networks that the page shows: those that ship, and those that the service stores."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from twin.topologies import NETWORKS, network_text

from twin.formats.native import parse_document, parse_mapping

from ..problems import find


class NamedNote(NamedTuple):
    """A job or a plan by id, with its note."""

    id: str
    note: str


class PageNetwork(NamedTuple):
    """What the page needs to know of a network before any question is asked."""

    name: str
    sentence: str
    default_job: str | None
    jobs: tuple[NamedNote, ...]
    plans: tuple[NamedNote, ...]
    plan_changes: dict[str, list[dict[str, Any]]]
    """Changes of each plan as plain data."""


def shipped_networks() -> Sequence[tuple[str, str]]:
    """Return name and sentence of each shipped network."""
    return sorted(NETWORKS.items())


def page_network(name: str) -> PageNetwork:
    """Return a network by name. Raises NotFoundError with similar names."""
    text = find(lambda: network_text(name))
    return _shipped(name, text)


@cache
def _shipped(name: str, text: str) -> PageNetwork:
    document = parse_document(parse_mapping(text, name, as_json=False), name)
    data = document.to_dict()
    return PageNetwork(
        name,
        NETWORKS[name],
        document.default_job,
        tuple(NamedNote(job.id, job.note) for job in document.jobs),
        tuple(NamedNote(plan.id, plan.note) for plan in document.plans),
        {plan["id"]: plan.get("changes", []) for plan in data.get("plans", ())},
    )
