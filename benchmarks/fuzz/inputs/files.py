"""Files of many dialects, whose contents are known."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.tables import Truth


@dataclass
class Dialect:
    """How a table is written as text.

    Parameters
    ----------
    label : str
        Names of what is special about it.
    must : bool
        Whether it must be read without options. Else it is read rightly or refused.
    """

    label: str = "plain"
    must: bool = True
    separator: str = ","
    decimal: str = "."
    thousands: str = ""
    encoding: str = "utf-8"
    newline: str = "\n"
    missing: str = ""
    unit: tuple[str, str] = ("", "")
    times: str = ""
    title: list[str] = field(default_factory=list)
    comment: str = ""
    tail: str = ""
    header_tail: str = ""
    blank_rows: tuple[int, ...] = ()
    end: str = ""
    quoting: int = csv.QUOTE_MINIMAL
    row_numbers: str | None = None
    extra: dict[str, Callable[[int], str]] = field(default_factory=dict)
    suffix: str = ".csv"


Twist = tuple[bool, Callable[[Draw, Dialect], None]]


def _set(**values: Any) -> Callable[[Draw, Dialect], None]:
    def twist(draw: Draw, dialect: Dialect) -> None:
        for name, value in values.items():
            setattr(dialect, name, value)

    return twist


TWISTS: dict[str, Twist] = {
    "byte order mark": (True, _set(encoding="utf-8-sig")),
    "quoted": (True, _set(quoting=csv.QUOTE_ALL)),
    "carriage returns": (True, _set(newline="\r\n")),
    "gzip": (True, _set(suffix=".csv.gz")),
    "blank rows": (True, _set(blank_rows=(3, 7))),
    "blank end": (True, _set(end="\n\n")),
    "no last newline": (True, _set(end="cut")),
    "text column": (True, lambda d, x: x.extra.update(note=lambda i: f"n{i % 3}")),
    "NA": (True, _set(missing="NA")),
    "NaN": (True, _set(missing="NaN")),
    "ISO with T": (True, _set(times="%Y-%m-%dT%H:%M:%S")),
    "empty column": (True, lambda d, x: x.extra.update(empty=lambda i: "")),
    "semicolons": (True, _set(separator=";")),
    "German": (True, _set(separator=";", decimal=",")),
    "German thousands": (True, _set(separator=";", decimal=",", thousands=".")),
    "thousands": (True, _set(thousands=",")),
    "Swiss thousands": (True, _set(thousands="'")),
    "tabs": (True, _set(separator="\t", suffix=".tsv")),
    "bars": (True, _set(separator="|")),
    "Latin 1": (True, _set(encoding="latin-1")),
    "UTF-16": (True, _set(encoding="utf-16")),
    "title": (True, _set(title=["Report of the meter", ""])),
    "long title": (True, _set(title=["Station,12", "Unit,kWh", ""])),
    "comments": (True, _set(comment="# made by hand")),
    "rows end in a separator": (True, _set(tail="sep")),
    "all rows end in a separator": (True, _set(tail="sep", header_tail="sep")),
    "commas at the end": (True, _set(end="commas")),
    "day first": (True, _set(times="%d.%m.%Y %H:%M")),
    "day first with slashes": (True, _set(times="%d/%m/%Y %H:%M")),
    "month first": (True, _set(times="%m/%d/%Y %H:%M")),
    "twelve hours": (True, _set(times="%m/%d/%Y %I:%M %p")),
    "hyphens": (True, _set(missing="-")),
    "question marks": (True, _set(missing="?")),
    "n/a": (True, _set(missing="n/a")),
    "dollars": (True, _set(unit=("$", ""))),
    "percent": (True, _set(unit=("", "%"))),
    "kWh": (True, _set(unit=("", " kWh"))),
    "row numbers": (True, _set(row_numbers="row")),
    "unnamed row numbers": (True, _set(row_numbers="")),
    "repeated header": (False, lambda d, x: x.extra.update({"twin": lambda i: "1"})),
}
"""What may be special about a file, and whether such a file must be read."""


def some_dialect(draw: Draw) -> Dialect:
    """Return a dialect with one or two special points."""
    names = [draw.pick(list(TWISTS)) for _ in range(draw.weighted({0: 1, 1: 7, 2: 2}))]
    dialect = Dialect(label=" and ".join(sorted(set(names))) or "plain")
    for name in names:
        must, twist = TWISTS[name]
        twist(draw, dialect)
        dialect.must = dialect.must and must
    if len(set(names)) > 1:  # two points may hide each other
        dialect.must = False
    return dialect


def write_file(truth: Truth, dialect: Dialect, folder: Path) -> Path:
    """Write a table as text, and return the path."""
    header, rows = _cells(truth, dialect)
    lines = [_line(row, dialect) for row in rows]
    if dialect.tail:
        lines = [line + dialect.separator for line in lines]
    for place in dialect.blank_rows:
        lines.insert(min(place, len(lines)), "")
    first = _line(header, dialect) + (dialect.separator if dialect.header_tail else "")
    start = [*dialect.title, *([dialect.comment] if dialect.comment else []), first]
    text = dialect.newline.join([*start, *lines]) + dialect.newline
    if dialect.end == "commas":
        text += dialect.separator * (len(header) - 1) + dialect.newline
    elif dialect.end == "cut":
        text = text.removesuffix(dialect.newline)
    else:
        text += dialect.end
    data = text.encode(dialect.encoding, errors="replace")
    path = folder / f"data{dialect.suffix}"
    path.write_bytes(gzip.compress(data, 1) if dialect.suffix.endswith(".gz") else data)
    return path


def _cells(truth: Truth, dialect: Dialect) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows as texts."""
    frame, columns = truth.frame, {}
    for name in frame.columns:
        if name == truth.time:
            columns[str(name)] = _times(frame[name], dialect)
        elif name == truth.id_column:
            columns[str(name)] = [str(value) for value in frame[name]]
        else:
            columns[str(name)] = [_number(value, dialect) for value in frame[name]]
    for name, make in dialect.extra.items():
        columns[name] = [make(i) for i in range(len(frame))]
    header = list(columns)
    if "twin" in header:  # a second column of the name of a target
        header[header.index("twin")] = str(truth.targets[0])
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    if dialect.row_numbers is not None:
        header = [dialect.row_numbers, *header]
        rows = [[str(i), *row] for i, row in enumerate(rows)]
    return header, rows


