"""Trend and rest."""

import pytest
import torch
from ttm import QUANTILES, tiny_network, tiny_ttm, walks

from timer_forecaster.models.ttm import (
    TTMArchitecture,
    TTMDecomposedNetwork,
    TTMNetwork,
    make_network,
)

CHANGES = {"decompose": True, "residual_context_length": 24}


@pytest.fixture(params=[{}, QUANTILES, QUANTILES | {"combine_quantiles_via_variance": True}])
def network(request):
    return tiny_network(**CHANGES, **request.param)


def test_the_forecast_is_the_sum_of_both_parts(network):
    with torch.no_grad():
        output = network(walks(2, 48, 3))
    both = output.trend_prediction_outputs + output.residual_prediction_outputs
    torch.testing.assert_close(output.prediction_outputs, both - output.loc)
    assert output.trend_input.shape == (2, 48, 3) and output.residual_input.shape == (2, 24, 3)
    if output.quantile_outputs is not None:
        assert output.quantile_outputs.shape == (2, 9, 12, 3)
        assert (output.quantile_outputs.diff(dim=1) > 0).all()
        torch.testing.assert_close(output.quantile_outputs[:, 4], output.prediction_outputs)


def test_scale_and_level(network):
    network, past = network.double(), walks(2, 48, 2).double()
    with torch.no_grad():
        forecast = network(past).prediction_outputs
        moved = network(past * 1000 + 1e6).prediction_outputs
    torch.testing.assert_close((moved - 1e6) / 1000, forecast, atol=1e-3, rtol=1e-3)


def test_histories_of_any_length(network):
    for steps in (2, 7, 30, 70):
        with torch.no_grad():
            assert network(walks(2, steps, 1)).prediction_outputs.isfinite().all()
    with pytest.raises(ValueError, match="past_values has 1 step"):
        network(walks(2, 1, 1))


def test_training_reaches_both_networks(network):
    loss = network(walks(2, 48, 1), walks(2, 12, 1, seed=1)).loss
    loss.backward()
    without = [name for name, value in network.named_parameters() if value.grad is None]
    assert loss.ndim == 0 and without == []
    assert network(walks(2, 48, 1)).loss is None
    assert network(walks(2, 48, 1), walks(2, 12, 1), return_loss=False).loss is None


def test_the_loss_of_points_by_hand():
    from timer_forecaster.models.ttm.smoothing import smooth_trend

    network = tiny_network(**CHANGES, loss="mae", trend_loss_weight=2, residual_loss_weight=3)
    past, future = walks(2, 48, 1), walks(2, 12, 1, seed=1)
    with torch.no_grad():
        output = network(past, future)
    scaled, target = ((values - output.loc) / output.scale for values in (past, future))
    trend, rest, both = (
        (values - output.loc) / output.scale
        for values in (
            output.trend_prediction_outputs,
            output.residual_prediction_outputs,
            output.prediction_outputs,
        )
    )
    smooth = smooth_trend(torch.cat([scaled, target], 1))[:, 48:]
    of_trend = (trend - smooth).abs().mean()
    of_trend = of_trend + 0.1 * (trend - smooth).diff(dim=1).abs().mean()
    expected = (both - target).abs().mean() + 2 * of_trend
    expected = expected + 3 * (rest - (target - smooth)).abs().mean()
    torch.testing.assert_close(output.loss, expected)


def test_no_loss():
    network = tiny_network(**CHANGES, loss=None)
    assert network(walks(2, 48, 1), walks(2, 12, 1)).loss is None


def test_each_class_refuses_the_architecture_of_the_other():
    with pytest.raises(ValueError, match="decompose=False is a TinyTimeMixerForPrediction"):
        TTMDecomposedNetwork(tiny_ttm())
    assert isinstance(make_network(tiny_ttm()), TTMNetwork)
    network = make_network(tiny_ttm(**CHANGES))
    assert isinstance(network, TTMDecomposedNetwork)
    assert network.dtype == torch.float32 and network.device.type == "cpu"
    assert isinstance(network.architecture, TTMArchitecture)
