"""The steps and times that horizons of every kind ask for."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")

from sktime.forecasting.base import ForecastingHorizon
from sktime_cases import forecaster, hourly, unequal_panel, walk, without_freq

from timer_forecaster.frames.history import Memory
from timer_forecaster.sktime.horizons import steps_and_times

INDEX_FREQUENCIES = (
    *("15min", "h", "2D", "D", "B", "C", "W-WED", "WOM-2TUE"),
    *("MS", "BMS", "ME", "BME", "BQE", "YS"),
)


def test_gaps_and_disorder_in_the_horizon(pipeline):
    y = hourly()
    expected = pipeline.predict(y.to_numpy(), 7).median[0, [2, 6]]
    predicted = forecaster().fit(y).predict([7, 3])
    np.testing.assert_array_equal(predicted, expected)
    assert list(predicted.index) == [y.index[-1] + pd.Timedelta(hours=h) for h in (3, 7)]


def test_horizon_of_many_passes(pipeline):
    y = hourly()
    predicted = forecaster().fit(y).predict_quantiles([100], alpha=[0.1])
    assert predicted.iloc[0, 0] == pipeline.predict(y.to_numpy(), 100).quantile(0.1)[0, -1]


def test_absolute_horizon_is_the_same_time_for_every_instance():
    y = unequal_panel()
    time = pd.Timestamp("2024-01-06 10:00")
    absolute = ForecastingHorizon(pd.DatetimeIndex([time]), is_relative=False)
    predicted = forecaster().fit(y).predict(absolute)["y"]
    assert set(predicted.index.get_level_values("t")) == {time}
    for key in "abc":
        alone = y.loc[key].asfreq("h")
        steps = int((time - alone.index[-1]) / pd.Timedelta(hours=1))
        expected = forecaster().fit(alone).predict([steps])["y"].iloc[0]
        assert predicted[key].iloc[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5, 65),
        pd.Index(range(100, 160)),
        pd.period_range("2019-11", periods=60, freq="M"),
        pd.period_range("2019Q1", periods=60, freq="Q"),
        *[pd.date_range("2023-10-01", periods=60, freq=freq) for freq in INDEX_FREQUENCIES],
        pd.date_range("2024-02-20", periods=60, freq="D", tz="Europe/Paris"),
        pd.date_range("2024-03-29", periods=60, freq="h", tz="America/New_York", unit="s"),
    ],
    ids=lambda index: f"{index.dtype}-{getattr(index, 'freqstr', '')}",
)
@pytest.mark.parametrize("panel", [False, True])
def test_future_times_continue_the_index(pipeline, index, panel):
    y = pd.Series(walk(57), index[:57])
    if isinstance(index, pd.DatetimeIndex) and panel:
        y = without_freq(y)
    if panel:
        y = pd.concat({"a": y.to_frame("y"), "b": y.to_frame("y")})
    predicted = forecaster().fit(y).predict([1, 3])
    times = predicted.index[-2:].get_level_values(-1)
    assert list(times) == [index[57], index[59]]
    assert times.dtype == index.dtype
    expected = pipeline.predict(walk(57), 3).median[0, [0, 2]]
    np.testing.assert_allclose(np.ravel(predicted)[-2:], expected, rtol=1e-5)
    absolute = ForecastingHorizon(index[[54, 57, 59]], is_relative=False)
    again = forecaster().fit(y).predict(absolute)
    assert list(again.index[-3:].get_level_values(-1)) == list(index[[54, 57, 59]])
    np.testing.assert_allclose(np.ravel(again)[-2:], expected, rtol=1e-5)


def test_timedelta_horizon_counts_the_steps_of_the_index():
    y = hourly()
    horizon = ForecastingHorizon(pd.to_timedelta(["2h", "5h"]), is_relative=True)
    for data in (y, without_freq(y)):
        predicted = forecaster().fit(data).predict(horizon)
        expected = forecaster().fit(data).predict([2, 5])
        pd.testing.assert_series_equal(predicted, expected, check_freq=False)


def test_timedelta_between_steps_is_refused():
    horizon = ForecastingHorizon(pd.to_timedelta(["90min"]), is_relative=True)
    with pytest.raises(ValueError, match=r"fh: .*whole steps of h"):
        forecaster().fit(hourly()).predict(horizon)


def test_timedelta_horizon_of_integer_times_is_refused():
    horizon = ForecastingHorizon(pd.to_timedelta(["2h"]), is_relative=True)
    with pytest.raises(ValueError, match=r"fh holds time differences.* int64; give whole steps"):
        forecaster().fit(pd.Series(walk())).predict(horizon)


@pytest.mark.parametrize("options", [{}, {"context_length": 7}, {"point": "mean", "flip": True}])
def test_in_sample_steps_are_forecast_from_the_steps_before(options):
    y = hourly(50)
    y.iloc[[30, 31]] = np.nan
    predicted = forecaster(**options).fit(y).predict([-40, -18, 0, 3])
    assert list(predicted.index) == [*y.index[[9, 31, 49]], y.index[-1] + 3 * y.index.freq]
    for step, value in zip([-40, -18, 0], predicted, strict=False):
        expected = forecaster(**options).fit(y[: 49 + step]).predict([1]).iloc[0]
        assert value == pytest.approx(expected, rel=1e-5)
    assert predicted.iloc[-1] == pytest.approx(forecaster(**options).fit(y).predict([3]).iloc[0])


def test_in_sample_intervals_of_a_panel_in_one_batch(calls):
    y = unequal_panel()
    fitted = forecaster().fit(y)
    interval = fitted.predict_interval([-1, 0])
    fitted.predict([-1, 0])
    assert calls == [(6, 1)]
    for key in "abc":
        before = y.loc[key].asfreq("h")[:-1]
        expected = forecaster().fit(before).predict_interval([1])
        np.testing.assert_allclose(interval.loc[key].iloc[1], expected.iloc[0], rtol=1e-5)


def test_in_sample_steps_before_anything_was_observed_have_no_forecast():
    y = hourly(20)
    y.iloc[:3] = np.nan
    fitted = forecaster().fit(y, fh=range(-19, 1))
    quantiles = fitted.predict_quantiles(alpha=[0.3])
    assert quantiles.isna().to_numpy().ravel().tolist() == [True] * 4 + [False] * 16
    pd.testing.assert_frame_equal(fitted.predict_proba().quantile([0.3]), quantiles)


def test_in_sample_step_before_the_first_is_refused():
    fitted = forecaster().fit(hourly(20))
    with pytest.raises(ValueError, match=r"fh: step -20 lies before 2024-01-01 00:00:00"):
        fitted.predict([-20])
    with pytest.raises(ValueError, match=r"y: step -25 lies before 2024-01-01 00:00:00"):
        fitted.predict_residuals(hourly(3, start="2023-12-31 18:00"))


def test_instances_that_start_later_have_no_forecast_before():
    y = pd.concat(
        {"a": hourly(6).to_frame("y"), "b": hourly(1, start="2024-01-01 05:00").to_frame("y")}
    )
    predicted = forecaster().fit(y).predict([-3, 0, 1])["y"]
    assert predicted["a"].notna().tolist() == [True, True, True]
    assert predicted["b"].notna().tolist() == [False, False, True]


def test_a_context_longer_than_the_checkpoints_changes_nothing():
    y = pd.Series(np.r_[np.arange(10.0), np.full(600, np.nan), 1.0, 2.0])
    for context_length in (None, 5000):
        fitted = forecaster(context_length=context_length).fit(y)
        assert np.isnan(fitted.predict([-1]).iloc[0])


def test_steps_and_times_of_each_instance():
    memory = Memory.of(unequal_panel(), 100)
    horizon = ForecastingHorizon([1, -2], is_relative=True)
    asked, each = steps_and_times(horizon, memory.histories)
    assert list(asked) == ["b", "a", "c"]
    for (key, steps), times in zip(asked.items(), each, strict=True):
        end = unequal_panel().loc[key].index[-1]
        assert steps.tolist() == [-2, 1]
        assert times.tolist() == [end - pd.Timedelta("2h"), end + pd.Timedelta("1h")]
    time = pd.Timestamp("2024-01-06")
    horizon = ForecastingHorizon(pd.DatetimeIndex([time]), is_relative=False)
    asked, each = steps_and_times(horizon, memory.histories)
    for (key, steps), times in zip(asked.items(), each, strict=True):
        end = unequal_panel().loc[key].index[-1]
        assert steps.tolist() == [(time - end) / pd.Timedelta("1h")]
        assert times.tolist() == [time]
