"""Weights reach a network from one file or from many, and experts can be replaced on the way."""

import dataclasses
import json
import weakref
from concurrent.futures import ThreadPoolExecutor
from shutil import copytree, rmtree

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints import files as weights
from timer_forecaster.checkpoints import loading
from timer_forecaster.checkpoints.files import fill
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.inference import convert_checkpoint, load_plain_network
from timer_forecaster.models.timer_s1 import (
    TimerS1Architecture,
    TimerS1ForPrediction,
    TimerS1Network,
)
from timer_forecaster.models.timer_s1.layouts.choice import replace_experts
from timer_forecaster.models.timer_s1.layouts.experts import DeferredExpert
from timer_forecaster.models.timer_s1.layouts.linears import PackedLinear, can_pack

FOLDER = find_checkpoint("timer-s1-test")
N_EXPERTS = sum(name.endswith("up_proj.weight") for name in load_file(FOLDER / "model.safetensors"))


def empty_network():
    with torch.device("meta"):
        return TimerS1Network(TimerS1Architecture.from_config_file(FOLDER / "config.json"))


@pytest.fixture
def sharded(tmp_path):
    """The checkpoint in three files, whose borders run through experts."""
    stored = list(load_file(FOLDER / "model.safetensors").items())
    files = {}
    for i in range(3):
        save_file(dict(stored[i::3]), tmp_path / f"part-{i}.safetensors")
        files |= {name: f"part-{i}.safetensors" for name, _ in stored[i::3]}
    index = {"metadata": {}, "weight_map": files}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    return tmp_path


def use_all_experts(network):
    for part in list(network.modules()):
        if isinstance(part, DeferredExpert):
            part(torch.zeros(1, network.config.hidden_size))


class Packed(nn.Module):
    """What stands for another form of an expert."""

    def __init__(self, expert):
        super().__init__()
        assert all(not parameter.is_meta for parameter in expert.parameters())
        self.total = sum(parameter.double().sum().item() for parameter in expert.parameters())

    def forward(self, hidden_states):
        return hidden_states


@pytest.mark.parametrize("pack", [None, Packed])
def test_one_file_and_many_are_the_same(sharded, pack):
    networks = empty_network(), empty_network()
    for network, folder in zip(networks, (FOLDER, sharded), strict=True):
        fill(network, folder, pack, deferred=True)
        use_all_experts(network)
    one, many = (network.state_dict() for network in networks)
    assert one.keys() == many.keys()
    assert all(torch.equal(one[name], many[name]) for name in one)
    if pack is not None:
        totals = [[m.total for m in n.modules() if isinstance(m, Packed)] for n in networks]
        assert totals[0] == totals[1]
        assert len(set(totals[0])) == N_EXPERTS


def test_experts_are_read_at_their_first_use_and_the_stored_form_is_given_up(sharded):
    earlier, network = [], empty_network()

    def pack(expert):
        assert all(weight() is None for weight in earlier)
        earlier.append(weakref.ref(expert.up_proj.weight))
        return nn.Identity()

    fill(network, sharded, pack, deferred=True)
    assert earlier == []
    for _ in range(2):
        use_all_experts(network)
    assert len(earlier) == N_EXPERTS
    assert all(weight() is None for weight in earlier)


def test_an_expert_without_tokens_is_not_read(sharded):
    network = empty_network()
    fill(network, sharded, lambda expert: pytest.fail("read an expert"), deferred=True)
    for part in list(network.modules()):
        if isinstance(part, DeferredExpert):
            assert part(torch.zeros(0, 16)).shape == (0, 16)


def test_two_threads_read_an_expert_once(sharded):
    made = []
    network = empty_network()
    fill(network, sharded, lambda expert: made.append(expert) or nn.Identity(), deferred=True)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(use_all_experts, [network] * 4))
    assert len(made) == N_EXPERTS


def test_experts_of_a_network_that_is_there_are_replaced_as_well():
    network, other = empty_network(), empty_network()
    fill(network, FOLDER)
    replace_experts(network, Packed)
    fill(other, FOLDER, Packed)
    totals = [[m.total for m in n.modules() if isinstance(m, Packed)] for n in (network, other)]
    assert totals[0] == totals[1]


