"""`rollout="multiscale"`: the strides of a series, and their mean."""

import numpy as np
import pytest
from far_forecasts import mean_of_parts
from hypothesis import given
from hypothesis import strategies as st

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference.multiscale import (
    MIN_PHASE_STEPS,
    STRIDE_FACTORS,
    interleave,
    phases,
    strides,
    strides_of_season,
)


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained("timer-s1-small")


def walk(n, seed=0):
    return np.random.default_rng(seed).normal(size=n).cumsum()


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 40))
def test_interleaved_phases_continue_the_series(n_extra, stride, horizon):
    line = np.arange(stride + n_extra + horizon, dtype=float)
    series, future = line[: stride + n_extra], line[stride + n_extra :]
    steps = -(-horizon // stride)
    continued = [part[-1] + stride * np.arange(1, steps + 1) for part in phases(series, stride)]
    interleaved = interleave(np.array(continued)[..., None], stride, horizon)
    np.testing.assert_array_equal(interleaved[0, :, 0], future)


def test_a_stride_needs_a_long_history_and_a_long_horizon():
    slowest = 3 * max(STRIDE_FACTORS)
    assert strides(10**6, 128, 128) == ()
    assert strides(10**6, 300, 128) == tuple(3 * factor for factor in STRIDE_FACTORS)
    assert slowest not in strides(slowest * MIN_PHASE_STEPS - 1, 300, 128)
    assert slowest in strides(slowest * MIN_PHASE_STEPS, 300, 128)
    assert strides(100, 300, 128) == ()


def test_a_phase_without_observations_takes_the_last_value():
    series = np.arange(12.0)
    series[1::2] = np.nan
    even, odd = phases(series, 2)
    np.testing.assert_array_equal(even, [0, 2, 4, 6, 8, 10])
    np.testing.assert_array_equal(odd, [0, 2, 4, 6, 8, 10])


def test_it_is_the_mean_of_the_median_roll_out_and_of_the_strides(pipe):
    series, horizon = walk(4000), 200
    parts = [pipe.predict(series, horizon, rollout="median").quantiles]
    for stride in strides(len(series), horizon, pipe.network.pass_length):
        split = phases(series, stride)
        coarse = pipe.predict(split, -(-horizon // stride), rollout="quantile").quantiles
        parts.append(interleave(coarse, stride, horizon))
    assert len(parts) == 3
    ours = pipe.predict(series, horizon, rollout="multiscale").quantiles
    np.testing.assert_allclose(ours, np.mean(parts, axis=0), rtol=1e-6, atol=1e-6)


def test_within_one_pass_and_for_short_series_it_is_the_quantile_roll_out(pipe):
    for series, horizon in ((walk(3000), 128), (walk(300), 400)):
        np.testing.assert_array_equal(
            pipe.predict(series, horizon, rollout="multiscale").quantiles,
            pipe.predict(series, horizon, rollout="quantile").quantiles,
        )


def test_rows_do_not_see_each_other(pipe):
    rows = [walk(3000), walk(150, 1), walk(1500, 2), np.full(2000, 7.0)]
    rows[0][5:900:3] = np.nan
    together = pipe.predict(rows, 300, rollout="multiscale").quantiles
    for row, quantiles in zip(rows, together, strict=True):
        alone = pipe.predict(row, 300, rollout="multiscale").quantiles[0]
        np.testing.assert_allclose(quantiles, alone, rtol=1e-4, atol=1e-4 * np.nanstd(row))
    assert (together[3] == 7.0).all()


def test_scale_and_level_pass_through(pipe):
    series = walk(3000)
    plain = pipe.predict(series, 300, rollout="multiscale", flip=True).quantiles
    moved = pipe.predict(1e-6 * series + 3.0, 300, rollout="multiscale", flip=True).quantiles
    np.testing.assert_allclose(moved, 1e-6 * plain + 3.0, rtol=1e-9, atol=1e-9)


def test_a_season_longer_than_one_pass_is_continued(pipe):
    """The clean season repeats: quantiles are ordered and the median stays near it."""
    time = np.arange(9000)
    season = np.sin(2 * np.pi * time / 360) + 0.3 * np.sin(2 * np.pi * time / 90)
    forecast = pipe.predict(season[:8100], 900, rollout="multiscale")
    assert (np.diff(forecast.quantiles, axis=-1) >= 0).all()
    assert np.abs(forecast.median[0] - season[8100:]).mean() < 0.25 * season.std()


def test_errors_name_the_series_as_it_was_given(pipe):
    series = [walk(3000), walk(100), np.full(3000, np.nan)]
    with pytest.raises(ValueError, match=r"series\[2\] holds 3000 missing values only"):
        pipe.predict(series, 200, rollout="multiscale")


def test_steps_older_than_the_look_back_are_not_read(pipe, monkeypatch):
    monkeypatch.setattr("timer_forecaster.inference.multiscale.LOOK_BACK", 2100)
    long = walk(3000)
    np.testing.assert_array_equal(
        pipe.predict(long, 200, rollout="multiscale").quantiles,
        pipe.predict(long[-2100:], 200, rollout="multiscale").quantiles,
    )


def test_auto_is_what_the_checkpoint_prefers(pipe):
    series = walk(3000)
    preferred = pipe.network.config.preferred_rollout
    np.testing.assert_array_equal(
        pipe.predict(series, 200).quantiles,
        pipe.predict(series, 200, rollout=preferred).quantiles,
    )


def test_a_long_season_is_read_at_coarser_strides_by_a_network_of_one_context():
    ttm = ForecastPipeline.from_pretrained("ttm-test", device="cpu")  # context 128, 32 in a pass
    series = 50 + 9 * np.sin(np.arange(1100) * 2 * np.pi / 40) + walk(1100) / 9
    assert strides_of_season(series, 128) == (2, 4)
    found = ttm.predict(series, 30, rollout="multiscale").quantiles
    parts = [ttm.predict(series, 30).quantiles]
    for stride in (2, 4):
        split = phases(series, stride)
        coarse = ttm.predict(split, -(-30 // stride)).quantiles
        parts.append(interleave(coarse, stride, 30))
    np.testing.assert_allclose(found, np.mean(parts, axis=0), rtol=1e-5)
    for one in (series[-128:], 50 + np.sin(np.arange(1100) * 2 * np.pi / 5)):  # short; short season
        same = ttm.predict(one, 30).quantiles
        np.testing.assert_array_equal(ttm.predict(one, 30, rollout="multiscale").quantiles, same)


def test_far_forecasts_of_one_context_have_the_widths_of_the_strides():
    ttm = ForecastPipeline.from_pretrained("ttm-mini", device="cpu")
    few, none, all_strides = walk(1000), walk(300), walk(4000)
    horizon, n_strides = 240, []
    for series in (few, none, all_strides):
        found = strides(len(series), horizon, ttm.network.pass_length)
        n_strides.append(len(found))
        how = "median" if found else "quantile"
        rolled_out = ttm.predict(series, horizon, rollout=how).quantiles
        parts = []
        for stride in found:
            coarse = ttm.predict(phases(series, stride), -(-horizon // stride), rollout="quantile")
            parts.append(interleave(coarse.quantiles, stride, horizon))
        expected = mean_of_parts(rolled_out, parts) if parts else rolled_out
        (alone,) = ttm.predict(series, horizon).quantiles
        np.testing.assert_allclose(alone, expected[0], rtol=1e-5, atol=1e-4)
    assert n_strides == [1, 0, 2]
    together = ttm.predict([few, none, all_strides], horizon).quantiles
    for series, found in zip((few, none, all_strides), together, strict=True):
        (alone,) = ttm.predict(series, horizon).quantiles
        np.testing.assert_allclose(found, alone, rtol=1e-5, atol=1e-4)
