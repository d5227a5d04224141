"""Loads after each of many failures, each as a change of the loads without one.

A failure changes little: a node that loses some of its next hops divides its flow anew, and the change moves on. Only
nodes that lose all next hops change their distances; new distances are found among these nodes alone. Every failure
begins from the loads without one, so no rounding adds up from failure to failure.
"""

import numpy as np
import numpy.typing as npt

from twin.kernels.failed_paths import enter, nodes_cut, nodes_hit, route_cut, search_cut, withdraw
from twin.kernels.flow_changes import move_changes, split_for_class, touch, wait_at
from twin.kernels.graph import Destinations, Failures, Queue, RoutingTables, UsableArcs
from twin.kernels.jit import kernel
from twin.kernels.next_hops import is_next_hop


@kernel
def sweep_failures(
    arcs: UsableArcs,
    destinations: Destinations,
    tables: RoutingTables,
    failures: Failures,
    begin: int,
    end: int,
    step: int,
    rel_tolerance: float,
    least_gbps: float,
    per_gbps: npt.NDArray[np.float64],
    by_intact_ratio: npt.NDArray[np.uint32],
    out_lost_gbps: npt.NDArray[np.float64],
    out_n_lost: npt.NDArray[np.int64],
    out_ratio: npt.NDArray[np.float64],
    out_arc: npt.NDArray[np.int64],
    out_worst: npt.NDArray[np.int64],
    out_cause: npt.NDArray[np.int64],
) -> None:
    """Compute what failures begin, begin + step, ... below `end` lose, and the greatest load of each arc.

    Loads are compared after rounding to 43 significant bits, so that equal loads that were summed in another order are
    equal: then the case without a failure counts as the cause, else the failure of lowest number.

    Args:
        arcs: arcs that carry traffic.
        destinations: destinations in classes, with their demands.
        tables: routes without a failure.
        failures: the failures.
        begin: the first failure.
        end: the failure behind the last.
        step: distance from one failure to the next, the number of threads.
        rel_tolerance: path weights that differ by no more than this share are equal.
        least_gbps: loads up to this one are rounding noise.
        per_gbps: float64[n_arcs], 1 / capacity; 0 where utilisation does not count.
        by_intact_ratio: uint32[n_arcs], arcs by their utilisation without a failure, the fullest first.
        out_lost_gbps: float64[n_failures], demand that loses its path.
        out_n_lost: int64[n_failures], number of these demands.
        out_ratio: float64[n_failures], the greatest load over what is left of the capacity.
        out_arc: int64[n_failures], the arc with it, the lowest of equal ones; -1 without any load.
        out_worst: int64[n_arcs], greatest load of each arc, bits of the number divided by 2^10; updated. Of an arc that
            lost members, the load counts that would use its whole capacity as much.
        out_cause: int64[n_arcs], the failure with the greatest load; updated, never where the load stays equal.
    """
    n_nodes, groups = arcs.first.size - 1, tables.groups
    load, kept = tables.load.copy(), np.ones(arcs.head.size)
    queue = Queue(
        first=np.full(n_nodes + 1, -1, np.int64),
        after=np.empty(n_nodes, np.int64),
        waits=np.zeros(n_nodes, np.bool_),
        is_touched=np.zeros(n_nodes, np.bool_),
        touched=np.empty(n_nodes, np.uint32),
        n_touched=np.zeros(1, np.int64),
    )
    change, new_flow, near = np.zeros(n_nodes), np.zeros(n_nodes), np.empty(n_nodes)
    is_split, is_cut = np.zeros(n_nodes, np.bool_), np.zeros(n_nodes, np.bool_)
    n_gone = np.zeros(n_nodes, np.int64)
    split, cut, order = np.empty(n_nodes, np.uint32), np.empty(n_nodes, np.uint32), np.empty(n_nodes, np.uint32)
    heap_key, heap_node = np.empty(arcs.head.size + n_nodes), np.empty(arcs.head.size + n_nodes, np.uint32)
    response = np.empty(arcs.head.size)
    class_is_hit = np.zeros(destinations.class_first.size, np.bool_)
    for f in range(begin, end, step):
        failed = failures.arc[failures.first[f] : failures.first[f + 1]]
        for i in range(failed.size):
            touch(queue, arcs.tail[failed[i]])
            kept[failed[i]] = failures.kept_ratio[failures.first[f] + i]
            if tables.twin_class[arcs.tail[failed[i]]] >= 0:
                class_is_hit[tables.twin_class[arcs.tail[failed[i]]]] = True
        out_lost_gbps[f], out_n_lost[f] = 0.0, 0
        for c in range(destinations.class_first.size - 1):
            start, stop = destinations.class_first[c], destinations.class_first[c + 1]
            if tables.at_once[c]:
                region = tables.region[tables.region_row[c]]
                node = _only_split_node(arcs, tables, start, region, failed, kept, rel_tolerance)
                if node >= 0:
                    split_for_class(arcs.head, tables, start, stop, region, node, kept, queue, change, load)
                if node >= -1:
                    continue
            for d in range(start, stop):
                distance, rank, group, flow = tables.distance[d], tables.rank[d], tables.group[d], tables.flow_to[d]
                n_split, has_flow = nodes_hit(
                    arcs.tail, arcs.head, arcs.weight, arcs.forwards, distance, flow, failed, kept, rel_tolerance,
                    is_split, n_gone, split,
                )  # fmt: skip
                n_cut, top = 0, 0
                if has_flow:
                    n_split, n_cut = nodes_cut(
                        arcs, distance, group, groups.first, kept, rel_tolerance, is_split, n_gone, split, n_split,
                        is_cut, cut,
                    )  # fmt: skip
                if n_cut > 0:
                    n_reached = search_cut(arcs, distance, kept, is_cut, cut, n_cut, near, heap_key, heap_node, order)
                    for i in range(n_cut):
                        touch(queue, cut[i])
                    top = withdraw(arcs.head, groups, rank, group, flow, is_cut, cut, n_cut, queue, change, load)
                    lost, n_lost = enter(tables.demand[d], cut, n_cut, near, new_flow)
                    out_lost_gbps[f] += lost
                    out_n_lost[f] += n_lost
                    if n_reached > 0:
                        top = route_cut(
                            arcs, distance, near, rank, kept, rel_tolerance, is_cut, order, n_reached, new_flow, queue,
                            change, top, load,
                        )  # fmt: skip
                for i in range(n_split if has_flow else 0):
                    if not is_cut[split[i]]:
                        top = wait_at(queue, rank[split[i]], split[i], top)
                if has_flow:
                    move_changes(
                        arcs.head, groups, tables.twin_class, rank, group, flow, kept, is_split, is_cut, class_is_hit,
                        top, queue, change, response, load,
                    )  # fmt: skip
                for i in range(n_split):
                    is_split[split[i]] = False
                    is_cut[split[i]] = False
        for i in range(failed.size):
            # an arc that lost members counts with the load that would use its whole capacity as much
            load[failed[i]] = load[failed[i]] / kept[failed[i]] if kept[failed[i]] > 0.0 else 0.0
            kept[failed[i]] = 1.0
            if tables.twin_class[arcs.tail[failed[i]]] >= 0:
                class_is_hit[tables.twin_class[arcs.tail[failed[i]]]] = False
        ratio, arc = _close(
            arcs, load, tables.load, queue, least_gbps, per_gbps, by_intact_ratio, f, out_worst, out_cause
        )
        out_ratio[f], out_arc[f] = ratio, arc