@pytest.mark.parametrize("pack", [None, Packed])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda weights: weights.pop("model.norm.weight"), r"missing \['model.norm.weight'\]"),
        (lambda weights: weights.update(extra=torch.ones(1)), r"unexpected \['extra'\]"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, pack, change, message):
    folder = copytree(FOLDER, tmp_path / "net")
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ValueError, match=rf"net do not fit its config\.json: .*{message}"):
        fill(empty_network(), folder, pack)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A checkpoint that is wide enough for its weights to be packed, stored in bfloat16."""
    folder = tmp_path_factory.mktemp("wide")
    sizes = TimerS1Architecture(
        hidden_size=256,
        intermediate_size=64,
        num_hidden_layers=1,
        num_mtp_tokens=1,
        num_attention_heads=4,
        num_experts=3,
        initializer_range=0.1,
    )
    torch.manual_seed(0)
    network = TimerS1Network(sizes).to(torch.bfloat16)
    save_file(network.state_dict(), folder / "model.safetensors")
    config = {"model_type": "Timer-S1", **dataclasses.asdict(sizes)}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


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


SERIES = np.random.default_rng(1).normal(size=(40, 60)).cumsum(axis=1)


@pytest.fixture
def own(wide, tmp_path, monkeypatch):
    """A copy of the wide checkpoint, read as a large one is, and its pipeline."""
    if not can_pack(torch.device("cpu"), torch.float32):
        pytest.skip("torch lacks oneDNN")
    monkeypatch.setattr(weights, "DEFERRED_FROM_BYTES", 0)
    folder = copytree(wide, tmp_path / "own")
    yield folder, ForecastPipeline.from_pretrained(folder, device="cpu", dtype="float32")
    release()


def rewrite(folder):
    stored = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    save_file({name: tensor * 2 for name, tensor in stored.items()}, folder / "model.safetensors")


@pytest.mark.parametrize(("change", "word"), [(rmtree, "deleted"), (rewrite, "changed")])
def test_experts_are_read_from_the_files_that_were_loaded_or_not_at_all(own, change, word):
    folder, pipe = own
    change(folder)
    message = rf"own/model.safetensors was {word} after .*release\(\) and load the checkpoint again"
    with pytest.raises(RuntimeError, match=message):
        pipe.predict(SERIES, 32)


def test_small_networks_need_their_folder_no_more_once_loaded(wide, tmp_path):
    expected = ForecastPipeline.from_pretrained(wide, device="cpu").predict(SERIES, 32)
    folder = copytree(wide, tmp_path / "gone")
    pipe = ForecastPipeline.from_pretrained(folder, device="cpu")
    rmtree(folder)
    np.testing.assert_array_equal(pipe.predict(SERIES, 32).quantiles, expected.quantiles)


def test_experts_of_a_first_forecast_are_no_inference_tensors(own):
    _, pipe = own
    with torch.inference_mode():
        use_all_experts(pipe.network)
    packed = [part for part in pipe.network.modules() if isinstance(part, PackedLinear)]
    assert not any(part._packed.is_inference() for part in packed)


def test_modules_can_be_gone_through_while_experts_are_read(own):
    _, pipe = own
    expert = next(part for part in pipe.network.modules() if isinstance(part, DeferredExpert))
    seen = iter(expert._modules.items())
    expert(torch.zeros(1, 256))
    list(seen)  # raised that the dictionary had changed its size


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


def test_plain_networks_of_eight_bits_and_of_other_quantisations(wide, tmp_path):
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
    with pytest.raises(ValueError, match=r"other' is quantised; name the original"):
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


def test_random_wide_networks_are_computed_in_float32(monkeypatch):
    monkeypatch.setattr(loading, "fast_in_bfloat16", lambda device: True)
    sizes = {"hidden_size": 256, "intermediate_size": 32, "num_hidden_layers": 1}
    sizes |= {"num_mtp_tokens": 0, "num_experts": 2, "num_attention_heads": 4}
    pipe = ForecastPipeline.from_pretrained(None, config=sizes, device="cpu")
    assert pipe.network.dtype == torch.float32


@pytest.mark.parametrize("fast", [True, False])
def test_wide_networks_are_computed_in_bfloat16_where_that_is_fast(wide, monkeypatch, fast):
    monkeypatch.setattr(loading, "fast_in_bfloat16", lambda device: fast)
    release()
    pipe = ForecastPipeline.from_pretrained(wide, device="cpu")
    assert pipe.network.dtype == (torch.bfloat16 if fast else torch.float32)
    narrow = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    assert narrow.network.dtype == torch.float32
    release()
