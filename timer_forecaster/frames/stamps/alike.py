"""Times of the future, read as the times of the history are."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

Parse = Callable[[pd.Series], pd.Series]
"""Reads a column of times."""


def parse_alike(
    values: pd.Series, like: pd.Series, read: pd.Series, parse: Parse, label: str
) -> pd.Series:
    """Read a column of times as another column was read.

    Where both columns have values of one type, such as texts, they are read together, so that the
    other column decides between readings such as the order of day and month.

    Parameters
    ----------
    values : pandas.Series
        The times to read.
    like : pandas.Series
        The other column, as it was written.
    read : pandas.Series
        The other column, as it was read.
    parse : callable
    label : str
        Name of the times to read, for errors.

    Returns
    -------
    pandas.Series
        In the zone of the other column.

    Raises
    ------
    ValueError
        If a row cannot be read, or the columns hold times of different kinds or notations.

    Examples
    --------
    >>> from timer_forecaster.frames.stamps import parse_times
    >>> written = pd.Series(["30/12/2024", "31/12/2024"])
    >>> read = parse_times(written, "day")
    >>> later = parse_alike(
    ...     pd.Series(["01/02/2025"]), written, read, lambda s: parse_times(s, "day"), "future"
    ... )
    >>> later.dt.month.tolist()
    [2]
    """
    if _kind(values) == _kind(like) in ("text", "number"):
        times = _together(values, like, read, parse, label)
    else:
        times = _alone(values, parse, label)
    return _same_kind(times, read, label)


def _together(
    values: pd.Series, like: pd.Series, read: pd.Series, parse: Parse, label: str
) -> pd.Series:
    """Read times in one column with the other ones, whose reading must not change."""
    written = pd.concat([like.astype(object), values.astype(object)], ignore_index=True)
    if _kind(values) == "number":
        written = pd.concat([like, values], ignore_index=True)
    try:
        both = parse(written)
        agrees = _agree(both.iloc[: len(like)], read)
    except ValueError:
        _alone(values, parse, label)  # raises the error of a row that is wrong by itself
        agrees = False
    if not agrees:
        raise ValueError(
            f"{label}: its times, such as {str(values.iloc[0])!r}, are written in another way than "
            f"the times of the history, such as {str(like.iloc[0])!r}; write both alike, or pass "
            "dates"
        )
    return both.iloc[len(like) :].set_axis(values.index)


def _agree(times: pd.Series, read: pd.Series) -> bool:
    """Whether times are the same as another reading had them."""
    if _stamp_kind(times) != _stamp_kind(read):
        return False
    return bool((times.reset_index(drop=True) == read.reset_index(drop=True)).all())


def _alone(values: pd.Series, parse: Parse, label: str) -> pd.Series:
    try:
        return parse(values)
    except ValueError as error:
        raise ValueError(f"{label}: {error}") from error


def _same_kind(times: pd.Series, read: pd.Series, label: str) -> pd.Series:
    """Return times in the zone of others; refuse times of another kind."""
    own, other = _stamp_kind(times), _stamp_kind(read)
    if own != other:
        raise ValueError(
            f"{label}: its times are {own}, and the times of the history are {other}; they must be "
            "of one kind"
        )
    if isinstance(read.dtype, pd.DatetimeTZDtype):
        return times.dt.tz_convert(read.dtype.tz)
    return times


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
