"""The records of the catalogue: a figure with its range and source, an operating mode, a part."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from twin.errors import CatalogueError, did_you_mean
from twin.field_descriptions import describe_fields
from twin.printable import SHOWN
from twin.units import unit_of

from .two_stage_noise import two_stages

Kind = Literal[
    "fibre", "transceiver", "fec", "amplifier", "mux", "protection", "switch", "accelerator", "card", "server"
]
Status = Literal["published", "vendor", "estimate", "own"]
Optics = Literal["direct_detect", "coherent", "copper"]
Medium = Literal["multimode", "copper"]
NoiseLaw = Literal["linear", "two_stage"]
NOISE_LAW_FIGURES = ("noise_figure_at_min_gain_db", "noise_figure_db", "min_gain_db", "max_gain_db")
"""Figures from which a noise law computes the noise figure at any gain."""
Impairment = Literal["dispersion_ps_per_nm", "pmd_ps"]
WHOLE_FIGURES = ("n_cards", "n_ports")
"""Figures of cards and servers that count pieces."""

KINDS: tuple[Kind, ...] = get_args(Kind)


class Record(BaseModel):
    """Base class of catalogue records: frozen, no unknown fields, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, json_schema_extra=describe_fields)


class Figure(Record):
    """A number with its range and source; low = value = high for an exact number.

    `as_of` is the date or year of the source, or of the day it was read if the source has no date. The status `own`
    marks a figure of a part that the document itself defines.
    """

    value: float
    """Value of the central case."""
    low: float
    """Lower end of the range."""
    high: float
    """Upper end of the range."""
    source: Annotated[str, SHOWN]
    """Where the number comes from."""
    as_of: Annotated[str, SHOWN]
    """Year or day."""
    status: Status
    """published, vendor, estimate, or own."""
    assumed_range: bool = False
    """True if no source gives the range: low and high are assumed."""

    @field_validator("source")
    @classmethod
    def _has_source(cls, source: str) -> str:
        if not source.strip():
            raise ValueError("no number without a source")
        return source

    @field_validator("as_of", mode="before")
    @classmethod
    def _year_as_text(cls, as_of: object) -> object:
        return str(as_of) if isinstance(as_of, int) and not isinstance(as_of, bool) else as_of

    @field_validator("as_of")
    @classmethod
    def _is_date_or_year(cls, as_of: str) -> str:
        if not re.fullmatch(r"[12]\d{3}", as_of):
            date.fromisoformat(as_of)
        return as_of

    @model_validator(mode="after")
    def _value_in_range(self) -> Figure:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"value {self.value} is outside low {self.low} to high {self.high}")
        return self


class Penalty(Record):
    """Increase of the required SNR of a mode at a given amount of one impairment."""

    impairment: Impairment
    """Dispersion or PMD, with its unit."""
    at: float = Field(ge=0)
    """Amount accumulated over the optical path, in the unit of the impairment's name."""
    penalty_db: Figure
    """Increase of the required SNR."""


class Mode(Record):
    """A line rate of a coherent transceiver and its required SNR (noise in 0.1 nm, with receiver noise)."""

    rate_gbps: float = Field(gt=0)
    """Rate for the client."""
    required_snr_db: Figure
    """SNR that the mode needs, with noise in 0.1 nm."""
    baud_gbd: float = Field(gt=0)
    """Symbol rate."""
    modulation: Annotated[str, SHOWN] = Field(min_length=1)
    """Modulation, such as DP-16QAM."""
    penalties: tuple[Penalty, ...] = ()
    """Points of each impairment, ascending, with linear interpolation. The penalty is 0 dB at 0 if the first point is
    above 0. Beyond the last point the mode does not work. An impairment without points has no penalty."""

    @field_validator("penalties")
    @classmethod
    def _penalties_rise(cls, penalties: tuple[Penalty, ...]) -> tuple[Penalty, ...]:
        for impairment in get_args(Impairment):
            points = [penalty for penalty in penalties if penalty.impairment == impairment]
            places = [point.at for point in points]
            if places != sorted(set(places)):
                raise ValueError(f"penalties of {impairment} go from the least to the most, each once; got {places}")
            costs_db = [point.penalty_db.value for point in points]
            if costs_db != sorted(costs_db) or min(costs_db, default=0.0) < 0.0:
                raise ValueError(f"penalties of {impairment} are not negative and do not fall; got {costs_db} dB")
        return penalties


