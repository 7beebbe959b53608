"""Networks are drawn or read, laid out or plain, and a pool is warned of copies."""

import json
import multiprocessing
import warnings
from concurrent.futures import ProcessPoolExecutor
from shutil import copytree, rmtree

import numpy as np
import pytest
import torch
from checkpoint_cases import SIZES, load, walk
from safetensors.torch import load_file

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints import layout, loading
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.inference import convert_checkpoint, load_plain_network
from timer_forecaster.models.timer_s1 import (
    TimerS1ForPrediction,
)
from timer_forecaster.models.timer_s1.layouts.linears import PackedLinear, can_pack

SERIES = np.random.default_rng(1).normal(size=(40, 60)).cumsum(axis=1)


def test_a_configuration_makes_the_network_it_describes():
    pipe = load(None, config=SIZES | {"quantiles": [0.2, 0.5, 0.8], "input_token_len": 8})
    assert pipe.network.config.hidden_size == 16
    assert pipe.network.pass_length == 16
    assert pipe.predict(walk(40), 20).quantiles.shape == (1, 20, 3)


def test_random_weights_are_the_same_whatever_torch_draws():
    forecasts = []
    for seed in (1, 2):
        release()
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        forecasts.append(load(None, config=SIZES).predict(walk(50), 40).quantiles)
        assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(*forecasts)


def test_a_pipeline_computes_with_packed_weights_what_the_plain_network_does(wide):
    pipe = ForecastPipeline.from_pretrained(wide, device="cpu", dtype="float32")
    assert can_pack(torch.device("cpu"), torch.float32) == any(
        isinstance(part, PackedLinear) for part in pipe.network.modules()
    )
    series = np.random.default_rng(0).normal(size=(5, 100)).cumsum(axis=1)
    plain = TimerS1ForPrediction.from_pretrained(wide, dtype=torch.float32)
    spread = series.std(axis=1, keepdims=True)
    scaled = torch.tensor((series - series.mean(axis=1, keepdims=True)) / spread)
    expected = plain.generate(scaled.float(), 32, revin=False).sort(dim=1).values
    actual = (pipe.predict(series, 32).quantiles - series.mean(axis=1)[:, None, None]) / (
        spread[..., None]
    )
    np.testing.assert_allclose(actual.transpose(0, 2, 1), expected, atol=1e-5)


def test_small_networks_need_their_folder_no_more_once_loaded(wide, tmp_path):
    expected = ForecastPipeline.from_pretrained(wide, device="cpu").predict(SERIES, 32)
    folder = copytree(wide, tmp_path / "gone")
    pipe = ForecastPipeline.from_pretrained(folder, device="cpu")
    rmtree(folder)
    np.testing.assert_array_equal(pipe.predict(SERIES, 32).quantiles, expected.quantiles)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_plain_network_has_all_weights_and_is_ones_own(wide, dtype):
    network = load_plain_network(wide, dtype)
    stored = load_file(wide / "model.safetensors")
    found = network.state_dict()
    assert found.keys() == stored.keys()
    assert all(torch.equal(found[name], stored[name].to(dtype)) for name in stored)
    assert all(parameter.requires_grad for parameter in network.parameters())
    with torch.no_grad():
        network.model.norm.weight.zero_()
    assert load_plain_network(wide, dtype).model.norm.weight.any()
    network.set_expert_strategy("dense")


def test_plain_networks_of_eight_bits_and_of_other_quantizations(wide, tmp_path):
    network = load_plain_network(convert_checkpoint(wide, tmp_path / "int8"))
    stored = load_file(wide / "model.safetensors")
    found = network.state_dict()
    assert found.keys() == stored.keys()
    for name, tensor in stored.items():
        torch.testing.assert_close(found[name], tensor.float(), atol=0.01, rtol=0)
    folder = copytree(wide, tmp_path / "other")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "quanto"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"other' is quantized; name the original"):
        load_plain_network(folder)


def test_packed_networks_refuse_what_they_cannot_do(wide):
    pipe = ForecastPipeline.from_pretrained(wide, device="cpu", dtype="float32")
    if not any(isinstance(part, PackedLinear) for part in pipe.network.modules()):
        pytest.skip("torch lacks oneDNN")
    with pytest.raises(ValueError, match="strategy 'dense' needs plain experts"):
        pipe.network.set_expert_strategy("dense")
    layer = pipe.network.model.layers[0].self_attn.q_proj
    tokens = torch.randn(2, 256, requires_grad=True)
    other = torch.ones(2, 256)
    for run in (layer, lambda x: layer.times(x, other), lambda x: layer.times(other, x)):
        with pytest.raises(RuntimeError, match="pass no gradients on"):
            run(tokens)
        with torch.no_grad():
            assert run(tokens).shape == (2, 256)


def loading_warns(large):
    """Warnings of two loads by a process where networks of so many parameters are large."""
    usual = layout._LARGE
    layout._LARGE = large
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for dtype in ("float32", "float64"):
                loading.load_network(NetworkKey.resolve("timer-s1-test", None, "cpu", dtype))
    finally:
        layout._LARGE = usual
    return [(warning.category, str(warning.message)) for warning in caught]


def in_loky(function, argument):
    joblib = pytest.importorskip("joblib")
    # with one job joblib would stay in this process
    return joblib.Parallel(n_jobs=2, backend="loky")([joblib.delayed(function)(argument)])[0]


def in_spawned_pool(function, argument):
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, argument).result()


def small_and_large(_):
    return loading_warns(layout._LARGE), loading_warns(1)


@pytest.mark.parametrize("in_worker", [in_loky, in_spawned_pool])
def test_a_worker_of_a_pool_warns_once_of_its_copy_of_a_large_network(in_worker):
    of_small, [(category, message)] = in_worker(small_and_large, None)
    assert of_small == []
    assert category is UserWarning
    assert "'timer-s1-test' has" in message
    assert "own copy" in message
    assert "backend=None or backend='threading'" in message


def test_the_main_process_does_not_warn_of_copies():
    assert loading_warns(1) == []
