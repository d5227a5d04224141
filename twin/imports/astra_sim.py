"""Topology files of ASTRA-sim and SimAI for the ns-3 backend: accelerators, switches inside servers, and switches.

Source: SimAI, astra-sim-alibabacloud/inputs/topo (first line: nodes, accelerators of a server, switches of servers,
other switches, links, kind of accelerator), and ns-3-rdma (first line: nodes, switches, links).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import DocumentError
from ..errors.wording import quoted
from .cabling import Cable, Cabling, Device, End
from .fields import origin, plain, unknown_end
from .files import SourceFile, check_count
from .ledger import Ledger
from .options import ImportOptions
from .quantities import finite, rate_gbps

HINT = "the first line has nodes, accelerators of a server, switches of servers, switches, links and the accelerator"
LATENCY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ns|us|ms|s)", re.ASCII)
US_OF = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
FOLDED = "accelerators of a server → one host"
MIN_WORDS, N_SIMAI, N_NS3 = 3, 6, 3
MAX_COUNT = 10_000_000


@dataclass(slots=True)
class Head:
    """First line of a file."""

    n_nodes: int
    n_per_server: int
    n_server_switches: int
    n_switches: int
    n_links: int
    accelerator: str = ""


@dataclass(slots=True)
class Nodes:
    """Device of each node of the file."""

    of: dict[int, str] = field(default_factory=dict)
    inside: set[int] = field(default_factory=set)
    """Switches inside servers."""
    accelerators_at: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Switch -> accelerators that are attached to it."""


def recognise_simai(files: Sequence[SourceFile]) -> bool:
    """Return whether the first line of one file has the six values of SimAI, and its third line a rate."""
    return _recognise(files, N_SIMAI)


def recognise_astra_sim(files: Sequence[SourceFile]) -> bool:
    """Return whether the first line of one file has the three values of ns-3, and its third line a rate."""
    return _recognise(files, N_NS3)


def _recognise(files: Sequence[SourceFile], n_values: int) -> bool:
    if len(files) != 1 or files[0].looks_like_json:
        return False
    lines = files[0].head.splitlines()[:3]
    if len(lines) < MIN_WORDS:
        return False
    try:
        head = _head(lines[0].split(), files[0])
    except DocumentError:
        return False
    words = lines[2].split()
    return (
        head.n_nodes > 0
        and len(lines[0].split()) == n_values
        and len(words) >= MIN_WORDS
        and bool(words[2:])
        and rate_gbps(words[2]) is not None
    )


def read(files: Sequence[SourceFile], cabling: Cabling, ledger: Ledger, _options: ImportOptions) -> None:
    """Read one file."""
    if len(files) != 1:
        raise DocumentError("several topologies", where=files[1].where, hint="name one file")
    file = files[0]
    cabling.one_place = "cluster"
    lines = [(n, line.split()) for n, line in enumerate(file.text.splitlines(), 1) if line.strip()]
    if len(lines) < MIN_WORDS:
        raise DocumentError("has fewer than three lines", where=file.where, hint=HINT)
    head = _head(lines[0][1], file)
    switches = [_number(word, file, lines[1][0], head.n_nodes - 1) for word in lines[1][1]]
    n_switches = head.n_server_switches + head.n_switches
    if len(set(switches)) != n_switches:
        raise DocumentError(f"line {lines[1][0]}: {len(set(switches)):,} switches", where=file.where,
                            expected=f"{n_switches:,}, as the first line says", hint=HINT)  # fmt: skip
    rows = lines[2:]
    if len(rows) != head.n_links:
        problem = f"{len(rows):,} links, and the first line says {head.n_links:,}"
        ledger.finding("wrong count", problem, "the file may be truncated", file.name)
    nodes = _devices(head, switches, rows, file, cabling, ledger)
    for number, words in rows:
        _link(words, number, nodes, file, cabling, ledger)
    _rails(head, nodes, cabling, ledger)


def _head(words: list[str], file: SourceFile) -> Head:
    if len(words) == N_SIMAI:
        n_nodes, n_per_server, n_inside, n_switches, n_links = (_number(word, file, 1) for word in words[:5])
        head = Head(n_nodes, n_per_server, n_inside, n_switches, n_links, plain(words[5])[:60])
    elif len(words) == N_NS3:
        n_nodes, n_switches, n_links = (_number(word, file, 1) for word in words)
        head = Head(n_nodes, 1, 0, n_switches, n_links)
    else:
        raise DocumentError(f"line 1: {len(words)} values", where=file.where, expected="6, or 3", hint=HINT)
    check_count(max(head.n_nodes, head.n_links), f"{file.where}: line 1")
    if head.n_per_server < 1 or head.n_server_switches + head.n_switches > head.n_nodes:
        raise DocumentError("line 1: counts that do not fit", where=file.where, hint=HINT)
    return head


