"""Regular grids of times: the step of each, and the times before and after."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.tseries.offsets import BDay, Day, Hour
from stub_pipeline import StubPipeline, forecast_times, frame_of, hourly

from timer_forecaster.frames.calendar.grids import (
    Grid,
    evident_grid,
    future_times,
    given_grids,
    inferred_grids,
    past_times,
    regular_grid,
    shared_grids,
)


@pytest.fixture
def pipeline():
    return StubPipeline()


# ------------------------------------------------------------- through a frame


@pytest.mark.parametrize(
    "freq",
    [
        "h",
        "15min",
        "s",
        "D",
        "B",
        "W-WED",
        "MS",
        "ME",
        "2MS",
        "QS",
        "QE",
        "YS",
        "YE",
        "BME",
        "WOM-3FRI",
    ],
)
@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_future_continues_the_calendar(pipeline, freq, zone):
    times = pd.date_range("2023-10-26", periods=15, freq=freq, tz=zone)
    future = forecast_times(pipeline, times[:12])
    assert future.dtype == times.dtype
    assert future.tolist() == times[12:].tolist()


@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
@pytest.mark.parametrize(
    "freq", ["h", "7D", "B", "MS", "ME", "QE", "BME", "BMS", pd.DateOffset(months=3)]
)
def test_a_gap_does_not_hide_the_step(pipeline, freq, zone):
    times = pd.date_range("2023-10-02", periods=33, freq=freq, tz=zone)
    seen = times[:30].delete([7, 8, 19])
    future = forecast_times(pipeline, seen)
    assert future.tolist() == times[30:].tolist()
    values = pipeline.calls[0][0][0]
    assert np.flatnonzero(np.isnan(values)).tolist() == [7, 8, 19]


def test_mid_month_dates_step_by_months(pipeline):
    times = pd.date_range("2023-01-15", periods=10, freq=pd.DateOffset(months=1))
    assert forecast_times(pipeline, times[:7]).tolist() == times[7:].tolist()


def test_hours_across_a_clock_change_keep_their_zone(pipeline):
    times = pd.date_range("2024-10-26 20:00", periods=12, freq="h", tz="Europe/Paris")
    future = forecast_times(pipeline, times[:6], horizon=6)
    assert future.tolist() == times[6:].tolist()


def test_periods(pipeline):
    periods = pd.period_range("2023Q1", periods=8, freq="Q")
    future = forecast_times(pipeline, periods[:5].delete(2))
    assert future.tolist() == periods[5:].tolist()
    with pytest.raises(ValueError, match="carry their frequency"):
        forecast_times(pipeline, periods, freq="M")


def test_integers(pipeline):
    assert forecast_times(pipeline, [10, 12, 14, 18, 20]).tolist() == [22, 24, 26]
    assert forecast_times(pipeline, [1990, 1991]).tolist() == [1992, 1993, 1994]
    assert forecast_times(pipeline, [5], freq=5).tolist() == [10, 15, 20]
    with pytest.raises(ValueError, match="freq must be an integer"):
        forecast_times(pipeline, [1, 2, 3], freq="h")


@given(
    st.sampled_from(["h", "D", "B", "W-MON", "MS", "QE", "10min"]),
    st.integers(4, 40),
    st.integers(1, 30),
    st.datetimes(pd.Timestamp("1971-01-01"), pd.Timestamp("2100-01-01")),
)
def test_history_and_future_are_one_regular_range(freq, steps, horizon, start):
    times = pd.date_range(pd.Timestamp(start).floor("D"), periods=steps, freq=freq)
    future = forecast_times(StubPipeline(), times, horizon, freq=freq)
    joined = pd.DatetimeIndex(times.append(pd.DatetimeIndex(future)))
    assert joined.equals(pd.date_range(times[0], periods=steps + horizon, freq=freq))


def test_each_id_keeps_its_own_step_and_short_ones_take_the_common(pipeline):
    times = {
        "a": pd.date_range("2024-01-01", periods=6, freq="h"),
        "b": pd.date_range("2024-01-01", periods=7, freq="h"),
        "c": pd.date_range("2024-01-01", periods=6, freq="D"),
        "d": pd.DatetimeIndex(["2024-01-01 05:00"]),
        "e": pd.DatetimeIndex(["2024-01-01 05:00", "2024-01-01 06:00"]),
    }
    frame = pd.concat([frame_of(index).assign(id=name) for name, index in times.items()])
    forecast = pipeline.predict_frame(frame, 1, time_column="time", id_column="id")
    expected = ["01 06:00", "01 07:00", "07 00:00", "01 06:00", "01 07:00"]
    assert forecast["time"].tolist() == [pd.Timestamp(f"2024-01-{text}") for text in expected]


def test_given_frequency_wins(pipeline):
    times = pd.DatetimeIndex(["2024-01-01", "2024-01-03", "2024-01-05"])
    assert forecast_times(pipeline, times, 1)[0] == pd.Timestamp("2024-01-07")
    assert forecast_times(pipeline, times, 1, freq="D")[0] == pd.Timestamp("2024-01-06")
    np.testing.assert_equal(pipeline.calls[1][0][0], [0, np.nan, 1, np.nan, 2])


@pytest.mark.parametrize(
    "frame, options, message",
    [
        (hourly(time=[1, 3, 4, 100]), {}, "no frequency can be inferred .* pass freq"),
        (hourly().iloc[:1], {}, "single time; pass freq"),
        (hourly(), {"freq": "MS"}, "do not all lie on the grid of freq='MS'"),
    ],
)
def test_errors_say_what_was_given_and_what_works(pipeline, frame, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        pipeline.predict_frame(frame, 2, **{"time_column": "time", **options})
    assert pipeline.calls == []


@pytest.mark.parametrize(
    "times",
    [
        [0, 1, 2, 30_000_000_000],
        pd.DatetimeIndex(np.array([0, 1, 2 * 10**15], "datetime64[us]")),
    ],
)
def test_a_gap_beyond_reason_is_an_error_and_no_gigabytes(times):
    frame = pd.DataFrame({"t": times, "y": np.arange(float(len(times)))})
    with pytest.raises(ValueError, match="no frequency can be inferred"):
        StubPipeline().predict_frame(frame, 2, time_column="t")


# -------------------------------------------------------------------- by themselves


def days(*numbers):
    return pd.DatetimeIndex([pd.Timestamp("2024-01-01") + pd.Timedelta(days=n) for n in numbers])


def name(number):
    return f"axis {number}"


def shared_steps(axes, known, name):
    numbers = list(axes)
    grids = shared_grids(list(axes.values()), known, lambda place: name(numbers[place]))
    return {number: grid.step for number, grid in zip(numbers, grids, strict=True)}


def test_values_are_laid_on_their_grid():
    axis = days(0, 1, 4)
    grid = Grid.of(axis, Day(1))
    laid = grid.lay(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    nan = np.nan
    np.testing.assert_equal(laid, [[1, 2, nan, nan, 3], [4, 5, nan, nan, 6]])


def test_values_without_a_gap_are_not_copied():
    axis = days(0, 1, 2)
    values = np.ones((1, 3))
    assert Grid.of(axis, Day(1)).lay(values) is values


@pytest.mark.parametrize(
    "times, step",
    [
        (days(0, 1, 3), Day(2)),
        (days(0, 1, 5, 6), BDay()),
        (pd.Index([0, 3, 5]), 3),
    ],
)
def test_a_time_off_the_grid_has_no_grid(times, step):
    assert regular_grid(times, step) is None


def test_a_grid_keeps_the_unit_and_the_zone_of_its_times():
    times = pd.DatetimeIndex(["2024-03-30", "2024-04-01"], tz="Europe/Paris").as_unit("s")
    grid = regular_grid(times, Day(1))
    assert grid.dtype == times.dtype
    assert len(grid) == 3


def test_a_step_is_evident_if_half_of_its_grid_is_there():
    grid = evident_grid(days(0, 1, 5), None, None)
    assert (grid.step, len(grid.times)) == (Day(1), 6)
    assert evident_grid(days(0, 1, 6), None, None) is None
    grid = evident_grid(days(0, 2), None, Day(2))
    assert (grid.step, len(grid.times)) == (Day(2), 2)
    assert evident_grid(days(0), None, None) is None


def test_a_given_step_needs_no_evidence():
    sparse, dense = given_grids([days(0, 9), days(0, 1)], Day(1), name)
    assert (len(sparse.times), len(dense.times)) == (10, 2)
    assert sparse.places.tolist() == [0, 9]
    with pytest.raises(ValueError, match=r"axis 1the times from 2024-01-01 .* freq='2D'"):
        given_grids([days(0, 2), days(0, 1)], Day(2), name)


def test_an_axis_without_a_step_takes_the_one_of_most_series():
    axes = [days(0, 1, 2), days(0, 2, 4), days(6)]
    assert [grid.step for grid in inferred_grids(axes, [0, 1, 2], name)] == [Day(1), Day(2), Day(1)]
    more_series = inferred_grids(axes, [0, 1, 1, 2], name)
    assert [grid.step for grid in more_series] == [Day(1), Day(2), Day(2)]
    with pytest.raises(ValueError, match="axis 0a frequency cannot be inferred from a single time"):
        inferred_grids([days(0)], [0], name)


def test_one_step_is_shared():
    axes = {0: days(0, 1, 2, 3), 4: days(0, 1, 4, 5), 7: days(8)}
    assert shared_steps(axes, [], name) == dict.fromkeys(axes, Day(1))
    assert shared_steps({7: days(8)}, [Hour(1), Day(1), Day(1)], name) == {7: Day(1)}
    assert shared_steps({}, [], name) == {}


def test_business_days_among_days_have_missing_values():
    workdays = pd.bdate_range("2024-01-01", periods=10)
    assert shared_steps({0: days(*range(40)), 1: workdays}, [], name) == {0: Day(1), 1: Day(1)}


@pytest.mark.parametrize(
    "axes, error, message",
    [
        ({3: days(0, 0, 1)}, ValueError, "axis 3: time 2024-01-01 .* more than once"),
        ({3: pd.Index([0.5, 1.5])}, TypeError, "axis 3 has times of type float64"),
        ({3: days(0)}, ValueError, "axis 3 has no evident frequency in its 1 times"),
        ({0: days(0, 1, 2, 3), 1: days(0, 7, 14)}, ValueError,
         "axis 1 has a step of W-MON, others of D; frequencies cannot be mixed"),
    ],
)  # fmt: skip
def test_steps_that_cannot_be_shared_are_refused(axes, error, message):
    with pytest.raises(error, match=message):
        shared_steps(axes, [], name)


@pytest.mark.parametrize(
    "grid, step",
    [
        (pd.date_range("2024-03-29", periods=9, freq="D", tz="Europe/Paris"), Day(1)),
        (pd.date_range("2024-01-31", periods=9, freq="ME"), pd.offsets.MonthEnd(1)),
        (pd.period_range("2024Q1", periods=9, freq="Q"), pd.offsets.QuarterEnd(1)),
        (pd.Index(range(5, 32, 3)), 3),
    ],
    ids=["days", "month ends", "quarters", "integers"],
)
def test_a_grid_continues_in_both_directions(grid, step):
    middle = grid[3:6]
    assert future_times(middle, step, 3).equals(grid[6:])
    assert past_times(middle, step, 3).equals(grid[:3])
    assert len(past_times(middle, step, 0)) == 0
