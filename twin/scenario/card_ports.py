"""Check of changed numbers of network cards: racks have a port for each card."""

from __future__ import annotations

import numpy as np

from ..arrays import NO_CODE, Ints, State
from ..errors import ChangeError
from ..model.card_rules import port_issues


def check_card_ports(state: State, rows: Ints, n_cards: int, where: str) -> None:
    """Raise ChangeError if nodes with accelerators have fewer ports than cards, as a document would be refused.

    Args:
        state: state before the change.
        rows: nodes that get the cards.
        n_cards: cards of each of them.
        where: place of the change, for the message.
    """
    ends, n_parallel, rails = state["link_ends"], state["link_n_parallel"], state["node_rail"]
    with_accelerators = rows[state["node_n_accelerators"][rows] > 0]
    n_ports: dict[int, dict[int | None, int]] = {row: {} for row in with_accelerators.tolist()}
    touched = np.flatnonzero(np.isin(ends, with_accelerators).any(axis=1))
    for link in touched.tolist():
        for row, other in (ends[link].tolist(), ends[link][::-1].tolist()):
            if row in n_ports:
                rail = None if rails[other] == NO_CODE else int(rails[other])
                n_ports[row][rail] = n_ports[row].get(rail, 0) + int(n_parallel[link])
    ids = state.arrays.node_ids
    issues = [issue for row, by_rail in n_ports.items() for issue in port_issues(ids[row], n_cards, by_rail)]
    if issues:
        raise ChangeError(f"{issues[0].where}: {issues[0].problem}", where=where, hint=issues[0].hint, found=issues)
