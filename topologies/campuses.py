"""Several campuses, each a fabric with border routers on its top tier, and the links between campuses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import Field, create_model, model_validator

from twin.errors import TopologyError, did_you_mean
from twin.model.network import Expansion
from twin.model.records import Id, Link, Node, Span

from .generator import FabricParams, Generator, Params, Ports, padded


class Borders(Params):
    """Border routers of a campus, and their links to the top tier of its fabric."""

    n: Annotated[int, Field(ge=0, le=1000)] = 2
    """Border routers of the campus."""
    part: Id = "border-12.8T"
    """Catalogue id of the routers."""
    n_uplinks: Ports = 16
    """Switches of the top tier that each router is linked to; they are assigned in turn."""
    n_parallel: Ports = 1
    """Members of the bundle to each switch."""
    transceiver: Id = "400G-FR4"
    """Transceiver of the uplinks."""
    installed: date | None = None
    """Date of routers and uplinks; None = the date of the fabric."""


class Campus(Params):
    """A site with one fabric and border routers on its top tier."""

    id: Id
    site: Id
    """Site of the whole campus."""
    borders: Borders = Borders()
    """Border routers and their uplinks."""
    generator: str
    """Name of a generator with a top tier."""
    params: FabricParams
    """Parameters of the generator, without `site`."""

    @property
    def fabric(self) -> FabricParams:
        """Parameters of the fabric, at the site of the campus."""
        return self.params.model_copy(update={"site": self.site})


class Join(Params):
    """Equal links between the top tiers of two campuses, switch by switch, without border routers."""

    ends: tuple[Id, Id]
    """Ids of the two campuses."""
    n_links: Annotated[int, Field(ge=1, le=100_000)]
    """Links, spread over the switches of both top tiers."""
    n_parallel: Ports = 1
    """Members of each link."""
    transceiver: Id
    """Transceiver at both ends."""
    span: Span
    """Fibre of each link."""
    installed: date | None = None
    """Date of the transceivers; None = they do not age."""


class Campuses(Params):
    """Parameters of a group of campuses and their links."""

    campuses: Annotated[tuple[Campus, ...], Field(min_length=1, max_length=1000)]
    """Campuses, each with one fabric."""
    interconnects: Annotated[tuple[Link, ...], Field(max_length=100_000)] = ()
    """Links between campuses; the ends are node ids such as `c1/border-1`."""
    joins: Annotated[tuple[Join, ...], Field(max_length=1000)] = ()
    """Direct links between the top tiers of two campuses."""

    @model_validator(mode="after")
    def _sites_are_those_of_the_campus(self) -> Campuses:
        for campus in self.campuses:
            if campus.params.site not in (None, campus.site):
                raise ValueError(f"campus {campus.id!r} is at {campus.site!r}, its params say {campus.params.site!r}")
        return self


def campuses_of(generators: Mapping[str, Generator[Any]]) -> Generator[Campuses]:
    """Return the generator of campuses over all of these generators that have a top tier."""
    nestable = {name: row for name, row in generators.items() if row.top_tier is not None}

    def size(params: Campuses) -> tuple[int, int]:
        """Count nodes and links: fabrics, border routers with uplinks, interconnects and joins."""
        n_nodes, n_links = 0, len(params.interconnects) + sum(join.n_links for join in params.joins)
        for campus in params.campuses:
            nodes, links = nestable[campus.generator].size(campus.fabric)
            n_nodes += nodes + campus.borders.n
            n_links += links + campus.borders.n * campus.borders.n_uplinks
        return n_nodes, n_links

    def build(block: str, params: Campuses) -> Expansion:
        """Build all campuses; node ids start with the campus id (`c1/rack-0001`, `c1/border-1`), not the block id."""
        return _build(block, params, nestable)

    sentence = "Campuses with border routers on their top tiers, and the long links between them."
    return Generator(_params_with_campus_types(nestable), size, build, sentence)


def _params_with_campus_types(nestable: Mapping[str, Generator[Any]]) -> type[Campuses]:
    """Return parameters with one campus class for each generator, so that fabric parameters are validated."""
    kinds: list[Any] = []
    for name, row in nestable.items():
        generator: Any = Literal[name]
        note = f"A campus whose fabric is built by `{name}`."
        fields: dict[str, Any] = {
            "generator": (generator, ...),
            "params": (row.params, ...),
        }
        kinds.append(create_model(f"{row.params.__name__}Campus", __base__=Campus, __doc__=note, **fields))
    campus: Any = Annotated[reduce(or_, kinds), Field(discriminator="generator")]
    campuses: Any = Annotated[tuple[campus, ...], Field(min_length=1, max_length=1000)]
    return create_model("Campuses", __base__=Campuses, __doc__=Campuses.__doc__, campuses=(campuses, ...))


def _build(block: str, params: Campuses, nestable: Mapping[str, Generator[Any]]) -> Expansion:
    nodes: list[Node] = []
    links: list[Link] = []
    top_tiers: dict[str, tuple[str, ...]] = {}
    for campus in params.campuses:
        if campus.id in top_tiers:
            raise TopologyError(f"campus {campus.id!r} stands twice", where=f"fabrics[{block}].params.campuses")
        row = nestable[campus.generator]
        assert row.top_tier is not None
        part, top_tiers[campus.id] = row.build(campus.id, campus.fabric), row.top_tier(campus.id, campus.fabric)
        nodes += part.nodes
        links += part.links
        _build_borders(campus, top_tiers[campus.id], nodes, links)
    for i, join in enumerate(params.joins):
        links += _build_join(join, top_tiers, f"fabrics[{block}].params.joins[{i}]")
    links += params.interconnects
    return Expansion(tuple(nodes), tuple(links))


def _build_borders(campus: Campus, top: tuple[str, ...], nodes: list[Node], links: list[Link]) -> None:
    """Link border router i to the i-th group of `n_uplinks` switches of the top tier, wrapping at its end."""
    borders = campus.borders
    if borders.n_uplinks > len(top):
        raise TopologyError(
            f"{borders.n_uplinks} uplinks to {len(top)} switches of the top tier",
            where=f"campuses[{campus.id}].borders.n_uplinks",
            hint="fewer uplinks with more n_parallel",
        )
    for i, name in enumerate(padded(f"{campus.id}/border-", borders.n)):
        nodes.append(Node(name, "border", site=campus.site, part=borders.part, installed=borders.installed))
        for j in range(borders.n_uplinks):
            switch = top[(i * borders.n_uplinks + j) % len(top)]
            links.append(
                Link(
                    f"{switch}~{name}",
                    (switch, name),
                    n_parallel=borders.n_parallel,
                    transceiver=borders.transceiver,
                    installed=borders.installed,
                )
            )


def _build_join(join: Join, top_tiers: dict[str, tuple[str, ...]], where: str) -> list[Link]:
    """Link the first `n_links` switches of both top tiers in pairs; adjacent switches are on different rails."""
    for end in join.ends:
        if end not in top_tiers:
            raise TopologyError(f"no campus {end!r}", where=f"{where}.ends", hint=did_you_mean(end, top_tiers))
    first, second = (top_tiers[end] for end in join.ends)
    n_max = min(len(first), len(second))
    if join.n_links > n_max or first is second:
        raise TopologyError(
            f"{join.n_links} links between {join.ends[0]!r} and {join.ends[1]!r}",
            where=f"{where}.n_links",
            expected=f"two campuses and at most {n_max}, the switches of the smaller top tier",
            hint="fewer links with more n_parallel",
        )
    spans = (join.span,)
    return [
        Link(
            f"{a}~{b}",
            (a, b),
            n_parallel=join.n_parallel,
            transceiver=join.transceiver,
            spans=spans,
            installed=join.installed,
        )
        for a, b in zip(first[: join.n_links], second, strict=False)
    ]
