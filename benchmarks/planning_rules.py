"""What the 50 % and 70 % planning rules cost against exhaustive N-1, on wide-area networks of the topohub package.

    python benchmarks/planning_rules.py [--json]

A rule upgrades each link that is fuller than it without a failure. Exhaustive N-1 upgrades each link that is overloaded
after some single link failure. Capacity comes in steps of 100 Gb/s, and paths stay as they are. Demands are a gravity
model, scaled so that the fullest link is full without a failure; links start with 1 Tb/s. Purchases are two
transceivers (400G-LR4) for each 400 Gb/s, at the placeholder prices that ship, without amplifiers and fibre.
"""

import argparse
import json
from dataclasses import asdict, dataclass

import numpy as np

from twin.catalogue import catalogue, load_price_book
from twin.catalogue.figure_reader import FigureReader
from twin.loading import from_document

NETWORKS = ("sndlib/germany50", "topozoo/Geant2012", "sndlib/cost266", "sndlib/zib54", "topozoo/AttMpls")
CAPACITY_GBPS, STEP_GBPS, PEAK_RATIO = 1000.0, 100.0, 1.0
TRANSCEIVER, TRANSCEIVER_GBPS = "400G-LR4", 400.0


@dataclass(frozen=True)
class Row:
    """One planning rule on one network."""

    network: str
    n_links: int
    rule: str
    n_upgraded: int
    added_gbps: float
    capex_usd: float
    n_missed: int
    """Links that some failure overloads and the rule does not upgrade, or not enough."""
    worst_ratio: float
    """Fullest link after any failure once the rule's upgrades are made."""
    n_below_half: int
    """Missed links that are below 50 % without a failure."""
    wasted_gbps: float
    """Capacity that the rule adds beyond what exhaustive N-1 needs on the same link."""


def rows_of(topology: str) -> list[Row]:
    """Apply both rules and exhaustive N-1 to one network."""
    network = from_document(
        {
            "fabrics": [
                {"id": "n", "generator": "topohub", "params": {"topology": topology, "capacity_gbps": CAPACITY_GBPS}}
            ],
            "traffic": [{"id": "t", "generator": "gravity", "params": {"peak_utilisation_ratio": PEAK_RATIO}}],
        }
    )
    report = network.failures()
    intact = busiest_gbps(network)
    names = [row.id for row in report.links]
    worst = np.array([(row.worst_utilisation_ratio or 0.0) * CAPACITY_GBPS for row in report.links])
    today = np.array([intact[name] for name in names])
    needed = steps(worst)
    usd = 2.0 * FigureReader(catalogue(), load_price_book()).price("part_usd", TRANSCEIVER)
    found = []
    for rule, added in (
        ("50 %", steps(today / 0.5)),
        ("70 %", steps(today / 0.7)),
        ("exhaustive N-1", needed),
    ):
        capacity = CAPACITY_GBPS + added
        found.append(
            Row(
                network=topology,
                n_links=len(names),
                rule=rule,
                n_upgraded=int((added > 0).sum()),
                added_gbps=float(added.sum()),
                capex_usd=float(np.ceil(added / TRANSCEIVER_GBPS).sum() * usd),
                n_missed=int((worst > capacity * (1 + 1e-9)).sum()),
                worst_ratio=float((worst / capacity).max()),
                n_below_half=int(((worst > capacity * (1 + 1e-9)) & (today < 0.5 * capacity)).sum()),
                wasted_gbps=float(np.maximum(added - needed, 0.0).sum()),
            )
        )
    return found


def busiest_gbps(network: object) -> dict[str, float]:
    """Load of the fuller direction of each link without a failure."""
    e = network.evaluate()  # type: ignore[attr-defined]
    load = e.demands.arc_offered_gbps.reshape(-1, 2).max(axis=1)
    return dict(zip(e.case.state.link_ids, load.tolist(), strict=True))


def steps(load_gbps: np.ndarray) -> np.ndarray:
    """Capacity to add for such a load, in whole steps."""
    return np.maximum(np.ceil((load_gbps - CAPACITY_GBPS) / STEP_GBPS - 1e-9), 0.0) * STEP_GBPS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    rows = [row for topology in NETWORKS for row in rows_of(topology)]
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    head = ("network (links)", "rule", "upgraded", "added Gb/s", "cost", "overloaded (below 50 % intact)", "fullest")
    print(f"| {' | '.join((*head, 'more than needed, Gb/s'))} |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        cells = (
            f"{row.network} ({row.n_links})",
            row.rule,
            f"{row.n_upgraded}",
            f"{row.added_gbps:,.0f}",
            f"${row.capex_usd / 1e3:,.0f}k",
            f"{row.n_missed} ({row.n_below_half})",
            f"{100 * row.worst_ratio:.0f} %",
            f"{row.wasted_gbps:,.0f}",
        )
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
