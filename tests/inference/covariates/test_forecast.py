"""Covariates through `ForecastPipeline.predict`: they help, and they follow laws."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.inference.covariates import CovariateOptions, CovariateWarning

HORIZON = 6


def example(seed=0, steps=160):
    """A series that a numeric column and a category explain, with their future."""
    random = np.random.default_rng(seed)
    price = random.normal(size=steps + HORIZON)
    event = np.where(random.random(steps + HORIZON) < 0.2, "sale", "none")
    event[[0, 1]] = ["sale", "none"]
    level = 20 + 2 * price + 4 * (event == "sale") + 0.2 * random.normal(size=steps + HORIZON)
    return level[:steps], pd.DataFrame({"price": price, "event": event}), level[steps:]


def quantiles(timer_s1, series, known, horizon=HORIZON, **options):
    return timer_s1.predict(series, horizon, known=known, **options).quantiles


def test_columns_that_explain_a_series_improve_its_forecast(mini):
    series, known, actual = example()
    plain = mini.predict(series, HORIZON).median[0]
    forecast = mini.predict(series, HORIZON, known=[known])
    assert np.abs(forecast.median[0] - actual).mean() < 0.4 * np.abs(plain - actual).mean()
    report = forecast.covariates
    assert report.gain[0] > 0.3 and report.t[0] > 2 and report.weights[0, 0] < 0.5
    np.testing.assert_allclose(report.weights.sum(axis=1), 1)


def test_effects_are_the_terms_of_each_column(mini):
    series, known, _ = example()
    forecast = mini.predict(series, HORIZON, known=[known], covariates="always")
    price, event = forecast.covariates.effects[0]
    expected = 2 * known["price"].to_numpy()[-HORIZON:]
    np.testing.assert_allclose(price, expected - 2 * known["price"].mean(), atol=0.6)
    assert np.ptp(event) == pytest.approx(
        4 * np.ptp((known["event"][-HORIZON:] == "sale") * 1.0), abs=0.6
    )


def test_off_and_no_columns_are_the_plain_forecast_to_the_bit(timer_s1):
    series, known, _ = example()
    plain = timer_s1.predict(series, HORIZON)
    for forecast in (
        timer_s1.predict(series, HORIZON, known=[known], covariates="off"),
        timer_s1.predict(series, HORIZON, covariates="always"),
    ):
        np.testing.assert_array_equal(forecast.quantiles, plain.quantiles)
        assert forecast.covariates is None


@pytest.mark.parametrize("mode", ["auto", "always", "fast"])
def test_a_series_alone_equals_itself_in_a_panel(timer_s1, mode):
    parts = [example(seed, 100 + 30 * seed)[:2] for seed in range(3)]
    together = quantiles(timer_s1, [s for s, _ in parts], [k for _, k in parts], covariates=mode)
    alone = [quantiles(timer_s1, s, [k], covariates=mode)[0] for s, k in parts]
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-4)


def test_the_future_of_one_series_does_not_change_another(timer_s1):
    parts = [example(seed)[:2] for seed in range(2)]
    before = quantiles(timer_s1, [s for s, _ in parts], [k for _, k in parts])
    changed = parts[1][1].copy()
    changed.loc[changed.index[-HORIZON:], "price"] *= 2
    after = quantiles(timer_s1, [s for s, _ in parts], [parts[0][1], changed])
    np.testing.assert_allclose(after[0], before[0], rtol=1e-6)
    assert not np.allclose(after[1], before[1])


def test_the_order_of_columns_and_older_rows_do_not_matter(timer_s1):
    series, known, _ = example()
    expected = quantiles(timer_s1, series, [known])
    reordered = known[["event", "price"]]
    np.testing.assert_allclose(quantiles(timer_s1, series, [reordered]), expected, rtol=1e-5)
    older = pd.concat([known.iloc[:9], known], ignore_index=True)
    np.testing.assert_array_equal(quantiles(timer_s1, series, [older]), expected)


@pytest.mark.parametrize("factor", [2.0**-40, 1e-3, 1e7, 1e280])
def test_the_unit_of_series_and_columns_does_not_matter(timer_s1, factor):
    series, known, _ = example()
    expected = quantiles(timer_s1, series, [known])
    scaled = known.assign(price=known["price"] * 1e5 + 3)
    found = quantiles(timer_s1, series * factor, [scaled]) / factor
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_past_columns_are_read_with_a_delay(mini):
    random = np.random.default_rng(1)
    lead = random.normal(size=300)
    series = 10 + np.r_[np.zeros(HORIZON), 3 * lead[:-HORIZON]] + 0.1 * random.normal(size=300)
    forecast = mini.predict(series, HORIZON, past=[{"lead": lead}])
    expected = 10 + 3 * lead[-HORIZON:]
    assert np.abs(forecast.median[0] - expected).mean() < 1.0


@pytest.mark.filterwarnings("ignore:.*too short")
@pytest.mark.parametrize(
    "options", [{"flip": True}, {"context_length": 60}, {"rollout": "median"}, {"batch_size": 2}]
)
@pytest.mark.parametrize("horizon", [1, HORIZON, 40])
def test_options_and_horizons_beyond_one_pass(timer_s1, options, horizon):
    random = np.random.default_rng(0)
    column = random.normal(size=150 + horizon)
    series = 5 + column[:150] + 0.1 * random.normal(size=150)
    found = timer_s1.predict(series, horizon, known=[{"x": column}], covariates="always", **options)
    assert found.quantiles.shape == (1, horizon, 9)
    assert (np.diff(found.quantiles, axis=-1) >= -1e-9).all()
    assert np.corrcoef(found.median[0], column[150:])[0, 1] > 0.5 if horizon > 1 else True


def test_gaps_constants_and_short_series(timer_s1):
    series, known, _ = example()
    holes = series.copy()
    holes[10:40] = np.nan
    assert np.isfinite(quantiles(timer_s1, holes, [known])).all()
    with pytest.warns(CovariateWarning, match="too short"):
        short = quantiles(timer_s1, series[:8], [known.iloc[-14:]])
    np.testing.assert_array_equal(short, timer_s1.predict(series[:8], HORIZON).quantiles)
    with pytest.warns(CovariateWarning, match="too short; covariates have half of the weight"):
        quantiles(timer_s1, series[:8], [known.iloc[-14:]], covariates="always")
    constant = quantiles(timer_s1, np.full(50, 3.0), [known])
    np.testing.assert_allclose(constant, 3.0, atol=1e-6)


def test_a_column_without_values_is_not_called_constant(timer_s1):
    series, known, _ = example()
    empty = known.assign(empty=np.r_[np.full(len(series), np.nan), np.ones(HORIZON)])
    with pytest.warns(CovariateWarning, match="'empty' has too few values in the history"):
        quantiles(timer_s1, series, [empty])


def test_numbers_near_the_largest_float_are_read(timer_s1):
    series, known, _ = example()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = quantiles(timer_s1, series, [known.assign(price=known["price"] * 1e300)])
    np.testing.assert_allclose(found, quantiles(timer_s1, series, [known]), rtol=1e-5, atol=1e-5)


def test_a_series_that_fails_leaves_the_others(timer_s1):
    series, known, _ = example()
    bad = known.assign(price=np.r_[known["price"][:-1], np.inf])
    with pytest.raises(ValueError, match=r"known\[1\] column 'price' is infinite"):
        timer_s1.predict([series, series], HORIZON, known=[known, bad])
    with pytest.warns(UserWarning, match="1 of 3 series"):
        found = timer_s1.predict(
            [series] * 3,
            HORIZON,
            known=[known, bad, known],
            on_error="nan",
        )
    assert np.isnan(found.quantiles[1]).all() and np.isfinite(found.quantiles[[0, 2]]).all()


def test_a_forecast_with_covariates_is_pickled(timer_s1):
    series, known, _ = example()
    forecast = timer_s1.predict(series, HORIZON, known=[known], covariates=CovariateOptions())
    copy = pickle.loads(pickle.dumps(forecast))  # noqa: S301
    np.testing.assert_array_equal(copy.covariates.weights, forecast.covariates.weights)


def test_no_warning_without_a_reason(timer_s1):
    series, known, _ = example()
    known["price"] = known["price"].clip(-1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quantiles(timer_s1, series, [known])
