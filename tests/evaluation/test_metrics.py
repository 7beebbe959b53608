"""Scores against values worked out by hand and GluonTS's formulas, and the laws they obey."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from timer_forecaster.evaluation import (
    LEVELS,
    geometric_mean,
    interval_coverage,
    mape,
    mase,
    msis,
    quantile_loss,
    score,
    seasonal_error,
    smape,
    weighted_quantile_loss,
)
from timer_forecaster.evaluation.metrics import seasonal_errors

NAN = math.nan
VALUES = st.floats(-1e3, 1e3).map(lambda value: round(value, 3))
FACTORS = st.floats(1e-3, 1e3)


def test_quantile_loss_is_twice_the_pinball_loss():
    # 2 · 0.9 · 2 below the target, 2 · 0.1 · 3 above it.
    losses = quantile_loss([5.0, 5.0, NAN], [3.0, 8.0, 1.0], 0.9)
    np.testing.assert_allclose(losses, [3.6, 0.6, NAN])


@given(arrays(float, 8, elements=VALUES), arrays(float, 8, elements=VALUES))
def test_quantile_loss_at_one_half_is_the_absolute_error(targets, forecast):
    np.testing.assert_allclose(quantile_loss(targets, forecast, 0.5), np.abs(targets - forecast))


def test_weighted_quantile_loss_pools_all_windows():
    targets = np.array([[1.0, NAN], [3.0, -4.0]])
    quantiles = np.stack([targets - 1.0, targets + 2.0], axis=-1)
    quantiles[0, 1] = 7.0  # forecasts of a missing value
    # Three observed points, Σ|y| = 8: each loses 2 · 0.25 · 1 at level 0.25, 2 · 0.5 · 2 at 0.5.
    expected = (3 * 0.5 / 8 + 3 * 2.0 / 8) / 2
    assert weighted_quantile_loss(targets, quantiles, [0.25, 0.5]) == pytest.approx(expected)


@pytest.mark.filterwarnings("error")
def test_weighted_quantile_loss_without_a_scale():
    quantiles = np.ones((1, 1, 9))
    assert math.isnan(weighted_quantile_loss([[NAN]], quantiles))
    assert math.isinf(weighted_quantile_loss([[0.0]], quantiles))


def test_weighted_quantile_loss_refuses_another_layout():
    with pytest.raises(ValueError, match=r"\(2, 3, 9\).*\(2, 9, 3\)"):
        weighted_quantile_loss(np.ones((2, 3)), np.ones((2, 9, 3)))


@given(
    arrays(float, (2, 3), elements=st.floats(1, 1e3)),
    arrays(float, (2, 3, 9), elements=VALUES),
    FACTORS,
)
def test_weighted_quantile_loss_has_no_unit(targets, quantiles, factor):
    np.testing.assert_allclose(
        weighted_quantile_loss(targets * factor, quantiles * factor),
        weighted_quantile_loss(targets, quantiles),
        rtol=1e-9,
    )


@given(
    arrays(float, (2, 4), elements=st.floats(1, 1e3)),
    arrays(float, (2, 4, 9), elements=VALUES),
    st.integers(1, 3),
)
def test_missing_targets_count_in_no_score(targets, quantiles, kept):
    gappy = targets.copy()
    gappy[:, kept:] = NAN
    scales = np.array([1.0, 2.0])
    short, quantiles_short = targets[:, :kept], quantiles[:, :kept]
    assert weighted_quantile_loss(gappy, quantiles) == pytest.approx(
        weighted_quantile_loss(short, quantiles_short)
    )
    assert mase(gappy, quantiles[..., 4], scales) == pytest.approx(
        mase(short, quantiles_short[..., 4], scales)
    )
    assert interval_coverage(gappy, quantiles[..., 0], quantiles[..., 8]) == pytest.approx(
        interval_coverage(short, quantiles_short[..., 0], quantiles_short[..., 8])
    )


def test_a_perfect_forecast_loses_nothing():
    targets = np.array([[1.0, -2.0, NAN], [0.0, 5.0, 3.0]])
    quantiles = np.repeat(np.nan_to_num(targets)[..., None], 9, axis=-1)
    assert weighted_quantile_loss(targets, quantiles) == 0.0
    assert mase(targets, quantiles[..., 4], [1.0, 1.0]) == 0.0
    assert interval_coverage(targets, quantiles[..., 0], quantiles[..., 8]) == 1.0


@pytest.mark.parametrize(
    ("context", "seasonality", "expected"),
    [
        ([1, 2, 4, 7], 1, 2.0),  # 1, 2, 3
        ([1, 2, 4, 7], 2, 4.0),  # 3, 5
        ([1, NAN, 4, 7], 1, 3.0),  # only 7 - 4 is observed at both ends
        ([1, 2, 4, 7], 5, 2.0),  # shorter than a season: steps of one
        ([1, 2, 4, 7], 4, NAN),  # exactly a season: no pair
        ([1], 1, NAN),
        ([NAN, NAN], 1, NAN),
    ],
)
def test_seasonal_error(context, seasonality, expected):
    np.testing.assert_equal(seasonal_error(context, seasonality), expected)


def test_mase_averages_points_not_windows():
    targets = [[1.0, 2.0], [10.0, NAN]]
    forecast = [[2.0, 4.0], [40.0, 0.0]]
    assert mase(targets, forecast, [1.0, 10.0]) == pytest.approx((1 + 2 + 3) / 3)


@pytest.mark.filterwarnings("error")
def test_mase_leaves_out_windows_without_a_scale():
    targets = [[1.0], [1.0], [1.0]]
    forecast = [[3.0], [3.0], [3.0]]
    assert mase(targets, forecast, [0.0, NAN, 4.0]) == pytest.approx(0.5)
    assert math.isnan(mase(targets, forecast, [0.0, NAN, 0.0]))


@given(
    arrays(float, 12, elements=VALUES, unique=True),
    arrays(float, (1, 4), elements=VALUES),
    FACTORS,
    st.floats(-1e3, 1e3),
)
def test_mase_does_not_depend_on_scale_and_level(context, forecast, factor, shift):
    targets = np.arange(4.0)[None]
    moved = mase(
        targets * factor + shift,
        forecast * factor + shift,
        [seasonal_error(context * factor + shift, 3)],
    )
    np.testing.assert_allclose(
        moved, mase(targets, forecast, [seasonal_error(context, 3)]), rtol=1e-5, atol=1e-6
    )


def test_interval_coverage_includes_both_ends():
    assert interval_coverage([0.0, 1.0, 2.0, 3.0, NAN], np.zeros(5), np.full(5, 2.0)) == 0.75
    assert math.isnan(interval_coverage([NAN], [0.0], [1.0]))


def test_geometric_mean():
    assert geometric_mean([0.5, 2.0, 8.0]) == pytest.approx(2.0)
    assert math.isnan(geometric_mean([]))


def test_levels_are_the_nine_deciles():
    np.testing.assert_allclose(LEVELS, np.arange(1, 10) / 10)


def test_mape_leaves_out_targets_of_zero():
    assert mape([1.0, -4.0, 0.0, NAN], [2.0, -2.0, 5.0, 1.0]) == pytest.approx((1 + 0.5) / 2)
    assert math.isnan(mape([0.0, NAN], [1.0, 1.0]))


def test_smape_runs_to_two():
    assert smape([1.0, 3.0, 0.0, 0.0, NAN], [-1.0, 3.0, 1.0, 0.0, 1.0]) == pytest.approx(4 / 3)


def test_msis_adds_forty_times_what_lies_outside():
    targets = [[5.0, 1.0, NAN], [9.0, 2.0, 2.0]]
    lower, upper = np.full((2, 3), 2.0), np.full((2, 3), 6.0)
    # Widths of 4; one target is 1 below, one 3 above. Scales 2 and 4.
    expected = (4 / 2 + (4 + 40 * 1) / 2 + (4 + 40 * 3) / 4 + 4 / 4 + 4 / 4) / 5
    assert msis(targets, lower, upper, [2.0, 4.0]) == pytest.approx(expected)
    assert math.isnan(msis(targets, lower, upper, [0.0, NAN]))


@given(
    arrays(float, 15, elements=st.one_of(VALUES, st.just(NAN))),
    st.integers(1, 6),
    st.lists(st.integers(1, 15), min_size=1, max_size=4),
)
def test_seasonal_errors_of_prefixes(series, seasonality, ends):
    expected = [seasonal_error(series[:end], seasonality) for end in ends]
    np.testing.assert_allclose(seasonal_errors(series, ends, seasonality), expected, atol=1e-9)


@pytest.mark.parametrize("bad", [math.inf, -math.inf])
def test_infinite_targets_are_refused(bad):
    targets, quantiles = np.array([[1.0, bad]]), np.ones((1, 2, 9))
    median = quantiles[..., 4]
    for call in (
        lambda: score(targets, quantiles, [1.0]),
        lambda: weighted_quantile_loss(targets, quantiles),
        lambda: quantile_loss(targets, median, 0.5),
        lambda: mase(targets, median, [1.0]),
        lambda: mape(targets, median),
        lambda: smape(targets, median),
        lambda: msis(targets, median, median, [1.0]),
        lambda: interval_coverage(targets, median, median),
    ):
        with pytest.raises(ValueError, match=r"targets is -?inf at \(0, 1\)"):
            call()
    with pytest.raises(ValueError, match=r"series is -?inf"):
        seasonal_error([1.0, bad], 1)


@pytest.mark.parametrize("bad", [math.inf, NAN])
def test_forecasts_that_are_not_finite_are_refused(bad):
    targets, quantiles = np.ones((1, 2)), np.ones((1, 2, 9))
    quantiles[0, 1, 4] = bad
    for call in (
        lambda: score(targets, quantiles, [1.0]),
        lambda: mase(targets, quantiles[..., 4], [1.0]),
        lambda: interval_coverage(targets, quantiles[..., 4], quantiles[..., 4]),
    ):
        with pytest.raises(ValueError, match="a forecast needs a finite value at each step"):
            call()


def test_masked_targets_are_missing():
    quantiles = np.arange(18.0).reshape(1, 2, 9)
    masked = np.ma.masked_array([[3.0, 1e9]], [[False, True]])
    expected = score(np.array([[3.0, NAN]]), quantiles, [1.0])
    assert score(masked, quantiles, [1.0]) == pytest.approx(expected, nan_ok=True)


def test_targets_that_are_no_numbers_are_refused():
    for targets in (np.array([[1, 2]], dtype="timedelta64[s]"), np.array([[1j, 2]]), [["1", "2"]]):
        with pytest.raises(TypeError, match="targets must hold real numbers"):
            score(targets, np.ones((1, 2, 9)), [1.0])
