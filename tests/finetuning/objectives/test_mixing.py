"""Mixers of channels: they change nothing at first, and are learnt for one pipeline alone."""

import dataclasses

import numpy as np
import pytest
import torch
from known_cases import CONFIG, HORIZON, season_and_price, tables, tuned, weighted_loss

from timer_forecaster import ForecastPipeline
from timer_forecaster.finetuning import (
    Adapter,
    FinetuneConfig,
    TuningWarning,
    finetune,
    finetune_windows,
)
from timer_forecaster.finetuning.objectives.mixing import channel_mixing
from timer_forecaster.inference.engine.known import pad_known
from timer_forecaster.inference.engine.ttm import quantiles_of
from timer_forecaster.models.columns import KnownColumn
from timer_forecaster.models.ttm import make_network
from timer_forecaster.models.ttm.presets import preset
from timer_forecaster.models.tuning import adapted

COLUMNS = [KnownColumn("price", 5.0, 2.0), KnownColumn(1, 0.0, 1.0)]


def some(k=4):
    series, price = season_and_price()
    return series[:k, :-HORIZON], tables(price[:k, :-HORIZON]), price[:k]


@pytest.mark.parametrize("family", ["ttm", "ttm_points"])
def test_the_new_parts_change_nothing_at_first(family, request):
    pipe = request.getfixturevalue(family)
    new = channel_mixing(pipe.network, COLUMNS, 0)
    network = adapted(pipe.network, new.weights, new.architecture)
    assert network.config.known_columns == tuple(COLUMNS)
    values = torch.randn(3, 1, 128)
    seen = torch.ones_like(values, dtype=torch.bool)
    known = pad_known(network, list(np.random.default_rng(0).normal(size=(3, 2, 160))), 32)
    with torch.no_grad():
        found = quantiles_of(network, values, seen, known=known)
        expected = quantiles_of(pipe.network, values, seen)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_the_backbone_is_shared_and_the_seed_decides(ttm):
    one, same, other = (channel_mixing(ttm.network, COLUMNS, seed).weights for seed in (0, 0, 1))
    assert not any(name.startswith("backbone.") for name in one)
    assert any("channel_feature_mixer" in name for name in one)
    assert any("fcm_block.exog_mixer" in name for name in one)
    name = "head.fcm_block.fcm_embedding.weight"
    assert torch.equal(one[name], same[name]) and not torch.equal(one[name], other[name])


@pytest.mark.parametrize("changes", [{"decompose": True}, {"norm_mlp": "BatchNorm"}])
def test_networks_without_a_place_for_them_are_refused(changes):
    with torch.device("meta"):
        network = make_network(preset("tiny", **changes))
    with pytest.raises(ValueError, match=r"target='channels': .* has no place for mixers"):
        channel_mixing(network, COLUMNS, 0)


def test_two_tunings_are_independent_and_leave_the_base_as_it_is(ttm):
    history, known, price = some()
    brief = dataclasses.replace(CONFIG, steps=12)
    base = ttm.predict(history, HORIZON).quantiles
    ours = ForecastPipeline(ttm.key, finetune(ttm, history, brief, known=known))
    before = ours.predict(history, HORIZON, known=tables(price)).quantiles
    opposite = finetune(ttm, -history, brief, known=known)
    np.testing.assert_array_equal(
        ours.predict(history, HORIZON, known=tables(price)).quantiles, before
    )
    np.testing.assert_array_equal(ttm.predict(history, HORIZON).quantiles, base)
    again = finetune(ttm, history, brief, known=known)
    assert again == ours.adapter != opposite
    assert ours.adapter.report.improved and opposite.report.improved


def test_an_adapter_is_saved_and_loaded_with_its_columns(tmp_path):
    history, _, price = some()
    pipe = tuned()
    loaded = Adapter.load(pipe.adapter.save(tmp_path / "adapter"))
    assert loaded == pipe.adapter
    assert loaded.target == "channels"
    other = ForecastPipeline.from_pretrained(
        "ttm-test", device="cpu", adapter=str(tmp_path / "adapter")
    )
    np.testing.assert_array_equal(
        other.predict(history, 40, known=tables(np.c_[price, price[:, :8]])).quantiles,
        pipe.predict(history, 40, known=tables(np.c_[price, price[:, :8]])).quantiles,
    )


def test_a_tuning_goes_on_with_the_columns_and_their_scale():
    history, known, _ = some()
    pipe = tuned()
    config = FinetuneConfig(target="channels", steps=10, seed=1)
    second = finetune(pipe, history, config, known=known)
    assert second.report.loss_before == pytest.approx(pipe.adapter.report.loss_after, rel=1e-5)
    columns = ForecastPipeline(pipe.key, second).network.config.known_columns
    assert columns == pipe.network.config.known_columns
    with pytest.raises(ValueError, match=r"and the adapter of the pipeline reads \['price'\]"):
        finetune(pipe, history, config, known=[{"cost": own["price"]} for own in known])


def test_point_forecasts_learn_known_columns_too(ttm_points):
    history, known, price = some()
    config = FinetuneConfig(target="channels", steps=60)
    adapter = finetune(ttm_points, history, config, known=known)
    pipe = ForecastPipeline(ttm_points.key, adapter)
    forecast = pipe.predict(history, HORIZON, known=tables(price))
    assert forecast.calibration == ("own",) * 4
    actual = season_and_price()[0][:, -HORIZON:]
    without = ttm_points.predict(history, HORIZON)
    assert weighted_loss(forecast, actual) < 0.5 * weighted_loss(without, actual)
    inside = (actual > forecast.quantiles[..., 0]) & (actual < forecast.quantiles[..., -1])
    assert 0.6 < inside.mean() < 0.95
    cut = pipe.predict(history, HORIZON, known=tables(price), context_length=400)
    assert cut.calibration == ("own",) * 4


def test_a_column_that_says_nothing_harms_nothing(ttm):
    history, _, _ = some()
    noise = np.random.default_rng(3).normal(size=history.shape)
    config = FinetuneConfig(target="channels", steps=2, learning_rate=1e-12)
    with pytest.warns(TuningWarning):
        adapter = finetune(ttm, history, config, known=tables(noise))
    if adapter.is_identity:
        assert not adapter.architecture
        np.testing.assert_array_equal(
            ForecastPipeline(ttm.key, adapter).predict(history, 5).quantiles,
            ttm.predict(history, 5).quantiles,
        )


def test_known_and_the_target_belong_together(ttm, pipe):
    history, known, _ = some()
    with pytest.raises(ValueError, match="target='channels' needs columns"):
        finetune(ttm, history, CONFIG)
    with pytest.raises(ValueError, match="target='channels' needs columns"):
        finetune_windows(ttm, history[:, :100], history[:, 100:132], CONFIG)
    with pytest.raises(ValueError, match="known goes with target='channels', not with 'head'"):
        finetune(ttm, history, FinetuneConfig(target="head"), known=known)
    with pytest.raises(ValueError, match="Timer-S1 has no such weights"):
        finetune(pipe, history, CONFIG, known=known)


def test_checkpoints_that_mix_channels_are_not_finetuned():
    from ttm_channels import mixing

    history, known, _ = some(3)
    for config, how in ((CONFIG, {"known": known}), (FinetuneConfig(), {})):
        with pytest.raises(ValueError, match="reads several channels as one row"):
            finetune(mixing(), history, config, **how)
