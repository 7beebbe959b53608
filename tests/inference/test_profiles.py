"""The mean cycle of a long season is taken out before the network reads a series."""

import numpy as np
import pytest

from timer_forecaster.inference import readings
from timer_forecaster.inference.multiscale import LOOK_BACK
from timer_forecaster.inference.profiles import LEAST_STEPS, LONG, Gate, relieve, repeated

GATE = Gate(0.8)
STEP = np.arange(168 * 10)
WEEK = np.random.default_rng(1).normal(size=7)[STEP // 24 % 7] * (STEP % 24 > 8)
DAY = np.sin(STEP * 2 * np.pi / 24)
NOISE = np.random.default_rng(2).normal(size=len(STEP))
WEEKLY = 3 * WEEK + DAY + 0.1 * NOISE
EXACT = (3 * WEEK + DAY)[:168]


def loss(embedded, series, quality="fast", horizon=96):
    forecast = embedded.predict(series[:-horizon], horizon, quality=quality)
    return np.abs(forecast.median[0] - series[-horizon:]).mean()


def test_a_week_of_hours_is_found():
    rest, (cycle, share) = relieve(WEEKLY, GATE)
    assert 0.9 < share <= 1
    assert cycle.shape == (168,)
    assert np.corrcoef(cycle, EXACT - EXACT.mean())[0, 1] > 0.99
    assert rest[168:].std() < 0.1 * WEEKLY.std()


@pytest.mark.parametrize(
    "series",
    [DAY + 0.1 * NOISE, NOISE, NOISE.cumsum(), 0.001 * STEP, np.ones(900), WEEKLY[:LEAST_STEPS]],
    ids=["day", "noise", "walk", "line", "constant", "few steps"],
)
def test_series_without_a_long_season_stay_as_they_are(series):
    rest, season = relieve(series, GATE)
    assert rest is series and season is None


def test_a_week_that_has_ended_is_not_taken_out():
    assert relieve(np.concatenate([WEEKLY[:1008], DAY[1008:]]), GATE)[1] is None


def test_a_smooth_series_with_a_rough_cycle_is_kept_where_steps_count():
    """The mean of rough cycles explains the level of a smooth series, and not its steps."""
    smooth = 5 * np.sin(STEP * 2 * np.pi / 168) + NOISE.cumsum() / 20
    assert relieve(smooth, Gate(0.5))[1] is not None
    assert relieve(smooth, Gate(0.5, 0.99))[1] is None


@pytest.mark.parametrize("scale", [1e-300, 1e-9, -1.0, 1e9, 1e300])
def test_the_cycle_has_the_scale_of_the_series_and_not_its_level(scale):
    rest, (cycle, _) = relieve(WEEKLY, GATE)
    scaled_rest, (scaled_cycle, _) = relieve(WEEKLY * scale, GATE)
    np.testing.assert_allclose(scaled_cycle, cycle * scale, rtol=1e-9, atol=1e-12 * abs(scale))
    np.testing.assert_allclose(scaled_rest, rest * scale, rtol=1e-9, atol=1e-12 * abs(scale))
    np.testing.assert_allclose(relieve(WEEKLY + 1e6, GATE)[1].cycle, cycle, atol=1e-6)


def test_gaps_are_left_out():
    holes = WEEKLY.copy()
    holes[np.random.default_rng(3).random(len(holes)) < 0.2] = np.nan
    holes[300:340] = np.nan
    rest, (cycle, _) = relieve(holes, GATE)
    np.testing.assert_allclose(cycle, relieve(WEEKLY, GATE)[1].cycle, atol=0.25)
    assert np.array_equal(np.isnan(rest), np.isnan(holes))


def test_a_place_of_the_cycle_without_values_stays_zero():
    _, (cycle, _) = relieve(np.where(STEP % 168 < 10, np.nan, WEEKLY), GATE)
    assert (cycle[:10] == 0).all()  # the series ends with a whole week


def test_a_step_is_relieved_of_what_was_known_before_it():
    """So the rest is as uncertain as the future: later values change no earlier step."""
    changed = WEEKLY.copy()
    changed[-100:] += 0.3 * NOISE[-100:]
    (rest, season), (other, _) = relieve(WEEKLY, GATE), relieve(changed, GATE)
    share = (WEEKLY - rest)[168 * 5 : 168 * 9] / (changed - other)[168 * 5 : 168 * 9]
    np.testing.assert_allclose(share, share[0], rtol=1e-6)
    assert len(season.cycle) == 168


@pytest.mark.parametrize("back", [0, 24, 100])
def test_a_forecast_from_an_earlier_step_adds_what_was_known_there(back):
    _, season = relieve(WEEKLY, GATE)
    end, zeros = len(WEEKLY) - back, np.zeros((48, 3))
    found = season.added(zeros, WEEKLY[:end])
    np.testing.assert_allclose(found[:, 0], relieve(WEEKLY[:end], GATE)[1].cycle[:48], rtol=0.05)
    expected = np.roll(EXACT - EXACT.mean(), back)[:48]
    assert np.corrcoef(found[:, 0], expected)[0, 1] > 0.99
    if not back:
        np.testing.assert_allclose(found, season.added(zeros), rtol=1e-9)


def test_a_cycle_is_repeated_beyond_the_series():
    assert np.array_equal(repeated(np.arange(168.0), 400), np.arange(400) % 168)


def test_the_newest_steps_are_read():
    long = np.tile(EXACT, 400)
    rest, (cycle, _) = relieve(long, GATE)
    assert len(rest) == LOOK_BACK and np.ptp(rest) < 1e-9
    np.testing.assert_allclose(cycle, np.resize(EXACT - EXACT.mean(), 168), atol=1e-9)


@pytest.mark.parametrize("horizon", [96, 240])
def test_forecasts_of_long_seasons_improve(embedded, horizon):
    found = loss(embedded, WEEKLY, horizon=horizon)
    assert found < 0.9 * loss(embedded, WEEKLY, "plain", horizon)


def test_plain_forecasts_read_the_series_as_it_is(embedded, monkeypatch):
    plain = loss(embedded, WEEKLY, "plain")
    monkeypatch.setattr(readings, "relieve", lambda values, gate: 1 / 0)
    assert loss(embedded, WEEKLY, "plain") == plain


def test_a_forecast_alone_is_that_in_a_panel(embedded):
    together = embedded.predict([NOISE, WEEKLY, DAY], 48).quantiles[1]
    alone = embedded.predict(WEEKLY, 48).quantiles[0]
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-5)


def test_the_shortest_long_season_is_longer_than_a_day_of_hours():
    assert 24 < LONG <= 7 * 24
