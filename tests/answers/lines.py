"""Two routers and what may lie between them, for tests of calendars and pages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from twin.errors import TopologyError
from twin.loading import Network, from_document

AS_OF = date(2026, 1, 1)
ENDS = [{"id": "a", "kind": "border"}, {"id": "b", "kind": "border"}]
COHERENT = ["OpenZR+-400G", "400ZR"]


def document(*links: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Two border routers, links l0, l1, ... between them."""
    named = [{"id": f"l{i}", "ends": ["a", "b"], **link} for i, link in enumerate(links)]
    return {"as_of": AS_OF.isoformat(), "nodes": ENDS, "links": named, **more}


def load_of(gbps: float) -> dict[str, Any]:
    return {"demands": [{"id": "d", "source": "a", "target": "b", "offered_gbps": gbps}]}


def a_span(length_km: float, fibre: str = "G.652.D", laid: str | None = "2026-01-01", **more: Any) -> dict[str, Any]:
    return {"length_km": length_km, "fibre": fibre, **({"installed": laid} if laid else {}), **more}


def zr(*spans: dict[str, Any], part: str = "OpenZR+-400G", **more: Any) -> dict[str, Any]:
    return {"transceiver": part, "installed": "2026-01-01", "spans": list(spans), **more}


def days_before(n: int) -> str:
    return (AS_OF - timedelta(days=n)).isoformat()


def buildable(data: dict[str, Any]) -> Network:
    network = from_document(data)
    try:
        network.evaluate()
    except TopologyError:
        assume(False)
    return network


@st.composite
def spans(draw: st.DrawFn, lengths_km: list[float], amplified: bool) -> dict[str, Any]:
    """A stretch of a_span, laid some day or none, measured or not."""
    laid = draw(st.none() | st.integers(0, 12_000))
    span: dict[str, Any] = a_span(
        draw(st.sampled_from(lengths_km)), draw(st.sampled_from(["G.652.D", "G.652.D-2006", "G.654.E"])), None
    )
    if laid is not None:
        span["installed"] = days_before(laid)
    if draw(st.booleans()):
        span["n_splices"], span["n_connectors"] = draw(st.integers(0, 4)), draw(st.integers(0, 2))
    if draw(st.integers(0, 2)) == 0:
        span["measured"] = days_before(draw(st.integers(0, 8000 if laid is None else laid)))
        span["measured_loss_db"] = draw(st.sampled_from([4.25, 12.0, 18.0]))
    if amplified and draw(st.booleans()):
        span["amplifier"] = "EDFA"
    return span


@st.composite
def fibre_links(draw: st.DrawFn, amplified: bool = True) -> dict[str, Any]:
    """A link over a_span: plain, amplified, regenerated, protected, measured."""
    part = draw(st.sampled_from([*COHERENT, "OpenZR+-400G", "400G-LR4"]))
    lengths_km = [2.0, 7.5] if part == "400G-LR4" else [25.0, 42.0, 60.0]
    some = spans(lengths_km, amplified and part in COHERENT)
    link: dict[str, Any] = {"transceiver": part, "spans": draw(st.lists(some, min_size=1, max_size=3))}
    if len(link["spans"]) > 1 and draw(st.booleans()):
        link["spans"][0]["regenerated"] = True
    elif draw(st.integers(0, 2)) == 0:
        link["spans"] += [{**draw(spans(lengths_km, False)), "standby": True}]
        link["protection"] = "optical-protection"
    for name, values in (
        ("capacity_gbps", [40.0, 300.0]),
        ("launch_dbm", [-3.0]),
        ("mux", ["mux-8"]),
        ("installed", [days_before(0), days_before(4000)]),
        ("loss_ratio", [1e-4]),
        ("required_margin_db", [1.5]),
    ):
        if draw(st.integers(0, 2)) == 0:
            link[name] = draw(st.sampled_from(values))
    if draw(st.integers(0, 2)) == 0 and not link["spans"][0].get("regenerated"):
        link["measured"], link["measured_received_dbm"] = days_before(0), draw(st.sampled_from([-16.0, -12.0]))
    return link


INDOOR: list[dict[str, Any]] = [
    {"capacity_gbps": 400.0},
    {"capacity_gbps": 100.0},
    {"transceiver": "DAC-400G"},
    {"transceiver": "400G-DR4", "installed": days_before(3000)},
    {"transceiver": "OpenZR+-400G", "installed": days_before(3000), "mux": "mux-64"},
]
