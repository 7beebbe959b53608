import warnings

import numpy as np
import pandas as pd
import pytest
from samay_cases import BIKES, waves, write_csv

from timer_forecaster.frames.targets import LeftOutWarning
from timer_forecaster.samay.table import read_channels


def test_columns_of_numbers_are_channels_and_others_are_named():
    with pytest.warns(LeftOutWarning, match=r"'weather' \(text") as caught:
        channels = read_channels(BIKES, "time", None)
    assert caught[0].filename == __file__
    assert channels.names == "rentals holiday workingday temp humidity windspeed".split()
    assert channels.values.shape == (6, 3000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chosen = read_channels(BIKES, "time", ["temp", "rentals"])
    np.testing.assert_array_equal(chosen.values, channels.values[[3, 0]])


def test_empty_cells_are_missing_values(tmp_path):
    columns = waves(60)
    columns["wave_1"][[5, 59]] = np.nan
    channels = read_channels(write_csv(tmp_path / "a.csv", columns), "date", None)
    assert channels.values.shape == (2, 60)
    assert np.flatnonzero(np.isnan(channels.values[1])).tolist() == [5, 59]


def test_absent_rows_become_missing_values_and_are_told(tmp_path):
    path = write_csv(tmp_path / "a.csv", waves(60))
    frame = pd.read_csv(path)
    frame.drop(index=[20, 21]).sample(frac=1, random_state=0).to_csv(path, index=False)
    with pytest.warns(UserWarning, match="2 steps between the first time and the last"):
        channels = read_channels(path, "date", None)
    assert np.flatnonzero(np.isnan(channels.values[0])).tolist() == [20, 21]
    assert channels.values[1, 30] == pytest.approx(frame["wave_1"][30])


def test_errors_name_the_file_and_the_argument(tmp_path):
    path = write_csv(tmp_path / "a.csv", waves(60))
    with pytest.raises(ValueError, match=r"a\.csv: datetime_col: there is no column 'ds'"):
        read_channels(path, "ds", None)
    with pytest.raises(ValueError, match=r"a\.csv: target_columns: there is no column 'OT'"):
        read_channels(path, "date", ["OT"])
    with pytest.raises(ValueError, match="nowhere"):
        read_channels(tmp_path / "nowhere.csv", "date", None)
    columns = waves(60)
    columns["wave_0"][7] = np.inf
    with pytest.raises(ValueError, match=r"b\.csv: .*'wave_0': data row 8, inf"):
        read_channels(write_csv(tmp_path / "b.csv", columns), "date", None)
    frame = pd.read_csv(path)
    frame.loc[7, "date"] = frame.loc[6, "date"]
    frame.to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"a\.csv: "):
        read_channels(path, "date", None)
