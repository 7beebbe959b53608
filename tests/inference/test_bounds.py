"""Forecasts that are never negative: predicted quantiles, tails, samples and paths."""

import pickle

import numpy as np
import pandas as pd
import pytest

from timer_forecaster import Forecast, ForecastPipeline
from timer_forecaster.failures import SeriesWarning
from timer_forecaster.inference import memo, prediction
from timer_forecaster.inference.covariates.plan import Plan
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.sampling.windows import PastWindows

RANDOM = np.random.default_rng(0)
COUNTS = RANDOM.poisson(0.8, size=400).astype(float)
LOADS = 2 + RANDOM.gamma(2.0, size=300)
SIGNED = RANDOM.normal(size=300)
SERIES = [COUNTS, LOADS, SIGNED]


@pytest.fixture(scope="module")
def plain_pipe():
    return ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")


def lowest(forecast):
    """Return the lowest value of each series that a forecast can give, whatever is asked."""
    values = [
        forecast.quantiles.min(axis=(1, 2)),
        forecast.quantile(0.001).min(axis=1),
        forecast.interval(0.999)[0].min(axis=1),
        forecast.mean.min(axis=1),
        forecast.sample(200, random_state=0).min(axis=(0, 2)),
        forecast.sample_paths(200, random_state=0).min(axis=(1, 2)),
        forecast.total([0.001], parts=1).min(axis=(1, 2)),
    ]
    return np.min(values, axis=0)


def test_forecasts_of_histories_without_negative_values_are_never_negative(embedded):
    found = embedded.predict(SERIES, 24)
    assert found.nonnegative.tolist() == [True, True, False]
    low = lowest(found)
    assert (low[:2] >= 0).all() and low[2] < 0
    assert (found.quantile(0.001)[0] == 0).any()  # the bound does something here


def test_false_cuts_nothing_off(embedded):
    found = embedded.predict(SERIES, 24, nonnegative=False)
    assert not found.nonnegative.any()
    free = Forecast(found.quantiles, found.levels)
    np.testing.assert_array_equal(found.quantile(0.001), free.quantile(0.001))
    assert (found.quantiles[0] >= 0).all()  # squares of roots are not negative by their form
    assert lowest(found)[0] < 0
    bounded = embedded.predict(SERIES, 24)
    np.testing.assert_array_equal(bounded.quantiles[2], found.quantiles[2])
    np.testing.assert_array_equal(bounded.variance[2], found.variance[2])


@pytest.mark.parametrize("quality", ["fast", "best", "plain"])
def test_true_holds_in_any_quality(embedded, quality):
    found = embedded.predict([COUNTS, LOADS], 24, nonnegative=True, quality=quality)
    assert found.nonnegative.all() and (lowest(found) >= 0).all()


def test_true_holds_for_any_checkpoint(plain_pipe):
    free, found = (plain_pipe.predict(COUNTS, 24, nonnegative=n) for n in ("auto", True))
    assert not free.nonnegative.any() and lowest(free)[0] < 0
    np.testing.assert_array_equal(found.quantiles, np.maximum(free.quantiles, 0))
    assert lowest(found)[0] >= 0


def test_plain_series_are_bounded_only_if_that_is_asked_for(embedded):
    assert not embedded.predict(COUNTS, 4, quality="plain").nonnegative.any()


def test_the_scale_is_kept(embedded):
    small, large = (embedded.predict(c * COUNTS, 24, nonnegative=True) for c in (1, 1024))
    for name in ("mean", "variance"):
        own, other = getattr(small, name), getattr(large, name)
        factor = 1024 if name == "mean" else 1024**2
        np.testing.assert_allclose(other, own * factor, rtol=2e-3, atol=1e-3 * factor)
    np.testing.assert_allclose(
        large.quantile(0.01), 1024 * small.quantile(0.01), rtol=1e-2, atol=20
    )


