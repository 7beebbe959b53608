"""Arguments of Darts' methods as plain Python values, and series that Darts would misread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from timer_forecaster.checks import plain
from timer_forecaster.darts.framework import TimeSeries


def plain_argument(value: Any) -> Any:
    """Return a scalar of numpy or torch as a Python scalar, also in a tuple.

    Darts negates lengths, and those of numpy would wrap around.
    """
    return tuple(map(plain, value)) if isinstance(value, tuple) else plain(value)


def plain_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return keyword arguments with plain values; see `plain_argument`."""
    return {name: plain_argument(value) for name, value in arguments.items()}


def refuse_masks(**arguments: Any) -> None:
    """Refuse arguments with a series that holds a masked array, whose masks Darts drops.

    Raises
    ------
    ValueError
    """
    for argument, given in arguments.items():
        several = isinstance(given, Sequence)
        for i, one in enumerate(given if several else [given]):
            if isinstance(one, TimeSeries) and np.ma.is_masked(one.all_values(copy=False)):
                name = f"{argument}[{i}]" if several else argument
                raise ValueError(
                    f"{name} holds masked values, whose masks Darts drops; make it of "
                    "values.astype(float).filled(np.nan)"
                )


def check_sampling(likelihood: Any, parameters: bool) -> None:
    """Refuse to draw samples from a single quantile, for which Darts has no distribution.

    Raises
    ------
    ValueError
    """
    levels = getattr(likelihood, "quantiles", None)
    if levels is not None and len(levels) == 1 and not parameters:
        raise ValueError(
            f"likelihood has the single quantile {levels[0]}, and Darts draws samples between "
            "quantiles: use predict_likelihood_parameters=True for the quantile itself, "
            "likelihood=None for the median, or more quantiles"
        )
