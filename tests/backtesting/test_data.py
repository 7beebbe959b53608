"""What is known at an origin."""

import numpy as np
import pandas as pd

from timer_forecaster.backtesting.data import Data
from timer_forecaster.backtesting.windows import Windows
from timer_forecaster.frames.labels import Labels
from timer_forecaster.inference.covariates.tables import Tables


def data(known, past=None, length=10, cycles=None):
    labels = Labels.of_numbers([0], [length])
    return Data([np.arange(float(length))], labels, [None], [1], Tables(known, past, (), cycles))


WINDOWS = Windows(np.array([0, 0]), np.array([4, 7]), 3)


def test_tables_end_with_the_window_or_before_it():
    given = data([{"x": np.arange(10)}], [{"z": pd.Series(range(10))}], cycles=[(7,)])
    tables = given.tables(WINDOWS, [0, 1])
    assert [table["x"].tolist() for table in tables.known] == [list(range(7)), list(range(10))]
    assert [table["z"].tolist() for table in tables.past] == [list(range(4)), list(range(7))]
    assert tables.cycles == [(7,), (7,)]
    assert tables.names == ["series[0], window after 3", "series[0], window after 6"]


def test_tables_are_counted_from_the_end():
    given = data([{"x": np.arange(8)}])  # two steps later than the series
    assert given.tables(WINDOWS, [0]).known[0]["x"].tolist() == list(range(5))
    assert len(data([{"x": np.arange(2)}]).tables(WINDOWS, [0]).known[0]["x"]) == 0


def test_an_empty_text_of_a_window_alone_is_missing():
    column = np.array([*"abababab", "", ""], dtype=object)
    table = data([{"x": column}]).tables(WINDOWS, [1]).known[0]["x"]
    assert table.tolist() == [*"abababab", None, None]
    column = np.array(["", *"bababab", "", ""], dtype=object)
    assert data([{"x": column}]).tables(WINDOWS, [1]).known[0]["x"].tolist()[-1] == ""


def test_the_fingerprint_tells_data_apart():
    first = data([{"x": np.arange(10)}])
    assert first.fingerprint() == data([{"x": np.arange(10)}]).fingerprint()
    assert first.fingerprint() != data([{"x": np.arange(10) + 1}]).fingerprint()
    assert first.fingerprint() != data([{"x": np.arange(10)}], length=11).fingerprint()
