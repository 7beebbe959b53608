"""The dialect of a text file: its encoding, its separator and its header."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from timer_forecaster.frames.files.headers import Header, find_header, refuse_dates_as_names
from timer_forecaster.frames.files.sources import Source

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}
"""Separators that are recognized, with their names. Spaces count as one, however many."""

_HEAD_BYTES = 1 << 18
_HEAD_ROWS = 500
_BYTE_ORDER_MARKS = (  # that of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Dialect(NamedTuple):
    """How a text file is written."""

    encoding: str
    separator: str
    header: Header
    lines: int
    """Number of lines above the data, which differs from rows where a field has line breaks."""
    sample: list[list[str]]
    """The first rows of data."""


def find_dialect(
    source: Source,
    wanted: Sequence[str] = (),
    *,
    separator: str | None = None,
    encoding: str | None = None,
    has_header: bool | None = None,
) -> Dialect:
    """Find the dialect of a text file from its first rows.

    Parameters
    ----------
    source : Source
    wanted : sequence of str
        Names of columns that the header should have.
    separator, encoding : str, optional
        Where they are known.
    has_header : bool, optional
        Whether there is a row of names.

    Raises
    ------
    ValueError
        If there is no row, or the bytes are no text.
    """
    with source.open() as stream:
        head = stream.read(_HEAD_BYTES)
    encoding = checked_encoding(encoding) or found_encoding(head)
    if encoding == "utf-8" and not _is_utf_8(head):
        encoding = fallback_encoding(source)
    text = _decoded(head, encoding, whole=len(head) < _HEAD_BYTES)
    chosen = separator or found_separator(text, wanted)
    rows, ends = [], []
    for row, end in numbered_rows(io.StringIO(text, newline=""), chosen):
        rows.append(row)
        ends.append(end)
        if len(rows) == _HEAD_ROWS:
            break
    header = find_header(rows, wanted, has_header)
    refuse_dates_as_names(header.names, wanted)
    lines = ends[header.first - 1] if header.first else 0
    return Dialect(encoding, chosen, header, lines, rows[header.first :])


def checked_encoding(encoding: str | None) -> str | None:
    """Return the name of an encoding that Python knows.

    Raises
    ------
    ValueError
        If it does not.
    """
    try:
        return None if encoding is None else codecs.lookup(encoding).name
    except LookupError as error:
        raise ValueError(
            f"encoding={encoding!r} is unknown: use for example utf-8, cp1252 or utf-16"
        ) from error


def checked_separator(separator: str | None) -> str | None:
    """Return a separator that is given by its sign or its name.

    Raises
    ------
    ValueError
        If it is no single sign.
    """
    if separator is None:
        return None
    names = {name: sign for sign, name in SEPARATORS.items()} | {r"\t": "\t", r"\s+": " "}
    sign = names.get(separator.lower(), separator)
    if len(sign) != 1 or sign.isalnum() or sign in '"\r\n':
        raise ValueError(
            f"sep={separator!r} must be one sign, such as ';', or one of {', '.join(names)}"
        )
    return sign


def found_encoding(head: bytes) -> str:
    """Return the encoding that the first bytes show: by a mark, by zeros, or UTF-8.

    Raises
    ------
    ValueError
        If the bytes are no text.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    zeros = [head[place::2].count(0) for place in (0, 1)]
    if not any(zeros):
        return "utf-8"
    if max(zeros) > 0.4 * len(head) / 2 and min(zeros) < 0.05 * max(zeros):
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    raise ValueError("it is neither a text nor an Excel or Parquet file: it holds zero bytes")


def fallback_encoding(source: Source) -> str:
    """Return the encoding of a file that is no UTF-8: Windows' own, or Latin-1 for its gaps."""
    gaps = b"\x81\x8d\x8f\x90\x9d"
    with source.open() as stream:
        parts = iter(lambda: stream.read(_HEAD_BYTES), b"")
        return "latin-1" if any(byte in part for part in parts for byte in gaps) else "cp1252"


def _is_utf_8(head: bytes) -> bool:
    """Whether bytes are UTF-8, the last of which may be the beginning of a sign."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def found_separator(text: str, wanted: Sequence[str]) -> str:
    r"""Return the separator by which the first rows have the wanted names and equally many fields.

    Examples
    --------
    >>> found_separator("day;sold\n01.01.2024;3,5\n02.01.2024;4,5\n", [])
    ';'
    """
    best: tuple[bool, float, int] = (False, 0.0, 0)
    choice = ","
    for sign in SEPARATORS:
        rows = [row for row, _ in zip(fields(text, sign), range(_HEAD_ROWS), strict=False)]
        rows = [row for row in rows if any(row) and not row[0].startswith("#")]
        names = bool(wanted) and any({*wanted} <= {f.strip() for f in row} for row in rows)
        width, share = _common_width(rows)
        # A space is inside of fields more often than between them.
        merit = (names and width > 1, share, width if sign != " " else 0)
        if merit > best:
            best, choice = merit, sign
    return choice


def _common_width(rows: Sequence[Sequence[str]]) -> tuple[int, float]:
    """Return the number of fields, above 1, that most rows have, and their share.

    Empty fields at the end of a row do not count, as of rows that end in a separator.
    """
    filled = [
        max((n for n, field in enumerate(row, 1) if field.strip()), default=0) for row in rows
    ]
    spans = list(zip(filled, map(len, rows), strict=True))
    shares = {
        width: sum(least <= width <= most for least, most in spans) / len(rows)
        for width in {*filled}
        if width > 1
    }
    return max(shares.items(), key=lambda item: (item[1], item[0]), default=(1, 0.0))


def fields(text: str, separator: str) -> Iterator[list[str]]:
    """Yield the fields of each row of a text."""
    return (row for row, _ in numbered_rows(io.StringIO(text, newline=""), separator))


def numbered_rows(lines: Iterable[str], separator: str) -> Iterator[tuple[list[str], int]]:
    """Yield the fields of each row, and the number of its last line, counted from 1.

    Raises
    ------
    ValueError
        If a row cannot be read, as where a quotation mark is never closed.
    """
    if separator == " ":
        lines = (line.replace("\t", " ").rstrip(" \r\n") for line in lines)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    try:
        for row in reader:
            yield row, reader.line_num
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error


def _decoded(head: bytes, encoding: str, whole: bool) -> str:
    """Decode the first bytes; bytes of another encoding are found when all rows are read."""
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head, final=whole)
    if whole:
        return text
    end = max(text.rfind("\n"), text.rfind("\r")) + 1
    return text[:end] if end else text
