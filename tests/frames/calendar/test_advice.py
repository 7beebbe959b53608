"""Advice in errors about irregular times works when it is followed."""

import re

import numpy as np
import pandas as pd
import pytest
from stub_pipeline import StubPipeline

from timer_forecaster.frames.calendar.advice import aggregation, asfreq_advice


def transactions(every, n=400, seed=0):
    """Amounts at irregular times, on average `every` minutes."""
    minutes = np.unique(np.random.default_rng(seed).integers(0, n * every, n))
    times = pd.Timestamp("2024-01-01 00:03") + pd.to_timedelta(minutes * 7 + minutes % 3, "min")
    return pd.DataFrame({"time": times.unique(), "amount": 1.0})


AS_READ = {
    "dates": lambda times: times,
    "texts": lambda times: times.astype(str),
    "with a zone": lambda times: times.dt.tz_localize("UTC"),
}


def advised(frame, **options):
    with pytest.raises(ValueError, match="aggregate the rows: ") as caught:
        StubPipeline().predict_frame(frame, 2, time_column="time", **options)
    return eval(str(caught.value).split("aggregate the rows: ")[1], {"frame": frame, "pd": pd})  # noqa: S307


@pytest.mark.parametrize("read", AS_READ)
@pytest.mark.parametrize("every", [1, 13, 60, 500, 3000, 20_000])
@pytest.mark.parametrize("by_id", [False, True])
def test_irregular_times_are_aggregated_as_advised(read, every, by_id):
    frame = transactions(every)
    frame["time"] = AS_READ[read](frame["time"])
    options = {}
    if by_id:
        frame["shop"], options = "{a}", {"id_column": "shop", "target_columns": "amount"}
    aggregated = advised(frame, **options)
    assert aggregated["amount"].sum() == len(frame)
    forecast = StubPipeline().predict_frame(aggregated, 2, time_column="time", **options)
    assert len(forecast) == 2


@pytest.mark.parametrize("freq", ["h", "D", "W-SUN", "MS"])
def test_times_off_a_given_grid_are_aggregated_as_advised(freq):
    frame = transactions(300)
    aggregated = advised(frame, freq=freq)
    forecast = StubPipeline().predict_frame(aggregated, 2, time_column="time", freq=freq)
    assert len(forecast) == 2


def test_a_frequency_is_left_out_only_where_one_is_found():
    hourly = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=50, freq="h"), "y": 1.0})
    with pytest.raises(ValueError, match="leave freq out to have it inferred: h"):
        StubPipeline().predict_frame(hourly, 2, time_column="time", freq="D")
    with pytest.raises(ValueError) as caught:
        StubPipeline().predict_frame(transactions(60), 2, time_column="time", freq="D")
    assert "leave freq out" not in str(caught.value)


@pytest.mark.parametrize(
    "times",
    [
        [1, 3, 4, 100],
        [10, 20, 60, 400],
        pd.DatetimeIndex(["2024-01-01", "2024-01-03", "2024-01-10", "2024-01-21"]),
        pd.DatetimeIndex(["2024-01-01 00:00", "2024-01-01 02:00", "2024-01-01 21:00"]),
    ],
    ids=["ones", "tens", "days", "hours"],
)
def test_an_advised_frequency_can_be_passed(times):
    frame = pd.DataFrame({"time": times, "y": 1.0})
    with pytest.raises(ValueError, match="no frequency can be inferred") as caught:
        StubPipeline().predict_frame(frame, 2, time_column="time")
    [freq] = re.findall(r"pass freq='?(\w+)'?", str(caught.value))
    StubPipeline().predict_frame(frame, 2, time_column="time", freq=freq)


def test_columns_of_any_name_can_be_aggregated():
    frame = pd.DataFrame({"a {b}": pd.date_range("2024-01-01", periods=5), "c's": 1.0, "id": "x"})
    for id_column in (None, "id"):
        text = aggregation(frame, "a {b}", id_column, ["c's"]).format(freq="2D")
        result = eval(text, {"frame": frame})  # noqa: S307
        assert result["c's"].tolist() == [2, 2, 1]


def test_days_written_as_integers_can_be_aggregated():
    frame = pd.DataFrame({"day": [20240101, 20240109, 20240131], "y": 1.0})
    text = aggregation(frame, "day", None, ["y"]).format(freq="MS")
    result = eval(text, {"frame": frame, "pd": pd})  # noqa: S307
    assert result["day"].tolist() == [pd.Timestamp("2024-01-01")]


def test_advice_about_an_index_runs():
    hours = pd.DatetimeIndex(["2024-01-01 00:00", "2024-01-01 02:00", "2024-01-01 21:00"])
    y = pd.Series([1.0, 2.0, 3.0], hours)
    advice = asfreq_advice(hours)
    for text in re.findall(r"y\.[a-z]+\('\w+'\)(?:\.sum\(\))?", advice):
        assert eval(text, {"y": y}).sum() == 6  # noqa: S307 - nothing is lost
    assert "asfreq" not in asfreq_advice(pd.Index([0, 1, 9]))
