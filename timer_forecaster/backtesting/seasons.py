"""The season of a series, by its frequency."""

from __future__ import annotations

from typing import Any

from timer_forecaster.evaluation.gift_eval import seasonality_of
from timer_forecaster.frames.calendar.periods import periods_of


def season_of(freq: Any) -> int:
    """Return the number of steps in a season, as `timer_forecaster.evaluation` has it.

    Frequencies that GIFT-Eval does not know, such as open hours, have their shortest period.

    Parameters
    ----------
    freq : str, pandas offset, step along open hours, int or None

    Examples
    --------
    >>> import pandas as pd
    >>> [season_of(freq) for freq in ("h", pd.offsets.MonthBegin(), "D", "BME", 1, None)]
    [24, 12, 1, 12, 1, 1]
    """
    name = freq if isinstance(freq, str) else getattr(freq, "freqstr", None)
    if name is None:
        return 1
    try:
        return seasonality_of(name)
    except ValueError:
        pass
    try:
        periods = periods_of(freq)
    except (ValueError, TypeError):
        return 1
    return max(1, round(periods[0])) if periods else 1