def test_moments_are_integrals_of_the_quantiles(embedded):
    found = embedded.predict(COUNTS, 3)
    levels = (np.arange(20_000) + 0.5) / 20_000
    values = np.array([found.quantile(level)[0] for level in levels[::10]])
    np.testing.assert_allclose(values.mean(axis=0), found.mean[0], rtol=5e-3)
    np.testing.assert_allclose(values.var(axis=0), found.variance[0], rtol=3e-2)


def test_negative_values_are_refused_by_name(plain_pipe):
    with pytest.raises(ValueError, match=r"series\[1\] has negative values, down to -5.*leave no"):
        plain_pipe.predict([COUNTS, np.array([1.0, -5.0, 2.0])], 4, nonnegative=True)
    with pytest.warns(SeriesWarning, match=r"negative values"):
        found = plain_pipe.predict([COUNTS, -LOADS], 4, nonnegative=True, on_error="nan")
    assert np.isfinite(found.quantiles[0]).all() and np.isnan(found.quantiles[1]).all()
    frame = pd.DataFrame(
        {
            "day": np.tile(pd.date_range("2024-01-01", periods=60), 2),
            "shop": np.repeat(["north", "south"], 60),
            "sold": np.concatenate([np.ones(60), np.linspace(1, -1, 60)]),
        }
    )
    names = {"time_column": "day", "id_column": "shop", "nonnegative": True}
    for ask in (plain_pipe.predict_frame, plain_pipe.backtest_frame):
        with pytest.raises(ValueError, match=r"'south'.*has negative values"):
            ask(frame, 4, **names)
    with pytest.raises(ValueError, match=r"'south'.*has negative values"):
        plain_pipe.detect_anomalies_frame(frame, **names)


def test_only_values_that_a_forecast_reads_are_refused(plain_pipe):
    series = np.concatenate([[-1.0], COUNTS])
    expected = plain_pipe.predict(COUNTS, 4, nonnegative=True, context_length=400)
    found = plain_pipe.predict(series, 4, nonnegative=True, context_length=400)
    np.testing.assert_array_equal(found.quantiles, expected.quantiles)
    gaps = np.where(RANDOM.random(400) < 0.2, np.nan, COUNTS)
    assert plain_pipe.predict(gaps, 4, nonnegative=True).nonnegative.all()


def test_frames_have_tails_above_zero(embedded):
    frame = pd.DataFrame({"t": np.arange(400), "y": COUNTS})
    found = embedded.predict_frame(frame, 12, time_column="t", levels=[0.001, 0.5])
    assert (found["q0.001"] >= 0).all()
    free = embedded.predict_frame(frame, 12, time_column="t", levels=[0.001], nonnegative=False)
    assert (free["q0.001"] < 0).any()
    paths = embedded.sample_paths_frame(frame, 12, 200, time_column="t", random_state=0)
    assert (paths["value"] >= 0).all()


def test_backtests_have_tails_above_zero(plain_pipe):
    frame = pd.DataFrame({"t": np.arange(400), "y": COUNTS})
    lowest_of = {}
    for choice in ("auto", True):
        result = plain_pipe.backtest_frame(
            frame, 8, time_column="t", windows=2, levels=[0.001], nonnegative=choice
        )
        own = result.forecasts.query("model == 'timer-s1-test'")
        lowest_of[choice] = own["q0.001"].min()
    assert lowest_of["auto"] < 0 <= lowest_of[True]


def test_past_windows_score_by_the_bounded_forecast(embedded, monkeypatch):
    given, scores = [], PastWindows.scores

    def noted(*arguments):
        given.append(arguments[-1])
        return scores(*arguments)

    monkeypatch.setattr(PastWindows, "scores", noted)
    embedded.predict([COUNTS, SIGNED], 8, past_windows=2)
    assert given[0].ravel().tolist() == [0, 0, -np.inf, -np.inf]


