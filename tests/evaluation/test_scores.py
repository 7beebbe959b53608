"""All scores of the leaderboard."""

import math

import numpy as np
import pytest

from timer_forecaster.evaluation import LEVELS, interval_coverage, score
from timer_forecaster.evaluation.metrics import seasonal_errors
from timer_forecaster.evaluation.scores import Scores

NAN = math.nan


def gluonts_scores(targets, quantiles, scales):
    """Every score from the formulas of `gluonts.ev`, window by window, in masked arrays."""
    stats = {name: [] for name in ("square", "absolute", "scaled", "percent", "symmetric", "msis")}
    labels, losses = [], []
    for target, forecast, scale in zip(targets, quantiles, scales, strict=True):
        label = np.ma.masked_invalid(target)
        scale = np.ma.masked_invalid([scale])
        median = forecast[:, 4]
        # Tails: a straight line in the logarithm of the level, through the two outer levels.
        ratio = math.log(0.025 / 0.2) / math.log(0.1 / 0.2)
        low = forecast[:, 1] + ratio * (forecast[:, 0] - forecast[:, 1])
        high = forecast[:, -2] + ratio * (forecast[:, -1] - forecast[:, -2])
        absolute = np.abs(label - median)
        stats["square"].append(np.square(label - median))
        stats["absolute"].append(absolute)
        stats["scaled"].append(absolute / scale)
        stats["percent"].append(absolute / np.abs(label))
        stats["symmetric"].append(2 * absolute / (np.abs(label) + np.abs(median)))
        below, above = (low - label) * (label < low), (label - high) * (label > high)
        stats["msis"].append((high - low + 2 / 0.05 * below + 2 / 0.05 * above) / scale)
        labels.append(np.abs(label))
        losses.append(
            [
                2 * np.abs((label - forecast[:, i]) * ((forecast[:, i] >= label) - level)).sum()
                for i, level in enumerate(LEVELS)
            ]
        )
    mean = {name: np.ma.concatenate(values).mean() for name, values in stats.items()}
    labels = np.ma.concatenate(labels)
    rmse = np.sqrt(mean["square"])
    return {
        "MSE[mean]": mean["square"],
        "MSE[0.5]": mean["square"],
        "MAE[0.5]": mean["absolute"],
        "MASE[0.5]": mean["scaled"],
        "MAPE[0.5]": mean["percent"],
        "sMAPE[0.5]": mean["symmetric"],
        "MSIS": mean["msis"],
        "RMSE[mean]": rmse,
        "NRMSE[mean]": rmse / labels.mean(),
        "ND[0.5]": mean["absolute"] / labels.mean(),
        "mean_weighted_sum_quantile_loss": np.mean(np.sum(losses, axis=0)) / labels.sum(),
    }


def test_every_score_is_that_of_gluonts():
    random = np.random.default_rng(0)
    targets = random.normal(size=(6, 5)).round(1) * 10
    targets[random.random(targets.shape) < 0.2] = NAN
    targets[0, :2] = 0.0
    quantiles = np.sort(random.normal(size=(6, 5, 9)), axis=-1) * 8
    quantiles[0, 0] = 0.0
    scales = np.array([2.0, 0.0, NAN, 0.5, 3.0, 1.0])
    own = score(targets, quantiles, scales)
    expected = gluonts_scores(targets, quantiles, scales)
    assert list(own) == [*expected, "coverage"]
    assert {name: own[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    assert own["coverage"] == interval_coverage(targets, quantiles[..., 0], quantiles[..., 8])


@pytest.mark.filterwarnings("error")
def test_scores_of_nothing_observed_and_of_nothing_but_zeros():
    quantiles = np.ones((1, 2, 9))
    assert all(map(math.isnan, score(np.full((1, 2), NAN), quantiles, [1.0]).values()))
    zeros = score(np.zeros((1, 2)), quantiles, [1.0])
    assert zeros["MAE[0.5]"] == zeros["MASE[0.5]"] == 1.0
    assert math.isinf(zeros["ND[0.5]"])
    assert math.isnan(zeros["MAPE[0.5]"])


@pytest.mark.parametrize("factor", [1e170, 1e-170, 1e300, 1e-300])
def test_scores_without_a_unit_do_not_depend_on_extreme_sizes(factor):
    random = np.random.default_rng(0)
    history, targets = random.normal(size=60), random.normal(size=(5, 6))
    quantiles = np.sort(random.normal(size=(5, 6, 9)), axis=-1)
    found = {}
    for size in (1.0, factor):
        scales = seasonal_errors(size * history, np.full(5, 60), 7)
        found[size] = score(size * targets, size * quantiles, scales)
    for name in ("MASE[0.5]", "MAPE[0.5]", "sMAPE[0.5]", "MSIS", "NRMSE[mean]", "ND[0.5]"):
        assert found[factor][name] == pytest.approx(found[1.0][name], rel=1e-9), name
    for name in ("mean_weighted_sum_quantile_loss", "coverage"):
        assert found[factor][name] == pytest.approx(found[1.0][name], rel=1e-9), name
    for name in ("RMSE[mean]", "MAE[0.5]"):
        assert found[factor][name] / factor == pytest.approx(found[1.0][name], rel=1e-9), name


def test_large_errors_are_not_left_out_of_the_mean_square():
    targets, quantiles = np.array([[1e200, 1.0]]), np.zeros((1, 2, 9))
    found = score(targets, quantiles, np.ones(1))
    assert found["RMSE[mean]"] == pytest.approx(1e200 / np.sqrt(2))
    assert found["MSE[mean]"] == np.inf


@pytest.mark.parametrize("size", [1.0, 1e170])
@pytest.mark.parametrize("batch", [1, 3])
def test_windows_in_batches_have_the_scores_of_all_together(batch, size):
    random = np.random.default_rng(0)
    targets = random.normal(size=(7, 5)) * size
    targets[random.random(targets.shape) < 0.3] = NAN
    targets[2], targets[3] = NAN, 0.0
    quantiles = np.sort(random.normal(size=(7, 5, 9)), axis=-1) * size
    scales = np.array([2.0, 1.0, NAN, 0.5, 0.0, 1.0, 3.0]) * size
    scores = Scores()
    for start in range(0, 7, batch):
        rows = slice(start, start + batch)
        scores.add(targets[rows], quantiles[rows], scales[rows])
    assert scores.result() == pytest.approx(score(targets, quantiles, scales), rel=1e-12)
