"""The rows of a horizon, found by ids and times."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.failures import Failures
from timer_forecaster.frames.covariates.horizon import Horizon
from timer_forecaster.frames.panel import Panel


def panel_of(frame):
    return Panel.of_columns(frame, "t", "id", "y")


def test_rows_of_ragged_series():
    frame = pd.DataFrame(
        {"id": list("aaabbb"), "t": [0, 1, 2, 0, 1, 2], "y": [1.0, 2, 3, 4, 5, np.nan]}
    )
    later = pd.Index([4, 3, 2, 3, 9])
    codes = np.array([0, 0, 0, 1, -1])
    found = Horizon.of(
        panel_of(frame), 2, (pd.Index(frame["t"]), later),
        (np.array([0, 0, 0, 1, 1, 1]), codes), Failures(),
    )  # fmt: skip
    assert found.frame.tolist() == [[-1, -1], [5, -1]]  # b ends a step earlier
    assert found.future.tolist() == [[1, 0], [-1, 3]]


def test_the_first_missing_time_is_named():
    frame = pd.DataFrame({"id": "a", "t": range(5), "y": 1.0 * np.arange(5)})
    failures = Failures("nan")
    places = np.zeros(5, int), np.zeros(1, int)
    Horizon.of(panel_of(frame), 3, (pd.Index(frame["t"]), pd.Index([5])), places, failures)
    assert "no row for 6" in failures.reasons[0]
    assert failures.reasons[0].endswith("; its rows of this series are from 5 to 5")
    with pytest.raises(ValueError, match="id 'a': target 'y': future_frame has no row for 6"):
        Horizon.of(panel_of(frame), 3, (pd.Index(frame["t"]), pd.Index([5])), places, Failures())
