import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timer_forecaster.frames.long import forecast_frame


class StubForecast:
    """Quantile of every step: last observed value + step + level."""

    def __init__(self, last, horizon):
        self.base = np.asarray(last)[:, None] + np.arange(1, horizon + 1)

    def quantile(self, level):
        return self.base + level


class StubPipeline:
    def __init__(self):
        self.calls = []

    def predict(self, series, horizon, **options):
        self.calls.append((series, options))
        return StubForecast([values[~np.isnan(values)][-1] for values in series], horizon)


@pytest.fixture
def pipeline():
    return StubPipeline()


def frame_of(times, name="time"):
    return pd.DataFrame({name: times, "y": np.arange(len(times), dtype=float)})


def forecast_times(pipeline, times, horizon=3, **options):
    forecast = forecast_frame(pipeline, frame_of(times), horizon, time_column="time", **options)
    return forecast["time"]


# ---------------------------------------------------------------------------- future time stamps


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


@pytest.mark.parametrize(
    "texts, last",
    [
        (["2024-02-27", "2024-02-28", "2024-02-29"], "2024-03-01"),
        (["2024-02-27 00:00", "2024-02-27T12:00", "2024-02-28"], "2024-02-28 12:00"),
        (["20240227", "20240228", "20240229"], "2024-03-01"),
        (["12/02/2024", "13/02/2024", "14/02/2024"], "2024-02-15"),
        (["2/27/2024", "2/28/2024", "2/29/2024"], "2024-03-01"),
        (["2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00", "2024-03-31T04:00+02:00"],
         "2024-03-31 03:00+00:00"),
    ],
)  # fmt: skip
def test_texts_are_read(pipeline, texts, last):
    assert forecast_times(pipeline, texts, horizon=1).tolist() == [pd.Timestamp(last)]


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


# ------------------------------------------------------------------------------ long and wide


def test_long_frame_in_one_call(pipeline):
    days = pd.date_range("2024-01-01", periods=5, freq="D")
    frame = pd.DataFrame(
        {
            "shop": ["b"] * 5 + ["a"] * 4,
            "time": [*days, *days[1:]],
            "sold": np.arange(9.0),
            "note": "x",
        }
    ).sample(frac=1, random_state=3)
    frame = pd.concat([frame[frame["shop"] == "b"], frame[frame["shop"] == "a"]])
    forecast = forecast_frame(
        pipeline, frame, 2, time_column="time", id_column="shop", levels=[0.05, 0.5], batch_size=7
    )
    assert forecast.columns.tolist() == ["shop", "target", "time", "q0.05", "q0.5"]
    assert forecast["shop"].tolist() == ["b", "b", "a", "a"]
    assert forecast["time"].tolist() == [*pd.date_range("2024-01-06", periods=2)] * 2
    np.testing.assert_allclose(forecast["q0.5"], [5.5, 6.5, 9.5, 10.5])
    [(series, options)] = pipeline.calls
    assert [values.tolist() for values in series] == [[0, 1, 2, 3, 4], [5, 6, 7, 8]]
    assert options == {
        "context_length": None,
        "rollout": "auto",
        "flip": False,
        "batch_size": 7,
        "progress": False,
    }


def test_wide_frame_forecasts_every_numeric_column(pipeline):
    frame = frame_of(pd.date_range("2024-01-01", periods=4, freq="h")).assign(z=[1, 2, None, 9])
    frame["kind"] = "x"
    forecast = forecast_frame(pipeline, frame, 2, time_column="time")
    assert forecast["target"].tolist() == ["y", "y", "z", "z"]
    np.testing.assert_allclose(forecast["q0.1"], [4.1, 5.1, 10.1, 11.1])
    one = forecast_frame(pipeline, frame, 2, time_column="time", target_columns="z")
    assert one["target"].unique().tolist() == ["z"]


def test_long_and_wide_together(pipeline):
    frame = pd.concat([frame_of(range(5)).assign(id=i, z=10.0 * i) for i in (3, 1)])
    forecast = forecast_frame(pipeline, frame, 1, time_column="time", id_column="id")
    assert forecast["id"].tolist() == [3, 3, 1, 1]
    assert forecast["id"].dtype == frame["id"].dtype
    assert forecast["target"].tolist() == ["y", "z"] * 2
    np.testing.assert_allclose(forecast["q0.5"], [5.5, 31.5, 5.5, 11.5])


def test_time_may_be_the_index(pipeline):
    frame = frame_of(pd.date_range("2024-01-01", periods=4, freq="h")).set_index("time")
    assert len(forecast_frame(pipeline, frame, 2, time_column="time")) == 2
    assert frame.index.name == "time"


def test_frame_is_not_changed(pipeline):
    frame = frame_of(["2024-01-03", "2024-01-01", "2024-01-02"])
    before = frame.copy(deep=True)
    forecast_frame(pipeline, frame, 2, time_column="time")
    pd.testing.assert_frame_equal(frame, before)


def test_each_id_keeps_its_own_step_and_short_ones_take_the_common(pipeline):
    times = {
        "a": pd.date_range("2024-01-01", periods=6, freq="h"),
        "b": pd.date_range("2024-01-01", periods=7, freq="h"),
        "c": pd.date_range("2024-01-01", periods=6, freq="D"),
        "d": pd.DatetimeIndex(["2024-01-01 05:00"]),
        "e": pd.DatetimeIndex(["2024-01-01 05:00", "2024-01-01 06:00"]),
    }
    frame = pd.concat([frame_of(index).assign(id=name) for name, index in times.items()])
    forecast = forecast_frame(pipeline, frame, 1, time_column="time", id_column="id")
    expected = ["01 06:00", "01 07:00", "07 00:00", "01 06:00", "01 07:00"]
    assert forecast["time"].tolist() == [pd.Timestamp(f"2024-01-{text}") for text in expected]


