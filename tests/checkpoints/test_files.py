"""Weights reach a network from one file or from many, and experts can be replaced on the way."""

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
from timer_forecaster.checkpoints.files import fill
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.timer_s1 import (
    TimerS1Architecture,
    TimerS1Network,
)
from timer_forecaster.models.timer_s1.layouts.experts import DeferredExpert
from timer_forecaster.models.timer_s1.layouts.linears import PackedLinear, can_pack
from timer_forecaster.models.timer_s1.layouts.packing import replace_experts

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
    network = pipe.network
    change(folder)
    message = rf"own/model.safetensors was {word} after .*release\(\) and load the checkpoint again"
    with pytest.raises(RuntimeError, match=message):
        use_all_experts(network)


def test_the_next_forecast_reads_the_experts_of_a_folder_that_has_changed(own):
    folder, pipe = own
    rewrite(folder)
    changed = pipe.predict(SERIES, 32).median
    release()
    np.testing.assert_array_equal(pipe.predict(SERIES, 32).median, changed)


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