def _number(word: str, file: SourceFile, line: int, greatest: int = MAX_COUNT) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= 9) or int(word) > greatest:
        problem = f"line {line}: {quoted(word[:40])} is no number from 0 to {greatest:,}"
        raise DocumentError(problem, where=file.where, hint=HINT)
    return int(word)


def _devices(
    head: Head, switches: Sequence[int], rows: Sequence[tuple[int, list[str]]], file: SourceFile, cabling: Cabling,
    ledger: Ledger,
) -> Nodes:  # fmt: skip
    """Add hosts and switches; switches that hold accelerators of one server only, by the first line, are inside it."""
    nodes = Nodes(inside=set(switches[: head.n_server_switches]))
    is_switch = set(switches)
    hosts: Counter[str] = Counter()
    for number in range(head.n_nodes):
        if number in nodes.inside:
            continue
        name = f"switch-{number}" if number in is_switch else f"server-{number // head.n_per_server}"
        if head.n_per_server == 1 and number not in is_switch:
            name = f"host-{number}"
        nodes.of[number] = name
        if number not in is_switch:
            hosts[name] += 1
        if name not in cabling.devices:
            kind = "switch" if number in is_switch else "host"
            cabling.devices[name] = Device(name, name, kind, source=origin(file.name, "line 2", str(number)))  # type: ignore[arg-type]
    facing = {int(word) for _, words in rows for word in words[:2] if word.isascii() and word.isdigit()}
    for number in sorted(is_switch - nodes.inside - facing):
        ledger.finding("unused switch", "no link names it", "", f"switch-{number}")
    if head.n_per_server > 1:
        for name, n in hosts.items():
            ledger.converted("nodes", FOLDED, n)
            cabling.devices[name].tags = (f"{n} accelerators", *((head.accelerator,) if head.accelerator else ()))
    if nodes.inside:
        effect = "NVLink inside a server: name the accelerator of the host"
        ledger.dropped("switches of servers", effect, file.name, len(nodes.inside))
    return nodes


def _link(words: list[str], line: int, nodes: Nodes, file: SourceFile, cabling: Cabling, ledger: Ledger) -> None:
    """Add the link of a row: two ends, rate, latency, error rate."""
    place = f"line {line}"
    if len(words) < MIN_WORDS:
        raise DocumentError(
            f"{place}: {len(words)} values", where=file.where, expected="5: ends, rate, latency, errors"
        )
    a, b = (_number(word, file, line) for word in words[:2])
    if a in nodes.inside or b in nodes.inside:
        ledger.dropped("links inside servers", "NVLink: name the accelerator of the host", place)
        return
    for end in (a, b):
        if end not in nodes.of:
            unknown_end(ledger, place, str(end))
            return
    ends = End(nodes.of[a]), End(nodes.of[b])
    for accelerator, far in ((a, ends[1]), (b, ends[0])):
        if cabling.devices[nodes.of[accelerator]].kind == "host":
            nodes.accelerators_at[far.device].add(accelerator)
    cable = Cable(place, ends, source=origin(file.name, place, f"{a}-{b}"))
    cable.capacity_gbps = rate_gbps(words[2])
    if cable.capacity_gbps is None or not cable.capacity_gbps:
        cable.capacity_gbps = None
        problem = f"{place}: rate = {quoted(words[2][:40])}"
        ledger.finding("bad value", "links.rate is not used", "expected a rate such as 400Gbps", problem)
    else:
        ledger.converted("links.rate", "text with a unit → Gb/s")
    match = LATENCY.fullmatch(words[3]) if len(words) > 3 else None
    if match is not None:
        cable.latency_us = float(match[1]) * US_OF[match[2]]
        ledger.converted("links.latency", "text with a unit → latency_us")
    elif len(words) > 3:
        ledger.finding("bad value", "links.latency is not used", "expected a latency such as 500ns", place)
    if len(words) > 4 and finite(words[4]):
        ledger.dropped("links.error_rate", "loss_ratio of the link", place)
    ledger.kept("links.ends")
    cabling.cables.append(cable)


def _rails(head: Head, nodes: Nodes, cabling: Cabling, ledger: Ledger) -> None:
    """Give hosts a card for each accelerator, and switches the rail whose accelerators alone they face."""
    attached = set[int]().union(*nodes.accelerators_at.values())
    n_cards = Counter(nodes.of[number] for number in attached)
    for name, n in n_cards.items():
        cabling.devices[name].n_cards = n
    for name, accelerators in nodes.accelerators_at.items():
        device = cabling.devices[name]
        if device.kind != "switch":
            continue
        device.kind = "leaf"
        ledger.converted("switches", "faces hosts → leaf")
        rails = {number % head.n_per_server for number in accelerators}
        if len(rails) == 1 and head.n_per_server > 1:
            device.rail = rails.pop()
            ledger.converted("switches", "faces one accelerator of each server → rail")
