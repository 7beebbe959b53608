"""Series with times are read as frames are, at every door."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from timer_forecaster.backtesting import backtest
from timer_forecaster.failures import SeriesWarning
from timer_forecaster.inference.series import as_series, timed_series

H = 3
DAYS = pd.date_range("2024-01-01", periods=300)


def on(index, seed=0):
    noise = np.random.default_rng(seed).normal(size=len(index))
    return pd.Series(50 + np.arange(len(index)) % 7 + noise, index)


GAPPED = on(DAYS).drop(DAYS[283:286])


def test_absent_dates_are_missing_values(timer_s1):
    filled = GAPPED.asfreq("D")
    expected = timer_s1.predict(filled, H).quantiles
    assert not np.array_equal(expected, timer_s1.predict(GAPPED.to_numpy(), H).quantiles)
    data_array = xr.DataArray(GAPPED.to_numpy(), {"day": GAPPED.index}, ["day"])
    keyed = pd.concat({"a": GAPPED})
    for given in (GAPPED, [GAPPED], {"a": GAPPED}, GAPPED.astype(object), data_array, keyed):
        np.testing.assert_array_equal(timer_s1.predict(given, H).quantiles, expected)
    np.testing.assert_array_equal(timer_s1.predict(GAPPED.to_period("D"), H).quantiles, expected)
    paths = [timer_s1.sample_paths(one, H, 5, random_state=0) for one in (GAPPED, filled)]
    np.testing.assert_array_equal(*paths)


def test_both_series_of_a_data_array_have_the_gap():
    two = xr.DataArray(np.stack([GAPPED, GAPPED + 1]), {"day": GAPPED.index}, ["shop", "day"])
    found = as_series(two)
    assert [len(one) for one in found] == [300, 300]
    assert np.isnan(found[1][283:286]).all()


def test_anomalies_and_backtests_follow_the_filled_series(timer_s1):
    filled = GAPPED.asfreq("D")
    reports = [timer_s1.detect_anomalies(one).to_frame() for one in (GAPPED, filled)]
    pd.testing.assert_frame_equal(*reports)
    scores = [backtest(timer_s1, one, H, seasonality=7).scores for one in (GAPPED, filled)]
    pd.testing.assert_frame_equal(*scores)


INDEXES = {
    "days": DAYS[:100].delete([40, 41, 97]),
    "business days": pd.bdate_range("2024-01-01", periods=100).delete([7, 50]),
    "months": pd.date_range("2015-01-31", periods=100, freq="ME").delete([3, 96]),
    "quarters": pd.period_range("2000Q1", periods=60, freq="Q").delete([5, 6]),
    "hours of a zone": pd.date_range(
        "2024-03-25", periods=300, freq="h", tz="Europe/Berlin"
    ).delete([9, 200]),
    "local days in UTC": pd.date_range("2024-03-01", periods=90, tz="Europe/Berlin")
    .tz_convert("UTC")
    .delete([60]),
    "open hours": (lambda t: t[(t.hour >= 8) & (t.hour < 18) & (t.dayofweek < 6)])(
        pd.date_range("2024-01-01", periods=24 * 60, freq="h")
    ),
    "two times": DAYS[[0, 3]],
}


@pytest.mark.parametrize("name", INDEXES)
def test_a_series_has_the_forecast_of_its_frame(timer_s1, name):
    y = on(INDEXES[name])
    frame = pd.DataFrame({"t": y.index, "y": y.to_numpy()})
    expected = timer_s1.predict_frame(frame, H, time_column="t", target_columns="y")["q0.5"]
    np.testing.assert_allclose(timer_s1.predict(y, H).median[0], expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["days", "business days", "months", "open hours"])
def test_a_series_has_the_forecast_of_sktime(timer_s1, name):
    pytest.importorskip("sktime")
    from timer_forecaster.sktime import TimerS1Forecaster

    y = on(INDEXES[name])
    expected = TimerS1Forecaster("timer-s1-test").fit(y).predict(fh=[1, 2, 3])
    np.testing.assert_allclose(timer_s1.predict(y, H).median[0], expected, rtol=1e-5)


def test_a_series_without_a_step_has_that_of_the_others(timer_s1):
    sparse = on(DAYS[[0, 3, 8, 20, 21, 40]])  # of which most distances differ
    with pytest.raises(ValueError, match=r"series\[0\] has no evident frequency in its 6 times"):
        timer_s1.predict([sparse], H)
    half = on(DAYS[[0, 2, 3, 5, 7]])
    assert [len(one) for one in as_series([on(DAYS), half])] == [300, 8]


def test_irregular_times_are_refused_with_advice_that_works(timer_s1):
    series = on(DAYS[np.sort(np.random.default_rng(1).choice(300, 60, replace=False))])
    with pytest.raises(ValueError, match="no evident frequency in its 60 times") as caught:
        timer_s1.predict(series, H)
    for advice, steps in {"series.asfreq('D')": None, "series.to_numpy()": 60}.items():
        assert advice in str(caught.value)
        (found,) = as_series(eval(advice, {"series": series}))  # noqa: S307
        assert len(found) == (steps or (series.index[-1] - series.index[0]).days + 1)
    aggregated = str(caught.value).split("for example by ")[1].split(", or .mean()")[0]
    assert len(as_series(eval(aggregated, {"series": series}))[0]) > 3  # noqa: S307


@pytest.mark.parametrize("index", [DAYS[:9], DAYS[:9].to_period()])
def test_times_that_are_there_twice_are_refused_with_advice_that_works(index):
    series = on(index[[0, 1, 2, 2, 3, 4]])
    advice = "series.groupby(level=0).sum(min_count=1)"
    with pytest.raises(ValueError, match=r"the time 2024-01-03.* more than once") as caught:
        as_series(series)
    assert advice in str(caught.value)
    assert len(as_series(eval(advice, {"series": series}))[0]) == 5  # noqa: S307


def test_local_times_of_autumn_need_their_zone():
    utc = pd.date_range("2024-10-26 12:00", periods=48, freq="30min", tz="UTC")
    series = pd.Series(range(48), utc.tz_convert("Europe/Berlin").tz_localize(None))
    advice = "series.tz_localize('Europe/Berlin', ambiguous='infer')"
    with pytest.raises(ValueError, match="more than once") as caught:
        as_series(series)
    assert advice in str(caught.value)
    assert len(as_series(eval(advice, {"series": series}))[0]) == 48  # noqa: S307


def test_rows_without_a_time_are_refused_with_advice_that_works():
    series = on(pd.DatetimeIndex([*DAYS[:5], pd.NaT, *DAYS[5:8]]))
    advice = "series[series.index.notna()]"
    with pytest.raises(ValueError, match="1 rows without a time") as caught:
        as_series(series)
    assert advice in str(caught.value)
    assert len(as_series(eval(advice, {"series": series}))[0]) == 8  # noqa: S307


def test_a_series_that_cannot_be_read_has_no_forecast(timer_s1):
    twice = on(DAYS[[0, 1, 1, 2]])
    with pytest.warns(SeriesWarning, match="more than once"):
        forecast = timer_s1.predict([GAPPED, twice], H, on_error="nan")
    assert np.isnan(forecast.quantiles[1]).all()
    np.testing.assert_allclose(
        forecast.quantiles[:1], timer_s1.predict(GAPPED, H).quantiles, rtol=1e-5
    )


def test_times_go_on_after_the_last_one():
    (times,) = timed_series(GAPPED).times
    assert times.n_absent == 3
    assert times.with_future(2).equals(pd.date_range(DAYS[0], periods=302))


def of_arrow(days):
    import pyarrow as pa

    return pd.Index(pd.array(days, dtype=pd.ArrowDtype(pa.timestamp("ns"))))


@pytest.mark.parametrize(
    "kind",
    [
        of_arrow,
        lambda days: pd.Index(days.date),
        lambda days: pd.Index(days.to_pydatetime(), dtype=object),
    ],
    ids=["Arrow", "dates", "datetimes"],
)
def test_times_of_other_types_are_read(timer_s1, kind):
    other = GAPPED.set_axis(kind(GAPPED.index))
    assert not isinstance(other.index, pd.DatetimeIndex)
    expected = timer_s1.predict(GAPPED, H).quantiles
    np.testing.assert_array_equal(timer_s1.predict(other, H).quantiles, expected)
    with pytest.raises(ValueError, match=r"times that run backwards.*sort_index") as caught:
        timer_s1.predict(other[::-1], H)
    advice = str(caught.value).partition("pass ")[2].partition(", oldest")[0]
    mended = eval(advice, {"series": other[::-1], "pd": pd})  # noqa: S307
    np.testing.assert_array_equal(timer_s1.predict(mended, H).quantiles, expected)
