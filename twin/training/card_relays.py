"""Exchange between rails of hosts with lost cards: the traffic of a lost card leaves by other cards of its domain.

It takes NVLink to a card that is left, and that card sends it over the fabric to the rail of the other end. So the
exchange between rails stays on the fabric. Only a domain without another rail sends it on the rail of the other end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arrays import Bools, Floats, Ints
from ..arrays.sums import sum_of, sums_by
from .job_flows import Flows

CardsOfNode = tuple[Ints, Ints, Floats]
"""Rail number, NVLink domain and rate (1 for a whole card, 0 for a lost one) of each card of a node, in order of
domain and slot."""


def crosses_rails(flow: Flows, n_rails: int) -> Bools:
    """Tell the flows between racks that change rails; ends coded rack * n_rails + rail. bool[n_flows]."""
    rack = flow.source // n_rails != flow.target // n_rails
    return np.asarray(rack & (flow.source % n_rails != flow.target % n_rails))


@dataclass(frozen=True, eq=False)
class CardRelays:
    """Cards of the nodes of a job with a card that is not whole, by node, and who carries for it."""

    cards: dict[int, CardsOfNode]
    to_next: bool
    """Whether the next card that is left carries for a lost one, not all cards together."""

    def relayed(self, flow: Flows, rails: Ints) -> Flows:
        """Return flows between rails with lost cards replaced by the cards that carry for them.

        Args:
            flow: flows with ends coded rack * n_rails + rail; those on one rail stay as they are.
            rails: number of each rail, ascending.
        """
        row, source, share = self._carriers(flow, flow.source, flow.target, rails)
        flow = Flows(source, flow.target[row], flow.amount[row] * share, flow.n_pairs[row] * share)
        row, target, share = self._carriers(flow, flow.target, flow.source, rails)
        return Flows(flow.source[row], target, flow.amount[row] * share, flow.n_pairs[row] * share)

    def _carriers(self, flow: Flows, end: Ints, other: Ints, rails: Ints) -> tuple[Ints, Ints, Floats]:
        """(row of the flow, end, share) of each card rail that carries an end of a flow."""
        n_rails = len(rails)
        lossy = [
            node * n_rails + int(np.searchsorted(rails, number))
            for node, (number_of, _, rate_ratio) in self.cards.items()
            for number in np.unique(number_of[rate_ratio < 1.0]).tolist()
        ]
        moved = crosses_rails(flow, n_rails) & np.isin(end, lossy)
        keys, at = np.unique(end[moved] * n_rails + other[moved] % n_rails, return_inverse=True)
        known: dict[tuple[bytes, ...], tuple[Ints, Floats]] = {}
        parts = []
        for key in keys.tolist():
            node, rail, avoided = key // n_rails**2, rails[key // n_rails % n_rails], rails[key % n_rails]
            own = *(column.tobytes() for column in self.cards[node]), rail.tobytes(), avoided.tobytes()
            if own not in known:
                number, share = carriers(self.cards[node], int(rail), int(avoided), to_next=self.to_next)
                known[own] = np.searchsorted(rails, number), share
            parts.append((node * n_rails + known[own][0], known[own][1]))
        if not parts:
            return np.arange(len(end)), end, np.ones(len(end))
        n = np.array([len(share) for _, share in parts])
        ends, shares = (np.concatenate(column) for column in zip(*parts, strict=True))
        at = at.reshape(-1)
        row = np.repeat(np.arange(len(at)), n[at])
        place = np.arange(len(row)) - np.repeat(np.cumsum(n[at]) - n[at], n[at])
        chosen = (np.cumsum(n) - n)[at[row]] + place
        kept = np.flatnonzero(~moved)
        rows = np.concatenate((kept, np.flatnonzero(moved)[row]))
        return rows, np.concatenate((end[kept], ends[chosen])), np.concatenate((np.ones(len(kept)), shares[chosen]))


def carriers(cards: CardsOfNode, rail: int, avoided: int, *, to_next: bool) -> tuple[Ints, Floats]:
    """Rails that carry the traffic of the cards of a rail with another one, and their shares; the shares sum to 1.

    Args:
        cards: cards of the node.
        rail: the rail.
        avoided: the rail of the other end: its cards carry only where a domain has no others.
        to_next: whether the next card that is left carries for a lost one, round the domain; else all by their rates.
    """
    number, domain, rate_ratio = cards
    part = np.zeros(len(number))
    own = np.flatnonzero(number == rail)
    for card in own.tolist():
        of_domain = domain == domain[card]
        total = sum_of(rate_ratio[of_domain])
        # all cards of a domain take as long; a domain without any stops the job
        kept = min(1.0, rate_ratio[card] * of_domain.sum() / total) if total > 0 else 1.0
        left = np.flatnonzero(of_domain & (rate_ratio > 0) & (np.arange(len(number)) != card))
        elsewhere = left[number[left] != avoided]
        if not len(elsewhere) and rate_ratio[card] > 0:
            kept = 1.0
        part[card] += kept
        if kept == 1.0:
            continue
        left = elsewhere if len(elsewhere) else left
        if to_next:
            part[left[np.searchsorted(left, card) % len(left)]] += 1.0 - kept
        else:
            part[left] += (1.0 - kept) * rate_ratio[left] / sum_of(rate_ratio[left])
    rails, at = np.unique(number, return_inverse=True)
    share = sums_by(at.reshape(-1), part) / len(own)
    return rails[share > 0], share[share > 0]
