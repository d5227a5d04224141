"""State of a page. All of it stands in the address, so that a reload or another reader sees the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from twin.errors import ChangeError

KEPT = ("job", "ageing", "plan", "changes", "heat", "growth_ratio_per_year")
"""Parts of the state that every view shares."""
FOLLOWED = "followed"
"""Name of the id of the run that a page follows, in the address of a part."""
MAX_CHANGES_CHARACTERS = 30_000
"""Longest list of changes in an address."""


@dataclass(frozen=True)
class PageState:
    """A network, the view of it, and the texts of its forms.

    Attributes:
        network: name of the network.
        view: name of the view.
        values: texts by name, as the address states them.
        repeated: parameters that take one text and have several.
    """

    network: str
    view: str
    values: Mapping[str, Sequence[str]]
    repeated: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """Return the first text of a name; empty if there is none."""
        return next((text for text in self.values.get(name, ()) if text), "")

    def texts(self, name: str) -> list[str]:
        """Return all texts of a name that are not empty."""
        return [text for text in self.values.get(name, ()) if text]

    @property
    def plan(self) -> str | None:
        """Return the id of the plan that the view shows; it has priority over own changes."""
        return self.text("plan") or None

    def changes(self) -> list[dict[str, Any]]:
        """Return the own changes.

        Raises:
            ChangeError: the address holds something else.
        """
        text = self.text("changes")
        if not text:
            return []
        hint = "remove `changes` from the address"
        if len(text) > MAX_CHANGES_CHARACTERS:
            problem = f"{len(text):,} characters of changes"
            raise ChangeError(problem, where="changes", expected=f"at most {MAX_CHANGES_CHARACTERS:,}", hint=hint)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ChangeError("the changes in the address are no JSON", where="changes", hint=hint) from error
        if not (isinstance(found, list) and all(isinstance(change, dict) for change in found)):
            raise ChangeError("the changes in the address are no list of changes", where="changes", hint=hint)
        return found

    @property
    def has_own_changes(self) -> bool:
        """Return whether the view shows the network after own changes."""
        return bool(self.text("changes")) and not self.plan

    @property
    def is_changed(self) -> bool:
        """Return whether the view shows the network after a plan or changes."""
        return bool(self.plan) or self.has_own_changes

    def case(self) -> dict[str, Any]:
        """Return the fields of a request: network, job, ageing, and plan or changes. Raises ChangeError."""
        body: dict[str, Any] = {"network": self.network}
        if self.text("job"):
            body["job"] = self.text("job")
        if self.text("ageing"):
            body["ageing"] = self.text("ageing")
        if self.plan:
            body["plan"] = self.plan
        elif self.has_own_changes:
            body["changes"] = self.changes()
        return body

    def address(self, view: str | None = None, **values: str | Sequence[str] | None) -> str:
        """Return the address of a view with the shared part of this state.

        Args:
            view: name of the view; None = this one.
            values: texts that differ or are added; None or empty removes one.
        """
        shown = {name: self.texts(name) for name in KEPT}
        shown |= {name: [text] if isinstance(text, str) else list(text or ()) for name, text in values.items()}
        pairs = [
            ("view", view or self.view),
            *((name, text) for name, texts in shown.items() for text in texts if text),
        ]
        return f"{network_address(self.network)}?{urlencode(pairs)}"

    def part_address(self, part: str, run_id: str = "") -> str:
        """Return the address of a part of this view, with all of the state.

        Args:
            part: name of the part.
            run_id: id of the run that the page follows.
        """
        followed = f"&{urlencode([(FOLLOWED, run_id)])}" if run_id else ""
        return f"{network_address(self.network)}/parts/{part}?{self.query()}{followed}"

    def query(self) -> str:
        """Return all of the state as the query of an address, but which run is followed."""
        left_out = ("view", FOLLOWED)
        pairs = [(name, text) for name, texts in self.values.items() for text in texts if text and name not in left_out]
        return urlencode([("view", self.view), *pairs])


def state_of(network: str, pairs: Iterable[tuple[str, str]]) -> PageState:
    """Return the state that the query of an address holds.

    Args:
        network: name of the network.
        pairs: name and text of each parameter.
    """
    values: dict[str, list[str]] = {}
    for key, text in pairs:
        values.setdefault(key, []).append(text)
    repeated = tuple(name for name in ("view", *KEPT) if len(set(filter(None, values.get(name, ())))) > 1)
    view = next(filter(None, values.pop("view", [])), "overview")
    if any(values.get(key, [""])[0] for key in ("plan", "changes")):
        values["case"] = ["1"]
    return PageState(network, view, values, repeated)


def network_address(name: str) -> str:
    """Return the address of the page of a network."""
    return f"/networks/{quote(name, safe='')}"


def changes_text(changes: Sequence[Mapping[str, Any]]) -> str:
    """Return changes as they stand in an address; empty for none."""
    return json.dumps(changes, ensure_ascii=False, separators=(",", ":")) if changes else ""
