"""Models that forecast windows."""

import numpy as np

from timer_forecaster.backtesting import models
from timer_forecaster.backtesting.data import Data
from timer_forecaster.backtesting.windows import Windows
from timer_forecaster.evaluation import LEVELS, naive_forecaster, seasonal_naive_quantiles
from timer_forecaster.frames.labels import Labels

SERIES = [np.arange(20.0) % 4, np.arange(20.0) % 3]
DATA = Data(SERIES, Labels.of_numbers([0, 1], [20, 20]), [None] * 2, [4, 3])
WINDOWS = Windows(np.array([0, 1]), np.array([12, 13]), 5)


def test_seasonal_naive_has_the_season_of_each_series():
    found = models.NaiveModel().forecast(DATA, WINDOWS, [0, 1], LEVELS).quantiles
    np.testing.assert_array_equal(found[0], seasonal_naive_quantiles(SERIES[0][:12], 5, 4))
    np.testing.assert_array_equal(found[1], seasonal_naive_quantiles(SERIES[1][:13], 5, 3))
    last = models.NaiveModel("last", models.NAIVE).forecast(DATA, WINDOWS, [1], [0.5]).quantiles
    assert (last == SERIES[1][12]).all()


def test_functions_get_further_levels_from_the_nine():
    model = models.FunctionModel("naive", naive_forecaster)
    found = model.forecast(DATA, WINDOWS, [0, 1], [0.05, *LEVELS]).quantiles
    np.testing.assert_allclose(
        found[..., 1:], naive_forecaster([SERIES[0][:12], SERIES[1][:13]], 5)
    )
    assert (found[..., 0] < found[..., 1]).all()
    wrong = models.FunctionModel("wrong", lambda contexts, horizon: np.zeros(3))
    answer = wrong.forecast(DATA, WINDOWS, [0, 1], LEVELS)
    assert answer.reasons[1] == "ValueError: it returned the shape (3,) instead of (2, 5, 9)"
    assert np.isnan(answer.quantiles).all()


def test_functions_may_change_their_contexts():
    def fills(contexts, horizon):
        for context in contexts:
            np.nan_to_num(context, copy=False, nan=100.0)
        return naive_forecaster(contexts, horizon)

    values = np.r_[np.nan, np.arange(19.0)]
    data = Data([values], Labels.of_numbers([0], [20]), [None], [4])
    windows = Windows(np.array([0]), np.array([12]), 5)
    models.FunctionModel("fills", fills).forecast(data, windows, [0], LEVELS)
    assert np.isnan(values[0])
