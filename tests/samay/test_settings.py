import pytest

import timer_forecaster.samay.settings as settings_module
from timer_forecaster.samay.settings import ModelSettings


def sizes(**config):
    return ModelSettings.of(config).architecture


def test_defaults_are_those_of_the_page():
    own = sizes()
    assert (own.context_length, own.prediction_length, own.d_model) == (512, 96, 192)
    assert own.dropout == own.head_dropout == 0.1
    assert own == sizes(model_size="tiny")


def test_sizes_that_are_given_win_over_the_preset():
    own = sizes(model_size="small", d_model=128, n_layers=6, dropout=0.3)
    assert (own.d_model, own.num_layers, own.decoder_d_model) == (128, 6, 128)
    assert own.dropout == own.head_dropout == 0.3
    preset = sizes(model_size="small")
    assert (preset.d_model, preset.num_layers, preset.decoder_d_model) == (384, 4, 256)


@pytest.mark.parametrize("context", [2, 7, 8, 100, 101, 256, 512, 1000, 1024])
@pytest.mark.parametrize("horizon", [1, 64, 720])
def test_any_lengths_can_be_had(context, horizon):
    own = sizes(context_len=context, horizon_len=horizon)
    assert context <= own.context_length < context + own.patch_length
    assert own.context_length % own.patch_length == 0
    assert own.prediction_length == max(2, horizon)


@pytest.mark.parametrize(
    "config, error",
    [
        ({"model_size": "large"}, "model_size='large'"),
        ({"context_len": 1}, "context_len=1"),
        ({"horizon_len": 0}, "horizon_len=0"),
        ({"dropout": 1.5}, "dropout=1.5"),
        ({"d_model": 0}, "d_model=0"),
        ({"n_layers": 0}, "n_layers=0"),
        ({"n_heads": 0}, "n_heads=0"),
        ({"context_length": 512}, "'context_length' is unknown; use context_len"),
    ],
)
def test_bad_settings_are_named(config, error):
    with pytest.raises(ValueError, match=error):
        ModelSettings.of(config)
    with pytest.raises(TypeError, match="use a dict"):
        ModelSettings.of("tiny")
    with pytest.raises(TypeError, match=r"d_model=64\.5"):
        ModelSettings.of({"d_model": 64.5})


def test_a_width_that_cannot_be_cut_is_named():
    with pytest.raises(ValueError, match="d_model=66 must be divisible by 4"):
        sizes(d_model=66)


def test_heads_are_warned_of_once(monkeypatch, recwarn):
    monkeypatch.setattr(settings_module, "_warned_of_heads", False)
    for _ in range(2):
        assert ModelSettings.of({"n_heads": 4}).architecture == sizes()
    assert [str(one.message)[:26] for one in recwarn] == ["config: n_heads has no effe"[:26]]
