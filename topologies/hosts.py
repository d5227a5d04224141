"""Parameters and records that fabrics of switches and hosts have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from twin.catalogue import catalogue
from twin.errors import TopologyError
from twin.model.records import Id, Link, Node

from .generator import FabricParams, Ports, padded

Capacity = Annotated[float, Field(gt=0, le=1e7)]
Ratio = Annotated[float, Field(gt=0, le=1000)]
MAX_MEMBERS = 10_000
"""Most members of a bundle that follows from a ratio."""


class WithHosts(FabricParams):
    """Base class of the parameters of a fabric with hosts."""

    accelerator: Id | None = None
    """Accelerator of the hosts; None = plain hosts."""
    n_accelerators_per_host: Annotated[int, Field(ge=1, le=10_000)] = 8
    """Used only with `accelerator`."""


class HostFabric(WithHosts):
    """Base class of the parameters of a fabric with separate links of hosts and between switches."""

    n_ports_per_host: Ports = 1
    """Members of the bundle between a host and a switch."""
    capacity_gbps: Capacity | None = None
    """Capacity per member of a link between switches; None = the transceiver's rate."""
    host_capacity_gbps: Capacity | None = None
    """Capacity per member of a link between host and switch; None = the transceiver's rate."""
    transceiver: Id | None = None
    """Transceiver between switches."""
    host_transceiver: Id | None = None
    """Transceiver between host and switch."""


class SwitchFabric(HostFabric):
    """Base class of the parameters of a fabric whose switches are all of one model."""

    part: Id | None = None
    """Catalogue id of all switches."""


Kind = Literal["leaf", "spine", "core", "switch"]


def switch(
    name: str, kind: Kind, params: WithHosts, part: str | None, *, pod: str | None = None, rail: int | None = None
) -> Node:
    """Return a switch at the site and with the date of the fabric."""
    return Node(name, kind, site=params.site, part=part, pod=pod, rail=rail, installed=params.installed)


def host(name: str, params: WithHosts, *, pod: str | None = None) -> Node:
    """Return a host with the accelerators of the fabric."""
    return Node(
        name,
        "host",
        site=params.site,
        accelerator=params.accelerator,
        n_accelerators=params.n_accelerators_per_host if params.accelerator else 0,
        pod=pod,
        installed=params.installed,
    )


def switch_link(lower: str, upper: str, params: HostFabric, n_parallel: int = 1) -> Link:
    """Return a bundle between two switches."""
    return Link(
        f"{lower}~{upper}",
        (lower, upper),
        capacity_gbps=params.capacity_gbps,
        n_parallel=n_parallel,
        transceiver=params.transceiver,
        installed=params.installed,
    )


def host_link(name: str, leaf: str, params: HostFabric) -> Link:
    """Return the bundle between a host and a switch."""
    return Link(
        f"{name}~{leaf}",
        (name, leaf),
        capacity_gbps=params.host_capacity_gbps,
        n_parallel=params.n_ports_per_host,
        transceiver=params.host_transceiver,
        installed=params.installed,
    )


def hosts_of(
    block: str, switches: Iterable[str], n_per_switch: int, params: HostFabric
) -> tuple[list[Node], list[Link]]:
    """Build hosts `block/host-S-1` for each switch `block/...-S`, and their links."""
    nodes: list[Node] = []
    links: list[Link] = []
    for name in switches:
        number = name[len(block) + 1 :].partition("-")[2]
        for host_name in padded(f"{block}/host-{number}-", n_per_switch):
            nodes.append(host(host_name, params))
            links.append(host_link(host_name, name, params))
    return nodes, links


def n_parallel_for(oversubscription_ratio: float, down_gbps: float, n_up: int, up_gbps: float, where: str) -> int:
    """Return the members of each uplink bundle that give an oversubscription.

    Args:
        oversubscription_ratio: capacity towards hosts over capacity towards the next tier.
        down_gbps: capacity of a switch towards hosts.
        n_up: bundles of a switch towards the next tier.
        up_gbps: capacity of a member of them.
        where: name of the parameter, for messages.

    Raises:
        TopologyError: no whole number of members gives the ratio; the nearest ratios are named.
    """
    capacity_gbps = oversubscription_ratio * n_up * up_gbps
    exact = down_gbps / capacity_gbps if capacity_gbps > 0.0 else math.inf
    if exact > MAX_MEMBERS:
        raise TopologyError(
            f"{where} {oversubscription_ratio:g} needs bundles of {exact:.3g} members",
            expected=f"at most {MAX_MEMBERS:,} members in a bundle",
        )
    n_parallel = round(exact)
    if n_parallel < 1 or abs(exact - n_parallel) > 1e-9 * exact:
        near = sorted({max(1, int(exact)), int(exact) + 1})
        ratios = " or ".join(f"{down_gbps / (n * n_up * up_gbps):.6g} (bundles of {n})" for n in near)
        raise TopologyError(
            f"{where} {oversubscription_ratio:g} needs bundles of {exact:.6g} members",
            expected=f"a ratio that whole bundles give, such as {ratios}",
            hint="or other numbers of hosts, spines or ports",
        )
    return n_parallel


def rates_gbps(params: HostFabric) -> tuple[float, float]:
    """Return the capacity of a member towards a host and between switches; both 1 if neither is stated.

    Raises:
        TopologyError: one is stated and the other is not.
    """
    rates = [
        catalogue().get(part, "transceiver").value("rate_gbps") if stated is None and part is not None else stated
        for stated, part in (
            (params.host_capacity_gbps, params.host_transceiver),
            (params.capacity_gbps, params.transceiver),
        )
    ]
    down_gbps, up_gbps = rates
    if down_gbps is None and up_gbps is None:
        return 1.0, 1.0
    if down_gbps is None or up_gbps is None:
        missing = "host_capacity_gbps" if down_gbps is None else "capacity_gbps"
        raise TopologyError(f"an oversubscription needs {missing}", hint=f"state {missing}, or a transceiver")
    return down_gbps, up_gbps
