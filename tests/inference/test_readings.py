"""A series is transformed before the network reads it, where that proved better."""

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.profiles import Gate
from timer_forecaster.inference.readings import Reading

GATE = Gate(0.8)
RANDOM = np.random.default_rng(0)
COUNTS = RANDOM.poisson(0.8, size=400).astype(float)
LOADS = RANDOM.gamma(0.5, size=300)
FAR = 100 + RANDOM.normal(size=300)
WAVES = np.sin(np.arange(300) / 5)
WEEK = np.tile(10 + RANDOM.gamma(3.0, size=168) ** 2, 8) + RANDOM.normal(size=168 * 8)
SERIES = {"counts": COUNTS, "loads": LOADS, "far": FAR, "waves": WAVES, "week": WEEK}


@pytest.mark.parametrize(
    ("series", "is_root"),
    [
        (COUNTS, True),
        (LOADS, True),
        (np.where(RANDOM.random(400) < 0.2, np.nan, COUNTS), True),
        (np.concatenate([[-1.0], COUNTS]), False),
        (FAR, False),
        (WAVES, False),
        (np.zeros(50), False),
        (np.full(50, 7.0), False),
        (COUNTS * 1e-300, True),
        (COUNTS * 1e307, True),
    ],
    ids=["counts", "loads", "gaps", "negative", "far", "waves", "zeros", "level", "tiny", "huge"],
)
def test_roots_are_read_near_zero_alone(series, is_root):
    reading = Reading.of(series, GATE)
    assert reading.is_root == is_root
    expected = np.sqrt(series) if is_root else series
    np.testing.assert_array_equal(reading.values, expected)


def test_roots_of_what_a_model_leaves_are_not_read():
    reading = Reading.of(COUNTS, GATE, is_remainder=True)
    assert not reading.is_root
    np.testing.assert_array_equal(reading.values, COUNTS)


def test_a_long_season_goes_before_roots():
    reading = Reading.of(WEEK - WEEK.min(), GATE)
    assert reading.season is not None and not reading.is_root


@pytest.mark.parametrize("quality", ["fast", "best"])
@pytest.mark.parametrize("name", SERIES)
def test_the_scale_is_kept(embedded, name, quality):
    series = SERIES[name]
    found = embedded.predict(series, 24, quality=quality).quantiles
    scaled = embedded.predict(series * 1000, 24, quality=quality).quantiles
    np.testing.assert_allclose(scaled, found * 1000, rtol=1e-3, atol=2e-2 * np.abs(series).max())


@pytest.mark.parametrize("quality", ["fast", "best"])
@pytest.mark.parametrize("name", ["counts", "loads", "week"])
def test_predicted_quantiles_of_a_history_without_negative_values_are_not_negative(
    embedded, name, quality
):
    found = embedded.predict(SERIES[name], 48, quality=quality).quantiles
    assert (found >= 0).all() and (np.diff(found, axis=-1) >= 0).all()


def test_plain_forecasts_move_with_the_level(embedded):
    found = embedded.predict(COUNTS, 24, quality="plain").quantiles
    moved = embedded.predict(COUNTS + 50, 24, quality="plain").quantiles
    np.testing.assert_allclose(moved, found + 50, atol=1e-2)


def test_series_that_nothing_changes_are_forecast_as_they_are(embedded):
    plain, fast = (
        embedded.predict([FAR, WAVES], 24, quality=q).quantiles for q in ("plain", "fast")
    )
    np.testing.assert_array_equal(plain, fast)


@pytest.mark.parametrize("horizon", [24, 200])
def test_best_is_the_mean_of_both_signs_and_near_ahead_of_the_plain_series(embedded, horizon):
    near = horizon == 24 and not embedded.network.config.fixed_context
    readings = ("fast", "plain") if near else ("fast",)
    signs = [embedded.predict(COUNTS, horizon, quality=name, flip=True) for name in readings]
    mean = sum(forecast.quantiles for forecast in signs) / len(signs)
    best = embedded.predict([FAR, COUNTS], horizon, quality="best").quantiles
    np.testing.assert_allclose(best[1], np.maximum(mean[0], 0), rtol=1e-4, atol=1e-4)
    far = embedded.predict(FAR, horizon, flip=True).quantiles
    np.testing.assert_allclose(best[0], far[0], rtol=1e-5)


def test_other_checkpoints_read_series_as_they_are():
    embedded = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    plain, fast = (embedded.predict(COUNTS, 24, quality=q).quantiles for q in ("plain", "fast"))
    np.testing.assert_array_equal(plain, fast)


def test_an_unknown_quality_is_refused(embedded):
    with pytest.raises(ValueError, match="quality"):
        embedded.predict(COUNTS, 4, quality="good")
