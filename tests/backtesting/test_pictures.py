"""Pictures of a backtest."""

import io

import numpy as np
import pytest
from backtest_cases import COLUMNS, HORIZON, panel

pytest.importorskip("matplotlib")

from timer_forecaster.backtesting import backtest, pictures


@pytest.fixture(scope="module")
def result(pipe):
    return pipe.backtest_frame(panel(), HORIZON, windows=3, freq="h", **COLUMNS)


def test_the_picture_has_windows_and_coverage(result):
    figure = result.plot()
    *windows, coverage = figure.axes
    titles = [ax.get_title(loc="left") for ax in windows]
    assert [title.split()[0] for title in titles] == ["Best", "Median", "Worst"]
    assert all("shop " in title for title in titles)
    labels = [line.get_label() for line in windows[0].get_lines()]
    assert {"history", "median", "observed"} <= set(labels)
    assert coverage.get_xlabel() == "step"
    figure.savefig(io.BytesIO())


def test_windows_are_ordered_by_their_loss(result):
    chosen = pictures.chosen_windows(result, result.model)
    own = result.by_window[result.by_window["model"] == result.model]["scaled loss"]
    assert own.idxmin() == chosen["best"] and own.idxmax() == chosen["worst"]
    assert (own < own.iloc[chosen["median"]]).sum() == 2


def test_one_step_of_periods(pipe):
    import pandas as pd

    frame = pd.DataFrame({"m": pd.period_range("2020-01", periods=30, freq="M")})
    frame["y"] = np.sin(np.arange(30.0))
    result = pipe.backtest_frame(frame, 1, time_column="m", windows=2)
    assert result.data.seasonality == [12]
    ax = pictures.plot_window(result, "seasonal_naive", 0)
    assert ax.get_lines()


def test_series_without_a_scale(pipe):
    result = backtest(pipe, np.full(40, 3.0), 4, windows=2)
    assert set(pictures.chosen_windows(result, result.model)) == {"best", "median", "worst"}
