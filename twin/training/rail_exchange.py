"""Exchange between accelerators of different rails: over the fabric, or over NVLink to a card of the other rail (PXN).

Accelerator i of a rack uses rail i mod K, see `traffic/network_cards.py`. Tensor ranks of equal number exchange keys
and values, and activations between stages. Where they lie on equal rails, this stays on its rail. Ranks that share
experts exchange with all others. Rings of gradients change rails inside NVLink domains, so they stay on their rails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Bools, Floats, Ints, State
from ..errors import TopologyError
from ..model.jobs import TrainingJob
from ..traffic.network_cards import CardPorts
from .card_relays import CardRelays, crosses_rails
from .job_flows import Flows, JobFlows, job_flows, summed_flows
from .placement import JobPlacement

MAX_PAIRS = 20_000_000
"""Pairs of ranks that share experts, where their rails are told apart; each is a row while flows are computed."""


@dataclass(frozen=True, eq=False)
class RailExchange:
    """Flows of a job between pairs of a rack and a rail, coded rack * n_rails + rail."""

    flows: JobFlows
    n_rails: int
    pxn: bool
    """Whether exchange between rails goes over NVLink."""
    crosses: tuple[bool, ...]
    """Whether a group exchanges between rails, by group."""


def rail_exchange(
    state: State, job: TrainingJob, placed: JobPlacement, ports: CardPorts, *, pxn: bool
) -> RailExchange | None:
    """Tell the flows of a job apart by rail; None where no exchange inside a site goes between rails.

    Args:
        state: columns of the network.
        job: the job.
        placed: the job on its racks.
        ports: ports of all nodes.
        pxn: whether exchange between rails goes over NVLink.

    Raises:
        TopologyError: more than MAX_PAIRS pairs of ranks.
    """
    rails, n_rails = _rails_of_ranks(state, placed, ports)
    parallelism = job.parallelism
    if n_rails < 2 or (parallelism.ep == 1 and _follow_tensor_ranks(placed, rails, parallelism.tp)):
        return None
    n_pairs = parallelism.ep * sum(len(group.rack) for group in placed.groups)
    if parallelism.ep > 1 and n_pairs > MAX_PAIRS:
        problem = f"{n_pairs:,} pairs of ranks share experts over {n_rails} rails"
        raise TopologyError(problem, where="parallelism.ep", expected=f"at most {MAX_PAIRS:,}", hint="a smaller ep")
    groups = (
        replace(group, rack=group.rack * n_rails + rail) for group, rail in zip(placed.groups, rails, strict=True)
    )
    flows = job_flows(replace(placed, groups=tuple(groups)), job, state.n_nodes * n_rails)
    kinds = (flows.pipeline, flows.context, flows.expert)
    crosses = tuple(
        any(crosses_rails(kind[min(i, len(kind) - 1)], n_rails).any() for kind in kinds if kind)
        for i in range(len(placed.groups))
    )
    return RailExchange(flows, n_rails, pxn, crosses) if any(crosses) else None


def with_relays(placed: JobPlacement, exchange: RailExchange) -> JobPlacement:
    """Return the placement with the groups whose exchange takes a hop over NVLink to a card of another rail.

    The bytes of that hop are part of the exchange of experts in any case: each token goes on inside its domain.
    """
    groups = zip(placed.groups, exchange.crosses, strict=True)
    return replace(placed, groups=tuple(replace(group, crosses_rails=crosses) for group, crosses in groups))


def over_the_fabric(
    exchange: RailExchange, flows: JobFlows, state: State, ports: CardPorts, lit: Bools, relays: CardRelays | None
) -> JobFlows:
    """Return the flows of a job with exchange between rails from leaf to leaf, where the fabric joins the rails.

    Args:
        exchange: flows by rack and rail.
        flows: flows by rack.
        state: columns of the network.
        ports: ports of all nodes.
        lit: links that carry traffic; bool[n_links].
        relays: who carries for lost cards; None where no card is lost or none carries.
    """
    rails = np.unique(ports.rail)
    leaves = _Leaves.of(state, ports, lit, exchange.n_rails)

    def routed(by_rail: tuple[Flows, ...]) -> tuple[Flows, ...]:
        carried = (flow if relays is None else relays.relayed(flow, rails) for flow in by_rail)
        return tuple(leaves.flows(flow, exchange.n_rails) for flow in carried)

    return replace(
        flows,
        pipeline=routed(exchange.flows.pipeline),
        context=routed(exchange.flows.context),
        expert=routed(exchange.flows.expert),
        crosses_rails=True,
    )


def _rails_of_ranks(state: State, placed: JobPlacement, ports: CardPorts) -> tuple[list[Ints], int]:
    """(code of the rail of each rank by group, number of rails)."""
    if not len(ports.node):
        return [], 0
    numbers, code = np.unique(ports.rail, return_inverse=True)
    starts = np.append(True, (ports.node[1:] != ports.node[:-1]) | (ports.rail[1:] != ports.rail[:-1]))
    node, code = ports.node[starts], code[starts]
    n_rails = np.bincount(node, minlength=state.n_nodes)
    first = np.cumsum(n_rails) - n_rails
    used = np.maximum(1, np.minimum(n_rails, state["n_cards_in_use"]))
    rows = (first[group.rack] + group.slot % used[group.rack] for group in placed.groups)
    return [code[np.minimum(row, len(code) - 1)] for row in rows], len(numbers)


def _follow_tensor_ranks(placed: JobPlacement, rails: list[Ints], tp: int) -> bool:
    """Whether all tensor ranks of equal number lie on equal rails, at each site."""
    for site in placed.sites:
        rows = [rail.reshape(-1, tp) for group, rail in zip(placed.groups, rails, strict=True) if group.site == site]
        if any((row != rows[0][0]).any() for row in rows):
            return False
    return True


@dataclass(frozen=True, eq=False)
class _Leaves:
    """Leaves of each pair of a rack and a rail, and the share of its traffic on each."""

    first: Ints
    n: Ints
    leaf: Ints
    share: Floats
    n_nodes: int

    @classmethod
    def of(cls, state: State, ports: CardPorts, lit: Bools, n_rails: int) -> _Leaves:
        code = np.unique(ports.rail, return_inverse=True)[1]
        key = ports.node * n_rails + code
        n = np.bincount(key, minlength=state.n_nodes * n_rails)
        up = np.where(lit[ports.link], state["n_members_up"][ports.link], 0)
        n_up = np.bincount(key, weights=up, minlength=len(n))[key]
        # behind dead ports alone the traffic keeps its leaves, and so has no path
        share = np.where(n_up > 0, up / np.maximum(n_up, 1.0), 1.0 / n[key])
        return cls(np.cumsum(n) - n, n, ports.switch, share, state.n_nodes)

    def flows(self, flow: Flows, n_rails: int) -> Flows:
        """Flows between racks on equal rails, and from rack to leaf to leaf to rack on different ones."""
        crosses = crosses_rails(flow, n_rails)
        source, target = flow.source[crosses], flow.target[crosses]
        out_row, out_leaf, out_share = self._expanded(source)
        in_row, in_leaf, in_share = self._expanded(target)
        # all pairs of a leaf of the source and a leaf of the target
        n_in = self.n[target][out_row]
        pair = np.repeat(np.arange(len(out_row)), n_in)
        place = np.arange(len(pair)) - np.repeat(np.cumsum(n_in) - n_in, n_in)
        at = self.first[target][out_row[pair]] + place
        sources = flow.source[~crosses] // n_rails, source[out_row] // n_rails, out_leaf[pair], in_leaf
        targets = flow.target[~crosses] // n_rails, out_leaf, self.leaf[at], target[in_row] // n_rails
        pair_share = out_share[pair] * self.share[at]

        def on_hops(column: Floats) -> Floats:
            """Divide a column of the flows over the hops."""
            crossing = column[crosses]
            parts = crossing[out_row] * out_share, crossing[out_row[pair]] * pair_share, crossing[in_row] * in_share
            return np.concatenate((column[~crosses], *parts))

        ends = np.concatenate(sources), np.concatenate(targets)
        summed = summed_flows(Flows(*ends, on_hops(flow.amount), on_hops(flow.n_pairs)), self.n_nodes)
        used = summed.amount > 0
        return Flows(summed.source[used], summed.target[used], summed.amount[used], summed.n_pairs[used])

    def _expanded(self, key: Ints) -> tuple[Ints, Ints, Floats]:
        """(row of `key`, leaf, share) of each leaf."""
        n = self.n[key]
        row = np.repeat(np.arange(len(key)), n)
        at = self.first[key][row] + np.arange(len(row)) - np.repeat(np.cumsum(n) - n, n)
        return row, self.leaf[at], self.share[at]
