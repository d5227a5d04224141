"""The table of generators of candidates: each looks at a network and offers changes that may help."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from . import job_candidates, lease_candidates, link_candidates, node_candidates
from .candidate import Candidate
from .records import Omitted
from .situation import Situation


class Generator(NamedTuple):
    """One source of candidates."""

    offer: Callable[[Situation], Iterator[Candidate]]
    """Yields candidates for a network; none where there is nothing to do."""
    sentence: str
    """Description for people."""
    why_none: Callable[[Situation], str] = lambda _: ""
    """Returns why it offers nothing; empty where it would not help."""


GENERATORS: dict[str, Generator] = {
    "fibre": Generator(link_candidates.fibre, "Own new fibre of the least loss for worn or wide-area links."),
    "transceivers": Generator(
        link_candidates.transceivers, "Faster or renewed transceivers of the same technology for worn or full links."
    ),
    "channels": Generator(
        link_candidates.channels, "More members of worn or full links, on more pairs or with a wider multiplexer."
    ),
    "routes": Generator(link_candidates.routes, "A second wide-area route in a separate duct, on leased fibre."),
    "cards": Generator(link_candidates.cards, "Twice the cables of full access links."),
    "routers": Generator(node_candidates.routers, "Larger routers and switches at the ends of worn or full links."),
    "uplinks": Generator(node_candidates.uplinks, "More members of the links between border routers and their site."),
    "spines": Generator(
        node_candidates.spines, "One more spine where fabric links are busy.", node_candidates.no_spines
    ),
    "accelerators": Generator(
        node_candidates.accelerators,
        "Faster accelerators at a site of the job, as many as power or racks allow.",
        node_candidates.no_accelerators,
    ),
    "balance": Generator(job_candidates.balance, "Micro batches in proportion to the pace of each site."),
    "local_sgd": Generator(job_candidates.local_sgd, "Sites exchange once in many steps."),
    "load_balancing": Generator(job_candidates.load_balancing, "Another mode of load balancing."),
    "cut": Generator(job_candidates.cut, "Other tensor, pipeline, context or expert ranks; stages across sites."),
    "lease": Generator(lease_candidates.lease, "A tenant for what the job leaves free of a site, at its lease price."),
    "leave": Generator(job_candidates.leave, "The job runs without one of its sites."),
    "recovery": Generator(job_candidates.recovery, "Recovery from the memory of other replicas."),
}
"""Every generator by the kind of its candidates."""


def generated(found: Situation) -> list[Candidate]:
    """Return the candidates of all generators, in the order of the table."""
    return [candidate for generator in GENERATORS.values() for candidate in generator.offer(found)]


def not_generated(found: Situation, kinds: Collection[str]) -> list[Omitted]:
    """Return the kinds of candidates that a network could need and has none of, with the reason.

    Args:
        found: the network.
        kinds: kinds of which there are candidates.
    """
    reasons = {kind: row.why_none(found) for kind, row in GENERATORS.items() if kind not in kinds}
    return [Omitted(f"all {kind}", kind, why) for kind, why in reasons.items() if why]
