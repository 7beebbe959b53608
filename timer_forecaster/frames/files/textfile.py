"""The rows of a text file: their fields are counted before pandas reads them.

pandas takes the first column for an index where rows have a field too many, and fills rows that
have too few. Both would shift or invent values without a word.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pandas as pd

from timer_forecaster.frames.files.dialect import (
    SEPARATORS,
    Dialect,
    fallback_encoding,
    find_dialect,
    numbered_rows,
)
from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.table import Table, without_empty

# As pandas reads them. Ids and times are read without, so that the id NA is no missing value.
_MISSING = [
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
]
_BYTE_ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "latin-1", "iso8859-1", "ascii")
_CHUNK = 1 << 24


class Counted(NamedTuple):
    """The rows of a text file, counted."""

    plain: bool = True
    """Whether all rows are lines with as many fields as there are names."""
    extra: int = 0
    """Most fields that a row has beyond the names; all of them are empty."""
    tails: int = 0
    """Number of rows that have such fields."""
    blank: int = 0
    comments: frozenset[int] = frozenset()
    """Numbers of the lines that are comments, from 1."""


def read_text(
    source: Source,
    wanted: Collection[str],
    *,
    separator: str | None,
    encoding: str | None,
    has_header: bool | None,
    decimal_known: bool,
    dialect: Dialect | None = None,
) -> Table:
    """Read a text file; the wanted columns stay text.

    Parameters
    ----------
    source : Source
    wanted : collection of str
        Names of columns that the header should have, and that are read as text.
    separator, encoding, has_header
        As in `find_dialect`.
    decimal_known : bool
        Whether the decimal sign is given. If it is, no number is read here.
    dialect : Dialect, optional
        Where it was found already.

    Raises
    ------
    ValueError
        If a row has too few or too many fields, or the bytes are not of the encoding.
    """
    if dialect is None:
        known: dict[str, Any] = {"separator": separator, "has_header": has_header}
        dialect = find_dialect(source, list(wanted), encoding=encoding, **known)
    try:
        counted = _count(source, dialect)
    except UnicodeDecodeError as error:
        if encoding is not None:
            raise ValueError(f"it is not written in {encoding}: {error.reason}") from error
        return read_text(
            source,
            wanted,
            separator=separator,
            encoding=fallback_encoding(source),
            has_header=has_header,
            decimal_known=decimal_known,
        )
    frame = _read_rows(source, dialect, counted, wanted, decimal_known)
    return _table(source, dialect, counted, frame)


def _read_rows(
    source: Source,
    dialect: Dialect,
    counted: Counted,
    wanted: Collection[str],
    decimal_known: bool,
) -> pd.DataFrame:
    """Read the rows, of which the numbers stay texts where their notation is given or doubtful."""
    names = dialect.header.names
    others = [name for name in names if name not in wanted]
    if decimal_known:
        frame = _parse(source, dialect, counted, names)
        frame[others] = frame[others].mask(frame[others].isin(_MISSING))
        return frame
    frame = _parse(source, dialect, counted, wanted)
    doubtful = [name for name in others if _may_be_thousands(frame[name])]
    if doubtful and (dialect.separator != "," or _has_decimal_commas(frame, others)):
        text = _parse(source, dialect, counted, [*wanted, *doubtful])[doubtful]
        frame[doubtful] = text.mask(text.isin(_MISSING))
    return frame


def _table(source: Source, dialect: Dialect, counted: Counted, frame: pd.DataFrame) -> Table:
    """Leave empty rows and columns out, and say how the file was read."""
    header = dialect.header
    frame, skipped = without_empty(frame)
    skipped = {
        "title row": header.titles,
        "comment line": header.comments + len(counted.comments),
        "blank line": header.blank + counted.blank,
        "separator at the end of a row": counted.tails,
        **skipped,
    }
    packing = source.packing()
    encoding = dialect.encoding.upper().replace("UTF-8-SIG", "UTF-8 with a byte order mark")
    parts = [
        f"text separated by {SEPARATORS.get(dialect.separator, repr(dialect.separator))}",
        encoding if packing is None else f"{encoding}, packed by {packing}",
    ]
    if not header.found:
        parts.append("no header: columns are named by their places, from 1")
    shown = any(_has_fractions(frame[name]) for name in frame)
    usual = "." if dialect.separator == "," else None
    return Table(frame, ", ".join(parts), skipped, header.repeated, "." if shown else None, usual)


def _count(source: Source, dialect: Dialect) -> Counted:
    """Count the fields of all rows of data."""
    if dialect.encoding in _BYTE_ENCODINGS and dialect.separator != " ":
        with source.open() as stream:
            if _all_plain(stream, dialect):
                return Counted()
    width, extra = len(dialect.header.names), 0
    seen: Counter[str] = Counter()
    comments: set[int] = set()
    last = 0
    with _text(source, dialect) as lines:
        for row, line in numbered_rows(lines, dialect.separator):
            start, last = last + 1, line
            if len(row) == width and (width > 1 or row[0]):
                continue
            if not any(row):
                seen["blank" if len(row) < 2 else "empty"] += 1
            elif row[0].startswith("#"):
                if line > start:
                    raise ValueError(
                        f"line {dialect.lines + start}, a comment, has a quotation mark that "
                        "nothing closes in the line: remove it"
                    )
                comments.add(line)
            elif len(row) < width or any(row[width:]):
                raise _ragged(dialect, line, len(row))
            else:
                seen["tails"] += 1
            if not any(row) or len(row) > width:
                extra = max(extra, len(row) - width)
    return Counted(False, extra, seen["tails"], seen["blank"], frozenset(comments))


def _ragged(dialect: Dialect, line: int, width: int) -> ValueError:
    names = dialect.header.names
    return ValueError(
        f"line {dialect.lines + line} has {width} fields, and there are {len(names)} columns "
        f"({', '.join(names)}): mend or remove the line, put fields that hold the separator "
        f"{dialect.separator!r} in double quotes, or name another separator by sep (--sep)"
    )


def _all_plain(stream: BinaryIO, dialect: Dialect) -> bool:
    """Whether all lines have as many separators as the header, none of them in quotes; quick."""
    for _ in range(dialect.lines):
        stream.readline()
    separator, rest = ord(dialect.separator), b""
    while chunk := stream.read(_CHUNK):
        lines, end, last = (rest + chunk).rpartition(b"\n")
        rest = last
        if not _plain_lines(lines + end, dialect, separator):
            return False
    return not rest or _plain_lines(rest + b"\n", dialect, separator)


def _plain_lines(lines: bytes, dialect: Dialect, separator: int) -> bool:
    if not lines.isascii():
        lines.decode(dialect.encoding.removesuffix("-sig"))
    if b'"' in lines or lines.count(b"\r") != lines.count(b"\r\n"):
        return False
    signs = np.frombuffer(lines, dtype=np.uint8)
    ends = np.flatnonzero(signs == ord("\n"))
    places = np.flatnonzero(signs == separator)
    counts = np.diff(np.searchsorted(places, ends), prepend=0)
    return bool((counts == len(dialect.header.names) - 1).all()) and len(dialect.header.names) > 1


@contextmanager
def _text(source: Source, dialect: Dialect) -> Iterator[io.TextIOWrapper]:
    """Open a file as text, at its first line of data."""
    with source.open() as stream:
        text = io.TextIOWrapper(stream, encoding=dialect.encoding, newline="")
        for _ in range(dialect.lines):
            text.readline()
        yield text
        text.detach()


def _parse(
    source: Source, dialect: Dialect, counted: Counted, texts: Collection[str]
) -> pd.DataFrame:
    """Let pandas read the rows, of which is known that they fit."""
    names = dialect.header.names
    filler = [f"\0{number}" for number in range(counted.extra)]
    options: dict[str, Any] = {
        "sep": r"\s+" if dialect.separator == " " else dialect.separator,
        "header": None,
        "names": [*names, *filler],
        "index_col": False,
        # Quicker than the type str, for which pandas looks up every text.
        "converters": {name: str for name in texts if name in names},
        "keep_default_na": False,
        "na_values": {name: _MISSING for name in names if name not in texts},
        "skipinitialspace": True,
        "low_memory": False,
    }
    whole_lines = dialect.lines == dialect.header.first
    if counted.plain and whole_lines and source.path is not None and source.packing() is None:
        path, encoding = source.path, dialect.encoding
        frame = pd.read_csv(path, skiprows=dialect.lines, encoding=encoding, **options)
    else:
        with _text(source, dialect) as lines:
            handle: io.TextIOBase = lines
            if counted.comments:
                numbered = enumerate(lines, 1)
                kept = (line for number, line in numbered if number not in counted.comments)
                handle = io.StringIO("".join(kept))
            frame = _parsed(handle, options)
    return frame.drop(columns=filler)


def _parsed(handle: Any, options: dict[str, Any]) -> pd.DataFrame:
    try:
        return pd.read_csv(handle, **options)
    except pd.errors.EmptyDataError:  # nothing but a header
        return pd.DataFrame(columns=options["names"])


def _has_fractions(column: pd.Series) -> bool:
    """Whether pandas has read numbers with a decimal sign in a column."""
    if column.dtype.kind != "f":
        return False
    values = column.to_numpy()
    return bool((np.floor(values) < values).any())


def _may_be_thousands(column: pd.Series) -> bool:
    """Whether a column of floats may be of numbers such as 1.234 that mean 1234.

    Whole floats may be, since pandas has read 1.000 as 1.0.
    """
    if column.dtype.kind != "f":
        return False
    values = np.abs(column.dropna().to_numpy())
    split = values[np.floor(values) < values]
    thousands = split * 1000
    whole = np.isclose(thousands, np.round(thousands), rtol=1e-12, atol=0)
    return bool(len(values) and whole.all() and (split >= 1).all() and (split < 1000).all())


def _has_decimal_commas(frame: pd.DataFrame, names: Collection[str]) -> bool:
    """Whether texts have a comma between digits, as in a file whose numbers are in quotes."""
    texts = [frame[name].dropna() for name in names if pd.api.types.is_string_dtype(frame[name])]
    return any(bool(column.astype(str).str.contains("[0-9],[0-9]").any()) for column in texts)
