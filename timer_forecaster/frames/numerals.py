"""The numbers of a text column: written with signs of thousands, currencies, percent or units.

A column is read if all its texts together allow exactly one reading. "1,234" alone may be 1234 or
1.234; another text of the column, such as "12,5" or "1,234,567", decides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from timer_forecaster.arrays import FloatArray

_MISSING = frozenset(
    "- -- --- – — ? ?? . .. ... * n/a na n.a. n.a nan null none nil <na> #n/a #na #nv #div/0! "
    "#ref! #value! #name? #num! #null! #wert! #bezug! missing".split()
)
_SIGNS = str.maketrans(
    dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u2002\u2003\t", " ")
    | dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\ufe63\uff0d", "-")
    | dict.fromkeys("\u2019\u02bc\u00b4`", "'")
    | dict.fromkeys("\u200e\u200f\ufeff", "")
)
_CODES = (
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EUR GBP HKD HUF IDR ILS INR ISK JPY KRW MXN "
    "MYR NOK NZD PEN PHP PLN RON RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR"
).replace(" ", "|")
_SYMBOLS = "$€£¥₹₽₩₺₪₫₴₱₦฿₿¢"
_CURRENCY = rf"[A-Z]{{0,3}}[{_SYMBOLS}]|{_CODES}|Fr\.?|kr\.?|Rs\.?|zł|Kč"
_UNIT = rf"[kcdµ]?m[23]|(?:[^\W\d_]|[%‰°{_SYMBOLS}])[^\s\d()+\-]{{0,11}}"
_NUMBER = re.compile(
    rf"(?P<open>\()?\s*(?P<minus>[+-])?\s*(?P<before>{_CURRENCY})?\s*(?P<inner>[+-])?\s*"
    r"(?P<body>[.,]?[0-9](?:[0-9.,'_ ]*[0-9.,])?)(?P<power>[eE][+-]?[0-9]{1,3})?"
    rf"(?P<after_minus>-)?\s*(?P<unit>{_UNIT})?\s*(?P<close>\))?"
)
# A unit that may be a factor, an ordinal or half of a day: the number is not known without it.
_NO_UNITS = frozenset(
    "k m b t g bn mn mm mio mio. mrd mrd. tsd tsd. th thousand million millions billion billions "
    "lakh lac cr crore am pm a.m. p.m. st nd rd "
    "jan feb mar apr may jun jul aug sep sept oct nov dec jan. feb. mar. apr. jun. jul. aug. sep. "
    "sept. oct. nov. dec. january february march april june july august september october november "
    "december".split()
)
# Notations by their signs, for columns of many numbers: all texts match the first pattern, and one
# that matches the second allows no other reading.
_COMMON = {
    (",", ""): (
        r"[+-]?[0-9]+(?:,[0-9]+)?",
        r"^[+-]?(?:0[0-9]*|[0-9]{4,}),|,(?:[0-9]{1,2}|[0-9]{4,})$",
    ),
    (",", "."): (r"[+-]?(?:[0-9]+|[1-9][0-9]{0,2}(?:\.[0-9]{3})+)(?:,[0-9]+)?", r"\.[0-9]+,"),
    (".", ","): (r"[+-]?(?:[0-9]+|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]+)?", r",[0-9]+\."),
}
_MANY = 1000
_SEPARATORS = frozenset(".,' _")


class Notation(NamedTuple):
    """How the numbers of a column are written."""

    decimal: str
    thousands: str
    before: str
    unit: str
    decided: bool
    """Whether the column itself shows which sign is the decimal one."""
    missing: tuple[tuple[str, int], ...]
    """Texts that were read as missing, with their numbers of rows."""

    def __str__(self) -> str:
        """Return the notation in words, empty if the numbers are plain."""
        parts = []
        if self.decimal == ",":
            parts.append("decimal ','")
        if self.thousands:
            parts.append(f"thousands {self.thousands!r}")
        parts += [f"{sign!r} left off" for sign in (self.before, self.unit) if sign]
        parts += [f"{text!r} is missing ({rows} rows)" for text, rows in self.missing]
        return ", ".join(parts)


class UnreadableNumberError(ValueError):
    """A text column does not hold numbers, or allows several readings.

    Parameters
    ----------
    row : int
        First row that shows it, from 0.
    text : str
    reason : str
        Clause that follows the text.
    numeric : bool
        Whether at least half of the texts can be numbers.
    ambiguous : bool
        Whether the column has several readings.
    """

    def __init__(
        self, row: int, text: str, reason: str, *, numeric: bool, ambiguous: bool = False
    ) -> None:
        super().__init__(f"data row {row + 1}, {text!r}, {reason}")
        self.row, self.text, self.reason = row, text, reason
        self.numeric, self.ambiguous = numeric, ambiguous


def read_numerals(
    column: pd.Series, *, decimal: str | None = None, thousands: str | None = None
) -> tuple[FloatArray, Notation]:
    """Read the numbers of a text column, if it allows exactly one reading.

    Parameters
    ----------
    column : pandas.Series
        Texts, NaN where missing. Numbers among them stay as they are.
    decimal, thousands : str, optional
        Signs that are known, from an option or from other columns of the same file.

    Returns
    -------
    values : ndarray, shape (rows,)
    notation : Notation

    Raises
    ------
    UnreadableNumberError
        If there is no reading or several.

    Examples
    --------
    >>> values, notation = read_numerals(pd.Series(["$1,234.50", "-", "($8)"]))
    Traceback (most recent call last):
    ...
    timer_forecaster.frames.numerals.UnreadableNumberError: data row 2, '-', can be 0 or missing ...
    >>> values, notation = read_numerals(pd.Series(["1.234,5 kWh", "-", "8 kWh"]))
    >>> values.tolist(), str(notation)
    ([1234.5, nan, 8.0], "decimal ',', thousands '.', 'kWh' left off, '-' is missing (1 rows)")
    """
    texts, numbers = column, None
    if pd.api.types.is_object_dtype(column.dtype):
        texts, numbers = _divided(column)
    values, notation = _read_texts(texts, decimal, thousands)
    if numbers is not None:
        _refuse_without_affix(texts, numbers, " ".join(filter(None, notation[2:4])))
    return values if numbers is None else np.where(texts.notna(), values, numbers), notation


def _divided(column: pd.Series) -> tuple[pd.Series, FloatArray]:
    """Return the texts of a column, and its numbers."""
    is_text = column.map(lambda value: isinstance(value, str)).astype(bool)
    numbers = pd.to_numeric(column.mask(is_text), errors="coerce")
    bad = (numbers.isna() & column.notna() & ~is_text).to_numpy()
    if bad.any():
        row = int(bad.argmax())
        raise UnreadableNumberError(
            row, str(column.iloc[row]), "is not a finite number", numeric=False
        )
    return column.where(is_text), numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _refuse_without_affix(texts: pd.Series, numbers: FloatArray, affix: str) -> None:
    """Refuse numbers among texts with a currency or a unit: 0.5 among "50 %" may be either."""
    bare = np.flatnonzero(~np.isnan(numbers))
    if affix and len(bare):
        row, text = int(bare[0]), f"{numbers[bare[0]]:.12g}"
        raise UnreadableNumberError(
            row, text, f"is without {affix!r}, which other rows have", numeric=True
        )


def _read_texts(
    texts: pd.Series, decimal: str | None, thousands: str | None
) -> tuple[FloatArray, Notation]:
    codes, distinct = pd.factorize(texts)
    if len(distinct) >= _MANY and decimal is None and thousands is None:
        quick = _quick(pd.Series(distinct))
        if quick is not None:
            return np.append(quick[0], np.nan)[codes], quick[1]
    given = [str(text) for text in distinct]
    counts = np.bincount(codes[codes >= 0], minlength=len(given))
    numbers, notation = _Column(given, counts, codes).read(decimal, thousands)
    values = np.append(numbers, np.nan)  # the code of a missing value is -1
    return values[codes], notation


def _quick(texts: pd.Series) -> tuple[FloatArray, Notation] | None:
    """Read many texts in a common notation that one of them decides; None if it is another one."""
    if not pd.api.types.is_string_dtype(texts.dtype):
        return None
    for (decimal, thousands), (every, some) in _COMMON.items():
        if texts.str.fullmatch(every).all() and texts.str.contains(some).any():
            plain = texts.str.replace(thousands, "", regex=False) if thousands else texts
            numbers = pd.to_numeric(plain.str.replace(decimal, ".", regex=False))
            notation = Notation(decimal, thousands, "", "", True, ())
            return numbers.to_numpy(dtype=np.float64), notation
    return None


class _Column:
    """The distinct texts of a column, split into their parts."""

    def __init__(self, given: list[str], counts: np.ndarray, codes: np.ndarray) -> None:
        self.given, self.counts, self.codes = given, counts, codes
        cleaned = [text.translate(_SIGNS).strip() for text in given]
        self.missing = [not text or text.lower() in _MISSING for text in cleaned]
        self.parts = [
            None if missing else _split(text)
            for text, missing in zip(cleaned, self.missing, strict=True)
        ]
        self.split = [number for number, part in enumerate(self.parts) if part is not None]

    def read(self, decimal: str | None, thousands: str | None) -> tuple[FloatArray, Notation]:
        """Return the number of each text, and the notation."""
        bad = [n for n, part in enumerate(self.parts) if part is None and not self.missing[n]]
        if bad:
            raise self.error(bad, "is not a finite number")
        affixes = self._one_affix() if self.split else ("", "")
        bodies = [self._part(n).body for n in self.split]
        reading = self._one_reading(bodies, decimal, thousands)
        numbers = np.full(len(self.given), np.nan)
        for n in self.split:
            numbers[n] = self._part(n).number(reading)
        if np.isinf(numbers).any():
            raise self.error(np.flatnonzero(np.isinf(numbers)), "is not a finite number")
        self._refuse_zero_or_missing()
        shown = {reading.decimal, reading.thousands.strip(" '_")} - {""}
        decided = any(sign in body for body in bodies for sign in shown)
        missing = [(self.given[n], int(self.counts[n])) for n, m in enumerate(self.missing) if m]
        marks = tuple((text, rows) for text, rows in missing if text.strip())
        return numbers, Notation(*reading, *affixes, decided, marks)

    def _part(self, number: int) -> _Parts:
        part = self.parts[number]
        assert part is not None  # noqa: S101
        return part

    def _one_affix(self) -> tuple[str, str]:
        """Return the currency and the unit that all numbers have."""
        seen: Counter[tuple[str, str]] = Counter()
        for n in self.split:
            seen[self._part(n).affixes] += int(self.counts[n])
        common, _ = seen.most_common(1)[0]
        others = [n for n in self.split if self._part(n).affixes != common]
        shown = " ".join(filter(None, common))
        if others and not shown:
            raise self.error(others, "has a sign or unit that other rows do not have")
        if others:
            raise self.error(others, f"is without {shown!r}, which other rows have")
        if common[1].lower() in _NO_UNITS:
            raise self.error(self.split, f"is not a number alone: {common[1]!r} may change it")
        return common

    def _one_reading(
        self, bodies: list[str], decimal: str | None, thousands: str | None
    ) -> _Reading:
        """Return the signs of decimals and thousands that all numbers allow."""
        used = {sign for body in bodies for sign in _SEPARATORS.intersection(body)}
        readings = _readings(used, decimal, thousands)
        allowed = [r for r in readings if all(map(r.pattern().fullmatch, bodies))]
        if not allowed:
            self._refuse_first(readings, bodies, decimal, thousands)
        if len(allowed) > 1:
            first = next(n for n in self.split if used & set(self._part(n).body))
            body = self._part(first).body
            values = sorted({r.value(body) for r in allowed}, reverse=True)
            raise self.error(
                [first],
                f"can be {' or '.join(f'{value:.12g}' for value in values)}, and no row decides",
                ambiguous=True,
            )
        return allowed[0]

    def _refuse_first(
        self,
        readings: list[_Reading],
        bodies: list[str],
        decimal: str | None,
        thousands: str | None,
    ) -> None:
        """Refuse the first text that the reading of most texts does not allow."""
        plain = [not _SEPARATORS & {*body} for body in bodies]
        fits = [[bool(r.pattern().fullmatch(body)) for body in bodies] for r in readings]
        rows = self.counts[self.split]
        best = max(
            fits, key=lambda fit: int(rows[np.asarray(fit, dtype=bool)].sum()), default=plain
        )
        bad = [n for n, fit in zip(self.split, best, strict=True) if not fit] or self.split
        if decimal is not None or thousands is not None:
            signs = [("decimal", decimal), ("thousands", thousands)]
            known = " and ".join(f"{name} {sign!r}" for name, sign in signs if sign is not None)
            raise self.error(bad, f"is not a number with {known}")
        raise self.error(bad, "is not a finite number as other rows are written")

    def _refuse_zero_or_missing(self) -> None:
        """Refuse a dash among numbers of accounting, where it stands for zero."""
        accounting = any(self._part(n).negative_by_parentheses for n in self.split)
        dashes = [n for n, text in enumerate(self.given) if text.translate(_SIGNS).strip() == "-"]
        if accounting and dashes:
            raise self.error(
                dashes,
                "can be 0 or missing in a column with (…) for negative numbers: write 0, or leave "
                "it empty",
            )

    def error(
        self, numbers: Sequence[int] | np.ndarray, reason: str, *, ambiguous: bool = False
    ) -> UnreadableNumberError:
        """Return the error of the first row that has one of these texts."""
        row = int(np.isin(self.codes, list(numbers)).argmax())
        present = self.counts[[n for n, missing in enumerate(self.missing) if not missing]].sum()
        numeric = self.counts[self.split].sum() * 2 >= max(1, present)
        text = self.given[self.codes[row]]
        return UnreadableNumberError(
            row, text, reason, numeric=bool(numeric and present), ambiguous=ambiguous
        )


class _Reading(NamedTuple):
    """A sign of decimals and one of thousands, empty if there is none."""

    decimal: str
    thousands: str

    def pattern(self) -> re.Pattern[str]:
        """Return the pattern of a number without its sign."""
        d, t = re.escape(self.decimal), re.escape(self.thousands)
        whole = "[0-9]+"
        if self.thousands:
            whole += rf"|[1-9][0-9]{{0,2}}(?:{t}[0-9]{{3}})+"
        if self.thousands == ",":  # 12,34,567 in India
            whole += r"|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"
        return re.compile(rf"(?:{whole})(?:{d}[0-9]*)?|{d}[0-9]+")

    def value(self, body: str) -> float:
        """Return the number of a text that the pattern allows."""
        plain = body.replace(self.thousands, "") if self.thousands else body
        return float(plain.replace(self.decimal, "."))


class _Parts(NamedTuple):
    """A text of a number: its sign, currency, digits and unit."""

    sign: float
    negative_by_parentheses: bool
    affixes: tuple[str, str]
    body: str
    power: str

    def number(self, reading: _Reading) -> float:
        """Return the number."""
        value = reading.value(self.body)
        return self.sign * (float(f"{value!r}{self.power}") if self.power else value)


def _split(text: str) -> _Parts | None:
    """Split a text; None if it is no number in any notation."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    part = found.groupdict(default="")
    signs = [part[name] for name in ("minus", "inner", "after_minus", "open") if part[name]]
    if len(signs) > 1 or bool(part["open"]) != bool(part["close"]):
        return None
    negative = bool(signs) and signs[0] in "-("
    return _Parts(
        -1.0 if negative else 1.0,
        bool(part["open"]),
        (part["before"], part["unit"]),
        part["body"],
        part["power"].lower(),
    )


def _readings(used: set[str], decimal: str | None, thousands: str | None) -> list[_Reading]:
    """Return the readings that give each separator of a column a meaning."""
    decimals = [decimal] if decimal is not None else [sign for sign in ".," if sign != thousands]
    groups = [thousands] if thousands is not None else ["", *sorted(used)]
    pairs = [(d, g) for d in decimals for g in groups if g != d and used <= {d, g}]
    distinct = {(d if d in used else "", group): _Reading(d, group) for d, group in reversed(pairs)}
    return list(distinct.values())
