"""Arcs of routes that node pairs share: those between attachments, and the first and last arcs of each pair."""

import numpy as np
import numpy.typing as npt

from twin.kernels.jit import kernel
from twin.kernels.sums import add_exactly, exact_totals


@kernel
def split_traces(
    trace_first: npt.NDArray[np.int64],
    trace_arc: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    head: npt.NDArray[np.int64],
    is_endpoint: npt.NDArray[np.bool_],
    out_inner: npt.NDArray[np.int64],
    out_inner_first: npt.NDArray[np.int64],
    out_end: npt.NDArray[np.int64],
    out_end_first: npt.NDArray[np.int64],
) -> None:
    """Divide the arcs of each trace into those of its source, of its target, and between.

    An arc that is both first and last belongs to the rack or host, whose group has other members; never to the switch.

    Args:
        trace_first: int64[n_routes + 1]; arcs trace_first[r]:trace_first[r + 1] belong to trace r.
        trace_arc: int64[n].
        ends: int64[2, n_routes], source and target of each trace.
        head: int64[2 * n_links], node at the end of each arc.
        is_endpoint: bool[n_nodes], racks and hosts.
        out_inner: int64[n], rows of arcs between the ends, by route.
        out_inner_first: int64[n_routes + 1], overwritten, CSR of `out_inner`.
        out_end: int64[n], rows of the first arcs by route, then rows of the last arcs by route.
        out_end_first: int64[2 * n_routes + 1], overwritten, CSR of `out_end`.
    """
    n_routes, n_inner, n_end = trace_first.size - 1, 0, 0
    for side in range(2):
        for route in range(n_routes):
            out_end_first[side * n_routes + route] = n_end
            if side == 0:
                out_inner_first[route] = n_inner
            for k in range(trace_first[route], trace_first[route + 1]):
                after = head[trace_arc[k]]
                at_source, at_target = head[trace_arc[k] ^ 1] == ends[0, route], after == ends[1, route]
                if at_source and at_target and is_endpoint[after]:
                    at_source = False
                if (side == 0 and at_source) or (side == 1 and at_target and not at_source):
                    out_end[n_end] = k
                    n_end += 1
                elif side == 0 and not at_target:
                    out_inner[n_inner] = k
                    n_inner += 1
    out_inner_first[n_routes] = n_inner
    out_end_first[2 * n_routes] = n_end


@kernel
def arcs_at_ends(
    route_of_pair: npt.NDArray[np.int64],
    pair_ends: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    end_first: npt.NDArray[np.int64],
    trace_arc: npt.NDArray[np.int64],
    trace_fraction: npt.NDArray[np.float64],
    slot: npt.NDArray[np.int64],
    node_arc: npt.NDArray[np.int64],
    node_first: npt.NDArray[np.int64],
    out_first: npt.NDArray[np.int64],
    out_arc: npt.NDArray[np.int64],
    out_fraction: npt.NDArray[np.float64],
) -> None:
    """Find the first and last arcs of each pair: those at the places of the arcs of its route.

    Args:
        route_of_pair: int64[n_pairs].
        pair_ends: int64[2, n_pairs], source and target of each pair.
        end: int64[any], rows of the first and last arcs of traces, as `split_traces` finds them.
        end_first: int64[2 * n_routes + 1], CSR of `end`.
        trace_arc: int64[any], arcs of traces.
        trace_fraction: float64[any], part of the traffic on each.
        slot: int64[2 * n_links], position of each arc among the usable arcs of its tail.
        node_arc: int64[any], usable arcs by tail.
        node_first: int64[n_nodes + 1], CSR of `node_arc`.
        out_first: int64[2 * n_pairs + 1], overwritten: CSR by pair of first arcs, then of last arcs.
        out_arc: int64[any], overwritten.
        out_fraction: float64[any], overwritten.
    """
    n_pairs, n_routes, n = route_of_pair.size, (end_first.size - 1) // 2, 0
    for side in range(2):
        for pair in range(n_pairs):
            out_first[side * n_pairs + pair] = n
            of_route = side * n_routes + route_of_pair[pair]
            at_node = node_first[pair_ends[side, pair]]
            for k in range(end_first[of_route], end_first[of_route + 1]):
                out_arc[n] = node_arc[at_node + slot[trace_arc[end[k]] ^ side]] ^ side
                out_fraction[n] = trace_fraction[end[k]]
                n += 1
    out_first[2 * n_pairs] = n


@kernel
def spread_amounts(
    amount: npt.NDArray[np.float64],
    route_of_pair: npt.NDArray[np.int64],
    inner_first: npt.NDArray[np.int64],
    inner_arc: npt.NDArray[np.int64],
    inner_fraction: npt.NDArray[np.float64],
    end_first: npt.NDArray[np.int64],
    end_arc: npt.NDArray[np.int64],
    end_fraction: npt.NDArray[np.float64],
    out_load: npt.NDArray[np.float64],
) -> None:
    """Add the amounts of pairs to their arcs: the inner arcs of shared routes, then their own first and last arcs.

    Args:
        amount: float64[n_pairs], any unit.
        route_of_pair: int64[n_pairs], shared route of each pair.
        inner_first: int64[n_routes + 1]; entries inner_first[r]:inner_first[r + 1] belong to route r.
        inner_arc: int64[any], arc of each entry.
        inner_fraction: float64[any], the fraction of the route's amount on that arc.
        end_first: int64[2 * n_pairs + 1]; entries of the first arcs by pair, then of the last arcs by pair.
        end_arc: int64[any], arc of each of these entries.
        end_fraction: float64[any], the fraction of the pair's amount on that arc.
        out_load: float64[2 * n_links] by arc, added to, in the unit of amount.
    """
    rest, by_route = np.zeros(out_load.size), np.zeros(inner_first.size - 1)
    exact_totals(route_of_pair, amount, by_route)
    for route in range(by_route.size):
        sent = by_route[route]
        if sent != 0.0:  # most flow sets use few of the routes
            for k in range(inner_first[route], inner_first[route + 1]):
                add_exactly(out_load, rest, inner_arc[k], inner_fraction[k] * sent)
    for side in range(2):
        for pair in range(amount.size):
            sent = amount[pair]
            if sent != 0.0:
                row = side * amount.size + pair
                for k in range(end_first[row], end_first[row + 1]):
                    add_exactly(out_load, rest, end_arc[k], end_fraction[k] * sent)
    for arc in range(rest.size):
        out_load[arc] += rest[arc]
