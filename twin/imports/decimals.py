"""Decimal and thousands signs of the numbers in a column of a sheet: the column decides, an option states it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..errors import DocumentError
from ..errors.wording import quoted
from .ledger import Ledger
from .workbooks import NumberText

POINT, COMMA = ".", ","
NAMES = {POINT: "point", COMMA: "comma"}
NUMBER = re.compile(r"(?<![\w.,])\d{1,30}(?:[.,]\d{1,30}){1,10}(?![.,]?\d|[eE][-+]?\d)", re.ASCII)
"""The first number of a cell with a sign in it. Digits of a word such as `x4.100` are none, nor is one with an
exponent, which only machines write."""
GROUPS = {sign: re.compile(rf"[1-9]\d{{0,2}}(?:\{sign}\d{{3}})+", re.ASCII) for sign in (POINT, COMMA)}
"""Digits in groups of three."""
OTHER = {POINT: COMMA, COMMA: POINT}
OPTION = "--decimal"
MIXED = ("mixed decimal signs", "a column has decimal points and decimal commas; each number is read by itself")


def decimal_option(text: str | None) -> str | None:
    """Return a decimal sign as it is written on a command line. Raises DocumentError for anything else."""
    if text is None or text in NAMES:
        return text
    named = {name: sign for sign, name in NAMES.items()}
    if text.lower() not in named:
        raise DocumentError(f"{quoted(text)} is no decimal sign", where=OPTION, hint="point or comma")
    return named[text.lower()]


@dataclass(slots=True)
class DecimalColumn:
    """Numbers of one column: first all cells are shown to it, then it rewrites them with a decimal point."""

    heading: str
    stated: str | None = None
    """Decimal sign that the user states."""
    comma_is_decimal: bool = False
    """Reading of a number such as 1,234 that the column leaves open."""
    certain: set[str] = field(default_factory=set)
    """Decimal signs that cells show without doubt."""

    def see(self, cell: str) -> None:
        """Look at a cell."""
        number = _number_of(cell)
        if number and (sign := _sign_of(number)):
            self.certain.add(sign)

    @property
    def sign(self) -> str | None:
        """Decimal sign of the column: as stated, else the only one that its cells show; None = open."""
        return self.stated or (next(iter(self.certain)) if len(self.certain) == 1 else None)

    def rewritten(self, cell: str, place: str, ledger: Ledger) -> str:
        """Return a cell whose number has a decimal point and no thousands signs; `?` for one that is no number.

        A number that may be read in two ways is a finding.
        """
        number = _number_of(cell)
        if not number:
            return cell
        own = _sign_of(number)
        sign = self.sign if self.stated or own is None else own
        if sign is None:
            sign = self._open_sign(cell, number, place, ledger)
        plain = _with_point(number, sign)
        if plain is None:
            problem = f"{self.heading[:60]}: thousands signs do not group three digits; left out"
            ledger.finding("bad value", problem, f"{OPTION} states the sign", f"{place}: {cell[:40]}")
            return "?"
        if plain != number:
            what = "decimal comma → point" if sign == COMMA else "thousands comma → digits"
            ledger.converted(f"rows.{self.heading[:60]}", what)
        return cell.replace(number, plain, 1)

    def _open_sign(self, cell: str, number: str, place: str, ledger: Ledger) -> str:
        """Return the decimal sign by which a number is read that its column leaves open, with a finding."""
        used = POINT if POINT in number else COMMA
        # machines write a decimal point; a sheet with semicolons between its cells leaves the comma to decimals
        is_decimal = used == POINT or self.comma_is_decimal
        sign = used if is_decimal else OTHER[used]
        taken = f"{'decimal' if is_decimal else 'thousands'} {NAMES[used]}"
        problem = f"{self.heading[:60]}: a {NAMES[used]} before three digits is read as a {taken}"
        hint = f"{OPTION} {NAMES[POINT]} or {OPTION} {NAMES[COMMA]} states the decimal sign"
        ledger.finding("ambiguous number", problem, hint, f"{place}: {cell[:40]}")
        return sign


def report_mixed(columns: Iterable[DecimalColumn], where: str, ledger: Ledger) -> None:
    """Keep a finding for each column that shows both decimal signs."""
    for column in columns:
        if len(column.certain) > 1 and column.stated is None:
            ledger.finding(*MIXED, f"{OPTION} states one", f"{where}: {column.heading[:60]}")


def _number_of(cell: str) -> str:
    """Return the first number of a cell with a sign in it; empty for numbers of Excel, which are no texts."""
    if isinstance(cell, NumberText) or (POINT not in cell and COMMA not in cell):
        return ""
    match = NUMBER.search(cell)
    return match[0] if match else ""


def _sign_of(number: str) -> str | None:
    """Return the decimal sign that a number shows; None where it may be read in two ways."""
    for sign, other in OTHER.items():
        n = number.count(sign)
        if n and other in number:
            return sign if number.rfind(sign) > number.rfind(other) else other
        if n > 1:
            return other
        if n == 1:
            return None if GROUPS[sign].fullmatch(number) else sign
    return None


def _with_point(number: str, sign: str) -> str | None:
    """Return a number with a decimal point and no thousands signs; None where those do not group three digits."""
    whole, _, rest = number.partition(sign)
    thousands = OTHER[sign]
    if thousands in rest or sign in rest or (thousands in whole and not GROUPS[thousands].fullmatch(whole)):
        return None
    return whole.replace(thousands, "") + (f".{rest}" if rest else "")
