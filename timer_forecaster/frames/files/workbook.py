"""The sheets of an Excel workbook: titles and a row of names above typed cells."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd

from timer_forecaster.extras import missing_extra
from timer_forecaster.frames.files.headers import find_header, refuse_dates_as_names
from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.table import Table, without_empty

_HEAD_ROWS = 200


def read_workbook(
    source: Source,
    wanted: Collection[str],
    *,
    sheet: str | int | None = None,
    has_header: bool | None = None,
) -> Table:
    """Read one sheet of a workbook; the wanted columns with several types of cells become text.

    Parameters
    ----------
    source : Source
    wanted : collection of str
        Names of columns that the header should have.
    sheet : str or int, optional
        Name of the sheet, or its place from 0. Default: the only one that has the wanted columns.
    has_header : bool, optional
        As in `find_header`.

    Raises
    ------
    ValueError
        If there is no such sheet, or several have the columns.
    ImportError
        If the package that reads such a workbook is not installed.
    """
    with _opened(source) as book:
        names = [str(name) for name in book.sheet_names]
        chosen = _chosen(book, names, wanted, sheet, has_header)
        cells = book.parse(chosen, header=None, dtype=object, na_filter=False)
    rows = _texts(cells)
    if not any(map(any, rows)):
        raise ValueError(f"sheet {chosen!r} is empty; there are {', '.join(names)}")
    header = find_header(rows, list(wanted), has_header)
    refuse_dates_as_names(header.names, list(wanted))
    frame = cells.iloc[header.first :, : len(header.names)].reset_index(drop=True)
    frame.columns = pd.Index(header.names)
    frame = frame.mask(frame.map(lambda cell: isinstance(cell, str) and not cell.strip()))
    frame, skipped = without_empty(frame.infer_objects())
    others = [name for name in names if name != chosen]
    parts = [f"Excel, sheet {chosen!r}", *([f"not sheets {', '.join(others)}"] if others else [])]
    if not header.found:
        parts.append("no header: columns are named by their places, from 1")
    return Table(frame, ", ".join(parts), {"title row": header.titles, **skipped}, header.repeated)


def _opened(source: Source) -> pd.ExcelFile:
    file: Any = io.BytesIO(source.data) if source.path is None else source.path
    try:
        return pd.ExcelFile(file)
    except ImportError as error:
        found = re.search(r"openpyxl|xlrd|odfpy|pyxlsb|calamine", str(error))
        package = "openpyxl" if found is None else found[0]
        if package == "openpyxl":
            raise ImportError(missing_extra("Excel files need openpyxl", "excel")) from error
        raise ImportError(
            f"this kind of workbook needs {package}: pip install {package}, or save it as .xlsx"
        ) from error


def _chosen(
    book: pd.ExcelFile,
    names: Sequence[str],
    wanted: Collection[str],
    sheet: str | int | None,
    has_header: bool | None,
) -> str:
    """Return the name of the sheet to read."""
    if sheet is not None:
        known = dict(zip(map(str, range(len(names))), names, strict=True))
        given = str(sheet)
        if given not in names and given not in known:
            raise ValueError(
                f"sheet={sheet!r}: there is no such sheet; there are {', '.join(names)}"
            )
        return given if given in names else known[given]
    head: dict[str, Any] = {
        "header": None,
        "dtype": object,
        "na_filter": False,
        "nrows": _HEAD_ROWS,
    }
    heads = {name: _texts(book.parse(name, **head)) for name in names}
    filled = [name for name in names if any(any(row) for row in heads[name])]
    having = [
        name
        for name in filled
        if {*wanted} <= {*find_header(heads[name], list(wanted), has_header).names}
    ]
    candidates = having if wanted and having else filled
    if not candidates:
        raise ValueError("the file is empty")
    if len(candidates) > 1:
        raise ValueError(
            f"sheets {', '.join(map(repr, candidates))} all may hold the series: name one by sheet "
            "(--sheet)"
        )
    return candidates[0]


def _texts(cells: pd.DataFrame) -> list[list[str]]:
    """Return the first rows of cells as texts, as a header is looked for."""
    head: list[list[Any]] = cells.head(_HEAD_ROWS).to_numpy(dtype=object).tolist()
    return [["" if _is_missing(cell) else str(cell) for cell in row] for row in head]


def _is_missing(cell: Any) -> bool:
    return cell is None or cell == "" or (isinstance(cell, float) and cell != cell)
