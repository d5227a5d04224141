"""A rail-only fabric: one switch for each rail and no switch between rails.

Source: Wang, Ghobadi, Shakeri, Zhang and Hasani, Rail-only: a low-cost high-performance network for training LLMs with
trillion parameters, Hot Interconnects 2024.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from twin.model.network import Expansion
from twin.model.records import Link, Node

from .generator import Generator, padded
from .hosts import SwitchFabric, host, host_link, switch


class RailOnly(SwitchFabric):
    """Parameters of a rail-only fabric."""

    n_rails: Annotated[int, Field(ge=1, le=1000)] = 8
    """Rails, one switch each."""
    n_hosts: Annotated[int, Field(ge=1, le=100_000)]
    """Hosts; each has a link of `n_ports_per_host` members to every rail."""


def size(params: RailOnly) -> tuple[int, int]:
    """Count nodes and links: hosts + rails, and hosts * rails."""
    return params.n_hosts + params.n_rails, params.n_hosts * params.n_rails


def top_tier(block: str, params: RailOnly) -> tuple[str, ...]:
    """Return the switches of the rails."""
    return tuple(padded(f"{block}/leaf-r", params.n_rails))


def build(block: str, params: RailOnly) -> Expansion:
    """Build nodes `block/leaf-r1`, `block/host-01` and the link of each host to each rail."""
    rails = top_tier(block, params)
    pod = f"{block}/pod"
    nodes: list[Node] = [
        switch(name, "leaf", params, params.part, pod=pod, rail=rail) for rail, name in enumerate(rails, 1)
    ]
    links: list[Link] = []
    for name in padded(f"{block}/host-", params.n_hosts):
        nodes.append(host(name, params, pod=pod))
        links += [host_link(name, rail, params) for rail in rails]
    return Expansion(tuple(nodes), tuple(links))


RAIL_ONLY = Generator(
    RailOnly, size, build, "One switch for each rail, no spines: traffic between rails goes over NVLink.", top_tier
)
