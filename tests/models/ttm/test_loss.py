"""Losses by hand."""

import pytest
import torch
import torch.nn.functional as F
from ttm import R3, tiny_ttm, walks

from timer_forecaster.models.ttm.loss import pinball, point_loss, quantile_loss


def test_pinball():
    errors = torch.tensor([2.0, -1.0])
    torch.testing.assert_close(pinball(errors, 0.1), torch.tensor([0.2, 0.9]))


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "pinball"])
def test_points_with_and_without_a_mask(loss):
    config = tiny_ttm(loss=loss, quantile=0.3, huber_delta=0.5)
    forecast, target = walks(2, 12, 3), walks(2, 12, 3, seed=1)
    functions = {
        "mse": F.mse_loss,
        "mae": F.l1_loss,
        "huber": lambda a, b: F.huber_loss(a, b, delta=0.5),
        "pinball": lambda a, b: torch.maximum(0.3 * (b - a), 0.7 * (a - b)).mean(),
    }
    torch.testing.assert_close(
        point_loss(config, forecast, target), functions[loss](forecast, target)
    )
    mask = torch.zeros(2, 12, 3)
    mask[:, :5] = 1
    target[:, 5:] = torch.nan
    torch.testing.assert_close(
        point_loss(config, forecast, target, mask),
        functions[loss](forecast[:, :5], target[:, :5]),
    )
    assert point_loss(config, forecast, target, mask * 0) == 0


def test_no_loss():
    assert point_loss(tiny_ttm(loss=None), walks(1, 12, 1), walks(1, 12, 1)) is None


@pytest.mark.parametrize("mode", ["boundary", "wis"])
def test_quantiles_by_hand(mode):
    levels = [0.1, 0.3, 0.5, 0.7, 0.9]
    weights = {"point_extra_weight": 2, "penalize_large_width_ratio": 0.1}
    config = tiny_ttm(**R3, **weights, quantile_levels=levels, width_penalty_mode=mode)
    quantiles, target = walks(2, 5, 12, 3).reshape(2, 5, 12, 3), walks(2, 12, 3, seed=1)
    total = 0.0
    for index, level in enumerate(levels):
        total += pinball(target - quantiles[:, index], level).mean() / 5
    total += 2 * (quantiles[:, 2] - target).abs().mean()
    outer, inner = quantiles[:, 4] - quantiles[:, 0], quantiles[:, 3] - quantiles[:, 1]
    width = outer.mean() if mode == "boundary" else (outer.mean() + inner.mean()) / 2
    torch.testing.assert_close(quantile_loss(config, quantiles, target), total + 0.1 * width)
