import numpy as np
import pytest
import torch

import timer_forecaster.samay.weights as weights_module
from timer_forecaster.checkpoints.loading import load_plain_network
from timer_forecaster.samay.settings import ModelSettings
from timer_forecaster.samay.weights import starting_network


def start(repo=None, revision=None, **config):
    return starting_network(ModelSettings.of(config), repo, revision)


def test_random_weights_are_always_the_same():
    state = torch.random.get_rng_state()
    first, second = (start(d_model=16, n_layers=1).network for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), state)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
        assert one.requires_grad
    assert start(d_model=16).checkpoint is None


def test_a_checkpoint_is_loaded_by_its_name_and_is_nobody_elses():
    found = start("ttm-test")
    assert found.checkpoint == "ttm-test"
    own = load_plain_network("ttm-test").state_dict()
    assert found.network.state_dict().keys() == own.keys()
    with torch.no_grad():
        for parameter in found.network.parameters():
            assert parameter.requires_grad
            parameter.zero_()
    again = start("ttm-test", dropout=0.25).network
    assert all(torch.equal(tensor, own[name]) for name, tensor in again.state_dict().items())
    assert {m.p for m in again.modules() if isinstance(m, torch.nn.Dropout)} == {0.25}
    assert not again.training


def test_settings_that_a_checkpoint_cannot_have_are_named(tmp_path):
    for config, error in [
        ({"context_len": 512}, "context_len=512 is longer than the 128 steps that repo='ttm-test'"),
        ({"d_model": 64}, "d_model=64 does not fit repo='ttm-test', which has 16"),
        ({"n_layers": 4}, "n_layers=4 does not fit repo='ttm-test', which has 1"),
        ({"model_size": "tiny"}, "model_size='tiny' and repo='ttm-test' both choose"),
    ]:
        with pytest.raises(ValueError, match=error):
            start("ttm-test", **config)
    assert start("ttm-test", d_model=16, n_layers=1, context_len=64, horizon_len=90).network
    with pytest.raises(ValueError, match="repo='timer-s1-mini' is no TinyTimeMixer"):
        start("timer-s1-mini")
    with pytest.raises(ValueError, match="'ttm-tset' is neither a registry name"):
        start("ttm-tset")
    with pytest.raises(ValueError, match="revision='main' applies to a hub id"):
        start(revision="main")


def test_the_embedded_checkpoint_of_a_size_is_taken_where_it_fits(monkeypatch):
    monkeypatch.setitem(weights_module.EMBEDDED, "tiny", "ttm-test")
    for config in ({}, {"model_size": "tiny"}, {"context_len": 100, "horizon_len": 32}):
        found = start(**config)
        assert found.checkpoint == "ttm-test"
        assert found.network.config.dropout == 0.1
    assert start(d_model=16, n_layers=1).checkpoint == "ttm-test"
    for config in ({"d_model": 32}, {"n_layers": 2}, {"context_len": 129}, {"horizon_len": 33}):
        assert start(**config).checkpoint is None
    assert start(model_size="small", d_model=16, n_layers=1).checkpoint is None


def test_checkpoints_that_mix_channels_are_refused(tmp_path):
    import dataclasses

    from timer_forecaster.models.ttm import make_network
    from timer_forecaster.samay.files import write_folder

    sizes = ModelSettings.of({"d_model": 16, "n_layers": 1, "context_len": 48}).architecture
    plain = dataclasses.replace(sizes, multi_quantile_head=False)
    mixed = dataclasses.replace(plain, decoder_mode="mix_channel", num_input_channels=3)
    for name, config in {"plain": plain, "mixed": mixed}.items():
        write_folder(tmp_path / name, make_network(config))
    assert np.isfinite(start(tmp_path / "plain").network.dtype.itemsize)
    with pytest.raises(ValueError, match=r"mixes channels \(3 of them\)"):
        start(tmp_path / "mixed")


def test_checkpoints_that_read_more_than_a_series_are_refused(tmp_path):
    import dataclasses

    from timer_forecaster.models.ttm import make_network
    from timer_forecaster.samay.files import write_folder

    sizes = ModelSettings.of({"d_model": 16, "n_layers": 1, "context_len": 48}).architecture
    prefix = dataclasses.replace(sizes, resolution_prefix_tuning=True)
    write_folder(tmp_path / "prefix", make_network(prefix))
    with pytest.raises(ValueError, match=r"prefix' reads the frequency or the categories"):
        start(tmp_path / "prefix")
