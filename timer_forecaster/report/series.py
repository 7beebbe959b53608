"""The series of a picture: values, forecasts and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from timer_forecaster.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Fan:
    """Quantiles of consecutive steps.

    Parameters
    ----------
    start : int
        Step of the series that the first quantiles are of.
    levels : sequence of float
    quantiles : ndarray, shape (steps, levels)
        NaN where there is no forecast.
    model : str
        Name of the model, if there are several.
    window : str
        Name of the window, if the series has several forecasts of one model.

    Raises
    ------
    ValueError
        If ``quantiles`` does not have a column for each level.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.report import Chart, Fan, Gallery, write_report
    >>> fan = Fan(3, [0.1, 0.5, 0.9], np.array([[3.0, 4.0, 5.0], [3.5, 5.0, 6.5]]))
    >>> chart = Chart("sales", pd.RangeIndex(5), np.array([1.0, 2.0, 3.0]), [fan])
    >>> write_report("sales.html", [Gallery("Sales", [chart])])
    """

    start: int
    levels: Sequence[float]
    quantiles: FloatArray
    model: str = ""
    window: str = ""

    def __post_init__(self) -> None:
        """Refuse quantiles of other levels."""
        shape = np.shape(self.quantiles)
        if len(shape) != 2 or shape[1] != len(self.levels):
            raise ValueError(
                f"quantiles has shape {shape}; expected (steps, levels), with {len(self.levels)} "
                "levels"
            )


@dataclass(frozen=True, eq=False)
class Chart:
    """One series with its forecasts.

    Parameters
    ----------
    name : str
        Name by which a reader chooses the series.
    times : pandas.Index
        Dates, periods or numbers: of the values, and of the steps after them that have forecasts.
    values : ndarray, shape (steps,)
        Observed values, NaN where missing.
    fans : sequence of Fan
    columns : mapping of str to array
        Covariates from the first step on: numbers, or texts of categories.
    odd : ndarray of bool, shape (steps,), optional
        Steps to mark as unusual. The forecasts then say what was expected of observed steps.
    about : str
        What a reader should know of the series, such as its scores.

    Raises
    ------
    ValueError
        If a part reaches further than ``times``, or ``odd`` is not as long as ``values``.

    Examples
    --------
    >>> import numpy as np
    >>> fan = Fan(3, [0.5], np.array([[4.0], [5.0]]))
    >>> chart = Chart("sales", pd.RangeIndex(5), np.array([1.0, 2.0, 3.0]), [fan])
    >>> len(chart.times) - len(chart.values)
    2
    """

    name: str
    times: pd.Index
    values: FloatArray
    fans: Sequence[Fan]
    columns: Mapping[str, Any] = field(default_factory=dict)
    odd: NDArray[Any] | None = None
    about: str = ""

    def __post_init__(self) -> None:
        """Refuse parts that do not fit each other."""
        ends = {"values": len(self.values)}
        ends |= {f"columns[{name!r}]": len(own) for name, own in self.columns.items()}
        ends |= {f"fans[{i}]": fan.start + len(fan.quantiles) for i, fan in enumerate(self.fans)}
        for part, end in ends.items():
            if end > len(self.times):
                raise ValueError(f"{part} reaches to step {end}, and times has {len(self.times)}")
        if self.odd is not None and len(self.odd) != len(self.values):
            raise ValueError(f"odd has {len(self.odd)} steps, and values has {len(self.values)}")
