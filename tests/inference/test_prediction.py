"""From series to quantiles: checks, missing values, both signs."""

import dataclasses

import numpy as np
import pytest
from ttm import SHARED, ParityModel

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference import rows as network_rows
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.prediction import checked, predict_quantiles
from timer_forecaster.inference.rows import scaled_rows


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


def test_missing_values_in_the_middle(timer_s1):
    series = walk(200)
    holes = series.copy()
    holes[np.random.default_rng(1).random(200) < 0.1] = np.nan
    forecast = timer_s1.predict([holes, series], 48).quantiles
    assert np.isfinite(forecast).all()
    assert not np.allclose(forecast[0], forecast[1])
    # What is missing cannot matter, and statistics are those of the observed values.
    row = scaled_rows(timer_s1.network, [holes])[0]
    np.testing.assert_allclose(row.location, np.nanmean(holes))
    np.testing.assert_allclose(row.scale, np.nanstd(holes))


def test_trailing_missing_values_move_the_forecast_on(timer_s1):
    series = walk(120)
    trailing = np.concatenate([series, np.full(5, np.nan)])
    row = scaled_rows(timer_s1.network, [trailing])[0]
    assert len(row.values) == 125 and np.isnan(row.values[-5:]).all()
    forecast = timer_s1.predict([trailing, series], 20).quantiles
    assert np.isfinite(forecast).all()
    assert not np.allclose(forecast[0], forecast[1])


def test_networks_without_interior_masks_see_the_last_observed_value(timer_s1, monkeypatch):
    holes = np.array([np.nan, 1.0, np.nan, np.nan, 3.0, 2.0, np.nan])
    monkeypatch.setattr(timer_s1.network.config, "interior_masks", False)
    row = scaled_rows(timer_s1.network, [holes])[0]
    np.testing.assert_allclose(
        row.values * row.scale + row.location, [1.0, 1.0, 1.0, 3.0, 2.0, 2.0], atol=1e-12
    )


def test_rounding_noise_on_a_level_counts_as_constant(timer_s1):
    series = np.full(50, 0.1) + 1e-18
    series[::2] = np.nextafter(0.1, 1)
    assert np.ptp(timer_s1.predict(series, 5).quantiles) < 1e-15


def test_flip_makes_the_forecast_odd(mini):
    series = walk(500)
    up = mini.predict(series, 60, flip=True).quantiles
    down = mini.predict(-series, 60, flip=True).quantiles
    np.testing.assert_allclose(up, -down[..., ::-1], rtol=1e-5, atol=1e-5)
    plain = mini.predict(series, 60).quantiles
    mirrored = -mini.predict(-series, 60).quantiles[..., ::-1]
    np.testing.assert_allclose(up, (plain + mirrored) / 2, rtol=1e-5, atol=1e-5)
    assert np.abs(plain - mirrored).max() > 1e-3


def test_flip_needs_symmetric_levels(timer_s1, monkeypatch):
    lopsided = dataclasses.replace(timer_s1.network.config, quantiles=(0.1, 0.5, 0.8))
    monkeypatch.setattr(timer_s1.network, "config", lopsided)
    with pytest.raises(ValueError, match="need levels symmetric"):
        timer_s1.predict(walk(100), 4, flip=True)


def test_a_forecast_is_the_pipelines(timer_s1):
    series, options = [walk(80), np.full(9, 4.0)], ForecastOptions(40, "median", True, 1)
    quantiles = predict_quantiles(timer_s1.network, series, 70, options)
    expected = timer_s1.predict(series, 70, **dataclasses.asdict(options)).quantiles
    np.testing.assert_array_equal(quantiles, expected)
    assert quantiles.shape == (2, 70, 9)


def test_constant_series_alone_need_no_network(timer_s1):
    for flip in (False, True):
        quantiles = predict_quantiles(
            timer_s1.network, [np.ones(5)], 40, ForecastOptions(flip=flip)
        )
        np.testing.assert_array_equal(quantiles, np.ones((1, 40, 9)))


def test_series_are_cut_and_then_checked(timer_s1):
    series = [walk(30), np.append(walk(20), [np.nan] * 10)]
    assert [len(values) for values in checked(timer_s1.network, series, None)] == [30, 30]
    assert [len(values) for values in checked(timer_s1.network, series, 12)] == [12, 12]
    with pytest.raises(ValueError, match=r"series\[1\] has no observed value in its newest 10"):
        checked(timer_s1.network, series, 10)


def test_no_row_is_scaled_in_vain(mini, monkeypatch):
    """Of two passes: the series, and its phases at strides of 2 and 4."""
    lengths = []
    scaled = network_rows.scaled_together
    monkeypatch.setattr(
        network_rows,
        "scaled_together",
        lambda many, *rest: lengths.extend(map(len, many)) or scaled(many, *rest),
    )
    predict_quantiles(mini.network, [walk(2000)], 200, ForecastOptions(rollout="multiscale"))
    assert lengths == [2000] + [1000] * 2 + [500] * 4


def test_released_padding_gives_the_released_numbers():
    """A row of 300 steps for a context of 512: zeros, which count as observed."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the shared parity models in {SHARED}")

    parity = ParityModel(SHARED / "r1")
    short = parity.golden["case05.past_values"][..., 0].double().numpy()
    golden = parity.golden["case05.out.prediction_outputs"][..., 0].numpy()
    assert short.shape[1] == 300
    point = ForecastPipeline.from_pretrained(SHARED / "r1", device="cpu")
    found = point.predict(short, golden.shape[1], padding="released").median
    assert np.abs(found - golden).max() <= 1e-4 * np.abs(golden).max()
    mean = point.predict(short, golden.shape[1]).median
    assert np.abs(mean - golden).max() > 0.1 * np.abs(golden).max()


def test_padding_concerns_short_series_alone(ttm):
    rows = [walk(50), walk(128, 1), walk(300, 2), np.full(20, 4.0)]
    mean, released = (ttm.predict(rows, 40, padding=how).quantiles for how in ("mean", "released"))
    assert np.abs(mean[0] - released[0]).max() > 1e-3
    np.testing.assert_allclose(mean[1:], released[1:], rtol=1e-5)
    with_zeros = ttm.predict(np.concatenate([np.zeros(78), rows[0]]), 40).quantiles
    np.testing.assert_allclose(released[:1], with_zeros, rtol=1e-5, atol=1e-5)
    missing = np.concatenate([np.full(9, np.nan), rows[0]])
    again = ttm.predict(missing, 40, padding="released").quantiles
    np.testing.assert_allclose(again, released[:1], rtol=1e-5, atol=1e-5)


def test_released_padding_of_both_signs_and_of_covariates(ttm):
    series = 30 + walk(100)
    up = ttm.predict(series, 20, flip=True, padding="released").quantiles
    down = ttm.predict(-series, 20, flip=True, padding="released").quantiles
    np.testing.assert_allclose(up, -down[..., ::-1], rtol=1e-4, atol=1e-4)
    prices = np.random.default_rng(5).normal(size=104)
    known = {"price": prices}
    forecasts = [
        ttm.predict(series + 3 * prices[:100], 4, known=known, padding=how).quantiles
        for how in ("mean", "released")
    ]
    assert np.isfinite(forecasts).all()
    assert np.abs(forecasts[0] - forecasts[1]).max() > 1e-4


def test_released_padding_is_refused_where_a_short_series_stays_short(timer_s1):
    known = {"price": np.arange(54.0)}
    for options in ({}, {"known": known}):
        with pytest.raises(ValueError, match=r"padding='released'.*'timer-s1-test' reads a"):
            timer_s1.predict(walk(50), 4, padding="released", **options)
