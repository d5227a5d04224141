"""Plain form of a network: nodes, links and demands as mappings of attributes, from which every format is written.

An attribute that has its default value is left out. Its name states its unit. Values by direction are two attributes:
`weight` from source to target, and `reverse_weight` back, where it differs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ..arrays import State
from ..errors.wording import counted
from ..imports.ledger import Ledger
from ..model.document import TopologyDocument
from ..model.records import Demand, Link, Node, Site, Span
from ..optics.link_health import LinkHealth
from .effects import document_effects, effect_of

Attributes = dict[str, Any]
NODE_FIELDS = frozenset({"id", "kind", "site", "up", "forwards", "name", "tags"})
LINK_FIELDS = frozenset(
    {"id", "ends", "capacity_gbps", "n_parallel", "weight", "spans", "srlgs", "n_failed", "up", "latency_us"}
    | {"name", "tags"}
)
DEMAND_FIELDS = frozenset({"id", "source", "target", "offered_gbps", "name", "tags"})
SITE_FIELDS = frozenset({"id", "latitude_deg", "longitude_deg"})
"""Fields of records that the plain form holds; the others are reported as dropped."""
ONE_WAY = ("capacity_gbps", "weight", "latency_us")
"""Attributes of a link that may differ by direction."""
REVERSE = "reverse_"
TWO_ATTRIBUTES = "one value for each direction → two attributes"


@dataclass(frozen=True, slots=True)
class PlainNetwork:
    """Nodes, links and demands, each sorted by id."""

    name: str
    nodes: list[Attributes]
    """id, kind, site, latitude_deg, longitude_deg, up, forwards, display_name, tags."""
    links: list[Attributes]
    """source, target, id, capacity_gbps, n_parallel, n_failed, weight, length_km, latency_us, srlgs, up, display_name,
    tags. The source is the end with the smaller id."""
    demands: list[Attributes]
    """id, source, target, offered_gbps, display_name, tags."""


def plain_network(
    label: str, nodes: Sequence[Node], links: Sequence[Link], state: State, document: TopologyDocument,
    health: LinkHealth, ledger: Ledger,
) -> PlainNetwork:  # fmt: skip
    """Make the plain form of a network after its changes.

    Args:
        label: name of the network.
        nodes: records of the nodes.
        links: records of the links.
        state: columns after the changes; they go before the records.
        document: sites, demands and settings.
        health: capacity of the links.
        ledger: counts what is kept, converted and dropped.
    """
    by_node = sorted(nodes, key=lambda node: node.id)
    by_link = sorted(links, key=lambda link: link.id)
    ordered = sorted(document.demands, key=lambda demand: demand.id)
    _count_dropped("nodes", Node, by_node, NODE_FIELDS, ledger)
    _count_dropped("links", Link, by_link, LINK_FIELDS, ledger)
    _count_dropped("demands", Demand, ordered, DEMAND_FIELDS, ledger)
    _count_dropped("sites", Site, document.sites, SITE_FIELDS, ledger)
    for name, effect, n in document_effects(document):
        ledger.dropped(f"document.{name}", effect, n=n)
    sites = {site.id: site for site in document.sites}
    used = {node.site for node in by_node}
    for site in sites:
        if site not in used:
            ledger.dropped("sites", "no node is there; sites are attributes of nodes", site)
    found = PlainNetwork(
        document.name or label,
        [_node(node, row, state, sites) for row, node in enumerate(by_node)],
        list(_links(by_link, state, health, ledger)),
        [_demand(demand) for demand in ordered],
    )
    _count_kept(found, ledger)
    return found


def _node(node: Node, row: int, state: State, sites: Mapping[str, Site]) -> Attributes:
    found: Attributes = {"id": node.id, "kind": node.kind}
    if node.site is not None:
        found["site"] = node.site
        site = sites.get(node.site)
        if site is not None and site.latitude_deg is not None and site.longitude_deg is not None:
            found |= {"latitude_deg": site.latitude_deg, "longitude_deg": site.longitude_deg}
    if not state["node_up"][row]:
        found["up"] = False
    if node.forwards is not None:
        found["forwards"] = node.forwards
    return found | _labels(node)


def _labels(record: Node | Link | Demand) -> Attributes:
    labels: Attributes = {"display_name": record.name} if record.name else {}
    return labels | ({"tags": list(record.tags)} if record.tags else {})


def _demand(demand: Demand) -> Attributes:
    ends: Attributes = {"id": demand.id, "source": demand.source, "target": demand.target}
    return ends | {"offered_gbps": demand.offered_gbps} | _labels(demand)


def _links(links: Sequence[Link], state: State, health: LinkHealth, ledger: Ledger) -> Iterator[Attributes]:
    """Yield the attributes of each link; columns are lists, since single items of arrays are slow to read."""
    ends, n_parallel = state["link_ends"].tolist(), state["link_n_parallel"].tolist()
    n_failed, is_up = state["link_n_failed"].tolist(), state["link_up"].tolist()
    straight_km, n_spans = state["link_straight_km"].tolist(), np.diff(state["span_first"]).tolist()
    length_km = _span_lengths_km(state)
    both = {
        "capacity_gbps": health.arc_member_gbps.tolist(),
        "weight": state["arc_weight"].tolist(),
        "latency_us": state["arc_stated_latency_us"].tolist(),
    }
    for row, link in enumerate(links):
        a, b = sorted(ends[row])
        found: Attributes = {"source": state.node_ids[a], "target": state.node_ids[b], "id": link.id}
        lit = is_up[row]
        for name, values in both.items():
            there, back = values[2 * row], values[2 * row + 1]
            if name == "capacity_gbps":
                there, back, lit = _rates(link, there, back, lit, ledger)
            _set_directions(found, name, there, back)
        if n_parallel[row] != 1:
            found["n_parallel"] = n_parallel[row]
        if n_failed[row]:
            found["n_failed"] = n_failed[row]
        if n_spans[row]:
            found["length_km"] = length_km[row]
        elif straight_km[row] == 0:
            found["length_km"] = 0.0
        risks = _shared_risks(link, ledger)
        if risks:
            found["srlgs"] = risks
        if not lit:
            found["up"] = False
        yield found | _labels(link)


def _set_directions(found: Attributes, name: str, there: float, back: float) -> None:
    """Set one attribute, and one for the way back where it differs; unknown values and weights of 1 are left out."""
    default = 1.0 if name == "weight" else math.nan
    is_one = there == back or (math.isnan(there) and math.isnan(back))
    if not (there == default and is_one) and not math.isnan(there):
        found[name] = there
    if not is_one and not math.isnan(back):
        found[REVERSE + name] = back


def _rates(link: Link, there: float, back: float, lit: bool, ledger: Ledger) -> tuple[float, float, bool]:
    """Return the rate of a member by direction, and whether the link carries; count where they are no stated rates."""
    if (there > 0 and back > 0) or math.isnan(there):
        if link.transceiver is not None:
            ledger.converted("links.transceiver", "rate in use → capacity_gbps")
        return there, back, lit
    if lit:
        ledger.converted("links.up", "no signal at the receiver → up: false, without a rate")
    return math.nan, math.nan, False


def _span_lengths_km(state: State) -> list[float]:
    """Return the length of the working path of each link, the sum rounded to a micrometre."""
    return [round(value, 9) for value in state["link_length_km"].tolist()]


def _span_risks(span: Span) -> tuple[str, ...]:
    """Return the shared risks of a span; its cable is one of them."""
    return span.srlgs if span.cable is None else (*span.srlgs, span.cable)


def _shared_risks(link: Link, ledger: Ledger) -> list[str]:
    """Return the shared risks of a link: its own and those of spans; of a protected link, spans of both paths."""
    working = {risk for span in link.spans if not span.standby for risk in _span_risks(span)}
    if any(span.standby for span in link.spans):
        standby = {risk for span in link.spans if span.standby for risk in _span_risks(span)}
        lost = (working | standby) - (working & standby) - set(link.srlgs)
        if lost:
            ledger.dropped("links.spans.srlgs", "risks of one path of a protected link, of which the other is left",
                           link.id, len(lost))  # fmt: skip
        working &= standby
    cables = {span.cable for span in link.spans} - {None}
    from_spans = working - set(link.srlgs)
    if from_spans - cables:
        ledger.converted("links.spans.srlgs", "shared risks of spans → of the link", len(from_spans - cables))
    if from_spans & cables:
        ledger.converted("links.spans.cable", "cable → a shared risk of the link", len(from_spans & cables))
    n_cables = sum(span.cable is not None for span in link.spans)
    if n_cables:
        ledger.dropped("links.spans.cable", "fibre that links share costs once", link.id, n_cables)
    return sorted(working | set(link.srlgs))


def _count_dropped(
    kind: str, record: type, records: Sequence[Any], held: frozenset[str], ledger: Ledger
) -> None:  # fmt: skip
    """Count the fields with a value that the plain form does not hold."""
    for spec in fields(record):
        if spec.name in held:
            continue
        stating = [item for item in records if getattr(item, spec.name) not in (spec.default, None)]
        if stating and not (kind == "links" and spec.name == "transceiver"):
            ledger.dropped(f"{kind}.{spec.name}", effect_of(kind, spec.name), stating[0].id, len(stating))
    if kind == "links":
        n_spans = sum(len(link.spans) for link in records)
        if n_spans:
            ledger.converted("links.spans", "lengths of the spans → length_km of the link", n_spans)
            first = next(link.id for link in records if link.spans)
            ledger.dropped("links.spans", "fibre, age, splices, connectors and amplifiers: no link budget", first,
                           n_spans)  # fmt: skip


def _count_kept(network: PlainNetwork, ledger: Ledger) -> None:
    for kind, records in (("nodes", network.nodes), ("links", network.links), ("demands", network.demands)):
        n_of: dict[str, int] = {}
        for record in records:
            for name in record:
                n_of[name] = n_of.get(name, 0) + 1
        n_reverse = sum(n for name, n in n_of.items() if name.startswith(REVERSE))
        if n_reverse:
            ledger.converted(f"{kind}, values by direction", TWO_ATTRIBUTES, n_reverse)
        for name, n in n_of.items():
            if not name.startswith(REVERSE):
                ledger.kept(f"{kind}.{name}", n)


def size_text(network: PlainNetwork) -> str:
    """Return the counts of records as words."""
    return ", ".join(
        counted(len(records), word)
        for records, word in ((network.nodes, "node"), (network.links, "link"), (network.demands, "demand"))
        if records or word != "demand"
    )