class NoisePoint(Record):
    """Noise figure of an amplifier at one gain, or at one input power."""

    gain_db: float | None = None
    """Gain of the amplifier."""
    input_dbm: float | None = None
    """Power at its input in each 50 GHz of the spectrum, as OpenROADM states it."""
    noise_figure_db: Figure
    """Noise figure there."""

    @property
    def at(self) -> float:
        """Stated gain or input power."""
        return float(self.input_dbm if self.gain_db is None else self.gain_db)  # type: ignore[arg-type]

    @model_validator(mode="after")
    def _at_one_place(self) -> NoisePoint:
        if (self.gain_db is None) == (self.input_dbm is None):
            raise ValueError("a noise figure is at a gain_db or at an input_dbm")
        return self


class PortGroup(Record):
    """Ports of one speed of a switch."""

    n_ports: int = Field(ge=1, le=100_000)
    """Number of ports."""
    port_gbps: float = Field(gt=0)
    """Rate of a port."""
    cages: tuple[Annotated[str, SHOWN], ...] = ()
    """Form factors that these ports accept; empty = those of the part."""


class Part(Record):
    """A part that can be bought: figures by name, and attributes that decide where it fits."""

    id: str = Field(min_length=1)
    """Id by which records and changes name the part."""
    kind: Kind
    """Kind of the part."""
    name: Annotated[str, SHOWN] = Field(min_length=1)
    """Name for people."""
    year: int | None = Field(default=None, ge=1970, le=2100)
    """Year of first deliveries."""
    figures: dict[str, Figure]
    """Figures by name; the end of a name is its unit."""
    modes: tuple[Mode, ...] = ()
    """Modes of a coherent transceiver, fastest first."""
    noise_figures: tuple[NoisePoint, ...] = ()
    """Noise figures of an amplifier by gain, or all by input power, ascending; linear between them. They replace the
    figure `noise_figure_db`. Below the first gain an input pad adds 1 dB for each dB; other ends hold."""
    noise_law: NoiseLaw | None = None
    """Noise figure between `noise_figure_at_min_gain_db` and `noise_figure_db`, the one at `max_gain_db`: linear, or
    that of two stages. None = `noise_figure_db` at any gain."""
    form_factor: Annotated[str, SHOWN] = ""
    """Form factor of a transceiver, which must fit a cage."""
    lane_gbps: Literal[10, 25, 50, 100, 200] | None = None
    """Rate of an electrical lane; for a switch or card the fastest of its ports, which also run slower lanes."""
    optics: Optics | None = None
    """Technology of a transceiver: direct detection, coherent, or none."""
    wavelength_nm: float | None = Field(default=None, gt=0)
    """Wavelength of a transceiver of direct detection; None = that of its medium: 850 nm, or near 1310 nm."""
    medium: Medium | None = None
    """Medium of a cable, or that a transceiver needs; None = single-mode fibre, and any for copper assemblies."""
    fec: str | None = None
    """Catalogue id of the forward error correction."""
    card: str | None = None
    """Catalogue id of the network cards of a server; None = `n_ports` of `port_gbps` without a part of their own."""
    cages: tuple[Annotated[str, SHOWN], ...] = ()
    """Form factors that the ports of a switch, card or server accept."""
    port_rates_gbps: tuple[float, ...] = ()
    """Client rates of one port of a switch, fastest first, with breakouts; empty = any rate."""
    port_groups: tuple[PortGroup, ...] = ()
    """Ports of a switch by speed, fastest first; empty = all are alike. `n_ports` counts them all, and `port_gbps` is
    the rate of the fastest."""
    store_and_forward: bool = False
    """True for a switch that receives a whole frame before it sends it, which adds 8 L / R to its latency."""
    note: Annotated[str, SHOWN] = ""
    """Text for readers."""
    aliases: tuple[Annotated[str, SHOWN], ...] = ()
    """Names of the part in other tools, such as the slug of a device type; imports find it by these."""

    @field_validator("figures")
    @classmethod
    def _names_carry_units(cls, figures: dict[str, Figure]) -> dict[str, Figure]:
        without_unit = [name for name in figures if unit_of(name) is None]
        if without_unit:
            raise ValueError(f"figure names without a unit: {', '.join(without_unit)}")
        return figures

    @field_validator("modes")
    @classmethod
    def _fastest_first(cls, modes: tuple[Mode, ...]) -> tuple[Mode, ...]:
        rates = [mode.rate_gbps for mode in modes]
        if rates != sorted(set(rates), reverse=True):
            raise ValueError(f"modes go from the fastest to the slowest, each rate once; got {rates}")
        return modes

    @field_validator("port_rates_gbps")
    @classmethod
    def _fastest_rate_first(cls, rates_gbps: tuple[float, ...]) -> tuple[float, ...]:
        if list(rates_gbps) != sorted(set(rates_gbps), reverse=True) or min(rates_gbps, default=1.0) <= 0.0:
            raise ValueError(f"port rates go from the fastest to the slowest, each once; got {list(rates_gbps)}")
        return rates_gbps

    @model_validator(mode="after")
    def _ports_belong_to_switches(self) -> Part:
        if self.kind != "switch" and (self.port_rates_gbps or self.port_groups or self.store_and_forward):
            raise ValueError(f"port rates, groups and store-and-forward are of a switch, not of kind {self.kind}")
        return self

    @model_validator(mode="after")
    def _cards_belong_to_servers(self) -> Part:
        if self.card is not None and self.kind != "server":
            raise ValueError(f"card is of a server, not of kind {self.kind}")
        for name in WHOLE_FIGURES if self.kind in ("card", "server") else ():
            figure = self.figures.get(name)
            if figure is not None and not (figure.low >= 1 and figure.value == int(figure.value)):
                raise ValueError(f"{name} is a whole number from 1, got {figure.value:g}")
        return self

    @model_validator(mode="after")
    def _groups_agree_with_figures(self) -> Part:
        rates = [group.port_gbps for group in self.port_groups]
        if rates != sorted(set(rates), reverse=True):
            raise ValueError(f"port groups go from the fastest to the slowest, each rate once; got {rates}")
        for name, total in (
            ("n_ports", sum(g.n_ports for g in self.port_groups)),
            ("port_gbps", max(rates, default=0)),
        ):
            figure = self.figures.get(name)
            if rates and figure is not None and figure.value != total:
                raise ValueError(f"{name} is {figure.value:g}, the port groups give {total:g}")
        return self

    @field_validator("noise_figures")
    @classmethod
    def _noise_figures_rise(cls, points: tuple[NoisePoint, ...]) -> tuple[NoisePoint, ...]:
        places = [point.at for point in points]
        if places != sorted(set(places)) or len({point.gain_db is None for point in points}) > 1:
            raise ValueError(f"noise figures are all by gain or all by input power, each once, ascending; got {places}")
        return points

    @model_validator(mode="after")
    def _noise_belongs_to_amplifiers(self) -> Part:
        if self.kind != "amplifier" and (self.noise_figures or self.noise_law):
            raise ValueError(f"noise figures and their law are of an amplifier, not of kind {self.kind}")
        if self.noise_law is None:
            return self
        missing = [name for name in NOISE_LAW_FIGURES if name not in self.figures]
        if missing or self.noise_figures:
            raise ValueError(f"noise_law needs {', '.join(missing) or 'no noise_figures beside it'}")
        at_min, at_max, low_db, high_db = (self.value(name) for name in NOISE_LAW_FIGURES)
        if not low_db < high_db:
            raise ValueError(f"min_gain_db {low_db:g} is not below max_gain_db {high_db:g}")
        if self.noise_law == "two_stage":
            two_stages(low_db, high_db, at_max, at_min)
        return self

    @model_validator(mode="after")
    def _modes_belong_to_coherent(self) -> Part:
        if (self.optics == "coherent") != bool(self.modes):
            raise ValueError("a coherent transceiver has modes, nothing else has")
        return self

    def __hash__(self) -> int:
        return hash((self.kind, self.id))

    def figure(self, name: str) -> Figure:
        """Return the figure of a name. Raises CatalogueError with the known names."""
        figure = self.figures.get(name)
        if figure is None:
            raise CatalogueError(
                f"no figure {name!r}",
                where=f"{self.kind} {self.id}",
                expected=f"one of {', '.join(sorted(self.figures))}",
                hint=did_you_mean(name, self.figures),
            )
        return figure

    def value(self, name: str) -> float:
        """Return the central value of a figure that the part must have."""
        return self.figure(name).value

    def value_or(self, name: str, default: float) -> float:
        """Return the central value of a figure, or `default` if the part lacks it."""
        figure = self.figures.get(name)
        return default if figure is None else figure.value
