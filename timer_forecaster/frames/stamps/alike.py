"""Times of the future, read as the times of the history are."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

Parse = Callable[[pd.DataFrame], pd.Series]
"""Reads times from one column, or from columns that make them together."""


def parse_alike(
    values: pd.DataFrame, like: pd.DataFrame, read: pd.Series, parse: Parse, label: str = ""
) -> pd.Series:
    """Read times as other times were read.

    Where the columns of both have values of one type, such as texts, both are read together, so
    that the other times decide between readings such as the order of day and month.

    Parameters
    ----------
    values : pandas.DataFrame
        The column or columns of the times to read.
    like : pandas.DataFrame
        The other ones, as they were written.
    read : pandas.Series
        The other times, as they were read.
    parse : callable
    label : str
        Name of the times to read, for errors.

    Returns
    -------
    pandas.Series
        In the zone of the other times.

    Raises
    ------
    ValueError
        If a row cannot be read, or the times are of different kinds or notations.

    Examples
    --------
    >>> from timer_forecaster.frames.stamps import parse_times
    >>> def parse(frame):
    ...     return parse_times(frame["day"], "day")
    >>> written = pd.DataFrame({"day": ["30/12/2024", "31/12/2024"]})
    >>> later = pd.DataFrame({"day": ["01/02/2025"]})
    >>> parse_alike(later, written, parse(written), parse).dt.month.tolist()
    [2]
    """
    prefix = f"{label}: " if label else ""
    kinds = _kinds(values)
    if kinds == _kinds(like) and set(kinds) <= {"text", "number"}:
        times = _together(values, like, read, parse, prefix)
    else:
        times = _alone(values, parse, prefix)
    return _same_kind(times, read, prefix)


def _together(
    values: pd.DataFrame, like: pd.DataFrame, read: pd.Series, parse: Parse, prefix: str
) -> pd.Series:
    """Read times in one table with the other ones, whose reading must not change."""
    both = [_plain(one) for one in (like, values)]
    try:
        times = parse(pd.concat(both, ignore_index=True))
        agrees = _agree(times.iloc[: len(like)], read)
    except ValueError:
        _alone(values, parse, prefix)  # raises the error of a row that is wrong by itself
        agrees = False
    if not agrees:
        here, there = (" ".join(map(str, one.iloc[0])) for one in (values, like))
        raise ValueError(
            f"{prefix}its times, such as {here!r}, are written in another way than the times of "
            f"the history, such as {there!r}; write both alike"
        )
    return times.iloc[len(like) :].set_axis(values.index)


def _plain(columns: pd.DataFrame) -> pd.DataFrame:
    """Return columns with texts as objects, whatever type they have."""
    kinds = zip(columns, _kinds(columns), strict=True)
    return columns.astype({name: object for name, kind in kinds if kind == "text"})


def _agree(times: pd.Series, read: pd.Series) -> bool:
    """Whether times are the same as another reading had them."""
    if _stamp_kind(times) != _stamp_kind(read):
        return False
    return bool((times.reset_index(drop=True) == read.reset_index(drop=True)).all())


def _alone(values: pd.DataFrame, parse: Parse, prefix: str) -> pd.Series:
    try:
        return parse(values)
    except ValueError as error:
        raise ValueError(f"{prefix}{error}") from error


def _same_kind(times: pd.Series, read: pd.Series, prefix: str) -> pd.Series:
    """Return times in the zone of others; refuse times of another kind."""
    own, other = _stamp_kind(times), _stamp_kind(read)
    if own != other:
        dates = own.startswith("dates") and other.startswith("dates")
        advice = "give both a time zone, or none" if dates else "make both of one kind"
        raise ValueError(
            f"{prefix}its times are {own}, and the times of the history are {other}; {advice}"
        )
    if isinstance(read.dtype, pd.DatetimeTZDtype):
        return times.dt.tz_convert(read.dtype.tz)
    return times


def _kinds(columns: pd.DataFrame) -> list[str]:
    return [_kind(columns[name]) for name in columns]


def _kind(values: pd.Series) -> str:
    """Return whether values are texts, numbers or something else, such as dates."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _kind(dtype.categories.to_series())
    if pd.api.types.is_object_dtype(dtype):
        return "text" if values.map(lambda value: isinstance(value, str)).all() else "object"
    if pd.api.types.is_string_dtype(dtype):
        return "text"
    return "number" if pd.api.types.is_numeric_dtype(dtype) else "other"


def _stamp_kind(times: pd.Series) -> str:
    """Return the kind of times that were read, in words."""
    dtype = times.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return "dates with a time zone"
    if isinstance(dtype, pd.PeriodDtype):
        return f"periods of frequency {dtype.freq.freqstr}"
    return "dates without a time zone" if dtype.kind == "M" else "integers"
