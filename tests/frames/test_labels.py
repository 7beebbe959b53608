"""Names and times of series."""

import numpy as np
import pandas as pd

from timer_forecaster.frames.labels import Labels
from timer_forecaster.frames.panel import Panel


def test_names_of_one_target_are_those_of_the_ids():
    frame = pd.DataFrame({"id": [1, 1, 1, 2, 2, 2], "t": [1, 2, 3, 4, 6, 8], "y": 1.0})
    labels = Labels.of_panel(Panel.of_columns(frame, "t", "id", "y"))
    assert labels.names == ["id 1", "id 2"]
    assert labels.at(np.array([1, 0]), np.array([2, 0])).tolist() == [8, 1]
    assert labels.window_name(1, 2) == "id 2, window after 6"


def test_numbers_and_keys():
    labels = Labels.of_numbers(["a", ("b", 1)], [3, 5])
    assert labels.names == ["series['a']", "series[('b', 1)]"]
    assert labels.ids["series"].tolist() == ["a", ("b", 1)]
    assert len(labels.times_of(0)) == 5


def test_series_of_a_panel_have_the_times_of_their_grids():
    days = pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"])
    frame = pd.DataFrame({"day": days, "a": np.arange(4.0), "b": np.arange(4.0)})
    labels = Labels.of_panel(Panel.of_columns(frame, "day"))
    assert labels.ids["target"].tolist() == ["a", "b"]
    assert labels.time_column == "day"
    assert len(labels.times_of(0)) == 5  # with the absent day