@kernel
def _only_split_node(
    arcs: UsableArcs,
    tables: RoutingTables,
    d: int,
    region: npt.NDArray[np.int32],
    failed: npt.NDArray[np.uint32],
    kept: npt.NDArray[np.float64],
    rel_tolerance: float,
) -> int:
    """Return the only node that divides its flow to a whole class anew; -1 for none, -2 if members need to be seen."""
    distance = tables.distance[d]
    found = -1
    n_gone = 0
    for i in range(failed.size):
        tail, head = int(arcs.tail[failed[i]]), arcs.head[failed[i]]
        if region[tail] != -2:
            return -2
        far, near = distance[tail], distance[head]
        if far == np.inf:
            continue
        if is_next_hop(near, far, arcs.weight[failed[i]], rel_tolerance * max(1.0, far), arcs.forwards[head]):
            if found >= 0 and found != tail:
                return -2
            found = tail
            if kept[failed[i]] == 0.0:
                n_gone += 1
    if found >= 0:
        group = tables.group[d, found]
        if n_gone == tables.groups.first[group + 1] - tables.groups.first[group]:
            return -2
    return found


@kernel
def _close(
    arcs: UsableArcs,
    load: npt.NDArray[np.float64],
    base: npt.NDArray[np.float64],
    queue: Queue,
    least_gbps: float,
    per_gbps: npt.NDArray[np.float64],
    by_intact_ratio: npt.NDArray[np.uint32],
    f: int,
    worst: npt.NDArray[np.int64],
    cause: npt.NDArray[np.int64],
) -> tuple[float, int]:
    """Update the greatest loads, return the greatest utilisation and its arc, and restore the loads without a failure.

    Only arcs that leave nodes where loads changed are looked at; of all others the fullest is known.
    """
    bits = load.view(np.int64)  # positive floats have the order of their bits
    best, best_arc = 0.0, -1
    for i in range(queue.n_touched[0]):
        node = queue.touched[i]
        for arc in range(arcs.first[node], arcs.first[node + 1]):
            rounded = (bits[arc] + 512) >> 10
            if rounded > worst[arc]:
                worst[arc] = rounded
                cause[arc] = f
            ratio = load[arc] * per_gbps[arc]
            if ratio > best * (1.0 - 1e-12) and load[arc] > least_gbps:
                if ratio > best * (1.0 + 1e-12):
                    best, best_arc = ratio, arc
                elif arc < best_arc:
                    best_arc = arc
    for arc in by_intact_ratio:
        if not queue.is_touched[arcs.tail[arc]]:
            ratio = base[arc] * per_gbps[arc] if base[arc] > least_gbps else 0.0
            if ratio > best * (1.0 + 1e-12) or (ratio > best * (1.0 - 1e-12) and arc < best_arc):
                best, best_arc = ratio, int(arc)
            break
    for i in range(queue.n_touched[0]):
        node = queue.touched[i]
        load[arcs.first[node] : arcs.first[node + 1]] = base[arcs.first[node] : arcs.first[node + 1]]
        queue.is_touched[node] = False
    queue.n_touched[0] = 0
    return best, best_arc
