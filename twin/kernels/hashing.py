"""Hashing of flows onto equal links: the fullest of k bins, and paths under one hash for all switches."""

from math import exp, lgamma, log

import numpy as np
import numpy.typing as npt

from twin.kernels.jit import kernel


@kernel
def chance_none_fuller(n_flows: int, n_links: int, at_most: int) -> float:
    """Compute the chance that none of `n_links` links gets more than `at_most` of `n_flows` flows.

    Every flow takes one of the links with equal chance. The result is exact; the time grows with the square of
    `n_flows`.

    Args:
        n_flows: flows, >= 1.
        n_links: links, >= 1.
        at_most: flows on the fullest link, >= 0.

    Source:
        n! / k^n times the coefficient of z^n in (1 + z + ... + z^x / x!)^k, with the terms of a Poisson distribution
        of mean n / k instead of 1 / j!, so that powers stay in the range of a float.
    """
    if at_most >= n_flows:
        return 1.0
    if at_most * n_links < n_flows:
        return 0.0
    mean = n_flows / n_links
    factor = np.zeros(n_flows + 1)
    for j in range(at_most + 1):
        factor[j] = exp(j * log(mean) - mean - lgamma(j + 1.0))
    power = np.zeros(n_flows + 1)
    power[0] = 1.0
    product = np.empty(n_flows + 1)
    n_left = n_links
    while n_left > 0:
        if n_left & 1:
            for total in range(n_flows + 1):
                product[total] = 0.0
                for j in range(total + 1):
                    product[total] += power[total - j] * factor[j]
            power[:] = product
        n_left >>= 1
        if n_left > 0:
            for total in range(n_flows + 1):
                product[total] = 0.0
                for j in range(total + 1):
                    product[total] += factor[total - j] * factor[j]
            factor[:] = product
    all_flows = exp(n_flows * log(n_flows) - n_flows - lgamma(n_flows + 1.0))
    return float(min(1.0, power[n_flows] / all_flows))


@kernel
def polarised_fractions(
    route_first: npt.NDArray[np.int64],
    route_link: npt.NDArray[np.int64],
    even_fraction: npt.NDArray[np.float64],
    link_tail: npt.NDArray[np.int64],
    link_head: npt.NDArray[np.int64],
    max_modulus: int,
    newest: npt.NDArray[np.int64],
    older: npt.NDArray[np.int64],
    state_residue: npt.NDArray[np.int64],
    state_modulus: npt.NDArray[np.int64],
    state_chance: npt.NDArray[np.float64],
    out_fraction: npt.NDArray[np.float64],
) -> int:
    """Compute the fraction of each route on its links if all switches use one hash h per flow: link h mod n of n.

    A state is a set of hashes that reach a node by one path: those with h mod modulus = residue. A switch with n next
    links splits it into n / gcd(modulus, n) states. All hashes come to a node that no link of the route leads to.

    Args:
        route_first: int64[n_routes + 1]; links route_first[r]:route_first[r + 1] belong to route r.
        route_link: int64[any], links of each route in topological order; all links that leave a node together, in the
            order of their numbers 0, 1, ... n - 1.
        even_fraction: float64[any], part of the route's flows on each link if all switches split evenly.
        link_tail: int64[n_links], node that a link leaves.
        link_head: int64[n_links], node that it leads to.
        max_modulus: a state with a larger modulus splits no further: later switches split it evenly.
        newest: int64[n_nodes], scratch, all -1 on entry and on return.
        older: int64[n_states], scratch.
        state_residue: int64[n_states], scratch.
        state_modulus: int64[n_states], scratch.
        state_chance: float64[n_states], scratch.
        out_fraction: float64[any] by entry of `route_link`, overwritten.

    Returns:
        0, or 1 + the first route that needs more states than the scratch has.
    """
    for route in range(route_first.size - 1):
        start, end = route_first[route], route_first[route + 1]
        for entry in range(start, end):
            out_fraction[entry] = 0.0
        n_states = 0
        failed = False
        block = start
        while block < end and not failed:
            node = link_tail[route_link[block]]
            n_next = 1
            while block + n_next < end and link_tail[route_link[block + n_next]] == node:
                n_next += 1
            if newest[node] == -1 and n_states < older.size:
                state_residue[n_states], state_modulus[n_states] = 0, 1
                state_chance[n_states], older[n_states] = even_fraction[block : block + n_next].sum(), -1
                newest[node] = n_states
                n_states += 1
            failed = newest[node] == -1
            for entry in range(block, block + n_next):
                head = link_head[route_link[entry]]
                if newest[head] == -1:
                    newest[head] = -2  # a link leads there, and no hash yet
            state = newest[node]
            while state >= 0 and not failed:
                residue, modulus = state_residue[state], state_modulus[state]
                common, rest = n_next, modulus
                while rest > 0:
                    common, rest = rest, common % rest
                n_parts = n_next // common
                tracked = modulus <= max_modulus // n_parts
                n_ways = n_parts if tracked else n_next
                for way in range(n_ways):
                    hashed = residue + modulus * way if tracked else way
                    entry = block + hashed % n_next
                    chance = state_chance[state] / n_ways
                    out_fraction[entry] += chance
                    if n_states >= older.size:
                        failed = True
                        break
                    head = link_head[route_link[entry]]
                    state_residue[n_states] = hashed if tracked else residue
                    state_modulus[n_states] = modulus * n_parts if tracked else modulus
                    state_chance[n_states] = chance
                    older[n_states] = newest[head]
                    newest[head] = n_states
                    n_states += 1
                state = older[state]
            block += n_next
        for entry in range(start, end):
            newest[link_tail[route_link[entry]]] = -1
            newest[link_head[route_link[entry]]] = -1
        if failed:
            return route + 1
    return 0


