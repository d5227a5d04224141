"""Transceivers of GNPy's equipment file as own parts: modes with their required OSNR and penalties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fields import Fields
from .gnpy_figures import MODEL_TRANSCEIVER, figure, figures_of
from .ledger import Ledger
from .naming import display_name
from .quantities import finite

MAX_MODES = 8
"""Modes of a transceiver in the link budget."""
NO_LIMIT = {
    "rx_min_dbm": -60.0,
    "rx_max_dbm": 30.0,
    "receiver_snr_at_0dbm_db": 100.0,
    "reach_km": 20_000.0,
}
"""Figures of a receiver that GNPy does not model, at values that limit nothing."""
NO_LIMIT_DISPERSION, NO_LIMIT_PMD = 1e6, 1e4
DEFAULT_POWER_DBM = 0.0
PENALTIES = {"chromatic_dispersion": "dispersion_ps_per_nm", "pmd": "pmd_ps"}
MODULATIONS = (("QPSK", "DP-QPSK"), ("8QAM", "DP-8QAM"), ("16QAM", "DP-16QAM"))
CLOSENESS = ((3.6, "DP-QPSK"), (5.4, "DP-8QAM"))
"""Net bits in a symbol of both polarisations up to which a modulation is taken; above, DP-16QAM."""
NOT_MODELLED = "GNPy models no such limit, so none is set"
MODULATION_ASSUMED = ("modulation of a mode", "by its bits in a symbol", "the format names none", "modes of the part")


def transceiver_entry(fields: Fields, source: str, ledger: Ledger) -> dict[str, Any] | None:
    """Return a transceiver as plain data of a part; None, with a finding, for one without a usable mode."""
    name = fields.text("type_variety")
    listed = fields.raw("mode")
    by_rate: dict[float, tuple[dict[str, Any], float, float]] = {}
    for i, record in enumerate(listed if isinstance(listed, list) else ()):
        place = f"{fields.place} {name}, mode {i}"
        mode = _mode(record, place, source, ledger) if isinstance(record, Mapping) else None
        if mode is None:
            continue
        rate_gbps = mode[0]["rate_gbps"]
        known = by_rate.get(rate_gbps)
        if known is not None:
            effect = "the mode of the same rate that needs less SNR is used"
            ledger.dropped("Transceiver.mode", effect, place)
        if known is None or _required_db(mode[0]) < _required_db(known[0]):
            by_rate[rate_gbps] = mode
    fields.drop("frequency", "band of the transceiver")
    fields.close()
    if not name or not by_rate:
        hint = "type_variety, and modes with bit_rate, baud_rate and OSNR"
        ledger.finding("bad part", "a transceiver without a name or a usable mode is left out", hint, fields.place)
        return None
    rates = sorted(by_rate, reverse=True)
    if rates[MAX_MODES:]:
        ledger.dropped(
            "Transceiver.mode", "slowest modes beyond eight", f"{fields.place} {name}", len(rates) - MAX_MODES
        )
    found = [by_rate[rate] for rate in rates[:MAX_MODES]]
    modes = [mode for mode, _, _ in found]
    if len({osnr for _, osnr, _ in found}) > 1:
        problem = "modes differ in tx_osnr; the lowest is used for all"
        ledger.finding("mixed figures", problem, "split the part by mode", f"{fields.place} {name}")
    stated = {
        "rate_gbps": rates[0],
        "tx_osnr_db": min(osnr for _, osnr, _ in found),
        "required_snr_db": _required_db(modes[0]),
        "spacing_ghz": max(spacing for _, _, spacing in found),
        "max_dispersion_ps_per_nm": _greatest(modes, "dispersion_ps_per_nm", NO_LIMIT_DISPERSION),
        "max_pmd_ps": _greatest(modes, "pmd_ps", NO_LIMIT_PMD),
        "launch_dbm": DEFAULT_POWER_DBM,
    }
    place = f"{fields.place} {name}"
    power = f"{DEFAULT_POWER_DBM:g} dBm"
    ledger.assumed("transceiver, launch_dbm", power, "GNPy states it for each line", "launch_dbm of links", place)
    for figure_name, value in NO_LIMIT.items():
        ledger.assumed(f"transceiver, {figure_name}", f"{value:g}", NOT_MODELLED, "figures of the part", place)
    figures = dict(figures_of("transceiver", MODEL_TRANSCEIVER, stated | NO_LIMIT, source, ledger, place))
    return {
        "id": name,
        "kind": "transceiver",
        "name": display_name(name),
        "optics": "coherent",
        "modes": modes,
        "figures": figures,
    }


def _mode(
    record: Mapping[str, Any], place: str, source: str, ledger: Ledger
) -> tuple[dict[str, Any], float, float] | None:
    """Return a mode, its transmitter OSNR in dB and its spacing in GHz; None, with a finding, if it is unusable."""
    fields = Fields(record, "Transceiver.mode", place, ledger)
    rate_gbps = fields.number("bit_rate", 1e-3, 1e5, "b/s → Gb/s", 1e-9)
    baud_gbd = fields.number("baud_rate", 1e-3, 1e4, "baud → GBd", 1e-9)
    required_db = fields.number("OSNR", -50, 100)
    spacing_ghz = fields.number("min_spacing", 1, 1e4, "Hz → GHz", 1e-9)
    tx_osnr_db = fields.number("tx_osnr", 0, 200)
    text = fields.text("format")
    penalties = list(_penalties(fields, source))
    fields.close(
        {
            "cost": "cost that GNPy compares modes with",
            "roll_off": "shape of the channel; no answer uses it",
            "equalization_offset_db": "power of the channel over others",
        }
    )
    if rate_gbps is None or baud_gbd is None or required_db is None:
        ledger.finding("bad value", "a mode is left out", "state bit_rate, baud_rate and OSNR", place)
        return None
    modulation = next((name for word, name in reversed(MODULATIONS) if word in text.upper()), "")
    if not modulation:
        net = rate_gbps / baud_gbd
        modulation = next((name for limit, name in CLOSENESS if net <= limit), "DP-16QAM")
        ledger.assumed(*MODULATION_ASSUMED, place)
    mode = {
        "rate_gbps": rate_gbps,
        "baud_gbd": baud_gbd,
        "modulation": modulation,
        "required_snr_db": figure(required_db, source),
        "penalties": penalties,
    }
    if spacing_ghz is None:
        ledger.assumed("spacing of a mode", "its symbol rate", "the source states none", "figures of the part", place)
    if tx_osnr_db is None:
        ledger.assumed("OSNR of a transmitter", "100 dB", "the source states none", "figures of the part", place)
    return mode, 100.0 if tx_osnr_db is None else tx_osnr_db, spacing_ghz or baud_gbd


def _penalties(fields: Fields, source: str) -> list[dict[str, Any]]:
    """Return the penalties of a mode by dispersion and PMD, ascending; others are dropped."""
    listed = fields.raw("penalties")
    points: dict[str, dict[float, float]] = {}
    for row in listed if isinstance(listed, list) else ():
        penalty_db = finite(row.get("penalty_value")) if isinstance(row, Mapping) else None
        if penalty_db is None:
            fields.bad("penalties", row, "an impairment and its penalty_value")
            continue
        for name, value in row.items():
            at = finite(value)
            if name in PENALTIES and at is not None and at >= 0:
                points.setdefault(PENALTIES[name], {})[at] = penalty_db
            elif name == "pdl":
                fields.ledger.dropped("Transceiver.mode.penalties.pdl", "PDL; only ROADMs have it", fields.place)
            elif name in PENALTIES:
                effect = "no fibre here has negative dispersion"
                fields.ledger.dropped("Transceiver.mode.penalties below 0", effect, fields.place)
    found = []
    for impairment in sorted(points):
        least_db = 0.0
        for at, penalty_db in sorted(points[impairment].items()):
            if penalty_db < least_db:
                problem = "a penalty falls as the impairment grows; the greater one is used"
                fields.ledger.finding("bad value", problem, "check the penalties", fields.place)
            least_db = max(least_db, penalty_db)
            found.append({"impairment": impairment, "at": at, "penalty_db": figure(least_db, source)})
        fields.count("penalties")
    return found


def _required_db(mode: Mapping[str, Any]) -> float:
    return float(mode["required_snr_db"]["value"])


def _greatest(modes: list[dict[str, Any]], impairment: str, default: float) -> float:
    """Return the most of an impairment that any mode bears; the default if a mode has no limit."""
    limits = [
        max((float(p["at"]) for p in mode["penalties"] if p["impairment"] == impairment), default=default)
        for mode in modes
    ]
    return max(limits)
