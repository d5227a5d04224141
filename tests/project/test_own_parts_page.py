"""The example of the page on own parts: a part of each kind, in a network that names all of them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from twin.arrays import State
from twin.catalogue import KINDS
from twin.catalogue.figure_reader import FigureReader
from twin.economics.cost import bill_of_materials
from twin.errors import TopologyError
from twin.formats.parts_file import own_parts_of
from twin.loading import from_document
from twin.network import Network

PAGE = Path(__file__).parents[2] / "docs/how-to/own_parts.md"


@cache
def example(name: str) -> Any:
    """The block of the page that starts with the name of a file."""
    blocks = re.findall(rf"```yaml\n# {re.escape(name)}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = blocks
    return yaml.safe_load(block)


def network() -> Network:
    return from_document(example("network.yaml"), parts=own_parts_of(example("parts.yaml"), "parts.yaml"))


def test_there_is_a_part_of_each_kind() -> None:
    parts = own_parts_of(example("parts.yaml"), "parts.yaml")
    assert sorted(part.kind for part in parts) == sorted(KINDS)


def test_the_network_runs_with_all_of_them() -> None:
    found = network()
    assert found.warnings == ()
    metrics = found.score(main_assumptions=False).to_dict()["metrics"]
    assert all(metrics[name]["value"] is not None for name in ("min_margin_db", "opex_usd_per_year"))
    rates = {row.id: row.member_gbps for row in found.link_table("*").rows}
    assert rates == {"access-n": 100.0, "access-s": 100.0, "train-s": 400.0, "ring": 400.0}
    bill = bill_of_materials(State.of(found.arrays), found.document, FigureReader(found.catalogue, found.price_book))
    inside = {"my-fibre", "my-fec"}
    assert set(bill.n_parts) == {part.id for part in found.document.parts} - inside
    assert (bill.n_parts["my-server"], bill.n_parts["my-card"], bill.n_parts["my-zr"]) == (16, 1, 8)
    assert set(bill.n_parts) <= set(found.price_book.part_usd)


REQUIRED = {
    "fibre": "group_index_ratio", "fec": "latency_us", "transceiver": "power_w", "amplifier": "max_gain_db",
    "mux": "loss_db", "protection": "loss_db", "switch": "buffer_bytes", "accelerator": "nic_gbps",
    "card": "port_gbps", "server": "n_rack_units",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_each_of_them_is_checked(kind: str) -> None:
    data = yaml.safe_load(yaml.safe_dump(example("parts.yaml")))
    part = next(part for part in data["parts"] if part["kind"] == kind)
    del part["figures"][REQUIRED[kind]]
    with pytest.raises(TopologyError, match=f"a {kind} needs {REQUIRED[kind]}"):
        own_parts_of(data, "parts.yaml")
