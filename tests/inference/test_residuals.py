"""Quantiles from errors at past origins, for networks that forecast one value."""

import numpy as np
import pytest

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference import residuals
from timer_forecaster.models.ttm import TTMArchitecture

DECILES = np.arange(1, 10) / 10
POINT = TTMArchitecture(
    context_length=96,
    patch_length=12,
    patch_stride=12,
    prediction_length=24,
    d_model=8,
    num_layers=1,
    decoder_num_layers=1,
)


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained(None, config=POINT, device="cpu")


ERRORS = residuals.Errors(horizon=24, context=512)


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


def last_value(series, horizon):
    return np.array([np.repeat(values[-1], horizon) for values in series])


def test_own_errors_cover_as_they_should():
    walks = [walk(600, seed) for seed in range(200)]
    offsets = ERRORS.spread(last_value, [w[:-24] for w in walks], DECILES)
    errors = np.array([w[-24:] - w[-25] for w in walks])
    inside = (errors >= offsets[..., 0]) & (errors <= offsets[..., -1])
    assert 0.76 < inside.mean() < 0.88
    assert (np.diff(offsets, axis=-1) >= 0).all()
    width = (offsets[..., -1] - offsets[..., 0]).mean(axis=0)
    assert width[-1] > 2 * width[0]  # the errors of a walk grow


@pytest.mark.parametrize(
    ("steps", "horizon", "source"),
    [(16 + 8 * 24, 24, "own"), (16 + 8 * 24 - 1, 24, "table"), (24, 1, "own"), (10, 1, "table")],
)
def test_own_errors_need_eight_origins(steps, horizon, source):
    assert residuals.Errors(horizon, 512).sources([walk(steps)]) == [source]


def test_missing_values_take_no_part():
    series = walk(400)
    holes = series.copy()
    holes[5::7] = np.nan
    offsets = ERRORS.spread(
        lambda given, horizon: np.array([np.repeat(v[np.isfinite(v)][-1], horizon) for v in given]),
        [holes],
        DECILES,
    )
    assert np.isfinite(offsets).all()
    gone = series.copy()
    gone[-300:] = np.nan
    assert ERRORS.sources([gone]) == ["table"]


def test_origins_after_a_gap_as_long_as_the_context_take_no_part(pipe):
    """The newest value before such an origin is older than the network can read."""
    series = walk(3000)
    series[200:2945] = np.nan
    for context, used in ((96, False), (2944, True)):
        assert ((0, 2944) in residuals.Errors(8, context).asked([series])) is used
    assert np.isfinite(pipe.predict(series, 8).quantiles).all()


def test_ranks_are_those_of_conformal_prediction():
    errors = np.arange(1.0, 10)[:, None]  # nine errors of one step: level q lies at rank 10 q
    np.testing.assert_allclose(residuals.pooled_quantiles(errors, DECILES)[0], np.arange(1.0, 10))


def test_the_median_is_the_forecast():
    """Also of a network whose errors all have one sign."""
    series = walk(600)
    above = ERRORS.spread(lambda *given: last_value(*given) - 1e3, [series], DECILES)
    assert (above[..., 4] == 0).all()
    assert (above[..., :4] == 0).all() and (above[..., 5:] > 0).all()
    short = ERRORS.spread(last_value, [series[:40]], DECILES)
    assert (short[..., 4] == 0).all() and (np.diff(short, axis=-1) >= 0).all()


def test_the_table_goes_on_beyond_its_last_group():
    table = residuals.of_table(120)
    assert table.shape == (120, 9)
    assert (np.diff(table, axis=1) > 0).all()
    np.testing.assert_array_equal(table[95], table[119])


def test_a_flat_end_does_not_make_the_unit_zero():
    series = np.r_[walk(100), np.full(200, 3.0)]
    assert residuals.unit_of(series) > 0
    assert residuals.unit_of(np.full(5, 3.0)) == 0


def test_the_forecast_says_where_its_quantiles_come_from(pipe):
    forecast = pipe.predict([walk(600), walk(40)], 24)
    assert forecast.calibration == ("own", "table")
    trained = ForecastPipeline.from_pretrained("ttm-test", device="cpu").predict(walk(40), 5)
    assert trained.calibration == ("trained",)


@pytest.mark.parametrize("horizon", [5, 24, 60])
def test_laws_of_forecasts_hold(pipe, horizon):
    series = [walk(600), walk(40)]
    found = pipe.predict(series, horizon).quantiles
    assert (np.diff(found, axis=-1) >= 0).all()
    moved = pipe.predict([1e-6 * (one + 1000) for one in series], horizon).quantiles
    np.testing.assert_allclose(moved / 1e-6 - 1000, found, atol=1e-3)
    alone = pipe.predict(series[1], horizon).quantiles[0]
    np.testing.assert_allclose(alone, found[1], atol=1e-4)
