"""Known columns to finetune with: their values, and the scales on which a network reads them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.inference.covariates.columns import as_covariates, tables_of
from timer_forecaster.inference.known import numeric_columns
from timer_forecaster.inference.scaling import LEAST_RANGE
from timer_forecaster.models.columns import KnownColumn


class Known(NamedTuple):
    """Known columns beside the series of a finetuning."""

    columns: tuple[KnownColumn, ...]
    values: list[FloatArray]  # of each series: standardized, (columns, steps), NaN where missing


def known_of(
    known: Any, series: Sequence[FloatArray], columns: Sequence[KnownColumn] = ()
) -> Known:
    """Return known columns on one scale for all series.

    Parameters
    ----------
    known : table, or sequence of tables
        One for each series, with a row for each of its steps.
    series : sequence of ndarray, each of shape (steps,)
    columns : sequence of KnownColumn
        Columns of an adapter whose finetuning continues. Default: all columns, on the scale of
        their values.

    Raises
    ------
    TypeError, ValueError
        If a table does not fit its series, or a column cannot be used. The error names it.
    """
    lengths = [len(values) for values in series]
    given = as_covariates(known, None, (), lengths, 0, Failures())
    tables = [numeric_columns(own, f"[{i}]") for i, own in enumerate(given)]
    names = list(tables[0])
    _check_tables(tables, names, known, lengths)
    if not columns:
        columns = [_scaled_column(name, [table[name] for table in tables]) for name in names]
    wanted = [column.name for column in columns]
    if set(wanted) != set(names):
        raise ValueError(
            f"known has the columns {names}, and the adapter of the pipeline reads {wanted}; pass "
            "these, or finetune a pipeline without adapter"
        )
    values = [
        np.stack([(table[one.name] - one.location) / one.scale for one in columns])
        for table in tables
    ]
    return Known(tuple(columns), values)


def _check_tables(
    tables: Sequence[dict[Hashable, FloatArray]],
    names: list[Hashable],
    known: Any,
    lengths: Sequence[int],
) -> None:
    """Refuse tables without columns, with other columns or other steps than their series."""
    if not names:
        raise ValueError("known[0] has no columns; target='channels' needs one at least")
    for name in names:
        if isinstance(name, bool) or not isinstance(name, (str, int)):
            raise TypeError(
                f"known[0] column {name!r} has a name of type {type(name).__name__}; an adapter "
                "keeps names that are texts or integers, so rename the column"
            )
    rows = [_n_rows(table) for table in tables_of(known, "known", len(lengths))]
    for i, table in enumerate(tables):
        if set(table) != set(names):
            raise ValueError(
                f"known[{i}] has the columns {list(table)}, and known[0] {names}; all series need "
                "the same ones"
            )
        if rows[i] != lengths[i]:
            raise ValueError(
                f"known[{i}] has {rows[i]} rows, and series[{i}] {lengths[i]} steps; to finetune, "
                "each step needs a row, and rows of a future must be left out"
            )


def _n_rows(table: Any) -> int:
    """Return the number of rows of a table."""
    return len(next(iter(table.values()))) if isinstance(table, Mapping) else len(table)


def _scaled_column(name: Hashable, values: Sequence[FloatArray]) -> KnownColumn:
    """Return a column with the mean and the deviation of its values beside all series."""
    whole = np.concatenate(values)
    observed = whole[np.isfinite(whole)]
    peak = float(np.abs(observed).max(initial=0.0)) or 1.0
    if not len(observed) or np.ptp(observed / peak) <= LEAST_RANGE:
        raise ValueError(f"known column {name!r} is constant beside all series; leave it out")
    relative = observed / peak
    return KnownColumn(name, float(relative.mean()) * peak, float(relative.std()) * peak)