def test_the_memory_keeps_the_bound_of_each_series(embedded):
    series = [COUNTS, SIGNED, COUNTS, np.full(9, np.nan)]
    for _ in range(2):  # computed, then recalled
        found = memo.predict(embedded, series, 4, unobserved="nan")
        assert found.nonnegative.tolist() == [True, False, True, False]
    free = memo.predict(embedded, series, 4, ForecastOptions(nonnegative=False), unobserved="nan")
    assert not free.nonnegative.any()
    memo.prefetch(embedded, [memo.Question([SIGNED], 5), memo.Question([COUNTS], 5)])
    assert memo.predict(embedded, [COUNTS], 5).nonnegative.tolist() == [True]
    assert memo.predict(embedded, [SIGNED], 5).nonnegative.tolist() == [False]


def test_pickles_keep_the_bound_and_older_ones_have_none(plain_pipe):
    found = plain_pipe.predict(COUNTS, 4, nonnegative=True)
    copy = pickle.loads(pickle.dumps(found))  # noqa: S301
    np.testing.assert_array_equal(copy.quantile(0.001), found.quantile(0.001))
    older = found.__dict__.copy()
    del older["nonnegative"]
    restored = Forecast.__new__(Forecast)
    restored.__setstate__(older)
    assert restored.nonnegative.tolist() == [False]


PRICES = 1 + RANDOM.random((412, 1))


@pytest.mark.parametrize("covariates", ["auto", "always"])
def test_forecasts_with_covariates_are_bounded_by_the_target(embedded, covariates):
    sold = np.maximum(3 - 2 * PRICES[:400, 0] + 0.4 * RANDOM.normal(size=400), 0)
    found = embedded.predict(sold, 12, known=PRICES, covariates=covariates)
    assert found.nonnegative.tolist() == [True] and lowest(found)[0] >= 0
    free = embedded.predict(sold, 12, known=PRICES, covariates=covariates, nonnegative=False)
    assert lowest(free)[0] < 0


def test_remainders_of_covariates_are_not_cut_off(embedded, monkeypatch):
    """A signed target whose remainders happen to have no negative value, and fall."""
    remainder, read = Plan.remainder, []
    forecast_read = prediction.forecast_read

    def falling(plan, model, *span):
        found = remainder(plan, model, *span)
        return np.linspace(4, 0.01, len(found)) if model else found

    def watched(*given):
        read.append((given[1], forecast_read(*given)))
        return read[-1][1].copy()

    monkeypatch.setattr(Plan, "remainder", falling)
    monkeypatch.setattr(prediction, "forecast_read", watched)
    signed = 3 * PRICES[:400, 0] - 4.5 + RANDOM.normal(size=400)
    asked = {"known": PRICES, "covariates": "always"}
    auto = embedded.predict(signed, 12, **asked)
    free = embedded.predict(signed, 12, nonnegative=False, **asked)
    series, found = read[0]
    own = [values.min() >= 0 for values in series]
    assert any(own) and (found[own] < 0).any()
    np.testing.assert_array_equal(auto.quantiles, free.quantiles)
    assert not auto.nonnegative.any()


def test_true_accepts_negative_remainders(embedded):
    sold = 6 - 2 * PRICES[:400, 0] + 0.1 * RANDOM.normal(size=400)
    assert (sold > 0).all()
    found = embedded.predict(sold, 12, known=PRICES, covariates="always", nonnegative=True)
    assert np.isfinite(found.quantiles).all() and found.nonnegative.all()


@pytest.mark.parametrize("exact", [True, False])
def test_anomalies_are_judged_by_quantiles_that_the_option_cuts(plain_pipe, exact):
    asked = {"level": 0.6, "min_history": 60, "calibrate": "off", "repair": False, "exact": exact}
    free, cut = (  # the lower limit lies between predicted quantiles
        plain_pipe.detect_anomalies(COUNTS[:120], nonnegative=n, **asked).to_frame()["lower"]
        for n in (False, True)
    )
    assert free.min() < 0 <= cut.min()


def test_a_search_for_anomalies_refuses_negative_values_anywhere(plain_pipe):
    series = np.concatenate([[1.0, -1.0], COUNTS[:100]])
    with pytest.raises(ValueError, match=r"series\[0\] has negative values, down to -1"):
        plain_pipe.detect_anomalies(series, context_length=32, nonnegative=True)
