"""The networks that ship: they load, fit together, and are what their notes say."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import cache

import pytest

from twin import topologies
from twin.catalogue import catalogue
from twin.errors import CatalogueError
from twin.formats import parse_document
from twin.formats.native import parse_mapping
from twin.model.document import TopologyDocument
from twin.model.jobs import TrainingJob
from twin.model.network import Generators, NetworkGraph
from twin.model.records import Link

NAMES = sorted(topologies.NETWORKS)


@dataclass(frozen=True)
class Loaded:
    document: TopologyDocument
    network: NetworkGraph
    expand_time_s: float


@cache
def loaded(name: str) -> Loaded:
    """A shipped network, expanded and checked once for the whole module."""
    text = topologies.network_text(name)
    document = parse_document(parse_mapping(text, name, as_json=False), name)
    network = NetworkGraph(document, Generators(topologies.expand, topologies.digest))
    start = time.perf_counter()
    _ = network.nodes  # expands, and raises TopologyError with every broken rule
    return Loaded(document, network, time.perf_counter() - start)


def accelerators(name: str) -> Counter[tuple[str | None, str]]:
    count: Counter[tuple[str | None, str]] = Counter()
    for node in loaded(name).network.nodes:
        if node.accelerator:
            count[node.site, node.accelerator] += node.n_accelerators
    return count


def by_site(name: str) -> Counter[str | None]:
    count: Counter[str | None] = Counter()
    for (site, _), n in accelerators(name).items():
        count[site] += n
    return count


def n_replicas(name: str, job: TrainingJob) -> int:
    cut, held = job.parallelism, by_site(name)
    return sum((place.n_accelerators or held[place.site]) // (cut.tp * cut.pp * cut.cp) for place in job.placement)


def job_of(name: str, job_id: str) -> TrainingJob:
    return next(job for job in loaded(name).document.jobs if job.id == job_id)


# --- all of them ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_fits_together_and_names_itself(name: str) -> None:
    found = loaded(name)
    assert found.document.name == name
    assert found.document.assumptions
    assert all(text.startswith(("[press] ", "[assumed] ")) for text in found.document.assumptions)
    assert found.network.nodes
    assert found.network.links


@pytest.mark.parametrize("name", NAMES)
def test_it_comes_back_from_its_canonical_form(name: str) -> None:
    document = loaded(name).document
    assert parse_document(document.to_dict()).to_json() == document.to_json()


@pytest.mark.parametrize("name", NAMES)
def test_no_switch_has_more_cables_than_ports(name: str) -> None:
    network, used = loaded(name).network, Counter[str]()
    for link in network.links:
        for end in link.ends:
            used[end] += link.n_parallel
    switches = [node for node in network.nodes if node.part]
    ports = {
        part: catalogue().get(part, "switch").value("n_ports") for part in {node.part for node in switches} if part
    }
    assert not [node.id for node in switches if used[node.id] > ports[str(node.part)]]


@pytest.mark.parametrize("name", NAMES)
def test_every_optic_fits_the_ports_at_its_ends(name: str) -> None:
    network = loaded(name).network
    parts = {node.id: node.part for node in network.nodes}
    pairs = {(link.transceiver, parts[end]) for link in network.links for end in link.ends}
    for optic_id, switch_id in sorted((a, b) for a, b in pairs if a and b):
        optic, switch = catalogue().get(optic_id, "transceiver"), catalogue().get(switch_id, "switch")
        assert optic.form_factor in switch.cages, (optic_id, switch_id)
        assert (optic.lane_gbps or 0) <= (switch.lane_gbps or 0), (optic_id, switch_id)
        assert optic.value("rate_gbps") <= switch.value("port_gbps"), (optic_id, switch_id)


@pytest.mark.parametrize("name", NAMES)
def test_racks_fit_the_power_and_the_places_of_their_site(name: str) -> None:
    found = loaded(name)
    pue = catalogue().general_figure("site_pue_ratio").value
    racks = Counter(node.site for node in found.network.nodes if node.kind == "rack")
    for site in found.document.sites:
        draw_w = sum(
            n * catalogue().get(part, "accelerator").value("rack_w_per_accelerator")
            for (where, part), n in accelerators(name).items()
            if where == site.id
        )
        assert site.power_megawatts is not None
        assert 0.6 * site.power_megawatts < draw_w * pue / 1e6 <= site.power_megawatts, site.id
        assert racks[site.id] <= (site.n_rack_places or 0)


@pytest.mark.parametrize("name", NAMES)
def test_jobs_have_enough_micro_batches_to_interleave(name: str) -> None:
    for job in loaded(name).document.jobs:
        held = by_site(name)
        assert all((place.n_accelerators or 0) <= held[place.site] for place in job.placement)
        n_micro_batches = job.n_global_batch / job.parallelism.n_micro_batch / n_replicas(name, job)
        assert n_micro_batches >= max(16, job.parallelism.pp), job.id


# --- memphis --------------------------------------------------------------------------------------------------------


def test_memphis_holds_the_accelerators_of_the_story() -> None:
    assert by_site("memphis") == Counter(c1=220_080, c2=110_016, c3=110_016)
    assert accelerators("memphis") == Counter(
        {
            ("c1", "H100"): 150_016,
            ("c1", "H200"): 50_048,
            ("c1", "GB200"): 20_016,
            ("c2", "GB200"): 110_016,
            ("c3", "GB300"): 110_016,
        }
    )


def test_memphis_is_near_a_hundred_thousand_records() -> None:
    found = loaded("memphis")
    n_records = len(found.network.nodes) + len(found.network.links)
    assert 50_000 < n_records < 250_000


@pytest.mark.parametrize(
    ("name", "n_sites", "n_joined"), [("memphis", 3, 256), ("memphis-small", 3, 16), ("two-campus", 2, 0)]
)
def test_campuses_are_joined_by_long_links_only(name: str, n_sites: int, n_joined: int) -> None:
    network = loaded(name).network
    site = {node.id: node.site for node in network.nodes}
    between = [link for link in network.links if site[link.ends[0]] != site[link.ends[1]]]
    assert len(set(site.values())) == n_sites
    assert all(link.spans for link in between)
    assert sum("core" in link.ends[0] for link in between) == n_joined
    assert not [link.id for link in network.links if link.spans and link not in between]


@pytest.mark.parametrize("name", ["memphis", "memphis-small"])
def test_routes_of_memphis_share_their_duct(name: str) -> None:
    links: dict[str, Link] = {link.id: link for link in loaded(name).network.links if link.id.startswith("wan-")}
    assert {key: sum(span.length_km for span in link.spans) for key, link in links.items()} == {
        "wan-1-2": 23,
        "wan-1-3": 25,
    }
    for link in links.values():
        assert sum(span.n_connectors for span in link.spans) == 6
        assert [span.length_km for span in link.spans if "duct-shared" in span.srlgs] == [18]
        assert (link.n_parallel, link.n_fibre_pairs, link.transceiver, link.mux) == (8, 1, "OpenZR+-400G", "mux-8")
        assert all(span.leased and str(span.installed) == "2006-06-01" for span in link.spans)


def test_the_small_memphis_keeps_the_pace_of_the_large_one() -> None:
    for job_id, n_micro_batches in (("flagship", 16), ("everything", 19)):
        for name in ("memphis", "memphis-small"):
            job = job_of(name, job_id)
            assert job.n_global_batch // n_replicas(name, job) == n_micro_batches
        large, small = job_of("memphis", job_id), job_of("memphis-small", job_id)
        assert (large.model, large.parallelism, large.precision) == (small.model, small.parallelism, small.precision)


# --- the table ------------------------------------------------------------------------------------------------------


def test_an_unknown_network_is_answered_with_near_names() -> None:
    with pytest.raises(CatalogueError, match="did you mean 'memphis'"):
        topologies.network_text("memfis")


def test_every_network_has_a_sentence() -> None:
    assert list(topologies.NETWORKS) == NAMES
    assert all(text.endswith(".") and text.count(".") == 1 for text in topologies.NETWORKS.values())
