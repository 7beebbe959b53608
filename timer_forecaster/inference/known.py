"""Known columns that a network itself reads, on the scale that it was finetuned with."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.inference.channels import grouped, width_of
from timer_forecaster.inference.covariates.columns import Column, Covariates
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.models.columns import KnownColumn
from timer_forecaster.models.network import Architecture


def check_reads_alone(config: Architecture, network: str) -> None:
    """Refuse covariates beside a network that reads several series as one row.

    The linear models of covariates change each series by itself, and so the series that a network
    reads beside it.

    Raises
    ------
    ValueError
    """
    if width_of(config) > 1:
        raise ValueError(
            f"known, past: {network} reads {width_of(config)} series as one row, and takes no "
            "covariates beside them; leave them out, pass covariates='off', or use a checkpoint "
            "that reads each series alone"
        )


def known_rows(
    config: Architecture,
    covariates: Sequence[Covariates],
    options: ForecastOptions,
    network: str,
    failures: Failures,
) -> list[FloatArray]:
    """Return the columns that a network reads beside each of its rows.

    Parameters
    ----------
    config : Architecture
        Its ``known_columns`` names them.
    covariates : sequence of Covariates
        Of each series.
    options : ForecastOptions
    network : str
        Name of the network in errors.
    failures : Failures
        Notes series whose columns cannot be used.

    Returns
    -------
    list of ndarray, each of shape (columns, steps + horizon)
        Standardized, NaN where missing.

    Raises
    ------
    ValueError
        If the columns are not those of the network, or if an option does not go with them. The
        error names both.
    """
    wanted = config.known_columns
    names = [column.name for column in wanted]
    if options.ignores_covariates:
        raise ValueError(
            f"covariates='off': {network} reads the known columns {names} itself; pass them, or "
            "forecast without the adapter"
        )
    if options.rollout_of(config) == "multiscale":
        raise ValueError(
            f"rollout='multiscale' does not go with the known columns {names} that {network} "
            "reads; use 'quantile' or 'median'"
        )
    rows: list[FloatArray] = []
    for start, row in enumerate(grouped(covariates, width_of(config))):
        first = start * width_of(config)
        columns = np.empty((len(wanted), 0))
        if not any(number in failures.reasons for number in range(first, first + len(row))):
            try:
                columns = _standardized(wanted, row, first, network)
            except ValueError as error:
                failures.add(first, error)
        rows.append(columns)
    return rows


def _standardized(
    wanted: Sequence[KnownColumn], row: Sequence[Covariates], first: int, network: str
) -> FloatArray:
    """Return the columns (columns, steps) of a row; `first` is the number of its first series."""
    names = [column.name for column in wanted]
    given = numeric_columns(row[0], f"[{first}]")
    if set(given) != set(names):
        found = f"has the columns {list(given)}" if given else "is missing"
        raise ValueError(
            f"known[{first}] {found}: {network} reads {names} beside each series, over its steps "
            "and the horizon; pass these columns, or forecast without the adapter"
        )
    for number, other in enumerate(row[1:], first + 1):
        if not _equal(given, numeric_columns(other, f"[{number}]")):
            raise ValueError(
                f"known[{number}] is not known[{first}]; the series of a row have the same columns"
            )
    return np.stack([(given[one.name] - one.location) / one.scale for one in wanted])


def numeric_columns(covariates: Covariates, place: str) -> dict[Hashable, FloatArray]:
    """Return the known columns of a series by name; refuse others.

    Parameters
    ----------
    covariates : Covariates
    place : str
        Number of the series in errors, such as ``"[0]"``.

    Raises
    ------
    ValueError
        If there are past columns, or categories.
    """
    if covariates.past:
        raise ValueError(
            f"past{place} has column {covariates.past[0].name!r}; the mixer of the network reads "
            "known columns alone, so leave past out"
        )
    return {column.name: _numbers(column, place) for column in covariates.known}


def _numbers(column: Column, place: str) -> FloatArray:
    if column.labels is not None:
        raise ValueError(
            f"known{place} column {column.name!r} holds categories; the mixer of the network reads "
            "numbers, so pass a column of 0 and 1 for each category, as pandas.get_dummies makes"
        )
    return column.values


def _equal(one: Mapping[Hashable, FloatArray], other: Mapping[Hashable, FloatArray]) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(values, other[name], equal_nan=True) for name, values in one.items()
    )
