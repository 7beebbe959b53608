"""Local days that are stored in UTC."""

import numpy as np
import pandas as pd
import pytest
from stub_pipeline import StubPipeline, forecast_times

from timer_forecaster.frames.calendar.axes import Axes
from timer_forecaster.frames.calendar.local import clock_mark, like, on_local_clock, on_local_clocks


def stored(zone, freq, count=460, start="2022-03-01"):
    wall = pd.date_range(start, periods=count, freq=freq)
    first = np.ones(count, dtype=bool)
    return wall.tz_localize(zone, ambiguous=first, nonexistent="shift_forward").tz_convert("UTC")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney"])
@pytest.mark.parametrize(
    "freq, count", [("D", 460), ("W-MON", 70), ("MS", 30), ("ME", 30), ("B", 320)]
)
@pytest.mark.parametrize("aware", [True, False])
def test_days_in_utc_are_forecast_in_utc(zone, freq, count, aware):
    times = stored(zone, freq, count)
    times = times if aware else times.tz_localize(None)
    for given in (times, times.astype(str)):
        ahead = forecast_times(StubPipeline(), given[:-20], 20)
        assert ahead.tolist() == times[-20:].tolist()
        assert getattr(ahead.dtype, "tz", None) == (times.tz if aware else None)


@pytest.mark.parametrize("freq", ["D", "MS"])
def test_a_frequency_may_be_given(freq):
    times = stored("Europe/Berlin", freq, 60)
    assert forecast_times(StubPipeline(), times[:50], 10, freq=freq).tolist() == times[50:].tolist()


def test_absent_days_are_missing_values():
    times = stored("Europe/Berlin", "D", 100)
    ahead = forecast_times(StubPipeline(), times.delete([5, 60]), 5)
    assert ahead.iloc[0] == times[-1] + pd.Timedelta(days=1)


def test_series_may_have_different_zones():
    berlin, new_york = stored("Europe/Berlin", "D", 100), stored("America/New_York", "D", 100)
    local = berlin.tz_convert("Europe/Berlin").append(new_york.tz_convert("America/New_York"))
    texts = [str(time) for time in local]
    for times in (berlin[:80].append(new_york[:80]), texts[:80] + texts[100:180]):
        frame = pd.DataFrame({"id": ["b"] * 80 + ["n"] * 80, "t": times, "y": np.arange(160.0)})
        ahead = StubPipeline().predict_frame(frame, 20, time_column="t", id_column="id")
        assert ahead["t"].tolist() == [*berlin[80:], *new_york[80:]]
        assert str(ahead["t"].dt.tz) == "UTC"


def test_other_times_stay_as_they_are():
    for times in (
        pd.date_range("2024-01-01", periods=400),
        pd.date_range("2024-01-01", periods=400, freq="h"),
        pd.date_range("2024-01-01", periods=400, tz="Europe/Berlin"),
        pd.Index([1, 2, 3]),
        pd.period_range("2024-01-01", periods=3),
    ):
        assert on_local_clock(times) is times


def test_all_series_are_looked_at_together():
    days = [stored("Europe/Berlin", "D", 100), stored("America/New_York", "D", 50)]
    others = [times.as_unit(days[0].unit) for times in (stored("UTC", "D", 40), stored("UTC", "h"))]
    axes = Axes.of([*days, *others])
    assert [str(axis.tz) for axis in on_local_clocks(axes)] == [
        "Europe/Berlin",
        "America/New_York",
        "UTC",
        "UTC",
    ]
    assert on_local_clocks(Axes.of(others))[1] is others[1]


def test_times_are_given_back_like_the_column():
    times = on_local_clock(stored("Europe/Berlin", "D", 60).tz_localize(None))
    assert str(times.tz) == "Europe/Berlin"
    assert like(times, np.dtype("M8[us]")).tz is None
    assert str(like(times, pd.DatetimeTZDtype("us", "UTC")).tz) == "UTC"
    assert like(pd.Index([1]), np.dtype("int64")).tolist() == [1]


def test_ends_of_different_clocks_have_different_marks():
    times = stored("Europe/Berlin", "D", 60)
    assert clock_mark(times) != clock_mark(times.tz_convert("Europe/Berlin"))
    assert clock_mark(times) == clock_mark(times[5:])
    assert clock_mark(pd.Index([1, 2])) == 2
