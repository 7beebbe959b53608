"""Past windows of series, and their scores."""

import numpy as np
import pytest

from timer_forecaster.inference.covariates.columns import Column, Covariates
from timer_forecaster.inference.sampling.windows import PastWindows

LEVELS = (0.1, 0.5, 0.9)


def series_of(*lengths):
    return [np.arange(float(length)) for length in lengths]


def test_the_newest_windows_end_with_the_series():
    series = series_of(100, 60)
    found = PastWindows.of(series, 2, 10, 1)
    assert found.numbers == [0, 0, 1, 1]
    assert found.origins == [90, 80, 50, 40]
    assert [len(one) for one in found.contexts(series)] == found.origins
    assert found.take("ab") == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    ("length", "count", "steps", "origins"),
    [
        (41, 4, 10, []),  # 31 steps before it
        (42, 4, 10, [32]),
        (52, 4, 10, [42, 32]),
        (200, 3, 50, [150, 100]),  # twice 50 steps before each
        (36, 8, 1, [35, 34, 33, 32]),
        (0, 4, 10, []),
        (100, 0, 10, []),
    ],
)
def test_each_window_has_a_context(length, count, steps, origins):
    assert PastWindows.of(series_of(length), count, steps, 1).origins == origins


def test_missing_values_at_the_start_are_no_context():
    (series,) = series_of(60)
    series[:20] = np.nan
    assert PastWindows.of([series], 4, 8, 1).origins == [52]


def test_series_of_one_row_have_the_same_windows():
    found = PastWindows.of(series_of(60, 60, 100, 100), 2, 10, 2)
    assert found.numbers == [0, 1, 0, 1, 2, 3, 2, 3]
    assert found.origins == [50, 50, 40, 40, 90, 90, 80, 80]
    assert PastWindows.of(series_of(60, 60, 100, 100), 2, 10, 2, {1: "bad"}).numbers == [2, 3] * 2


def test_covariates_end_with_what_a_forecast_knows():
    known, past = Column("k", np.arange(110.0)), Column("p", np.arange(100.0))
    found = PastWindows.of(series_of(100), 2, 10, 1).covariates([Covariates([known], [past])])
    assert [len(one.known[0].values) for one in found] == [100, 90]
    assert [len(one.past[0].values) for one in found] == [90, 80]


def test_scores_are_missing_where_they_would_say_nothing():
    (series,) = series_of(60)
    series[51] = np.nan
    windows = PastWindows.of([series], 1, 10, 1)
    quantiles = np.stack([series[50:] - 1, series[50:], series[50:] + 1], axis=-1)[None]
    quantiles[0, 2] = [2.0, 52.0, 52.0]  # the value lies on a point mass
    quantiles[0, 3] = [9.0, 9.0, 9.0]  # one value
    quantiles[0, 4] += 1e9  # far out
    quantiles[0, 5] = np.nan  # no forecast
    quantiles[0, 6] -= 1  # the 0.9 quantile
    scores = windows.scores([series], quantiles, LEVELS)[0]
    np.testing.assert_array_equal(np.isnan(scores), [i in (1, 2, 3, 5) for i in range(10)])
    assert scores[0] == pytest.approx(0)
    assert scores[4] == pytest.approx(-3.0902, abs=1e-4)
    assert scores[6] == pytest.approx(1.2816, abs=1e-4)


def test_a_value_at_the_floor_of_its_forecast_has_no_score():
    series = np.concatenate([np.ones(50), np.zeros(5), np.ones(5)])
    quantiles = np.tile([0.5, 1.0, 2.0], (1, 10, 1))
    windows = PastWindows.of([series], 1, 10, 1)
    free = windows.scores([series], quantiles, LEVELS)[0]
    bounded = windows.scores([series], quantiles, LEVELS, np.zeros((1, 1)))[0]
    assert np.isfinite(free).all() and np.isnan(bounded[:5]).all()
    np.testing.assert_array_equal(bounded[5:], free[5:])


def test_each_series_learns_from_its_own_windows():
    series = [np.random.default_rng(0).normal(size=200), np.zeros(20), np.arange(200.0)]
    windows = PastWindows.of(series, 2, 20, 1)
    weights = np.full((3, 10), 0.1)
    scores = np.stack([np.random.default_rng(1).normal(size=20)] * 2 + [np.full(20, 2.0)] * 2)
    found = windows.updated(weights, scores)
    np.testing.assert_array_equal(found[1], weights[1])
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found[0, 0] > 0.1 > found[2, 0]
