"""Rows of a network: each series by itself, or so many consecutive series together.

The weights of a network that mixes channels are for a number of series. Such a network reads them
as one row: they share their steps, and all of them are forecast from the values of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray
from timer_forecaster.failures import Failures
from timer_forecaster.models.network import Architecture

One = TypeVar("One")


def width_of(config: Architecture) -> int:
    """Return the number of series in a row."""
    return config.n_channels or 1


def grouped(items: Sequence[One], width: int) -> list[Sequence[One]]:
    """Return consecutive items of a number, the last perhaps fewer.

    Examples
    --------
    >>> grouped("abcde", 2)
    ['ab', 'cd', 'e']
    """
    return [items[start : start + width] for start in range(0, len(items), width)]


def check_usable(config: Architecture, network: str) -> None:
    """Refuse a network that cannot forecast series.

    Raises
    ------
    ValueError
        The error names the network, the reason and a remedy.
    """
    if config.unusable_because is not None:
        raise ValueError(f"{network} cannot forecast series: {config.unusable_because}")


def check_number(config: Architecture, n_series: int, network: str) -> None:
    """Refuse a number of series that rows cannot be made of.

    Raises
    ------
    ValueError
        The error names both numbers.
    """
    width = width_of(config)
    if n_series % width:
        raise ValueError(
            f"series: there are {n_series}, and {network} reads {width} consecutive series as one "
            f"row; give a multiple of {width}, or use a checkpoint that reads each series alone"
        )


def check_row(config: Architecture, n_series: int, network: str, holder: str) -> None:
    """Refuse a number of series that belong together if it is not that of a row.

    Parameters
    ----------
    config : Architecture
    n_series : int
        Series that a door knows to belong together, such as the columns of a frame.
    network : str
        Name of the network in errors.
    holder : str
        What has the series, and the word for them, such as ``"y has 2 columns"``.

    Raises
    ------
    ValueError
        The error names both numbers.
    """
    check_usable(config, network)
    width = width_of(config)
    if width not in (1, n_series):
        raise ValueError(
            f"{holder}, and {network} reads {width} series as one row; give {width}, or use a "
            "checkpoint that reads each series alone"
        )


def check_rows(
    series: Sequence[FloatArray], width: int, failures: Failures, name: str = "series"
) -> None:
    """Refuse rows whose series have different lengths, or of which one cannot be forecast.

    Parameters
    ----------
    series : sequence of ndarray, each of shape (steps,)
    width : int
        Series in a row.
    failures : Failures
        Notes all series of such a row.
    name : str
        Name of the series in errors.
    """
    if width == 1:
        return
    for start in range(0, len(series), width):
        row = range(start, start + width)
        bad = next((number for number in row if number in failures.reasons), None)
        if bad is not None:
            reason = f"it is read as one row with {name}[{bad}], which has no forecast"
            for number in row:
                if number not in failures.reasons:
                    failures.add(number, ValueError(f"{name}[{number}]: {reason}"))
            continue
        lengths = [len(series[number]) for number in row]
        if len(set(lengths)) > 1:
            short, long = start + int(np.argmin(lengths)), start + int(np.argmax(lengths))
            error = ValueError(
                f"{name}[{short}] has {min(lengths)} steps, and {name}[{long}] has "
                f"{max(lengths)}: the network reads them as one row, whose series share all "
                "steps; cut them to the steps that all have, or fill the missing ones"
            )
            for number in row:
                failures.add(number, error)


def read_series(scales: Sequence[float], width: int) -> tuple[list[int], NDArray[np.bool_]]:
    """Return the series that a network reads, and which of them vary.

    A constant series is its own forecast. It is read beside series of its row that vary.

    Parameters
    ----------
    scales : sequence of float
        Scale of each series, 0 for a constant.
    width : int

    Examples
    --------
    >>> read_series([1.0, 0.0, 0.0, 0.0], 2)
    ([0, 1], array([ True, False]))
    """
    varies = np.asarray(scales) > 0
    rows = np.flatnonzero(varies.reshape(-1, width).any(axis=1))
    numbers = (rows[:, None] * width + np.arange(width)).ravel()
    return numbers.tolist(), varies[numbers]
