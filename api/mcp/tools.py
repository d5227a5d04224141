"""The table of tools: names, descriptions and input schemas. Agents read all of it first, so it is short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from twin.studies.failure_kinds import KINDS

from . import views
from .shorten import TOP

Schema = dict[str, Any]
View = Callable[[dict[str, Any]], dict[str, Any]]
MAX_TOP = 1000
"""Most items of a list that a call may ask for."""

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
TEXTS: Schema = {"type": "array", "items": TEXT}
RECORDS: Schema = {"type": "array", "items": {"type": "object"}}
ASKED: Schema = {"network": TEXT, "job": TEXT, "ageing": {"enum": ["low", "value", "high"]}}
AFTER: Schema = {"plan": TEXT, "changes": RECORDS}
SHOWN: Schema = {"fields": TEXTS, "top": WHOLE}


class Tool(NamedTuple):
    """One tool of the server."""

    name: str
    description: str
    properties: Schema
    """JSON schemas of the arguments."""
    required: tuple[str, ...] = ()
    question: str = ""
    """Path of the question that it asks; empty for tools that only list."""
    view: View = dict
    """Shortens the answer as plain data: what is most important comes first."""
    top: int = TOP
    """Most items of a list, unless a call says otherwise."""
    next_step: str = ""
    """Question that a reader may ask after the answer."""

    @property
    def schema(self) -> Schema:
        """Return the JSON schema of the arguments."""
        schema: Schema = {"type": "object", "properties": self.properties}
        return schema | {"required": list(self.required)} if self.required else schema


TOOLS: tuple[Tool, ...] = (
    Tool(
        "networks",
        "List the networks and files that the other tools take as `network`. Arguments of all tools: `job` and "
        "`ageing` have defaults; `top` is the most items per list; `fields` picks fields of the full answer in place "
        "of the short one, such as metrics.step_time_s. Units are in the names of figures; ratios are 0 to 1.",
        {},
        top=100,
        next_step="describe with one of these as network",
    ),
    Tool(
        "describe",
        "Describe a network: sites, jobs, plans, main metrics. With `about`, one thing instead: links (the busiest), "
        "metrics, changes (kinds), a kind of change (fields, example), parts (catalogue ids), or the id of a part.",
        {"about": TEXT} | ASKED | SHOWN,
        ("network",),
        next_step="explain (if there is a job) or failures; what_if with one of the plans; plan to search for changes",
    ),
    Tool(
        "what_if",
        "Compare the network before and after exactly one of `plan` (an id in its document) and `changes` "
        '([{"kind": ..., ...}], see describe about="changes"). Returns the verdict, metrics that change, purchases '
        "with cost, causes, links and demands that get better or worse. Nothing is stored.",
        ASKED | AFTER | SHOWN,
        ("network",),
        "what-if",
        views.what_if,
        next_step='explain or failures with the same plan or changes; fields=["purchases"] for all of them',
    ),
    Tool(
        "explain",
        "Explain what limits the training step of a job, also after `plan` or `changes`: parts in seconds, share of "
        "each cause, which removals save most.",
        ASKED | AFTER | SHOWN,
        ("network",),
        "explain",
        views.explain,
        next_step="what_if with a change that removes the first cause; describe with about=changes lists kinds",
    ),
    Tool(
        "link",
        "Report one link (id, or a glob that matches one), also after `plan` or `changes`: optical margin, capacity "
        "and what limits it, load, latency, failures, forecast over `years`.",
        {"link": TEXT, "years": WHOLE} | ASKED | AFTER | SHOWN,
        ("network", "link"),
        "link",
        views.link,
        next_step="what_if with a change of this link, such as set_channels or set_transceivers",
    ),
    Tool(
        "failures",
        "Fail everything of one kind, one by one (`depth` 1) or in pairs (2; `sample` draws some): demand lost, step "
        "time, fullest links, how often.",
        {"of": {"enum": list(KINDS)}, "depth": WHOLE, "sample": WHOLE} | ASKED | AFTER | SHOWN,
        ("network",),
        "failures",
        views.failures,
        next_step="failures with plan or changes, to see what they prevent; link for the fullest link",
    ),
    Tool(
        "plan",
        "Search sets of changes: the best `goal` (a metric) within `budget_usd`, or the least cost that reaches "
        '`target` ("step_time_s=4") and meets `keep` ("max_link_utilisation_ratio<=0.7") until the year `until`. '
        "Candidates are found in the catalogue unless `generate` is false; own ones are {id, changes}. May take a "
        "minute.",
        {
            "budget_usd": NUMBER,
            "goal": TEXT,
            "target": TEXT,
            "keep": TEXTS,
            "until": WHOLE,
            "robust_to": {"enum": ["link", "srlg", "site"]},
            "candidates": RECORDS,
            "generate": {"type": "boolean"},
        }
        | ASKED
        | SHOWN,
        ("network",),
        "plan",
        views.plan,
        next_step="what_if with changes = chosen.changes, to see effects and causes",
    ),
    Tool(
        "compare",
        "Compare plans of a network side by side, all of them by default, and name the best.",
        {"plans": TEXTS} | ASKED | SHOWN,
        ("network",),
        "compare",
        views.compare,
        top=40,
        next_step="what_if with the best plan, to see purchases and causes",
    ),
)
TOOL_BY_NAME = {tool.name: tool for tool in TOOLS}
