"""Positions of the steps of a history and its forecast in a picture: dates where they are known."""

from __future__ import annotations

from typing import Any

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.inference.times import Times, owner_of, read_times
from timer_forecaster.values import as_floats


def times_of(context: Any, horizon: int) -> Any:
    """Return the times of all steps of a history with dates in its index, and of those after it.

    None if it has no dates, or if they have no regular step.

    Parameters
    ----------
    context : object
        A pandas Series, or anything else.
    horizon : int

    Examples
    --------
    >>> import pandas as pd
    >>> y = pd.Series([1.0, 2.0, 3.0], pd.date_range("2024-01-29", periods=3))
    >>> times_of(y, 2)[-1].date().isoformat()
    '2024-02-02'
    >>> times_of([1.0, 2.0, 3.0], 2) is None
    True
    """
    times = _read(context)
    return None if times is None else times.with_future(horizon)


def history_of(context: Any) -> FloatArray:
    """Return the values of a history, with NaN at the steps that are absent from its dates.

    Raises
    ------
    TypeError, ValueError
        If it is a frame, or has several dimensions.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-04"])
    >>> history_of(pd.Series([1.0, 2.0, 3.0], days)).tolist()
    [1.0, 2.0, nan, 3.0]
    """
    if hasattr(context, "columns"):
        first = next(iter(context.columns), "NAME")
        raise TypeError(f"context is a frame; pass one of its columns, such as context[{first!r}]")
    values, times = as_floats(context, "context"), _read(context)
    if values.ndim != 1:
        raise ValueError(f"context has shape {values.shape}; expected the (steps,) of one series")
    return values if times is None else times.lay(values)


def _read(context: Any) -> Times | None:
    owner = owner_of(context, "context")
    if owner is None or len(owner.index) < 2:
        return None
    return read_times([owner], Failures("nan"))[0]


def positions_of(context: Any, steps: int, horizon: int) -> Any:
    """Return the positions of the steps of a history and its forecast.

    Parameters
    ----------
    context : object
        The history.
    steps : int
        Of the history, with those that are absent from its dates.
    horizon : int

    Examples
    --------
    >>> positions_of([5.0, 6.0], 2, 3).tolist()
    [0, 1, 2, 3, 4]
    """
    times = times_of(context, horizon)
    if times is None:
        return np.arange(steps + horizon)
    from timer_forecaster.plotting import drawable

    return drawable(times)
