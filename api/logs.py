"""Log of the service, as JSON or as text. It never holds a document, a key or the message of an error."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

FIELDS = (
    "request_id",
    "method",
    "route",
    "status",
    "duration_s",
    "client",
    "key_name",
    "processes",
    "address",
    "n_refused",
    "queue_s",
    "work_s",
    "error",
    "trace",
)
"""Fields that a message may have beside its text."""


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a message. An exception gives its class and its places, without its text.

    record: the message.
    """
    fields = {name: value for name in FIELDS if (value := getattr(record, name, "")) not in ("", None)}
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        frames = traceback.extract_tb(error.__traceback__)
        fields["error"] = type(error).__name__
        fields["trace"] = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return fields


class JsonFormatter(logging.Formatter):
    """Formats a message as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a message as JSON."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {"time": time, "level": record.levelname.lower(), "message": _message_of(record)}
        return json.dumps(head | fields_of(record))


class TextFormatter(logging.Formatter):
    """Formats a message as a line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a message as text."""
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        fields = " ".join(f"{name}={value}" for name, value in fields_of(record).items())
        return f"{time} {record.levelname.lower()} {_message_of(record)} {fields}".rstrip()


def _message_of(record: logging.LogRecord) -> str:
    """Return the text of a message in one line. Uvicorn puts a whole trace in some of its messages."""
    return record.getMessage().partition("\n")[0]


FORMATTERS: dict[str, type[logging.Formatter]] = {"json": JsonFormatter, "text": TextFormatter}


def set_up_log(form: str) -> None:
    """Send the messages of the service and of its web server to stderr.

    form: json or text.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATTERS[form]())
    for name in ("twin.api", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO if name == "twin.api" else logging.WARNING)