def _times(column: Any, dialect: Dialect) -> list[str]:
    index = pd.Index(column)
    if not dialect.times or not isinstance(index, pd.DatetimeIndex):
        return [str(value) for value in column]
    return list(index.strftime(dialect.times))


def _number(value: float, dialect: Dialect) -> str:
    if np.isnan(value):
        return dialect.missing
    whole, _, rest = f"{value:,.4f}".partition(".")
    rest = rest.rstrip("0")
    whole = whole.replace(",", dialect.thousands)
    before, after = dialect.unit
    return f"{before}{whole}{dialect.decimal + rest if rest else ''}{after}"


def _line(cells: list[str], dialect: Dialect) -> str:
    """Return the cells as one line; cells that hold the separator are quoted."""
    text = io.StringIO()
    writer = csv.writer(
        text, delimiter=dialect.separator, quoting=dialect.quoting, lineterminator=""
    )
    writer.writerow(cells)
    return text.getvalue()


def must_read(truth: Truth, dialect: Dialect) -> bool:
    """Whether a table must be read without options: its texts allow one reading alone."""
    return dialect.must and _decides_order(truth, dialect) and _decides_signs(truth, dialect)


def _decides_order(truth: Truth, dialect: Dialect) -> bool:
    """Whether the dates show which of day and month comes first."""
    times = pd.Index(truth.frame[truth.time])
    if not dialect.times.startswith(("%d/", "%d.", "%m/")) or not isinstance(
        times, pd.DatetimeIndex
    ):
        return True
    return bool((times.day > 12).any())


def _decides_signs(truth: Truth, dialect: Dialect) -> bool:
    """Whether a number shows the decimal sign, if 1,234 and the like are there."""
    texts = [
        _number(value, dialect).strip("-")
        for name in truth.targets
        for value in truth.frame[name].dropna()
    ]
    doubtful = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
    marked = [text for text in texts if "." in text or "," in text]
    by_point = dialect.decimal == "." and dialect.separator == "," and not dialect.thousands
    return by_point or not marked or not all(map(doubtful.fullmatch, marked))


def writable(truth: Truth, dialect: Dialect) -> bool:
    """Whether the times of a table can be written in the dialect without loss."""
    times = pd.Index(truth.frame[truth.time])
    if not dialect.times or not isinstance(times, pd.DatetimeIndex):
        return not dialect.times
    has_seconds = "%S" in dialect.times
    return times.tz is None and (has_seconds or bool((times.second == 0).all()))
