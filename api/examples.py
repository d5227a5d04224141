"""Example request bodies. A test posts each of them."""

from __future__ import annotations

from typing import Any

SCORE_EXAMPLES: dict[str, dict[str, Any]] = {
    "a network by name": {"network": "memphis-small"},
    "another job, pessimistic ageing": {"network": "memphis-small", "job": "everything", "ageing": "high"},
    "a document": {
        "network": {
            "name": "two hosts",
            "nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}],
            "links": [{"id": "a~b", "ends": ["a", "b"], "capacity_gbps": 100}],
            "demands": [{"id": "a-b", "source": "a", "target": "b", "offered_gbps": 40}],
        }
    },
}
WHAT_IF_EXAMPLES: dict[str, dict[str, Any]] = {
    "a plan": {"network": "memphis-small", "plan": "fibre-upgrade"},
    "a route is cut": {
        "network": "memphis-small",
        "changes": [{"kind": "fail_srlg", "srlg": "duct-13-a"}],
    },
    "new routers, five years later": {
        "network": "memphis-small",
        "job": "flagship",
        "changes": [
            {"kind": "swap_switches", "nodes": {"kind": "border"}, "part": "border-deep-51.2T"},
            {"kind": "age", "years": 5, "links": "wan-*"},
        ],
    },
}
MONEY_EXAMPLES: dict[str, dict[str, Any]] = {
    "a plan": {"network": "memphis-small", "plan": "fibre-and-balance"},
    "over ten years, work worth nothing": {
        "network": "memphis-small",
        "plan": "second-pair",
        "horizon_years": 10,
        "usd_per_million_tokens": 0,
    },
}
READINESS_EXAMPLES: dict[str, dict[str, Any]] = {
    "as it is": {"network": "memphis-small"},
    "a plan on a day": {"network": "memphis-small", "plan": "hardware-swap", "on": "2027-03-31"},
}
SCHEDULE_EXAMPLES: dict[str, dict[str, Any]] = {
    "the order of works of a plan": {"network": "memphis-small", "plan": "fibre-upgrade", "n_waves": 1},
}
DIFF_EXAMPLES: dict[str, dict[str, Any]] = {
    "two plans": {"network": "memphis-small", "plan": "second-pair", "other_plan": "fibre-upgrade", "top": 3},
    "as it is, and five years later": {
        "network": "memphis-small",
        "other_changes": [{"kind": "age", "years": 5, "links": "wan-*"}],
        "fields": ["verdict", "metrics.min_coherent_margin_db"],
    },
}
COMPARE_EXAMPLES: dict[str, dict[str, Any]] = {
    "two plans": {"network": "memphis-small", "plans": ["fibre-upgrade", "second-pair"], "fields": ["summary"]},
}
LEASES_EXAMPLES: dict[str, dict[str, Any]] = {
    "as it is": {"network": "memphis-small"},
    "beside the upgrade": {"network": "memphis-small", "plan": "fibre-and-balance"},
}
FORECAST_EXAMPLES: dict[str, dict[str, Any]] = {
    "wide-area links, traffic growing": {"network": "memphis-small", "years": 30, "growth_ratio_per_year": 0.2},
    "some links, after a plan": {"network": "memphis-small", "links": "wan-1-*", "plan": "fibre-upgrade"},
    "by tier, with new optics": {
        "network": "memphis-small",
        "links": {"tier": "wide_area"},
        "changes": [{"kind": "set_transceivers", "links": "wan-*", "part": "OpenZR+-400G"}],
    },
}
LINK_EXAMPLES: dict[str, dict[str, Any]] = {
    "a link": {"network": "memphis-small", "link": "wan-1-2"},
    "after ten years, pessimistic ageing, without a forecast": {
        "network": "memphis-small",
        "link": "wan-1-2",
        "years": None,
        "changes": [{"kind": "age", "years": 10}],
        "ageing": "high",
    },
}
GROWTH_EXAMPLES: dict[str, dict[str, Any]] = {
    "30 % a year": {"network": "leaf-spine-demo", "growth_ratio_per_year": 0.3},
    "node failures, 90 %": {
        "network": "leaf-spine-demo",
        "growth_ratio_per_year": 0.3,
        "limit_ratio": 0.9,
        "of": "node",
        "top": 5,
    },
}
PLAN_EXAMPLES: dict[str, dict[str, Any]] = {
    "least utilisation, own candidates": {
        "network": "leaf-spine-demo",
        "budget_usd": 1e6,
        "generate": False,
        "candidates": [
            {"id": "uplinks", "changes": [{"kind": "set_channels", "links": "leaf-1~spine-*", "n_parallel": 2}]},
        ],
    },
    "a step time at least cost": {
        "network": "memphis-small",
        "target": "step_time_s=3.5",
        "generate": False,
        "candidates": [
            {"id": "balance", "changes": [{"kind": "split_work", "split": "balanced"}]},
            {
                "id": "routers",
                "changes": [{"kind": "swap_switches", "nodes": {"kind": "border"}, "part": "border-deep-51.2T"}],
            },
        ],
    },
}
PATH_EXAMPLES: dict[str, dict[str, Any]] = {
    "the paths between two hosts": {"network": "leaf-spine-demo", "source": "host-1-1", "target": "host-2-1"},
    "after a route is cut": {
        "network": "memphis-small",
        "source": "c1/border-1",
        "target": "c3/border-1",
        "max_paths": 4,
        "changes": [{"kind": "fail_srlg", "srlg": "duct-13-a"}],
    },
}
DEMANDS_EXAMPLES: dict[str, dict[str, Any]] = {
    "what is lost first": {
        "network": "leaf-spine-demo",
        "changes": [{"kind": "scale_demands", "factor_ratio": 4}],
        "sort": "lost",
        "top": 10,
    },
}
AVAILABILITY_EXAMPLES: dict[str, dict[str, Any]] = {
    "availability of each demand": {"network": "leaf-spine-demo", "loss_above_ratio": 0.25},
}
LINKS_EXAMPLES: dict[str, dict[str, Any]] = {
    "the busiest links": {"network": "memphis-small", "sort": "utilisation", "top": 20},
    "some links after a plan": {"network": "memphis-small", "links": "wan-*", "plan": "fibre-upgrade"},
}
EXPLAIN_EXAMPLES: dict[str, dict[str, Any]] = {
    "the bottlenecks of a step": {"network": "memphis-small"},
    "the bottlenecks after a plan": {"network": "memphis-small", "plan": "border-router-swap"},
    "another job, after ten years, pessimistic ageing": {
        "network": "memphis-small",
        "job": "everything",
        "changes": [{"kind": "age", "years": 10}],
        "ageing": "high",
    },
}
SWEEP_EXAMPLES: dict[str, dict[str, Any]] = {
    "the capacity from which the first campus helps": {
        "network": "memphis-small",
        "plan": "fibre-and-balance",
        "vary": "links.wan-*.total_gbps=400..51200:log15",
        "against": "leave-out-first-campus",
    },
    "two inputs with lists of values": {
        "network": "memphis-small",
        "vary": [
            {"path": "age", "values": [0, 10, 20, 30]},
            {"path": "job.split", "values": ["uniform", "balanced"]},
        ],
        "metric": "tokens_per_s",
    },
    "members that fail after a route is cut": {
        "network": "memphis-small",
        "changes": [{"kind": "fail_srlg", "srlg": "duct-13-a"}],
        "vary": {"path": "links.wan-1-2.n_failed", "values": "0..6:4"},
        "metric": "max_link_utilisation_ratio",
    },
}
FAILURES_EXAMPLES: dict[str, dict[str, Any]] = {
    "every link, with demands": {"network": "leaf-spine-demo"},
    "every shared risk, and the step of a job": {"network": "memphis-small", "of": "srlg", "job": "flagship"},
    "every node after a plan": {"network": "memphis-small", "of": "node", "plan": "border-router-swap", "top": 20},
}
OPTIMUM_EXAMPLES: dict[str, dict[str, Any]] = {
    "how good routing could be": {"network": "leaf-spine-demo"},
    "after a link fails, to a tenth of a per cent": {
        "network": "leaf-spine-demo",
        "gap_ratio": 0.001,
        "changes": [{"kind": "fail_links", "links": "leaf-1~spine-1"}],
    },
}
SAMPLE_EXAMPLES: dict[str, dict[str, Any]] = {
    "how sure is the busiest link?": {"network": "leaf-spine-demo", "n_samples": 16},
    "a demand that is not known well": {
        "network": {
            "name": "two hosts",
            "nodes": [{"id": "a", "kind": "host"}, {"id": "b", "kind": "host"}],
            "links": [{"id": "a~b", "ends": ["a", "b"], "capacity_gbps": 100}],
            "demands": [{"id": "a-b", "source": "a", "target": "b", "offered_gbps": 40}],
            "uncertain": [{"where": "demands.a-b", "low": 30, "value": 40, "high": 90}],
        },
        "n_samples": 64,
        "metric": "max_link_utilisation_ratio",
    },
}
DECIDE_EXAMPLES: dict[str, dict[str, Any]] = {
    "train, upgrade or lease?": {
        "network": "memphis-small",
        "job": "flagship",
        "plans": ["fibre-and-balance"],
        "lease": ["c1"],
        "share": ["c1"],
        "n_samples": 2,
    },
}
DRAWING_EXAMPLES: dict[str, dict[str, Any]] = {
    "as it is": {"network": "leaf-spine-demo"},
    "after a plan": {"network": "memphis-small", "plan": "fibre-upgrade"},
    "after the worst failure": {"network": "leaf-spine-demo", "worst_failure": True},
}
REPORT_EXAMPLES: dict[str, dict[str, Any]] = {
    "text for a ticket": {"network": "leaf-spine-demo", "format": "markdown", "main_assumptions": False},
}
