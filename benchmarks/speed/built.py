"""A forecaster that is built once, and then forecasts many walks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Walks = NDArray[np.float64]


class Built(NamedTuple):
    """A forecaster with its weights in memory.

    Attributes
    ----------
    prepare : callable
        Takes walks (series, steps), puts them into the form that the forecaster reads, and returns
        a function that forecasts them. The time of that function is taken.
    parameters : int, optional
        Number of weights; None if there is no network.
    """

    prepare: Callable[[Walks], Callable[[], object]]
    parameters: int | None = None


Builder = Callable[[str, int, int], Built]
"""Takes the checkpoint (or ``""``), the length of the walks, and the steps to forecast."""


def count_parameters(network: object) -> int:
    """Return the number of weights of a torch module."""
    return sum(parameter.numel() for parameter in network.parameters())  # type: ignore[attr-defined]
