"""Reading: files of many dialects, by `read_series_file`."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.inputs.files import Dialect, must_read, some_dialect, writable, write_file
from benchmarks.fuzz.inputs.tables import Truth, some_table
from benchmarks.fuzz.oracle import (
    Broken,
    Outcome,
    ask,
    brief,
    may_refuse,
    must_answer,
    must_refuse,
    require_close,
    require_equal,
)
from benchmarks.fuzz.product import Product

KINDS = ("fixed", "calendar", "integer")
"""Kinds of times in files."""


def case(draw: Draw, product: Product) -> Outcome:
    """Read a file, and compare with the series that it was made of."""
    kind = draw.weighted({"text": 70, "parquet": 8, "excel": 8, "spoiled": 20})
    draw.note(kind=kind)
    return _ASK[kind](draw, product)


def text(draw: Draw, product: Product) -> Outcome:
    """Read a text file of some dialect."""
    truth, dialect = some_table(draw, 2, kind=draw.pick(KINDS), plain=True), some_dialect(draw)
    if not writable(truth, dialect):
        dialect = Dialect()
    path = write_file(truth, dialect, product.folder)
    draw.note(dialect=dialect.label, head=path.read_bytes()[:80])
    outcome = ask(lambda: read(path, truth))
    if must_read(truth, dialect):
        must_answer(outcome, f"file: {dialect.label}")
    if may_refuse(outcome, f"file: {dialect.label}", [path.name]) is not None:
        check_series(outcome.value, truth, dialect.label)
    return outcome


def read(path: Path, truth: Truth) -> Any:
    """Read a file, and cut it into its series."""
    from timer_forecaster.frames.panel import Panel
    from timer_forecaster.frames.reading import read_series_file

    names = {"time_column": truth.time, "id_column": truth.id_column}
    targets = [str(name) for name in truth.targets]
    found = read_series_file(path, **names, target_columns=targets)
    try:
        return Panel.of_columns(found, truth.time, truth.id_column, targets)
    except ValueError as error:  # the panel does not know the file
        raise ValueError(f"{path}: {error}") from error


def check_series(panel: Any, truth: Truth, label: str) -> None:
    """Check the ids, the times and the values that were read."""
    if truth.id_column is not None:
        require_equal(list(panel.keys), [str(key) for key in truth.ids], f"ids of a file: {label}")
    for key, number in zip(truth.ids, panel.axis, strict=True):
        got, wanted = panel.grids[number].times, truth.clocks[key].history
        if len(got) != len(wanted) or not (got == wanted).all():
            raise Broken(f"times of a file: {label}", f"{list(got[:3])}, not {list(wanted[:3])}")
    for got, wanted in zip(panel.series(), truth.series(), strict=True):
        require_close(
            got, wanted, 1e-9 * np.abs(np.nan_to_num(wanted)), f"values of a file: {label}"
        )


def parquet(draw: Draw, product: Product) -> Outcome:
    """Read a Parquet file."""
    truth = some_table(draw, 2, kind=draw.pick(KINDS), plain=True)
    path = product.folder / draw.pick(["data.parquet", "data.pq", "DATA.PARQUET"])
    index = draw.chance(0.3)
    frame = truth.frame.set_index(truth.time) if index else truth.frame
    frame.to_parquet(path, index=True if index else None)
    outcome = ask(lambda: read(path, truth))
    check_series(must_answer(outcome, "Parquet"), truth, "Parquet")
    return outcome


def excel(draw: Draw, product: Product) -> Outcome:
    """Read a workbook: times as cells of dates, or as texts of a dialect."""
    truth = some_table(draw, 2, kind=draw.pick(KINDS), plain=True)
    path, frame = product.folder / draw.pick(["data.xlsx", "DATA.XLSX"]), truth.frame
    if isinstance(pd.Index(frame[truth.time]), pd.DatetimeIndex) and (
        draw.chance(0.3) or frame[truth.time].min().year < 1900  # cells hold no earlier dates
    ):
        frame = frame.assign(**{str(truth.time): frame[truth.time].astype(str)})
    top = draw.pick([0, 0, 2])
    draw.note(top=top)
    try:
        frame.to_excel(path, index=False, startrow=top)
    except ImportError:  # openpyxl is an extra
        return Outcome()
    outcome = ask(lambda: read(path, truth))
    check_series(must_answer(outcome, "Excel"), truth, "Excel")
    return outcome


def _absent(draw: Draw, path: Path, question: dict[str, Any]) -> str:
    question["path"] = path.parent / draw.pick(["absent.csv", "absent.csv.gz", "no/such.csv"])
    return "a file that is not there"


def _folder(draw: Draw, path: Path, question: dict[str, Any]) -> str:
    question["path"] = path.with_name("folder.csv")
    question["path"].mkdir()
    return "a folder"


def _contents(draw: Draw, path: Path, question: dict[str, Any]) -> str:
    kinds = {
        "an empty file": b"",
        "blank lines": b"\n\n\n",
        "a header alone": path.read_bytes().partition(b"\n")[0] + b"\n",
        "random bytes": draw.rng.bytes(300),
        "zeros": bytes(200),
        "a picture": b"\x89PNG\r\n\x1a\n" + draw.rng.bytes(100),
        "a zip": b"PK\x03\x04" + draw.rng.bytes(100),
        "a pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n",
        "a page": b"<!DOCTYPE html><html><body>404</body></html>",
        "one quote": path.read_bytes() + b'"',
    }
    kind = draw.pick(list(kinds))
    path.write_bytes(kinds[kind])
    question["names"] = [path.name, "frame", "rows"]
    return kind


def _named(draw: Draw, path: Path, question: dict[str, Any]) -> str:
    data = b"nothing at all"
    kind = draw.pick(["cut gzip", "no gzip", "no parquet", "cut parquet", "no excel"])
    name = {"cut gzip": "x.csv.gz", "no gzip": "x.csv.gz", "no excel": "x.xlsx"}.get(
        kind, "x.parquet"
    )
    question["path"] = path.with_name(name)
    if kind == "cut gzip":
        data = gzip.compress(path.read_bytes())[:-20]
    if kind == "cut parquet":
        pd.DataFrame({"time": [1, 2], "y": [1, 2]}).to_parquet(question["path"])
        data = question["path"].read_bytes()[:-9]
    question["path"].write_bytes(data)
    return kind


def _column(draw: Draw, path: Path, question: dict[str, Any]) -> str:
    name = draw.pick(["time_column", "id_column", "target_columns"])
    question[name] = ["absent"] if name == "target_columns" else "absent"
    question["names"] = ["absent"]
    return f"{name} that is not there"


def _row(draw: Draw, path: Path, question: dict[str, Any]) -> str:
    """Spoil one row of the file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    place = draw.integer(2, len(lines) - 1)
    kind = draw.pick(["a row of more cells", "a row without time", "a time that is no time"])
    column = lines[0].split(",").index(question["time_column"])
    cells = lines[place].split(",")
    if kind == "a row of more cells":
        cells += ["1", "2", "3"]
    else:
        cells[column] = "" if kind == "a row without time" else "someday"
    lines[place] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return kind


