"""Scores of groups of points are those of `evaluation` on the same points."""

import numpy as np
import pytest

from timer_forecaster.backtesting.scores import Points, intervals_of
from timer_forecaster.evaluation import LEVELS, interval_coverage, mase, weighted_quantile_loss


@pytest.fixture
def given():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(6, 4)) + 3
    targets[[0, 2], [1, 3]] = np.nan
    quantiles = np.sort(rng.normal(size=(6, 4, 9)) + 3, axis=-1)
    scales = np.array([1.0, 2.0, 0.0, np.nan, 0.5, 3.0])
    return targets, quantiles, scales


@pytest.mark.parametrize("by_step", [False, True])
def test_groups(given, by_step):
    targets, quantiles, scales = given
    group = np.array([[0, 1, 1, 0]]) if by_step else np.array([0, 1, 0, 1, 1, 0])[:, None]
    found = Points.of(*given, LEVELS).scores(group, 2)
    for number in range(2):
        own = np.broadcast_to(group == number, targets.shape)
        masked = np.where(own, targets, np.nan)
        loss = weighted_quantile_loss(masked, quantiles)
        assert found["WQL"][number] == pytest.approx(loss, rel=1e-12)
        error = mase(masked, quantiles[..., 4], scales)
        assert found["MASE"][number] == pytest.approx(error, rel=1e-12)
        inside = interval_coverage(masked, quantiles[..., 0], quantiles[..., -1])
        assert found["coverage_80"][number] == pytest.approx(inside)
        over = np.nansum(quantiles[..., 4] - masked) / np.nansum(np.abs(masked))
        assert found["bias"][number] == pytest.approx(over)


def test_a_group_without_a_point_has_no_score(given):
    found = Points.of(*given, LEVELS).scores(np.zeros((6, 1), np.intp), 2)
    assert all(np.isnan(values[1]) for values in found.values())


def test_windows_without_a_forecast_count_in_nothing(given):
    targets, quantiles, scales = given
    quantiles[[1, 4]] = np.nan
    points = Points.of(targets, quantiles, scales, LEVELS)
    assert points.scored.tolist() == [True, False, True, True, False, True]
    zeros = np.zeros((6, 1), np.intp)
    kept = points.scored
    alone = Points.of(targets[kept], quantiles[kept], scales[kept], LEVELS)
    expected = alone.scores(zeros[kept], 1)
    for name, values in points.scores(zeros, 1).items():
        assert values[0] == pytest.approx(expected[name][0])


def test_intervals():
    assert list(intervals_of((0.025, *LEVELS, 0.975)))[:2] == ["coverage_95", "coverage_80"]
    assert intervals_of((0.1, 0.2, 0.5, 0.9)) == {"coverage_80": (0, 3)}
