"""Amplifiers of GNPy's equipment file as own parts: noise figures by gain or by input power.

Source of the models: GNPy 3.0.1, documentation of amplifier models and of the equipment library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..catalogue.two_stage_noise import two_stages
from ..errors import DocumentError
from .fields import Fields, plain
from .files import SourceFile
from .gnpy_figures import MODEL_AMPLIFIER, figure, figures_of
from .ledger import Ledger
from .naming import display_name
from .quantities import finite

MAX_GAIN_DB, NO_NOISE_DB = 60.0, -100.0
INPUT_DBM = tuple(float(value) for value in range(-35, 6))
"""Input powers in 50 GHz at which the noise figure of an OpenROADM amplifier is stated."""
PREAMP_INPUT_DBM = (-50.0, -11.0, 10.0)
"""Ends and kink of the noise figure of OpenROADM's preamplifier."""
OSNR_OFFSET_DB = 58.0
"""OSNR in 0.1 nm of an amplifier without noise of its own at 0 dBm: -10 log10(h f 12.5 GHz), rounded as GNPy does."""
REFERENCE_INPUT_DBM = -20.0
MAX_COEFFICIENTS = 20
GAIN_STEP_DB = 0.5
LEFT_OUT = "an amplifier is left out"


class _Noise(NamedTuple):
    """Noise figure of an amplifier between two gains."""

    low_db: float
    high_db: float
    at: Callable[[float], float]


class _UnusableError(Exception):
    """An entry that states no usable noise figure."""


def amplifier_entries(
    records: Sequence[Mapping[str, Any]],
    source: str,
    files: Sequence[SourceFile],
    ledger: Ledger,
    extended_db: float = 0.0,
) -> Iterator[dict[str, Any]]:
    """Yield the amplifiers of an equipment file as plain data of parts.

    Args:
        records: entries of the list `Edfa`.
        source: source of the figures.
        files: files that the user named; polynomials that an entry refers to by file name are read from these alone.
        ledger: counts of the import.
        extended_db: gain above that of a flat spectrum at which GNPy still runs an amplifier.
    """
    maker = _AmplifierMaker(records, source, files, ledger, extended_db)
    for i, record in enumerate(records):
        place = f"Edfa[{i}]"
        fields = Fields(record, "Edfa", place, ledger)
        try:
            entry = maker.entry(fields)
        except _UnusableError as error:
            hint = "check its figures"
            ledger.finding("bad part", f"{LEFT_OUT}: {error}", hint, f"{place} {plain(record.get('type_variety'))}")
            continue
        fields.close(dict.fromkeys(("allowed_for_design", "out_voa_auto"), "only the design of GNPy uses it"))
        yield entry


