"""What the search for anomalies promises, by both families (networks of random weights)."""

import numpy as np
import pytest

from timer_forecaster.inference import quantiles as quantile_function


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


def same(one, other, tolerance=1e-6):
    for name in ("log_p", "median", "lower", "upper"):
        first, second = getattr(one, name), getattr(other, name)
        np.testing.assert_allclose(first, second, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(one.reason, other.reason)


@pytest.mark.parametrize("horizon", [1, 3])
def test_each_step_is_judged_by_the_forecast_of_the_steps_before_it(pipe, horizon):
    y = walk(70)
    report = pipe.detect_anomalies(
        y, horizon=horizon, min_history=20, calibrate="off", repair=False
    )
    found, judged = report.judged[0], range(20 + horizon - 1, 70)
    assert np.flatnonzero(found.reason == 0).tolist() == list(judged)
    for step in judged:
        forecast = pipe.predict(y[: step - horizon + 1], horizon)
        own = forecast.quantiles[0, -1]
        assert found.median[step] == pytest.approx(forecast.median[0, -1], abs=1e-5)
        lower, upper = forecast.interval(0.99)
        assert found.lower[step] == pytest.approx(lower[0, -1], abs=1e-4)
        assert found.upper[step] == pytest.approx(upper[0, -1], abs=1e-4)
        reached = quantile_function.cdf(own, forecast.levels, y[step : step + 1])[0]
        p = 2 * min(reached, 1 - reached)
        assert report.p_values[0][step] == pytest.approx(p, rel=1e-3, abs=1e-12)
        assert np.sign(report.scores[0][step]) == (1 if reached > 0.5 else -1)


def test_later_histories_lack_very_odd_values(pipe, spiked):
    y = spiked.copy()
    y[100] = 1e6
    report = pipe.detect_anomalies(y, calibrate="table", repair=True)
    raw = pipe.detect_anomalies(y, calibrate="table", repair=False)
    assert report.p_values[0][100] < 0.002
    odd = np.flatnonzero(report.p_values[0] <= 0.002)
    first = int(odd[0])
    np.testing.assert_array_equal(report.p_values[0][: first + 1], raw.p_values[0][: first + 1])
    without = y[:102].copy()
    without[odd[odd <= 100]] = np.nan
    forecast = pipe.predict(without[:101], 1)
    assert report.medians[0][101] == pytest.approx(forecast.median[0, 0], abs=1e-5)
    assert raw.medians[0][101] != pytest.approx(forecast.median[0, 0], abs=1e-5)


@pytest.mark.parametrize("calibrate", ["auto", "table", "off"])
def test_a_series_is_judged_alone_as_in_a_panel_in_any_order(pipe, calibrate):
    series = [walk(60, 1), walk(90, 2), walk(45, 3) * 1e6, np.round(walk(70, 4))]
    together = pipe.detect_anomalies(series, calibrate=calibrate)
    back = pipe.detect_anomalies(series[::-1], calibrate=calibrate)
    for number, y in enumerate(series):
        alone = pipe.detect_anomalies(y, calibrate=calibrate).judged[0]
        same(together.judged[number], alone, 1e-4 * np.ptp(y))
        same(back.judged[-1 - number], alone, 1e-4 * np.ptp(y))


@pytest.mark.parametrize("factor, shift", [(1e-6, 0.0), (1e7, 0.0), (3.0, 1e4)])
def test_scale_and_level_change_no_score(pipe, factor, shift):
    y = walk(80)
    expected = pipe.detect_anomalies(y)
    moved = pipe.detect_anomalies(factor * y + shift)
    np.testing.assert_allclose(moved.scores[0], expected.scores[0], rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(moved.flags[0], expected.flags[0])
    medians = (moved.medians[0] - shift) / factor
    np.testing.assert_allclose(medians, expected.medians[0], atol=1e-4 * np.ptp(y))


@pytest.mark.parametrize("exact", [True, False])
def test_nothing_looks_ahead(timer_s1, exact):
    y = walk(120)
    later = y.copy()
    later[90:] = walk(30, 7) * 100
    early = timer_s1.detect_anomalies(y, exact=exact).judged[0]
    other = timer_s1.detect_anomalies(later, exact=exact).judged[0]
    cut = timer_s1.detect_anomalies(y[:90], exact=exact).judged[0]
    for name in ("log_p", "median", "lower", "upper"):
        expected = getattr(early, name)[:90]
        np.testing.assert_allclose(getattr(other, name)[:90], expected, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(getattr(cut, name), expected, rtol=1e-5, atol=1e-5)


def test_scores_do_not_depend_on_the_level(pipe):
    y = walk(80)
    low, high = pipe.detect_anomalies(y, 0.8), pipe.detect_anomalies(y, 0.99)
    np.testing.assert_array_equal(low.scores[0], high.scores[0])
    assert (low.flags[0] | ~high.flags[0]).all()


def test_what_could_not_be_judged_is_counted_by_reason(pipe):
    y = walk(80)
    y[[5, 50, 51]] = np.nan
    summary = pipe.detect_anomalies(y).summary.iloc[0]
    assert summary["steps"] == 80
    assert summary["missing"] == 3
    assert summary["short history"] == 32
    assert summary["judged"] == 45
    assert summary["no forecast"] == 0


def test_a_gap_longer_than_the_context_is_a_short_history(pipe):
    y = walk(130)
    y[50:90] = np.nan
    report = pipe.detect_anomalies(y, context_length=40, min_history=10)
    reasons = report.to_frame()["reason"]
    assert (reasons[90:100] == "short history").all()
    assert (reasons[100:] == "").all()


def test_bad_series_are_refused_or_left_out(pipe):
    good, bad, endless = walk(60), np.full(9, np.nan), np.array([1.0, np.inf])
    with pytest.raises(ValueError, match=r"series\[1\] holds 9 missing values only"):
        pipe.detect_anomalies([good, bad])
    with pytest.warns(UserWarning, match="2 of 3 series"):
        report = pipe.detect_anomalies([good, bad, endless], on_error="nan")
    assert set(report.failures) == {1, 2}
    assert report.summary["judged"].tolist() == [28, 0, 0]
    same(report.judged[0], pipe.detect_anomalies(good).judged[0])
