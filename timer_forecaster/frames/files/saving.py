"""Tables on disk, in the format that the name of the file says."""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import json
import lzma
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from timer_forecaster.extras import missing_extra
from timer_forecaster.files import whole_file

STANDARD_OUTPUT = Path("-")

_PACKERS: dict[str, Callable[[bytes, str], bytes]] = {
    ".gz": lambda data, _: gzip.compress(data, mtime=0),
    ".bz2": lambda data, _: bz2.compress(data),
    ".xz": lambda data, _: lzma.compress(data),
    ".zip": lambda data, name: _zipped(data, name),
}
_NEEDS = {".parquet": ("pyarrow", "parquet"), ".xlsx": ("openpyxl", "excel")}
_FORMATS = (".csv", ".tsv", ".json", ".parquet", ".xlsx")
_EXCEL_ROWS = 1_048_575  # below the header


def check_table_name(path: Path) -> None:
    """Refuse a file whose name says no format that a table is written in.

    Raises
    ------
    ValueError
        Naming the formats there are.
    ImportError
        If a package that writes the format is not installed.

    Examples
    --------
    >>> check_table_name(Path("forecast.csv.gz"))
    >>> check_table_name(Path("forecast.doc"))
    Traceback (most recent call last):
    ...
    ValueError: cannot write forecast.doc: its name must end in .csv, .tsv, .json, ...
    """
    if path == STANDARD_OUTPUT:
        return
    form, packer = _format(path)
    if form not in _FORMATS or (packer and form not in (".csv", ".tsv")):
        packed = [f".csv{suffix}" for suffix in _PACKERS]
        raise ValueError(
            f"cannot write {path}: its name must end in {', '.join(_FORMATS[:-1])} or "
            f"{_FORMATS[-1]}, or in {', '.join(packed[:-1])} or {packed[-1]}; - is the standard "
            "output"
        )
    if form in _NEEDS:
        package, extra = _NEEDS[form]
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise ImportError(missing_extra(f"{form} files need {package}", extra)) from error


def check_table_rows(path: Path, rows: int) -> None:
    """Refuse a table that is too long for its format.

    Raises
    ------
    ValueError
        If a sheet has fewer rows.
    """
    if _format(path)[0] == ".xlsx" and rows > _EXCEL_ROWS:
        raise ValueError(
            f"cannot write {path}: a sheet has {_EXCEL_ROWS:,} rows, and the table {rows:,}; write "
            ".csv or .parquet"
        )


def save_table(table: pd.DataFrame, path: Path) -> str:
    """Write a table as a whole, and return a note where the format cannot hold all of it.

    Parameters
    ----------
    table : pandas.DataFrame
    path : Path
        As `check_table_name` takes it. ``-`` writes CSV to the standard output.

    Returns
    -------
    str
        Empty if nothing differs.
    """
    if path == STANDARD_OUTPUT:
        _write_text(table, sys.stdout)
        return ""
    form, packer = _format(path)
    note = ""
    with whole_file(path) as unfinished:
        if form == ".parquet":
            table.to_parquet(unfinished, index=False, engine="pyarrow")
        elif form == ".xlsx":
            table, note = _without_zones(table)
            table.to_excel(unfinished, index=False, engine="openpyxl")
        elif form == ".json":
            records = [
                {str(name): _plain(value) for name, value in row.items()}
                for row in table.astype(object).to_dict("records")
            ]
            unfinished.write_text(json.dumps(records, indent=0, allow_nan=False) + "\n", "utf-8")
        elif packer:
            buffer = io.StringIO()
            _write_text(table, buffer, "\t" if form == ".tsv" else ",")
            data = buffer.getvalue().encode()
            unfinished.write_bytes(_PACKERS[packer](data, path.name.removesuffix(packer)))
        else:
            _write_text(table, unfinished, "\t" if form == ".tsv" else ",")
    return note


def _write_text(table: pd.DataFrame, target: object, separator: str = ",") -> None:
    table.to_csv(target, index=False, float_format="%.10g", sep=separator)  # type: ignore[call-overload]


def _format(path: Path) -> tuple[str, str]:
    """Return the suffix of the format, and the suffix of its packer."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packer = suffixes.pop() if suffixes and suffixes[-1] in _PACKERS else ""
    return (suffixes[-1] if suffixes else ""), packer


def _without_zones(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Write times with a zone as texts: a sheet has no time zones, and clock times would repeat."""
    zoned = [name for name in table if isinstance(table[name].dtype, pd.DatetimeTZDtype)]
    if not zoned:
        return table, ""
    texts = {str(n): table[n].map(lambda time: time.isoformat()) for n in zoned}
    note = f"Excel has no time zones: {', '.join(map(repr, zoned))} is written as text with offsets"
    return table.assign(**texts), note


def _plain(value: object) -> object:
    """Return a value that JSON has."""
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def _zipped(data: bytes, name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
