"""Weights reach a network from one file or from many, and experts can be replaced on the way."""

import json
import weakref
from shutil import copytree

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from timer_forecaster.inference.weights import fill, replace_experts
from timer_forecaster.models.checkpoints import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network

FOLDER = find_checkpoint("timer-s1-test")
N_EXPERTS = sum(name.endswith("up_proj.weight") for name in load_file(FOLDER / "model.safetensors"))


def empty_network():
    with torch.device("meta"):
        return TimerS1Network(TimerS1Architecture.from_config_file(FOLDER / "config.json"))


@pytest.fixture
def sharded(tmp_path):
    """The checkpoint in three files, whose borders run through experts."""
    weights = list(load_file(FOLDER / "model.safetensors").items())
    files = {}
    for i in range(3):
        save_file(dict(weights[i::3]), tmp_path / f"part-{i}.safetensors")
        files |= {name: f"part-{i}.safetensors" for name, _ in weights[i::3]}
    index = {"metadata": {}, "weight_map": files}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    return tmp_path


class Packed(nn.Module):
    """What stands for another form of an expert."""

    def __init__(self, expert):
        super().__init__()
        assert all(not parameter.is_meta for parameter in expert.parameters())
        self.total = sum(parameter.double().sum().item() for parameter in expert.parameters())


@pytest.mark.parametrize("pack", [None, Packed])
def test_one_file_and_many_are_the_same(sharded, pack):
    networks = empty_network(), empty_network()
    for network, folder in zip(networks, (FOLDER, sharded), strict=True):
        fill(network, folder, pack)
    one, many = (network.state_dict() for network in networks)
    assert one.keys() == many.keys()
    assert all(torch.equal(one[name], many[name]) for name in one)
    if pack is not None:
        totals = [[m.total for m in n.modules() if isinstance(m, Packed)] for n in networks]
        assert totals[0] == totals[1]
        assert len(set(totals[0])) == N_EXPERTS


def test_an_expert_is_given_up_before_the_next_one_is_read(sharded):
    earlier = []

    def pack(expert):
        assert all(weight() is None for weight in earlier)
        earlier.append(weakref.ref(expert.up_proj.weight))
        return nn.Identity()

    fill(empty_network(), sharded, pack)
    assert len(earlier) == N_EXPERTS


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
