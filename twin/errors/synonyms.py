"""Other words for the names of this product, for hints: what other tools and other spellings call them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

SYNONYMS: dict[str, tuple[str, ...]] = {
    # ageing cases, as answers name them
    "optimistic": ("low",),
    "central": ("value",),
    "pessimistic": ("high",),
    # kinds of nodes, and the lists of a document
    "tor": ("leaf",),
    "top_of_rack": ("leaf",),
    "edge": ("leaf", "border"),
    "aggregation": ("spine",),
    "agg": ("spine",),
    "distribution": ("spine",),
    "superspine": ("core",),
    "router": ("border", "core"),
    "gateway": ("border",),
    "dci": ("border",),
    "server": ("host",),
    "compute": ("rack", "host"),
    "bridge": ("switch",),
    "devices": ("nodes",),
    "switches": ("nodes",),
    "routers": ("nodes",),
    "servers": ("nodes",),
    "hosts": ("nodes",),
    "racks": ("nodes",),
    "vertices": ("nodes",),
    "edges": ("links",),
    "cables": ("links",),
    "circuits": ("links",),
    "connections": ("links",),
    "flows": ("demands",),
    "traffic_matrix": ("demands", "traffic"),
    "traffic_blocks": ("traffic",),
    "workloads": ("jobs",),
    "scenarios": ("plans",),
    "locations": ("sites",),
    "campuses": ("sites",),
    "datacenters": ("sites",),
    "generators": ("fabrics",),
    "blocks": ("fabrics",),
    # fields of nodes, links and demands
    "type": ("kind",),
    "role": ("kind",),
    "bandwidth": ("capacity_gbps", "offered_gbps", "total_gbps"),
    "speed": ("capacity_gbps", "rate_gbps"),
    "rate": ("capacity_gbps", "offered_gbps", "rate_gbps"),
    "capacity": ("capacity_gbps", "total_gbps"),
    "throughput": ("capacity_gbps", "tokens_per_s"),
    "volume": ("offered_gbps",),
    "demand": ("offered_gbps",),
    "load": ("offered_gbps", "max_link_utilisation_ratio"),
    "length": ("length_km",),
    "distance": ("length_km",),
    "loss": ("measured_loss_db", "lumped_loss_db"),
    "attenuation": ("measured_loss_db", "lumped_loss_db"),
    "latency": ("latency_us", "worst_rtt_us"),
    "delay": ("latency_us", "worst_rtt_us"),
    "rtt": ("latency_us", "worst_rtt_us"),
    "metric": ("weight",),
    "igp_metric": ("weight",),
    "cost": ("weight", "capex_usd", "opex_usd_per_year"),
    "from": ("source",),
    "src": ("source",),
    "to": ("target",),
    "dst": ("target",),
    "destination": ("target",),
    "sink": ("target",),
    "endpoints": ("ends",),
    "nodes": ("ends",),
    "members": ("n_parallel", "n_members"),
    "lag": ("n_parallel",),
    "channels": ("n_parallel",),
    "wavelengths": ("n_parallel",),
    "cables_per_link": ("n_parallel",),
    "optic": ("transceiver",),
    "optics": ("transceiver",),
    "module": ("transceiver",),
    "transponder": ("transceiver",),
    "model": ("part",),
    "hardware": ("part",),
    "sku": ("part",),
    "asic": ("part",),
    "gpu": ("accelerator", "n_accelerators"),
    "gpus": ("n_accelerators",),
    "accelerators": ("n_accelerators",),
    "location": ("site",),
    "datacenter": ("site",),
    "campus": ("site",),
    "region": ("site",),
    "commissioned": ("installed",),
    "installation_date": ("installed",),
    "date": ("installed", "as_of"),
    "status": ("up",),
    "state": ("up",),
    "enabled": ("up",),
    "srlg": ("srlgs",),
    "risk_group": ("srlgs",),
    "risks": ("srlgs",),
    "edfa": ("amplifier",),
    "wdm": ("mux",),
    "lat": ("latitude_deg",),
    "lon": ("longitude_deg",),
    "power": ("power_megawatts", "launch_dbm"),
    "tx_power": ("launch_dbm",),
    "rx_power": ("measured_received_dbm",),
    # fields of jobs
    "tensor": ("tp",),
    "tensor_parallel": ("tp",),
    "pipeline": ("pp",),
    "pipeline_parallel": ("pp",),
    "context_parallel": ("cp",),
    "expert_parallel": ("ep",),
    "data_parallel": ("dp",),
    "batch": ("n_global_batch",),
    "batch_size": ("n_global_batch",),
    "global_batch": ("n_global_batch",),
    "microbatch": ("n_micro_batch",),
    "seq_len": ("n_sequence",),
    "sequence_length": ("n_sequence",),
    "layers": ("n_layers",),
    "hidden_size": ("n_hidden",),
    "heads": ("n_heads",),
    "vocab": ("n_vocab",),
    "dtype": ("precision",),
    # metrics
    "mlu": ("max_link_utilisation_ratio",),
    "utilisation": ("max_link_utilisation_ratio", "p99_link_utilisation_ratio"),
    "congestion": ("max_link_utilisation_ratio",),
    "mfu": ("mfu_ratio",),
    "margin": ("min_margin_db", "required_margin_db"),
    "tco": ("usd_per_effective_pflop_day", "opex_usd_per_year", "capex_usd"),
}
"""Names of this product by words that others use for them, the most likely one first. Only names that are possible at
a place are hinted at."""

BRITISH = {
    "utilization": "utilisation",
    "fiber": "fibre",
    "center": "centre",
    "neighbor": "neighbour",
    "synchronize": "synchronise",
    "gray": "grey",
    "meter": "metre",
}
"""Spelling of this product by that of the United States."""
COUNT_OR_UNIT = re.compile(
    r"^(n|num|number_of|no_of)_|_(count|gbps|mbps|gbit|gb|g|bps|km|m|us|ms|s|db|dbm|w|mw|ratio)$"
)
FORMS = {"spans": "[{length_km: 40}]", "ends": "[a, b]", "parallelism": "{tp: 8}", "placement": "[{site: a}]"}
"""How the value of a field is written, where a hint should show it."""


def british(name: str) -> str:
    """Return a name in the spelling of this product."""
    for american, spelling in BRITISH.items():
        name = name.replace(american, spelling)
    return name


def synonyms_of(name: str, known: Collection[str]) -> list[str]:
    """Return the known names that another word stands for; a unit at its end and a leading `n_` do not count."""
    for word in _words_of(british(name.strip().lower())):
        if word != name and word in known:
            return [word]
        found = [target for target in SYNONYMS.get(word, ()) if target in known]
        if found:
            return found
    return []


def _words_of(name: str) -> Iterator[str]:
    """Yield the name, and the name without count prefix and unit."""
    plain = re.sub(r"[\s-]+", "_", name)
    yield plain
    bare = re.sub(
        r"^(n|num|number_of|no_of)_|_?(count|gbps|mbps|gbit|gb|g|bps|km|m|us|ms|db|dbm|w|mw|gbit_s)$", "", plain
    )
    if bare and bare != plain:
        yield bare
