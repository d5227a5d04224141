"""An example of every kind of change, beside the document that somebody edits by hand to the same end."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.model.samples import campus_data, changed, without

DATA = campus_data()
WAN = next(link for link in DATA["links"] if link["id"] == "wan")
RACK = {"id": "a-rack-3", "kind": "rack", "site": "a", "accelerator": "H100", "n_accelerators": 16}
CABLE = {"id": "a-cable-3", "ends": ["a-rack-3", "a-leaf"], "n_parallel": 4}
SHORT = {"id": "short", "ends": ["a-leaf", "b-leaf"]}
CARD_LOST = changed(DATA, "links", "a-cable-1", n_failed=1)
HALF = changed(DATA, "jobs", "both", placement=[{"site": "b"}, {"site": "a", "n_accelerators": 16}])
MIXED = changed(DATA, "nodes", "a-rack-2", accelerator="H200")
LEASE = {"tenant": "t", "site": "a", "n_accelerators": 8, "usd_per_month": 1e5, "notice_days": 30}
LOCAL = {
    "sync": "local_sgd",
    "n_local_steps": 100,
    "n_fragment_layers": 2,
    "n_overlap_steps": 1,
    "exchange_bits_per_parameter": 4,
}


class Example(NamedTuple):
    """Changes to `data`, and the edited document that must give the same answer."""

    changes: list[dict[str, Any]]
    edited: dict[str, Any]
    data: dict[str, Any] = DATA
    rel: float = 0.0
    """0 = the same bits."""


def spans(**fields: Any) -> list[dict[str, Any]]:
    """The spans of the wide-area link with other fields."""
    return [{**span, **fields} for span in WAN["spans"]]


def _one(kind: str, edited: dict[str, Any], *, data: dict[str, Any] = DATA, rel: float = 0.0, **fields: Any) -> Example:
    return Example([{"kind": kind, **fields}], edited, data, rel)


def _job(kind: str, edited: dict[str, Any], **fields: Any) -> Example:
    return _one(kind, changed(DATA, "jobs", "both", **edited), **fields)


def _wan(kind: str, edited: dict[str, Any], *, rel: float = 0.0, **fields: Any) -> Example:
    return _one(kind, changed(DATA, "links", "wan", **edited), rel=rel, links="wan", **fields)


def _racks(accelerator: str, n: int) -> dict[str, Any]:
    fields = {"accelerator": accelerator, "n_accelerators": n, "installed": "2026-01-01"}
    return changed(changed(DATA, "nodes", "a-rack-1", **fields), "nodes", "a-rack-2", **fields)


STATED = [{"site": "a", "n_micro_batches": 6}, {"site": "b", "n_micro_batches": 26}]
ALONE = [{"site": "b", "n_accelerators": 16}]
MEND = [WAN["spans"][0] | {"n_splices": WAN["spans"][0]["n_splices"] + 2}, WAN["spans"][1]]
SERVERS = {"id": "a-servers", "kind": "host", "site": "a", "part": "server-25G", "installed": "2020-01-01"}
WITH_SERVERS = DATA | {
    "nodes": [*DATA["nodes"], SERVERS],
    "links": [*DATA["links"], {"id": "a-servers-1", "ends": ["a-servers", "a-leaf"]}],
}
TWO_PATHS = DATA | {"links": [*DATA["links"], {"id": "wan-2", "ends": WAN["ends"], "capacity_gbps": 400.0}]}
GROUPS = [
    {"node": "a-border", "target": "b-rack-1", "next_hops": {"wan": 1, "wan-2": 3}},
    {"node": "b-border", "target": "b-rack-1", "next_hops": {"b-up": 1}},
    {"node": "b-leaf", "target": "b-rack-1", "next_hops": {"b-cable-1": 1}},
]
EXAMPLES: list[Example] = [
    # structure
    Example(
        [{"kind": "add_node", "node": RACK}, {"kind": "add_link", "link": CABLE}],
        DATA | {"nodes": [*DATA["nodes"], RACK], "links": [*DATA["links"], CABLE]},
    ),
    _one("add_link", DATA | {"links": [*DATA["links"], SHORT]}, link=SHORT),
    _one("remove_links", without(DATA, "links", "wan"), links="wan"),
    _one(
        "remove_nodes",
        without(without(without(DATA, "nodes", "a-rack-2"), "links", "a-cable-2"), "demands", "west"),
        data=without(DATA, "demands", "west"),
        nodes="a-rack-2",
    ),
    # workload
    _one("scale_demands", changed(DATA, "demands", "east", offered_gbps=500.0), factor_ratio=5, ids=["east"]),
    _job("place_job", {"placement": ALONE}, placement=ALONE),
    _job("leave_sites", {"placement": [{"site": "b"}]}, sites=["a"]),
    _one(
        "use_accelerator",
        changed(MIXED, "jobs", "both", placement=[{"site": "b"}, {"site": "a", "accelerator": "H100"}]),
        data=MIXED,
        site="a",
        accelerator="H100",
    ),
    _job("split_work", {"split": "balanced"}, split="balanced"),
    _job(
        "split_work",
        {"split": "stated", "placement": STATED},
        split="stated",
        n_micro_batches={place["site"]: place["n_micro_batches"] for place in STATED},
    ),
    _job("synchronise", LOCAL, **LOCAL),
    _job(
        "cut_job",
        {"parallelism": {"tp": 4, "fully_sharded": True}, "recompute": "full"},
        tp=4,
        recompute="full",
        fully_sharded=True,
    ),
    _job("recover_job", {"recovery": "elastic", "on_site_loss": "go_on"}, recovery="elastic", on_site_loss="go_on"),
    _one("add_lease", HALF | {"leases": [LEASE]}, data=HALF, lease=LEASE),
    Example(
        [{"kind": "recover_job", "on_card_loss": "pxn", "pxn_spread": "one"}],
        changed(CARD_LOST, "jobs", "both", on_card_loss="pxn", pxn_spread="one"),
        CARD_LOST,
    ),
    _one(
        "set_load_balancing",
        DATA | {"load_balancing": [{"mode": "dlb", "n_flows_per_pair": 2, "tier": "wide_area"}]},
        mode="dlb",
        n_flows_per_pair=2,
        tier="wide_area",
    ),
    _one("set_wcmp_groups", TWO_PATHS | {"wcmp_groups": GROUPS}, data=TWO_PATHS, groups=GROUPS),
    # state
    _wan("set_transceivers", {"transceiver": "400ZR", "installed": "2026-01-01"}, part="400ZR"),
    _wan("set_channels", {"n_parallel": 12, "n_fibre_pairs": 2}, n_parallel=12, n_fibre_pairs=2),
    _wan("set_channels", {"n_parallel": 32, "mux": "mux-64"}, n_parallel=32, mux="mux-64"),
    _wan(
        "set_fibre",
        {"spans": spans(fibre="G.654.E", installed="2026-01-01", n_splices=2, leased=False)},
        fibre="G.654.E",
        n_splices=2,
    ),
    _wan("fail_links", {"n_failed": 3}, n_members=3),
    _one("fail_links", changed(DATA, "links", "a-cable-2", up=False), links="a-cable-2"),
    # four years are 1461 days; an age in years is not exact to the last bit
    _wan("age", {"installed": "2018-01-01", "spans": spans(installed="2006-01-01")}, rel=1e-9, years=4),
    _wan("cut_fibre", {"spans": MEND}, n_cuts=1),
    _one(
        "swap_switches",
        changed(DATA, "nodes", "a-border", part="border-deep-51.2T"),
        nodes="a-border",
        part="border-deep-51.2T",
    ),
    _one(
        "swap_servers",
        changed(WITH_SERVERS, "nodes", "a-servers", part="server-100G", installed="2026-01-01"),
        data=WITH_SERVERS,
        nodes="a-servers",
        part="server-100G",
    ),
    _one(
        "swap_servers",
        changed(changed(DATA, "nodes", "a-rack-1", part="card-400G"), "nodes", "a-rack-2", part="card-400G"),
        nodes={"site": "a", "kind": "rack"},
        part="card-400G",
    ),
    _one(
        "swap_servers",
        changed(DATA, "nodes", "a-rack-1", part="card-400G", n_cards=4),
        nodes="a-rack-1",
        part="card-400G",
        n_cards=4,
    ),
    _one(
        "swap_servers",
        changed(WITH_SERVERS, "nodes", "a-servers", part="card-400G", installed="2026-01-01"),
        data=changed(WITH_SERVERS, "nodes", "a-servers", n_servers=2),
        nodes="a-servers",
        part="card-400G",
    ),
    _one(
        "swap_accelerators",
        _racks("GB300", 12),
        racks={"site": "a", "kind": "rack"},
        accelerator="GB300",
        n_per_rack=12,
    ),
    _one("fail_srlg", changed(DATA, "links", "wan", up=False), srlg="duct"),
    _one("fail_nodes", changed(DATA, "nodes", "a-rack-2", up=False), nodes="a-rack-2"),
]