def test_given_frequency_wins(pipeline):
    times = pd.DatetimeIndex(["2024-01-01", "2024-01-03", "2024-01-05"])
    assert forecast_times(pipeline, times, 1)[0] == pd.Timestamp("2024-01-07")
    assert forecast_times(pipeline, times, 1, freq="D")[0] == pd.Timestamp("2024-01-06")
    np.testing.assert_equal(pipeline.calls[1][0][0], [0, np.nan, 1, np.nan, 2])


def test_many_series_are_one_call(pipeline):
    times = pd.date_range("2024-01-01", periods=200, freq="h")
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(1000), 200),
            "time": np.tile(times, 1000),
            "y": np.arange(200_000.0),
        }
    )
    forecast = forecast_frame(pipeline, frame, 24, time_column="time", id_column="id")
    assert len(forecast) == 24_000
    assert len(pipeline.calls) == 1


# ----------------------------------------------------------------------------------- errors


def hourly(**columns):
    return frame_of(pd.date_range("2024-01-01", periods=4, freq="h")).assign(**columns)


@pytest.mark.parametrize(
    "frame, options, message",
    [
        ([1, 2], {}, "frame must be a pandas.DataFrame, not list"),
        (hourly(), {"time_column": "date"}, r"time_column: .* 'date'; there are \['time', 'y'\]"),
        (hourly(), {"id_column": "shop"}, r"id_column: .* 'shop'; there are \['time', 'y'\]"),
        (hourly(), {"target_columns": ["x"]}, "target_columns: there is no column 'x'"),
        (hourly(), {"target_columns": ["time"]}, "'time' is the time or the id column"),
        (hourly(), {"target_columns": []}, "name at least one column"),
        (hourly()[["time"]], {}, "is numeric"),
        (hourly().iloc[:0], {}, "no rows"),
        (hourly(target=1), {"id_column": "target"}, "rename yours"),
        (hourly(id=["a", None, "a", "a"]), {"id_column": "id"}, "data row 2 has no id"),
        (hourly(time=["2024-01-01", "", "?", "2024-01-02"]), {}, "data row 2, '', cannot be read"),
        (hourly(time=["2024-01-01", "02", "x", "y"]), {}, "data row 2, '02', cannot be read"),
        (hourly(time=["2024-01-01", None, None, None]), {}, "data row 2 has no time"),
        (hourly(time=[1.0, 1.5, 2.0, 2.5]), {}, "data row 2, .*1.5.*, is neither a date nor"),
        (hourly(time=[True, False, True, False]), {}, "dtype bool"),
        (hourly(time=[1, 2, 2, 3]), {}, "the time 2 is there more than once"),
        (hourly(time=[1, 3, 4, 100]), {}, "no frequency can be inferred .* pass freq"),
        (hourly().iloc[:1], {}, "single time; pass freq"),
        (hourly(), {"freq": "hourly"}, "freq='hourly' is not a pandas frequency: use for example"),
        (hourly(), {"freq": 3}, "freq=3 is not a pandas frequency"),
        (hourly(), {"freq": "MS"}, "do not all lie on the grid of freq='MS'"),
        (hourly(), {"levels": [0.1, 1.0]}, "levels: 1.0 must lie inside"),
        (hourly(), {"levels": [0.1, 0.1]}, "each once"),
        (hourly(), {"levels": []}, "at least one level"),
        (hourly(y=["1", "2", "3,5", "4"]), {"target_columns": ["y"]}, "data row 3, '3,5', is not"),
        (hourly(y=[1, 2, np.inf, 4]), {}, "data row 3, .*inf.*, is not a finite number"),
        (hourly(y=np.nan), {}, "target 'y' has no value"),
    ],
)
def test_errors_say_what_was_given_and_what_works(pipeline, frame, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        forecast_frame(pipeline, frame, 2, **{"time_column": "time", **options})
    assert pipeline.calls == []


def test_errors_name_the_series(pipeline):
    frame = pd.concat([frame_of([1, 2, 3]).assign(id="a"), frame_of([1, 2, 2]).assign(id="b")])
    with pytest.raises(ValueError, match="id 'b': the time 2 is there more than once"):
        forecast_frame(pipeline, frame, 2, time_column="time", id_column="id")


@pytest.mark.parametrize("column", ["q0.5", "target"])
def test_columns_that_the_forecast_needs_are_not_taken_over(column):
    frame = pd.DataFrame({"t": range(5), column: list("aaaaa"), "y": [1.0, 2, 3, 4, 5]})
    with pytest.raises(ValueError, match=f"id_column='{column}'"):
        forecast_frame(StubPipeline(), frame, 2, time_column="t", id_column=column)


def test_dates_that_can_be_read_in_two_ways_are_refused():
    frame = pd.DataFrame({"t": [f"01/{month:02}/2023" for month in range(1, 13)], "y": range(12)})
    with pytest.raises(ValueError, match=r"data row 2, '01/02/2023', can be month first or day"):
        forecast_frame(StubPipeline(), frame, 2, time_column="t")


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
        forecast_frame(StubPipeline(), frame, 2, time_column="t")
