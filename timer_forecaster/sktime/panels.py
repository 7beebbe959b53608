"""Quick forms of sktime's checks of a panel, which look at its instances one by one.

Each instance must be sorted by time. That is seen here for all instances at once. sktime then
checks the first row, whose type, columns and index levels are those of the whole panel.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
from sktime.forecasting.base import BaseForecaster

PANELS = ("pd-multiindex", "pd_multiindex_hier")


class PanelForecaster(BaseForecaster):
    """Forecaster that checks panels as sktime does, but all instances at once."""

    def _set_cutoff_from_y(self, y: Any) -> None:
        if is_sorted_panel(y):
            self._set_cutoff(latest_time(y))
        else:
            super()._set_cutoff_from_y(y)

    def _check_X_y(self, X: Any = None, y: Any = None, **options: Any) -> Any:
        refuse_missing_times(y)
        refuse_missing_times(X, "X")
        if not all(one is None or is_sorted_panel(one) for one in (X, y)):
            return super()._check_X_y(X=X, y=y, **options)
        first_X, first_y = (None if one is None else one.iloc[:1] for one in (X, y))
        super()._check_X_y(X=first_X, y=first_y, **options)  # notes the type and the columns
        return X, y

    def predict(self, fh: Any = None, X: Any = None) -> Any:
        """Forecast the steps of a horizon.

        Parameters and result are the same as in `sktime.forecasting.base.BaseForecaster.predict`.
        """
        if getattr(self, "_y_metadata", {}).get("mtype") not in PANELS:
            return super().predict(fh, X)
        self.check_is_fitted()  # as sktime does, but for its check of the result
        X_inner = self._check_X(X)
        return self._predict(self._check_fh(fh), X_inner)


def is_sorted_panel(y: Any) -> bool:
    """Whether data are a frame of several instances, of which each is sorted by time.

    The answer is False also where this cannot be seen quickly.
    """
    if not isinstance(y, pd.DataFrame) or not isinstance(y.index, pd.MultiIndex) or y.empty:
        return False
    if not y.index.levels[-1].is_monotonic_increasing:
        return False
    *outer, time = (np.asarray(codes, dtype=np.int64) for codes in y.index.codes)
    if min(codes.min() for codes in (*outer, time)) < 0:
        return False
    instance = np.ravel_multi_index(tuple(outer), tuple(map(len, y.index.levels[:-1])))
    order = np.argsort(instance, kind="stable")
    same = np.diff(instance[order]) == 0
    return bool((np.diff(time[order])[same] >= 0).all())


def refuse_missing_times(y: Any, name: str = "y") -> None:
    """Raise a ValueError if a row of pandas data has no time; sktime calls this a wrong order."""
    if not isinstance(y, pd.Series | pd.DataFrame):
        return
    missing = np.asarray(y.index.get_level_values(-1).isna())
    if missing.any():
        raise ValueError(
            f"{name}: {int(missing.sum())} of {len(y)} times are missing (NaT), the first in row "
            f"{int(missing.argmax())}; leave out the rows without a time"
        )


def latest_time(y: pd.DataFrame) -> pd.Index:
    """Return the latest time of a sorted panel as sktime's cutoff: an index of one time."""
    index = cast(pd.MultiIndex, y.index)
    times = index.levels[-1]
    latest = times.take([int(np.max(index.codes[-1]))]).rename(None)
    freq = getattr(times, "freq", None)
    if isinstance(latest, pd.DatetimeIndex) and freq is not None:
        return pd.DatetimeIndex(latest, freq=freq)
    # sktime's cutoff of integers is no RangeIndex, which a level may be
    return pd.Index(latest.to_numpy()) if isinstance(latest, pd.RangeIndex) else latest
