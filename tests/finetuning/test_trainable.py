import numpy as np
import pytest
import torch
from torch import Generator

from timer_forecaster import ForecastPipeline
from timer_forecaster.finetuning.trainable import (
    drawn_low_rank,
    hot_experts,
    load_frozen,
    own_copies,
    trainable,
)
from timer_forecaster.models.timer_s1.targets import TARGETS, replaced_by


@pytest.fixture(scope="module")
def frozen(pipe):
    return load_frozen(pipe.key)


@pytest.fixture
def patches(frozen):
    config = frozen.config
    generator = Generator().manual_seed(0)
    values = torch.randn(2, 3, config.input_token_len, generator=generator)
    return torch.cat([values, torch.ones_like(values)], dim=-1).to(frozen.dtype)


def hidden(network, patches):
    return [stage.hidden_states for stage in network.stages(patches, 1)]


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_begins_with_the_outputs_of_the_checkpoint(frozen, patches, target):
    trained = trainable(frozen, target)
    for ours, theirs in zip(hidden(trained.network, patches), hidden(frozen, patches), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "lora"])
def test_the_weights_of_a_target_are_trained_and_no_others(frozen, target):
    names = [name for name, _ in frozen.named_parameters()]
    trained = trainable(frozen, target)
    assert list(trained.parameters) == replaced_by(target, names)
    assert all(value.requires_grad for value in trained.parameters.values())


def test_a_change_of_the_parameters_changes_the_network_and_not_the_frozen_one(frozen, patches):
    before = hidden(frozen, patches)
    trained = trainable(frozen, "norms")
    with torch.no_grad():
        for value in trained.parameters.values():
            value *= 1.5
    assert not torch.equal(hidden(trained.network, patches)[-1], before[-1])
    for ours, theirs in zip(hidden(frozen, patches), before, strict=True):
        assert torch.equal(ours, theirs)


def test_copies_of_the_weights_stay_as_they_were(frozen):
    trained = trainable(frozen, "head")
    copies = trained.weights()
    expected = {name: value.clone() for name, value in copies.items()}
    with torch.no_grad():
        for value in trained.parameters.values():
            value += 1
    assert all(torch.equal(copies[name], expected[name]) for name in expected)


def test_training_starts_from_given_weights_and_those_of_the_target(frozen):
    first, *others = own_copies(frozen, replaced_by("norms", dict(frozen.named_parameters())))
    start = {first: frozen.get_parameter(first).detach() + 1}
    trained = trainable(frozen, "norms", start=start)
    assert set(trained.parameters) == {first, *others}
    assert torch.equal(trained.parameters[first], start[first])
    assert torch.equal(trained.parameters[others[0]], frozen.get_parameter(others[0]))
    with torch.no_grad():
        trained.parameters[first] += 1
    assert not torch.equal(trained.parameters[first], start[first])  # a copy of it


def test_narrow_weights_are_trained_in_float32():
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu", dtype="bfloat16")
    frozen = load_frozen(pipe.key)
    values = trainable(frozen, "lora").parameters.values()
    assert {value.dtype for value in values} == {torch.float32}


def test_low_rank_matrices_have_the_shapes_of_their_layer_and_add_nothing(frozen):
    layer = "model.layers.0.self_attn.q_proj"
    n_out, n_in = frozen.get_parameter(f"{layer}.weight").shape
    drawn = drawn_low_rank(frozen, [layer], 3, Generator().manual_seed(0))
    first, second = drawn[f"{layer}.lora_A.weight"], drawn[f"{layer}.lora_B.weight"]
    assert first.shape == (3, n_in) and second.shape == (n_out, 3)
    assert first.abs().max() <= n_in**-0.5 and first.std() > 0
    assert not second.any()


def test_the_seed_decides_about_low_rank_matrices(frozen):
    one, same, other = (trainable(frozen, "lora", seed=seed).parameters for seed in (0, 0, 1))
    name = next(name for name in one if name.endswith("lora_A.weight"))
    assert torch.equal(one[name], same[name])
    assert not torch.equal(one[name], other[name])


def test_a_frozen_network_can_be_loaded_where_no_gradients_are_recorded(pipe):
    with torch.inference_mode():
        network = load_frozen(pipe.key)
    assert not any(value.is_inference() for value in network.parameters())


def test_hot_experts_are_those_with_the_largest_shares(frozen):
    n = frozen.config.num_experts
    blocks = frozen.config.num_hidden_layers + 1
    shares = np.tile(np.arange(n) / n, (blocks, 1))
    shares[-1] = shares[-1, ::-1]
    hot = hot_experts(frozen.config, shares, 0.5)
    half = -(-n // 2)
    assert hot["model.layers.0.ffn_layer.experts"] == list(range(n - 1, n - 1 - half, -1))
    assert hot["mtp_modules.0.layer.ffn_layer.experts"] == list(range(half))
    assert len(hot) == blocks
    assert all(not numbers for numbers in hot_experts(frozen.config, shares, 0.0).values())
