"""Requests as plain data that always mean the same: names of stored networks have their revision."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from twin.arrays import package_version
from twin.store import NetworkStore
from twin.store.run_records import NewRun

from .bodies import NetworkRequest
from .body_reader import RAW_FIELDS
from .networks import NETWORK_FIELDS, pinned_name
from .problems import placed
from .questions.table import Question


def new_run(question: Question, asked: NetworkRequest, store: NetworkStore) -> NewRun:
    """Return the run of a question.

    Args:
        question: row of the table.
        asked: validated request.
        store: store of networks that it may name.

    Raises:
        NotFoundError: there is no network of a name.
    """
    data = pinned_request(asked, store)
    return run_of(question.path, data, network_label(data))


def run_of(kind: str, data: dict[str, Any], network: str) -> NewRun:
    """Return a run of a pinned request. Its id is a digest of kind, request and package version.

    Args:
        kind: name of a question, or of batches.
        data: pinned request.
        network: name for people.
    """
    run_id = _digest(kind, canonical_text(data), package_version())
    request = json.dumps(data).encode()  # in ASCII: half a character is for the question to refuse
    return NewRun(run_id, kind, network, request)


def _digest(*texts: str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(len(text).to_bytes(8, "big") + text.encode())
    return digest.hexdigest()


def pinned_request(asked: NetworkRequest, store: NetworkStore, where: str = "") -> dict[str, Any]:
    """Return a request as plain data, with the revisions that names of stored networks have now.

    Args:
        asked: validated request.
        store: store of networks that it may name.
        where: place of the request in a batch, for messages.

    Raises:
        NotFoundError: there is no network of a name.
    """
    data = asked.model_dump(mode="json", exclude=set(RAW_FIELDS), exclude_unset=True)
    for name in RAW_FIELDS:
        if getattr(asked, name, None) is not None and name in asked.model_fields_set:
            data[name] = getattr(asked, name)
    for name in NETWORK_FIELDS:
        if isinstance(data.get(name), str):
            with placed(where and f"{where}.{name}", in_it=False):
                data[name] = pinned_name(store, data[name])
    return data


def network_label(data: dict[str, Any]) -> str:
    """Return the name of the network of a request; that of a document where it has one.

    data: request as plain data.
    """
    network = data["network"]
    name = network if isinstance(network, str) else str(network.get("name") or "document")[:200]
    return name.encode("utf-8", "backslashreplace").decode()  # half a character cannot be stored


def canonical_text(data: dict[str, Any]) -> str:
    """Return plain data as JSON that is the same whatever the order of keys."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
