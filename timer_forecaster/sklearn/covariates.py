"""Values of covariates from the named columns of X: a table for each row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.inference.covariates.tables import Tables
from timer_forecaster.sklearn.columns import Layout
from timer_forecaster.sklearn.tables import as_numbers
from timer_forecaster.values import holds_labels, label_text

if TYPE_CHECKING:
    import pandas as pd


def tables_of(
    X: pd.DataFrame,
    layout: Layout,
    categories: Collection[str],
    cycles: Sequence[Sequence[float]] | None,
) -> Tables:
    """Return the covariates of each row.

    Parameters
    ----------
    X : DataFrame
    layout : Layout
    categories : collection of str
        Covariates of numbers that are categories.
    cycles : sequence of sequences of float, optional
        Periods in steps, of each row.

    Raises
    ------
    TypeError, ValueError
        If a column holds neither numbers nor texts, or is infinite. The message names it.
    """
    known, past = (
        _rows({name: _block(X.iloc[:, places]) for name, places in part.items()}, len(X))
        for part in (layout.known, layout.past)
    )
    names = [f"row {row} of X" for row in range(len(X))]
    return Tables(known, past, categories, cycles, names)


def _rows(blocks: Mapping[str, NDArray[Any]], n_rows: int) -> list[dict[str, Any]] | None:
    """Return a table for each row; None if there are no columns."""
    if not blocks:
        return None
    return [{name: block[row] for name, block in blocks.items()} for row in range(n_rows)]


def _block(columns: pd.DataFrame) -> NDArray[Any]:
    """Return the steps of a covariate (rows, steps): numbers, or texts and None."""
    if any(holds_labels(columns.iloc[:, step]) for step in range(columns.shape[1])):
        return _texts(columns.to_numpy(dtype=object))
    return _finite(columns)


def _finite(columns: pd.DataFrame) -> FloatArray:
    """Return columns of numbers in float64; refuse infinite values by their place."""
    numbers = as_numbers(columns, "X").to_numpy(dtype=np.float64, na_value=np.nan)
    infinite = np.argwhere(np.isinf(numbers))
    if len(infinite):
        row, step = infinite[0]
        raise ValueError(
            f"row {row} of X is infinite in column {columns.columns[step]!r}; NaN means missing"
        )
    return np.asarray(numbers)


def _texts(objects: NDArray[Any]) -> NDArray[Any]:
    """Return the texts of categories, None where missing."""
    texts = np.empty(objects.shape, dtype=object)
    for place, value in np.ndenumerate(objects):
        texts[place] = label_text(value)
    return texts
