"""Positions of the steps of a history and its forecast in a picture: dates where they are known."""

from __future__ import annotations

from typing import Any

import numpy as np


def times_of(context: Any, horizon: int) -> Any:
    """Return the times of a history with dates in its index, and of the steps after it.

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
    index: Any = getattr(context, "index", None)
    if type(index).__name__ not in ("DatetimeIndex", "PeriodIndex") or len(index) < 2:
        return None
    import pandas as pd

    from timer_forecaster.frames.long import future_times_of
    from timer_forecaster.frames.panel import Panel

    frame = pd.DataFrame({"time": index, "value": np.zeros(len(index))})
    freq = index.freq if isinstance(index, pd.DatetimeIndex) else None
    try:
        panel = Panel.of_columns(frame, "time", None, ["value"], freq)
    except ValueError:
        return None
    if len(panel.series()[0]) != len(index):  # steps are absent: a position is no step
        return None
    return index.append(future_times_of(panel, horizon))


def positions_of(context: Any, steps: int, horizon: int) -> Any:
    """Return the positions of the steps of a history and its forecast.

    Parameters
    ----------
    context : object
        The history.
    steps : int
        Of the history.
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
