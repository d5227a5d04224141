"""Plan of the changes between two imports: steps by record, and the greatest part of them that the network accepts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import TwinError
from ..model.document import TopologyDocument
from ..model.records import Site, asdict_compact

Plain = dict[str, Any]
TryPlan = Callable[[list[Plain]], object]
"""Function that applies changes to the old network; it raises TwinError where they are refused."""
MAX_TRIES = 300
"""Plans that are tried to find the changes that a network refuses."""
NOT_TRIED = "left out: too many other changes are refused"


@dataclass(slots=True)
class Step:
    """Changes for one record; they are in the plan together, or not at all."""

    record: int
    """Position of the record among the differences."""
    removed_links: tuple[str, ...] = ()
    removed_nodes: tuple[str, ...] = ()
    rebuilt: str = ""
    """Node that is removed and added again; its other links are added again too."""
    nodes: tuple[Plain, ...] = ()
    links: tuple[Plain, ...] = ()
    factors: dict[str, float] = field(default_factory=dict)
    """Factors of demands by id."""
    failed_nodes: tuple[str, ...] = ()
    failed_links: tuple[str, ...] = ()
    otherwise: Step | None = None
    """Step in its place where the network refuses this one."""


class Plan:
    """Makes changes of steps."""

    def __init__(self, old: TopologyDocument, new_sites: Iterable[Site]) -> None:
        """Start a plan.

        Args:
            old: document that the changes are for.
            new_sites: sites that the first node there adds.
        """
        self._old = old
        self._new_sites = {site.id: asdict_compact(site) for site in new_sites}

    def changes(self, steps: Sequence[Step]) -> list[Plain]:
        """Return the changes of steps as plain data, in the order in which they apply."""
        removed_nodes = [name for step in steps for name in step.removed_nodes]
        gone = frozenset(removed_nodes)
        removed_links = frozenset(name for step in steps for name in step.removed_links)
        rebuilt = frozenset(step.rebuilt for step in steps if step.rebuilt)
        ends_of = {link.id: link.ends for link in self._old.links}
        # links of a removed node go with it
        explicit = [name for s in steps for name in s.removed_links if gone.isdisjoint(ends_of.get(name, ()))]
        again = [
            asdict_compact(link)
            for link in self._old.links
            if link.id not in removed_links
            and rebuilt.intersection(link.ends)
            and not (gone - rebuilt).intersection(link.ends)
        ]
        found: list[Plain] = []
        if explicit:
            found.append({"kind": "remove_links", "links": explicit})
        if removed_nodes:
            found.append({"kind": "remove_nodes", "nodes": removed_nodes})
        found += self._added_nodes(steps)
        found += ({"kind": "add_link", "link": link} for link in (*again, *(x for step in steps for x in step.links)))
        scaled: dict[float, list[str]] = defaultdict(list)
        for step in steps:
            for name, factor in step.factors.items():
                scaled[factor].append(name)
        found += ({"kind": "scale_demands", "factor_ratio": f, "ids": ids} for f, ids in scaled.items())
        for kind, field_name, names in (
            ("fail_nodes", "nodes", [name for step in steps for name in step.failed_nodes]),
            ("fail_links", "links", [name for step in steps for name in step.failed_links]),
        ):
            if names:
                found.append({"kind": kind, field_name: names})
        return found

    def _added_nodes(self, steps: Sequence[Step]) -> list[Plain]:
        """Return the changes that add nodes; the first one at a new site adds the site too."""
        waiting = dict(self._new_sites)
        found = []
        for node in (node for step in steps for node in step.nodes):
            site = waiting.pop(node.get("site", ""), None)
            found.append({"kind": "add_node", "node": node} | ({} if site is None else {"new_site": site}))
        return found

    def accepted(self, steps: Sequence[Step], try_plan: TryPlan) -> tuple[list[Step], dict[int, str]]:
        """Find the steps that the network accepts together, and why it refuses the others.

        Args:
            steps: all steps, nodes before the links that end at them.
            try_plan: see `TryPlan`.

        Returns:
            The accepted steps, and reasons by position of the record.

        Raises:
            TwinError: what the network refuses without any change.
        """
        search = _Search(self, try_plan)
        search.add(list(steps))
        return search.kept, search.reasons


class _Search:
    """Halves the steps until the refused ones stand alone."""

    def __init__(self, plan: Plan, try_plan: TryPlan) -> None:
        self._plan, self._try_plan = plan, try_plan
        self._n_tries = 0
        self.kept: list[Step] = []
        self.reasons: dict[int, str] = {}

    def add(self, steps: list[Step]) -> None:
        """Keep the steps of a list that are accepted beside those that are kept already."""
        if not steps:
            return
        if self._n_tries >= MAX_TRIES:
            self.reasons |= {step.record: NOT_TRIED for step in steps}
            return
        refusal = self._refusal(steps)
        if refusal is None:
            self.kept += steps
        elif len(steps) > 1:
            self.add(steps[: len(steps) // 2])
            self.add(steps[len(steps) // 2 :])
        else:
            other = steps[0].otherwise
            if other is not None and self._refusal([other]) is None:
                self.kept.append(other)
            else:
                self.reasons[steps[0].record] = f"refused: {refusal}"[:300]

    def _refusal(self, steps: list[Step]) -> str | None:
        self._n_tries += 1
        try:
            self._try_plan(self._plan.changes([*self.kept, *steps]))
        except TwinError as error:
            if self._n_tries == 1:
                self._try_plan([])  # a network that answers nothing refuses every plan
            issues = error.issues
            return issues[0].problem if error.has_issues and issues else error.problem
        return None
