"""Rows of X as the regressor reads them: a window of the series, and a table of covariates.

Columns are found by their names if there are covariates, or if the columns are named as
`make_windows` names them. All other tables are windows, old to new.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length, validate_data

from timer_forecaster.arrays import FloatArray
from timer_forecaster.frames.containers import as_frame
from timer_forecaster.inference.covariates.cycles import cycles_beside
from timer_forecaster.inference.covariates.tables import Tables
from timer_forecaster.sklearn.columns import has_target, layout_of
from timer_forecaster.sklearn.covariates import tables_of
from timer_forecaster.sklearn.tables import as_numbers

if TYPE_CHECKING:
    import pandas as pd

_WINDOWS = {"dtype": np.float64, "ensure_all_finite": "allow-nan"}


class Rows(NamedTuple):
    """The rows of X."""

    target: FloatArray
    """Windows of the series, (rows, window_length)."""
    tables: Tables | None = None
    """Covariates; None if the columns of X have no names to find them by."""


def fitted_rows(estimator: Any, X: Any, y: Any) -> tuple[Rows, FloatArray]:
    """Validate the X and y of `fit`, and note the names and the number of columns.

    Parameters
    ----------
    estimator : TimerS1Regressor
    X, y : array-like

    Returns
    -------
    rows : Rows
    y : ndarray of shape (rows, horizon) or (rows,)

    Raises
    ------
    TypeError, ValueError
        If X or y cannot be used.
    """
    if not _uses_names(estimator, getattr(X, "columns", ())):
        X, y = validate_data(
            estimator,
            as_numbers(X, "X"),
            as_numbers(y, "y"),
            validate_separately=(_WINDOWS, {"dtype": np.float64, "ensure_2d": False}),
        )
        check_consistent_length(X, y)
        return Rows(X), y
    frame = _frame(X, estimator)
    validate_data(estimator, frame, y, skip_check_array=True)
    y = check_array(
        as_numbers(y, "y"),
        dtype=np.float64,
        ensure_2d=False,
        input_name="y",
        estimator=estimator,
    )
    check_consistent_length(frame, y)
    return _named_rows(estimator, frame, y.shape[1] if y.ndim == 2 else 1), y


def rows_of(estimator: Any, X: Any) -> Rows:
    """Validate the X of a forecast, which has the columns of the X of `fit`.

    Parameters
    ----------
    estimator : TimerS1Regressor
        It is fitted.
    X : array-like

    Raises
    ------
    TypeError, ValueError
        If X cannot be used.
    """
    names = getattr(estimator, "feature_names_in_", None)
    if not _uses_names(estimator, () if names is None else names):
        X = validate_data(estimator, as_numbers(X, "X"), reset=False, **_WINDOWS)
        return Rows(X)
    if names is None:
        raise ValueError(
            f"known={estimator.known!r} and past={estimator.past!r} need an X with names of "
            "columns in fit, as make_windows returns it"
        )
    frame = _frame(X, estimator)
    if frame.columns.is_unique and set(frame.columns) == set(names):
        frame = frame[names.tolist()]  # the order does not matter
    validate_data(estimator, frame, skip_check_array=True, reset=False)
    return _named_rows(estimator, frame, estimator.n_outputs_)


def _uses_names(estimator: Any, columns: Iterable[Any]) -> bool:
    return len(estimator.known) + len(estimator.past) > 0 or has_target(columns)


def _frame(X: Any, estimator: Any) -> pd.DataFrame:
    if not hasattr(X, "columns"):
        raise TypeError(
            f"X has type {type(X).__name__}, without names of columns, by which known="
            f"{estimator.known!r} and past={estimator.past!r} are found; pass a frame, as "
            "make_windows returns it, and in a Pipeline use set_output(transform='pandas')"
        )
    return as_frame(X)


def _named_rows(estimator: Any, frame: pd.DataFrame, horizon: int) -> Rows:
    """Return the rows of a frame, whose columns are found by their names."""
    layout = layout_of(frame.columns, estimator.known, estimator.past, horizon)
    target = check_array(
        as_numbers(frame.iloc[:, layout.target], "X"),
        input_name="X",
        estimator=estimator,
        **_WINDOWS,
    )
    if not (layout.known or layout.past):
        return Rows(target)
    given = None if estimator.cycles is None else [estimator.cycles] * len(frame)
    cycles = cycles_beside(given, [estimator.freq] * len(frame))
    return Rows(target, tables_of(frame, layout, estimator.categories, cycles))
