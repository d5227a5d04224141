"""Lines between neighbouring ROADMs of GNPy's example networks, as GNPy 3.0.1 designs them, beside the twin.

    pip install -e '.[bench]' && python benchmarks/compare_gnpy_lines.py

GNPy designs each network: it adds boosters and amplifiers and sets their gains. Each chain of amplifiers from one ROADM
to the next is then a line. GNPy propagates its spectrum from the power that the ROADM sends, without the ROADMs
themselves. The twin gets a document with the booster, the gain of each amplifier, its type with the noise figure by
gain, its attenuator, and the launch power. Both state the GSNR of the worst channel behind the last amplifier.
"""

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gnpy
import numpy as np
from gnpy.core.elements import Edfa, Fiber, Roadm, Transceiver
from gnpy.core.info import create_input_spectral_information
from gnpy.core.parameters import SimParams
from gnpy.tools.json_io import load_equipments_and_configs, load_json, network_from_json
from gnpy.tools.worker_utils import designed_network
from rich.console import Console
from rich.table import Table

from twin.loading import from_document

EXAMPLES = Path(gnpy.__file__).parent / "example-data"
NETWORKS = ("CORONET_Global_Topology.json", "meshTopologyExampleV2.json", "edfa_example_network.json")
N_CHANNELS, SPACING_GHZ, BAUD_GBD = 95, 50.0, 32.0
BAND_CENTRE_THZ = 193.7
FIRST_THZ = BAND_CENTRE_THZ - (N_CHANNELS - 1) * SPACING_GHZ / 2e3


def designed(name: str) -> Any:
    """A network of GNPy with the amplifiers of its own design."""
    equipment = load_equipments_and_configs(EXAMPLES / "eqpt_config.json", [], [])
    data = load_json(EXAMPLES / name)
    data.pop("metadata", None)
    network = network_from_json(data, equipment)
    ends = sorted(node.uid for node in network if isinstance(node, Transceiver))
    return designed_network(equipment, network, source=ends[0], destination=ends[-1])[0]


def spectrum(channel_dbm: float) -> Any:
    """GNPy's spectrum of N_CHANNELS channels around the middle of the band, without noise."""
    reference = {"spacing": SPACING_GHZ * 1e9, "baud_rate": BAUD_GBD * 1e9, "roll_off": 0.15, "tx_osnr": 100.0}
    f_min = FIRST_THZ * 1e12 - reference["spacing"]
    return create_input_spectral_information(
        f_min=f_min,
        f_max=f_min + (N_CHANNELS + 0.5) * reference["spacing"],
        tx_power=1e-3 * 10 ** (channel_dbm / 10),
        **reference,
    )


def chains(network: Any) -> Iterator[tuple[str, Roadm, list[Any]]]:
    """Elements from each ROADM to the next, in order."""
    for roadm in sorted((node for node in network if isinstance(node, Roadm)), key=lambda node: node.uid):
        for first in sorted(network.successors(roadm), key=lambda node: node.uid):
            line, node = [], first
            while isinstance(node, Edfa | Fiber) or type(node).__name__ == "Fused":
                line.append(node)
                node = next(iter(network.successors(node)))
            if isinstance(node, Roadm) and any(isinstance(each, Edfa) for each in line):
                yield f"{roadm.uid} to {node.uid}", roadm, line


def gnpy_gsnr_db(roadm: Roadm, line: list[Any]) -> float:
    """GSNR of the worst channel behind the last amplifier, in 0.1 nm."""
    si = spectrum(roadm.get_per_degree_ref_power(line[0].uid))
    for element in line:
        si = element(si)
    noise = (si.ase + si.nli) / si.signal
    return float((-10 * np.log10(noise * 12.5e9 / si.baud_rate)).min())


def own(value: float) -> dict[str, Any]:
    return {"value": value, "low": value, "high": value, "source": "GNPy", "as_of": "2026", "status": "own"}


def part(part_id: str, kind: str, figures: dict[str, float], **fields: Any) -> dict[str, Any]:
    return {"id": part_id, "kind": kind, "name": part_id, "figures": {k: own(v) for k, v in figures.items()}, **fields}


def amplifier(edfa: Edfa) -> dict[str, Any]:
    """An amplifier type of GNPy as an own part: two stages, one figure, or a table for types with a polynomial."""
    p = edfa.params
    figures = {"max_gain_db": p.gain_flatmax, "max_output_dbm": p.p_max, "power_w": 0.0, "min_gain_db": p.gain_min}
    name = f"amp-{p.type_variety}"
    if p.type_def == "variable_gain":
        model = p.nf_model
        most, least = (stages_db(model, p, gain_db) for gain_db in (p.gain_flatmax, p.gain_min))
        figures |= {"noise_figure_db": most, "noise_figure_at_min_gain_db": least}
        return part(name, "amplifier", figures, noise_law="two_stage")
    if p.type_def == "fixed_gain":
        return part(name, "amplifier", figures | {"noise_figure_db": p.nf_model.nf0})
    if p.type_def != "advanced_model":  # two stages of other types: the noise figure at its gain
        return part(f"amp-{edfa.uid}", "amplifier", figures | {"noise_figure_db": float(edfa._calc_nf(avg=True))})
    points = [
        {"gain_db": float(gain_db), "noise_figure_db": own(float(np.polyval(p.nf_fit_coeff, gain_db - p.gain_flatmax)))}
        for gain_db in np.arange(p.gain_min, p.gain_flatmax + 1e-9, 0.25)
    ]
    figures |= {"noise_figure_db": points[-1]["noise_figure_db"]["value"]}
    return part(name, "amplifier", figures, noise_figures=points)


