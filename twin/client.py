"""A client of the HTTP service: `twin.connect(url)` gives networks with the methods of a local one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import errors
from .errors import Issue, TwinError, did_you_mean

if TYPE_CHECKING:
    import httpx

FILE_ENDINGS = (".json", ".yaml", ".yml")
PROBLEM = "urn:dc-twin:problem:"
MAX_TRIES = 4
"""Most tries of a question that the service has no room for."""
MAX_WAIT_S = 30.0
"""Longest wait before the next try."""
TIMEOUT_S = 600.0
BUSY = (429, 503)
COLLECTED = {kind.__name__: kind for kind in (errors.DocumentError, errors.TopologyError, errors.ChangeError)}
"""Errors that have a list of issues."""


class Method(NamedTuple):
    """A method of a network: the question that it asks, and what its arguments are called there."""

    path: str
    positional: tuple[str, ...] = ()
    """Names of the arguments that may be given without a name."""
    fields: Mapping[str, str] = {}
    """Fields of the request by argument, where the two differ."""


CHANGES = "plan_or_changes"
METHODS: dict[str, Method] = {
    "score": Method("score", ("job",)),
    "what_if": Method("what-if", (CHANGES, "job")),
    "preview": Method("preview", (CHANGES, "job")),
    "compare": Method("diff", ("other",)),
    "compare_plans": Method("compare", ("plans", "job")),
    "explain": Method("explain", ("job",)),
    "forecast": Method("forecast", ("years", "growth_ratio_per_year")),
    "link_table": Method("links", ("chosen", "job"), {"chosen": "links"}),
    "link": Method("link", ("name",), {"name": "link"}),
    "path": Method("path", ("source", "target")),
    "demand_table": Method("demands"),
    "leases": Method("leases", ("job",)),
    "bill": Method("bill", (CHANGES, "job")),
    "money": Method("money", (CHANGES, "job")),
    "readiness": Method("readiness", ("changes",)),
    "schedule": Method("schedule", (CHANGES, "job")),
    "sweep": Method("sweep", ("vary",)),
    "failures": Method("failures"),
    "availability": Method("availability", (), {"rest_below": "rest_below_ratio", "loss_above": "loss_above_ratio"}),
    "growth": Method("growth"),
    "optimum": Method("optimum"),
    "plan": Method("plan"),
    "sample": Method("sample", ("plans",)),
    "decide": Method("decide", ("plans",)),
}
"""Methods of a network by name. A test compares them with those of `twin.Network` and with the questions."""


class Record(Mapping[str, Any]):
    """An object of an answer: its fields are attributes and keys; lists are tuples.

    Args:
        data: fields by name.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_data":
            raise AttributeError(name)
        if name not in self._data:
            raise AttributeError(_unknown("field", name, self._data))
        return _wrapped(self._data[name])

    def __getitem__(self, key: str) -> Any:
        return _wrapped(self._data[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __repr__(self) -> str:
        return repr(self._data)


class RemoteAnswer(Record):
    """An answer of the service. `answer["step_time_s"]` is the value of a metric, as in a local answer.

    Args:
        text: the answer as the service sent it.
    """

    def __init__(self, text: str) -> None:
        super().__init__(json.loads(text))
        self._text = text

    def to_json(self) -> str:
        """Return the answer as JSON text: the bytes of `to_json` of the local answer."""
        return self._text

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain data."""
        data: dict[str, Any] = json.loads(self._text)
        return data

    def __getitem__(self, key: str) -> Any:
        metrics = self._data.get("metrics") or {}
        if key not in metrics:
            return super().__getitem__(key)
        row = metrics[key]
        return (row["before"], row["after"]) if "before" in row else _wrapped(row.get("value", row))

    def change(self, metric: str) -> float | None:
        """Return by how much a metric changes; None where it does not apply.

        metric: key of the metric.
        """
        change: float | None = self._data["metrics"][metric]["change"]
        return change

    def __repr__(self) -> str:
        return "\n".join(self._data.get("summary") or [super().__repr__()])


class RemoteNetwork:
    """A network of the service: the questions of `twin.Network`, with the same names and arguments.

    Arguments about how a study runs (`executor`, `advance`, `cancel`) do not exist, since the service runs it. `fields`
    names the fields of the answer to send.

    Args:
        client: connection to the service.
        network: name of a network there, or a document.
    """

    def __init__(self, client: Client, network: str | Mapping[str, Any]) -> None:
        self._client, self._network = client, network

    def __getattr__(self, name: str) -> Callable[..., RemoteAnswer]:
        if name not in METHODS:
            raise AttributeError(_unknown("question", name, METHODS))
        method = METHODS[name]

        def ask(*values: Any, **arguments: Any) -> RemoteAnswer:
            body = {"network": self._network, **_fields(name, method, values, arguments)}
            return RemoteAnswer(self._client.ask(method.path, body))

        ask.__name__ = name
        ask.__doc__ = f"Ask `POST /v1/{method.path}`; the arguments are those of `twin.Network.{name}`."
        return ask

    def __dir__(self) -> Iterable[str]:
        return sorted([*super().__dir__(), *METHODS])

    def __repr__(self) -> str:
        name = self._network if isinstance(self._network, str) else self._network.get("name") or "document"
        return f"<network {name!r} of {self._client.url}>"


class Client:
    """A connection to a service. It may be used in a `with` statement.

    Args:
        url: address of the service, such as `http://localhost:8000`.
        key: API key; None where the service needs none.
        http: client to send requests with, in place of one of its own.
    """

    def __init__(self, url: str, key: str | None = None, *, http: httpx.Client | None = None) -> None:
        self.url = url.rstrip("/")
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        package = _httpx()
        self._failure: type[Exception] = package.HTTPError
        self._http: httpx.Client = http or package.Client(timeout=TIMEOUT_S)

    def network(self, network: str | Path | Mapping[str, Any] | Any) -> RemoteNetwork:
        """Return a network to ask questions about. Nothing is sent until the first question.

        network: name of a network of the service; or a path, a document or plain data, sent with each question.
        """
        if isinstance(network, Path) or (isinstance(network, str) and network.lower().endswith(FILE_ENDINGS)):
            return RemoteNetwork(self, _document_of(Path(network)))
        return RemoteNetwork(self, network if isinstance(network, str) else _plain(network))

    def get(self, path: str, **parameters: str) -> RemoteAnswer:
        """Return what a path of the catalogue or of stored networks lists, such as `topologies`.

        Args:
            path: path after `/v1/`.
            parameters: query parameters.
        """
        return RemoteAnswer(self._send("GET", path, params=parameters))

    def ask(self, path: str, body: Mapping[str, Any]) -> str:
        """Return the answer to a question as text. Raises the error that the service reports.

        Args:
            path: path of the question after `/v1/`.
            body: fields of the request.

        Raises:
            DocumentError: a value that JSON does not have.
        """
        try:
            content = json.dumps(body, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise errors.DocumentError(f"cannot be sent as JSON: {error}", where=path) from error
        return self._send("POST", path, content=content)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, method: str, path: str, **request: Any) -> str:
        headers = self._headers | ({"Content-Type": "application/json"} if method == "POST" else {})
        url = f"{self.url}/v1/{path}"
        for i_try in range(MAX_TRIES):
            try:
                response = self._http.request(method, url, headers=headers, **request)
            except self._failure as error:
                raise TwinError(f"no answer: {error}", where=url, hint="`twin serve` starts a service") from error
            wait_s = _wait_s(response.headers.get("retry-after", ""))
            if response.status_code not in BUSY or wait_s is None or i_try == MAX_TRIES - 1:
                break
            time.sleep(wait_s)
        if response.status_code >= 400:
            raise error_of(response.status_code, response.text, url)
        text: str = response.text
        return text


def connect(url: str, key: str | None = None) -> Client:
    """Connect to a service (`twin serve`); needs the extra `client`.

    Args:
        url: address of the service, such as `http://localhost:8000`.
        key: API key; None where the service needs none.
    """
    return Client(url, key)


def error_of(status: int, text: str, url: str) -> TwinError:
    """Return the error that a response reports: of the class that the local network would raise.

    Args:
        status: HTTP status.
        text: body of the response.
        url: address that was asked.
    """
    try:
        problem = json.loads(text)
        slug, detail = str(problem["type"]).removeprefix(PROBLEM), str(problem["detail"])
        issues = [Issue(row["where"], row["problem"], row["hint"]) for row in problem["issues"]]
        expected = str(problem.get("expected", ""))
    except (ValueError, KeyError, TypeError):
        return TwinError(f"status {status}: {text[:200]}", where=url)
    name = "".join(word.capitalize() for word in slug.split("-"))
    kind = getattr(errors, name, TwinError) if name.endswith("Error") else TwinError
    if kind is errors.ConvergenceError:
        return errors.ConvergenceError(detail, residual=float("nan"))
    if len(issues) == 1:
        where = "" if issues[0].where == "input" else issues[0].where
        return kind(issues[0].problem, where=where, expected=expected, hint=issues[0].hint)
    if name in COLLECTED:
        return COLLECTED[name](detail, found=issues, expected=expected)
    return kind(detail, where="" if issues else url)


def _httpx() -> Any:
    try:
        return import_module("httpx")
    except ImportError as error:
        raise TwinError("the package httpx is not installed", hint="pip install 'dc-twin[client]'") from error


def _wait_s(retry_after: str) -> float | None:
    """Return the wait that a service asks for, bounded; None if it asks for none."""
    return min(float(retry_after), MAX_WAIT_S) if retry_after.isascii() and retry_after.isdigit() else None


def _fields(name: str, method: Method, values: Sequence[Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request: plans and changes under their own names, arguments of None left out."""
    if len(values) > len(method.positional):
        raise TypeError(f"{name}() takes at most {len(method.positional)} arguments without a name")
    given = dict(zip(method.positional, values, strict=False))
    repeated = sorted(given.keys() & arguments.keys())
    if repeated:
        raise TypeError(f"{name}() has two values of {', '.join(repeated)}")
    body: dict[str, Any] = {}
    for argument, value in (given | dict(arguments)).items():
        field = method.fields.get(argument, argument)
        if field in (CHANGES, "changes", "other_changes"):
            side = "other_" if field.startswith("other_") else ""
            field = f"{side}plan" if isinstance(value, str) else f"{side}changes"
            value = value if value is None or isinstance(value, str) else _listed(value)
        if value is not None or (name, argument) == ("link", "years"):
            body[field] = value._network if isinstance(value, RemoteNetwork) else _plain(value)
    return body


def _unknown(noun: str, name: str, known: Iterable[str]) -> str:
    """Return a message about an unknown name, with similar ones."""
    hint = did_you_mean(name, known)
    return f"no {noun} {name!r} ({hint})" if hint else f"no {noun} {name!r}"


def _document_of(path: Path) -> Any:
    """Return the document of a file as plain data. Without a `name` it takes that of the file, as `twin.load` does."""
    from .formats import read_mapping

    data = read_mapping(path)
    if data.get("name") in (None, ""):
        data["name"] = path.stem
    return _plain(data)


def _listed(changes: Any) -> list[Any]:
    """Return changes as a list; one change may stand alone."""
    return [changes] if isinstance(changes, Mapping) or hasattr(changes, "model_dump") else list(changes)


def _plain(value: Any) -> Any:
    """Return plain data of a value: of documents, records and dates too."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _wrapped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Record(value)
    return tuple(_wrapped(item) for item in value) if isinstance(value, list) else value
