"""Measurements added to a stored network: records, or files of meters, make a new revision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..errors import RevisionError
from ..formats.native import to_json_bytes, to_yaml_bytes
from ..model.document import TopologyDocument
from ..model.measurements import Measurement
from ..network import Network
from ..readings.report import MeasurementReport
from .documents import JSON, media_type_of, read_network
from .networks import NetworkStore
from .records import ALWAYS, Condition, StoredNetwork

N_TRIES = 5
"""Tries of a write that others overtake."""


class Measured(NamedTuple):
    """Document with measurements, and the report of the files that they come from; None for records."""

    document: TopologyDocument
    report: MeasurementReport | None


class Added(NamedTuple):
    """Result of adding measurements."""

    network: StoredNetwork
    n_added: int
    report: MeasurementReport | None


def with_records(network: Network, records: Sequence[Measurement]) -> Measured:
    """Return the document of a network with more measurements; those that it has already count once."""
    document = network.document
    known = {(m.of, m.quantity, m.direction, m.at): m for m in document.measurements}
    new = [m for m in records if known.get((m.of, m.quantity, m.direction, m.at)) != m]
    measurements = (*document.measurements, *new)
    return Measured(document.model_copy(update={"measurements": measurements}).canonical(), None)


def add_measurements(
    store: NetworkStore, name: str, measure: Callable[[Network], Measured], condition: Condition = ALWAYS
) -> Added:
    """Add measurements to the current revision of a network, in the format of its document.

    Args:
        store: the store.
        name: name of the network.
        measure: function from the network to its document with the measurements.
        condition: revisions that are expected before.

    Raises:
        CatalogueError: there is no such network; the message has similar names.
        RevisionError: the current revision is not as expected, or others change the network all the time.
        TwinError: the new document is invalid, or the write failed; see `NetworkStore.put`.
    """
    for i in range(N_TRIES):
        stored = store.get(name)
        condition.check(name, stored.network.revision)
        network = read_network(stored.content, name, store.max_records)
        measured = measure(network)
        n_added = len(measured.document.measurements) - len(network.document.measurements)
        if not n_added:
            return Added(stored.network, 0, measured.report)
        write = to_json_bytes if media_type_of(stored.content) == JSON else to_yaml_bytes
        expected = Condition(match=frozenset({stored.network.revision}))
        try:
            written = store.put(name, write(measured.document), expected)
        except RevisionError:
            if i == N_TRIES - 1:
                raise
            continue
        return Added(written.network, n_added, measured.report)
    raise AssertionError("unreachable")
