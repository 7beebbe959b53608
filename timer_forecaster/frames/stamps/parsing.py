"""Time stamps: how a column of times is read."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from timer_forecaster.frames.stamps.doubts import row_error
from timer_forecaster.frames.stamps.epochs import days_of, unix_of
from timer_forecaster.frames.stamps.kinds import plain_times, whole_numbers
from timer_forecaster.frames.stamps.localized import in_zone
from timer_forecaster.frames.stamps.numbers import read_numbers
from timer_forecaster.frames.stamps.readings import is_count
from timer_forecaster.frames.stamps.texts import TextOptions, read_texts

_NEAR_YEARS = (1700, 2200)  # Nanoseconds reach from 1677 to 2262.
_WHOLE = r"[+-]?\d+(?:\.0*)?"
_NUMBER = r"[+-]?\d+\.\d*"
_MONTHS = (r"\d{4}\.(?:0[1-9]|1[0-2])", r"(?:0?[1-9]|1[0-2])\.(?:19|20)\d{2}")


def parse_times(
    values: pd.Series,
    column: Hashable,
    *,
    date_format: str | None = None,
    dayfirst: bool | None = None,
    timezone: str | None = None,
    freq: Any = None,
    series: pd.Series | None = None,
) -> pd.Series:
    """Read a column of times.

    Parameters
    ----------
    values : pandas.Series
        Dates with or without time zone, periods, integers, or texts of dates or integers, in any
        type of pandas. Integers that are codes of dates, such as 20240131, or count time from
        1970, are read as dates. Texts have the notation, and the order of day and month, that the
        whole column shows. Quarters, months and weeks are read as their first days.
    column : hashable
        Name of the column, for errors.
    date_format : str, optional
        Format of texts, as `datetime.datetime.strptime` takes it, for example "%d.%m.%Y".
    dayfirst : bool, optional
        Whether texts such as 01/02/2024 have the day first. By default the column or `freq`
        decides.
    timezone : str, optional
        Zone of dates without one, such as "Europe/Berlin"; dates with a zone, and times that are
        counted from 1970, are converted to it.
    freq : str, int or offset, optional
        Step of the times. It decides between readings: an integer says that integers are counts, a
        frequency of dates says that they are dates.
    series : pandas.Series, optional
        The id of each row, to tell hours apart that occur twice in `timezone`.

    Returns
    -------
    pandas.Series
        The same rows, as datetime64, period or int64.

    Raises
    ------
    ValueError
        If a row has no time, or a time that cannot be read, or if the column does not decide how
        it is read. The error names the first such row, counted from 1.

    Examples
    --------
    >>> parse_times(pd.Series([202311, 202312, 202401]), "month").astype(str).tolist()
    ['2023-11-01', '2023-12-01', '2024-01-01']
    >>> parse_times(pd.Series(["13/01/2024", "02/02/2024"]), "day").dt.month.tolist()
    [1, 2]
    """
    missing = values.isna().to_numpy()
    if missing.any():
        raise ValueError(f"time column {column!r}: data row {missing.argmax() + 1} has no time")
    options = TextOptions(date_format, dayfirst, timezone, freq)
    times = _parsed(plain_times(values, column, timezone), values, column, options)
    if timezone is not None:
        times = in_zone(times, timezone, column, series)
    return _with_room(times)


def _with_room(times: pd.Series) -> pd.Series:
    """Return times near the ends of what nanoseconds reach in microseconds, to go on from them."""
    if (
        times.dtype.kind != "M"
        or times.dt.unit != "ns"
        or times.dt.year.between(*_NEAR_YEARS).all()
    ):
        return times
    return times.dt.as_unit("us") if (times.dt.nanosecond == 0).all() else times


def _parsed(
    times: pd.Series, values: pd.Series, column: Hashable, options: TextOptions
) -> pd.Series:
    """Read what is neither dates nor periods."""
    if times.dtype == object:
        return _parsed_texts(times, values, column, options)
    if times.dtype == np.int64:
        if options.date_format is not None:
            return read_texts(_padded(times, options.date_format), column, options)
        return read_numbers(times, column, options.freq, timezone=options.timezone)
    if times.dtype == np.float64:
        return _fractions(times, values, column, options)
    return times


def _parsed_texts(
    texts: pd.Series, values: pd.Series, column: Hashable, options: TextOptions
) -> pd.Series:
    """Read texts of numbers as numbers, others as dates."""
    plain = texts.astype(str).str.strip()
    if options.date_format is None and plain.str.fullmatch(_WHOLE).all():
        digits = plain.str.partition(".")[0]
        widths = digits.str.len().unique()
        width = int(widths[0]) if len(widths) == 1 else None
        numbers = whole_numbers([int(number) for number in digits], values, column)
        return read_numbers(numbers, column, options.freq, width, options.timezone)
    months = any(plain.str.fullmatch(pattern).all() for pattern in _MONTHS)
    numeric = not months and plain.str.fullmatch(rf"{_WHOLE}|{_NUMBER}").all()
    if options.date_format is None and numeric:
        return _fractions(plain.astype("float64"), values, column, options)
    return read_texts(texts, column, options)


def _padded(numbers: pd.Series, date_format: str) -> pd.Series:
    """Return numbers as texts, with the zero that a day or month at the start has lost."""
    texts = numbers.astype(str)
    width = int(texts.str.len().max())
    return texts.str.zfill(width + (width % 2 if date_format[:2] in ("%d", "%m") else 0))


def _fractions(
    numbers: pd.Series, values: pd.Series, column: Hashable, options: TextOptions
) -> pd.Series:
    """Read numbers that are not whole: as time from an origin if the frequency is one of dates."""
    distinct, places = np.unique(numbers.to_numpy(), return_inverse=True)
    counted = unix_of(distinct, options.timezone) or days_of(distinct)
    if counted is not None and options.freq is not None and not is_count(options.freq):
        return pd.Series(counted.times.take(places), index=numbers.index, name=numbers.name)
    with np.errstate(invalid="ignore"):
        broken = (numbers % 1 != 0).to_numpy()
    why = "is neither a date nor a whole number"
    if counted is not None:
        why += f"; if the column holds {counted.name}, convert it: {counted.advice}"
    raise row_error(values, broken, column, why)
