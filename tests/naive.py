"""A slow, obvious twin of each kernel: plain Python over exact fractions, lists and dicts, written to be read."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

Number = Fraction | float  # a fraction, or math.inf


class Link(NamedTuple):
    """One cable between nodes a and b; arc 2 * link leads from a to b, arc 2 * link + 1 back.

    `back` is the link as seen from b, where weight or share differ by direction.
    """

    a: int
    b: int
    weight: Fraction
    up: bool = True
    share: Fraction = Fraction(1)
    back: tuple[Fraction, Fraction] | None = None
    """(weight, share) from b to a; None = as from a to b."""


def arcs(links: Sequence[Link]) -> list[tuple[int, int, int, Link]]:
    """(arc, tail, head, link) of every arc over a link that is up."""
    found = []
    for i, link in enumerate(links):
        if link.up:
            weight, share = link.back or (link.weight, link.share)
            found.append((2 * i, link.a, link.b, link))
            found.append((2 * i + 1, link.b, link.a, link._replace(weight=weight, share=share)))
    return found


def shortest_distances(
    n_nodes: int, links: Sequence[Link], target: int, hosts: frozenset[int] = frozenset()
) -> list[Number]:
    """Distances to the target by Bellman-Ford: shorten until nothing shortens; no path passes through a host."""
    into_forwarding = [arc for arc in arcs(links) if arc[2] == target or arc[2] not in hosts]
    distance: list[Number] = [math.inf] * n_nodes
    distance[target] = Fraction(0)
    shortened = True
    while shortened:
        shortened = False
        for _, tail, head, link in into_forwarding:
            if distance[head] < math.inf and distance[head] + link.weight < distance[tail]:
                distance[tail] = distance[head] + link.weight
                shortened = True
    return distance


def shortest_hops(
    n_nodes: int, links: Sequence[Link], target: int, hosts: frozenset[int] = frozenset()
) -> list[Number]:
    return shortest_distances(n_nodes, [link._replace(weight=Fraction(1), back=None) for link in links], target, hosts)


def next_hops(
    links: Sequence[Link], distance: Sequence[Number], node: int, hosts: frozenset[int] = frozenset()
) -> list[tuple[int, int, Link]]:
    """(arc, head, link) of every arc on which a shortest path to the destination of `distance` leaves the node."""
    if distance[node] in (0, math.inf):
        return []
    return [
        (arc, head, link)
        for arc, tail, head, link in arcs(links)
        if tail == node
        and distance[head] + link.weight == distance[node]
        and (head not in hosts or distance[head] == 0)
    ]


def unit_loads(
    links: Sequence[Link], distance: Sequence[Number], node: int, hosts: frozenset[int] = frozenset()
) -> dict[int, Fraction]:
    """Fraction of one unit from the node to the destination that crosses each arc, by recursion over the next hops."""
    hops = next_hops(links, distance, node, hosts)
    total = sum((link.share for _, _, link in hops), Fraction(0))
    load: dict[int, Fraction] = defaultdict(Fraction)
    for arc, head, link in hops:
        fraction = link.share / total
        load[arc] += fraction
        for later, rest in unit_loads(links, distance, head, hosts).items():
            load[later] += fraction * rest
    return dict(load)


def place_demands(
    n_nodes: int,
    links: Sequence[Link],
    demands: Sequence[tuple[int, int, Fraction]],
    hosts: frozenset[int] = frozenset(),
) -> tuple[dict[int, Fraction], list[bool]]:
    """Load by arc of (source, destination, gbps) demands, and whether each one has a path."""
    load: dict[int, Fraction] = defaultdict(Fraction)
    routed = []
    for source, destination, gbps in demands:
        distance = shortest_distances(n_nodes, links, destination, hosts)
        routed.append(distance[source] < math.inf)
        for arc, fraction in unit_loads(links, distance, source, hosts).items():
            load[arc] += gbps * fraction
    return dict(load), routed


def spread_amounts(
    amounts: Sequence[float],
    routes: Sequence[int],
    inner: Sequence[tuple[int, int, float]],
    ends: Sequence[tuple[int, int, float]],
) -> dict[int, float]:
    """Load by arc, pair after pair: the (route, arc, fraction) of its route and its own (pair, arc, fraction)."""
    load: dict[int, float] = defaultdict(float)
    for pair, (amount, route) in enumerate(zip(amounts, routes, strict=True)):
        for owner, arc, fraction in inner:
            load[arc] += amount * fraction if owner == route else 0.0
        for owner, arc, fraction in ends:
            load[arc] += amount * fraction if owner == pair else 0.0
    return dict(load)


def busiest_arcs(
    rows: Sequence[tuple[float, float, int, float, int]], efficiency: Sequence[float]
) -> list[float] | None:
    """Time of the busiest arc, plain and by the efficiency of its rule; None without flow or without capacity.

    rows: (load, gbps, members, pairs on a card's link, rule); rule -1 is the last efficiency.
    """
    used = [row for row in rows if row[0] > 0]
    if not used or any(gbps <= 0 for _, gbps, _, _, _ in used):
        return None
    times = [(load * max(1.0, members / pairs) / gbps, efficiency[rule]) for load, gbps, members, pairs, rule in used]
    return [max(time for time, _ in times), max(time / ratio for time, ratio in times)]


def split_trace(
    arcs: Sequence[int], head: Sequence[int], source: int, target: int, endpoints: set[int]
) -> tuple[list[int], list[int], list[int]]:
    """Positions of the arcs of one trace: those of its source, of its target, and between.

    An arc from source to target is the source's, unless the target is a rack or host.
    """
    at_source, at_target, inner = [], [], []
    for k, arc in enumerate(arcs):
        before, after = head[arc ^ 1], head[arc]
        if before == source and not (after == target and target in endpoints):
            at_source.append(k)
        elif after == target:
            at_target.append(k)
        elif before != source:
            inner.append(k)
    return at_source, at_target, inner


def one_forward_one_backward(
    forward: Sequence[float], backward: Sequence[float], latency: Sequence[float], n_micro_batches: int
) -> float:
    """When the last stage is done: each does its passes in their order, a pass once what it needs has arrived.

    forward, backward: seconds by stage. latency: seconds between a stage and the next, either way.
    """
    p, orders = len(forward), []
    for i in range(p):
        ahead = min(p - i - 1, n_micro_batches)
        order = [("forward", k) for k in range(ahead)]
        for k in range(n_micro_batches - ahead):
            order += [("forward", ahead + k), ("backward", k)]
        orders.append(order + [("backward", k) for k in range(n_micro_batches - ahead, n_micro_batches)])
    ends: dict[tuple[str, int, int], float] = {}
    done, free = [0] * p, [0.0] * p
    while any(done[i] < 2 * n_micro_batches for i in range(p)):
        for i in range(p):
            while done[i] < 2 * n_micro_batches:
                kind, k = orders[i][done[i]]
                before = i - 1 if kind == "forward" else i + 1
                arrived = 0.0
                if 0 <= before < p:
                    if (kind, before, k) not in ends:
                        break
                    arrived = ends[kind, before, k] + latency[min(i, before)]
                took = forward[i] if kind == "forward" else backward[i]
                free[i] = ends[kind, i, k] = max(free[i], arrived) + took
                done[i] += 1
    return max(free)


def shortest_paths(
    links: Sequence[Link], distance: Sequence[Number], node: int, hosts: frozenset[int] = frozenset()
) -> list[list[int]]:
    """All shortest paths from the node to the destination, each a list of arcs; [[]] at the destination itself."""
    if distance[node] == 0:
        return [[]]
    return [
        [arc, *rest]
        for arc, head, _ in next_hops(links, distance, node, hosts)
        for rest in shortest_paths(links, distance, head, hosts)
    ]


def worst_path(
    links: Sequence[Link],
    distance: Sequence[Number],
    node: int,
    latency: Mapping[int, float],
    hosts: frozenset[int] = frozenset(),
) -> float:
    """Latency of the slowest shortest path, all paths written out; 0 where there is none."""
    return max(
        (sum(latency[arc] for arc in path) for path in shortest_paths(links, distance, node, hosts)), default=0.0
    )


def max_min_rates(
    flows: Sequence[Mapping[int, Fraction]], capacity: Sequence[Fraction], limit: Sequence[Number]
) -> list[Number]:
    """Progressive filling in exact fractions; a flow is {resource: part of its rate that crosses it}."""
    rate: dict[int, Number] = {}
    while len(rate) < len(flows):
        rising = [flow for flow in range(len(flows)) if flow not in rate]
        full_at: dict[int, Number] = {}
        for resource, room in enumerate(capacity):
            usage = sum(flows[flow].get(resource, Fraction(0)) for flow in rising)
            taken = sum(rate[flow] * flows[flow].get(resource, Fraction(0)) for flow in rate)
            if usage > 0:
                full_at[resource] = (room - taken) / usage
        level = min([*full_at.values(), *(limit[flow] for flow in rising)])
        full = {resource for resource, at in full_at.items() if at == level}
        for flow in rising:
            stopped = any(usage > 0 and resource in full for resource, usage in flows[flow].items())
            if stopped or limit[flow] == level:
                rate[flow] = level
    return [rate[flow] for flow in range(len(flows))]


def group_rows(rows: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """(number of each row's group, first row of each group), groups numbered as they first appear."""
    distinct: list[Sequence[int]] = []
    for row in rows:
        if row not in distinct:
            distinct.append(row)
    return [distinct.index(row) for row in rows], [list(rows).index(row) for row in distinct]


def utilisation(load_gbps: float, capacity_gbps: float) -> float:
    if capacity_gbps == 0:
        return 0.0 if load_gbps == 0 else math.inf
    return load_gbps / capacity_gbps


def queue_delay_us(
    utilisation_ratio: float, capacity_gbps: float, packet_bytes: float, max_utilisation_ratio: float
) -> float:
    """M/D/1 by way of the general Pollaczek-Khinchine formula, in seconds first; the service time does not vary."""
    if capacity_gbps == 0:
        return 0.0
    rho = min(utilisation_ratio, max_utilisation_ratio)
    service_s = packet_bytes * 8 / (capacity_gbps * 1e9)
    arrivals_per_s = rho / service_s
    mean_of_squared_service = service_s**2
    return arrivals_per_s * mean_of_squared_service / (2 * (1 - rho)) * 1e6


def gaussian_noise_line(
    channels: list[tuple[float, float, float]], spans: list[dict[str, float]], constants: dict[str, float]
) -> list[tuple[float, float, float]]:
    """(signal, ase, nli) in W of each channel (Hz, baud, W): every pair of channels, span after span."""
    power = [(watt, 0.0, 0.0) for _, _, watt in channels]
    unrestored = 1.0
    for span in spans:
        alpha, beta2 = span["alpha"], abs(span["beta2"])
        reach, effective = 1 / alpha, (1 - math.exp(-alpha * span["length"])) / alpha
        power = [tuple(part * span["before"] for part in parts) for parts in power]
        whole = [sum(parts) for parts in power]
        share = []
        for i, (f_i, r_i, _) in enumerate(channels):
            log = math.log(f_i / constants["reference"]) / (math.pi * constants["core"] ** 2)
            gamma = 2 * math.pi * constants["n2"] * f_i / constants["light"] * (1 / span["area"] + log)
            total = 0.0
            for k, (f_k, r_k, _) in enumerate(channels):
                width = math.pi**2 * reach * beta2 * r_i
                psi = math.asinh(width * (abs(f_i - f_k) + r_k / 2)) - math.asinh(width * (abs(f_i - f_k) - r_k / 2))
                psi *= effective**2 / (4 * math.pi * beta2 * reach)
                total += (16 if i == k else 32) / 27 * psi * whole[k] ** 2 / r_k**2
            share.append(gamma**2 * total)
        left = math.exp(-alpha * span["length"]) * span["after"]
        unrestored *= left * span["before"]
        gain = 1 / unrestored if span["noise"] else 1.0
        unrestored = 1.0 if span["noise"] else unrestored
        after = []
        for (f, r, _), (signal, ase, nli), new in zip(channels, power, share, strict=True):
            together = signal + ase + nli
            noise = constants["planck"] * f * r * span["noise"]
            kept = left * gain
            mixed = nli * (1 - new) + together * new
            after.append((signal * (1 - new) * kept, ase * (1 - new) * kept + noise * gain, mixed * kept))
        power = after
    return power


def worst_gsnr(
    channels: list[tuple[float, float, float]], spans: list[dict[str, float]], constants: dict[str, float]
) -> float:
    """Smallest signal over all noise of any channel, noise in 12.5 GHz."""
    powers = gaussian_noise_line(channels, spans, constants)
    return min(
        signal / (ase + nli) * baud / 12.5e9 for (_, baud, _), (signal, ase, nli) in zip(channels, powers, strict=True)
    )


def best_launch_dbm(
    grid: list[tuple[float, float]], spans: list[dict[str, float]], constants: dict[str, float], low: float, high: float
) -> float:
    """The best of 41 launch powers side by side, again between its neighbours, until they are 0.0001 dB apart."""
    while high - low > 1e-4:
        tried = [low + (high - low) * step / 40 for step in range(41)]
        score = [worst_gsnr([(f, r, 1e-3 * 10 ** (dbm / 10)) for f, r in grid], spans, constants) for dbm in tried]
        best = score.index(max(score))
        low, high = tried[max(best - 1, 0)], tried[min(best + 1, 40)]
    return (low + high) / 2


def label_parts(n_nodes: int, links: Sequence[Link]) -> list[int]:
    """The least node that each node reaches: spread labels along links that are up until none falls any more."""
    label = list(range(n_nodes))
    for _ in range(n_nodes):
        for link in links:
            if link.up:
                label[link.a] = label[link.b] = min(label[link.a], label[link.b])
    return label


class Port(NamedTuple):
    """One member of a link between a host and a switch of a rail."""

    host: str
    rail: int
    switch: str
    up: bool


def lost_cards(
    ports: Sequence[Port],
    n_cards: Mapping[tuple[str, int], int],
    part: Mapping[str, str],
    n_accelerators: Mapping[str, int],
) -> set[tuple[str, int, int]]:
    """(host, rail, card) of every card without a port into the fabric of its rail, at one site.

    Ports come in the order in which they are dealt to the cards of a host and rail; `part` labels the switches.
    """
    fabric: set[tuple[int, str]] = set()
    for rail in {port.rail for port in ports}:
        hosts = {port.host for port in ports if port.rail == rail}
        reached: dict[str, set[str]] = defaultdict(set)
        for port in ports:
            if port.rail == rail and port.up:
                reached[part[port.switch]].add(port.host)
        if reached:
            size = {name: (len(found), sum(n_accelerators[host] for host in found)) for name, found in reached.items()}
            largest = [name for name in reached if size[name] == max(size.values())]
            first = min(sorted(reached[name]) for name in largest)
            fabric |= {(rail, name) for name in largest if sorted(reached[name]) == first}
        fabric |= {(rail, name) for name in reached if 2 * len(reached[name]) > len(hosts)}
    alive: set[tuple[str, int, int]] = set()
    n_dealt: dict[tuple[str, int], int] = defaultdict(int)
    for port in ports:
        key = port.host, port.rail
        if port.up and (port.rail, part[port.switch]) in fabric:
            alive.add((*key, n_dealt[key] % n_cards[key]))
        n_dealt[key] += 1
    return {(*key, card) for key, n in n_cards.items() for card in range(n)} - alive


class Phase(NamedTuple):
    """A phase of a job on the network: its time alone, and the share of each arc that it fills meanwhile."""

    seconds: float
    use: Mapping[int, float]


def two_jobs(jobs: Sequence[tuple[float, Sequence[Phase]]], n_steps: int, start: float = 0.0) -> list[float]:
    """Mean step of two jobs that run for so many steps of the first, event by event.

    A job computes, then runs its phases one after the other, and starts again. Two phases at the same time share each
    arc max-min. The second job starts at `start`.
    """
    plans = [[Phase(compute, {}), *phases] for compute, phases in jobs]
    at, left, done, now = [0, 0], [plans[0][0].seconds, plans[1][0].seconds + start], [0, 0], 0.0
    ended = [0.0, start]
    while done[0] < n_steps:
        first, second = (plan[i].use for plan, i in zip(plans, at, strict=True))
        speed = [1.0, 1.0]
        for arc in set(first) & set(second):
            a, b = first[arc], second[arc]
            if a + b > 1.0:
                speed[0] = min(speed[0], max(1.0 - b, 0.5) / a)
                speed[1] = min(speed[1], max(1.0 - a, 0.5) / b)
        step = min(left[i] / speed[i] for i in (0, 1))
        now += step
        for i in (0, 1):
            left[i] -= step * speed[i]
            if left[i] <= 1e-12:
                at[i] = (at[i] + 1) % len(plans[i])
                left[i] = plans[i][at[i]].seconds
                if at[i] == 0:
                    done[i], ended[i] = done[i] + 1, now
    return [ended[0] / done[0], (ended[1] - start) / done[1]]


def flow_gbps(
    available: float, member: float, n_flows: float, trip_us: float, loss: float, recovery: str, most: float | None
) -> float:
    """Rate of one of some equal flows on an arc, step by step; windows of 4 MiB, packets of 4096 bytes, TCP of 8960."""
    rate = available / n_flows
    rate = min(rate, member)
    if most is not None:
        rate = min(rate, most)
    if trip_us > 0:
        rate = min(rate, 4 * 2**20 * 8 / (trip_us * 1e-6) / 1e9)
    if loss == 0:
        return rate
    if recovery == "selective_repeat":
        return rate * (1 - loss)
    if recovery == "go_back_n":
        packets = rate * 1e9 * trip_us * 1e-6 / (4096 * 8)
        return rate * (1 - loss) / (1 + loss * packets)
    trip_s = max(trip_us, 1e-6) * 1e-6
    interval_s = trip_s * math.sqrt(2 * loss / 3)
    interval_s += 4 * trip_s * 3 * math.sqrt(3 * loss / 8) * loss * (1 + 32 * loss**2)
    return min(rate, 8960 * 8 / interval_s / 1e9)