def _value(draw: Draw, path: Path, question: dict[str, Any]) -> str:
    """Spoil one value of the file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    place, target = draw.integer(1, len(lines) - 1), question["target_columns"][0]
    cells = lines[place].split(",")
    text = draw.pick(
        ["closed", "inf", "-inf", "1.2.3", "12:30", "2024-01-01", "1e999", "0x1F", "TRUE"]
    )
    cells[lines[0].split(",").index(target)] = text
    lines[place] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    question["names"] = [target]
    return f"a value {text!r}"


def _infinite_or_bad(draw: Draw, path: Path, question: dict[str, Any]) -> str:
    question["path"] = draw.pick([None, 3, b"x.csv", ["x.csv"]])
    question["names"] = ["path", "b'x.csv'", "3", "x.csv"] if question["path"] else ["path"]
    return f"a path of {type(question['path']).__name__}"


SPOILS = (
    _absent,
    _folder,
    _contents,
    _contents,
    _named,
    _column,
    _row,
    _row,
    _value,
    _infinite_or_bad,
)


def spoiled(draw: Draw, product: Product) -> Outcome:
    """Spoil a file or an argument: the error names it."""
    truth = some_table(draw, 2, kind="fixed", plain=True)
    while any("," in str(key) or "\n" in str(key) for key in truth.ids):
        truth = some_table(draw, 2, kind="fixed", plain=True)
    path = write_file(truth, Dialect(), product.folder)
    targets = [str(name) for name in truth.targets]
    question: dict[str, Any] = {
        "path": path, "time_column": truth.time, "id_column": truth.id_column,
        "target_columns": targets,
    }  # fmt: skip
    fault = draw.pick(SPOILS)(draw, path, question)
    names = question.pop(
        "names",
        [Path(question["path"] or "").name]
        if not isinstance(question["path"], (int, bytes, list))
        else ["path"],
    )
    draw.note(fault=fault)
    outcome = ask(lambda: _read_question(question))
    draw.note(answer=brief(outcome.value, 60))
    must_refuse(outcome, fault, names)
    return outcome


def _read_question(question: dict[str, Any]) -> Any:
    from timer_forecaster.frames.panel import Panel
    from timer_forecaster.frames.reading import read_series_file

    frame = read_series_file(**question)
    columns = [question[name] for name in ("time_column", "id_column", "target_columns")]
    return Panel.of_columns(frame, *columns).series()


_ASK: dict[str, Any] = {"text": text, "parquet": parquet, "excel": excel, "spoiled": spoiled}
