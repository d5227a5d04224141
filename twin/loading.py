"""Loads networks by name or path, or from a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .answers.network_diff import NetworkDiff
from .catalogue import Part, load_price_book
from .catalogue.prices import merge_price_books
from .collector import collector_paused
from .errors import CatalogueError, DocumentError, Issue, TwinError, did_you_mean
from .errors.wording import counted, type_text
from .formats import READERS, parse_document, read_mapping
from .formats.locate import located
from .formats.migrations import migrate
from .formats.native import parse_mapping
from .formats.partial import is_quickly_expanded, reference_issues
from .formats.parts_file import merged_parts, own_parts_of, read_own_parts
from .formats.price_file import read_price_file
from .model.document import TopologyDocument
from .model.network import Generators
from .network import Network
from .scenario.apply import parse_changes
from .scenario.document_schema import document_schema
from .scenario.generated_demands import check_traffic
from .topologies import NETWORKS, check_size, digest, expand, network_text

__all__ = ["Network", "diff", "document_schema", "from_document", "load"]

PartsSource = str | Path | Mapping[str, Any] | Iterable[Part]
"""Path of a file of parts, its content as plain data, or parts."""
GENERATORS = Generators(expand, digest)


def load(
    name_or_path: str | Path,
    *,
    prices: str | Path | Mapping[str, Any] | None = None,
    parts: PartsSource | None = None,
) -> Network:
    """Load a shipped network by name, or a document from a file.

    Args:
        name_or_path: name of a shipped network, or path of a file.
        prices: entries, or a file of entries, that replace those of the price book.
        parts: own parts, or a file of them, beside those of the document; one of the same id replaces it.

    Returns:
        The network. Its records are validated when they are first used.

    Raises:
        CatalogueError: unknown name; the message has similar names.
        DocumentError: the file is not a valid document.
    """
    if not isinstance(name_or_path, str | Path):
        raise DocumentError(
            f"cannot load {type_text(name_or_path)}",
            expected="a name or a path",
            hint="twin.from_document takes documents",
        )
    text = str(name_or_path)
    if text in NETWORKS:
        document = _read_document(parse_mapping(network_text(text), text, as_json=False), text)
        return _network(document, text, prices, parts)
    path = Path(text)
    if path.suffix or path.name != text or path.exists():  # one that does not exist is refused as a file
        with located(path), collector_paused():
            document = _read_document(read_mapping(path), text)
        return _network(document, path.stem, prices, parts, path)
    raise CatalogueError(
        f"no network {text!r}",
        expected=f"one of {', '.join(sorted(NETWORKS))}, or a path ending in {', '.join(sorted(READERS))}",
        hint=did_you_mean(text, NETWORKS),
    )


def from_document(
    document: TopologyDocument | Mapping[str, Any], *, label: str = "document", parts: PartsSource | None = None
) -> Network:
    """Create a network from a document or plain data.

    Args:
        document: a document, or a mapping with its fields.
        label: name in answers if the document has none.
        parts: own parts, or a file of them, beside those of the document; one of the same id replaces it.

    Raises:
        DocumentError: invalid data; it lists every fault.
    """
    if not isinstance(document, TopologyDocument):
        document = _read_document(document, label)
    return _network(document, label, None, parts)


def diff(
    before: str | Path | Network | TopologyDocument | Mapping[str, Any],
    after: str | Path | Network | TopologyDocument | Mapping[str, Any],
    job: str | None = None,
    **options: Any,
) -> NetworkDiff:
    """Compare two networks: records, then metrics; `Network.compare` for two plans of one network.

    Args:
        before: a network, the name of a shipped one, a path, or a document.
        after: the other one.
        job: id of a job of both; the default job of each otherwise.
        options: those of `Network.compare`.
    """
    old, new = (_network_of(network) for network in (before, after))
    return old.compare(new, job=job, **options)


def _network_of(network: str | Path | Network | TopologyDocument | Mapping[str, Any]) -> Network:
    if isinstance(network, Network):
        return network
    return load(network) if isinstance(network, str | Path) else from_document(network)


def _read_document(data: Mapping[str, Any], where: str) -> TopologyDocument:
    """Validate plain data as a document; an error lists bad fields and faults between the valid records together."""
    data = migrate(dict(data), where)
    try:
        return parse_document(data, where)
    except DocumentError as error:
        plans = data.get("plans")
        named = [plan for plan in plans if isinstance(plan, Mapping)] if isinstance(plans, list | tuple) else []
        fields = [plan for plan in named if isinstance(plan.get("id"), str) and isinstance(plan.get("changes"), list)]
        bad = [*error.issues, *_plan_issues((plan["id"], plan["changes"]) for plan in fields)]
        more = reference_issues(data, GENERATORS, check_size)
        problem = counted(len(bad), "bad field")
        problem += f" and {counted(len(more), 'fault')} between records" if more else ""
        raise DocumentError(problem, where=where, found=(*bad, *more)) from error


def _network(
    document: TopologyDocument,
    label: str,
    prices: str | Path | Mapping[str, Any] | None,
    parts: PartsSource | None = None,
    path: Path | None = None,
) -> Network:
    if parts is not None:
        document = merged_parts(document, _own_parts(parts))
    if prices is not None:
        book = read_price_file(Path(prices)) if isinstance(prices, str | Path) else prices
        where = str(prices) if isinstance(prices, str | Path) else "prices"
        load_price_book(book, where=where, own_parts=document.parts)
        document = document.model_copy(update={"price_book": merge_price_books(document.price_book, book)})
    network = Network(document, GENERATORS)
    network.label = document.name or label
    network.at_origin = partial(located, path)
    network._is_as_read = True
    with network.at_origin():
        check_size(document)
        check_traffic(document)
        _check_plans(network, label)
    return network


def _own_parts(parts: PartsSource) -> Iterable[Part]:
    if isinstance(parts, str | Path):
        return read_own_parts(parts)
    return own_parts_of(parts, "parts") if isinstance(parts, Mapping) else parts


def _plan_issues(changes_by_plan: Iterable[tuple[Any, Any]]) -> list[Issue]:
    """Return the bad fields in the changes of plans, given as (id, changes)."""
    issues: list[Issue] = []
    for plan_id, changes in changes_by_plan:
        try:
            parse_changes(changes, f"plans[{plan_id}].changes")
        except TwinError as error:
            issues += error.issues
    return issues


def _check_plans(network: Network, label: str) -> None:
    """Raise DocumentError for bad fields in the changes of plans."""
    issues = _plan_issues([(plan.id, plan.changes) for plan in network.document.plans])
    if not issues:
        return
    problem = f"{counted(len(issues), 'bad field')} in plans"
    if is_quickly_expanded(network.document, check_size):
        try:
            _ = network.nodes
        except TwinError as error:
            problem += f" and {counted(len(error.issues), 'fault')} between records"
            issues = [*issues, *error.issues]
    raise DocumentError(problem, where=label, found=issues)
