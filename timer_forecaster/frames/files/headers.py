"""The row of a table that names its columns, which may follow titles or be absent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

Row = Sequence[str]

_NUMBER = re.compile(r"[^\w]*[0-9][0-9.,' \u00a0\u2009\u202f]*(e[+-]?[0-9]+)?[^\w]*", re.IGNORECASE)
_DATE = re.compile(
    r"([0-9]{4}[-/.][0-9]{1,2}([-/.][0-9]{1,2})?|[0-9]{1,2}[-/.][0-9]{1,2}[-/.]([0-9]{4}|[0-9]{2}))"
    r"([ T][0-9:.,+Z ]*([AP]M)?)?|[0-9]{1,2}:[0-9]{2}(:[0-9.]+)?",
    re.IGNORECASE,
)
_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_NAME_OF_A_DATE = re.compile(
    rf"(19|20)[0-9]{{2}}([-/. ]?(0?[1-9]|1[0-2]|Q[1-4]|W[0-9]{{1,2}}))?|({_MONTH})[a-z]*[-/. ]"
    rf"?'?([0-9]{{4}}|[0-9]{{2}})|Q[1-4][-/. ]?(19|20)?[0-9]{{2}}",
    re.IGNORECASE,
)


class Header(NamedTuple):
    """Where the rows of data begin, and the names of their columns."""

    first: int
    """Number of rows above the data: titles, comments, blank rows and the header itself."""
    names: list[str]
    found: bool
    """Whether there is a row of names. Without one, columns are named "1", "2" and so on."""
    titles: int
    """Number of rows above the header that are neither blank nor comments."""
    comments: int
    blank: int
    repeated: frozenset[str] = frozenset()
    """Names that the header has more than once; the later ones have a number in `names`."""


def find_header(
    rows: Sequence[Row], wanted: Sequence[str], has_header: bool | None = None
) -> Header:
    """Find the row of names among the first rows of a table.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first rows. A row whose first field begins with "#" is a comment.
    wanted : sequence of str
        Names that the header should have. The first row that has them all is the header.
    has_header : bool, optional
        Whether there is a header; by default, a first row of dates and numbers alone is data.

    Raises
    ------
    ValueError
        If there is no row, or the columns are dates: such a table has its times in its header.
    """
    numbers = [number for number, row in enumerate(rows) if any(row) and not _is_comment(row)]
    if not numbers:
        comments = any(map(any, rows))
        raise ValueError("there are no rows of data" if comments else "the file is empty")
    start = _first_full(rows, numbers)
    named = next((n for n, row in enumerate(rows) if wanted and {*wanted} <= {*_names(row)}), None)
    if has_header is not False and named is not None and not _ambiguous(rows, named, has_header):
        start = named
    elif has_header is False or (has_header is None and _is_data(rows, start, numbers)):
        return _without_names(rows, start, numbers)
    above = _kinds(rows[:start])
    names = _names(rows[start])
    while len(names) > 1 and not names[-1] and _has_empty_tail(rows, start, numbers, len(names)):
        names.pop()
    repeated = frozenset(name for name, count in Counter(names).items() if count > 1 and name)
    return Header(start + 1, _distinct(names), True, *above, repeated)


def refuse_dates_as_names(names: Sequence[str], wanted: Sequence[str]) -> None:
    """Refuse a table that has a column for each time.

    Raises
    ------
    ValueError
        If most columns have the name of a date.
    """
    others = [name for name in names if name and name not in wanted]
    dates = [n for n in others if _DATE.fullmatch(n) or _NAME_OF_A_DATE.fullmatch(n)]
    if len(dates) >= 3 and len(dates) > len(others) / 2:
        raise ValueError(
            f"its columns are dates ({', '.join(dates[:3])}, …): turn them into rows first, for "
            "example with pandas: frame.melt(id_vars=[names of the other columns], "
            "var_name='time', value_name='value')"
        )


def _first_full(rows: Sequence[Row], numbers: list[int]) -> int:
    """Return the first row that has as many fields as most rows have, and few empty ones."""
    widths = Counter(len(_trimmed(rows[number])) for number in numbers)
    common = max(widths, key=lambda width: (widths[width], width))
    least = common if common < 3 else common - 1
    for number in numbers:
        filled = sum(map(bool, _stripped(rows[number])))
        if filled >= max(1, common - 1) and len(_trimmed(rows[number])) >= least:
            return number
    return numbers[0]


def _ambiguous(rows: Sequence[Row], number: int, has_header: bool | None) -> bool:
    """Whether a row that has the wanted names may be a row of data, as those of dates are."""
    row = _trimmed(rows[number])
    return has_header is None and any(_DATE.fullmatch(field) for field in row) and _plain(row)


def _is_data(rows: Sequence[Row], start: int, numbers: list[int]) -> bool:
    """Whether the row is of dates and numbers alone, of the same kinds as the rows below."""
    row = _trimmed(rows[start])
    below = [_trimmed(rows[n]) for n in numbers if n > start][:20]
    if not _plain(row) or not any(map(_DATE.fullmatch, row)):
        return False
    dates = [bool(_DATE.fullmatch(field)) for field in row]
    return all([bool(_DATE.fullmatch(field)) for field in other] == dates for other in below)


def _plain(row: Row) -> bool:
    return all(not f or _DATE.fullmatch(f) or _NUMBER.fullmatch(f) for f in row)


def _without_names(rows: Sequence[Row], start: int, numbers: list[int]) -> Header:
    """Return the header of a table without one: a comment right above it, or numbers."""
    width = max(len(_trimmed(rows[number])) for number in numbers if number >= start)
    if start and _is_comment(rows[start - 1]):
        names = _names(rows[start - 1])
        if len(names) == width and width > 1 and all(names):
            return Header(start, _distinct(names), True, *_kinds(rows[: start - 1]))
    names = [str(place) for place in range(1, width + 1)]
    return Header(start, names, False, *_kinds(rows[:start]))


def _has_empty_tail(rows: Sequence[Row], start: int, numbers: list[int], width: int) -> bool:
    """Whether the last column has no value in the rows below, or is absent from them."""
    return not any(any(rows[n][width - 1 :]) for n in numbers if n > start)


def _kinds(rows: Sequence[Row]) -> tuple[int, int, int]:
    """Return the numbers of titles, comments and blank rows."""
    comments = sum(map(_is_comment, rows))
    blank = sum(not any(row) for row in rows)
    return len(rows) - comments - blank, comments, blank


def _is_comment(row: Row) -> bool:
    return bool(row) and row[0].lstrip().startswith("#")


def _names(row: Row) -> list[str]:
    """Return the fields of a row, without the sign of a comment before the first."""
    first, *others = _stripped(row) or [""]
    return [first.removeprefix("#").strip() or first, *others]


def _stripped(row: Row) -> list[str]:
    return [field.strip() for field in row]


def _trimmed(row: Row) -> list[str]:
    """Return the fields of a row without the empty ones at its end."""
    fields = _stripped(row)
    while fields and not fields[-1]:
        fields.pop()
    return fields


def _distinct(names: list[str]) -> list[str]:
    """Return names that are all different, as pandas makes them: "load", "load.1"."""
    seen: Counter[str] = Counter()
    distinct = []
    for name in names:
        found = name
        while found in distinct and name:
            seen[name] += 1
            found = f"{name}.{seen[name]}"
        distinct.append(found)
    return [name or f"Unnamed: {place}" for place, name in enumerate(distinct)]