@kernel
def present_fractions(
    trace_first: npt.NDArray[np.int64],
    trace_arc: npt.NDArray[np.int64],
    trace_fraction: npt.NDArray[np.float64],
    head: npt.NDArray[np.int64],
    has_cards: npt.NDArray[np.bool_],
    from_source: npt.NDArray[np.int64],
    from_target: npt.NDArray[np.int64],
    out_fraction: npt.NDArray[np.float64],
    out_at_node: npt.NDArray[np.float64],
) -> None:
    """Compute the part of each route's flows that can cross each of its arcs, by the port of their cards.

    The first and last arcs of a route at a node with cards are their ports: a flow has one of each from the start. The
    part is the smaller of two: the ports of the source from which the arc is reached, and those of the target that it
    leads to.

    Args:
        trace_first: int64[n_routes + 1]; arcs trace_first[r]:trace_first[r + 1] belong to route r.
        trace_arc: int64[any], arcs of each route in topological order; those of a node together.
        trace_fraction: float64[any], part of the route's flows on each arc.
        head: int64[2 * n_links], node at the end of each arc.
        has_cards: bool[n_nodes], nodes whose links are ports of network cards.
        from_source: int64[n_nodes], scratch, zero on entry and on return. Bits of the first arcs.
        from_target: int64[n_nodes], scratch, zero on entry and on return. Bits of the last arcs.
        out_fraction: float64[any] by entry of `trace_arc`, overwritten; 1 for a route with more than 62 first or last
            arcs.
        out_at_node: float64[any] by entry, overwritten: the part that can cross the node before the arc.
    """
    left_at = np.zeros(from_source.size)  # by node: part of the last arcs that it leads to
    for route in range(trace_first.size - 1):
        start, end = trace_first[route], trace_first[route + 1]
        if end == start:
            continue
        source, target = head[trace_arc[start] ^ 1], head[trace_arc[end - 1]]
        n_first, n_last = 0, 0
        for k in range(start, end):
            arc = trace_arc[k]
            tail = head[arc ^ 1]
            if tail == source:
                from_source[head[arc]] |= 1 << min(n_first, 62)
                n_first += 1
            else:
                from_source[head[arc]] |= from_source[tail]
            n_last += head[arc] == target
        last_fraction = np.empty(n_last)
        bit = 0
        for k in range(end - 1, start - 1, -1):
            arc = trace_arc[k]
            if head[arc] == target:
                from_target[head[arc ^ 1]] |= 1 << min(bit, 62)
                last_fraction[bit] = trace_fraction[k]
                bit += 1
            else:
                from_target[head[arc ^ 1]] |= from_target[head[arc]]
        tail_before, reached, left_at_node = -1, 0.0, 0.0
        for k in range(end - 1, start - 1, -1):  # nodes nearer to the target first
            arc = trace_arc[k]
            tail = head[arc ^ 1]
            out_fraction[k], out_at_node[k] = 1.0, 1.0
            if n_first > 62 or n_last > 62:
                continue
            if tail != tail_before:  # the arcs of a node stand together
                tail_before, reached, left_at_node = tail, 0.0, 0.0
                for j in range(n_first):
                    if (from_source[tail] >> j) & 1:
                        reached += trace_fraction[start + j]
                for j in range(n_last):
                    if (from_target[tail] >> j) & 1:
                        left_at_node += last_fraction[j]
                left_at[tail] = left_at_node
            if (tail == source and has_cards[source]) or (head[arc] == target and has_cards[target]):
                continue
            if has_cards[source]:
                out_fraction[k] = min(out_fraction[k], reached)
                out_at_node[k] = min(out_at_node[k], reached)
            if has_cards[target]:
                left = trace_fraction[k] if head[arc] == target else left_at[head[arc]]
                out_fraction[k] = min(out_fraction[k], left)
                out_at_node[k] = min(out_at_node[k], left_at_node)
        for k in range(start, end):
            arc = trace_arc[k]
            from_source[head[arc]] = 0
            from_target[head[arc ^ 1]], left_at[head[arc ^ 1]] = 0, 0.0
