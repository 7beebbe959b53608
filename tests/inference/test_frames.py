"""Programs written for version 0.1 cut frames into series by this module."""

import numpy as np
import pandas as pd

from timer_forecaster.inference.frames import series_of


def test_a_frame_is_cut_into_its_series():
    days = pd.date_range("2024-01-01", periods=3)
    frame = pd.DataFrame({"ds": days, "a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 7.0]})
    series = series_of(frame, time_column="ds")
    np.testing.assert_array_equal(series, [[1, 2, 3], [4, 5, 7]])
