"""Work of endpoints that take documents and files of other tools, done in compute processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from fastapi import Response
from twin.topologies import check_size

from twin.answers.data import json_text, to_data
from twin.formats.native import parse_mapping, to_json_bytes
from twin.formats.readers import decode_utf8
from twin.imports import import_options, read_given
from twin.model.measurements import Measurement
from twin.model.validation import validate_as
from twin.network import Network
from twin.readings import ReadingOptions, reading_options
from twin.readings import read_given as read_measurements
from twin.store.documents import JSON, media_type_of
from twin.store.measuring import Measured, add_measurements, with_records
from twin.store.records import ALWAYS, Condition, StoredNetwork

from .compute.estimate import MAX_LIGHT_BYTES, Estimate
from .conditions import etag
from .parameters import options_as_parameters, report_in_parameters
from .posted_files import MeasurementsBody, posted_files
from .problems import find
from .questions.context import Context


class FileAnswer(NamedTuple):
    """Answer of an endpoint as a compute process makes it."""

    text: str
    status: int = 200
    headers: Mapping[str, str] = {}

    def response(self) -> Response:
        """Return the HTTP response."""
        return Response(self.text, self.status, self.headers, "application/json")


class PostedFile(NamedTuple):
    """Body that is a file, or a zip archive of files."""

    content: bytes
    filename: str
    format: str | None
    """Format that the request names; None = recognised by the content."""

    def estimate(self, network: str) -> Estimate:
        """Return the estimate of work on it. Archives are never light.

        network: name of the network that it is about.
        """
        is_light = len(self.content) <= MAX_LIGHT_BYTES and not self.filename.lower().endswith(".zip")
        return Estimate(f"file {network}", is_light)

    def files(self) -> dict[str, bytes]:
        """Return the content of each file by name. Raises DocumentError for a bad name or archive."""
        return posted_files(self.content, self.filename)


class PutTask(NamedTuple):
    """Task to validate a document and store it."""

    name: str
    content: bytes
    condition: Condition

    def run(self, context: Context) -> FileAnswer:
        """Return the revision that was stored."""
        written = context.store.put(self.name, self.content, self.condition)
        return _stored(written.network, is_new=written.is_new)


class ImportTask(NamedTuple):
    """Task to import a network from files, and to store it if it has a name."""

    file: PostedFile
    options: Mapping[str, Any]
    """Arguments of `import_options`."""
    store_as: str | None = None
    condition: Condition = ALWAYS

    def run(self, context: Context) -> FileAnswer:
        """Return document and report."""
        store = context.store
        with options_as_parameters():
            options = import_options(**self.options)
            imported = read_given(self.file.files(), format=self.file.format, options=options)
        check_size(imported.document, store.max_records)
        answer = {
            "network": None,
            "report": report_in_parameters(imported.report.to_dict()),
            "document": imported.document.to_dict(),
        }
        if self.store_as is None:
            return FileAnswer(json_text(answer))
        written = store.put(self.store_as, to_json_bytes(imported.document), self.condition)
        return _stored(written.network, answer | {"network": to_data(written.network)}, is_new=written.is_new)


class MeasurementsTask(NamedTuple):
    """Task to add measurements to a stored network."""

    name: str
    file: PostedFile | bytes
    """Files of meters; bytes are an object with the list `measurements`."""
    options: Mapping[str, Any]
    """Arguments of `reading_options`."""
    condition: Condition

    def run(self, context: Context) -> FileAnswer:
        """Return the revision with the measurements, and the report of the files."""
        with options_as_parameters():
            options = reading_options(**self.options)
        measure: Callable[[Network], Measured]
        if isinstance(self.file, bytes):
            measure = partial(with_records, records=_records(self.file))
        else:
            measure = partial(_measured, self.file.files(), self.file.format, options)
        store = context.store
        find(partial(store.find, self.name))
        with options_as_parameters():
            added = add_measurements(store, self.name, measure, self.condition)
        report = None if added.report is None else report_in_parameters(added.report.to_dict())
        return _stored(added.network, {"network": to_data(added.network), "n_added": added.n_added, "report": report})


def _measured(files: dict[str, bytes], format: str | None, options: ReadingOptions, network: Network) -> Measured:
    found = read_measurements(files, network, format=format, options=options)
    return Measured(found.document, found.report)


def _records(body: bytes) -> tuple[Measurement, ...]:
    """Return the measurements of an object with the list `measurements`, JSON or YAML."""
    as_json = media_type_of(body) == JSON
    data = parse_mapping(decode_utf8(body, "body"), "body", as_json=as_json, expected="an object with `measurements`")
    found: MeasurementsBody = validate_as(MeasurementsBody, data, "body")
    return found.measurements


def _stored(network: StoredNetwork, answer: dict[str, Any] | None = None, *, is_new: bool = False) -> FileAnswer:
    """Return the answer of a write.

    Args:
        network: the revision that is now the current one.
        answer: answer that has the network in it; None = the network alone.
        is_new: whether there was no network of this name.
    """
    headers = {"ETag": etag(network.revision)} | ({"Location": f"/v1/networks/{network.name}"} if is_new else {})
    return FileAnswer(json_text(to_data(network) if answer is None else answer), 201 if is_new else 200, headers)