class _AmplifierMaker:
    """Makes parts of entries, which may refer to each other."""

    def __init__(
        self,
        records: Sequence[Mapping[str, Any]],
        source: str,
        files: Sequence[SourceFile],
        ledger: Ledger,
        extended_db: float,
    ) -> None:
        self.source, self.files, self.ledger, self.extended_db = source, files, ledger, extended_db
        self.by_name = {plain(record.get("type_variety")): record for record in records}

    def entry(self, fields: Fields) -> dict[str, Any]:
        """Return an entry as plain data of a part. Raises _UnusableError."""
        name, law = fields.text("type_variety"), fields.text("type_def") or "variable_gain"
        if not name:
            raise _UnusableError("it has no type_variety")
        if law == "multi_band":
            raise _UnusableError("several bands; each is a part of its own")
        stated = {"max_output_dbm": self._output_dbm(law, fields)}
        part: dict[str, Any] = {"id": name, "kind": "amplifier", "name": display_name(name)}
        if law in ("openroadm", "openroadm_preamp", "openroadm_booster"):
            stated["max_gain_db"] = self._number(fields.record, "gain_flatmax", 0, MAX_GAIN_DB, fields)
            stated["noise_figure_db"], points = self._openroadm(law, fields)
            part |= {"noise_figures": points} if points else {}
        else:
            noise = self._noise(fields.record, fields)
            most_db = min(noise.high_db + self.extended_db, MAX_GAIN_DB)
            stated |= {"max_gain_db": most_db, "noise_figure_db": noise.at(noise.high_db)}
            if law == "variable_gain" and not self.extended_db:
                stated |= {"min_gain_db": noise.low_db, "noise_figure_at_min_gain_db": noise.at(noise.low_db)}
                part["noise_law"] = "two_stage"
            elif law != "fixed_gain":
                part["noise_figures"] = [
                    {"gain_db": gain_db, "noise_figure_db": figure(noise.at(gain_db), self.source)}
                    for gain_db in _gains(noise.low_db, noise.high_db, most_db)
                ]
        for gnpy in ("pmd", "pdl"):
            fields.drop(gnpy, "PMD and PDL of amplifiers")
        place = f"{fields.place} {name}"
        part["figures"] = dict(figures_of("amplifier", MODEL_AMPLIFIER, stated, self.source, self.ledger, place))
        return part

    def _output_dbm(self, law: str, fields: Fields) -> float:
        """Return the greatest output power; that of the second stage for two amplifiers in series."""
        record = fields.record
        if law == "dual_stage" and "p_max" not in record:
            record = self.by_name.get(plain(record.get("booster_variety")), {})
        return self._number(record, "p_max", -40, 40, fields)

    def _noise(self, record: Mapping[str, Any], fields: Fields, depth: int = 0) -> _Noise:
        """Return the noise figure by gain of an entry, or of a stage that it names. Raises _UnusableError."""
        law = record.get("type_def", "variable_gain")
        if law == "dual_stage" and depth == 0:
            return self._two_amplifiers(record, fields)
        high_db = self._number(record, "gain_flatmax", 0, MAX_GAIN_DB, fields)
        low_db = self._number(record, "gain_min", 0, MAX_GAIN_DB, fields)
        if law == "fixed_gain":
            constant_db = self._number(record, "nf0", NO_NOISE_DB, MAX_GAIN_DB, fields)
            return _Noise(min(low_db, high_db), high_db, lambda _gain_db: constant_db)
        if not low_db < high_db:
            raise _UnusableError(f"gain_min {low_db:g} is not below gain_flatmax {high_db:g}")
        if law == "variable_gain":
            least_db = self._number(record, "nf_min", NO_NOISE_DB, MAX_GAIN_DB, fields)
            most_db = self._number(record, "nf_max", NO_NOISE_DB, MAX_GAIN_DB, fields)
            try:
                stages = two_stages(low_db, high_db, least_db, most_db)
            except ValueError as error:
                raise _UnusableError(str(error)) from None
            ends = {low_db: most_db, high_db: least_db}
            return _Noise(low_db, high_db, lambda gain_db: ends.get(gain_db, stages.noise_figure_db(gain_db)))
        if law == "advanced_model":
            coefficients = self._coefficients(record, fields)
            return _Noise(low_db, high_db, lambda gain_db: _polynomial(coefficients, gain_db - high_db))
        raise _UnusableError(f"type_def {plain(law)[:40]} is unknown")

    def _two_amplifiers(self, record: Mapping[str, Any], fields: Fields) -> _Noise:
        """Return the noise figure of two amplifiers in series, the first at its greatest gain (Friis)."""
        stages = []
        for name in ("preamp_variety", "booster_variety"):
            fields.skip(name)
            stage = self.by_name.get(plain(record.get(name)))
            if stage is None:
                raise _UnusableError(f"{name} is no entry of Edfa")
            stages.append(self._noise(stage, Fields(stage, "Edfa", fields.place, Ledger()), depth=1))
        first, second = stages
        gain_db, noise = first.high_db, _ratio(first.at(first.high_db))
        low_db = max(self._number(record, "gain_min", 0, MAX_GAIN_DB, fields), gain_db)
        high_db = min(gain_db + second.high_db, MAX_GAIN_DB)

        def at(total_db: float) -> float:
            rest_db = total_db - gain_db
            pad_db = max(second.low_db - rest_db, 0.0)
            return 10.0 * math.log10(noise + _ratio(second.at(max(rest_db, second.low_db)) + pad_db - gain_db))

        if not low_db < high_db:
            raise _UnusableError("its gain_min is above the gain of both stages")
        return _Noise(low_db, high_db, at)

    def _openroadm(self, law: str, fields: Fields) -> tuple[float, list[dict[str, Any]]]:
        """Return a noise figure of an OpenROADM amplifier, and its noise figures by input power in 50 GHz."""
        if law == "openroadm_booster":
            return NO_NOISE_DB, []
        if law == "openroadm":
            coefficients = [finite(value) for value in _items(fields.raw("nf_coef"))]
            if not coefficients or None in coefficients:
                raise _UnusableError("nf_coef is no list of numbers")
            fields.count("nf_coef", "polynomial of OSNR → noise figures by input power")
            numbers = [value for value in coefficients if value is not None]
            inputs = INPUT_DBM

            def osnr_db(input_dbm: float) -> float:
                return _polynomial(numbers, input_dbm)
        else:
            inputs = PREAMP_INPUT_DBM

            def osnr_db(input_dbm: float) -> float:
                return min((4.0 * input_dbm + 275.0) / 7.0, 33.0)

        def noise_db(input_dbm: float) -> float:
            return min(max(input_dbm - osnr_db(input_dbm) + OSNR_OFFSET_DB, NO_NOISE_DB), MAX_GAIN_DB)

        points = [{"input_dbm": at, "noise_figure_db": figure(noise_db(at), self.source)} for at in inputs]
        return noise_db(REFERENCE_INPUT_DBM), points

    def _coefficients(self, record: Mapping[str, Any], fields: Fields) -> list[float]:
        """Return the polynomial of the noise figure: in the entry, or in a file that the user named too."""
        listed = record.get("nf_fit_coeff")
        name = record.get("advanced_config_from_json")
        fields.skip("nf_fit_coeff", "advanced_config_from_json")
        if listed is None and isinstance(name, str):
            beside = next((file for file in self.files if file.name == name), None)
            if beside is None:
                raise _UnusableError(f"its noise figure is in {plain(name)[:80]}: name that file too")
            try:
                content = beside.data
            except DocumentError as error:
                raise _UnusableError(str(error)[:200]) from None
            listed = content.get("nf_fit_coeff") if isinstance(content, dict) else None
            self.ledger.dropped(
                "Edfa gain_ripple, nf_ripple, dgt",
                "noise and power by frequency: SNR of the channels at the edges of the band, by up to the ripple",
                beside.name,
            )
        numbers = [finite(value) for value in _items(listed)]
        if not numbers or None in numbers:
            raise _UnusableError("nf_fit_coeff is no list of numbers")
        fields.ledger.converted("Edfa.nf_fit_coeff", "polynomial → noise figures by gain")
        return [number for number in numbers if number is not None]

    def _number(self, record: Mapping[str, Any], name: str, low: float, high: float, fields: Fields) -> float:
        value = finite(record.get(name))
        if value is None or not low <= value <= high:
            raise _UnusableError(f"{name} is no number from {low:g} to {high:g}")
        if record is fields.record:
            fields.number(name, low, high)
        return value


def _gains(low_db: float, flat_db: float, most_db: float) -> list[float]:
    """Return gains at which a noise figure is stated: in steps, at the greatest flat gain, and at the greatest."""
    n = math.ceil((flat_db - low_db) / GAIN_STEP_DB)
    steps = [low_db + i * GAIN_STEP_DB for i in range(n)]
    return [*steps, flat_db, *([most_db] if most_db > flat_db else [])]


def _items(value: object) -> list[Any]:
    return value[:MAX_COEFFICIENTS] if isinstance(value, list) else []


def _polynomial(coefficients: Sequence[float], at: float) -> float:
    """Return the value of a polynomial, highest power first (Horner)."""
    total = 0.0
    for coefficient in coefficients:
        total = total * at + coefficient
    return min(max(total, -1e6), 1e6)


def _ratio(db: float) -> float:
    return math.pow(10.0, db / 10.0)
