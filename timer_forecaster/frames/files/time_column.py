"""The column of times, where none is named: the only one whose texts are dates."""

from __future__ import annotations

import warnings
from collections.abc import Collection

import pandas as pd

from timer_forecaster.frames.stamps import parse_times

_SAMPLE = 100
_DOTTED = r"[0-9]{1,2}\.[0-9]{1,2}\.(?:[0-9]{2}|[0-9]{4})|[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,2}"


def the_time_column(sample: pd.DataFrame, others: Collection[str] = ()) -> str:
    """Return the name of the only column of dates.

    Parameters
    ----------
    sample : pandas.DataFrame
        The first rows of a table.
    others : collection of str
        Columns that serve something else.

    Raises
    ------
    ValueError
        If there is none, or more than one.

    Examples
    --------
    >>> the_time_column(pd.DataFrame({"load": ["3", "5"], "at": ["2024-01-01", "2024-01-02"]}))
    'at'
    """
    names = [str(name) for name in sample if name not in others]
    columns = {name: sample[name].head(_SAMPLE) for name in names}
    found = [name for name, column in columns.items() if holds_dates(column)]
    if not found:
        found = [name for name, column in columns.items() if _holds_periods(column)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(
            f"columns {', '.join(map(repr, found))} all hold dates or clock times: name one, or "
            "several that belong together, by time_column (--time-column)"
        )
    raise ValueError(
        f"no column of {', '.join(names)} holds dates: name the column of times by time_column "
        "(--time-column)"
    )


def holds_dates(column: pd.Series) -> bool:
    """Whether a column holds dates, or texts of them.

    Examples
    --------
    >>> holds_dates(pd.Series(["2024-01-01", None])), holds_dates(pd.Series([2024, 2025]))
    (True, False)
    """
    column = column.head(_SAMPLE)
    dtype = column.dtype
    if isinstance(dtype, pd.DatetimeTZDtype | pd.PeriodDtype) or dtype.kind == "M":
        return True
    texts = _texts(column)
    # A date has digits, and signs or letters between them; 12.5 is none.
    if texts.empty or not texts.str.fullmatch(r".*[0-9].*[-/.: ][0-9A-Za-z ].*").all():
        return False
    if texts.str.fullmatch(r"[^0-9]*[0-9.,' ]+[^0-9]*").all() and not (
        texts.str.fullmatch(_DOTTED).all()
    ):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for options in ({"format": "ISO8601"}, {"dayfirst": True}, {"dayfirst": False}):
            try:
                if pd.to_datetime(texts, errors="coerce", utc=True, **options).notna().all():
                    return True
            except (ValueError, OverflowError):
                continue
    return False


def _holds_periods(column: pd.Series) -> bool:
    """Whether a column holds months, quarters or weeks, such as 2024Q1; numbers may be values."""
    texts = _texts(column)
    if texts.empty or texts.str.fullmatch(r"[-+]?[0-9.,' ]+").any():
        return False
    try:
        return parse_times(texts, column.name).dtype.kind == "M"
    except (ValueError, OverflowError):
        return False


def _texts(column: pd.Series) -> pd.Series:
    """Return the texts of a column that are not empty; none of a column of numbers."""
    dtype = column.dtype
    if not (pd.api.types.is_string_dtype(dtype) or pd.api.types.is_object_dtype(dtype)):
        return pd.Series([], dtype=str)
    texts = column.dropna().astype(str).str.strip()
    return texts[texts != ""]
