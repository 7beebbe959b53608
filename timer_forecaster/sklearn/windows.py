"""Look-back windows of series and their targets, for any scikit-learn regressor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from timer_forecaster.checks import check_flag, check_integer
from timer_forecaster.inference.scaling import check_finite
from timer_forecaster.inference.series import timed_series
from timer_forecaster.sklearn.lags import Cut, Table, named_windows, tables_beside


def make_windows(
    series: Any,
    window_length: int,
    horizon: int,
    step: int = 1,
    *,
    min_history: int | None = None,
    return_groups: bool = False,
    known: Any = None,
    past: Any = None,
) -> tuple[Any, ...]:
    """Cut series into look-back windows and the steps after them.

    Rows are ordered by series and then by time. If ``step`` is below ``horizon``, targets overlap:
    in ``TimeSeriesSplit``, ``gap=ceil(horizon / step) - 1`` keeps the targets of test rows out of
    the training rows.

    Parameters
    ----------
    series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
        Old to new, of any lengths; NaN means missing and is kept. The containers are those of
        `timer_forecaster.inference.series.as_series`; steps that are absent from dates are NaN.
    window_length : int
        Steps of a window.
    horizon : int
        Steps of a target.
    step : int, default=1
        Steps from one window to the next. The newest window of a series always ends ``horizon``
        steps before the end of the series.
    min_history : int, optional
        Smallest number of steps of the series in a window: windows at the start of a series are
        filled with NaN from the left. Default: ``window_length``, which needs no NaN.
    return_groups : bool, default=False
        Whether to return the number of each row's series as well, for ``GroupKFold``.
    known : DataFrame or dict, or list of them with one for each series, optional
        Covariates that are known over the horizon, such as prices, holidays or a weather forecast.
        A row for each step of the series; NaN means missing. All series need the same columns.
    past : DataFrame or dict, or list of them with one for each series, optional
        Covariates that are known up to the end of the window alone.

    Returns
    -------
    X : ndarray of shape (n_windows, window_length), or DataFrame
        Windows, old to new. With covariates a frame, whose columns are named by their steps from
        the end of the window: ``target[-2]``, ``target[-1]``, then ``price[-2]``, ``price[-1]``
        and, of known columns, ``price[+1]`` up to the horizon. Columns of categories and texts stay
        such.
    y : ndarray of shape (n_windows, horizon)
        Targets, the steps after each window.
    groups : ndarray of shape (n_windows,)
        Number of the series, only with ``return_groups=True``.

    Raises
    ------
    ValueError, TypeError
        If an argument cannot be used, or a series is too short or infinite. The message names the
        argument or the series.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster.sklearn import make_windows
    >>> X, y = make_windows(np.arange(6), window_length=3, horizon=2)
    >>> X
    array([[0., 1., 2.],
           [1., 2., 3.]])
    >>> y
    array([[3., 4.],
           [4., 5.]])
    >>> make_windows(np.arange(4), window_length=3, horizon=2, min_history=1)[0]
    array([[nan, nan,  0.],
           [nan,  0.,  1.]])

    With a covariate that is known one step ahead:

    >>> import pandas as pd
    >>> prices = pd.DataFrame({"price": [5.0, 5.0, 4.0]})
    >>> make_windows(np.arange(3), 2, 1, known=prices)[0]
       target[-2]  target[-1]  price[-2]  price[-1]  price[+1]
    0         0.0         1.0        5.0        5.0        4.0
    """
    window_length = check_integer("window_length", window_length)
    horizon, step = check_integer("horizon", horizon), check_integer("step", step)
    return_groups = check_flag("return_groups", return_groups)
    min_history = _checked_history(min_history, window_length)
    timed = timed_series(series)
    parts = timed.values
    known_tables = tables_beside(known, "known", series, timed)
    past_tables = tables_beside(past, "past", series, timed)
    _check_roles(known_tables, past_tables)
    cut = Cut(window_length, horizon, step, window_length - min_history)
    blocks = []
    for i, values in enumerate(parts):
        name = f"series[{i}]" if len(parts) > 1 else "series"
        _check_length(name, len(values), min_history, horizon)
        check_finite(values, name)
        blocks.append(cut.windows(values))
    X, y = np.hsplit(np.concatenate(blocks), [window_length])
    made = named_windows(X, known_tables, past_tables, cut) if known_tables or past_tables else X
    if not return_groups:
        return made, y
    return made, y, np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])


def _check_roles(known: Sequence[Table], past: Sequence[Table]) -> None:
    """Refuse a column that is both known and past."""
    both = [name for name in known[0] if name in past[0]] if known and past else []
    if both:
        raise ValueError(f"column {both[0]!r} is in known and in past; a known column is enough")


def _checked_history(min_history: int | None, window_length: int) -> int:
    if min_history is None:
        return window_length
    min_history = check_integer("min_history", min_history)
    if min_history > window_length:
        raise ValueError(f"min_history={min_history} is more than window_length={window_length}")
    return min_history


def _check_length(name: str, steps: int, min_history: int, horizon: int) -> None:
    if steps < min_history + horizon:
        raise ValueError(
            f"{name} has {steps} steps; a window of {min_history} and a horizon of {horizon} need "
            f"{min_history + horizon}. A lower min_history fills windows with NaN from the left"
        )
