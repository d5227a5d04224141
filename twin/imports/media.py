"""Media of cables by the names that people and tools write: fibre grades, multimode, copper."""

from __future__ import annotations

import re
from typing import NamedTuple

from .ledger import Ledger

FIBRE, MULTIMODE, COPPER = "fibre", "multimode", "copper"


class CableMedium(NamedTuple):
    """Medium of a cable, and the part of the catalogue that its grade names."""

    medium: str
    """fibre (single mode), multimode or copper."""
    part: str = ""
    """Catalogue id; empty = the grade is not stated, or that of the medium's default."""
    missing_grade: str = ""
    """Stated grade that the catalogue has no part of."""


_START, _END = r"(?<![a-z0-9])", r"(?![a-z0-9])"
WORDS: tuple[tuple[str, CableMedium], ...] = (
    (r"om[ -]?5", CableMedium(MULTIMODE, "OM5")),
    (r"om[ -]?4\+?", CableMedium(MULTIMODE, "OM4")),
    (r"om[ -]?3\+?", CableMedium(MULTIMODE, "OM3")),
    (r"om[ -]?2", CableMedium(MULTIMODE, "", "OM2")),
    (r"om[ -]?1|62[.,]5[ /]*125", CableMedium(MULTIMODE, "", "OM1")),
    (r"os[ -]?1a?", CableMedium(FIBRE, "OS1a")),
    (r"g[. ]?657[. ]?[ab]?[123]?", CableMedium(FIBRE, "G.657.A1")),
    (r"g[. ]?656", CableMedium(FIBRE, "", "G.656")),
    (r"g[. ]?655[. ]?[a-e]?|nz-?d?sf?|nzdf|e-?leaf|leaf|true-?wave.{0,10}|tw-?(?:rs|c|reach|plus|classic|minus)",
     CableMedium(FIBRE, "G.655")),
    (r"g[. ]?654[. ]?[a-e]?|lof|psc", CableMedium(FIBRE, "G.654.E")),
    (r"g[. ]?653|dsf|mc", CableMedium(FIBRE, "", "G.653")),
    (r"(?:smf-?28[ -]?)?ull|oull", CableMedium(FIBRE, "SMF-28-ULL")),
    (r"g[. ]?652[. ]?[a-d]?|os[ -]?2|s?smf(?:[ -]?28e?\+?)?|smfe|sm|single[ -]?mode|monomode|9[ /]125|lwpf",
     CableMedium(FIBRE)),
    (r"hcf|d?nanf|hollow[ -]?core", CableMedium(FIBRE, "", "hollow core")),
    (r"mmf|mm|multi[ -]?mode|50[ /]125|aoc|active optical(?: cable)?", CableMedium(MULTIMODE)),
    (r"dac|a[ce]c|copper|cu|cat(?:egory)?[ .-]?[3-8]a?e?|[us/]*f?[us]?tp|twin-?ax|rj-?45|8p8c|coax(?:ial)?|mrj21.*|"
     r"rg-?\d+.*|lmr-?\d+.*|usb|power|direct[ -]attach(?: copper)?", CableMedium(COPPER)),
    (r"fib(?:re|er)|optical", CableMedium(FIBRE)),
)  # fmt: skip
"""Words and media, the first that a name holds counts.

Source: ITU-T G.652 to G.657, ISO/IEC 11801 (OM1 to OM5, OS1a, OS2), NetBox CableTypeChoices, OpenROADM fiber-type."""
PATTERNS = tuple((re.compile(f"{_START}(?:{words}){_END}"), medium) for words, medium in WORDS)
DEFAULTS = {FIBRE: "G.652.D", MULTIMODE: "OM3"}
"""Parts in place of grades that the catalogue does not have."""


def medium_of_text(text: str) -> CableMedium | None:
    """Return the medium that a text such as `OM4 LC-LC` or `mmf-om3` names; None for another text."""
    name = text[:200].lower().replace("_", " ")
    return next((medium for pattern, medium in PATTERNS if pattern.search(name)), None)


def read_medium(text: str, ledger: Ledger, place: str) -> tuple[str, str]:
    """Return medium and catalogue id of the fibre (empty = that of the medium) of a cable by the text of its source.

    A text that names no medium is a finding, and a grade without a part an assumption.
    """
    found = medium_of_text(text) if text else CableMedium(FIBRE)
    if found is None:
        hint = "OM3, OM4, OS2, DAC or a grade of ITU-T such as G.655"
        ledger.finding("unknown medium", "taken as single-mode fibre", hint, f"{place}: {text[:60]}")
        return FIBRE, ""
    if not found.missing_grade:
        return found.medium, found.part
    part = DEFAULTS[found.medium]
    why = f"the catalogue has no part of {found.missing_grade}"
    ledger.assumed("grade of a fibre", part, why, "fibre of the spans", place)
    return found.medium, part
