"""The page of a report: one HTML file that needs no network."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files as resources
from pathlib import Path
from string import Template
from typing import Any, Protocol

from timer_forecaster import files
from timer_forecaster.report.markup import element, escaped, script_data
from timer_forecaster.report.versions import versions
from timer_forecaster.report.words import Words

_SUFFIXES = (".html", ".htm")


class Part(Protocol):
    """A part of a report."""

    @property
    def weight(self) -> int:
        """Share of the room of a page that the part asks for; 0 if it is small."""

    def packed(self, share: float) -> Any:
        """Return what the script of the page draws, in a share of the room; None for nothing."""

    def markup(self, number: int) -> str:
        """Return the HTML of the part, whose number makes its names unique."""


def write_report(
    path: str | Path,
    parts: Iterable[Part],
    *,
    title: str = "Forecast report",
    summary: str = "",
    reading: object = None,
    settings: Mapping[str, object] | None = None,
    notes: Iterable[str] = (),
) -> None:
    """Write a report: one HTML file with its pictures, whole or not at all.

    The file needs no network and loads nothing. Its pictures are drawn by a small script in it.

    Parameters
    ----------
    path : str or Path
        A name that ends in ``.html``.
    parts : iterable of Part
        In the order of the page: results of `forecast_part`, `BacktestResult.report_parts`, or
        parts of `timer_forecaster.report`.
    title : str
        Title of the page.
    summary : str
        The result in a sentence or two.
    reading : object, optional
        How a file was read: a `ReadingReport`, or anything whose text has a line for each remark.
    settings : mapping, optional
        How the forecasts were made, by names such as ``"checkpoint"``.
    notes : iterable of str
        Remarks, such as series that were left out.

    Raises
    ------
    ValueError
        If the file cannot be written, or its name has another ending.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np, pandas as pd
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.report import forecast_part, write_report
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> sales = pd.DataFrame({"day": days, "units": np.arange(60) % 7})
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> forecast = pipe.predict_frame(sales, 7, time_column="day")
    >>> part = forecast_part(sales, forecast, time_column="day")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(f"{folder}/sales.html", [part], title="Sales of next week")
    ...     Path(folder, "sales.html").stat().st_size < 100_000
    True
    """
    check_report(path)
    about = {} if settings is None else {str(name): value for name, value in settings.items()}
    every: list[Part] = list(parts)
    remarks = [str(note) for note in notes]
    if remarks:
        every.append(Words("Notes", notes=remarks))
    if reading is not None:
        lines = [line.strip() for line in str(reading).splitlines()]
        every.append(Words("How the file was read", notes=lines))
    if about:
        every.append(Words("How the forecasts were made", pairs=about))
    every.append(Words("Versions", pairs=versions()))
    text = page(every, title, summary)
    with files.whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def check_report(path: str | Path) -> None:
    """Refuse a file that no report can be written to, before the work is done.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    ValueError
        Naming the file.

    Examples
    --------
    >>> from timer_forecaster.report import check_report
    >>> check_report("sales.html")
    >>> check_report("sales.pdf")
    Traceback (most recent call last):
    ValueError: cannot write sales.pdf: the name of a report must end in .html
    """
    if Path(path).suffix.lower() not in _SUFFIXES:
        raise ValueError(f"cannot write {path}: the name of a report must end in .html")
    files.check_writable(path)


def page(parts: Iterable[Part], title: str, summary: str = "") -> str:
    """Return the text of a page.

    Examples
    --------
    >>> page([], "Sales").startswith("<!DOCTYPE html>")
    True
    """
    every = list(parts)
    room = max(1, sum(part.weight for part in every))
    data = [part.packed(part.weight / room) for part in every]
    style, script = _resource("page.css"), _resource("page.js")
    now = datetime.datetime.now().astimezone()
    return Template(_resource("page.html")).substitute(
        title=escaped(title),
        summary=element("p", summary, class_="summary") if summary else "",
        made=escaped(f"{now:%Y-%m-%d %H:%M}"),
        parts="\n".join(part.markup(number) for number, part in enumerate(every)),
        data=script_data(data),
        style=style,
        script=script,
        style_digest=_digest(style),
        script_digest=_digest(script),
    )


def _resource(name: str) -> str:
    return resources("timer_forecaster.report").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Return the digest by which a page allows its own style and script, and no others."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
