"""The objective of TinyTimeMixer: windows as in a forecast, and the loss of all levels."""

import numpy as np
import pytest
import torch
from ttm import OWN

from timer_forecaster import ForecastPipeline
from timer_forecaster.finetuning import FinetuneConfig
from timer_forecaster.finetuning.errors import NothingToTuneError
from timer_forecaster.finetuning.objectives.ttm import (
    TrainingSteps,
    make_windows,
    new_parts,
    window_losses,
    window_pass,
    windows_at_once,
)
from timer_forecaster.finetuning.trainable import load_frozen, trainable
from timer_forecaster.inference.engine.ttm import forecast_rows
from timer_forecaster.inference.frequency import as_frequencies


@pytest.fixture(scope="module")
def frozen(ttm):
    return load_frozen(ttm.key)


def test_the_loss_is_that_of_the_pipelines_own_forecasts(ttm, frozen, waves):
    contexts, targets = [w[:200] for w in waves], np.stack([w[200:220] for w in waves])
    targets[0, 3] = np.nan
    windows = make_windows(frozen, contexts, targets)
    losses = window_losses(frozen, window_pass(frozen, windows).quantiles, windows)
    forecast = ttm.predict(contexts, 20)
    levels = np.array(forecast.levels)
    for loss, context, target, quantiles in zip(
        losses.detach(), contexts, targets, forecast.quantiles, strict=True
    ):
        scale = context[-128:].std()
        error = (target[:, None] - quantiles) / scale
        expected = 2 * np.nanmean(np.maximum(levels * error, (levels - 1) * error))
        assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_steps_that_are_not_observed_do_not_count(frozen, waves):
    targets = np.stack([waves[0][200:216], np.full(16, np.nan)])
    targets[0, 8:] = np.nan
    windows = make_windows(frozen, [waves[0][:200], waves[1][:200]], targets)
    quantiles = window_pass(frozen, windows).quantiles
    losses = window_losses(frozen, quantiles, windows)
    changed = quantiles.clone()
    changed[0, :, 8:] += 5
    changed[1] += 5
    assert torch.equal(window_losses(frozen, changed, windows), losses)
    assert losses[0] > 0 and losses[1] == 0


def test_no_more_steps_are_forecast_than_one_pass_has(frozen, waves):
    windows = make_windows(frozen, [waves[0][:64]], np.ones((1, frozen.pass_length + 9)))
    quantiles = window_pass(frozen, windows).quantiles
    assert quantiles.shape == (1, 9, frozen.pass_length)
    assert window_losses(frozen, quantiles, windows).shape == (1,)
    assert windows_at_once(frozen, 64) > 1


def test_levels_of_point_forecasts_are_all_the_forecast(ttm_points, waves):
    windows = make_windows(ttm_points.network, [waves[0][:64]], waves[0][None, 64:80])
    quantiles = window_pass(ttm_points.network, windows).quantiles
    assert quantiles.shape == (1, 9, 16)
    assert (quantiles == quantiles[:, :1]).all()
    loss = window_losses(ttm_points.network, quantiles, windows)
    expected = (windows.target - quantiles[:, 0]).abs().mean()
    torch.testing.assert_close(loss[0], expected)


def steps_for(network, series, context_length=128, horizon=16, **settings):
    config = FinetuneConfig(**{"batch_size": 64, **settings})
    return TrainingSteps(network, series, config, context_length, horizon)


def test_windows_are_as_long_as_the_series_allow(frozen):
    """The count of observed steps, without the filler before short contexts."""
    windows = steps_for(frozen, [np.arange(400.0)]).windows()
    assert windows.seen.all() and windows.observed.all()
    short = steps_for(frozen, [np.sin(np.arange(20.0))]).windows()
    n_seen = short.seen.sum(1)
    assert set(n_seen.tolist()) == set(range(10, 16))
    assert (short.observed.sum(1) == 20 - n_seen).all()
    fewer = steps_for(frozen, [np.arange(400.0)], context_length=50).windows()
    assert (fewer.seen.sum(1) == 50).all()


