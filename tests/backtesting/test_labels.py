"""Names and times of series."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.backtesting.labels import Labels
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
    with pytest.raises(ValueError, match="column 'y'"):
        Labels(labels.ids, labels.names, "y", labels.axes, labels.axis).check([0.5])
