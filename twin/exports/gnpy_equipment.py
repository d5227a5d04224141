"""Equipment file of GNPy: the fibres, amplifiers and transceivers of exported lines, and a comb for all of them."""

from __future__ import annotations

import math
from typing import Any

from ..catalogue import Mode, Part
from ..imports.gnpy_figures import FIBRE_FIGURES
from ..imports.ledger import Ledger
from .lines import Line, LineAmplifier

Entry = dict[str, Any]
BAND_CENTRE_HZ = 193.7e12
DEFAULT_SPACING_GHZ, DEFAULT_BAUD_GBD = 50.0, 32.0
NO_LIMIT_DBM, NO_OSNR_DB, MAX_MARGIN_DB = 40.0, 100.0, 10.0
SAME_DB = 1e-6
"""Noise figures closer than this are equal."""
IMPAIRMENTS = {"dispersion_ps_per_nm": "chromatic_dispersion", "pmd_ps": "pmd"}
ONE_COMB = "channels of a line; GNPy computes all lines with one comb, the widest"


class EquipmentWriter:
    """Collects the equipment of lines."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.fibres: dict[str, Entry] = {}
        self.amplifiers: dict[str, Entry] = {}
        self.transceivers: dict[str, Entry] = {}
        self.combs: dict[tuple[float, float], int] = {}
        """(spacing, symbol rate) of the lines -> most channels."""

    def add_line(self, line: Line) -> None:
        """Add fibres and transceivers of a line; amplifiers are added as they are named."""
        for span in line.spans:
            self.fibres.setdefault(span.fibre.id, self._fibre(span.fibre))
        spacing_ghz, baud_gbd = DEFAULT_SPACING_GHZ, DEFAULT_BAUD_GBD
        part = line.transceiver
        if part is not None and part.modes:
            self.transceivers.setdefault(part.id, self._transceiver(part))
            spacing_ghz, baud_gbd = part.value("spacing_ghz"), part.modes[0].baud_gbd
        comb = spacing_ghz, baud_gbd
        self.combs[comb] = max(self.combs.get(comb, 1), line.n_channels)

    def amplifier_type(self, amplifier: LineAmplifier) -> str:
        """Return the type of an amplifier, made on first use: that of its part, or one of its noise figure."""
        part, noise_db = amplifier.part, amplifier.noise_figure_db
        entry: Entry = {
            "type_variety": part.id,
            "type_def": "fixed_gain",
            "gain_flatmax": part.value("max_gain_db"),
            "gain_min": 0.0,
            "p_max": min(max(part.value("max_output_dbm"), 0.0), NO_LIMIT_DBM),
            "nf0": part.value("noise_figure_db"),
            "allowed_for_design": False,
        }
        if math.isnan(noise_db) or (part.noise_law is None and not part.noise_figures and self._is_new(part, noise_db)):
            pass
        elif part.noise_law == "two_stage" and self._is_new(part, noise_db, amplifier.gain_db):
            del entry["nf0"]
            entry |= {
                "type_def": "variable_gain",
                "gain_min": part.value("min_gain_db"),
                "nf_min": part.value("noise_figure_db"),
                "nf_max": part.value("noise_figure_at_min_gain_db"),
            }
        else:
            entry |= {"type_variety": f"{part.id} NF {noise_db:.2f}", "nf0": round(noise_db, 2)}
            self.ledger.converted("noise figure by gain, input or age", "amplifier type of one noise figure")
        self.amplifiers.setdefault(entry["type_variety"], entry)
        return str(entry["type_variety"])

    def _is_new(self, part: Part, noise_db: float, gain_db: float = math.nan) -> bool:
        """Return whether a noise figure is that of the part at this gain, without ageing."""
        if part.noise_law != "two_stage":
            return abs(part.value("noise_figure_db") - noise_db) < SAME_DB
        from ..catalogue.two_stage_noise import two_stages

        low_db, high_db = part.value("min_gain_db"), part.value("max_gain_db")
        at_max_db, at_min_db = part.value("noise_figure_db"), part.value("noise_figure_at_min_gain_db")
        used_db = max(gain_db, low_db)
        modelled_db = two_stages(low_db, high_db, at_max_db, at_min_db).noise_figure_db(used_db) + used_db - gain_db
        return abs(modelled_db - noise_db) < SAME_DB

    def equipment(self, tx_dbm: float, required_margin_db: float) -> Entry:
        """Return the file.

        Args:
            tx_dbm: power per channel of all transmitters.
            required_margin_db: margin of the network.
        """
        (spacing_ghz, baud_gbd), n = max(self.combs.items(), key=lambda item: (item[1] * item[0][0], item[0]),
                                         default=((DEFAULT_SPACING_GHZ, DEFAULT_BAUD_GBD), 1))  # fmt: skip
        if len(self.combs) > 1:
            self.ledger.dropped("comb of a line", ONE_COMB, n=len(self.combs) - 1)
        n = max(n, 1)
        spacing_hz = spacing_ghz * 1e9
        first_hz = BAND_CENTRE_HZ - (n - 1) * spacing_hz / 2.0
        comb = {
            "f_min": first_hz,
            "f_max": first_hz + (n - 1) * spacing_hz + spacing_hz / 100.0,
            "baud_rate": baud_gbd * 1e9,
            "spacing": spacing_hz,
            "power_dbm": tx_dbm,
            "power_range_db": [0, 0, 1],
            "tx_power_dbm": tx_dbm,
            "roll_off": 0.0,
            "tx_osnr": NO_OSNR_DB,
            "sys_margins": min(max(required_margin_db, 0.0), MAX_MARGIN_DB),
        }
        span = {
            "power_mode": False,
            "delta_power_range_db": [0, 0, 0.5],
            "max_fiber_lineic_loss_for_raman": 0.25,
            "target_extended_gain": 0.0,
            "max_length": 1000,
            "length_units": "km",
            "max_loss": 60,
            "padding": 0,
            "EOL": 0,
            "con_in": 0,
            "con_out": 0,
        }
        roadm = {
            "target_pch_out_db": -20.0,
            "add_drop_osnr": NO_OSNR_DB,
            "pmd": 0,
            "pdl": 0,
            "restrictions": {"preamp_variety_list": [], "booster_variety_list": []},
        }
        # the auto-design of GNPy needs an amplifier that it may choose
        amplifiers = list(self.amplifiers.values()) or [DESIGN_AMPLIFIER]
        if not any(entry["allowed_for_design"] for entry in amplifiers):
            amplifiers = [*amplifiers, DESIGN_AMPLIFIER]
        return {
            "Edfa": amplifiers,
            "Fiber": list(self.fibres.values()),
            "Span": [span],
            "Roadm": [roadm],
            "SI": [comb],
            "Transceiver": list(self.transceivers.values()),
        }

    def _fibre(self, part: Part) -> Entry:
        """Return a fibre in the units of GNPy."""
        figures = {gnpy: part.value(name) / factor for gnpy, (name, _, factor, _, _) in FIBRE_FIGURES.items()}
        self.ledger.dropped("fibre.group_index_ratio", "latency", part.id)
        return {"type_variety": part.id} | figures

    def _transceiver(self, part: Part) -> Entry:
        self.ledger.dropped("transceiver", "noise and limits of the receiver, watts", part.id)
        spacing_hz = part.value("spacing_ghz") * 1e9
        osnr_db = part.value_or("tx_osnr_db", NO_OSNR_DB)
        return {
            "type_variety": part.id,
            "frequency": {"min": 191.3e12, "max": 196.1e12},
            "mode": [_mode(mode, spacing_hz, osnr_db) for mode in part.modes],
        }


DESIGN_AMPLIFIER: Entry = {
    "type_variety": "for design",
    "type_def": "fixed_gain",
    "gain_flatmax": 40.0,
    "gain_min": 0.0,
    "p_max": NO_LIMIT_DBM,
    "nf0": 5.5,
    "allowed_for_design": True,
}
"""Amplifier that no line has; GNPy refuses equipment without one that its design may choose."""


def _mode(mode: Mode, spacing_hz: float, osnr_db: float) -> Entry:
    penalties = [{IMPAIRMENTS[p.impairment]: p.at, "penalty_value": p.penalty_db.value} for p in mode.penalties]
    # GNPy refuses less than the first point of an impairment, where the twin has no penalty
    stated = {p.impairment: p.at for p in reversed(mode.penalties)}
    zero = [{IMPAIRMENTS[name]: 0.0, "penalty_value": 0.0} for name, at in sorted(stated.items()) if at > 0]
    return {
        "format": f"{mode.rate_gbps:g}G {mode.modulation}",
        "baud_rate": mode.baud_gbd * 1e9,
        "OSNR": mode.required_snr_db.value,
        "bit_rate": mode.rate_gbps * 1e9,
        "roll_off": 0.0,
        "tx_osnr": osnr_db,
        "min_spacing": spacing_hz,
        "penalties": [*zero, *penalties],
        "cost": 1,
    }
