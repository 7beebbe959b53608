"""The rows of a file that train, validate and test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from timer_forecaster.checks import check_choice, check_integer

MODES = ("train", "val", "test")
"""The parts of a file, oldest rows first."""

SHARES = (0.5, 0.7, 1.0)
"""Default ends of the parts."""


def check_boundaries(boundaries: Any) -> tuple[int, int, int]:
    """Return three ends of parts as Python integers, 0 where the default holds.

    Raises
    ------
    TypeError, ValueError
        If it is no sequence of three integers from 0 on.
    """
    if isinstance(boundaries, (str, bytes)) or not isinstance(boundaries, (Sequence, np.ndarray)):
        raise TypeError(f"boundaries={boundaries!r} must be a list of three integers")
    if len(boundaries) != len(MODES):
        raise ValueError(
            f"boundaries={list(boundaries)} must be three numbers: the rows where train, val and "
            "test end, 0 for the default"
        )
    train, val, test = (check_integer("boundaries", end, 0) for end in boundaries)
    return train, val, test


def ends_of(boundaries: tuple[int, int, int], n_rows: int) -> tuple[int, int, int]:
    """Return the rows before which train, val and test end.

    Parameters
    ----------
    boundaries : tuple of int
        The ends; 0 is 50 %, 70 % and all of the rows.
    n_rows : int

    Raises
    ------
    ValueError
        If an end is beyond the rows, or before the end of the part before it.

    Examples
    --------
    >>> ends_of((0, 0, 0), 1000), ends_of((0, 800, 900), 1000)
    ((500, 700, 1000), (500, 800, 900))
    """
    train, val, test = (
        end or int(share * n_rows) for end, share in zip(boundaries, SHARES, strict=True)
    )
    most = max(boundaries)
    if most > n_rows:
        raise ValueError(f"boundaries={list(boundaries)}: {most} is beyond the {n_rows} rows")
    if not 0 < train < val < test:
        raise ValueError(
            f"boundaries={list(boundaries)} end train, val and test before the rows "
            f"{train}, {val} and {test} of {n_rows}, which must ascend; give all three"
        )
    return train, val, test


def rows_of(mode: str | None, ends: tuple[int, int, int]) -> range:
    """Return the rows of a part; of all parts if there is no mode.

    Examples
    --------
    >>> rows_of("val", (500, 700, 1000)), rows_of(None, (500, 700, 1000))
    (range(500, 700), range(0, 1000))
    """
    if mode is None:
        return range(ends[-1])
    check_choice("mode", mode, MODES)
    place = MODES.index(mode)
    return range((0, *ends)[place], ends[place])
