"""Short gaps are read as straight lines, and a gap at the end is forecast."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.gaps import bridged

MISSING = np.nan
RANDOM = np.random.default_rng(0)
WALKS = 100 * np.exp(np.cumsum(RANDOM.normal(0, 0.005, size=(40, 434)), axis=1))
CLOSED = np.arange(434) % 7 >= 5  # two days of each week


def median(forecast):
    return forecast.quantile(0.5)


def gap_of(steps, length=200):
    series = np.arange(float(length))
    series[100 : 100 + steps] = MISSING
    return series


@pytest.mark.parametrize(("steps", "is_filled"), [(1, True), (3, True), (4, False), (30, False)])
def test_a_short_gap_alone_becomes_a_line(steps, is_filled):
    series = gap_of(steps)
    expected = np.arange(200.0) if is_filled else series
    np.testing.assert_allclose(bridged(series), expected)


@pytest.mark.parametrize(("steps", "is_filled"), [(8, True), (15, True), (17, False)])
def test_longer_gaps_become_lines_where_most_patches_have_one(steps, is_filled):
    series = np.where(np.arange(480) % 24 < 24 - steps, np.arange(480.0), MISSING)
    expected = np.where(np.arange(480) < 480 - steps, np.arange(480.0), MISSING)
    np.testing.assert_allclose(bridged(series), expected if is_filled else series)


@pytest.mark.parametrize("before", [16, 400])
def test_missing_steps_before_the_first_value_are_no_gaps(embedded, before):
    series = gap_of(8)
    late = np.concatenate([np.full(before, MISSING), series])
    np.testing.assert_array_equal(bridged(late)[before:], series)
    found, expected = (embedded.predict(each, 5).quantiles for each in (late, series))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_missing_values_at_both_ends_stay():
    series = np.array([MISSING, 1.0, MISSING, 2.0, MISSING])
    np.testing.assert_array_equal(bridged(series), [MISSING, 1.0, 1.5, 2.0, MISSING])


def test_nothing_is_filled_without_a_value_or_without_a_gap():
    for series in (np.full(5, MISSING), np.arange(5.0), np.array([MISSING, 1.0])):
        assert bridged(series) is series


def test_large_values_do_not_overflow():
    assert bridged(np.array([1.7e308, MISSING, -1.7e308])).tolist() == [1.7e308, 0.0, -1.7e308]


@given(values=st.lists(st.one_of(st.just(MISSING), st.floats(-1e6, 1e6)), min_size=1, max_size=120))
def test_lines_lie_between_their_ends_and_change_no_value(values):
    series = np.array(values)
    seen = np.isfinite(series)
    filled = bridged(series)
    np.testing.assert_array_equal(filled[seen], series[seen])
    new = np.isfinite(filled) & ~seen
    if new.any():
        assert series[seen].min() - 1e-6 <= filled[new].min()
        assert filled[new].max() <= series[seen].max() + 1e-6


def test_closed_days_cost_no_accuracy(embedded):
    """A walk that rests on closed days, beside the same walk without these days."""
    rests = np.maximum.accumulate(np.where(CLOSED, -1, np.arange(434)))
    walks = WALKS[:, rests]
    past, future = np.where(CLOSED, MISSING, walks)[:, :420], walks[:, 420:]
    days = ~CLOSED[420:]
    found = median(embedded.predict(list(past), 14)).reshape(40, 14)
    dense = median(embedded.predict(list(walks[:, :420][:, ~CLOSED[:420]]), days.sum()))
    error = np.abs(found[:, days] / future[:, days] - 1).mean()
    assert error <= 1.05 * np.abs(dense.reshape(40, -1) / future[:, days] - 1).mean()
    on_closed = np.abs(found[:, ~days] / future[:, ~days] - 1).mean()
    assert on_closed <= 1.5 * error


@pytest.mark.parametrize("quality", ["fast", "best"])
@pytest.mark.parametrize("gap", [1, 5, 40])
def test_a_gap_at_the_end_is_forecast(embedded, gap, quality):
    cut = WALKS[0, : 420 - gap]
    series = np.concatenate([cut, np.full(gap, MISSING)])
    found = embedded.predict(series, 14, quality=quality).quantiles
    longer = embedded.predict(cut, 14 + gap, quality=quality).quantiles
    np.testing.assert_allclose(found, longer[:, gap:], rtol=1e-6)


def test_a_gap_beyond_one_pass_is_read_as_missing(embedded):
    long = np.concatenate([WALKS[0], np.full(embedded.network.pass_length + 1, MISSING)])
    plain = embedded.predict(long, 3, quality="plain")
    np.testing.assert_allclose(embedded.predict(long, 3).quantiles, plain.quantiles, rtol=1e-6)


def test_gaps_of_other_series_have_no_influence(embedded):
    panel = [WALKS[i, : 400 + i].copy() for i in range(6)]
    panel[1][-2:] = panel[3][-7:] = panel[4][50:53] = MISSING
    together = embedded.predict(panel, 20).quantiles
    for series, found in zip(panel, together, strict=True):
        alone = embedded.predict(series, 20).quantiles[0]
        np.testing.assert_allclose(found, alone, rtol=1e-4)


def test_plain_reads_gaps_as_they_are(embedded):
    series = np.where(CLOSED, MISSING, WALKS[0])
    plain, fast = (
        embedded.predict(series, 5, quality=each).quantiles for each in ("plain", "fast")
    )
    assert np.abs(plain / fast - 1).max() > 1e-4


def test_a_past_step_after_a_gap_is_forecast_as_by_predict():
    """Its context begins earlier than that of a complete series, by the gap that is forecast."""
    pytest.importorskip("sktime")
    from timer_forecaster.sktime import TimerS1Forecaster

    times = pd.date_range("2020-01-01", periods=4300, freq="h")
    y = pd.Series(np.sin(np.arange(4300) / 4) + RANDOM.normal(0, 0.1, 4300), times)
    y.iloc[-10:-2] = MISSING
    found = TimerS1Forecaster("timer-s1-mini").fit(y, fh=[-1]).predict().to_numpy().ravel()
    expected = ForecastPipeline.from_pretrained("timer-s1-mini").predict(y[:-2], 1).median[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
