"""Prometheus range queries as JSON: rates and flaps from counters, or series of a stated quantity."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from ..errors import DocumentError
from ..errors.wording import type_text
from ..imports.files import SourceFile, check_count, records_of
from ..imports.quantities import finite
from ..model.measurements import Quantity
from .found import WAYS, Collector, Thing, Way, day_of_seconds
from .options import ReadingOptions

SECONDS_PER_DAY = 86_400.0
DEVICE_LABELS = ("hostname", "node", "host", "sysName", "device_name", "instance", "target")
PORT_LABELS = ("ifName", "interface", "port", "ifDescr", "device", "ifAlias")


class Metric(NamedTuple):
    """A metric of a well-known exporter."""

    quantity: Quantity
    unit: str
    way: Way
    is_counter: bool
    factor: float = 1.0


METRICS: dict[str, Metric] = {
    "node_network_transmit_bytes_total": Metric("interface_rate", "bytes/s", "out", True),
    "node_network_receive_bytes_total": Metric("interface_rate", "bytes/s", "in", True),
    "ifHCOutOctets": Metric("interface_rate", "bytes/s", "out", True),
    "ifHCInOctets": Metric("interface_rate", "bytes/s", "in", True),
    "ifOutOctets": Metric("interface_rate", "bytes/s", "out", True),
    "ifInOctets": Metric("interface_rate", "bytes/s", "in", True),
    # a flap is a change to down and a change to up
    "node_network_carrier_changes_total": Metric("flaps", "per_day", "", True, SECONDS_PER_DAY / 2.0),
    "node_network_carrier_down_changes_total": Metric("flaps", "per_day", "", True, SECONDS_PER_DAY),
}
"""Metrics that say what they are; others need `--quantity` and `--unit`."""


def recognise(files: Sequence[SourceFile]) -> bool:
    """Return whether every file is an answer of the HTTP API of Prometheus."""
    return all(file.looks_like_json and b'"resultType"' in file.content for file in files)


def read(files: Sequence[SourceFile], collector: Collector, options: ReadingOptions) -> None:
    """Read each series: one value for each day, in UTC."""
    for file in files:
        for i, series in enumerate(_series(file)):
            _read_series(file, f"result[{i}]", series, collector, options)


def _series(file: SourceFile) -> Sequence[Mapping[str, Any]]:
    data = file.data
    if isinstance(data, Mapping) and data.get("status") == "error":
        raise DocumentError(
            "holds an error of Prometheus, no result", where=file.where, hint=str(data.get("error"))[:80]
        )
    inner = data.get("data") if isinstance(data, Mapping) else None
    if not isinstance(inner, Mapping) or "result" not in inner:
        raise DocumentError(f"holds {type_text(data)}", where=file.where, expected="data.result of a range query")
    found = records_of(inner["result"], f"{file.where}: data.result", "a range query gives a matrix")
    n_samples = sum(len(v) for series in found if isinstance(v := series.get("values"), list))
    check_count(n_samples // 10, file.where)
    return found


def _read_series(
    file: SourceFile, place: str, series: Mapping[str, Any], collector: Collector, options: ReadingOptions
) -> None:
    ledger = collector.ledger
    labels = series.get("metric")
    labels = {str(k): str(v) for k, v in labels.items()} if isinstance(labels, Mapping) else {}
    name = labels.get("__name__", "")
    metric = METRICS.get(name)
    if metric is None and options.quantity is not None:
        way = WAYS.get(options.quantity) or _way_of(labels)
        metric = Metric(options.quantity, options.unit or "", way, False)
    where = f"{file.name}: {place}"
    if metric is None:
        problem = f"series {name or 'without a name'} is left out"[:120]
        ledger.finding("unknown metric", problem, "--quantity and --unit say what it is", where)
        return
    thing = Thing(
        names=tuple(labels[label] for label in ("link", "link_id") if label in labels),
        device=options.device or _host(next((labels[label] for label in DEVICE_LABELS if label in labels), "")),
        port=next((labels[label] for label in PORT_LABELS if label in labels), ""),
        way=metric.way,
    )
    samples, n_bad = _samples(series)
    if n_bad:
        ledger.finding("bad value", "samples that are no number are left out", "", where, n_bad)
    by_day: dict[date, list[tuple[float, float]]] = defaultdict(list)
    for time_s, value in samples:
        day = day_of_seconds(time_s)
        if day is not None:
            by_day[day].append((time_s, value))
    for day, found in sorted(by_day.items()):
        rate = _increase_per_s(found) if metric.is_counter else sum(value for _, value in found) / len(found)
        if rate is None:
            ledger.finding("one sample", f"{name}: a counter needs two samples of a day", "", f"{where}, {day}")
            continue
        if collector.is_full:
            return
        ledger.converted(name or "samples", "increase of a day over its time" if metric.is_counter else "mean of a day")
        collector.add(file, f"{place}, {day}", name or "samples", thing, metric.quantity, rate * metric.factor,
                      metric.unit, day)  # fmt: skip


def _way_of(labels: Mapping[str, str]) -> Way:
    word = labels.get("direction", "").lower()
    return "in" if word in ("in", "rx", "receive", "ingress") else "out" if word in ("out", "tx", "egress") else ""


def _host(instance: str) -> str:
    """Return the host of `host:9100`."""
    head, _, port = instance.rpartition(":")
    return head if head and port.isdigit() else instance


def _samples(series: Mapping[str, Any]) -> tuple[list[tuple[float, float]], int]:
    """Return (time, value) of each sample, by time, and the number of those that are none."""
    listed = series.get("values", [series["value"]] if "value" in series else [])
    pairs = list(_pairs(listed if isinstance(listed, list) else []))
    good = [(time_s, value) for time_s, value in pairs if time_s is not None and value is not None]
    return sorted(good), len(pairs) - len(good)


def _pairs(listed: Sequence[Any]) -> Iterator[tuple[float | None, float | None]]:
    for item in listed:
        is_pair = isinstance(item, list) and len(item) == 2
        yield (finite(item[0]), finite(item[1])) if is_pair else (None, None)


def _increase_per_s(samples: Sequence[tuple[float, float]]) -> float | None:
    """Return the increase of a counter per second; a fall is a restart from 0. None for a single sample."""
    seconds = samples[-1][0] - samples[0][0]
    if seconds <= 0:
        return None
    increase = sum(after - before if after >= before else after for (_, before), (_, after) in pairwise(samples))
    return increase / seconds if math.isfinite(increase) else None
