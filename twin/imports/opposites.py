"""Joins the two directions of a link, where a source states each direction as an edge of its own."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Hashable, Iterator
from dataclasses import replace

from .cabling import Cable, Cabling
from .directions import Directed, of_directions
from .ledger import Ledger
from .options import MAX_CAPACITY_GBPS
from .quantities import both_ways

JOINED = ("links", "two directed edges → one link")
ONE_WAY = "a directed edge without its opposite; the link is made in both directions"
MEMBERS, MEMBERS_HINT = "different members", "state the same number of members in both directions"
ONCE, MOSTLY_ONCE = "the source states each link in one direction", "most edges of the source have no opposite"


class Opposites:
    """Collects directed edges; `links` joins each with its opposite one, and differing directions keep both values.

    An edge that names its opposite is joined with that one, then edges between the same two ports, then edges between
    the same two devices, in the order of the source. Where only devices tell, and most edges have no opposite, the
    source states each link once: two opposite edges are then two parallel links.
    """

    def __init__(self, cabling: Cabling, ledger: Ledger) -> None:
        self.cabling, self.ledger = cabling, ledger
        self._edges: list[tuple[Cable, str]] = []
        self._once = ""
        """Reason why each edge is a link of its own; empty = some edges have opposites."""

    def add(self, cable: Cable, opposite: str = "") -> None:
        """Add an edge from the first of its ends to the second.

        opposite: key of the edge of the other direction; empty = not stated.
        """
        self._edges.append((cable, opposite))

    def links(self) -> Iterator[tuple[Cable, tuple[str, ...]]]:
        """Yield each link, and the keys of the edges that it was made of, in the order of the first edge."""
        partner = self._partners()
        for i, (cable, _) in enumerate(self._edges):
            other = partner.get(i)
            if other is None:
                self._report_one_way(cable)
                yield cable, (cable.key,)
            elif other > i:
                back = self._edges[other][0]
                self.ledger.converted(*JOINED)
                yield self._joined(cable, back), (cable.key, back.key)

    def _report_one_way(self, cable: Cable) -> None:
        if self._once:
            what = "opposite direction of a link"
            self.ledger.assumed(what, "the same values", self._once, "", _text(self.cabling, cable))
        else:
            self.ledger.finding("one-sided edge", ONE_WAY, "add the other direction", _text(self.cabling, cable))

    def _partners(self) -> dict[int, int]:
        partner: dict[int, int] = {}
        by_key = {cable.key: i for i, (cable, _) in enumerate(self._edges)}
        for i, (cable, opposite) in enumerate(self._edges):
            j = by_key.get(opposite) if opposite else None
            if j is not None and j != i and i not in partner and j not in partner:
                other = self._edges[j][0]
                if [end.device for end in other.ends] == [end.device for end in cable.ends[::-1]]:
                    partner[i], partner[j] = j, i
        n_told = 0
        for has_ports in (True, False):
            n_told = len(partner)
            waiting: dict[Hashable, deque[int]] = defaultdict(deque)
            for i, (cable, _) in enumerate(self._edges):
                if i in partner or (has_ports and not all(end.port for end in cable.ends)):
                    continue
                ends = cable.ends if has_ports else tuple(end.device for end in cable.ends)
                opposite_ends = waiting.get(ends[::-1])
                if opposite_ends:
                    j = opposite_ends.popleft()
                    partner[i], partner[j] = j, i
                else:
                    waiting[ends].append(i)
        if n_told == 0 and 2 * len(partner) < len(self._edges):
            self._once = MOSTLY_ONCE if partner else ONCE
            return {}
        return partner

    def _joined(self, there: Cable, back: Cable) -> Cable:
        """Return one link of two edges; its ends and names are those of the first."""
        text = _text(self.cabling, there)
        found = replace(
            there,
            latency_us=_both(there.latency_us, back.latency_us, "latency", self.ledger, text),
            length_km=there.length_km if there.length_km is not None else back.length_km,
            spans=self._spans(there, back),
            srlgs=tuple(dict.fromkeys((*there.srlgs, *back.srlgs))),
            tags=tuple(dict.fromkeys((*there.tags, *back.tags))),
            n_failed=max(there.n_failed, back.n_failed),
            up=there.up and back.up,
        )
        found.weight = _both(there.weight, back.weight, "weight", self.ledger, text)
        found.capacity_gbps = _both(there.capacity_gbps, back.capacity_gbps, "rate", self.ledger, text)
        if there.n_parallel != back.n_parallel:
            self._settle_members(found, there, back)
        if found.length_km != (back.length_km if back.length_km is not None else found.length_km):
            problem = "the two directions state different lengths; that of the first is used"
            self.ledger.finding("different lengths", problem, "", text)
        return found

    def _settle_members(self, found: Cable, there: Cable, back: Cable) -> None:
        """Set members and rate of a link whose directions differ in members; a rate is that of one member.

        With both rates, the link is one member with the sum of the working ones in each direction. Otherwise the
        members are those of the direction whose rate is used.
        """
        rates = _own(there.capacity_gbps), _own(back.capacity_gbps)
        if rates[0] is None or rates[1] is None:
            sides = [side for side, rate in zip((there, back), rates, strict=True) if rate is not None]
            used = sides[0] if sides else max(there, back, key=lambda side: side.n_parallel)
            found.n_parallel, found.n_failed = used.n_parallel, used.n_failed
            if min(there.n_parallel, back.n_parallel) > 1 or (sides and used.n_parallel == 1):
                problem = "the two directions state different numbers of members; one number is used for both"
                self.ledger.finding(MEMBERS, problem, MEMBERS_HINT, _text(self.cabling, there))
            return
        working = [max(side.n_parallel - side.n_failed, 0) for side in (there, back)]
        if not all(working):
            found.up, working = False, [there.n_parallel, back.n_parallel]
        total_gbps = rates[0] * working[0], rates[1] * working[1]
        n = max(1, math.ceil(max(total_gbps) / MAX_CAPACITY_GBPS))
        found.capacity_gbps = both_ways(total_gbps[0] / n, total_gbps[1] / n)
        found.n_parallel, found.n_failed = n, 0
        problem = "the two directions state different numbers of members; one member has the whole rate of each"
        self.ledger.finding(MEMBERS, problem, MEMBERS_HINT, _text(self.cabling, there))

    def _spans(self, there: Cable, back: Cable) -> tuple[dict[str, object], ...]:
        """Return the spans of the first direction; of two measured losses the higher one counts."""
        if len(there.spans) != len(back.spans):
            return there.spans or back.spans
        found = []
        for span, other in zip(there.spans, reversed(back.spans), strict=True):
            losses = [loss for each in (span, other) if isinstance(loss := each.get("measured_loss_db"), float)]
            if len(set(losses)) == 2:
                problem = "the two directions have different losses; the higher one is used"
                self.ledger.finding("different losses", problem, "state measurements by direction",
                                    _text(self.cabling, there))  # fmt: skip
            found.append({**span, **({"measured_loss_db": max(losses)} if losses else {})})
        return tuple(found)


def _both(there: Directed, back: Directed, what: str, ledger: Ledger, place: str) -> Directed:
    """Return the values of two edges as one value, or one for each direction; of an unknown one the other's."""
    if isinstance(there, tuple) and back is None:
        return there
    if isinstance(back, tuple) and there is None:
        return back[::-1]
    return of_directions(_own(there), _own(back), what, ledger, place)


def _own(value: Directed) -> float | None:
    """Return the value of an edge in its own direction."""
    return value[0] if isinstance(value, tuple) else value


def _text(cabling: Cabling, cable: Cable) -> str:
    return " → ".join(cabling.devices[end.device].name + (f":{end.port}" if end.port else "") for end in cable.ends)
