"""The mean cycle of a long season is taken out before the network reads a series."""

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference import profiles
from timer_forecaster.inference.profiles import LONG, add, mean_cycle, without

CONTEXT = 512
STEP = np.arange(168 * 10)
WEEK = np.random.default_rng(1).normal(size=7)[STEP // 24 % 7] * (STEP % 24 > 8)
DAY = np.sin(STEP * 2 * np.pi / 24)
NOISE = np.random.default_rng(2).normal(size=len(STEP))
WEEKLY = 3 * WEEK + DAY + 0.1 * NOISE


@pytest.fixture(scope="module")
def pipeline():
    return ForecastPipeline.from_pretrained("ttm-mini", device="cpu")


def loss(pipeline, series, rollout="auto", horizon=96):
    forecast = pipeline.predict(series[:-horizon], horizon, rollout=rollout)
    return np.abs(forecast.median[0] - series[-horizon:]).mean()


def test_a_week_of_hours_is_found():
    cycle = mean_cycle(WEEKLY, CONTEXT)
    assert cycle.shape == (168,)
    exact = (3 * WEEK + DAY)[:168]
    assert np.corrcoef(cycle, exact - exact.mean())[0, 1] > 0.99


@pytest.mark.parametrize(
    "series",
    [DAY + 0.1 * NOISE, NOISE, NOISE.cumsum(), 0.001 * STEP, np.ones(900), WEEKLY[:CONTEXT]],
    ids=["day", "noise", "walk", "line", "constant", "as long as the context"],
)
def test_series_without_a_long_season_stay_as_they_are(series):
    assert mean_cycle(series, CONTEXT) is None


def test_a_week_that_has_ended_is_not_taken_out():
    assert mean_cycle(np.concatenate([WEEKLY[:1008], DAY[1008:]]), CONTEXT) is None


@pytest.mark.parametrize("scale", [1e-300, 1e-9, -1.0, 1e9, 1e300])
def test_the_cycle_has_the_scale_of_the_series_and_not_its_level(scale):
    cycle = mean_cycle(WEEKLY, CONTEXT)
    np.testing.assert_allclose(mean_cycle(WEEKLY * scale, CONTEXT), cycle * scale, rtol=1e-9)
    np.testing.assert_allclose(mean_cycle(WEEKLY + 1e6, CONTEXT), cycle, atol=1e-6)


def test_gaps_are_left_out():
    holes = WEEKLY.copy()
    holes[np.random.default_rng(3).random(len(holes)) < 0.2] = np.nan
    holes[300:340] = np.nan
    cycle, whole = mean_cycle(holes, CONTEXT), mean_cycle(WEEKLY, CONTEXT)
    np.testing.assert_allclose(cycle, whole, atol=0.25)
    (rest,) = without([holes], [cycle])
    assert np.array_equal(np.isnan(rest), np.isnan(holes))


def test_a_place_of_the_cycle_without_values_stays_zero():
    holes = np.where(STEP % 168 < 10, np.nan, WEEKLY)
    cycle = mean_cycle(holes, CONTEXT)
    assert cycle is not None and (cycle[:10] == 0).all()  # the series ends with a whole week


def test_what_is_taken_out_is_added_again():
    cycle = mean_cycle(WEEKLY[:-50], CONTEXT)
    series = [WEEKLY[:-50], NOISE]
    rest = without(series, [cycle, None])
    assert rest[1] is NOISE
    quantiles = np.zeros((2, 200, 9))
    add(quantiles, [cycle, None])
    assert (quantiles[1] == 0).all()
    whole = np.concatenate([series[0] - rest[0], quantiles[0, :, 4]])
    np.testing.assert_allclose(whole[168:], whole[:-168], atol=1e-12)


@pytest.mark.parametrize("horizon", [96, 240])
def test_forecasts_of_long_seasons_improve(pipeline, horizon, monkeypatch):
    found = loss(pipeline, WEEKLY, horizon=horizon)
    monkeypatch.setattr(profiles, "mean_cycle", lambda values, context_length: None)
    assert found < 0.7 * loss(pipeline, WEEKLY, horizon=horizon)


def test_other_rollouts_read_the_series_as_it_is(pipeline, monkeypatch):
    plain = loss(pipeline, WEEKLY, "quantile")
    monkeypatch.setattr(profiles, "mean_cycle", lambda values, context_length: 1 / 0)
    assert loss(pipeline, WEEKLY, "quantile") == plain


def test_a_forecast_alone_is_that_in_a_panel(pipeline):
    together = pipeline.predict([NOISE, WEEKLY, DAY], 48).quantiles[1]
    alone = pipeline.predict(WEEKLY, 48).quantiles[0]
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-5)


def test_the_shortest_long_season_is_longer_than_a_day_of_hours():
    assert 24 < LONG <= 7 * 24
