"""What lost network cards cost a placed job: accelerators without a card, replicas left, and the rate of the others.

A job in a single rack needs no card. Otherwise a lost card strands its accelerators, and with them the replicas (with
shared experts the blocks of replicas) that these belong to. With PXN the cards that are left in the NVLink domain carry
the traffic of a lost one. It takes a hop over NVLink before the card.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from ..arrays import NO_CODE, Bools, Ints, State
from ..arrays.node_ports import CARD_KINDS, card_gbps, is_of_kinds
from ..arrays.sums import sums_by
from ..catalogue.figure_reader import FigureReader
from ..errors.wording import counted
from ..model.jobs import TrainingJob
from ..traffic.network_cards import CardPorts, CardStates, card_states
from ..traffic.rail_split import RailSplit, carried_cards
from ..workload.job_arithmetic import layout_of
from .card_relays import CardRelays
from .card_split import DomainCards, card_relays, rail_split
from .placed_groups import PlacedGroup
from .placement import JobPlacement

MAX_NAMED = 3
"""Causes that a text names."""


@dataclass(frozen=True, eq=False)
class CardLoss:
    """Lost cards of a job, and what is left of the job; tuples are by group of the placement with all cards."""

    n_cards_lost: int
    n_accelerators_idled: int
    """Accelerators of the replicas that cannot go on."""
    n_replicas: int
    """Replicas that can go on."""
    idled: tuple[Bools, ...] = ()
    """Blocks of replicas that cannot go on, by group; empty where no card is lost."""
    card_ratio: tuple[float, ...] = ()
    """Rate that an accelerator has on its cards over that of a card of its own, in the worst NVLink domain."""
    relayed_ratio: tuple[float, ...] = ()
    """Share of the traffic of an accelerator that goes over NVLink to the card of another one, in the worst case."""
    rail_split: RailSplit | None = None
    """How the traffic of the job splits over its rails; None where all of its ports are whole."""
    relays: CardRelays | None = None
    """Who carries the exchange of lost cards between rails; None where none does."""
    cause: str = ""
    """Dead switches and links; empty where no card is lost."""
    why_stopped: str = ""
    """Why the job does not go on; empty if it does."""


def card_loss(
    state: State, job: TrainingJob, placed: JobPlacement, ports: CardPorts, parts: Ints, lit: Bools
) -> CardLoss:
    """Find the lost cards of a job, and what they leave of it.

    Args:
        state: columns of the network.
        job: the job.
        placed: its placement with all cards.
        ports: ports of all nodes.
        parts: part of each node, see `fabric_parts`.
        lit: links that carry traffic; bool[n_links].
    """
    used = np.zeros(state.n_nodes, dtype=bool)
    for group in placed.groups:
        used[group.rack] = True
    states = card_states(state, ports, parts, lit, used) if used.sum() > 1 else None
    if states is None:
        return CardLoss(0, 0, placed.n_replicas)
    shares = job.on_card_loss == "pxn" and job.pxn_spread == "all"
    tables = [_domain_cards(states, group, shares=shares) for group in placed.groups]
    lost = np.zeros(len(states.alive), dtype=bool)
    for table in tables:
        lost[table.card[~table.alive]] = True
    n_domains = np.bincount(np.concatenate([table.card for table in tables]), minlength=len(lost))
    relays = job.on_card_loss == "pxn"
    idled = _idled_blocks(states, job, placed, tables, job.on_card_loss)
    n_idled = sum(
        int(blocks.sum()) * (len(group.rack) // len(blocks)) for blocks, group in zip(idled, placed.groups, strict=True)
    )
    n_left = _n_left(job, placed, idled)
    has_lost = bool(lost.any())
    spread = job.pxn_spread if relays else "none"
    cause = _cause(state, states, lost) if has_lost else ""
    why_stopped = ""
    if not _goes_on(job.on_card_loss, n_left, placed):
        what = f"{counted(int(lost.sum()), 'network card')} lost, {counted(n_idled, 'accelerator')} in "
        what += f"{counted(placed.n_replicas - n_left, 'replica')} idle"
        why_stopped = _why_stopped(job, f"{cause}: {what}", _other_ways(states, job, placed, tables))
    return CardLoss(
        n_cards_lost=int(lost.sum()),
        n_accelerators_idled=n_idled,
        n_replicas=n_left,
        idled=idled,
        card_ratio=tuple(_card_ratio(state, job, n_domains, *item) for item in zip(tables, placed.groups, strict=True)),
        relayed_ratio=tuple(1.0 if relays and (table.rate_ratio < 1.0).any() else 0.0 for table in tables),
        rail_split=rail_split(state, states, tables, placed.groups, idled, spread=spread),
        relays=card_relays(states, tables, to_next=spread == "one") if relays else None,
        cause=cause,
        why_stopped=why_stopped,
    )


def placed_on_cards(placed: JobPlacement, loss: CardLoss, on_card_loss: str) -> JobPlacement:
    """Return the placement with the rates of its cards, and without replicas that it drops.

    The placement itself where all cards are whole. A job that stops keeps its placement.
    """
    if all(ratio == 1.0 for ratio in loss.card_ratio) and not any(loss.relayed_ratio) and not loss.n_accelerators_idled:
        return placed
    drops = on_card_loss == "drop_replicas" and loss.n_replicas > 0
    groups = []
    for i, group in enumerate(placed.groups):
        kept = ~loss.idled[i] if drops else np.ones(len(loss.idled[i]), dtype=bool)
        if not kept.any():
            continue
        ranks = np.repeat(kept, len(group.rack) // len(kept))
        groups.append(
            replace(
                group,
                n_replicas=group.n_replicas // len(kept) * int(kept.sum()),
                rack=group.rack[ranks],
                slot=group.slot[ranks],
                domain=group.domain[ranks],
                card_ratio=loss.card_ratio[i],
                relayed_ratio=loss.relayed_ratio[i],
            )
        )
    return replace(placed, groups=tuple(groups), n_replicas=loss.n_replicas if drops else placed.n_replicas)


def _domain_cards(states: CardStates, group: PlacedGroup, *, shares: bool) -> DomainCards:
    """Cards of the domains whose racks are listed, and what they carry if lost ones hand on to the next alive card.

    shares: whether a card with part of its ports hands on what they do not carry.
    """
    rows = np.flatnonzero(states.first_rail[group.rack] != NO_CODE)
    rack, slot, domain = group.rack[rows], group.slot[rows], group.domain[rows]
    card = states.card_of(rack, slot)
    order = np.lexsort((slot, domain))
    _, first = np.unique(domain[order] * (len(states.alive) + 1) + card[order], return_index=True)
    chosen = order[np.sort(first)]
    domain_of, card_of = domain[chosen], card[chosen]
    alive = states.alive[card_of]
    n_ranks = np.bincount(domain, minlength=int(group.domain.max(initial=0)) + 1)
    rate_ratio = states.open_ratio[card_of] if shares else alive.astype(np.float64)
    return DomainCards(domain_of, card_of, alive, carried_cards(domain_of, alive), rate_ratio, n_ranks)


def _idled_blocks(
    states: CardStates, job: TrainingJob, placed: JobPlacement, tables: list[DomainCards], on_card_loss: str
) -> tuple[Bools, ...]:
    """Blocks of replicas with an accelerator that has no card, by group; bool[n_blocks]."""
    n_block_replicas = layout_of(job, 1).n_block_replicas
    blocks: list[Bools] = []
    for group, table in zip(placed.groups, tables, strict=True):
        rows = np.flatnonzero(states.first_rail[group.rack] != NO_CODE)
        stranded = np.zeros(len(group.rack), dtype=bool)
        if on_card_loss == "pxn":
            n_alive = np.bincount(table.domain[table.alive], minlength=len(table.n_ranks))
            stranded[rows] = n_alive[group.domain[rows]] == 0
        else:
            stranded[rows] = ~states.alive[states.card_of(group.rack[rows], group.slot[rows])]
        blocks.append(np.asarray(stranded.reshape(group.n_replicas // n_block_replicas, -1).any(axis=1)))
    if job.across_sites == "pipeline":
        # each replica has stages in all groups
        blocks = [np.asarray(np.logical_or.reduce(blocks))] * len(blocks)
    return tuple(blocks)


def _n_left(job: TrainingJob, placed: JobPlacement, idled: tuple[Bools, ...]) -> int:
    """Replicas without an idle accelerator."""
    n_blocks = int(idled[0].sum()) if job.across_sites == "pipeline" else sum(int(blocks.sum()) for blocks in idled)
    return placed.n_replicas - n_blocks * layout_of(job, 1).n_block_replicas


def _card_ratio(state: State, job: TrainingJob, n_domains: Ints, table: DomainCards, group: PlacedGroup) -> float:
    """Rate that an accelerator has on its cards over that of a card of its own, in the worst domain of a group.

    n_domains: NVLink domains that share each card; int64[n_cards].
    """
    if not len(table.card):
        return 1.0
    rack_of_domain = np.zeros(len(table.n_ranks), dtype=np.int64)
    rack_of_domain[group.domain] = group.rack
    part = 1.0 / n_domains[table.card]
    n_cards = sums_by(table.domain, part, len(table.n_ranks))
    n_alive = sums_by(table.domain, part * table.rate_ratio, len(table.n_ranks))
    # ports that are fewer than the accelerators may each be as fast as several cards; stated cards are not
    stated = state["node_n_cards"][rack_of_domain] != NO_CODE
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(stated, n_cards / table.n_ranks, 1.0)
        if job.on_card_loss == "pxn":
            most = np.ones(len(ratio))
            np.maximum.at(most, table.domain, table.load)
            ratio = ratio * (n_alive / n_cards if job.pxn_spread == "all" else 1.0 / most)
    known = (n_cards > 0) & (n_alive > 0)
    return float(np.minimum(ratio[known], 1.0).min(initial=1.0))


def _cause(state: State, states: CardStates, lost: Bools) -> str:
    """Name the switches and links behind lost cards, those of the most cards first."""
    rail_lost = np.zeros(len(states.first_card) - 1, dtype=bool)
    rail_lost[states.rail_of(np.flatnonzero(lost))] = True
    n_parallel, n_up = state["link_n_parallel"], state["n_members_up"]
    n_ports: Counter[str] = Counter()
    ports = states.ports
    for row in np.flatnonzero(rail_lost[states.rail_of_row] & (states.n_alive < n_parallel[ports.link])).tolist():
        switch, link = ports.switch[row], ports.link[row]
        if not state["node_up"][switch]:
            text = f"{state.node_ids[switch]} is down"
        elif not state["link_up"][link] or not n_up[link]:
            text = f"link {state.link_ids[link]} is down"
        elif states.n_alive[row]:
            n_down = n_parallel[link] - n_up[link]
            text = members_down(n_down, n_parallel[link], state.link_ids[link])
        elif states.dark[row]:
            text = f"link {state.link_ids[link]} is dark"
        else:
            text = f"{state.node_ids[switch]} has no path to the other leaves of its rail"
        n_ports[text] += int(n_parallel[link] - states.n_alive[row])
    ordered = sorted(n_ports, key=lambda text: (-n_ports[text], text))
    more = len(ordered) - MAX_NAMED
    return ", ".join(ordered[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def members_down(n_down: int, n_parallel: int, link: str) -> str:
    """Return how many members of a link are down, in words."""
    return f"{n_down} of {n_parallel} members of link {link} {'is' if n_down == 1 else 'are'} down"


def _goes_on(on_card_loss: str, n_left: int, placed: JobPlacement) -> bool:
    return n_left == placed.n_replicas or (on_card_loss == "drop_replicas" and n_left > 0)


def _other_ways(states: CardStates, job: TrainingJob, placed: JobPlacement, tables: list[DomainCards]) -> list[str]:
    """Values of `on_card_loss` with which a job that stops would go on."""
    ways = [way for way in ("drop_replicas", "pxn") if way != job.on_card_loss]
    if job.split == "stated":
        # it does not do the batch once replicas are dropped
        ways = [way for way in ways if way != "drop_replicas"]
    left = ((way, _n_left(job, placed, _idled_blocks(states, job, placed, tables, way))) for way in ways)
    return [way for way, n_left in left if _goes_on(way, n_left, placed)]


def _why_stopped(job: TrainingJob, lost: str, other_ways: list[str]) -> str:
    """Return why a job with lost cards does not go on, and what else would."""
    ends = {
        "stop": "the job stops",
        "drop_replicas": "no replica has all its cards",
        "pxn": "PXN finds no card that is left in their NVLink domains",
    }
    hint = f"; {' or '.join(other_ways)} would go on" if other_ways else ""
    return f"{lost}; {ends[job.on_card_loss]} (on_card_loss: {job.on_card_loss}{hint})"


def with_named_cards(placed: JobPlacement, state: State, reader: FigureReader) -> JobPlacement:
    """Return the placement with the rate of the cards that racks name as their part, of each group the slowest."""
    named = (state["node_n_accelerators"] > 0) & is_of_kinds(state, reader, CARD_KINDS)
    if not named.any():
        return placed
    rate_gbps = card_gbps(state, reader)
    groups = tuple(
        replace(group, card_gbps=float(np.min(rate_gbps[group.rack]))) if named[group.rack].any() else group
        for group in placed.groups
    )
    return replace(placed, groups=groups)
