"""The records of the catalogue: a figure with its range and source, an operating mode, a part."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from twin.errors import CatalogueError, did_you_mean
from twin.units import unit_of

Kind = Literal["fibre", "transceiver", "fec", "amplifier", "mux", "switch", "accelerator"]
Status = Literal["published", "vendor", "estimate"]
Optics = Literal["direct_detect", "coherent", "copper"]

KINDS: tuple[Kind, ...] = get_args(Kind)


class Record(BaseModel):
    """Base of the catalogue's records: frozen, no unknown fields, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Figure(Record):
    """A number with its range and where it comes from; low = value = high where it holds by definition.

    `as_of` is the date or year of the source, or of its reading where the source bears none.
    """

    value: float
    low: float
    high: float
    source: str
    as_of: str
    status: Status
    assumed_range: bool = False
    """True where no source gives the range, and low and high are our assumption."""

    @field_validator("source")
    @classmethod
    def _has_source(cls, source: str) -> str:
        if not source.strip():
            raise ValueError("no number without a source")
        return source

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


class Mode(Record):
    """One line rate of a coherent transceiver and the SNR it needs (noise in 0.1 nm, receiver noise included)."""

    rate_gbps: float = Field(gt=0)
    required_snr_db: Figure
    baud_gbd: float = Field(gt=0)
    modulation: str = Field(min_length=1)


class Part(Record):
    """One thing that can be bought: its figures by name, and the attributes that decide what fits where."""

    id: str = Field(min_length=1)
    kind: Kind
    name: str = Field(min_length=1)
    year: int | None = Field(default=None, ge=1970, le=2100)
    figures: dict[str, Figure]
    modes: tuple[Mode, ...] = ()
    """Of a coherent transceiver, fastest first."""
    form_factor: str = ""
    lane_gbps: Literal[25, 50, 100, 200] | None = None
    """Electrical lane; of a switch the fastest its ports offer (they also run slower ones)."""
    optics: Optics | None = None
    fec: str | None = None
    cages: tuple[str, ...] = ()
    """Of a switch: the form factors its ports accept."""
    note: str = ""

    @field_validator("figures")
    @classmethod
    def _names_carry_units(cls, figures: dict[str, Figure]) -> dict[str, Figure]:
        bare = [name for name in figures if unit_of(name) is None]
        if bare:
            raise ValueError(f"figure names without a unit: {', '.join(bare)}")
        return figures

    @field_validator("modes")
    @classmethod
    def _fastest_first(cls, modes: tuple[Mode, ...]) -> tuple[Mode, ...]:
        rates = [mode.rate_gbps for mode in modes]
        if rates != sorted(set(rates), reverse=True):
            raise ValueError(f"modes go from the fastest to the slowest, each rate once; got {rates}")
        return modes

    @model_validator(mode="after")
    def _modes_belong_to_coherent(self) -> Part:
        if (self.optics == "coherent") != bool(self.modes):
            raise ValueError("a coherent transceiver has modes, nothing else has")
        return self

    def __hash__(self) -> int:
        return hash((self.kind, self.id))

    def figure(self, name: str) -> Figure:
        """The figure of that name, or a CatalogueError that says which exist."""
        found = self.figures.get(name)
        if found is None:
            raise CatalogueError(
                f"no figure {name!r}",
                where=f"{self.kind} {self.id}",
                expected=f"one of {', '.join(sorted(self.figures))}",
                hint=did_you_mean(name, self.figures),
            )
        return found

    def value(self, name: str) -> float:
        """The central value of a figure that must be there."""
        return self.figure(name).value

    def value_or(self, name: str, default: float) -> float:
        """The central value of a figure, or `default` where the part has none."""
        found = self.figures.get(name)
        return default if found is None else found.value