def test_the_seed_decides_and_series_count_by_their_length(frozen):
    series = [np.sin(np.arange(900.0)), np.arange(100.0)]
    one, same, other = (steps_for(frozen, series, seed=seed).windows() for seed in (0, 0, 1))
    assert torch.equal(one.values, same.values)
    assert not torch.equal(one.values, other.values)
    of_the_short_one = one.seen.sum(1) < 128
    assert 0 < of_the_short_one.sum() < 20


@pytest.mark.parametrize("series", [[], [np.ones(50)], [np.arange(3.0)]])
def test_nothing_to_train_on(frozen, series):
    with pytest.raises(NothingToTuneError, match="must vary, in 4 steps or more"):
        steps_for(frozen, series)


def test_batches_that_show_nothing_after_their_contexts_have_no_loss(frozen):
    values = np.where(np.arange(40) < 12, np.arange(40.0), np.nan)
    steps = steps_for(frozen, [values], horizon=4)
    with steps.of(trainable(frozen, "head")) as terms:
        assert terms() is None


def test_long_gaps_are_no_error(frozen):
    values = np.sin(np.arange(600.0))
    values[100:400] = np.nan
    with steps_for(frozen, [values]).of(trainable(frozen, "head")) as terms:
        assert torch.isfinite(terms().loss)


def test_the_loss_of_a_step_can_be_trained(frozen, waves):
    trained = trainable(frozen, "decoder+head")
    with steps_for(frozen, waves).of(trained) as terms:
        found = terms()
    assert found.loss is found.quantile
    found.loss.backward()
    assert all(value.grad is not None for value in trained.parameters.values())


def test_a_network_without_quantiles_gets_a_head_near_its_errors(ttm_points, waves):
    frozen = load_frozen(ttm_points.key)
    steps = steps_for(frozen, waves)
    new = new_parts(frozen, "quantile-head", steps, 0)
    trained = trainable(frozen, "quantile-head", start=new.weights, architecture=new.architecture)
    windows = steps.windows()
    quantiles = window_pass(trained.network, windows).quantiles
    share = (windows.target[:, None] < quantiles).double().mean((0, 2))
    np.testing.assert_allclose(share.detach(), trained.network.config.quantiles, atol=0.12)


@pytest.mark.parametrize("target", ["head", "quantile-head"])
def test_other_networks_and_targets_get_none(ttm, ttm_points, waves, target):
    frozen = load_frozen((ttm if target == "quantile-head" else ttm_points).key)
    assert new_parts(frozen, target, steps_for(frozen, waves), 0) is None


def test_windows_have_the_frequencies_of_their_series(waves):
    point = ForecastPipeline.from_pretrained(OWN / "r2_ft", device="cpu")
    frozen = load_frozen(point.key)
    hour, day = as_frequencies(["h", "D"], 2)
    contexts, targets = [w[:90] for w in waves[:2]], np.stack([w[90:110] for w in waves[:2]])
    windows = make_windows(frozen, contexts, targets, [hour, day])
    assert windows.tokens.tolist() == [7, 8]
    passed = window_pass(frozen, windows).quantiles[:, 0].detach().numpy()
    engine = forecast_rows(
        frozen,
        [(c - c.mean()) / c.std() for c in contexts],
        20,
        "median",
        None,
        lambda n: None,
        tokens=[7, 8],
    )
    np.testing.assert_allclose(passed, engine[..., 4], atol=1e-5)
    constant = np.zeros(100)  # is not trained on
    settings = FinetuneConfig(batch_size=16, seed=1)
    steps = TrainingSteps(frozen, [constant, *waves[:2]], settings, 90, 20, [day, hour, day])
    drawn = steps.windows().tokens.tolist()
    assert set(drawn) == {7, 8}
    plain = TrainingSteps(frozen, [constant, *waves[:2]], settings, 90, 20).windows()
    assert set(plain.tokens.tolist()) == {0}
    first = steps._series[0]
    alone = TrainingSteps(frozen, [constant, first], settings, 90, 20, [day, hour]).windows()
    assert set(alone.tokens.tolist()) == {7}
