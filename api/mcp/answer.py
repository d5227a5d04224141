"""Answers to calls of tools: arguments are checked, the question is asked, the answer is shortened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from threading import Event
from typing import Any

from twin.topologies import NETWORKS

from twin.answers.metrics import metric_rows
from twin.catalogue import Part, catalogue
from twin.errors import CatalogueError, ChangeError, Issue, TwinError, did_you_mean
from twin.network import Network
from twin.scenario.change_reference import change_row, change_rows
from twin.scenario.changes import CHANGES
from twin.units import unit_of

from ..body_reader import read_body
from ..problems import NotFoundError, ProblemError
from ..questions.context import Context, Limits
from ..questions.table import QUESTIONS
from . import views
from .networks import RootedNetworks
from .shorten import MAX_ASKED_CHARACTERS, MAX_CHARACTERS, TOP, shortened
from .tools import MAX_TOP, TOOL_BY_NAME, Tool

Data = dict[str, Any]
QUESTION_BY_PATH = {question.path: question for question in QUESTIONS}
MAX_ERROR_CHARACTERS = 3_000
MAX_ASKED_TOP = 100
"""Most rows that a question is asked for; each question accepts as many."""
TOPICS = ("links", "metrics", "changes", "parts")
WHAT_IF_STEP = "what_if with changes=[...] of this kind"
NEXT_STEPS = {
    "links": "link for one of them, or failures",
    "metrics": "plan with one of them as goal",
    "changes": "describe with about= one of these kinds, for its fields",
    "parts": "describe with about= one of these ids, for its figures",
}
"""Question that follows from what `describe` returns about a topic."""


class ToolAnswer:
    """Answers calls of tools, one after the other.

    Args:
        networks: networks that tools may name.
        limits: bounds on the work of one call.
    """

    def __init__(self, networks: RootedNetworks, limits: Limits) -> None:
        self._networks, self._limits = networks, limits

    def answer(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, bool]:
        """Return the text of an answer or of an error, and whether it is an error.

        Args:
            name: name of the tool.
            arguments: arguments of the call, as sent.
        """
        try:
            return self._answer(name, dict(arguments)), False
        except NotFoundError as error:
            return _error_text(error.error), True
        except ProblemError as error:
            return f"{error.error}: {error.detail}" + f" ({error.hint})" * bool(error.hint), True
        except TwinError as error:
            return _error_text(error), True

    def _answer(self, name: str, arguments: Data) -> str:
        if name not in TOOL_BY_NAME:
            expected = f"one of {', '.join(TOOL_BY_NAME)}"
            hint = did_you_mean(name, TOOL_BY_NAME)
            raise CatalogueError(f"no tool {name[:100]!r}", where="name", expected=expected, hint=hint)
        tool = TOOL_BY_NAME[name]
        _check_names(tool, arguments)
        fields, top = _fields_of(arguments), _top_of(arguments)
        if tool.name == "networks":
            data = self._networks_data()
        elif tool.name == "describe":
            data = self._described(dict(arguments), fields, top)
        else:
            data = self._asked(tool, arguments, fields, top)
        is_short = fields is None and top is None
        return shortened(
            data,
            top=top or tool.top,
            max_characters=MAX_CHARACTERS if is_short else MAX_ASKED_CHARACTERS,
            more="top=N for longer lists; fields=[...] for other fields of the full answer",
            next_step=_next_step(tool, arguments) if is_short else "",
        )

    def _networks_data(self) -> Data:
        files = self._networks.files()
        data: Data = {"networks": dict(sorted(NETWORKS.items()))}
        stored = self._networks.stored()
        return ({"stored": stored} if stored else {}) | data | ({"files": files} if files else {})

    def _asked(self, tool: Tool, arguments: Data, fields: list[str] | None, top: int | None) -> Data:
        """Return the answer to a question of the service: some fields of the whole one, or its short form."""
        question = QUESTION_BY_PATH[tool.question]
        known = question.request.model_fields
        if top is not None and "top" in known:
            arguments = arguments | {"top": min(top, MAX_ASKED_TOP)}
        if "main_assumptions" in known:  # they take most of the time
            is_wanted = any(name.startswith("main_assumptions") for name in fields or ())
            arguments = arguments | {"main_assumptions": is_wanted}
        request = read_body(json.dumps(arguments).encode(), question.request)
        answer = question.compute(request, Context(self._networks, self._limits, Event()))
        return tool.view(answer.to_dict()) if fields is None else answer.to_dict(fields)

    def _described(self, arguments: Data, fields: list[str] | None, top: int | None) -> Data:
        about = arguments.pop("about", None)
        if about is None and fields is not None:
            return self._asked(SCORE, arguments, fields, top)
        network = self._networks.get(arguments["network"])
        if about is None:
            return self._network_data(network, arguments)
        if about == "links":
            return views.links(network.link_table(sort="utilisation", top=top or TOP).to_dict())
        if about == "metrics":
            return {"metrics": {row["key"]: row["meaning"] for row in metric_rows()}}
        if about == "changes":
            return {"changes": {row["kind"]: row["summary"] for row in change_rows()}}
        if about in CHANGES:
            return _change_data(about)
        if about == "parts":
            return {"parts": _parts_by_kind(network)}
        parts = {part.id: part for part in (*catalogue().parts(), *network.document.parts)}
        if about not in parts:
            known = (*TOPICS, *CHANGES, *parts)
            expected = f"one of {', '.join(TOPICS)}, a kind of change, or a part"
            raise CatalogueError(
                f"nothing to describe at {str(about)[:100]!r}",
                where="about",
                expected=expected,
                hint=did_you_mean(str(about), known),
            )
        part = parts[about]
        return {"id": part.id, "kind": part.kind, "note": part.note, "figures": _figures_of(part)}

    def _network_data(self, network: Network, arguments: Data) -> Data:
        """Return what a network is: its size, jobs and plans, and its main metrics."""
        data = self._asked(SCORE, arguments, None, None)
        document, arrays = network.document, network.arrays
        return {
            **data,
            "as_of": None if document.as_of is None else document.as_of.isoformat(),
            "note": document.note,
            "n_nodes": arrays.n_nodes,
            "n_links": arrays.n_links,
            "sites": [site.id for site in document.sites],
            "default_job": document.default_job,
            "jobs": {job.id: job.note for job in document.jobs},
            "plans": {plan.id: plan.note for plan in document.plans},
            "srlgs": list(arrays.srlgs),
            "leases": [lease.site for lease in document.leases],
        }


SCORE = Tool("describe", "", {}, (), "score", views.score)


def _next_step(tool: Tool, arguments: Data) -> str:
    """Return the question that follows from an answer; `describe` with a topic has one of its own."""
    about = arguments.get("about")
    if about is None:
        return tool.next_step
    return NEXT_STEPS.get(about, WHAT_IF_STEP if about in CHANGES else "")


def _check_names(tool: Tool, arguments: Data) -> None:
    unknown = [name for name in arguments if name not in tool.properties]
    missing = [name for name in tool.required if arguments.get(name) is None]
    issues = [
        Issue(name, "unknown argument", did_you_mean(name, tool.properties) or f"known: {', '.join(tool.properties)}")
        for name in unknown
    ]
    issues += [Issue(name, "is required") for name in missing]
    if not isinstance(arguments.get("network", ""), str):
        issues.append(Issue("network", "is no text", "a name or a file of the tool `networks`"))
    if issues:
        raise ChangeError(str(issues[0]), where="arguments", found=issues)


def _fields_of(arguments: Data) -> list[str] | None:
    fields = arguments.pop("fields", None)
    if fields is not None and not isinstance(fields, list):
        raise ChangeError("no list", where="fields", expected='a list of names, such as ["metrics.step_time_s"]')
    return fields


def _top_of(arguments: Data) -> int | None:
    top = arguments.pop("top", None)
    if top is not None and (isinstance(top, bool) or not isinstance(top, int) or not 1 <= top <= MAX_TOP):
        raise ChangeError(f"{str(top)[:100]!r}", where="top", expected=f"a whole number from 1 to {MAX_TOP}")
    return top


def _change_data(kind: str) -> Data:
    """Return a kind of change with its fields and an example."""
    row = change_row(kind)
    records = {
        name: {"fields": {field["name"]: field["values"] for field in record["fields"]}, "forms": record["forms"]}
        for name, record in row["records"].items()
    }
    fields = {
        field["name"]: ", ".join(
            filter(None, [field["values"], "required" if field["required"] else "optional", field["meaning"]])
        )
        for field in row["fields"]
    }
    return {
        "kind": kind,
        "summary": row["summary"],
        "notes": row["notes"],
        "example": row["example"],
        "fields": fields,
        "records": records,
    }


def _figures_of(part: Part) -> dict[str, str]:
    units = {name: unit_of(name) for name in part.figures}
    return {name: f"{figure.value:g} {units[name]}".removesuffix(" 1") for name, figure in sorted(part.figures.items())}


def _parts_by_kind(network: Network) -> dict[str, str]:
    by_kind: dict[str, list[str]] = {}
    for part in (*catalogue().parts(), *network.document.parts):
        by_kind.setdefault(part.kind, []).append(part.id)
    return {kind: ", ".join(ids) for kind, ids in by_kind.items()}


def _error_text(error: TwinError) -> str:
    """Return an error with place, value and hint, bounded in length."""
    text = f"{type(error).__name__}: {error}"
    first, _, rest = text.partition("\n  - ")
    if len(error.issues) == 1 and first.endswith(rest):  # the only item of the list is there already
        text = first
    return text if len(text) <= MAX_ERROR_CHARACTERS else text[: MAX_ERROR_CHARACTERS - 1] + "…"