def stages_db(model: Any, p: Any, gain_db: float) -> float:
    first_db = gain_db - model.delta_p - max(p.gain_flatmax - gain_db, 0.0)
    return float(10 * np.log10(10 ** (model.nf1 / 10) + 10 ** (model.nf2 / 10) / 10 ** (first_db / 10)))


def document(roadm: Roadm, line: list[Any]) -> dict[str, Any]:
    """The line as a document: two nodes, one link."""
    parts = {"wave": part("wave", "transceiver", TRANSCEIVER, optics="coherent", modes=[MODE])}
    link: dict[str, Any] = {"id": "l", "ends": ["a", "b"], "transceiver": "wave", "n_design_channels": N_CHANNELS}
    launch_dbm, spans = float(roadm.get_per_degree_ref_power(line[0].uid)), []
    for i, element in enumerate(line):
        if isinstance(element, Edfa):
            made = amplifier(element)
            parts[made["id"]] = made
            settings = {"gain_db": float(element.effective_gain), "voa_db": float(element.out_voa)}
            if not spans:
                link |= {"booster": made["id"]} | {f"booster_{name}": value for name, value in settings.items()}
                launch_dbm += settings["gain_db"] - settings["voa_db"]
            else:
                spans[-1] |= {"amplifier": made["id"]} | {f"amplifier_{k}": v for k, v in settings.items()}
        elif isinstance(element, Fiber):
            fibre = f"fibre-{i}"
            p = element.params
            length_km = p.length / 1e3
            lumped_db, pad_db = float(p.con_out), float(p.con_in + p.att_in)
            # what is lost before the fibre is an attenuator behind the amplifier before it
            if not spans and "booster" in link:
                link["booster_voa_db"] += pad_db
                launch_dbm -= pad_db
            elif spans and "amplifier" in spans[-1]:
                spans[-1]["amplifier_voa_db"] += pad_db
            else:
                lumped_db += pad_db
            figures = {
                "attenuation_db_per_km": (float(np.mean(element.loss)) - float(p.con_in + p.att_in + p.con_out))
                / length_km,
                "dispersion_ps_per_nm_km": float(p.dispersion) * 1e6,
                "effective_area_um2": float(p._effective_area) * 1e12,
                "pmd_ps_per_sqrt_km": 0.04,
                "group_index_ratio": 1.468,
            }
            parts[fibre] = part(fibre, "fibre", figures)
            spans.append({"length_km": length_km, "fibre": fibre, "lumped_loss_db": lumped_db})
        elif spans:
            spans[-1]["lumped_loss_db"] += float(element.params.loss)
    nodes = [{"id": name, "kind": "switch"} for name in "ab"]
    return {"nodes": nodes, "links": [link | {"launch_dbm": launch_dbm, "spans": spans}], "parts": [*parts.values()]}


TRANSCEIVER = {
    "rate_gbps": 100.0,
    "launch_dbm": 0.0,
    "rx_min_dbm": -30.0,
    "rx_max_dbm": 10.0,
    "tx_osnr_db": 100.0,
    "receiver_snr_at_0dbm_db": 100.0,
    "required_snr_db": 12.0,
    "max_dispersion_ps_per_nm": 1e9,
    "max_pmd_ps": 1e9,
    "spacing_ghz": SPACING_GHZ,
    "reach_km": 1e4,
    "power_w": 0.0,
}
MODE = {"rate_gbps": 100.0, "baud_gbd": BAUD_GBD, "modulation": "DP-QPSK", "required_snr_db": own(12.0)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="one row for each line")
    every = parser.parse_args().all
    SimParams.set_params({"nli_params": {"method": "gn_model_analytic"}})
    table = Table(
        "network", "lines", "mean, dB", "sd, dB", "largest, dB", title="GSNR of the twin minus that of GNPy 3.0.1"
    )
    for name in NETWORKS:
        differences = []
        for label, roadm, line in chains(designed(name)):
            peer_db = gnpy_gsnr_db(roadm, line)
            ours_db = float(from_document(document(roadm, line)).evaluate().health.line_gsnr_db[0])
            differences.append(ours_db - peer_db)
            if every:
                table.add_row(label, "1", f"{differences[-1]:+.4f}", "", f"{peer_db:.2f} dB")
        if differences:
            spread = statistics.pstdev(differences)
            largest = max(differences, key=abs)
            row = (f"{statistics.mean(differences):+.4f}", f"{spread:.4f}", f"{largest:+.4f}")
            table.add_row(name.removesuffix(".json"), str(len(differences)), *row)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
