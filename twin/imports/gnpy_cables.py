"""Cables with fibre spans, amplifiers and boosters from the paired lines of GNPy."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ..catalogue import catalogue
from .cabling import Cable, Cabling, End
from .gnpy_equipment import Equipment
from .gnpy_figures import MODEL_AMPLIFIER, fibre_part, own_id
from .gnpy_lines import Amplifier, Fibre, Line, LinePair, Pass
from .ledger import Ledger
from .media import medium_of_text
from .naming import display_name, printable

EQUIPMENT = "eqpt_config.json after the topology"
MAX_FIBRE_PARTS = 2000
"""Different fibres of one import; those beyond count as the one of their type that is met first."""
LOSS_DIGITS = 6
NO_FIBRE_LOSS_DB_PER_KM = 0.2
MAX_VOA_DB, MAX_LUMPED_DB, MAX_GAIN_DB = 40.0, 100.0, 60.0
LAUNCH_DBM = (-30.0, 10.0)
DESIGN_HINT = "let GNPy design the line and save it, or add amplifiers"


class CableMaker:
    """Makes cables of lines; parts that they need are added to the cabling."""

    def __init__(
        self,
        cabling: Cabling,
        equipment: Equipment,
        powers_dbm: Mapping[tuple[str, str], float],
        roadms: frozenset[str],
        ledger: Ledger,
    ) -> None:
        """Prepare to make cables.

        Args:
            cabling: what is filled.
            equipment: own parts and settings, empty without an equipment file.
            powers_dbm: (ROADM, first element of a line or empty) -> power per channel at its output.
            roadms: keys of the ROADMs.
            ledger: counts of the import.
        """
        self.cabling, self.equipment, self.powers_dbm = cabling, equipment, powers_dbm
        self.roadms, self.ledger = roadms, ledger
        self._fibre_ids: dict[tuple[Any, ...], str] = {}
        self._first_of_type: dict[str, str] = {}
        self._taken = {entry["id"] for entry in equipment.parts.values()}

    def add(self, pair: LinePair) -> None:
        """Add the cable of a line and its opposite direction."""
        line = pair.line
        place = f"{line.source} → {line.target}"
        self._check_design(line, place)
        if pair.back is not None and pair.back.amplifiers:
            effect = "one direction stands for both; its gains and attenuators are used"
            self.ledger.dropped("Edfa of the opposite direction", effect, place, len(pair.back.amplifiers))
        first = line.fibres[0] if line.fibres else None
        cable = Cable(
            f"{place} {line.elements[0].key if line.elements else ''}",
            (End(line.source), End(line.target)),
            name=line.name,
            source=first.source if first is not None else None,
        )
        lengths = [fibre.length_km for fibre in line.fibres]
        if lengths and None not in lengths:
            cable.length_km = sum(length for length in lengths if length is not None)
            cable.is_line = True
            cable.spans, cable.optics = self._line(line, place)
        elif line.amplifiers or line.fibres:
            effect = "losses and amplifiers of a line, of which a fibre has no length"
            self.ledger.dropped("line", effect, place)
        self.cabling.cables.append(cable)

    def _check_design(self, line: Line, place: str) -> None:
        """Find ends and joints where GNPy adds amplifiers before it computes."""
        kinds = ["roadm" if line.source in self.roadms else "end"]
        kinds += ["fibre" if isinstance(e, Fibre) else "other" for e in line.elements]
        kinds.append("roadm" if line.target in self.roadms else "end")
        joints = {("roadm", "fibre"), ("fibre", "roadm"), ("fibre", "fibre")}
        n = sum(pair in joints for pair in pairwise(kinds))
        if n:
            problem = "no amplifier where GNPy designs one by itself; the line is as it is written"
            self.ledger.finding("missing amplifiers", problem, DESIGN_HINT, place, n)
        without = sum(amplifier.gain_db is None and amplifier.delta_db is None for amplifier in line.amplifiers)
        if without:
            problem = "no gain is stated, and GNPy designs it by itself; here an amplifier restores the loss before it"
            self.ledger.finding("missing gain", problem, DESIGN_HINT, place, without)

    def _line(self, line: Line, place: str) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
        """Return the spans and the optical fields of a link."""
        spans: list[dict[str, Any]] = []
        optics: dict[str, Any] = {}
        waiting_db, start_dbm = 0.0, self._start_dbm(line)
        for element in line.elements:
            last = spans[-1] if spans else None
            if isinstance(element, Fibre):
                if last is None and "booster" not in optics and start_dbm is not None:
                    self._launch(optics, start_dbm - waiting_db, place)
                    waiting_db = 0.0 if "launch_dbm" in optics else waiting_db
                waiting_db = self._place_head(element, waiting_db, last, optics, place)
                spans.append(self._span(element, waiting_db))
                waiting_db = 0.0
            elif isinstance(element, Pass):
                if last is None or "amplifier" in last:
                    waiting_db += element.loss_db
                else:
                    _add(last, "lumped_loss_db", element.loss_db, MAX_LUMPED_DB)
            elif last is None:
                self._booster(element, optics, None if start_dbm is None else start_dbm - waiting_db, place)
                waiting_db = 0.0
            elif "amplifier" in last:
                hint = "check the connections"
                self.ledger.finding(
                    "two amplifiers", "the second of two without fibre between is left out", hint, place
                )
            else:
                self._amplifier(element, last)
        if waiting_db and spans:
            _add(spans[-1], "amplifier_voa_db", waiting_db, MAX_VOA_DB)
        if self.equipment.n_channels is not None and ("booster" in optics or any("amplifier" in s for s in spans)):
            optics["n_design_channels"] = self.equipment.n_channels
        return tuple(spans), optics

    def _place_head(
        self, fibre: Fibre, waiting_db: float, last: dict[str, Any] | None, optics: dict[str, Any], place: str
    ) -> float:
        """Count the loss before a fibre where it lies, and return what is left for the span itself."""
        head_db = self._connector(fibre.head_db, self.equipment.con_in_db, "con_in", place) + waiting_db
        if not head_db:
            return 0.0
        if last is not None and "amplifier" not in last:
            _add(last, "lumped_loss_db", head_db, MAX_LUMPED_DB)
        elif last is not None:
            _add(last, "amplifier_voa_db", head_db, MAX_VOA_DB)
            self.ledger.converted("Fiber.con_in, att_in", "loss before a fibre → VOA of the amplifier before it")
        elif "booster" in optics:
            _add(optics, "booster_voa_db", head_db, MAX_VOA_DB)
            if "launch_dbm" in optics:
                optics["launch_dbm"] = max(optics["launch_dbm"] - head_db, LAUNCH_DBM[0])
            self.ledger.converted("Fiber.con_in, att_in", "loss before a fibre → VOA of the booster")
        elif "launch_dbm" in optics:
            optics["launch_dbm"] = max(optics["launch_dbm"] - head_db, LAUNCH_DBM[0])
            self.ledger.converted("Fiber.con_in, att_in", "loss before the first fibre → launch_dbm")
        else:
            self.ledger.converted("Fiber.con_in, att_in", "loss before the first fibre → lumped loss of its span")
            return head_db
        return 0.0

    def _connector(self, stated_db: float | None, default_db: float | None, name: str, place: str) -> float:
        if stated_db is not None:
            return stated_db
        value, why = (
            (0.0, "the source states none") if default_db is None else (default_db, "Span of the equipment file")
        )
        self.ledger.assumed(f"loss {name} of a fibre", f"{value:g} dB", why, EQUIPMENT, place)
        return value

    def _span(self, fibre: Fibre, head_db: float) -> dict[str, Any]:
        tail_db = self._connector(fibre.tail_db, self.equipment.con_out_db, "con_out", fibre.key)
        span: dict[str, Any] = {
            "length_km": fibre.length_km,
            "fibre": self._fibre(fibre),
            "name": display_name(fibre.key),
        }
        if head_db + tail_db:
            span["lumped_loss_db"] = min(head_db + tail_db, MAX_LUMPED_DB)
        if fibre.cable:
            span["srlgs"] = [printable(f"cable {fibre.cable}")]
        if fibre.source is not None:
            span["source"] = fibre.source
        return span

    def _fibre(self, fibre: Fibre) -> str:
        """Return the part of a fibre: one for each type, attenuation and own figures."""
        loss = None if fibre.loss_db_per_km is None else round(fibre.loss_db_per_km, LOSS_DIGITS)
        key = (fibre.variety, loss, *sorted(fibre.figures.items()))
        if key not in self._fibre_ids:
            if len(self._fibre_ids) < MAX_FIBRE_PARTS:
                self._fibre_ids[key] = self._new_fibre(fibre, loss)
                self._first_of_type.setdefault(fibre.variety, self._fibre_ids[key])
            else:
                what, why = "figures of a fibre", f"more than {MAX_FIBRE_PARTS} different fibres"
                self.ledger.assumed(what, "those of the first of its type", why, "", fibre.key)
                return self._first_of_type.get(fibre.variety, next(iter(self._fibre_ids.values())))
        return self._fibre_ids[key]

    def _new_fibre(self, fibre: Fibre, loss: float | None) -> str:
        known = self.equipment.part("fibre", fibre.variety)
        stated = dict(fibre.figures)
        if loss is not None:
            stated["attenuation_db_per_km"] = loss
        if known is None:
            return self._catalogue_fibre(fibre, stated)
        if not stated:
            self._keep(known)
            return str(known["id"])
        part = fibre_part(self._name(fibre.variety, loss), stated, _origin(fibre), Ledger(), fibre.key)
        part["figures"] |= {name: value for name, value in known["figures"].items() if name not in stated}
        return self._own(part)

    def _catalogue_fibre(self, fibre: Fibre, stated: dict[str, float]) -> str:
        """Return a fibre of the catalogue by the name of its type, with the stated figures in place of its own."""
        named = medium_of_text(fibre.variety)
        model = (named.part if named is not None else "") or "G.652.D"
        model = model if any(part.id == model for part in catalogue().parts("fibre")) else "G.652.D"
        why = "no equipment file states the figures of its type" if fibre.variety else "the source states no type"
        self.ledger.assumed(f"fibre {printable(fibre.variety)[:60]}".strip(), model, why, EQUIPMENT, fibre.key)
        if not stated:
            return model
        name = self._name(fibre.variety or model, stated.get("attenuation_db_per_km"))
        return self._own(fibre_part(name, stated, _origin(fibre), Ledger(), fibre.key, model))

    def _name(self, variety: str, loss: float | None) -> str:
        return f"{variety[:100]} {loss:g} dB/km" if loss is not None else variety[:100] or "fibre"

    def _own(self, part: dict[str, Any]) -> str:
        part["id"] = own_id(part["id"], self._taken)
        self._keep(part)
        return str(part["id"])

    def _keep(self, part: dict[str, Any]) -> None:
        self._taken.add(part["id"])
        self.cabling.parts.setdefault(part["id"], part)

    def _amplifier_part(self, amplifier: Amplifier) -> str:
        part = self.equipment.part("amplifier", amplifier.variety)
        if part is not None:
            self._keep(part)
            return str(part["id"])
        why = "no equipment file states the figures of its type" if amplifier.variety else "the source states no type"
        if amplifier.variety in self.equipment.left_out:
            why = "the equipment file has this amplifier, but no figures that can be used: see the findings"
        what = f"amplifier {printable(amplifier.variety)[:60]}" if amplifier.variety else "amplifier without a type"
        self.ledger.assumed(what, f"{MODEL_AMPLIFIER} of the catalogue", why, EQUIPMENT, amplifier.key)
        return MODEL_AMPLIFIER

    def _amplifier(self, amplifier: Amplifier, span: dict[str, Any]) -> None:
        """Put an amplifier behind a span."""
        _add(span, "lumped_loss_db", amplifier.in_voa_db or 0.0, MAX_LUMPED_DB)
        span["amplifier"] = self._amplifier_part(amplifier)
        if amplifier.gain_db is not None:
            span["amplifier_gain_db"] = min(amplifier.gain_db, MAX_GAIN_DB)
        elif amplifier.delta_db is not None and self.equipment.power_dbm is not None:
            output_dbm = self.equipment.power_dbm + amplifier.delta_db + (amplifier.out_voa_db or 0.0)
            span["amplifier_output_dbm"] = min(max(output_dbm, -40.0), 30.0)
        _add(span, "amplifier_voa_db", amplifier.out_voa_db or 0.0, MAX_VOA_DB)
        self._drop_tilt(amplifier)

    def _booster(self, amplifier: Amplifier, optics: dict[str, Any], power_dbm: float | None, place: str) -> None:
        """Put an amplifier before the first span: its gain and the power before it give the launch power."""
        if "booster" in optics:
            hint = "check the connections"
            self.ledger.finding("two amplifiers", "the second of two without fibre between is left out", hint, place)
            return
        optics["booster"] = self._amplifier_part(amplifier)
        voa_db = amplifier.out_voa_db or 0.0
        _add(optics, "booster_voa_db", voa_db, MAX_VOA_DB)
        if amplifier.gain_db is not None:
            optics["booster_gain_db"] = min(amplifier.gain_db, MAX_GAIN_DB)
            launch_dbm = None if power_dbm is None else power_dbm + amplifier.gain_db - voa_db
        elif amplifier.delta_db is not None and self.equipment.power_dbm is not None:
            launch_dbm = self.equipment.power_dbm + amplifier.delta_db
        else:
            launch_dbm = None
        self._launch(optics, launch_dbm, place)
        self._drop_tilt(amplifier)

    def _start_dbm(self, line: Line) -> float | None:
        """Return the power per channel out of the ROADM or transceiver at the start of a line; None if unknown."""
        if line.source not in self.roadms:
            if self.equipment.power_dbm is not None:
                value = f"{self.equipment.power_dbm:g} dBm"
                why = "SI of the equipment file"
                self.ledger.assumed("power per channel of a transceiver", value, why, EQUIPMENT, line.source)
            return self.equipment.power_dbm
        degree = line.elements[0].key if line.elements else ""
        for key in ((line.source, degree), (line.source, "")):
            if key in self.powers_dbm:
                return self.powers_dbm[key]
        if self.equipment.roadm_dbm is not None:
            why = "Roadm of the equipment file"
            value = f"{self.equipment.roadm_dbm:g} dBm"
            self.ledger.assumed("power per channel out of a ROADM", value, why, EQUIPMENT, line.source)
        return self.equipment.roadm_dbm

    def _launch(self, optics: dict[str, Any], launch_dbm: float | None, place: str) -> None:
        if launch_dbm is None:
            return
        if not LAUNCH_DBM[0] <= launch_dbm <= LAUNCH_DBM[1]:
            problem = f"the launch power of a line is out of range: {launch_dbm:g} dBm; it is left out"
            self.ledger.finding("bad value", problem, "check the ROADM and its booster", place)
            return
        optics["launch_dbm"] = launch_dbm
        self.ledger.converted("power at the start of a line", "with its losses and booster → launch_dbm")

    def _drop_tilt(self, amplifier: Amplifier) -> None:
        """Report a tilt: it is set against that of Raman scattering, and the twin has neither."""
        if amplifier.tilt_db:
            edge_db = abs(amplifier.tilt_db) / 2.0
            effect = f"power and SNR at the edges of the band, by up to {edge_db:.1f} dB; it opposes Raman scattering"
            self.ledger.dropped("Edfa.tilt_target", effect, amplifier.key)


def _origin(fibre: Fibre) -> str:
    return "GNPy topology" + (f" {fibre.source['file']}" if fibre.source else "")


def _add(record: dict[str, Any], name: str, value_db: float, greatest_db: float) -> None:
    if value_db:
        record[name] = min(record.get(name, 0.0) + value_db, greatest_db)
