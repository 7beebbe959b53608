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
    words = "aggregate the rows (levels by .mean()): "
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        StubPipeline().predict_frame(frame, 2, time_column="time", **options)
    return eval(str(caught.value).split(words)[1], {"frame": frame, "pd": pd})  # noqa: S307


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


@pytest.mark.parametrize("freq", ["h", "D", "B", "W-SUN", "MS"])
def test_times_off_a_given_grid_are_aggregated_as_advised(freq):
    frame = transactions(300)
    aggregated = advised(frame, freq=freq)
    forecast = StubPipeline().predict_frame(aggregated, 2, time_column="time", freq=freq)
    assert len(forecast) == 2


def test_no_frequency_is_advised_for_a_calendar_that_has_no_name():
    hourly = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=50, freq="h"), "y": 1.0})
    workdays = pd.offsets.CustomBusinessDay(weekmask="Mon Tue Wed Thu Fri Sat")
    with pytest.raises(ValueError, match=r"business days Mon–Sat'; leave freq out.*: h$"):
        StubPipeline().predict_frame(hourly, 2, time_column="time", freq=workdays)


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
    for text in re.findall(r"y\.[a-z]+\('\w+'\)(?:\.sum\(min_count=1\))?", advice):
        assert eval(text, {"y": y}).sum() == 6  # noqa: S307 - nothing is lost
    assert "asfreq" not in asfreq_advice(pd.Index([0, 1, 9]))


def on_the_clock(hours, zone="Europe/Berlin", start="2024-03-01", end="2024-04-20"):
    """Times whose clock shows multiples of some hours, over a change of the clock."""
    times = pd.date_range(start, end, freq="h", tz=zone)
    return times[times.hour % hours == 0]


HELD_AS = {
    "dates": lambda times: times,
    "texts": lambda times: times.astype(str),
}


@pytest.mark.parametrize("held", HELD_AS)
@pytest.mark.parametrize("freq", [None, "D", "own"])
@pytest.mark.parametrize(
    ("hours", "start", "end"),
    [
        (3, "2024-03-01", "2024-04-20"),
        (6, "2024-03-01", "2024-04-20"),
        (6, "2024-10-01", "2024-11-20"),
    ],
)
def test_even_steps_of_the_clock_are_taken_as_advised(hours, start, end, freq, held):
    times = on_the_clock(hours, start=start, end=end)
    frame = pd.DataFrame({"time": HELD_AS[held](times), "y": np.arange(len(times)) + 1.0})
    asked = {"freq": f"{hours}h" if freq == "own" else freq}
    with pytest.raises(ValueError, match=r"on the clock of .* their step is") as caught:
        StubPipeline().predict_frame(frame, 2, time_column="time", **asked)
    text = str(caught.value)
    assert f"pass freq='{hours}h'" not in text
    how = re.search(r"use its times: (frame\.assign\(.*?localize\(None\)}\))", text)[1]
    even = eval(how, {"frame": frame, "pd": pd})  # noqa: S307
    assert even["time"].tolist() == times.tz_localize(None).tolist()
    named = re.search(r", with freq='(\w+)'", text)
    asked = asked if named is None else {"freq": named[1]}
    pipeline = StubPipeline()
    forecast = pipeline.predict_frame(even, 2, time_column="time", **asked)
    assert (forecast["time"].diff().iloc[1:] == pd.Timedelta(hours=hours)).all()
    assert not np.isnan(pipeline.calls[0][0][0]).any()


def test_a_frequency_that_was_refused_is_never_advised():
    times = on_the_clock(6)[[0, 1, 2, 5, 9, 90, 91, 150]]  # too few for the clock to show a step
    frame = pd.DataFrame({"time": times, "y": 1.0})
    with pytest.raises(ValueError, match="do not all lie on the grid of freq='6h'") as caught:
        StubPipeline().predict_frame(frame, 2, time_column="time", freq="6h")
    assert "pass freq='6h'" not in str(caught.value)


def test_the_advice_for_y_keeps_all_values():
    times = on_the_clock(6)
    y = pd.Series(1.0, times)
    advice = asfreq_advice(times)
    assert "asfreq" not in advice
    [text] = re.findall(r"y\.tz_localize\(None\)", advice)
    even = eval(text, {"y": y})  # noqa: S307
    assert even.asfreq("6h").notna().sum() == len(even.asfreq("6h")) == len(y)
    days = pd.date_range("2024-03-01", "2024-04-20", tz="Europe/Berlin")[[0, 2, 3, 11, 31, 32]]
    [text] = re.findall(r"y\.asfreq\('D'\)", asfreq_advice(days))
    assert eval(text, {"y": pd.Series(1.0, days)}).sum() == len(days)  # noqa: S307


def test_bins_without_a_row_are_missing_and_not_zero():
    days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-05", "2024-01-06"])
    frame = pd.DataFrame({"day": days, "y": 1.0})
    summed = eval(aggregation(frame, "day", None, ["y"]).format(freq="D"), {"frame": frame})  # noqa: S307
    assert summed["y"].isna().tolist() == [False, False, True, True, False, False]
