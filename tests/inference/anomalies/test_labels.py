"""Names, ids and times of series."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.panel import Panel
from timer_forecaster.inference.anomalies.labels import Labels


def test_series_are_told_apart_by_numbers_or_keys():
    assert Labels.of_keys([0, 1], [3, 4]).ids["series"].tolist() == [0, 1]
    keyed = Labels.of_keys(["a", ("b", 1)], [3, 4])
    assert keyed.ids["series"].tolist() == ["a", ("b", 1)]
    assert keyed.names == ["series['a']", "series[('b', 1)]"]
    assert keyed.times[1].tolist() == [0, 1, 2, 3]


def test_series_of_a_panel_have_the_times_of_their_grids():
    days = pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"])
    frame = pd.DataFrame({"day": days, "a": np.arange(4.0), "b": np.arange(4.0)})
    labels = Labels.of_panel(Panel.of_columns(frame, "day"))
    assert labels.ids["target"].tolist() == ["a", "b"]
    assert labels.time_column == "day"
    assert len(labels.times[0]) == 5  # with the absent day


@pytest.mark.parametrize("name", ["score", "anomaly", "target", "y"])
def test_names_of_the_report_are_taken(name):
    times = pd.date_range("2024-01-01", periods=4)
    frame = pd.DataFrame({name: times, "load": np.arange(4.0)})
    with pytest.raises(ValueError, match=f"column '{name}': the report of anomalies has"):
        Labels.of_panel(Panel.of_columns(frame, name))
